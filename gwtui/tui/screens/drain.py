"""What is drained, who takes over, and how: the window before the plan of a drain. Nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from gwtui.changes.drains.wish import DrainWish, Target, cluster_of
from gwtui.tui.keymap import bindings
from gwtui.tui.widgets.painted import LinesBar, LinesView
from gwtui.views.drain_takers import Taker, takers
from gwtui.views.drain_wizard import keys, with_next, wizard
from gwtui.views.key_lines import key_lines
from gwtui.views.scene import Scene

if TYPE_CHECKING:
    from gwtui.tui.app import GwtuiApp


class DrainScreen(ModalScreen[None]):
    """The wizard of a drain."""

    BINDINGS = bindings("drain")
    CSS_PATH = "drain.tcss"
    AUTO_FOCUS = "#lines"

    def __init__(self, targets: Sequence[Target], to: str = "") -> None:
        """Open the window.

        Args:
            targets: what can be drained from where it was asked for; the first one is chosen.
            to: who is to take over; empty chooses the first who can.
        """
        super().__init__()
        self._targets = tuple(targets)
        self._wish = DrainWish(target=self._targets[0], to=to)
        self._is_chosen = bool(to)
        self._takers: tuple[Taker, ...] = ()

    def compose(self) -> ComposeResult:
        """The frame, the choices, and the keys."""
        with Vertical(id="panel") as panel:
            panel.border_title = f" Drain · {cluster_of(self._wish.target)} ".replace("[", "\\[")
            yield LinesView(id="lines")
            yield LinesBar(id="keys")

    def on_mount(self) -> None:
        """Show the choices."""
        self.call_after_refresh(self._repaint)

    def on_resize(self) -> None:
        """Another width has other lines."""
        self.call_after_refresh(self._repaint)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where there is one target, there is nothing to choose from."""
        del parameters
        return action != "target" or len(self._targets) > 1

    def action_choose(self, step: int) -> None:
        """Choose who takes over."""
        if not self._takers:
            return
        names = [each.to for each in self._takers]
        at = names.index(self._wish.to) + step if self._wish.to in names else 0
        self._wish = replace(self._wish, to=names[max(0, min(at, len(names) - 1))])
        self._is_chosen = True
        self._repaint()

    def action_target(self, step: int) -> None:
        """Choose what is drained."""
        at = (self._targets.index(self._wish.target) + step) % len(self._targets)
        self._wish = replace(self._wish, target=self._targets[at], to="")
        self._is_chosen = False
        self._repaint()

    def action_option(self, name: str) -> None:
        """Take the next choice of an option."""
        self._wish = with_next(self._wish, name)
        self._repaint()

    def action_plan(self) -> None:
        """Make the plan, and leave the rest to its review."""
        console, wish = self.console_app, self._wish
        self.dismiss()
        console.call_later(console.open_plan, f" Drain {wish.target} ", lambda: console.changes.drain(wish))

    @property
    def console_app(self) -> GwtuiApp:
        """The application, by its own type."""
        return cast("GwtuiApp", self.app)

    def paint(self, scene: Scene) -> None:
        """Show the scene. Who was chosen stays chosen; who is proposed may change until then."""
        if not (self.is_mounted and self.is_attached and self.query("#keys")):
            return
        drained = self.console_app.drains.places()
        self._takers = found = takers(scene, self._wish.target, drained)
        if not self._is_chosen and found:
            self._wish = replace(self._wish, to=found[0].to)
            self._is_chosen = True
        cells = max(40, self._view.size.width - 1)
        lines = wizard(scene, self._wish, found, self._targets, cells)
        self._view.styles.height = len(lines)
        self._view.show(lines)
        named = key_lines(keys(self._targets, found), cells)
        bar = self.query_one("#keys", LinesBar)
        bar.styles.height = len(named)
        bar.show(named)

    def _repaint(self) -> None:
        self.paint(self.console_app.scene)

    @property
    def _view(self) -> LinesView:
        return self.query_one("#lines", LinesView)
