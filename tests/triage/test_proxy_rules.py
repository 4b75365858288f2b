"""What is wrong with proxies: silent ones, those that refuse or differ, their certificates."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gwtui.model.gateway_api import GATEWAY_API
from gwtui.model.inspection import Build, Certificate, ConfigDigest, ConfigKind, Inspection
from gwtui.model.known import Known
from gwtui.model.snapshot import Snapshot
from tests.triage.lab import EDGE, NOW, Fleet, Json, central, changed, of, report, rules, with_cluster, wrong

TLS = {"mode": "Terminate", "certificateRefs": [{"name": "shop-tls"}]}


def inspection(
    *, days: float = 60, names: tuple[str, ...] = ("*.example.com",), routes: str = "a", version: str = "1.38.1"
):
    certificate = Certificate(
        path="<inline>", serial=f"0{int(days)}", names=names, expires_at=NOW + timedelta(days=days, hours=1)
    )
    digest = ConfigDigest(kind=ConfigKind.ROUTES, name="listener~8080", digest=routes)
    return Inspection(
        taken_at=NOW,
        build=Known(Build(version=version), NOW),
        certificates=Known((certificate,), NOW),
        config=Known((digest,), NOW),
        listeners=Known((), NOW),
    )


def test_a_proxy_that_does_not_answer_beside_one_that_does() -> None:
    found = of(report(Fleet(silent=["edge-x1"])), "proxy-silent")
    assert found.severity == "warning"
    assert found.sentence == (
        "tier 1 infra/edge: proxy edge-x1 does not answer: connection refused (1/2 proxies answer)"
    )
    assert found.since == NOW - timedelta(seconds=8)
    assert any(each.is_unknown and each.truth == "loaded" for each in found.evidence)


@pytest.mark.parametrize(
    "meta",
    [
        {"creationTimestamp": f"{NOW - timedelta(seconds=5):%Y-%m-%dT%H:%M:%SZ}"},
        {"deletionTimestamp": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"},
    ],
    ids=["new", "leaving"],
)
def test_a_proxy_that_comes_or_goes_is_no_finding(meta: Json) -> None:
    manifests = changed(central(), "Pod", "edge-x1", lambda pod: pod["metadata"].update(meta))
    assert wrong(report(Fleet(manifests, silent=["edge-x1"], silent_since=0))) == []


def test_a_young_proxy_that_answered_before_is_silent() -> None:
    born = {"creationTimestamp": f"{NOW - timedelta(seconds=20):%Y-%m-%dT%H:%M:%SZ}"}
    manifests = changed(central(), "Pod", "edge-x1", lambda pod: pod["metadata"].update(born))
    assert "proxy-silent" in rules(report(Fleet(manifests, silent=["edge-x1"])))


def test_a_gateway_without_any_proxy_that_answers_explains_its_silent_proxies() -> None:
    told = report(Fleet(silent=["shard-b-z1"]))
    first = told.findings[0]
    assert first.rule == "no-healthy-front"
    assert first.severity == "critical"
    assert "its proxy does not answer: connection refused" in first.sentence
    assert "proxy-silent" in [each.rule for each in first.folded]
    assert first.at_stake.value == pytest.approx(100, abs=2), "what the tier above sends"


def test_a_pod_that_is_not_ready() -> None:
    def spoil(pod: Json) -> None:
        pod["status"]["conditions"][0]["status"] = "False"
        pod["status"]["containerStatuses"] = [{"name": "kgateway-proxy", "restartCount": 4}]

    found = of(report(Fleet(changed(central(), "Pod", "edge-x1", spoil))), "proxy-silent")
    assert "is not ready, restarted 4 times" in found.sentence


def test_a_proxy_that_refuses_its_routes() -> None:
    told = report(Fleet(refusing=["edge-x1"]))
    first = told.findings[0]
    assert first.rule == "refused-config"
    assert first.severity == "critical"
    assert "1/2 proxies refuse routes listener~8080 (edge-x1)" in first.sentence
    assert first.since == NOW - timedelta(seconds=8)
    assert {each.truth for each in first.evidence} == {"intended", "claimed", "loaded", "served"}


def test_what_the_control_plane_counts_alone_is_told_with_the_doubt() -> None:
    def told(snapshot: Snapshot) -> Snapshot:
        return with_cluster(snapshot, refusals=Known({EDGE: ("RouteConfiguration",)}, NOW))

    found = of(report(Fleet(), alter=told), "refused-config")
    assert "as the control plane counts" in found.sentence
    assert found.confidence < 1
    assert any(each.is_unknown and each.truth == "loaded" for each in found.evidence)


def test_a_replica_that_holds_other_routes_is_claimed_and_not_loaded() -> None:
    held = {"edge-x1": inspection(routes="a"), "edge-x2": inspection(routes="b")}
    told = report(Fleet(inspections=held))
    first = told.findings[0]
    assert first.rule == "claimed-not-loaded"
    assert "routes listener~8080" in first.sentence
    assert "odd-replica" in [each.rule for each in first.folded]
    assert any(each.truth == "claimed" and "Programmed is True" in each.text for each in first.evidence)
    same = {"edge-x1": inspection(), "edge-x2": inspection()}
    assert wrong(report(Fleet(inspections=same))) == []


def test_an_update_that_a_replica_does_not_take_is_told_before_anything_is_compared() -> None:
    told = report(Fleet(takes={"edge-x1": 5}))
    first = told.findings[0]
    assert first.rule == "claimed-not-loaded"
    assert first.sentence == (
        "tier 1 infra/edge: proxy edge-x2 did not take the routes listener~8080 that 1 of 2 replicas took"
    )
    assert first.since == NOW - timedelta(seconds=4)


@pytest.mark.parametrize(
    "takes",
    [{}, {"edge-x1": 5, "edge-x2": 5}, {"edge-x1": 5, "edge-x2": 6}, {"edge-x1": 7}],
    ids=["none", "both at once", "one after the other", "nobody looked since"],
)
def test_updates_that_all_take_are_no_finding(takes: dict[str, int]) -> None:
    assert wrong(report(Fleet(takes=takes))) == []


def test_a_replica_that_catches_up_leaves_nobody_behind() -> None:
    assert wrong(report(Fleet(takes={"edge-x1": 5}, versions={"edge-x1": 6}))) == []


def test_what_a_new_replica_takes_first_is_no_business_of_the_others() -> None:
    assert wrong(report(Fleet(takes={"edge-x1": 5}, young=["edge-x1"]))) == []
    told = report(Fleet(takes={"edge-x1": 5}, young=["edge-x1", "edge-x2"]))
    assert told.findings[0].rule == "claimed-not-loaded", "they started together"


def test_what_replicas_hold_is_not_compared_while_it_will_be_read_again() -> None:
    held = {"edge-x1": inspection(routes="a"), "edge-x2": inspection(routes="b")}
    held = {pod: replace(each, taken_at=NOW - timedelta(seconds=8)) for pod, each in held.items()}
    assert "claimed-not-loaded" in rules(report(Fleet(inspections=held)))
    assert wrong(report(Fleet(inspections=held, takes={"edge-x1": 5, "edge-x2": 5}))) == []


def test_other_routes_right_after_a_change_are_no_finding() -> None:
    held = {"edge-x1": inspection(routes="a"), "edge-x2": inspection(routes="b")}
    assert wrong(report(Fleet(inspections=held, steps=1))) == []


def test_other_versions_are_told_once_no_roll_out_can_be_under_way() -> None:
    held = {"edge-x1": inspection(version="1.37.0"), "edge-x2": inspection()}
    assert rules(report(Fleet(inspections=held, steps=8))) == set()
    found = of(report(Fleet(inspections=held, steps=40)), "odd-replica")
    assert "version" in found.sentence


@pytest.mark.parametrize(("days", "severity"), [(-2, "critical"), (5, "warning"), (20, "info")])
def test_certificates_that_end(days: float, severity: str) -> None:
    held = {"edge-x1": inspection(days=days), "edge-x2": inspection(days=days)}
    found = of(report(Fleet(inspections=held)), "certificate-expiry")
    assert found.severity == severity
    assert "*.example.com" in found.sentence
    assert any(each.is_unknown and each.truth == "served" for each in found.evidence)


def test_a_certificate_with_time_left_is_no_finding() -> None:
    held = {"edge-x1": inspection(days=45), "edge-x2": inspection(days=45)}
    assert rules(report(Fleet(inspections=held))) == set()


def tls_fleet(host: str, names: tuple[str, ...]) -> Fleet:
    def add(gateway: Json) -> None:
        listener = {"name": "https", "port": 8443, "protocol": "HTTPS", "hostname": host, "tls": TLS}
        gateway["spec"]["listeners"].append(listener)

    held: dict[str, Any] = {pod: inspection(names=names) for pod in ("edge-x1", "edge-x2")}
    return Fleet(changed(central(), "Gateway", "edge", add), inspections=held)


def test_a_listener_no_certificate_covers() -> None:
    found = of(report(tls_fleet("pay.example.com", ("shop.example.com",))), "certificate-mismatch")
    assert "listener https is for pay.example.com" in found.sentence
    assert GATEWAY_API not in found.sentence


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("pay.example.com", ("pay.example.com",)),
        ("pay.example.com", ("*.example.com",)),
        ("*.example.com", ("*.example.com",)),
        ("*.example.com", ("pay.example.com",)),
    ],
)
def test_a_listener_some_certificate_covers(host: str, names: tuple[str, ...]) -> None:
    assert rules(report(tls_fleet(host, names))) == set()


def test_a_wildcard_stands_for_one_label() -> None:
    assert "certificate-mismatch" in rules(report(tls_fleet("a.b.example.com", ("*.example.com",))))
