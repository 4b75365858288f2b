"""Which item of a list is which item of another version of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gwtui.changes.alignment import aligned, unmoved

TIMED = {"timeouts": {"request": "1s"}}


def backend(name, port=80, **more):
    return {"name": name, "port": port, **more}


def rule(path, *backends, **more):
    return {"matches": [{"path": {"value": path}}], "backendRefs": list(backends), **more}


def test_a_name_is_stronger_than_content():
    one, other = rule("/a", name="x"), rule("/b", name="y")
    assert aligned([one, other], [{**other, "name": "x"}, {**one, "name": "y"}], "rules") == {0: 0, 1: 1}


def test_one_of_equal_rules_that_changed_stays_in_its_place():
    assert aligned([TIMED, {}, {}], [{}, {}, {}], "rules") == {0: 0, 1: 1, 2: 2}
    assert aligned([{}, {}, {}], [{}, TIMED, {}], "rules") == {0: 0, 1: 1, 2: 2}


def test_a_rule_is_first_of_all_what_it_matches():
    before = [rule("/a", backend("x")), rule("/b", backend("y"))]
    after = [rule("/b", backend("x")), rule("/a", backend("y"))]
    assert aligned(before, after, "rules") == {0: 1, 1: 0}


def test_a_rule_that_was_rewritten_is_told_by_its_place_only_while_none_came_or_went():
    before = [rule("/a", backend("x")), rule("/b", backend("y"))]
    assert aligned(before, [before[0], rule("/new", backend("new"))], "rules") == {0: 0, 1: 1}
    assert aligned(before, [before[0], rule("/new", backend("new")), {}], "rules") == {0: 0}


def test_a_backend_is_told_by_its_port_first():
    before = [backend("a", 80), backend("a", 81), backend("b", 80)]
    assert aligned(before, [backend("b", 90), backend("a", 81), backend("a", 80)], "backendRefs") == {0: 2, 1: 1, 2: 0}
    assert aligned(before, [backend("c", 80)], "backendRefs") == {}


def test_filters_that_may_be_repeated_are_told_by_what_they_refer_to():
    mirrors = [{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": name}}} for name in "ab"]
    assert aligned(mirrors, [mirrors[1]], "filters") == {1: 0}
    assert aligned([{"type": "CORS", "cors": {"maxAge": 1}}], [{"type": "CORS", "cors": {}}], "filters") == {0: 0}


def test_matches_are_told_by_content_then_by_place():
    assert aligned([{"a": 1}, {"b": 1}], [{"b": 1}, {"c": 1}], "matches") == {1: 0, 0: 1}


def test_texts_are_never_another_text():
    assert aligned(["a", "b"], ["b", "c"], "hostnames") == {1: 0}


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(7)))
def test_as_many_as_possible_did_not_move(order):
    pairs = dict(enumerate(order))
    still = sorted(unmoved(pairs))
    assert [pairs[each] for each in still] == sorted(pairs[each] for each in still)
    longest = max(
        mask.bit_count()
        for mask in range(2**7)
        if (chosen := [pairs[each] for each in range(7) if mask >> each & 1]) == sorted(chosen)
    )
    assert len(still) == longest
