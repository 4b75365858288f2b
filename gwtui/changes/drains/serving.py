"""What a gateway serves behind another one: its own routes, by the hostnames that come from there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gwtui.changes.projection import named_gateway
from gwtui.explain.precedence import takes_host
from gwtui.model.gateway_api import GrpcRoute, HttpRoute, ParentRef, Route, TlsRoute
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.names import ANY_HOST
from gwtui.model.relations.inventory import Inventory
from gwtui.model.resources import GRPC_ROUTES, HTTP_ROUTES
from gwtui.model.shape import GatewayNode
from gwtui.model.snapshot import ClusterView

_OF_REQUESTS = frozenset({HTTP_ROUTES, GRPC_ROUTES})


def parents_at(inventory: Inventory, gateway: GatewayKey, namespace: str, refs: Iterable[ParentRef]) -> tuple[int, ...]:
    """Return the positions of the parentRefs that name a gateway, itself or by a ListenerSet.

    Args:
        inventory: The cluster.
        gateway: The gateway.
        namespace: Of the route.
        refs: Its parentRefs.
    """
    return tuple(position for position, ref in enumerate(refs) if named_gateway(inventory, ref, namespace) == gateway)


class Serving:
    """The routes attached to one gateway, by hostname.

    Routes that are there by delegation alone are left out: they come and go with their parents.

    Args:
        view: The cluster.
        node: The gateway.
    """

    def __init__(self, view: ClusterView, node: GatewayNode) -> None:
        inventory = Inventory(view.name, view.objects, view.scopes)
        self._exact: dict[str, list[ObjectKey]] = {}
        self._patterns: list[tuple[str, ObjectKey]] = []
        for key in node.routes:
            route: Route | None = inventory.of(key.resource).get((key.namespace, key.name))
            if route is None or not parents_at(inventory, node.key, key.namespace, route.spec.parent_refs):
                continue
            for host in _hostnames(route):
                if _is_pattern(host):
                    self._patterns.append((host, key))
                else:
                    self._exact.setdefault(host, []).append(key)

    def of(self, hostnames: Iterable[str]) -> Mapping[ObjectKey, frozenset[str]]:
        """Return the routes that take requests for some hostnames, with which of them; empty is every hostname."""
        found: dict[ObjectKey, set[str]] = {}
        for wanted in tuple(hostnames) or (ANY_HOST,):
            for own, key in self._near(wanted):
                if narrow := _narrower(wanted, own):
                    found.setdefault(key, set()).add(narrow)
        return {key: frozenset(hosts) for key, hosts in sorted(found.items())}

    def _near(self, wanted: str) -> Iterator[tuple[str, ObjectKey]]:
        """What may take requests for a hostname: where that is no pattern, few of the exact ones do."""
        yield from self._patterns
        for host in self._exact if _is_pattern(wanted) else (wanted,):
            for key in self._exact.get(host, ()):
                yield host, key


def fits(sender: ObjectKey, route: ObjectKey) -> bool:
    """Whether a route may take what another sends: requests are taken by routes of requests, streams by any."""
    return sender.resource not in _OF_REQUESTS or route.resource in _OF_REQUESTS


def _hostnames(route: Route) -> tuple[str, ...]:
    own = route.spec.hostnames if isinstance(route, HttpRoute | GrpcRoute | TlsRoute) else ()
    return own or (ANY_HOST,)


def _is_pattern(host: str) -> bool:
    return host == ANY_HOST or host.startswith("*.")


def _narrower(one: str, other: str) -> str:
    """The hostname that takes what both take; empty where they share nothing."""
    if takes_host(one, other):
        return other
    return one if takes_host(other, one) else ""
