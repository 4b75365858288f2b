"""What is wrong right now, the worst first, with its evidence below."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.types import CSSPathType

from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.triage.detail import actions, detail
from gwtui.triage.finding import Action, Finding, PlaceKind
from gwtui.triage.table import NOTHING, columns, row
from gwtui.tui.keymap import bindings
from gwtui.tui.screens.console import ConsoleScreen
from gwtui.tui.screens.reading import LiveReadingScreen
from gwtui.tui.widgets.live_table import LiveTable
from gwtui.tui.widgets.painted import LinesBar
from gwtui.views.matching import matches
from gwtui.views.route_facts import RuleKey
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, line
from gwtui.views.tables import Row

FRAME = 9
"""Lines of the screen that are neither the table's rows nor evidence."""

LEAST = 4
"""Lines of evidence that are shown however small the screen is."""


class TriageScreen(ConsoleScreen):
    """A live table of findings, and the selected one in full. A key goes to its place or opens what acts on it."""

    BINDINGS = bindings("triage")
    CSS_PATH: ClassVar[CSSPathType | None] = ["console.tcss", "triage.tcss"]
    MODE = "triage"

    def __init__(self) -> None:
        super().__init__()
        self._findings: dict[str, Finding] = {}

    def compose(self) -> ComposeResult:
        """The frame of a main screen, with the evidence between the table and the bottom."""
        for widget in super().compose():
            if widget.id == "foot":
                yield LinesBar(id="evidence")
            yield widget

    def body(self) -> LiveTable[str]:
        """The table."""
        return LiveTable[str](id="body", moved=self._moved)

    def derive(self, scene: Scene) -> Iterator[None]:
        """Find out what is wrong before it is shown: here it is what is looked at."""
        yield from self.console_app.triage.parts(scene)

    def show(self, scene: Scene) -> None:
        """Paint the findings and the evidence of the selected one."""
        found = self.console_app.triage.report(scene).findings if scene.has_gateways else ()
        self._findings = {each.id: each for each in found if matches(self.pattern, _haystack(each))}
        cells = (self.size.width or self.app.size.width) - 1  # the first cell of a row marks the selected one
        every = columns(list(self._findings.values()), clusters=len(scene.snapshot.clusters), cells=cells)
        by_id = self._findings

        def row_of(id_: str) -> Row:
            return row(by_id[id_], every, scene.now)

        self._table.show(every, list(by_id), row_of, sorted_by="severity")
        self._paint_evidence()

    def selection_line(self) -> Line:
        """The keys that act on the selected finding."""
        chosen = self._selected
        return actions(chosen) if chosen is not None else BLANK

    def scope_line(self) -> Line:
        """That nothing is wrong, where that is so."""
        if self._findings or self.pattern or not self.console_app.scene.has_gateways:
            return BLANK
        return line(Span(NOTHING, Role.OK))

    def nothing_matches(self) -> bool:
        """Whether the filter leaves no row."""
        return bool(self.pattern) and not self._findings

    def on_resize(self) -> None:
        """Another height is shared out anew."""
        super().on_resize()
        self.call_after_refresh(self._paint_evidence)

    def action_whole(self) -> None:
        """Show the selected finding whole, as long as it lasts."""
        chosen = self._selected
        if chosen is not None:
            self.app.push_screen(LiveReadingScreen(f" {chosen.rule} ", lambda _, cells: self._lines(chosen.id, cells)))

    def action_drain(self) -> None:
        """Open the way to drain what the selected finding is about."""
        finding = self._offering("d", "nothing of it can be drained from here")
        if finding is None:
            return
        from gwtui.changes.drains.wish import OneProxy, Shard  # noqa: PLC0415 - after the first frame

        place = finding.place
        if place.kind is PlaceKind.RULE:
            self.console_app.drains.wish_of_rule(RuleKey(place.object, place.rule or 0))
        elif place.kind is PlaceKind.PROXY:
            self.console_app.drains.wish([OneProxy(ProxyKey(place.cluster, place.namespace, place.name))])
        elif place.kind is PlaceKind.GATEWAY:
            self.console_app.drains.wish([Shard(GatewayKey(place.cluster, place.namespace, place.name))])

    def action_edit(self) -> None:
        """Edit the route of the selected finding."""
        finding = self._offering("e", "no route is to be edited for it")
        if finding is not None:
            from gwtui.tui.screens.route_editor import RouteEditorScreen  # noqa: PLC0415 - loaded when it is needed

            route = _action(finding, "e").target or finding.place.object
            self.app.push_screen(RouteEditorScreen(route, finding.place.rule or 0))

    def action_undo(self) -> None:
        """Plan to take back the change that came before."""
        finding = self._offering("z", "no change of ours came before it")
        if finding is None:
            return
        id_ = _action(finding, "z").change
        change = next((each for each in self.console_app.remembered() if each.id == id_), None)
        if change is None:
            self.console_app.say(f"our journal does not know it; on the command line: {_action(finding, 'z').command}")
        else:
            self.console_app.open_undo(change)

    def action_yaml(self) -> None:
        """Show the object at the place of the selected finding."""
        chosen = self._selected
        if chosen is not None and chosen.place.kind not in (PlaceKind.CHANGE, PlaceKind.CLUSTER):
            self.console_app.open_yaml(chosen.place.object)

    @on(LiveTable.Opened)
    def _opened(self) -> None:
        if self._selected is not None:
            self._go_to(self._selected)

    def _lines(self, id_: str, cells: int) -> tuple[Line, ...]:
        finding = self._findings.get(id_)
        if finding is None:
            return (line(Span("it is over", Role.OK)),)
        return (*detail(finding, self.console_app.scene.now, cells), BLANK, actions(finding))

    def _go_to(self, finding: Finding) -> None:
        from gwtui.tui import dialogs  # noqa: PLC0415 - loaded when a place is opened
        from gwtui.tui.screens.proxies import ProxiesScreen  # noqa: PLC0415
        from gwtui.tui.screens.proxy import ProxyScreen  # noqa: PLC0415
        from gwtui.tui.screens.rule import RuleScreen  # noqa: PLC0415

        place = finding.place
        match place.kind:
            case PlaceKind.GATEWAY:
                self.app.push_screen(ProxiesScreen(GatewayKey(place.cluster, place.namespace, place.name)))
            case PlaceKind.PROXY:
                self.app.push_screen(ProxyScreen(ProxyKey(place.cluster, place.namespace, place.name)))
            case PlaceKind.RULE:
                self.app.push_screen(RuleScreen(RuleKey(place.object, place.rule or 0)))
            case PlaceKind.OBJECT:
                self.console_app.open_yaml(place.object)
            case PlaceKind.CHANGE:
                self.app.push_screen(dialogs.change(place.name, self.console_app.remembered))
            case PlaceKind.CLUSTER:
                self.console_app.action_sources()

    def _offering(self, key: str, otherwise: str) -> Finding | None:
        """The selected finding, where it offers this key; otherwise it is said why not."""
        chosen = self._selected
        if chosen is not None and any(action.key == key for action in chosen.actions):
            return chosen
        if chosen is not None:
            self.console_app.say(otherwise)
        return None

    def _moved(self) -> None:
        self.paint_selection()
        self._paint_evidence()

    def _paint_evidence(self) -> None:
        pane = self.query_one("#evidence", LinesBar)
        chosen = self._selected
        pane.display = chosen is not None and not self.nothing_matches()
        if chosen is None:
            return
        cells, rows = self.size.width or self.app.size.width, self.size.height or self.app.size.height
        lines = detail(chosen, self.console_app.scene.now, cells - 2)
        room = max(LEAST, (rows - FRAME) // 2)
        more = line(Span("space", Role.KEY), Span(f" shows {len(lines) - room + 1} more lines", Role.DIM))
        shown = lines if len(lines) <= room else (*lines[: room - 1], more)
        pane.styles.height = len(shown) + 1  # and the line above it
        pane.show([(Span(" "), *each) for each in shown])

    @property
    def _selected(self) -> Finding | None:
        return self._findings.get(self._table.selected or "")

    @property
    def _table(self) -> LiveTable[str]:
        return self.query_one("#body", LiveTable)


def _action(finding: Finding, key: str) -> Action:
    return next(action for action in finding.actions if action.key == key)


def _haystack(finding: Finding) -> str:
    return f"{finding.rule} {finding.severity} {finding.place.cluster} {finding.sentence}"
