from __future__ import annotations

import pytest

from gwtui.model.ids import ExternalKey, GatewayKey
from gwtui.model.shape import DataPlane, GatewayRole, MeshMode, ShareRole, Topology
from gwtui.model.topology import relate
from objects import decode, load

CLUSTER = "demo"
GA = "gateway.networking.k8s.io"


def pattern_ids(topology: Topology) -> list[str]:
    return [pattern.id for pattern in topology.patterns]


def node(topology: Topology, name: str):
    return next(found for found in topology.gateways if found.key.name == name)


def recorded(name: str) -> Topology:
    return relate(CLUSTER, load(name))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("simple-ingress-kgateway-2.0", ["simple-ingress"]),
        ("simple-ingress-kgateway-2.2", ["simple-ingress"]),
        ("simple-ingress-kgateway-2.4", ["simple-ingress"]),
        ("sharded-kgateway-2.2", ["sharded"]),
        ("sharded-kgateway-2.3", ["sharded"]),
        ("sharded-central-ingress-kgateway-2.3", ["sharded-central-ingress"]),
        ("sharded-central-ingress-kgateway-2.4", ["sharded-central-ingress"]),
        ("haproxy-front-kgateway-2.4", ["external-front-door", "simple-ingress"]),
        ("nlb-front-kgateway-2.3", ["external-front-door", "simple-ingress"]),
        ("alb-front-kgateway-2.4", ["external-front-door", "sharded"]),
        ("ambient-ingress-kgateway-2.4", ["ambient-ingress", "simple-ingress"]),
        ("ambient-egress-kgateway-2.3", ["ambient-egress"]),
        ("ambient-waypoint-kgateway-2.1", ["ambient-waypoint"]),
        ("ambient-waypoint-istio", ["ambient-egress", "ambient-waypoint"]),
        ("sidecar-ingress-kgateway-2.3", ["sidecar-ingress", "simple-ingress"]),
        ("ai-gateway-kgateway-2.1", ["ai-gateway"]),
        ("ai-gateway-kgateway-2.2", ["ai-gateway"]),
        (
            "mixed-kgateway-2.4",
            ["ai-gateway", "ambient-ingress", "ambient-waypoint", "external-front-door", "sharded-central-ingress"],
        ),
        ("not-recognised", []),
    ],
)
def test_every_pattern_is_recognised_from_what_an_installation_leaves(name, expected):
    topology = recorded(name)
    assert pattern_ids(topology) == expected
    assert bool(topology.missing) is not bool(expected)
    if name != "not-recognised" and name not in {"mixed-kgateway-2.4", "ambient-waypoint-istio"}:
        assert [found.problems for found in topology.gateways] == [()] * len(topology.gateways)


def test_the_name_of_a_class_proves_nothing():
    gateway = _gateway(gatewayClassName="agentgateway")
    misleading = {**CLASS, "metadata": {"name": "agentgateway"}}
    found = node(relate(CLUSTER, decode([misleading, gateway])), "gw")
    assert (found.class_name, found.data_plane) == ("agentgateway", DataPlane.KGATEWAY_ENVOY)


def test_who_may_not_read_classes_still_tells_agentgateway_from_envoy():
    objects = load("ai-gateway-kgateway-2.1")
    del objects[f"gatewayclasses.{GA}"]
    assert node(relate(CLUSTER, objects), "agents").controller == "kgateway.dev/agentgateway"
    objects = load("ambient-waypoint-istio")
    del objects[f"gatewayclasses.{GA}"]
    assert node(relate(CLUSTER, objects), "way").controller == "istio.io/mesh-controller"


def test_what_is_missing_is_said():
    assert recorded("not-recognised").missing == (
        "GatewayClass gone does not exist",
        "infra/other is run by gateway.envoyproxy.io/gatewayclass-controller, a controller this console does not know",
        "no Gateway is exposed: no LoadBalancer, NodePort or Ingress names its Service",
    )
    assert relate(CLUSTER, decode([])).missing == ("no Gateway",)


def test_one_gateway_behind_another_is_no_pattern_and_says_why():
    objects = load("sharded-central-ingress-kgateway-2.3")
    gateways = objects[f"gateways.{GA}"]
    for name in [name for name in gateways if name[1].startswith("shard-of")]:
        del gateways[name]
    topology = relate(CLUSTER, objects)
    assert topology.patterns == ()
    assert topology.missing == ("infra/central leads to one Gateway alone: a central ingress leads to two or more",)


def doors(topology: Topology) -> list[tuple[str, str, str]]:
    return [(door.gateway.name, door.kind, door.evidence) for door in topology.front_doors]


def test_the_controller_of_the_class_says_which_proxy_an_ingress_is():
    objects = load("haproxy-front-kgateway-2.4")
    said = "Ingress infra/edge: class edge-lb"
    assert doors(relate(CLUSTER, objects)) == [("gw", "HAProxy", f"{said} of haproxy.org/ingress-controller/haproxy")]
    del objects["ingressclasses.networking.k8s.io"]
    assert doors(relate(CLUSTER, objects)) == [("gw", "Ingress", said)]
    objects["ingressclasses.networking.k8s.io"] = {}
    assert doors(relate(CLUSTER, objects)) == [("gw", "Ingress", f"{said}, which does not exist")]


def _service(name: str = "gw", **fields) -> dict:
    meta = {"name": name, "namespace": "infra", "labels": {f"{GA}/gateway-name": "gw"}}
    meta.update(fields.pop("metadata", {}))
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, **fields}


def _gateway(name: str = "gw", **spec) -> dict:
    return {
        "apiVersion": f"{GA}/v1",
        "kind": "Gateway",
        "metadata": {"name": name, "namespace": "infra"},
        "spec": {"gatewayClassName": "any", **spec},
    }


CLASS = {
    "apiVersion": f"{GA}/v1",
    "kind": "GatewayClass",
    "metadata": {"name": "any"},
    "spec": {"controllerName": "kgateway.dev/kgateway"},
}


def _ingress(class_name: str = "", **metadata) -> dict:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "edge", "namespace": "infra", **metadata},
        "spec": {
            **({"ingressClassName": class_name} if class_name else {}),
            "defaultBackend": {"service": {"name": "gw", "port": {"number": 80}}},
        },
    }


def _class(name: str, controller: str, **annotations: str) -> dict:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"controller": controller},
    }


BY_ANNOTATION = {"kubernetes.io/ingress.class": "alb"}


@pytest.mark.parametrize(
    ("objects", "kind"),
    [
        ([_ingress("x"), _class("x", "ingress.k8s.aws/alb")], "ALB"),
        ([_ingress("alb"), _class("alb", "example.com/other")], "Ingress"),
        ([_ingress("x"), _class("x", "haproxy-ingress.github.io/controller")], "HAProxy"),
        ([_ingress(annotations=BY_ANNOTATION)], "ALB"),
        ([_ingress(), _class("x", "haproxy.org/ingress", **{"ingressclass.kubernetes.io/is-default-class": "true"})],
         "HAProxy"),
        ([_ingress(finalizers=["ingress.k8s.aws/resources"])], "ALB"),
        ([_ingress()], "Ingress"),
    ],
)  # fmt: skip
def test_kinds_of_ingress(objects, kind):
    topology = relate(CLUSTER, decode([CLASS, _gateway(), _service(), *objects]))
    assert [door.kind for door in topology.front_doors] == [kind]
    assert pattern_ids(topology) == ["external-front-door", "simple-ingress"]


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        ({"metadata": {"finalizers": ["service.k8s.aws/resources"]}}, "NLB"),
        ({"spec": {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb"}}, "NLB"),
        ({"status": {"loadBalancer": {"ingress": [{"hostname": "a-1.elb.us-east-1.amazonaws.com"}]}}}, "NLB"),
        ({"status": {"loadBalancer": {"ingress": [{"hostname": "a.elb.cn-north-1.amazonaws.com.cn"}]}}}, "NLB"),
        ({"status": {"loadBalancer": {"ingress": [{"hostname": "a-1.us-east-1.elb.amazonaws.com"}]}}}, "LoadBalancer"),
        ({"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}}}, "LoadBalancer"),
    ],
)
def test_kinds_of_load_balancer(service, kind):
    found = _service(**{"spec": {"type": "LoadBalancer"}, **service})
    assert [door.kind for door in relate(CLUSTER, decode([CLASS, _gateway(), found])).front_doors] == [kind]


@pytest.mark.parametrize(
    ("labels", "protocol", "kind"),
    [
        ({"service.k8s.aws/stack-name": "gw"}, "", "NLB"),
        ({"ingress.k8s.aws/stack": "group"}, "", "ALB"),
        ({"gateway.k8s.aws.alb/stack-name": "gw"}, "", "ALB"),
        ({}, "TCP", "NLB"),
        ({}, "HTTPS", "ALB"),
        ({}, "", "AWS"),
    ],
)
def test_a_target_group_filled_by_the_service_of_a_gateway_is_a_way_in(labels, protocol, kind):
    binding = {
        "apiVersion": "elbv2.k8s.aws/v1beta1",
        "kind": "TargetGroupBinding",
        "metadata": {"name": "b", "namespace": "infra", "labels": labels},
        "spec": {
            "targetGroupARN": "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/mine/1",
            "targetGroupProtocol": protocol,
            "serviceRef": {"name": "gw"},
        },
    }
    (door,) = relate(CLUSTER, decode([CLASS, _gateway(), _service(), binding])).front_doors
    assert (door.kind, door.name) == (kind, "mine/1")


def test_roles_follow_where_routes_end():
    assert node(recorded("ambient-egress-kgateway-2.3"), "out").role is GatewayRole.EGRESS
    assert node(recorded("ai-gateway-kgateway-2.2"), "agents").role is GatewayRole.MIXED
    assert node(recorded("ambient-waypoint-istio"), "way").role is GatewayRole.WAYPOINT
    assert node(recorded("ambient-waypoint-istio"), "eastwest").role is GatewayRole.INGRESS


def test_an_entry_inside_the_mesh_is_no_way_out():
    objects = load("ambient-egress-kgateway-2.3")
    manifest = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "partner", "namespace": "egress"},
        "spec": {"hosts": ["vm.internal.example"], "location": "MESH_INTERNAL"},
    }
    objects["serviceentries.networking.istio.io"] = decode([manifest])["serviceentries.networking.istio.io"]
    topology = relate(CLUSTER, objects)
    assert node(topology, "out").role is GatewayRole.MIXED
    assert {(str(hop.target), hop.rule) for hop in topology.hops} == {
        ("vm.internal.example", "backend"),
        ("archive.example.net", "external"),
    }


def test_wish_and_fact_of_the_mesh_are_apart():
    topology = recorded("mixed-kgateway-2.4")
    mesh = {found.key.name: found.mesh for found in topology.gateways if found.mesh}
    assert {name: (each.mode, each.configured, each.captured, each.pods) for name, each in mesh.items()} == {
        "central": (MeshMode.AMBIENT, True, 2, 2),
        "shard-a": (MeshMode.AMBIENT, True, 1, 1),
        "shard-b": (MeshMode.AMBIENT, True, 0, 1),
    }
    assert any("no ztunnel carries it" in problem for problem in node(topology, "shard-b").problems)


@pytest.mark.parametrize(
    ("namespace", "pod", "expected"),
    [
        ({}, {}, None),
        ({"istio.io/dataplane-mode": "ambient"}, {}, (MeshMode.AMBIENT, True, 0)),
        ({"istio.io/dataplane-mode": "ambient"}, {"labels": {"istio.io/dataplane-mode": "none"}}, None),
        ({}, {"annotations": {"ambient.istio.io/redirection": "enabled"}}, (MeshMode.AMBIENT, False, 1)),
        ({"istio-injection": "enabled"}, {}, (MeshMode.SIDECAR, True, 0)),
        ({"istio-injection": "enabled"}, {"labels": {"sidecar.istio.io/inject": "false"}}, None),
        ({"istio-injection": "disabled", "istio.io/rev": "a"}, {}, None),
        ({}, {"annotations": {"sidecar.istio.io/status": "{}"}, "init": ["istio-proxy"]}, (MeshMode.SIDECAR, True, 1)),
        ({}, {"containers": ["kgateway-proxy", "istio-proxy"]}, None),
        ({}, {"containers": ["kgateway-proxy", "sds", "istio-proxy"]}, (MeshMode.SIDECAR, True, 1)),
    ],
)
def test_how_a_gateway_joins_a_mesh(namespace, pod, expected):
    objects = [
        CLASS,
        _gateway(),
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "infra", "labels": namespace}},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "p",
                "namespace": "infra",
                "labels": {f"{GA}/gateway-name": "gw", "kgateway": "kube-gateway", **pod.get("labels", {})},
                "annotations": pod.get("annotations", {}),
            },
            "spec": {
                "containers": [{"name": name} for name in pod.get("containers", ["kgateway-proxy"])],
                "initContainers": [{"name": name} for name in pod.get("init", [])],
            },
            "status": {"phase": "Running"},
        },
    ]
    mesh = node(relate(CLUSTER, decode(objects)), "gw").mesh
    assert (mesh and (mesh.mode, mesh.configured, mesh.captured)) == expected


def test_plain_text_into_an_ambient_namespace_is_said():
    objects = load("ambient-ingress-kgateway-2.4")
    namespaces = objects["namespaces"]
    del namespaces[("", "infra")]
    objects["pods"] = {}
    (found,) = (each for each in relate(CLUSTER, objects).patterns if each.id == "ambient-ingress")
    assert found.evidence == ("infra/gw: is not in the mesh, and routes into ambient namespaces (apps) in plain text",)


def waypoint_targets(topology: Topology, name: str) -> dict[str, int]:
    key = next(found.key for found in topology.gateways if found.key.name == name)
    return {str(hop.target): len(hop.shares) for hop in topology.hops if (hop.source, hop.rule) == (key, "waypoint")}


def waypoint_clusters(topology: Topology) -> dict[str, tuple[str, ...]]:
    return {str(hop.target): hop.envoy_clusters for hop in topology.hops if hop.rule == "waypoint"}


def test_what_no_route_steers_goes_by_the_cluster_of_every_port():
    assert waypoint_clusters(recorded("ambient-waypoint-kgateway-2.1")) == {
        "apps/ratings": ("kube_apps_ratings_8080",),
        "apps/reviews-v1": ("kube_apps_reviews-v1_8080",),
        "apps/reviews-v2": ("kube_apps_reviews-v2_8080",),
    }
    waypoint = _gateway("way", listeners=[{"name": "proxy", "port": 15088, "protocol": "istio.io/PROXY"}])
    bound = {"labels": {"istio.io/use-waypoint": "way"}}
    ports = [{"port": 81, "name": "b"}, {"port": 80, "name": "a"}]
    objects = [
        CLASS,
        waypoint,
        _service("web", metadata=bound, spec={"ports": ports}),
        _service("headless", metadata=bound, spec={"ports": ports, "clusterIP": "None"}),
        _service("api", metadata=bound, spec={"ports": ports}),
    ]
    assert waypoint_clusters(relate(CLUSTER, decode(objects))) == {
        "infra/api": ("kube_infra_api_80", "kube_infra_api_81"),
        "infra/headless": (),
        "infra/web": ("kube_infra_web_80", "kube_infra_web_81"),
    }
    parent = {"group": "", "kind": "Service", "name": "api"}
    split = {
        "apiVersion": f"{GA}/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "split", "namespace": "infra"},
        "spec": {"parentRefs": [parent], "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]},
    }
    (web,) = (hop for hop in relate(CLUSTER, decode([*objects, split])).hops if str(hop.target) == "infra/web")
    assert [share.route.name for share in web.shares] == ["split"]
    assert web.envoy_clusters == ("kube_infra_web_80", "kube_infra_web_81")


def test_waypoints_of_others_have_no_clusters_we_know():
    assert set(waypoint_clusters(recorded("ambient-waypoint-istio")).values()) == {()}


def test_services_are_bound_by_label_and_steered_by_routes_of_their_own():
    topology = recorded("ambient-waypoint-kgateway-2.1")
    assert waypoint_targets(topology, "way") == {"apps/ratings": 0, "apps/reviews-v1": 1, "apps/reviews-v2": 1}
    assert [route.name for route in node(topology, "way").routes] == ["reviews"]


def test_waypoints_of_istio():
    topology = recorded("ambient-waypoint-istio")
    assert waypoint_targets(topology, "way") == {"apps/refused": 0, "apps/web": 0}
    assert waypoint_targets(topology, "out") == {"api.models.example": 0}
    assert waypoint_targets(topology, "eastwest") == {}
    assert topology.problems == ("Service apps/lost: its waypoint apps/gone does not exist",)
    assert node(topology, "way").problems == ("Service apps/refused is not bound to it (WaypointInvalid)",)


@pytest.mark.parametrize(("traffic", "is_taken"), [("service", True), ("all", True), ("workload", False)])
def test_a_waypoint_takes_the_traffic_its_label_names(traffic, is_taken):
    waypoint = _gateway("way", listeners=[{"name": "mesh", "port": 15008, "protocol": "HBONE"}])
    waypoint["metadata"]["labels"] = {"istio.io/waypoint-for": traffic}
    bound = _service("web", metadata={"labels": {"istio.io/use-waypoint": "way"}})
    topology = relate(CLUSTER, decode([CLASS, waypoint, bound]))
    assert bool(waypoint_targets(topology, "way")) is is_taken
    assert any("has no address" in problem for problem in node(topology, "way").problems) is is_taken


def test_providers_and_tools_behind_an_ai_gateway():
    hops = {str(hop.target): hop for hop in recorded("ai-gateway-kgateway-2.2").hops}
    assert set(hops) == {
        "agentgateway-system/files",
        "api.openai.com",
        "bedrock-runtime.eu-central-1.amazonaws.com",
        "models/llm",
        "planner.agents.example",
        "tools/search",
    }
    assert hops["bedrock-runtime.eu-central-1.amazonaws.com"].shares[0].role is ShareRole.STANDBY
    assert isinstance(hops["api.openai.com"].target, ExternalKey)
    assert all(hop.envoy_clusters == () for hop in hops.values())


def test_mirrors_within_a_backend_ref_copy_its_part_alone():
    topology = recorded("sharded-central-ingress-kgateway-2.4")
    (mirror,) = (hop for hop in topology.hops if hop.rule == "D3")
    assert isinstance(mirror.target, GatewayKey)
    assert [share.intended for share in mirror.shares] == [pytest.approx(0.9 * 0.2)]


def test_a_backend_its_controller_refuses_is_a_problem():
    objects = load("ai-gateway-kgateway-2.2")
    manifest = {
        "apiVersion": "agentgateway.dev/v1alpha1",
        "kind": "AgentgatewayBackend",
        "metadata": {"name": "models", "namespace": "agentgateway-system"},
        "status": {"conditions": [{"type": "Accepted", "status": "False", "reason": "TranslationError"}]},
    }
    resource = "agentgatewaybackends.agentgateway.dev"
    objects[resource] = decode([manifest])[resource]
    text = "AgentgatewayBackend agentgateway-system/models: Accepted is False (TranslationError)"
    assert any(text in problem for problem in node(relate(CLUSTER, objects), "agents").problems)
    objects[resource] = {}
    assert any("models does not exist" in problem for problem in node(relate(CLUSTER, objects), "agents").problems)


@pytest.mark.parametrize(
    ("host", "target", "rule"),
    [
        ("files.tools", "tools/files", "backend"),
        ("gone.tools.svc.cluster.local", "tools/gone", "backend"),
        ("agents.agentgateway-system.svc", "", ""),
        ("foo.svc", "foo.svc", "external"),
        ("www.svc.example.net", "www.svc.example.net", "external"),
    ],
)
def test_hosts_in_the_cluster_and_outside(host, target, rule):
    objects = load("ai-gateway-kgateway-2.1")
    manifest = {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": "tools", "namespace": "kgateway-system"},
        "spec": {"static": {"hosts": [{"host": host, "port": 80}]}},
    }
    objects["backends.gateway.kgateway.dev"] |= decode([manifest])["backends.gateway.kgateway.dev"]
    objects["services"] |= decode([_service("agents", metadata={"namespace": "agentgateway-system"})])["services"]
    hops = relate(CLUSTER, objects).hops
    found = [(str(hop.target), hop.rule) for hop in hops if {share.route.name for share in hop.shares} == {"tools"}]
    assert found == ([(target, rule)] if target else [("agentgateway-system/agents", "backend")])


@pytest.mark.parametrize(
    ("spec", "host"),
    [
        ({"gcp": {"host": "run.example.dev"}}, "run.example.dev"),
        ({"aws": {"region": "eu-west-1"}}, "lambda.eu-west-1.amazonaws.com"),
        ({"dynamicForwardProxy": {}}, "*"),
        ({"ai": {"llm": {"gemini": {}}}}, "generativelanguage.googleapis.com"),
        ({"ai": {"llm": {"azureopenai": {"endpoint": "https://mine.openai.azure.com"}}}}, "mine.openai.azure.com"),
        ({"ai": {"llm": {"vertexai": {}}}}, "aiplatform.googleapis.com"),
        ({"ai": {"llm": {"openai": {}, "host": "models.example.net"}}}, "models.example.net"),
    ],
)
def test_backends_outside_the_cluster(spec, host):
    objects = load("ai-gateway-kgateway-2.1")
    manifest = {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": "tools", "namespace": "kgateway-system"},
        "spec": spec,
    }
    objects["backends.gateway.kgateway.dev"] |= decode([manifest])["backends.gateway.kgateway.dev"]
    hops = relate(CLUSTER, objects).hops
    assert (host, "external") in {(str(hop.target), hop.rule) for hop in hops}


@pytest.mark.parametrize(
    ("writer", "is_attached"), [("istio.io/gateway-controller", True), ("kgateway.dev/kgateway", False)]
)
def test_istio_signs_routes_of_waypoints_with_any_of_its_names(writer, is_attached):
    objects = load("ambient-waypoint-istio")
    parent = {"group": "", "kind": "Service", "name": "web"}
    conditions = [{"type": "Accepted", "status": "True"}]
    route = {
        "apiVersion": f"{GA}/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "apps"},
        "spec": {"parentRefs": [parent], "rules": [{"backendRefs": [{"name": "plain", "port": 8080}]}]},
        "status": {"parents": [{"parentRef": parent, "controllerName": writer, "conditions": conditions}]},
    }
    objects[f"httproutes.{GA}"] = decode([route])[f"httproutes.{GA}"]
    topology = relate(CLUSTER, objects)
    assert bool(node(topology, "way").routes) is is_attached
    assert waypoint_targets(topology, "way").get("apps/plain", 0) == is_attached
