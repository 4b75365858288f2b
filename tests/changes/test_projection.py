"""The cluster as it would be after an edit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changing import CLUSTER, EDGE, SHARD_A, SHARD_B, edited, fleet, ref, route, rule, snapshot_of, weights
from gwtui.changes.projection import projected
from gwtui.errors import UsageError
from gwtui.model.snapshot import ClusterView
from gwtui.model.topology import relate

SHOP = route("shop", rule(ref("shard-a", 90), ref("shard-b", 10)))


def view_of(*manifests: dict) -> ClusterView:
    return snapshot_of(fleet(*manifests)).clusters[CLUSTER]


def intended(view: ClusterView) -> dict[str, float]:
    return {
        hop.target.name: share.intended
        for hop in view.topology.hops
        for share in hop.shares
        if hop.source == EDGE and share.route.name == "shop"
    }


def placed(view: ClusterView, name: str = "shop") -> list[str]:
    return [node.key.name for node in view.topology.gateways if any(key.name == name for key in node.routes)]


def test_weights_are_those_of_the_edit_and_the_snapshot_keeps_its_own():
    view = view_of(SHOP)
    after = projected(view, [weights(SHOP, 1, 3)])
    assert intended(after) == {"shard-a": 0.25, "shard-b": 0.75}
    assert intended(view) == {"shard-a": 0.9, "shard-b": 0.1}
    assert view.topology == relate(CLUSTER, view.objects)


def test_nothing_changed_is_the_same_view():
    view = view_of(SHOP)
    draft = {name: part for name, part in SHOP.items() if name != "status"}
    assert projected(view, [draft]) is view
    with_defaults = edited(draft, lambda spec: spec["rules"][0].update(matches=[{"path": {"value": "/"}}]))
    assert projected(view, [with_defaults]) is view


def test_what_the_controller_told_is_kept_while_parents_and_hostnames_stay():
    refused = {**SHOP, "status": {"parents": [{**SHOP["status"]["parents"][0], "conditions": []}]}}
    view = view_of(refused)
    assert placed(view) == placed(projected(view, [weights(SHOP, 1, 1)])) == []


def test_a_new_parent_takes_it_and_a_dropped_one_does_not():
    moved = edited(SHOP, lambda spec: spec.update(parentRefs=[{"name": "shard-a", "namespace": "infra"}]))
    view = view_of(SHOP)
    assert placed(projected(view, [moved])) == ["shard-a"]
    both = edited(SHOP, lambda spec: spec["parentRefs"].append({"name": "shard-b"}))
    assert placed(projected(view, [both])) == ["edge", "shard-b"]
    assert placed(view) == ["edge"]


@pytest.mark.parametrize(
    ("listens", "hosts", "is_taken"),
    [
        ("*.example.com", ["shop.example.com"], True),
        ("*.example.com", ["shop.example.org"], False),
        ("shop.example.com", ["*.example.com"], True),
        ("", ["shop.example.org"], True),
    ],
)
def test_listeners_take_only_hostnames_of_theirs(listens, hosts, is_taken):
    manifests = fleet(SHOP)
    for each in manifests:
        if each["kind"] == "Gateway" and listens:
            each["spec"]["listeners"][0]["hostname"] = listens
    view = snapshot_of(manifests).clusters[CLUSTER]
    after = projected(view, [edited(SHOP, lambda spec: spec.update(hostnames=hosts))])
    assert (placed(after) == ["edge"]) is is_taken


def test_listeners_that_take_their_own_namespace_alone():
    manifests = fleet(SHOP)
    for each in manifests:
        if each["metadata"]["name"] == "shard-b" and each["kind"] == "Gateway":
            each["spec"]["listeners"][0]["allowedRoutes"] = {"namespaces": {"from": "Same"}}
    other = route("cart", rule("cart"), namespace="foo", gateways=["shard-a"])
    view = snapshot_of([*manifests, other]).clusters[CLUSTER]
    there = [{"name": "shard-b", "namespace": "infra"}]
    after = projected(view, [edited(each, lambda spec: spec.update(parentRefs=there)) for each in (SHOP, other)])
    assert (placed(after, "shop"), placed(after, "cart")) == (["shard-b"], [])


def test_an_edit_that_has_no_shape_is_one_clear_line():
    broken = edited(SHOP, lambda spec: spec["rules"][0]["backendRefs"][0].update(weight="much"))
    with pytest.raises(UsageError, match="weight"):
        projected(view_of(SHOP), [broken])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=2))
def test_the_projection_of_a_stored_edit_is_what_the_cluster_becomes(values):
    after = weights(SHOP, *values)
    assert projected(view_of(SHOP), [after]).topology == view_of(after).topology


def test_several_routes_at_once_and_only_those_that_differ():
    other = route("feed", rule("shard-b"), hosts=["feed.example.com"])
    view = view_of(SHOP, other)
    after = projected(view, [weights(SHOP, 0, 1), edited(other, lambda spec: spec.update(rules=[rule("shard-a")]))])
    reached = {(share.route.name, hop.target) for hop in after.topology.hops for share in hop.shares if share.intended}
    assert {("shop", SHARD_B), ("feed", SHARD_A)} <= reached
    assert ("feed", SHARD_B) not in reached
    same = replace(view, objects=dict(view.objects))
    assert projected(same, [SHOP, other]) is same
