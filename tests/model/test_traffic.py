from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.model.known import Known, Unknown, value_or
from gwtui.model.measuring import follow, kept, measure
from gwtui.model.quantiles import Histogram, merge, quantile
from gwtui.model.samples import ClusterSample, ProxySample, RouteSample, ServiceSample
from gwtui.model.totals import total
from gwtui.model.traffic import (
    FIRST_SAMPLE,
    NO_LATENCY,
    NO_REQUESTS,
    NO_TRAFFIC,
    ClusterTraffic,
    OnDemand,
    ProxyTraffic,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
NO_SAMPLE = Unknown("no sample yet")
BOUNDS = (0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, math.inf)
CART = "kube_shop_cart_8080"


def buckets(*counts: int, bounds: tuple[float, ...] = BOUNDS) -> Histogram:
    """A histogram from the count of each bucket on its own."""
    return tuple(zip(bounds, accumulate(counts), strict=True))


def sample(at: float, requests: int = 0, errors: int = 0, *, latency: Histogram | None = (), **more) -> ProxySample:
    fields = {"errors_4xx": 0, "active": 0, "uptime_s": int(at), **more}
    return ProxySample(
        taken_mono=at,
        taken_at=START + timedelta(seconds=at),
        requests=requests,
        errors_5xx=errors,
        latency=latency,
        **fields,
    )


def known(value: float, at: float = 0) -> Known[float]:
    return Known(value, START + timedelta(seconds=at))


def traffic(rps=NO_SAMPLE, error_ratio=NO_SAMPLE, **more) -> ProxyTraffic:
    return replace(NO_TRAFFIC, rps=rps, error_ratio=error_ratio, **more)


def test_nothing_sampled_is_unknown():
    assert measure([], window_s=10) is NO_TRAFFIC


def test_the_first_sample_gives_gauges_but_no_rate():
    clusters = {CART: ClusterSample(requests=7, members_healthy=1, members_total=2)}
    seen = measure([sample(3, 100, active=4, latency=buckets(100, *[0] * 7), clusters=clusters)], window_s=10)
    assert {seen.rps, seen.error_ratio, seen.p50_ms, seen.p99_ms} == {FIRST_SAMPLE}
    assert seen.active == Known(4, START + timedelta(seconds=3))
    cart = seen.clusters[CART]
    assert {cart.rps, cart.error_ratio, cart.retries_rps, cart.timeouts_rps} == {FIRST_SAMPLE}
    assert (cart.members_healthy, cart.members_total) == (1, 2)
    assert seen.latency_window is None


def test_rates_come_from_the_window_alone():
    samples = [sample(0, 0), sample(10, 5000, 5000), sample(14, 5040, 5004), sample(20, 5100, 5010)]
    seen = measure(samples, window_s=10)
    assert seen.rps == known(10.0, 20)
    assert seen.error_ratio == known(0.1, 20)


def test_samples_further_apart_than_the_window_still_give_a_rate():
    assert measure([sample(0), sample(10, 10), sample(40, 70)], window_s=5).rps == known(2.0, 40)


def test_no_requests_is_a_rate_of_zero_and_an_unknown_ratio():
    seen = measure([sample(0, 5), sample(2, 5)], window_s=10)
    assert seen.rps == known(0.0, 2)
    assert seen.error_ratio == NO_REQUESTS
    assert seen.p99_ms == NO_REQUESTS


def test_requests_without_a_flushed_latency_say_so():
    assert measure([sample(0, 5), sample(2, 50)], window_s=10).p99_ms == NO_LATENCY


@pytest.mark.parametrize(
    "after",
    [
        {"requests": 60, "uptime_s": 110},
        {"requests": 600, "uptime_s": 1},
        {"requests": 600, "uptime_s": None},
        {"requests": 600, "errors": 2, "uptime_s": 110},
        {"requests": 600, "errors_4xx": 1, "uptime_s": 110},
        {"requests": 600, "latency": buckets(3, 0, 0, 0, 0, 0, 0, 0), "uptime_s": 110},
        {"requests": 600, "latency": (), "uptime_s": 110},
    ],
)
def test_a_restart_leaves_only_what_came_since(after):
    full = {"errors": 5, "errors_4xx": 5, "latency": buckets(0, 9, 0, 0, 0, 0, 0, 0), "uptime_s": 100}
    before = [sample(0, 480, **full), sample(2, 500, **full)]
    reborn = sample(4, **{**full, **after})
    assert measure([*before, reborn], window_s=60).rps == FIRST_SAMPLE
    later = replace(reborn, taken_mono=6, taken_at=START + timedelta(seconds=6), requests=reborn.requests + 30)
    assert measure([*before, reborn, later], window_s=60).rps == known(15.0, 6)


def test_a_removed_cluster_is_no_restart():
    with_it = sample(
        0,
        10,
        services={"lds": ServiceSample(rejected=3)},
        clusters={CART: ClusterSample(requests=5), "kube_a_b_1": ClusterSample()},
    )
    without = sample(2, 20, clusters={"kube_a_b_1": ClusterSample()})
    seen = measure([with_it, without], window_s=10)
    assert seen.rps == known(5.0, 2)
    assert list(seen.clusters) == ["kube_a_b_1"]


def test_a_cluster_made_anew_is_measured_since_then():
    counts = (500, 600, 10, 30)
    samples = [
        sample(
            2 * n,
            100 * n,
            clusters={CART: ClusterSample(requests=count)},
            routes={("v", "r"): RouteSample(requests=count)},
        )
        for n, count in enumerate(counts)
    ]
    seen = measure(samples, window_s=60)
    assert seen.rps == known(50.0, 6)
    assert seen.clusters[CART].rps == seen.routes["v", "r"].rps == known(10.0, 6)
    assert measure(samples[:3], window_s=60).clusters[CART].rps == FIRST_SAMPLE


def test_a_cluster_absent_before_had_no_requests():
    samples = [sample(0), sample(2, 8, clusters={CART: ClusterSample(requests=8, errors_5xx=2)})]
    seen = measure(samples, window_s=10).clusters[CART]
    assert (seen.rps, seen.error_ratio) == (known(4.0, 2), known(0.25, 2))


def test_a_cluster_without_hosts_fails_every_request_it_is_asked_for():
    samples = [
        sample(2 * n, n, clusters={CART: ClusterSample(errors_5xx=3 * n, members_healthy=0, members_total=0)})
        for n in (0, 1)
    ]
    seen = measure(samples, window_s=10).clusters[CART]
    assert (seen.rps, seen.error_ratio) == (known(1.5, 2), known(1.0, 2))


def test_quantiles_are_of_the_window_alone_and_reach_further_back_than_rates():
    old = buckets(1000, 0, 0, 0, 0, 0, 0, 0)
    new = buckets(1000, 0, 0, 0, 0, 90, 10, 0)
    samples = [sample(0, 1000, latency=old), sample(20, 1100, latency=new), sample(25, 1100, latency=new)]
    seen = measure(samples, window_s=5)
    assert seen.rps == known(0.0, 25)
    assert seen.p50_ms == known(pytest.approx(25 + 25 * 50 / 90), 25)
    assert seen.p99_ms == known(pytest.approx(95.0), 25)
    assert seen.latency_window == buckets(0, 0, 0, 0, 0, 90, 10, 0)


def test_latency_first_recorded_within_the_window_counts_whole():
    samples = [sample(0), sample(2, 4, latency=buckets(0, 4, 0, 0, 0, 0, 0, 0))]
    assert measure(samples, window_s=10).p50_ms == known(0.75, 2)


def test_the_infinite_bucket_says_the_last_finite_bound():
    assert quantile(buckets(0, 0, 0, 0, 0, 0, 1, 99), 0.99) == 100.0
    assert quantile(((math.inf, 5),), 0.5) is None


def test_quantile_skips_empty_buckets_and_refuses_what_is_no_share():
    assert quantile(buckets(0, 0, 4, 0, 0, 0, 0, 0), 0) == 1.0
    assert quantile(buckets(0, 0, 4, 0, 0, 0, 0, 0), 1) == 5.0
    assert quantile(buckets(*[0] * 8), 0.5) is None
    assert quantile((), 0.5) is None
    with pytest.raises(ValueError, match="share"):
        quantile(buckets(*[1] * 8), 1.1)


def test_merge_keeps_only_the_bounds_all_have():
    narrow = ((1.0, 2), (10.0, 3), (math.inf, 4))
    assert merge([buckets(*[1] * 8), narrow, ()]) == ((1.0, 4), (10.0, 7), (math.inf, 12))
    assert merge([]) == ()


def test_total_adds_weighs_and_merges():
    seen = total(
        [
            traffic(
                known(30, 5),
                known(0.0, 5),
                p50_ms=known(1),
                p99_ms=known(1),
                latency_window=buckets(9, 0, 0, 0, 0, 0, 0, 0),
            ),
            traffic(
                known(10, 4),
                known(0.4, 4),
                p50_ms=known(1),
                p99_ms=known(1),
                latency_window=buckets(0, 0, 0, 0, 0, 0, 9, 0),
            ),
            NO_TRAFFIC,
        ]
    )
    assert seen.rps == known(40, 4)
    assert seen.error_ratio == known(pytest.approx(0.1), 4)
    assert seen.p50_ms == known(0.5)
    assert value_or(seen.p99_ms, 0) > 98
    assert seen.active == NO_SAMPLE


def test_total_of_unknowns_stays_unknown_with_its_reason():
    assert total([]) == NO_TRAFFIC
    assert total([NO_TRAFFIC, NO_TRAFFIC]) == NO_TRAFFIC
    idle = measure([sample(0), sample(2)], window_s=10)
    assert total([idle, idle]).p99_ms == NO_REQUESTS


def test_total_of_errors_without_rate_is_their_mean():
    parts = [ClusterTraffic(rps=known(0), error_ratio=known(ratio)) for ratio in (1.0, 0.5)]
    assert total([traffic(clusters={CART: part}) for part in parts]).clusters[CART].error_ratio == known(0.75)


def test_total_shows_the_worst_view_of_the_members():
    views = [(2, 2), (1, 3), (None, None), (2, 3)]
    parts = [
        traffic(clusters={CART: ClusterTraffic(rps=known(1), error_ratio=known(0), members_healthy=h, members_total=t)})
        for h, t in views
    ]
    seen = total(parts).clusters[CART]
    assert (seen.members_healthy, seen.members_total) == (1, 3)
    assert seen.rps == known(4)


counts = st.integers(0, 2**64 - 2)
histograms = st.lists(st.integers(0, 10**6), min_size=8, max_size=8).map(lambda each: buckets(*each))


@st.composite
def any_samples(draw: st.DrawFn) -> list[ProxySample]:
    """Samples of any history: counters fall, clusters come and go, gauges vanish."""
    at, found = 0.0, []
    for _ in range(draw(st.integers(1, 8))):
        at += draw(st.floats(0.001, 60))
        cluster = st.builds(ClusterSample, requests=counts, errors_5xx=counts)
        found.append(
            sample(
                at,
                draw(counts),
                draw(counts),
                errors_4xx=draw(counts),
                uptime_s=draw(st.none() | st.integers(0, 1000)),
                latency=draw(st.none() | histograms),
                clusters=draw(st.dictionaries(st.sampled_from("abc"), cluster)),
                routes=draw(
                    st.dictionaries(st.just(("v", "r")), st.builds(RouteSample, requests=counts, errors_5xx=counts))
                ),
            )
        )
    return found


def rates(seen: ProxyTraffic) -> list[tuple[Known[float] | Unknown, Known[float] | Unknown]]:
    parts = [seen, *seen.clusters.values(), *seen.routes.values()]
    return [(part.rps, part.error_ratio) for part in parts]


@given(any_samples(), st.floats(0, 120))
def test_no_rate_is_ever_negative_and_no_ratio_leaves_its_bounds(samples, window_s):
    seen = measure(samples, window_s=window_s)
    for each in (seen, total([seen, seen])):
        for rps, ratio in rates(each):
            assert value_or(rps, 0.0) >= 0
            assert 0 <= value_or(ratio, 0.0) <= 1
        if isinstance(each.p50_ms, Known) and isinstance(each.p99_ms, Known):
            assert 0 <= each.p50_ms.value <= each.p99_ms.value
        assert all(0 <= below <= count for (_, below), (_, count) in pairwise(each.latency_window or ()))


@given(any_samples(), any_samples(), st.floats(1, 120))
def test_what_is_kept_measures_like_everything(before, after, window_s):
    """Dropping what is not needed changes no later figure, however often it is done."""
    shift = before[-1].taken_mono
    everything, left = [*before], kept(before, window_s=window_s)
    for each in after:
        newer = replace(each, taken_mono=each.taken_mono + shift)
        everything.append(newer)
        assert measure((*left, newer), window_s=window_s) == measure(everything, window_s=window_s)
        left = kept((*left, newer), window_s=window_s)


@given(any_samples(), any_samples(), st.floats(1, 120))
def test_following_sample_by_sample_is_measuring_everything(before, after, window_s):
    shift = before[-1].taken_mono
    samples = [*before, *(replace(each, taken_mono=each.taken_mono + shift) for each in after)]
    left: tuple[ProxySample, ...] = ()
    for number, newest in enumerate(samples, start=1):
        seen, left = follow(left, newest, window_s=window_s)
        assert seen == measure(samples[:number], window_s=window_s)
        assert left == kept(samples[:number], window_s=window_s)


def test_samples_without_a_latency_leave_the_quantiles_as_they_were():
    first, second = buckets(1000, 0, 0, 0, 0, 0, 0, 0), buckets(1000, 0, 0, 0, 0, 90, 10, 0)
    asked = [sample(0, 1000, latency=first), sample(5, 1100, latency=second)]
    between = [sample(at, 1100 + at, latency=None) for at in (7, 9, 60)]
    seen = measure([*asked, *between], window_s=5)
    assert seen.p99_ms == known(pytest.approx(95.0), 5)
    assert seen.p95_ms == known(pytest.approx(50 + 50 * 5 / 10), 5)


def test_gauges_carry_the_time_they_were_read():
    read_at = START + timedelta(seconds=4)
    seen = measure([sample(0), sample(6, active=3, upgrades=2, gauges_at=read_at)], window_s=10)
    assert (seen.active, seen.upgrades) == (Known(3, read_at), Known(2, read_at))
    assert seen.connections == Unknown("not in the answer")


def test_failures_of_an_upstream_are_rates_of_their_own():
    counted = [
        ClusterSample(requests=count, retries=count // 2, timeouts=count // 5, overflows=count, connect_failures=1)
        for count in (0, 100)
    ]
    seen = measure([sample(10 * n, clusters={CART: each}) for n, each in enumerate(counted)], window_s=60)
    cart = seen.clusters[CART]
    assert [cart.retries_rps, cart.timeouts_rps, cart.overflows_rps, cart.connect_failures_rps] == [
        known(rate, 10) for rate in (5.0, 2.0, 10.0, 0.0)
    ]


def test_a_figure_nobody_looks_at_is_not_made():
    made: list[str] = []
    seen = OnDemand("ab", lambda key: made.append(key) or key.upper())
    assert ("a" in seen, "c" in seen, len(seen), made) == (True, False, 2, [])
    assert (seen["b"], seen["b"], made) == ("B", "B", ["b"])
    with pytest.raises(KeyError):
        seen["c"]


@given(any_samples(), any_samples(), st.floats(1, 120))
def test_what_came_before_a_restart_never_counts(before, after, window_s):
    """A restart at which the uptime went down hides everything older."""
    before = [replace(each, uptime_s=5000) for each in before]
    shift = before[-1].taken_mono
    after = [replace(each, taken_mono=each.taken_mono + shift, uptime_s=n) for n, each in enumerate(after)]
    assert measure([*before, *after], window_s=window_s) == measure(after, window_s=window_s)


@given(st.lists(st.tuples(st.floats(0.5, 5), st.integers(0, 1000)), min_size=2, max_size=10))
def test_rate_times_span_is_what_was_counted(steps):
    ats, sums = accumulate(step for step, _ in steps), accumulate(count for _, count in steps)
    samples = [sample(at, requests) for at, requests in zip(ats, sums, strict=True)]
    span_s = samples[-1].taken_mono - samples[0].taken_mono
    rps = measure(samples, window_s=1000).rps
    assert isinstance(rps, Known)
    assert rps.value * span_s == pytest.approx(samples[-1].requests - samples[0].requests)


@given(histograms, histograms, histograms)
def test_merge_is_associative_and_commutes(a, b, c):
    b = tuple(bucket for bucket in b if bucket[0] != 5.0)
    assert merge([merge([a, b]), c]) == merge([a, merge([b, c])]) == merge([c, a, b])
    assert merge([a, ()]) == a


@given(histograms, st.lists(st.floats(0, 1), min_size=2))
def test_quantile_is_monotone_and_within_the_bounds(histogram, shares):
    values = [quantile(histogram, q) for q in sorted(shares)]
    if histogram[-1][1] == 0:
        assert set(values) == {None}
        return
    found = [value for value in values if value is not None]
    assert len(found) == len(values) or histogram[-2][1] == 0
    assert found == sorted(found)
    assert all(0 <= value <= 100 for value in found)


@given(histograms, st.floats(0, 1))
def test_quantile_lies_in_the_bucket_that_holds_the_share(histogram, q):
    value = quantile(histogram, q)
    if value is None:
        return
    below = max((count for bound, count in histogram if bound < value), default=0)
    # A share just above a bucket's lower bound may round down to that bound.
    upto = min(count for bound, count in histogram if bound > value or bound == math.inf)
    rank = q * histogram[-1][1]
    assert below <= rank
    assert rank <= upto or value == 100.0


@given(any_samples())
def test_the_total_of_one_proxy_is_that_proxy(samples):
    seen = measure(samples, window_s=60)
    alone = total([seen])
    assert value_or(alone.error_ratio, -1.0) == pytest.approx(value_or(seen.error_ratio, -1.0))
    kept = ("rps", "p50_ms", "p99_ms", "active", "latency_window")
    assert [getattr(alone, name) for name in kept] == [getattr(seen, name) for name in kept]
    assert {name: each.rps for name, each in alone.clusters.items()} == {
        name: each.rps for name, each in seen.clusters.items()
    }


def test_quantile_survives_counts_that_floats_round_up():
    count = 2**60 - 1
    assert quantile(((1.0, 1), (2.0, count), (math.inf, count)), 1.0) == 2.0
