"""Which HTTPRoute attaches to which listeners, and under which hostnames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gwtui.playground.world import GATEWAY_API, GATEWAYS, HTTP_ROUTES, NAMESPACES, Json, World, key_of

ANY_HOST = "*"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One parentRef of a route that names a Gateway of ours."""

    route: Json
    parent: Json
    """The parentRef as written."""
    gateway: Json
    listeners: tuple[tuple[Json, tuple[str, ...]], ...]
    """(listener, hostnames the route has on it); `*` stands for every host. Empty when the route was not accepted."""
    reason: str
    """`Accepted`, `NoMatchingParent`, `NotAllowedByListeners` or `NoMatchingListenerHostname`."""


def attachments(world: World) -> list[Attachment]:
    """Every route of every Gateway of ours, accepted or not."""
    ours = {key_of(gateway) for gateway in world.gateways()}
    found = []
    for route in world.all(HTTP_ROUTES):
        for parent in route["spec"].get("parentRefs", ()):
            if (parent.get("group", GATEWAY_API), parent.get("kind", "Gateway")) != (GATEWAY_API, "Gateway"):
                continue
            key = (parent.get("namespace") or route["metadata"]["namespace"], parent["name"])
            gateway = world.get(GATEWAYS, *key)
            if gateway is not None and key in ours:
                found.append(_attach(world, route, parent, gateway))
    return found


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
    kinds = allowed.get("kinds") or [{"kind": "HTTPRoute"}]
    if all(each.get("kind") != "HTTPRoute" for each in kinds):
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
