"""Servers on real loopback sockets that answer as a test says, byte for byte."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"

Write = Callable[[asyncio.StreamWriter], Awaitable[None]]


def with_length(body: bytes, *, promised: int | None = None, head: bytes = OK) -> bytes:
    """An answer with this body, or that promises another length."""
    return head + b"content-length: %d\r\n\r\n" % (len(body) if promised is None else promised) + body


def sending(answer: bytes) -> Write:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return write


async def dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"content-length: 1000\r\n\r\n")
    for _ in range(30):
        writer.write(b"{")
        await writer.drain()
        await asyncio.sleep(1)


async def silent(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


@contextlib.asynccontextmanager
async def listening(answer_to: Callable[[bytes], Write]) -> AsyncIterator[str]:
    """The address of a server that picks its answer by the head of the request; one connection each."""
    handlers: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await answer_to(await reader.readuntil(b"\r\n\r\n"))(writer)
        writer.close()
        handlers.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for task in handlers.copy():
        task.cancel()
    await asyncio.gather(*handlers, return_exceptions=True)
