"""What goes wrong in the incident scenarios really goes wrong: asked of the real Envoys, not of our own code."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from cryptography import x509

from gwtui.playground.certificates import Certificate, secrets
from gwtui.playground.faults import Fault, Faults
from gwtui.playground.scenario import load_scenario, pattern_names, scenario_names
from gwtui.playground.translation.gateway import ProxyConfig
from running import Demo, start_demo, stop_demo

pytestmark = pytest.mark.e2e

PAGE = Path(__file__).parents[2] / "docs" / "playground.md"

WITHIN_S = 30.0
REJECTED = r"^http\.http\.rds\..*update_rejected$"


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Iterator[Demo]:
    demo = start_demo("--scenario", request.param, "--duration", "120")
    yield demo
    stop_demo(demo)


def ask(demo: Demo, pod: str, path: str) -> Any:
    with urllib.request.urlopen(demo.ready["admin"][pod] + path, timeout=5) as answer:
        return json.loads(answer.read())


def edges(demo: Demo) -> list[str]:
    return sorted(pod for pod in demo.ready["admin"] if pod.startswith("infra/edge-"))


def number(demo: Demo, pod: str, pattern: str) -> int:
    found = ask(demo, pod, f"/stats?format=json&filter={pattern}")["stats"]
    return sum(stat.get("value", 0) for stat in found if isinstance(stat.get("value", 0), int))


def routes(demo: Demo, pod: str) -> dict[str, Any]:
    dump = ask(demo, pod, "/config_dump?resource=dynamic_route_configs")
    return {each["route_config"]["name"]: each["route_config"] for each in dump["configs"]}


def until(holds: Any) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("running", ["rejected-route"], indirect=True)
def test_one_proxy_refuses_its_routes_and_goes_on_with_the_old_ones(running: Demo):
    hit, other = edges(running)
    kept = routes(running, hit)
    assert {"listener~8080"} == kept.keys()
    until(lambda: number(running, hit, REJECTED) > 0)
    assert number(running, other, REJECTED) == 0
    assert routes(running, hit) == routes(running, other) == kept
    reason = "Only a single wildcard domain is permitted"
    assert reason in Path(running.ready["state"], "logs", f"{hit}.log").read_text()
    served = number(running, hit, "^http.http.downstream_rq_2xx$")
    until(lambda: number(running, hit, "^http.http.downstream_rq_2xx$") > served + 50)
    before = running.traffic()["hosts"]["foo.example.com"]["ok"]
    until(lambda: running.traffic()["hosts"]["foo.example.com"]["ok"] > before + 50)
    assert all(counts["failed"] == 0 for counts in running.traffic()["hosts"].values())


@pytest.mark.parametrize("running", ["diverged-replica"], indirect=True)
def test_one_proxy_misses_the_last_change(running: Demo):
    current, frozen = edges(running)
    until(lambda: routes(running, current) != routes(running, frozen))
    weights = [
        [
            cluster["weight"]
            for host in config["virtual_hosts"]
            for route in host["routes"]
            for cluster in route.get("route", {}).get("weighted_clusters", {}).get("clusters", ())
        ]
        for pod in (current, frozen)
        for config in routes(running, pod).values()
    ]
    assert weights == [[50, 50], [90, 10]]
    # Nothing was refused and nothing failed: the update never arrived.
    assert number(running, frozen, REJECTED) == 0
    successes = [number(running, pod, r"^http\.http\.rds\..*update_success$") for pod in (current, frozen)]
    assert successes[0] > successes[1] > 0


@pytest.mark.parametrize("running", ["expired-certificate"], indirect=True)
def test_an_expired_certificate_is_served_all_the_same(running: Demo):
    held = ask(running, edges(running)[0], "/certs")["certificates"]
    ends = {
        chain["subject_alt_names"][0]["dns"]: datetime.fromisoformat(chain["expiration_time"]) for chain in leaves(held)
    }
    now = datetime.now(UTC)
    assert ends["foo.example.com"] < now
    assert timedelta(days=5) < ends["bar.example.com"] - now < timedelta(days=7)
    days = {chain["subject_alt_names"][0]["dns"]: chain["days_until_expiration"] for chain in leaves(held)}
    assert days == {"foo.example.com": "0", "bar.example.com": "6"}
    for host, name in (("foo.example.com", "https-foo"), ("bar.example.com", "https-bar")):
        served = shown_to_clients(running.ready["entrypoints"][f"playground/infra/edge/{name}"], host)
        assert served == ends[host]
    until(lambda: all(counts["ok"] > 50 for counts in running.traffic()["hosts"].values()))
    assert all(counts["failed"] == 0 for counts in running.traffic()["hosts"].values())


def leaves(held: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The certificates of `/certs` that name a host; the authority's does not."""
    return [chain for one in held for chain in one["cert_chain"] if chain.get("subject_alt_names")]


def shown_to_clients(url: str, host: str) -> datetime:
    """When the certificate expires that a client is shown who does not verify it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    place = urlsplit(url)
    assert place.scheme == "https"
    with (
        socket.create_connection((place.hostname, place.port), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname=host) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).not_valid_after_utc


@pytest.mark.parametrize("running", ["bad-backend"], indirect=True)
def test_a_backend_fails_as_often_as_it_is_told_to(running: Demo):
    until(lambda: running.traffic()["hosts"]["extra.example.com"]["sent"] > 300)
    counts = running.traffic()["hosts"]["extra.example.com"]
    # 15 of 300 on average: one or none comes about once in 200 000 runs.
    assert 0.005 < counts["status"]["500"] / counts["sent"] < 0.12
    assert counts["failed"] == counts["status"]["500"]
    assert sum(path["status"].get("500", 0) for path in counts["paths"].values()) <= counts["status"]["500"]
    answered = sum(path["ok"] + path["failed"] for path in counts["paths"].values())
    assert counts["latency_ms"][-1][1] == answered  # errors were answers too
    assert running.traffic()["hosts"]["foo.example.com"]["failed"] == 0


@pytest.mark.parametrize("running", ["central-ingress"], indirect=True)
def test_the_ready_line_names_where_prometheus_scrapes_and_the_counts_are_there(running: Demo):
    assert all("latency_ms" in host and host["paths"] for host in running.traffic()["hosts"].values())
    assert running.ready["stats"].keys() == running.ready["admin"].keys()
    for base in running.ready["stats"].values():
        with urllib.request.urlopen(base + "/metrics", timeout=5) as answer:
            assert b"envoy_server_uptime" in answer.read()


def config(name: str) -> ProxyConfig:
    return ProxyConfig(listeners={}, routes={name: {"name": name, "virtualHosts": []}}, clusters={}, endpoints={})


async def test_a_fault_hits_its_own_proxy_once_its_time_has_come():
    begun: list[Fault] = []
    later = Fault(kind="frozen", gateway="infra/edge", proxy=0, after_s=3600)
    fault = Fault(kind="frozen", gateway="infra/edge", proxy=1)
    faults = Faults([fault, later], begun.append)
    old, new = config("old"), config("new")
    assert faults.sent("infra/edge", ["a", "c"], old) == {"a": old, "c": old}
    faults.start()
    while not begun:
        await asyncio.sleep(0)
    faults.stop()
    assert begun == [fault]
    assert faults.sent("infra/edge", ["a", "c"], new) == {"a": new, "c": old}
    assert faults.sent("infra/shard-a", ["a", "c"], new) == {"a": new, "c": new}


async def test_a_fault_stays_with_its_proxy_and_goes_with_it():
    faults = Faults([], lambda _: None)
    old, new = config("old"), config("new")
    faults.sent("infra/edge", ["a", "c"], old)
    faults.begin(Fault(kind="frozen", gateway="infra/edge", proxy=1))
    assert faults.sent("infra/edge", ["a", "c"], new) == {"a": new, "c": old}
    assert faults.sent("infra/edge", ["a", "b", "c"], new) == {"a": new, "b": new, "c": old}
    assert faults.sent("infra/edge", ["a", "b"], new) == {"a": new, "b": new}


async def test_a_fault_of_all_proxies_hits_later_ones_too():
    faults = Faults([], lambda _: None)
    faults.begin(Fault(kind="refused-routes", gateway="infra/edge"))
    for pods in (["a", "b"], ["a", "b", "c"]):
        for reached in faults.sent("infra/edge", pods, config("old")).values():
            (routes,) = reached.routes.values()
            assert [host["domains"] for host in routes["virtualHosts"]] == [["*"], ["*"]]


def test_a_fault_of_an_unknown_kind_is_a_mistake():
    with pytest.raises(msgspec.ValidationError, match="kind"):
        msgspec.convert({"kind": "frozne", "gateway": "infra/edge"}, Fault)


@pytest.mark.parametrize("name", sorted({name for name, _ in scenario_names()} - set(pattern_names())))
def test_an_incident_names_what_exists(name: str):
    scenario = load_scenario(name)
    objects = {
        (each["kind"], f"{each['metadata'].get('namespace')}/{each['metadata']['name']}"): each
        for each in scenario.objects
    }
    for fault in scenario.faults:
        if fault.kind == "weights":
            refs = objects["HTTPRoute", fault.route]["spec"]["rules"][0]["backendRefs"]
            assert [ref["weight"] for ref in refs] != list(fault.weights)
            assert len(refs) == len(fault.weights)
        else:
            assert ("Gateway", fault.gateway) in objects
    used = [
        f"{gateway['metadata']['namespace']}/{ref['name']}"
        for (kind, _), gateway in objects.items()
        if kind == "Gateway"
        for listener in gateway["spec"]["listeners"]
        for ref in listener.get("tls", {}).get("certificateRefs", ())
    ]
    assert sorted(used) == sorted(f"{each.namespace}/{each.secret}" for each in scenario.certificates)


@pytest.mark.parametrize(("name", "_"), scenario_names())
def test_every_scenario_is_documented(name: str, _: str):
    assert f"| `{name}` |" in PAGE.read_text(encoding="utf-8")


def test_an_incident_says_only_what_differs_from_what_it_is_based_on():
    base, incident = load_scenario("central-ingress"), load_scenario("diverged-replica")
    assert (incident.workloads, incident.objects) == (base.workloads, base.objects)
    assert incident.description != base.description
    failing = {(each.namespace, each.service): each for each in load_scenario("bad-backend").workloads}
    sound = {(each.namespace, each.service): each for each in base.workloads}
    assert failing.pop(("extra", "web")) == msgspec.structs.replace(sound.pop(("extra", "web")), error_ratio=0.05)
    assert failing == sound
    assert "rejected-route" in dict(scenario_names())


def test_certificates_are_dated_from_now():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    wanted = Certificate(
        namespace="infra", secret="tls", hosts=("a.example.com",), valid_from_days=-10, valid_to_days=-1
    )
    (secret,) = secrets([wanted], now)
    assert secret["metadata"] == {"name": "tls", "namespace": "infra"}
    assert set(secret["data"]) == {"tls.crt", "tls.key"}
    made = x509.load_pem_x509_certificate(base64.b64decode(secret["data"]["tls.crt"]))
    assert (made.not_valid_before_utc, made.not_valid_after_utc) == (now - timedelta(days=10), now - timedelta(days=1))
    assert secrets([], now) == []
