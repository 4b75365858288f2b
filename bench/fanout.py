"""P4: polling 1000 proxies every 5 s, everything included, against a bare aiohttp loop that drops the bodies.

The proxies answer as an Envoy with 50 routes did (`bench/replay.py`). Ours is the console's own path: `Scraper`,
`Governor`, `EnvoyReader`, `DirectAccess` and `Store` with its folds. The bare loop fetches the same paths in the same
rhythm over connections kept alike. Each runs in a process of its own, in turns; the figure is CPU per request, and both
report how much memory they hold and how late a task that sleeps 10 ms woke at worst.

Prints one JSON line. Run with `python -m bench.fanout`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from bench.replay import CLUSTER, PROXIES, fleet, host, key, raise_open_files, served, topology
from gwtui.adapters.direct.access import DirectAccess
from gwtui.adapters.envoy.paths import COUNTERS, GAUGES, LATENCY, READY
from gwtui.adapters.envoy.reader import EnvoyReader
from gwtui.engine.clock import SystemClock
from gwtui.engine.governor import OURS_S, Governor
from gwtui.engine.pace import FLUSH_S, GAUGES_EVERY
from gwtui.engine.scrape import Scraper
from gwtui.engine.store import Store
from gwtui.engine.supervisor import supervise
from gwtui.model.observations import TopologyGiven

GOAL = 2.5
TURNS = 2
WARM_S = 7.0
"""Longer than a period: every proxy was asked twice."""

WINDOW_S = 10.0
TICK_S = 0.01


class Fleet:
    """The console's polling of the whole fleet.

    Args:
        port: where every proxy listens.
    """

    def __init__(self, port: int) -> None:
        hosts = {key(number): f"http://{host(number)}:{port}" for number in range(PROXIES)}
        clock = SystemClock()
        self.store = Store(clock)
        self.governor = Governor()
        access = DirectAccess("static", lambda proxy, _port: hosts.get(proxy), reaches_loopback=True, clock=clock)
        proxies = fleet(port)
        scraper = Scraper(EnvoyReader((access,), clock), lambda: proxies, clock, governor=self.governor)
        self.store.report(TopologyGiven(CLUSTER, topology()))
        self._access = access
        self._task = asyncio.create_task(supervise((scraper,), self.store, clock))

    def done(self) -> tuple[int, int]:
        """Requests and samples so far."""
        views = self.store.snapshot.proxies.values()
        failed = [view for view in views if not view.is_answering]
        if failed:
            raise RuntimeError(f"{len(failed)} proxies do not answer: {failed[0].reason}")
        return sum(view.spent.questions for view in views), sum(len(view.series) for view in views)

    async def end(self) -> None:
        """Stop polling."""
        self._task.cancel()
        await asyncio.wait({self._task})
        await self._access.close()


class Bare:
    """The same questions in the same rhythm, and nothing done with the answers.

    Args:
        port: where every proxy listens.
    """

    def __init__(self, port: int) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._requests = self._samples = 0
        self._tasks = [asyncio.create_task(self._poll(f"http://{host(number)}:{port}")) for number in range(PROXIES)]

    def done(self) -> tuple[int, int]:
        """Requests and samples so far."""
        return self._requests, self._samples

    async def end(self) -> None:
        """Stop polling."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self._session.close()

    async def _poll(self, base: str) -> None:
        period_s = OURS_S * PROXIES
        await asyncio.sleep(random.uniform(0.0, period_s))
        asked_latency = float("-inf")
        count = 0
        while True:
            started = time.monotonic()
            paths = [COUNTERS, *([GAUGES] if count % GAUGES_EVERY == 0 else [])]
            if started - asked_latency >= FLUSH_S:
                paths.append(LATENCY)
                asked_latency = started
            for path in (*paths, READY):
                async with self._session.get(base + path) as answer:
                    await answer.read()
                self._requests += 1
            count += 1
            self._samples += 1
            await asyncio.sleep(max(started + period_s * random.uniform(0.9, 1.1) - time.monotonic(), 0.0))


async def late(lags: list[float]) -> None:
    """Note how many seconds too late a short sleep ends, until cancelled."""
    while True:
        due = time.perf_counter() + TICK_S
        await asyncio.sleep(TICK_S)
        lags.append(max(time.perf_counter() - due, 0.0))


def resident_bytes() -> int:
    """Resident set of this process. *Source:* `VmRSS` of `/proc/self/status`."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise OSError("no VmRSS in /proc/self/status")


async def measure(polling: Fleet | Bare) -> dict[str, Any]:
    """Let it warm up, then account for a window of time."""
    await asyncio.sleep(WARM_S)
    lags: list[float] = []
    ticker = asyncio.create_task(late(lags))
    (requests, samples), cpu_s, started = polling.done(), time.process_time(), time.perf_counter()
    await asyncio.sleep(WINDOW_S)
    took_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_s
    ticker.cancel()
    now = polling.done()
    memory = resident_bytes()
    await polling.end()
    return {
        "cpu_ms_per_request": cpu_s / (now[0] - requests) * 1000,
        "cpu_ms_per_sample": cpu_s / (now[1] - samples) * 1000,
        "requests_per_s": (now[0] - requests) / took_s,
        "core": cpu_s / took_s,
        "longest_stall_ms": max(lags) * 1000,
        "resident_bytes": memory,
    }


async def alone(kind: str, port: int) -> None:
    """Measure one of the two in this process."""
    raise_open_files()
    makers: dict[str, Callable[[int], Fleet | Bare]] = {"gwtui": Fleet, "bare": Bare}
    print(json.dumps(await measure(makers[kind](port))))


def apart(kind: str, port: int) -> dict[str, Any]:
    """`alone` in a process of its own."""
    command = [sys.executable, "-m", "bench.fanout", kind, str(port)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=90).stdout)
    return found


def main() -> None:
    with served() as port:
        turns = [{kind: apart(kind, port) for kind in ("gwtui", "bare")} for _ in range(TURNS)]
    ratio = statistics.median(
        turn["gwtui"]["cpu_ms_per_request"] / turn["bare"]["cpu_ms_per_request"] for turn in turns
    )
    print(
        json.dumps(
            {
                "id": "P4",
                "what": f"polling {PROXIES} proxies every {OURS_S * PROXIES:g} s, against a bare aiohttp loop",
                "ratio": round(ratio, 3),
                "goal": GOAL,
                "met": ratio <= GOAL,
                **{
                    figure: {
                        kind: round(statistics.median(turn[kind][figure] for turn in turns), 3)
                        for kind in ("gwtui", "bare")
                    }
                    for figure in turns[0]["gwtui"]
                },
                "turns": TURNS,
                "load_average": round(os.getloadavg()[0], 2),
            }
        )
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        asyncio.run(alone(sys.argv[1], int(sys.argv[2])))
    else:
        main()
