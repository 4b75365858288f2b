"""Which HTTPRoute or GRPCRoute attaches to which listeners, and under which hostnames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gwtui.playground.translation.delegation import children
from gwtui.playground.translation.grpc import as_http
from gwtui.playground.translation.waypoints import inbound, waypoint_of
from gwtui.playground.world import (
    GATEWAY_API,
    GATEWAYS,
    GRPC_ROUTES,
    HTTP_ROUTES,
    NAMESPACES,
    SERVICES,
    Json,
    World,
    key_of,
)

ANY_HOST = "*"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One way a route takes part in a Gateway of ours.

    Its parentRef names the Gateway, or a Service whose waypoint it is; or another route delegates to it.
    """

    route: Json
    """A GRPCRoute has the matches of an HTTPRoute here."""
    parent: Json
    """The parentRef as written; for a route that is delegated to, one that names the route above."""
    gateway: Json
    listeners: tuple[tuple[Json, tuple[str, ...]], ...]
    """(listener, hostnames the route has on it); `*` stands for every host.

    Empty when the route was not accepted, or when it takes part by delegation.
    """
    reason: str
    """`Accepted`, `NoMatchingParent`, `NotAllowedByListeners` or `NoMatchingListenerHostname`."""


def attachments(world: World) -> list[Attachment]:
    """Every route of every Gateway of ours, accepted or not."""
    ours = {key_of(gateway) for gateway in world.gateways()}
    found = []
    for route in (*world.all(HTTP_ROUTES), *map(as_http, world.all(GRPC_ROUTES))):
        for parent in route["spec"].get("parentRefs", ()):
            kind = (parent.get("group", GATEWAY_API), parent.get("kind", "Gateway"))
            key = (parent.get("namespace") or route["metadata"]["namespace"], parent["name"])
            if kind == ("", "Service") and (attachment := _at_waypoint(world, route, parent, key)):
                found.append(attachment)
            if kind != (GATEWAY_API, "Gateway"):
                continue
            gateway = world.get(GATEWAYS, *key)
            if gateway is not None and key in ours:
                found.append(_attach(world, route, parent, gateway))
    below = {
        (key_of(each.route), key_of(each.gateway), each.parent["namespace"], each.parent["name"]): each
        for attachment in found
        if attachment.listeners
        for each in _below(world, attachment)
    }
    return [*found, *below.values()]


def _below(world: World, attachment: Attachment, path: tuple[tuple[str, str], ...] = ()) -> Iterator[Attachment]:
    """The routes that an attached one delegates to, at any depth; a route on the way to itself is left out."""
    namespace, name = key_of(attachment.route)
    path = (*path, (namespace, name))
    parent = {"group": GATEWAY_API, "kind": "HTTPRoute", "namespace": namespace, "name": name}
    chosen = {
        key_of(child): child
        for rule in attachment.route["spec"].get("rules", ())
        for child in children(world, attachment.route, rule)
    }
    for key, child in chosen.items():
        if key not in path:
            found = Attachment(child, parent, attachment.gateway, (), "Accepted")
            yield found
            yield from _below(world, found, path)


def _at_waypoint(world: World, route: Json, parent: Json, key: tuple[str, str]) -> Attachment | None:
    """The attachment of a route to a Service, by way of the Service's waypoint."""
    service = world.get(SERVICES, *key)
    waypoint = waypoint_of(world, service) if service else None
    listener = inbound(waypoint) if waypoint else None
    if waypoint is None or listener is None:
        return None
    return Attachment(route, parent, waypoint, ((listener, (ANY_HOST,)),), "Accepted")


def _attach(world: World, route: Json, parent: Json, gateway: Json) -> Attachment:
    named = [
        listener
        for listener in gateway["spec"].get("listeners", ())
        if parent.get("sectionName", listener["name"]) == listener["name"]
        and parent.get("port", listener["port"]) == listener["port"]
    ]
    allowed = [listener for listener in named if _is_allowed(world, route, gateway, listener)]
    hosted = [(listener, _shared_hosts(listener, route)) for listener in allowed]
    accepted = tuple((listener, hosts) for listener, hosts in hosted if hosts)
    if accepted:
        reason = "Accepted"
    elif not named:
        reason = "NoMatchingParent"
    elif not allowed:
        reason = "NotAllowedByListeners"
    else:
        reason = "NoMatchingListenerHostname"
    return Attachment(route, parent, gateway, accepted, reason)


def _is_allowed(world: World, route: Json, gateway: Json, listener: Json) -> bool:
    if listener["protocol"] not in {"HTTP", "HTTPS"}:
        return False
    allowed = listener.get("allowedRoutes") or {}
    kind = route.get("kind", "HTTPRoute")
    if all(each.get("kind") != kind for each in allowed.get("kinds") or [{"kind": kind}]):
        return False
    namespaces = allowed.get("namespaces") or {}
    scope: str = namespaces.get("from", "Same")
    namespace: str = route["metadata"]["namespace"]
    if scope == "Selector":
        owner = world.get(NAMESPACES, "", namespace) or {"metadata": {}}
        return _is_selected(owner["metadata"].get("labels", {}), namespaces.get("selector") or {})
    own: str = gateway["metadata"]["namespace"]
    return scope == "All" or (scope == "Same" and namespace == own)


def _is_selected(labels: Mapping[str, str], selector: Json) -> bool:
    exact = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return exact and all(_holds(labels, each) for each in selector.get("matchExpressions", ()))


def _holds(labels: Mapping[str, str], expression: Json) -> bool:
    held = labels.get(expression["key"])
    match expression["operator"]:
        case "In":
            return held in expression["values"]
        case "NotIn":
            return held not in expression["values"]
        case "Exists":
            return held is not None
        case _:
            return held is None


def _shared_hosts(listener: Json, route: Json) -> tuple[str, ...]:
    own = listener.get("hostname") or ANY_HOST
    asked = route["spec"].get("hostnames") or [own]
    return tuple(dict.fromkeys(host for host in (_intersect(own, each) for each in asked) if host))


def _intersect(one: str, other: str) -> str | None:
    """The narrower of two hostnames when one covers the other, else None."""
    if _covers(one, other):
        return other
    return one if _covers(other, one) else None


def _covers(wide: str, narrow: str) -> bool:
    if wide in {ANY_HOST, narrow}:
        return True
    return wide.startswith("*.") and narrow.removeprefix("*").endswith(wide[1:])
