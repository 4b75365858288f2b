"""The gRPC server of a workload: the echo service of the Gateway API conformance suite, and one stream of ours.

Messages are written field by field: there are four of them, and no generated code to keep.

*Source:* `grpcecho.proto` of the conformance suite of Gateway API 1.6: service, methods and field numbers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import grpc.aio  # type: ignore[import-untyped] # grpcio ships no types

from gwtui.playground.grpc_service import ECHO, SECONDS, SERVICE, STREAM

_SECONDS_LIMIT = 300.0
_PERIOD_S = 1.0


class GrpcEcho:
    """The gRPC server of one pod.

    Args:
        identity: namespace, service and pod.
        delay_s: drawn for each call: how long its answer takes.
        is_failing: asked for each call: whether it is answered with INTERNAL.
    """

    def __init__(
        self, identity: tuple[str, str, str], *, delay_s: Callable[[], float], is_failing: Callable[[], bool]
    ) -> None:
        self._identity = identity
        self._delay_s = delay_s
        self._is_failing = is_failing
        self._server: Any = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
        methods = {
            "Echo": grpc.unary_unary_rpc_method_handler(self._echo),
            "EchoStream": grpc.unary_stream_rpc_method_handler(self._stream),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))

    async def start(self, host: str) -> int:
        """Serve; returns the port."""
        port: int = self._server.add_insecure_port(f"{host}:0")
        await self._server.start()
        return port

    async def close(self) -> None:
        """Stop; calls under way are ended."""
        await self._server.stop(None)

    async def _echo(self, request: bytes, context: Any) -> bytes:
        await asyncio.sleep(self._delay_s())
        if self._is_failing():
            await context.abort(grpc.StatusCode.INTERNAL, "fails on purpose")
        return self._answer(ECHO, context)

    async def _stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        metadata = dict(context.invocation_metadata() or ())
        seconds = min(float(metadata.get(SECONDS, "20")), _SECONDS_LIMIT)
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + seconds
        while (left := ends_at - loop.time()) > 0:
            yield self._answer(STREAM, context)
            await asyncio.sleep(min(_PERIOD_S, left))

    def _answer(self, method: str, context: Any) -> bytes:
        """An EchoResponse: what arrived here, and where."""
        namespace, service, pod = self._identity
        headers = [
            _message((1, key), (2, value))
            for key, value in context.invocation_metadata() or ()
            if isinstance(value, str)
        ]
        place = _message((1, namespace), (3, service), (4, pod))
        assertions = _message((1, method), *((2, each) for each in headers), (4, place))
        return _message((1, assertions))


def _message(*fields: tuple[int, str | bytes]) -> bytes:
    """A message of fields of text or of further messages, by number."""
    return b"".join(_field(number, value.encode() if isinstance(value, str) else value) for number, value in fields)


def _field(number: int, value: bytes) -> bytes:
    return bytes((number << 3 | 2, *_varint(len(value)))) + value


def _varint(value: int) -> Iterable[int]:
    while value > 0x7F:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value
