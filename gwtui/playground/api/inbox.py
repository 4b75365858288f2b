"""A bounded queue of received bytes whose reader may leave."""

from __future__ import annotations

import asyncio

_CHUNKS = 64


class Inbox:
    """Bytes on their way to one forwarded connection; `None` marks the end."""

    def __init__(self) -> None:
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(_CHUNKS)
        self._is_closed = False

    async def put(self, chunk: bytes | None) -> None:
        """Add a chunk; waits while the reader is behind, drops the chunk when the reader has left."""
        if not self._is_closed:
            await self._chunks.put(chunk)

    async def get(self) -> bytes | None:
        """The next chunk."""
        return await self._chunks.get()

    def close(self) -> None:
        """The reader leaves: what waits is dropped, and so is all that follows."""
        self._is_closed = True
        while not self._chunks.empty():
            self._chunks.get_nowait()
