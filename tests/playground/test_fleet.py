"""A whole playground without clients: traps, restarts, scaling, on real Envoys."""

from __future__ import annotations

import asyncio
import json
import signal

import aiohttp
import httpx
import pytest
import pytest_asyncio

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/{}/httproutes/{}"
PARAMETERS = "/apis/gateway.kgateway.dev/v1alpha1/namespaces/infra/gatewayparameters/{}"
REPLACED = "invalid route configuration detected and replaced with a direct response."


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fleet(start_playground):
    running = await start_playground("central-ingress", traffic=False)
    yield running
    await running.close()


def weights(first: int, second: int) -> dict:
    refs = [{"name": "shard-a", "port": 8080, "weight": first}, {"name": "shard-b", "port": 8080, "weight": second}]
    return {"spec": {"rules": [{"timeouts": {"request": "60s"}, "backendRefs": refs}]}}


def conditions(route: dict) -> dict[str, dict]:
    (parent,) = route["status"]["parents"]
    return {each["type"]: each for each in parent["conditions"]}


async def test_each_host_reaches_its_own_workload(fleet):
    for host, path, namespace, service in (
        ("foo.example.com", "/", "foo", "web"),
        ("foo.example.com", "/api/items", "foo", "api"),
        ("foo.example.com", "/partner", "bar", "web"),
        ("bar.example.com", "/search?q=1", "bar", "web"),
        ("extra.example.com", "/", "extra", "web"),
    ):
        answer = await fleet.ask(host, path)
        assert answer.status_code == 200
        seen = answer.json()
        assert (seen["namespace"], seen["service"], seen["host"], seen["path"]) == (namespace, service, host, path)
    assert (await fleet.ask("nobody.example.com")).status_code == 404


async def test_shards_can_be_asked_directly(fleet):
    assert (await fleet.ask("foo.example.com", gateway="shard-a")).status_code == 200
    assert (await fleet.ask("foo.example.com", gateway="shard-b")).status_code == 404


async def test_http2_events_and_websockets_pass_both_tiers(fleet):
    async with httpx.AsyncClient(http1=False, http2=True) as client:
        answer = await client.get(fleet.entry(), headers={"host": "foo.example.com"})
    assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
    events = await fleet.ask("bar.example.com", "/stream?seconds=0.1")
    assert events.headers["content-type"] == "text/event-stream"
    assert events.text.endswith("event: end\ndata: end\n\n")
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(fleet.entry() + "/ws", headers={"host": "extra.example.com"}) as socket,
    ):
        await socket.send_str("hello")
        assert await asyncio.wait_for(socket.receive_str(), 5) == "hello"


async def test_status_tells_what_kgateway_would(fleet):
    gateway = await fleet.get("/apis/gateway.networking.k8s.io/v1/namespaces/infra/gateways/shard-a")
    status = {each["type"]: each["status"] for each in gateway["status"]["conditions"]}
    assert status == {"Accepted": "True", "Programmed": "True"}
    assert gateway["status"]["listeners"][0]["attachedRoutes"] == 3
    service = await fleet.get("/api/v1/namespaces/infra/services/shard-a")
    assert gateway["status"]["addresses"] == [{"type": "IPAddress", "value": service["spec"]["clusterIP"]}]
    policy = await fleet.get("/apis/gateway.kgateway.dev/v1alpha1/namespaces/extra/trafficpolicies/stats")
    (ancestor,) = policy["status"]["ancestors"]
    assert ancestor["ancestorRef"]["name"] == "shard-b"


async def test_the_fleet_is_at_rest_when_nobody_touches_it(fleet, eventually):
    async def is_quiet() -> bool:
        before = (await fleet.get("/api/v1/pods"))["metadata"]["resourceVersion"]
        await asyncio.sleep(1.5)
        return before == (await fleet.get("/api/v1/pods"))["metadata"]["resourceVersion"]

    await eventually(is_quiet, within_s=8)


async def test_stats_come_through_the_pod_proxy(fleet):
    await fleet.ask("extra.example.com")
    (pod,) = await fleet.pods("shard-b")
    base = f"/api/v1/namespaces/infra/pods/{pod['metadata']['name']}:9091/proxy"
    answer = await fleet.get(f"{base}/stats?format=json&usedonly&filter=^vhost\\..*upstream_rq_total$")
    names = {each["name"] for each in answer["stats"]}
    assert "vhost.listener~8080~extra_example_com.route.extra/web.upstream_rq_total" in names
    metrics = await fleet.api.get(f"{base}/metrics")
    assert "envoy_http_downstream_rq_total" in metrics.text


async def test_prometheus_scrapes_what_was_used_and_the_port_takes_no_orders(fleet):
    def families(answer: httpx.Response) -> set[str]:
        assert answer.status_code == 200
        return {line.split()[2] for line in answer.text.splitlines() if line.startswith("# TYPE")}

    (pod,) = await fleet.pods("shard-b")
    name = f"infra/{pod['metadata']['name']}"
    base, admin = fleet.playground.ready["stats"][name], fleet.playground.ready["admin"][name]
    scraped = families(await fleet.http.get(f"{base}/metrics"))
    used = families(await fleet.http.get(f"{admin}/stats/prometheus?usedonly"))
    every = families(await fleet.http.get(f"{admin}/stats/prometheus"))
    assert "envoy_cluster_upstream_rq_total" in scraped
    assert scraped <= used < every
    for method, path in (("POST", "/metrics"), ("POST", "/healthcheck/fail"), ("GET", "/config_dump")):
        assert (await fleet.http.request(method, base + path)).status_code == 404


async def test_a_weight_change_is_served_by_every_proxy(fleet, eventually):
    path = ROUTES.format("infra", "shop")
    for first, second, namespace in ((0, 100, "extra"), (100, 0, "foo")):
        changed = await fleet.patch(path, weights(first, second))

        async def both_proxies_follow(namespace=namespace) -> bool:
            seen = [(await fleet.ask_anew("shop.example.com")).json()["namespace"] for _ in range(6)]
            return set(seen) == {namespace}

        await eventually(both_proxies_follow, within_s=15.0)
        now = conditions(await fleet.get(path))
        assert now["Accepted"]["observedGeneration"] == changed["metadata"]["generation"]
    await fleet.patch(path, weights(90, 10))


async def test_weight_zero_on_a_lone_backend_drains_nothing(fleet, eventually):
    path = ROUTES.format("infra", "extra")
    refs = [{"name": "shard-b", "port": 8080, "weight": 0}]
    changed = await fleet.patch(path, {"spec": {"rules": [{"backendRefs": refs}]}})

    async def is_observed() -> bool:
        accepted = conditions(await fleet.get(path))["Accepted"]
        return accepted["observedGeneration"] == changed["metadata"]["generation"]

    await eventually(is_observed, within_s=2)
    answers = [(await fleet.ask_anew("extra.example.com")).status_code for _ in range(20)]
    assert answers == [200] * 20
    refs[0]["weight"] = 1
    await fleet.patch(path, {"spec": {"rules": [{"timeouts": {"request": "60s"}, "backendRefs": refs}]}})


async def test_all_weights_zero_replace_the_rule_by_errors(fleet, eventually):
    path = ROUTES.format("infra", "shop")
    await fleet.patch(path, weights(0, 0))

    async def fails() -> bool:
        answers = [await fleet.ask_anew("shop.example.com") for _ in range(4)]
        return all(each.status_code == 500 and each.text == REPLACED for each in answers)

    await eventually(fails, within_s=15.0)
    now = conditions(await fleet.get(path))
    assert now["Accepted"]["status"] == "True"
    assert (now["kgateway.dev/Programmed"]["status"], now["kgateway.dev/Programmed"]["reason"]) == (
        "False",
        "RouteRuleReplaced",
    )
    assert "All backend weights are 0" in now["kgateway.dev/Programmed"]["message"]
    await fleet.patch(path, weights(90, 10))

    async def works() -> bool:
        return all([(await fleet.ask_anew("shop.example.com")).status_code == 200 for _ in range(4)])

    await eventually(works, within_s=15.0)
    assert conditions(await fleet.get(path))["kgateway.dev/Programmed"]["status"] == "True"


async def test_a_rejected_configuration_is_reported_and_the_old_one_kept(fleet, eventually):
    path = ROUTES.format("bar", "web")
    before = (await fleet.get(path))["spec"]["rules"]
    broken = {"matches": [{"path": {"type": "RegularExpression", "value": "/(unclosed"}}]}
    await fleet.patch(path, {"spec": {"rules": [*before, broken]}})

    async def is_reported() -> bool:
        return any("rejected" in line and "shard-a" in line for line in fleet.progress)

    await eventually(is_reported, within_s=3)
    assert (await fleet.ask("bar.example.com")).status_code == 200
    await fleet.patch(path, {"spec": {"rules": before}})


async def test_a_killed_proxy_leaves_at_once_and_comes_back(fleet, eventually):
    victim, other = await fleet.pods("edge")
    name = f"infra/{victim['metadata']['name']}"
    before = {key: process.pid for key, process in fleet.envoys().items()}
    fleet.envoys()[name].send_signal(signal.SIGKILL)

    async def state() -> dict:
        pod = await fleet.get(f"/api/v1/namespaces/infra/pods/{victim['metadata']['name']}")
        ready = next(each for each in pod["status"]["conditions"] if each["type"] == "Ready")
        return {"ready": ready["status"], "restarts": pod["status"]["containerStatuses"][0]["restartCount"]}

    async def is_out() -> bool:
        return (await state())["ready"] == "False"

    assert await eventually(is_out, within_s=1) < 1
    slices = await fleet.get(
        "/apis/discovery.k8s.io/v1/namespaces/infra/endpointslices?labelSelector=kubernetes.io/service-name=edge"
    )
    ready = [each["targetRef"]["name"] for each in slices["items"][0]["endpoints"] if each["conditions"]["ready"]]
    assert ready == [other["metadata"]["name"]]

    async def serves() -> bool:
        return (await fleet.ask_anew("foo.example.com")).status_code == 200

    await eventually(serves, within_s=1)

    async def is_back() -> bool:
        return await state() == {"ready": "True", "restarts": 1}

    assert await eventually(is_back, within_s=8) > 1
    after = {key: process.pid for key, process in fleet.envoys().items()}
    assert {key for key in before if before[key] != after[key]} == {name}
    answer = await fleet.http.get(fleet.playground.ready["admin"][name] + "/ready")
    assert answer.text == "LIVE\n"


async def test_a_failing_health_check_takes_the_proxy_out_and_back(fleet, eventually):
    pod = (await fleet.pods("edge"))[0]["metadata"]["name"]
    admin = fleet.playground.ready["admin"][f"infra/{pod}"]

    async def readiness() -> str:
        found = await fleet.get(f"/api/v1/namespaces/infra/pods/{pod}")
        return next(each["status"] for each in found["status"]["conditions"] if each["type"] == "Ready")

    for action, expected in (("fail", "False"), ("ok", "True")):
        await fleet.http.post(f"{admin}/healthcheck/{action}")

        async def is_seen(expected=expected) -> bool:
            return await readiness() == expected

        await eventually(is_seen, within_s=3)


async def test_replicas_follow_the_gateway_parameters_without_a_failed_request(fleet, eventually):
    failures = []
    stop = asyncio.Event()

    async def ask_on() -> int:
        count = 0
        while not stop.is_set():
            answer = await fleet.ask("extra.example.com")
            count += 1
            if answer.status_code != 200:
                failures.append(answer.status_code)
            await asyncio.sleep(0.01)
        return count

    asking = asyncio.create_task(ask_on())
    for replicas in (2, 1):
        await fleet.patch(PARAMETERS.format("shard-b"), {"spec": {"kube": {"deployment": {"replicas": replicas}}}})

        async def is_scaled(replicas=replicas) -> bool:
            names = [name for name in fleet.envoys() if name.startswith("infra/shard-b")]
            deployment = await fleet.get("/apis/apps/v1/namespaces/infra/deployments/shard-b")
            return len(names) == replicas == deployment["status"]["readyReplicas"]

        await eventually(is_scaled, within_s=8)
    stop.set()
    assert await asking > 20
    assert failures == []


async def test_a_restarted_rollout_replaces_every_pod_without_a_failed_request(fleet, eventually):
    before = {pod["metadata"]["name"] for pod in await fleet.pods("shard-a")}
    stamp = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    patch = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
    await fleet.patch("/apis/apps/v1/namespaces/infra/deployments/shard-a", patch, kind="strategic-merge")
    answers = []

    async def is_replaced() -> bool:
        answers.append((await fleet.ask("bar.example.com")).status_code)
        running = {name.removeprefix("infra/") for name in fleet.envoys() if name.startswith("infra/shard-a")}
        return len(running) == 2 and not running & before

    await eventually(is_replaced, within_s=10)
    assert set(answers) == {200}


async def test_a_gateway_comes_to_life_and_goes(fleet, eventually):
    path = "/apis/gateway.networking.k8s.io/v1/namespaces/infra/gateways"
    listener = {"name": "web", "port": 8081, "protocol": "HTTP"}
    gateway = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "extra", "namespace": "infra"},
        "spec": {"gatewayClassName": "kgateway", "listeners": [listener]},
    }
    (await fleet.api.post(path, json=gateway)).raise_for_status()

    async def pods() -> int:
        return sum(name.startswith("infra/extra-") for name in fleet.envoys())

    async def is_ready() -> bool:
        found = await fleet.pods("extra")
        return any(
            each["type"] == "Ready" and each["status"] == "True"
            for pod in found
            for each in pod.get("status", {}).get("conditions", ())
        )

    await eventually(is_ready, within_s=5)
    assert await pods() == 1
    (await fleet.api.delete(f"{path}/extra")).raise_for_status()

    async def is_gone() -> bool:
        return await pods() == 0 and await fleet.pods("extra") == []

    await eventually(is_gone, within_s=6)


async def test_objects_written_by_the_controller_are_restored(fleet, eventually):
    path = "/api/v1/namespaces/infra/services/shard-b"
    await fleet.patch(path, {"spec": {"type": "NodePort"}})

    async def is_restored() -> bool:
        return (await fleet.get(path))["spec"]["type"] == "ClusterIP"

    await eventually(is_restored, within_s=2)


async def test_ready_document_has_the_promised_shape(fleet):
    ready = fleet.playground.ready
    assert ready.keys() == {
        *("kubeconfig", "context", "scenario", "entrypoints", "admin", "stats", "traffic", "pid", "state")
    }
    assert ready["entrypoints"].keys() == {
        f"playground/infra/{gateway}/http" for gateway in ("edge", "shard-a", "shard-b")
    }
    assert json.loads(json.dumps(ready["traffic"])) == {"hosts": []}
    assert len(ready["admin"]) == 5
    assert ready["stats"].keys() == ready["admin"].keys()
    assert not set(ready["stats"].values()) & set(ready["admin"].values())
