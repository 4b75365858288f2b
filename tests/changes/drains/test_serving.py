"""Which routes of a gateway take the requests that come under some hostnames."""

from __future__ import annotations

import pytest

from changing import CLUSTER, GA, SHARD_A, route, rule
from draining import ingress
from gwtui.changes.drains.serving import Serving

OWN = [
    route("one", rule("web"), namespace="foo", gateways=["shard-a"], hosts=["a.test"]),
    route("wide", rule("web"), namespace="foo", gateways=["shard-a"], hosts=["*.b.test"]),
    route("all", rule("web"), namespace="foo", gateways=["shard-a"], hosts=[]),
    route("elsewhere", rule("web"), namespace="foo", gateways=["shard-b"], hosts=["a.test"]),
]


@pytest.mark.parametrize(
    ("hostnames", "found"),
    [
        (["a.test"], {"one": {"a.test"}, "all": {"a.test"}}),
        (["x.b.test"], {"wide": {"x.b.test"}, "all": {"x.b.test"}}),
        (["*.b.test"], {"wide": {"*.b.test"}, "all": {"*.b.test"}}),
        (["*.test"], {"one": {"a.test"}, "wide": {"*.b.test"}, "all": {"*.test"}}),
        ([], {"one": {"a.test"}, "wide": {"*.b.test"}, "all": {"*"}}),
    ],
)
def test_the_narrower_hostname_counts(hostnames, found):
    view = ingress(serving=OWN)[0].clusters[CLUSTER]
    node = view.gateway(SHARD_A)
    assert {each.name: set(hosts) for each, hosts in Serving(view, node).of(hostnames).items()} == found


def test_routes_that_are_there_by_delegation_are_left_out():
    child = {"group": GA, "kind": "HTTPRoute", "name": "child", "namespace": "foo"}
    top = route("top", {"backendRefs": [child]}, namespace="foo", gateways=["shard-a"], hosts=["a.test"])
    below = route("child", rule("web"), namespace="foo", parents=[], hosts=[])
    view = ingress(serving=[top, below])[0].clusters[CLUSTER]
    node = view.gateway(SHARD_A)
    assert {each.name for each in node.routes} == {"top", "child"}
    assert {each.name for each in Serving(view, node).of(["a.test"])} == {"top"}
