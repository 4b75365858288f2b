"""Port-forward into a pod: WebSocket channels, and SPDY streams inside a WebSocket as kubectl opens them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Protocol

from aiohttp import WSMsgType, web

from gwtui.playground.api import status
from gwtui.playground.api.inbox import Inbox
from gwtui.playground.api.spdy import ProtocolError, Session, Stream

CHANNELS = "v4.channel.k8s.io"
TUNNEL = "SPDY/3.1+portforward.k8s.io"
_CONNECT_S = 5.0
_CHUNK = 64 * 1024
Address = tuple[str, int]
Ports = Mapping[tuple[str, str, int], Address]


class Pipe(Protocol):
    """One forwarded connection as the client sees it."""

    async def receive(self) -> bytes | None:
        """The next bytes from the client; `None` at its end."""

    async def send(self, data: bytes) -> None:
        """Bytes for the client."""

    async def finish(self) -> None:
        """The pod has nothing more to say."""

    async def fail(self, message: str) -> None:
        """The connection could not be made, or broke."""


@dataclass(frozen=True, slots=True)
class Pod:
    """Where a forward leads."""

    namespace: str
    name: str
    uid: str
    ports: Ports

    async def carry(self, port: int, pipe: Pipe) -> None:
        """Connect to a port of the pod and carry bytes both ways until the pod closes."""
        address = self.ports.get((self.namespace, self.name, port))
        try:
            if address is None:
                raise ConnectionRefusedError("connection refused")
            async with asyncio.timeout(_CONNECT_S):
                reader, writer = await asyncio.open_connection(*address)
        except (OSError, TimeoutError) as error:
            why = "connection refused" if isinstance(error, ConnectionRefusedError) else str(error) or "timed out"
            inside = f"dial tcp4 127.0.0.1:{port}: connect: {why}"
            await pipe.fail(f"error forwarding port {port} to pod {self.name}, uid {self.uid}: {inside}")
            return
        sending = asyncio.create_task(_inward(pipe, writer))
        try:
            while data := await reader.read(_CHUNK):
                await pipe.send(data)
            await pipe.finish()
        except OSError as error:
            with contextlib.suppress(OSError):
                await pipe.fail(f"error forwarding port {port} to pod {self.name}: {error}")
        finally:
            sending.cancel()
            writer.close()
            await asyncio.gather(sending, return_exceptions=True)


def has_ports(ports: Ports, namespace: str, name: str) -> bool:
    """Whether anything of a pod can be reached: it runs somewhere, whatever it says of itself."""
    return any(key[:2] == (namespace, name) for key in ports)


async def _inward(pipe: Pipe, writer: asyncio.StreamWriter) -> None:
    while (data := await pipe.receive()) is not None:
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def serve_forward(request: web.Request, pod: Pod) -> web.WebSocketResponse:
    """Answer a port-forward request over WebSocket.

    Raises:
        ApiError: 400 for a request that is no WebSocket handshake, or whose ports are missing or malformed.
    """
    asked = request.headers.get("Sec-WebSocket-Protocol", "")
    socket = web.WebSocketResponse(protocols=(TUNNEL, CHANNELS), compress=False, max_msg_size=1 << 22)
    if not socket.can_prepare(request).ok:
        raise status.bad_request("Upgrade request required: port-forward is served over WebSocket only")
    if TUNNEL in asked:
        await socket.prepare(request)
        await _tunnelled(socket, pod)
        return socket
    ports = request.query.getall("ports", [])
    numbers = [int(text) for entry in ports for text in entry.split(",") if text.isdecimal() and 0 < int(text) < 65536]
    if not numbers:
        raise status.bad_request("query parameter 'ports' needs one or more port numbers")
    await socket.prepare(request)
    await _channelled(socket, pod, numbers)
    return socket


class _ChannelPipe:
    def __init__(self, socket: web.WebSocketResponse, index: int) -> None:
        self._socket = socket
        self._data, self._error = bytes([2 * index]), bytes([2 * index + 1])
        self.incoming = Inbox()

    async def announce(self, port: int) -> None:
        for channel in (self._data, self._error):
            await self._socket.send_bytes(channel + port.to_bytes(2, "little"))

    async def receive(self) -> bytes | None:
        return await self.incoming.get()

    async def send(self, data: bytes) -> None:
        await self._socket.send_bytes(self._data + data)

    async def finish(self) -> None:
        """There is no half-close; the WebSocket closes when all its connections have ended."""
        self.incoming.close()

    async def fail(self, message: str) -> None:
        self.incoming.close()
        await self._socket.send_bytes(self._error + message.encode())


async def _channelled(socket: web.WebSocketResponse, pod: Pod, ports: list[int]) -> None:
    pipes = [_ChannelPipe(socket, index) for index in range(len(ports))]
    for pipe, port in zip(pipes, ports, strict=True):
        await pipe.announce(port)

    async def read() -> None:
        async for message in socket:
            if message.type is WSMsgType.BINARY and message.data and message.data[0] < 2 * len(pipes):
                channel, data = message.data[0], message.data[1:]
                if channel % 2 == 0 and data:
                    await pipes[channel // 2].incoming.put(data)

    async def carry() -> None:
        await asyncio.gather(*(pod.carry(port, pipe) for pipe, port in zip(pipes, ports, strict=True)))

    await _until_one_ends(socket, read(), carry())


class _StreamPipe:
    def __init__(self, data: Stream, error: Stream) -> None:
        self._data, self._error = data, error
        self.receive = data.receive
        self.send = data.send

    async def finish(self) -> None:
        await self._data.finish()
        await self._error.finish()

    async def fail(self, message: str) -> None:
        await self._error.send(message.encode())
        await self.finish()


async def _tunnelled(socket: web.WebSocketResponse, pod: Pod) -> None:
    waiting: dict[str, Stream] = {}
    carried: set[asyncio.Task[None]] = set()

    def opened(stream: Stream) -> None:
        """Streams come in pairs of one request: first the error stream, then the data stream."""
        request_id, port = stream.headers.get("requestid", ""), stream.headers.get("port", "")
        if stream.headers.get("streamtype") == "error":
            waiting[request_id] = stream
        elif (error := waiting.pop(request_id, None)) and port.isdecimal():
            task = asyncio.create_task(pod.carry(int(port), _StreamPipe(stream, error)))
            carried.add(task)
            task.add_done_callback(carried.discard)

    session = Session(socket.send_bytes, opened)

    async def read() -> None:
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                try:
                    await session.feed(message.data)
                except ProtocolError:
                    return

    try:
        await _until_one_ends(socket, read())
    finally:
        for task in tuple(carried):
            task.cancel()
        await asyncio.gather(*carried, return_exceptions=True)


async def _until_one_ends(socket: web.WebSocketResponse, *parts: Coroutine[None, None, None]) -> None:
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await socket.close()
