"""The shape of one cluster's gateway tier: gateways, tiers, hops and the pattern they form, from live objects alone."""

from __future__ import annotations

from gwtui.model.relations.inventory import EVERYWHERE, Objects, Scopes
from gwtui.model.relator import Relator
from gwtui.model.shape import (
    EMPTY,
    FrontDoor,
    GatewayNode,
    Hop,
    PatternFound,
    RouteShare,
    ShareRole,
    Topology,
)

__all__ = [
    "EMPTY",
    "FrontDoor",
    "GatewayNode",
    "Hop",
    "PatternFound",
    "Relator",
    "RouteShare",
    "ShareRole",
    "Topology",
    "relate",
]


def relate(cluster: str, objects: Objects, scopes: Scopes = EVERYWHERE) -> Topology:
    """Return the topology of one cluster. Equal objects give an equal topology, in whatever order they came.

    Half-made objects (a missing class, gateway or backend, no status, cycles) give problems, never an error. A kind
    that is absent from `objects` was not read, and one in `scopes` was read in these namespaces alone: nothing is
    claimed to be missing from anywhere else. Who relates the same cluster again keeps a `Relator` instead.

    Args:
        cluster: Kubeconfig context; part of every key.
        objects: By group resource, then by (namespace, name), each as its `KindSpec.type`.
        scopes: The namespaces that were read of a kind, for every kind of which not all were.
    """
    return Relator(cluster).relate(objects, scopes)
