"""Which way in the reader takes, on scripted ways. `test_live.py` and `test_hostile.py` use real sockets."""

from __future__ import annotations

import itertools
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from gwtui.adapters.envoy.paths import COUNTERS, DETAIL, GAUGES, LATENCY, MOST_FOLLOWED, READY, following, in_text
from gwtui.adapters.envoy.reader import MAX_BYTES, REPROBE_S, EnvoyReader
from gwtui.errors import BadPayload, Denied, NotServed, SourceError, Unreachable
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.ports import Answer, Part, ProxyAddress
from set_clock import SetClock

GOLDEN = Path(__file__).parents[2] / "golden" / "envoy" / "stats-busy-1.40.in.json"
ADDRESS = ProxyAddress(ProxyKey("c", "infra", "gw-7d9f-abcde"), stats_port=9091)

FINE = Answer(200, GOLDEN.read_bytes(), 0.003)
LEVELS = Answer(
    200, b'{"stats":[{"name":"server.state","value":0},{"name":"http.http.downstream_rq_active","value":3}]}', 0.002
)
NOTHING = Answer(200, b'{"stats":[]}', 0.004)
NO_TEXT = Answer(404, b"", 0.001)
LIVE = Answer(200, b"LIVE\n", 0.001)
Script = Answer | SourceError


class Way:
    """A way in that answers as a test says and writes down what it was asked."""

    def __init__(
        self, name: str, clock: SetClock, stats: Script = FINE, ready: Script = LIVE, *, cost_s: float = 0.0
    ) -> None:
        self.name = name
        self.reaches_loopback = name != "pod proxy"
        self.clock = clock
        self.script: dict[str, Script] = {
            COUNTERS: stats,
            GAUGES: LEVELS,
            LATENCY: NOTHING,
            DETAIL: NOTHING,
            READY: ready,
        }
        self.cost_s = cost_s
        self.asked: list[tuple[int, str, float]] = []

    async def get(self, proxy: ProxyKey, port: int, path: str, *, deadline_s: float, max_bytes: int) -> Answer:
        self.asked.append((port, path, round(deadline_s, 3)))
        assert max_bytes <= MAX_BYTES
        self.clock.seconds += min(self.cost_s, deadline_s)
        answer = self.script.get(path, NO_TEXT)
        if isinstance(answer, SourceError):
            raise answer
        return answer

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


async def test_the_first_way_is_asked_on_the_stats_port(clock: SetClock):
    way, spare = Way("pod proxy", clock), Way("port-forward", clock)
    state, sample, name = await EnvoyReader((way, spare), clock).sample(ADDRESS, deadline_s=2)
    assert (state, sample.requests, name) == (ProxyState.LIVE, 15, "pod proxy")
    assert [(port, path) for port, path, _ in way.asked] == [(9091, COUNTERS), (9091, GAUGES), (9091, READY)]
    assert spare.asked == []
    assert sample.answer_bytes == len(FINE.body) + len(LEVELS.body) + len(LIVE.body)
    assert sample.answer_ms == pytest.approx(6.0)
    assert sample.admin_ms == pytest.approx(2.0 + 1.0)
    assert (sample.ready_ms, sample.questions) == (pytest.approx(1.0), 3)


async def test_endpoints_that_were_refused_are_followed_and_no_others(clock: SetClock):
    def refusing(*names: str) -> Answer:
        told = [{"name": f"cluster.{name}.update_rejected", "value": 1} for name in names]
        return Answer(200, json.dumps({"stats": told}).encode(), 0.001)

    many = [f"kube_a_{number:03}_80" for number in range(MOST_FOLLOWED + 5)]
    way = Way("pod proxy", clock, refusing(*many))
    reader = EnvoyReader((way,), clock)
    _, sample, _ = await reader.sample(ADDRESS, deadline_s=2)
    assert sample.services["eds.kube_a_000_80"].accepted is None
    way.script |= {following(COUNTERS, many[:MOST_FOLLOWED]): refusing(many[0])}
    _, sample, _ = await reader.sample(ADDRESS, deadline_s=2)
    assert sample.services["eds.kube_a_000_80"].accepted == 0
    pattern = parse_qs(urlsplit(way.asked[-2][1]).query)["filter"][0]
    assert re.match(pattern, f"cluster.{many[0]}.update_success")
    assert re.match(pattern, "cluster.kube_b_80.upstream_rq_total")
    assert not re.match(pattern, f"cluster.{many[-1]}.update_success")
    assert not re.match(pattern, "cluster.kube_a_000x80.update_success")
    assert in_text(way.asked[-2][1]).partition("filter=")[2] == way.asked[-2][1].partition("filter=")[2]


async def test_levels_are_remembered_with_their_time_and_asked_again_when_wanted(clock: SetClock):
    way = Way("pod proxy", clock)
    reader = EnvoyReader((way,), clock)
    await reader.sample(ADDRESS, deadline_s=2)
    clock.seconds = 2
    _, sample, _ = await reader.sample(ADDRESS, deadline_s=2)
    assert (sample.active, sample.gauges_at) == (3, datetime.fromtimestamp(0, UTC))
    assert [path for _, path, _ in way.asked].count(GAUGES) == 1
    way.script[GAUGES] = NOTHING
    _, sample, _ = await reader.sample(ADDRESS, deadline_s=2, parts=frozenset({Part.GAUGES}))
    assert (sample.active, sample.gauges_at) == (0, datetime.fromtimestamp(2, UTC))


@pytest.mark.parametrize(
    ("parts", "path"),
    [({Part.LATENCY}, LATENCY), ({Part.DETAIL}, DETAIL), ({Part.LATENCY, Part.DETAIL}, DETAIL)],
)
async def test_latency_is_read_when_asked_for(clock: SetClock, parts: set[Part], path: str):
    way = Way("pod proxy", clock)
    _, sample, _ = await EnvoyReader((way,), clock).sample(ADDRESS, deadline_s=2, parts=frozenset(parts))
    assert sample.latency == ()
    assert [asked for _, asked, _ in way.asked] == [COUNTERS, GAUGES, path, READY]


async def test_the_way_there_and_back_is_not_counted_as_the_proxys_own_time(clock: SetClock):
    way = Way("pod proxy", clock, ready=Answer(200, b"LIVE\n", 0.002))
    reader = EnvoyReader((way,), clock)
    await reader.sample(ADDRESS, deadline_s=2)
    way.script[READY] = Answer(200, b"LIVE\n", 0.5)
    _, sample, _ = await reader.sample(ADDRESS, deadline_s=2)
    assert sample.admin_ms == pytest.approx(1.0 + 498.0)
    assert sample.ready_ms == pytest.approx(500.0)


async def test_where_only_prometheus_text_is_offered_it_is_read_and_remembered(clock: SetClock):
    text = b'envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="http"} 7\n'
    way = Way("pod proxy", clock, stats=Answer(404, b"", 0.001))
    way.script |= {in_text(COUNTERS): Answer(200, text, 0.001), in_text(GAUGES): Answer(200, b"", 0.001)}
    reader = EnvoyReader((way,), clock)
    for _ in range(2):
        assert (await reader.sample(ADDRESS, deadline_s=2))[1].requests == 7
    assert [path for _, path, _ in way.asked].count(COUNTERS) == 1
    way.script[in_text(COUNTERS)], way.script[COUNTERS] = Answer(404, b"", 0), FINE
    assert (await reader.sample(ADDRESS, deadline_s=2))[1].requests == 15


async def test_a_ready_proxy_that_offers_text_alone_is_asked_whether_it_is_with_its_levels(clock: SetClock):
    way = Way("pod proxy", clock, stats=NO_TEXT)
    way.script |= {in_text(COUNTERS): Answer(200, b"", 0.001), in_text(GAUGES): Answer(200, b"", 0.001)}
    reader = EnvoyReader((way,), clock)

    async def told(*parts: Part) -> tuple[ProxyState, bool]:
        way.asked.clear()
        state, sample, _ = await reader.sample(ADDRESS, deadline_s=2, parts=frozenset(parts))
        asked = READY in [path for _, path, _ in way.asked]
        assert (sample.ready_ms is not None) == asked
        return state, asked

    assert await told(Part.GAUGES) == (ProxyState.LIVE, True)
    assert await told() == (ProxyState.LIVE, False)
    way.script[READY] = Answer(503, b"DRAINING\n", 0.001)
    assert await told(Part.GAUGES) == (ProxyState.DRAINING, True)
    assert await told() == (ProxyState.DRAINING, True)
    way.script[READY] = LIVE
    assert await told() == (ProxyState.LIVE, True)
    assert await told() == (ProxyState.LIVE, False)


async def test_the_admin_port_is_never_asked_for_text(clock: SetClock):
    way = Way("port-forward", clock, stats=Answer(404, b"", 0.001))
    with pytest.raises(NotServed):
        await EnvoyReader((way,), clock).sample(ADDRESS, deadline_s=2)
    assert [path for _, path, _ in way.asked] == [COUNTERS]


async def test_the_next_way_is_taken_and_remembered_then_the_first_tried_again_slowly(clock: SetClock):
    way, spare = Way("pod proxy", clock, stats=Denied("no", "grant it")), Way("port-forward", clock)
    reader = EnvoyReader((way, spare), clock)
    for _ in range(3):
        assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "port-forward"
        clock.seconds += 1
    assert len(way.asked) == 1
    assert spare.asked[0][:2] == (19000, COUNTERS)
    clock.seconds += REPROBE_S
    assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "port-forward"
    assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "port-forward"
    assert len(way.asked) == 2
    way.script[COUNTERS] = FINE
    assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "port-forward"
    clock.seconds += REPROBE_S
    assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "pod proxy"
    assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "pod proxy"


async def test_answers_of_another_way_do_not_put_off_the_next_try(clock: SetClock):
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


async def test_when_the_remembered_way_breaks_the_others_are_tried_at_once(clock: SetClock):
    way, spare = Way("pod proxy", clock, stats=Unreachable("down")), Way("port-forward", clock)
    reader = EnvoyReader((way, spare), clock)
    await reader.sample(ADDRESS, deadline_s=2)
    way.script[COUNTERS], spare.script[COUNTERS] = FINE, Unreachable("gone")
    assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "pod proxy"


async def test_what_is_remembered_is_per_proxy(clock: SetClock):
    way, spare = Way("pod proxy", clock, stats=Unreachable("down")), Way("port-forward", clock)
    reader = EnvoyReader((way, spare), clock)
    await reader.sample(ADDRESS, deadline_s=2)
    way.script[COUNTERS] = FINE
    other = ProxyAddress(ProxyKey("c", "infra", "gw-7d9f-other"), stats_port=9091)
    assert (await reader.sample(other, deadline_s=2))[2] == "pod proxy"
    assert (await reader.sample(ADDRESS, deadline_s=2))[2] == "port-forward"


FAILURES = (Denied("denied"), BadPayload("rubbish"), NotServed("not there"), Unreachable("down"))


@pytest.mark.parametrize(("more", "less"), itertools.combinations(FAILURES, 2))
async def test_the_most_telling_failure_is_raised(clock: SetClock, more: SourceError, less: SourceError):
    for first, second in ((more, less), (less, more)):
        reader = EnvoyReader((Way("pod proxy", clock, first), Way("port-forward", clock, second)), clock)
        with pytest.raises(type(more)):
            await reader.sample(ADDRESS, deadline_s=2)


async def test_the_failure_of_the_way_that_used_to_work_tells_most(clock: SetClock):
    way, spare = Way("pod proxy", clock, stats=Denied("no")), Way("port-forward", clock)
    reader = EnvoyReader((way, spare), clock)
    await reader.sample(ADDRESS, deadline_s=2)
    spare.script[COUNTERS] = Unreachable("killed")
    with pytest.raises(Unreachable, match="killed"):
        await reader.sample(ADDRESS, deadline_s=2)


async def test_no_way_in_is_said(clock: SetClock):
    with pytest.raises(Unreachable, match="no way in"):
        await EnvoyReader((), clock).sample(ADDRESS, deadline_s=2)


async def test_a_way_that_hangs_leaves_time_for_the_next(clock: SetClock):
    way = Way("pod proxy", clock, stats=Unreachable("no answer"), cost_s=9)
    spare = Way("port-forward", clock, cost_s=0.1)
    await EnvoyReader((way, spare), clock).sample(ADDRESS, deadline_s=2)
    assert way.asked == [(9091, COUNTERS, 1.0)]
    assert spare.asked == [(19000, COUNTERS, 1.0), (19000, GAUGES, 0.9), (19000, READY, 0.8)]


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
async def test_the_state_is_of_ready_and_else_of_the_gauge(clock: SetClock, ready: Script, state: ProxyState):
    reader = EnvoyReader((Way("pod proxy", clock, ready=ready),), clock)
    assert (await reader.sample(ADDRESS, deadline_s=2))[0] is state


async def test_a_proxy_that_dies_between_the_two_answers_failed(clock: SetClock):
    reader = EnvoyReader((Way("pod proxy", clock, ready=Unreachable("reset")),), clock)
    with pytest.raises(Unreachable):
        await reader.sample(ADDRESS, deadline_s=2)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, NotServed), (403, NotServed), (503, Unreachable), (502, Unreachable), (302, BadPayload), (400, BadPayload)],
)
async def test_other_statuses_are_named(clock: SetClock, status: int, kind: type[SourceError]):
    reader = EnvoyReader((Way("pod proxy", clock, stats=Answer(status, b"<b>\x1b[31mno\n</b>", 0)),), clock)
    with pytest.raises(kind) as caught:
        await reader.sample(ADDRESS, deadline_s=2)
    assert caught.value.message == f"port 9091 answered {status} to /stats: <b> [31mno </b>"
    assert caught.value.hint


async def test_proxies_that_are_gone_are_forgotten(clock: SetClock):
    reader = EnvoyReader((Way("pod proxy", clock),), clock)
    for number in range(50):
        await reader.sample(ProxyAddress(ProxyKey("c", "infra", f"gw-{number}"), stats_port=9091), deadline_s=2)
        clock.seconds += 60
    assert len(reader._memory) <= 11
