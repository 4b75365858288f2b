"""The shape of one cluster's gateway tier: gateways, tiers, hops and the pattern they form, from live objects alone."""

from __future__ import annotations

from dataclasses import dataclass

from gwtui.model.ids import GatewayKey, ObjectKey, ProxyKey, ServiceKey


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

    @property
    def intended(self) -> float:
        """Share of the rule's traffic this backend will get in kgateway, 0 to 1."""
        if self.backends == 1:
            return 1.0
        return self.weight / self.weight_total if self.weight_total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One directed edge that traffic takes from a gateway: to another gateway, or to a workload Service."""

    source: GatewayKey
    target: GatewayKey | ServiceKey
    rule: str
    """Detection rule that found the edge, for example `D1`; `backend` for plain workloads."""
    envoy_clusters: tuple[str, ...]
    """Names of the Envoy clusters the source's proxies use for this hop: the key into `ProxyTraffic.clusters`."""
    shares: tuple[RouteShare, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDoor:
    """What stands before a tier-1 gateway."""

    gateway: GatewayKey
    kind: str
    """`LoadBalancer`, `NLB`, `ALB`, `Ingress`, `NodePort`, … as found on the live objects."""
    name: str
    """Address or object name, for display."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayNode:
    """One Gateway in the topology."""

    key: GatewayKey
    class_name: str
    controller: str
    """`spec.controllerName` of its GatewayClass; empty when the class is missing."""
    tier: int
    """1 is what the front door hits first."""
    listeners: tuple[tuple[str, int, str], ...]
    """(name, port, protocol)."""
    hostnames: tuple[str, ...]
    """Hostnames of the attached routes, sorted."""
    namespaces: tuple[str, ...]
    """Namespaces of the attached routes, sorted: what this gateway serves."""
    routes: tuple[ObjectKey, ...]
    proxies: tuple[ProxyKey, ...]
    services: tuple[ServiceKey, ...]
    problems: tuple[str, ...] = ()
    """One line each: a condition that is not as it should be, an unresolved reference."""


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


EMPTY = Topology()
