"""A real Prometheus beside the real Envoys of the direct reader's tests, and a server that answers as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from prometheus_server import prometheus_binary, scraping


def _envoy_tests() -> Any:
    """The fixtures of the direct reader's tests: both must see the same Envoy."""
    name = "envoy_tests_conftest"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "envoy" / "conftest.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


real = _envoy_tests()
drive, ask, backend, envoy, start_envoy = real.drive, real.ask, real.backend, real.envoy, real.start_envoy

EXPOSED = {"/whole": "shop/cart", "/one-dot": "shop.cart", "/more": "shop.cart-x"}
"""Routes beside those of the direct reader's tests, and their stat prefixes."""


@pytest.fixture(autouse=True)
def exposed_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Routes whose stat prefixes Prometheus names keep whole, keep with a dot, and tear apart."""
    plain = real.bootstrap

    def bootstrap(**ports: Any) -> dict[str, Any]:
        config: dict[str, Any] = plain(**ports)
        manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        manager["route_config"]["virtual_hosts"][0]["routes"][:0] = [
            {"match": {"prefix": path}, "route": {"cluster": real.CLUSTER}, "stat_prefix": prefix}
            for path, prefix in EXPOSED.items()
        ]
        return config

    monkeypatch.setattr(real, "bootstrap", bootstrap)


@pytest.fixture
async def start_prometheus(tmp_path: Path) -> AsyncIterator[Any]:
    """A coroutine function that starts a real server for scrape jobs and returns its base URL."""
    if prometheus_binary() is None:
        pytest.skip("prometheus is not installed (Debian package `prometheus`)")
    async with contextlib.AsyncExitStack() as started:

        async def start(*jobs: dict[str, Any], flags: tuple[str, ...] = ()) -> str:
            return await started.enter_async_context(scraping(tmp_path, jobs, flags))

        yield start


@pytest.fixture
def scrape_job() -> Any:
    """A function that makes the scrape config of one target with fixed labels, by default those kgateway documents."""

    def job(port: int, name: str = "kgateway-gateways", **labels: str) -> dict[str, Any]:
        kgateway = {
            "kube_namespace": "infra",
            "pod": "gw-7d9f-abcde",
            "gateway_networking_k8s_io_gateway_name": "gw",
            "kgateway": "kube-gateway",
        }
        target = {"targets": [f"127.0.0.1:{port}"], "labels": labels or kgateway}
        return {"job_name": name, "metrics_path": "/metrics", "static_configs": [target]}

    return job


Write = Callable[[asyncio.StreamReader, asyncio.StreamWriter, str], Awaitable[None]]


@pytest.fixture
async def serve() -> AsyncIterator[Any]:
    """A coroutine function that starts a server on loopback which hands every request's head to `write`."""
    servers: list[asyncio.Server] = []
    handlers: set[asyncio.Task[None]] = set()

    async def start(write: Write) -> str:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            handlers.add(task)
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await write(reader, writer, (await reader.readuntil(b"\r\n\r\n")).decode())
            writer.close()
            handlers.discard(task)

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield start
    for server in servers:
        server.close()
    for task in handlers.copy():
        task.cancel()
    await asyncio.gather(*handlers, return_exceptions=True)
