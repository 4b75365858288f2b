"""What other clusters send through an east-west Gateway is kept away by its annotation."""

from __future__ import annotations

import pytest

from changing import CLUSTER, NOW
from draining import carried_out, change_of, codes, documents_of, drawn, ingress, titles, written
from gwtui.changes.drains.found import drained
from gwtui.changes.drains.targets import parse_target
from gwtui.changes.drains.undrawing import draw_back
from gwtui.changes.drains.wish import Shard
from gwtui.changes.plan import DrainKind, StageKind
from gwtui.model.ids import GatewayKey

EAST_WEST = GatewayKey(CLUSTER, "istio-system", "eastwest")
WEIGHT = "solo.io/draining-weight"
TARGET = Shard(EAST_WEST)


def east_west(weight: str | None = None, controller: str = "istio.io/eastwest-controller"):
    annotations = {} if weight is None else {"annotations": {WEIGHT: weight}}
    about = {"name": "eastwest", "namespace": "istio-system", "uid": "ew", "generation": 1, **annotations}
    return ingress(
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": {"name": "istio-east-west", "uid": "class-ew"},
            "spec": {"controllerName": controller},
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": about,
            "spec": {
                "gatewayClassName": "istio-east-west",
                "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}],
            },
        },
    )


def weights(found) -> list[str | None]:
    return [
        written(found, at)["istio-system/eastwest"]["metadata"].get("annotations", {}).get(WEIGHT)
        for at in range(len(found.stages))
    ]


@pytest.mark.parametrize("controller", ["istio.io/eastwest-controller", "istio.io/unmanaged-gateway"])
def test_it_says_more_and_more_of_what_is_kept_away(controller):
    found = drawn(east_west(controller=controller), TARGET)
    assert not codes(found)
    assert weights(found) == ["50", "90", "100"]
    assert titles(found)[-1] == "istio-system/eastwest 0 % of what other clusters send"
    assert (found.drain.kind, found.drain.way) == (DrainKind.CLUSTER, "annotation")
    assert {stage.truths for stage in found.stages} == {("stored",)}
    assert all(stage.kind is StageKind.WRITE for stage in found.stages)
    assert [each.code for each in found.cautions] == ["unseen-end"]


def test_a_part_that_is_kept_away_already_is_never_given_back():
    assert weights(drawn(east_west("95"), TARGET)) == ["100"]
    assert weights(drawn(east_west("70"), TARGET)) == ["90", "100"]
    assert weights(drawn(east_west("nonsense"), TARGET)) == ["50", "90", "100"]


def test_one_that_is_left_out_already_and_a_choice_of_taker_are_refused():
    assert codes(drawn(east_west("100"), TARGET)) == {"already-drained"}
    assert codes(drawn(east_west(), TARGET, to="infra/edge")) == {"no-choice"}


def test_it_is_known_as_drained_by_its_annotation_alone():
    snapshot, _ = east_west("100")
    assert [each.gateway for each in drained(snapshot.clusters[CLUSTER], ())] == [EAST_WEST]
    snapshot, _ = east_west("99")
    assert drained(snapshot.clusters[CLUSTER], ()) == ()
    assert parse_target(snapshot, CLUSTER, "istio-system/eastwest") == TARGET


def test_of_another_controller_the_annotation_means_nothing():
    snapshot, _ = east_west("100", controller="example.com/other")
    assert drained(snapshot.clusters[CLUSTER], ()) == ()


def test_it_is_given_back_as_it_was_without_waiting_for_what_cannot_be_read():
    given = east_west("10")
    outline = drawn(given, TARGET)
    snapshot, manifests = given
    documents = documents_of(manifests, [outline.steps[0].key])
    back = draw_back(snapshot, change_of(outline), carried_out(outline, documents), now=NOW)
    assert titles(back) == ["let other clusters send to istio-system/eastwest again"]
    assert weights(back) == ["10"]
