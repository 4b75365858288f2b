from __future__ import annotations

import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.adapters.envoy.decode import decode_ready, decode_sample, decode_state, decode_stats, printable
from gwtui.errors import BadPayload
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.traffic import ClusterSample, ProxySample, RouteSample

GOLDEN = Path(__file__).parents[2] / "golden" / "envoy"
BUSY = (GOLDEN / "stats-busy-1.40.in.json").read_bytes()
PROXY = ProxyKey("c", "infra", "gw-7d9f-abcde")
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def read(body: bytes) -> ProxySample:
    return decode_sample(decode_stats(body), PROXY, mono=7.0, at=MOMENT, size=len(body), took_ms=1.5)


def stats(values: dict[str, Any]) -> bytes:
    return json.dumps({"stats": [{"name": name, "value": value} for name, value in values.items()]}).encode()


def latency(*bounds_and_counts: tuple[float, int | None]) -> bytes:
    buckets = [{"upper_bound": bound, "interval": None, "cumulative": count} for bound, count in bounds_and_counts]
    histogram = {"name": "http.http.downstream_rq_time", "buckets": buckets}
    return json.dumps({"stats": [{"histograms": [histogram]}]}).encode()


def as_json(sample: ProxySample) -> dict[str, Any]:
    """The sample as the golden files write it: no tuples as keys, infinity as a word."""
    fields = asdict(sample)
    del fields["taken_mono"], fields["taken_at"], fields["answer_bytes"], fields["answer_ms"]
    fields["routes"] = {f"{host} | {prefix}": route for (host, prefix), route in fields["routes"].items()}
    if sample.latency is not None:
        fields["latency"] = [["inf" if math.isinf(bound) else bound, count] for bound, count in sample.latency]
    return fields


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
    assert (sample.uptime_s, sample.latency, sample.listeners_active) == (None, None, None)


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


def test_a_histogram_that_recorded_nothing_is_none():
    assert read(latency((0.5, 0), (1, 0))).latency is None
    assert read(latency((0.5, None), (1, None))).latency is None


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
    seen = [decode_state(decode_stats(stats({"server.state": number}))) for number in range(5)]
    live, draining, initializing, unknown = (
        ProxyState.LIVE,
        ProxyState.DRAINING,
        ProxyState.INITIALIZING,
        ProxyState.UNKNOWN,
    )
    assert seen == [live, draining, initializing, initializing, unknown]
    assert decode_state(decode_stats(b'{"stats":[]}')) is unknown


def test_foreign_texts_cannot_steer_the_terminal():
    assert printable(b"\x1b[2Ja\r\nb\x07\xff" + b"c" * 500).startswith("[2Ja b ")
    assert len(printable(b"c" * 500)) == 120
