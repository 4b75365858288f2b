"""Every scenario as data: its objects are admitted, translated and claimed as a real installation leaves them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from gwtui.errors import GwtuiError, UsageError
from gwtui.playground import deployer, installed, mesh, workloads
from gwtui.playground.api.kinds import BY_RESOURCE
from gwtui.playground.api.store import Store
from gwtui.playground.certificates import secrets
from gwtui.playground.scenario import load_scenario, pattern_names, scenario_names, with_rates
from gwtui.playground.translation.attachment import attachments
from gwtui.playground.translation.gateway import translate
from gwtui.playground.translation.references import BLACKHOLE, resolve
from gwtui.playground.world import (
    DEPLOYMENTS,
    GATEWAY_CLASSES,
    GATEWAYS,
    HTTP_ROUTES,
    PARAMETERS,
    PODS,
    SERVICES,
    World,
    key_of,
)

NAMES = [name for name, _ in scenario_names()]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def populated(name: str) -> SimpleNamespace:
    """A scenario in a store, with its own pods and those of its Gateways, without a process."""
    scenario, store = load_scenario(name), Store()
    owners = installed.install(store, (*scenario.objects, *secrets(scenario.certificates, NOW)), NOW)
    installed.stand_in(store, owners, lambda _: "198.18.0.1")
    world = World.read(store)
    for gateway in world.gateways():
        for obj in deployer.objects_for(world, gateway):
            stored = store.put(obj, manager="kgateway")
            if stored["kind"] == "Deployment":
                installed.populate(store, stored)
    for pod in mesh.recaptured(World.read(store)):
        store.put(pod)
    return SimpleNamespace(scenario=scenario, store=store, world=World.read(store))


def test_there_is_one_for_every_pattern():
    assert set(pattern_names()) == {
        "simple-ingress",
        "sharded",
        "central-ingress",
        "haproxy-front",
        "nlb-front",
        "alb-front",
        "ambient-ingress",
        "ambient-egress",
        "ambient-waypoint",
        "sidecar",
        "ai-gateway",
        "mixed",
    }
    assert set(NAMES) - set(pattern_names()) == {
        "bad-backend",
        "diverged-replica",
        "drain-drill",
        "expired-certificate",
        "rejected-route",
    }
    assert all(len(description) < 110 for _, description in scenario_names())


@pytest.mark.parametrize("name", NAMES)
def test_clients_send_where_something_answers(name):
    found = populated(name)
    routes = {
        (f"{gateway['metadata']['namespace']}/{gateway['metadata']['name']}/{listener['name']}", host)
        for each in attachments(found.world)
        for gateway in [each.gateway]
        for listener, hosts in each.listeners
        for host in hosts
    }
    assert {(each.entry, each.host) for each in found.scenario.traffic} <= routes
    services = {key_of(each) for each in found.world.all(SERVICES)}
    assert {(each.namespace, each.service) for each in found.scenario.workloads} <= services
    load = sum(each.rps for each in found.scenario.traffic)
    assert 100 <= load <= 200 or not found.world.gateways()


@pytest.mark.parametrize("name", NAMES)
def test_every_gateway_of_ours_is_translated_without_a_dead_end(name):
    world = populated(name).world
    for gateway in world.gateways():
        config = translate(world, gateway, attachments(world), {})
        assert config.listeners
        assert BLACKHOLE not in json.dumps(config.routes)


@pytest.mark.parametrize("name", NAMES)
def test_gateways_of_others_are_left_alone(name):
    found = populated(name)
    ours = {key_of(each) for each in found.world.gateways()}
    for gateway in found.world.all(GATEWAYS):
        if key_of(gateway) not in ours:
            conditions = {each["type"]: each["status"] for each in gateway["status"]["conditions"]}
            assert conditions == {"Accepted": "True", "Programmed": "True"}
    for route in found.world.all(HTTP_ROUTES):
        parents = {ref["name"] for ref in route["spec"]["parentRefs"] if ref["kind"] == "Gateway"}
        if not parents & {own for _, own in ours}:
            assert all(each["conditions"] for each in route.get("status", {}).get("parents", ()))


def objects(found: SimpleNamespace, resource: str) -> dict[str, dict]:
    return {"/".join(filter(None, key_of(each))): each for each in found.store.scan(resource)}


def containers(pod: dict) -> list[str]:
    return [each["name"] for each in pod["spec"]["containers"]]


def test_a_network_load_balancer_leaves_its_traces():
    found = populated("nlb-front")
    service = objects(found, SERVICES)["infra/edge"]
    prefix = "service.beta.kubernetes.io/aws-load-balancer"
    assert service["metadata"]["annotations"][f"{prefix}-type"] == "external"
    assert service["metadata"]["annotations"][f"{prefix}-nlb-target-type"] == "ip"
    assert service["metadata"]["finalizers"] == ["service.k8s.aws/resources"]
    assert service["metadata"]["ownerReferences"][0]["kind"] == "Gateway"
    assert service["status"]["loadBalancer"]["ingress"][0]["hostname"].endswith(".elb.eu-west-1.amazonaws.com")
    (binding,) = objects(found, "targetgroupbindings.elbv2.k8s.aws").values()
    assert binding["spec"]["serviceRef"] == {"name": "edge", "port": 8080}
    assert binding["metadata"]["labels"]["service.k8s.aws/stack-name"] == "edge"


def test_an_application_load_balancer_is_an_ingress_to_the_gateway():
    found = populated("alb-front")
    (ingress,) = objects(found, "ingresses.networking.k8s.io").values()
    classes = objects(found, "ingressclasses.networking.k8s.io")
    assert classes[ingress["spec"]["ingressClassName"]]["spec"]["controller"] == "ingress.k8s.aws/alb"
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"]["name"] == "edge"
    assert ingress["status"]["loadBalancer"]["ingress"][0]["hostname"].endswith(".eu-west-1.elb.amazonaws.com")
    assert objects(found, SERVICES)["infra/edge"]["spec"]["type"] == "ClusterIP"


def test_haproxy_is_an_ingress_of_another_class():
    found = populated("haproxy-front")
    classes = objects(found, "ingressclasses.networking.k8s.io")
    assert classes["haproxy"]["spec"]["controller"].startswith("haproxy.org/ingress-controller")
    pods = [pod for pod in found.world.all(PODS) if pod["metadata"]["namespace"] == "haproxy-controller"]
    assert len(pods) == 2
    assert all("/kubernetes-ingress:" in pod["spec"]["containers"][0]["image"] for pod in pods)


@pytest.mark.parametrize("name", ["ambient-ingress", "ambient-egress", "ambient-waypoint"])
def test_pods_of_an_ambient_mesh_are_captured_and_ztunnel_is_not(name):
    found = populated(name)
    (ztunnel,) = [pod for pod in found.world.all(PODS) if pod["metadata"]["labels"].get("app") == "ztunnel"]
    assert containers(ztunnel) == ["istio-proxy"]
    assert ztunnel["metadata"]["ownerReferences"][0]["kind"] == "DaemonSet"
    assert mesh.REDIRECTION not in ztunnel["metadata"]["annotations"]
    proxies = [pod for pod in found.world.all(PODS) if pod["metadata"]["labels"].get("kgateway") == "kube-gateway"]
    assert proxies
    assert {pod["metadata"]["annotations"].get(mesh.REDIRECTION) for pod in proxies} == {"enabled"}
    assert {pod["spec"]["nodeName"] for pod in proxies} == {ztunnel["spec"]["nodeName"]}


def test_capture_follows_the_label_of_the_namespace():
    found = populated("ambient-ingress")
    namespace = found.store.get("namespaces", "", "infra")
    del namespace["metadata"]["labels"][mesh.MODE]
    found.store.put(namespace)
    released = list(mesh.recaptured(World.read(found.store)))
    assert {pod["metadata"]["namespace"] for pod in released} == {"infra"}
    assert all(mesh.REDIRECTION not in pod["metadata"]["annotations"] for pod in released)


def test_egress_leads_to_outside_hosts():
    found = populated("ambient-egress")
    gateway = found.world.get(GATEWAYS, "infra", "egress")
    places = {("", each.host, each.port): ("127.0.0.1", 20001) for each in found.scenario.outside}
    config = translate(found.world, gateway, attachments(found.world), places)
    assert config.clusters.keys() == {
        "istio-se_infra_maps_maps.example.org_80",
        "istio-se_infra_payments_payments.example.net_80",
    }
    assert all(each["endpoints"] for each in config.endpoints.values())


def test_service_entries_are_read_only_when_the_control_plane_is_told_to():
    found = populated("ambient-egress")
    control_plane = found.store.get(DEPLOYMENTS, "kgateway-system", "kgateway")
    del control_plane["spec"]["template"]["spec"]["containers"][0]["env"]
    found.store.put(control_plane)
    world = World.read(found.store)
    config = translate(world, world.get(GATEWAYS, "infra", "egress"), attachments(world), {})
    assert BLACKHOLE in json.dumps(config.routes)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"hosts": [], "ports": [{"number": 80}]}, "ServiceEntry infra/maps has no host"),
        ({"hosts": ["maps.example.org"], "ports": [{"number": 443}]}, "ServiceEntry infra/maps has no port 80"),
        ({}, "ServiceEntry infra/maps has no port 80"),
    ],
)
def test_half_a_service_entry_is_refused_in_words(spec, message):
    found = populated("ambient-egress")
    entry = found.store.get("serviceentries.networking.istio.io", "infra", "maps")
    found.store.put({**entry, "spec": spec})
    ref = {"group": "networking.istio.io", "kind": "ServiceEntry", "name": "maps", "port": 80}
    refusal = resolve(World.read(found.store), "infra", ref)
    assert (refusal.reason, refusal.message) == ("BackendNotFound", message)


def test_a_sidecar_mesh_adds_containers_to_proxies_and_workloads():
    found = populated("sidecar")
    proxies = [pod for pod in found.world.all(PODS) if pod["metadata"]["labels"].get("kgateway") == "kube-gateway"]
    assert len(proxies) == 2
    for pod in proxies:
        assert containers(pod) == ["kgateway-proxy", "sds", "istio-proxy"]
        assert {"name": "DISABLE_ENVOY", "value": "true"} in pod["spec"]["containers"][2]["env"]
        assert "sidecar.istio.io/status" not in pod["metadata"]["annotations"]
    namespace = found.store.get("namespaces", "", "foo")
    owner = {
        "metadata": {"name": "web-1", "namespace": "foo", "uid": "1"},
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
    }
    owner["spec"] = {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "echo"}]}}}
    pod = mesh.injected(workloads.new_pod(owner, 1), namespace)
    assert containers(pod) == ["echo", "istio-proxy"]
    assert pod["metadata"]["labels"]["security.istio.io/tlsMode"] == "istio"
    assert json.loads(pod["metadata"]["annotations"]["sidecar.istio.io/status"])["containers"] == ["istio-proxy"]


@pytest.mark.parametrize("name", ["ai-gateway", "mixed"])
def test_agentgateway_is_there_in_name(name):
    found = populated(name)
    gateway = objects(found, GATEWAYS)["ai/llm"]
    gateway_class = objects(found, GATEWAY_CLASSES)[gateway["spec"]["gatewayClassName"]]
    assert gateway_class["spec"]["controllerName"] == "agentgateway.dev/agentgateway"
    deployment = objects(found, DEPLOYMENTS)["ai/llm"]
    assert deployment["metadata"]["ownerReferences"][0]["uid"] == gateway["metadata"]["uid"]
    selector = deployment["spec"]["selector"]["matchLabels"]
    pods = [pod for pod in found.world.all(PODS) if selector.items() <= pod["metadata"]["labels"].items()]
    assert len(pods) == 2
    for pod in pods:
        assert containers(pod) == ["agentgateway"]
        assert pod["metadata"]["annotations"]["prometheus.io/port"] == "15020"
        assert pod["status"]["phase"] == "Running"
    backends = objects(found, "agentgatewaybackends.agentgateway.dev")
    refs = [
        ref for route in found.world.all(HTTP_ROUTES) for rule in route["spec"]["rules"] for ref in rule["backendRefs"]
    ]
    assert {ref["name"] for ref in refs if ref["kind"] == "AgentgatewayBackend"} == {"chat", "tools"}
    assert backends.keys() == {"ai/chat", "ai/tools"}
    attached = [route for route in found.world.all(HTTP_ROUTES) if route["spec"]["parentRefs"][0]["name"] == "llm"]
    assert gateway["status"]["listeners"][0]["attachedRoutes"] == len(attached)


def test_an_overlay_says_what_is_spoken_on_a_port_of_a_service():
    ports = objects(populated("drain-drill"), SERVICES)["infra/shard-b"]["spec"]["ports"]
    assert [each["port"] for each in ports] == [8080, 8081]
    assert "appProtocol" not in ports[0]
    assert ports[1] == {
        "name": "listener-8081",
        "port": 8081,
        "targetPort": 8081,
        "protocol": "TCP",
        "appProtocol": "kubernetes.io/h2c",
    }


def test_an_overlay_may_add_a_port_and_change_the_type():
    found = populated("drain-drill")
    parameters = found.store.get(PARAMETERS, "infra", "shard-b")
    debug = {"name": "debug", "port": 9000, "targetPort": 9000}
    parameters["spec"]["kube"]["serviceOverlay"]["spec"] = {"type": "NodePort", "ports": [debug]}
    found.store.put(parameters)
    world = World.read(found.store)
    gateway = world.get(GATEWAYS, "infra", "shard-b")
    spec = next(each["spec"] for each in deployer.objects_for(world, gateway) if each["kind"] == "Service")
    assert spec["type"] == "NodePort"
    assert [each["port"] for each in spec["ports"]] == [8080, 8081, 9000]


@pytest.mark.parametrize(
    ("written", "is_http2"),
    [
        *((each, True) for each in ("kubernetes.io/h2c", "http2", "grpc", "grpc-web", "HTTP2")),
        *((each, False) for each in ("kubernetes.io/ws", "http", "")),
    ],
)
def test_what_a_service_port_says_decides_what_is_spoken_to_it(written, is_http2):
    found = populated("drain-drill")
    service = found.store.get(SERVICES, "foo", "grpc")
    service["spec"]["ports"][0]["appProtocol"] = written
    found.store.put(service)
    world = World.read(found.store)
    clusters = translate(world, world.get(GATEWAYS, "infra", "shard-a"), attachments(world), {}).clusters
    options = clusters["kube_foo_grpc_80"].get("typedExtensionProtocolOptions", {})
    assert ["http2ProtocolOptions" in each["explicitHttpConfig"] for each in options.values()] == [True] * is_http2
    assert "typedExtensionProtocolOptions" not in clusters["kube_foo_web_80"]


def test_an_owner_that_is_not_there_is_named():
    orphan = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "orphan",
            "namespace": "foo",
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "gone"}],
        },
    }
    with pytest.raises(GwtuiError, match="its owner Deployment gone is not there"):
        installed.install(Store(), [orphan], NOW)


def test_conditions_of_others_get_a_time_and_keep_one_they_have():
    store = Store()
    condition = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": ""}
    backend = {
        "apiVersion": "agentgateway.dev/v1alpha1",
        "kind": "AgentgatewayBackend",
        "metadata": {"name": "chat", "namespace": "ai"},
        "spec": {"ai": {"anything": [1, {"deep": True}]}},
        "status": {"conditions": [condition, {**condition, "lastTransitionTime": "2020-01-01T00:00:00Z"}]},
    }
    installed.install(store, [backend], NOW)
    stored = store.get("agentgatewaybackends.agentgateway.dev", "ai", "chat")
    assert stored["spec"] == backend["spec"]
    times = [each["lastTransitionTime"] for each in stored["status"]["conditions"]]
    assert times == ["2026-01-01T00:00:00Z", "2020-01-01T00:00:00Z"]
    assert BY_RESOURCE["agentgatewaybackends.agentgateway.dev"].status


def test_hosts_that_are_named_get_other_rates():
    scenario = load_scenario("central-ingress")
    before = {each.host: each.rps for each in scenario.traffic}
    changed = with_rates(scenario, {"shop.example.com": 200.0, "foo.example.com": 0.0})
    rates = {each.host: each.rps for each in changed.traffic}
    assert rates == {**before, "shop.example.com": 200.0, "foo.example.com": 0.0}
    assert with_rates(scenario, {}) == scenario


@pytest.mark.parametrize(
    ("host", "rps", "told"),
    [
        ("nowhere.example.com", 1.0, "no clients ask"),
        ("foo.example.com", -1.0, "-1 requests/s"),
        *(("foo.example.com", float(each), each) for each in ("nan", "inf")),
    ],
)
def test_rates_nobody_can_send_are_told(host, rps, told):
    with pytest.raises(UsageError, match=told):
        with_rates(load_scenario("central-ingress"), {host: rps})
