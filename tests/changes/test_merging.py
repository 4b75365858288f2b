"""Undo and rebase: our change on top of somebody else's."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gwtui.changes.defaults import with_defaults
from gwtui.changes.documents import backends_of, matches_of, rules_of, same_content
from gwtui.changes.edits import add_backend, add_rule, move_rule, remove_backend, remove_rule, set_weight, set_weights
from gwtui.changes.merging import Conflicting, Conflicts, Merged, merge
from gwtui.changes.request_edits import (
    add_filter,
    add_hostname,
    new_filter,
    remove_hostname,
    replace_match,
    set_hostnames,
    set_timeouts,
)
from random_routes import EDITS, HTTP_ROUTES, MATCHES, ROUTES, WEIGHTS, edited

QUICK = settings(max_examples=60, deadline=None)
FOREIGN_RULE = {
    "matches": [{"path": {"type": "Exact", "value": "/foreign"}}],
    "backendRefs": [{"name": "f", "port": 1}],
}


def rule(path, *weights, **more):
    return {
        "matches": [{"path": {"type": "PathPrefix", "value": path}}],
        "backendRefs": [{"name": f"s{n}", "port": 80, "weight": weight} for n, weight in enumerate(weights)],
        **more,
    }


def route(*rules, version="7", **spec):
    metadata = {"name": "edge", "namespace": "infra", "uid": "u-1", "resourceVersion": version}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata,
        "spec": {"rules": list(rules), **spec},
    }


def stored(document, version="9"):
    """The document as the API has it after a write."""
    document = with_defaults(document)
    document["metadata"]["resourceVersion"] = version
    return document


def merged(*documents):
    found = merge(*documents)
    assert isinstance(found, Merged), found
    return found.document


def conflicts(*documents):
    found = merge(*documents)
    assert isinstance(found, Conflicts), found
    return found.paths


@QUICK
@given(ROUTES, EDITS)
def test_apply_then_undo_is_identity(before, chosen):
    after = edited(before, chosen)
    now = stored(after)
    kept = deepcopy((after, before, now))
    restored = merged(after, before, now)
    assert restored["spec"] == before["spec"]
    assert restored["metadata"].get("labels") == before["metadata"].get("labels")
    assert restored["metadata"]["resourceVersion"] == "9"
    assert (after, before, now) == kept


def on_rule(index, edit, *arguments, **options):
    return lambda document: edit(document, index % len(rules_of(document)), *arguments, **options)


@st.composite
def changes_of_one_field(draw, document):
    """(name of the field, edit) of something that the document has."""
    index = draw(st.integers(0, len(rules_of(document)) - 1))
    chosen = rules_of(document)[index]
    options = [
        st.just(("labels", lambda each: {**each, "metadata": {**each["metadata"], "labels": {"owner": "other"}}})),
        st.builds(lambda text: (f"timeouts {index}", on_rule(index, set_timeouts, request=text)), TIMES),
        st.just((f"filters {index}", on_rule(index, add_filter, new_filter("RequestMirror", MIRROR)))),
        st.just(("hostnames", lambda each: set_hostnames(each, ["z.test"]))),
        st.just((f"new backend {index}", on_rule(index, add_backend, {"name": "foreign", "port": 9}))),
    ]
    options += [change_of_weight(index, number) for number in range(len(backends_of(chosen)))]
    options += [change_of_match(index, number) for number in range(len(matches_of(chosen)))]
    return draw(st.one_of(options))


def change_of_weight(index, number):
    return st.builds(lambda weight: (f"weight {index} {number}", on_rule(index, set_weight, number, weight)), WEIGHTS)


def change_of_match(index, number):
    return st.builds(lambda match: (f"match {index} {number}", on_rule(index, replace_match, number, match)), MATCHES)


TIMES = st.sampled_from(["7s", "8s", "9s"])
MIRROR = {"backendRef": {"name": "mirror", "port": 80}}


@settings(max_examples=120, deadline=None)
@given(HTTP_ROUTES, st.data())
def test_a_foreign_edit_of_another_field_survives_the_undo(before, data):
    our_field, our_edit = data.draw(changes_of_one_field(before))
    their_field, their_edit = data.draw(changes_of_one_field(before))
    assume(our_field != their_field)
    after = our_edit(before)
    now = stored(their_edit(after))
    assert same_content(merged(after, before, now), their_edit(before))


@QUICK
@given(HTTP_ROUTES, st.integers(0, 3), st.integers(0, 3), WEIGHTS)
def test_a_foreign_edit_of_the_same_field_is_reported(before, index, backend, weight):
    index %= len(rules_of(before))
    refs = backends_of(rules_of(before)[index])
    if refs:
        backend %= len(refs)
        after, theirs = (set_weight(before, index, backend, each) for each in (weight, 777))
        path = f"spec.rules[{index}].backendRefs[{backend}].weight"
    else:
        after, theirs = (set_timeouts(before, index, request=each) for each in ("9s", "777s"))
        path = f"spec.rules[{index}].timeouts"
    assume(not same_content(before, after))
    found = conflicts(after, before, stored(theirs))
    assert [each.path.removesuffix(".request") for each in found] == [path]


@QUICK
@given(HTTP_ROUTES, EDITS, st.integers(0, 4), st.integers(0, 4))
def test_a_foreign_rule_and_backend_always_survive(before, chosen, at, index):
    after = edited(before, chosen)
    count = len(rules_of(after))
    theirs = add_backend(after, index % count, {"name": "foreign", "port": 9, "weight": 3})
    theirs = add_rule(theirs, FOREIGN_RULE, at=at % (count + 1))
    found = merge(after, before, stored(theirs))
    if isinstance(found, Merged):
        names = [ref["name"] for each in rules_of(found.document) for ref in backends_of(each)]
        assert (names.count("f"), names.count("foreign")) == (1, 1)
    else:
        # The rule the backend was put into is the one the undo takes away, or one that cannot be told any more.
        assert len(rules_of(after)) != len(rules_of(before)) or rules_of(after) != rules_of(before)


@QUICK
@given(ROUTES, EDITS, EDITS)
def test_merging_what_one_side_alone_changed_is_that_side(base, ours, theirs):
    wanted, current = edited(base, ours), edited(base, theirs)
    assert same_content(merged(base, wanted, stored(base)), wanted)
    assert same_content(merged(base, base, stored(current)), current)
    assert same_content(merged(base, current, stored(current)), current)


@QUICK
@given(ROUTES, EDITS, EDITS)
def test_who_is_ours_makes_no_difference_to_what_conflicts(base, ours, theirs):
    one, other = edited(base, ours), edited(base, theirs)
    assert isinstance(merge(base, one, other), Conflicts) == isinstance(merge(base, other, one), Conflicts)


def test_the_undo_of_a_shift_keeps_a_rule_put_before_it():
    before = route(rule("/a", 90, 10), rule("/b", 1))
    after = set_weights(before, 0, {0: 50, 1: 50})
    now = stored(add_rule(after, FOREIGN_RULE, at=0))
    assert rules_of(merged(after, before, now)) == rules_of(stored(add_rule(before, FOREIGN_RULE, at=0)))


def test_the_undo_of_a_removed_rule_puts_it_back_in_its_place():
    before = route(rule("/a", 1), rule("/b", 1), rule("/c", 1))
    after = remove_rule(before, 1)
    now = stored(set_weights(after, 1, {0: 5}))
    assert rules_of(merged(after, before, now)) == rules_of(stored(set_weights(before, 2, {0: 5})))


def test_the_undo_of_a_removed_backend_puts_it_back_in_its_place():
    before = route(rule("/a", 1, 2, 3))
    after = remove_backend(before, 0, 1)
    now = stored(add_backend(after, 0, {"name": "new", "port": 80}))
    assert [ref["name"] for ref in backends_of(rules_of(merged(after, before, now))[0])] == ["s0", "s1", "s2", "new"]


def test_the_undo_of_a_move_keeps_a_foreign_rule():
    before = route(rule("/a", 1), rule("/b", 1), rule("/c", 1))
    after = move_rule(before, 2, 0)
    now = stored(add_rule(after, FOREIGN_RULE))
    assert [matches_of(each)[0]["path"]["value"] for each in rules_of(merged(after, before, now))] == [
        "/a",
        "/b",
        "/foreign",
        "/c",
    ]


def test_two_orders_of_rules_are_a_conflict():
    before = route(rule("/a", 1), rule("/b", 1), rule("/c", 1))
    after = move_rule(before, 2, 0)
    now = stored(move_rule(after, 1, 2))
    assert [each.path for each in conflicts(after, before, now)] == ["spec.rules"]


def test_a_rule_that_we_added_and_somebody_changed_is_not_taken_away():
    before = route(rule("/a", 1))
    after = add_rule(before, rule("/b", 1, 2))
    now = stored(set_weights(after, 1, {0: 4}))
    (only,) = conflicts(after, before, now)
    assert (only.path, only.wanted) == ("spec.rules[1]", None)
    assert only.current == rules_of(now)[1]


def test_a_rule_that_somebody_removed_and_we_changed_is_not_brought_back():
    before = route(rule("/a", 1), rule("/b", 1, 2))
    after = set_weights(before, 1, {0: 9})
    now = stored(remove_rule(after, 1))
    assert [(each.path, each.current) for each in conflicts(after, before, now)] == [("spec.rules[1]", None)]


def test_the_same_field_names_all_three_values():
    before = route(rule("/a", 90, 10))
    after = set_weights(before, 0, {0: 50, 1: 50})
    now = stored(set_weights(after, 0, {0: 70, 1: 30}))
    assert conflicts(after, before, now) == (
        Conflicting("spec.rules[0].backendRefs[0].weight", 50, 90, 70),
        Conflicting("spec.rules[0].backendRefs[1].weight", 50, 10, 30),
    )


def test_half_a_path_of_each_writer_is_no_path():
    base = route(rule("/a", 1))
    ours = replace_match(base, 0, 0, {"path": {"type": "Exact", "value": "/a"}})
    theirs = replace_match(base, 0, 0, {"path": {"type": "PathPrefix", "value": "/b"}})
    assert [each.path for each in conflicts(base, ours, theirs)] == ["spec.rules[0].matches[0].path"]


def test_hostnames_merge_as_a_set_in_order():
    base = route(rule("/a", 1), hostnames=["a.test", "b.test"])
    ours = add_hostname(remove_hostname(base, "a.test"), "c.test")
    theirs = set_hostnames(base, ["x.test", "a.test", "b.test"])
    assert merged(base, ours, theirs)["spec"]["hostnames"] == ["x.test", "b.test", "c.test"]


def test_both_add_the_same_backend_once():
    base = route(rule("/a", 1))
    one = add_backend(base, 0, {"name": "new", "port": 80, "weight": 5})
    assert len(backends_of(rules_of(merged(base, one, stored(one)))[0])) == 2
    other = add_backend(base, 0, {"name": "new", "port": 80, "weight": 7})
    assert [each.path for each in conflicts(base, one, stored(other))] == ["spec.rules[0].backendRefs[1]"]


def test_both_add_labels():
    base = route(rule("/a", 1))
    one, other = deepcopy(base), stored(base)
    one["metadata"]["labels"] = {"a": "1"}
    other["metadata"]["labels"] = {"b": "2"}
    assert merged(base, one, other)["metadata"]["labels"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize("field", ["filters", "matches"])
def test_an_empty_list_is_no_foreign_edit(field):
    before = route({"backendRefs": [{"name": "s", "port": 80}]})
    after = add_filter(before, 0, new_filter("RequestMirror", MIRROR))
    now = stored(after)
    now["spec"]["rules"][0].setdefault(field, [])
    now["spec"]["hostnames"] = ["foreign.test"]
    assert rules_of(merged(after, before, now)) == rules_of(with_defaults(before))
