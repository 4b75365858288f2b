"""Real Envoys with the bootstrap kgateway gives its proxies, and a counting client. Everything is on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from delivered_envoy import AdminAccess, DeliveredEnvoy

HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
CDS = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
CLUSTER = "kube_shop_cart_8080"
EMPTY_CLUSTER = "kube_shop_nobody_8080"
DOTTED_CLUSTER = "istio-se_shop_se_pay.internal.example.com_443"


def envoy_binary() -> str:
    beside = Path(sys.executable).with_name("envoy")
    return str(beside) if beside.exists() else shutil.which("envoy") or ""


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def socket_address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def cluster(name: str, *ports: int) -> dict[str, Any]:
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket_address(port)}} for port in ports]}],
        },
    }


def listener(name: str, port: int, stat_prefix: str, virtual_host: dict[str, Any]) -> dict[str, Any]:
    manager = {
        "@type": HCM,
        "stat_prefix": stat_prefix,
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}],
        "route_config": {"name": name, "virtual_hosts": [virtual_host]},
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {"name": name, "address": socket_address(port), "filter_chains": [{"filters": filters}]}


def bootstrap(*, admin: int, stats: int, data: int, backend: int, refused_cds: Path) -> dict[str, Any]:
    """Names and rewrites as kgateway makes them; static instead of xDS, but for a file of clusters that is refused."""
    refused_cds.write_text(
        json.dumps({"resources": [{**cluster("kube_shop_bad_80"), "@type": CDS, "connect_timeout": "-1s"}]})
    )
    to_admin = {"cluster": "admin_port_cluster"}
    only_get = [{"name": ":method", "string_match": {"exact": "GET"}}]
    stats_routes = [
        {
            "match": {"path": "/metrics", "headers": only_get},
            "route": {**to_admin, "prefix_rewrite": "/stats/prometheus?usedonly"},
        },
        {"match": {"path": "/ready", "headers": only_get}, "route": to_admin},
        {"match": {"prefix": "/stats", "headers": only_get}, "route": {**to_admin, "prefix_rewrite": "/stats"}},
    ]
    data_routes = [
        {
            "match": {"prefix": "/pay"},
            "route": {"cluster": DOTTED_CLUSTER},
            "stat_prefix": "shop.pay.rule-0",
        },
        {"match": {"prefix": "/nobody"}, "route": {"cluster": EMPTY_CLUSTER}},
        {"match": {"prefix": "/"}, "route": {"cluster": CLUSTER}},
    ]
    listeners = [
        listener("listener~8080", data, "http", {"name": "listener~8080~*", "domains": ["*"], "routes": data_routes}),
        listener("prometheus_listener", stats, "prometheus", {"name": "p", "domains": ["*"], "routes": stats_routes}),
    ]
    clusters = [
        cluster("admin_port_cluster", admin),
        cluster("gw.infra", data),
        cluster(CLUSTER, backend),
        cluster(DOTTED_CLUSTER, backend),
        cluster(EMPTY_CLUSTER),
    ]
    cds = {"resource_api_version": "V3", "path_config_source": {"path": str(refused_cds)}}
    return {
        "node": {"id": "gw-7d9f-abcde.infra", "cluster": "gw.infra"},
        "dynamic_resources": {"cds_config": cds},
        "admin": {"address": socket_address(admin)},
        "static_resources": {"listeners": listeners, "clusters": clusters},
    }


@dataclass
class RealEnvoy:
    process: asyncio.subprocess.Process
    admin: int
    stats: int
    data: int

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> tuple[int, bytes]:
    """One request with a Content-Length answer on a kept-alive connection."""
    writer.write(f"{head} HTTP/1.1\r\nhost: a.test\r\n\r\n".encode())
    answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = next((int(line[15:]) for line in answer.split("\r\n") if line.startswith("content-length:")), 0)
    return int(answer[9:12]), await reader.readexactly(length)


async def get_many(port: int, path: str, *, count: int, pause_s: float = 0.0) -> list[int]:
    """GET `path` `count` times over one connection; the status of each."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        statuses = []
        for _ in range(count):
            async with asyncio.timeout(5):
                statuses.append((await exchange(reader, writer, f"GET {path}"))[0])
            await asyncio.sleep(pause_s)
        return statuses
    finally:
        writer.close()


@pytest.fixture
def drive() -> Any:
    """`get_many`, for test modules: they cannot import from here."""
    return get_many


@pytest.fixture
def ask() -> Any:
    """A coroutine function that sends one request, such as `POST /healthcheck/fail`; its status and answer head."""

    async def once(port: int, request: str) -> tuple[int, str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{request} HTTP/1.1\r\nhost: a.test\r\ncontent-length: 0\r\n\r\n".encode())
        async with asyncio.timeout(5):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        writer.close()
        return int(head[9:12]), head

    return once


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ", 2)[1]
            if path.endswith("/slow"):
                await asyncio.sleep(0.04)
            status = "500 Internal Server Error" if path.endswith("/fail") else "200 OK"
            writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nok".encode())
            await writer.drain()
    writer.close()


@pytest.fixture
async def backend() -> AsyncIterator[int]:
    """A backend on loopback: `…/fail` answers 500, `…/slow` after 40 ms, everything else 200."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def _live(port: int, deadline_s: float) -> None:
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /ready HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            answer = await reader.read(4096)
            writer.close()
            if answer.startswith(b"HTTP/1.1 200"):
                return
        await asyncio.sleep(0.02)
    raise AssertionError("Envoy did not come up")


@pytest.fixture
def envoy() -> str:
    """The path of the binary; skips where the playground's extra is not installed."""
    binary = envoy_binary()
    if not binary:
        pytest.skip("envoy is not installed (extra `demo`)")
    return binary


@pytest.fixture
async def start_envoy(envoy: str, tmp_path: Path, backend: int) -> AsyncIterator[Any]:
    """A coroutine function that starts one Envoy and waits until it is live."""
    started: list[RealEnvoy] = []

    async def start() -> RealEnvoy:
        admin, stats, data = free_ports(3)
        config = tmp_path / f"envoy-{admin}.json"
        settings = bootstrap(
            admin=admin, stats=stats, data=data, backend=backend, refused_cds=tmp_path / f"cds-{admin}.json"
        )
        config.write_text(json.dumps(settings))
        process = await asyncio.create_subprocess_exec(
            *(envoy, "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "-l", "off"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        real = RealEnvoy(process, admin, stats, data)
        started.append(real)
        await _live(stats, 20)
        return real

    yield start
    for real in started:
        with contextlib.suppress(ProcessLookupError):
            real.process.terminate()
        await real.process.wait()


@pytest.fixture
async def admin_access() -> AsyncIterator[AdminAccess]:
    access = AdminAccess()
    yield access
    await access.close()


@pytest.fixture
async def start_delivered(envoy: str, tmp_path: Path) -> AsyncIterator[Any]:
    """A coroutine function that starts one `DeliveredEnvoy` and waits until it took everything."""
    started: list[DeliveredEnvoy] = []

    async def start(allow_paths: str = "") -> DeliveredEnvoy:
        real = DeliveredEnvoy(tmp_path / str(len(started)), free_ports(5))
        real.folder.mkdir()
        config = real.write(allow_paths)
        real.process = await asyncio.create_subprocess_exec(
            *(envoy, "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "-l", "off"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        started.append(real)
        async with asyncio.timeout(20):  # it opens delivered listeners last
            while not await _accepts(real.ports[4]):
                await asyncio.sleep(0.02)
        return real

    yield start
    for real in started:
        assert real.process is not None
        with contextlib.suppress(ProcessLookupError):
            real.process.terminate()
        await real.process.wait()


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
