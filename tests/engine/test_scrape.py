"""The logic of the scrape loop on a clock of our own. `tests/adapters/envoy/test_live.py` runs it on real Envoys."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.engine import governor, pace, scrape
from gwtui.engine.governor import Governor
from gwtui.engine.pace import Pace
from gwtui.engine.scrape import Scraper
from gwtui.engine.turns import Turns
from gwtui.errors import Denied, Unreachable
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.observations import Observation, ProxyFailed, ProxySampled
from gwtui.model.samples import ProxySample
from gwtui.ports import Part, ProxyAddress

START = datetime(2026, 1, 1, tzinfo=UTC)


class ManualClock:
    """Time that moves only when told, waking sleepers in order."""

    def __init__(self) -> None:
        self._mono = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self._mono)

    def mono(self) -> float:
        return self._mono

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._mono + seconds, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        end = self._mono + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._mono, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            await settle()
        self._mono = end


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


def address(name: str) -> ProxyAddress:
    return ProxyAddress(ProxyKey("c", "infra", name), 9091)


Behaviour = Callable[[], Awaitable[float]]
"""Waits or fails as a proxy would, and returns the milliseconds its answer took."""


class ScriptedReader:
    """Proxies whose behaviour a test sets; records when each was asked."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.asked: dict[str, list[float]] = {}
        self.parts: dict[str, list[frozenset[Part]]] = {}
        self.behaviour: dict[str, Behaviour] = {}
        self.under_way: Counter[str] = Counter()
        self.most_under_way = 0

    async def sample(
        self, proxy: ProxyAddress, *, deadline_s: float, parts: frozenset[Part]
    ) -> tuple[ProxyState, ProxySample, str]:
        name = proxy.key.pod
        self.parts.setdefault(name, []).append(parts)
        self.asked.setdefault(name, []).append(self._clock.mono())
        self.under_way[name] += 1
        assert self.under_way[name] == 1, "samples of one proxy overlap"
        self.most_under_way = max(self.most_under_way, self.under_way.total())
        try:
            took_ms = await self.behaviour.get(name, quick)()
        finally:
            self.under_way[name] -= 1
        return ProxyState.LIVE, taken(self._clock, admin_ms=took_ms), "test"


def taken(clock: ManualClock, **fields) -> ProxySample:
    return ProxySample(
        taken_mono=clock.mono(),
        taken_at=clock.now(),
        requests=0,
        errors_5xx=0,
        errors_4xx=0,
        active=0,
        uptime_s=1,
        latency=None,
        **fields,
    )


async def quick() -> float:
    return 1.0


async def slow() -> float:
    return 400.0


async def refused() -> float:
    raise Unreachable("connection\nrefused", "is it running?")


async def forbidden() -> float:
    raise Denied("pods/proxy refused", "grant get pods/proxy")


async def hung() -> float:
    await asyncio.Event().wait()
    raise AssertionError


class Fleet:
    """A scraper under test with what it reported so far."""

    def __init__(self, *names: str, deadline_s: float = 2.0, governor: Governor | None = None) -> None:
        self.clock = ManualClock()
        self.reader = ScriptedReader(self.clock)
        self.proxies = {address(name) for name in names}
        self.facts: list[Observation] = []
        self.scraper = Scraper(
            self.reader,
            lambda: self.proxies,
            self.clock,
            governor=governor,
            deadline_s=deadline_s,
            random=lambda: 0.5,
        )

    async def collect(self) -> None:
        async with contextlib.aclosing(self.scraper.observe()) as facts:
            async for fact in facts:
                self.facts.append(fact)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.collect())
        yield task
        task.cancel()
        await asyncio.wait({task})


async def test_first_sample_at_once_second_after_a_second_then_every_period():
    fleet = Fleet("a")
    async with fleet.running():
        await fleet.clock.advance(7.5)
    assert fleet.reader.asked["a"] == [0, 1, 3, 5, 7]
    assert [type(fact) for fact in fleet.facts] == [ProxySampled] * 5


def answers(beat: Pace, *admin_ms: float, period_s: float = 2.0, ready_ms: float | None = None) -> list[float]:
    """The seconds from each answered sample to the next, when every one starts just when it is due."""
    at, waited = 0.0, []
    for each in admin_ms:
        sample = taken(ManualClock(), admin_ms=each, ready_ms=ready_ms)
        due = beat.answered(sample, beat.parts(at, is_opened=False), started_mono=at, period_s=period_s)
        waited.append(round(due - at, 3))
        at = due
    return waited


def test_jitter_spreads_the_fleet():
    paces = [Pace(0.05, lambda number=number: number) for number in (0.0, 0.5, 1.0)]
    assert [answers(each, 1, 1)[1] for each in paces] == pytest.approx([1.8, 2.0, 2.2])


async def test_samples_start_in_slots():
    fleet = Fleet("a")
    fleet.scraper._random = lambda: 0.77
    async with fleet.running():
        await fleet.clock.advance(9)
    assert fleet.reader.asked["a"] == pytest.approx([0, 1.06, 3.17, 5.28, 7.39])


async def test_a_hung_proxy_delays_no_other_and_fails_at_the_deadline():
    fleet = Fleet("hung", "good", deadline_s=0.05)
    fleet.reader.behaviour["hung"] = hung
    async with fleet.running():
        await fleet.clock.advance(5)
        assert fleet.reader.asked["good"] == [0, 1, 3, 5]
        assert fleet.reader.asked["hung"] == [0]
        async with asyncio.timeout(5):
            while not any(isinstance(fact, ProxyFailed) for fact in fleet.facts):
                await asyncio.sleep(0.01)
    failure = next(fact for fact in fleet.facts if isinstance(fact, ProxyFailed))
    assert (failure.state, failure.reason) == (ProxyState.FAILING, "no answer within 0.05 s")


async def test_hung_proxies_do_not_use_up_the_places_of_the_others():
    fleet = Fleet(*(f"hung-{n}" for n in range(governor.IN_FLIGHT - 1)), deadline_s=0.05)
    fleet.reader.behaviour = {each.key.pod: hung for each in fleet.proxies}
    async with fleet.running():
        await fleet.clock.advance(0.1)
        async with asyncio.timeout(5):
            while len(fleet.facts) < len(fleet.proxies):
                await asyncio.sleep(0.01)
        fleet.proxies |= {address(f"good-{n}") for n in range(governor.IN_FLIGHT)}
        await fleet.clock.advance(4)
        assert sum(fleet.reader.under_way.values()) == governor.IN_FLIGHT_FAILING
    assert all(len(fleet.reader.asked[f"good-{n}"]) >= 3 for n in range(governor.IN_FLIGHT))


async def test_the_fleet_is_asked_a_bounded_number_at_a_time():
    fleet = Fleet(*(f"p{n}" for n in range(100)))
    fleet.reader.behaviour = {each.key.pod: hung for each in fleet.proxies}
    async with fleet.running():
        await fleet.clock.advance(1)
    assert fleet.reader.most_under_way == governor.IN_FLIGHT


async def test_a_proxy_that_never_answered_is_backed_off():
    fleet = Fleet("a")
    fleet.reader.behaviour["a"] = refused
    async with fleet.running():
        await fleet.clock.advance(200)
    gaps = [round(after - before, 2) for before, after in itertools.pairwise(fleet.reader.asked["a"])]
    assert gaps[:6] == [0.75, 1.5, 3.0, 6.0, 12.0, 22.5]
    assert set(gaps[6:]) == {22.5}


async def test_a_proxy_that_was_live_is_retried_each_period_at_first():
    fleet = Fleet("a")
    async with fleet.running():
        await fleet.clock.advance(4)
        fleet.reader.behaviour["a"] = refused
        await fleet.clock.advance(26)
        retries = [round(at, 2) for at in fleet.reader.asked["a"] if at > 4]
        assert retries == [5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29]
        del fleet.reader.behaviour["a"]
        await fleet.clock.advance(2.1)
        assert isinstance(fleet.facts[-1], ProxySampled)
        fleet.reader.behaviour["a"] = refused
        await fleet.clock.advance(100)
    late = [after - before for before, after in itertools.pairwise(fleet.reader.asked["a"])][-2:]
    assert min(late) > 10


def test_an_answer_ends_the_back_off():
    beat = Pace(0.05, lambda: 1.0)
    assert [beat.failed(0.0, period_s=2.0) for _ in range(4)] == [1, 2, 4, 8]
    answers(beat, 1)
    assert beat.failed(100.0, period_s=2.0) == pytest.approx(102.2)
    late = 100.0 + pace.RECOVERY_S
    assert [beat.failed(late, period_s=2.0) - late for _ in range(2)] == [1, 2]


async def test_after_a_failure_the_second_sample_comes_early_again():
    fleet = Fleet("a")
    async with fleet.running():
        await fleet.clock.advance(2)
        fleet.reader.behaviour["a"] = refused
        await fleet.clock.advance(2)
        del fleet.reader.behaviour["a"]
        await fleet.clock.advance(3.5)
    assert fleet.reader.asked["a"] == [0, 1, 3, 5, 6]


async def test_failures_are_one_line_with_state_and_hint():
    fleet = Fleet("down", "closed")
    fleet.reader.behaviour = {"down": refused, "closed": forbidden}
    async with fleet.running():
        await fleet.clock.advance(0.1)
    told = {
        fact.proxy.pod: (fact.state, fact.reason, fact.hint) for fact in fleet.facts if isinstance(fact, ProxyFailed)
    }
    assert told == {
        "down": (ProxyState.FAILING, "connection refused", "is it running?"),
        "closed": (ProxyState.FORBIDDEN, "pods/proxy refused", "grant get pods/proxy"),
    }
    assert all(isinstance(fact, ProxyFailed) and fact.at == START for fact in fleet.facts)


async def test_answering_takes_at_most_its_share_of_the_period():
    fleet = Fleet("a")
    fleet.reader.behaviour["a"] = slow
    async with fleet.running():
        await fleet.clock.advance(60)
    assert fleet.reader.asked["a"][:4] == [0, 8, 16, 24]


def test_one_slow_answer_does_not_stretch_the_period():
    assert answers(Pace(0.05, lambda: 0.5), 10, 10, 1000, 10) == [1.0, 2.0, 2.0, 2.0]


def test_a_dear_part_is_paid_for_by_the_cheap_ones_around_it():
    beat = Pace(0.05, lambda: 0.5)
    spent = [300, 80, 80, 300, 80, 80] * 20
    waited = answers(beat, *spent)
    assert sum(spent) / 1000 / sum(waited) <= 0.0501
    assert sum(waited) <= sum(spent) / 1000 / 0.05 * 1.1


@given(st.lists(st.floats(0, 1000), min_size=20, max_size=60), st.floats(0.01, 0.5))
def test_the_budget_holds_for_steady_costs(jitters, budget):
    cost_ms = 1 + jitters[0]
    waited = answers(Pace(budget, lambda: 0.5), *([cost_ms] * len(jitters)))
    assert len(jitters) * cost_ms / 1000 <= budget * (sum(waited)) * 1.001


def test_levels_come_with_every_third_sample_and_latency_with_the_flush():
    fleet = [Pace(0.05, lambda: 0.5)]
    asked, at = [], 0.0
    for _ in range(7):
        parts = fleet[0].parts(at, is_opened=False)
        asked.append((at, sorted(parts)))
        at = fleet[0].answered(taken(ManualClock()), parts, started_mono=at, period_s=2.0)
    assert asked == [
        (0.0, [Part.GAUGES, Part.LATENCY]),
        (1.0, []),
        (3.0, []),
        (5.0, [Part.GAUGES, Part.LATENCY]),
        (7.0, []),
        (9.0, []),
        (11.0, [Part.GAUGES, Part.LATENCY]),
    ]


def test_an_opened_proxy_is_asked_for_every_latency_at_once():
    beat = Pace(0.05, lambda: 0.5)
    beat.answered(taken(ManualClock()), beat.parts(0, is_opened=False), started_mono=0, period_s=2.0)
    assert beat.parts(1.0, is_opened=True) == {Part.DETAIL}
    beat.answered(taken(ManualClock()), frozenset({Part.DETAIL}), started_mono=1.0, period_s=2.0)
    assert beat.parts(3.0, is_opened=True) == frozenset()
    assert Part.DETAIL in beat.parts(6.0, is_opened=True)


def test_a_slow_ready_slows_us_down_and_a_quick_one_lets_us_come_back():
    beat = Pace(0.05, lambda: 0.5)
    assert answers(beat, 1, 1, ready_ms=2.0) == [1.0, 2.0]
    assert answers(beat, 1, 1, 1, 1, ready_ms=400.0) == [4.0, 8.0, 16.0, 16.0]
    assert answers(beat, 1, 1, 1, 1, ready_ms=3.0) == [8.0, 4.0, 2.0, 2.0]


async def test_what_is_on_the_screen_is_asked_first():
    shared = Governor()
    names = [f"p{n}" for n in range(governor.IN_FLIGHT + 20)]
    fleet = Fleet(*names, governor=shared, deadline_s=0.05)
    shared.attend([address(name).key for name in names[-3:]])
    fleet.reader.behaviour = dict.fromkeys(names, hung)
    async with fleet.running():
        await fleet.clock.advance(0.01)
        shown = {name for name in names[-3:] if name not in fleet.reader.asked}
        async with asyncio.timeout(5):
            while len(fleet.reader.asked) < len(names):
                await asyncio.sleep(0.01)
    assert set(list(fleet.reader.asked)[governor.IN_FLIGHT :][: len(shown)]) == shown


async def test_a_large_fleet_is_asked_less_often_but_for_what_is_on_the_screen():
    shared = Governor()
    shared.count("a", range(600))
    shared.count("b", range(400))
    shown, other = address("shown").key, address("other").key
    shared.attend([shown])
    assert (shared.period_s(shown), shared.period_s(other)) == (2.0, 5.0)
    shared.count("a", ())
    assert shared.period_s(other) == 2.0


async def test_places_are_given_by_rank_then_by_arrival():
    turns, entered = Turns(1), []

    async def work(name: str, rank: int) -> None:
        async with turns.turn(rank):
            entered.append(name)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for name, rank in (("first", 1), ("late", 1), ("visible", 0), ("later", 1)):
            group.create_task(work(name, rank))
    assert entered == ["first", "visible", "late", "later"]


async def test_who_gives_up_waiting_takes_no_place():
    turns = Turns(1)
    async with turns.turn(0):
        waiting = asyncio.create_task(anext(_held(turns)))
        await settle()
        waiting.cancel()
        await asyncio.wait({waiting})
    async with asyncio.timeout(1), turns.turn(0):
        pass


async def _held(turns: Turns) -> AsyncIterator[None]:
    async with turns.turn(0):
        yield


async def test_proxies_come_and_go():
    fleet = Fleet("old")
    async with fleet.running():
        await fleet.clock.advance(1.6)
        fleet.proxies = {address("new")}
        await fleet.clock.advance(10)
        fleet.proxies = set()
        await fleet.clock.advance(10)
    assert fleet.reader.asked["old"] == [0, 1]
    assert fleet.reader.asked["new"][0] == 2
    assert max(fleet.reader.asked["new"]) <= 12


async def test_a_removed_proxy_is_not_waited_for():
    fleet = Fleet("a")
    fleet.reader.behaviour["a"] = hung
    async with fleet.running():
        await fleet.clock.advance(0.1)
        fleet.proxies = set()
        await fleet.clock.advance(1)
        assert fleet.reader.under_way.total() == 0


async def test_a_consumer_that_does_not_listen_stops_the_sampling():
    fleet = Fleet(*(f"p{n}" for n in range(40)))
    async with contextlib.aclosing(fleet.scraper.observe()) as facts:
        await anext(facts)
        await fleet.clock.advance(200)
        asked = sum(len(times) for times in fleet.reader.asked.values())
    assert asked <= scrape._FACTS + 1 + 40


async def test_a_defect_ends_the_source_loudly():
    fleet = Fleet("a", "b")

    async def defect() -> float:
        raise KeyError("ours")

    fleet.reader.behaviour["a"] = defect
    with pytest.raises(ExceptionGroup) as caught:
        await fleet.collect()
    assert caught.value.subgroup(KeyError)


async def test_cancelling_leaves_no_task_behind():
    fleet = Fleet("a", "b")
    fleet.reader.behaviour["a"] = hung
    before = asyncio.all_tasks()
    async with fleet.running():
        await fleet.clock.advance(3)
    assert asyncio.all_tasks() == before
