"""The workloads: HTTP servers that answer like the echo server of the Gateway API conformance suite.

Run as `python -m gwtui.playground.backends`: reads `{"pods": [...]}` as one line, answers with the port of each pod as
one line, and serves until its standard input ends. One process plays all pods; each has its own port. Each further
line is a change of how one workload behaves, answered with `{}`.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import Literal, Protocol

import msgspec
from aiohttp import WSMsgType, web

from gwtui.playground.lifeline import follow_parent_death, wait_for_end

LOOPBACK = "127.0.0.1"
_STREAM_PERIOD_S = 1.0
_STREAM_LIMIT_S = 300.0


class Pod(msgspec.Struct, frozen=True):
    """One pod to play, or a host outside the cluster: then the namespace is empty and the other two are its name."""

    namespace: str
    service: str
    pod: str
    latency_ms: float
    jitter_ms: float
    error_ratio: float
    protocol: Literal["http", "grpc"] = "http"


class Change(msgspec.Struct, frozen=True):
    """What the pods of a workload are to do from now on. What is not said is as it was ordered at the start."""

    namespace: str
    service: str
    error_ratio: float | None = None
    latency_ms: float | None = None
    refuses: bool = False
    """Whether nobody can connect; of what speaks HTTP/1.1 alone."""
    only: int | None = None
    """Number of the one pod that does it, by the order of their names; the others do as ordered at the start."""


class Orders(msgspec.Struct, frozen=True):
    """What the process is asked to do."""

    pods: tuple[Pod, ...]


class Server(Protocol):
    """What listens for one pod."""

    async def start(self, host: str) -> int:
        """Serve; returns the port."""
        ...

    async def close(self) -> None:
        """Stop at once."""
        ...


class Behaviour:
    """How one pod answers: how late, and how often with an error."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.error_ratio = pod.error_ratio
        self.latency_ms = pod.latency_ms

    def take(self, change: Change) -> None:
        """Answer as a change says."""
        self.error_ratio = self.pod.error_ratio if change.error_ratio is None else change.error_ratio
        self.latency_ms = self.pod.latency_ms if change.latency_ms is None else change.latency_ms

    def delay_s(self) -> float:
        """How long the next answer takes."""
        pod = self.pod
        delay_ms = self.latency_ms + (random.expovariate(1 / pod.jitter_ms) if pod.jitter_ms else 0.0)
        return delay_ms / 1000

    def is_failing(self) -> bool:
        """Whether the next answer is an error."""
        return random.random() < self.error_ratio


class Echo:
    """The HTTP server of one pod."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._pod = behaviour.pod
        # Streams must not hold up the end of the process.
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=0.1)
        self._refuses = False

    async def start(self, host: str) -> int:
        """Serve; returns the port."""
        await self._runner.setup()
        self._host = host
        self._site = await self._listen(0)
        port: int = self._runner.addresses[0][1]
        self._port = port
        return port

    async def refuse(self, *, refuses: bool) -> None:
        """Let nobody connect and end the connections there are, or listen again on the same port."""
        if refuses == self._refuses:
            return
        self._refuses = refuses
        if refuses:
            await self._site.stop()
            if self._runner.server is not None:
                await self._runner.server.shutdown(0)
        else:
            self._site = await self._listen(self._port)

    async def _listen(self, port: int) -> web.TCPSite:
        site = web.TCPSite(self._runner, self._host, port, backlog=512)
        await site.start()
        return site

    async def close(self) -> None:
        """Stop at once."""
        await self._runner.cleanup()

    def application(self) -> web.Application:
        """The routes of the pod."""
        app = web.Application()
        app.router.add_get("/ws", self.websocket)
        app.router.add_get("/stream", self.stream)
        app.router.add_route("*", "/{path:.*}", self.echo)
        return app

    async def echo(self, request: web.Request) -> web.Response:
        """Tell the client what arrived here, after the pod's latency."""
        await asyncio.sleep(self._behaviour.delay_s())
        await request.read()
        status = 500 if self._behaviour.is_failing() else 200
        return web.json_response(self._seen(request), status=status)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events, one a second, for `?seconds=` seconds (at most 300)."""
        try:
            seconds = min(float(request.query.get("seconds", "20")), _STREAM_LIMIT_S)
        except ValueError:
            return web.Response(status=400, text="seconds must be a number\n")
        response = web.StreamResponse(headers={"content-type": "text/event-stream", "cache-control": "no-cache"})
        await response.prepare(request)
        ends_at = asyncio.get_running_loop().time() + seconds
        count = 0
        while asyncio.get_running_loop().time() < ends_at:
            await response.write(f"id: {count}\ndata: {self._pod.pod}\n\n".encode())
            count += 1
            await asyncio.sleep(min(_STREAM_PERIOD_S, seconds))
        await response.write(b"event: end\ndata: end\n\n")
        await response.write_eof()
        return response

    async def websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Send every message back."""
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await socket.send_bytes(message.data)
        return socket

    def _seen(self, request: web.Request) -> dict[str, object]:
        headers: dict[str, list[str]] = {}
        for name, value in request.headers.items():
            headers.setdefault(name, []).append(value)
        return {
            "namespace": self._pod.namespace,
            "service": self._pod.service,
            "pod": self._pod.pod,
            "method": request.method,
            "path": request.path_qs,
            "host": request.host,
            "proto": f"HTTP/{request.version.major}.{request.version.minor}",
            "headers": headers,
        }


def server(behaviour: Behaviour) -> Server:
    """The server of a pod, by what it speaks."""
    pod = behaviour.pod
    if pod.protocol == "http":
        return Echo(behaviour)
    from gwtui.playground.grpc_echo import GrpcEcho  # noqa: PLC0415 - most fleets speak no gRPC

    identity = pod.namespace, pod.service, pod.pod
    return GrpcEcho(identity, delay_s=behaviour.delay_s, is_failing=behaviour.is_failing)


async def serve(orders: Orders) -> None:
    """Play every pod until standard input ends; prints the ports once all of them listen."""
    behaviours = [Behaviour(pod) for pod in orders.pods]
    servers = [server(each) for each in behaviours]
    ports = {}
    for each, on in zip(behaviours, servers, strict=True):
        ports[f"{each.pod.namespace}/{each.pod.pod}"] = await on.start(LOOPBACK)

    changing: set[asyncio.Task[None]] = set()

    async def take(change: Change) -> None:
        named = change.namespace, change.service
        pods = zip(behaviours, servers, strict=True)
        of = [(each, on) for each, on in pods if (each.pod.namespace, each.pod.service) == named]
        mine = sorted(of, key=lambda pair: pair[0].pod.pod)
        for number, (each, on) in enumerate(mine):
            wanted = change if change.only in (None, number) else Change(*named)
            each.take(wanted)
            if isinstance(on, Echo):
                await on.refuse(refuses=wanted.refuses)
        _answer({})

    def on_line(line: bytes) -> None:
        task = asyncio.create_task(take(msgspec.json.decode(line, type=Change)))
        changing.add(task)
        task.add_done_callback(changing.discard)

    _answer(ports)
    try:
        await wait_for_end(ignore_interrupt=True, on_line=on_line)
    finally:
        await asyncio.gather(*(each.close() for each in servers))


def _answer(document: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    follow_parent_death()
    asyncio.run(serve(msgspec.json.decode(sys.stdin.readline(), type=Orders)))
