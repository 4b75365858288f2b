"""One proxy, one backend of a route, and what moves from one shard to another."""

from __future__ import annotations

from dataclasses import replace

from changing import CLUSTER, EDGE, SHARD_A, fleet, proxy, ref, route, rule, service, snapshot_of, traffic
from draining import (
    SENDING,
    SERVING,
    all_live,
    change_of,
    codes,
    drawn,
    ingress,
    key,
    posts,
    titles,
    told,
    weights_of,
    written,
)
from gwtui.changes.drains.wish import Backend, Moved, OneProxy
from gwtui.changes.plan import DrainKind, End, StageKind
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey

TAKER = "infra/shard-b"
ONE = OneProxy(ProxyKey(CLUSTER, "infra", "edge-x1"))
SHOP = key("HTTPRoute", "infra", "shop")


def test_one_proxy_fails_its_health_check():
    found = drawn(ingress(), ONE, deadline_s=9)
    assert not codes(found)
    assert posts(found) == ["/healthcheck/fail"]
    assert found.steps[0].reverse_path == "/healthcheck/ok"
    assert [stage.kind for stage in found.stages] == [StageKind.WRITE, StageKind.EMPTY]
    drain = found.drain
    assert (drain.kind, drain.way, drain.target, drain.gateway) == (DrainKind.PROXY, "health", "infra/edge-x1", EDGE)
    assert drain.ends == (End(gateway=EDGE, pod="edge-x1"),)
    assert drain.deadline_s == 9


def test_the_last_one_that_takes_requests_is_not_drained():
    alone = OneProxy(ProxyKey(CLUSTER, "infra", "shard-a-y1"))
    assert codes(drawn(ingress(), alone)) == {"last-healthy"}
    down = all_live(proxy("edge-x2", None))
    assert codes(drawn(ingress(proxies=down), ONE)) == {"last-healthy"}
    failing = all_live(replace(proxy("edge-x2", traffic(1.0)), state=ProxyState.DRAINING))
    assert codes(drawn(ingress(proxies=failing), ONE)) == {"last-healthy"}


def test_a_proxy_that_does_not_answer_cannot_be_told():
    assert codes(drawn(ingress(proxies=all_live(proxy("edge-x1", None))), ONE)) == {"no-answer"}


def test_a_proxy_is_drained_once():
    done = change_of(drawn(ingress(), ONE))
    assert codes(drawn(ingress(), ONE, changes=[done])) == {"already-drained"}
    by_hand = all_live(replace(proxy("edge-x1", traffic(1.0)), state=ProxyState.DRAINING))
    assert told(drawn(ingress(proxies=by_hand), ONE)) == {"drained-outside"}


def test_listeners_of_one_proxy_are_closed_last():
    found = drawn(ingress(), ONE, closes_listeners=True)
    assert posts(found) == ["/healthcheck/fail", "/drain_listeners?graceful"]
    assert [stage.kind for stage in found.stages] == [StageKind.WRITE, StageKind.EMPTY, StageKind.WRITE]
    assert told(found) == {"not-undoable"}


def cart_of(*rules, **more):
    plain = route("cart", *rules, hosts=["cart.example.com"], **more)
    return ingress(service("cart", "infra"), service("next", "infra"), sending=[*SENDING, plain], serving=SERVING)


CART = Backend(key("HTTPRoute", "infra", "cart"), "infra/cart")


def test_a_backend_leaves_every_rule_of_its_route_that_has_it():
    two = rule(ref("cart", 50), ref("next", 50)), rule(ref("cart", 100), ref("next", 300), path="/x")
    found = drawn(cart_of(*two), CART, ramp=(50, 0))
    assert titles(found) == ["infra/cart 50 %", "infra/cart 0 %", "wait until empty"]
    last = written(found, 1)["infra/cart"]
    assert (weights_of(last), weights_of(last, 1)) == ([0, 100], [0, 400])
    assert (found.drain.kind, found.drain.target) == (DrainKind.BACKEND, "infra/cart:infra/cart")
    assert found.drain.gateway == EDGE
    assert found.drain.ends == (End(gateway=EDGE, clusters=("kube_infra_cart_8080",)),)


def test_a_lone_backend_gets_a_replacement_first():
    assert codes(drawn(cart_of(rule("cart")), CART)) == {"no-replacement"}
    found = drawn(cart_of(rule("cart")), CART, to="next", ramp=(0,))
    assert not codes(found)
    assert found.drain.way == "replacement"
    assert [weights_of(written(found, stage)["infra/cart"]) for stage in (0, 1)] == [[100, 0], [0, 100]]


def test_a_cluster_that_others_use_does_not_get_empty():
    found = drawn(ingress(), Backend(SHOP, "infra/shard-a"))
    assert told(found) == {"shared-upstream"}
    assert not found.drain.ends
    assert "wait until empty" not in titles(found)
    assert weights_of(written(found, 2)["infra/shop"]) == [0, 100]
    assert not codes(found)


def test_a_backend_that_is_a_shard_is_served_by_the_other_first():
    foo = Backend(key("HTTPRoute", "infra", "foo"), "infra/shard-a")
    assert titles(drawn(ingress(), foo, to=TAKER))[0] == "attach foo/web to infra/shard-b"


def test_a_namespace_moves_with_what_leads_to_it_alone():
    found = drawn(ingress(), Moved(SHARD_A, namespace="bar"), to="shard-b")
    assert not codes(found)
    assert titles(found)[:3] == [
        "attach bar/web to infra/shard-b",
        "add infra/shard-b on infra/edge at weight 0",
        "namespace/bar 50 %",
    ]
    assert {step.key.name for step in found.steps} == {"web", "bar"}
    assert (found.drain.kind, found.drain.gateway) == (DrainKind.NAMESPACE, SHARD_A)
    assert found.drain.ends == (End(gateway=SHARD_A, clusters=("kube_bar_web_8080",)),)


def test_a_hostname_moves_alone():
    found = drawn(ingress(), Moved(SHARD_A, hostname="foo.example.com"), to=TAKER)
    assert {str(step.key) for step in found.steps} == {"httproutes/foo/web", "httproutes/infra/foo"}
    assert found.drain.kind is DrainKind.HOSTNAME
    assert found.drain.ends == (End(gateway=SHARD_A, clusters=("kube_foo_web_8080",)),)


def test_listeners_of_what_moves_stay_open():
    found = drawn(ingress(), Moved(SHARD_A, namespace="bar"), to=TAKER, closes_listeners=True)
    assert not posts(found)
    assert told(found) == {"listeners-stay"}


def test_the_service_of_the_moved_is_shared_with_what_stays():
    partner = route(
        "web",
        rule(ref("web")),
        rule(ref("web", namespace="bar"), path="/p"),
        namespace="foo",
        gateways=["shard-a"],
        hosts=["foo.example.com"],
    )
    found = drawn(ingress(serving=[partner, *SERVING[1:]]), Moved(SHARD_A, namespace="bar"), to=TAKER)
    assert told(found) == {"shared-upstream"}
    assert not found.drain.ends


def test_snapshots_without_figures_are_no_error():
    manifests = fleet(*SENDING, *SERVING)
    assert "last-healthy" in codes(drawn((snapshot_of(manifests), manifests), ONE))
