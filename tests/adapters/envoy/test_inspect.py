"""What the inspector asks, of which way and in which order, on scripted ways. Other files use real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from gwtui.adapters.envoy.inspector import CLUSTERS_BYTES, CONFIG_BYTES, OFF_LOOP_BYTES, EnvoyInspector
from gwtui.errors import Denied, NotServed, SourceError, Unreachable
from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import ConfigKind
from gwtui.model.known import Known, Unknown
from gwtui.ports import Answer, ProxyAddress
from set_clock import SetClock

ADDRESS = ProxyAddress(ProxyKey("c", "infra", "gw-7d9f-abcde"), stats_port=9091)
OTHER = ProxyAddress(ProxyKey("c", "infra", "gw-7d9f-other"), stats_port=9091)
BUILD = b'{"version":"r/1.38.1/Clean/RELEASE/BoringSSL","state":"LIVE"}'
INSPECTION = [
    "/server_info",
    "/listeners?format=json",
    "/certs",
    "/config_dump?resource=dynamic_listeners",
    "/config_dump?resource=dynamic_route_configs",
    "/config_dump?resource=dynamic_active_clusters",
    "/stats?format=json&type=Gauges&filter=%5Ecluster_manager%5C.warming_clusters%24",
]

Script = Answer | SourceError


class Way:
    """A way in that answers as a test says and writes down what it was asked."""

    def __init__(self, clock: SetClock, script: Mapping[str, Script] | None = None, *, is_inside: bool = True) -> None:
        self.name = "scripted"
        self.reaches_loopback = is_inside
        self.clock = clock
        self.script = {"/server_info": Answer(200, BUILD, 0.001), **(script or {})}
        self.asked: list[str] = []
        self.ports: set[int] = set()
        self.deadlines: list[float] = []
        self.limits: list[int] = []
        self.open = 0
        self.most_open = 0

    async def get(self, proxy: ProxyKey, port: int, path: str, *, deadline_s: float, max_bytes: int) -> Answer:
        self.asked.append(path)
        self.ports.add(port)
        self.deadlines.append(deadline_s)
        self.limits.append(max_bytes)
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        for _ in range(5):
            await asyncio.sleep(0)
        self.open -= 1
        self.clock.seconds += 1
        answer = self.script.get(path, Answer(200, b"{}", 0.001))
        if isinstance(answer, SourceError):
            raise answer
        return answer

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


async def test_the_first_way_that_ends_inside_is_asked_on_the_admin_port_one_page_after_the_other(clock: SetClock):
    outside, way, spare = Way(clock, is_inside=False), Way(clock), Way(clock)
    seen = await EnvoyInspector((outside, way, spare), clock).inspect(ADDRESS, deadline_s=20)
    assert way.asked == INSPECTION
    assert (way.ports, way.most_open, outside.asked, spare.asked) == ({19000}, 1, [], [])
    assert way.deadlines == [20, 19, 18, 17, 16, 15, 14]
    assert max(way.limits) == CONFIG_BYTES
    assert isinstance(seen.build, Known)
    assert (seen.build.value.version, seen.build.observed_at) == ("1.38.1", datetime.fromtimestamp(1, UTC))
    assert seen.cost_ms == pytest.approx(7)
    assert seen.cost_bytes == len(BUILD) + 6 * len(b"{}")


async def test_without_a_way_to_the_loopback_it_says_what_to_grant(clock: SetClock):
    for ways in ((), (Way(clock, is_inside=False),)):
        with pytest.raises(NotServed) as caught:
            await EnvoyInspector(ways, clock).build(ADDRESS, deadline_s=2)
        assert "pods/portforward in namespace infra" in caught.value.hint


async def test_questions_to_one_proxy_wait_for_each_other_and_those_to_others_do_not(clock: SetClock):
    way = Way(clock)
    inspector = EnvoyInspector((way,), clock)
    await asyncio.gather(*(inspector.build(ADDRESS, deadline_s=20) for _ in range(4)))
    assert way.most_open == 1
    await asyncio.gather(*(inspector.build(each, deadline_s=20) for each in (ADDRESS, OTHER)))
    assert way.most_open == 2
    assert len(inspector._turns) == 0


async def test_a_turn_that_does_not_come_in_time_is_unreachable():
    class Hanging(Way):
        async def get(self, proxy: ProxyKey, port: int, path: str, *, deadline_s: float, max_bytes: int) -> Answer:
            self.asked.append(path)
            await asyncio.sleep(30)
            raise AssertionError

    clock = SetClock()
    way = Hanging(clock)
    inspector = EnvoyInspector((way,), clock)
    first = asyncio.create_task(inspector.build(ADDRESS, deadline_s=30))
    async with asyncio.timeout(5):
        while not way.asked:
            await asyncio.sleep(0)
        with pytest.raises(Unreachable, match=r"no time was left to ask for /certs within 0\.05 s"):
            await inspector.certificates(ADDRESS, deadline_s=0.05)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert len(way.asked) == 1


async def test_no_page_is_asked_for_after_the_deadline(clock: SetClock):
    way = Way(clock)
    seen = await EnvoyInspector((way,), clock).inspect(ADDRESS, deadline_s=3)
    assert way.asked == INSPECTION[:3]
    assert isinstance(seen.certificates, Known)
    assert seen.config == Unknown("no time was left to ask for /config_dump?resource=dynamic_listeners within 3 s")


async def test_a_way_that_is_refused_is_not_tried_again_for_every_page(clock: SetClock):
    way = Way(clock, {"/server_info": Denied("port-forward is refused", "grant it")})
    with pytest.raises(Denied, match="refused") as caught:
        await EnvoyInspector((way,), clock).inspect(ADDRESS, deadline_s=20)
    assert (way.asked, caught.value.hint) == (["/server_info"], "grant it")


async def test_the_most_telling_failure_is_raised_when_no_part_could_be_read(clock: SetClock):
    script = {path: NotServed("no such page") for path in INSPECTION} | {"/certs": Unreachable("reset")}
    with pytest.raises(NotServed):
        await EnvoyInspector((Way(clock, script),), clock).inspect(ADDRESS, deadline_s=20)


@pytest.mark.parametrize("missing", INSPECTION[3:6])
async def test_a_configuration_that_lacks_one_kind_is_unknown(clock: SetClock, missing: str):
    way = Way(clock, {missing: Answer(404, b"x not found in config dump", 0.001)})
    seen = await EnvoyInspector((way,), clock).inspect(ADDRESS, deadline_s=20)
    assert seen.config == Unknown(f"the proxy answered 404 to {missing}: x not found in config dump")
    assert isinstance(seen.certificates, Known)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("plain_1", "%5E%28plain_1%29%24"),
        ("a.b+c", r"%5E%28a%5C.b%5C%2Bc%29%24"),
        ("listener~8080", "%5E%28listener%5C~8080%29%24"),
        ("gänse", "%5E%28g%C3%A4nse%29%24"),
        ("a&b c", "%5E%28a%5C%26b%5C%20c%29%24"),
    ],
)
async def test_names_are_asked_for_exactly(clock: SetClock, name: str, pattern: str):
    way = Way(clock)
    inspector = EnvoyInspector((way,), clock)
    await inspector.config(ADDRESS, ConfigKind.ROUTES, name=name, deadline_s=20)
    await inspector.upstreams(ADDRESS, names=[name], deadline_s=20)
    assert way.asked == [
        f"/config_dump?resource=static_route_configs&name_regex={pattern}",
        f"/config_dump?resource=dynamic_route_configs&name_regex={pattern}",
        f"/clusters?format=json&filter={pattern}",
    ]
    assert way.limits[-1] == CLUSTERS_BYTES


async def test_what_a_proxy_sends_beside_the_name_is_left_out(clock: SetClock):
    clusters = json.dumps({"cluster_statuses": [{"name": "a"}, {"name": "ab"}]}).encode()
    way = Way(clock, {"/clusters?format=json&filter=%5E%28a%29%24": Answer(200, clusters, 0.001)})
    found = await EnvoyInspector((way,), clock).upstreams(ADDRESS, names=["a"], deadline_s=20)
    assert [each.name for each in found] == ["a"]


async def test_a_long_page_does_not_hold_up_the_event_loop(clock: SetClock):
    routes = [{"match": {"prefix": f"/{number}"}, "route": {"cluster": "c"}} for number in range(60_000)]
    config = {"name": "r", "virtual_hosts": [{"name": "v", "domains": ["*"], "routes": routes}]}
    body = json.dumps({"configs": [{"route_config": config}]}).encode()
    assert len(body) > 10 * OFF_LOOP_BYTES
    way = Way(clock, {INSPECTION[4]: Answer(200, body, 0.001)})
    turns = 0
    is_done = False

    async def count() -> None:
        nonlocal turns
        while not is_done:
            turns += len(way.asked) == 2  # both pages were asked for; the long one is decoded
            await asyncio.sleep(0.001)

    counting = asyncio.create_task(count())
    (seen,) = await EnvoyInspector((way,), clock).config(ADDRESS, ConfigKind.ROUTES, deadline_s=20)
    is_done = True
    await counting
    assert len(seen.body["virtual_hosts"][0]["routes"]) == 60_000
    assert turns > 10
