"""The first frame: where we connect to, painted before anything else is loaded."""

from __future__ import annotations

from collections.abc import Sequence

from textual.screen import Screen
from textual.strip import Strip

from gwtui.tui.widgets.painted import Painted
from gwtui.views.place import first_frame


class FirstScreen(Painted, Screen[None]):
    """Paints its lines itself: no widget has to be mounted for the first frame."""

    def __init__(self, clusters: Sequence[str]) -> None:
        super().__init__(id="_default")
        self._lines = first_frame(clusters)

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        return self.strip(self._lines[y] if y < len(self._lines) else (), self.size.width)
