"""How roles look: the one bridge from `views.spans` to styles, all of them variables of the theme."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from gwtui.views.spans import Line, Role

LOOKS: dict[Role, tuple[str, str]] = {
    Role.TEXT: ("foreground", ""),
    Role.STRONG: ("figure", "bold"),
    Role.DIM: ("faint", ""),
    Role.ACCENT: ("accent", "bold"),
    Role.OK: ("health-ok", ""),
    Role.WARN: ("health-degraded", ""),
    Role.BAD: ("health-failing", "bold"),
    Role.UNKNOWN: ("health-unknown", ""),
    Role.DRAIN: ("draining", ""),
    Role.STALE: ("stale", "italic"),
    Role.SPARK: ("spark", ""),
    Role.EDGE: ("link", ""),
    Role.KEY: ("key", "bold"),
    Role.BADGE: ("tab-foreground", "bold"),
    Role.ALARM: ("alarm-foreground", "bold"),
}
"""The theme variable each role takes its colour from, and what else sets it off."""

_GROUNDS = {Role.BADGE: "tab-background", Role.ALARM: "alarm-background"}


@lru_cache(maxsize=8)
def _palette(variables: tuple[tuple[str, str], ...]) -> dict[Role, Style]:
    known = dict(variables)
    return {
        role: Style.parse(f"{attributes} {known[name]}".strip())
        + Style(bgcolor=known[_GROUNDS[role]] if role in _GROUNDS else None)
        for role, (name, attributes) in LOOKS.items()
    }


class Painted(Widget):
    """A widget whose lines are spans with roles. Styles come from the theme's variables, once per theme."""

    _looks: tuple[str, dict[Role, Style], str] | None = None

    def strip(self, line: Line, cells: int, *, is_cursor: bool = False) -> Strip:
        """Paint one line, exactly `cells` wide. The cursor changes the background, never the meaning of a colour."""
        looks, cursor = self._current_looks()
        base = self.rich_style
        if is_cursor:
            base += Style(bgcolor=cursor)
        segments = [Segment(span.text, base + looks[span.role]) for span in line]
        return Strip(segments).adjust_cell_length(cells, base)

    def _current_looks(self) -> tuple[dict[Role, Style], str]:
        """The styles of the present theme, and the background of the cursor."""
        theme = self.app.theme
        if self._looks is None or self._looks[0] != theme:
            variables = self.app.theme_variables
            wanted = (*(name for name, _ in LOOKS.values()), *_GROUNDS.values())
            palette = _palette(tuple((name, variables[name]) for name in wanted))
            self._looks = (theme, palette, variables["cursor-background"])
        return self._looks[1], self._looks[2]


class LinesBar(Painted):
    """A fixed number of lines that are replaced as a whole and never scroll."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - the name Textual uses
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines; repaints those that differ."""
        before, self._lines = self._lines, lines
        if len(before) != len(lines):
            self.refresh()
            return
        changed = [Region(0, y, self.size.width, 1) for y, line in enumerate(lines) if line != before[y]]
        if changed:
            self.refresh(*changed)

    def show_line(self, y: int, line: Line) -> None:
        """Replace one line that is there already."""
        self.show([*self._lines[:y], line, *self._lines[y + 1 :]])

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        return self.strip(self._lines[y] if y < len(self._lines) else (), self.size.width)


class LinesView(Painted, ScrollView, can_focus=True):
    """Any number of lines in a window that scrolls; only the visible ones are painted."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - the name Textual uses
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines."""
        if lines == self._lines:
            return
        self._lines = lines
        cells = max((sum(len(span.text) for span in line) for line in lines), default=0)
        self.virtual_size = Size(cells, len(lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Paint the line at a row of the window."""
        x_offset, y_offset = self.scroll_offset
        row = y_offset + y
        line = self._lines[row] if row < len(self._lines) else ()
        cells = max(self.size.width, self.virtual_size.width)
        return self.strip(line, cells).crop(x_offset, x_offset + self.size.width)
