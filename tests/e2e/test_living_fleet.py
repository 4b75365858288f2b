"""The main job on real input: a console over real Envoys that carry real traffic."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from gwtui.adapters.envoy.reader import EnvoyReader
from gwtui.engine.clock import SystemClock
from gwtui.engine.governor import PERIOD_S
from gwtui.engine.scrape import DEADLINE_S
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.known import Unknown
from gwtui.ports import ProxyAddress
from gwtui.settings import Settings
from gwtui.wiring.session import start
from running import find_envoy

pytestmark = pytest.mark.e2e

JITTER = 1.2
"""A period may be this much longer."""


def eventually(claim: Callable[[], object], *, within_s: float = 20.0, every_s: float = 0.05) -> object:
    """Return the claim's first true result; fail when it does not come true in time."""
    deadline = time.monotonic() + within_s
    while True:
        result = claim()
        if result:
            return result
        assert time.monotonic() < deadline, f"did not come true within {within_s:.0f} s"
        time.sleep(every_s)


def admin(demo, pod: str, path: str) -> str:
    with urllib.request.urlopen(demo.ready["admin"][pod] + path, timeout=5) as answer:
        return answer.read().decode()


def edge_weights(demo, pod: str) -> dict[str, int]:
    """Weights of the shop route as one tier-1 Envoy has loaded them."""
    dump = json.loads(admin(demo, pod, "/config_dump?resource=dynamic_route_configs"))
    for config in dump["configs"]:
        for host in config["route_config"]["virtual_hosts"]:
            if "shop.example.com" in host["domains"]:
                clusters = host["routes"][0]["route"].get("weighted_clusters", {}).get("clusters", [])
                return {cluster["name"]: cluster.get("weight", 0) for cluster in clusters}
    return {}


def test_the_ready_line_names_everything_a_script_needs(demo):
    ready = demo.ready
    assert ready["scenario"] == "central-ingress"
    assert len(ready["admin"]) == 5
    assert {"foo.example.com", "bar.example.com", "extra.example.com", "shop.example.com"} <= set(
        ready["traffic"]["hosts"]
    )
    assert any("/infra/edge/" in f"/{name}/" for name in ready["entrypoints"])
    assert all(
        url.startswith("http://127.0.0.1:") for url in (*ready["entrypoints"].values(), *ready["admin"].values())
    )


def test_the_snapshot_lists_the_fleet(demo):
    document = demo.snapshot(settle_s=5)
    assert {(g["namespace"], g["name"], g["tier"]) for g in document["gateways"]} == {
        ("infra", "edge", 1),
        ("infra", "shard-a", 2),
        ("infra", "shard-b", 2),
    }
    assert len(document["proxies"]) == 5
    assert {p["state"] for p in document["proxies"]} == {"live"}
    assert [p["id"] for p in document["patterns"]] == ["sharded-central-ingress"]
    hops = {(h["from"], h["to"]): h for h in document["hops"] if h["to_kind"] == "gateway"}
    assert set(hops) == {("infra/edge", "infra/shard-a"), ("infra/edge", "infra/shard-b")}
    shop = [r["weight"] for h in hops.values() for r in h["routes"] if "shop.example.com" in r["hostnames"]]
    assert sorted(shop) == [10, 90]


def test_the_rates_are_those_of_the_load_generator(demo):
    before = demo.traffic()
    document = demo.snapshot(settle_s=8)
    after = demo.traffic()
    sent = sum(h["sent"] for h in after["hosts"].values()) - sum(h["sent"] for h in before["hosts"].values())
    expected = sent / (after["at_unix"] - before["at_unix"])
    edge = sum(p["rps"] for p in document["proxies"] if p["gateway"] == "infra/edge")
    shards = sum(p["rps"] for p in document["proxies"] if p["gateway"] != "infra/edge")
    assert edge == pytest.approx(expected, rel=0.10)
    assert shards == pytest.approx(expected, rel=0.10)


def test_kubectl_changes_a_weight_and_the_fleet_follows(demo):
    pods = [pod for pod in demo.ready["admin"] if pod.startswith("infra/edge-")]
    route = next(
        item["metadata"]
        for item in json.loads(demo.kubectl("get", "httproutes", "-n", "infra", "-o", "json"))["items"]
        if "shop.example.com" in item["spec"].get("hostnames", [])
    )
    assert sorted(edge_weights(demo, pods[0]).values()) == [10, 90]

    def patch(first: int, second: int) -> None:
        operations = [
            {"op": "replace", "path": f"/spec/rules/0/backendRefs/{i}/weight", "value": weight}
            for i, weight in enumerate((first, second))
        ]
        demo.kubectl("patch", "httproute", route["name"], "-n", "infra", "--type=json", "-p", json.dumps(operations))

    patch(50, 50)
    try:
        for pod in pods:
            eventually(lambda pod=pod: sorted(edge_weights(demo, pod).values()) == [50, 50], within_s=15.0)

        def shares() -> list[dict]:
            hops = demo.snapshot(settle_s=6)["hops"]
            return [
                r
                for h in hops
                if h["to_kind"] == "gateway"
                for r in h["routes"]
                if "shop.example.com" in r["hostnames"]
            ]

        shown = shares()
        assert [s["intended_share"] for s in shown] == [0.5, 0.5]
        assert all(s["observed_share"] == pytest.approx(0.5, abs=0.15) for s in shown)
    finally:
        patch(90, 10)
    for pod in pods:
        eventually(lambda pod=pod: sorted(edge_weights(demo, pod).values()) == [10, 90], within_s=15.0)


async def test_a_killed_proxy_fails_alone_and_comes_back(demo):
    pod = next(pod for pod in demo.ready["admin"] if pod.startswith("infra/shard-a-"))
    namespace, name = pod.split("/")
    victim = ProxyKey("playground", namespace, name)
    clock = SystemClock()
    session = start(Settings(kubeconfig=Path(demo.kubeconfig)), clock)
    await session.open()
    engine = asyncio.create_task(session.run())

    def states() -> dict[ProxyKey, ProxyState]:
        return {key: view.state for key, view in session.store.snapshot.proxies.items()}

    try:
        async with asyncio.timeout(20):
            while list(states().values()) != [ProxyState.LIVE] * 5:
                await asyncio.sleep(0.02)
        os.kill(find_envoy(demo, name), signal.SIGKILL)
        killed = clock.mono()
        async with asyncio.timeout(20):
            while states()[victim] is not ProxyState.FAILING:
                await asyncio.sleep(0.02)
        poll_s = PERIOD_S * JITTER + DEADLINE_S
        assert clock.mono() - killed < poll_s
        seen = session.store.snapshot.proxies[victim]
        assert isinstance(seen.current.rps, Unknown)
        assert seen.reason
        assert [state for key, state in states().items() if key != victim] == [ProxyState.LIVE] * 4
        async with asyncio.timeout(30):
            while states()[victim] is not ProxyState.LIVE:
                await asyncio.sleep(0.02)
    finally:
        engine.cancel()
        await asyncio.gather(engine, return_exceptions=True)
        await session.close()
    status = json.loads(demo.kubectl("get", "pod", name, "-n", namespace, "-o", "json"))["status"]
    assert status["containerStatuses"][0]["restartCount"] >= 1


async def test_the_numbers_come_by_port_forward_too(demo):
    """Where the pod proxy is refused, the loopback admin interface tells the same."""
    clock = SystemClock()
    session = start(Settings(kubeconfig=Path(demo.kubeconfig)), clock)
    await session.open()
    namespace, pod = next(pod for pod in demo.ready["admin"] if pod.startswith("infra/edge-")).split("/")
    address = ProxyAddress(ProxyKey("playground", namespace, pod), stats_port=9091)
    try:
        seen = []
        for way in session.reach.ways("playground"):
            state, sample, name = await EnvoyReader((way,), clock).sample(address, deadline_s=5)
            assert (state, name) == (ProxyState.LIVE, way.name)
            seen.append(sample)
    finally:
        await session.close()
    by_proxy, by_forward = seen
    assert by_forward.requests >= by_proxy.requests > 0
    assert set(by_forward.clusters) == set(by_proxy.clusters) == {"kube_infra_shard-a_8080", "kube_infra_shard-b_8080"}


def test_kubectl_forwards_a_port_to_the_real_admin_interface(demo):
    demo.kubectl("version", "--client")  # skips in words where kubectl is absent
    namespace, pod = next(iter(demo.ready["admin"])).split("/")
    command = ["kubectl", "--kubeconfig", demo.kubeconfig, "port-forward", "-n", namespace, f"pod/{pod}", ":19000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forwarding:
        try:
            assert forwarding.stdout is not None
            assert select.select([forwarding.stdout], [], [], 20)[0]
            port = forwarding.stdout.readline().split("127.0.0.1:")[1].split()[0]
            for path, wanted in (("/ready", "LIVE"), ("/server_info", '"version"')):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                    assert wanted in answer.read().decode()
        finally:
            forwarding.terminate()
