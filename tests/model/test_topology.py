from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

import golden
from gwtui.model import resources
from gwtui.model.ids import GatewayKey, ServiceKey
from gwtui.model.topology import EMPTY, FrontDoor, GatewayNode, Hop, ShareRole, Topology, relate
from objects import GOLDEN, decode, load

CLUSTER = "demo"
RECORDED = sorted(path.name.removesuffix(".in.yaml") for path in (GOLDEN / "topology").glob("*.in.yaml"))


def key(name: str) -> GatewayKey:
    return GatewayKey(CLUSTER, "infra", name)


def node(topology: Topology, name: str) -> GatewayNode:
    return next(found for found in topology.gateways if found.key == key(name))


def hop(topology: Topology, source: str, target: str, rule: str) -> Hop:
    (found,) = (
        found for found in topology.hops if (found.source, str(found.target), found.rule) == (key(source), target, rule)
    )
    return found


def pattern_ids(topology: Topology) -> list[str]:
    return [pattern.id for pattern in topology.patterns]


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_topologies(name):
    topology = relate(CLUSTER, load(name))
    golden.check(f"topology/{name}.out.json", msgspec.to_builtins(topology))


def test_nothing_gives_nothing():
    assert relate(CLUSTER, {}) == replace(EMPTY, missing=("Gateways were not read",))


def test_simple_ingress_is_recognised_with_its_evidence():
    topology = relate(CLUSTER, load("simple-ingress"))
    assert pattern_ids(topology) == ["simple-ingress"]
    assert "203.0.113.7" in topology.patterns[0].evidence[0]
    evidence = "Service infra/gw: type=LoadBalancer"
    door = FrontDoor(gateway=key("gw"), kind="LoadBalancer", name="203.0.113.7", evidence=evidence)
    assert topology.front_doors == (door,)


def test_shards_are_recognised_by_being_exposed_side_by_side():
    topology = relate(CLUSTER, load("sharded"))
    assert pattern_ids(topology) == ["sharded"]
    assert {found.tier for found in topology.gateways} == {1}
    assert node(topology, "shard-a").namespaces == ("bar", "foo")


def test_the_central_gateway_leads_to_its_shards():
    topology = relate(CLUSTER, load("central-ingress"))
    assert pattern_ids(topology) == ["external-front-door", "sharded-central-ingress"]
    assert [node(topology, name).tier for name in ("edge", "shard-a", "shard-b")] == [1, 2, 2]
    split = hop(topology, "edge", "infra/shard-a", "D1")
    assert split.envoy_clusters == ("kube_infra_shard-a_8080",)
    assert [share.intended for share in split.shares] == [0.9]
    assert topology.front_doors[0].kind == "NLB"


def test_a_lone_backend_gets_everything_whatever_its_weight():
    shares = hop(relate(CLUSTER, load("central-ingress")), "edge", "infra/shard-b", "D1").shares
    assert [(share.route.name, share.weight, share.intended) for share in shares] == [
        ("edge-feed", 0, 1.0),
        ("edge-shop", 10, 0.1),
    ]


def test_mirrors_are_hops_of_their_own():
    mirror = hop(relate(CLUSTER, load("central-ingress")), "edge", "infra/shard-a", "D3")
    assert [(share.role, share.intended) for share in mirror.shares] == [(ShareRole.MIRROR, 0.25)]


def test_workloads_are_hops_to_services():
    found = hop(relate(CLUSTER, load("central-ingress")), "shard-a", "foo/cart", "backend")
    assert isinstance(found.target, ServiceKey)


def test_backends_lead_to_gateways_and_failover_order_is_kept():
    topology = relate(CLUSTER, load("oddities"))
    active, passive = (hop(topology, "edge", f"infra/{name}", "D2") for name in ("active", "passive"))
    assert [share.role for share in active.shares] == [ShareRole.PRIMARY]
    assert [(share.role, share.intended) for share in passive.shares] == [(ShareRole.STANDBY, 0.0)]
    assert passive.envoy_clusters == ("backend_infra_passive_0",)


def test_a_circle_is_shown_and_still_has_tiers():
    topology = relate(CLUSTER, load("oddities"))
    assert [node(topology, name).tier for name in ("edge", "ring-b", "ring-a")] == [2, 3, 4]
    circle = "routes lead in a circle: infra/ring-b → infra/ring-a → infra/ring-b"
    assert circle in node(topology, "ring-a").problems
    assert circle in node(topology, "ring-b").problems


def test_foreign_gateways_are_shown_and_prove_an_external_front_door():
    topology = relate(CLUSTER, load("oddities"))
    foreign = node(topology, "nlb")
    assert (foreign.controller, foreign.tier, foreign.is_managed) == ("gateway.k8s.aws/nlb", 1, False)
    assert hop(topology, "nlb", "infra/edge", "D1").envoy_clusters == ()
    external = next(found for found in topology.patterns if found.id == "external-front-door")
    assert any("infra/nlb" in line for line in external.evidence)
    assert any(line.startswith("hint:") and "proxyProtocol" in line for line in external.evidence)


def test_any_class_of_the_controller_is_managed():
    edge = node(relate(CLUSTER, load("oddities")), "edge")
    assert (edge.class_name, edge.is_managed) == ("mine", True)


@pytest.mark.parametrize(
    "problem",
    [
        "httproutes/infra/by-backend: Backend infra/absent does not exist",
        "httproutes/infra/parent: delegates to nobody, which does not exist",
        "httproutes/infra/self: leads back to its own Gateway",
        "httproutes/team/child: backend Service team/app-next does not exist",
        "httproutes/team/child: no ReferenceGrant in other lets HTTPRoute of team use Service shared",
        "httproutes/team/fresh: no status yet, placed by its spec",
        "httproutes/team/on-set: backend Service team/app has no port 81",
        "httproutes/team/refused: Accepted is False (NoMatchingListenerHostname)",
        "httproutes/team/replaced: kgateway.dev/Programmed is False (RouteRuleReplaced)",
    ],
)
def test_what_is_wrong_with_the_routes_is_said(problem):
    assert problem in node(relate(CLUSTER, load("oddities")), "edge").problems


def test_refused_routes_are_not_attached():
    routes = {route.name for route in node(relate(CLUSTER, load("oddities")), "edge").routes}
    assert "refused" not in routes
    assert {"child", "on-set", "fresh", "replaced"} <= routes


def test_a_delegated_child_has_the_hostnames_of_its_parent():
    shares = hop(relate(CLUSTER, load("oddities")), "edge", "other/shared", "backend").shares
    assert [(share.route.name, share.hostnames) for share in shares] == [("child", ("apps.example.com",))]


def test_a_lost_gateway_says_so():
    problems = node(relate(CLUSTER, load("oddities")), "lost").problems
    assert "GatewayClass gone does not exist or names no controller" in problems
    assert "Accepted is Unknown (Pending)" in problems


def test_a_route_to_a_missing_gateway_is_a_problem_of_the_cluster():
    problems = relate(CLUSTER, load("oddities")).problems
    assert "httproutes/team/stray: its parent Gateway infra/nowhere does not exist" in problems
    assert "httproutes/team/strange: its parent ListenerSet team/gone does not exist" in problems


def test_a_delegation_that_nobody_takes_tells_a_missing_child_from_one_of_another_parent():
    problems = node(relate(CLUSTER, load("oddities")), "silent").problems
    assert "httproutes/team/strange: delegates to loop-2, which names another parent" in problems
    assert any("loop-2: delegates in a circle" in problem for problem in problems)


def test_a_waypoint_that_is_none_is_told_from_one_that_does_not_exist():
    problems = relate(CLUSTER, load("oddities")).problems
    assert "Service team/bound: its waypoint team/missing does not exist" in problems
    assert "Service team/misled: its waypoint infra/silent is a Gateway and no waypoint" in problems


def test_kinds_nobody_knows_are_told_and_are_no_problem_of_their_gateway():
    topology = relate(CLUSTER, load("oddities"))
    silent = node(topology, "silent")
    told = "cannot be seen: its kind (example.com) is not read"
    assert silent.unseen == (f"httproutes/team/strange: backend Bucket team/pictures {told}",)
    assert not any("Bucket" in problem for problem in silent.problems)
    assert f"httproutes/team/strange: its parent Mesh team/web {told}" in topology.problems


@pytest.mark.parametrize(
    ("unread", "claim"),
    [
        ("services", "backend Service"),
        ("services", "no Service was found"),
        ("pods", "no running proxy pod"),
        ("gatewayclasses.gateway.networking.k8s.io", "GatewayClass"),
        ("referencegrants.gateway.networking.k8s.io", "ReferenceGrant"),
        ("backends.gateway.kgateway.dev", "Backend infra/absent"),
    ],
)
def test_nothing_is_claimed_to_be_missing_from_a_kind_that_was_not_read(unread, claim):
    objects = load("oddities")
    del objects[unread]
    topology = relate(CLUSTER, objects)
    assert not any(claim in problem for found in topology.gateways for problem in found.problems)


def test_a_kind_that_was_read_and_is_empty_is_missing():
    objects = load("simple-ingress")
    objects["pods"] = {}
    assert "no running proxy pod was found for it" in node(relate(CLUSTER, objects), "gw").problems


def _gateway(name: str, **meta: object) -> dict:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": name, "namespace": "infra", **meta},
        "spec": {"gatewayClassName": "kgateway"},
    }


CLASS = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "GatewayClass",
    "metadata": {"name": "kgateway"},
    "spec": {
        "controllerName": "kgateway.dev/kgateway",
        "parametersRef": {
            "group": "gateway.kgateway.dev",
            "kind": "GatewayParameters",
            "name": "own",
            "namespace": "infra",
        },
    },
}


def _pod(name: str, gateway: str, phase: str = "Running", **annotations: str) -> dict:
    labels = {"gateway.networking.k8s.io/gateway-name": gateway, "app": "proxy"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "infra", "labels": labels, "annotations": annotations},
        "status": {"phase": phase},
    }


def test_long_names_are_joined_by_hash_or_annotation():
    first, second = "g" * 70, "g" * 69 + "h"
    pods = [
        _pod("by-annotation", "anything", **{"gateway.kgateway.dev/gateway-full-name": first}),
        _pod("by-older-annotation", "anything", **{"gateway.kgateway.dev/gateway-name": second}),
        _pod("ended", "edge", "Succeeded"),
        _pod("nobody's", "unheard-of"),
    ]
    topology = relate(CLUSTER, decode([CLASS, _gateway(first), _gateway(second), _gateway("edge"), *pods]))
    found = {gateway.key.name: [proxy.pod for proxy in gateway.proxies] for gateway in topology.gateways}
    assert found == {first: ["by-annotation"], second: ["by-older-annotation"], "edge": []}


def test_a_self_managed_gateway_is_found_by_the_selector_of_its_service():
    parameters = {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": "GatewayParameters",
        "metadata": {"name": "own", "namespace": "infra"},
        "spec": {"selfManaged": {}},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "mine", "namespace": "infra"},
        "spec": {"type": "NodePort", "selector": {"app": "proxy"}, "ports": [{"port": 80}]},
    }
    objects = [CLASS, _gateway("edge"), parameters, _pod("p", "edge")]
    alone = node(relate(CLUSTER, decode(objects)), "edge")
    assert alone.services == ()
    assert "no Service was found for it" not in alone.problems
    empty = node(relate(CLUSTER, decode(objects[:-1])), "edge")
    assert "no running proxy pod was found for it" not in empty.problems
    topology = relate(CLUSTER, decode([*objects, service]))
    assert node(topology, "edge").services == (ServiceKey(CLUSTER, "infra", "mine"),)
    (door,) = topology.front_doors
    assert (door.gateway, door.kind, door.name) == (key("edge"), "NodePort", "infra/mine")


def test_a_service_of_a_deleted_gateway_of_the_same_name_in_another_namespace_is_not_its_own():
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "edge",
            "namespace": "elsewhere",
            "ownerReferences": [{"kind": "Gateway", "name": "edge", "uid": "u-1"}],
        },
    }
    topology = relate(CLUSTER, decode([CLASS, _gateway("edge", uid="u-1"), service]))
    assert node(topology, "edge").services == ()


def test_status_of_an_older_generation_is_noted():
    gateway = _gateway("edge", generation=5)
    gateway["status"] = {"conditions": [{"type": "Accepted", "status": "True", "observedGeneration": 4}]}
    problems = node(relate(CLUSTER, decode([CLASS, gateway])), "edge").problems
    assert "status is about generation 4, the object is at 5" in problems


def test_a_load_balancer_without_address_is_a_problem():
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "edge",
            "namespace": "infra",
            "labels": {"gateway.networking.k8s.io/gateway-name": "edge"},
        },
        "spec": {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb"},
    }
    topology = relate(CLUSTER, decode([CLASS, _gateway("edge"), service]))
    assert "NLB has no address yet" in node(topology, "edge").problems
    assert pattern_ids(topology) == ["external-front-door", "simple-ingress"]


def test_only_the_listed_resources_matter():
    objects = load("oddities")
    for resource in objects.keys() - resources.TOPOLOGY:
        del objects[resource]
    assert relate(CLUSTER, objects) == relate(CLUSTER, load("oddities"))


def test_who_may_not_read_classes_sees_the_same_gateways():
    objects = load("central-ingress")
    whole = relate(CLUSTER, objects)
    del objects[resources.GATEWAY_CLASSES]
    assert relate(CLUSTER, objects) == whole
    objects["pods"] = {}
    assert {found.controller for found in relate(CLUSTER, objects).gateways} == {"kgateway.dev/kgateway"}


def test_without_classes_contradicting_traces_are_not_believed():
    objects = load("simple-ingress")
    del objects[resources.GATEWAY_CLASSES]
    objects["pods"] = {}
    (route,) = objects[resources.HTTP_ROUTES].values()
    (parent,) = route.status.parents
    other = msgspec.structs.replace(parent, controller_name="example.com/other")
    status = msgspec.structs.replace(route.status, parents=(parent, other))
    objects[resources.HTTP_ROUTES] = {("apps", "web"): msgspec.structs.replace(route, status=status)}
    assert node(relate(CLUSTER, objects), "gw").controller == ""


def _route(name: str, namespace: str, parents: list[dict], *refs: dict) -> dict:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"parentRefs": parents, "rules": [{"backendRefs": list(refs)}]},
    }


@pytest.mark.parametrize(
    ("kind", "parent", "is_attached"),
    [("HTTPRoute", "delegating", True), ("HTTPRoute", "another", False), ("Gateway", "delegating", False)],
)
def test_a_child_that_names_its_parent_is_nobody_else_s(kind, parent, is_attached):
    route_kind = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}
    objects = [
        CLASS,
        _gateway("edge"),
        _route("delegating", "infra", [{"name": "edge"}], {**route_kind, "name": "*", "namespace": "team"}),
        _route("child", "team", [{**route_kind, "kind": kind, "name": parent, "namespace": "infra"}]),
    ]
    routes = {route.name for route in node(relate(CLUSTER, decode(objects)), "edge").routes}
    assert ("child" in routes) is is_attached


@pytest.mark.parametrize(
    ("to", "is_granted"),
    [
        ({"group": "", "kind": "Service"}, True),
        ({"group": "", "kind": "Service", "name": "app"}, True),
        ({"group": "", "kind": "Service", "name": "other"}, False),
        ({"group": "", "kind": "Secret"}, False),
        ({"group": "gateway.kgateway.dev", "kind": "Service"}, False),
    ],
)
def test_what_a_grant_permits(to, is_granted):
    grant = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "ReferenceGrant",
        "metadata": {"name": "g", "namespace": "team"},
        "spec": {
            "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "infra"}],
            "to": [to],
        },
    }
    route = _route("r", "infra", [{"name": "edge"}], {"name": "app", "namespace": "team", "port": 80})
    problems = node(relate(CLUSTER, decode([CLASS, _gateway("edge"), grant, route])), "edge").problems
    assert any("ReferenceGrant" in problem for problem in problems) is not is_granted
