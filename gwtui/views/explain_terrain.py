"""The clusters of a snapshot as requests find them."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.explain.terrain import Endpoints, Live, Terrain
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.known import Known, Unknown
from gwtui.model.snapshot import ClusterView, Snapshot
from gwtui.model.totals import least_healthy

_KEPT: dict[str, Terrain] = {}
"""The terrain that was looked at last, by cluster: most of it still holds a moment later."""


def terrains_of(snapshot: Snapshot) -> tuple[Terrain, ...]:
    """Return the clusters of a snapshot, with what was found in an earlier one and still holds."""
    return tuple(_terrain(snapshot, view) for view in snapshot.clusters.values())


def _terrain(snapshot: Snapshot, view: ClusterView) -> Terrain:
    def members(gateway: GatewayKey, cluster: str) -> Endpoints | Unknown:
        node = view.gateway(gateway)
        healthy, total = least_healthy(_counts(snapshot, cluster, node.proxies if node is not None else ()))
        return Unknown("no proxy counts them") if healthy is None or total is None else Endpoints(healthy, total)

    def measured(gateway: GatewayKey, cluster: str) -> Live | None:
        node = view.gateway(gateway)
        return _live(snapshot, cluster, node.proxies if node is not None else ())

    found = Terrain(view, members, measured, before=_KEPT.get(view.name))
    _KEPT[view.name] = found
    return found


def _counts(snapshot: Snapshot, cluster: str, proxies: tuple[ProxyKey, ...]) -> Iterator[tuple[int | None, int | None]]:
    for key, proxy in snapshot.proxies.items():
        if key in proxies and (found := proxy.current.clusters.get(cluster)) is not None:
            yield found.members_healthy, found.members_total


def _live(snapshot: Snapshot, cluster: str, proxies: tuple[ProxyKey, ...]) -> Live | None:
    """Rates of all proxies together; None where not one of them knows its own."""
    rates: list[float] = []
    errors: list[float] = []
    for key in proxies:
        proxy = snapshot.proxies.get(key)
        found = proxy.current.clusters.get(cluster) if proxy is not None else None
        if found is not None and isinstance(found.rps, Known):
            rates.append(found.rps.value)
            if isinstance(found.error_ratio, Known):
                errors.append(found.rps.value * found.error_ratio.value)
    if not rates:
        return None
    total = sum(rates)
    return Live(total, sum(errors) / total if errors and total else None)
