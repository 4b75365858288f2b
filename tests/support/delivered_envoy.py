"""A real Envoy whose configuration arrives from files as from a control plane, and a way straight to its admin port."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from gwtui.adapters.direct.access import DirectAccess
from gwtui.engine.clock import SystemClock
from gwtui.model.ids import ProxyKey
from gwtui.ports import Answer, ProxyAddress

TYPE = "type.googleapis.com/"
RDS = TYPE + "envoy.config.route.v3.RouteConfiguration"
LDS = TYPE + "envoy.config.listener.v3.Listener"
EDS = TYPE + "envoy.config.endpoint.v3.ClusterLoadAssignment"
SDS = TYPE + "envoy.extensions.transport_sockets.tls.v3.Secret"
TLS = TYPE + "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
HCM = TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = TYPE + "envoy.extensions.filters.http.router.v3.Router"
CDS = TYPE + "envoy.config.cluster.v3.Cluster"
HTTP2 = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
CLUSTER = "kube_shop_cart_8080"
SECRET = "s3cr3t"


def _socket(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _tls(common: dict[str, Any], **more: Any) -> dict[str, Any]:
    context = {"@type": TLS, "common_tls_context": common, **more}
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def _listener(name: str, port: int, stat_prefix: str, routing: dict[str, Any]) -> dict[str, Any]:
    router = {"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}
    manager = {"@type": HCM, "stat_prefix": stat_prefix, "http_filters": [router], **routing}
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {"name": name, "address": _socket(port), "filter_chains": [{"filters": filters}]}


@dataclass
class DeliveredEnvoy:
    """An Envoy that takes listeners, routes, clusters, endpoints and a secret from files, as from a control plane."""

    folder: Path
    ports: list[int]
    """Admin, a static listener, and three for delivered ones."""
    process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> ProxyAddress:
        return ProxyAddress(ProxyKey("c", "infra", f"gw-{self.admin}"), stats_port=1, admin_port=self.admin)

    @property
    def admin(self) -> int:
        return self.ports[0]

    def source(self, name: str) -> dict[str, Any]:
        return {"resource_api_version": "V3", "path_config_source": {"path": str(self.folder / name)}}

    def put(self, name: str, version: str, *resources: dict[str, Any]) -> None:
        """Deliver: Envoy takes a file when it is renamed onto the path."""
        part = self.folder / f"{name}.part"
        part.write_text(json.dumps({"version_info": version, "resources": list(resources)}))
        part.rename(self.folder / name)

    def cluster(self, name: str, endpoints: str = "eds.json") -> dict[str, Any]:
        eds = {"service_name": "cart", "eds_config": self.source(endpoints)}
        return {"@type": CDS, "name": name, "type": "EDS", "connect_timeout": "1s", "eds_cluster_config": eds}

    def waiting_cluster(self, name: str) -> dict[str, Any]:
        """A cluster that stays warming: nobody tells its endpoints."""
        grpc = {"api_type": "GRPC", "transport_api_version": "V3"}
        api = {**grpc, "grpc_services": [{"envoy_grpc": {"cluster_name": "nobody"}}]}
        eds = {"resource_api_version": "V3", "initial_fetch_timeout": "0s", "api_config_source": api}
        return {**self.cluster(name), "eds_cluster_config": {"eds_config": eds}}

    def listener(self, name: str, port: int, tls: dict[str, Any] | None = None) -> dict[str, Any]:
        rds = {"route_config_name": "listener~8080", "config_source": self.source("rds.json")}
        own = _listener(name, self.ports[port], "http", {"rds": rds})
        if tls:
            own["filter_chains"][0]["transport_socket"] = _tls(tls)
        return {"@type": LDS, **own}

    def routes(self, credential: str) -> dict[str, Any]:
        shown = {"header": {"key": "x-shop", "value": "cart"}}
        bearer = {"header": {"key": "Authorization", "value": f"Bearer {credential}"}}
        match = {"prefix": "/", "headers": [{"name": "x-api-key", "string_match": {"exact": f"key-{credential}"}}]}
        route = {"match": match, "route": {"cluster": CLUSTER}, "request_headers_to_add": [shown, bearer]}
        rest = {"match": {"prefix": "/"}, "direct_response": {"status": 204}}
        hosts = [{"name": "listener~8080~*", "domains": ["*"], "routes": [route, rest]}]
        return {"@type": RDS, "name": "listener~8080", "virtual_hosts": hosts}

    def files(self, *names: str) -> dict[str, Any]:
        chain, key = ({"filename": str(self.folder / name)} for name in names)
        return {"certificate_chain": chain, "private_key": key}

    def listeners(self) -> list[dict[str, Any]]:
        inline = {
            "certificate_chain": {"inline_string": (self.folder / "cert.pem").read_text()},
            "private_key": {"inline_string": (self.folder / "key.pem").read_text()},
        }
        sds = {"name": "shop", "sds_config": self.source("sds.json")}
        return [
            self.listener("listener~8080", 2),
            self.listener("listener~8443", 3, {"tls_certificates": [inline]}),
            self.listener("listener~8444", 4, {"tls_certificate_sds_secret_configs": [sds]}),
        ]

    def write(self, allow_paths: str = "") -> Path:
        """Write all files; the bootstrap's path."""
        authority = trustme.CA(organization_name="shop")
        own = authority.issue_cert("shop.example.com", "127.0.0.1")
        own.private_key_pem.write_to_path(self.folder / "key.pem")
        own.cert_chain_pems[0].write_to_path(self.folder / "cert.pem")
        authority.cert_pem.write_to_path(self.folder / "ca.pem")
        self.put("eds.json", "e1", self.endpoints())
        self.put("cds.json", "c1", *self.clusters())
        self.put("rds.json", "r1", self.routes(SECRET))
        self.put("sds.json", "s1", {"@type": SDS, "name": "shop", "tls_certificate": self.files("cert.pem", "key.pem")})
        self.put("lds.json", "l1", *self.listeners())
        config = self.folder / "envoy.json"
        config.write_text(json.dumps(self.bootstrap(allow_paths)))
        return config

    def endpoints(self) -> dict[str, Any]:
        said = ["HEALTHY", "DRAINING", "UNHEALTHY", "DEGRADED", "TIMEOUT"]
        hosts = [
            {"endpoint": {"address": _socket(number)}, "health_status": status, "load_balancing_weight": number}
            for number, status in enumerate(said, 1)
        ]
        places = [{"locality": {"region": "eu", "zone": "eu-1"}, "lb_endpoints": hosts}]
        return {"@type": EDS, "cluster_name": "cart", "endpoints": places}

    def clusters(self) -> list[dict[str, Any]]:
        return [self.cluster(CLUSTER), self.cluster("a.b+c"), self.cluster("a_b+c")]

    def bootstrap(self, allow_paths: str) -> dict[str, Any]:
        routing = {"route_config": {"virtual_hosts": [{"name": "p", "domains": ["*"]}]}}
        static = _listener("static", self.ports[1], "prometheus", routing)
        common = {
            "tls_certificates": [self.files("cert.pem", "key.pem")],
            "validation_context": {"trusted_ca": {"filename": str(self.folder / "ca.pem")}},
        }
        static["filter_chains"][0]["transport_socket"] = _tls(common, require_client_certificate=True)
        pipe = {"endpoint": {"address": {"pipe": {"path": str(self.folder / "nobody.sock")}}}}
        nobody = {
            "name": "nobody",
            "type": "STATIC",
            "load_assignment": {"cluster_name": "nobody", "endpoints": [{"lb_endpoints": [pipe]}]},
            "typed_extension_protocol_options": {
                HTTP2: {"@type": TYPE + HTTP2, "explicit_http_config": {"http2_protocol_options": {}}}
            },
        }
        secret = {"name": "session", "generic_secret": {"secret": {"inline_string": SECRET}}}
        admin: dict[str, Any] = {"address": _socket(self.admin)}
        if allow_paths:
            admin["allow_paths"] = [{"safe_regex": {"regex": allow_paths}}]
        return {
            "node": {"id": "gw-7d9f-abcde.infra", "cluster": "gw.infra"},
            "admin": admin,
            "dynamic_resources": {"lds_config": self.source("lds.json"), "cds_config": self.source("cds.json")},
            "static_resources": {"listeners": [static], "clusters": [nobody], "secrets": [secret]},
        }


class AdminAccess(DirectAccess):
    """A way straight to the admin port that writes down what it was asked."""

    def __init__(self) -> None:
        super().__init__(
            "admin", lambda _key, port: f"http://127.0.0.1:{port}", reaches_loopback=True, clock=SystemClock()
        )
        self.asked: list[str] = []

    async def get(self, proxy: ProxyKey, port: int, path: str, *, deadline_s: float, max_bytes: int) -> Answer:
        self.asked.append(path)
        return await super().get(proxy, port, path, deadline_s=deadline_s, max_bytes=max_bytes)
