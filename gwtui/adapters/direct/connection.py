"""One kept-alive HTTP/1.1 connection that asks one question at a time.

A thousand proxies answer some six hundred small questions a second. At that rate what a general HTTP client does for
each of them is most of the cost, so only the parser is a library's (httptools, the one of Node.js), and the rest is
what GET of a small answer needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import httptools

IDLE_S = 75.0
"""A connection unused for so long is closed; longer than the longest pause between two samples."""


class Lost(Exception):
    """The connection ended before the answer did, or what came is no HTTP."""

    def __init__(self, reason: str, *, is_stale: bool = False) -> None:
        super().__init__(reason)
        self.is_stale = is_stale
        """Whether nothing came at all: an unused connection that was closed at the same moment."""


class TooLarge(Exception):
    """The answer is larger than it may be."""


class Received(NamedTuple):
    """One answer."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """Made by `create_connection`; afterwards `ask` may be called whenever `is_free`.

    Args:
        ended: called once when the connection is closed, by whom ever.
    """

    def __init__(self, ended: Callable[[Connection], None]) -> None:
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Received] | None = None
        self._chunks: list[bytes] = []
        self._size = self._largest = 0
        self._has_begun = self._has_head = self._has_length = False
        self._used_at = self._ends_at = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None

    @property
    def is_free(self) -> bool:
        """Whether it is open and waits for no answer."""
        return self._transport is not None and self._answer is None and not self._transport.is_closing()

    async def ask(self, request: bytes, *, max_bytes: int, end: float) -> Received:
        """Send a request without a body and return its answer. When cancelled, the connection is closed.

        Args:
            request: head of the request.
            max_bytes: limit of the body.
            end: when the answer has to be complete, on the clock of the loop.

        Raises:
            Lost: the connection ended, or the answer is no HTTP.
            TooLarge: the body is larger than `max_bytes`.
            TimeoutError: the answer was not complete in time.
        """
        if self._transport is None or not self.is_free:
            raise Lost("closed while unused", is_stale=True)
        self._chunks, self._size, self._largest = [], 0, max_bytes
        self._has_begun = self._has_head = self._has_length = False
        self._answer = self._loop.create_future()
        self._ends_at = end
        self._look_at(end)
        self._transport.write(request)
        try:
            return await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            self._answer = None
            self._used_at = self._loop.time()

    def close(self) -> None:
        """Close it at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to watch for a connection that nobody uses."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
        self._look_at(self._used_at + IDLE_S)

    def data_received(self, data: bytes) -> None:
        """Take a part of the answer; what nobody asked for could be taken for the next one."""
        if self._is_unasked:
            self.close()
            return
        self._has_begun = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(Lost(f"no HTTP: {error}"))

    def connection_lost(self, error: Exception | None) -> None:
        """An answer without a length ends here; any other is lost."""
        self._transport = None
        if self._watch is not None:
            self._watch.cancel()
        if self._answer is not None and not self._answer.done():
            if self._has_head and not self._has_length and error is None:
                self.on_message_complete()
            else:
                self._fail(Lost(str(error or "closed before the answer ended"), is_stale=not self._has_begun))
        self._ended(self)

    def on_message_begin(self) -> None:
        """Refuse a second answer behind the first. Called by the parser."""
        if self._is_unasked:
            self.close()

    def on_header(self, name: bytes, _value: bytes) -> None:
        """Note whether the answer says where it ends. Called by the parser."""
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._has_length = True

    def on_headers_complete(self) -> None:
        """Note that a body follows. Called by the parser."""
        self._has_head = True

    def on_body(self, chunk: bytes) -> None:
        """Keep a part of the body. Called by the parser."""
        self._size += len(chunk)
        if self._size > self._largest:
            self._fail(TooLarge)
        else:
            self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        """Hand over the answer. Called by the parser; not for the interim answers before it."""
        status = self._parser.get_status_code()
        if status < 200 or self._answer is None or self._answer.done():
            return
        if not self._parser.should_keep_alive() and self._transport is not None:
            self._transport.close()
        self._answer.set_result(Received(status, b"".join(self._chunks)))

    @property
    def _is_unasked(self) -> bool:
        return self._answer is None or self._answer.done()

    def _fail(self, failure: Lost | type[TooLarge | TimeoutError]) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(failure)
        self.close()

    def _look_at(self, moment: float) -> None:
        """See to it that `_look` is called by then.

        The timer stays set between questions: one for each would cost more than a tenth of a small question.
        """
        if self._watch is not None:
            if self._watch.when() <= moment:
                return
            self._watch.cancel()
        self._watch = self._loop.call_at(moment, self._look)

    def _look(self) -> None:
        """End a question that takes too long, and a connection that nobody uses."""
        self._watch = None
        now = self._loop.time()
        if self._answer is not None:
            if now >= self._ends_at:
                self._fail(TimeoutError)
            else:
                self._look_at(self._ends_at)
        elif now >= self._used_at + IDLE_S:
            self.close()
        else:
            self._look_at(self._used_at + IDLE_S)
