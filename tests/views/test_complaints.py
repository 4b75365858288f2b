"""What is said on stderr: one line per thing that is wrong, and no flood."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from gwtui.model.health import SourceHealth, SourceState
from gwtui.model.known import Known
from gwtui.model.resources import GATEWAYS
from gwtui.model.services import Service
from gwtui.model.snapshot import ClusterView, Snapshot
from gwtui.views.complaints import TOLD_APART, complaints
from tests.tui import fleet, inspected

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def seen(**states: SourceState) -> Snapshot:
    sources = {name: SourceHealth(state=state, since=NOW, detail="said", hint="try") for name, state in states.items()}
    sources["api"] = SourceHealth(state=SourceState.READY, since=NOW)
    return Snapshot(clusters={"c": ClusterView(name="c", sources=sources)})


def test_a_few_refused_kinds_are_told_apart():
    lines = [each.line() for each in complaints(seen(pods=SourceState.FORBIDDEN, services=SourceState.FORBIDDEN))]
    assert lines == ["c: pods: said; try", "c: services: said; try"]


def test_many_refused_kinds_are_one_line_that_names_them():
    kinds = [f"kind{number}" for number in range(TOLD_APART + 1)]
    (line,) = (each.line() for each in complaints(seen(**dict.fromkeys(kinds, SourceState.FORBIDDEN))))
    assert all(kind in line for kind in kinds)
    assert "grant list and watch" in line


def test_reading_some_namespaces_only_is_no_complaint():
    assert complaints(seen(pods=SourceState.PARTIAL, services=SourceState.READY)) == ()


def test_a_cluster_without_gateway_api_is_one_line():
    (only,) = complaints(seen(**{GATEWAYS: SourceState.NOT_SERVED}))
    assert "install the Gateway API CRDs" in only.line()


REFUSING = {"rds.listener~80": Service(rejected=1, accepted=3, refused_since=NOW), "lds": Service(accepted=2)}


def told(**proxy: object) -> list[str]:
    """What is said about an edge proxy, beyond what is said about the fleet anyway."""
    snapshot = fleet.healthy()
    key = inspected.EDGE_1
    changed = replace(snapshot, proxies={**snapshot.proxies, key: replace(snapshot.proxies[key], **proxy)})
    before = {each.line() for each in complaints(snapshot)}
    return [line for each in complaints(changed) if (line := each.line()) not in before]


def test_a_refused_configuration_is_one_line_that_tells_which() -> None:
    (line,) = told(services=REFUSING)
    assert line.startswith(
        "prod-eu: proxy infra/edge-5f6d8-abc12: refuses routes listener~80 and keeps what it had; the proxy's log"
    )
    taken = {name: replace(each, refused_since=None) for name, each in REFUSING.items()}
    assert told(services=taken) == []


def test_a_refused_listener_is_told_in_the_proxys_own_words() -> None:
    inspection = inspected.inspection(inspected.EDGE_1)
    first, *others = inspection.config.value
    refused = replace(inspection, config=Known((replace(first, error="unknown filter"), *others), NOW))
    (line,) = told(inspection=refused)
    assert "refuses listeners: listener~80: unknown filter; " in line


def test_what_only_the_control_plane_knows_is_told_of_the_gateway() -> None:
    snapshot = fleet.healthy()
    cluster = replace(snapshot.clusters[fleet.CLUSTER], refusals=Known({fleet.EDGE: ("RouteConfiguration",)}, NOW))
    before = complaints(snapshot)
    snapshot = replace(snapshot, clusters={fleet.CLUSTER: cluster})
    (said,) = (each for each in complaints(snapshot) if each not in before)
    assert said.line().startswith(
        "prod-eu: gateway infra/edge: its proxies refuse RouteConfiguration, says the control"
    )
    key = inspected.EDGE_1
    seen_too = {**snapshot.proxies, key: replace(snapshot.proxies[key], services=REFUSING)}
    (said,) = (each for each in complaints(replace(snapshot, proxies=seen_too)) if each not in before)
    assert said.subject == "proxy infra/edge-5f6d8-abc12", "the same is not told twice"
