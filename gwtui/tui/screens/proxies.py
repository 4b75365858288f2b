"""Every proxy, one row each, the worst first."""

from __future__ import annotations

from datetime import datetime

from textual import on

from gwtui.model.ids import GatewayKey, ObjectKey, ProxyKey
from gwtui.tui import dialogs
from gwtui.tui.keymap import bindings
from gwtui.tui.screens.console import ConsoleScreen
from gwtui.tui.widgets.live_table import LiveTable
from gwtui.views.proxies import PODS, SORTS, columns, row, rows
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, line
from gwtui.views.tables import Row, settle

FREEZE_S = 4.0
"""Seconds after the last movement of the cursor in which rows keep their places."""


class ProxiesScreen(ConsoleScreen):
    """A live table of proxies, of all gateways or of one."""

    BINDINGS = bindings("proxies")
    MODE = "proxies"

    def __init__(self, scope: GatewayKey | None = None) -> None:
        """Open the table.

        Args:
            scope: Show the proxies of this gateway alone; None shows all.
        """
        super().__init__()
        self._scope = scope
        self._sort = "state"
        self._moved_at: datetime | None = None

    def body(self) -> LiveTable[ProxyKey]:
        """The table."""
        return LiveTable[ProxyKey](id="body")

    def show(self, scene: Scene) -> None:
        """Paint the rows of the scene; their order rests while the cursor moves."""
        found = rows(scene.snapshot, scene.now, scope=self._scope, pattern=self.pattern, sort=self._sort)
        by_key = {each.key: each for each in found}
        clusters = len({key.cluster for key in by_key})
        order = list(by_key)
        if self._moved_at and (scene.now - self._moved_at).total_seconds() < FREEZE_S:
            order = settle(order, self._table.keys)

        def row_of(key: ProxyKey) -> Row:
            return row(by_key[key], scene.snapshot, scene.now, clusters=clusters)

        self._table.show(columns(found, clusters=clusters), order, row_of, sorted_by=self._sort)

    def selection_line(self) -> Line:
        """The selected proxy by its full name; cells of the table may be cut."""
        key = self._table.selected
        return (
            line(Span("pod ", Role.DIM), Span(str(key), Role.STRONG), Span(f" in {key.cluster}", Role.DIM))
            if key
            else BLANK
        )

    def scope_line(self) -> Line:
        """The gateway the table is limited to."""
        if self._scope is None:
            return BLANK
        return line(
            Span("proxies of ", Role.DIM), Span(str(self._scope), Role.STRONG), Span("  esc goes back", Role.DIM)
        )

    def nothing_matches(self) -> bool:
        """Whether the filter leaves no row."""
        return bool(self.pattern) and not self._table.keys

    def action_sort(self, direction: int) -> None:
        """Sort by the column beside the one the rows are sorted by now."""
        names = list(SORTS)
        self._sort = names[(names.index(self._sort) + direction) % len(names)]
        self._moved_at = None
        self.repaint()

    def action_yaml(self) -> None:
        """Show the pod of the selected proxy."""
        key = self._table.selected
        if key is not None:
            self.console_app.open_yaml(ObjectKey(key.cluster, PODS, key.namespace, key.pod))

    @on(LiveTable.Moved)
    def _moved(self) -> None:
        self._moved_at = self.console_app.scene.now
        self.paint_foot(self.console_app.scene)

    @on(LiveTable.Opened)
    def _opened(self) -> None:
        key = self._table.selected
        if key is not None:
            self.app.push_screen(dialogs.proxy(key))

    @property
    def _table(self) -> LiveTable[ProxyKey]:
        return self.query_one("#body", LiveTable)
