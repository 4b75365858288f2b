"""Seen before: what random edits of weights were foretold to move, against what the proxies then counted.

Edits of `infra/shop` on the playground, one after the other, each planned and written as the console does it, and
waited for until every proxy holds it. Between two edits nothing changes for a while: what the shards count of requests
in that time is their load before one edit and after another.

- shift: how the load of each shard changes, counted against foretold (`BlastRadius.loads`, then less now). Proxies
  choose by lot, so what one edit shifts is blurred; all of them together are not. The ratio is of the sums, counted
  shifts taken in the direction foretold. The slope is of the line through the origin, which long shifts decide.
- moved: the same against `BlastRadius.moved_rps`: what one shard loses the other gets.
- within: single shifts that lie within three standard deviations of what was foretold. What chance explains follows
  from the counts; clients that send evenly scatter less.

Prints one JSON line. Run with `python -m bench.edits [SEED]`; the seed of a run is in its line.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from gwtui.changes.edits import set_weights
from gwtui.changes.journal import Seen
from gwtui.changes.plan import BlastRadius, ObjectEdit, Plan
from gwtui.engine.clock import SystemClock
from gwtui.engine.planning import Edit, Intent
from gwtui.engine.store import Store
from gwtui.engine.truths import Truth
from gwtui.model.ids import ObjectKey
from gwtui.model.reduction import RATE_WINDOW_S
from gwtui.model.resources import HTTP_ROUTES
from gwtui.playground.launch import launch
from gwtui.settings import Settings
from gwtui.wiring.session import Session

SCENARIO = "central-ingress"
RATES = {"shop.example.com": 300.0, "foo.example.com": 10.0, "bar.example.com": 10.0, "extra.example.com": 10.0}
"""Requests/s: most are of the route that is edited, so less is left to chance."""

ROUTE = ("infra", "shop")
SHARDS = ("shard-a", "shard-b")
"""The backends of its rule, in this order: each a Gateway."""

WEIGHTS = (90, 10)
"""What they have."""

EDITS = 50
STILL = 900
"""Requests the shards take between two edits, and as many as come while the next one is planned."""

STILL_WITHIN_S = 2.8
"""So long is waited for them: the fewer there are, the more is left to chance, which is counted in."""

SETTLED_WITHIN_S = 40.0
SIGMAS = 3.0
GOAL = 0.05
"""How far a ratio may be from 1."""


class Reading(NamedTuple):
    """What one proxy counted."""

    at_mono: float
    requests: int


class Span(NamedTuple):
    """What one shard took while nothing was changed."""

    rps: float
    variance: float
    """Of `rps`, (requests/s)²: at most what independent requests have."""


class Shift(NamedTuple):
    """How one edit changes the load of one shard, in requests/s."""

    foretold: float
    before: Span
    after: Span

    @property
    def counted(self) -> float:
        """The difference of what the shard took."""
        return self.after.rps - self.before.rps

    @property
    def sigma(self) -> float:
        """Standard deviation of `counted`."""
        return math.sqrt(self.before.variance + self.after.variance)


class Counters:
    """Reads how many requests proxies have taken, from their admin interfaces.

    Args:
        http: the connections.
        admin: base URLs by `<namespace>/<pod>`.
    """

    def __init__(self, http: aiohttp.ClientSession, admin: Mapping[str, str]) -> None:
        self._http = http
        self._urls = {
            shard: [url for name, url in admin.items() if name.startswith(f"{ROUTE[0]}/{shard}-")] for shard in SHARDS
        }

    async def read(self) -> Mapping[str, Sequence[Reading]]:
        """Return what each proxy of each shard counts now."""
        return {shard: await asyncio.gather(*map(self._requests, urls)) for shard, urls in self._urls.items()}

    async def _requests(self, url: str) -> Reading:
        query = {"format": "json", "filter": "^http\\.http\\.downstream_rq_total$"}
        asked = time.monotonic()
        async with self._http.get(f"{url}/stats", params=query) as answer:
            answer.raise_for_status()
            (found,) = (await answer.json(content_type=None))["stats"]
        return Reading((asked + time.monotonic()) / 2, found["value"])


def spans(begin: Mapping[str, Sequence[Reading]], end: Mapping[str, Sequence[Reading]]) -> Mapping[str, Span]:
    """Return what each shard took from one reading to another."""
    found = {}
    for shard, first in begin.items():
        parts = [(was, now.at_mono - was.at_mono, now) for was, now in zip(first, end[shard], strict=True)]
        found[shard] = Span(
            sum((now.requests - was.requests) / took_s for was, took_s, now in parts),
            sum((now.requests - was.requests) / took_s**2 for was, took_s, now in parts),
        )
    return found


def foretold(blast: BlastRadius) -> Mapping[str, float]:
    """Return how the load of each shard should change.

    Raises:
        ValueError: that is not known of one.
    """
    loads = {load.gateway.name: load for load in blast.loads}
    found = {}
    for shard in SHARDS:
        load = loads.get(shard)
        if blast.moved_rps is None or (load and (load.now_rps is None or load.then_rps is None)):
            raise ValueError(f"what {shard} will take is not known: {blast.unknown}")
        found[shard] = (load.then_rps or 0.0) - (load.now_rps or 0.0) if load else 0.0
    return found


class Pooled(NamedTuple):
    """Many shifts together."""

    ratio: float
    """Counted against foretold."""
    slope: float
    sigma: float
    """Standard deviation of `ratio`."""


def pooled(shifts: Mapping[str, Sequence[Shift]]) -> Pooled:
    """Return what successive edits shifted together: what follows one edit goes before the next."""
    every = [shift for each in shifts.values() for shift in each]
    whole = sum(abs(shift.foretold) for shift in every)
    squares = sum(shift.foretold**2 for shift in every)
    variance = 0.0
    for each in shifts.values():
        signs = [0, *(sign(shift.foretold) for shift in each), 0]
        # A span counts twice where the load goes up before it and down after it, and not at all where it climbs on.
        taken = [each[0].before, *(shift.after for shift in each)]
        variance += sum(
            (was - will) ** 2 * span.variance
            for (was, will), span in zip(itertools.pairwise(signs), taken, strict=True)
        )
    return Pooled(
        sum(sign(shift.foretold) * shift.counted for shift in every) / whole,
        sum(shift.foretold * shift.counted for shift in every) / squares,
        math.sqrt(variance) / whole,
    )


def sign(value: float) -> int:
    """Return -1, 0 or 1."""
    return (value > 0) - (value < 0)


class Edits:
    """Makes edits of the weights of one route and compares what each was foretold to shift with what it shifted.

    Args:
        session: watches the cluster.
        counters: of its shards.
        requests: how many requests the shards take between two edits.
        within_s: how many seconds are waited for them at most.
    """

    def __init__(self, session: Session, counters: Counters, *, requests: int, within_s: float) -> None:
        self._session = session
        self._counters = counters
        self._requests = requests
        self._within_s = within_s
        self._key = ObjectKey(session.clusters[0].context, HTTP_ROUTES, *ROUTE)
        self._foretold: list[Mapping[str, float]] = []
        self._spans: list[Mapping[str, Span]] = []
        self._began: Mapping[str, Sequence[Reading]] | None = None
        self._first: Plan | None = None
        self.moved: list[float] = []
        """What the plans said that the edits move, in requests/s."""

    async def make(self, weights: Sequence[int]) -> None:
        """Give the backends other weights, after nothing was changed for a while."""
        await self._stay_still()
        plan = await self._plan(lambda current: set_weights(current, 0, dict(enumerate(weights))))
        self._first = self._first or plan
        self._foretold.append(foretold(plan.blast))
        self.moved.append(plan.blast.moved_rps or 0.0)
        await self._end_span()
        await self._carry_out(plan)
        self._began = await self._counters.read()

    async def put_back(self) -> None:
        """Make the route what it was before the first edit."""
        if self._first is not None and isinstance(step := self._first.steps[0], ObjectEdit):
            before = step.before
            await self._carry_out(await self._plan(lambda current: {**current, "spec": before["spec"]}))
            self._first = None

    async def shifts(self) -> Mapping[str, Sequence[Shift]]:
        """Return what every edit so far shifted, by shard, once enough came after the last."""
        await self._stay_still()
        await self._end_span()
        return {
            shard: [
                Shift(each[shard], before[shard], after[shard])
                for each, (before, after) in zip(self._foretold, itertools.pairwise(self._spans), strict=True)
            ]
            for shard in SHARDS
        }

    async def _stay_still(self) -> None:
        self._began = self._began or await self._counters.read()
        wanted = total(self._began) + self._requests
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._within_s):
                while total(await self._counters.read()) < wanted:  # noqa: ASYNC110 - they tell nothing by themselves
                    await asyncio.sleep(0.2)

    async def _end_span(self) -> None:
        if self._began is not None:
            self._spans.append(spans(self._began, await self._counters.read()))
            self._began = None

    async def _plan(self, edit: Edit) -> Plan:
        return await self._session.changes.planner(self._key.cluster).edit(self._key, edit, Intent())

    async def _carry_out(self, plan: Plan) -> None:
        """Write it and wait until every proxy holds it; whether the traffic follows is what is measured here.

        Raises:
            RuntimeError: it was not seen in force.
        """
        entry: object = None
        async with contextlib.aclosing(self._session.changes.run(plan)) as running:
            async for entry in running:
                if isinstance(entry, Seen) and entry.truth == Truth.LOADED and entry.is_met:
                    return
        raise RuntimeError(f"{plan.title}: {entry}")


def total(readings: Mapping[str, Sequence[Reading]]) -> int:
    """Return the requests of all proxies together."""
    return sum(reading.requests for each in readings.values() for reading in each)


@contextlib.asynccontextmanager
async def watching(kubeconfig: Path) -> AsyncIterator[Session]:
    """Watch a cluster as the console does, until the block is left."""
    clock = SystemClock()
    session = Session(Settings(kubeconfig=kubeconfig), Store(clock), clock)
    async with session.running():
        yield session


async def settled(session: Session, within_s: float) -> None:
    """Wait until everything is listed and every proxy was watched for nearly the time that rates are taken over."""
    await session.listed(within_s)

    def is_settled() -> bool:
        asked = [session.store.snapshot.proxies.get(each.key) for each in session.reach.addresses(context)]
        watched = [view.samples[-1].taken_mono - view.samples[0].taken_mono for view in asked if view and view.samples]
        return len(watched) == len(asked) > 0 and min(watched) > 0.8 * RATE_WINDOW_S

    context = session.clusters[0].context
    async with asyncio.timeout(within_s):
        while not is_settled():  # noqa: ASYNC110 - there is no event for that
            await asyncio.sleep(0.1)


def random_weights(lot: random.Random) -> Iterator[tuple[int, int]]:
    """Yield weights without end, every share as likely as another, never twice the same in turn."""
    before = WEIGHTS
    while True:
        whole = lot.randint(20, 500)
        first = lot.randint(0, whole)
        weights = first, whole - first
        if weights != before:
            before = weights
            yield weights


async def main(seed: int) -> None:
    with tempfile.TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state  # these changes are nobody's, and most of them are left open
        playground = await launch(SCENARIO, state_dir=None, rates=RATES, progress=lambda _: None)
        try:
            async with aiohttp.ClientSession() as http, watching(playground.kubeconfig) as session:
                await settled(session, SETTLED_WITHIN_S)
                counters = Counters(http, playground.ready["admin"])
                print(json.dumps(await measured(session, counters, seed)))
        finally:
            await playground.close()


async def measured(session: Session, counters: Counters, seed: int) -> dict[str, Any]:
    """Make the edits, put the route back, and judge them."""
    edits = Edits(session, counters, requests=STILL, within_s=STILL_WITHIN_S)
    try:
        for weights in itertools.islice(random_weights(random.Random(seed)), EDITS):
            await edits.make(weights)
        return judged(await edits.shifts(), edits.moved, seed)
    finally:
        await edits.put_back()


def judged(shifts: Mapping[str, Sequence[Shift]], moved: Sequence[float], seed: int) -> dict[str, Any]:
    """Compare what was counted with what was foretold."""
    found = pooled(shifts)
    every = [shift for each in shifts.values() for shift in each]
    # Who loses and who gets tell the same number twice.
    passed = sum(sign(shift.foretold) * shift.counted for shift in every) / len(shifts)
    ratios = found.ratio, passed / sum(moved)
    within = [abs(shift.counted - shift.foretold) <= SIGMAS * shift.sigma for shift in every]
    return {
        "id": "E1",
        "what": f"shifted by {len(moved)} random edits of weights, of what was foretold: loads of shards, rate moved",
        "ratio": [round(each, 4) for each in ratios],
        "goal": GOAL,
        "met": all(abs(each - 1) <= GOAL for each in ratios),
        "slope": round(found.slope, 4),
        "sigma": round(found.sigma, 4),
        "within": f"{sum(within)} of {len(within)} within {SIGMAS:g} standard deviations",
        "rps": {
            "foretold": round(statistics.fmean(abs(shift.foretold) for shift in every), 1),
            "sigma": round(statistics.fmean(shift.sigma for shift in every), 1),
        },
        "seed": seed,
        "load_average": round(os.getloadavg()[0], 2),
    }


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) == 2 else random.SystemRandom().randrange(10**6)))
