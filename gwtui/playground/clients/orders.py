"""What the process of the clients is asked to do."""

from __future__ import annotations

import msgspec


class Target(msgspec.Struct, frozen=True):
    """What to send to one host."""

    host: str
    url: str
    """Base URL of the entry point."""
    rps: float
    http2_ratio: float
    streams: int
    paths: tuple[str, ...]
    websockets: int = 0
    grpc_rps: float = 0.0
    grpc_streams: int = 0


class Orders(msgspec.Struct, frozen=True):
    """What the process is asked to do."""

    targets: tuple[Target, ...]
    report: str
    """Path of the file with the counts."""
