"""The shape of the fleet, and where it hurts."""

from __future__ import annotations

from textual import on

from gwtui.tui.screens.console import ConsoleScreen
from gwtui.tui.widgets.fleet_view import FleetView
from gwtui.views.fleet_map import fleet_map
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line


class MapScreen(ConsoleScreen):
    """Front door, tiers and workloads, with the traffic between them."""

    MODE = "map"

    def body(self) -> FleetView:
        """The map."""
        return FleetView(id="body")

    def show(self, scene: Scene) -> None:
        """Paint the map of the scene."""
        self._view.show(fleet_map(scene, self.pattern))

    def selection_line(self) -> Line:
        """The story of the selected card."""
        card = self._view.selected
        return card.words if card else BLANK

    def nothing_matches(self) -> bool:
        """Whether the filter leaves no card."""
        return bool(self.pattern) and self._view.selected is None

    @on(FleetView.Moved)
    def _moved(self) -> None:
        self.paint_foot(self.console_app.scene)

    @on(FleetView.Opened)
    def _opened(self) -> None:
        from gwtui.tui import dialogs  # noqa: PLC0415 - after the first frame
        from gwtui.tui.screens.proxies import ProxiesScreen  # noqa: PLC0415

        card = self._view.selected
        if card is None:
            return
        if card.id.gateway is None:
            self.app.push_screen(dialogs.workload(card.id.cluster, card.id.namespace))
        else:
            self.app.push_screen(ProxiesScreen(card.id.gateway))

    @on(FleetView.YamlWanted)
    def _yaml_wanted(self) -> None:
        card = self._view.selected
        if card is not None and card.yaml is not None:
            self.console_app.open_yaml(card.yaml)
        else:
            self.console_app.say("no object is known behind this card")

    @property
    def _view(self) -> FleetView:
        return self.query_one("#body", FleetView)
