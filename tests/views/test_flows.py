"""What many proxies send: added up in short, and taken over where nothing changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.model.ids import GatewayKey, ServiceKey
from gwtui.model.known import Known, Unknown
from gwtui.model.measuring import measure
from gwtui.model.samples import ClusterSample, ProxySample
from gwtui.model.shape import Hop
from gwtui.model.snapshot import Snapshot
from gwtui.views.fleet import Fleet, fleet
from gwtui.views.flows import Flow, flows_over, space, upstream
from gwtui.views.map_parts import Load, together
from gwtui.views.scene import Scene
from tests.tui import fleet as made
from tests.tui import fleets

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("a", "b", "c")
HOPS = tuple(
    Hop(
        source=GatewayKey("c", "infra", "edge"),
        target=ServiceKey("c", "apps", name),
        rule="backend",
        envoy_clusters=(name,),
        shares=(),
    )
    for name in NAMES
)

counts = st.integers(min_value=0, max_value=30)
endpoints = st.one_of(st.none(), st.integers(min_value=0, max_value=3))
upstreams = st.dictionaries(
    st.sampled_from(NAMES),
    st.builds(ClusterSample, requests=counts, errors_5xx=counts, members_healthy=endpoints, members_total=endpoints),
)
histories = st.lists(upstreams, min_size=1, max_size=5)


def samples(history: list[dict[str, ClusterSample]], shift_s: float) -> list[ProxySample]:
    return [
        ProxySample(
            taken_mono=5.0 * index + shift_s,
            taken_at=START + timedelta(seconds=5 * index + shift_s),
            requests=100 * index,
            errors_5xx=0,
            errors_4xx=0,
            active=0,
            uptime_s=index,
            latency=None,
            clusters=clusters,
        )
        for index, clusters in enumerate(history)
    ]


def figures(flow: Flow) -> tuple[object, ...]:
    return (*map(rounded, (flow.rps, flow.error_ratio, flow.share)), flow.members_healthy, flow.members_total)


def rounded(rate: Known[float] | Unknown) -> object:
    return rate if isinstance(rate, Unknown) else (pytest.approx(rate.value), rate.observed_at)


@given(st.lists(histories, max_size=3))
def test_what_is_added_up_in_short_is_what_all_figures_add_up_to(proxies) -> None:
    parts = [measure(samples(history, number / 10), window_s=10.0).clusters for number, history in enumerate(proxies)]
    whole = [dict(part.items()) for part in parts]
    assert list(map(figures, flows_over(HOPS, parts))) == list(map(figures, flows_over(HOPS, whole)))


def words(found: Fleet) -> list[object]:
    """Everything the screens tell of a fleet."""
    gateways = [
        (
            key,
            each.answering,
            each.verdict,
            each.traffic.rps,
            each.traffic.error_ratio,
            each.traffic.p99_ms,
            each.history,
        )
        for key, each in found.gateways.items()
    ]
    return [*gateways, *found.flows, *found.spaces.values(), *found.outside.values(), found.sick]


def asked_again(snapshot: Snapshot, pod: str) -> Snapshot:
    """The snapshot after one of its proxies answered once more."""
    (key,) = (key for key in snapshot.proxies if key.pod == pod)
    view = snapshot.proxies[key]
    traffic = replace(view.traffic, rps=made.seen(7.0, age_s=1), error_ratio=made.seen(0.5, age_s=1))
    return replace(snapshot, proxies={**snapshot.proxies, key: replace(view, traffic=traffic)})


def test_only_the_gateway_whose_proxy_answered_is_figured_out_again() -> None:
    snapshot = fleets.many(12, 2, 3)
    before = fleet(snapshot, made.NOW)
    changed = asked_again(snapshot, "gw-003-1")
    after = fleet(changed, made.NOW, before=before)
    new = {key.name for key, entry in after.gateways.items() if entry is not before.gateways[key]}
    assert new == {"gw-003"}
    assert words(after) == words(fleet(changed, made.NOW))


def test_figures_are_not_taken_over_once_a_proxy_may_be_stale() -> None:
    snapshot = made.healthy()
    before = fleet(snapshot, made.NOW)
    late = made.NOW + timedelta(minutes=1)
    after = fleet(snapshot, late, before=before)
    assert words(after) == words(fleet(snapshot, late))
    assert all(entry.answering == 0 for entry in after.gateways.values())


def test_a_silent_proxy_is_judged_at_every_moment() -> None:
    stale = {
        key: replace(view, answered_at=made.NOW - timedelta(seconds=40)) for key, view in made.healthy().proxies.items()
    }
    snapshot = replace(made.healthy(), proxies=stale)
    before = fleet(snapshot, made.NOW)
    later = fleet(snapshot, made.NOW + timedelta(seconds=9), before=before)
    assert {entry.verdict.reason for entry in later.gateways.values()} == {"last answer 49 s ago"}


def test_a_scene_hands_its_figures_on() -> None:
    snapshot = made.healthy()
    first = Scene(snapshot, (made.CLUSTER,), made.NOW)
    pod = next(iter(snapshot.proxies)).pod
    before, second = first.fleet, first.later(asked_again(snapshot, pod), first.clusters, made.NOW)
    kept = [key for key, entry in second.fleet.gateways.items() if entry is before.gateways[key]]
    assert len(kept) == len(before.gateways) - 1


def test_errors_the_proxy_makes_itself_are_traffic_that_failed() -> None:
    idle, broken = ClusterSample(), ClusterSample(errors_5xx=7)
    parts = [measure(samples([{"a": idle}, {"a": newest}], 0.0), window_s=10.0).clusters for newest in (idle, broken)]
    (flow, *_) = flows_over(HOPS, parts)
    assert isinstance(flow.rps, Known)
    assert isinstance(flow.error_ratio, Known)
    assert (flow.rps.value, flow.error_ratio.value) == (1.4, 1.0)
    found = upstream(ServiceKey("c", "apps", "a"), (flow, flow))
    assert found.error_ratio == flow.error_ratio
    assert found.is_sick
    assert space((found,)).error_ratio == flow.error_ratio
    load = Load(found.rps, found.error_ratio, Unknown("not asked"))
    assert together((load, load)).error_ratio == flow.error_ratio
