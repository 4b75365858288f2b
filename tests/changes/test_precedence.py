"""Which match is tried first, and what two matches have in common."""

from __future__ import annotations

import random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from changing import CLUSTER, EDGE, GA, NEW, OLD, Document, fleet, key_of, ref, route, rule, snapshot_of
from gwtui.explain.matching import Overlap, as_http, covers, overlap, words_of
from gwtui.explain.precedence import Candidate, Link, host_order, order, reason, takes_host
from gwtui.explain.virtual_hosts import VirtualHost, VirtualHosts
from gwtui.model.gateway_api import GrpcMatch, GrpcMethod, HttpMatch, PathMatch, ValueMatch
from gwtui.model.ids import ObjectKey
from gwtui.model.relations.inventory import Inventory
from gwtui.model.topology import relate
from gwtui.playground.translation.precedence import Candidate as EnvoyCandidate
from gwtui.playground.translation.precedence import precedence as envoy_order
from objects import GOLDEN, decode


def match(path: str = "/", **more: Any) -> HttpMatch:
    kind = {"=": "Exact", "~": "RegularExpression"}.get(path[0], "PathPrefix")
    return HttpMatch(path=PathMatch(type=kind, value=path.lstrip("=~")), **more)


def header(name: str = "x", value: str = "1", kind: str = "Exact") -> tuple[ValueMatch, ...]:
    return (ValueMatch(name=name, value=value, type=kind),)


def candidate(
    asked: HttpMatch, *, name: str = "b", created: str = OLD, rule_index: int = 0, match_index: int = 0, weight: int = 0
) -> Candidate:
    key = ObjectKey(CLUSTER, f"httproutes.{GA}", "infra", name)
    return Candidate(
        chain=(Link(key=key, created=created),),
        rule_index=rule_index,
        match_index=match_index,
        match=asked,
        weight=weight,
    )


IN_ORDER = [
    (candidate(match("/"), weight=5), "its route weight is larger"),
    (candidate(match("=/a/long")), "its path is longer"),
    (candidate(match("=/a")), "its kind of path is more exact"),
    (candidate(match("~/a.*/very/long/expression"), name="a"), "its name comes first"),
    (candidate(match("~/a.*")), "its kind of path is more exact"),
    (candidate(match("/a/b/c")), "its path is longer"),
    (candidate(match("/a/b", method="GET")), "it names a method"),
    (candidate(match("/a/b", headers=header() + header("y"))), "it matches more headers"),
    (candidate(match("/a/b", headers=header(), query_params=header("q"))), "it matches more query parameters"),
    (candidate(match("/a/b", headers=header())), "it matches more headers"),
    (candidate(match("/a/b", query_params=header())), "it matches more query parameters"),
    (candidate(match("/a/b"), name="z", created=OLD), "it is older"),
    (candidate(match("/a/b"), name="a", created=NEW), "its name comes first"),
    (candidate(match("/a/b"), name="b", created=NEW), "it stands before it"),
    (candidate(match("/a/b"), name="b", created=NEW, match_index=1), "it stands before it"),
    (candidate(match("/a/b"), name="b", created=NEW, rule_index=1), "its path is longer"),
    (candidate(match("/"), name="a"), ""),
]


def test_the_order_of_the_gateway_api_and_of_kgateway():
    expected = [each for each, _ in IN_ORDER]
    shuffled = random.Random(7).sample(expected, len(expected))
    assert sorted(shuffled, key=order) == expected


@pytest.mark.parametrize("position", range(len(IN_ORDER) - 1))
def test_why_one_is_tried_before_the_next(position):
    (winner, why), (loser, _) = IN_ORDER[position : position + 2]
    assert reason(winner, loser) == why


def test_route_weights_count_only_where_they_are_heeded():
    heavy, exact = candidate(match("/"), weight=5), candidate(match("=/a"))
    assert order(heavy) < order(exact)
    assert order(heavy, weighted=False) > order(exact, weighted=False)
    assert reason(exact, heavy, weighted=False) == "its kind of path is more exact"


PATHS = st.sampled_from(["/", "/a", "/a/", "/a/b", "/ab", "=/a", "=/a/b", "=/", "~/a.*", "~/b", "~/.*"])
VALUES = st.lists(
    st.builds(ValueMatch, name=st.sampled_from("xy"), value=st.sampled_from("12")), max_size=2, unique=True
).map(tuple)
MATCHES = st.builds(
    match,
    PATHS,
    headers=VALUES,
    query_params=VALUES,
    method=st.sampled_from(["", "GET", "POST"]),
)
CANDIDATES = st.builds(
    candidate,
    MATCHES,
    name=st.sampled_from("abc"),
    created=st.sampled_from([OLD, NEW]),
    rule_index=st.integers(0, 2),
    match_index=st.integers(0, 2),
    weight=st.integers(0, 1),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(CANDIDATES, min_size=2, max_size=6, unique_by=lambda each: (each.rule, each.match_index)))
def test_precedence_is_a_strict_total_order(found):
    # A route has one age.
    ages = {each.route: each.chain for each in found}
    same = [
        Candidate(
            chain=ages[each.route],
            rule_index=each.rule_index,
            match_index=each.match_index,
            match=each.match,
            weight=each.weight,
        )
        for each in found
    ]
    keys = [order(each) for each in same]
    assert len(set(keys)) == len(keys)
    for one in same:
        for other in same:
            assert (order(one) < order(other)) == (not order(other) <= order(one))


@settings(max_examples=50, deadline=None)
@given(st.lists(CANDIDATES, min_size=2, max_size=8, unique_by=lambda each: (each.rule, each.match_index)))
def test_unweighted_it_is_the_order_in_which_proxies_get_them(found):
    assert [id(each) for each in sorted(found, key=lambda each: order(each, weighted=False))] == [
        id(each) for each in sorted(found, key=lambda each: envoy_order(as_envoy(each)))
    ]


def as_envoy(each: Candidate) -> EnvoyCandidate:
    asked: dict[str, Any] = {"path": {"type": each.match.path.type, "value": each.match.path.value}}
    asked |= {"method": each.match.method} if each.match.method else {}
    asked |= {"headers": [{"name": value.name} for value in each.match.headers]}
    asked |= {"queryParams": [{"name": value.name} for value in each.match.query_params]}
    meta = {"namespace": each.route.namespace, "name": each.route.name, "creationTimestamp": each.chain[0].created}
    return EnvoyCandidate({"metadata": meta}, each.rule_index, each.match_index, asked)


@pytest.mark.parametrize(
    ("wide", "narrow", "is_covered"),
    [
        (match("/"), match("=/a"), True),
        (match("/"), match("~/a.*"), True),
        (match("/a"), match("/a"), True),
        (match("/a"), match("/a/b"), True),
        (match("/a/"), match("/a"), True),
        (match("/a"), match("=/a"), True),
        (match("/a"), match("=/a/"), True),
        (match("/a"), match("/ab"), False),
        (match("/a"), match("=/ab"), False),
        (match("/a"), match("/"), False),
        (match("/a"), match("~/a/.*"), True),
        (match("/a"), match("~/a.*"), False),
        (match("/a"), match("~/(a|b)/x"), False),
        (match("=/a"), match("=/a"), True),
        (match("=/a"), match("/a"), False),
        (match("~/a.*"), match("~/a.*"), True),
        (match("~/a.*"), match("=/ab"), False),
        (match("~/.*"), match("/a"), True),
        (match("/a"), match("/a", method="GET"), True),
        (match("/a", method="GET"), match("/a"), False),
        (match("/a", headers=header()), match("/a", headers=header() + header("y")), True),
        (match("/a", headers=header("X")), match("/a", headers=header("x")), True),
        (match("/a", headers=header()), match("/a", headers=header(value="2")), False),
        (match("/a", headers=header()), match("/a"), False),
        (match("/a", query_params=header()), match("/a/b", query_params=header()), True),
        (match("/a", query_params=header("Q")), match("/a", query_params=header("q")), False),
    ],
)
def test_what_covers_what(wide, narrow, is_covered):
    assert covers(wide, narrow) is is_covered


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (match("/a"), match("/a/b"), Overlap.CERTAIN),
        (match("/a"), match("/b"), Overlap.NONE),
        (match("/a"), match("/ab"), Overlap.NONE),
        (match("=/a"), match("=/b"), Overlap.NONE),
        (match("=/a/x"), match("/a"), Overlap.CERTAIN),
        (match("~/a.*"), match("=/b"), Overlap.NONE),
        (match("~/a.*"), match("=/ab"), Overlap.POSSIBLE),
        (match("~/api/v[0-9]+"), match("/api"), Overlap.CERTAIN),
        (match("~/api/v[0-9]+"), match("/api/v2"), Overlap.POSSIBLE),
        (match("~/api/v[0-9]+"), match("/cart"), Overlap.NONE),
        (match("~/ab?c"), match("=/ac"), Overlap.POSSIBLE),
        (match("~/(cart|shop)"), match("/shop"), Overlap.POSSIBLE),
        (match("~/a|/b"), match("=/b"), Overlap.POSSIBLE),
        (match("~/a.*"), match("~/b.*"), Overlap.NONE),
        (match("~/a.*"), match("~/ab.*"), Overlap.POSSIBLE),
        (match("/a", method="GET"), match("/a", method="POST"), Overlap.NONE),
        (match("/a", method="GET"), match("/a"), Overlap.CERTAIN),
        (match("/a", headers=header()), match("/a", headers=header(value="2")), Overlap.NONE),
        (match("/a", headers=header()), match("/a", headers=header("y")), Overlap.CERTAIN),
        (match("/a", headers=header()), match("/a", headers=header("X", "2", "RegularExpression")), Overlap.POSSIBLE),
        (match("/a", query_params=header()), match("/a", query_params=header(value="2")), Overlap.NONE),
    ],
)
def test_what_two_matches_have_in_common(one, other, expected):
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


@settings(max_examples=50, deadline=None)
@given(MATCHES, MATCHES)
def test_what_is_covered_is_in_common(one, other):
    assert covers(one, one)
    assert overlap(one, other) is overlap(other, one)
    if covers(one, other) and overlap(other, other):
        assert overlap(one, other) is Overlap.CERTAIN


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (None, match("/")),
        (GrpcMethod(service="shop.Cart", method="Get"), match("=/shop.Cart/Get")),
        (GrpcMethod(service="shop.Cart"), match("/shop.Cart/")),
        (GrpcMethod(method="Get"), match("~/[^/]+/Get")),
        (GrpcMethod(type="RegularExpression", service="shop[.].*"), match("~/shop[.].*/[^/]+")),
    ],
)
def test_a_grpc_match_is_a_match_of_paths(method, path):
    assert as_http(GrpcMatch(method=method, headers=header())) == HttpMatch(path=path.path, headers=header())


def test_a_match_in_words():
    assert words_of(match("/cart")) == "/cart"
    asked = match("=/cart", method="GET", headers=header("x-canary"), query_params=header("q"))
    assert words_of(asked) == "GET = /cart + header x-canary + query q"


def test_hostnames_from_the_most_specific_to_any():
    hosts = ["*", "*.com", "shop.example.com", "*.example.com", "a.io"]
    assert sorted(hosts, key=host_order) == ["shop.example.com", "a.io", "*.example.com", "*.com", "*"]
    assert takes_host("*.example.com", "a.b.example.com")
    assert not takes_host("*.example.com", "example.com")
    assert takes_host("*.com", "*.example.com")
    assert not takes_host("*.example.com", "*.com")


def hosts_of(*manifests: Document, listener: dict[str, Any] | None = None) -> VirtualHosts:
    objects = fleet(*manifests)
    for each in objects:
        if listener and each["kind"] == "Gateway" and each["metadata"]["name"] == "edge":
            each["spec"]["listeners"].append(listener)
    view = snapshot_of(objects).clusters[CLUSTER]
    return VirtualHosts(Inventory(CLUSTER, view.objects), view.topology.gateways)


def tried(hosts: VirtualHosts, host: str = "shop.example.com", listener: str = "port 8080") -> list[tuple[str, int]]:
    return [(each.route.name, each.rule_index) for each in hosts.candidates(VirtualHost(EDGE, listener, host))]


def test_rules_of_all_routes_of_a_hostname_compete():
    web = route("web", rule("shard-a"), rule("shard-b", path="/cart/x"))
    cart = route("cart", rule("shard-b", path="/cart"), rule("shard-b", path="=/"), hosts=["shop.example.com", "*"])
    hosts = hosts_of(web, cart)
    assert tried(hosts) == [("cart", 1), ("web", 1), ("cart", 0), ("web", 0)]
    assert tried(hosts, "*") == [("cart", 1), ("cart", 0)]
    assert set(hosts.of({key_of(web)})) == {VirtualHost(EDGE, "port 8080", "shop.example.com")}


def test_the_most_specific_virtual_host_alone_takes_a_request():
    hosts = hosts_of(route("web", rule("shard-a"), hosts=["*.example.com"]), route("any", rule("shard-a"), hosts=[]))
    wanted = VirtualHost(EDGE, "port 8080", "shop.example.com")
    assert hosts.serving(wanted) == wanted._replace(host="*.example.com")
    assert hosts.serving(wanted._replace(host="a.io")) == wanted._replace(host="*")
    assert hosts.serving(wanted._replace(listener="https")) is None


def test_listeners_of_one_port_share_virtual_hosts_and_others_do_not():
    web = route("web", rule("shard-a"))
    same = {"name": "more", "port": 8080, "protocol": "HTTP", "hostname": "*.example.com"}
    assert tried(hosts_of(web, listener=same)) == [("web", 0)]
    tls = {"name": "https", "port": 8443, "protocol": "HTTPS", "hostname": "*.example.com"}
    assert tried(hosts_of(web, listener=tls), listener="https") == [("web", 0)]
    named = route("web", rule("shard-a"), parents=[{"name": "edge", "sectionName": "https"}])
    assert tried(hosts_of(named, listener=tls)) == []
    assert tried(hosts_of(named, listener=tls), listener="https") == [("web", 0)]
    elsewhere = {**tls, "hostname": "*.example.org"}
    assert tried(hosts_of(web, listener=elsewhere), listener="https") == []


def test_a_route_that_no_listener_we_know_takes_stands_by_itself():
    stream = route("tcp", rule("shard-a"), kind="TCPRoute")
    assert tried(hosts_of(stream), "*", "?") == [("tcp", 0)]


CHILD = {"group": GA, "kind": "HTTPRoute", "name": "child", "namespace": "foo"}


def test_a_child_stands_in_the_virtual_host_of_its_parent_and_is_as_old_as_that():
    parent = route("parent", {"matches": [{"path": {"value": "/shop"}}], "backendRefs": [CHILD]}, created=OLD)
    child = route("child", rule("cart", path="/shop/cart"), namespace="foo", parents=[], hosts=[], created=NEW)
    rival = route("a-rival", rule("shard-a", path="/shop/cart"), rule("shard-a", path="/"), created=NEW)
    hosts = hosts_of(parent, child, rival)
    assert tried(hosts) == [("child", 0), ("a-rival", 0), ("a-rival", 1)]
    assert set(hosts.of({key_of(child)})) == {VirtualHost(EDGE, "port 8080", "shop.example.com")}
    assert set(hosts.of({key_of(parent)})) == {VirtualHost(EDGE, "port 8080", "shop.example.com")}


def test_a_child_that_inherits_has_the_match_of_its_parent_and_its_own():
    asked = {"path": {"value": "/shop"}, "headers": [{"name": "x", "value": "1"}]}
    parent = route("parent", {"matches": [asked], "backendRefs": [CHILD]})
    child = route(
        "child",
        rule("cart", path="/cart"),
        namespace="foo",
        parents=[],
        hosts=[],
        annotations={"delegation.kgateway.dev/inherit-parent-matcher": "true"},
    )
    found = hosts_of(parent, child).candidates(VirtualHost(EDGE, "port 8080", "shop.example.com"))
    assert [each.match for each in found] == [match("/shop/cart", headers=header())]


def test_routes_of_grpc_and_http_compete():
    web = route("web", rule("shard-a"))
    calls = {"matches": [{"method": {"service": "shop.Cart"}}], "backendRefs": [ref("shard-b")]}
    assert tried(hosts_of(web, route("calls", calls, kind="GRPCRoute"))) == [("calls", 0), ("web", 0)]


def test_a_route_of_a_listener_set_stands_on_the_listeners_it_adds():
    more = {
        "apiVersion": f"{GA}/v1",
        "kind": "ListenerSet",
        "metadata": {"name": "team", "namespace": "foo"},
        "spec": {
            "parentRef": {"name": "edge", "namespace": "infra"},
            "listeners": [{"name": "https", "port": 8443, "protocol": "HTTPS", "hostname": "*.example.com"}],
        },
    }
    parent = {"group": GA, "kind": "ListenerSet", "name": "team"}
    own = route("own", rule("cart"), namespace="foo", parents=[parent], hosts=["shop.example.com"])
    other = route("other", rule("batch"), namespace="extra", parents=[{**parent, "namespace": "foo"}])
    for each in (own, other):
        each["status"] = {}
    hosts = hosts_of(more, own, other)
    assert tried(hosts, listener="foo/team/https") == [("own", 0)]
    assert tried(hosts) == []
    assert tried(hosts, listener="?") == [("other", 0)]  # its listener takes routes of its own namespace alone


def test_routes_of_a_service_stand_at_its_waypoint():
    text = (GOLDEN / "topology" / "ambient-waypoint-kgateway-2.1.in.yaml").read_text(encoding="utf-8")
    objects = decode(each for each in yaml.safe_load_all(text) if each)
    nodes = relate(CLUSTER, objects).gateways
    hosts = VirtualHosts(Inventory(CLUSTER, objects), nodes)
    steering = {key for node in nodes for key in node.routes}
    assert steering
    assert {place.listener for place in hosts.of(steering)} == {"Service apps/reviews"}
