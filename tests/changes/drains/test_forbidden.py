"""What forbids a drain, each with the safe way, and what is only said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from changing import (
    CLUSTER,
    EDGE,
    GA,
    NOW,
    SHARD_A,
    SHARD_B,
    TO_A,
    TO_B,
    endpoints,
    exposing,
    fleet,
    proxy,
    ref,
    route,
    rule,
    service,
    snapshot_of,
    traffic,
)
from draining import (
    SENDING,
    SERVING,
    all_live,
    change_of,
    codes,
    documents_of,
    drawn,
    ingress,
    key,
    titles,
    told,
)
from gwtui.changes.drains.drawing import draw_up
from gwtui.changes.drains.needs import objects_needed
from gwtui.changes.drains.wish import Backend, DrainWish, Moved, OneProxy, Shard
from gwtui.changes.plan import Owner, Verdict
from gwtui.model.health import ProxyState
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.snapshot import Snapshot

TAKER = "infra/shard-b"
SPLIT = [route("shop", rule(ref("shard-a", 90), ref("shard-b", 10)))]


def refused(given, target=None, **more):
    return {each.code: each for each in drawn(given, target, **more).refusals}


def without_shard_b(*routes):
    manifests = [each for each in fleet(*routes) if "shard-b" not in each["metadata"]["name"]]
    return snapshot_of(manifests, *all_live()), manifests


def test_the_only_shard():
    found = refused(without_shard_b(SENDING[0], SERVING[0]))
    assert found.keys() == {"only-shard"}
    assert "shard-a is the only gateway of its tier" in found["only-shard"].text


def test_the_only_gateway_of_all():
    kept = {"edge", "edge-x1", "edge-x2", "kgateway"}
    manifests = [each for each in fleet() if each["metadata"]["name"] in kept]
    assert refused((snapshot_of(manifests), manifests), Shard(EDGE)).keys() == {"only-shard"}


def test_a_lone_backend_needs_somebody_who_takes_over():
    found = refused(ingress())
    assert found.keys() == {"no-replacement"}
    assert found["no-replacement"].safe_way == "name who takes over with --to: infra/shard-b"


@pytest.mark.parametrize("to", ["infra/shard-c", "infra/shard-a"])
def test_who_takes_over_must_be_somebody_else(to):
    assert "no-replacement" in refused(ingress(), to=to)


def test_the_port_of_who_takes_over_must_be_clear():
    ports = service("shard-b", "infra")
    ports["spec"]["ports"] = [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]
    manifests = [each for each in fleet(*SENDING, *SERVING) if each["metadata"]["name"] != "shard-b"]
    gateway = [each for each in fleet() if (each["kind"], each["metadata"]["name"]) == ("Gateway", "shard-b")]
    ports["metadata"]["labels"] = {"gateway.networking.k8s.io/gateway-name": "shard-b"}
    given = [*manifests, *gateway, ports]
    found = refused((snapshot_of(given, *all_live()), given), to=TAKER)
    assert "which port" in found["no-replacement"].text


def test_nobody_sends_to_it():
    doors = ingress()
    found = refused((doors[0], doors[1]), Shard(EDGE))
    assert found.keys() == {"only-shard"}
    aside = refused(ingress(sending=[SENDING[2]]))
    assert aside.keys() == {"not-reached"}
    assert "take it out of" in aside["not-reached"].safe_way


def test_who_takes_over_must_answer():
    down = all_live(proxy("shard-b-z1", None))
    assert "taker-unhealthy" in refused(ingress(proxies=down), to=TAKER)
    assert "taker-unhealthy" in refused(ingress(proxies=down, sending=SPLIT))
    draining = replace(proxy("shard-b-z1", traffic(1.0)), state=ProxyState.DRAINING)
    assert "taker-unhealthy" in refused(ingress(proxies=all_live(draining)), to=TAKER)


def test_who_takes_over_must_not_be_drained_itself():
    away = change_of(drawn(ingress(), Shard(SHARD_B), to="infra/shard-a"))
    drained = ingress(sending=[route("shop", rule(ref("shard-a", 100), ref("shard-b", 0)))])
    found = refused(drained, to=TAKER, changes=[away])
    assert "is drained itself" in found["taker-unhealthy"].text
    assert "taker-unhealthy" not in refused(drained, to=TAKER)


def test_a_plain_backend_that_takes_over_must_have_something_ready():
    cart = [service("cart", "infra"), endpoints("cart", "infra", 0, 2)]
    split = [route("shop", rule(ref("shard-a", 90), ref("cart", 10)))]
    assert "taker-unhealthy" in refused(ingress(*cart, sending=split))


def loaded(peak: float) -> list:
    series = [peak] + [10.0] * 40
    edge = traffic(100, {TO_A: 90.0, TO_B: 10.0}, {"infra/shop/": 100.0})
    return [
        proxy("edge-x1", edge, [100.0] * 41),
        proxy("edge-x2", traffic(0.0), [0.0] * 41),
        proxy("shard-a-y1", traffic(90.0), [90.0] * 41),
        proxy("shard-b-z1", traffic(10.0), series),
    ]


def test_more_than_it_was_ever_seen_to_take():
    policy = exposing("shop")
    found = refused(ingress(policy, sending=SPLIT, proxies=loaded(20.0)))
    assert found.keys() == {"no-head-room"}
    assert "100 requests/s: 500% of the most it was seen to take" in found["no-head-room"].text
    accepted = drawn(ingress(policy, sending=SPLIT, proxies=loaded(20.0)), accepts_load=True)
    assert not codes(accepted)
    assert told(accepted) == {"above-peak"}
    assert not refused(ingress(policy, sending=SPLIT, proxies=loaded(200.0)))


def test_drained_already_and_in_progress():
    done = change_of(drawn(ingress(), to=TAKER))
    assert "already-drained" in refused(ingress(), to=TAKER, changes=[done])
    under_way = change_of(drawn(ingress(), to=TAKER), applied=[0], verdict=Verdict.OPEN)
    assert "drain-in-progress" in refused(ingress(), to=TAKER, changes=[under_way])
    of_other = drawn(ingress(), Shard(SHARD_B), to="infra/shard-a", changes=[under_way])
    assert "drain-in-progress" in codes(of_other)
    undone = change_of(drawn(ingress(), to=TAKER), applied=[], verdict=Verdict.UNDONE)
    assert not refused(ingress(), to=TAKER, changes=[undone])


def test_an_undrain_under_way_is_waited_for_too():
    back = change_of(drawn(ingress(), to=TAKER), applied=[], verdict=Verdict.OPEN, undoes="earlier")
    assert "drain-in-progress" in refused(ingress(), to=TAKER, changes=[back])


def test_drained_by_somebody_else_is_only_said():
    empty = [route("shop", rule(ref("shard-a", 0), ref("shard-b", 100)))]
    found = drawn(ingress(sending=empty))
    assert not codes(found)
    assert told(found) == {"drained-outside"}
    assert titles(found) == ["wait until empty"]


def test_objects_that_somebody_puts_back():
    argo = Owner(name="Argo CD app edge", evidence="label", reverts=True)
    kubectl = Owner(name="kubectl", evidence="manages spec.rules")
    found = refused(ingress(), to=TAKER, owners={key("HTTPRoute", "infra", "shop"): (argo,)})
    assert found.keys() == {"owned"}
    assert "Argo CD app edge" in found["owned"].safe_way
    assert not refused(ingress(), to=TAKER, owners={key("HTTPRoute", "infra", "shop"): (kubectl,)})
    unedited = {key("HTTPRoute", "infra", "extra"): (argo,)}
    assert not refused(ingress(), to=TAKER, owners=unedited)


def test_an_attached_route_that_would_get_nothing():
    taken = route(
        "all", rule("web"), namespace="extra", gateways=["shard-b"], hosts=["foo.example.com", "x.example.com"]
    )
    wide = route("foo", rule("shard-a"), hosts=["foo.example.com", "y.example.com"])
    web = route(
        "web",
        rule("web"),
        namespace="foo",
        gateways=["shard-a"],
        hosts=["foo.example.com", "y.example.com"],
        created="2026-07-01T00:00:00Z",
    )
    found = refused(ingress(sending=[wide], serving=[web, taken]), to=TAKER)
    assert found.keys() == {"shadowed-there"}
    assert "foo.example.com" in found["shadowed-there"].text


def test_a_reference_into_another_namespace_needs_a_grant():
    sending = route("foo", rule(ref("shard-a", namespace="infra")), namespace="team", hosts=["foo.example.com"])
    grant = {
        "apiVersion": f"{GA}/v1beta1",
        "kind": "ReferenceGrant",
        "metadata": {"name": "g", "namespace": "infra"},
        "spec": {
            "from": [{"group": GA, "kind": "HTTPRoute", "namespace": "team"}],
            "to": [{"group": "", "kind": "Service", "name": "shard-a"}],
        },
    }
    assert refused(ingress(grant, sending=[sending]), to=TAKER).keys() == {"no-grant"}
    del grant["spec"]["to"][0]["name"]
    assert not refused(ingress(grant, sending=[sending]), to=TAKER)


def test_listeners_that_take_no_route_of_that_namespace():
    _, manifests = ingress()
    for each in manifests:
        if (each["kind"], each["metadata"]["name"]) == ("Gateway", "shard-b"):
            each["spec"]["listeners"][0]["allowedRoutes"] = {"namespaces": {"from": "Same"}}
    found = refused((snapshot_of(manifests, *all_live()), manifests), to=TAKER)
    assert found.keys() == {"not-allowed"}


def test_routes_that_are_not_edited_here_and_those_that_were_not_read():
    udp = route("dns", rule("shard-a"), kind="UDPRoute")
    manifests = fleet(*SPLIT, udp)
    snapshot = snapshot_of(manifests, *all_live())
    wish = DrainWish(target=Shard(SHARD_A))
    documents = documents_of([*SPLIT], [key("HTTPRoute", "infra", "shop")])
    assert codes(draw_up(snapshot, wish, documents, now=NOW)) == {"other-kind"}
    assert codes(draw_up(snapshot, wish, {}, now=NOW)) == {"other-kind", "unread"}


def test_what_is_not_known():
    wish = DrainWish(target=Shard(GatewayKey(CLUSTER, "infra", "gone")))
    assert codes(draw_up(ingress()[0], wish, {}, now=NOW)) == {"gone"}
    assert codes(draw_up(Snapshot(), wish, {}, now=NOW)) == {"stale"}
    assert not objects_needed(Snapshot(), wish)
    pod = DrainWish(target=OneProxy(ProxyKey(CLUSTER, "infra", "gone")))
    assert codes(draw_up(ingress()[0], pod, {}, now=NOW)) == {"gone"}
    lost = DrainWish(target=Backend(key("HTTPRoute", "infra", "lost"), "infra/shard-a"))
    assert "not-reached" in codes(draw_up(ingress()[0], lost, {}, now=NOW))


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"rules": "x"},
        {"rules": [3]},
        {"rules": [{"backendRefs": [{"weight": "x"}, 4, {"name": "shard-a", "port": "y"}]}]},
        {"rules": [{"backendRefs": [{"name": "shard-a", "port": 8080}], "filters": [3, {"requestMirror": 4}]}]},
        {"rules": [{"backendRefs": [{"name": "shard-a", "port": 8080, "weight": 2_000_000}, {"name": "x"}]}]},
    ],
)
@pytest.mark.parametrize("to", ["", TAKER])
def test_odd_content_is_never_an_error(spec, to):
    snapshot, manifests = ingress()
    wish = DrainWish(target=Shard(SHARD_A), to=to)
    documents = documents_of(manifests, objects_needed(snapshot, wish))
    for each in documents.values():
        each["spec"] = spec
    draw_up(snapshot, wish, documents, now=NOW)


def test_weights_beyond_the_limit_and_routes_that_are_none_are_told():
    snapshot, manifests = ingress(sending=SPLIT)
    wish = DrainWish(target=Shard(SHARD_A))
    documents = documents_of(manifests, objects_needed(snapshot, wish))
    (spec,) = (each["spec"] for each in documents.values())
    spec["hostnames"] = 3
    assert codes(draw_up(snapshot, wish, documents, now=NOW)) == {"limit"}
    spec["hostnames"] = ["shop.example.com"]
    spec["rules"][0]["backendRefs"][0]["weight"] = 2_000_000
    assert codes(draw_up(snapshot, wish, documents, now=NOW)) == {"limit"}


def test_a_rule_that_carries_others_too():
    web = route("other", rule("web"), namespace="bar", gateways=["shard-a"], hosts=["foo.example.com"])
    moved = Moved(SHARD_A, namespace="foo")
    assert "mixed-rule" in refused(ingress(serving=[*SERVING, web]), moved, to=TAKER)
    assert not refused(ingress(), moved, to=TAKER)
