"""The stage of drains: clients of every protocol, shards that stop and start, errors that are asked for."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import pytest_asyncio

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

PARAMETERS = "/apis/gateway.kgateway.dev/v1alpha1/namespaces/infra/gatewayparameters/{}"
DEPLOYMENT = "/apis/apps/v1/namespaces/{}/deployments/{}"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/infra/endpointslices?labelSelector=kubernetes.io/service-name={}"
RATIO = "playground.gwtui.dev/error-ratio"
PROTOCOLS = ("http1", "http2", "grpc", "sse", "websocket")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def drill(start_playground):
    running = await start_playground("drain-drill", traffic=True)
    yield running
    await running.close()


def hosts(drill) -> dict:
    return json.loads((Path(drill.playground.ready["state"]) / "traffic.json").read_text())["hosts"]


def counted(drill, what: str) -> dict[str, int]:
    return {each: sum(host["protocols"][each][what] for host in hosts(drill).values()) for each in PROTOCOLS}


async def ready_pods(drill, service: str) -> set[str]:
    (item,) = (await drill.get(SLICES.format(service)))["items"]
    return {each["targetRef"]["name"] for each in item.get("endpoints", ()) if each["conditions"]["ready"]}


async def scale(drill, eventually, shard: str, replicas: int) -> None:
    wanted = {"spec": {"kube": {"deployment": {"replicas": replicas}}}}
    await drill.patch(PARAMETERS.format(shard), wanted)

    async def is_scaled() -> bool:
        status = (await drill.get(DEPLOYMENT.format("infra", shard)))["status"]
        running = [name for name in drill.envoys() if name.startswith(f"infra/{shard}-")]
        return len(running) == status["readyReplicas"] == len(await ready_pods(drill, shard)) == replicas

    await eventually(is_scaled, within_s=20)


async def test_clients_of_every_protocol_send_and_none_fails(drill, eventually):
    async def all_are_at_work() -> bool:
        return all(counted(drill, "ok")[each] > 100 for each in ("http1", "http2", "grpc"))

    await eventually(all_are_at_work, within_s=20)
    before = counted(drill, "ok")
    await asyncio.sleep(10)
    after = counted(drill, "ok")
    assert counted(drill, "failed") == counted(drill, "cut") == dict.fromkeys(PROTOCOLS, 0)
    assert after["grpc"] - before["grpc"] > 150
    assert after["http1"] - before["http1"] > 600
    assert counted(drill, "open") == {"http1": 0, "http2": 0, "grpc": 3, "sse": 4, "websocket": 6}
    for host in hosts(drill).values():
        protocols = host["protocols"].values()
        assert host["sent"] == sum(each["sent"] for each in protocols)
        assert host["ok"] == sum(each["ok"] for each in protocols)


async def test_calls_go_over_http2_on_every_hop(drill):
    for gateway, cluster in (("edge", "kube_infra_shard-a_8081"), ("shard-a", "kube_foo_grpc_80")):
        found = {}
        for name, url in drill.playground.ready["admin"].items():
            if name.startswith(f"infra/{gateway}-"):
                query = f"filter=^cluster.{cluster}.upstream_cx_http._total$"
                answer = await drill.http.get(f"{url}/stats?format=json&{query}")
                for each in answer.json()["stats"]:
                    found[each["name"].split(".")[-1]] = found.get(each["name"].split(".")[-1], 0) + each["value"]
        assert found["upstream_cx_http2_total"] > 0
        assert found["upstream_cx_http1_total"] == 0
    ports = (await drill.get("/api/v1/namespaces/infra/services/shard-a"))["spec"]["ports"]
    assert [(each["port"], each.get("appProtocol")) for each in ports] == [(8080, None), (8081, "kubernetes.io/h2c")]


async def test_a_shards_proxy_that_fails_its_health_check_leaves_and_returns_without_a_failure(drill, eventually):
    pod = (await drill.pods("shard-a"))[0]["metadata"]["name"]
    admin = drill.playground.ready["admin"][f"infra/{pod}"]
    failed = counted(drill, "failed")

    async def received() -> int:
        answer = await drill.http.get(f"{admin}/stats?format=json&filter=^http.http.downstream_rq_total$")
        return answer.json()["stats"][0]["value"]

    async def is_out() -> bool:
        return pod not in await ready_pods(drill, "shard-a")

    async def is_left_alone() -> bool:
        before = await received()
        await asyncio.sleep(0.5)
        return await received() == before

    async def is_used() -> bool:
        before = await received()
        await asyncio.sleep(0.5)
        return await received() > before + 5

    await drill.http.post(f"{admin}/healthcheck/fail")
    await eventually(is_out, within_s=3)
    await eventually(is_left_alone, within_s=3)
    await drill.http.post(f"{admin}/healthcheck/ok")
    await eventually(is_used, within_s=5)
    await asyncio.sleep(0.6)
    assert counted(drill, "failed") == failed
    assert counted(drill, "cut") == dict.fromkeys(PROTOCOLS, 0)


async def test_an_edge_proxy_that_fails_its_health_check_costs_no_client_a_request(drill, eventually):
    """Clients are asked to leave by `Connection: close` and GOAWAY, with requests under way."""
    pod = (await drill.pods("edge"))[0]["metadata"]["name"]
    admin = drill.playground.ready["admin"][f"infra/{pod}"]
    failed = counted(drill, "failed")

    async def is_ready() -> bool:
        return pod in await ready_pods(drill, "edge")

    async def is_out() -> bool:
        return not await is_ready()

    for _ in range(2):
        await drill.http.post(f"{admin}/healthcheck/fail")
        await eventually(is_out, within_s=3)
        await asyncio.sleep(1)
        await drill.http.post(f"{admin}/healthcheck/ok")
        await eventually(is_ready, within_s=3)
    await asyncio.sleep(0.6)
    assert counted(drill, "failed") == failed
    assert counted(drill, "cut") == dict.fromkeys(PROTOCOLS, 0)


async def test_a_shard_that_is_scaled_loses_streams_at_most(drill, eventually):
    failed = counted(drill, "failed")
    await scale(drill, eventually, "shard-a", 1)
    await scale(drill, eventually, "shard-a", 2)
    await asyncio.sleep(1)
    assert counted(drill, "failed") == failed
    short = ("http1", "http2")
    assert [counted(drill, "cut")[each] for each in short] == [0, 0]


async def test_a_shard_that_was_stopped_serves_nothing_half_when_it_starts(drill, eventually):
    seen = []
    stop = asyncio.Event()

    async def ask_on() -> None:
        while not stop.is_set():
            seen.append((await drill.ask("extra.example.com")).status_code)
            await asyncio.sleep(0.005)

    asking = asyncio.create_task(ask_on())
    await scale(drill, eventually, "shard-b", 0)
    await scale(drill, eventually, "shard-b", 1)
    await asyncio.sleep(0.3)
    stop.set()
    await asking
    changes = [code for before, code in zip([None, *seen], seen, strict=False) if before != code]
    assert changes == [200, 503, 200]


async def test_errors_begin_and_end_with_an_annotation(drill, eventually):
    async def statuses() -> set[int]:
        return {(await drill.ask("foo.example.com", "/products")).status_code for _ in range(5)}

    async def annotate(service: str, value: str | None) -> None:
        await drill.patch(DEPLOYMENT.format("foo", service), {"metadata": {"annotations": {RATIO: value}}})

    async def is_failing() -> bool:
        return await statuses() == {500}

    async def is_well() -> bool:
        return await statuses() == {200}

    await annotate("web", "1")
    await eventually(is_failing, within_s=1)
    await annotate("web", "a lot")
    await eventually(is_well, within_s=1)
    assert any("'a lot' is no number from 0 to 1" in line for line in drill.progress)
    await annotate("web", "1.0")
    await eventually(is_failing, within_s=1)
    await annotate("web", None)
    await eventually(is_well, within_s=1)
    failed = counted(drill, "failed")["grpc"]
    await annotate("grpc", "0.5")

    async def calls_fail() -> bool:
        return counted(drill, "failed")["grpc"] > failed + 5

    await eventually(calls_fail, within_s=5)
    await annotate("grpc", None)
