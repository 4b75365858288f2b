"""One TCP connection into a pod, through the API server: a port-forward WebSocket as an httpcore network stream.

Protocol `v4.channel.k8s.io`: every binary frame starts with its channel; for one port channel 0 is data and channel 1
is errors; the first frame the server sends on each is the port, two bytes, little-endian. There is no half-close. No
local port is opened, so no other user of this machine can reach the proxy's admin interface.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import aiohttp
import httpcore

from gwtui.adapters.kubernetes.transport import ApiTransport
from gwtui.errors import BadPayload, NotServed, SourceError, Unreachable

PROTOCOL = "v4.channel.k8s.io"
HEARTBEAT_S = 15.0
IDLE_S = 30.0
"""A connection nobody waits on is closed after this many seconds without a frame."""
CONNECT_DEADLINE_S = 15.0
BUFFER_BYTES = 2**20
"""Above this much unread data the WebSocket is not read, so that the sender slows down."""

GONE_LOOK_S, GONE_LOOKS = 0.005, 200
"""How often it is looked whether a closed connection has said goodbye in TLS, and how many times at most."""

_DATA, _ERROR = b"\x00"[0], b"\x01"[0]


class PodBackend(httpcore.AsyncNetworkBackend):
    """Connects to ports of one pod; the host of the URL means nothing."""

    def __init__(self, transport: ApiTransport, namespace: str, pod: str) -> None:
        self._transport = transport
        self._path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
        self._pod = f"{transport.access.context}: {namespace}/{pod}"

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection to a port of the pod.

        Raises:
            SourceError: the way in is refused or broken.
        """
        socket = await self._transport.websocket(
            self._path,
            (PROTOCOL,),
            [("ports", str(port))],
            deadline_s=min(timeout or CONNECT_DEADLINE_S, CONNECT_DEADLINE_S),
            heartbeat_s=HEARTBEAT_S,
        )
        if socket.protocol != PROTOCOL:
            await socket.close()
            raise BadPayload(
                f"{self._pod}: the API server does not offer port-forward over WebSocket", "it needs Kubernetes 1.30"
            )
        return PodStream(socket, port, f"{self._pod} port {port}")


class PodStream(httpcore.AsyncNetworkStream):
    """The data channel of one forwarded port. A task of its own reads the frames, so that an end is noticed at once."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, port: int, where: str) -> None:
        self._socket = socket
        self._raw = socket.get_extra_info("socket")
        self._port = port
        self._where = where
        self._buffer = bytearray()
        self._greeted: set[int] = set()
        self._failure: SourceError | None = None
        self._is_ended = False
        self._is_awaited = False
        self._arrived = asyncio.Event()
        self._drained = asyncio.Event()
        self._task = asyncio.create_task(self._pump(), name=f"port-forward:{where}")

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        """Return what has arrived, at most `max_bytes`; empty at the end."""
        self._is_awaited = True
        try:
            async with asyncio.timeout(timeout):
                while not self._buffer:
                    if self._failure:
                        raise self._failure
                    if self._is_ended:
                        return b""
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError as error:
            raise httpcore.ReadTimeout(f"{self._where}: no data in time") from error
        finally:
            self._is_awaited = False
        data = bytes(self._buffer[:max_bytes])
        del self._buffer[:max_bytes]
        self._drained.set()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's signature
        """Send data to the pod."""
        if not buffer:
            return
        try:
            async with asyncio.timeout(timeout):
                await self._socket.send_bytes(bytes((_DATA,)) + buffer)
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is one
            raise self._failure or Unreachable(f"{self._where}: the port-forward broke", "we connect again") from error

    async def aclose(self) -> None:
        """Close the connection."""
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._socket.close()
        # TLS says goodbye after that, and nobody else waits for it: the event loop may end before.
        for _ in range(GONE_LOOKS):
            if self._raw is None or self._raw.fileno() == -1:
                break
            await asyncio.sleep(GONE_LOOK_S)

    def get_extra_info(self, info: str) -> Any:
        """Answer the one question httpcore asks: an idle connection that is readable has ended."""
        if info == "is_readable":
            return bool(self._buffer) or self._is_ended
        return None

    async def _pump(self) -> None:
        try:
            while self._failure is None:
                try:
                    async with asyncio.timeout(IDLE_S):
                        message = await self._socket.receive()
                except TimeoutError:
                    if self._is_awaited:
                        continue
                    break
                if message.type is not aiohttp.WSMsgType.BINARY:
                    break
                self._accept(message.data)
                self._arrived.set()
                while len(self._buffer) > BUFFER_BYTES:
                    self._drained.clear()
                    await self._drained.wait()
        finally:
            self._is_ended = True
            self._arrived.set()
        await self._socket.close()

    def _accept(self, frame: bytes) -> None:
        channel, payload = frame[0], frame[1:]
        if channel not in (_DATA, _ERROR) or (channel not in self._greeted and len(payload) != 2):
            self._failure = BadPayload(
                f"{self._where}: not a port-forward frame (channel {channel})", "we connect again"
            )
        elif channel not in self._greeted:
            self._greeted.add(channel)
            if int.from_bytes(payload, "little") != self._port:
                self._failure = BadPayload(f"{self._where}: the server forwards another port", "we connect again")
        elif channel == _DATA:
            self._buffer += payload
        elif payload:
            self._failure = forward_failure(self._where, payload.decode(errors="replace"))


def forward_failure(where: str, said: str) -> SourceError:
    """Return what the text of an error channel, or of the API server's own dial, means."""
    said = " ".join(said.split())[-300:]
    if "refused" in said:
        return NotServed(f"{where}: nothing listens there: {said}", "is this the proxy's port?")
    return Unreachable(f"{where}: {said}", "is the pod running?")
