"""The workloads: HTTP servers that answer like the echo server of the Gateway API conformance suite.

Run as `python -m gwtui.playground.backends`: reads `{"pods": [...]}` as one line, answers with the port of each pod as
one line, and serves until its standard input ends. One process plays all pods; each has its own port.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys

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


class Orders(msgspec.Struct, frozen=True):
    """What the process is asked to do."""

    pods: tuple[Pod, ...]


class Echo:
    """The handlers of one pod."""

    def __init__(self, pod: Pod) -> None:
        self._pod = pod

    def application(self) -> web.Application:
        """The routes of the pod."""
        app = web.Application()
        app.router.add_get("/ws", self.websocket)
        app.router.add_get("/stream", self.stream)
        app.router.add_route("*", "/{path:.*}", self.echo)
        return app

    async def echo(self, request: web.Request) -> web.Response:
        """Tell the client what arrived here, after the pod's latency."""
        pod = self._pod
        delay_ms = pod.latency_ms + (random.expovariate(1 / pod.jitter_ms) if pod.jitter_ms else 0.0)
        await asyncio.sleep(delay_ms / 1000)
        await request.read()
        status = 500 if random.random() < pod.error_ratio else 200
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


async def serve(orders: Orders) -> None:
    """Play every pod until standard input ends; prints the ports once all of them listen."""
    runners = []
    ports = {}
    for pod in orders.pods:
        # Streams must not hold up the end of the process.
        runner = web.AppRunner(Echo(pod).application(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, 0, backlog=512).start()
        runners.append(runner)
        ports[f"{pod.namespace}/{pod.pod}"] = runner.addresses[0][1]
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    try:
        await wait_for_end(ignore_interrupt=True)
    finally:
        await asyncio.gather(*(runner.cleanup() for runner in runners))


if __name__ == "__main__":
    follow_parent_death()
    asyncio.run(serve(msgspec.json.decode(sys.stdin.readline(), type=Orders)))
