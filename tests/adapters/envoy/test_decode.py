from __future__ import annotations

import itertools
import json
import math
from dataclasses import fields as fields_of
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.adapters.envoy.decode import Cost, Gauges, decode_ready, decode_sample, decode_stats, printable
from gwtui.errors import BadPayload
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.quantiles import Histogram
from gwtui.model.samples import ClusterSample, ListenerSample, ProxySample, RouteSample

GOLDEN = Path(__file__).parents[2] / "golden" / "envoy"
BUSY = (GOLDEN / "stats-busy-1.40.in.json").read_bytes()
PROXY = ProxyKey("c", "infra", "gw-7d9f-abcde")
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def read(body: bytes) -> ProxySample:
    """One answer that holds counters, levels and histograms alike."""
    seen, cost = decode_stats(body), Cost(questions=2, size=len(body), took_ms=1.5, admin_ms=0.5, ready_ms=1.0)
    gauges = Gauges(decode_stats(b'{"stats":[]}'), MOMENT)
    return decode_sample(seen, PROXY, gauges=gauges, histograms=seen.histograms, mono=7.0, at=MOMENT, cost=cost)[0]


def stats(values: dict[str, Any]) -> bytes:
    return json.dumps({"stats": [{"name": name, "value": value} for name, value in values.items()]}).encode()


def latency(*bounds_and_counts: tuple[float, int | None]) -> bytes:
    buckets = [{"upper_bound": bound, "interval": None, "cumulative": count} for bound, count in bounds_and_counts]
    histogram = {"name": "http.http.downstream_rq_time", "buckets": buckets}
    return json.dumps({"stats": [{"histograms": [histogram]}]}).encode()


def as_json(sample: ProxySample) -> dict[str, Any]:
    """The sample as the golden files write it: no tuples as keys, infinity as a word."""
    taken = ("taken_mono", "taken_at", "gauges_at", "answer_bytes", "answer_ms", "admin_ms", "ready_ms", "questions")
    fields = {field.name: getattr(sample, field.name) for field in fields_of(sample) if field.name not in taken}
    for name in ("routes", "route_latency"):
        fields[name] = {f"{host} | {prefix}": value for (host, prefix), value in fields[name].items()}
    for name in ("clusters", "routes", "listeners", "services"):
        fields[name] = {key: msgspec.to_builtins(value) for key, value in fields[name].items()}
    for name in ("cluster_latency", "route_latency"):
        fields[name] = {key: written(value) for key, value in fields[name].items()}
    fields["latency"] = written(sample.latency or ())
    return fields


def written(histogram: Histogram) -> list[list[Any]]:
    return [["inf" if math.isinf(bound) else bound, count] for bound, count in histogram]


@pytest.mark.parametrize("name", ["stats-fresh-1.40", "stats-busy-1.40"])
def test_golden(name: str):
    body = (GOLDEN / f"{name}.in.json").read_bytes()
    assert as_json(read(body)) == json.loads((GOLDEN / f"{name}.out.json").read_bytes())


def test_the_sample_knows_when_and_how_it_was_taken():
    sample = read(BUSY)
    assert (sample.taken_mono, sample.taken_at, sample.answer_bytes, sample.answer_ms) == (7.0, MOMENT, len(BUSY), 1.5)


def test_numbers_stay_integers_up_to_64_bits():
    assert read(stats({"http.http.downstream_rq_total": 2**64 - 2})).requests == 18446744073709551614


def test_absent_means_zero_for_what_is_counted_and_unknown_for_what_is_gauged():
    sample = read(b'{"stats":[]}')
    assert (sample.requests, sample.errors_5xx, sample.errors_4xx, sample.active) == (0, 0, 0, 0)
    assert (sample.uptime_s, sample.certificate_days, sample.listeners_active) == (None, None, None)
    assert sample.latency == ()


def test_what_was_not_asked_for_is_unknown():
    cost = Cost(questions=1)
    sample, _ = decode_sample(decode_stats(BUSY), PROXY, gauges=None, histograms=None, mono=1, at=MOMENT, cost=cost)
    assert (sample.latency, sample.gauges_at, sample.cluster_latency) == (None, None, {})
    bare, _ = decode_sample(
        decode_stats(b'{"stats":[]}'), PROXY, gauges=None, histograms=None, mono=1, at=MOMENT, cost=cost
    )
    assert (bare.active, bare.connections, bare.upgrades) == (None, None, None)


def test_texts_and_nulls_of_no_interest_are_passed_over():
    body = stats({"cluster_manager.cds.version_text": "v7", "runtime.load": None, "http.http.downstream_rq_total": 3})
    assert read(body).requests == 3


@pytest.mark.parametrize("value", ["7", None, 1.5, True, [], {}, -1])
def test_a_counter_that_is_no_number_is_refused_not_zero(value: object):
    with pytest.raises(BadPayload) as caught:
        decode_stats(stats({"http.http.downstream_rq_total": value}))
    assert "\n" not in caught.value.line()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Sign in</body></html>",
        b"null",
        b"[]",
        b"{}",
        b'{"stats":{}}',
        b'{"stats":[7]}',
        b'{"stats":[{"name":1,"value":2}]}',
        b'{"stats":[{"histograms":{"supported_quantiles":[0]}}]}',
        b'{"stats":' + b"[" * 100_000,
        b'{"stats":[{"name":"\xff","value":1}]}',
        b'{"stats":[{"name":"http.http.downstream_rq_total","value":1e999}]}',
        b'{"stats":[{"name":"http.http.\\ud800.update_rejected","value":"x"}]}',
        latency((1, 5), (0.5, 6)),
        latency((1, 5), (5, 4)),
        latency((1, -5)),
    ],
    ids=lambda body: body[:30].decode(errors="replace"),
)
def test_rubbish_is_refused_in_one_line(body: bytes):
    with pytest.raises(BadPayload) as caught:
        decode_stats(body)
    assert caught.value.message.startswith("not Envoy's stats: ")
    assert len(caught.value.line().splitlines()) == 1
    assert caught.value.hint


def test_every_truncation_is_refused():
    whole = BUSY.rstrip()
    for end in range(len(whole)):
        with pytest.raises(BadPayload):
            decode_stats(whole[:end])


@given(st.integers(0, len(BUSY) - 1), st.binary(max_size=4))
def test_a_damaged_answer_is_read_or_refused_but_never_crashes(at: int, damage: bytes):
    try:
        sample = read(BUSY[:at] + damage + BUSY[at + len(damage) :])
    except BadPayload:
        return
    assert sample.requests >= 0


def test_the_infinite_bucket_is_added_once():
    assert read(latency((0.5, 1), (1, 3))).latency == ((0.5, 1), (1.0, 3), (math.inf, 3))


def test_a_histogram_that_recorded_nothing_is_empty():
    assert read(latency((0.5, 0), (1, 0))).latency == ()
    assert read(latency((0.5, None), (1, None))).latency == ()


def test_control_traffic_is_no_traffic():
    names = ("xds_cluster", "admin_port_cluster", "gateway_proxy_sds", "gw.infra", "kube_infra_gw_8080", "other.infra")
    sample = read(stats({f"cluster.{name}.upstream_rq_total": 5 for name in names}))
    assert set(sample.clusters) == {"kube_infra_gw_8080", "other.infra"}
    own = {
        "http.prometheus.downstream_rq_total": 9,
        "http.admin.downstream_rq_5xx": 9,
        "http.http.downstream_rq_total": 1,
    }
    assert (read(stats(own)).requests, read(stats(own)).errors_5xx) == (1, 0)


def test_copies_of_status_classes_are_not_counted_twice():
    cluster = "istio-se_shop_se_pay.internal.example.com_443"
    values = {f"cluster.{cluster}.upstream_rq_total": 9, f"cluster.{cluster}.upstream_rq_5xx": 4}
    copies = ("external", "internal", "canary", "retry", "zone.eu-1a.eu-1b")
    values |= {f"cluster.{cluster}.{copy}.upstream_rq_5xx": 4 for copy in copies}
    assert read(stats(values)).clusters == {cluster: ClusterSample(requests=9, errors_5xx=4)}


def test_a_cluster_may_be_called_like_a_copy():
    values = {"cluster.pay.internal.membership_total": 1, "cluster.pay.internal.upstream_rq_5xx": 2}
    assert read(stats(values)).clusters == {"pay.internal": ClusterSample(errors_5xx=2, members_total=1)}


def test_names_are_cut_at_their_ends_whatever_is_between():
    values = {
        "vhost.listener~80~*.route.shop.route.rule-0.upstream_rq_total": 5,
        "vhost.listener~80~*.route.shop.route.rule-0.upstream_rq_5xx": 1,
        "vhost.listener~80~*.vcluster.other.upstream_rq_total": 7,
        "vhost.route.upstream_rq_total": 7,
        "cluster.cluster.a.upstream_rq_total.upstream_rq_total": 3,
        "cluster.upstream_rq_total": 8,
    }
    sample = read(stats(values))
    assert sample.routes == {("listener~80~*", "shop.route.rule-0"): RouteSample(requests=5, errors_5xx=1)}
    assert sample.clusters == {"cluster.a.upstream_rq_total": ClusterSample(requests=3)}


def test_both_names_of_a_tripped_breaker_and_every_open_one_are_added():
    cart = "cluster.kube_shop_cart_8080"
    values = {
        f"{cart}.upstream_rq_total": 9,
        f"{cart}.upstream_rq_pending_overflow": 2,
        f"{cart}.upstream_rq_active_overflow": 3,
        f"{cart}.upstream_cx_overflow": 4,
        f"{cart}.circuit_breakers.default.rq_open": 1,
        f"{cart}.circuit_breakers.default.cx_open": 1,
        f"{cart}.circuit_breakers.default.rq_pending_open": 0,
        f"{cart}.outlier_detection.ejections_active": 1,
        f"{cart}.outlier_detection.ejections_enforced_total": 5,
        f"{cart}.upstream_rq_retry": 6,
        f"{cart}.upstream_rq_timeout": 7,
        f"{cart}.upstream_cx_connect_fail": 8,
    }
    assert read(stats(values)).clusters == {
        "kube_shop_cart_8080": ClusterSample(
            requests=9,
            overflows=9,
            open_breakers=2,
            ejected=1,
            ejections=5,
            retries=6,
            timeouts=7,
            connect_failures=8,
        )
    }


def test_listeners_are_told_apart_by_their_address():
    values = {
        "listener.0.0.0.0_8080.http.http.downstream_rq_completed": 9,
        "listener.0.0.0.0_8080.http.http.downstream_rq_5xx": 1,
        "listener.[__]_8443.http.http.downstream_rq_4xx": 2,
        "listener.0.0.0.0_9091.http.prometheus.downstream_rq_completed": 50,
        "listener.admin.http.admin.downstream_rq_completed": 50,
    }
    assert read(stats(values)).listeners == {
        "0.0.0.0_8080": ListenerSample(answers=9, errors_5xx=1),
        "[__]_8443": ListenerSample(errors_4xx=2),
    }


def test_versions_are_of_what_each_discovery_service_delivered():
    values = {
        "listener_manager.lds.version": 11,
        "cluster_manager.cds.version": 2**64 - 1,
        "http.http.rds.listener~8080.version": 13,
        "cluster.kube_a_b_1.version": 14,
        "server.version": 15,
    }
    assert {name: each.version for name, each in read(stats(values)).services.items()} == {
        "lds": 11,
        "cds": 2**64 - 1,
        "rds.listener~8080": 13,
        "eds.kube_a_b_1": 14,
    }


def test_days_to_the_first_expiry_are_unknown_without_a_certificate():
    days = "server.days_until_first_cert_expiring"
    assert read(stats({days: 4_294_967_295})).certificate_days is None
    assert read(stats({days: 0})).certificate_days == 0


def test_refused_updates_are_summed_over_what_was_refused():
    values = {
        "cluster_manager.cds": 1,
        "listener_manager.lds": 2,
        "http.http.rds.listener~80": 4,
        "cluster.kube_a_b_1": 8,
    }
    assert read(stats({f"{name}.update_rejected": count for name, count in values.items()})).update_rejected == 15


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (200, b"LIVE\n", ProxyState.LIVE),
        (503, b"DRAINING\n", ProxyState.DRAINING),
        (503, b"PRE_INITIALIZING\n", ProxyState.INITIALIZING),
        (503, b"INITIALIZING\n", ProxyState.INITIALIZING),
        (503, b"LIVE\n", None),
        (200, b"DRAINING\n", None),
        (200, b"<html>LIVE</html>", None),
        (503, b"upstream connect error", None),
        (404, b"", None),
        (200, b"\xff" * 5000, None),
    ],
)
def test_ready(status: int, body: bytes, state: ProxyState | None):
    assert decode_ready(status, body) is state


def test_the_gauge_tells_the_state_where_ready_is_not_offered():
    def told(values: dict[str, int]) -> ProxyState:
        return Gauges(decode_stats(stats(values)), MOMENT).state

    seen = [told({"server.state": number}) for number in range(5)]
    live, draining, initializing, unknown = (
        ProxyState.LIVE,
        ProxyState.DRAINING,
        ProxyState.INITIALIZING,
        ProxyState.UNKNOWN,
    )
    assert seen == [live, draining, initializing, initializing, unknown]
    assert told({}) is unknown


def test_foreign_texts_cannot_steer_the_terminal():
    assert printable(b"\x1b[2Ja\r\nb\x07\xff" + b"c" * 500).startswith("[2Ja b ")
    assert len(printable(b"c" * 500)) == 120


NAMES = [
    *(
        f"cluster.kube_a_{number}_80.{ending}"
        for number in range(3)
        for ending in ("upstream_rq_total", "upstream_rq_5xx")
    ),
    "cluster.kube_a_0_80.membership_total",
    "cluster.x.internal.upstream_rq_5xx",
    "cluster.gw.infra.upstream_rq_total",
    "cluster.xds_cluster.upstream_rq_total",
    "http.http.downstream_rq_total",
    "server.uptime",
]
answers = st.lists(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 2)), min_size=1, max_size=6)


@given(answers, answers)
def test_what_is_taken_over_from_the_sample_before_is_what_would_be_read_anew(
    counted: list[dict[str, int]], levels: list[dict[str, int]]
):
    before, gauges = None, None
    for counters, told in zip(counted, itertools.cycle(levels), strict=False):
        gauges = Gauges(decode_stats(stats(told)), MOMENT, gauges)
        seen, cost = decode_stats(stats(counters)), Cost()
        given = {"histograms": None, "mono": 1.0, "at": MOMENT, "cost": cost}
        sample, before = decode_sample(seen, PROXY, gauges=gauges, before=before, **given)
        anew = decode_sample(seen, PROXY, gauges=Gauges(decode_stats(stats(told)), MOMENT), **given)[0]
        assert sample == anew


def test_upstreams_that_rest_are_shared_between_samples():
    resting = {"cluster.kube_a_0_80.upstream_rq_total": 5, "cluster.kube_b_0_80.upstream_rq_total": 7}
    cost, gauges = Cost(), Gauges(decode_stats(b'{"stats":[]}'), MOMENT)
    given = {"gauges": gauges, "histograms": None, "mono": 1.0, "at": MOMENT, "cost": cost}
    first, before = decode_sample(decode_stats(stats({**resting, "http.http.no_route": 1})), PROXY, **given)
    second, before = decode_sample(
        decode_stats(stats({**resting, "http.http.no_route": 2})), PROXY, before=before, **given
    )
    assert second.clusters is first.clusters
    moved = {**resting, "cluster.kube_b_0_80.upstream_rq_total": 8}
    third, _ = decode_sample(decode_stats(stats(moved)), PROXY, before=before, **given)
    assert third.clusters["kube_a_0_80"] is first.clusters["kube_a_0_80"]
    assert third.clusters["kube_b_0_80"].requests == 8
