"""What an editor does to a route."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwtui.changes import edits, request_edits
from gwtui.changes.documents import backends_of, hostnames_of, rules_of, weight_of
from gwtui.changes.edits import set_weight, set_weights, shift_weight, weight_args
from gwtui.changes.request_edits import new_filter
from gwtui.errors import UsageError
from random_routes import EDITS, ROUTES, edited


def route(*rules, kind="HTTPRoute", **spec):
    metadata = {"name": "edge", "namespace": "infra"}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": kind,
        "metadata": metadata,
        "spec": {"rules": list(rules), **spec},
    }


def weighted(*weights):
    return route({"backendRefs": [{"name": f"s{n}", "port": 80, "weight": weight} for n, weight in enumerate(weights)]})


def weights(document, rule=0):
    return [weight_of(ref) for ref in backends_of(rules_of(document)[rule])]


def names(document):
    return [rule.get("name") for rule in rules_of(document)]


def said(call, *arguments, **options):
    with pytest.raises(UsageError) as caught:
        call(*arguments, **options)
    return caught.value.line()


@pytest.mark.parametrize(
    ("before", "backend", "step", "after"),
    [
        ((90, 10), 0, -40, [50, 50]),
        ((90, 10), 1, 10, [80, 20]),
        ((90, 10), 0, 50, [100, 0]),
        ((5, 95), 0, -10, [0, 100]),
        ((10, 60, 30), 0, 10, [20, 53, 27]),
        ((10, 1, 1, 1), 0, 1, [11, 1, 1, 0]),
        ((100, 0, 0), 0, -10, [90, 5, 5]),
        ((100, 0, 0), 0, -5, [95, 3, 2]),
    ],
)
def test_a_shift_keeps_the_sum(before, backend, step, after):
    assert weights(shift_weight(weighted(*before), 0, backend, step)) == after


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=2, max_size=6), st.integers(0, 5), st.integers(-2000, 2000))
def test_a_shift_never_loses_a_part(before, backend, step):
    backend %= len(before)
    after = weights(shift_weight(weighted(*before), 0, backend, step))
    assert sum(after) == sum(before)
    assert min(after) >= 0
    assert after[backend] == max(0, min(before[backend] + step, sum(before)))
    others = [(old, new) for at, (old, new) in enumerate(zip(before, after, strict=True)) if at != backend]
    if total := sum(old for old, _ in others):
        rest = sum(new for _, new in others)
        assert all(abs(new - rest * old / total) < 1 for old, new in others)


def test_a_shift_that_does_not_keep_the_sum_touches_one_weight():
    assert weights(shift_weight(weighted(90, 10), 0, 1, 10, keeps_sum=False)) == [90, 20]
    assert weights(shift_weight(weighted(90, 10), 0, 1, -20, keeps_sum=False)) == [90, 0]
    assert weights(shift_weight(weighted(90, 999_999), 0, 1, 10, keeps_sum=False)) == [90, 1_000_000]


def test_a_weight_that_is_not_said_is_one():
    document = route({"backendRefs": [{"name": "a", "port": 80}, {"name": "b", "port": 80}]})
    assert weights(shift_weight(document, 0, 0, 1)) == [2, 0]
    assert set_weights(document, 0, {0: 1}) == document


def test_weights_that_cannot_be():
    document = weighted(90, 10)
    assert "rule 0 has no backend 2; it has backends 0 to 1" in said(set_weight, document, 0, 2, 5)
    assert "there is no rule 1; it has 1 rules" in said(set_weight, document, 1, 0, 5)
    assert "there is no rule -1" in said(set_weight, document, -1, 0, 5)
    assert "weights are 0 to 1000000" in said(set_weight, document, 0, 0, 1_000_001)
    assert "weights are 0 to 1000000" in said(set_weight, document, 0, 0, -1)
    assert "weight 101 is more than the sum of rule 0, 100" in said(set_weight, document, 0, 0, 101, keeps_sum=True)
    assert "no other backend to shift to" in said(shift_weight, weighted(1), 0, 0, 1)


def test_weights_of_a_tcp_route():
    document = {**weighted(90, 10), "kind": "TCPRoute"}
    assert weights(shift_weight(document, 0, 0, -40)) == [50, 50]


SHOP = route(
    {"backendRefs": [{"name": "shard-a", "port": 80}, {"name": "shard-b", "port": 80, "namespace": "infra"}]},
    {
        "backendRefs": [
            {"name": "shard-a", "port": 80, "namespace": "blue"},
            {"name": "shard-a", "port": 80, "namespace": "green"},
            {"name": "web", "port": 80},
            {"name": "web", "port": 8080},
        ]
    },
)


@pytest.mark.parametrize(
    ("words", "rule", "found"),
    [
        (["infra/shard-a=50", "shard-b=50"], None, (0, {0: 50, 1: 50})),
        (["shard-b:80=0"], None, (0, {1: 0})),
        (["shard-b=5"], 0, (0, {1: 5})),
        (["green/shard-a=7"], None, (1, {1: 7})),
        (["infra/web:8080=7", "blue/shard-a:80=1"], None, (1, {3: 7, 0: 1})),
    ],
)
def test_weights_as_they_are_typed(words, rule, found):
    assert weight_args(SHOP, words, rule) == found


@pytest.mark.parametrize(
    ("words", "rule", "text"),
    [
        ([], None, "no weight is given"),
        (["shard-b"], None, "'shard-b' is no weight; write BACKEND=WEIGHT"),
        (["=5"], None, "'=5' is no weight"),
        (["shard-b=5%"], None, "'shard-b=5%' is no weight"),
        (["shard-b=-5"], None, "'shard-b=-5' is no weight"),
        (["shard-b=1000001"], None, "weight 1000001 is out of range"),
        (["shard-a=5"], None, "rules 0, 1 have these backends; add --rule N"),
        (["shard-a=5"], 1, "shard-a may be any of 2 backends of rule 1; name one of blue/shard-a:80, green/shard-a:80"),
        (["web=5"], None, "web may be any of 2 backends of rule 1; name one of infra/web:80, infra/web:8080"),
        (["nobody=5"], None, "no rule has nobody; the backends of this route are blue/shard-a, green/shard-a"),
        (["web=5"], 0, "rule 0 has no backend web; it has infra/shard-a:80, infra/shard-b:80"),
        (["shard-b=5"], 7, "there is no rule 7; it has rules 0 to 1"),
        (["shard-b=5", "infra/shard-b=6"], 0, "infra/shard-b is given two weights"),
    ],
)
def test_weights_that_nobody_can_mean(words, rule, text):
    assert text in said(weight_args, SHOP, words, rule)


NAMED = route(
    {"name": "a", "backendRefs": [{"name": "x", "port": 1}, {"name": "y", "port": 1}]}, {"name": "b"}, {"name": "c"}
)


def test_rules():
    assert names(edits.move_rule(NAMED, 2, 1)) == ["a", "c", "b"]
    assert names(edits.move_rule(NAMED, 0, 2)) == ["b", "c", "a"]
    assert names(edits.remove_rule(NAMED, 1)) == ["a", "c"]
    assert names(edits.add_rule(NAMED, {"name": "new"})) == ["a", "b", "c", "new"]
    assert names(edits.add_rule(NAMED, {"name": "new"}, at=1)) == ["a", "new", "b", "c"]
    copy = edits.copy_rule(NAMED, 0)
    assert names(copy) == ["a", None, "b", "c"]
    assert backends_of(rules_of(copy)[1]) == backends_of(rules_of(NAMED)[0])
    assert "there is no rule 3; it has rules 0 to 2" in said(edits.move_rule, NAMED, 1, 3)
    assert "there is no place 5 among 3 rules" in said(edits.add_rule, NAMED, {}, at=5)
    assert "delete the route instead" in said(edits.remove_rule, route({}), 0)


def test_backends():
    refs = [ref["name"] for ref in backends_of(rules_of(edits.add_backend(NAMED, 0, {"name": "z"}, at=1))[0])]
    assert refs == ["x", "z", "y"]
    assert [ref["name"] for ref in backends_of(rules_of(edits.move_backend(NAMED, 0, 0, 1))[0])] == ["y", "x"]
    assert [ref["name"] for ref in backends_of(rules_of(edits.remove_backend(NAMED, 0, 0))[0])] == ["y"]
    assert backends_of(rules_of(edits.add_backend(NAMED, 1, {"name": "z"}))[1]) == [{"name": "z"}]
    assert "rule 1 has no backend 0; it has 0 backends" in said(edits.remove_backend, NAMED, 1, 0)


def test_hostnames():
    document = route({}, hostnames=["a.test"])
    assert hostnames_of(request_edits.add_hostname(document, "b.test")) == ["a.test", "b.test"]
    assert "hostnames" not in request_edits.remove_hostname(document, "a.test")["spec"]
    assert "is there already" in said(request_edits.add_hostname, document, "a.test")
    assert "there is no hostname b.test; it has a.test" in said(request_edits.remove_hostname, document, "b.test")
    assert "a TCPRoute has no hostnames" in said(request_edits.set_hostnames, route({}, kind="TCPRoute"), ["a.test"])


def test_matches():
    one, two = {"method": "GET"}, {"method": "POST"}
    document = request_edits.set_matches(route({}), 0, [one])
    assert rules_of(request_edits.add_match(document, 0, two))[0]["matches"] == [one, two]
    assert rules_of(request_edits.replace_match(document, 0, 0, two))[0]["matches"] == [two]
    assert rules_of(request_edits.remove_match(request_edits.add_match(document, 0, two), 0, 0))[0]["matches"] == [two]
    assert "would take every request" in said(request_edits.remove_match, document, 0, 0)
    assert "rule 0 has no match 1; it has 1 matches" in said(request_edits.replace_match, document, 0, 1, two)
    assert "a TLSRoute has no matches" in said(request_edits.set_matches, route({}, kind="TLSRoute"), 0, [])


def test_filters_of_a_rule_and_of_a_backend():
    redirect = new_filter("RequestRedirect", {"scheme": "https"})
    document = request_edits.add_filter(NAMED, 0, redirect)
    assert rules_of(document)[0]["filters"] == [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]
    cors = new_filter("CORS", {"maxAge": 5})
    assert rules_of(request_edits.replace_filter(document, 0, 0, cors))[0]["filters"] == [cors]
    assert "filters" not in rules_of(request_edits.remove_filter(document, 0, 0))[0]
    document = request_edits.add_filter(NAMED, 0, cors, backend=1)
    assert backends_of(rules_of(document)[0])[1]["filters"] == [cors]
    assert request_edits.remove_filter(document, 0, 0, backend=1) == NAMED
    assert "rule 0 has no filter 0" in said(request_edits.remove_filter, document, 0, 0)
    assert "there is no filter Compress" in said(new_filter, "Compress", {})
    assert "a TCPRoute has no filters" in said(request_edits.add_filter, route({}, kind="TCPRoute"), 0, cors)


def test_timeouts():
    document = request_edits.set_timeouts(NAMED, 1, request="10s", backend_request="1s")
    assert rules_of(document)[1]["timeouts"] == {"request": "10s", "backendRequest": "1s"}
    assert rules_of(request_edits.set_timeouts(document, 1, request=""))[1]["timeouts"] == {"backendRequest": "1s"}
    assert request_edits.set_timeouts(document, 1, request="", backend_request="") == NAMED
    assert "a GRPCRoute has no timeouts" in said(
        request_edits.set_timeouts, route({}, kind="GRPCRoute"), 0, request="1s"
    )


@settings(max_examples=60, deadline=None)
@given(ROUTES, EDITS)
def test_no_edit_changes_what_it_was_given(document, chosen):
    kept = deepcopy(document)
    edited(document, chosen)
    assert document == kept
