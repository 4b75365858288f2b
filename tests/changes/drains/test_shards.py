"""A shard is drained by every rule that reaches it: stages, what each writes, and what has to fall silent."""

from __future__ import annotations

from changing import EDGE, GA, SHARD_A, SHARD_B, TO_A, ref, route, rule, snapshot_of
from draining import SENDING, SERVING, all_live, codes, drawn, ingress, key, posts, titles, told, weights_of, written
from gwtui.changes.plan import DrainKind, End, ObjectEdit, StageKind

TAKER = "infra/shard-b"
IN_FORCE = ("stored", "programmed", "loaded")


def mirror(name: str = "shard-a") -> dict:
    return {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": name, "port": 8080}}}


def backend(name: str, *groups: list[dict]) -> dict:
    return {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": name, "namespace": "infra", "uid": name, "generation": 1},
        "spec": {"priorityGroups": [{"backendRefs": group} for group in groups]},
    }


def to_backend(name: str, **more) -> dict:
    return {"group": "gateway.kgateway.dev", "kind": "Backend", "name": name, **more}


def test_lone_hosts_are_attached_first_and_the_split_host_shifts_only():
    found = drawn(ingress(), to=TAKER)
    assert not codes(found)
    assert titles(found) == [
        "attach bar/web, foo/web to infra/shard-b",
        "add infra/shard-b on infra/edge at weight 0",
        "infra/shard-a 50 %",
        "infra/shard-a 10 %",
        "infra/shard-a 0 %",
        "wait until empty",
    ]
    assert found.title == "drain infra/shard-a → infra/shard-b"
    assert [stage.kind for stage in found.stages] == [*[StageKind.WRITE] * 5, StageKind.EMPTY]
    assert [stage.bake_s for stage in found.stages] == [0, 0, 5, 5, 0, 0]
    assert all(stage.truths == IN_FORCE for stage in found.stages[:5])
    assert found.drain.kind is DrainKind.SHARD
    assert (found.drain.way, found.drain.to, found.drain.target) == ("replacement", TAKER, "infra/shard-a")


def test_a_route_is_attached_as_it_was_to_the_shard():
    found = drawn(ingress(), to=TAKER)
    assert written(found, 0)["foo/web"]["spec"]["parentRefs"] == [
        {"name": "shard-a", "namespace": "infra"},
        {"name": "shard-b", "namespace": "infra"},
    ]
    assert all(found.steps[at].gateways == (SHARD_B,) for at in found.stages[0].steps)
    assert all(step.gateways == (EDGE,) for step in found.steps[2:] if isinstance(step, ObjectEdit))


def test_listeners_are_named_only_where_the_other_has_them():
    parents = [
        {"name": "shard-a", "namespace": "infra", "sectionName": "http", "port": 8080},
        {"name": "shard-a", "namespace": "infra", "sectionName": "other", "port": 9090},
    ]
    web = route("web", rule("web"), namespace="foo", hosts=["foo.example.com"], parents=parents)
    found = drawn(ingress(serving=[web]), to=TAKER)
    assert written(found, 0)["foo/web"]["spec"]["parentRefs"][2:] == [
        {"name": "shard-b", "namespace": "infra", "sectionName": "http", "port": 8080},
        {"name": "shard-b", "namespace": "infra"},
    ]


def test_the_weights_of_every_stage():
    found = drawn(ingress(), to=TAKER)
    assert [weights_of(written(found, stage)["infra/foo"]) for stage in (1, 2, 3, 4)] == [
        [100, 0],
        [50, 50],
        [10, 90],
        [0, 100],
    ]
    assert "infra/shop" not in written(found, 1)
    assert [weights_of(written(found, stage)["infra/shop"]) for stage in (2, 3, 4)] == [[45, 55], [9, 91], [0, 100]]
    assert written(found, 1)["infra/foo"]["spec"]["rules"][0]["backendRefs"][1] == {
        "name": "shard-b",
        "port": 8080,
        "weight": 0,
    }


def test_both_ends_of_the_edge_must_be_silent():
    assert drawn(ingress(), to=TAKER).drain.ends == (End(gateway=EDGE, clusters=(TO_A,)), End(gateway=SHARD_A))


def test_weights_alone_where_others_share_the_load():
    split = [route("shop", rule(ref("shard-a", 60), ref("shard-b", 30), ref("cart", 10, namespace="infra")))]
    found = drawn(ingress(sending=split), ramp=(50, 0))
    assert found.drain.way == "weights"
    assert titles(found) == ["infra/shard-a 50 %", "infra/shard-a 0 %", "wait until empty"]
    assert [weights_of(written(found, stage)["infra/shop"]) for stage in (0, 1)] == [[30, 53, 17], [0, 75, 25]]
    assert found.drain.to == "infra/cart, infra/shard-b"


def test_all_that_is_freed_goes_to_the_one_that_was_named():
    split = [route("shop", rule(ref("shard-a", 60), ref("shard-b", 30), ref("cart", 10, namespace="infra")))]
    found = drawn(ingress(sending=split), to="shard-b", ramp=(0,))
    assert weights_of(written(found, 0)["infra/shop"]) == [0, 90, 10]


def test_small_weights_are_written_finer_before_they_are_divided():
    small = [route("shop", rule(ref("shard-a", 2), ref("shard-b", 1)))]
    found = drawn(ingress(sending=small))
    assert titles(found)[0] == "write the weights on infra/edge finer, in the same parts"
    assert weights_of(written(found, 0)["infra/shop"]) == [68, 34]
    assert "finer" not in titles(drawn(ingress(sending=small), ramp=(50, 0)))[0]


def test_a_standby_at_weight_0_that_serves_the_hosts_needs_nothing_attached():
    ready = [route("shop", rule(ref("shard-a", 100), ref("shard-b", 0)))]
    found = drawn(ingress(sending=ready), to=TAKER)
    assert titles(found)[0] == "infra/shard-a 50 %"
    assert told(found) == {"served-by-others"}
    bare = [route("foo", rule(ref("shard-a", 100), ref("shard-b", 0)), hosts=["foo.example.com"])]
    assert titles(drawn(ingress(sending=bare), to=TAKER))[0] == "attach foo/web to infra/shard-b"


def test_streams_and_calls_are_drained_as_well():
    kinds = ("GRPCRoute", "TLSRoute", "TCPRoute")
    sending = [route(kind.lower(), rule(ref("shard-a", 50), ref("shard-b", 50)), kind=kind) for kind in kinds]
    last = written(drawn(ingress(sending=sending)), 2)
    assert {name: weights_of(each) for name, each in last.items()} == {
        f"infra/{kind.lower()}": [0, 100] for kind in kinds
    }


def test_delegated_routes_that_hold_the_backends_are_edited():
    child = {"group": GA, "kind": "HTTPRoute", "name": "child", "namespace": "infra"}
    below = route("child", rule(ref("shard-a", 50), ref("shard-b", 50)), parents=[], hosts=[])
    found = drawn(ingress(sending=[route("top", {"backendRefs": [child]}), below]))
    assert weights_of(written(found, 2)["infra/child"]) == [0, 100]
    assert {step.key.name for step in found.steps} == {"child"}
    assert all(step.gateways == (EDGE,) for step in found.steps)


def test_copies_end_with_the_last_stage():
    other = rule("shard-b", filters=[mirror(), mirror("shard-b")])
    found = drawn(ingress(sending=[*SENDING, route("feed", other, hosts=["feed.example.com"])]), to=TAKER)
    assert "infra/feed" not in written(found, 3)
    assert written(found, 4)["infra/feed"]["spec"]["rules"][0]["filters"] == [mirror("shard-b")]


def test_failover_groups_lose_the_shard_where_somebody_else_is_left():
    both = backend("both", [ref("shard-a")], [ref("shard-b")])
    sending = [route("shop", {"backendRefs": [to_backend("both")]})]
    found = drawn(ingress(both, sending=sending))
    assert not codes(found)
    assert titles(found) == ["take infra/shard-a out of Backend infra/both", "wait until empty"]
    assert found.stages[0].truths == ("stored",)
    assert written(found, 0)["infra/both"]["spec"]["priorityGroups"] == [{"backendRefs": [ref("shard-b")]}]
    assert found.steps[0].key == key("Backend", "infra", "both")
    assert found.steps[0].gateways == (EDGE,)


def test_a_failover_group_of_the_shard_alone_is_shifted_like_the_shard():
    alone = backend("alone", [ref("shard-a")])
    sending = [route("shop", {"backendRefs": [to_backend("alone", weight=50), ref("shard-b", 50)]})]
    found = drawn(ingress(alone, sending=sending), ramp=(0,))
    assert weights_of(written(found, 0)["infra/shop"]) == [0, 100]


def test_listeners_are_closed_last_and_for_good():
    found = drawn(ingress(), to=TAKER, closes_listeners=True)
    assert posts(found) == ["/drain_listeners?graceful"]
    assert titles(found)[-2:] == ["wait until empty", "close the listeners of infra/shard-a-y1"]
    assert "not-undoable" in told(found)


def test_what_is_done_on_the_way_to_the_shard_is_done_on_the_way_to_the_other():
    header = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x", "value": "y"}]}}
    sending = [route("foo", rule({**ref("shard-a"), "filters": [header]}), hosts=["foo.example.com"])]
    added = written(drawn(ingress(sending=sending), to=TAKER), 1)["infra/foo"]["spec"]["rules"][0]["backendRefs"][1]
    assert added == {"name": "shard-b", "port": 8080, "weight": 0, "filters": [header]}


def test_hostnames_that_others_serve_on_it_are_attached_too_unless_somebody_prepared_it():
    api = route("api", rule("web", path="/api"), namespace="extra", gateways=["shard-b"], hosts=["foo.example.com"])
    found = drawn(ingress(serving=[*SERVING, api]), to=TAKER)
    assert titles(found)[0] == "attach bar/web, foo/web to infra/shard-b"
    assert told(found) == {"releases", "takes"} & told(found)
    prepared = [route("foo", rule(ref("shard-a", 9), ref("shard-b", 0)), hosts=["foo.example.com"])]
    ready = drawn(ingress(serving=[*SERVING, api], sending=prepared), to=TAKER)
    assert not [each for each in titles(ready) if each.startswith("attach")]
    assert told(ready) == {"served-by-others"}


def test_the_load_of_who_takes_over_is_told():
    checked = " ".join(drawn(ingress(), to=TAKER).checked)
    assert "3 rules of 3 routes" in checked
    assert "1 of 1 proxies of infra/shard-b take requests" in checked
    assert "infra/shard-b would take" in checked or "what infra/shard-b would take is not known" in checked


def test_what_goes_past_the_other_gateways_is_said():
    manifests = ingress()[1]
    for each in manifests:
        if (each["kind"], each["metadata"]["name"]) == ("Service", "shard-a"):
            each["spec"]["type"] = "LoadBalancer"
            each["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    assert "front-door" in told(drawn((snapshot_of(manifests, *all_live()), manifests), to=TAKER))


def test_what_a_foreign_gateway_sends_is_not_counted():
    manifests = ingress()[1]
    for each in manifests:
        if (each["kind"], each["metadata"]["name"]) == ("Gateway", "edge"):
            each["spec"]["gatewayClassName"] = "istio"
        if each["kind"] == "HTTPRoute" and each["metadata"]["namespace"] == "infra":
            each["status"]["parents"][0]["controllerName"] = "istio.io/gateway-controller"
    foreign = {
        "apiVersion": f"{GA}/v1",
        "kind": "GatewayClass",
        "metadata": {"name": "istio"},
        "spec": {"controllerName": "istio.io/gateway-controller"},
    }
    given = [*manifests, foreign]
    found = drawn((snapshot_of(given, *all_live()), given), to=TAKER)
    assert told(found) == {"unseen-end"}
    assert found.drain.ends == (End(gateway=SHARD_A),)
