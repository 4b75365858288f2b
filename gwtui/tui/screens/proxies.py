"""Every proxy, one row each, the worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from textual import on

from gwtui.model.ids import GatewayKey, ObjectKey, ProxyKey
from gwtui.tui.keymap import bindings
from gwtui.tui.screens.sorted_table import SortedTableScreen
from gwtui.tui.widgets.live_table import LiveTable
from gwtui.views.proxies import PODS, SORTS, ProxyRow, columns, row, rows, story
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, line
from gwtui.views.tables import Column, Row


class ProxiesScreen(SortedTableScreen[ProxyKey]):
    """A live table of proxies, of all gateways or of one."""

    BINDINGS = bindings("proxies")
    MODE = "proxies"
    SORTS = tuple(SORTS)

    def __init__(self, scope: GatewayKey | None = None) -> None:
        """Open the table.

        Args:
            scope: Show the proxies of this gateway alone; None shows all.
        """
        super().__init__()
        self._scope = scope
        self._rows: dict[ProxyKey, ProxyRow] = {}
        self._columns: Sequence[Column] = ()
        self._order: list[ProxyKey] = []
        self._row_of: Callable[[ProxyKey], Row] = lambda _: Row(())

    def derive(self, scene: Scene) -> Iterator[None]:
        """Find and sort the rows, and make those in the window; the order rests while the cursor moves.

        What was asked for may change between two parts. Then it was painted at once, and this is of no use any more.
        """
        asked = self.pattern, self._sort
        found = rows(
            scene.snapshot,
            scene.now,
            scope=self._scope,
            pattern=self.pattern,
            sort=self._sort,
            figures=scene.fleet,
        )
        by_key = {each.key: each for each in found}
        yield
        clusters = len({key.cluster for key in by_key})
        is_odd = any(each.noted.odd for each in found)
        wanted = columns(found, clusters=clusters)
        yield
        made: dict[ProxyKey, Row] = {}

        def row_of(key: ProxyKey) -> Row:
            if key not in made:
                made[key] = row(by_key[key], scene.snapshot, scene.now, clusters=clusters, is_odd=is_odd)
            return made[key]

        for key in self._table.window_of(self._ordered(by_key, scene.now)):
            row_of(key)
            yield
        if asked == (self.pattern, self._sort):
            self._rows, self._columns, self._row_of = by_key, wanted, row_of
            self._order = self._ordered(by_key, scene.now)

    def show(self, scene: Scene) -> None:
        """Paint the rows."""
        self._table.show(self._columns, self._order, self._row_of, sorted_by=self._sort)
        if self.is_current:
            self.console_app.attention.turn(self._table.in_window)

    def selection_line(self) -> Line:
        """The selected proxy by its full name and with what is noted about it; cells of the table may be cut."""
        chosen = self._rows.get(self._table.selected) if self._table.selected else None
        return (Span("pod ", Role.DIM), *story(chosen)) if chosen else BLANK

    def scope_line(self) -> Line:
        """The gateway the table is limited to."""
        if self._scope is None:
            return BLANK
        return line(
            Span("proxies of ", Role.DIM), Span(str(self._scope), Role.STRONG), Span("  esc goes back", Role.DIM)
        )

    def action_drain(self) -> None:
        """Plan to take everything away from the selected proxy."""
        key = self._table.selected
        if key is not None:
            from gwtui.changes.drains.wish import OneProxy  # noqa: PLC0415 - after the first frame

            self.console_app.drains.wish([OneProxy(key)])

    def action_explain(self) -> None:
        """Ask where a request goes that the gateway of the selected proxy takes."""
        key = self._table.selected
        if key is None:
            return
        from gwtui.tui.screens.explain import ExplainScreen  # noqa: PLC0415 - loaded when it is needed

        nodes = (node for view in self.console_app.scene.snapshot.clusters.values() for node in view.topology.gateways)
        gateway = next((node.key for node in nodes if key in node.proxies), None)
        self.app.push_screen(ExplainScreen(gateway or ""))

    def action_yaml(self) -> None:
        """Show the pod of the selected proxy."""
        key = self._table.selected
        if key is not None:
            self.console_app.open_yaml(ObjectKey(key.cluster, PODS, key.namespace, key.pod))

    @on(LiveTable.Opened)
    def _opened(self) -> None:
        key = self._table.selected
        if key is not None:
            from gwtui.tui.screens.proxy import ProxyScreen  # noqa: PLC0415 - loaded when a proxy is opened

            self.app.push_screen(ProxyScreen(key))
