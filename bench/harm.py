"""No harm: what being watched does to an Envoy of 2,000 clusters, as the thread of its admin interface feels it.

Blocks of watching and of not watching take turns on one Envoy. Watching is the console's own `Scraper` with its
`Governor` in this process; between two blocks its clock stands still, so that it neither forgets what it spent nor
saves up. Another process asks `/ready` over and over through the statistics listener, as a kubelet does.

- share: CPU of Envoy's main thread while watched, less what it takes while it is not (statistics flush, `/ready`). The
  goal is the governor's budget.
- ready: how long `/ready` takes while watched, against the blocks in between. Two figures are judged. The 95th
  percentile says whether `/ready` as such is slower. The longest wait of a block says whether anything waits longer for
  us than for Envoy's own statistics flush: that holds the same thread every 5 s, for longer than any answer to us does.
  Each is the median over the blocks. Noise is how far the worst unwatched block is from the median one; the bound is
  half as much again. The 99th percentile is told but not judged: of whoever comes, as many wait for us as we take of
  the thread's time, which may be 5 %, so it tells how long an answer to us takes and not whether that harms.

Prints one JSON line per figure. Run with `python -m bench.harm`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from bench.envoys import RunningEnvoy, envoy
from gwtui.adapters.direct.access import DirectAccess
from gwtui.adapters.envoy.reader import EnvoyReader
from gwtui.engine.governor import BUDGET, Governor
from gwtui.engine.scrape import Scraper
from gwtui.engine.store import Store
from gwtui.engine.supervisor import supervise
from gwtui.model.ids import ProxyKey
from gwtui.ports import ProxyAddress

ROUTES = 2000
PAIRS = 5
BLOCK_S = 6.0
PROBE_S = 0.01
NOISE = 1.5
"""How many times as far as unwatched blocks from each other may the watched be from them."""

KEY = ProxyKey("bench", "infra", "gw-7d9f-abcde")


class StandingClock:
    """The clock of this machine, which stands still while nothing is to be done."""

    def __init__(self) -> None:
        self._is_running = asyncio.Event()
        self._stood_s = 0.0
        self._stands_since = time.monotonic()

    def now(self) -> datetime:
        """The current time, aware UTC."""
        return datetime.now(UTC)

    def mono(self) -> float:
        """Monotonic seconds, without those in which it stood."""
        at = time.monotonic() if self._is_running.is_set() else self._stands_since
        return at - self._stood_s

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this clock."""
        due = self.mono() + seconds
        while (left := due - self.mono()) > 0 or not self._is_running.is_set():
            await self._is_running.wait()
            await asyncio.sleep(max(left, 0.0))

    def go_on(self) -> None:
        """Let time pass; it may do so already."""
        if self._is_running.is_set():
            return
        self._stood_s += time.monotonic() - self._stands_since
        self._is_running.set()

    def stand_still(self) -> None:
        """Hold time."""
        self._stands_since = time.monotonic()
        self._is_running.clear()


class Block(NamedTuple):
    """A time in which it was watched, or not."""

    is_watched: bool
    started: float
    """Monotonic seconds."""
    ended: float
    cpu_s: float
    """Of Envoy's main thread."""


async def blocks(proxy: RunningEnvoy) -> list[Block]:
    """Take turns."""
    clock = StandingClock()
    base = f"http://127.0.0.1:{proxy.admin}"
    access = DirectAccess("static", lambda _key, _port: base, reaches_loopback=True, clock=clock)
    address = ProxyAddress(KEY, proxy.stats, proxy.admin)
    store = Store(clock)
    scraper = Scraper(EnvoyReader((access,), clock), lambda: {address}, clock, governor=Governor())
    watching = asyncio.create_task(supervise((scraper,), store, clock))
    clock.go_on()
    await asyncio.sleep(BLOCK_S)  # its first samples, which hold everything
    found = []
    for number in range(2 * PAIRS):
        is_watched = number % 2 == 0
        if is_watched:
            clock.go_on()
        else:
            clock.stand_still()
            await asyncio.sleep(1.0)  # a sample that is under way ends
        started, cpu_s = time.monotonic(), proxy.main_thread_cpu_s()
        await asyncio.sleep(BLOCK_S)
        ended = time.monotonic()
        found.append(Block(is_watched, started, ended, proxy.main_thread_cpu_s() - cpu_s))
    watching.cancel()
    await asyncio.wait({watching})
    await access.close()
    view = store.snapshot.proxies[KEY]
    if not view.is_answering:
        raise RuntimeError(f"it was not watched: {view.reason}")
    return found


def probe(port: int) -> None:
    """Ask `/ready` until SIGTERM; write [monotonic seconds, seconds it took] for each answer."""
    is_over = False

    def end(*_about: object) -> None:
        nonlocal is_over
        is_over = True

    signal.signal(signal.SIGTERM, end)
    times = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        while not is_over:
            started = time.monotonic()
            connection.sendall(b"GET /ready HTTP/1.1\r\nhost: a\r\n\r\n")
            answer = b""
            while b"LIVE" not in answer:
                answer += connection.recv(4096)
            times.append((started, time.monotonic() - started))
            time.sleep(max(started + PROBE_S - time.monotonic(), 0.0))
    print(json.dumps(times))


async def main() -> None:
    async with envoy(ROUTES) as proxy:
        prober = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.harm", str(proxy.stats)), stdout=asyncio.subprocess.PIPE
        )
        try:
            found = await blocks(proxy)
            prober.terminate()
            told, _ = await asyncio.wait_for(prober.communicate(), 20)
        finally:
            if prober.returncode is None:
                prober.kill()
                await prober.wait()
    print(json.dumps(share(found)), flush=True)
    print(json.dumps(ready(found, json.loads(told))))


def share(found: list[Block]) -> dict[str, Any]:
    """The part of the main thread's time that watching takes."""
    watched, unwatched = (
        statistics.median(block.cpu_s / (block.ended - block.started) for block in found if block.is_watched == which)
        for which in (True, False)
    )
    return {
        "id": "no harm: share",
        "what": f"CPU of Envoy's main thread for us, of its time, {ROUTES} clusters",
        "ratio": round(watched - unwatched, 4),
        "goal": BUDGET,
        "met": watched - unwatched <= BUDGET,
        "core": {"watched": round(watched, 4), "unwatched": round(unwatched, 4)},
    }


def ready(found: list[Block], asked: list[tuple[float, float]]) -> dict[str, Any]:
    """How long `/ready` takes in both kinds of blocks."""
    times: dict[bool, list[list[float]]] = {True: [], False: []}
    for block in found:
        times[block.is_watched].append([took_s * 1000 for at, took_s in asked if block.started <= at <= block.ended])
    p50, p95, p99 = (judged(times, partial(percentile, part=part)) for part in (50, 95, 99))
    longest = judged(times, max)
    return {
        "id": "no harm: ready",
        "what": "time of /ready while watched, against unwatched: p95, longest",
        "ratio": [p95.ratio, longest.ratio],
        "goal": [p95.bound, longest.bound],
        "met": p95.ratio <= p95.bound and longest.ratio <= longest.bound,
        "ms": {"p50": p50.ms, "p95": p95.ms, "p99": p99.ms, "longest": longest.ms},
        "blocks": len(found),
        "probes": sum(map(len, (*times[True], *times[False]))),
        "load_average": round(os.getloadavg()[0], 2),
    }


def percentile(values: list[float], part: int) -> float:
    """One of the 99 percentiles."""
    return statistics.quantiles(values, n=100, method="inclusive")[part - 1]


class Judged(NamedTuple):
    """One percentile in both kinds of blocks."""

    ratio: float
    bound: float
    ms: tuple[float, float]
    """Watched and unwatched."""


def judged(times: dict[bool, list[list[float]]], of: Callable[[list[float]], float]) -> Judged:
    """Compare watched with unwatched blocks, and unwatched ones among themselves."""
    watched, unwatched = ([of(block) for block in times[which]] for which in (True, False))
    usual = statistics.median(unwatched)
    ms = statistics.median(watched), usual
    return Judged(round(ms[0] / usual, 2), round(NOISE * max(unwatched) / usual, 2), (round(ms[0], 2), round(ms[1], 2)))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        probe(int(sys.argv[1]))
    else:
        asyncio.run(main())
