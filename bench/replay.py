"""Support of the other benchmarks: a fleet of proxies that answer as a real Envoy did, from a process of its own.

The answers of an Envoy with 50 routes are recorded at many moments, with traffic in between. Every proxy of the fleet
is an address on loopback; each time it is asked for counters it goes on to the next moment. Not run by itself: the
serving process is started by `served`.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.envoys import envoy, free_ports, get
from gwtui.adapters.envoy.paths import COUNTERS, DETAIL, GAUGES, LATENCY, READY
from gwtui.model.controllers import KGATEWAY_CONTROLLER
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.shape import GatewayNode, Topology
from gwtui.ports import ProxyAddress

PROXIES = 1000
ROUTES = 50
MOMENTS = 24
REPLICAS = 10
"""Proxies of one gateway."""

CLUSTER = "bench"
SPACE = "infra"
PATHS = (COUNTERS, GAUGES, LATENCY, DETAIL, READY)
FLUSH_S = 0.4

Moment = dict[str, bytes]
"""Answers by path."""


def host(number: int) -> str:
    """The loopback address of one proxy."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def key(number: int) -> ProxyKey:
    """The identity of one proxy."""
    return ProxyKey(CLUSTER, SPACE, f"gw-{number // REPLICAS:03}-{number % REPLICAS}")


def fleet(port: int) -> frozenset[ProxyAddress]:
    """What the scraper is told of the proxies."""
    return frozenset(ProxyAddress(key(number), port, port) for number in range(PROXIES))


def topology() -> Topology:
    """The gateways the proxies belong to."""
    return Topology(
        gateways=tuple(
            GatewayNode(
                key=GatewayKey(CLUSTER, SPACE, f"gw-{number:03}"),
                class_name="kgateway",
                controller=KGATEWAY_CONTROLLER,
                tier=1,
                listeners=(("http", 8080, "HTTP"),),
                hostnames=(f"gw-{number}.example.com",),
                namespaces=(),
                routes=(),
                proxies=tuple(key(number * REPLICAS + replica) for replica in range(REPLICAS)),
                services=(),
            )
            for number in range(PROXIES // REPLICAS)
        )
    )


async def record() -> list[Moment]:
    """Ask a real Envoy between bursts of traffic."""
    moments = []
    requests = ROUTES
    async with envoy(ROUTES, flush_s=FLUSH_S) as proxy:
        for number in range(MOMENTS):
            times = 1 + number % 3  # rates that change from one moment to the next
            await proxy.drive(times)
            requests += ROUTES * times
            await proxy.flushed(requests)
            moments.append({path: (await get(proxy.admin, path))[1] for path in PATHS})
    return moments


@contextmanager
def served() -> Iterator[int]:
    """Record, and serve the fleet from another process; the port all its proxies listen on."""
    moments = asyncio.run(record())
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "moments.json")
        file.write_text(json.dumps([{path: body.decode() for path, body in moment.items()} for moment in moments]))
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.replay", file, str(port)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        try:
            if process.stdout is None or process.stdout.readline() != b"ready\n":
                raise RuntimeError("the fleet of recorded answers does not listen")
            yield port
        finally:
            process.kill()
            process.communicate()


class _Proxy:
    """One proxy of the fleet."""

    def __init__(self, moments: list[Moment]) -> None:
        self._moments = moments
        self._now = -1

    def answer(self, path: str) -> bytes:
        """The answer to a GET, with its head."""
        if path == COUNTERS:
            self._now = min(self._now + 1, len(self._moments) - 1)
        return self._moments[max(self._now, 0)].get(path, _NOT_FOUND)


class _Connection(asyncio.Protocol):
    """One connection to a proxy; every request comes in one piece and without a body."""

    def __init__(self, proxy: _Proxy) -> None:
        self._proxy = proxy
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(self._proxy.answer(data.split(b" ", 2)[1].decode()))


def _framed(body: bytes) -> bytes:
    """An answer as Envoy's admin interface frames it."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-cache, max-age=0\r\n"
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return head + b"x-content-type-options: nosniff\r\nserver: envoy\r\ntransfer-encoding: chunked\r\n\r\n" + chunk


_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


async def _serve(moments: list[Moment], port: int) -> None:
    loop = asyncio.get_running_loop()
    for number in range(PROXIES):
        proxy = _Proxy(moments)
        await loop.create_server(lambda proxy=proxy: _Connection(proxy), host(number), port)
    print("ready", flush=True)
    await asyncio.Event().wait()


def raise_open_files() -> None:
    """Allow as many connections as the system lets us have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    raise_open_files()
    recorded = json.loads(Path(sys.argv[1]).read_text())
    framed = [{path: _framed(body.encode()) for path, body in moment.items()} for moment in recorded]
    asyncio.run(_serve(framed, int(sys.argv[2])))
