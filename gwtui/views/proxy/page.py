"""What one tab shows: lines that stay on top, and rows of which only those in the window are made."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from gwtui.views.spans import BLANK, Line, Role, Span, crop, line
from gwtui.views.tables import Column, Row, layout, row_line, title_line

Entry = tuple[Hashable | None, Callable[[], Row | Line]]
"""A row: what it is about (None: nothing that could be chosen), and what makes it when it is painted."""


def _no_line(index: int) -> Line:
    raise IndexError(index)


def _no_story(_: Hashable) -> Line:
    return BLANK


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One tab at one moment."""

    head: tuple[Line, ...] = ()
    """Lines that stay while the rows scroll."""
    keys: Sequence[Hashable | None] = ()
    """One per row: its identity, or None for a row the cursor passes over."""
    line_of: Callable[[int], Line] = _no_line
    """Makes the line of a row from its position."""
    story_of: Callable[[Hashable], Line] = _no_story
    """What there is to say about a row that has no room in it."""


def text_page(lines: Sequence[Line], *, head: Sequence[Line] = ()) -> Page:
    """A page to read: nothing in it can be chosen."""
    return Page(head=tuple(head), keys=(None,) * len(lines), line_of=lines.__getitem__)


def table_page(
    columns: Sequence[Column],
    entries: Sequence[Entry],
    cells: int,
    *,
    head: Sequence[Line] = (),
    story_of: Callable[[Hashable], Line] = _no_story,
) -> Page:
    """A page of rows under titles; an entry may be a whole line instead of cells."""
    shown = layout(columns, cells)

    def line_of(index: int) -> Line:
        made = entries[index][1]()
        return row_line(columns, shown, made, cells) if isinstance(made, Row) else crop(made, cells)

    titles = (title_line(shown, ""),) if entries else ()
    return Page(head=(*head, *titles), keys=[key for key, _ in entries], line_of=line_of, story_of=story_of)


def note(words: str) -> Line:
    """A remark about what is shown."""
    return line(Span(words, Role.DIM))


def fact(name: str, *parts: str | Span) -> Line:
    """A name and what belongs to it, in two columns."""
    return line(Span(f"{name:<13}", Role.DIM), *parts)
