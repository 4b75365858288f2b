"""What holds of every explanation, whatever the routes and the request are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.explain.contest import contest
from gwtui.explain.examples import example_of, of_rule
from gwtui.explain.expressions import full_match
from gwtui.explain.fitting import unfit
from gwtui.explain.precedence import order
from gwtui.explain.request import line_of, request_of
from gwtui.explain.terrain import Terrain
from gwtui.explain.virtual_hosts import VirtualHost
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.resources import HTTP_ROUTES
from tests.explain.clusters import CLUSTER, app, course, gateway, route, rule, to, view

Json = dict[str, Any]

PATHS = st.builds(
    lambda type_, value: {"path": {"type": type_, "value": value}},
    st.sampled_from(["Exact", "PathPrefix"]),
    st.sampled_from(["/", "/a", "/a/b", "/b"]),
) | st.builds(
    lambda value: {"path": {"type": "RegularExpression", "value": value}},
    st.sampled_from(["/a.*", "/[ab]/?", "/(?=a)a"]),
)
NAMED = st.lists(
    st.builds(lambda name, value: {"name": name, "value": value}, st.sampled_from("xy"), st.sampled_from("12")),
    max_size=2,
    unique_by=lambda each: each["name"],
)
MATCHES = st.builds(
    lambda path, headers, query, method: {
        **path,
        **({"headers": headers} if headers else {}),
        **({"queryParams": query} if query else {}),
        **({"method": method} if method else {}),
    },
    PATHS,
    NAMED,
    NAMED,
    st.sampled_from(["", "", "GET", "POST"]),
)
BACKENDS = st.lists(st.builds(to, st.sampled_from(["app", "empty", "gone", "shard"]), st.integers(0, 3)), max_size=3)
RULES = st.builds(
    lambda matches, backends: rule(*matches, to=backends), st.lists(MATCHES, min_size=1, max_size=3), BACKENDS
)
ROUTES = st.lists(
    st.tuples(
        st.lists(RULES, min_size=1, max_size=3),
        st.lists(st.sampled_from(["a.test", "*.test"]), max_size=2, unique=True),
        st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]),
        st.sampled_from([{}, {}, {"annotations": {"kgateway.dev/route-weight": "5"}}]),
    ),
    min_size=1,
    max_size=4,
)
LINES = st.builds(
    lambda method, path, query, headers: " ".join(
        (method, f"'http://a.test{path}{query}'", *(f"-H '{name}: {value}'" for name, value in headers))
    ),
    st.sampled_from(["GET", "POST"]),
    st.sampled_from(["/", "/a", "/a/", "/a/b", "/ab", "/b"]),
    st.sampled_from(["", "?x=1", "?x=2&y=1"]),
    st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from("12")), max_size=2, unique_by=lambda each: each[0]),
)


def made(routes: list[tuple[list[Json], list[str], str, Json]]) -> Any:
    own = [
        route("foo", f"r{number}", ["edge"], *rules, hosts=hosts, created=created, **meta)
        for number, (rules, hosts, created, meta) in enumerate(routes)
    ]
    back = route("foo", "back", ["shard"], rule({"path": {"type": "PathPrefix", "value": "/a"}}, to=[to("app")]))
    return view(gateway("edge"), gateway("shard"), app("foo", "app"), app("foo", "empty", 0, 1), *own, back)


@given(ROUTES, LINES)
def test_the_winner_is_the_first_candidate_that_fits(routes: list[Any], line: str) -> None:
    terrain, request = Terrain(made(routes)), request_of(line)
    place = terrain.hosts.serving(VirtualHost(GatewayKey(CLUSTER, "infra", "edge"), "port 80", request.host))
    if place is None:
        return
    candidates = terrain.hosts.candidates(place)
    found = contest(candidates, request, lambda *_: "")
    fitting = [each for each in sorted(candidates, key=order) if unfit(each.match, request) is None]
    told = found.winner and (found.winner.route, found.winner.rule_index, found.winner.match_index)
    assert told == ((fitting and (fitting[0].route, fitting[0].rule_index, fitting[0].match_index)) or None)
    # Every rule is told once: it wins, loses, does not fit, or cannot be told.
    rules = {each.rule for each in candidates}
    undecided = {(each.rule.route, each.rule.rule_index) for each in found.undecided}
    assert found.losers_total + found.misses_total + bool(found.winner) >= len(rules) - len(undecided) - len(
        [each for each in candidates if (gone := unfit(each.match, request)) is not None and not gone.is_certain]
    )


@given(ROUTES, LINES)
def test_every_request_ends_somewhere(routes: list[Any], line: str) -> None:
    found = course(made(routes), line, entry="infra/edge")
    assert sum(share for share, _, _, _ in found.first.ends) == pytest.approx(1.0)
    assert 0 <= found.wrong_share <= 1.000001
    for _, hop in found.hops:
        assert sum(branch.share for branch in hop.branches) == pytest.approx(1.0) or not hop.branches


@given(ROUTES)
def test_the_example_of_a_rule_fits_it(routes: list[Any]) -> None:
    terrain = Terrain(made(routes))
    for number, (rules, _, _, _) in enumerate(routes):
        for position in range(len(rules)):
            key = ObjectKey(CLUSTER, HTTP_ROUTES, "foo", f"r{number}")
            example = of_rule((terrain,), key, position)
            assert example is not None
            assert request_of(line_of(example)) == example
            matches = [
                each.match
                for place in terrain.hosts.of({key})
                for each in terrain.hosts.candidates(place)
                if each.rule == (key, position)
            ]
            doubts = [unfit(match, example) for match in matches]
            assert any(each is None or not each.is_certain for each in doubts)


@pytest.mark.parametrize("pattern", ["/api/v[0-9]+/.*", "/(a|bc)?d", "[^/]+", r"\d{3}", "(?i)X", "/x{2,5}", ".*"])
def test_the_example_of_an_expression_fits_it(pattern: str) -> None:
    assert full_match(pattern, example_of(pattern))


def test_there_is_no_example_of_what_cannot_be_read() -> None:
    assert example_of("(?=x)") == ""
