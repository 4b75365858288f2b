"""Who calls over gRPC, as the rest of the clients sees them: most fleets speak none and load no library for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gwtui.playground.clients.orders import Target
from gwtui.playground.clients.streams import Stream


class GrpcCaller(Protocol):
    """Who calls one host over gRPC."""

    async def call(self, deadline_s: float) -> tuple[int | None, bool]:
        """Make one short call; returns the HTTP status of a good answer, and whether it was one."""
        ...

    async def follow(self, stream: Stream) -> None:
        """Read one stream of messages to its end."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


def grpc_callers(targets: Iterable[Target]) -> dict[str, GrpcCaller]:
    """Who calls the hosts that are called over gRPC, by host."""
    called = [each for each in targets if each.grpc_rps or each.grpc_streams]
    if not called:
        return {}
    from gwtui.playground.clients.grpc_calls import GrpcClients  # noqa: PLC0415 - loaded where it is needed

    return {each.host: GrpcClients(each) for each in called}
