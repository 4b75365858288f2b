"""Keys with their words, in as many lines as they need; none is torn apart."""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.views.spans import Line, Role, Span, joined, line, width

Named = Sequence[tuple[str, str]]
"""Keys as they are printed on a keyboard, each with what it does."""

GAP = "   "


def key_lines(named: Named, cells: int) -> tuple[Line, ...]:
    """Return the keys in order, broken between two of them where a line is full."""
    lines: list[list[Line]] = [[]]
    for key, word in named:
        hint = line(Span(key, Role.KEY), Span(f" {word}", Role.DIM))
        if lines[-1] and width(joined([*lines[-1], hint], GAP)) > cells:
            lines.append([])
        lines[-1].append(hint)
    return tuple(joined(each, GAP) for each in lines)
