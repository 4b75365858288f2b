"""What a table is made of, how its columns share the width, and how its rows keep their place."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from gwtui.views import text
from gwtui.views.spans import BLANK, Line, Role, Span, crop, width

K = TypeVar("K", bound=Hashable)

GAP = 1
"""Blank cells between two columns."""

_GAP = Span(" " * GAP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column."""

    id: str
    title: str
    cells: int
    """Width it would like to have."""
    least: int = 0
    """Width it can shrink to; 0 means it does not shrink."""
    right: bool = False
    """Numbers end at the same place."""
    middle: bool = False
    """Whether a text too long loses its middle instead of its end: both ends of a generated name matter."""
    rank: int = 0
    """The highest rank is left out first when the width does not suffice; 0 always stays."""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row, one per column, and a message that takes the place of the cells from `message_at` on."""

    cells: tuple[Line, ...]
    message: Line = BLANK
    message_at: str = ""
    """Id of the first column the message covers."""


def layout(columns: Sequence[Column], cells: int) -> tuple[Column, ...]:
    """Leave out and shrink columns until they fit into `cells` cells. None is widened: air at the right is fine."""
    kept = list(columns)
    while _least(kept) > cells and any(column.rank for column in kept):
        kept.remove(max(kept, key=lambda column: column.rank))
    excess = _total(kept) - cells
    for index, column in sorted(enumerate(kept), key=lambda pair: -pair[1].cells):
        if excess <= 0:
            break
        spare = column.cells - column.least if column.least else 0
        kept[index] = replace(column, cells=column.cells - min(spare, excess))
        excess -= min(spare, excess)
    return tuple(kept)


def row_line(columns: Sequence[Column], shown: Sequence[Column], row: Row, cells: int) -> Line:
    """One row as a line; `row.cells` belong to `columns`, of which `shown` are on the screen."""
    by_id = dict(zip([column.id for column in columns], row.cells, strict=True))
    covered = {column.id for column in columns[_index(columns, row.message_at) :]} if row.message else set()
    spans: list[Span] = []
    for column in shown:
        if column.id in covered:
            break
        spans.extend(_aligned(by_id[column.id], column))
        spans.append(_GAP)
    line = tuple(spans)
    return (*line, *crop(row.message, max(0, cells - width(line)))) if row.message else line


def title_line(shown: Sequence[Column], sorted_by: str) -> Line:
    """The titles; the column the rows are sorted by carries a mark."""
    spans: list[Span] = []
    for column in shown:
        chosen = column.id == sorted_by
        title = f"{column.title}▾" if chosen else column.title
        spans.extend(_aligned((Span(title, Role.ACCENT if chosen else Role.DIM),), column))
        spans.append(_GAP)
    return tuple(spans)


def settle(wanted: Iterable[K], before: Sequence[K]) -> list[K]:
    """The wanted rows in the order they had before, new ones at the end: nothing jumps under a moving cursor."""
    rest = dict.fromkeys(wanted)
    order = [key for key in before if key in rest]
    kept = set(order)
    return [*order, *(key for key in rest if key not in kept)]


def _aligned(cell: Line, column: Column) -> Line:
    if column.middle:
        cell = tuple(Span(text.shorten(span.text, column.cells), span.role) for span in cell)
    left = column.cells - width(cell)
    if left < 0:
        cell, left = crop(cell, column.cells), 0
    blank = Span(" " * left)
    return (blank, *cell) if column.right else (*cell, blank)


def _index(columns: Sequence[Column], column_id: str) -> int:
    return next((index for index, column in enumerate(columns) if column.id == column_id), len(columns))


def _total(columns: Sequence[Column]) -> int:
    return sum(column.cells + GAP for column in columns)


def _least(columns: Sequence[Column]) -> int:
    return sum((column.least or column.cells) + GAP for column in columns)
