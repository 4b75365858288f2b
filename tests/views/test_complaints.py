"""What is said on stderr: one line per thing that is wrong, and no flood."""

from __future__ import annotations

from datetime import UTC, datetime

from gwtui.model.health import SourceHealth, SourceState
from gwtui.model.resources import GATEWAYS
from gwtui.model.snapshot import ClusterView, Snapshot
from gwtui.views.complaints import TOLD_APART, complaints

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
