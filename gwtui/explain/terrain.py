"""One cluster as requests find it: its virtual hosts, where references lead, and how many endpoints are ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from gwtui.explain.policies import Policies
from gwtui.explain.virtual_hosts import Place, VirtualHosts, places_of
from gwtui.model import resources
from gwtui.model.gateway_api import Route, Rule
from gwtui.model.health import SourceState
from gwtui.model.ids import GatewayKey, ObjectKey, ServiceKey
from gwtui.model.known import Unknown
from gwtui.model.kubernetes import EndpointSlice
from gwtui.model.relations.backends import Resolver
from gwtui.model.relations.inventory import Inventory
from gwtui.model.relations.waypoints import TO_WAYPOINT, Bindings, bindings_of
from gwtui.model.shape import FrontDoor, GatewayNode
from gwtui.model.snapshot import ClusterView

ENDPOINT_SLICES = "endpointslices.discovery.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
"""Label of an EndpointSlice: the Service it belongs to."""

_ROUTED = (
    resources.GATEWAYS,
    resources.GATEWAY_CLASSES,
    resources.NAMESPACES,
    *resources.LISTENER_SETS,
    *resources.ROUTES,
)
"""Kinds that virtual hosts are made of."""


class Endpoints(NamedTuple):
    """How many endpoints of a Service may get requests."""

    ready: int
    total: int


class Live(NamedTuple):
    """What the proxies of a gateway measure in one of their upstreams now."""

    rps: float
    error_ratio: float | None
    """Share of 5xx answers, 0 to 1; None where there were no requests."""


Measured = Callable[[GatewayKey, str], Live | None]
"""What goes to an upstream of a gateway now; None where nobody measures it."""

Members = Callable[[GatewayKey, str], Endpoints | Unknown]
"""How many endpoints the proxies of a gateway count in one of their upstreams."""


def nobody_counts(_gateway: GatewayKey, _cluster: str) -> Endpoints | Unknown:
    """No proxy tells."""
    return Unknown("no proxy counts them")


_DECIDING = (resources.GATEWAYS, resources.HTTP_ROUTES, resources.GRPC_ROUTES, *resources.LISTENER_SETS[:1])
"""Kinds without which somebody else may take a request."""


def _is_whole(view: ClusterView, kind: str) -> bool:
    """Whether every object of a kind is known. A kind that the cluster does not serve has none."""
    health = view.sources.get(kind)
    if health is not None and health.state is SourceState.NOT_SERVED:
        return True
    return kind in view.objects and kind not in view.scopes


def _unread(view: ClusterView) -> Iterator[str]:
    for kind in _DECIDING:
        name, health = kind.partition(".")[0], view.sources.get(kind)
        state = health.state if health is not None else None
        if _is_whole(view, kind):
            if state in {SourceState.STALE, SourceState.FAILED}:
                yield f"{name} are {state}: what is told is as old as they are"
        elif kind in view.objects:
            spaces = ", ".join(sorted(view.scopes.get(kind, ())))
            yield f"{name} are read in namespaces {spaces} alone: others may decide"
        else:
            yield f"{name} are not read{f' ({state})' if state is not None else ''}: they may decide"


def nobody_measures(_gateway: GatewayKey, _cluster: str) -> Live | None:
    """No proxy tells."""
    return None


class Terrain:
    """One cluster at one moment. What is found is kept: asking again costs next to nothing.

    Args:
        view: The cluster.
        members: Counts the endpoints of upstreams where EndpointSlices are not read.
        measured: Tells what goes to upstreams now.
        before: The terrain of an earlier moment: what still holds is taken from it.
    """

    def __init__(
        self,
        view: ClusterView,
        members: Members = nobody_counts,
        measured: Measured = nobody_measures,
        before: Terrain | None = None,
    ) -> None:
        self.view = view
        self.cluster = view.name
        self.inventory = Inventory(view.name, view.objects, view.scopes)
        self.members = members
        self.measured = measured
        self._slices: Mapping[tuple[str, str], EndpointSlice] | None = view.objects.get(ENDPOINT_SLICES)
        self._places: dict[GatewayKey, tuple[Place, ...]] = {}
        if before is not None:
            self._take_over(before)

    def _take_over(self, before: Terrain) -> None:
        now, then = self.view, before.view
        is_same_shape = now.topology is then.topology and now.scopes == then.scopes
        if is_same_shape and all(now.objects.get(each) is then.objects.get(each) for each in _ROUTED):
            self._places = before._places
            if "hosts" in before.__dict__:
                self.__dict__["hosts"] = before.hosts
        if self._slices is before._slices and "_by_service" in before.__dict__:
            self.__dict__["_by_service"] = before._by_service
        if now.objects.get(resources.TRAFFIC_POLICIES) is then.objects.get(resources.TRAFFIC_POLICIES):
            self.__dict__["policies"] = before.policies

    @cached_property
    def hosts(self) -> VirtualHosts:
        """Where matches compete."""
        return VirtualHosts(self.inventory, self.view.topology.gateways)

    @cached_property
    def policies(self) -> Policies:
        """What is attached to gateways and routes."""
        return Policies(self.inventory)

    @cached_property
    def nodes(self) -> Mapping[GatewayKey, GatewayNode]:
        """The gateways of the topology."""
        return {node.key: node for node in self.view.topology.gateways}

    @cached_property
    def doors(self) -> Mapping[GatewayKey, tuple[FrontDoor, ...]]:
        """What stands before each gateway of the first tier."""
        found: dict[GatewayKey, tuple[FrontDoor, ...]] = {}
        for door in self.view.topology.front_doors:
            found[door.gateway] = (*found.get(door.gateway, ()), door)
        return found

    @cached_property
    def resolver(self) -> Resolver:
        """Where references lead."""
        services = ((service, node.key) for node in self.view.topology.gateways for service in node.services)
        return Resolver(
            inventory=self.inventory,
            gateways={(service.namespace, service.name): key for service, key in services},
            addresses={
                address.value: key
                for key, gateway in self.inventory.gateways.items()
                for address in gateway.status.addresses
            },
        )

    @cached_property
    def waypoints(self) -> Mapping[tuple[GatewayKey, str], GatewayKey]:
        """The waypoint that takes what a gateway sends to an upstream, by gateway and name of the upstream."""
        return {
            (hop.source, cluster): hop.target
            for hop in self.view.topology.hops
            if hop.rule == TO_WAYPOINT and isinstance(hop.target, GatewayKey)
            for cluster in hop.envoy_clusters
        }

    @cached_property
    def unread(self) -> tuple[str, ...]:
        """What of the objects that decide about requests is not read, or not as it is now; one line each."""
        return tuple(_unread(self.view))

    @property
    def are_routes_read(self) -> bool:
        """Whether every HTTPRoute and GRPCRoute is known, so that no other can take a request."""
        return all(_is_whole(self.view, kind) for kind in (resources.HTTP_ROUTES, resources.GRPC_ROUTES))

    @cached_property
    def bindings(self) -> Bindings:
        """Which Services send their traffic through which waypoint."""
        return bindings_of(self.inventory, self.resolver.gateways)

    def places(self, gateway: GatewayKey) -> tuple[Place, ...]:
        """The listeners of a gateway, those of its ListenerSets included."""
        if gateway not in self._places:
            self._places[gateway] = places_of(self.inventory, gateway)
        return self._places[gateway]

    def route(self, key: ObjectKey) -> Route | None:
        """A route; None where there is none."""
        found: Route | None = self.inventory.of(key.resource).get((key.namespace, key.name))
        return found

    def rule(self, key: ObjectKey, position: int) -> Rule | None:
        """A rule of a route; None where there is none."""
        route = self.route(key)
        rules: tuple[Rule, ...] = route.spec.rules if route is not None else ()
        return rules[position] if position < len(rules) else None

    def endpoints(self, service: ServiceKey) -> Endpoints | Unknown:
        """How many endpoints of a Service are ready, by its EndpointSlices."""
        if not self.inventory.was_read_in(ENDPOINT_SLICES, service.namespace):
            return Unknown("EndpointSlices are not read")
        return self._by_service.get((service.namespace, service.name), Endpoints(0, 0))

    @cached_property
    def _by_service(self) -> Mapping[tuple[str, str], Endpoints]:
        seen: dict[tuple[str, str], dict[tuple[str, ...], bool]] = {}
        for (namespace, _), each in (self._slices or {}).items():
            known = seen.setdefault((namespace, each.metadata.labels.get(SERVICE_NAME, "")), {})
            for endpoint in each.endpoints:
                # One endpoint may stand in several slices, one for each kind of address.
                target = endpoint.target_ref
                key = (target.kind, target.name) if target is not None and target.name else endpoint.addresses
                known[key] = known.get(key, False) or endpoint.conditions.ready is not False
        return {name: Endpoints(sum(known.values()), len(known)) for name, known in seen.items()}
