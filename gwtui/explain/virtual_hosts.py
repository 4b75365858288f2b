"""Which rules meet in which virtual host: listeners, hostnames and delegation put together.

*Source:* kgateway makes one route configuration of all plain HTTP listeners of a port and one of each other listener;
within it one virtual host per hostname. Envoy looks into the most specific virtual host alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gwtui.explain.matching import as_http
from gwtui.explain.precedence import ROUTE_WEIGHT, Candidate, Link, order, takes_host
from gwtui.model import resources
from gwtui.model.gateway_api import (
    GATEWAY_API,
    GrpcRoute,
    GrpcRule,
    HttpMatch,
    HttpRoute,
    HttpRule,
    Listener,
    ParentRef,
    Route,
    Rule,
    TcpRoute,
    TlsRoute,
    UdpRoute,
)
from gwtui.model.ids import GatewayKey, NamespacedName, ObjectKey
from gwtui.model.names import ANY_HOST
from gwtui.model.relations.attachment import descendants, is_delegation, leads_nowhere
from gwtui.model.relations.claims import LISTENER_SET_KINDS
from gwtui.model.relations.delegation import EVERY_REQUEST, Matches, matches_of
from gwtui.model.relations.inventory import Inventory
from gwtui.model.shape import GatewayNode

UNKNOWN_LISTENER = "?"
"""Of routes that are attached, though no listener is known to take them."""

_OWNERS = frozenset({"Gateway", *(kind for _, kind in LISTENER_SET_KINDS)})


class VirtualHost(NamedTuple):
    """Where matches compete for requests."""

    gateway: GatewayKey
    listener: str
    """`port 8080` for all plain HTTP listeners of a port; the name of any other listener, or of the Service whose
    traffic a waypoint takes."""
    host: str
    """`*` is any host."""


@dataclass(frozen=True, slots=True)
class Place:
    """A listener of a Gateway, its own or that of a ListenerSet."""

    listener: Listener
    owner: NamespacedName
    """The Gateway, or the ListenerSet."""
    owner_kind: str

    @property
    def name(self) -> str:
        """What its virtual hosts are told apart by."""
        if self.listener.protocol == "HTTP":
            return f"port {self.listener.port or 80}"
        inside = self.listener.name
        return inside if self.owner_kind == "Gateway" else f"{self.owner[0]}/{self.owner[1]}/{inside}"


def places_of(inventory: Inventory, gateway: GatewayKey) -> tuple[Place, ...]:
    """Return the listeners of a Gateway."""
    name = (gateway.namespace, gateway.name)
    found = inventory.gateways.get(gateway)
    own = [Place(each, name, "Gateway") for each in (found.spec.listeners if found else ())]
    for set_name, (parent, listener_set) in inventory.listener_sets.items():
        if parent == gateway:
            own += [Place(each, set_name, "ListenerSet") for each in listener_set.spec.listeners]
    return tuple(own)


def hosts_of(
    inventory: Inventory, gateway: GatewayKey, namespace: str, route: Route, refs: Iterable[ParentRef]
) -> dict[str, tuple[str, ...]]:
    """Return the hostnames a route has on each listener of a Gateway it may attach to, by `Place.name`.

    Args:
        inventory: The cluster.
        gateway: The Gateway.
        namespace: Where the route is.
        route: The route.
        refs: The parentRefs to go by.
    """
    found: dict[str, dict[str, None]] = {}
    places = places_of(inventory, gateway)
    for ref in refs:
        for place in places:
            if _is_named(ref, namespace, place) and _is_allowed(inventory, namespace, route, place):
                for host in _shared(place.listener.hostname, route):
                    found.setdefault(place.name, {})[host] = None
    return {name: tuple(hosts) for name, hosts in found.items()}


class VirtualHosts:
    """The virtual hosts of some gateways, looked into one by one.

    Args:
        inventory: The cluster.
        nodes: The gateways, with the routes attached to them.
    """

    def __init__(self, inventory: Inventory, nodes: Iterable[GatewayNode]) -> None:
        self._inventory = inventory
        self._expanded: dict[ObjectKey, tuple[Candidate, ...]] = {}
        self._sorted: dict[VirtualHost, tuple[Candidate, ...]] = {}
        self._routes: dict[VirtualHost, list[ObjectKey]] = {}
        for node in nodes:
            for key in node.routes:
                route: Route | None = inventory.of(key.resource).get((key.namespace, key.name))
                if route is not None:
                    for listener, hosts in _attached(inventory, node.key, key.namespace, route).items():
                        for host in hosts:
                            self._routes.setdefault(VirtualHost(node.key, listener, host), []).append(key)

    def of(self, routes: Collection[ObjectKey]) -> tuple[VirtualHost, ...]:
        """Return the virtual hosts in which some of these routes have a part, be it by delegation."""
        return tuple(
            place
            for place, keys in self._routes.items()
            if any(not self._below(key).isdisjoint(routes) for key in keys)
        )

    def candidates(self, place: VirtualHost) -> tuple[Candidate, ...]:
        """Return the matches of a virtual host, the one that is tried first first; none where there is no such host."""
        if place not in self._sorted:
            matches = [each for key in self._routes.get(place, ()) for each in self._expand(key)]
            self._sorted[place] = tuple(sorted(matches, key=order))
        return self._sorted[place]

    def serving(self, wanted: VirtualHost) -> VirtualHost | None:
        """Return the virtual host of the same listener that takes the requests of a host; None when none does."""
        for host in _patterns(wanted.host):
            place = wanted._replace(host=host)
            if place in self._routes:
                return place
        return None

    def routes(self, place: VirtualHost) -> tuple[ObjectKey, ...]:
        """Return the routes that are attached to a virtual host themselves, not by delegation."""
        return tuple(self._routes.get(place, ()))

    def _expand(self, key: ObjectKey) -> tuple[Candidate, ...]:
        if key not in self._expanded:
            self._expanded[key] = tuple(candidates_of(self._inventory, key))
        return self._expanded[key]

    def _below(self, key: ObjectKey) -> frozenset[ObjectKey]:
        """A route and those it delegates to."""
        route: Route = self._inventory.of(key.resource)[(key.namespace, key.name)]
        if not any(map(_delegates, route.spec.rules)):
            return frozenset({key})
        return frozenset({key, *(link.key for each in self._expand(key) for link in each.chain)})


def _patterns(host: str) -> Iterator[str]:
    """The hostnames of virtual hosts that take a host, the one Envoy prefers first."""
    yield host
    rest = host
    while "." in rest:
        rest = rest.partition(".")[2]
        yield f"*.{rest}"
    yield from (ANY_HOST, "")


def candidates_of(inventory: Inventory, key: ObjectKey) -> Iterator[Candidate]:
    """Yield every match of a route; in place of rules that delegate, the matches of the routes below.

    Where a rule delegates to nobody it keeps its place: kgateway answers there with 500.
    """
    route: Route = inventory.of(key.resource)[(key.namespace, key.name)]
    top = (_link(key, route),)
    yield from _own(inventory, top, route, dict(enumerate(map(_matches, route.spec.rules))), 0)
    if isinstance(route, HttpRoute) and any(
        is_delegation(ref) for rule in route.spec.rules for ref in rule.backend_refs
    ):
        for entry, below in enumerate(descendants(inventory, key, route), start=1):
            above = tuple(_link(each, inventory.of(each.resource)[(each.namespace, each.name)]) for each in below.above)
            yield from _own(inventory, (*above, _link(below.key, below.route)), below.route, below.rules, entry)


def _own(
    inventory: Inventory, chain: tuple[Link, ...], route: Route, rules: Mapping[int, Matches], entry: int
) -> Iterator[Candidate]:
    weight, key = _weight(route), chain[-1].key
    above = [each.key for each in chain[:-1]]
    for position, matches in rules.items():
        refs = [ref for ref in route.spec.rules[position].backend_refs if is_delegation(ref)]
        for index, match in enumerate(matches):
            if refs and not any(leads_nowhere(inventory, key, ref, match, above) for ref in refs):
                continue
            yield Candidate(
                chain=chain, rule_index=position, match_index=index, match=match, weight=weight, entry=entry
            )


def _delegates(rule: Rule) -> bool:
    return any(is_delegation(ref) for ref in rule.backend_refs)


def _link(key: ObjectKey, route: Route) -> Link:
    return Link(key=key, created=route.metadata.creation_timestamp)


def _weight(route: Route) -> int:
    try:
        return int(route.metadata.annotations.get(ROUTE_WEIGHT, "0"))
    except ValueError:
        return 0


def _matches(rule: Rule) -> tuple[HttpMatch, ...]:
    """The matches of a rule of any kind; what does not look at requests takes all of them."""
    if isinstance(rule, GrpcRule):
        return tuple(map(as_http, rule.matches)) or EVERY_REQUEST
    return matches_of(rule) if isinstance(rule, HttpRule) else EVERY_REQUEST


def _attached(inventory: Inventory, gateway: GatewayKey, namespace: str, route: Route) -> Mapping[str, tuple[str, ...]]:
    """Hostnames by listener of a route that is attached to a Gateway itself; nothing for one that is a child there."""
    refs = route.spec.parent_refs
    found = hosts_of(inventory, gateway, namespace, route, refs)
    if found:
        return found
    owners = {(gateway.namespace, gateway.name), *(place.owner for place in places_of(inventory, gateway))}
    if any(ref.kind in _OWNERS and (ref.namespace or namespace, ref.name) in owners for ref in refs):
        # Its controller took it for a reason that is not read here.
        return {UNKNOWN_LISTENER: route.spec.hostnames or (ANY_HOST,)}
    services = [ref for ref in refs if (ref.group, ref.kind) == ("", "Service")]
    return {f"Service {ref.namespace or namespace}/{ref.name}": (ANY_HOST,) for ref in services}


def _is_named(ref: ParentRef, namespace: str, place: Place) -> bool:
    if (ref.namespace or namespace, ref.name) != place.owner:
        return False
    kind = "ListenerSet" if (ref.group, ref.kind) in LISTENER_SET_KINDS else ref.kind
    return (
        kind == place.owner_kind
        and (kind != "Gateway" or ref.group == GATEWAY_API)
        and ref.section_name in {"", place.listener.name}
        and ref.port in {0, place.listener.port}
    )


_PROTOCOLS: Mapping[type, frozenset[str]] = {
    TlsRoute: frozenset({"TLS"}),
    TcpRoute: frozenset({"TCP", "TLS"}),
    UdpRoute: frozenset({"UDP"}),
}


def _is_allowed(inventory: Inventory, namespace: str, route: Route, place: Place) -> bool:
    """Whether a listener takes routes of this kind and namespace, as far as is read of it."""
    protocol = place.listener.protocol
    wanted = _PROTOCOLS.get(type(route))
    if protocol not in wanted if wanted is not None else protocol in {"TLS", "TCP", "UDP"}:
        return False
    allowed = place.listener.allowed_routes.namespaces
    match allowed.from_:
        case "All":
            return True
        case "Same":
            return namespace == place.owner[0]
        case "Selector":
            # Expressions are not read: what cannot be told is taken as allowed.
            labels = allowed.selector.match_labels if allowed.selector is not None else {}
            known = inventory.was_read(resources.NAMESPACES)
            return not known or labels.items() <= inventory.labels_of_namespace(namespace).items()
        case _:
            return False


def _shared(own: str, route: Route) -> Iterator[str]:
    """The hostnames both a listener and a route take, each the narrower of the two."""
    listens = own or ANY_HOST
    if isinstance(route, HttpRoute | GrpcRoute | TlsRoute):
        for host in route.spec.hostnames or (listens,):
            if takes_host(listens, host):
                yield host
            elif takes_host(host, listens):
                yield listens
    else:
        yield ANY_HOST
