"""Reads every proxy of the fleet in turn, without hurting any: one source of traffic facts."""

from __future__ import annotations

import asyncio
import random as stdlib_random
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable

from gwtui.backoff import Backoff
from gwtui.errors import Denied, SourceError, Unreachable
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.observations import Observation, ProxyFailed, ProxySampled
from gwtui.ports import Clock, ProxyAddress, ProxyReader

PERIOD_S = 2.0
"""Seconds between two samples of one proxy, where its answers are quick."""

DEADLINE_S = 2.0
"""Seconds one sample may take."""

BUDGET = 0.05
"""Longest share of a proxy's time that answering us may take."""

SECOND_SAMPLE_S = 1.0
"""Seconds from the first to the second sample: a rate needs two."""

RECOVERY_S = 30.0
"""A proxy that used to answer is asked every period for so long; then failures are backed off."""

RETRY_FIRST_S = 1.0
RETRY_MAX_S = 30.0

IN_FLIGHT = 32
"""Samples under way at once, of proxies that answer."""

IN_FLIGHT_FAILING = 8
"""The same for proxies that failed last time, which may hold their place until the deadline."""

_LOOK_S = 0.5
"""How often the set of proxies is compared, in seconds."""

_FACTS = 256
"""Facts that may wait for a slow consumer before sampling waits as well."""


class Pace:
    """When one proxy is asked next.

    Args:
        period_s: seconds between two samples, where answers are quick.
        random: uniform random numbers of 0 to 1.
    """

    def __init__(self, period_s: float, random: Callable[[], float]) -> None:
        self._period_s = period_s
        self._random = random
        self._backoff = Backoff(RETRY_FIRST_S, RETRY_MAX_S, random)
        self._answers_s: deque[float] = deque(maxlen=3)
        self._has_answered = False
        self._failing_since: float | None = None

    @property
    def is_failing(self) -> bool:
        """Whether the last sample failed."""
        return self._failing_since is not None

    def answered(self, answer_s: float) -> float:
        """Return the seconds from the start of a sample that took `answer_s` to the start of the next."""
        self._has_answered = True
        self._failing_since = None
        self._backoff.reset()
        self._answers_s.append(answer_s)
        if len(self._answers_s) == 1:
            return self._jittered(min(SECOND_SAMPLE_S, self._period_s))
        # One slow answer is noise; when all of the last ones were, the proxy is busy or large.
        return self._jittered(max(self._period_s, min(self._answers_s) / BUDGET))

    def failed(self, now_mono: float) -> float:
        """Return the seconds from the end of a failed sample, now, to the next try."""
        self._answers_s.clear()
        if self._failing_since is None:
            self._failing_since = now_mono
        if self._has_answered and now_mono - self._failing_since < RECOVERY_S:
            return self._jittered(self._period_s)
        return self._backoff.next()

    def _jittered(self, seconds: float) -> float:
        return seconds * (0.9 + 0.2 * self._random())


class Scraper:
    """Polls a changing set of proxies; a `Source` of `ProxySampled` and `ProxyFailed`.

    Each proxy has its own task, so samples of one never overlap and a slow one delays no other. The period of a proxy
    grows with its answers' time, so that answering takes at most `BUDGET` of it.

    Args:
        reader: reads one proxy.
        proxies: the current set; called twice a second.
        clock: all time but the deadline, which is real.
        period_s: seconds between two samples of one proxy.
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
        period_s: float = PERIOD_S,
        deadline_s: float = DEADLINE_S,
        random: Callable[[], float] = stdlib_random.random,
        name: str = "proxies",
    ) -> None:
        self._name = name
        self._reader = reader
        self._proxies = proxies
        self._clock = clock
        self._period_s = period_s
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
        slots = asyncio.Semaphore(IN_FLIGHT), asyncio.Semaphore(IN_FLIGHT_FAILING)
        tasks: dict[ProxyAddress, asyncio.Task[None]] = {}
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    current = set(self._proxies())
                    for gone in tasks.keys() - current:
                        tasks.pop(gone).cancel()
                    for new in current - tasks.keys():
                        tasks[new] = group.create_task(self._poll(new, facts, *slots), name=f"scrape:{new.key}")
                    await self._clock.sleep(_LOOK_S)
        except Exception:
            await facts.put(None)
            raise

    async def _poll(
        self,
        proxy: ProxyAddress,
        facts: asyncio.Queue[Observation | None],
        answering: asyncio.Semaphore,
        failing: asyncio.Semaphore,
    ) -> None:
        pace = Pace(self._period_s, self._random)
        while True:
            async with failing if pace.is_failing else answering:
                started = self._clock.mono()
                fact = await self._ask(proxy)
            if isinstance(fact, ProxySampled):
                next_mono = started + pace.answered(fact.sample.answer_ms / 1000)
            else:
                next_mono = self._clock.mono() + pace.failed(self._clock.mono())
            await facts.put(fact)
            await self._clock.sleep(max(next_mono - self._clock.mono(), 0.0))

    async def _ask(self, proxy: ProxyAddress) -> ProxySampled | ProxyFailed:
        try:
            # The reader keeps the deadline itself; this one holds even where it fails to.
            async with asyncio.timeout(self._deadline_s * 1.25):
                state, sample, way = await self._reader.sample(proxy, deadline_s=self._deadline_s)
        except TimeoutError:
            return self._failure(proxy.key, Unreachable(f"no answer within {self._deadline_s:g} s"))
        except SourceError as error:
            return self._failure(proxy.key, error)
        return ProxySampled(proxy.key, state, sample, way)

    def _failure(self, key: ProxyKey, error: SourceError) -> ProxyFailed:
        state = ProxyState.FORBIDDEN if isinstance(error, Denied) else ProxyState.FAILING
        return ProxyFailed(key, state, self._clock.now(), " ".join(error.message.split()), error.hint)
