"""What becomes of a request behind the rule that takes it: filters, weights, missing backends, the next gateways."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gwtui.explain.course import Branch, End, Outcome
from gwtui.explain.terrain import ENDPOINT_SLICES
from gwtui.model import resources
from gwtui.model.snapshot import ClusterView
from gwtui.views.explain_verdict import verdict_of
from tests.explain.clusters import (
    GA,
    Json,
    app,
    course,
    explain,
    gateway,
    gateway_class,
    listener,
    path,
    policy,
    route,
    rule,
    service,
    to,
    view,
)

ANY = path("/")


def cluster(*rules: Json, more: list[Json | list[Json]] | None = None) -> ClusterView:
    own = route("foo", "r", ["edge"], *rules, hosts=["a.test"])
    return view(gateway("edge"), app("foo", "app"), own, *(more or []))


def ends(found: ClusterView, line: str) -> list[tuple[float, Outcome, int | None]]:
    return [(round(share, 3), end.outcome, end.status) for share, _, _, end in course(found, line).first.ends]


def only_end(found: ClusterView, line: str) -> End:
    ((_, _, _, end),) = course(found, line).first.ends
    return end


REWRITES = [
    ("/foo", "/xyz", "/foo/bar", "/xyz/bar"),
    ("/foo", "/xyz/", "/foo/bar", "/xyz/bar"),
    ("/foo/", "/xyz", "/foo/bar", "/xyz/bar"),
    ("/foo", "/xyz", "/foo", "/xyz"),
    ("/foo", "/xyz", "/foo/", "/xyz/"),
    ("/foo", "", "/foo/bar", "/bar"),
    ("/foo", "/", "/foo/bar", "/bar"),
    ("/foo", "", "/foo/", "/"),
    ("/foo", "", "/foo", "/"),
    ("/", "/xyz", "/bar", "/xyz/bar"),
]


@pytest.mark.parametrize(("prefix", "target", "asked", "sent"), REWRITES)
def test_a_rewritten_prefix_is_what_the_next_gateway_sees(prefix: str, target: str, asked: str, sent: str) -> None:
    rewrite = {
        "type": "URLRewrite",
        "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": target}},
    }
    found = view(
        gateway("edge"),
        gateway("shard"),
        app("foo", "app"),
        route("infra", "front", ["edge"], rule(path(prefix), to=[to("shard")], filters=[rewrite]), hosts=["a.test"]),
        route("foo", "r", ["shard"], rule(ANY, to=[to("app")]), hosts=["a.test"]),
    )
    (branch,) = course(found, f"a.test{asked}").first.branches
    assert branch.hop is not None
    assert branch.hop.request.path == sent


def test_host_and_headers_change_on_the_way() -> None:
    filters = [
        {"type": "URLRewrite", "urlRewrite": {"hostname": "inner.test"}},
        {
            "type": "RequestHeaderModifier",
            "requestHeaderModifier": {
                "set": [{"name": "X-Set", "value": "new"}],
                "add": [{"name": "x-add", "value": "more"}],
                "remove": ["x-gone"],
            },
        },
    ]
    own = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x-to", "value": "shard"}]}}
    found = view(
        gateway("edge"),
        gateway("shard"),
        app("foo", "app"),
        route(
            "infra", "front", ["edge"], rule(ANY, to=[to("shard", filters=[own])], filters=filters), hosts=["a.test"]
        ),
        route("foo", "r", ["shard"], rule(ANY, to=[to("app")]), hosts=["inner.test"]),
    )
    first = course(found, "a.test -H 'x-set: old' -H 'x-add: first' -H 'x-gone: 1'").first
    (branch,) = first.branches
    assert branch.hop is not None
    assert branch.hop.request.host == "inner.test"
    assert branch.hop.request.headers == (("x-add", "first"), ("x-set", "new"), ("x-add", "more"), ("x-to", "shard"))
    assert first.changes == (
        "rewrites the host to inner.test",
        "removes header x-gone",
        "sets header X-Set: new",
        "adds header x-add: more",
    )
    assert branch.changes == ("sets header x-to: shard",)
    assert branch.hop.contest is not None
    assert branch.hop.contest.winner is not None


REDIRECTS = [
    ({}, "http://a.test/x?q=1", 302, "http://a.test/x?q=1"),
    ({"scheme": "https", "statusCode": 301}, "http://a.test/x", 301, "https://a.test/x"),
    ({"hostname": "b.test"}, "http://a.test/x", 302, "http://b.test/x"),
    ({"port": 8443, "scheme": "https"}, "http://a.test/x", 302, "https://a.test:8443/x"),
    (
        {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/new"}},
        "http://a.test/x?q=1",
        302,
        "http://a.test/new?q=1",
    ),
    (
        {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/new"}},
        "http://a.test/x",
        302,
        "http://a.test/new/x",
    ),
]


@pytest.mark.parametrize(("redirect", "line", "status", "location"), REDIRECTS)
def test_a_redirect_is_an_answer_that_leads_on(redirect: Json, line: str, status: int, location: str) -> None:
    found = cluster(rule(ANY, filters=[{"type": "RequestRedirect", "requestRedirect": redirect}]))
    end = only_end(found, f"'{line}'")
    assert (end.outcome, end.status, end.location) == (Outcome.ANSWERED, status, location)
    assert explain(found, f"'{line}'").is_well


def test_a_direct_response_answers_and_a_missing_one_is_an_error() -> None:
    ref = {"type": "ExtensionRef", "extensionRef": {"group": "gateway.kgateway.dev", "kind": "DirectResponse"}}
    named = {**ref, "extensionRef": {**ref["extensionRef"], "name": "gone"}}  # type: ignore[dict-item]
    response = {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": "DirectResponse",
        "metadata": {"name": "gone", "namespace": "foo"},
        "spec": {"status": 410},
    }
    one = rule(ANY, filters=[named])
    assert only_end(cluster(one, more=[response]), "a.test").status == 410
    missing = only_end(cluster(one), "a.test")
    assert (missing.outcome, missing.status) == (Outcome.WRONG, 500)
    unread = view(
        gateway("edge"),
        route("foo", "r", ["edge"], one, hosts=["a.test"]),
        without=["directresponses.gateway.kgateway.dev"],
    )
    assert only_end(unread, "a.test").outcome is Outcome.UNKNOWN


WEIGHTS = [
    # An only backend gets everything, whatever its weight.
    ([to("app", 0)], [(1.0, Outcome.SERVED, None)]),
    ([to("app", 7)], [(1.0, Outcome.SERVED, None)]),
    ([to("app", 9), to("gone", 1)], [(0.9, Outcome.SERVED, None), (0.1, Outcome.WRONG, 500)]),
    ([to("app", 1), to("gone", 0)], [(1.0, Outcome.SERVED, None)]),
    ([to("app", 0), to("gone", 0)], [(1.0, Outcome.WRONG, 500)]),
    ([to("app", 1), to("empty", 3)], [(0.25, Outcome.SERVED, None), (0.75, Outcome.WRONG, 503)]),
    ([], [(1.0, Outcome.WRONG, 500)]),
    # A port the Service does not have.
    ([to("app", port=81)], [(1.0, Outcome.WRONG, 500)]),
    # Another namespace, and nobody granted it.
    ([to("app", namespace="bar")], [(1.0, Outcome.WRONG, 500)]),
]


@pytest.mark.parametrize(("backends", "expected"), WEIGHTS)
def test_every_backend_gets_its_share(backends: list[Json], expected: list[tuple[float, Outcome, int | None]]) -> None:
    found = cluster(rule(ANY, to=backends), more=[app("foo", "empty", 0, 2), app("bar", "app")])
    assert ends(found, "a.test") == expected


def test_a_grant_lets_a_route_use_another_namespace() -> None:
    grant = {
        "apiVersion": f"{GA}/v1beta1",
        "kind": "ReferenceGrant",
        "metadata": {"name": "g", "namespace": "bar"},
        "spec": {
            "from": [{"group": GA, "kind": "HTTPRoute", "namespace": "foo"}],
            "to": [{"group": "", "kind": "Service"}],
        },
    }
    found = cluster(rule(ANY, to=[to("app", namespace="bar")]), more=[app("bar", "app"), grant])
    assert ends(found, "a.test") == [(1.0, Outcome.SERVED, None)]


def test_endpoints_are_counted_and_where_they_are_not_read_that_is_said() -> None:
    one = rule(ANY, to=[to("some")])
    some = app("foo", "some", 2, 3)
    (branch,) = course(cluster(one, more=[some]), "a.test").first.branches
    assert (branch.ready, branch.total) == (2, 3)
    unread = view(gateway("edge"), some, route("foo", "r", ["edge"], one, hosts=["a.test"]), without=[ENDPOINT_SLICES])
    (branch,) = course(unread, "a.test").first.branches
    assert (branch.ready, branch.unknown) == (None, "EndpointSlices are not read")
    assert branch.end is not None
    assert branch.end.outcome is Outcome.SERVED


def test_a_service_that_is_not_read_may_be_there() -> None:
    found = view(gateway("edge"), route("foo", "r", ["edge"], rule(ANY, to=[to("app")]), hosts=["a.test"]))
    assert only_end(found, "a.test").outcome is Outcome.WRONG
    unread = replace(found, scopes={resources.SERVICES: frozenset({"infra"})})
    assert only_end(unread, "a.test").outcome is Outcome.UNKNOWN
    assert not explain(unread, "a.test").is_well


def shards(*, weights: tuple[int, int] = (90, 10), b_serves: bool = True) -> ClusterView:
    split = rule(ANY, to=[to("shard-a", weights[0]), to("shard-b", weights[1])])
    return view(
        gateway("edge"),
        gateway("shard-a"),
        gateway("shard-b"),
        app("foo", "cart", 3),
        route("infra", "front", ["edge"], split, hosts=["shop.test"]),
        route("foo", "cart", ["shard-a", *(["shard-b"] if b_serves else [])], rule(ANY, to=[to("cart")])),
    )


def test_every_branch_is_followed_with_its_share() -> None:
    found = course(shards(), "shop.test/cart")
    assert [(number, str(hop.gateway), hop.share) for number, hop in found.hops] == [
        ("1", "infra/edge", 1.0),
        ("2a", "infra/shard-a", 0.9),
        ("2b", "infra/shard-b", 0.1),
    ]
    assert verdict_of(found).sentence == "all of these requests reach foo/cart, 3 of 3 endpoints ready"


def test_a_shard_without_the_host_is_told_with_what_to_do() -> None:
    found = course(shards(b_serves=False), "shop.test/cart")
    told = verdict_of(found)
    assert round(found.wrong_share, 3) == 0.1
    assert told.sentence == "10% of these requests get 404: no route of infra/shard-b is for shop.test"
    assert told.fix == "attach foo/cart to infra/shard-b, or set the weight of infra/shard-b on infra/edge to 0"


def test_a_backend_without_weight_is_named_and_not_followed() -> None:
    first = course(shards(weights=(100, 0), b_serves=False), "shop.test/").first
    silent = first.branches[1]
    assert (silent.share, silent.hop, silent.note) == (0.0, None, "weight 0: it gets nothing")
    assert course(shards(weights=(100, 0), b_serves=False), "shop.test/").wrong_share == 0


def test_requests_that_go_round_are_told() -> None:
    found = view(
        gateway("edge"),
        gateway("back"),
        route("infra", "out", ["edge"], rule(ANY, to=[to("back")]), hosts=["a.test"]),
        route("infra", "in", ["back"], rule(ANY, to=[to("edge")]), hosts=["a.test"]),
    )
    told = verdict_of(course(found, "a.test", entry="infra/edge"))
    assert told.outcome is Outcome.WRONG
    assert "in a circle: infra/edge → infra/back → infra/edge" in told.sentence


def test_a_chain_that_never_repeats_is_followed_eight_gateways_deep() -> None:
    add = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"add": [{"name": "x-more", "value": "1"}]}}
    found = view(
        gateway("edge"),
        gateway("back"),
        route("infra", "out", ["edge"], rule(ANY, to=[to("back")], filters=[add]), hosts=["a.test"]),
        route("infra", "in", ["back"], rule(ANY, to=[to("edge")]), hosts=["a.test"]),
    )
    told = course(found, "a.test", entry="infra/edge")
    assert len(told.hops) == 8
    assert told.unknown_share == 1.0
    assert "more than 8 gateways deep" in verdict_of(told).sentence


def test_a_bush_of_branches_is_bounded() -> None:
    names = [f"g{each}" for each in range(12)]
    everyone = rule(ANY, to=[to(name) for name in names])
    change = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"add": [{"name": "x-more", "value": "1"}]}}
    found = view(
        *(gateway(name) for name in names),
        route("infra", "all", names, {**everyone, "filters": [change]}, hosts=["a.test"]),
    )
    told = course(found, "a.test", entry="infra/g0")
    assert len(told.hops) <= 64
    assert told.wrong_share + told.unknown_share == pytest.approx(1.0)


def test_a_port_nobody_listens_on_is_an_error_between_gateways() -> None:
    found = view(
        gateway("edge"),
        [
            *gateway("shard", listener(port=8080))[:1],
            service("infra", "shard", 80, labels={f"{GA}/gateway-name": "shard"}),
        ],
        route("infra", "front", ["edge"], rule(ANY, to=[to("shard")]), hosts=["a.test"]),
    )
    (branch,) = course(found, "a.test").first.branches
    assert branch.hop is not None
    assert branch.hop.end is not None
    assert (branch.hop.end.status, "no listener on port 80" in branch.hop.end.words) == (503, True)


def test_timeouts_are_told_by_tier() -> None:
    found = view(
        gateway("edge"),
        gateway("shard"),
        app("foo", "app"),
        route("infra", "front", ["edge"], rule(ANY, to=[to("shard")], timeouts={"request": "1m"}), hosts=["a.test"]),
        route("foo", "r", ["shard"], rule(ANY, to=[to("app")]), hosts=["a.test"]),
    )
    hops = course(found, "a.test").hops
    assert [(hop.timeout.seconds, hop.timeout.source) for _, hop in hops if hop.timeout] == [
        (60.0, "timeouts.request"),
        (15.0, "Envoy's default"),
    ]


def test_policies_that_may_decide_otherwise_are_named() -> None:
    target = {"group": GA, "kind": "HTTPRoute", "name": "r"}
    auth = policy("foo", "auth", target, extAuth={"extensionRef": {"name": "x"}}, timeouts={"request": "3s"})
    off = policy("foo", "off", target, extAuth={"disable": {}})
    found = course(cluster(rule(ANY, to=[to("app")]), more=[auth, off]), "a.test")
    assert [(each.policy, each.what) for each in found.first.reservations] == [("foo/auth", "extAuth")]
    assert found.first.timeout is not None
    assert (found.first.timeout.seconds, found.first.timeout.source) == (3.0, "TrafficPolicy foo/auth")
    assert "unless TrafficPolicy foo/auth (extAuth) decides otherwise" in verdict_of(found).sentence


def test_a_request_that_a_policy_changes_may_take_another_way_after_it() -> None:
    target = {"group": GA, "kind": "Gateway", "name": "edge"}
    change = policy("infra", "t", target, transformation={"request": {"set": [{"name": ":path", "value": "/x"}]}})
    found = course(cluster(rule(ANY, to=[to("app")]), more=[change]), "a.test")
    assert [each.changes_request for each in found.first.reservations] == [True]


def tls(namespace: str, name: str, host: str, backend: str) -> Json:
    return route(namespace, name, ["edge"], {"backendRefs": [to(backend, port=443)]}, hosts=[host], kind="TLSRoute")


def test_a_passthrough_connection_goes_where_its_server_name_leads() -> None:
    through = listener("tls", 443, "TLS", tls={"mode": "Passthrough"})
    found = view(
        gateway("edge", through),
        app("foo", "one", port=443),
        app("foo", "two", port=443),
        tls("foo", "one", "one.test", "one"),
        tls("foo", "wide", "*.test", "two"),
    )
    first = course(found, "https://one.test/any/path").first
    assert [branch.backend for branch in first.branches] == ["Service foo/one:443"]
    assert [branch.backend for branch in course(found, "https://other.test/").first.branches] == ["Service foo/two:443"]
    refused = course(found, "https://other.example/", entry="infra/edge").first.end
    assert refused is not None
    assert refused.status is None


def test_a_tls_listener_is_chosen_by_the_name_of_the_handshake() -> None:
    def secure(name: str, host: str) -> Json:
        return listener(name, 443, "HTTPS", hostname=host, tls={"certificateRefs": [{"name": "c"}]})

    found = view(
        gateway("edge", secure("wide", "*.test"), secure("exact", "a.test")),
        app("foo", "app"),
        route("foo", "r", ["edge"], rule(ANY, to=[to("app")]), hosts=["a.test", "b.test"]),
    )
    assert course(found, "https://a.test/").first.listeners[0].name == "exact"
    assert course(found, "https://b.test/").first.listeners[0].name == "wide"
    # The handshake asks for one name, the request for another: the listener's own routes count.
    mixed = course(found, "https://a.test/ -H 'Host: b.test'", entry="infra/edge").first
    assert (mixed.listeners[0].name, mixed.end.status if mixed.end else None) == ("exact", 404)
    plain = course(found, "http://a.test:443/", entry="infra/edge").first.end
    assert plain is not None
    assert (plain.status, "no listener takes http on port 443" in plain.words) == (None, True)


def test_a_tcp_route_takes_whatever_comes() -> None:
    found = view(
        gateway("edge", listener("raw", 9000, "TCP")),
        app("foo", "db", port=5432),
        route("foo", "db", ["edge"], {"backendRefs": [to("db", port=5432)]}, kind="TCPRoute"),
    )
    first = course(found, "tcp://anything:9000").first
    assert [branch.backend for branch in first.branches] == ["Service foo/db:5432"]


def test_another_implementation_is_named() -> None:
    found = view(
        gateway_class("istio", "istio.io/gateway-controller"),
        gateway("edge", class_name="istio"),
        app("foo", "app"),
        {
            **route("foo", "r", ["edge"], rule(ANY, to=[to("app", 0)]), hosts=["a.test"]),
            "status": {},
        },
    )
    told = course(found, "a.test", entry="infra/edge")
    assert any("istio runs it" in note for note in told.first.notes)
    assert not told.first.route_config


def test_a_refused_listener_takes_nothing() -> None:
    conflicted = {"type": "Conflicted", "status": "True", "reason": "HostnameConflict"}
    found = view(
        gateway("edge", listener("bad"), status={"listeners": [{"name": "bad", "conditions": [conflicted]}]}),
        app("foo", "app"),
        route("foo", "r", ["edge"], rule(ANY, to=[to("app")]), hosts=["a.test"]),
    )
    first = course(found, "a.test", entry="infra/edge").first
    assert first.end is not None
    assert any("listener bad is not in force: Conflicted=True (HostnameConflict)" in note for note in first.notes)


def test_copies_are_told_and_not_followed() -> None:
    mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "copy", "port": 80}, "percent": 5}}
    first = course(cluster(rule(ANY, to=[to("app")], filters=[mirror])), "a.test").first
    assert first.copies == ("Service foo/copy:80 gets copies (5%)",)
    assert len(first.branches) == 1


def test_the_path_is_read_as_proxies_read_it() -> None:
    found = cluster(rule(path("/admin"), to=[to("app")]), rule(ANY, to=[]))
    contest = course(found, "a.test//x/../admin").first.contest
    assert contest is not None
    assert contest.winner is not None
    assert contest.winner.rule_index == 0


def test_no_gateway_at_all_is_said() -> None:
    found = explain(view(), "a.test")
    assert (found.courses, found.is_well, found.notes) == (
        (),
        False,
        ("there is no gateway that clients can enter by",),
    )


def test_shares_of_all_ends_add_up() -> None:
    for made in (shards(), shards(b_serves=False), shards(weights=(1, 2))):
        assert sum(share for share, _, _, _ in course(made, "shop.test/").first.ends) == pytest.approx(1.0)


def test_a_branch_ends_or_goes_on() -> None:
    def check(branches: tuple[Branch, ...]) -> None:
        for branch in branches:
            assert (branch.end is None) != (branch.hop is None) or not branch.share
            if branch.hop is not None:
                assert (branch.hop.end is None) != (not branch.hop.branches)
                check(branch.hop.branches)

    check(course(shards(), "shop.test/").first.branches)
    check(course(shards(b_serves=False), "shop.test/").first.branches)
