from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gwtui.model.ids import GatewayKey, ServiceKey
from gwtui.model.known import Known, Unknown
from gwtui.model.shares import ObservedShares
from gwtui.model.snapshot import ClusterView
from gwtui.model.topology import Hop, RouteShare, relate
from gwtui.model.traffic import ClusterTraffic, ProxyTraffic, RouteTraffic
from objects import Objects, decode, load

NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
NONE = Unknown("no requests in the window")
EDGE, SHARD_A, SHARD_B = (GatewayKey("demo", "infra", name) for name in ("edge", "shard-a", "shard-b"))
TO_A, TO_B = "kube_infra_shard-a_8080", "kube_infra_shard-b_8080"


def rate(value: float) -> Known[float]:
    return Known(value, NOW)


def traffic(
    clusters: Mapping[str, float] | None = None, routes: Mapping[tuple[str, str], float] | None = None
) -> ProxyTraffic:
    return ProxyTraffic(
        rps=rate(100.0),
        error_ratio=NONE,
        p50_ms=NONE,
        p99_ms=NONE,
        active=NONE,
        clusters={n: ClusterTraffic(rps=rate(v), error_ratio=NONE) for n, v in (clusters or {}).items()},
        routes={k: RouteTraffic(rps=rate(v), error_ratio=NONE) for k, v in (routes or {}).items()},
    )


def policy(name: str, route: str, namespace: str, **spec: Any) -> dict[str, Any]:
    target = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": route}
    return {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": "TrafficPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"targetRefs": [target], "statPrefix": "{{route_namespace}}.{{route_name}}.{{rule_name}}", **spec},
    }


def view_of(objects: Objects) -> ClusterView:
    return ClusterView(name="demo", objects=objects, topology=relate("demo", objects))


def alone() -> Objects:
    """The central ingress without the second rule, so that the shards' upstreams belong to one rule."""
    objects = load("central-ingress")
    del objects["httproutes.gateway.networking.k8s.io"]["infra", "edge-feed"]
    return objects


def exposed(objects: Objects, *policies: dict[str, Any]) -> Objects:
    added = decode(policies or (policy("p", "cart", "foo"), policy("p", "batch", "extra")))
    return {**objects, "trafficpolicies.gateway.kgateway.dev": added["trafficpolicies.gateway.kgateway.dev"]}


def find(view: ClusterView, target: str, route: str, rule: str = "D1") -> tuple[Hop, RouteShare]:
    return next(
        (hop, share)
        for hop in view.topology.hops
        for share in hop.shares
        if (str(hop.target), share.route.name, hop.rule) == (target, route, rule)
    )


def mirrored() -> Objects:
    """The central ingress whose second rule uses the same upstream of shard-a, but other hostnames."""
    objects = load("central-ingress")
    del objects["httproutes.gateway.networking.k8s.io"]["extra", "feed"]
    return objects


COUNTED = {
    SHARD_A: traffic(routes={("listener~8080~shop_example_com", "foo.cart"): 30.0}),
    SHARD_B: traffic(routes={("listener~8080~shop_example_com", "extra.batch"): 10.0}),
}


def test_upstreams_of_one_rule_prove_its_split():
    view = view_of(alone())
    shares = ObservedShares(view, {EDGE: traffic({TO_A: 75.0, TO_B: 25.0})}, {EDGE})
    assert shares.of_rule(*find(view, "infra/shard-a", "edge-shop")) == rate(0.75)
    assert shares.of_rule(*find(view, "infra/shard-b", "edge-shop")) == rate(0.25)


def test_later_figures_of_the_same_hops_give_later_shares():
    view = view_of(alone())
    before = ObservedShares(view, {EDGE: traffic({TO_A: 75.0, TO_B: 25.0})}, {EDGE})
    later = before.after({EDGE: traffic({TO_A: 10.0, TO_B: 30.0})}, {EDGE})
    found = find(view, "infra/shard-a", "edge-shop")
    assert (before.of_rule(*found), later.of_rule(*found)) == (rate(0.75), rate(0.25))


def test_no_requests_is_not_a_share():
    view = view_of(alone())
    shares = ObservedShares(view, {EDGE: traffic({TO_A: 0.0, TO_B: 0.0})}, {EDGE})
    assert shares.of_rule(*find(view, "infra/shard-a", "edge-shop")) == NONE


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        ({}, "no proxy of infra/edge answers"),
        ({EDGE: traffic({TO_A: 1.0})}, "the proxies of infra/edge hold no such upstream"),
    ],
)
def test_an_upstream_that_is_not_seen_is_unknown(seen, reason):
    view = view_of(alone())
    shares = ObservedShares(view, seen, {EDGE})
    assert shares.of_rule(*find(view, "infra/shard-a", "edge-shop")) == Unknown(reason)
    assert shares.of_hop(find(view, "infra/shard-b", "edge-shop")[0]) == Unknown(reason)


def test_a_shared_upstream_needs_route_counters_and_says_on_what():
    view = view_of(load("central-ingress"))
    seen = {EDGE: traffic({TO_A: 75.0, TO_B: 25.0}), **COUNTED}
    share = ObservedShares(view, seen, set(seen)).of_rule(*find(view, "infra/shard-a", "edge-shop"))
    assert share == Unknown("not exposed: set statPrefix by a TrafficPolicy on httproutes/foo/cart")


def test_route_counters_of_the_targets_prove_the_split():
    view = view_of(exposed(mirrored()))
    seen = {EDGE: traffic({TO_A: 75.0, TO_B: 25.0}), **COUNTED}
    shares = ObservedShares(view, seen, set(seen))
    assert shares.of_rule(*find(view, "infra/shard-a", "edge-shop")) == rate(0.75)
    assert shares.of_rule(*find(view, "infra/shard-b", "edge-shop")) == rate(0.25)


def test_counters_of_other_hostnames_do_not_count():
    view = view_of(exposed(mirrored()))
    routes = {
        ("listener~8080~shop_example_com", "foo.cart"): 30.0,
        ("listener~8080~other_example_com", "foo.cart"): 500.0,
        ("listener~8080~shop_example_com", "foo.unrelated"): 500.0,
    }
    seen = {EDGE: traffic({TO_A: 75.0, TO_B: 25.0}), SHARD_A: traffic(routes=routes), SHARD_B: COUNTED[SHARD_B]}
    share = ObservedShares(view, seen, set(seen)).of_rule(*find(view, "infra/shard-a", "edge-shop"))
    assert share == rate(0.75)


def test_a_target_whose_counters_are_absent_had_no_requests():
    view = view_of(exposed(mirrored()))
    seen = {EDGE: traffic({TO_A: 75.0}), SHARD_A: COUNTED[SHARD_A], SHARD_B: traffic()}
    shares = ObservedShares(view, seen, set(seen))
    assert shares.of_rule(*find(view, "infra/shard-b", "edge-shop")) == rate(0.0)


def test_every_proxy_of_the_targets_has_to_answer():
    view = view_of(exposed(mirrored()))
    seen = {EDGE: traffic({TO_A: 75.0, TO_B: 25.0}), **COUNTED}
    share = ObservedShares(view, seen, {EDGE, SHARD_A}).of_rule(*find(view, "infra/shard-a", "edge-shop"))
    assert share == Unknown("not every proxy of infra/shard-b answers")


def test_rules_that_meet_in_the_same_counters_are_not_told_apart():
    objects = mirrored()
    routes = objects["httproutes.gateway.networking.k8s.io"]
    second = decode(
        [
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "HTTPRoute",
                "metadata": {"name": "edge-all", "namespace": "infra"},
                "spec": {
                    "parentRefs": [{"name": "edge"}],
                    "hostnames": ["*.example.com"],
                    "rules": [{"backendRefs": [{"name": "shard-a", "port": 8080}]}],
                },
            }
        ]
    )["httproutes.gateway.networking.k8s.io"]
    view = view_of(exposed({**objects, "httproutes.gateway.networking.k8s.io": {**routes, **second}}))
    seen = {EDGE: traffic({TO_A: 75.0, TO_B: 25.0}), **COUNTED}
    share = ObservedShares(view, seen, set(seen)).of_rule(*find(view, "infra/shard-a", "edge-shop"))
    assert share == Unknown("infra/shard-a counts it together with rule 0 of httproutes/infra/edge-all")


@pytest.mark.parametrize(
    ("policies", "is_exposed"),
    [
        ([policy("p", "cart", "elsewhere")], False),
        ([policy("p", "batch", "foo")], False),
        (
            [
                policy(
                    "p",
                    "cart",
                    "foo",
                    targetRefs=[{"group": "gateway.networking.k8s.io", "kind": "GRPCRoute", "name": "cart"}],
                )
            ],
            False,
        ),
        ([policy("p", "cart", "foo", statPrefix="")], False),
        ([policy("p", "cart", "foo", targetRefs=[])], False),
        (
            [
                policy(
                    "p",
                    "cart",
                    "foo",
                    targetRefs=[],
                    targetSelectors=[
                        {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "matchLabels": {"no": "such"}}
                    ],
                )
            ],
            False,
        ),
        (
            [
                policy(
                    "p",
                    "cart",
                    "foo",
                    targetRefs=[],
                    targetSelectors=[{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "matchLabels": {}}],
                )
            ],
            True,
        ),
        ([policy("p", "cart", "foo")], True),
    ],
)
def test_which_policies_expose_a_route(policies, is_exposed):
    view = view_of(exposed(mirrored(), policy("p", "batch", "extra"), *policies))
    seen = {EDGE: traffic({TO_A: 75.0, TO_B: 25.0}), **COUNTED}
    share = ObservedShares(view, seen, set(seen)).of_rule(*find(view, "infra/shard-a", "edge-shop"))
    assert isinstance(share, Known) is is_exposed


def test_hop_shares_leave_copies_out():
    view = view_of(load("central-ingress"))
    shares = ObservedShares(view, {EDGE: traffic({TO_A: 75.0, TO_B: 25.0})}, {EDGE})
    assert shares.of_hop(find(view, "infra/shard-a", "edge-shop")[0]) == rate(0.75)
    assert shares.of_hop(find(view, "infra/shard-b", "edge-shop")[0]) == rate(0.25)


def test_copies_and_standbys_have_no_share_of_their_own():
    view = view_of(load("central-ingress"))
    shares = ObservedShares(view, {EDGE: traffic({TO_A: 75.0, TO_B: 25.0})}, {EDGE})
    assert shares.of_rule(*find(view, "infra/shard-a", "edge-feed", "D3")) == Unknown("copies are not counted apart")
    odd = view_of(load("oddities"))
    standby = ObservedShares(odd, {}, set()).of_rule(*find(odd, "infra/passive", "by-backend", "D2"))
    assert standby == Unknown("on standby: not counted apart")


def test_what_no_route_steers_has_its_part_of_what_a_waypoint_sends():
    view = view_of(load("ambient-waypoint-kgateway-2.1"))
    clusters = {"kube_apps_ratings_8080": 30.0, "kube_apps_reviews-v1_8080": 63.0, "kube_apps_reviews-v2_8080": 7.0}
    hops = {hop.target.name: hop for hop in view.topology.hops if isinstance(hop.target, ServiceKey)}
    shares = ObservedShares(view, {hops["ratings"].source: traffic(clusters)}, set())
    assert shares.of_hop(hops["ratings"]) == rate(0.3)
    assert shares.of_hop(hops["reviews-v1"]) == rate(0.63)


def test_routes_whose_policies_are_not_read_may_be_exposed():
    shared = {EDGE: traffic({TO_A: 75.0, TO_B: 25.0}), **COUNTED}
    hop, share = find(view_of(load("central-ingress")), "infra/shard-a", "edge-shop")
    whole = view_of(load("central-ingress"))
    partly = replace(whole, scopes={"trafficpolicies.gateway.kgateway.dev": frozenset({"infra"})})
    everyone = {EDGE, SHARD_A, SHARD_B}
    known = ObservedShares(whole, shared, everyone).of_rule(hop, share)
    unseen = ObservedShares(partly, shared, everyone).of_rule(hop, share)
    assert isinstance(known, Unknown)
    assert isinstance(unseen, Unknown)
    assert "set statPrefix" in known.reason
    assert "policies of namespace foo are not read" in unseen.reason
