"""Glyphs of what was done and seen, and the truths that are looked for after a step."""

from __future__ import annotations

from gwtui.changes.journal import Seen
from gwtui.changes.plan import ObjectEdit, Step
from gwtui.views import text
from gwtui.views.spans import Role

DONE, FAILED, UNTOLD, NEXT, PLANNED = "✔", "✖", "?", "▶", text.UNKNOWN_GLYPH

GLYPHS = {DONE: Role.OK, FAILED: Role.BAD, UNTOLD: Role.UNKNOWN, NEXT: Role.ACCENT, PLANNED: Role.DIM}
"""How a glyph looks."""

TRUTHS = ("stored", "programmed", "loaded", "observed")
"""In the order they come true."""


def met(seen: Seen) -> str:
    """Return the glyph of a truth: seen, seen not to be, not told."""
    return DONE if seen.is_met else FAILED if seen.is_met is False else UNTOLD


def truths_of(step: Step) -> tuple[str, ...]:
    """The truths that are looked for after a step: what a proxy is told it alone can tell."""
    return TRUTHS if isinstance(step, ObjectEdit) else ("loaded",)
