"""Which way in the reader takes, on scripted ways. `test_live.py` and `test_hostile.py` use real sockets."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gwtui.adapters.envoy.paths import READY, STATS
from gwtui.adapters.envoy.reader import MAX_BYTES, REPROBE_S, EnvoyReader
from gwtui.errors import BadPayload, Denied, NotServed, SourceError, Unreachable
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.ports import Answer, ProxyAddress

GOLDEN = Path(__file__).parents[2] / "golden" / "envoy" / "stats-busy-1.40.in.json"
ADDRESS = ProxyAddress(ProxyKey("c", "infra", "gw-7d9f-abcde"), stats_port=9091)

FINE = Answer(200, GOLDEN.read_bytes(), 0.003)
LIVE = Answer(200, b"LIVE\n", 0.001)
Script = Answer | SourceError


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def mono(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Way:
    """A way in that answers as a test says and writes down what it was asked."""

    def __init__(
        self, name: str, clock: Clock, stats: Script = FINE, ready: Script = LIVE, *, cost_s: float = 0.0
    ) -> None:
        self.name = name
        self.reaches_loopback = name != "pod proxy"
        self.clock = clock
        self.script: dict[str, Script] = {STATS: stats, READY: ready}
        self.cost_s = cost_s
        self.asked: list[tuple[int, str, float]] = []

    async def get(self, proxy: ProxyKey, port: int, path: str, *, deadline_s: float, max_bytes: int) -> Answer:
        self.asked.append((port, path, round(deadline_s, 3)))
        assert max_bytes <= MAX_BYTES
        self.clock.seconds += min(self.cost_s, deadline_s)
        answer = self.script[path]
        if isinstance(answer, SourceError):
            raise answer
        return answer

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_the_first_way_is_asked_on_the_stats_port(clock: Clock):
    way, spare = Way("pod proxy", clock), Way("port-forward", clock)
    state, sample, name = await EnvoyReader((way, spare), clock).sample(ADDRESS, deadline_s=2)
    assert (state, sample.requests, name) == (ProxyState.LIVE, 15, "pod proxy")
    assert [(port, path) for port, path, _ in way.asked] == [(9091, STATS), (9091, READY)]
    assert spare.asked == []
    assert sample.answer_bytes == len(FINE.body) + len(LIVE.body)
    assert sample.answer_ms == pytest.approx(4.0)


async def test_the_next_way_is_taken_and_remembered_then_the_first_tried_again_slowly(clock: Clock):
    way, spare = Way("pod proxy", clock, stats=Denied("no", "grant it")), Way("port-forward", clock)
    reader = EnvoyReader((way, spare), clock)
    for _ in range(3):
        assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "port-forward"
        clock.seconds += 1
    assert len(way.asked) == 1
    assert spare.asked[0][:2] == (19000, STATS)
    clock.seconds += REPROBE_S
    assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "port-forward"
    assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "port-forward"
    assert len(way.asked) == 2
    way.script[STATS] = FINE
    assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "port-forward"
    clock.seconds += REPROBE_S
    assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "pod proxy"
    assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "pod proxy"


async def test_answers_of_another_way_do_not_put_off_the_next_try(clock: Clock):
    way, spare = Way("pod proxy", clock, stats=Unreachable("down")), Way("port-forward", clock)
    reader = EnvoyReader((way, spare), clock)
    tried_at = []
    for _ in range(14):
        before = len(way.asked)
        await reader.sample(ADDRESS, deadline_s=2)
        if len(way.asked) > before:
            tried_at.append(clock.seconds)
        clock.seconds += 10
    assert tried_at == [0, 60, 120]


async def test_when_the_remembered_way_breaks_the_others_are_tried_at_once(clock: Clock):
    way, spare = Way("pod proxy", clock, stats=Unreachable("down")), Way("port-forward", clock)
    reader = EnvoyReader((way, spare), clock)
    await reader.sample(ADDRESS, deadline_s=2)
    way.script[STATS], spare.script[STATS] = FINE, Unreachable("gone")
    assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "pod proxy"


async def test_what_is_remembered_is_per_proxy(clock: Clock):
    way, spare = Way("pod proxy", clock, stats=Unreachable("down")), Way("port-forward", clock)
    reader = EnvoyReader((way, spare), clock)
    await reader.sample(ADDRESS, deadline_s=2)
    way.script[STATS] = FINE
    other = ProxyAddress(ProxyKey("c", "infra", "gw-7d9f-other"), stats_port=9091)
    assert (await reader.sample(other, deadline_s=2))[2] == "pod proxy"
    assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "port-forward"


FAILURES = (Denied("denied"), BadPayload("rubbish"), NotServed("not there"), Unreachable("down"))


@pytest.mark.parametrize(("more", "less"), itertools.combinations(FAILURES, 2))
async def test_the_most_telling_failure_is_raised(clock: Clock, more: SourceError, less: SourceError):
    for first, second in ((more, less), (less, more)):
        reader = EnvoyReader((Way("pod proxy", clock, first), Way("port-forward", clock, second)), clock)
        with pytest.raises(type(more)):
            await reader.sample(ADDRESS, deadline_s=2)


async def test_the_failure_of_the_way_that_used_to_work_tells_most(clock: Clock):
    way, spare = Way("pod proxy", clock, stats=Denied("no")), Way("port-forward", clock)
    reader = EnvoyReader((way, spare), clock)
    await reader.sample(ADDRESS, deadline_s=2)
    spare.script[STATS] = Unreachable("killed")
    with pytest.raises(Unreachable, match="killed"):
        await reader.sample(ADDRESS, deadline_s=2)


async def test_no_way_in_is_said(clock: Clock):
    with pytest.raises(Unreachable, match="no way in"):
        await EnvoyReader((), clock).sample(ADDRESS, deadline_s=2)


async def test_a_way_that_hangs_leaves_time_for_the_next(clock: Clock):
    way = Way("pod proxy", clock, stats=Unreachable("no answer"), cost_s=9)
    spare = Way("port-forward", clock, cost_s=0.1)
    await EnvoyReader((way, spare), clock).sample(ADDRESS, deadline_s=2)
    assert way.asked == [(9091, STATS, 1.0)]
    assert spare.asked == [(19000, STATS, 1.0), (19000, READY, 0.9)]


@pytest.mark.parametrize(
    ("ready", "state"),
    [
        (Answer(503, b"DRAINING\n", 0), ProxyState.DRAINING),
        (Answer(503, b"INITIALIZING\n", 0), ProxyState.INITIALIZING),
        (Answer(404, b"", 0), ProxyState.LIVE),
        (Denied("/ready is not allowed"), ProxyState.LIVE),
        (NotServed("no such path"), ProxyState.LIVE),
        (BadPayload("endless"), ProxyState.LIVE),
    ],
)
async def test_the_state_is_of_ready_and_else_of_the_gauge(clock: Clock, ready: Script, state: ProxyState):
    reader = EnvoyReader((Way("pod proxy", clock, ready=ready),), clock)
    assert (await reader.sample(ADDRESS, deadline_s=2))[0] is state


async def test_a_proxy_that_dies_between_the_two_answers_failed(clock: Clock):
    reader = EnvoyReader((Way("pod proxy", clock, ready=Unreachable("reset")),), clock)
    with pytest.raises(Unreachable):
        await reader.sample(ADDRESS, deadline_s=2)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, NotServed), (403, NotServed), (503, Unreachable), (502, Unreachable), (302, BadPayload), (400, BadPayload)],
)
async def test_other_statuses_are_named(clock: Clock, status: int, kind: type[SourceError]):
    reader = EnvoyReader((Way("pod proxy", clock, stats=Answer(status, b"<b>\x1b[31mno\n</b>", 0)),), clock)
    with pytest.raises(kind) as caught:
        await reader.sample(ADDRESS, deadline_s=2)
    assert caught.value.message == f"port 9091 answered {status} to /stats: <b> [31mno </b>"
    assert caught.value.hint


async def test_proxies_that_are_gone_are_forgotten(clock: Clock):
    reader = EnvoyReader((Way("pod proxy", clock),), clock)
    for number in range(50):
        await reader.sample(ProxyAddress(ProxyKey("c", "infra", f"gw-{number}"), stats_port=9091), deadline_s=2)
        clock.seconds += 60
    assert len(reader._memory) <= 11
