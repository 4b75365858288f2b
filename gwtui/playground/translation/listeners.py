"""Listener resources: one per port, HTTP and HTTPS listeners of that port as its filter chains."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from gwtui.playground.world import SECRETS, Json, World

_EXTENSIONS = "type.googleapis.com/envoy.extensions"
LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
MANAGER = f"{_EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = f"{_EXTENSIONS}.filters.http.router.v3.Router"
_TLS = f"{_EXTENSIONS}.transport_sockets.tls.v3.DownstreamTlsContext"
_INSPECTOR = f"{_EXTENSIONS}.filters.listener.tls_inspector.v3.TlsInspector"

FROM_CONTROL_PLANE: Json = {"ads": {}, "resourceApiVersion": "V3"}
"""Where proxies get routes and endpoints from, as kgateway writes it; the fleet replaces it by files."""


def listener_name(port: int) -> str:
    """Name of the listener of a port, and of its HTTP route configuration."""
    return f"listener~{port}"


def conflicting(gateway: Json) -> frozenset[str]:
    """Names of the listeners that are not served: a port speaks the protocol of the first listener that is for it."""
    spoken: dict[int, str] = {}
    listeners = gateway["spec"].get("listeners", ())
    return frozenset(
        each["name"] for each in listeners if spoken.setdefault(each["port"], each["protocol"]) != each["protocol"]
    )


def listener_resource(port: int, chains: Iterable[Json]) -> Json:
    """The Listener of a port. It binds the port of the pod; the fleet replaces that by the real one."""
    found: Json = {
        "@type": LISTENER,
        "name": listener_name(port),
        "address": {"socketAddress": {"address": "0.0.0.0", "portValue": port}},  # noqa: S104
        "filterChains": list(chains),
    }
    if any("transportSocket" in chain for chain in found["filterChains"]):
        found["listenerFilters"] = [{"name": "tls_inspector", "typedConfig": {"@type": _INSPECTOR}}]
    return found


def filter_chain(name: str, upgrades: Iterable[str]) -> Json:
    """The filter chain of a route configuration: one HTTP connection manager."""
    manager: Json = {
        "@type": MANAGER,
        # The same for every listener: kgateway does not tell them apart here.
        "statPrefix": "http",
        "rds": {"configSource": FROM_CONTROL_PLANE, "routeConfigName": name},
        "httpFilters": [{"name": "envoy.filters.http.router", "typedConfig": {"@type": _ROUTER}}],
        "normalizePath": True,
        "mergeSlashes": True,
        "useRemoteAddress": True,
    }
    if enabled := [{"upgradeType": each} for each in upgrades]:
        manager["upgradeConfigs"] = enabled
    return {
        "name": name,
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typedConfig": manager}],
    }


def secured(chain: Json, listener: Json, certificates: list[Json]) -> Json:
    """The filter chain of an HTTPS listener: chosen by server name, with its certificates."""
    found = dict(chain)
    if hostname := listener.get("hostname"):
        found["filterChainMatch"] = {"serverNames": [hostname]}
    found["transportSocket"] = {
        "name": "envoy.transport_sockets.tls",
        "typedConfig": {
            "@type": _TLS,
            "commonTlsContext": {"tlsCertificates": certificates, "alpnProtocols": ["h2", "http/1.1"]},
        },
    }
    return found


def certificates(world: World, namespace: str, listener: Json) -> list[Json]:
    """The certificates of an HTTPS listener; empty when a reference does not resolve to a usable Secret.

    Only Secrets of the Gateway's own namespace are looked at.
    """
    found = []
    for ref in (listener.get("tls") or {}).get("certificateRefs", ()):
        if ref.get("namespace", namespace) != namespace:
            return []
        secret = world.get(SECRETS, namespace, ref["name"])
        try:
            data = {key: base64.b64decode(value, validate=True) for key, value in (secret or {})["data"].items()}
            chain, key = data["tls.crt"].decode(), data["tls.key"].decode()
        except (KeyError, ValueError, binascii.Error):
            return []
        found.append({"certificateChain": {"inlineString": chain}, "privateKey": {"inlineString": key}})
    return found
