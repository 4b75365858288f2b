"""Lines of text whose parts say what they mean. The screen decides what a meaning looks like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """What a piece of text means. Every theme gives each of them a look; none is told apart by colour alone."""

    TEXT = "text"
    STRONG = "strong"
    DIM = "dim"
    ACCENT = "accent"
    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"
    DRAIN = "drain"
    STALE = "stale"
    SPARK = "spark"
    EDGE = "edge"
    KEY = "key"
    """A key the operator may press."""
    BADGE = "badge"
    ALARM = "alarm"
    """Must be seen before anything is typed: production, paused."""


class Span(NamedTuple):
    """A piece of one line."""

    text: str
    role: Role = Role.TEXT


Line = tuple[Span, ...]
"""One line of the screen. Every character counts as one cell."""

BLANK: Line = ()

_WORDS = re.compile(r"\s*\S+|\s+$")
"""A word with the blank before it; what is left of blanks at the end."""


def line(*parts: str | Span) -> Line:
    """Build a line; plain strings have the role TEXT, empty parts are left out."""
    spans = (Span(part) if isinstance(part, str) else part for part in parts)
    return tuple(span for span in spans if span.text)


def plain(spans: Iterable[Span]) -> str:
    """The text of a line without its roles."""
    return "".join(span.text for span in spans)


def width(spans: Iterable[Span]) -> int:
    """Number of cells of a line."""
    return sum(len(span.text) for span in spans)


def crop(spans: Line, cells: int) -> Line:
    """The line cut to at most `cells` cells, with `…` as its last cell when something was cut."""
    if width(spans) <= cells:
        return spans
    kept: list[Span] = []
    left = cells - 1
    for span in spans:
        if len(span.text) > left:
            kept.append(Span(span.text[: max(left, 0)] + "…", span.role))
            break
        kept.append(span)
        left -= len(span.text)
    return line(*kept) if cells > 0 else BLANK


def wrapped(spans: Line, cells: int, indent: int) -> tuple[Line, ...]:
    """Break a line between words so that each part fits; what goes on is indented."""
    lines: list[list[Span]] = [[]]
    used = 0
    for span in spans:
        for piece in _WORDS.findall(span.text):
            if used + len(piece.rstrip()) > cells and used > indent:
                lines.append([Span(" " * indent)])
                used = indent
                piece = piece.lstrip()  # noqa: PLW2901 - the blank before it became the break
            if piece:
                lines[-1].append(Span(piece, span.role))
                used += len(piece)
    return tuple(tuple(each) for each in lines)


def pad(spans: Line, cells: int) -> Line:
    """The line cut or filled with blanks to exactly `cells` cells."""
    missing = cells - width(spans)
    return (*spans, Span(" " * missing)) if missing > 0 else crop(spans, cells)


def spread(left: Line, right: Line, cells: int) -> Line:
    """`left` at the left end and `right` at the right end of `cells` cells; `left` is cut when they would touch."""
    room = max(0, cells - width(right) - 1) if right else cells
    return (*pad(left, room), Span(" "), *right) if right else pad(left, cells)


def joined(parts: Sequence[Line], gap: str) -> Line:
    """The non-empty parts with `gap` between them."""
    spans: list[Span] = []
    for part in parts:
        if part:
            spans.extend((Span(gap), *part) if spans else part)
    return tuple(spans)
