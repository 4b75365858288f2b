"""Waypoints: which Gateways are, and which Services send their traffic through them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from gwtui.model import resources
from gwtui.model.controllers import KGATEWAY_CONTROLLER, PEERING_CONTROLLERS
from gwtui.model.gateway_api import Gateway, GatewayClass, ParentRef, Route
from gwtui.model.ids import ExternalKey, GatewayKey, NamespacedName, ObjectKey, ServiceKey
from gwtui.model.istio import (
    INGRESS_USE_WAYPOINT,
    ISTIO_NETWORKING,
    MESH_EXTERNAL,
    USE_WAYPOINT,
    USE_WAYPOINT_NAMESPACE,
    WAYPOINT_BOUND,
    WAYPOINT_FOR,
    ServiceEntry,
)
from gwtui.model.kubernetes import Condition, Service
from gwtui.model.meta import Meta
from gwtui.model.names import service_cluster
from gwtui.model.relations.backends import WORKLOAD
from gwtui.model.relations.inventory import Inventory
from gwtui.model.relations.remarks import absence, text_of
from gwtui.model.shape import Hop

BY_WAYPOINT = "waypoint"
TO_WAYPOINT = "to-waypoint"
"""Rule of a hop from an ingress gateway to the waypoint of the Services its routes name."""

CONTROLLERS = frozenset({"istio.io/mesh-controller", "istio.io/agentgateway-waypoint-controller"})
"""Controllers whose Gateways are waypoints, all of them."""
PROTOCOLS = frozenset({"HBONE", "istio.io/PROXY"})
"""Listener protocols only waypoints have: Istio's own, and the one ztunnel uses to reach a kgateway waypoint."""
FOR_SERVICES = frozenset({"service", "all"})
HEADLESS = "None"
"""Cluster IP of a Service that has none."""


class Subject(NamedTuple):
    """A Service or ServiceEntry."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bindings:
    """Whose traffic takes which waypoint."""

    waypoint_of: Mapping[Subject, GatewayKey] = field(default_factory=dict)
    ends: Mapping[GatewayKey, frozenset[ServiceKey | ExternalKey]] = field(default_factory=dict)
    """Where the traffic of each waypoint ends: what is bound to it."""
    for_ingress: Mapping[ServiceKey, GatewayKey] = field(default_factory=dict)
    """Services whose waypoint ingress gateways are to use as well."""
    problems: Mapping[GatewayKey, frozenset[str]] = field(default_factory=dict)
    homeless: frozenset[str] = frozenset()
    """What belongs to no Gateway: a waypoint that does not exist, or cannot be seen."""

    def parent(self, ref: ParentRef, namespace: str) -> GatewayKey | None:
        """Return the waypoint that serves a route whose parent is a Service or ServiceEntry; None for others."""
        kinds = {("", "Service"), (ISTIO_NETWORKING, "ServiceEntry")}
        if (ref.group, ref.kind) not in kinds:
            return None
        return self.waypoint_of.get(Subject(ref.kind, ref.namespace or namespace, ref.name))


def is_waypoint(inventory: Inventory, key: GatewayKey, gateway: Gateway) -> bool:
    """Whether a Gateway is a waypoint: by its controller, by a listener only waypoints have, or by a label."""
    controller = inventory.controllers[key]
    if controller in CONTROLLERS or controller in PEERING_CONTROLLERS:
        return controller in CONTROLLERS
    return bool(_traffic_label(inventory, gateway)) or any(
        listener.protocol in PROTOCOLS for listener in gateway.spec.listeners
    )


def _traffic_label(inventory: Inventory, gateway: Gateway) -> str:
    gateway_class: GatewayClass | None = inventory.of(resources.GATEWAY_CLASSES).get(
        ("", gateway.spec.gateway_class_name)
    )
    of_class = gateway_class.metadata.labels.get(WAYPOINT_FOR, "") if gateway_class is not None else ""
    return gateway.metadata.labels.get(WAYPOINT_FOR, of_class)


def bindings_of(inventory: Inventory, own_services: Mapping[NamespacedName, GatewayKey]) -> Bindings:
    """Return whose traffic takes which waypoint.

    A Service or ServiceEntry names its waypoint by label, else its namespace does. Services of Gateways themselves and
    those that ask for none have no waypoint.

    Args:
        inventory: The cluster.
        own_services: The Services that lead to a Gateway.
    """
    found: dict[Subject, GatewayKey] = {}
    problems: dict[GatewayKey, set[str]] = {}
    homeless: set[str] = set()
    for subject, meta, conditions in _subjects(inventory, own_services):
        waypoint = _named(inventory, subject, meta)
        if waypoint is None:
            continue
        gateway = inventory.gateways.get(waypoint)
        if gateway is None:
            remark = absence(inventory, resources.GATEWAYS, waypoint.namespace, f"{subject}: its waypoint {waypoint}")
            homeless.update([text_of(remark)] if remark is not None else ())
        elif not is_waypoint(inventory, waypoint, gateway):
            # Without its class nothing may tell that it is one.
            if inventory.was_read(resources.GATEWAY_CLASSES):
                homeless.add(f"{subject}: its waypoint {waypoint} is a Gateway and no waypoint")
        elif _traffic_label(inventory, gateway) in {"", *FOR_SERVICES}:
            found[subject] = waypoint
            for condition in conditions:
                if condition.type == WAYPOINT_BOUND and condition.status == "False":
                    text = f"is not bound to it ({condition.reason or 'no reason given'})"
                    problems.setdefault(waypoint, set()).add(f"{subject} {text}")
            if not gateway.status.addresses:
                problems.setdefault(waypoint, set()).add("has no address: no traffic is sent to it yet")
    return Bindings(
        waypoint_of=found,
        ends=_ends_by_waypoint(inventory, found),
        for_ingress=_for_ingress(inventory, found),
        problems={key: frozenset(lines) for key, lines in problems.items()},
        homeless=frozenset(homeless),
    )


def _subjects(
    inventory: Inventory, own_services: Mapping[NamespacedName, GatewayKey]
) -> Iterator[tuple[Subject, Meta, tuple[Condition, ...]]]:
    services: Iterable[tuple[NamespacedName, Service]] = inventory.services.items()
    for name, service in services:
        if name not in own_services and service.spec.type != "ExternalName":
            yield Subject("Service", *name), service.metadata, service.status.conditions
    for name, entry in inventory.service_entries.items():
        yield Subject("ServiceEntry", *name), entry.metadata, entry.status.conditions


def _for_ingress(inventory: Inventory, waypoint_of: Mapping[Subject, GatewayKey]) -> dict[ServiceKey, GatewayKey]:
    found: dict[ServiceKey, GatewayKey] = {}
    for (kind, namespace, name), waypoint in waypoint_of.items():
        if kind == "Service":
            by_namespace = inventory.labels_of_namespace(namespace).get(INGRESS_USE_WAYPOINT, "")
            labels = inventory.services[namespace, name].metadata.labels
            if labels.get(INGRESS_USE_WAYPOINT, by_namespace) == "true":
                found[ServiceKey(inventory.cluster, namespace, name)] = waypoint
    return found


def _ends_by_waypoint(
    inventory: Inventory, waypoint_of: Mapping[Subject, GatewayKey]
) -> dict[GatewayKey, frozenset[ServiceKey | ExternalKey]]:
    own: dict[GatewayKey, set[ServiceKey | ExternalKey]] = {}
    for subject, waypoint in waypoint_of.items():
        own.setdefault(waypoint, set()).update(_ends(inventory, subject))
    return {waypoint: frozenset(ends) for waypoint, ends in own.items()}


def _named(inventory: Inventory, subject: Subject, meta: Meta) -> GatewayKey | None:
    for labels in (meta.labels, inventory.labels_of_namespace(subject.namespace)):
        name = labels.get(USE_WAYPOINT, "")
        if name:
            namespace = labels.get(USE_WAYPOINT_NAMESPACE, "") or subject.namespace
            return GatewayKey(inventory.cluster, namespace, name) if name != "none" else None
    return None


def waypoint_hops(
    inventory: Inventory,
    bindings: Bindings,
    hops: Iterable[Hop],
    steered: Mapping[Subject, frozenset[ObjectKey]],
) -> tuple[Hop, ...]:
    """Return the hops with those of waypoints told apart and completed, sorted.

    What a waypoint sends to a Service that is bound to it, or along a route whose parent is a Service, gets the rule
    `waypoint`. A Service that is bound and steered by no route is a hop without shares, or one that carries more than
    its shares tell: all its traffic goes through.

    *Source:* for a port of a Service without routes, kgateway's waypoint has a filter chain that forwards to the very
    Envoy cluster that a backendRef to this port would use (2.0 and 2.1). That the routes of the waypoint Gateway itself
    take the place of these chains is not followed: then the cluster counts what those routes send to it. The first host
    of a ServiceEntry has a cluster per port, and ports of ServiceEntries are not read: no name is guessed for its hops.

    Args:
        inventory: The cluster.
        bindings: Whose traffic takes which waypoint.
        hops: Every hop made by routes.
        steered: The routes whose parent is this Service or ServiceEntry.
    """
    if not bindings.waypoint_of:
        return tuple(hops)
    routes = frozenset(route for keys in steered.values() for route in keys)
    own = bindings.ends
    made: list[Hop] = []
    plain = _plain_clusters(inventory, bindings, steered)
    for hop in hops:
        if hop.source in own and hop.rule == WORKLOAD and isinstance(hop.target, ServiceKey):
            on_the_way = hop.target in own[hop.source] or all(share.route in routes for share in hop.shares)
            clusters = tuple(sorted({*hop.envoy_clusters, *plain.get((hop.source, hop.target), ())}))
            made.append(replace(hop, rule=BY_WAYPOINT, envoy_clusters=clusters) if on_the_way else hop)
        else:
            made.append(hop)
    reached = {(hop.source, _order_of(hop)) for hop in made}
    for subject, waypoint in bindings.waypoint_of.items():
        if subject not in steered:
            for end in _ends(inventory, subject):
                clusters = plain.get((waypoint, end), ()) if isinstance(end, ServiceKey) else ()
                hop = Hop(source=waypoint, target=end, rule=BY_WAYPOINT, envoy_clusters=clusters, shares=())
                if (waypoint, _order_of(hop)) not in reached:
                    reached.add((waypoint, _order_of(hop)))
                    made.append(hop)
    return tuple(sorted(made, key=lambda hop: (hop.source, *_order_of(hop), hop.rule)))


def _plain_clusters(
    inventory: Inventory, bindings: Bindings, steered: Mapping[Subject, frozenset[ObjectKey]]
) -> dict[tuple[GatewayKey, ServiceKey], tuple[str, ...]]:
    """The Envoy clusters by which a waypoint of kgateway forwards what no route steers, sorted.

    A headless Service has none: its clients reach its pods past the waypoint.
    """
    found: dict[tuple[GatewayKey, ServiceKey], tuple[str, ...]] = {}
    for subject, waypoint in bindings.waypoint_of.items():
        if subject.kind != "Service" or subject in steered or inventory.controllers[waypoint] != KGATEWAY_CONTROLLER:
            continue
        spec = inventory.services[subject.namespace, subject.name].spec
        ports = sorted(port.port for port in spec.ports) if spec.cluster_ip != HEADLESS else []
        service = ServiceKey(inventory.cluster, subject.namespace, subject.name)
        found[waypoint, service] = tuple(service_cluster(service.namespace, service.name, port) for port in ports)
    return found


def _order_of(hop: Hop) -> tuple[str, tuple[str, ...]]:
    return type(hop.target).__name__, tuple(hop.target)


def _ends(inventory: Inventory, subject: Subject) -> tuple[ServiceKey | ExternalKey, ...]:
    """What a bound object stands for: itself, or the hosts of an entry that leads out of the cluster."""
    if subject.kind == "Service":
        return (ServiceKey(inventory.cluster, subject.namespace, subject.name),)
    entry: ServiceEntry = inventory.service_entries[(subject.namespace, subject.name)]
    if entry.spec.location != MESH_EXTERNAL:
        return ()
    return tuple(ExternalKey(inventory.cluster, host) for host in sorted(set(entry.spec.hosts)))


def subjects_of(bindings: Bindings, namespace: str, route: Route) -> Iterator[Subject]:
    """Yield the bound Services and ServiceEntries that a route in this namespace has as parents."""
    for ref in route.spec.parent_refs if bindings.waypoint_of else ():
        if bindings.parent(ref, namespace) is not None:
            yield Subject(ref.kind, ref.namespace or namespace, ref.name)
