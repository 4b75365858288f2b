from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import golden
from gwtui.model.health import ProxyState, SourceHealth, SourceState
from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import Build, Certificate, ConfigDigest, ConfigKind, Inspection
from gwtui.model.known import Known, Unknown
from gwtui.model.samples import ProxySample, ServiceSample
from gwtui.model.snapshot import ClusterView, Point, ProxyView, Snapshot, Spent
from gwtui.model.topology import relate
from gwtui.model.traffic import ClusterTraffic, ProxyTraffic
from gwtui.views.document import fleet_document
from gwtui.views.document_table import fleet_table
from objects import decode, load

NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
ANSWERED = NOW - timedelta(seconds=2)
HISTOGRAM = ((1.0, 50), (10.0, 90), (100.0, 100), (float("inf"), 100))
KEYS = {"observed_at", "patterns", "clusters", "gateways", "proxies", "routes", "hops", "cost", "sources"}


def known(value: Any) -> Known[Any]:
    return Known(value, ANSWERED)


def proxy(pod: str, rps: float, clusters: dict[str, float], **changes: Any) -> ProxyView:
    traffic = ProxyTraffic(
        rps=known(rps),
        error_ratio=known(0.01) if rps else Unknown("no requests in the window"),
        p50_ms=known(1.0),
        p99_ms=known(90.0),
        active=known(3),
        clusters={
            name: ClusterTraffic(rps=known(value), error_ratio=known(0.0), members_healthy=1, members_total=1)
            for name, value in clusters.items()
        },
        latency_window=HISTOGRAM,
    )
    sample = ProxySample(
        taken_mono=1.0,
        taken_at=ANSWERED,
        requests=1000,
        errors_5xx=10,
        errors_4xx=0,
        active=3,
        uptime_s=60,
        latency=HISTOGRAM,
        services={"lds": ServiceSample(rejected=1)} if pod == "edge-x2" else {},
    )
    view = ProxyView(
        key=ProxyKey("demo", "infra", pod),
        state=ProxyState.LIVE,
        traffic=traffic,
        way="pod proxy",
        answered_at=ANSWERED,
        samples=(sample,),
        series=(Point(ANSWERED, rps=rps),),
        spent=Spent(9, 13_000, 90.0, 120.0),
        inspection=inspection("1.38.1" if pod == "edge-x1" else "1.38.0"),
    )
    return replace(view, **changes)


def inspection(version: str) -> Inspection:
    digest = ConfigDigest(kind=ConfigKind.ROUTES, name="listener~8080", digest="ab" * 32)
    certificates = tuple(
        Certificate(path="<inline>", serial=str(days), names=("shop",), expires_at=NOW + timedelta(days=days))
        for days in (60, 6)
    )
    return Inspection(
        taken_at=ANSWERED,
        build=known(Build(version=version)),
        certificates=known(certificates),
        config=known((digest,)),
        listeners=Unknown("/listeners is not offered"),
        questions=6,
        cost_ms=30.0,
        cost_bytes=9000,
    )


def snapshot() -> Snapshot:
    objects = load("central-ingress")
    to_a, to_b = "kube_infra_shard-a_8080", "kube_infra_shard-b_8080"
    proxies = (
        proxy("edge-x1", 60.0, {to_a: 50.0, to_b: 10.0}),
        proxy("edge-x2", 40.0, {to_a: 25.0, to_b: 15.0}),
        proxy("shard-a-y1", 75.0, {"kube_foo_cart_8080": 75.0}),
        proxy(
            "shard-b-z1",
            0.0,
            {},
            state=ProxyState.FORBIDDEN,
            reason="pod proxy refused (403)",
            hint="grant get on pods/proxy",
            answered_at=None,
            samples=(),
        ),
    )
    since = NOW - timedelta(seconds=90)
    sources = {
        "api": SourceHealth(state=SourceState.READY, since=since),
        "gateways.gateway.networking.k8s.io": SourceHealth(state=SourceState.READY, since=since),
        "listenersets.gateway.networking.k8s.io": SourceHealth(
            state=SourceState.FORBIDDEN, since=since, detail="403 on listenersets", hint="grant list on listenersets"
        ),
    }
    view = ClusterView(name="demo", objects=objects, sources=sources, topology=relate("demo", objects))
    return Snapshot(revision=1, clusters={"demo": view}, proxies={found.key: found for found in proxies})


@pytest.fixture
def document() -> dict[str, Any]:
    return fleet_document(snapshot(), now=NOW)


def find(rows: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    (found,) = (row for row in rows if all(row[name] == value for name, value in fields.items()))
    return found


def test_recorded_document(document):
    golden.check("document/central-ingress.json", document)


def test_recorded_table(document):
    golden.check("document/central-ingress.txt", fleet_table(document))


def test_our_own_cost_is_told_per_proxy_and_for_all(document):
    edge = find(document["proxies"], name="edge-x1")
    assert edge["cost"] == {"requests": 9, "bytes": 13_000, "proxy_ms": 90.0, "proxy_share": 0.003}
    assert document["cost"]["requests"] == 9 * len([row for row in document["proxies"] if row["cost"]["requests"]])


def test_what_a_proxy_holds_and_in_what_it_differs_from_its_siblings(document):
    one, other = (find(document["proxies"], name=name) for name in ("edge-x1", "edge-x2"))
    assert (one["version"], other["version"]) == ("1.38.1", "1.38.0")
    assert one["differs_in"] == other["differs_in"] == ["version"]
    assert one["config"] == other["config"]
    assert len(one["config"]) == 8
    assert one["certificate_expires_at"] == "2026-08-07T12:00:00.000Z"


def test_nothing_known_is_a_document_too():
    document = fleet_document(Snapshot(), now=NOW)
    assert set(document) == KEYS
    assert all(document[key] == [] for key in KEYS - {"observed_at", "cost"})
    assert fleet_table(document).strip() == ""


def test_the_document_is_plain_json_and_says_when(document):
    assert set(document) == KEYS
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["observed_at"] == "2026-08-01T12:00:00.000Z"


def test_every_null_figure_has_its_reason(document):
    figures = {"rps", "error_ratio", "p50_ms", "p99_ms", "active_requests", "update_rejected", "observed_share"}

    def check(value: Any) -> None:
        if isinstance(value, dict):
            unknown = value.get("unknown", {})
            assert {key for key in figures & value.keys() if value[key] is None} == unknown.keys() & figures
            assert all(unknown.values())
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            check(inner)

    check(document)


def test_a_gateway_is_the_sum_of_its_proxies(document):
    edge = find(document["gateways"], name="edge")
    assert (edge["rps"], edge["answering"], edge["proxies"]) == (100.0, 2, ["edge-x1", "edge-x2"])
    assert edge["error_ratio"] == pytest.approx(0.01)
    assert (edge["tier"], edge["class"], edge["controller"]) == (1, "kgateway", "kgateway.dev/kgateway")
    assert edge["hostnames"] == ["feed.example.com", "shop.example.com"]


def test_a_gateway_nobody_answers_for_has_no_figures(document):
    shard = find(document["gateways"], name="shard-b")
    assert (shard["answering"], shard["rps"]) == (0, None)
    assert shard["unknown"]["rps"] == "none of its proxies answers"


def test_a_silent_proxy_says_why(document):
    silent = find(document["proxies"], name="shard-b-z1")
    assert (silent["state"], silent["gateway"], silent["observed_at"]) == ("forbidden", "infra/shard-b", None)
    assert silent["unknown"]["rps"] == "pod proxy refused (403)"
    assert find(document["proxies"], name="edge-x2")["update_rejected"] == 1


def test_figures_that_are_too_old_are_not_told_as_if_they_were_true():
    later = fleet_document(snapshot(), now=NOW + timedelta(minutes=5))
    row = find(later["proxies"], name="edge-x1")
    assert (row["rps"], row["state"]) == (None, "live")
    assert row["unknown"]["rps"] == "last answer 5 min ago"
    assert row["observed_at"] == "2026-08-01T11:59:58.000Z"


def test_hops_carry_what_was_intended_and_what_was_seen(document):
    hop = find(document["hops"], **{"from": "infra/edge", "to": "infra/shard-a", "rule": "D1"})
    assert (hop["to_kind"], hop["rps"], hop["observed_share"]) == ("gateway", 75.0, 0.75)
    (branch,) = hop["routes"]
    assert (branch["route"], branch["rule"], branch["weight"], branch["intended_share"]) == (
        "infra/edge-shop",
        0,
        90,
        0.9,
    )
    assert branch["observed_share"] is None
    assert branch["unknown"]["observed_share"].startswith("not exposed: set statPrefix by a TrafficPolicy on")
    workload = find(document["hops"], **{"from": "infra/shard-a", "to": "foo/cart"})
    assert (workload["to_kind"], workload["observed_share"]) == ("service", 1.0)


def test_routes_list_every_rule_and_backend(document):
    route = find(document["routes"], name="edge-shop")
    assert (route["kind"], route["accepted"], route["hostnames"]) == ("HTTPRoute", True, ["shop.example.com"])
    assert route["parents"] == [
        {"kind": "Gateway", "namespace": "infra", "name": "edge", "listener": "", "accepted": True}
    ]
    ((first, second),) = (rule["backends"] for rule in route["rules"])
    assert (first["name"], first["namespace"], first["port"], first["intended_share"]) == (
        "shard-a",
        "infra",
        8080,
        0.9,
    )
    assert (second["name"], second["weight"], second["intended_share"]) == ("shard-b", 10, 0.1)
    cart = find(document["routes"], name="cart")
    assert cart["rules"][0]["backends"][0]["observed_share"] == 1.0


def test_a_route_nobody_judged_is_neither_accepted_nor_refused():
    manifest = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "r", "namespace": "a"},
        "spec": {"parentRefs": [{"name": "edge"}]},
    }
    objects = decode([manifest])
    view = ClusterView(name="demo", objects=objects, topology=relate("demo", objects))
    (route,) = fleet_document(Snapshot(clusters={"demo": view}), now=NOW)["routes"]
    assert route["accepted"] is None
    assert route["unknown"] == {"accepted": "no controller has judged it yet"}


def test_sources_tell_how_we_know(document):
    source = find(document["sources"], source="listenersets.gateway.networking.k8s.io")
    assert (source["state"], source["age_s"], source["hint"]) == ("forbidden", 90.0, "grant list on listenersets")
    assert find(document["clusters"], name="demo")["state"] == "ready"


def test_patterns_come_with_their_evidence(document):
    assert find(document["patterns"], id="sharded-central-ingress")["evidence"] == [
        "infra/edge routes to infra/shard-a, infra/shard-b"
    ]
