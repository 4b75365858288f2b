"""Envoy bootstraps: the static part of a proxy's configuration, with the names kgateway gives it."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from gwtui.playground.fleet.ports import LOOPBACK
from gwtui.playground.world import Json

_EXTENSIONS = "type.googleapis.com/envoy.extensions"
_MANAGER = f"{_EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = f"{_EXTENSIONS}.filters.http.router.v3.Router"
_HEALTH_CHECK = f"{_EXTENSIONS}.filters.http.health_check.v3.HealthCheck"


@dataclass(frozen=True, slots=True)
class Node:
    """Who an Envoy says it is."""

    id: str
    """`<pod>.<namespace>`."""
    cluster: str
    """`<gateway>.<namespace>`."""
    role: str


@dataclass(frozen=True, slots=True)
class StaticPorts:
    """Real ports of the static listeners."""

    readiness: int
    stats: int


def bootstrap(node: Node, admin_port: int, directory: Path, static: StaticPorts | None) -> Json:
    """The bootstrap of an Envoy whose dynamic configuration lies in `directory`.

    Without `static` it has no readiness and no stats listener.
    """
    found: Json = {
        "node": {"id": node.id, "cluster": node.cluster, "metadata": {"role": node.role}},
        "admin": {
            "address": _address(admin_port),
            # Envoy binds its admin port without SO_REUSEPORT, which would collide with the lease.
            "socketOptions": [
                {
                    "level": socket.SOL_SOCKET,
                    "name": socket.SO_REUSEPORT,
                    "intValue": 1,
                    "state": "STATE_PREBIND",
                }
            ],
        },
        "dynamicResources": {
            "ldsConfig": file_source(directory / "lds.json"),
            "cdsConfig": file_source(directory / "cds.json"),
        },
    }
    if static is not None:
        found["staticResources"] = {
            "listeners": [_readiness_listener(static.readiness), _stats_listener(static.stats)],
            "clusters": [_admin_cluster(admin_port)],
        }
    return found


def file_source(path: Path) -> Json:
    """A configuration source that reads one file and follows renames onto it."""
    return {"pathConfigSource": {"path": str(path)}, "resourceApiVersion": "V3"}


def _address(port: int) -> Json:
    return {"socketAddress": {"address": LOOPBACK, "portValue": port}}


def _admin_cluster(admin_port: int) -> Json:
    endpoint = {"endpoint": {"address": _address(admin_port)}}
    return {
        "name": "admin_port_cluster",
        "type": "STATIC",
        "connectTimeout": "5s",
        "loadAssignment": {"clusterName": "admin_port_cluster", "endpoints": [{"lbEndpoints": [endpoint]}]},
    }


def _readiness_listener(port: int) -> Json:
    health_check = {
        "name": "envoy.filters.http.health_check",
        "typedConfig": {
            "@type": _HEALTH_CHECK,
            "passThroughMode": False,
            "headers": [{"name": ":path", "stringMatch": {"exact": "/envoy-hc"}}],
        },
    }
    routes = [_to_admin({"path": "/ready"}, "/ready")]
    return _listener("readiness_listener", port, _manager("ingress_http", "main_route", routes, [health_check]))


def _stats_listener(port: int) -> Json:
    routes = [
        _to_admin({"path": "/ready"}, "/ready"),
        _to_admin({"prefix": "/metrics"}, "/stats/prometheus?usedonly"),
        _to_admin({"prefix": "/stats"}, "/stats"),
    ]
    return _listener("prometheus_listener", port, _manager("prometheus", "prometheus_route", routes, []))


def _to_admin(match: Json, path: str) -> Json:
    get = [{"name": ":method", "stringMatch": {"exact": "GET"}}]
    return {"match": {**match, "headers": get}, "route": {"cluster": "admin_port_cluster", "prefixRewrite": path}}


def _manager(prefix: str, route_name: str, routes: list[Json], filters: list[Json]) -> Json:
    return {
        "@type": _MANAGER,
        "statPrefix": prefix,
        "codecType": "AUTO",
        "routeConfig": {
            "name": route_name,
            "virtualHosts": [{"name": f"{prefix}_hosts", "domains": ["*"], "routes": routes}],
        },
        "httpFilters": [*filters, {"name": "envoy.filters.http.router", "typedConfig": {"@type": _ROUTER}}],
    }


def _listener(name: str, port: int, manager: Json) -> Json:
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typedConfig": manager}]}
    return {"name": name, "address": _address(port), "filterChains": [chain]}
