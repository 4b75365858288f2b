"""HTTP/2 clients that leave a connection when they are asked to, as browsers and proxies do.

The state machine of `h2` ends a connection at its first GOAWAY, and with it the answers that are still to come, which
the other side has promised. So GOAWAY frames are taken out before it sees them, and acted on here.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import H2Error

_FRAME_HEADER = 9
_GOAWAY = 0x7
_STREAM_MASK = 0x7FFF_FFFF
_ATTEMPTS = 3


class _Unprocessed(ConnectionError):
    """The other side did nothing with the request: it may be sent anew."""


class _Place(NamedTuple):
    """Where a connection leads; certificates are chosen by the name, without TLS it does not matter."""

    host: str
    port: int
    name: str


class Http2Client:
    """A client with one connection at a time to each place."""

    def __init__(self) -> None:
        self._connections: dict[_Place, _Connection] = {}
        self._connecting = asyncio.Lock()

    async def get(self, url: str, host: str) -> int:
        """Send a request for a host to a URL and read its whole answer; returns the status.

        Raises:
            OSError: there is no connection, or it broke before the end of the answer.
        """
        parts = urlsplit(url)
        place = _Place(parts.hostname or "", parts.port or 80, host if parts.scheme == "https" else "")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = [(":method", "GET"), (":authority", host), (":scheme", parts.scheme), (":path", path)]
        for _ in range(_ATTEMPTS):
            connection = await self._connected(place)
            with contextlib.suppress(_Unprocessed):
                return await connection.ask(headers)
        raise ConnectionResetError(f"sent away {_ATTEMPTS} times")

    async def close(self) -> None:
        """Close all connections."""
        for each in self._connections.values():
            each.close()

    async def _connected(self, place: _Place) -> _Connection:
        async with self._connecting:
            found = self._connections.get(place)
            if found is None or not found.is_usable:
                loop = asyncio.get_running_loop()
                _, found = await loop.create_connection(
                    _Connection,
                    place.host,
                    place.port,
                    ssl=_tls() if place.name else None,
                    server_hostname=place.name or None,
                )
                self._connections[place] = found
        return found


class _Connection(asyncio.Protocol):
    """One connection with any number of requests under way."""

    def __init__(self) -> None:
        self._h2 = H2Connection(H2Configuration(client_side=True))
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._status: dict[int, int] = {}
        self._answers: dict[int, asyncio.Future[int]] = {}
        self._is_left = False
        """Whether the other side asked to send no more requests."""

    @property
    def is_usable(self) -> bool:
        """Whether requests may be sent."""
        return self._transport is not None and not self._transport.is_closing() and not self._is_left

    async def ask(self, headers: list[tuple[str, str]]) -> int:
        """Send one request; returns the status once the answer is complete."""
        try:
            stream = self._h2.get_next_available_stream_id()
            self._h2.send_headers(stream, headers, end_stream=True)
        except H2Error as error:
            raise ConnectionAbortedError(str(error)) from error
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._answers[stream] = answer
        self._flush()
        try:
            return await answer
        finally:
            self._forget(stream)

    def close(self) -> None:
        """Close it at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin as HTTP/2 does."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take in frames."""
        self._received += data
        try:
            for event in self._h2.receive_data(self._without_goaways()):
                self._take(event)
        except H2Error:
            self.close()
        else:
            self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever is still to come does not."""
        for stream in list(self._answers):
            self._break(stream, ConnectionResetError("the connection was closed"))

    def _without_goaways(self) -> bytes:
        """The whole frames that have arrived, apart from those that ask to leave."""
        frames = bytearray()
        while len(self._received) >= _FRAME_HEADER:
            length = _FRAME_HEADER + int.from_bytes(self._received[:3], "big")
            if len(self._received) < length:
                break
            frame = bytes(self._received[:length])
            del self._received[:length]
            if frame[3] == _GOAWAY:
                self._leave(int.from_bytes(frame[_FRAME_HEADER : _FRAME_HEADER + 4], "big") & _STREAM_MASK)
            else:
                frames += frame
        return bytes(frames)

    def _leave(self, last_stream: int) -> None:
        """Send nothing more; requests up to the last one will be answered, later ones were not looked at."""
        self._is_left = True
        for stream in list(self._answers):
            if stream > last_stream:
                self._break(stream, _Unprocessed("sent away"))
        self._close_when_idle()

    def _take(self, event: Event) -> None:
        match event:
            case ResponseReceived(stream_id=int() as stream, headers=headers):
                self._status[stream] = int(dict(headers)[b":status"])
            case DataReceived(stream_id=int() as stream, flow_controlled_length=int() as length):
                self._h2.acknowledge_received_data(length, stream)
            case StreamEnded(stream_id=int() as stream):
                answer = self._answers.get(stream)
                if answer is not None and not answer.done():
                    answer.set_result(self._status[stream])
            case StreamReset(stream_id=int() as stream):
                self._break(stream, ConnectionResetError("the stream was reset"))

    def _break(self, stream: int, error: OSError) -> None:
        answer = self._answers.get(stream)
        if answer is not None and not answer.done():
            answer.set_exception(error)

    def _forget(self, stream: int) -> None:
        """A request has ended; one that was given up on is reset."""
        answer = self._answers.pop(stream)
        self._status.pop(stream, None)
        if answer.cancelled():
            with contextlib.suppress(H2Error):
                self._h2.reset_stream(stream)
                self._flush()
        self._close_when_idle()

    def _close_when_idle(self) -> None:
        if self._is_left and not self._answers and self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        if self._transport is not None and (data := self._h2.data_to_send()):
            self._transport.write(data)


def _tls() -> ssl.SSLContext:
    """TLS that takes any certificate: what clients see of them is not what is shown here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context
