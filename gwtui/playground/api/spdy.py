"""SPDY/3 frames over a byte stream, as far as a port-forward needs them.

kubectl speaks SPDY/3.1 inside a WebSocket. The client opens streams; this side answers, carries data both ways and
closes. Flow control is left to the TCP connection beneath, as the peers of this protocol do.
*Source:* the SPDY/3 draft: frame layout (section 2), header compression (2.6.10).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Awaitable, Callable

from gwtui.playground.api.inbox import Inbox

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow"
    " authorization cache-control connection content-base content-encoding content-language content-length"
    " content-location content-md5 content-range content-type date etag expect expires from host if-match"
    " if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma"
    " proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade"
    " user-agent vary via warning www-authenticate method get status|200 OK|version|HTTP/1.1|url|public|set-cookie"
    "|keep-alive|origin"
)
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _dictionary() -> bytes:
    head, *phrases = _WORDS.split("|")
    words = [word.encode() for word in (*head.split(), *phrases)]
    return b"".join(struct.pack(">I", len(word)) + word for word in words) + _TAIL.encode()


DICTIONARY = _dictionary()
"""The preset dictionary of header compression, a constant of the protocol."""

_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GOAWAY = 1, 2, 3, 6, 7
_FIN = 1
MAX_FRAME = 1 << 20


class ProtocolError(Exception):
    """The peer sent what the protocol does not allow."""


class Stream:
    """One stream the client opened."""

    def __init__(self, session: Session, number: int, headers: dict[str, str]) -> None:
        self.headers = headers
        """Header names in lower case."""
        self._session = session
        self._number = number
        self._inbox = Inbox()

    async def receive(self) -> bytes | None:
        """The next bytes from the client; `None` once it has finished sending."""
        return await self._inbox.get()

    async def send(self, data: bytes) -> None:
        """Send bytes to the client."""
        await self._session.send_data(self._number, data, fin=False)

    async def finish(self) -> None:
        """Say that nothing more will be sent; what the client still sends is dropped."""
        self._inbox.close()
        self._session.forget(self._number)
        await self._session.send_data(self._number, b"", fin=True)

    async def deliver(self, data: bytes, *, fin: bool) -> None:
        """Take in what the client sent; waits while the reader of this stream is behind."""
        if data:
            await self._inbox.put(data)
        if fin:
            await self._inbox.put(None)


class Session:
    """The server's side of one connection."""

    def __init__(self, send: Callable[[bytes], Awaitable[None]], opened: Callable[[Stream], None]) -> None:
        self._send = send
        self._opened = opened
        self._buffer = bytearray()
        self._streams: dict[int, Stream] = {}
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    async def feed(self, data: bytes) -> None:
        """Take in bytes of the connection and act on the frames they complete.

        Raises:
            ProtocolError: A frame is malformed or over 1 MiB.
        """
        self._buffer += data
        while len(self._buffer) >= 8:
            head, size = struct.unpack_from(">II", self._buffer)
            flags, size = size >> 24, size & 0xFFFFFF
            if size > MAX_FRAME:
                raise ProtocolError(f"frame of {size} bytes")
            if len(self._buffer) < 8 + size:
                return
            payload = bytes(self._buffer[8 : 8 + size])
            del self._buffer[: 8 + size]
            if head >> 31:
                await self._control(head & 0xFFFF, flags, payload)
            elif stream := self._streams.get(head):
                await stream.deliver(payload, fin=bool(flags & _FIN))

    async def send_data(self, number: int, data: bytes, *, fin: bool) -> None:
        """Send one data frame."""
        await self._send(struct.pack(">II", number, (_FIN if fin else 0) << 24 | len(data)) + data)

    def forget(self, number: int) -> None:
        """Drop a stream that is done."""
        self._streams.pop(number, None)

    async def close(self) -> None:
        """End every stream, for readers that still wait."""
        for stream in tuple(self._streams.values()):
            await stream.deliver(b"", fin=True)

    async def _control(self, kind: int, flags: int, payload: bytes) -> None:
        if kind == _SYN_STREAM:
            if len(payload) < 10:
                raise ProtocolError("short SYN_STREAM")
            (number,) = struct.unpack_from(">I", payload)
            stream = Stream(self, number, self._headers(payload[10:]))
            self._streams[number] = stream
            await self._reply(number)
            self._opened(stream)
            if flags & _FIN:
                await stream.deliver(b"", fin=True)
        elif kind == _PING:
            await self._send(_frame(_PING, payload))
        elif kind == _RST_STREAM and len(payload) >= 4:
            (number,) = struct.unpack_from(">I", payload)
            if reset := self._streams.pop(number, None):
                await reset.deliver(b"", fin=True)
        elif kind == _GOAWAY:
            await self.close()

    async def _reply(self, number: int) -> None:
        block = self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        await self._send(_frame(_SYN_REPLY, struct.pack(">I", number) + block))

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            text = self._inflate.decompress(block)
            (count,) = struct.unpack_from(">I", text)
            at = 4
            words = []
            for _ in range(2 * count):
                (size,) = struct.unpack_from(">I", text, at)
                words.append(text[at + 4 : at + 4 + size].decode())
                at += 4 + size
        except (zlib.error, struct.error, UnicodeDecodeError) as error:
            raise ProtocolError(f"unreadable header block: {error}") from error
        return {name.lower(): value for name, value in zip(words[::2], words[1::2], strict=True)}


def _frame(kind: int, payload: bytes) -> bytes:
    return struct.pack(">II", 0x80030000 | kind, len(payload)) + payload
