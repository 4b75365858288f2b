"""The clients: open-loop requests and long streams to every host, each failure counted.

Run as `python -m gwtui.playground.load`: reads its orders as one line, answers `{}` once it is sending, and goes on
until its standard input ends. Counts are written to a file twice a second.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

import aiohttp
import httpx
import msgspec

from gwtui.playground.lifeline import follow_parent_death, wait_for_end

_REPORT_PERIOD_S = 0.5
_DEADLINE_S = 20.0
_STREAM_S = (12.0, 25.0)
"""Shortest and longest stream, in seconds."""
_IN_FLIGHT = 400
"""More unanswered requests than this per host are not added to: clients give up, they do not pile up."""
_HTTP2_CONNECTIONS = 4
_RETRY_STREAM_S = 1.0


class Target(msgspec.Struct, frozen=True):
    """What to send to one host."""

    host: str
    url: str
    """Base URL of the entry point."""
    rps: float
    http2_ratio: float
    streams: int
    paths: tuple[str, ...]


class Orders(msgspec.Struct, frozen=True):
    """What the process is asked to do."""

    targets: tuple[Target, ...]
    report: str
    """Path of the file with the counts."""


class Tally:
    """Counts of one host. `sent` is `ok` plus `failed` plus what is under way."""

    def __init__(self) -> None:
        self.sent = 0
        self.ok = 0
        self.failed = 0
        self.status: Counter[int] = Counter()

    def record(self, status: int | None, *, complete: bool) -> None:
        """Count one end of a request: a failure is no answer, a broken answer, or a 5xx."""
        if status is not None:
            self.status[status] += 1
        if complete and status is not None and status < 500:
            self.ok += 1
        else:
            self.failed += 1

    def as_json(self) -> dict[str, object]:
        """The counts, statuses as text."""
        return {
            "sent": self.sent,
            "ok": self.ok,
            "failed": self.failed,
            "status": {str(code): count for code, count in sorted(self.status.items())},
        }


class Clients:
    """Everybody who sends requests."""

    def __init__(self, orders: Orders, http1: aiohttp.ClientSession, http2: list[httpx.AsyncClient]) -> None:
        self._orders = orders
        self._http1 = http1
        self._http2 = itertools.cycle(http2)
        self.tallies = {target.host: Tally() for target in orders.targets}
        self.open_streams = 0

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._report())
            for target in self._orders.targets:
                tasks.create_task(self._pace(target, tasks))
                for _ in range(target.streams):
                    tasks.create_task(self._stream_again(target))

    def write_report(self) -> None:
        """Replace the file with the counts."""
        path = Path(self._orders.report)
        document = {
            "at_unix": time.time(),
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

    async def _pace(self, target: Target, tasks: asyncio.TaskGroup) -> None:
        """Start requests at the host's rate, whatever becomes of them."""
        tally = self.tallies[target.host]
        loop = asyncio.get_running_loop()
        due = loop.time()
        while target.rps > 0:
            due = max(due + random.uniform(0.5, 1.5) / target.rps, loop.time() - 0.5)
            await asyncio.sleep(max(due - loop.time(), 0))
            if tally.sent - tally.ok - tally.failed < _IN_FLIGHT:
                send = self._send_http2 if random.random() < target.http2_ratio else self._send_http1
                tally.sent += 1
                tasks.create_task(send(target, target.url + random.choice(target.paths), tally))

    async def _send_http1(self, target: Target, url: str, tally: Tally) -> None:
        status, complete = None, False
        try:
            async with asyncio.timeout(_DEADLINE_S), self._http1.get(url, headers={"host": target.host}) as answer:
                status = answer.status
                await answer.read()
                complete = True
        except (aiohttp.ClientError, OSError, TimeoutError):
            complete = False
        tally.record(status, complete=complete)

    async def _send_http2(self, target: Target, url: str, tally: Tally) -> None:
        status, complete = None, False
        try:
            async with asyncio.timeout(_DEADLINE_S):
                answer = await next(self._http2).get(url, headers={"host": target.host})
            status, complete = answer.status_code, True
        except (httpx.HTTPError, OSError, TimeoutError):
            complete = False
        tally.record(status, complete=complete)

    async def _stream_again(self, target: Target) -> None:
        while True:
            if not await self._stream(target):
                await asyncio.sleep(_RETRY_STREAM_S)

    async def _stream(self, target: Target) -> bool:
        """Read one event stream to its end; whether it ended as it should."""
        tally = self.tallies[target.host]
        tally.sent += 1
        status, complete, seconds = None, False, random.uniform(*_STREAM_S)
        url = f"{target.url}/stream?seconds={seconds:.1f}"
        try:
            async with (
                asyncio.timeout(seconds + _DEADLINE_S),
                self._http1.get(url, headers={"host": target.host}) as answer,
            ):
                status = answer.status
                self.open_streams += 1
                try:
                    complete = (await self._last_line(answer)).startswith(b"data: end")
                finally:
                    self.open_streams -= 1
        except (aiohttp.ClientError, OSError, TimeoutError):
            complete = False
        tally.record(status, complete=complete)
        return complete

    @staticmethod
    async def _last_line(answer: aiohttp.ClientResponse) -> bytes:
        last = b""
        async for line in answer.content:
            last = line if line.strip() else last
        return last


async def send(orders: Orders) -> None:
    """Send until standard input ends, then write the counts once more."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
    http2 = [httpx.AsyncClient(http1=False, http2=True, timeout=None) for _ in range(_HTTP2_CONNECTIONS)]  # noqa: S113 - under asyncio.timeout
    async with aiohttp.ClientSession(connector=connector) as http1:
        clients = Clients(orders, http1, http2)
        running = asyncio.create_task(clients.run())
        sys.stdout.write("{}\n")
        sys.stdout.flush()
        ended = asyncio.create_task(wait_for_end(ignore_interrupt=True))
        await asyncio.wait((running, ended), return_when=asyncio.FIRST_COMPLETED)
        for task in (running, ended):
            task.cancel()
        outcomes = await asyncio.gather(running, ended, return_exceptions=True)
        clients.write_report()
    for client in http2:
        await client.aclose()
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


if __name__ == "__main__":
    follow_parent_death()
    asyncio.run(send(msgspec.json.decode(sys.stdin.readline(), type=Orders)))
