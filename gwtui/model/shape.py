"""The shape of one cluster's gateway tier as types: gateways, tiers, hops and the patterns they form."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gwtui.model.controllers import (
    AGENTGATEWAY_CONTROLLERS,
    ISTIO_CONTROLLERS,
    KGATEWAY_CONTROLLER,
    PEERING_CONTROLLERS,
)
from gwtui.model.ids import ExternalKey, GatewayKey, ObjectKey, ProxyKey, ServiceKey


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
    target: GatewayKey | ServiceKey | ExternalKey
    rule: str
    """What found the edge: `D1` the Service of a gateway, `D2` a Backend that names a gateway, `D3` a mirror,
    `backend` a plain workload, `external` a destination outside the cluster, `waypoint` a Service whose traffic a
    waypoint takes."""
    envoy_clusters: tuple[str, ...]
    """Names of the Envoy clusters the source's proxies use for this hop: the key into `ProxyTraffic.clusters`.
    Empty when the source is no kgateway Envoy."""
    shares: tuple[RouteShare, ...]


class DataPlane(StrEnum):
    """Which proxy software runs a Gateway, told by its controller alone."""

    KGATEWAY_ENVOY = "kgateway"
    AGENTGATEWAY = "agentgateway"
    ISTIO_ENVOY = "istio"
    OTHER = "other"
    """A controller we do not know, or none."""


class GatewayRole(StrEnum):
    """What a Gateway is for."""

    INGRESS = "ingress"
    EGRESS = "egress"
    """Every route ends outside the cluster."""
    WAYPOINT = "waypoint"
    MIXED = "mixed"
    """Routes end inside and outside the cluster."""


class MeshMode(StrEnum):
    """How a pod takes part in the mesh."""

    AMBIENT = "ambient"
    SIDECAR = "sidecar"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshMembership:
    """Whether a Gateway's own pods are in a service mesh: what is wished and what is, apart."""

    mode: MeshMode
    configured: bool
    """A label on the pod or its namespace asks for it, or the containers kgateway gave the pod for it."""
    captured: int
    """Pods that really are: the annotation that ztunnel redirection or injection leaves."""
    pods: int
    """Pods of the Gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDoor:
    """What stands before a tier-1 gateway."""

    gateway: GatewayKey
    kind: str
    """`LoadBalancer`, `NLB`, `ALB`, `HAProxy`, `Ingress`, `NodePort`, `Address`, … as found on the live objects."""
    name: str
    """Address or object name, for display."""
    evidence: str = ""
    """What says so: `Service infra/edge: loadBalancerClass=…`, `Ingress infra/edge of class alb`."""


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
    unseen: tuple[str, ...] = ()
    """One line each: what is referred to and is not read, there or anywhere. It may exist or not: no problem of it."""
    role: GatewayRole = GatewayRole.INGRESS
    mesh: MeshMembership | None = None
    """None when nothing asks for a mesh and no pod is in one."""

    @property
    def data_plane(self) -> DataPlane:
        """Which proxy software runs it."""
        if self.controller == KGATEWAY_CONTROLLER:
            return DataPlane.KGATEWAY_ENVOY
        if self.controller in AGENTGATEWAY_CONTROLLERS:
            return DataPlane.AGENTGATEWAY
        return DataPlane.ISTIO_ENVOY if self.controller in ISTIO_CONTROLLERS else DataPlane.OTHER

    @property
    def is_managed(self) -> bool:
        """Whether kgateway runs it, so that its proxies are Envoys we know how to read."""
        return self.controller == KGATEWAY_CONTROLLER

    @property
    def is_peering(self) -> bool:
        """Whether other clusters of the mesh reach this one, or it another one, through it."""
        return self.controller in PEERING_CONTROLLERS


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternFound:
    """A deployment pattern and the objects that prove it."""

    id: str
    """`simple-ingress`, `sharded`, `sharded-central-ingress`, `external-front-door`, `ambient-ingress`,
    `ambient-egress`, `ambient-waypoint`, `sidecar-ingress`, `ai-gateway`. No pattern at all means: not recognised."""
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The gateway tier of one cluster. Everything is sorted by key: equal objects give an equal topology."""

    gateways: tuple[GatewayNode, ...] = ()
    hops: tuple[Hop, ...] = ()
    front_doors: tuple[FrontDoor, ...] = ()
    patterns: tuple[PatternFound, ...] = ()
    problems: tuple[str, ...] = ()
    """One line each, for what belongs to no gateway: a route whose gateway does not exist, or cannot be seen."""
    missing: tuple[str, ...] = ()
    """When no pattern is recognised: what would be needed to recognise one, one line each."""


EMPTY = Topology()
