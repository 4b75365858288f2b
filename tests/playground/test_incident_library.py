"""Every incident of the library is well-formed, begins on its fleet, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gwtui.errors import UsageError
from gwtui.playground import installed
from gwtui.playground.api.kinds import BY_RESOURCE
from gwtui.playground.api.store import Store
from gwtui.playground.certificates import secrets
from gwtui.playground.faults import Faults
from gwtui.playground.incident import (
    ANNOTATION,
    Happening,
    Incident,
    Incidents,
    incident_wish,
    incidents,
    load_incident,
    wish,
)
from gwtui.playground.scenario import load_scenario
from gwtui.playground.status import gateway_status
from gwtui.playground.translation.attachment import attachments
from gwtui.playground.translation.gateway import ProxyConfig, translate
from gwtui.playground.translation.policies import protection
from gwtui.playground.wishes import Wishes
from gwtui.playground.world import DEPLOYMENTS, GATEWAYS, World
from gwtui.triage.registry import RULES

PAGE = Path(__file__).parents[2] / "docs" / "playground.md"
NOW = datetime(2026, 11, 26, tzinfo=UTC)
EVERY = pytest.mark.parametrize("incident", incidents(), ids=lambda each: each.name)


def store_of(scenario: str) -> Store:
    """The objects of a scenario, its workloads' Deployments included; nothing runs."""
    store, found = Store(), load_scenario(scenario)
    installed.install(store, (*found.objects, *secrets(found.certificates, NOW)), NOW)
    for each in found.workloads:
        labels = {"app": each.service}
        pods = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "echo", "image": "echo"}]}}
        spec = {"replicas": each.replicas, "selector": {"matchLabels": labels}, "template": pods}
        about = {"name": each.service, "namespace": each.namespace}
        store.put({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": spec})
    return store


def said(store: Store) -> dict[tuple[str, str, str], Any]:
    """What every object says, without the server's books."""
    found = {}
    for resource in BY_RESOURCE:
        for each in store.scan(resource):
            metadata = each["metadata"]
            own = {name: metadata.get(name) or {} for name in ("labels", "annotations")}
            rest = {name: part for name, part in each.items() if name not in {"metadata", "status"}}
            found[resource, metadata.get("namespace", ""), metadata["name"]] = {**own, **rest}
    return found


def test_there_are_at_least_twenty_of_many_kinds():
    assert len(incidents()) >= 20
    assert len({each.cause for each in incidents()}) >= 16


@EVERY
def test_its_cause_is_a_rule_of_triage(incident: Incident):
    assert incident.cause in {rule.id for rule in RULES}
    assert incident.names
    assert incident.title
    assert incident.signal


@EVERY
def test_it_is_documented(incident: Incident):
    row = f"| `{incident.name}` | {incident.title} | {incident.signal} | `{incident.cause}` |"
    assert row in PAGE.read_text(encoding="utf-8")


@EVERY
def test_it_changes_something_and_leaves_nothing_behind(incident: Incident):
    store = store_of(incident.scenario)
    before = said(store)
    happening = Happening(store, incident)
    happening.begin()
    assert said(store) != before
    happening.end()
    assert said(store) == before


def test_what_is_no_incident_says_which_there_are():
    with pytest.raises(UsageError, match="no incident named 'nonsense'") as caught:
        load_incident("nonsense")
    assert caught.value.hint.startswith("choose one of all-weights-zero, ")
    with pytest.raises(UsageError, match="'soon' is no number of seconds"):
        incident_wish("failing-backend@soon")
    assert incident_wish("failing-backend@3") == ("failing-backend", 3.0)


async def test_it_happens_for_as_long_as_the_node_says_so():
    store, told = store_of("central-ingress"), []
    following = Incidents(store, told.append)
    before = said(store)
    wish(store, "lone-weight-zero")
    following._look()
    route = store.find("httproutes.gateway.networking.k8s.io", "infra", "extra")
    assert route["spec"]["rules"][0]["backendRefs"][0]["weight"] == 0
    wish(store, "")
    following._look()
    after = said(store)
    node = after["nodes", "", "playground"]
    assert node["annotations"].pop(ANNOTATION) == ""
    assert after == before
    wish(store, "nonsense")
    following._look()
    assert "no incident named" in told[-1]


def test_annotations_of_a_gateway_ask_for_faults_of_its_proxies():
    faults = Faults((), lambda _: None)
    gateway = {"metadata": {"namespace": "infra", "name": "edge", "annotations": {}}}
    first, second = (ProxyConfig({}, {"r": {"name": name}}, {}, {}) for name in ("first", "second"))
    pods = ["a", "b"]
    faults.wished([gateway])
    assert faults.sent("infra/edge", pods, first) == {"a": first, "b": first}
    gateway["metadata"]["annotations"] = {"playground.gwtui.dev/frozen": "1", "playground.gwtui.dev/hung": "all"}
    faults.wished([gateway])
    assert faults.sent("infra/edge", pods, second) == {"a": second, "b": first}
    assert faults.hung("infra/edge", pods) == {"a", "b"}
    gateway["metadata"]["annotations"] = {"playground.gwtui.dev/frozen": "nonsense"}
    faults.wished([gateway])
    assert faults.sent("infra/edge", pods, second) == {"a": second, "b": second}
    assert faults.hung("infra/edge", pods) == set()


def test_a_policy_protects_the_cluster_of_its_service():
    spec = {
        "targetRefs": [{"group": "", "kind": "Service", "name": "web"}],
        "connectTimeout": "2s",
        "circuitBreakers": {"maxRequests": 1, "trackRemaining": True},
        "outlierDetection": {"consecutive5xx": 3, "interval": "500ms"},
    }
    policy = {"metadata": {"namespace": "bar", "name": "tight"}, "spec": spec}
    world = World({"backendconfigpolicies.gateway.kgateway.dev": [policy]})
    assert protection(world, "bar", "web") == {
        "connectTimeout": "2s",
        "circuitBreakers": {"thresholds": [{"maxRequests": 1}]},
        "outlierDetection": {"consecutive5xx": 3, "interval": "0.5s"},
    }
    assert protection(world, "bar", "api") == protection(world, "foo", "web") == {}


def test_what_its_objects_are_is_there_before():
    """A patch of what is not there would pass in silence."""
    for incident in incidents():
        store = store_of(incident.scenario)
        for each in (*incident.patch, *incident.delete):
            namespace, _, name = each.name.rpartition("/")
            assert store.find(each.resource, namespace, name) is not None, (incident.name, each.name)
    assert {DEPLOYMENTS, GATEWAYS} <= {each.resource for incident in incidents() for each in incident.patch}


def test_one_pod_alone_may_misbehave():
    store = store_of("simple-ingress")
    workload = next(each for each in load_scenario("simple-ingress").workloads if each.service == "api")
    told: list[str] = []
    wishes = Wishes(store, told.append)
    name = {"namespace": "foo", "service": "api"}
    assert wishes._of_workload(workload) == (name, {})
    happening = Happening(store, load_incident("nervous-ejection"))
    happening.begin()
    assert wishes._of_workload(workload) == (name, {"error_ratio": 0.1, "only": 0})
    happening.end()
    assert wishes._of_workload(workload) == (name, {})
    assert told == []


async def test_the_other_pod_of_a_workload_goes_on():
    pods = [
        {"namespace": "foo", "service": "api", "pod": f"api-{n}", "latency_ms": 0, "jitter_ms": 0, "error_ratio": 0}
        for n in (0, 1)
    ]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gwtui.playground.backends", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )

    async def ask(order: dict[str, Any]) -> dict[str, Any]:
        child.stdin.write(json.dumps(order).encode() + b"\n")
        return json.loads(await asyncio.wait_for(child.stdout.readline(), 20))

    async def connects(port: int) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return False
        writer.close()
        return True

    try:
        ports = await ask({"pods": pods})
        name = {"namespace": "foo", "service": "api"}
        assert await ask({**name, "refuses": True, "only": 1}) == {}
        assert [await connects(ports[f"foo/api-{n}"]) for n in (0, 1)] == [True, False]
        assert await ask(name) == {}
        assert [await connects(ports[f"foo/api-{n}"]) for n in (0, 1)] == [True, True]
    finally:
        child.stdin.close()
        await asyncio.wait_for(child.wait(), 20)


def test_a_port_speaks_the_protocol_of_its_first_listener():
    store = store_of("sharded")
    Happening(store, load_incident("port-conflict")).begin()
    world = World.read(store)
    gateway = world.get(GATEWAYS, "infra", "shard-b")
    attached = attachments(world)
    found = gateway_status(world, gateway, attached, ["127.0.0.1"], "2026-11-26T00:00:00Z")
    said = {
        listener["name"]: {each["type"]: (each["status"], each["reason"]) for each in listener["conditions"]}
        for listener in found["listeners"]
    }
    assert said["http"]["Conflicted"] == ("False", "NoConflicts")
    assert said["https"] == {
        "Accepted": ("False", "ProtocolConflict"),
        "Conflicted": ("True", "ProtocolConflict"),
        "ResolvedRefs": ("True", "ResolvedRefs"),
        "Programmed": ("False", "ProtocolConflict"),
    }
    (chain,) = translate(world, gateway, attached, {}).listeners["listener~8080"]["filterChains"]
    assert "transportSocket" not in chain
