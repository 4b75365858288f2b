"""What the control plane tells of refused configuration is what the real Envoys refuse."""

from __future__ import annotations

import re

import pytest
import pytest_asyncio

from gwtui.playground.controller_metrics import page
from gwtui.playground.fleet.refusals import QUERY, Subscription, refused_types

LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
ENDPOINTS = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
ROLE = "kgateway-kube-gateway-api~infra~edge"


@pytest_asyncio.fixture
async def refusing(start_playground):
    running = await start_playground("rejected-route", traffic=False)
    yield running
    await running.close()


async def series(running) -> list[str]:
    found = (await running.get("/api/v1/namespaces/kgateway-system/pods?labelSelector=kgateway=kgateway"))["items"]
    (pod,) = (each["metadata"] for each in found)
    port = pod["annotations"]["prometheus.io/port"]
    answer = await running.api.get(f"/api/v1/namespaces/{pod['namespace']}/pods/{pod['name']}:{port}/proxy/metrics")
    assert answer.status_code == 200
    assert answer.text.startswith("# HELP kgateway_envoy_xds_rejects_active ")
    return [line for line in answer.text.splitlines() if not line.startswith("#")]


async def refusing_pods(running) -> list[str]:
    """The proxies that have refused something, asked of themselves."""
    found = []
    for pod in await running.pods("edge"):
        name = pod["metadata"]["name"]
        stats = f"/api/v1/namespaces/infra/pods/{name}:9091/proxy{QUERY}"
        answer = await running.api.get(stats)
        if answer.status_code == 200 and any(
            each["value"] for each in answer.json()["stats"] if each["name"].endswith("update_rejected")
        ):
            found.append(name)
    return found


@pytest.mark.e2e
async def test_the_control_plane_counts_a_refusing_proxy_until_it_is_gone(refusing, eventually):
    def counted(number: int) -> list[str]:
        labels = f'gateway_name="edge",gateway_namespace="infra",type_url="{ROUTES}"'
        return [f"kgateway_envoy_xds_rejects_active{{{labels}}} {number}"]

    async def is_refused() -> bool:
        return await series(refusing) == counted(1)

    async def is_well() -> bool:
        return await series(refusing) == counted(0)

    await eventually(is_refused, within_s=30)
    (hit,) = await refusing_pods(refusing)
    answer = await refusing.api.delete(f"/api/v1/namespaces/infra/pods/{hit}")
    assert answer.status_code == 200
    await eventually(is_well, within_s=30)


@pytest.mark.parametrize(
    ("prefix", "asked", "refused"),
    [
        ("listener_manager.lds", ("lds", "lds"), LISTENER),
        ("cluster_manager.cds", ("cds", "cds"), CLUSTER),
        ("http.http.rds.listener~8443.foo", ("rds", "listener~8443.foo"), ROUTES),
        ("cluster.kube_foo_web_80", ("eds", "kube_foo_web_80"), ENDPOINTS),
    ],
)
def test_refused_is_what_was_refused_and_not_replaced_since(prefix, asked, refused):
    def sent(subscription: Subscription) -> str:
        assert subscription == asked
        return "new"

    def having(rejected: int, version: str) -> frozenset[str]:
        said = [
            {"name": f"{prefix}.update_rejected", "value": rejected},
            {"name": f"{prefix}.version_text", "value": version},
        ]
        return refused_types(said, sent)

    assert having(1, "old") == {refused}
    assert having(1, "") == {refused}  # after a restart it has nothing
    assert having(1, "new") == frozenset()  # it took a later one
    assert having(0, "old") == frozenset()  # it is about to read it


def test_other_counters_of_that_ending_are_no_subscription():
    other = [{"name": "runtime.update_rejected", "value": 3}, {"name": "sds.foo.update_rejected", "value": 1}]
    assert refused_types(other, lambda _: "new") == frozenset()


def test_a_series_begins_with_the_first_refusal():
    assert all(line.startswith(b"#") for line in page({}).splitlines())
    lines = page({(ROLE, ROUTES): 2, (ROLE, LISTENER): 0}).decode().splitlines()
    assert [re.sub(r".*\.v3\.", "", line) for line in lines if not line.startswith("#")] == [
        'Listener"} 0',
        'RouteConfiguration"} 2',
    ]
