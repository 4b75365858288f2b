"""The clients: open-loop requests and long streams to every host, each failure counted.

Run as `python -m gwtui.playground.load`: reads its orders as one line, answers `{}` once it is sending, and goes on
until its standard input ends. Counts are written to a file twice a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from pathlib import Path

import aiohttp
import msgspec

from gwtui.playground.clients.callers import GrpcCaller, grpc_callers
from gwtui.playground.clients.http2 import Http2Client
from gwtui.playground.clients.orders import Orders, Target
from gwtui.playground.clients.streams import Stream, read_events, talk
from gwtui.playground.clients.tally import LATENCY_MS, HostTally, Outcome, Protocol
from gwtui.playground.grpc_service import ECHO
from gwtui.playground.lifeline import follow_parent_death, wait_for_end

__all__ = ["LATENCY_MS", "Clients", "HostTally", "Orders", "Target", "send"]

_REPORT_PERIOD_S = 0.5
_DEADLINE_S = 20.0
_STREAM_S = (12.0, 25.0)
"""Shortest and longest stream, in seconds."""
_IN_FLIGHT = 400
"""More unanswered requests than this per host are not added to: clients give up, they do not pile up."""
_HTTP2_CONNECTIONS = 4
_RETRY_STREAM_S = 1.0
_CATCH_UP_S = 0.5
"""A request that is later than this is left out: sending all of them at once would be a burst nobody ordered."""

_NOTHING_S = 0.2
"""How often it is looked whether there is something to send again."""

Send = Callable[[Target, str], Awaitable[tuple[int | None, bool]]]
"""Sends one request to a URL; returns the status, and whether the answer was complete."""
Converse = Callable[[Target, Stream], Awaitable[None]]
"""Leads one long stream to its end."""


class Change(msgspec.Struct, frozen=True):
    """How often one host is asked from now on."""

    host: str
    rps: float | None = None
    """Requests/s; None for what was ordered at the start."""


class Clients:
    """Everybody who sends requests.

    Args:
        orders: what to send.
        http1: the HTTP/1.1 connections.
        http2: clients with an HTTP/2 connection to each place.
        grpc: by host, who calls it.
    """

    def __init__(
        self,
        orders: Orders,
        http1: aiohttp.ClientSession,
        http2: list[Http2Client],
        grpc: Mapping[str, GrpcCaller] | None = None,
    ) -> None:
        self._orders = orders
        self._http1 = http1
        self._http2 = itertools.cycle(http2)
        self._grpc = grpc or {}
        self._rates = {target.host: target.rps for target in orders.targets}
        self.tallies = {target.host: HostTally(target.paths) for target in orders.targets}

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._report())
            for target in self._orders.targets:
                tasks.create_task(self._pace(target, self._http_rps, self._send_http, tasks))
                if target.grpc_rps > 0:
                    tasks.create_task(self._pace(target, _grpc_rps, self._send_grpc, tasks))
                streams: Iterable[tuple[int, Protocol, Converse]] = (
                    (target.streams, Protocol.SSE, self._read_events),
                    (target.websockets, Protocol.WEBSOCKET, self._talk),
                    (target.grpc_streams, Protocol.GRPC, self._follow_grpc),
                )
                for number, protocol, converse in streams:
                    for _ in range(number):
                        tasks.create_task(self._stream_again(target, protocol, converse))

    def change(self, line: bytes) -> None:
        """Send more or less to a host from now on; without a rate as it was ordered at the start."""
        wanted = msgspec.json.decode(line, type=Change)
        ordered = {target.host: target.rps for target in self._orders.targets}
        self._rates[wanted.host] = ordered[wanted.host] if wanted.rps is None else wanted.rps

    @property
    def open_streams(self) -> int:
        """Long streams of every protocol that are held open."""
        return sum(each.open for tally in self.tallies.values() for each in tally.protocols.values())

    def write_report(self) -> None:
        """Replace the file with the counts."""
        path = Path(self._orders.report)
        document = {
            "at_unix": time.time(),
            "at_mono": time.monotonic(),
            "hosts": {host: tally.as_json() for host, tally in self.tallies.items()},
            "open_streams": self.open_streams,
        }
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(document))
        draft.rename(path)

    async def _report(self) -> None:
        while True:
            self.write_report()
            await asyncio.sleep(_REPORT_PERIOD_S)

    async def _pace(
        self,
        target: Target,
        rate: Callable[[Target], float],
        start: Callable[[Target], Coroutine[None, None, None]],
        tasks: asyncio.TaskGroup,
    ) -> None:
        """Start requests at a rate, whatever becomes of them."""
        tally = self.tallies[target.host]
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            rps = rate(target)
            if rps <= 0:
                await asyncio.sleep(_NOTHING_S)
                due = loop.time()
                continue
            due += random.uniform(0.5, 1.5) / rps
            await asyncio.sleep(max(due - loop.time(), 0))
            if loop.time() - due > _CATCH_UP_S or tally.sent - tally.ok - tally.failed >= _IN_FLIGHT:
                tally.omitted += 1
                continue
            tasks.create_task(start(target))

    def _http_rps(self, target: Target) -> float:
        return self._rates[target.host]

    async def _send_http(self, target: Target) -> None:
        path = random.choice(target.paths)
        if random.random() < target.http2_ratio:
            await self._send(Protocol.HTTP2, self._send_http2, target, path)
        else:
            await self._send(Protocol.HTTP1, self._send_http1, target, path)

    async def _send_grpc(self, target: Target) -> None:
        await self._send(Protocol.GRPC, self._call_grpc, target, ECHO)

    async def _send(self, protocol: Protocol, send: Send, target: Target, path: str) -> None:
        tally = self.tallies[target.host]
        of_protocol = tally.protocols[protocol]
        of_protocol.sent += 1
        of_path = tally.start(path)
        began = time.perf_counter()
        status, complete = await send(target, target.url + path)
        if complete:
            tally.took(time.perf_counter() - began)
        tally.record(status, complete=complete)
        is_ok = of_path.record(status, complete=complete)
        of_protocol.ended[Outcome.OK if is_ok else Outcome.FAILED] += 1

    async def _send_http1(self, target: Target, url: str) -> tuple[int | None, bool]:
        status = None
        headers = {"host": target.host}
        # Certificates are not looked at: what clients see of them is not what is shown here.
        asked = self._http1.get(url, headers=headers, ssl=False, server_hostname=target.host)
        try:
            async with asyncio.timeout(_DEADLINE_S), asked as answer:
                status = answer.status
                await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return status, False
        return status, True

    async def _send_http2(self, target: Target, url: str) -> tuple[int | None, bool]:
        try:
            async with asyncio.timeout(_DEADLINE_S):
                return await next(self._http2).get(url, target.host), True
        except (OSError, TimeoutError):
            return None, False

    async def _call_grpc(self, target: Target, _url: str) -> tuple[int | None, bool]:
        return await self._grpc[target.host].call(_DEADLINE_S)

    async def _read_events(self, target: Target, stream: Stream) -> None:
        await read_events(self._http1, target, stream)

    async def _talk(self, target: Target, stream: Stream) -> None:
        await talk(self._http1, target, stream)

    async def _follow_grpc(self, target: Target, stream: Stream) -> None:
        await self._grpc[target.host].follow(stream)

    async def _stream_again(self, target: Target, protocol: Protocol, converse: Converse) -> None:
        """Hold one long stream open after the other."""
        tally = self.tallies[target.host]
        of_protocol = tally.protocols[protocol]
        while True:
            stream = Stream(random.uniform(*_STREAM_S), of_protocol)
            tally.sent += 1
            of_protocol.sent += 1
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with asyncio.timeout(stream.seconds + _DEADLINE_S):
                    await converse(target, stream)
            tally.record(stream.status, complete=stream.is_complete)
            of_protocol.ended[stream.outcome] += 1
            if not stream.is_complete:
                await asyncio.sleep(_RETRY_STREAM_S)


def _grpc_rps(target: Target) -> float:
    return target.grpc_rps


async def send(orders: Orders) -> None:
    """Send until standard input ends, then write the counts once more."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
    http2 = [Http2Client() for _ in range(_HTTP2_CONNECTIONS)]
    callers = grpc_callers(orders.targets)
    async with aiohttp.ClientSession(connector=connector) as http1:
        clients = Clients(orders, http1, http2, callers)
        clients.write_report()  # before anybody is told that there is one
        running = asyncio.create_task(clients.run())
        _answer()

        def on_line(line: bytes) -> None:
            clients.change(line)
            _answer()

        ended = asyncio.create_task(wait_for_end(ignore_interrupt=True, on_line=on_line))
        await asyncio.wait((running, ended), return_when=asyncio.FIRST_COMPLETED)
        for task in (running, ended):
            task.cancel()
        outcomes = await asyncio.gather(running, ended, return_exceptions=True)
        clients.write_report()
    for client in http2:
        await client.close()
    for caller in callers.values():
        await caller.close()
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


def _answer() -> None:
    sys.stdout.write("{}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    follow_parent_death()
    asyncio.run(send(msgspec.json.decode(sys.stdin.readline(), type=Orders)))
