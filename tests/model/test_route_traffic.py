"""Counters of single rules: found by the names their policies give them, and never guessed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gwtui.model.exposure import Exposure
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.known import Known, Unknown
from gwtui.model.relations.inventory import Inventory
from gwtui.model.resources import HTTP_ROUTES
from gwtui.model.route_traffic import InShort, RuleCounters, in_short
from gwtui.model.samples import ProxySample, RouteSample
from gwtui.model.shape import GatewayNode
from gwtui.model.traffic import NO_TRAFFIC, ProxyTraffic, RouteTraffic
from objects import decode
from routed import NOW, path, route, to

EDGE = GatewayKey("c", "infra", "edge")
VHOST = "listener~8080~shop_example_com"


def key(name: str) -> ObjectKey:
    return ObjectKey("c", HTTP_ROUTES, "foo", name)


def policy(name: str, *routes: str, template: str, section: str = "") -> dict[str, Any]:
    target = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "sectionName": section}
    return {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": "TrafficPolicy",
        "metadata": {"name": name, "namespace": "foo"},
        "spec": {"targetRefs": [{**target, "name": each} for each in routes], "statPrefix": template},
    }


def counters(*policies: dict[str, Any]) -> RuleCounters:
    rules = [{"name": name, "matches": [path(f"/{name}")], "backendRefs": [to("cart")]} for name in ("a", "b")]
    found = decode([*(route("HTTPRoute", "foo", name, "edge", *rules) for name in ("cart", "feed")), *policies])
    node = GatewayNode(
        key=EDGE,
        class_name="kgateway",
        controller="kgateway.dev/kgateway",
        tier=1,
        listeners=(),
        hostnames=(),
        namespaces=(),
        routes=(key("cart"), key("feed")),
        proxies=(),
        services=(),
    )
    return RuleCounters(node, Exposure(Inventory("c", found)))


def traffic(**rates: float) -> ProxyTraffic:
    routes = {
        (VHOST, prefix.replace("__", ".")): RouteTraffic(rps=Known(rps, NOW), error_ratio=Known(0.0, NOW))
        for prefix, rps in rates.items()
    }
    return replace(NO_TRAFFIC, rps=Known(100.0, NOW), routes=routes)


def of(found: RuleCounters, name: str, index: int, all_of_it: ProxyTraffic) -> tuple[float | str, tuple[int, ...]]:
    each, rules = found.of_rule(key(name), index, all_of_it, found.counted(all_of_it))
    return each.rps.value if isinstance(each.rps, Known) else each.rps.reason, rules


def test_named_rules_are_counted_apart() -> None:
    found = counters(policy("p", "cart", template="{{route_namespace}}.{{route_name}}.{{rule_name}}"))
    seen = traffic(foo__cart__a=7.0)
    assert of(found, "cart", 0, seen) == (7.0, (0,))
    assert of(found, "cart", 1, seen) == (0.0, (1,)), "a name appears with its first request"
    why = "not exposed: set statPrefix by a TrafficPolicy on httproutes/foo/feed"
    assert of(found, "feed", 0, seen) == (why, ())


def test_rules_of_one_name_are_counted_together_and_say_so() -> None:
    found = counters(policy("p", "cart", template="{{route_namespace}}.{{route_name}}"))
    assert of(found, "cart", 1, traffic(foo__cart=9.0)) == (9.0, (0, 1))


def test_one_rule_may_be_exposed_and_its_neighbour_not() -> None:
    found = counters(policy("p", "cart", template="cart.b", section="b"))
    assert of(found, "cart", 1, traffic(cart__b=3.0)) == (3.0, (1,))
    assert isinstance(of(found, "cart", 0, traffic(cart__b=3.0))[0], str)
    assert (found.prefix(key("cart"), 0), found.prefix(key("cart"), 1)) == ("", "cart.b")


def test_a_name_two_routes_share_tells_of_neither() -> None:
    found = counters(policy("p", "cart", "feed", template="same"))
    words, rules = of(found, "cart", 0, traffic(same=9.0))
    assert words == "counted together with httproutes/foo/feed: their policies give both the same statPrefix"
    assert rules == ()
    assert (found.prefix(key("cart"), 0), list(found.rules("same"))) == ("", [])


def test_nothing_is_zero_while_the_gateway_tells_nothing() -> None:
    found = counters(policy("p", "cart", template="x"))
    each, _ = found.of_rule(key("cart"), 0, NO_TRAFFIC, {})
    assert each.rps == Unknown("no sample yet")


def sample(at_s: float, **counts: tuple[int, int]) -> ProxySample:
    routes = {(VHOST, name): RouteSample(requests=sent, errors_5xx=failed) for name, (sent, failed) in counts.items()}
    return ProxySample(
        taken_mono=at_s,
        taken_at=NOW,
        requests=0,
        errors_5xx=0,
        errors_4xx=0,
        active=0,
        uptime_s=1,
        latency=None,
        routes=routes,
    )


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        ({"a": (100, 10)}, {"a": (150, 15)}, {"a": InShort(5.0, 0.5)}),
        ({"a": (100, 0)}, {"a": (100, 0)}, {}),
        ({"b": (1, 0)}, {"a": (20, 20), "b": (1, 0)}, {"a": InShort(2.0, 2.0)}),
        ({"a": (900, 9)}, {"a": (30, 3)}, {"a": InShort(3.0, 0.3)}),
        ({}, {"a": (30, 3)}, {}),
    ],
    ids=["moved", "at rest", "new name", "made anew", "one sample"],
)
def test_in_short(
    then: dict[str, tuple[int, int]], now: dict[str, tuple[int, int]], expected: dict[str, InShort]
) -> None:
    assert in_short([sample(0.0, **then), sample(10.0, **now)]) == expected


def test_in_short_adds_virtual_hosts() -> None:
    older, newer = sample(0.0, a=(0, 0)), sample(10.0, a=(50, 5))
    other = {("listener~8080~x", "a"): RouteSample(requests=50, errors_5xx=0)}
    assert in_short([older, replace(newer, routes={**newer.routes, **other})]) == {"a": InShort(10.0, 0.5)}
