"""Clusters and endpoints of the Services and outside hosts that routes send to."""

from __future__ import annotations

from gwtui.playground.translation.listeners import FROM_CONTROL_PLANE
from gwtui.playground.translation.references import Target
from gwtui.playground.world import SERVICES, Addresses, Json, World

CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
ASSIGNMENT = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_HTTP2 = ("kubernetes.io/h2c", "http2", "grpc", "grpc-web")
"""Values of `appProtocol` that mean HTTP/2, in any case. *Source:* kgateway 2.x."""


def cluster(name: str, *, is_http2: bool = False) -> Json:
    """An EDS cluster, whose hosts are spoken to in HTTP/1.1 or in HTTP/2 with prior knowledge."""
    found: Json = {
        "@type": CLUSTER,
        "name": name,
        "type": "EDS",
        "connectTimeout": "5s",
        "edsClusterConfig": {"edsConfig": FROM_CONTROL_PLANE},
    }
    if is_http2:
        options = {"@type": f"type.googleapis.com/{_HTTP_OPTIONS}", "explicitHttpConfig": {"http2ProtocolOptions": {}}}
        found["typedExtensionProtocolOptions"] = {_HTTP_OPTIONS: options}
    return found


def speaks_http2(world: World, target: Target) -> bool:
    """Whether the port of a Service says by its `appProtocol` that HTTP/2 is spoken behind it.

    A BackendConfigPolicy cannot say so: its `http2ProtocolOptions` tune what speaks HTTP/2 already.
    """
    service = None if target.host else world.get(SERVICES, target.namespace, target.name)
    ports = service["spec"].get("ports", ()) if service else ()
    return any(each["port"] == target.port and each.get("appProtocol", "").lower() in _HTTP2 for each in ports)


def static_cluster(name: str, address: tuple[str, int] | None) -> Json:
    """A cluster of one fixed address, or of none while there is none."""
    held = assignment(name, [address] if address else [])
    return {
        "@type": CLUSTER,
        "name": name,
        "type": "STATIC",
        "connectTimeout": "5s",
        "loadAssignment": {key: value for key, value in held.items() if key != "@type"},
    }


def assignment(name: str, addresses: list[tuple[str, int]]) -> Json:
    """The endpoints of an EDS cluster; none makes Envoy answer 503."""
    endpoints = [
        {"endpoint": {"address": {"socketAddress": {"address": host, "portValue": port}}}} for host, port in addresses
    ]
    return {"@type": ASSIGNMENT, "clusterName": name, "endpoints": [{"lbEndpoints": endpoints}] if endpoints else []}


def ready_addresses(world: World, target: Target, addresses: Addresses) -> list[tuple[str, int]]:
    """Where a target really listens: the ready pods in the EndpointSlices of a Service, or a host outside."""
    if target.host:
        outside = addresses.get(("", target.host, target.port))
        return [outside] if outside else []
    service = world.get(SERVICES, target.namespace, target.name)
    ports = service["spec"].get("ports", ()) if service else ()
    name = next((each.get("name", "") for each in ports if each["port"] == target.port), None)
    if name is None:
        return []
    found = []
    for item in world.slices(target.namespace, target.name):
        number = next((each["port"] for each in item.get("ports", ()) if each.get("name", "") == name), None)
        for endpoint in item.get("endpoints", ()):
            pod = (endpoint.get("targetRef") or {}).get("name", "")
            if number is None or not endpoint.get("conditions", {}).get("ready", True):
                continue
            if (address := addresses.get((target.namespace, pod, number))) is not None:
                found.append(address)
    return sorted(found)
