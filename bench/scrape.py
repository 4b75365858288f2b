"""P1 to P3: what one scrape of one proxy costs, for Envoys with 50 and 1000 routes.

P1: CPU of this process for one fleet scrape (fetch, decode, fold into the store), against CPU of a Prometheus server
for one scrape of `/stats/prometheus?usedonly` of the same Envoy, storage included. Prometheus runs in blocks, and is
stopped (SIGSTOP) while the console's code is timed; each block gives one ratio, their median is the figure.

P2: the same where a proxy offers Prometheus text alone: the console asks the statistics listener for text, and
Prometheus scrapes the same filtered URLs of the same listener, each as often as the console asks for it.

P3: CPU of Envoy for one fleet scrape against that for one `/stats/prometheus?usedonly`, both over one kept connection.

The proxy rests while it is timed, for both alike: answers tell the same numbers again and again.

A fleet scrape is one tick of `engine.pace` at a period of 2 s: counters and `/ready` every time, gauges every third,
latency once per flush. What is told is the mean over that mix. Time between ticks is skipped, not waited for.

Prints one JSON line per figure. Run with `python -m bench.scrape`.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import shutil
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.envoys import RunningEnvoy, envoy, free_ports, get, process_cpu_s
from gwtui.adapters.direct.access import DirectAccess
from gwtui.adapters.envoy.paths import COUNTERS, GAUGES, LATENCY, in_text
from gwtui.adapters.envoy.reader import EnvoyReader
from gwtui.engine.governor import BUDGET, PERIOD_S
from gwtui.engine.pace import FLUSH_S, GAUGES_EVERY, Pace
from gwtui.engine.store import Store
from gwtui.model.ids import ProxyKey
from gwtui.model.observations import ProxySampled
from gwtui.ports import ProxyAddress

SIZES = {50: 10, 1000: 2}
"""Routes of the Envoy, and how many jobs Prometheus scrapes it with once a second."""

CLIENT_GOAL = 0.10
TEXT_GOAL = 0.60
ENVOY_GOAL = 0.30
BLOCKS = 4
BLOCK_S = 6.0
TICKS = 72
"""Fleet scrapes per block: many times the pattern of what is asked for."""

ROUNDS = 400
"""Divided by the routes of the Envoy: how many times as long a block is. Some ten milliseconds alone tell little."""

TEXTS = 4
TEXT = "/stats/prometheus?usedonly"
LARGEST = 64_000_000
PROMETHEUS = "prometheus"

EVERY_TICKS = {COUNTERS: 1, GAUGES: GAUGES_EVERY, LATENCY: math.ceil(FLUSH_S / PERIOD_S)}
"""With every how many fleet scrapes each question is asked."""


class SkippingClock:
    """The clock of this machine, moved ahead at will: a period need not be waited for."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def now(self) -> datetime:
        """The current time, aware UTC."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead_s)

    def mono(self) -> float:
        """Monotonic seconds."""
        return time.monotonic() + self._ahead_s

    async def sleep(self, seconds: float) -> None:
        """Skip the time."""
        self._ahead_s += seconds


class FleetScrape:
    """The console's own path from the question to the snapshot, for one proxy.

    Args:
        proxy: which one.
        as_text: whether to ask its statistics listener, which offers text alone, instead of the admin interface.
    """

    def __init__(self, proxy: RunningEnvoy, *, as_text: bool = False) -> None:
        self._clock = SkippingClock()
        self.address = ProxyAddress(ProxyKey("bench", "infra", "gw-7d9f-abcde"), proxy.stats, proxy.admin)
        self.access = DirectAccess(
            "static",
            lambda _key, port: f"http://127.0.0.1:{port}",
            reaches_loopback=not as_text,
            clock=self._clock,
        )
        self._reader = EnvoyReader((self.access,), self._clock)
        self._pace = Pace(BUDGET, random.Random(1).random)
        self._store = Store(self._clock)
        self.questions = 0
        self.size = 0

    async def tick(self) -> None:
        """Ask what is due, fold the answer, and go to the moment of the next tick."""
        started = self._clock.mono()
        parts = self._pace.parts(started, is_opened=False)
        state, sample, way = await self._reader.sample(self.address, deadline_s=10.0, parts=parts)
        self._store.report(ProxySampled(self.address.key, state, sample, way))
        self._store.fold()
        self.questions += sample.questions
        self.size += sample.answer_bytes
        due = self._pace.answered(sample, parts, started_mono=started, period_s=PERIOD_S)
        await self._clock.sleep(max(due - self._clock.mono(), 0.0))

    async def ticks(self, rounds: int = 1) -> None:
        """Run one block, `rounds` times as long."""
        for _ in range(TICKS * rounds):
            await self.tick()

    async def text(self) -> None:
        """Fetch what Prometheus fetches, and drop it."""
        for _ in range(TEXTS):
            answer = await self.access.get(
                self.address.key, self.address.admin_port, TEXT, deadline_s=30.0, max_bytes=LARGEST
            )
            if answer.status != 200:
                raise RuntimeError(f"{TEXT} answered {answer.status}")


class Peer:
    """A Prometheus server that scrapes one Envoy with several jobs, when it is let.

    Args:
        process: the server.
        proxy: what it scrapes.
        jobs: all of them.
        parts: how many of its scrapes make up one: the mean, where its jobs ask for different things.
    """

    def __init__(self, process: asyncio.subprocess.Process, proxy: RunningEnvoy, jobs: int, parts: float) -> None:
        self._process = process
        self._proxy = proxy
        self._jobs = jobs
        self._parts = parts

    async def warmed_up(self) -> None:
        """Wait until every job scraped some times, then stop."""
        end = time.monotonic() + 60
        while await self._scrapes() < 3 * self._jobs:
            if time.monotonic() > end or self._process.returncode is not None:
                raise RuntimeError("Prometheus does not scrape")
            await asyncio.sleep(0.2)
        self._process.send_signal(signal.SIGSTOP)

    async def block(self) -> float:
        """Run for a while; return CPU seconds per scrape."""
        scrapes, cpu_s = await self._scrapes(), process_cpu_s(self._process.pid)
        self._process.send_signal(signal.SIGCONT)
        await asyncio.sleep(BLOCK_S)
        self._process.send_signal(signal.SIGSTOP)
        return self._parts * (process_cpu_s(self._process.pid) - cpu_s) / (await self._scrapes() - scrapes - 1)

    async def _scrapes(self) -> int:
        """Requests to the admin interface so far, this one included."""
        _, body = await get(self._proxy.admin, r"/stats?filter=^http\.admin\.downstream_rq_total$")
        return int(body.split(b":")[1])


def job(port: int, url: str, number: int) -> dict[str, Any]:
    """One scrape job, once a second. Parameters are sent sorted by name, so their order is not that of the URL."""
    parts = urlsplit(url)
    return {
        "job_name": f"envoy-{number}",
        "metrics_path": parts.path,
        "params": parse_qs(parts.query, keep_blank_values=True),
        "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
    }


def whole(proxy: RunningEnvoy, jobs: int) -> list[dict[str, Any]]:
    """Jobs that scrape everything in use, as a Prometheus does."""
    return [job(proxy.admin, TEXT, number) for number in range(jobs)]


def filtered(proxy: RunningEnvoy, jobs: int) -> list[dict[str, Any]]:
    """Jobs that scrape what the console asks for, in the same proportions."""
    times = math.lcm(*EVERY_TICKS.values())
    questions = [in_text(path) for path, every in EVERY_TICKS.items() for _ in range(times // every)]
    # The first parameter is lost to the rewrite of the listener: `a` comes before all others in every order.
    urls = [url.replace("?gwtui&", "?a&") for url in questions] * jobs
    return [job(proxy.stats, url, number) for number, url in enumerate(urls)]


@asynccontextmanager
async def prometheus(
    proxy: RunningEnvoy, scrapes: Sequence[dict[str, Any]], *, parts: float = 1.0
) -> AsyncIterator[Peer]:
    """Run a Prometheus server on loopback, storage in a folder that goes with it."""
    (port,) = free_ports(1)
    settings = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": scrapes}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config, tempfile.TemporaryDirectory() as folder:
        json.dump(settings, config)
        config.flush()
        process = await asyncio.create_subprocess_exec(
            *(PROMETHEUS, f"--config.file={config.name}", f"--storage.tsdb.path={folder}", "--log.level=error"),
            f"--web.listen-address=127.0.0.1:{port}",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            peer = Peer(process, proxy, len(scrapes), parts)
            await peer.warmed_up()
            yield peer
        finally:
            process.kill()
            await process.wait()


async def cpu_of(work: Callable[[], Awaitable[None]], clock: Callable[[], float]) -> float:
    """CPU seconds by this clock while the work is done."""
    started = clock()
    await work()
    return clock() - started


async def client(proxy: RunningEnvoy, jobs: int) -> dict[str, Any]:
    """P1 for one Envoy."""
    what = "client CPU of one fleet scrape, against Prometheus scraping ?usedonly"
    return {
        "id": "P1",
        "what": what,
        "routes": proxy.routes,
        **await against_prometheus(FleetScrape(proxy), proxy, whole(proxy, jobs), goal=CLIENT_GOAL),
    }


async def text_alone(proxy: RunningEnvoy, jobs: int) -> dict[str, Any]:
    """P2 for one Envoy."""
    what = "client CPU of one fleet scrape where only text can be had, against Prometheus scraping the same URLs"
    parts = sum(1 / every for every in EVERY_TICKS.values())
    scrape = FleetScrape(proxy, as_text=True)
    return {
        "id": "P2",
        "what": what,
        "routes": proxy.routes,
        **await against_prometheus(scrape, proxy, filtered(proxy, jobs), goal=TEXT_GOAL, parts=parts),
    }


async def against_prometheus(
    scrape: FleetScrape,
    proxy: RunningEnvoy,
    scrapes: Sequence[dict[str, Any]],
    *,
    goal: float,
    parts: float = 1.0,
) -> dict[str, Any]:
    """CPU of one fleet scrape against that of the Prometheus with these jobs, `parts` of its scrapes to one of ours."""
    if shutil.which(PROMETHEUS) is None:
        return {"skipped": f"no program `{PROMETHEUS}` on this machine"}
    ours, theirs = [], []
    rounds = max(1, ROUNDS // proxy.routes)
    async with prometheus(proxy, scrapes, parts=parts) as peer:
        await scrape.ticks()
        scrape.questions = scrape.size = 0
        for _ in range(BLOCKS):
            theirs.append(await peer.block())
            ours.append(await cpu_of(lambda: scrape.ticks(rounds), time.process_time) / TICKS / rounds)
    await scrape.access.close()
    ratio = statistics.median(mine / peers for mine, peers in zip(ours, theirs, strict=True))
    return {
        "ratio": round(ratio, 3),
        "goal": goal,
        "met": ratio <= goal,
        "cpu_ms": {"gwtui": _ms(ours), "prometheus": _ms(theirs)},
        "questions": round(scrape.questions / TICKS / BLOCKS / rounds, 2),
        "answer_bytes": round(scrape.size / TICKS / BLOCKS / rounds),
    }


async def server(proxy: RunningEnvoy) -> dict[str, Any]:
    """P3 for one Envoy."""
    scrape = FleetScrape(proxy)
    await scrape.tick()
    ours, theirs = [], []
    for _ in range(BLOCKS * 2):
        theirs.append(await cpu_of(scrape.text, proxy.cpu_s) / TEXTS)
        ours.append(await cpu_of(scrape.ticks, proxy.cpu_s) / TICKS)
    await scrape.access.close()
    ratio = statistics.median(mine / peers for mine, peers in zip(ours, theirs, strict=True))
    return {
        "id": "P3",
        "what": f"Envoy CPU of one fleet scrape, against {TEXT}",
        "routes": proxy.routes,
        "ratio": round(ratio, 3),
        "goal": ENVOY_GOAL,
        "met": ratio <= ENVOY_GOAL,
        "cpu_ms": {"fleet": _ms(ours), "text": _ms(theirs)},
    }


def _ms(seconds: list[float]) -> float:
    return round(statistics.median(seconds) * 1000, 3)


async def main() -> None:
    for routes, jobs in SIZES.items():
        async with envoy(routes, text_alone=True) as proxy:
            for figure in (await client(proxy, jobs), await text_alone(proxy, jobs), await server(proxy)):
                print(json.dumps({**figure, "load_average": round(os.getloadavg()[0], 2)}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
