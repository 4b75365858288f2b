"""Why something could not be had, in the place where it would stand."""

from __future__ import annotations

from gwtui.errors import GwtuiError
from gwtui.views import text
from gwtui.views.spans import Line, Role, Span, line


def failure(error: GwtuiError) -> tuple[Line, ...]:
    """What happened, and below it what to try."""
    lines = [line(Span(f"{text.FAILING_GLYPH} {error.message}", Role.BAD))]
    if error.hint:
        lines.append(line(Span("  → ", Role.DIM), error.hint))
    return tuple(lines)
