"""The shape of one cluster's gateway tier as types: gateways, tiers, hops and the patterns they form."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gwtui.model.controllers import KGATEWAY_CONTROLLER
from gwtui.model.ids import GatewayKey, ObjectKey, ProxyKey, ServiceKey


class ShareRole(StrEnum):
    """What a backend is for within its rule."""

    PRIMARY = "primary"
    """Takes its part of the rule's requests."""
    STANDBY = "standby"
    """Takes requests only when what comes before it in a failover order is unhealthy."""
    MIRROR = "mirror"
    """Gets copies of requests; its answers are thrown away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteShare:
    """The part one route rule sends over a hop."""

    route: ObjectKey
    rule_index: int
    """Position in `spec.rules`, from 0."""
    hostnames: tuple[str, ...]
    """Hostnames of the route; empty means every hostname of its listeners."""
    weight: int
    """As written in the backendRef (default 1)."""
    weight_total: int
    """Sum of the weights of all backendRefs of the rule."""
    backends: int
    """How many backendRefs the rule has. One alone gets all traffic whatever its weight (kgateway)."""
    role: ShareRole = ShareRole.PRIMARY
    """For a mirror, `weight` of `weight_total` requests are copied."""
    cluster: str = ""
    """The Envoy cluster this backend is in the source's proxies; empty when the source is no kgateway Envoy."""

    @property
    def intended(self) -> float:
        """Share of the rule's traffic this backend will get in kgateway, 0 to 1; of copies for a mirror."""
        if self.role is ShareRole.STANDBY:
            return 0.0
        if self.backends == 1 and self.role is ShareRole.PRIMARY:
            return 1.0
        return self.weight / self.weight_total if self.weight_total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One directed edge that traffic takes from a gateway: to another gateway, or to a workload Service.

    Keys compare as plain tuples: a gateway and a Service of the same name are equal keys, so look at the type as well.
    """

    source: GatewayKey
    target: GatewayKey | ServiceKey
    rule: str
    """What found the edge: `D1` the Service of a gateway, `D2` a Backend that names a gateway, `D3` a mirror,
    `backend` a plain workload."""
    envoy_clusters: tuple[str, ...]
    """Names of the Envoy clusters the source's proxies use for this hop: the key into `ProxyTraffic.clusters`.
    Empty when the source is no kgateway Envoy."""
    shares: tuple[RouteShare, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDoor:
    """What stands before a tier-1 gateway."""

    gateway: GatewayKey
    kind: str
    """`LoadBalancer`, `NLB`, `ALB`, `NodePort`, `Address`, … as found on the live objects."""
    name: str
    """Address or object name, for display."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayNode:
    """One Gateway in the topology."""

    key: GatewayKey
    class_name: str
    controller: str
    """`spec.controllerName` of its GatewayClass; empty when the class is missing. Where classes may not be read: who
    left traces."""
    tier: int
    """1 is what the front door hits first."""
    listeners: tuple[tuple[str, int, str], ...]
    """(name, port, protocol), sorted; those of a ListenerSet are named `<namespace>/<set>/<listener>`."""
    hostnames: tuple[str, ...]
    """Hostnames of the attached routes, sorted."""
    namespaces: tuple[str, ...]
    """Namespaces of the attached routes, sorted: what this gateway serves."""
    routes: tuple[ObjectKey, ...]
    proxies: tuple[ProxyKey, ...]
    services: tuple[ServiceKey, ...]
    problems: tuple[str, ...] = ()
    """One line each: a condition that is not as it should be, an unresolved reference."""

    @property
    def is_managed(self) -> bool:
        """Whether kgateway runs it, so that its proxies are Envoys we know how to read."""
        return self.controller == KGATEWAY_CONTROLLER


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternFound:
    """A deployment pattern and the objects that prove it."""

    id: str
    """`simple-ingress`, `sharded`, `sharded-central-ingress`, `external-front-door`, …"""
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The gateway tier of one cluster. Everything is sorted by key: equal objects give an equal topology."""

    gateways: tuple[GatewayNode, ...] = ()
    hops: tuple[Hop, ...] = ()
    front_doors: tuple[FrontDoor, ...] = ()
    patterns: tuple[PatternFound, ...] = ()
    problems: tuple[str, ...] = ()
    """One line each, for what belongs to no gateway: a route whose gateway does not exist."""


EMPTY = Topology()
