"""gRPC: short calls and server streams, over channels with a connection each."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import grpc.aio  # type: ignore[import-untyped] # grpcio ships no types

from gwtui.playground.clients.orders import Target
from gwtui.playground.clients.streams import Stream
from gwtui.playground.grpc_service import ECHO, SECONDS, STREAM

_CHANNELS = 3
_OPTIONS = (
    # Connections are not shared among channels, and a proxy of the environment has no business on loopback.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
)


class GrpcClients:
    """Everybody who calls one host. Certificates are not spoken of: the entry point is plain HTTP/2."""

    def __init__(self, target: Target) -> None:
        options = (*_OPTIONS, ("grpc.default_authority", target.host))
        self._channels: list[Any] = [
            grpc.aio.insecure_channel(urlsplit(target.url).netloc, options) for _ in range(_CHANNELS)
        ]
        self._unary: itertools.cycle[Callable[..., Awaitable[bytes]]] = itertools.cycle(
            [channel.unary_unary(ECHO) for channel in self._channels]
        )
        self._streams = itertools.cycle([channel.unary_stream(STREAM) for channel in self._channels])

    async def call(self, deadline_s: float) -> tuple[int | None, bool]:
        """Make one short call; returns the HTTP status of a good answer, and whether it was one."""
        try:
            async with asyncio.timeout(deadline_s):
                answer = await next(self._unary)(b"")
        except (grpc.aio.AioRpcError, TimeoutError):
            return None, False
        return 200, bool(answer)

    async def follow(self, stream: Stream) -> None:
        """Read one stream of messages to its end."""
        call = next(self._streams)(b"", metadata=((SECONDS, f"{stream.seconds:.1f}"),))
        try:
            if await call.read() is grpc.aio.EOF:
                return
            with stream.begun(200):
                while await call.read() is not grpc.aio.EOF:
                    pass
                stream.is_complete = await call.code() is grpc.StatusCode.OK
        except grpc.aio.AioRpcError:
            return
        finally:
            call.cancel()

    async def close(self) -> None:
        """Close all connections."""
        for channel in self._channels:
            await channel.close()
