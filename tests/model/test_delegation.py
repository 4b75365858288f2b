from __future__ import annotations

import pytest

from gwtui.model.topology import Topology, relate
from objects import decode

CLUSTER = "demo"
GA = "gateway.networking.k8s.io"
ROUTE = {"group": GA, "kind": "HTTPRoute"}

FIXED = [
    {
        "apiVersion": f"{GA}/v1",
        "kind": "GatewayClass",
        "metadata": {"name": "any"},
        "spec": {"controllerName": "kgateway.dev/kgateway"},
    },
    {
        "apiVersion": f"{GA}/v1",
        "kind": "Gateway",
        "metadata": {"name": "gw", "namespace": "infra"},
        "spec": {"gatewayClassName": "any"},
    },
]


def rule(match: dict | str, *refs: dict | str) -> dict:
    wanted = {"path": {"type": "PathPrefix", "value": match}} if isinstance(match, str) else match
    return {
        "matches": [wanted],
        "backendRefs": [{"name": ref, "port": 80} if isinstance(ref, str) else ref for ref in refs],
    }


def route(name: str, *rules: dict, parents: list[dict] = (), hostnames: list[str] = (), **metadata) -> dict:
    return {
        "apiVersion": f"{GA}/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": "team", **metadata},
        "spec": {"parentRefs": list(parents), "hostnames": list(hostnames), "rules": list(rules)},
    }


def top(*rules: dict) -> dict:
    return route("top", *rules, parents=[{"name": "gw", "namespace": "infra"}], hostnames=["a.example.com"])


def related(*routes: dict) -> Topology:
    return relate(CLUSTER, decode([*FIXED, *routes]))


def reached(topology: Topology) -> dict[str, list[tuple[str, int]]]:
    return {hop.target.name: [(share.route.name, share.rule_index) for share in hop.shares] for hop in topology.hops}


def told(topology: Topology) -> list[str]:
    return [line for line in topology.gateways[0].problems if "delegat" in line or "its child" in line]


def to(name: str, **more: str) -> dict:
    return {**ROUTE, "name": name, **more}


@pytest.mark.parametrize(
    ("parent", "child", "is_taken"),
    [
        ("/a", "/a", True),
        ("/a", "/a/b", True),
        ("/a", "/b", False),
        ("/a/b", "/a", False),
        ("/a", {"path": {"type": "Exact", "value": "/a/b"}}, True),
        ("/a", {"path": {"type": "RegularExpression", "value": "/a/.*"}}, True),
        ({"path": {"type": "Exact", "value": "/a"}}, {"path": {"type": "Exact", "value": "/a"}}, False),
        ({"headers": [{"name": "x", "value": "1"}]}, "/", False),
        ({"headers": [{"name": "x", "value": "1"}]}, {"headers": [{"name": "x", "value": "1"}]}, True),
        ({"queryParams": [{"name": "q", "value": "1"}]}, {"queryParams": [{"name": "q", "value": "2"}]}, False),
        ({"method": "GET"}, {"method": "GET"}, True),
        ({"method": "GET"}, {"method": "POST"}, False),
        ({}, {"method": "POST"}, True),
    ],
)
def test_a_child_takes_what_lies_within_its_parent(parent, child, is_taken):
    topology = related(top(rule(parent, to("child"))), route("child", rule(child, "svc")))
    assert ("svc" in reached(topology)) is is_taken
    assert bool(told(topology)) is not is_taken


def test_rules_that_do_not_fit_are_dropped_alone():
    child = route("child", rule("/x", "lost"), rule("/a/1", "kept"))
    topology = related(top(rule("/a", to("child"))), child)
    assert reached(topology) == {"kept": [("child", 1)]}
    assert told(topology) == []


def test_parents_at_several_prefixes_share_a_child():
    child = route("child", rule("/a/1", "one"), rule("/b/1", "two"), rule("/c", "three"))
    assert set(reached(related(top(rule("/a", to("child")), rule("/b", to("child"))), child))) == {"one", "two"}


def test_paths_may_be_relative_to_the_parent():
    inherits = {"delegation.kgateway.dev/inherit-parent-matcher": "true"}
    child = route("child", rule("/1", to("grandchild")), annotations=inherits)
    grandchild = route("grandchild", rule("/a/1/x", "in"), rule("/1/x", "out"))
    assert set(reached(related(top(rule("/a", to("child"))), child, grandchild))) == {"in"}


def test_children_by_label_from_everywhere_and_by_wildcard():
    labelled = route("labelled", rule("/a", "one"), labels={"delegation.kgateway.dev/label": "mine"})
    elsewhere = {**labelled, "metadata": {**labelled["metadata"], "namespace": "other"}}
    by_label = {"group": "delegation.kgateway.dev", "kind": "label", "name": "mine"}
    here = related(top(rule("/a", by_label)), labelled, elsewhere)
    everywhere = related(top(rule("/a", {**by_label, "namespace": "all"})), labelled, elsewhere)
    assert [len(each.gateways[0].routes) for each in (here, everywhere)] == [2, 3]
    assert reached(related(top(rule("/a", to("*"))), labelled)) == {"one": [("labelled", 0)]}


def test_circles_are_said_and_end():
    one, two = route("one", rule("/a", to("two"), "first")), route("two", rule("/a", to("one"), "second"))
    topology = related(top(rule("/a", to("one"))), one, two)
    assert set(reached(topology)) == {"first", "second"}
    assert told(topology) == [
        "httproutes/team/two: delegates in a circle: httproutes/team/one → httproutes/team/two → httproutes/team/one"
    ]
    assert told(related(top(rule("/a", to("top"))))) == ["httproutes/team/top: delegates to itself"]


def test_a_child_with_hostnames_of_its_own_is_refused():
    topology = related(top(rule("/a", to("child"))), route("child", rule("/a", "svc"), hostnames=["b.example.com"]))
    assert reached(topology) == {}
    assert told(topology) == [
        "httproutes/team/top: its child httproutes/team/child names hostnames, which a child may not"
    ]


def test_a_child_has_the_hostnames_of_every_parent():
    child = route("child", rule("/a", "svc"))
    other = {**top(rule("/a", to("child"))), "metadata": {"name": "other", "namespace": "team"}}
    other["spec"] = {**other["spec"], "hostnames": ["b.example.com"]}
    (hop,) = related(top(rule("/a", to("child"))), other, child).hops
    assert [share.hostnames for share in hop.shares] == [("a.example.com",), ("b.example.com",)]


def test_descendants_at_any_depth():
    depth = 30
    chain = [route(f"r{level}", rule("/a", to(f"r{level + 1}"))) for level in range(depth)]
    topology = related(top(rule("/a", to("r0"))), *chain, route(f"r{depth}", rule("/a", "end")))
    assert reached(topology) == {"end": [(f"r{depth}", 0)]}
