"""What is known of the backends a route names: whether they exist, may be used, and have anything ready."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from gwtui.model import resources
from gwtui.model.agentgateway import AGENTGATEWAY
from gwtui.model.gateway_api import GATEWAY_API, BackendRef, GrpcRule, HttpRule, Route, Rule
from gwtui.model.ids import NamespacedName
from gwtui.model.istio import ISTIO_NETWORKING
from gwtui.model.kgateway import DELEGATION, KGATEWAY
from gwtui.model.kubernetes import EndpointSlice, Service
from gwtui.model.names import backend_cluster, service_cluster
from gwtui.model.observed import together
from gwtui.model.relations.attachment import ANY
from gwtui.model.relations.inventory import Inventory
from gwtui.model.route_filters import Filter, GrpcFilter, MirrorTarget
from gwtui.model.snapshot import ClusterView, Snapshot

ENDPOINT_SLICES = "endpointslices.discovery.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"

_RESOURCES = {
    ("", "Service"): resources.SERVICES,
    (KGATEWAY, "Backend"): resources.BACKENDS,
    (GATEWAY_API, "HTTPRoute"): resources.HTTP_ROUTES,
    (AGENTGATEWAY, "AgentgatewayBackend"): resources.AGENTGATEWAY_BACKENDS,
    (ISTIO_NETWORKING, "ServiceEntry"): resources.SERVICE_ENTRIES,
}
"""Kinds that can be looked for."""


class Ready(NamedTuple):
    """Endpoints of a backend, of whoever sees the fewest."""

    ready: int
    total: int
    seen_by: str
    """`its endpoints`, `the proxies of infra/edge`."""


class Backends:
    """The backends of one cluster.

    Args:
        snapshot: Everything known.
        view: The cluster in it.
    """

    def __init__(self, snapshot: Snapshot, view: ClusterView) -> None:
        self._snapshot = snapshot
        self._view = view
        self._inventory = Inventory(view.name, view.objects, view.scopes)

    def missing(self, ref: BackendRef, namespace: str) -> str:
        """Return why a backend is known not to be there; empty when it is, or when that cannot be known.

        Args:
            ref: The reference.
            namespace: Of the route.
        """
        resource = _RESOURCES.get((ref.group, ref.kind), "")
        name = _name(ref, namespace)
        if not resource or ref.name == ANY or not self._inventory.was_read_in(resource, name[0]):
            return ""
        found = self._inventory.of(resource).get(name)
        if found is None:
            return f"{ref.kind} {name[0]}/{name[1]} does not exist"
        if isinstance(found, Service) and ref.port and all(port.port != ref.port for port in found.spec.ports):
            return f"Service {name[0]}/{name[1]} has no port {ref.port}"
        return ""

    def ungranted(self, ref: BackendRef, kind: str, namespace: str) -> str:
        """Return why a backend of another namespace may not be used; empty when it may, or when that is not known.

        Args:
            ref: The reference.
            kind: Of the route.
            namespace: Of the route.
        """
        name = _name(ref, namespace)
        is_free = (ref.group, ref.kind) in {(GATEWAY_API, "HTTPRoute"), (DELEGATION, "label")}
        if is_free or not self._inventory.was_read_in(resources.REFERENCE_GRANTS, name[0]):
            return ""
        if self._inventory.is_granted(
            kind=kind, namespace=namespace, group=ref.group, target_kind=ref.kind, target=name
        ):
            return ""
        return f"no ReferenceGrant in {name[0]} lets {kind} of {namespace} use {ref.kind} {name[1]}"

    def ready(self, ref: BackendRef, namespace: str) -> Ready | None:
        """Return how many endpoints of a backend are ready; None when nothing tells.

        Args:
            ref: The reference.
            namespace: Of the route.
        """
        name = _name(ref, namespace)
        found = list(self._observed(ref, name))
        if (ref.group, ref.kind) == ("", "Service") and (slices := self._listed(name)) is not None:
            found.append(slices)
        return min(found, key=lambda each: (each.ready / (each.total or 1), each.ready), default=None)

    def protocol(self, ref: BackendRef, namespace: str) -> str | None:
        """Return the application protocol of a Service's port, empty when it names none; None when it is not known."""
        if (ref.group, ref.kind) != ("", "Service"):
            return None
        service = self._inventory.services.get(_name(ref, namespace))
        ports = service.spec.ports if service is not None else ()
        return next((port.app_protocol for port in ports if port.port == ref.port), None)

    def _listed(self, name: NamespacedName) -> Ready | None:
        service = self._inventory.services.get(name)
        if service is None or service.spec.type == "ExternalName":
            return None
        if not self._inventory.was_read_in(ENDPOINT_SLICES, name[0]):
            return None
        if name not in self._endpoints and not service.spec.selector:
            return None  # somebody else looks after its endpoints
        ready, total = self._endpoints.get(name, (0, 0))
        return Ready(ready, total, "its endpoints")

    @cached_property
    def _endpoints(self) -> Mapping[NamespacedName, tuple[int, int]]:
        """Ready and all endpoints by Service."""
        found: dict[NamespacedName, tuple[int, int]] = {}
        slices: Mapping[NamespacedName, EndpointSlice] = self._inventory.of(ENDPOINT_SLICES)
        for (namespace, _), each in slices.items():
            name = (namespace, each.metadata.labels.get(SERVICE_NAME, ""))
            ready = sum(endpoint.conditions.ready is not False for endpoint in each.endpoints)
            before = found.get(name, (0, 0))
            found[name] = before[0] + ready, before[1] + len(each.endpoints)
        return found

    def _observed(self, ref: BackendRef, name: NamespacedName) -> Iterator[Ready]:
        """The endpoints as the proxies of each gateway see them that sends to it."""
        if (ref.group, ref.kind) == ("", "Service"):
            cluster = service_cluster(*name, ref.port)
        elif (ref.group, ref.kind) == (KGATEWAY, "Backend"):
            cluster = backend_cluster(*name)
        else:
            return
        sources = {hop.source for hop in self._view.topology.hops if cluster in hop.envoy_clusters}
        for node in self._view.topology.gateways:
            traffic = together(self._snapshot, node) if node.key in sources else None
            found = traffic.clusters.get(cluster) if traffic is not None else None
            if found is not None and found.members_healthy is not None and found.members_total is not None:
                yield Ready(found.members_healthy, found.members_total, f"the proxies of {node.key}")


def references(route: Route) -> Iterable[tuple[int, BackendRef]]:
    """Return every backend and mirror a route names, with the position of its rule."""
    found: dict[tuple[int, BackendRef], None] = {}
    rules: Sequence[Rule] = route.spec.rules
    for position, rule in enumerate(rules):
        sent: Sequence[BackendRef] = rule.backend_refs
        for ref in (*map(plain, sent), *map(plain, _mirrors(rule))):
            found[position, ref] = None
    return found


def _mirrors(rule: Rule) -> Iterator[MirrorTarget]:
    if isinstance(rule, HttpRule | GrpcRule):
        filters: list[Filter | GrpcFilter] = [*rule.filters]
        for ref in rule.backend_refs:
            filters.extend(ref.filters)
        for each in filters:
            if each.request_mirror is not None:
                yield each.request_mirror.backend_ref


def plain(ref: BackendRef | MirrorTarget) -> BackendRef:
    """Return a reference as what it names alone."""
    return BackendRef(name=ref.name, group=ref.group, kind=ref.kind, namespace=ref.namespace, port=ref.port)


def _name(ref: BackendRef, namespace: str) -> NamespacedName:
    return ref.namespace or namespace, ref.name
