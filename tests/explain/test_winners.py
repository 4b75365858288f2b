"""Which rule takes a request: hostnames first, then the order of matches, over all routes of a virtual host."""

from __future__ import annotations

import pytest

from gwtui.views.explain_verdict import verdict_of
from tests.explain.clusters import (
    app,
    course,
    explain,
    gateway,
    listener,
    parent,
    path,
    route,
    rule,
    to,
    view,
    winner,
)

APP = app("foo", "app")
HERE = [to("app")]


def headers(*names: str) -> dict[str, object]:
    return {"headers": [{"name": name, "value": "1"} for name in names]}


def query(*names: str) -> dict[str, object]:
    return {"queryParams": [{"name": name, "value": "1"} for name in names]}


def test_the_most_specific_path_wins_whatever_the_order_of_rules() -> None:
    cluster = view(
        gateway("edge"),
        APP,
        route(
            "foo",
            "r",
            ["edge"],
            rule(path("/"), to=HERE),
            rule(path("/a"), to=HERE),
            rule(path("/a/b"), to=HERE),
            rule(path("/a/b", "Exact"), to=HERE),
            rule(path("/a/[bc]/?", "RegularExpression"), to=HERE),
            hosts=["a.test"],
        ),
    )
    found = {each: winner(cluster, f"http://a.test{each}") for each in ("/x", "/a/x", "/a/b/x", "/a/b", "/a/c", "/ab")}
    assert found == {
        "/x": "foo/r:0",
        "/a/x": "foo/r:1",
        "/a/b/x": "foo/r:2",
        "/a/b": "foo/r:3",
        "/a/c": "foo/r:4",
        "/ab": "foo/r:0",
    }


@pytest.mark.parametrize(
    ("better", "worse", "line", "why"),
    [
        ({"method": "GET"}, headers("a", "b"), "http://a.test/ -H 'a: 1' -H 'b: 1'", "it names a method"),
        (headers("a", "b"), headers("c"), "a.test -H 'a: 1' -H 'b: 1' -H 'c: 1'", "it matches more headers"),
        (headers("a"), query("q", "r"), "'http://a.test/?q=1&r=1' -H 'a: 1'", "it matches more headers"),
        (query("q", "r"), query("s"), "'http://a.test/?q=1&r=1&s=1'", "it matches more query parameters"),
        (path("/longer"), {**path("/"), **headers("a")}, "a.test/longer -H 'a: 1'", "its path is longer"),
        (path("/a", "Exact"), path("/a"), "a.test/a", "its kind of path is more exact"),
    ],
)
def test_of_two_that_fit_the_more_exact_one_wins(
    better: dict[str, object], worse: dict[str, object], line: str, why: str
) -> None:
    cluster = view(
        gateway("edge"),
        APP,
        route("foo", "a-worse", ["edge"], rule(worse, to=HERE), hosts=["a.test"], created="2025-01-01T00:00:00Z"),
        route("foo", "z-better", ["edge"], rule(better, to=HERE), hosts=["a.test"]),
    )
    found = course(cluster, line).first.contest
    assert found is not None
    assert found.winner is not None
    assert found.winner.route.name == "z-better"
    assert [(each.rule.route.name, each.why) for each in found.losers] == [("a-worse", why)]


def test_between_equal_matches_age_then_name_then_place_decides() -> None:
    def cluster(first: str, second: str) -> str:
        made = view(
            gateway("edge"),
            APP,
            route("foo", "b", ["edge"], rule(path("/"), to=HERE), hosts=["a.test"], created=first),
            route("bar", "c", ["edge"], rule(path("/"), to=HERE), hosts=["a.test"], created=second),
        )
        return winner(made, "a.test")

    assert cluster("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z") == "foo/b:0"
    assert cluster("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z") == "bar/c:0"
    assert cluster("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z") == "bar/c:0"
    twice = view(
        gateway("edge"),
        APP,
        route("foo", "r", ["edge"], rule(path("/"), to=HERE), rule(path("/"), to=HERE), hosts=["a.test"]),
    )
    assert winner(twice, "a.test") == "foo/r:0"


HOSTS = [
    # (hostnames of listener, hostnames of routes by name, host asked for, who takes it)
    ("", {"any": [], "exact": ["a.test"]}, "a.test", "exact"),
    ("", {"any": [], "exact": ["a.test"]}, "b.test", "any"),
    ("", {"wide": ["*.test"], "near": ["*.a.test"]}, "x.a.test", "near"),
    ("", {"wide": ["*.test"], "near": ["*.a.test"]}, "x.b.test", "wide"),
    ("", {"wide": ["*.test"]}, "deep.down.a.test", "wide"),
    ("", {"wide": ["*.a.test"]}, "a.test", ""),
    ("*.test", {"any": []}, "x.test", "any"),
    ("*.test", {"any": []}, "x.other", ""),
    ("*.test", {"inside": ["a.test"], "outside": ["a.other"]}, "a.test", "inside"),
    ("a.test", {"wide": ["*.test"]}, "a.test", "wide"),
    ("a.test", {"wide": ["*.test"]}, "b.test", ""),
    ("a.test", {"other": ["b.test"]}, "b.test", ""),
    ("", {"exact": ["a.test"]}, "A.TEST", "exact"),
]


@pytest.mark.parametrize(("own", "routes", "host", "expected"), HOSTS)
def test_hostnames_of_listener_and_route_meet(own: str, routes: dict[str, list[str]], host: str, expected: str) -> None:
    cluster = view(
        gateway("edge", listener(**({"hostname": own} if own else {}))),
        APP,
        *(route("foo", name, ["edge"], rule(path("/"), to=HERE), hosts=hosts) for name, hosts in routes.items()),
    )
    assert winner(cluster, f"http://{host}/", entry="infra/edge") == (f"foo/{expected}:0" if expected else "")


def test_once_a_hostname_is_chosen_no_other_is_tried() -> None:
    cluster = view(
        gateway("edge"),
        APP,
        route("foo", "exact", ["edge"], rule(path("/only"), to=HERE), hosts=["a.test"]),
        route("foo", "wide", ["edge"], rule(path("/"), to=HERE), hosts=["*.test"]),
    )
    first = course(cluster, "a.test/other").first
    assert first.end is not None
    assert (first.end.status, first.host) == (404, "a.test")
    assert first.contest is not None
    assert [each.why for each in first.contest.misses] == ["path /other is not below /only"]


def test_routes_of_other_namespaces_compete_with_each_other() -> None:
    cluster = view(
        gateway("edge"),
        APP,
        app("bar", "app"),
        route("foo", "site", ["edge"], rule(path("/"), to=HERE), hosts=["a.test"]),
        route("bar", "api", ["edge"], rule(path("/api"), to=HERE), hosts=["a.test"]),
    )
    assert winner(cluster, "a.test/api/x") == "bar/api:0"
    assert winner(cluster, "a.test/x") == "foo/site:0"


def test_a_route_is_on_the_listener_it_names_alone() -> None:
    own = [listener("a", 80, hostname="a.test"), listener("b", 80, hostname="b.test")]
    cluster = view(
        gateway("edge", *own),
        APP,
        route("foo", "r", [parent("edge", "a")], rule(path("/"), to=HERE), hosts=["a.test", "b.test"]),
    )
    assert winner(cluster, "a.test", entry="infra/edge") == "foo/r:0"
    first = course(cluster, "b.test", entry="infra/edge").first
    assert first.end is not None
    assert first.end.status == 404
    assert any("foo/r is for b.test and is on infra/edge" in note for note in first.notes)


def test_a_listener_takes_routes_of_the_namespaces_it_allows() -> None:
    own = listener(allowedRoutes={"namespaces": {"from": "Same"}})
    cluster = view(
        gateway("edge", own),
        app("infra", "app"),
        APP,
        route("infra", "own", ["edge"], rule(path("/"), to=HERE), hosts=["own.test"]),
    )
    assert winner(cluster, "own.test") == "infra/own:0"


def test_another_port_has_other_routes() -> None:
    cluster = view(
        gateway("edge", listener("one", 80), listener("two", 8080)),
        APP,
        route("foo", "one", [parent("edge", "one")], rule(path("/"), to=HERE)),
        route("foo", "two", [parent("edge", "two")], rule(path("/"), to=HERE)),
    )
    assert winner(cluster, "http://a.test/") == "foo/one:0"
    assert winner(cluster, "http://a.test:8080/") == "foo/two:0"
    first = course(cluster, "http://a.test:9999/").first
    assert any("nothing listens on port 9999" in note for note in first.notes)


def test_route_weights_come_first_where_they_are_heeded_and_that_is_said() -> None:
    heavy = {"annotations": {"kgateway.dev/route-weight": "10"}}
    cluster = view(
        gateway("edge"),
        APP,
        route("foo", "broad", ["edge"], rule(path("/"), to=HERE), hosts=["a.test"], **heavy),
        route("foo", "exact", ["edge"], rule(path("/x", "Exact"), to=HERE), hosts=["a.test"]),
    )
    found = course(cluster, "a.test/x").first.contest
    assert found is not None
    assert found.winner is not None
    assert found.by_weight is not None
    assert (found.winner.route.name, found.by_weight.route.name, found.is_certain) == ("broad", "exact", False)


def test_an_expression_that_cannot_be_read_leaves_the_winner_open() -> None:
    cluster = view(
        gateway("edge"),
        APP,
        route("foo", "odd", ["edge"], rule(path("/(?=x).*", "RegularExpression"), to=HERE), hosts=["a.test"]),
        route("foo", "site", ["edge"], rule(path("/"), to=HERE), hosts=["a.test"]),
    )
    found = course(cluster, "a.test/x").first.contest
    assert found is not None
    assert found.winner is not None
    assert (found.winner.route.name, found.is_certain) == ("site", False)
    assert [each.rule.route.name for each in found.undecided] == ["odd"]
    assert "cannot be told" in found.undecided[0].why
    told = course(cluster, "a.test/x")
    assert (told.unknown_share, explain(cluster, "a.test/x").is_well) == (1.0, False)
    assert verdict_of(told).sentence.startswith("whether /x fits the expression /(?=x).* cannot be told")


def test_grpc_routes_take_calls_by_service_and_method() -> None:
    def call(service: str, method: str = "") -> dict[str, object]:
        return {"method": {"service": service, **({"method": method} if method else {})}}

    cluster = view(
        gateway("edge"),
        APP,
        route(
            "foo",
            "calls",
            ["edge"],
            rule(call("shop.Cart"), to=HERE),
            rule(call("shop.Cart", "Get"), to=HERE),
            hosts=["a.test"],
            kind="GRPCRoute",
        ),
    )
    assert winner(cluster, "grpc://a.test/shop.Cart/Get") == "foo/calls:1"
    assert winner(cluster, "grpc://a.test/shop.Cart/Put") == "foo/calls:0"
    assert winner(cluster, "grpc://a.test/shop.Carts/Get") == ""


def test_children_take_what_their_parent_delegates() -> None:
    below = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "child", "namespace": "team"}
    cluster = view(
        gateway("edge"),
        app("team", "app"),
        route("foo", "top", ["edge"], rule(path("/team"), to=[below]), hosts=["a.test"]),
        route("team", "child", [], rule(path("/team/a"), to=HERE), rule(path("/elsewhere"), to=HERE)),
    )
    found = course(cluster, "a.test/team/a/x").first.contest
    assert found is not None
    assert found.winner is not None
    assert (found.winner.route.name, found.winner.rule_index) == ("child", 0)
    assert [key.name for key in found.winner.via] == ["top"]
    lost = course(cluster, "a.test/team/b").first.end
    assert lost is not None
    assert (lost.status, lost.words) == (404, "rule 0 of foo/top delegates it to team/child, where no rule takes it")


def test_a_delegation_to_nobody_answers_500() -> None:
    below = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "gone", "namespace": "team"}
    cluster = view(gateway("edge"), route("foo", "top", ["edge"], rule(path("/team"), to=[below]), hosts=["a.test"]))
    lost = course(cluster, "a.test/team/b").first.end
    assert lost is not None
    assert (lost.status, "does not exist" in lost.words) == (500, True)


def test_many_losers_and_misses_are_counted_and_few_are_named() -> None:
    rules = [rule(path(f"/p{number}"), to=HERE) for number in range(16)]
    routes = [route("foo", f"r{each}", ["edge"], *rules, hosts=["a.test"]) for each in range(4)]
    found = course(view(gateway("edge"), APP, *routes), "a.test/p0").first.contest
    assert found is not None
    assert (found.losers_total, found.misses_total) == (3, 60)
    assert len(found.misses) == 12


def test_two_front_doors_that_may_take_it_are_both_told() -> None:
    cluster = view(
        gateway("a"), gateway("b"), APP, route("foo", "r", ["a", "b"], rule(path("/"), to=HERE), hosts=["a.test"])
    )
    found = explain(cluster, "a.test")
    assert [str(each.first.gateway) for each in found.courses] == ["infra/a", "infra/b"]
    assert "infra/a and infra/b may take it" in found.notes[0]
    assert len(explain(cluster, "a.test", entry="infra/b").courses) == 1


def test_the_front_door_with_a_route_for_the_host_is_found_among_others() -> None:
    cluster = view(
        gateway("a"), gateway("b"), APP, route("foo", "r", ["b"], rule(path("/"), to=HERE), hosts=["a.test"])
    )
    assert str(course(cluster, "a.test").first.gateway) == "infra/b"


def test_a_hostname_that_is_written_much_like_a_known_one_is_told() -> None:
    cluster = view(
        gateway("edge"), APP, route("foo", "r", ["edge"], rule(path("/"), to=HERE), hosts=["shop.example.com"])
    )
    assert course(cluster, "shpo.example.com").first.notes == ("it has routes for shop.example.com",)
