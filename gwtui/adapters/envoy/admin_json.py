"""What the JSON pages of Envoy's admin interface have in common: addresses, moments, 64-bit numbers, failures.

*Source:* Envoy 1.40. The pages are proto3 JSON: what is absent has its default, 64-bit numbers are strings, moments are
RFC 3339.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from gwtui.errors import BadPayload

_UINT64_DIGITS = 20

PIECE_BYTES = 200_000
"""Up to so many bytes are decoded in one call: some milliseconds."""

_PIECES_DEEP = 8

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""RFC 3339 with its offset."""


_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


class SocketAddress(msgspec.Struct, gc=False):
    """An address and a port."""

    address: str = ""
    port_value: int = 0


class Pipe(msgspec.Struct, gc=False):
    """A Unix socket."""

    path: str = ""


class InternalAddress(msgspec.Struct, gc=False):
    """A listener of the same process."""

    server_listener_name: str = ""
    endpoint_id: str = ""


class Address(msgspec.Struct, gc=False):
    """*Source:* `envoy.config.core.v3.Address`, of which one is set."""

    socket_address: SocketAddress | None = None
    pipe: Pipe | None = None
    envoy_internal_address: InternalAddress | None = None

    def text(self) -> str:
        """Return `10.0.0.7:8080`, `[::1]:8080`, the path of a socket, or `envoy://listener/id`; empty when none is."""
        if self.socket_address:
            host = self.socket_address.address
            return f"[{host}]:{self.socket_address.port_value}" if ":" in host else self._plain(self.socket_address)
        if self.pipe:
            return self.pipe.path
        if inner := self.envoy_internal_address:
            return f"envoy://{inner.server_listener_name}/{inner.endpoint_id}".rstrip("/")
        return ""

    @staticmethod
    def _plain(address: SocketAddress) -> str:
        return f"{address.address}:{address.port_value}"


@contextmanager
def reading(page: str, body: bytes) -> Iterator[None]:
    """Turn whatever goes wrong with a foreign text into one kind of failure.

    Raises:
        BadPayload: truncated, not JSON, nested too deeply, or not in the shape Envoy promises; names the page.
    """
    try:
        yield
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        # ValueError: bytes that are no UTF-8 and lone surrogates; OverflowError: years and numbers nobody has.
        raise BadPayload(
            f"not what {page} holds: {one_line(str(error))} (in {len(body)} bytes)",
            "check that this port is Envoy's admin port",
        ) from error


def decode_in_pieces(body: bytes | msgspec.Raw, depth: int = _PIECES_DEEP) -> Any:
    """Decode JSON in many calls: each holds the interpreter, and between two of them other threads run.

    Finding where the members of an object end takes a thirtieth of the time of decoding them.

    Args:
        body: one value.
        depth: so many levels are taken apart; below that everything is decoded at once.

    Raises:
        msgspec.DecodeError: it is no JSON.
    """
    view = memoryview(body)
    if depth and len(view) > PIECE_BYTES:
        if view[0] == ord("{"):
            return {key: decode_in_pieces(each, depth - 1) for key, each in _OBJECT.decode(body).items()}
        if view[0] == ord("["):
            return [decode_in_pieces(each, depth - 1) for each in _ARRAY.decode(body)]
    return msgspec.json.decode(body)


def utc(moment: datetime | None) -> datetime | None:
    """Return the same moment in UTC.

    Raises:
        OverflowError: it lies before the first year.
    """
    return moment.astimezone(UTC) if moment else None


def whole(number: str | int) -> int:
    """Return a 64-bit number, which proto3 JSON writes as a string.

    Raises:
        ValueError: it is none, or below zero.
    """
    if isinstance(number, str):
        if not (number.isascii() and number.isdecimal() and len(number) <= _UINT64_DIGITS):
            raise ValueError(f"{number[:30]!r} is not a 64-bit number")
        return int(number)
    if number < 0:
        raise ValueError(f"{number} is below zero")
    return number


def one_line(text: str) -> str:
    """Return a foreign text as one line that cannot steer a terminal. Never for names: those must stay exact."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
