"""What gateways do together, and how the traffic of their rules divides: for whoever verifies a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gwtui.model.exposure import Exposure
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.relations.inventory import Inventory
from gwtui.model.route_traffic import routes_of
from gwtui.model.shape import GatewayNode, Hop, RouteShare, ShareRole
from gwtui.model.shares import ObservedShares
from gwtui.model.snapshot import ClusterView, ProxyView, Snapshot
from gwtui.model.totals import total
from gwtui.model.traffic import NO_TRAFFIC, OnDemand, ProxyTraffic, RouteTraffic


def proxies_of(snapshot: Snapshot, node: GatewayNode) -> tuple[ProxyView, ...]:
    """Return what is known of each proxy of a gateway; one that was never asked is a view of unknown state."""
    return tuple(snapshot.proxies.get(key) or ProxyView(key=key) for key in node.proxies)


def together(snapshot: Snapshot, node: GatewayNode) -> ProxyTraffic | None:
    """Return what the answering proxies of a gateway do together; None when none answers."""
    answering = [view.traffic for view in proxies_of(snapshot, node) if view.is_answering]
    return total(answering) if answering else None


def shares_of(snapshot: Snapshot, view: ClusterView) -> ObservedShares:
    """Return the observed shares of a cluster's rules."""
    proxies = [(node, proxies_of(snapshot, node)) for node in view.topology.gateways]
    heard = {node.key: node for node, views in proxies if any(each.is_answering for each in views)}
    complete = {node.key for node, views in proxies if views and all(each.is_answering for each in views)}
    # Of a whole fleet few gateways are looked at: their figures alone are added up.
    return ObservedShares(view, OnDemand(heard, lambda key: together(snapshot, heard[key]) or NO_TRAFFIC), complete)


def rule_branches(view: ClusterView, route: ObjectKey, rule_index: int) -> Iterator[tuple[Hop, RouteShare]]:
    """Yield where one rule of a route sends its requests, mirrors and standbys left out."""
    for hop in view.topology.hops:
        for share in hop.shares:
            if share.route == route and share.rule_index == rule_index and share.role is ShareRole.PRIMARY:
                yield hop, share


def is_backend(view: ClusterView, hop: Hop, backend: str) -> bool:
    """Whether a hop leads to a backend named `<namespace>/<name>`: that Service, or the gateway it is made for."""
    if str(hop.target) == backend:
        return True
    node = view.gateway(hop.target) if isinstance(hop.target, GatewayKey) else None
    return node is not None and any(str(service) == backend for service in node.services)


def route_figures(view: ClusterView, node: GatewayNode, traffic: ProxyTraffic) -> Mapping[ObjectKey, RouteTraffic]:
    """Return what each route does on a gateway, of what its proxies do together."""
    return routes_of(node, traffic, Exposure(Inventory(view.name, view.objects, view.scopes)))
