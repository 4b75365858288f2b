"""The scenarios of the deployment patterns, each for real: what can answer answers, what cannot does not."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
import pytest_asyncio

from gwtui.playground.scenario import load_scenario

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

GATEWAYS = "/apis/gateway.networking.k8s.io/v1/gateways"
ANSWERING = ("alb-front", "ambient-egress", "haproxy-front", "mixed", "nlb-front", "sidecar")


async def ask(running, entry: str, host: str, path: str = "/"):
    url = running.playground.ready["entrypoints"][f"playground/{entry}"]
    return await running.http.get(url + path, headers={"host": host})


async def stat(running, pod: str, name: str) -> int:
    admin = running.playground.ready["admin"][pod]
    answer = await running.http.get(f"{admin}/stats?format=json&filter=^{name}$")
    return sum(each["value"] for each in answer.json()["stats"])


@pytest.mark.parametrize("name", ANSWERING)
async def test_every_host_answers_through_its_gateway(start_playground, eventually, name):
    started = time.monotonic()
    running = await start_playground(name, traffic=False)
    try:
        assert time.monotonic() - started < 20
        for each in load_scenario(name).traffic:
            for path in each.paths:
                answer = await ask(running, each.entry, each.host, path)
                assert (answer.status_code, answer.json()["host"]) == (200, each.host)
        await CHECKS.get(name, check_gateways)(running)
        await eventually(lambda: is_at_rest(running), within_s=8)
    finally:
        await running.close()


async def is_at_rest(running) -> bool:
    before = (await running.get("/api/v1/pods"))["metadata"]["resourceVersion"]
    await asyncio.sleep(0.7)
    return before == (await running.get("/api/v1/pods"))["metadata"]["resourceVersion"]


async def check_gateways(running) -> None:
    gateways = (await running.get(GATEWAYS))["items"]
    for gateway in gateways:
        conditions = {each["type"]: each["status"] for each in gateway["status"]["conditions"]}
        assert conditions == {"Accepted": "True", "Programmed": "True"}


async def check_network_load_balancer(running) -> None:
    (gateway,) = (await running.get(GATEWAYS))["items"]
    service = await running.get("/api/v1/namespaces/infra/services/edge")
    (ingress,) = service["status"]["loadBalancer"]["ingress"]
    assert gateway["status"]["addresses"] == [{"type": "Hostname", "value": ingress["hostname"]}]
    assert service["metadata"]["finalizers"] == ["service.k8s.aws/resources"]


async def check_application_load_balancer(running) -> None:
    health = await ask(running, "infra/edge/http", "10.0.0.1", "/healthz")
    assert (health.status_code, health.text) == (200, "healthy")


async def check_egress(running) -> None:
    answer = (await ask(running, "infra/egress/http", "maps.example.org", "/tiles")).json()
    assert (answer["namespace"], answer["service"]) == ("", "maps.example.org")
    (pod, *_) = running.playground.ready["admin"]
    clusters = await running.http.get(running.playground.ready["admin"][pod] + "/clusters?format=json")
    names = {each["name"] for each in clusters.json()["cluster_statuses"]}
    assert "istio-se_infra_maps_maps.example.org_80" in names


async def check_sidecars(running) -> None:
    pods = (await running.get("/api/v1/namespaces/foo/pods"))["items"]
    for pod in pods:
        assert [each["name"] for each in pod["status"]["containerStatuses"]] == ["echo", "istio-proxy"]
        assert "sidecar.istio.io/status" in pod["metadata"]["annotations"]
    for pod in await running.pods("edge"):
        assert [each["ready"] for each in pod["status"]["containerStatuses"]] == [True] * 3


async def check_delegation(running) -> None:
    """A platform team owns the host, an application team the route below."""
    group = "gateway.networking.k8s.io"
    child = {"name": "team", "namespace": "foo"}
    documents = {
        "infra": {
            "metadata": {"name": "platform", "namespace": "infra"},
            "spec": {
                "parentRefs": [{"name": "shard-a"}],
                "hostnames": ["teams.example.com"],
                "rules": [{"backendRefs": [{"group": group, "kind": "HTTPRoute", **child}]}],
            },
        },
        "foo": {"metadata": child, "spec": {"rules": [{"backendRefs": [{"name": "api", "port": 80}]}]}},
    }
    for namespace, document in documents.items():
        path = f"/apis/{group}/v1/namespaces/{namespace}/httproutes"
        route = {"apiVersion": f"{group}/v1", "kind": "HTTPRoute", **document}
        (await running.api.post(path, json=route)).raise_for_status()
    async with asyncio.timeout(5):
        while (answer := await ask(running, "infra/shard-a/http", "teams.example.com")).status_code != 200:
            await asyncio.sleep(0.02)
    assert answer.json()["service"] == "api"
    (parent,) = (await running.get(f"/apis/{group}/v1/namespaces/foo/httproutes/team"))["status"]["parents"]
    assert parent["parentRef"] == {"group": group, "kind": "HTTPRoute", "namespace": "infra", "name": "platform"}


CHECKS = {
    "alb-front": check_application_load_balancer,
    "ambient-egress": check_egress,
    "mixed": check_delegation,
    "nlb-front": check_network_load_balancer,
    "sidecar": check_sidecars,
}


async def test_an_ai_gateway_is_there_and_does_not_answer(start_playground):
    running = await start_playground("ai-gateway", traffic=True)
    try:
        ready = running.playground.ready
        assert (ready["entrypoints"], ready["admin"], ready["traffic"]) == ({}, {}, {"hosts": []})
        pods = (await running.get("/api/v1/namespaces/ai/pods"))["items"]
        proxies = [pod for pod in pods if pod["spec"]["containers"][0]["name"] == "agentgateway"]
        assert [pod["status"]["phase"] for pod in proxies] == ["Running"] * 2
        for pod in proxies:
            path = f"/api/v1/namespaces/ai/pods/{pod['metadata']['name']}:15020/proxy/metrics"
            assert (await running.api.get(path)).status_code >= 500
        (gateway,) = (await running.get(GATEWAYS))["items"]
        (address,) = gateway["status"]["addresses"]
        assert address["value"].startswith("192.0.2.")
    finally:
        await running.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def waypoint(start_playground):
    running = await start_playground("ambient-waypoint", traffic=True)
    yield running
    await running.close()


async def test_requests_take_the_way_by_the_waypoint(waypoint):
    (pod,) = [name for name in waypoint.playground.ready["admin"] if name.startswith("foo/waypoint-")]
    before = await stat(waypoint, pod, "http.http.downstream_rq_total")
    seen = set()
    for _ in range(60):
        answer = (await ask(waypoint, "infra/edge/http", "foo.example.com", "/api/items")).json()
        seen.add(answer["service"])
    assert seen == {"api", "api-next"}
    assert await stat(waypoint, pod, "http.http.downstream_rq_total") >= before + 60
    assert "playground/foo/waypoint/proxy" not in waypoint.playground.ready["entrypoints"]


async def test_a_gateway_chooses_pods_itself_when_the_service_does_not_ask_for_the_waypoint(waypoint, eventually):
    path = "/api/v1/namespaces/foo/services/api"

    async def passes_by() -> bool:
        answers = await asyncio.gather(
            *(ask(waypoint, "infra/edge/http", "foo.example.com", "/api/items") for _ in range(30))
        )
        return {answer.json()["service"] for answer in answers} == {"api"}

    await waypoint.patch(path, {"metadata": {"labels": {"istio.io/ingress-use-waypoint": None}}})
    await eventually(passes_by, within_s=5)
    await waypoint.patch(path, {"metadata": {"labels": {"istio.io/ingress-use-waypoint": "true"}}})


async def test_routes_of_services_are_claimed_for_the_service(waypoint):
    route = await waypoint.get("/apis/gateway.networking.k8s.io/v1/namespaces/foo/httproutes/api-canary")
    (parent,) = route["status"]["parents"]
    assert parent["parentRef"]["kind"] == "Service"
    assert {each["type"]: each["status"] for each in parent["conditions"]} == {
        "Accepted": "True",
        "ResolvedRefs": "True",
        "kgateway.dev/Programmed": "True",
    }


async def test_the_waypoint_comes_to_rest(waypoint, eventually):
    await eventually(lambda: is_at_rest(waypoint), within_s=8)


async def test_nothing_fails_on_the_way(waypoint, eventually):
    report = Path(waypoint.playground.ready["state"]) / "traffic.json"

    async def has_sent_enough() -> bool:
        return sum(host["ok"] for host in json.loads(report.read_text())["hosts"].values()) > 300

    await eventually(has_sent_enough, within_s=15)
    assert sum(host["failed"] for host in json.loads(report.read_text())["hosts"].values()) == 0
