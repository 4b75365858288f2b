"""What the hops of one Gateway say about it as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gwtui.model.ids import ExternalKey, GatewayKey, ServiceKey
from gwtui.model.relations.backends import BY_MIRROR
from gwtui.model.relations.outside import EXTERNAL
from gwtui.model.relations.waypoints import BY_WAYPOINT
from gwtui.model.shape import Hop, ShareRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where the hops of one Gateway end."""

    onward: frozenset[GatewayKey]
    """Gateways it leads to, be it with copies alone."""
    sent: frozenset[GatewayKey]
    """Gateways it sends requests to, copies left out."""
    namespaces: frozenset[str]
    """Namespaces of the workloads it sends requests to, copies left out."""
    hosts: frozenset[str]
    """Hosts outside the cluster it leads to, copies left out."""
    bound: frozenset[str]
    """What takes its traffic through it as a waypoint, by name."""
    is_inside: bool
    """Whether some route, copies left out, stays in the cluster."""
    is_outside: bool
    """Whether some route, copies left out, leaves the cluster."""


def reach_of(hops: Iterable[Hop], ends: frozenset[ServiceKey | ExternalKey]) -> Reach:
    """Return where these hops of one Gateway end.

    Args:
        hops: All hops of the Gateway.
        ends: What is bound to it, where it is a waypoint.
    """
    onward: set[GatewayKey] = set()
    sent: set[GatewayKey] = set()
    namespaces: set[str] = set()
    hosts: set[str] = set()
    leaves: set[bool] = set()
    for hop in hops:
        match hop.target:
            case GatewayKey() as gateway:
                onward.add(gateway)
                if hop.rule != BY_MIRROR:
                    sent.add(gateway)
            case ServiceKey(namespace=namespace) if hop.rule != BY_MIRROR:
                namespaces.add(namespace)
            case ExternalKey(host=host) if hop.rule in {EXTERNAL, BY_WAYPOINT}:
                hosts.add(host)
            case _:
                pass
        if any(share.role is not ShareRole.MIRROR for share in hop.shares):
            leaves.add(hop.rule == EXTERNAL)
    return Reach(
        onward=frozenset(onward),
        sent=frozenset(sent),
        namespaces=frozenset(namespaces),
        hosts=frozenset(hosts),
        bound=frozenset(map(str, ends)),
        is_inside=False in leaves,
        is_outside=True in leaves,
    )
