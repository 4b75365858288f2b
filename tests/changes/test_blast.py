"""What a change moves, from two topologies and live rates."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from changing import (
    CLUSTER,
    EDGE,
    GA,
    NOW,
    SHARD_A,
    SHARD_B,
    TO_A,
    TO_B,
    Document,
    edited,
    exposing,
    fleet,
    key_of,
    proxy,
    ref,
    route,
    rule,
    snapshot_of,
    traffic,
    weights,
)
from gwtui.changes.blast import blast_radius, expected_shares
from gwtui.changes.peaks import peak_of
from gwtui.changes.plan import BlastRadius, Load
from gwtui.model.samples import ClusterSample, ProxySample
from gwtui.model.snapshot import Point, ProxyView, Snapshot

SHOP = route("shop", rule(ref("shard-a", 90), ref("shard-b", 10)))
FEED = route("feed", rule(ref("shard-a", 1), ref("shard-b", 1)), hosts=["feed.example.com"])
CART = route("cart", rule("cart"), namespace="foo", gateways=["shard-a"])
BATCH = route("batch", rule("batch"), namespace="extra", gateways=["shard-b"])
EVERY = (SHOP, FEED, CART, BATCH)


def watched(*manifests: Document, routes: dict[str, float] | None = None, edge: float = 200.0) -> Snapshot:
    """Two proxies of the edge that take half of everything each, one of each shard."""
    half = {name: value / 2 for name, value in (routes or {}).items()}
    figures = traffic(edge / 2, {TO_A: 70.0, TO_B: 30.0}, half)
    return snapshot_of(
        fleet(*manifests),
        proxy("edge-x1", figures),
        proxy("edge-x2", figures),
        proxy("shard-a-y1", traffic(140.0), [100.0, 160.0, 140.0]),
        proxy("shard-b-z1", traffic(60.0), [60.0, 75.0, 60.0]),
    )


COUNTED = watched(*EVERY, exposing("shop"), exposing("feed"), routes={"infra/shop/": 120.0, "infra/feed/": 80.0})


def blast(snapshot: Snapshot, before: Document, after: Document) -> BlastRadius:
    return blast_radius(snapshot, CLUSTER, [before], [after])


def load(found: BlastRadius, name: str) -> Load:
    return next(each for each in found.loads if each.gateway.name == name)


def test_the_rate_of_the_rule_times_what_its_shares_change():
    found = blast(COUNTED, SHOP, weights(SHOP, 50, 50))
    assert found.moved_rps == pytest.approx(120 * 0.4)
    assert found.moved_share == pytest.approx(48 / 200)
    assert not found.unknown
    assert found.hostnames == ("shop.example.com",)
    assert found.gateways == (EDGE,)
    assert found.namespaces == ("extra", "foo", "infra")


def test_loads_of_the_shards_now_and_then_against_what_they_were_seen_to_take():
    found = blast(COUNTED, SHOP, weights(SHOP, 50, 50))
    assert {each.gateway for each in found.loads} == {SHARD_A, SHARD_B}
    a, b = load(found, "shard-a"), load(found, "shard-b")
    assert (a.now_rps, b.now_rps) == (140.0, 60.0)
    assert a.then_rps == pytest.approx(92)
    assert b.then_rps == pytest.approx(108)
    assert (a.peak_rps, b.peak_rps, b.peak_window_s) == (160.0, 75.0, 4.0)
    assert b.share_of_peak is None  # after four seconds of watching nobody knows a peak
    assert replace(b, peak_window_s=60.0).share_of_peak == pytest.approx(108 / 75)


def sampled(view: ProxyView, *counted: tuple[int, int]) -> ProxyView:
    """The same with samples two seconds apart, of what it had sent to each shard."""
    samples = tuple(
        ProxySample(
            taken_mono=2.0 * at,
            taken_at=NOW,
            requests=sum(each),
            errors_5xx=0,
            errors_4xx=0,
            active=None,
            uptime_s=None,
            latency=None,
            clusters={TO_A: ClusterSample(requests=each[0]), TO_B: ClusterSample(requests=each[1])},
        )
        for at, each in enumerate(counted)
    )
    return dataclasses.replace(view, samples=samples)


def now_and_then(
    before: Document, after: Document, newest: tuple[int, int] | None = None
) -> dict[str, tuple[float | None, float | None]]:
    """Loads of the shards where the shop is alone: of its 200 requests/s they are counted to take 140 and 60.

    Args:
        before: The shop.
        after: The same, edited.
        newest: Requests to each shard in the two seconds before now.
    """
    look = watched(before, CART, BATCH, exposing("shop"), routes={"infra/shop/": 200.0})
    counted = ((0, 0), tuple(each // 2 for each in newest)) if newest else ()
    proxies = {key: sampled(view, *counted) for key, view in look.proxies.items()}
    look = dataclasses.replace(look, proxies=proxies)
    return {each.gateway.name: (each.now_rps, each.then_rps) for each in blast(look, before, after).loads}


def test_loads_that_were_counted_before_the_weights_changed_are_those_of_the_weights_in_force():
    found = now_and_then(SHOP, weights(SHOP, 50, 50), newest=(364, 36))
    assert found["shard-a"] == pytest.approx((180, 100))
    assert found["shard-b"] == pytest.approx((20, 100))
    assert now_and_then(SHOP, weights(SHOP, 50, 50), newest=(320, 80)) == found  # half way there
    found = now_and_then(weights(SHOP, 0, 1), weights(SHOP, 1, 0), newest=(0, 400))
    assert found["shard-a"] == pytest.approx((0, 200))
    assert found["shard-b"] == pytest.approx((200, 0))


@pytest.mark.parametrize("newest", [(280, 120), (296, 104), (200, 200), (0, 0), None])
def test_loads_that_go_on_to_differ_from_the_weights_are_as_counted(newest):
    found = now_and_then(SHOP, weights(SHOP, 50, 50), newest)
    assert found["shard-a"] == pytest.approx((140, 60))
    assert found["shard-b"] == pytest.approx((60, 140))


@pytest.mark.parametrize("values", [(70, 30), (72, 28), (68, 32)])
def test_loads_that_differ_from_the_weights_by_chance_are_as_counted(values):
    found = now_and_then(weights(SHOP, *values), weights(SHOP, 50, 50), newest=(values[0] * 4, values[1] * 4))
    assert (found["shard-a"][0], found["shard-b"][0]) == (140.0, 60.0)


def test_nothing_changed_moves_nothing():
    assert blast(COUNTED, SHOP, SHOP) == BlastRadius(moved_rps=0.0, moved_share=0.0)


def test_an_edit_that_moves_nothing_still_reaches_proxies_and_hostnames():
    after = edited(SHOP, lambda spec: spec["rules"][0].update(timeouts={"request": "5s"}))
    found = blast(COUNTED, SHOP, after)
    assert (found.moved_rps, found.loads, found.namespaces) == (0.0, (), ())
    assert (found.gateways, found.hostnames) == ((EDGE,), ("shop.example.com",))


def test_what_is_not_decoded_still_reaches_proxies_and_hostnames():
    after = edited(SHOP, lambda spec: spec["rules"][0].update(retry={"attempts": 3}))
    assert blast(COUNTED, SHOP, after).hostnames == ("shop.example.com",)


def test_weights_in_another_ratio_of_the_same_shares_move_nothing():
    assert blast(COUNTED, SHOP, weights(SHOP, 900, 100)).moved_rps == pytest.approx(0)


def test_one_backend_alone_gets_everything_whatever_its_weight():
    lone = route("shop", rule(ref("shard-a", 5)))
    look = watched(lone, exposing("shop"), routes={"infra/shop/": 120.0})
    assert blast(look, lone, weights(lone, 0)).moved_rps == 0
    added = edited(lone, lambda spec: spec["rules"][0]["backendRefs"].append(ref("shard-b", 5)))
    assert blast(look, lone, added).moved_rps == pytest.approx(60)


def test_all_weights_0_moves_everything_to_errors():
    assert blast(COUNTED, SHOP, weights(SHOP, 0, 0)).moved_rps == pytest.approx(120)


def test_without_rules_the_api_fills_in_one_that_sends_nowhere():
    assert blast(COUNTED, SHOP, edited(SHOP, lambda spec: spec.pop("rules"))).moved_rps == pytest.approx(120)


def test_a_redirect_moves_everything_away_from_the_backends():
    redirect = {"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]}
    found = blast(COUNTED, SHOP, edited(SHOP, lambda spec: spec.update(rules=[redirect])))
    assert found.moved_rps == pytest.approx(120)
    assert load(found, "shard-a").then_rps == pytest.approx(140 - 108)


def test_what_a_redirect_answers_is_not_counted():
    redirect = route("shop", {"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]})
    look = watched(redirect, exposing("shop"), edge=200.0)
    found = blast(look, redirect, edited(redirect, lambda spec: spec.update(rules=[rule("shard-a")])))
    assert found.moved_rps is None
    assert found.unknown.startswith("at most 200 requests/s: rule 0 of infra/shop sends to no backend")


def test_a_fixed_answer_takes_everything_from_the_backends_beside_it():
    answer = {"group": "gateway.kgateway.dev", "kind": "DirectResponse", "name": "closed"}
    filters = [{"type": "ExtensionRef", "extensionRef": answer}]
    after = edited(SHOP, lambda spec: spec["rules"][0].update(filters=filters))
    assert blast(COUNTED, SHOP, after).moved_rps == pytest.approx(120)


def test_copies_load_who_gets_them_and_move_nothing():
    mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": ref("shard-b"), "percent": 50}}
    found = blast(COUNTED, SHOP, edited(SHOP, lambda spec: spec["rules"][0].update(filters=[mirror])))
    assert found.moved_rps == 0
    assert [(each.gateway, each.then_rps) for each in found.loads] == [(SHARD_B, 120.0)]


def test_rules_are_found_again_by_their_matches_when_they_change_places():
    two = route("shop", rule("shard-a", path="/a"), rule("shard-b", path="/b"))
    policy = exposing("shop", prefix="{{route_namespace}}/{{route_name}}")
    turned = edited(two, lambda spec: spec["rules"].reverse())
    assert blast(watched(two, policy, routes={"infra/shop": 120.0}), two, turned).moved_rps == 0


def test_rules_that_are_counted_together_are_a_bound():
    two = route("shop", rule("shard-a", "shard-b", path="/a"), rule("shard-a", "shard-b", path="/b"))
    policy = exposing("shop", prefix="{{route_namespace}}/{{route_name}}")
    found = blast(watched(two, policy, routes={"infra/shop": 120.0}), two, weights(two, 1, 0))
    assert found.moved_rps is None
    assert found.unknown == "at most 60 requests/s: rule 0 of infra/shop is counted together with rule 1"
    assert load(found, "shard-b").then_rps is None


def test_rules_with_counters_of_their_own_are_told_apart():
    two = route(
        "shop", rule("shard-a", "shard-b", path="/a", name="a"), rule("shard-a", "shard-b", path="/b", name="b")
    )
    look = watched(two, exposing("shop"), routes={"infra/shop/a": 120.0, "infra/shop/b": 7.0})
    assert blast(look, two, weights(two, 1, 0)).moved_rps == pytest.approx(60)
    assert blast(look, two, weights(two, 1, 0, at=1)).moved_rps == pytest.approx(3.5)


def test_upstreams_that_one_rule_uses_alone_tell_its_rate():
    found = blast(watched(SHOP), SHOP, weights(SHOP, 50, 50))
    assert found.moved_rps == pytest.approx(200 * 0.4)  # 140 and 60 requests/s to its two upstreams


def test_one_upstream_of_its_own_tells_the_rate_by_its_share():
    other = route("feed", rule("shard-a"), hosts=["feed.example.com"])
    look = watched(weights(SHOP, 50, 50), other)
    assert blast(look, weights(SHOP, 50, 50), weights(SHOP, 100, 0)).moved_rps == pytest.approx(60)


def test_counters_of_the_gateways_behind_tell_the_rate_where_upstreams_are_shared():
    feed_a = route("feed-a", rule("cart"), namespace="foo", gateways=["shard-a"], hosts=["feed.example.com"])
    figures = traffic(100.0, {TO_A: 70.0, TO_B: 30.0})
    look = snapshot_of(
        fleet(*EVERY, feed_a, *(exposing(*each) for each in (("cart", "foo"), ("batch", "extra"), ("feed-a", "foo")))),
        proxy("edge-x1", figures),
        proxy("edge-x2", figures),
        proxy("shard-a-y1", traffic(140.0, routes={"foo/cart/": 90.0})),
        proxy("shard-b-z1", traffic(60.0, routes={"extra/batch/": 10.0})),
    )
    assert blast(look, SHOP, weights(SHOP, 50, 50)).moved_rps == pytest.approx(40)


def test_without_counters_there_is_a_bound_and_a_way_to_have_them():
    found = blast(watched(*EVERY), SHOP, weights(SHOP, 50, 50))
    assert found.moved_rps is None
    assert found.moved_share is None
    assert found.unknown.startswith("at most 80 requests/s: rule 0 of infra/shop is not exposed")
    assert [each.then_rps for each in found.loads] == [None, None]
    assert [each.now_rps for each in found.loads] == [140.0, 60.0]


def test_upstreams_bound_a_rule_only_where_all_of_them_are_known():
    elsewhere = ref("far", 1, group="multicluster.x-k8s.io", kind="ServiceImport")
    far = route("far", rule(ref("shard-a", 1), elsewhere), hosts=["far.example.com"])
    found = blast(watched(SHOP, FEED, far), far, weights(far, 1, 3))
    assert found.unknown.startswith("at most 50 requests/s")  # a quarter of everything, not of what shard-a gets


def test_gateways_behind_those_whose_load_changes_change_too():
    onward = route("onward", rule(ref("shard-b", namespace="infra")), namespace="foo", gateways=["shard-a"])
    shop = route("shop", rule(ref("shard-a", 1), ref("cart", 1, namespace="foo")))
    look = watched(shop, onward, exposing("shop"), routes={"infra/shop/": 120.0})
    found = blast(look, shop, weights(shop, 1, 3))
    assert load(found, "shard-a").then_rps == pytest.approx(110)
    assert load(found, "shard-b").then_rps is None


def test_proxies_that_do_not_answer_leave_a_lower_bound():
    figures = traffic(100.0, {TO_A: 70.0, TO_B: 30.0}, {"infra/shop/": 60.0})
    look = snapshot_of(fleet(SHOP, exposing("shop")), proxy("edge-x1", figures), proxy("edge-x2", None))
    found = blast(look, SHOP, weights(SHOP, 50, 50))
    assert found.moved_rps is None
    assert found.unknown == "1 of 2 proxies of infra/edge do not answer: at least 100 requests/s"
    silent = snapshot_of(fleet(SHOP), proxy("edge-x1", None), proxy("edge-x2", None))
    assert blast(silent, SHOP, weights(SHOP, 1, 1)).unknown == "no proxy of infra/edge answers"


def test_streams_are_not_counted_in_requests():
    stream = route("tcp", rule(ref("shard-a", 1), ref("shard-b", 1)), kind="TCPRoute")
    found = blast(watched(stream), stream, weights(stream, 1, 3))
    assert found.moved_rps is None
    assert "carries connections" in found.unknown


def test_rules_that_come_go_or_take_other_requests_are_bounded_by_all_there_is():
    longer = edited(SHOP, lambda spec: spec["rules"].append(rule("shard-b", path="/new")))
    found = blast(COUNTED, SHOP, longer)
    assert (found.moved_rps, [each.gateway for each in found.loads]) == (None, [SHARD_B])
    assert found.unknown == "at most 200 requests/s: rule 1 of infra/shop is new: it takes requests of others"
    gone = blast(COUNTED, longer, SHOP)
    assert (gone.moved_rps, [each.gateway for each in gone.loads]) == (None, [SHARD_B])
    assert "rule 1 of infra/shop goes" in gone.unknown
    other = blast(
        COUNTED, SHOP, edited(SHOP, lambda spec: spec["rules"][0].update(matches=[{"path": {"value": "/x"}}]))
    )
    assert "takes other requests than before" in other.unknown


def test_a_route_that_leaves_a_hostname_or_a_gateway():
    hosts = blast(COUNTED, SHOP, edited(SHOP, lambda spec: spec.update(hostnames=["new.example.com"])))
    assert hosts.hostnames == ("new.example.com", "shop.example.com")
    assert hosts.moved_rps is None
    there = [{"name": "shard-b", "namespace": "infra"}]
    left = blast(COUNTED, SHOP, edited(SHOP, lambda spec: spec.update(parentRefs=there)))
    assert left.gateways == (EDGE, SHARD_B)
    assert "leaves infra/edge" in left.unknown
    assert "comes to infra/shard-b" in left.unknown


def test_hostnames_are_those_the_listeners_take():
    manifests = fleet(anywhere := route("shop", rule(ref("shard-a", 1), ref("shard-b", 1)), hosts=[]))
    for each in manifests:
        if each["kind"] == "Gateway" and each["metadata"]["name"] == "edge":
            each["spec"]["listeners"][0]["hostname"] = "*.example.com"
    found = blast(snapshot_of(manifests), anywhere, weights(anywhere, 1, 3))
    assert found.hostnames == ("*.example.com",)


CHILD = {"group": GA, "kind": "HTTPRoute", "name": "child", "namespace": "foo"}
PARENT = route("parent", {"matches": [{"path": {"value": "/shop"}}], "backendRefs": [CHILD]})
TO_SHARDS = [ref("shard-a", 9, namespace="infra"), ref("shard-b", 1, namespace="infra")]
BELOW = route(
    "child", rule(*TO_SHARDS, path="/shop/cart"), rule("cart", path="/else"), namespace="foo", parents=[], hosts=[]
)


def test_a_child_moves_the_requests_its_parents_hand_it():
    counted = {"foo/child/": 120.0, "infra/feed/": 80.0}
    look = watched(PARENT, FEED, BELOW, exposing("child", "foo"), routes=counted)
    found = blast(look, BELOW, weights(BELOW, 5, 5))
    assert (found.gateways, found.hostnames) == ((EDGE,), ("shop.example.com",))
    assert found.unknown.startswith("at most 48 requests/s: rule 0 of foo/child is counted together with rule 1")
    alone = edited(BELOW, lambda spec: spec["rules"].pop())
    look = watched(PARENT, FEED, alone, exposing("child", "foo"), routes=counted)
    assert blast(look, alone, weights(alone, 5, 5)).moved_rps == pytest.approx(48)


def test_a_rule_that_is_in_force_nowhere_moves_nothing():
    look = watched(PARENT, BELOW, exposing("child", "foo"))
    after = edited(BELOW, lambda spec: spec["rules"][1].update(backendRefs=[ref("batch", namespace="extra")]))
    found = blast(look, BELOW, after)
    assert (found.moved_rps, found.loads) == (0.0, ())


def test_a_parent_that_hands_on_something_else_changes_what_its_children_get():
    look = watched(PARENT, BELOW, exposing("child", "foo"), routes={"foo/child/": 120.0})
    gone = blast(look, PARENT, edited(PARENT, lambda spec: spec["rules"][0].update(backendRefs=[ref("shard-b")])))
    renamed = blast(look, PARENT, edited(PARENT, lambda spec: spec.update(hostnames=["new.example.com"])))
    for found in (gone, renamed):
        assert found.moved_rps is None
        assert {each.gateway for each in found.loads} == {SHARD_A, SHARD_B}
        assert all(each.then_rps is None for each in found.loads)


def test_an_unknown_cluster_and_a_broken_draft_are_unknown_and_say_why():
    assert "nothing is known" in blast_radius(Snapshot(), CLUSTER, [SHOP], [SHOP]).unknown
    broken = edited(SHOP, lambda spec: spec["rules"][0]["backendRefs"][0].update(weight="much"))
    assert "weight" in blast(COUNTED, SHOP, broken).unknown


WEIGHTS = st.lists(st.integers(0, 1000), min_size=2, max_size=2)


@settings(max_examples=50, deadline=None)
@given(WEIGHTS, WEIGHTS)
def test_an_edit_and_its_reverse_move_the_same_rate(one, other):
    first, second = weights(SHOP, *one), weights(SHOP, *other)
    there, back = blast(COUNTED, first, second), blast(COUNTED, second, first)
    assert there.moved_rps == pytest.approx(back.moved_rps)
    assert (there.gateways, there.hostnames, there.namespaces) == (back.gateways, back.hostnames, back.namespaces)
    assert blast(COUNTED, first, first).moved_rps == 0


@settings(max_examples=50, deadline=None)
@given(WEIGHTS)
def test_what_one_shard_loses_others_or_errors_get(values):
    found = blast(COUNTED, SHOP, weights(SHOP, *values))
    changes = {each.gateway: (each.then_rps or 0) - (each.now_rps or 0) for each in found.loads}
    assert found.moved_rps == pytest.approx(-sum(min(0.0, change) for change in changes.values()))
    if any(values):
        assert sum(changes.values()) == pytest.approx(0, abs=1e-6)


def shares(before: Document, after: Document) -> list[tuple[int, str, float]]:
    return [(each.rule_index, each.backend, round(each.share, 3)) for each in expected_shares(before, after)]


def test_expected_shares_are_those_of_changed_rules_alone():
    two = route("shop", rule("shard-a", "shard-b", path="/a"), rule("shard-a", path="/b"))
    assert shares(two, weights(two, 1, 3)) == [(0, "infra/shard-a", 0.25), (0, "infra/shard-b", 0.75)]
    assert shares(two, two) == []
    assert shares(two, edited(two, lambda spec: spec["rules"].reverse())) == []
    drained = weights(two, 0, 3)
    assert shares(two, drained) == [(0, "infra/shard-a", 0.0), (0, "infra/shard-b", 1.0)]


def test_expected_shares_of_rules_that_divide_nothing_are_none():
    assert shares(SHOP, weights(SHOP, 0, 0)) == []
    assert shares(PARENT, edited(PARENT, lambda spec: spec["rules"][0]["backendRefs"].append(ref("shard-a")))) == []
    twice = edited(SHOP, lambda spec: spec["rules"][0]["backendRefs"].append(ref("shard-b", 5, port=9090)))
    assert shares(SHOP, twice) == []


def test_expected_shares_of_one_backend_alone():
    left = edited(SHOP, lambda spec: spec["rules"][0]["backendRefs"].pop())
    assert shares(SHOP, left) == [(0, "infra/shard-a", 1.0)]
    assert shares(left, weights(left, 0)) == []


def series(*values: float | None, after_s: float = 0.0) -> ProxyView:
    view = proxy("x", traffic(1.0), values)
    points = tuple(Point(NOW + timedelta(seconds=after_s + 2 * at), rps=rps) for at, rps in enumerate(values))
    return ProxyView(key=view.key, series=points)


def test_a_peak_is_of_moments_at_which_every_proxy_was_known():
    assert peak_of([series(1.0, 5.0, 2.0)]) == (5.0, 4.0)
    assert peak_of([series(1.0, 5.0, 2.0), series(10.0, 1.0, 1.0, after_s=1.0)]) == (15.0, 4.0)
    assert peak_of([series(100.0, None, 2.0), series(10.0, 10.0, 10.0)]) == (110.0, 4.0)
    assert peak_of([series(1.0), series()]) is None
    assert peak_of([]) is None
    assert key_of(SHOP).name == "shop"


def test_what_stands_by_gets_nothing_while_the_first_is_well():
    groups = [{"backendRefs": [ref("shard-a")]}, {"backendRefs": [ref("shard-b")]}]
    backend = {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": "failover", "namespace": "infra"},
        "spec": {"priorityGroups": groups},
    }
    to = ref("failover", group="gateway.kgateway.dev", kind="Backend", port=None)
    look = watched(shop := route("shop", rule(to)), backend, exposing("shop"), routes={"infra/shop/": 120.0})
    found = blast(look, shop, edited(shop, lambda spec: spec["rules"][0]["backendRefs"].append(ref("shard-b"))))
    assert found.moved_rps == pytest.approx(60)
    assert load(found, "shard-a").then_rps == pytest.approx(140 - 60)
    assert load(found, "shard-b").then_rps == pytest.approx(60 + 60)
    narrower = edited(shop, lambda spec: spec["rules"][0].update(matches=[{"path": {"value": "/x"}}]))
    assert [each.gateway for each in blast(look, shop, narrower).loads] == [SHARD_A]
