"""Reads every proxy of the fleet in turn, without hurting any: one source of traffic facts."""

from __future__ import annotations

import asyncio
import math
import random as stdlib_random
from collections.abc import AsyncGenerator, Callable, Iterable

from gwtui.engine.governor import Governor
from gwtui.engine.pace import Pace
from gwtui.errors import Denied, SourceError, Unreachable
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.observations import Observation, ProxyFailed, ProxySampled
from gwtui.ports import Clock, Part, ProxyAddress, ProxyReader

DEADLINE_S = 2.0
"""Seconds one sample may take."""

SLOT_S = 0.01
"""Samples start in slots of this length: waking once for several proxies costs less than once for each."""

_LOOK_S = 0.5
"""How often the set of proxies is compared, in seconds."""

_FACTS = 256
"""Facts that may wait for a slow consumer before sampling waits as well."""


class Scraper:
    """Polls a changing set of proxies; a `Source` of `ProxySampled` and `ProxyFailed`.

    Each proxy has its own task, so samples of one never overlap and a slow one delays no other. The period of a proxy
    grows with its answers' time, so that answering takes at most its budget.

    Args:
        reader: reads one proxy.
        proxies: the current set; called twice a second.
        clock: all time but the deadline, which is real.
        governor: what all scrapers of one run share; None makes one for this scraper alone.
        deadline_s: seconds one sample may take.
        random: uniform random numbers of 0 to 1, for jitter.
        name: the source's unique name.
    """

    def __init__(
        self,
        reader: ProxyReader,
        proxies: Callable[[], Iterable[ProxyAddress]],
        clock: Clock,
        *,
        governor: Governor | None = None,
        deadline_s: float = DEADLINE_S,
        random: Callable[[], float] = stdlib_random.random,
        name: str = "proxies",
    ) -> None:
        self._name = name
        self._reader = reader
        self._proxies = proxies
        self._clock = clock
        self._governor = governor or Governor()
        self._deadline_s = deadline_s
        self._random = random

    @property
    def id(self) -> str:
        """Unique name, for logs and task names."""
        return self._name

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Report samples and failures until cancelled."""
        facts: asyncio.Queue[Observation | None] = asyncio.Queue(_FACTS)
        run = asyncio.create_task(self._run(facts), name=f"source:{self.id}")
        try:
            while (fact := await facts.get()) is not None:
                yield fact
            await run
        finally:
            run.cancel()
            await asyncio.wait({run})

    async def _run(self, facts: asyncio.Queue[Observation | None]) -> None:
        """Keep one task per proxy; a defect in one ends them all and, by the None, the observation."""
        tasks: dict[ProxyAddress, asyncio.Task[None]] = {}
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    current = set(self._proxies())
                    self._governor.count(self._name, current)
                    for gone in tasks.keys() - current:
                        tasks.pop(gone).cancel()
                    for new in current - tasks.keys():
                        tasks[new] = group.create_task(self._poll(new, facts), name=f"scrape:{new.key}")
                    await self._clock.sleep(_LOOK_S)
        except Exception:
            await facts.put(None)
            raise

    async def _poll(self, proxy: ProxyAddress, facts: asyncio.Queue[Observation | None]) -> None:
        pace = Pace(self._governor.budget, self._random)
        while True:
            async with self._governor.turn(proxy.key, is_failing=pace.is_failing):
                started = self._clock.mono()
                parts = pace.parts(started, is_opened=self._governor.is_opened(proxy.key))
                fact = await self._ask(proxy, parts)
            period_s = self._governor.period_s(proxy.key)
            if isinstance(fact, ProxySampled):
                next_mono = pace.answered(fact.sample, parts, started_mono=started, period_s=period_s)
            else:
                next_mono = pace.failed(self._clock.mono(), period_s=period_s)
            await facts.put(fact)
            await self._clock.sleep(max(_slot(next_mono) - self._clock.mono(), 0.0))

    async def _ask(self, proxy: ProxyAddress, parts: frozenset[Part]) -> ProxySampled | ProxyFailed:
        try:
            # The reader keeps the deadline itself; this one holds even where it fails to.
            async with asyncio.timeout(self._deadline_s * 1.25):
                state, sample, way = await self._reader.sample(proxy, deadline_s=self._deadline_s, parts=parts)
        except TimeoutError:
            return self._failure(proxy.key, Unreachable(f"no answer within {self._deadline_s:g} s"))
        except SourceError as error:
            return self._failure(proxy.key, error)
        return ProxySampled(proxy.key, state, sample, way)

    def _failure(self, key: ProxyKey, error: SourceError) -> ProxyFailed:
        state = ProxyState.FORBIDDEN if isinstance(error, Denied) else ProxyState.FAILING
        return ProxyFailed(key, state, self._clock.now(), " ".join(error.message.split()), error.hint)


def _slot(moment_mono: float) -> float:
    return math.ceil(round(moment_mono / SLOT_S, 6)) * SLOT_S
