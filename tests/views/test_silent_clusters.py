"""What is said of a cluster that does not answer: one line, whatever its kinds report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gwtui.model.health import SourceState
from gwtui.model.snapshot import ClusterView, Snapshot
from gwtui.views.complaints import complaints
from gwtui.views.document import fleet_document
from gwtui.views.document_table import fleet_table
from gwtui.views.stage import Stage, notices
from tests.tui import fleet as made


def cluster(api: SourceState, kinds: SourceState, detail: str = "") -> Snapshot:
    sources = {
        "api": made.health(api, detail, "is the VPN up?"),
        **{kind: made.health(kinds, "cannot connect") for kind in (made.GATEWAYS, made.HTTPROUTES, "pods")},
    }
    return Snapshot(revision=1, clusters={"far": ClusterView(name="far", sources=sources)})


@pytest.mark.parametrize("kinds", [SourceState.LOADING, SourceState.FAILED])
def test_a_cluster_that_never_answered_is_one_line(kinds):
    seen = cluster(SourceState.FAILED, kinds, "connection refused")
    (only,) = complaints(seen)
    assert only.line() == "far: api: connection refused; is the VPN up?"
    (notice,) = notices(seen, ("far",), made.NOW)
    assert (notice.stage, notice.detail) == (Stage.FAILED, "connection refused")
    table = fleet_table(fleet_document(seen, now=made.NOW))
    assert table.count("far: api: failed (connection refused)") == 1
    assert "pods" not in table


def test_a_cluster_that_has_not_answered_yet_is_not_passed_over_in_silence():
    seen = cluster(SourceState.LOADING, SourceState.LOADING)
    (only,) = complaints(seen)
    assert only.line() == "far: api: no answer yet; is the VPN up?"
    (notice,) = notices(seen, ("far",), made.NOW)
    assert notice.stage is Stage.CONNECTING


def test_an_api_that_fails_beside_kinds_that_were_read_hides_none_of_them():
    seen = cluster(SourceState.FAILED, SourceState.READY)
    sources = {**seen.clusters["far"].sources, "pods": made.health(SourceState.FORBIDDEN, "403 on pods")}
    seen = replace(seen, clusters={"far": ClusterView(name="far", sources=sources)})
    assert [each.subject for each in complaints(seen)] == ["api", "pods"]
    assert "far: pods: forbidden (403 on pods)" in fleet_table(fleet_document(seen, now=made.NOW))
