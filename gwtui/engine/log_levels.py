"""Makes plans of log levels: reads what a proxy started with, and weighs it against changes that are in force."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gwtui.changes.journal import Change
from gwtui.changes.log_levels import Wanted, log_level_plan, open_levels
from gwtui.changes.plan import Plan
from gwtui.engine.planning import Intent, new_id
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.snapshot import Snapshot
from gwtui.ports import Clock, FindInspector

PAGE_S = 10.0
"""Seconds a proxy may take to tell what it started with."""


class LogLevels:
    """Makes plans of log levels.

    Args:
        find: who asks a proxy.
        look: the current snapshot.
        changes: everything that is remembered.
        clock: the time of everything.
        read_only: whether the console may write at all.
    """

    def __init__(
        self,
        find: FindInspector,
        look: Callable[[], Snapshot],
        changes: Callable[[], Iterable[Change]],
        clock: Clock,
        *,
        read_only: bool,
    ) -> None:
        self._find = find
        self._look = look
        self._changes = changes
        self._clock = clock
        self._read_only = read_only

    async def plan(self, proxy: ProxyKey, wanted: Wanted, intent: Intent) -> Plan:
        """Return the plan that gives a logger another level for a while. The proxy is only read.

        Raises:
            SourceError: the proxy is gone, or does not tell what it started with.
        """
        inspector, address = self._find(proxy)
        build = await inspector.build(address, deadline_s=PAGE_S)
        now = self._clock.now()
        return log_level_plan(
            proxy,
            self._gateway(proxy),
            build,
            wanted,
            id_=new_id(now),
            made_at=now,
            lease_s=intent.lease_s,
            guard=intent.guard,
            reason=intent.reason,
            opened=open_levels(self._changes(), proxy),
            read_only=self._read_only,
        )

    def _gateway(self, proxy: ProxyKey) -> GatewayKey | None:
        view = self._look().clusters.get(proxy.cluster)
        nodes = view.topology.gateways if view else ()
        return next((node.key for node in nodes if proxy in node.proxies), None)
