"""Which routes of other gateways send to what is drained, under which hostnames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gwtui.changes.drains.serving import Serving
from gwtui.changes.drains.wish import Backend, Moved, OneProxy, Shard, Target
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.relations.backends import BY_BACKEND, BY_MIRROR, BY_SERVICE
from gwtui.model.shape import Hop, RouteShare
from gwtui.model.snapshot import ClusterView

_BY_NAME = frozenset({BY_SERVICE, BY_BACKEND, BY_MIRROR})
"""Hops that are there because a route names the gateway. A waypoint is reached without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A route that sends to what is drained, on gateways other than that."""

    route: ObjectKey
    sources: tuple[GatewayKey, ...]
    """The gateways it is on, sorted."""
    hostnames: tuple[str, ...]
    """Those it has there, of the parent where it was delegated; empty is every hostname."""


def hops_to(view: ClusterView, gateway: GatewayKey) -> tuple[Hop, ...]:
    """Return the hops of other gateways whose routes name this one, mirrors included."""
    return tuple(
        hop
        for hop in view.topology.hops
        if isinstance(hop.target, GatewayKey) and hop.target == gateway and is_by_name(hop)
    )


def is_by_name(hop: Hop) -> bool:
    """Whether a hop to a gateway is there because routes of others name it."""
    return hop.source != hop.target and hop.rule in _BY_NAME


def senders_of(view: ClusterView, target: Target) -> tuple[Sender, ...]:
    """Return the routes whose rules have to be changed for a target; for one proxy there is none."""
    match target:
        case Shard(gateway=gateway):
            return _senders((hop, share) for hop in hops_to(view, gateway) for share in hop.shares)
        case Backend(route=route):
            hops = view.topology.hops
            return _senders((hop, share) for hop in hops for share in hop.shares if share.route == route)
        case Moved(source=source):
            split = Splits(view, target)
            return tuple(each for each in senders_of(view, Shard(source)) if any(split.of(each)))
        case OneProxy():
            return ()


class Splits:
    """Tells which of what senders carry is moved.

    Args:
        view: The cluster.
        target: What is moved.
    """

    def __init__(self, view: ClusterView, target: Moved) -> None:
        node = view.gateway(target.source)
        self._serving = Serving(view, node) if node is not None else None
        self._target = target

    def of(self, sender: Sender) -> frozenset[bool]:
        """Return whether what a sender leads to at the source is moved; both where it carries others too."""
        served = self._serving.of(sender.hostnames) if self._serving is not None else {}
        return frozenset(is_moved(self._target, route, host) for route, hosts in served.items() for host in hosts)


def is_moved(target: Moved, route: ObjectKey, hostname: str) -> bool:
    """Whether what a route of the source takes under a hostname is to be moved."""
    return route.namespace == target.namespace if target.namespace else hostname == target.hostname


def _senders(flows: Iterable[tuple[Hop, RouteShare]]) -> tuple[Sender, ...]:
    sources: dict[ObjectKey, set[GatewayKey]] = {}
    hostnames: dict[ObjectKey, set[tuple[str, ...]]] = {}
    for hop, share in flows:
        sources.setdefault(share.route, set()).add(hop.source)
        hostnames.setdefault(share.route, set()).add(share.hostnames)
    return tuple(
        Sender(
            route=route,
            sources=tuple(sorted(sources[route])),
            hostnames=() if () in hosts else tuple(sorted({host for each in hosts for host in each})),
        )
        for route, hosts in sorted(hostnames.items())
    )
