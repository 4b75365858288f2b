"""A served store with a few objects, a client per demo user, and a real HTTP server that plays a pod's port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from api_client import Client, connecting
from gwtui.playground.api.server import ApiServer, PodPorts, serve
from gwtui.playground.api.store import Store


def gateway(name: str = "edge", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": name, "namespace": "foo", **metadata},
        "spec": {"gatewayClassName": "kgateway", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
    }


def route(name: str = "shop", weight: int | None = None, **metadata: Any) -> dict[str, Any]:
    backend = {"name": "shop", "port": 80} | ({} if weight is None else {"weight": weight})
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": "foo", **metadata},
        "spec": {
            "parentRefs": [{"name": "edge"}],
            "hostnames": ["shop.example"],
            "rules": [{"backendRefs": [backend]}],
        },
    }


def pod(name: str = "proxy") -> dict[str, Any]:
    container = {"name": "envoy", "image": "envoy", "ports": [{"containerPort": 9091, "name": "stats"}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "foo", "labels": {"app": name}},
        "spec": {"nodeName": "node", "containers": [container]},
    }


@pytest.fixture
def make() -> SimpleNamespace:
    """Manifests as an author writes them: gateway(), route(), pod()."""
    return SimpleNamespace(gateway=gateway, route=route, pod=pod)


@pytest.fixture
def store() -> Store:
    filled = Store()
    for name in ("foo", "bar"):
        filled.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    filled.put(gateway())
    filled.put(route())
    filled.put(pod())
    ready = [{"name": "envoy", "ready": True, "restartCount": 2, "state": {"running": {}}, "image": "", "imageID": ""}]
    filled.put_status("pods", "foo", "proxy", {"phase": "Running", "podIP": "10.1.0.7", "containerStatuses": ready})
    return filled


@pytest.fixture
def ports() -> PodPorts:
    return PodPorts()


@pytest.fixture
async def server(store: Store, ports: PodPorts, tmp_path: Path) -> AsyncIterator[ApiServer]:
    running = await serve(store, ports, state_dir=tmp_path)
    yield running
    await running.close()


@pytest.fixture
async def as_user(server: ApiServer) -> AsyncIterator[Callable[[str], Client]]:
    async with connecting(server.kubeconfig) as as_any:
        yield as_any


@pytest.fixture
async def api(as_user: Callable[[str], Client]) -> Client:
    return as_user("playground-admin")


@pytest.fixture
async def backend(ports: PodPorts) -> AsyncIterator[tuple[str, int]]:
    """An HTTP server behind the admin and the stats port of the pod foo/proxy; it echoes method, path and body."""

    async def echo(request: web.Request) -> web.Response:
        return web.json_response(
            {
                "method": request.method,
                "path": request.path_qs,
                "body": (await request.text()),
                "authorized": "Authorization" in request.headers,
            }
        )

    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", echo)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = ("127.0.0.1", runner.addresses[0][1])
    ports["foo", "proxy", 19000] = address
    ports["foo", "proxy", 9091] = address
    yield address
    await runner.cleanup()
