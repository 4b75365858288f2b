"""Dialogs to read in: documents that are fetched, and panels that stay live."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.worker import get_current_worker

from gwtui.errors import GwtuiError
from gwtui.model.ids import ObjectKey
from gwtui.tui.keymap import bindings
from gwtui.tui.widgets.painted import LinesView
from gwtui.views.failure import failure
from gwtui.views.scene import Scene
from gwtui.views.spans import Line, Role, Span, line
from gwtui.views.yaml_lines import yaml_lines

if TYPE_CHECKING:
    from gwtui.tui.app import GwtuiApp


class ReadingScreen(ModalScreen[None]):
    """A titled panel of lines over the screen below."""

    BINDINGS = bindings("reading")
    CSS_PATH = "reading.tcss"
    AUTO_FOCUS = "#lines"
    SUBTITLE: ClassVar[str] = "esc closes · j k ctrl-d ctrl-u g G move"

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    @property
    def console_app(self) -> GwtuiApp:
        """The application, by its own type."""
        return cast("GwtuiApp", self.app)

    def compose(self) -> ComposeResult:
        """The frame with its title, and the lines."""
        with Vertical(id="panel") as panel:
            panel.border_title = self._title.replace("[", "\\[")
            panel.border_subtitle = self.SUBTITLE
            yield LinesView(id="lines")

    def action_scroll(self, direction: int) -> None:
        """Scroll by one line."""
        self._view.scroll_relative(y=direction, animate=False)

    def action_half(self, direction: int) -> None:
        """Scroll by half a page."""
        self._view.scroll_relative(y=direction * max(1, self._view.size.height // 2), animate=False)

    def action_edge(self, direction: int) -> None:
        """Scroll to the first or the last line."""
        if direction < 0:
            self._view.scroll_home(animate=False)
        else:
            self._view.scroll_end(animate=False)

    @property
    def _view(self) -> LinesView:
        return self.query_one("#lines", LinesView)


class LiveReadingScreen(ReadingScreen):
    """A panel that is made anew from every scene."""

    def __init__(self, title: str, lines_of: Callable[[Scene, int], Sequence[Line]]) -> None:
        """Open the panel.

        Args:
            title: Shown in the frame.
            lines_of: Makes the lines from a scene and a width in cells.
        """
        super().__init__(title)
        self._lines_of = lines_of

    def on_resize(self) -> None:
        """Columns share another width."""
        self.call_after_refresh(lambda: self.paint(self.console_app.scene))

    def paint(self, scene: Scene) -> None:
        """Show the scene. A panel that is being closed is mounted still, and has no lines any more."""
        if not self.query("#lines"):
            return
        self._view.show(self._lines_of(scene, max(20, self._view.size.width - 1)))


class DocumentScreen(ReadingScreen):
    """An object as YAML, fetched while the dialog is open already."""

    def __init__(self, key: ObjectKey, fetch: Callable[[ObjectKey], Awaitable[str]]) -> None:
        super().__init__(f" {key} · {key.cluster} ")
        self._key = key
        self._fetch = fetch

    def on_mount(self) -> None:
        """Say that it is being read, then read it."""
        self._view.show((line(Span(f"reading {self._key} …", Role.ACCENT)),))
        self.run_worker(self._load(), group="document", exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        if self._key.resource == "secrets":
            self._view.show((line(Span("Secrets are never shown here", Role.WARN)),))
            return
        try:
            document = await self._fetch(self._key)
        except GwtuiError as error:
            self._view.show(failure(error))
            return
        if not get_current_worker().is_cancelled:
            self._view.show(yaml_lines(document))
