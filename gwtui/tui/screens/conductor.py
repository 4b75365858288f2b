"""The window of a change in stages that is under way, and the keys that steer it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from gwtui.changes.journal import Change
from gwtui.changes.plan import StageKind
from gwtui.model.ids import GatewayKey
from gwtui.model.traffic import Rate
from gwtui.tui.drains import Running
from gwtui.tui.keymap import bindings
from gwtui.tui.widgets.painted import LinesBar, LinesView
from gwtui.views.conducting import EXTENSION_S, conducting, keys
from gwtui.views.drains import is_open_drain
from gwtui.views.failure import failure
from gwtui.views.key_lines import key_lines
from gwtui.views.scene import Scene
from gwtui.views.spans import Line, Role, Span, crop, line
from gwtui.views.stage_words import State, current

if TYPE_CHECKING:
    from gwtui.tui.app import GwtuiApp

AGAIN_WITHIN_S = 3.0
"""Seconds in which a key that asks once more is answered by pressing it again."""

TICK_S = 0.5
"""How often the times that run are painted."""


class ConductorScreen(ModalScreen[None]):
    """Follows a change in stages. Closing it stops nothing."""

    BINDINGS = bindings("conductor")
    CSS_PATH = "conductor.tcss"
    AUTO_FOCUS = "#lines"

    def __init__(self, running: Running) -> None:
        super().__init__()
        self._run_of = running
        self._asked: tuple[str, float] = ("", float("-inf"))
        self._said = ""
        # From now on it is told here how it goes, even where it ends before this window is there.
        running.watch = self._follow

    def compose(self) -> ComposeResult:
        """The frame, what is told, what was just said, and the keys."""
        plan = self._run_of.plan
        with Vertical(id="panel") as panel:
            panel.border_title = f" {plan.title} · {plan.cluster} ".replace("[", "\\[")
            yield LinesView(id="lines")
            yield LinesBar(id="said")
            yield LinesBar(id="keys")

    def on_mount(self) -> None:
        """Follow it."""
        self.set_interval(TICK_S, self._follow, name="conductor")
        self.call_after_refresh(self._follow)

    def on_unmount(self) -> None:
        """Follow it no more."""
        if self._run_of.watch == self._follow:
            self._run_of.watch = None

    def on_resize(self) -> None:
        """Another width has other lines."""
        self.call_after_refresh(self._follow)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What cannot be done now has no key."""
        del parameters
        change = self._run_of.change
        if action in ("hold", "next", "faster", "abort"):
            return not self._run_of.is_over and not self._run_of.is_aborted
        if action == "wait":
            return self._is_overdue and not self._run_of.is_aborted
        if action == "undrain":
            return self._run_of.is_over and change is not None and is_open_drain(change)
        return True

    def action_hold(self) -> None:
        """Begin nothing more, or go on."""
        steering = self._run_of.steering
        if steering.is_held:
            steering.go_on()
            self._say("it goes on")
        else:
            steering.hold()
            self._say("held: nothing more is begun until space goes on")

    def action_next(self) -> None:
        """Leave the present step; where something is still under way only after it was asked once more."""
        if (
            self._leaves_something
            and not self._is_overdue
            and not self._is_again("n", "go on without what is under way")
        ):
            return
        self._run_of.steering.next_stage()
        self._say("going on to the next step")

    def action_faster(self) -> None:
        """Watch no step longer than needed."""
        self._run_of.steering.faster()
        self._say("no step is watched any longer than it takes to see it in force")

    def action_abort(self) -> None:
        """Take everything back, once it was asked once more."""
        if self._is_again("a", "take everything back and end"):
            self._run_of.is_aborted = True
            self._run_of.steering.abort()
            self._say("")

    def action_wait(self) -> None:
        """Wait longer for what is under way."""
        self._run_of.steering.extend(EXTENSION_S)
        self._say(f"waiting {EXTENSION_S:.0f} s longer")

    def action_undrain(self) -> None:
        """Plan to fill again what was emptied."""
        change = self._run_of.change
        if change is not None:
            console = self.console_app
            self.dismiss()
            console.call_later(console.open_undo, change)

    def action_scroll(self, direction: int) -> None:
        """Scroll what is told."""
        self._view.scroll_relative(y=3 * direction, animate=False)

    def action_leave(self) -> None:
        """Close; it goes on."""
        self.dismiss()

    @property
    def console_app(self) -> GwtuiApp:
        """The application, by its own type."""
        return cast("GwtuiApp", self.app)

    def paint(self, scene: Scene) -> None:
        """Show the scene."""
        if not (self.is_mounted and self.query("#keys")):
            return
        running, cells = self._run_of, max(40, self._view.size.width - 1)
        change = running.change
        lines: list[Line] = []
        if change is not None:
            found = conducting(
                change,
                running.counted,
                cells,
                self.console_app.now(),
                trail={end: tuple(readings) for end, readings in running.trail.items()},
                errors=_errors(scene, change),
                steered=self._steered,
            )
            lines += found
        elif running.error is None:
            lines.append(line(Span("approved; the first entry of the journal is being written …", Role.ACCENT)))
        if running.error is not None:
            lines += failure(running.error)
        self._view.show(tuple(lines))
        self._paint_foot(change, cells)

    def _paint_foot(self, change: Change | None, cells: int) -> None:
        named = keys(
            change,
            is_over=self._run_of.is_over,
            is_held=self._run_of.steering.is_held,
            is_overdue=self._is_overdue,
            is_aborted=self._run_of.is_aborted,
        )
        lines = key_lines(named, cells)
        bar = self.query_one("#keys", LinesBar)
        bar.styles.height = len(lines)
        bar.show(lines)
        said = self._said if not self._run_of.is_over else ""
        self.query_one("#said", LinesBar).show((crop(line(Span(said, Role.WARN)), cells),))

    @property
    def _steered(self) -> str:
        if self._run_of.is_aborted:
            return "ABORTED, taking back"
        return "HELD" if self._run_of.steering.is_held else ""

    @property
    def _is_overdue(self) -> bool:
        counted = self._run_of.counted
        return counted is not None and counted.is_overdue and not self._run_of.is_over

    @property
    def _leaves_something(self) -> bool:
        """Whether the present step waits for what is under way, and not everybody says that nothing is."""
        change, counted = self._run_of.change, self._run_of.counted
        at = current(change) if change is not None else None
        if at is None or at.state is not State.UNDER_WAY or at.stage.kind is not StageKind.EMPTY:
            return False
        return counted is None or any(each.in_flight != 0 for each in counted.ends)

    def _is_again(self, key: str, what: str) -> bool:
        """Whether a key was pressed twice in time; asks for the second time otherwise."""
        asked, at = self._asked
        now = time.monotonic()
        if asked == key and now - at <= AGAIN_WITHIN_S:
            self._asked = ("", float("-inf"))
            return True
        self._asked = (key, now)
        self._say(f"press {key} again within {AGAIN_WITHIN_S:.0f} s to {what}")
        self.set_timer(AGAIN_WITHIN_S, lambda: self._forget(now))
        return False

    def _forget(self, at: float) -> None:
        if self._asked[1] == at:
            self._asked = ("", float("-inf"))
            self._say("")

    def _say(self, words: str) -> None:
        self._said = words
        self._follow()

    def _follow(self) -> None:
        if self.is_mounted and self.is_attached:
            self.paint(self.console_app.scene)
            self.refresh_bindings()

    @property
    def _view(self) -> LinesView:
        return self.query_one("#lines", LinesView)


def _errors(scene: Scene, change: Change) -> list[tuple[str, Rate]]:
    """How the gateways of a plan answer now: those that send, then those that take over."""
    blast, drain = change.plan.blast, change.plan.drain
    sending = [end.gateway for end in drain.ends] if drain is not None else []
    keys_: dict[GatewayKey, None] = dict.fromkeys([*sending, *blast.gateways, *(load.gateway for load in blast.loads)])
    figures = ((key, scene.fleet.gateways.get(key)) for key in keys_)
    return [(str(key), entry.traffic.error_ratio) for key, entry in figures if entry is not None]
