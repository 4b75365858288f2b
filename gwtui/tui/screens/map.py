"""The shape of the fleet, and where it hurts."""

from __future__ import annotations

from textual import on

from gwtui.model.ids import ExternalKey
from gwtui.tui.screens.console import ConsoleScreen
from gwtui.tui.widgets.fleet_view import FleetView
from gwtui.views.fleet import Fleet
from gwtui.views.fleet_map import SERVICES_SHOWN, fleet_map
from gwtui.views.map_layout import SPACIOUS
from gwtui.views.map_parts import GATEWAY, OUTSIDE, WORKLOAD, FleetMap, NodeId
from gwtui.views.map_reach import filtered, touching
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, line

SERVICES_SHOWN_WIDE = 8
"""Services a namespace card lists where there is much room."""


class MapScreen(ConsoleScreen):
    """Front door, tiers and workloads, with the traffic between them."""

    MODE = "map"

    def __init__(self) -> None:
        super().__init__()
        self._centre: tuple[NodeId, ...] = ()
        self._centre_name = ""
        self._whole: FleetMap | None = None
        self._shown: FleetMap | None = None
        self._from: tuple[Fleet, object] | None = None

    def body(self) -> FleetView:
        """The map."""
        return FleetView(id="body")

    def show(self, scene: Scene) -> None:
        """Paint the map of the scene. While neither the figures nor the question changed, nothing is done."""
        services = SERVICES_SHOWN_WIDE if self.size.width >= SPACIOUS else SERVICES_SHOWN
        drains = self.console_app.drains.places()
        # A drain says for how long: where one is shown, the words are of the moment.
        drained = (tuple(drains.items()), scene.now) if drains else ()
        asked = (scene.clusters, self.pattern, self._centre, services, drained)
        if self._shown is None or self._from is None or self._from[0] is not scene.fleet or self._from[1] != asked:
            self._whole = whole = fleet_map(scene, services=services, drains=drains)
            if self._centre and not any(node in whole.by_id for node in self._centre):
                self.console_app.say(f"{self._centre_name} is gone: everything is shown again")
                self._centre = ()
                asked = (scene.clusters, self.pattern, (), services, drained)
            self._shown = filtered(touching(whole, self._centre) if self._centre else whole, self.pattern)
            self._from = (scene.fleet, asked)
        self._view.show(self._shown, (self.pattern, self._centre))
        if self.is_current:
            gateways = (node.gateway for node in self._view.in_window if node.kind == GATEWAY)
            figures = (scene.fleet.gateways.get(key) for key in gateways if key is not None)
            self.console_app.attention.turn([key for entry in figures if entry for key in entry.node.proxies])

    def selection_line(self) -> Line:
        """The story of the selected card."""
        card = self._view.selected
        return card.words if card else BLANK

    def scope_line(self) -> Line:
        """What the focus is on."""
        if not self._centre or self._whole is None or self._shown is None:
            return BLANK
        part = f" · {len(self._shown.cards)} of {len(self._whole.cards)} cards"
        return line(
            Span("focus ", Role.DIM), Span(self._centre_name, Role.STRONG), Span(f"{part}  f or esc leaves", Role.DIM)
        )

    def nothing_matches(self) -> bool:
        """Whether the filter leaves no card."""
        return bool(self.pattern) and self._view.selected is None

    def lift_limit(self) -> bool:
        """First the filter goes, then the focus."""
        if super().lift_limit():
            return True
        was_focused = bool(self._centre)
        self._centre = ()
        return was_focused

    @on(FleetView.Moved)
    def _moved(self) -> None:
        self.paint_foot(self.console_app.scene)

    @on(FleetView.FocusWanted)
    def _focus_wanted(self) -> None:
        card = self._view.selected
        if self._centre:
            self._centre = ()
        elif card is not None:
            self._centre, self._centre_name = self._view.selected_ids, card.title
        self.repaint()

    @on(FleetView.Opened)
    def _opened(self) -> None:
        from gwtui.tui import dialogs  # noqa: PLC0415 - after the first frame
        from gwtui.tui.screens.proxies import ProxiesScreen  # noqa: PLC0415

        card = self._view.selected
        if card is None:
            return
        if card.id.kind == WORKLOAD:
            self.app.push_screen(dialogs.workload(card.id.cluster, card.id.namespace))
        elif card.id.kind == OUTSIDE:
            self.app.push_screen(dialogs.outside(ExternalKey(card.id.cluster, card.id.name)))
        elif card.id.gateway is not None:
            self.app.push_screen(ProxiesScreen(card.id.gateway))

    @on(FleetView.YamlWanted)
    def _yaml_wanted(self) -> None:
        card = self._view.selected
        if card is not None and card.yaml is not None:
            self.console_app.open_yaml(card.yaml)
        else:
            self.console_app.say("no object is known behind this card")

    @on(FleetView.DrainWanted)
    def _drain_wanted(self) -> None:
        card = self._view.selected
        if card is None or card.id.kind != GATEWAY or card.id.gateway is None:
            self.console_app.say("a gateway is drained: select one; + opens a fold")
            return
        from gwtui.changes.drains.wish import Shard  # noqa: PLC0415 - after the first frame

        self.console_app.drains.wish([Shard(card.id.gateway)])

    @on(FleetView.ExplainWanted)
    def _explain_wanted(self) -> None:
        from gwtui.tui.screens.explain import ExplainScreen  # noqa: PLC0415 - loaded when it is needed
        from gwtui.views.explain_beginnings import Space  # noqa: PLC0415

        card = self._view.selected
        if card is None:
            return
        if card.id.gateway is not None and card.id.kind == GATEWAY:
            self.app.push_screen(ExplainScreen(card.id.gateway))
        elif card.id.kind == WORKLOAD:
            self.app.push_screen(ExplainScreen(Space(card.id.cluster, card.id.namespace)))
        else:
            self.app.push_screen(ExplainScreen())

    @property
    def _view(self) -> FleetView:
        return self.query_one("#body", FleetView)
