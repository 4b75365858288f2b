"""Recorded pages into the model, and anything at all into a value or `BadPayload`."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden import check
from gwtui.adapters.envoy.decode_build import decode_build, decode_listeners
from gwtui.adapters.envoy.decode_certificates import decode_certificates
from gwtui.adapters.envoy.decode_clusters import decode_upstreams
from gwtui.adapters.envoy.decode_config import DELIVERY, FIELDS, decode_digests, decode_resources
from gwtui.adapters.envoy.decode_statistics import decode_statistics
from gwtui.errors import BadPayload
from gwtui.model.inspection import ConfigDigest, ConfigKind, Endpoint

GOLDEN = Path(__file__).parents[2] / "golden" / "envoy"

DECODERS: dict[str, Callable[[bytes], object]] = {
    "server-info": decode_build,
    "listeners": decode_listeners,
    "certs": decode_certificates,
    "clusters": decode_upstreams,
    "stats-raw": decode_statistics,
} | {
    f"config-{field.replace('_', '-')}": partial(decode_resources, kind=kind, field=field)
    for kind, fields in FIELDS.items()
    for field in fields
    if field != "static_listeners"
}
RECORDED = {name: (GOLDEN / f"{name}-1.40.in.json").read_bytes() for name in DECODERS}
EVERY = {**DECODERS} | {f"digests of {kind.value}": partial(decode_digests, kind=kind) for kind in ConfigKind}


def failure_of(decode: Callable[[bytes], object], body: bytes) -> BadPayload | None:
    """The one failure a decoder may have; any other is raised here."""
    try:
        decode(body)
    except BadPayload as failure:
        return failure
    return None


@pytest.mark.parametrize("name", DECODERS)
def test_recorded_pages(name: str):
    check(f"envoy/{name}-1.40.out.json", msgspec.to_builtins(DECODERS[name](RECORDED[name])))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


FINITE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def words(recorded: bytes) -> list[str]:
    found: set[str] = set()

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            found.update(value)
            for each in value.values():
                collect(each)
        elif isinstance(value, list):
            for each in value:
                collect(each)

    collect(json.loads(recorded))
    return sorted(found)


WORDS = sorted({word for recorded in RECORDED.values() for word in words(recorded)})
SHAPED = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["LIVE", "HEALTHY", "7", "1s"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("name", EVERY)
@given(body=st.binary() | (JSON | SHAPED).map(lambda value: json.dumps(value).encode()))
def test_anything_is_a_value_or_a_bad_payload(name: str, body: bytes):
    failure = failure_of(EVERY[name], body)
    assert failure is None or (failure.line().isprintable() and failure.hint)


@st.composite
def damaged(draw: st.DrawFn, name: str) -> bytes:
    """A recorded page with one value, anywhere, replaced by anything."""
    page = json.loads(RECORDED[name])
    at, key = page, draw(st.sampled_from(sorted(page)))
    while isinstance(at[key], (dict, list)) and at[key] and draw(st.integers(0, 9)):
        at = at[key]
        key = draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
    at[key] = draw(JSON)
    return json.dumps(page).encode()


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.data())
def test_damaged_pages_are_a_value_or_a_bad_payload(name: str, data: st.DataObject):
    body = data.draw(damaged(name))
    cut = data.draw(st.integers(0, len(body)))
    for each in (body, body[:cut]):
        failure = failure_of(DECODERS[name], each)
        assert failure is None or failure.line().isprintable()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 100_000,
        b'{"configs":[' + b'{"cluster":' * 900 + b"{}" + b"}" * 900 + b"]}",
        b'{"configs":[{"route_config":{"name":"\\ud800"}}]}',
        b'{"configs":[{"secret":{"name":7}}]}',
        b'{"certificates":[{"cert_chain":[{"valid_from":"0001-01-01T00:00:00+14:00"}]}]}',
        b'{"cluster_statuses":[{"name":"a","host_statuses":[{"stats":[{"name":"rq_total","value":"-1"}]}]}]}',
        b'{"stats":[{"name":"a","value":-1}]}',
        b"\xff\xfe",
    ],
    ids=["empty", "deep", "deep body", "surrogate", "no text", "before time", "below zero", "negative", "no utf-8"],
)
def test_oddities(name: str, body: bytes):
    failure = failure_of(EVERY[name], body)
    assert failure is None or failure.message.startswith("not what /")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("certs", b'{"certificates":[{"cert_chain":[{"valid_from":"0001-01-01T00:00:00+14:00"}]}]}'),
        ("certs", b'{"certificates":[{"cert_chain":[{"valid_from":"2026-01-01T00:00:00"}]}]}'),
        ("clusters", b'{"cluster_statuses":[{"name":"a","host_statuses":[{"stats":[{"name":"n","value":"-1"}]}]}]}'),
        ("clusters", b'{"cluster_statuses":[{"host_statuses":[]}]}'),
        ("stats-raw", b'{"stats":[{"name":"a","value":-1}]}'),
        ("stats-raw", b"{}"),
        ("server-info", b"{}"),
        ("config-static-clusters", b'{"configs":[{"cluster":{"name":7}}]}'),
    ],
)
def test_what_envoy_never_writes_is_refused(name: str, body: bytes):
    with pytest.raises(BadPayload):
        DECODERS[name](body)


def test_pages_of_a_proxy_that_holds_nothing():
    assert decode_certificates(b"{}") == decode_certificates(b'{"certificates":[]}') == ()
    assert decode_upstreams(b"{}") == ()
    assert decode_listeners(b"{}") == ()
    assert decode_digests(b"{}\n", ConfigKind.LISTENER) == ()
    assert decode_resources(b"{}", ConfigKind.ROUTES, "static_route_configs") == ()


def endpoint(**host: Any) -> Endpoint:
    body = json.dumps({"cluster_statuses": [{"name": "c", "host_statuses": [host]}]}).encode()
    return decode_upstreams(body)[0].endpoints[0]


@pytest.mark.parametrize(
    ("health", "troubles"),
    [
        ({}, ()),
        ({"eds_health_status": "HEALTHY"}, ()),
        ({"eds_health_status": "UNKNOWN"}, ()),
        ({"eds_health_status": "DRAINING"}, ("eds_draining",)),
        ({"eds_health_status": "UNHEALTHY"}, ("eds_unhealthy",)),
        ({"eds_health_status": "TIMEOUT"}, ("eds_timeout",)),
        ({"eds_health_status": "DEGRADED"}, ("eds_degraded",)),
        ({"failed_active_health_check": False, "eds_health_status": "HEALTHY"}, ()),
        (
            {"failed_outlier_check": True, "eds_health_status": "HEALTHY", "failed_active_health_check": True},
            ("failed_active_health_check", "failed_outlier_check"),
        ),
        ({"of_tomorrow": True, "eds_health_status": "DRAINING"}, ("of_tomorrow", "eds_draining")),
    ],
)
def test_healthy_means_that_no_other_key_is_there(health: dict[str, Any], troubles: tuple[str, ...]):
    assert endpoint(health_status=health).troubles == troubles


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ({"socket_address": {"address": "10.0.0.7", "port_value": 8080}}, "10.0.0.7:8080"),
        ({"socket_address": {"address": "fd00::7", "port_value": 8080}}, "[fd00::7]:8080"),
        ({"pipe": {"path": "/run/a.sock"}}, "/run/a.sock"),
        ({"envoy_internal_address": {"server_listener_name": "inner"}}, "envoy://inner"),
        ({"envoy_internal_address": {"server_listener_name": "inner", "endpoint_id": "1"}}, "envoy://inner/1"),
        ({}, ""),
    ],
)
def test_addresses(address: dict[str, Any], text: str):
    assert endpoint(address=address).address == text


def test_numbers_are_texts_of_64_bits_and_absent_is_zero():
    stats = [
        {"name": "rq_total", "value": "18446744073709551615"},
        {"name": "rq_error"},
        {"type": "GAUGE", "name": "x"},
    ]
    seen = endpoint(stats=stats)
    assert (seen.requests, seen.errors, seen.weight, seen.priority) == (2**64 - 1, 0, 1, 0)


def test_names_stay_exact_and_words_become_one_line():
    name = "a\u202eb\n\x1b[31m"
    dump = {"configs": [{"name": name, "error_state": {"details": "no\x1b[2J\nfilter \u202e chains"}}]}
    (seen,) = decode_digests(json.dumps(dump).encode(), ConfigKind.LISTENER)
    assert (seen.name, seen.error, seen.digest) == (name, "no [2J filter chains", "")
    stats = {"stats": [{"name": name, "value": "v\x1b1\n"}]}
    (statistic,) = decode_statistics(json.dumps(stats).encode())
    assert (statistic.name, statistic.value) == (name, "v 1")


def test_versions_of_other_shapes_are_kept_as_they_are():
    assert decode_build(b'{"version":"of today","state":"LIVE"}').version == "of today"
    seen = decode_build(b'{"version":"a/1.38.1/Modified/DEBUG/BoringSSL-FIPS","state":"LIVE"}')
    assert (seen.revision, seen.version, seen.flavour) == ("a", "1.38.1", "Modified/DEBUG/BoringSSL-FIPS")
    assert (seen.uptime_s, seen.concurrency, seen.flags) == (None, None, {})


@pytest.mark.parametrize(
    ("options", "levels"),
    [
        ('{"log_level":"info","component_log_level":""}', ("info", {})),
        (
            '{"log_level":"warning","component_log_level":"upstream:debug,connection:warn"}',
            ("warning", {"upstream": "debug", "connection": "warning"}),
        ),
        ('{"component_log_level":"upstream,:info,a:b:c,http:loud,x:off"}', ("", {"x": "off"})),
        ('{"log_level":7,"component_log_level":[]}', ("", {})),
        ("{}", ("", {})),
    ],
)
def test_log_levels_at_start(options: str, levels: tuple[str, dict[str, str]]):
    body = f'{{"version":"1","state":"LIVE","command_line_options":{options}}}'
    seen = decode_build(body.encode())
    assert (seen.log_level, seen.component_log_levels) == levels


def test_histograms_in_words():
    quantiles = {"supported_quantiles": [0, 50, 90, 99, 100], "computed_quantiles": []}
    values = [{"cumulative": number, "interval": None} for number in (1, 3.05, 12, 40.26, 1234.5)]
    names = ["http.http.downstream_rq_time", "a.length_ms", "dispatcher.poll_delay_us", "a.body_size", "a.b"]
    quantiles["computed_quantiles"] = [{"name": name, "values": values} for name in names]
    quantiles["computed_quantiles"] += [{"name": "c.never_ms", "values": [{"cumulative": None}] * 5}]
    found = decode_statistics(json.dumps({"stats": [{"histograms": quantiles}]}).encode())
    assert {each.name: each.detail for each in found} == {
        "http.http.downstream_rq_time": "p50 3.05 ms · p90 12 ms · p99 40.3 ms · max 1234 ms",
        "a.length_ms": "p50 3.05 ms · p90 12 ms · p99 40.3 ms · max 1234 ms",
        "dispatcher.poll_delay_us": "p50 3.05 µs · p90 12 µs · p99 40.3 µs · max 1234 µs",
        "a.body_size": "p50 3.05 B · p90 12 B · p99 40.3 B · max 1234 B",
        "a.b": "p50 3.05 · p90 12 · p99 40.3 · max 1234",
        "c.never_ms": "nothing recorded",
    }
    assert {each.value for each in found} == {None}


def digest_of(kind: ConfigKind, body: dict[str, Any]) -> str:
    key = {ConfigKind.LISTENER: "listener", ConfigKind.ROUTES: "route_config", ConfigKind.CLUSTER: "cluster"}[kind]
    entry = {"active_state": {key: body}} if kind is ConfigKind.LISTENER else {key: body}
    (seen,) = decode_digests(json.dumps({"configs": [entry]}).encode(), kind)
    return seen.digest


def test_a_listener_may_bind_elsewhere_and_say_the_same():
    def listener(**body: Any) -> str:
        return digest_of(ConfigKind.LISTENER, {"name": "l", **body})

    here = listener(address={"pipe": {"path": "/a"}}, additional_addresses=[{}])
    assert here == listener(address={"pipe": {"path": "/b"}})
    assert here != listener(address={"pipe": {"path": "/a"}}, stat_prefix="x")
    assert listener(filters=[{"address": "10.0.0.1"}]) != listener(filters=[{}])
    assert digest_of(ConfigKind.CLUSTER, {"address": 1}) != digest_of(ConfigKind.CLUSTER, {"address": 2})


@given(
    member=st.sampled_from(sorted(DELIVERY)),
    sources=st.tuples(FINITE, FINITE),
    path=st.lists(st.text(), max_size=4),
    kind=st.sampled_from([ConfigKind.LISTENER, ConfigKind.ROUTES, ConfigKind.CLUSTER]),
)
def test_where_it_is_delivered_from_does_not_count_anywhere(
    member: str, sources: tuple[Any, Any], path: list[str], kind: ConfigKind
):
    def said(**inner: Any) -> str:
        body: Any = inner
        for key in path:
            body = [{key: body}]
        return digest_of(kind, {"name": "a", "at": body})

    assert said(**{member: sources[0]}, kept=1) == said(**{member: sources[1]}, kept=1) == said(kept=1)
    assert said(kept=1) != said(kept=2) or DELIVERY.intersection(path)


@given(body=st.dictionaries(st.text().filter(lambda key: key not in {"name", "said"}), FINITE, max_size=5))
def test_digests_do_not_depend_on_the_order_and_do_on_the_content(body: dict[str, Any]):
    there = dict(reversed(body.items()))
    assert digest_of(ConfigKind.ROUTES, {"said": 1, **body}) == digest_of(ConfigKind.ROUTES, {**there, "said": 1})
    assert digest_of(ConfigKind.ROUTES, {"said": 1, **body}) != digest_of(ConfigKind.ROUTES, {**there, "said": 2})


def test_a_credential_that_nobody_sees_counts_in_the_digest():
    def routes(value: str) -> bytes:
        added = [{"header": {"key": "authorization", "value": value}}]
        return json.dumps({"configs": [{"route_config": {"name": "r", "request_headers_to_add": added}}]}).encode()

    one, other = (decode_resources(routes(value), ConfigKind.ROUTES, "dynamic_route_configs")[0] for value in "ab")
    assert one.body == other.body
    assert one.digest.digest != other.digest.digest
    assert decode_digests(routes("a"), ConfigKind.ROUTES) == (one.digest,)


def test_draining_listeners_are_no_configuration():
    gone = {"name": "gone", "draining_state": {"listener": {"name": "gone"}}}
    assert decode_digests(json.dumps({"configs": [gone]}).encode(), ConfigKind.LISTENER) == ()


def test_a_newer_version_that_warms_does_not_hide_the_one_in_force():
    states = {
        "active_state": {"version_info": "1", "listener": {}},
        "warming_state": {"version_info": "2", "listener": {}},
    }
    seen = decode_digests(json.dumps({"configs": [{"name": "l", **states}]}).encode(), ConfigKind.LISTENER)
    assert [(each.version, each.is_warming) for each in seen] == [("1", False), ("2", True)]


def test_an_update_nobody_can_name_is_still_told():
    dump = b'{"configs":[{"error_state":{"details":"because"}}]}'
    assert decode_digests(dump, ConfigKind.LISTENER) == (
        ConfigDigest(kind=ConfigKind.LISTENER, name="", digest="", error="because"),
    )
