"""The application: modes, keys that work everywhere, and the clockwork that repaints.

Imports at the top are what the first frame needs; everything else is loaded when it is opened.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.driver import Driver
from textual.screen import Screen
from textual.widgets import Input

from gwtui.collector import RestingCollector
from gwtui.errors import GwtuiError
from gwtui.tui import theming
from gwtui.tui.attention import Attention
from gwtui.tui.bridge import TICK_S, Bridge
from gwtui.tui.drains import Drains
from gwtui.tui.feed import ConsoleChanges, Feed
from gwtui.tui.keymap import bindings
from gwtui.tui.modes import MODES
from gwtui.tui.screens.first import FirstScreen
from gwtui.tui.triage import Triage
from gwtui.views.open_changes import open_changes
from gwtui.views.spans import Line, Role, Span, line

if TYPE_CHECKING:
    from datetime import datetime

    from gwtui.changes.journal import Change
    from gwtui.changes.plan import Plan
    from gwtui.model.ids import ObjectKey
    from gwtui.views.scene import Scene

AGAIN_WITHIN_S = 2.0
"""Seconds in which a question to quit is answered by pressing the same key again."""

SWITCH_S = 0.0005
"""Longest that the threads which read keys and write frames wait for the event loop to let go of the interpreter."""


class GwtuiApp(App[None]):
    """The console over a feed of snapshots."""

    TITLE = "gwtui"
    BINDINGS = bindings("app")
    ENABLE_COMMAND_PALETTE = True
    MODES: ClassVar = MODES

    def __init__(
        self,
        feed: Feed,
        *,
        title_clusters: tuple[str, ...],
        theme: str = "dark",
        read_only: bool = True,
        keys: Mapping[str, str] | None = None,
        themes_dir: Path | None = None,
    ) -> None:
        """Prepare the console.

        Args:
            feed: Where snapshots come from; may be empty at first.
            title_clusters: Kubeconfig contexts the console was opened on, in order.
            theme: Name of a theme file.
            read_only: Whether writes are switched off.
            keys: The operator's own keys: binding id to comma-separated keys.
            themes_dir: Where the theme files are; None finds them.
        """
        self._states = dict(theming.DOMAIN)
        super().__init__()
        self._feed = feed
        self.attention = Attention(feed)
        self.drains = Drains(self)
        self.triage = Triage(self)
        self._clusters = title_clusters
        self._read_only = read_only
        self._themes_dir = themes_dir or theming.themes_dir()
        self._notice_at_start = self._use_theme(theme)
        self._asked: tuple[str, float] = ("", float("-inf"))
        self._scene: Scene | None = None
        self._bridge = Bridge(feed, self._repaint)
        self._collector = RestingCollector()
        self._switch_s = sys.getswitchinterval()
        if keys:
            self.set_keymap(dict(keys))

    @property
    def scene(self) -> Scene:
        """What is shown: the latest snapshot painted, or the one held while paused."""
        if self._scene is None:
            self._scene = self._look()
        return self._scene

    def get_driver_class(self) -> type[Driver]:
        """The terminal driver; on POSIX the one that keeps the promise about ctrl-c."""
        chosen = super().get_driver_class()
        if chosen.__name__ != "LinuxDriver":
            return chosen
        from gwtui.tui.last_exit import LastExitDriver  # noqa: PLC0415 - imports what exists on POSIX alone

        return LastExitDriver

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of our states for themes that do not know them."""
        return self._states

    def get_default_screen(self) -> Screen[None]:
        """What is there before anything is loaded."""
        return FirstScreen(self._clusters)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette lists the commands of command mode."""
        from gwtui.tui.commands import COMMANDS  # noqa: PLC0415 - not needed before the palette is opened

        for command in COMMANDS:
            if command.names[0] != "theme":
                yield SystemCommand(command.names[0], command.help, lambda run=command.run: run(self, ""))
        for name in theming.theme_names(self._themes_dir):
            yield SystemCommand(f"theme {name}", "Change the colours", lambda name=name: self.choose_theme(name))

    def on_mount(self) -> None:
        """Start the clockwork."""
        self.call_after_refresh(self._open)

    def on_unmount(self) -> None:
        """Stop listening."""
        self._bridge.close()
        self._collector.end()
        sys.setswitchinterval(self._switch_s)

    async def on_event(self, event: events.Event) -> None:
        """Let nothing come before the answer to a key."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._bridge.key_pressed()
            self._collector.typed()
        await super().on_event(event)

    @property
    def defect(self) -> Exception | None:
        """The error of ours that ended the console, or None."""
        return self._exception

    def _fatal_error(self) -> None:
        """End without the toolkit's traceback, which shows the values of locals; whoever runs us reports `defect`."""
        self._close_messages_no_wait()

    @property
    def is_answering(self) -> bool:
        """Whether a key was pressed just now, so that what changes is most likely its answer."""
        return self._bridge.is_answering

    def now(self) -> datetime:
        """The moment ages are counted from."""
        return self._feed.now()

    def badges(self) -> list[Span]:
        """What the header must say about the console itself."""
        paused = [Span(" PAUSED ", Role.ALARM)] if self._bridge.is_paused else []
        return [
            *paused,
            *open_changes(self.remembered(), self.now()),
            *([Span("READ-ONLY", Role.DIM)] if self._read_only else []),
        ]

    def state_line(self) -> Line:
        """Whether the screen follows the fleet."""
        if self._bridge.is_paused:
            return line(Span("PAUSED", Role.ALARM), Span(" p goes on", Role.DIM))
        return line(Span("live", Role.OK)) if self.scene.has_gateways else line(Span("waiting", Role.ACCENT))

    def say(self, message: str) -> None:
        """A short message that goes away by itself."""
        self.notify(message, timeout=3, markup=False)

    def ask_to_quit(self, key: str) -> None:
        """Quit when the same key asked less than two seconds ago; otherwise ask for it again."""
        asked, asked_mono = self._asked
        now = time.monotonic()
        if asked == key and now - asked_mono <= AGAIN_WITHIN_S:
            self.exit()
            return
        self._asked = (key, now)
        left = [f"; `gwtui resume {each.id}` then takes up what is under way" for each in self.drains.under_way()]
        self.say(f"press {key} again to quit{''.join(left[:1])}")

    def action_interrupt(self) -> None:
        """Copy what is selected; otherwise ask to quit, and the second time do it."""
        focused = self.focused
        selected = focused.selected_text if isinstance(focused, Input) else self.screen.get_selected_text()
        if selected and self._asked[0] != "ctrl-c":
            self.copy_to_clipboard(selected)
        self.ask_to_quit("ctrl-c")

    def action_show_mode(self, mode: str) -> None:
        """Show a main screen, without what was opened on top of it."""
        self.switch_mode(mode)
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def action_sources(self) -> None:
        """Show how we know."""
        from gwtui.tui import dialogs  # noqa: PLC0415 - after the first frame

        self.push_screen(dialogs.sources())

    def action_why(self) -> None:
        """Show what proves the pattern."""
        from gwtui.tui import dialogs  # noqa: PLC0415 - after the first frame

        self.push_screen(dialogs.pattern())

    def action_help(self) -> None:
        """List the keys of this screen."""
        from gwtui.tui.screens.help import HelpScreen  # noqa: PLC0415 - after the first frame

        self.push_screen(HelpScreen(self.screen.active_bindings))

    def action_pause(self) -> None:
        """Hold the screen still, or let it follow again."""
        self._bridge.is_paused = not self._bridge.is_paused
        parts = self._paint_screens(self.scene) if self._bridge.is_paused else self._repaint()
        for _ in parts:
            pass  # the answer to a key is painted as a whole

    async def action_quit(self) -> None:
        """Quit at once; while a drain is under way only when asked twice."""
        if self.drains.under_way():
            self.ask_to_quit("Q")
        else:
            self.exit()

    def run_command(self, typed: str) -> None:
        """Carry out a line of command mode, or say why not."""
        from gwtui.tui.commands import run  # noqa: PLC0415 - not needed before the first command

        problem = run(self, typed)
        if problem:
            self.notify(problem, severity="warning", markup=False)

    def choose_theme(self, name: str) -> None:
        """Change the colours, or say which themes there are."""
        problem = self._use_theme(name, keep=True)
        if problem:
            self.notify(problem, severity="warning", markup=False)

    def open_yaml(self, key: ObjectKey) -> None:
        """Show an object as YAML."""
        from gwtui.tui.screens.reading import DocumentScreen  # noqa: PLC0415 - after the first frame

        self.push_screen(DocumentScreen(key, self._feed.fetch_yaml))

    @property
    def changes(self) -> ConsoleChanges:
        """What can be changed, and what was."""
        return self._feed.changes

    def remembered(self) -> tuple[Change, ...]:
        """Every change that is remembered, oldest first; none while nothing is connected."""
        try:
            return self._feed.changes.all()
        except GwtuiError:
            return ()

    def open_plan(
        self, title: str, make: Callable[[], Awaitable[Plan]], written: Callable[[], None] = lambda: None
    ) -> None:
        """Open the door to a write: the plan is made while the window is open already; `written` is told of success."""
        from gwtui.tui.screens.plan import PlanScreen  # noqa: PLC0415 - after the first frame

        self.push_screen(PlanScreen(make, self._feed.changes.run, title=title, written=written))

    def open_undo(self, change: Change) -> None:
        """Plan to take a change back."""
        self.open_plan(f" Take back {change.id} ", lambda: self._feed.changes.undo(change))

    def open_resume(self, change: Change) -> None:
        """Ask whether to take up a change that was cut off; its plan was approved before."""
        from gwtui.tui.screens.plan import PlanScreen  # noqa: PLC0415 - after the first frame

        async def plan() -> Plan:
            return change.plan

        run = self._feed.changes.resume
        title = f" Take up {change.id} "
        self.push_screen(PlanScreen(plan, lambda _, steering: run(change, steering), title=title))

    def _open(self) -> None:
        """The first frame is on the screen: load the rest and start the clockwork."""
        self._feed.painted()
        if self.current_mode == self.DEFAULT_MODE:
            self.switch_mode("map")
        self.set_interval(TICK_S, self._bridge.tick, name="bridge")
        self._collector.begin()
        sys.setswitchinterval(SWITCH_S)
        self.set_interval(1.0, self._collector.tick, name="collector")
        if self._notice_at_start:
            self.notify(self._notice_at_start, severity="warning", markup=False)

    def _look(self) -> Scene:
        """The present snapshot as a scene."""
        from gwtui.views.scene import Scene  # noqa: PLC0415 - after the first frame

        snapshot, now = self._feed.snapshot, self._feed.now()
        clusters = self._clusters or tuple(snapshot.clusters)
        before = self._scene
        return before.later(snapshot, clusters, now) if before else Scene(snapshot, clusters, now)

    def _repaint(self) -> Iterator[None]:
        """Take the present snapshot and paint it in small parts; until that is done the scene is the one before."""
        scene = self._look()
        yield from scene.parts()
        if not self.triage.is_known:
            # The first time before it is shown: else it would be found out while painting, all at once.
            yield from self.triage.parts(scene)
        self._scene = scene
        yield from self._paint_screens(scene)
        yield from self.triage.parts(scene)
        for screen in tuple(self.screen_stack):
            if self.is_running and screen.is_mounted and (paint := getattr(screen, "paint_report", None)) is not None:
                paint(scene)
                yield

    def _paint_screens(self, scene: Scene) -> Iterator[None]:
        for screen in tuple(self.screen_stack):
            parts = _painted(screen, scene)
            # One that is left has lost its widgets, even while it is on the stack.
            while self.is_running and screen.is_mounted and next(parts, self) is not self:
                yield

    def _use_theme(self, name: str, *, keep: bool = False) -> str:
        """Switch to a theme; returns why that was not possible, after falling back unless the present one is kept."""
        chosen, problem = theming.choose(name, self._themes_dir, keep=keep)
        if chosen is not None:
            self.register_theme(chosen)
            self.theme = chosen.name
        return problem


def _painted(screen: Screen[object], scene: Scene) -> Iterator[None]:
    """Paint a scene on any screen that shows scenes; a main screen in several parts."""
    if (paint_parts := getattr(screen, "paint_parts", None)) is not None:
        yield from paint_parts(scene)
    elif (paint := getattr(screen, "paint", None)) is not None:
        paint(scene)
