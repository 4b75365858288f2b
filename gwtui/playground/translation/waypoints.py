"""Which Services have their traffic taken by which waypoint.

*Source:* labels of Istio 1.2x to 1.32; listener protocol of kgateway's waypoint class.
"""

from __future__ import annotations

from gwtui.playground import mesh
from gwtui.playground.world import GATEWAYS, NAMESPACES, PODS, SERVICES, Json, World, key_of

PROTOCOL = "istio.io/PROXY"
"""Listener protocol of a waypoint: ztunnel hands connections over with a PROXY protocol header."""

_USE = "istio.io/use-waypoint"
_USE_NAMESPACE = "istio.io/use-waypoint-namespace"
_INGRESS = "istio.io/ingress-use-waypoint"


def inbound(gateway: Json) -> Json | None:
    """The listener by which a waypoint takes traffic, or None when the Gateway is none."""
    listeners: list[Json] = gateway["spec"].get("listeners", [])
    return next((each for each in listeners if each["protocol"] == PROTOCOL), None)


def waypoint_of(world: World, service: Json) -> Json | None:
    """The waypoint of ours that a Service, or else its namespace, names; None when there is none."""
    named, where = _label(world, service, _USE), _label(world, service, _USE_NAMESPACE)
    found = world.get(GATEWAYS, where or service["metadata"]["namespace"], named) if named not in {"", "none"} else None
    if found is None or inbound(found) is None:
        return None
    return found if key_of(found) in {key_of(each) for each in world.gateways()} else None


def services_of(world: World, waypoint: Json) -> list[Json]:
    """The Services whose traffic a waypoint takes; those of Gateways are never among them."""
    found = []
    for service in world.all(SERVICES):
        own = "gateway.networking.k8s.io/gateway-name" in service["metadata"].get("labels", {})
        taker = None if own else waypoint_of(world, service)
        if taker is not None and key_of(taker) == key_of(waypoint):
            found.append(service)
    return found


def sends_to_waypoint(world: World, gateway: Json, service: Json) -> bool:
    """Whether a Gateway leaves the way to a Service to its waypoint instead of choosing a pod by itself.

    It does when the Service asks for it, has a waypoint, and ztunnel carries what the Gateway's pods send.
    """
    if inbound(gateway) is not None or _label(world, service, _INGRESS) != "true":
        return False
    namespace, name = key_of(gateway)
    captured = any(
        pod["metadata"].get("labels", {}).get("gateway.networking.k8s.io/gateway-name") == name
        and pod["metadata"].get("annotations", {}).get(mesh.REDIRECTION) == "enabled"
        for pod in world.within(PODS, namespace)
    )
    return captured and waypoint_of(world, service) is not None


def _label(world: World, service: Json, name: str) -> str:
    metadata = service["metadata"]
    namespace = world.get(NAMESPACES, "", metadata["namespace"]) or {"metadata": {}}
    by_namespace: str = namespace["metadata"].get("labels", {}).get(name, "")
    own: str = metadata.get("labels", {}).get(name, by_namespace)
    return own
