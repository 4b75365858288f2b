"""Raw samples of a recorded answer, and of made-up ones, into the samples a direct reader makes."""

from __future__ import annotations

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

from golden import check
from gwtui.adapters.prometheus import metrics, queries
from gwtui.adapters.prometheus.decode import Labels, Series, Single, decode_matrix, decode_vector
from gwtui.adapters.prometheus.queries import Naming
from gwtui.adapters.prometheus.samples import Pulse, Scrape, choose_naming, decode_samples, pulses
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.samples import ClusterSample, ProxySample, RouteSample

NAME = "query-kgateway-labels-prometheus-2.42-envoy-1.40"
RECORDED = json.loads((Path(__file__).parents[2] / "golden" / "prometheus" / f"{NAME}.in.json").read_bytes())
KEY = ProxyKey("c", "infra", "gw-7d9f-abcde")
NAMING = Naming("pod", "kube_namespace")
AT = Scrape(KEY, 1_000_500)


def recorded(question: str) -> bytes:
    return json.dumps(RECORDED[question]).encode()


def series(metric: str, *numbers: str, at_s: float = 1000.5, pod: str = KEY.pod, **labels: str) -> Series:
    """One series of our pod, a second between its values."""
    named = {"__name__": metric, "kube_namespace": KEY.namespace, "pod": pod, **labels}
    return Series(msgspec.convert(named, Labels), [(at_s + second, number) for second, number in enumerate(numbers)])


def decoded(*found: Series, scrape: Scrape = AT) -> tuple[ProxyState, ProxySample] | None:
    alive = series("envoy_server_uptime", "5", at_s=scrape.at_ms / 1000)
    return decode_samples([alive, *found], [scrape], NAMING, mono_offset_s=0.0).get(scrape)


def sample(*found: Series) -> ProxySample:
    made = decoded(*found)
    assert made is not None
    return made[1]


def as_json(made: ProxySample) -> dict[str, Any]:
    """The sample as the golden file writes it: no tuples as keys, infinity as a word."""
    fields: dict[str, Any] = {field.name: getattr(made, field.name) for field in fields_of(made)}
    fields["taken_at"] = made.taken_at.isoformat()
    fields["routes"] = {f"{host} | {prefix}": each for (host, prefix), each in made.routes.items()}
    for name in ("clusters", "routes", "listeners", "services"):
        fields[name] = {key: msgspec.to_builtins(each) for key, each in fields[name].items()}
    fields["latency"] = [["inf" if math.isinf(bound) else bound, count] for bound, count in made.latency or ()]
    return fields


def test_golden():
    naming = choose_naming(decode_vector(recorded("survey")), [KEY])
    assert naming == Naming("pod", "kube_namespace", has_gateway=True)
    found = pulses(decode_matrix(recorded("pulse")).series, naming, "c")
    scrapes = [Scrape(KEY, at) for at in found[KEY].at_ms]
    every = [each for name in ("proxies", "clusters", "routes") for each in decode_matrix(recorded(name)).series]
    made = decode_samples(every, scrapes, naming, mono_offset_s=-1_795_000_000.0)
    assert not found[KEY].fails
    check(
        f"prometheus/{NAME}.out.json",
        [{"state": state, **as_json(each)} for state, each in (made[scrape] for scrape in scrapes)],
    )


def test_every_figure_that_is_added_up_is_of_a_sample():
    """A name that was mistyped here would be lost without a word."""
    own = {field.name for field in fields_of(ProxySample)} | {"state"}
    assert {figure for figure in metrics.PROXY.values() if figure} <= own
    assert {figure for figure in metrics.CLUSTER.values() if figure} <= set(ClusterSample.__struct_fields__)


def test_what_was_never_counted_is_zero_and_levels_nobody_told_are_none():
    state, made = decoded() or (None, None)
    assert made is not None
    assert (made.requests, made.errors_5xx, made.active, made.latency) == (0, 0, 0, ())
    assert (made.listeners_active, made.certificate_days) == (None, None)
    assert state is ProxyState.UNKNOWN


@pytest.mark.parametrize(
    ("number", "state"),
    [
        ("0", ProxyState.LIVE),
        ("1", ProxyState.DRAINING),
        ("2", ProxyState.INITIALIZING),
        ("3", ProxyState.INITIALIZING),
        ("9", ProxyState.UNKNOWN),
    ],
)
def test_the_state_is_the_gauge(number: str, state: ProxyState):
    made = decoded(series("envoy_server_state", number))
    assert made is not None
    assert made[0] is state


def test_only_what_was_scraped_together_is_one_sample():
    made = sample(
        series("envoy_http_downstream_rq_total", "100", at_s=1000.499),
        series("envoy_http_downstream_rq_total", "200", "300"),
        series("envoy_http_downstream_rq_total", "400", pod="gw-7d9f-other"),
    )
    assert made.requests == 200
    assert made.taken_at == datetime(1970, 1, 1, 0, 16, 40, 500_000, UTC)


def test_a_scrape_that_is_not_there_as_a_whole_is_no_sample():
    later = Scrape(KEY, 1_001_500)
    assert not decode_samples([series("envoy_http_downstream_rq_total", "1", "2")], [later], NAMING, mono_offset_s=0)


@pytest.mark.parametrize("number", ["NaN", "+Inf", "-1", "1.5", "many", "", "1e999"])
def test_numbers_that_no_envoy_counts_spoil_their_scrape_and_no_other(number: str):
    broken = series("envoy_http_downstream_rq_total", number)
    other = series("envoy_http_downstream_rq_total", "7", pod="gw-7d9f-other")
    alive = [series("envoy_server_uptime", "5", pod=pod) for pod in (KEY.pod, "gw-7d9f-other")]
    neighbour = Scrape(ProxyKey("c", "infra", "gw-7d9f-other"), AT.at_ms)
    made = decode_samples([broken, other, *alive], [AT, neighbour], NAMING, mono_offset_s=0)
    assert made.keys() == {neighbour}


def test_answers_of_a_pair_of_servers_count_once_and_figures_of_several_metrics_are_added():
    cluster = {"envoy_cluster_name": "kube_shop_cart_80"}
    made = sample(
        series("envoy_cluster_upstream_rq_pending_overflow", "2", **cluster, prometheus_replica="a"),
        series("envoy_cluster_upstream_rq_pending_overflow", "2", **cluster, prometheus_replica="b"),
        series("envoy_cluster_upstream_cx_overflow", "3", **cluster),
        series("envoy_cluster_circuit_breakers_default_cx_open", "1", **cluster),
        series("envoy_cluster_circuit_breakers_default_rq_open", "0", **cluster),
        series("envoy_cluster_manager_cds_update_rejected", "1"),
        series("envoy_http_rds_update_rejected", "1", envoy_rds_route_config="a"),
        series("envoy_http_rds_update_rejected", "1", envoy_rds_route_config="b"),
    )
    assert made.clusters["kube_shop_cart_80"] == ClusterSample(overflows=5, open_breakers=1)
    assert made.update_rejected == 3


def test_subscriptions_are_told_apart():
    http = {"envoy_http_conn_manager_prefix": "http"}
    made = sample(
        series("envoy_cluster_manager_cds_update_rejected", "1"),
        series("envoy_cluster_manager_cds_update_success", "2"),
        series("envoy_listener_manager_lds_update_success", "3"),
        series("envoy_http_rds_update_rejected", "4", envoy_rds_route_config="a", **http),
        series("envoy_http_rds_listener_8080_update_success", "5", **http),
        series("envoy_sds_update_rejected", "6", envoy_xds_resource_name="shop"),
        series("envoy_cluster_update_rejected", "7", envoy_cluster_name="kube_shop_cart_80"),
        series("envoy_cluster_b_c_update_rejected", "8", envoy_cluster_name="a"),
        series("envoy_runtime_update_rejected", "9"),
    )
    assert {name: (each.rejected, each.accepted) for name, each in made.services.items()} == {
        "cds": (1, 2),
        "lds": (0, 3),
        "rds.a": (4, 0),
        "rds.listener_8080": (0, 5),
        "sds.shop": (6, 0),
        "eds.kube_shop_cart_80": (7, None),
        "eds.a.b_c": (8, None),
        "runtime": (9, None),
    }


def test_clusters_that_are_no_backends_are_left_out():
    names = ("kube_shop_cart_80", "gw.infra", "gw.elsewhere")
    found = [series("envoy_cluster_upstream_rq_total", "1", envoy_cluster_name=name) for name in names]
    copy = series("envoy_cluster_external_upstream_rq_xx", "5", envoy_cluster_name="kube_shop_cart_80")
    assert sample(*found, copy).clusters.keys() == {"kube_shop_cart_80", "gw.elsewhere"}


@pytest.mark.parametrize(
    ("metric", "label", "prefix"),
    [
        ("envoy_vhost_route_upstream_rq_total", "shop/cart", "shop/cart"),
        ("envoy_vhost_route_httpbin_upstream_rq_total", "default", "default.httpbin"),
        ("envoy_vhost_route_http_bin_upstream_rq_total", "default", None),
        ("envoy_vhost_example_test_80_route_cart_upstream_rq_total", "", None),
    ],
    ids=["whole", "one plain word behind its dot", "dot, dash or line", "a host with dots"],
)
def test_stat_prefixes_are_told_exactly_or_not_at_all(metric: str, label: str, prefix: str | None):
    labels = {"envoy_virtual_host": "listener~80~*", "envoy_route": label}
    wanted = {("listener~80~*", prefix): RouteSample(requests=4)} if prefix else {}
    assert sample(series(metric, "4", **labels)).routes == wanted


def buckets(**counts: str) -> list[Series]:
    return [
        series("envoy_http_downstream_rq_time_bucket", count, le=bound.removeprefix("le"))
        for bound, count in counts.items()
    ]


def test_buckets_in_any_order_are_one_histogram():
    made = sample(*buckets(**{"+Inf": "9", "0.5": "2", "10": "7"}))
    assert made.latency == ((0.5, 2), (10.0, 7), (math.inf, 9))
    assert sample(*buckets(**{"+Inf": "0", "0.5": "0"})).latency == ()


@pytest.mark.parametrize(
    "counts",
    [{"1": "5", "2": "4", "+Inf": "5"}, {"1": "5"}, {"some": "5", "+Inf": "5"}, {"NaN": "1", "+Inf": "5"}],
    ids=["falling", "no infinity", "no number", "not a number"],
)
def test_buckets_that_are_no_histogram_spoil_the_scrape(counts: dict[str, str]):
    assert decoded(*buckets(**counts)) is None


def test_a_proxy_fails_when_everybody_who_scrapes_it_does():
    def up(*numbers: str, job: str) -> Series:
        return series("up", *numbers, job=job)

    found = pulses([up("1", "0", job="a"), up("1", "1", job="b")], NAMING, "c")
    assert found == {KEY: Pulse((), fails=False)}
    found = pulses([up("1", "0", job="a"), series("envoy_server_uptime", "1", "2")], NAMING, "c")
    assert found == {KEY: Pulse((1_000_500, 1_001_500), fails=True)}


def seen(**labels: str) -> Single:
    return Single(msgspec.convert(labels, Labels), (1.0, "1"))


def test_labels_are_those_that_name_our_pods():
    ours = [ProxyKey("c", "infra", "gw-1"), ProxyKey("c", "infra", "gw-2")]
    misleading = {"namespace": "monitoring", "pod": "prometheus-0", "kube_namespace": "infra"}
    found = [seen(**misleading, pod_name=f"gw-{number}") for number in (1, 2)]
    assert choose_naming(found, ours) == Naming("pod_name", "kube_namespace")
    assert choose_naming([seen(namespace="infra", pod="gw-1")], ours) == Naming("pod", "namespace")
    assert choose_naming([seen(pod="gw-1")], ours) is None
    assert choose_naming([], ours) is None


def test_few_proxies_are_asked_for_by_name_and_many_by_namespace():
    few = queries.scope(NAMING, [KEY, ProxyKey("c", "infra", "gw.v2-1")], 'cluster="eu"')
    assert few == 'kube_namespace=~"infra",pod=~"gw-7d9f-abcde|gw[.]v2-1",cluster="eu"'
    fleet = [ProxyKey("c", f"team-{number % 2}", f"gw-7d9f8b6c5d-{number:05d}") for number in range(500)]
    many = queries.scope(Naming("pod", "namespace", has_gateway=True), fleet, "")
    assert many == 'namespace=~"team-0|team-1",gateway_networking_k8s_io_gateway_name!=""'
    assert queries.scope(NAMING, fleet, "").endswith('pod!=""')


@given(st.text(max_size=30))
def test_no_name_gets_out_of_its_matcher(name: str):
    """Names of a fixed inventory are free text: they may not become part of the question."""
    asked = queries.scope(NAMING, [ProxyKey("c", name, name)], "")
    assert asked.count('"') == 4
    assert "\\" not in asked


Labelled = st.fixed_dictionaries(
    {
        "__name__": st.sampled_from(
            [*metrics.PROXY, *metrics.CLUSTER, *metrics.LISTENER, metrics.BUCKET, "envoy_vhost_route_upstream_rq_total"]
        ),
        "pod": st.sampled_from([KEY.pod, "other", ""]),
        "kube_namespace": st.sampled_from(["infra", ""]),
        "envoy_cluster_name": st.sampled_from(["", "a", "b.c"]),
        "envoy_response_code_class": st.sampled_from(["", "4", "5", "9"]),
        "le": st.sampled_from(["", "1", "+Inf", "x"]),
    }
)
Numbers = st.one_of(st.integers(-1, 2**64).map(str), st.floats().map(str), st.text(max_size=5))


@given(st.lists(st.tuples(Labelled, st.lists(Numbers, min_size=1, max_size=3)), max_size=12))
def test_whatever_series_hold_a_sample_is_whole_or_not_there(found: list[tuple[dict[str, str], list[str]]]):
    every = [
        Series(msgspec.convert(labels, Labels), [(1000.5 + second, number) for second, number in enumerate(numbers)])
        for labels, numbers in found
    ]
    for _, made in decode_samples(every, [AT], NAMING, mono_offset_s=0.0).values():
        assert made.uptime_s is not None
        assert min(made.requests, made.errors_5xx, made.active or 0) >= 0
        assert made.latency == () or (made.latency and made.latency[-1][0] == math.inf)
