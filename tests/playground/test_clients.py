"""How each kind of client tells what went well, what failed, and what was cut."""

from __future__ import annotations

import asyncio
from collections import Counter

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamReset
from hyperframe.frame import GoAwayFrame

from gwtui.playground.backends import LOOPBACK, Behaviour, Echo, Pod
from gwtui.playground.clients.callers import grpc_callers
from gwtui.playground.clients.http2 import Http2Client
from gwtui.playground.clients.orders import Target
from gwtui.playground.clients.streams import Stream, read_events, talk
from gwtui.playground.clients.tally import HostTally, Outcome, Protocol, ProtocolTally
from gwtui.playground.grpc_echo import GrpcEcho

IDENTITY = ("foo", "web", "web-1")


def behaviour(error_ratio: float = 0.0) -> Behaviour:
    return Behaviour(Pod(*IDENTITY, latency_ms=0, jitter_ms=0, error_ratio=error_ratio))


def target(port: int) -> Target:
    return Target("foo.example.com", f"http://{LOOPBACK}:{port}", 0, 0, 0, (), grpc_streams=1)


@pytest_asyncio.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest_asyncio.fixture
async def echo():
    server = Echo(behaviour())
    yield target(await server.start(LOOPBACK))
    await server.close()


@pytest.mark.parametrize("converse", [read_events, talk])
async def test_a_stream_that_comes_to_its_end_is_well(http, echo, converse, eventually):
    tally = ProtocolTally()
    stream = Stream(1.2, tally)
    running = asyncio.create_task(converse(http, echo, stream))

    async def is_open() -> bool:
        return tally.open == 1

    await eventually(is_open, within_s=5)
    await running
    assert (stream.outcome, tally.open) == (Outcome.OK, 0)
    assert stream.status == (200 if converse is read_events else 101)


async def serve(handler) -> tuple[web.AppRunner, Target]:
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    return runner, target(runner.addresses[0][1])


async def refuse(_request: web.Request) -> web.Response:
    return web.Response(status=503)


async def cut_events(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"data: begun\n\n")
    request.transport.close()
    return response


async def cut_talk(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.receive()
    await socket.close()
    return socket


async def answer_otherwise(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for _ in socket:
        await socket.send_str("something else")
    return socket


@pytest.mark.parametrize(
    ("converse", "handler", "outcome"),
    [
        (read_events, refuse, Outcome.FAILED),
        (talk, refuse, Outcome.FAILED),
        (read_events, cut_events, Outcome.CUT),
        (talk, cut_talk, Outcome.CUT),
        (talk, answer_otherwise, Outcome.CUT),
    ],
)
async def test_a_stream_that_never_began_is_told_from_one_that_was_cut(http, converse, handler, outcome):
    runner, place = await serve(handler)
    stream = Stream(5, ProtocolTally())
    try:
        await converse(http, place, stream)
    except aiohttp.ClientError:
        pass
    finally:
        await runner.cleanup()
    assert stream.outcome is outcome


class Peer(asyncio.Protocol):
    """The other side of HTTP/2 connections: answers when told to, and says goodbye before."""

    goodbyes: tuple[int, ...] = ()
    """By connection, the last stream it promises to answer; connections after these stay."""

    is_silent = False

    def __init__(self, connections: list[Peer]) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=False))
        self.asked: list[tuple[int, dict]] = []
        self.resets: list[int] = []
        self._connections = connections

    def connection_made(self, transport) -> None:
        self.number = len(self._connections)
        self._connections.append(self)
        self.transport = transport
        self.h2.initiate_connection()
        self.flush()

    def data_received(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            if isinstance(event, RequestReceived):
                self.asked.append((event.stream_id, dict(event.headers)))
            elif isinstance(event, StreamReset):
                self.resets.append(event.stream_id)
        self.flush()
        if self.is_silent:
            return
        if self.number < len(self.goodbyes):
            if len(self.asked) == 2:
                self.transport.write(GoAwayFrame(0, last_stream_id=self.goodbyes[self.number]).serialize())
                self.answer(*(stream for stream, _ in self.asked if stream <= self.goodbyes[self.number]))
        else:
            self.answer(*(stream for stream, _ in self.asked if stream in self.h2.streams))

    def answer(self, *streams: int) -> None:
        for stream in streams:
            if not self.h2.streams[stream].closed:
                self.h2.send_headers(stream, [(":status", "200")])
                self.h2.send_data(stream, b"x" * 100, end_stream=True)
        self.flush()

    def flush(self) -> None:
        self.transport.write(self.h2.data_to_send())


@pytest_asyncio.fixture
async def peers():
    connections: list[Peer] = []
    server = await asyncio.get_running_loop().create_server(lambda: Peer(connections), LOOPBACK, 0)
    client = Http2Client()
    yield connections, client, f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    await client.close()
    server.close()


@pytest.mark.parametrize("last_stream", [2**31 - 1, 1])
async def test_who_is_sent_away_gets_every_answer_and_asks_elsewhere(peers, monkeypatch, last_stream, eventually):
    connections, client, url = peers
    monkeypatch.setattr(Peer, "goodbyes", (last_stream,))
    first = asyncio.create_task(client.get(f"{url}/first?n=1", "a.example.com"))
    second = asyncio.create_task(client.get(f"{url}/second", "a.example.com"))
    assert await asyncio.gather(first, second) == [200, 200]
    assert await client.get(url, "a.example.com") == 200
    assert connections[0].asked[0][1][b":path"] == b"/first?n=1"
    assert connections[0].asked[0][1][b":authority"] == b"a.example.com"
    assert [len(each.asked) for each in connections] == [2, 1 if last_stream > 3 else 2]

    async def is_left() -> bool:
        return connections[0].transport.is_closing()

    await eventually(is_left, within_s=2)


async def test_who_is_sent_away_again_and_again_gives_up(peers, monkeypatch):
    connections, client, url = peers
    monkeypatch.setattr(Peer, "goodbyes", (0,) * 9)
    answers = await asyncio.gather(*(client.get(url, "a.example.com") for _ in range(2)), return_exceptions=True)
    assert all(isinstance(each, ConnectionResetError) for each in answers)
    assert len(connections) == 3


async def test_a_request_breaks_with_its_connection_and_one_given_up_on_is_reset(peers, monkeypatch, eventually):
    connections, client, url = peers
    monkeypatch.setattr(Peer, "is_silent", True)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.get(url, "a.example.com"), 0.2)

    async def is_reset() -> bool:
        return connections[0].resets == [1]

    await eventually(is_reset, within_s=2)
    asking = asyncio.create_task(client.get(url, "a.example.com"))

    async def is_asked() -> bool:
        return len(connections[0].asked) == 2

    await eventually(is_asked, within_s=2)
    connections[0].transport.abort()
    with pytest.raises(ConnectionResetError):
        await asking
    monkeypatch.setattr(Peer, "is_silent", False)
    assert await client.get(url, "a.example.com") == 200
    assert len(connections) == 2


@pytest_asyncio.fixture
async def calls():
    how = behaviour()
    server = GrpcEcho(IDENTITY, delay_s=how.delay_s, is_failing=how.is_failing)
    place = target(await server.start(LOOPBACK))
    caller = grpc_callers([place])[place.host]
    yield how, server, caller
    await caller.close()
    await server.close()


async def test_calls_are_answered_or_fail(calls):
    how, server, caller = calls
    assert await caller.call(5) == (200, True)
    how.error_ratio = 1.0
    assert await caller.call(5) == (None, False)
    how.error_ratio = 0.0
    await server.close()
    assert await caller.call(5) == (None, False)
    stream = Stream(5, ProtocolTally())
    await caller.follow(stream)
    assert stream.outcome is Outcome.FAILED


async def test_a_grpc_stream_ends_in_time_or_is_cut(calls, eventually):
    _, server, caller = calls
    tally = ProtocolTally()
    whole, cut = Stream(0.3, tally), Stream(30, tally)
    await caller.follow(whole)
    assert (whole.outcome, whole.status) == (Outcome.OK, 200)
    following = asyncio.create_task(caller.follow(cut))

    async def is_open() -> bool:
        return tally.open == 1

    await eventually(is_open, within_s=5)
    await server.close()
    await following
    assert (cut.outcome, tally.open) == (Outcome.CUT, 0)


def test_nobody_calls_where_nothing_is_to_be_called():
    assert grpc_callers([Target("a.example.com", "http://127.0.0.1:9", 1.0, 0.5, 1, ("/",))]) == {}


def test_protocols_tell_what_was_cut_apart_from_what_failed():
    tally = HostTally(["/"])
    sockets = tally.protocols[Protocol.WEBSOCKET]
    sockets.sent = 4
    sockets.ended = Counter({Outcome.OK: 2, Outcome.CUT: 1})
    sockets.open = 1
    found = tally.as_json()["protocols"]
    assert found.keys() == {"http1", "http2", "grpc", "sse", "websocket"}
    assert found["websocket"] == {"sent": 4, "ok": 2, "failed": 0, "cut": 1, "open": 1}
