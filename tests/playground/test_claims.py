"""Status, deployed objects and pods, without a process."""

from __future__ import annotations

import pytest

from gwtui.playground import deployer, status, workloads
from gwtui.playground.translation.attachment import attachments
from gwtui.playground.world import GATEWAYS, GRPC_ROUTES, HTTP_ROUTES, TRAFFIC_POLICIES, World

NOW = "2026-01-01T00:00:00Z"


def route_conditions(world: World, name: str) -> dict[str, tuple[str, str]]:
    route = world.get(HTTP_ROUTES, "app", name)
    (parent,) = status.route_status(world, route, attachments(world), NOW)["parents"]
    return {each["type"]: (each["status"], each["reason"]) for each in parent["conditions"]}


def test_a_route_is_accepted_although_its_backends_fail(golden_world):
    assert route_conditions(golden_world("backends"), "backends") == {
        "Accepted": ("True", "Accepted"),
        "ResolvedRefs": ("False", "BackendNotFound"),
        "kgateway.dev/Programmed": ("False", "RouteRuleReplaced"),
    }


def test_a_grpc_route_has_a_status_of_its_own(golden_world):
    world = golden_world("grpc")
    attached = attachments(world)
    for resource in (GRPC_ROUTES, HTTP_ROUTES):
        (parent,) = status.route_status(world, world.get(resource, "app", "cart"), attached, NOW)["parents"]
        assert {each["type"]: each["status"] for each in parent["conditions"]} == {
            "Accepted": "True",
            "ResolvedRefs": "True",
            "kgateway.dev/Programmed": "True",
        }
    gateway = world.get(GATEWAYS, "infra", "edge")
    found = status.gateway_status(world, gateway, attached, ["127.0.0.1"], NOW)
    assert max(each["attachedRoutes"] for each in found["listeners"]) == 2


def test_a_route_from_a_foreign_namespace_is_not_allowed(golden_world):
    found = route_conditions(golden_world("hosts"), "refused")
    assert found["Accepted"] == ("False", "NotAllowedByListeners")


def test_attached_routes_are_counted_per_listener(golden_world):
    world = golden_world("hosts")
    gateway = world.get(GATEWAYS, "infra", "edge")
    found = status.gateway_status(world, gateway, attachments(world), ["127.0.0.1"], NOW)
    assert {each["name"]: each["attachedRoutes"] for each in found["listeners"]} == {
        "wide": 2,
        "narrow": 1,
        "private": 0,
        "raw": 0,
    }
    conditions = {each["type"]: (each["status"], each["reason"]) for each in found["conditions"]}
    assert conditions == {"Accepted": ("True", "ListenersNotValid"), "Programmed": ("True", "Programmed")}


def test_a_gateway_without_an_address_is_not_programmed(golden_world):
    world = golden_world("hosts")
    found = status.gateway_status(world, world.get(GATEWAYS, "infra", "edge"), [], [], NOW)
    assert found["conditions"][1]["reason"] == "AddressNotAssigned"


def test_policies_name_the_gateway_they_reach(golden_world):
    world = golden_world("hosts")
    policy = world.get(TRAFFIC_POLICIES, "app", "stats")
    (ancestor,) = status.policy_status(world, policy, attachments(world), NOW)["ancestors"]
    assert ancestor["ancestorRef"] == {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "namespace": "infra",
        "name": "edge",
    }


def test_other_controllers_keep_their_entries_and_conditions_their_times(golden_world):
    world = golden_world("precedence")
    route = dict(world.get(HTTP_ROUTES, "app", "older"))
    foreign = {"parentRef": {"name": "other"}, "controllerName": "example.com/other", "conditions": []}
    first = status.route_status(world, route | {"status": {"parents": [foreign]}}, attachments(world), NOW)
    assert first["parents"][0] == foreign
    again = status.route_status(world, route | {"status": first}, attachments(world), "2026-02-02T00:00:00Z")
    assert again == first


@pytest.mark.parametrize(("length", "expected"), [(63, 63), (64, 63)])
def test_names_are_cut_and_hashed_beyond_63_characters(length, expected):
    name = deployer.safe_name("n" * length)
    assert len(name) == expected
    assert ("-" in name) == (length > 63)


def deployed(world: World, **extra) -> dict[str, dict]:
    gateway = world.get(GATEWAYS, "infra", "edge")
    gateway["metadata"]["uid"] = "1"
    gateway["spec"] |= extra
    return {each["kind"]: each for each in deployer.objects_for(world, gateway)}


def test_the_deployment_looks_like_kgateways(golden_world):
    found = deployed(golden_world("precedence"), infrastructure={"labels": {"team": "edge"}})
    assert found.keys() == {"ServiceAccount", "ConfigMap", "Service", "Deployment"}
    assert found["Service"]["spec"]["ports"] == [
        {"name": "listener-8080", "port": 8080, "targetPort": 8080, "protocol": "TCP"}
    ]
    assert found["Service"]["spec"]["type"] == "LoadBalancer"
    template = found["Deployment"]["spec"]["template"]
    assert template["metadata"]["labels"]["gateway.networking.k8s.io/gateway-name"] == "edge"
    assert template["metadata"]["labels"]["team"] == "edge"
    assert template["metadata"]["annotations"]["prometheus.io/port"] == "9091"
    assert template["spec"]["containers"][0]["name"] == "kgateway-proxy"


def pod(name: str, *, ready: bool, created: str = NOW) -> dict:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {"metadata": {"name": name, "creationTimestamp": created}, "status": {"conditions": conditions}}


@pytest.mark.parametrize(
    ("current", "outdated", "replicas", "expected"),
    [
        ([pod("a", ready=True), pod("b", ready=True)], [], 2, []),
        ([pod("a", ready=False), pod("b", ready=True)], [], 1, ["a"]),
        ([pod("a", ready=True, created="2026-02-01T00:00:00Z"), pod("b", ready=True)], [], 1, ["a"]),
        ([pod("a", ready=False)], [pod("x", ready=True)], 1, []),
        ([pod("a", ready=True)], [pod("x", ready=True), pod("y", ready=True)], 2, ["y"]),
        ([pod("a", ready=True), pod("b", ready=True)], [pod("x", ready=True), pod("y", ready=True)], 2, ["x", "y"]),
        ([], [pod("x", ready=True)], 0, ["x"]),
    ],
)
def test_pods_are_retired_only_when_others_can_serve(current, outdated, replicas, expected):
    retired = workloads.excess_pods(current, outdated, replicas)
    assert [each["metadata"]["name"] for each in retired] == expected


def test_delegation_is_claimed_by_every_route_that_takes_part(golden_world):
    world = golden_world("delegation")
    attached = attachments(world)

    def claimed(namespace: str, name: str) -> dict[tuple[str, str], dict[str, tuple[str, str]]]:
        found = status.route_status(world, world.get(HTTP_ROUTES, namespace, name), attached, NOW)["parents"]
        return {
            (each["parentRef"].get("kind", "Gateway"), each["parentRef"]["name"]): {
                condition["type"]: (condition["status"], condition["reason"]) for condition in each["conditions"]
            }
            for each in found
        }

    by_gateway = claimed("infra", "parent")["Gateway", "edge"]
    assert by_gateway["Accepted"] == ("True", "Accepted")
    assert by_gateway["ResolvedRefs"] == ("False", "BackendNotFound")
    for name in ("child", "labelled"):
        (conditions,) = claimed("app", name).values()
        assert claimed("app", name).keys() == {("HTTPRoute", "parent")}
        assert conditions["ResolvedRefs"] == ("True", "ResolvedRefs")
    assert claimed("app", "loop").keys() == {("HTTPRoute", "child")}
    assert claimed("app", "elsewhere") == {}
    gateway = status.gateway_status(world, world.get(GATEWAYS, "infra", "edge"), attached, ["127.0.0.1"], NOW)
    assert gateway["listeners"][0]["attachedRoutes"] == 1
