"""Support of the other benchmarks: a real Envoy as kgateway configures it, with as many routes as wanted.

Listeners, clusters and routes come from files, endpoints from a small REST server, so that the statistics of every
discovery service are there. One backend on loopback answers for all endpoints. Not run by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwtui.adapters.envoy.decode import decode_stats
from gwtui.adapters.envoy.paths import HCM, LATENCY

TYPES = "type.googleapis.com/envoy"
MANAGER = f"{TYPES}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = f"{TYPES}.extensions.filters.http.router.v3.Router"
ADDRESSES = ("127.0.0.1", "127.0.0.2")
"""The two endpoints of every cluster."""

START_S = 60.0
FLUSH_WITHIN_S = 30.0


@dataclass(frozen=True)
class RunningEnvoy:
    """One Envoy on loopback."""

    pid: int
    routes: int
    admin: int
    stats: int
    data: int

    def cpu_s(self) -> float:
        """CPU seconds all its threads took so far."""
        return process_cpu_s(self.pid)

    def main_thread_cpu_s(self) -> float:
        """CPU seconds of the thread that serves the admin interface and applies configuration."""
        return _schedstat_s(Path(f"/proc/{self.pid}/task/{self.pid}"))

    async def drive(self, times: int = 1) -> None:
        """Send this many requests to every route, one after the other."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.data)
        try:
            for number in range(self.routes * times):
                writer.write(f"GET / HTTP/1.1\r\nhost: {_host(number % self.routes)}\r\n\r\n".encode())
                async with asyncio.timeout(10):
                    status, _ = await _answer_of(reader)
                if status != 200:
                    raise RuntimeError(f"route {number} answered {status}")
        finally:
            writer.close()

    async def flushed(self, requests: int) -> None:
        """Wait until the statistics tell of this many requests."""
        end = time.monotonic() + FLUSH_WITHIN_S
        while time.monotonic() < end:
            _, body = await get(self.admin, LATENCY)
            histogram = decode_stats(body).histograms.get(f"{HCM}downstream_rq_time", ())
            if histogram and histogram[-1][1] >= requests:
                return
            await asyncio.sleep(0.2)
        raise RuntimeError("Envoy did not flush its statistics")


def process_cpu_s(pid: int) -> float:
    """CPU seconds of all threads of a process. *Source:* first field of `schedstat`, ns on a CPU."""
    total = 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile
            total += _schedstat_s(task)
    return total


def _schedstat_s(task: Path) -> float:
    return int((task / "schedstat").read_text(encoding="ascii").split()[0]) / 1e9


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


async def get(port: int, path: str) -> tuple[int, bytes]:
    """GET over a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode())
        async with asyncio.timeout(30):
            return await _answer_of(reader)
    finally:
        writer.close()


async def _answer_of(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    status = int(head[9:12])
    if "transfer-encoding: chunked" in head:
        body = bytearray()
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
        return status, bytes(body)
    return status, await reader.readexactly(_length(head))


def _length(head: str) -> int:
    return next((int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)


def cluster_name(number: int) -> str:
    """The name kgateway gives the cluster of a Service port."""
    return f"kube_team-{number % 20}_app-{number}_8080"


def _host(number: int) -> str:
    return f"app-{number}.example.com"


def _at(port: int, address: str = "127.0.0.1") -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}


def _static(name: str, port: int) -> dict[str, Any]:
    """A cluster of the bootstrap; roomy, since every other cluster asks for its endpoints at once."""
    limits = {"max_connections": 64, "max_pending_requests": 10_000, "max_requests": 10_000}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _at(port)}}]}]
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "circuit_breakers": {"thresholds": [limits]},
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    }


def _delivered(name: str) -> dict[str, Any]:
    source = {
        "api_type": "REST",
        "transport_api_version": "V3",
        "cluster_names": ["xds_cluster"],
        "refresh_delay": "3600s",
        "request_timeout": "30s",
    }
    config = {"resource_api_version": "V3", "api_config_source": source}
    return {
        "@type": f"{TYPES}.config.cluster.v3.Cluster",
        "name": name,
        "type": "EDS",
        "connect_timeout": "5s",
        "eds_cluster_config": {"eds_config": config},
    }


def _listener(name: str, port: int, manager: dict[str, Any]) -> dict[str, Any]:
    filters = [{"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}]
    typed = {"@type": MANAGER, "http_filters": filters, **manager}
    return {
        "@type": f"{TYPES}.config.listener.v3.Listener",
        "name": name,
        "address": _at(port),
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": typed}]}
        ],
    }


def _stats_routes(*, text_alone: bool) -> dict[str, Any]:
    """The routes of kgateway's statistics listener; without `/stats` where it is to offer Prometheus text alone."""
    get_only = [{"name": ":method", "string_match": {"exact": "GET"}}]
    rewrites = (
        ({"path": "/metrics"}, {"prefix_rewrite": "/stats/prometheus?usedonly"}),
        ({"path": "/ready"}, {}),
        *(() if text_alone else (({"prefix": "/stats"}, {"prefix_rewrite": "/stats"}),)),
    )
    routes = [
        {"match": {**match, "headers": get_only}, "route": {"cluster": "admin_port_cluster", **rewrite}}
        for match, rewrite in rewrites
    ]
    return {
        "stat_prefix": "prometheus",
        "route_config": {"virtual_hosts": [{"name": "p", "domains": ["*"], "routes": routes}]},
    }


def _write(folder: Path, ports: list[int], routes: int, flush_s: float, *, text_alone: bool) -> Path:
    """Write bootstrap, listeners, clusters and routes; return the bootstrap's path."""
    admin, stats, data, backend = ports

    def file(name: str, *resources: dict[str, Any]) -> dict[str, Any]:
        path = folder / f"{name}.json"
        path.write_text(json.dumps({"version_info": "1", "resources": resources}))
        return {"resource_api_version": "V3", "path_config_source": {"path": str(path)}}

    hosts = [
        {
            "name": f"listener~8080~{_host(number).replace('.', '_')}",
            "domains": [_host(number)],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": cluster_name(number)}}],
        }
        for number in range(routes)
    ]
    name = "listener~8080"
    rds = file("routes", {"@type": f"{TYPES}.config.route.v3.RouteConfiguration", "name": name, "virtual_hosts": hosts})
    manager = {
        "stat_prefix": "http",
        "use_remote_address": True,
        "rds": {"route_config_name": name, "config_source": rds},
    }
    static = [_static("xds_cluster", backend), _static("admin_port_cluster", admin)]
    bootstrap = folder / "bootstrap.json"
    bootstrap.write_text(
        json.dumps(
            {
                "node": {"id": "gw-7d9f-abcde.infra", "cluster": "gw.infra"},
                "admin": {"address": _at(admin)},
                "stats_flush_interval": f"{flush_s}s",
                "dynamic_resources": {
                    "cds_config": file("clusters", *(_delivered(cluster_name(number)) for number in range(routes))),
                    "lds_config": file(
                        "listeners",
                        _listener(name, data, manager),
                        _listener("prometheus_listener", stats, _stats_routes(text_alone=text_alone)),
                    ),
                },
                "static_resources": {"clusters": static},
            }
        )
    )
    return bootstrap


def _endpoints(asked: bytes, port: int) -> bytes:
    """The answer to a discovery request for endpoints."""
    kind = f"{TYPES}.config.endpoint.v3.ClusterLoadAssignment"
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _at(port, address)}} for address in ADDRESSES]}]
    names = json.loads(asked)["resource_names"]
    resources = [{"@type": kind, "cluster_name": name, "endpoints": endpoints} for name in names]
    return json.dumps({"version_info": "1", "type_url": kind, "resources": resources}).encode()


@asynccontextmanager
async def _backend(port: int) -> AsyncIterator[None]:
    """Answers for every endpoint, and to questions for endpoints."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                asked = await reader.readexactly(_length(head))
                body = _endpoints(asked, port) if asked else b"ok"
                kind = "application/json" if asked else "text/plain\r\nconnection: close"
                writer.write(
                    f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
                )
                await writer.drain()
                if not asked:  # proxies that run for a while know how long connections lasted: one histogram more
                    break
        writer.close()

    server = await asyncio.start_server(serve, ADDRESSES, port, backlog=4096)
    try:
        yield
    finally:
        server.close()


@asynccontextmanager
async def envoy(routes: int, *, flush_s: float = 5.0, text_alone: bool = False) -> AsyncIterator[RunningEnvoy]:
    """Run an Envoy whose every cluster had traffic that its statistics tell of.

    Args:
        routes: how many routes and clusters.
        flush_s: seconds after which it renews its histograms; the default is Envoy's own.
        text_alone: whether its statistics listener offers Prometheus text and nothing else (`enableStatsRoute: false`).
    """
    ports = free_ports(4)
    with tempfile.TemporaryDirectory() as folder:
        async with _backend(ports[3]):
            binary = Path(sys.executable).with_name("envoy")
            bootstrap = _write(Path(folder), ports, routes, flush_s, text_alone=text_alone)
            process = await asyncio.create_subprocess_exec(
                *(binary, "-c", bootstrap),
                *("--concurrency", "1", "--disable-hot-restart", "-l", "off"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                running = RunningEnvoy(process.pid, routes, ports[0], ports[1], ports[2])
                await _live(process, running)
                await running.drive()
                await running.flushed(routes)
                yield running
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                await process.wait()


async def _live(process: asyncio.subprocess.Process, running: RunningEnvoy) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.returncode is None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if (await get(running.stats, "/ready"))[0] == 200:
                return
        await asyncio.sleep(0.05)
    raise RuntimeError(f"Envoy of {running.routes} routes did not come up (exit code {process.returncode})")
