"""Whether a proxy holds what a route says."""

from __future__ import annotations

import pytest

from gwtui.changes import loaded
from gwtui.changes.plan import Document
from gwtui.model.inspection import ConfigDigest, ConfigKind, ConfigResource

A, B = "kube_infra_shard-a_8080", "kube_infra_shard-b_8080"


def route(*weights: int, kind: str = "HTTPRoute", parent: str = "Gateway") -> Document:
    names = ("shard-a", "shard-b")
    return {
        "kind": kind,
        "metadata": {"name": "edge-routes", "namespace": "infra"},
        "spec": {
            "parentRefs": [{"name": "edge", "kind": parent}],
            "rules": [
                {
                    "backendRefs": [
                        {"name": name, "port": 8080, "weight": weight}
                        for name, weight in zip(names, weights, strict=False)
                    ]
                }
            ],
        },
    }


def envoy(action: dict[str, object], *, position: int = 3, name: str = "edge-routes") -> ConfigResource:
    found = {
        "name": f"listener~8080~shop-route-{position}-httproute-{name}-infra-0-0-matcher-0",
        "match": {"prefix": "/"},
        **action,
    }
    body = {"virtual_hosts": [{"name": "listener~8080~shop", "domains": ["shop"], "routes": [found]}]}
    digest = ConfigDigest(kind=ConfigKind.ROUTES, name="listener~8080", digest="")
    return ConfigResource(digest=digest, body=body)


def weighted(a: int, b: int) -> dict[str, object]:
    clusters = [{"name": A, "weight": a}, {"name": B, "weight": b}]
    return {"route": {"weighted_clusters": {"clusters": clusters}}}


def holds(*resources: ConfigResource) -> loaded.Held:
    return loaded.held(resources, kind="HTTPRoute", namespace="infra", name="edge-routes")


def test_weights_are_compared_with_what_the_route_says() -> None:
    now = holds(envoy(weighted(50, 50)))
    assert loaded.judge(route(50, 50), now, None, must_differ=False).is_loaded
    answer = loaded.judge(route(90, 10), now, None, must_differ=False)
    assert answer == (False, f"holds {A} 50, {B} 50")


def test_a_weight_of_zero_may_be_absent_or_zero() -> None:
    bare = {"route": {"weighted_clusters": {"clusters": [{"name": A, "weight": 100}, {"name": B}]}}}
    for action in (bare, weighted(100, 0)):
        assert loaded.judge(route(100, 0), holds(envoy(action)), None, must_differ=False).is_loaded


@pytest.mark.parametrize("weight", [0, 1, 70])
def test_one_backend_alone_has_no_weight(weight: int) -> None:
    now = holds(envoy({"route": {"cluster": A}}))
    assert loaded.judge(route(weight), now, None, must_differ=False).is_loaded
    assert not loaded.judge(route(weight), holds(envoy({"route": {"cluster": B}})), None, must_differ=False).is_loaded


def test_a_rule_that_was_replaced_by_an_answer_is_not_loaded() -> None:
    now = holds(envoy({"direct_response": {"status": 500}}))
    assert loaded.judge(route(1, 1), now, None, must_differ=False) == (False, "answers 500 itself")


def test_an_edit_of_more_than_weights_must_show_but_a_move_among_siblings_is_none() -> None:
    before = holds(envoy(weighted(50, 50)))
    moved = holds(envoy(weighted(50, 50), position=7))
    assert not loaded.judge(route(50, 50), moved, before, must_differ=True).is_loaded
    other = holds(envoy({**weighted(50, 50), "response_headers_to_add": [{}]}))
    assert loaded.judge(route(50, 50), other, before, must_differ=True).is_loaded


def test_a_proxy_without_the_route_holds_nothing() -> None:
    elsewhere = holds(envoy(weighted(50, 50), name="edge-routes-2"))
    answer = loaded.judge(route(50, 50), elsewhere, None, must_differ=False)
    assert answer == (False, "holds nothing of this route")


def test_rules_of_a_delegated_child_are_counted_otherwise_so_only_differences_tell() -> None:
    child = route(10, 90, parent="HTTPRoute")
    before, now = holds(envoy(weighted(50, 50))), holds(envoy(weighted(60, 40)))
    assert loaded.judge(child, now, before, must_differ=True).is_loaded
    assert not loaded.judge(child, before, before, must_differ=True).is_loaded


def test_weights_of_a_tcp_route_are_in_its_filter_chain() -> None:
    proxy = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "weighted_clusters": {"clusters": [{"name": A, "weight": 7}, {"name": B, "weight": 3}]},
    }
    chain = {"name": "listener~8080-infra.edge-routes-rule-0", "filters": [{"typed_config": proxy}]}
    digest = ConfigDigest(kind=ConfigKind.LISTENER, name="listener~8080", digest="")
    resource = ConfigResource(digest=digest, body={"filter_chains": [chain]})
    now = loaded.held([resource], kind="TCPRoute", namespace="infra", name="edge-routes")
    assert loaded.judge(route(7, 3, kind="TCPRoute"), now, None, must_differ=False).is_loaded
    assert not loaded.judge(route(3, 7, kind="TCPRoute"), now, None, must_differ=False).is_loaded


def test_only_more_than_weights_must_show() -> None:
    before = route(90, 10)
    assert not loaded.must_differ(before, route(50, 50))
    labelled = {**before, "metadata": {**before["metadata"], "labels": {"team": "shop"}}}
    assert not loaded.must_differ(before, labelled)
    for name, value in (("hostnames", ["shop"]), ("parentRefs", [{"name": "edge"}, {"name": "other"}])):
        assert loaded.must_differ(before, {**before, "spec": {**before["spec"], name: value}})
    written_out = {**before, "spec": {**before["spec"], "rules": [dict(before["spec"]["rules"][0])]}}
    written_out["spec"]["rules"][0]["matches"] = [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert not loaded.must_differ(before, written_out)  # what the API fills in is no difference
