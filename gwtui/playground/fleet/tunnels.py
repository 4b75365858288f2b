"""Plays the one part of ztunnel that waypoints need: connections to a Service's address are handed to its waypoint.

Each is announced with a PROXY protocol header that names the address asked for. Nothing is encrypted here.

*Source:* version 2 of the PROXY protocol, `doc/proxy-protocol.txt` of HAProxy 3.1.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from gwtui.playground.fleet.ports import LOOPBACK
from gwtui.playground.fleet.proxies import Registry

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_PROXIED_TCP4 = b"\x21\x11"
_CONNECT_DEADLINE_S = 5.0
_CHUNK_BYTES = 1 << 16

Place = tuple[str, int]
"""(IPv4 address, port)."""


@dataclass(slots=True)
class _Tunnel:
    listening: socket.socket
    waypoints: list[Place]
    task: asyncio.Task[None] | None = None
    carried: set[asyncio.Task[None]] = field(default_factory=set)


class Tunnels:
    """A loopback port for every Service port that is reached by way of a waypoint."""

    def __init__(self, registry: Registry) -> None:
        """Create none yet; `registry` gets `("", address of the Service, port)` for each."""
        self._registry = registry
        self._tunnels: dict[Place, _Tunnel] = {}

    def follow(self, wanted: Mapping[Place, list[Place]]) -> None:
        """Serve exactly these: for each address and port of a Service, where its ready waypoints really listen."""
        for gone in self._tunnels.keys() - wanted.keys():
            self._registry.pop(("", *gone), None)
            self._end(self._tunnels.pop(gone))
        for place, waypoints in wanted.items():
            if place not in self._tunnels:
                tunnel = _Tunnel(socket.create_server((LOOPBACK, 0)), waypoints)
                tunnel.task = asyncio.create_task(self._serve(place, tunnel), name=f"tunnel {place}")
                self._tunnels[place] = tunnel
                self._registry["", *place] = (LOOPBACK, tunnel.listening.getsockname()[1])
            self._tunnels[place].waypoints = waypoints

    def check(self) -> None:
        """Raise what ended a tunnel, if anything did."""
        for tunnel in self._tunnels.values():
            if tunnel.task and tunnel.task.done():
                tunnel.task.result()

    async def close(self) -> None:
        """End every connection."""
        tunnels = list(self._tunnels.values())
        self._tunnels.clear()
        tasks = [task for tunnel in tunnels for task in (tunnel.task, *tunnel.carried) if task]
        for tunnel in tunnels:
            self._end(tunnel)
        await asyncio.gather(*tasks, return_exceptions=True)

    @staticmethod
    def _end(tunnel: _Tunnel) -> None:
        for task in (tunnel.task, *tunnel.carried):
            if task is not None:
                task.cancel()
        tunnel.listening.close()

    async def _serve(self, place: Place, tunnel: _Tunnel) -> None:
        loop = asyncio.get_running_loop()
        tunnel.listening.setblocking(False)
        while True:
            accepted, client = await loop.sock_accept(tunnel.listening)
            task = asyncio.create_task(_carry(accepted, client, place, tunnel), name=f"tunnel to {place}")
            tunnel.carried.add(task)
            task.add_done_callback(tunnel.carried.discard)


async def _carry(accepted: socket.socket, client: Place, place: Place, tunnel: _Tunnel) -> None:
    """Carry one connection until either side ends it; without a waypoint that listens it is closed at once."""
    reader, writer = await asyncio.open_connection(sock=accepted)
    try:
        # A waypoint that died a moment ago must not cost a connection.
        for waypoint in random.sample(tunnel.waypoints, len(tunnel.waypoints)):
            try:
                async with asyncio.timeout(_CONNECT_DEADLINE_S):
                    theirs, ours = await asyncio.open_connection(*waypoint)
            except (OSError, TimeoutError):
                continue
            try:
                ours.write(header(client, place))
                await _both_ways((reader, ours), (theirs, writer))
            finally:
                ours.close()
            return
    finally:
        writer.close()


async def _both_ways(*pairs: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    copies = [asyncio.create_task(_copy(*pair)) for pair in pairs]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for copy in copies:
            copy.cancel()
        await asyncio.gather(*copies, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()


def header(source: Place, destination: Place) -> bytes:
    """The PROXY protocol header of a TCP connection over IPv4."""
    addresses = socket.inet_aton(source[0]) + socket.inet_aton(destination[0])
    body = addresses + struct.pack("!HH", source[1], destination[1])
    return _SIGNATURE + _PROXIED_TCP4 + struct.pack("!H", len(body)) + body
