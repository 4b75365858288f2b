"""What differs between two routes, as a list and as patches."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwtui.changes.defaults import with_defaults, without_defaults
from gwtui.changes.differences import Difference, apply_patch, as_patch_file, differences, patch
from gwtui.changes.documents import same_content
from gwtui.changes.edits import add_rule, copy_rule, move_rule, set_weights
from gwtui.errors import Conflict
from random_routes import EDITS, HTTP_ROUTES, ROUTES, edited

QUICK = settings(max_examples=60, deadline=None)


def rule(path, *weights):
    return {
        "matches": [{"path": {"type": "PathPrefix", "value": path}}],
        "backendRefs": [{"name": f"s{n}", "port": 80, "weight": weight} for n, weight in enumerate(weights)],
    }


def route(*rules, **spec):
    metadata = {"name": "edge", "namespace": "infra", "uid": "u-1", "resourceVersion": "7"}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata,
        "spec": {"rules": list(rules), **spec},
    }


def test_a_weight_is_one_difference():
    before = route(rule("/a", 90, 10))
    assert differences(before, set_weights(before, 0, {0: 50, 1: 50})) == (
        Difference("spec.rules[0].backendRefs[0].weight", 90, 50),
        Difference("spec.rules[0].backendRefs[1].weight", 10, 50),
    )


def test_a_weight_that_becomes_the_default_is_shown_with_it():
    before = route(rule("/a", 90))
    after = deepcopy(before)
    del after["spec"]["rules"][0]["backendRefs"][0]["weight"]
    assert differences(before, after) == (Difference("spec.rules[0].backendRefs[0].weight", 90, 1),)


def test_a_rule_that_moved_is_one_difference():
    before = route(rule("/a", 1, 2), rule("/b", 3), rule("/c", 4))
    assert differences(before, move_rule(before, 2, 0)) == (
        Difference("spec.rules[0]", "item 2", "item 0", is_move=True),
    )


def test_a_rule_that_moved_and_changed_is_still_that_rule():
    before = route(rule("/a", 1, 2), rule("/b", 3), rule("/c", 4))
    after = set_weights(move_rule(before, 2, 0), 0, {0: 9})
    assert differences(before, after) == (
        Difference("spec.rules[0]", "item 2", "item 0", is_move=True),
        Difference("spec.rules[0].backendRefs[0].weight", 4, 9),
    )


def test_a_rule_put_before_others_changes_none_of_them():
    before = route(rule("/a", 1), rule("/b", 1))
    (only,) = differences(before, add_rule(before, {"name": "new", "backendRefs": [{"name": "x", "port": 1}]}, at=0))
    assert only == Difference("spec.rules[0]", None, {"name": "new", "backendRefs": [{"name": "x", "port": 1}]})


def test_what_was_removed_is_named_by_its_earlier_place():
    before = route(rule("/a", 1), rule("/b", 1))
    after = route(rule("/b", 1))
    assert [(each.path, each.after) for each in differences(before, after)] == [("spec.rules[0]", None)]


def test_another_path_of_a_match_is_one_difference():
    before, after = route(rule("/a", 1)), route(rule("/b", 1))
    assert differences(before, after) == (Difference("spec.rules[0].matches[0].path.value", "/a", "/b"),)


def test_labels_with_dots_can_be_told_apart_from_fields():
    before = route(rule("/a", 1))
    after = {**before, "metadata": {**before["metadata"], "labels": {"app.kubernetes.io/name": "x", "tier": "1"}}}
    assert differences(before, after) == (
        Difference("metadata.labels", None, {"app.kubernetes.io/name": "x", "tier": "1"}),
    )
    again = {**after, "metadata": {**after["metadata"], "labels": {"app.kubernetes.io/name": "y", "tier": "1"}}}
    assert differences(after, again) == (Difference('metadata.labels["app.kubernetes.io/name"]', "x", "y"),)


def test_bookkeeping_and_status_are_no_differences():
    before = route(rule("/a", 1))
    after = deepcopy(before)
    after["metadata"] |= {"resourceVersion": "8", "generation": 2, "managedFields": [{}], "uid": "u-2"}
    after["status"] = {"parents": []}
    assert differences(before, after) == ()


@QUICK
@given(ROUTES, ROUTES, EDITS)
def test_differences_are_empty_exactly_for_the_same_content(one, other, chosen):
    for after in (other, edited(one, chosen), with_defaults(one), without_defaults(one)):
        assert (differences(one, after) == ()) == same_content(one, after)
    assert same_content(one, with_defaults(one))
    assert same_content(one, without_defaults(one))


@QUICK
@given(HTTP_ROUTES)
def test_defaults_are_filled_in_and_taken_out_again(one):
    assert without_defaults(with_defaults(one)) == without_defaults(one)
    assert with_defaults(with_defaults(one)) == with_defaults(one)


def ours(document):
    metadata = document["metadata"]
    return document.get("spec"), metadata.get("labels") or {}, metadata.get("annotations") or {}


@QUICK
@given(ROUTES, EDITS, st.data())
def test_a_patch_makes_the_one_from_the_other(before, chosen, data):
    for after in (edited(before, chosen), data.draw(ROUTES)):
        kept = deepcopy(before), deepcopy(after)
        result = apply_patch(before, patch(before, after))
        assert ours(result) == ours(after)
        assert result["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
        assert (before, after) == kept


def test_a_patch_starts_with_its_preconditions_and_says_no_more_than_needed():
    before = route(rule("/a", 90, 10))
    assert patch(before, set_weights(before, 0, {0: 50})) == [
        {"op": "test", "path": "/metadata/uid", "value": "u-1"},
        {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
        {"op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": 50},
    ]


def test_a_patch_for_a_copied_and_a_moved_rule_leaves_the_others_alone():
    before = route(rule("/a", 1), rule("/b", 1), rule("/c", 1))
    assert patch(before, copy_rule(before, 0))[2:] == [{"op": "add", "path": "/spec/rules/1", "value": rule("/a", 1)}]
    assert patch(before, move_rule(before, 0, 2))[2:] == [
        {"op": "move", "from": "/spec/rules/0", "path": "/spec/rules/2"}
    ]
    assert patch(before, move_rule(before, 2, 0))[2:] == [
        {"op": "move", "from": "/spec/rules/2", "path": "/spec/rules/0"}
    ]


def test_a_patch_touches_nothing_that_is_not_ours():
    before = route(rule("/a", 1))
    after = deepcopy(before)
    after["status"] = {"parents": []}
    after["apiVersion"] = "gateway.networking.k8s.io/v1beta1"
    after["metadata"] |= {"resourceVersion": "9", "finalizers": ["x"], "ownerReferences": [{}], "uid": "u-2"}
    assert [each["op"] for each in patch(before, after)] == ["test", "test"]


def test_a_patch_does_not_fit_another_version():
    before = route(rule("/a", 1))
    now = deepcopy(before)
    now["metadata"]["resourceVersion"] = "8"
    with pytest.raises(Conflict, match="does not fit"):
        apply_patch(now, patch(before, set_weights(before, 0, {0: 2})))


def test_the_patch_file_holds_what_a_repository_would():
    before = with_defaults(route(rule("/a", 90, 10), hostnames=["a.test"]))
    before["metadata"] |= {"generation": 3, "managedFields": [{}], "creationTimestamp": "2026-01-01T00:00:00Z"}
    after = set_weights(before, 0, {0: 50, 1: 50})
    assert as_patch_file(before, after) == (
        "--- a/infra/edge.yaml\n"
        "+++ b/infra/edge.yaml\n"
        "@@ -11,9 +11,9 @@\n"
        "     backendRefs:\n"
        "     - name: s0\n"
        "       port: 80\n"
        "-      weight: 90\n"
        "+      weight: 50\n"
        "     - name: s1\n"
        "       port: 80\n"
        "-      weight: 10\n"
        "+      weight: 50\n"
        "   hostnames:\n"
        "   - a.test\n"
    )
    assert as_patch_file(before, without_defaults(before)) == ""
