"""Prometheus text of Envoy: the same numbers under the same names as its JSON."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.adapters.direct.access import DirectAccess
from gwtui.adapters.envoy.decode import Stats, decode_stats
from gwtui.adapters.envoy.decode_text import decode_text
from gwtui.adapters.envoy.paths import COUNTERS, DETAIL, GAUGES, in_text
from gwtui.adapters.envoy.stat_names import Owner, Place
from gwtui.engine.clock import SystemClock
from gwtui.errors import BadPayload
from gwtui.model.ids import ProxyKey

KEY = ProxyKey("c", "infra", "gw-1")
TEXT = b"""# TYPE envoy_cluster_upstream_rq_xx counter
envoy_cluster_upstream_rq_xx{envoy_response_code_class="5",envoy_cluster_name="kube_shop_cart_8080"} 5
envoy_cluster_external_upstream_rq_xx{envoy_response_code_class="5",envoy_cluster_name="kube_shop_cart_8080"} 5
envoy_cluster_internal_example_com_443_membership_healthy{envoy_cluster_name="istio-se_shop_se_pay"} 1
envoy_cluster_circuit_breakers_default_rq_open{envoy_cluster_name="kube_shop_cart_8080"} 1
envoy_cluster_outlier_detection_ejections_enforced_total{envoy_cluster_name="kube_shop_cart_8080"} 2
envoy_vhost_route_upstream_rq_total{envoy_virtual_host="listener~8080~*",envoy_route="shop/pay"} 9
envoy_vhost_route_pay_rule_0_upstream_rq_total{envoy_virtual_host="listener~8080~*",envoy_route="shop"} 9
envoy_http_rds_update_rejected{envoy_rds_route_config="listener~8080",envoy_http_conn_manager_prefix="http"} 3
envoy_http_rds_version{envoy_rds_route_config="listener~8080",envoy_http_conn_manager_prefix="http"} 1844674407370955161
envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="prometheus"} 77
envoy_listener_http_downstream_rq_completed{envoy_http_conn_manager_prefix="http",envoy_listener_address="[__]_80"} 4
envoy_listener_manager_lds_version{} 12
envoy_server_state{} 0
envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix="http",le="0.5"} 1
envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix="http",le="+Inf"} 3
envoy_http_downstream_rq_time_sum{envoy_http_conn_manager_prefix="http"} 7.5
envoy_http_downstream_rq_time_count{envoy_http_conn_manager_prefix="http"} 3
"""

DESCENDING = (
    b'envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix="http",le="5"} 3\n'
    b'envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix="http",le="1"} 3\n'
)


def test_names_are_those_of_the_json_and_what_is_torn_apart_is_left_out():
    seen = decode_text(TEXT)
    assert numbers(seen) == {
        Place(Owner.CLUSTER, "kube_shop_cart_8080", "errors_5xx"): 5,
        Place(Owner.CLUSTER, "kube_shop_cart_8080", "open_breakers"): 1,
        Place(Owner.CLUSTER, "kube_shop_cart_8080", "ejections"): 2,
        Place(Owner.ROUTE, "listener~8080~*", "requests", "shop/pay"): 9,
        Place(Owner.SERVICE, "rds.listener~8080", "rejected"): 3,
        Place(Owner.SERVICE, "rds.listener~8080", "version"): 1844674407370955161,
        Place(Owner.LISTENER, "[__]_80", "answers"): 4,
        Place(Owner.SERVICE, "lds", "version"): 12,
        Place(Owner.PROXY, "", "state"): 0,
    }
    assert seen.histograms == {"http.http.downstream_rq_time": ((0.5, 1), (float("inf"), 3))}


def test_subscriptions_are_told_apart_by_what_the_text_left_of_their_names():
    seen = decode_text(b"""envoy_http_rds_listener_8080_update_rejected{envoy_http_conn_manager_prefix="http"} 1
envoy_http_rds_listener_8443_update_success{envoy_http_conn_manager_prefix="http"} 2
envoy_http_rds_listener_8080_version{envoy_http_conn_manager_prefix="http"} 3
envoy_listener_manager_lds_update_success{} 4
envoy_cluster_manager_cds_update_rejected{} 5
envoy_sds_update_rejected{envoy_xds_resource_name="shop"} 6
envoy_cluster_update_rejected{envoy_cluster_name="kube_shop_cart_8080"} 7
envoy_cluster_b_c_update_rejected{envoy_cluster_name="a"} 8
envoy_runtime_update_rejected{} 9
envoy_server_version{} 10
envoy_cluster_update_rejected_of_no_use{envoy_cluster_name="a"} 11
""")
    assert {(place.name, place.figure): count for place, count in numbers(seen).items()} == {
        ("rds.listener_8080", "rejected"): 1,
        ("rds.listener_8443", "accepted"): 2,
        ("rds.listener_8080", "version"): 3,
        ("lds", "accepted"): 4,
        ("cds", "rejected"): 5,
        ("sds.shop", "rejected"): 6,
        ("eds.kube_shop_cart_8080", "rejected"): 7,
        ("eds.a.b_c", "rejected"): 8,
        ("runtime", "rejected"): 9,
    }


@pytest.mark.parametrize("value", ["3", "12345"])
def test_a_line_that_comes_again_is_read_as_the_first_time_and_another_number_is_seen(value: str):
    line = 'envoy_cluster_membership_total{envoy_cluster_name="kube_shop_again_80"} '
    place = Place(Owner.CLUSTER, "kube_shop_again_80", "members_total")
    for told in (value, value, "4", value):
        assert numbers(decode_text(f"{line}{told}\n".encode())) == {place: int(told)}


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Sign in</html>\n",
        TEXT[:-1],
        b'{"stats":[]}\n',
        b"go_goroutines 12\n",
        b"envoy_server_state{} 0.5\n",
        b"envoy_server_state{} -1\n",
        b"envoy_server_state{} \n",
        b'envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix="http",le="x"} 1\n',
        DESCENDING,
    ],
    ids=lambda body: body[:30].decode(),
)
def test_rubbish_is_refused_in_one_line(body: bytes):
    with pytest.raises(BadPayload) as caught:
        decode_text(body)
    assert len(caught.value.line().splitlines()) == 1


def test_nothing_used_yet_is_nothing_counted():
    assert numbers(decode_text(b"")) == {}


@given(st.binary(max_size=200) | st.integers(0, len(TEXT)).map(lambda at: TEXT[:at] + b"\xff{ \n" + TEXT[at:]))
def test_whatever_comes_is_read_or_refused(body: bytes):
    try:
        seen = decode_text(body)
    except BadPayload:
        return
    assert all(count >= 0 for count in numbers(seen).values())


@pytest.mark.parametrize("path", [COUNTERS, GAUGES, DETAIL], ids=["counters", "gauges", "latency"])
async def test_a_real_envoy_tells_the_same_in_both_forms(start_envoy: Any, drive: Any, path: str):
    envoy = await start_envoy()
    await drive(envoy.data, "/", count=20)
    await drive(envoy.data, "/pay/fail", count=6)
    access = DirectAccess(
        "stats", lambda _key, port: f"http://127.0.0.1:{port}", reaches_loopback=False, clock=SystemClock()
    )
    bodies = [
        (await access.get(KEY, envoy.stats, form, deadline_s=5, max_bytes=1_000_000)).body
        for form in (path, in_text(path))
    ]
    await access.close()
    as_json, as_text = decode_stats(bodies[0]), decode_text(bodies[1])
    told, again = (
        {place: count for place, count in numbers(each).items() if not is_torn(place)} for each in (as_json, as_text)
    )
    assert again == told
    assert len(told) == len(numbers(as_text))
    assert as_text.histograms.keys() <= as_json.histograms.keys()


def numbers(seen: Stats) -> dict[Place, int]:
    return dict([*zip(seen.numbers.places, seen.numbers.values, strict=True), *seen.numbers.others])


def is_torn(place: Place) -> bool:
    """Whether a name holds a dot where Prometheus has none: a dotted cluster, a dotted stat prefix, a copy."""
    return "." in place.route or (place.owner is Owner.CLUSTER and "." in place.name)
