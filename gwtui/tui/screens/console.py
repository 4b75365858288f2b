"""The frame every main screen shares: header, notices, body, what matters most, keys, and the prompt."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.message_pump import _MessagePumpMeta
from textual.screen import Screen
from textual.types import CSSPathType
from textual.widget import Widget

from gwtui.tui.keymap import bindings, display
from gwtui.tui.modes import TABS
from gwtui.tui.widgets.painted import LinesBar, LinesView
from gwtui.tui.widgets.prompt import Prompt
from gwtui.views.cost import cost_line
from gwtui.views.header import Tab, header, tabs
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, crop, joined, line, spread, width

if TYPE_CHECKING:
    from gwtui.tui.app import GwtuiApp

EVERYWHERE = (("/", "filter"), ("?", "keys"), (":", "go"))
"""Keys the second header line names."""

NOTICES_SHOWN = 3

PARTS = 5
"""Widgets a screen is composed of."""


class _AbstractScreen(ABCMeta, _MessagePumpMeta):
    """Lets a screen say what it leaves to others: Textual's classes have a metaclass of their own."""


class ConsoleScreen(Screen[None], metaclass=_AbstractScreen):
    """A main screen. Subclasses compose one body widget and paint a scene into it."""

    BINDINGS = bindings("console")
    CSS_PATH: ClassVar[CSSPathType | None] = "console.tcss"
    AUTO_FOCUS = "#body"
    MODE: ClassVar[str] = ""
    """Name of the mode whose tab is marked."""

    def __init__(self) -> None:
        super().__init__()
        self.pattern = ""
        """The filter in force."""
        self._is_composed = False

    @property
    def console_app(self) -> GwtuiApp:
        """The application, by its own type."""
        return cast("GwtuiApp", self.app)

    def compose(self) -> ComposeResult:
        """Header, notices, body, and the lines at the bottom."""
        yield LinesBar(id="header")
        yield LinesBar(id="notices")
        yield self.body()
        yield LinesView(id="nothing")
        yield LinesBar(id="foot")

    def on_mount(self) -> None:
        """Paint at once: the frame does not wait for data."""
        self._is_composed = True
        self.repaint()

    def on_screen_resume(self) -> None:
        """Show the present when the operator comes back."""
        self.repaint()

    def on_resize(self) -> None:
        """Another width has another wording."""
        self.repaint()

    def on_idle(self) -> None:
        """Show the answer to a key now: the toolkit's next frame may be 30 ms away when one was painted just before."""
        if self.is_current and self.console_app.is_answering:
            self._on_timer_update()

    @on(Prompt.Edited)
    def _prompt_edited(self, event: Prompt.Edited) -> None:
        if event.kind == "filter" and type(event) is Prompt.Edited:
            self.pattern = event.text
            self.repaint()

    @on(Prompt.Entered)
    def _prompt_entered(self, event: Prompt.Entered) -> None:
        self._close_prompt()
        if event.kind == "command":
            self.console_app.run_command(event.text)

    @on(Prompt.Left)
    def _prompt_left(self, event: Prompt.Left) -> None:
        if event.kind == "filter":
            self.pattern = ""
        self._close_prompt()
        self.repaint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the prompt is open, its keys are text."""
        return not (action in ("filter", "command") and self.query(Prompt))

    async def action_filter(self) -> None:
        """Open the filter."""
        await self._open_prompt(Prompt("filter", self.pattern))

    async def action_command(self) -> None:
        """Open command mode."""
        from gwtui.tui.commands import words  # noqa: PLC0415 - not needed before the first command

        await self._open_prompt(Prompt("command", words=words()))

    def action_back(self) -> None:
        """One step back; never quits."""
        if self.lift_limit():
            self.repaint()
        elif self.is_root:
            self.console_app.say("this is the first screen; q leaves")
        else:
            self.console_app.pop_screen()

    def action_leave(self) -> None:
        """One step back; on a first screen the second press within two seconds quits."""
        if self.lift_limit():
            self.repaint()
        elif not self.is_root:
            self.action_back()
        else:
            self.console_app.ask_to_quit("q")

    def lift_limit(self) -> bool:
        """Take back what limits this screen to a part; whether there was anything."""
        was_filtered = bool(self.pattern)
        self.pattern = ""
        return was_filtered

    @property
    def is_root(self) -> bool:
        """Whether there is nothing to go back to."""
        return len(self.app.screen_stack) <= 1

    @abstractmethod
    def body(self) -> Widget:
        """The widget that shows the scene, with the id `body`."""

    def derive(self, scene: Scene) -> Iterator[None]:
        """Work out what `show` will paint, part by part, where that takes long."""
        yield from ()

    @abstractmethod
    def show(self, scene: Scene) -> None:
        """Paint the scene into the body."""

    def selection_line(self) -> Line:
        """The story of what is selected; empty when there is nothing to tell."""
        return BLANK

    def nothing_matches(self) -> bool:
        """Whether the filter leaves nothing to show."""
        return False

    def scope_line(self) -> Line:
        """What this screen is limited to; empty when it shows everything."""
        return BLANK

    def repaint(self) -> None:
        """Paint the current scene again, for a change of the view itself."""
        self.paint(self.console_app.scene)

    def paint(self, scene: Scene) -> None:
        """Paint everything."""
        for _ in self.paint_parts(scene):
            pass

    def paint_parts(self, scene: Scene) -> Iterator[None]:
        """Paint everything, part by part.

        A screen that is being made paints when it is ready, one that is being closed never.
        """
        if not self._is_whole():
            return
        self._paint_top(scene)
        yield
        for _ in self.derive(scene):
            yield
            if not self._is_whole():
                return
        for paint in (self.show, self._paint_notices, self.paint_foot):
            if not self._is_whole():
                return
            paint(scene)
            yield

    def _is_whole(self) -> bool:
        return self._is_composed and len(self.children) >= PARTS

    def _paint_top(self, scene: Scene) -> None:
        cells = self.size.width or self.app.size.width
        badges = self.console_app.badges()
        top = header(scene.snapshot, scene.fleet, scene.clusters, scene.now, cells=cells, badges=badges)
        found = {"triage": self.console_app.triage.counters(scene)}
        entries = [Tab(key=key, name=name + found.get(mode, ""), active=mode == self.MODE) for key, name, mode in TABS]
        ways = tabs(entries, EVERYWHERE, cells=cells, badges=badges, cost=cost_line(scene.cost))
        self.query_one("#header", LinesBar).show((top, ways))

    def paint_report(self, scene: Scene) -> None:
        """Paint what the newest report changes: its counters in the header, its first finding at the bottom."""
        if self._is_whole():
            self._paint_top(scene)
            self.paint_foot(scene)

    def paint_foot(self, scene: Scene) -> None:
        """Paint the lines at the bottom: selection, the most important fact, keys."""
        cells = self.size.width or self.app.size.width
        lines = [self._selection(cells), crop(self.console_app.triage.line(scene), cells), self._keys(cells)]
        self.query_one("#foot", LinesBar).show(lines)

    def paint_selection(self) -> None:
        """Paint the story of what is selected now; the rest of the bottom stays."""
        self.query_one("#foot", LinesBar).show_line(0, self._selection(self.size.width or self.app.size.width))

    def _selection(self, cells: int) -> Line:
        return crop((Span(" "), *self.selection_line()), cells)

    def _paint_notices(self, scene: Scene) -> None:
        cells = self.size.width or self.app.size.width
        waiting = not scene.has_gateways
        nothing = self.query_one("#nothing", LinesView)
        filtered = not waiting and self.nothing_matches()
        banners = [] if waiting else [crop(notice.banner(), cells) for notice in scene.notices[:NOTICES_SHOWN]]
        limits = [part for part in (self.scope_line(), self._filter_line()) if part]
        banners = [*banners, *([joined([line(" "), *limits], " ")] if limits else [])]
        bar = self.query_one("#notices", LinesBar)
        bar.show(banners)
        bar.styles.height = len(banners)
        bar.display = bool(banners)
        nothing.display = waiting or filtered
        body = self.query_one("#body")
        body.display = not nothing.display
        if nothing.display:
            if self.focused is body:
                self.set_focus(nothing)
            nothing.show(_indented(self._waiting(scene) if waiting else _no_match(self.pattern)))
        elif not self.query(Prompt) and self.focused is not body:
            self.set_focus(body)

    def _waiting(self, scene: Scene) -> Sequence[Line]:
        lines: list[Line] = []
        for notice in scene.notices:
            lines += [*notice.lines(), BLANK]
        return (*lines, line(Span("s", Role.KEY), Span(" shows every source and what it answered", Role.DIM)))

    def _filter_line(self) -> Line:
        if not self.pattern:
            return BLANK
        return line(Span("filter ", Role.DIM), Span(self.pattern, Role.STRONG), Span("  esc clears", Role.DIM))

    def _keys(self, cells: int) -> Line:
        hints: dict[str, Line] = {}
        for key, active in self.active_bindings.items():
            binding = active.binding
            if binding.show and active.enabled and binding.id and binding.description not in hints:
                hints[binding.description] = line(
                    Span(display(key), Role.KEY), Span(f" {binding.description}", Role.DIM)
                )
        state = self.console_app.state_line()
        shown, room = list(hints.values()), cells - width(state) - 3
        while len(shown) > 1 and width(joined(shown, "   ")) > room:
            shown.pop()  # whole keys only; the help screen lists them all
        return spread((Span(" "), *joined(shown, "   ")), (*state, Span(" ")), cells)

    async def _open_prompt(self, prompt: Prompt) -> None:
        if not self.query(Prompt):
            await self.mount(prompt, before="#foot")
            # At once, not after the next round of messages: what is typed after the key belongs to the prompt.
            self.set_focus(prompt)

    def _close_prompt(self) -> None:
        self.query(Prompt).remove()
        body = self.query_one("#body")
        (body if body.display else self.query_one("#nothing")).focus()


def _indented(lines: Sequence[Line]) -> tuple[Line, ...]:
    return (BLANK, *((Span("   "), *each) if each else BLANK for each in lines))


def _no_match(pattern: str) -> Sequence[Line]:
    return (
        line(Span(f"nothing matches {pattern}", Role.STRONG)),
        line(Span("esc", Role.KEY), Span(" clears the filter", Role.DIM)),
    )
