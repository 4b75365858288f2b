"""The hand-over to waypoints: what is announced, and what happens when nobody takes it."""

from __future__ import annotations

import asyncio
import struct

from gwtui.playground.fleet.tunnels import Tunnels, header

SERVICE = ("10.96.7.8", 80)


async def test_the_address_asked_for_is_announced_before_anything_else():
    heard = asyncio.Queue()

    async def waypoint(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.put_nowait(await reader.readexactly(28 + 5))
        writer.write(b"pong")
        writer.close()

    server = await asyncio.start_server(waypoint, "127.0.0.1", 0)
    registry: dict = {}
    tunnels = Tunnels(registry)
    tunnels.follow({SERVICE: [("127.0.0.1", 1), server.sockets[0].getsockname()]})
    reader, writer = await asyncio.open_connection(*registry["", *SERVICE])
    writer.write(b"hello")
    assert await asyncio.wait_for(reader.read(), 5) == b"pong"
    told = await asyncio.wait_for(heard.get(), 5)
    assert told == header(writer.get_extra_info("sockname"), SERVICE) + b"hello"
    assert told[:12] == b"\r\n\r\n\0\r\nQUIT\n"
    assert told[20:24] == bytes((10, 96, 7, 8))
    assert struct.unpack("!H", told[26:28]) == (80,)
    writer.close()
    await tunnels.close()
    server.close()


async def test_a_connection_ends_at_once_when_no_waypoint_is_ready():
    registry: dict = {}
    tunnels = Tunnels(registry)
    tunnels.follow({SERVICE: []})
    reader, writer = await asyncio.open_connection(*registry["", *SERVICE])
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    tunnels.follow({})
    assert registry == {}
    await tunnels.close()
