"""The console itself against both servers: what it shows, what it refuses, and how it ends.

Nothing plays the controller or runs the pod: claims stay pending and figures unknown, each with its reason.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
import yaml

from gwtui.errors import Exit
from terminal import Terminal

QUICKLY = ("--settle", "0")
COMPARED = pytest.mark.skipif(
    "GWTUI_CONTRACT_KUBECONFIG" not in os.environ,
    reason="the console is held against both servers by `make test-apiserver`; tests/e2e has it on the embedded one",
)
"""For the slow ones."""
FOO = "/apis/gateway.networking.k8s.io/v1/namespaces/foo"


@pytest.fixture
async def fleet(api, gateways, put, make) -> AsyncIterator[SimpleNamespace]:
    """A Gateway with one pod that no node runs, a route with two backends, in the namespace of the team."""
    mark = uuid.uuid4().hex[:6]
    edge, shop, pod = f"edge-{mark}", f"shop-{mark}", f"edge-{mark}-1"
    classes = "/apis/gateway.networking.k8s.io/v1/gatewayclasses"
    kind = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": mark}}
    await put(classes, kind | {"spec": {"controllerName": "kgateway.dev/kgateway"}})
    gateway = make.gateway(edge)
    gateway["spec"]["gatewayClassName"] = mark
    await put(f"{FOO}/gateways", gateway)
    services = [f"{color}-{mark}" for color in ("blue", "green")]
    for name in services:
        await put("/api/v1/namespaces/foo/services", make.service(name))
    route = make.route(shop)
    route["spec"] |= {
        "parentRefs": [{"name": edge}],
        "rules": [
            {
                "backendRefs": [
                    {"name": name, "port": 80, "weight": weight}
                    for name, weight in zip(services, (90, 10), strict=True)
                ]
            }
        ],
    }
    await put(f"{FOO}/httproutes", route)
    labels = {"gateway.networking.k8s.io/gateway-name": edge}
    await put("/api/v1/namespaces/foo/pods", make.pod(pod, labels=labels))
    yield SimpleNamespace(edge=f"foo/{edge}", shop=f"foo/{shop}", pod=f"foo/{pod}", services=services)
    for path in (
        f"{FOO}/httproutes/{shop}",
        f"{FOO}/gateways/{edge}",
        f"{classes}/{mark}",
        f"/api/v1/namespaces/foo/pods/{pod}",
        *(f"/api/v1/namespaces/foo/services/{name}" for name in services),
    ):
        code, body, _ = await api.call("DELETE", path)
        assert code == 200, body


@pytest.fixture
def gwtui(server, tmp_path, monkeypatch):
    """Run a command of gwtui; returns exit code, stdout and stderr."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    async def run(*arguments: str, kubeconfig=server.kubeconfig) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gwtui", *arguments, *(("--kubeconfig", str(kubeconfig)) if kubeconfig else ())),
            env=dict(os.environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(100):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        assert "Traceback" not in err.decode()
        return process.returncode, out.decode(), err.decode()

    return run


def named(each: dict) -> str:
    """Namespace and name of a part of a document."""
    return f"{each['namespace']}/{each['name']}"


def weights(fleet, *values: int) -> list[str]:
    return [f"{name}={weight}" for name, weight in zip(fleet.services, values, strict=True)]


async def stored_weights(api, fleet) -> list[int]:
    route = await api.get(f"{FOO}/httproutes/{fleet.shop.partition('/')[2]}")
    return [ref["weight"] for ref in route["spec"]["rules"][0]["backendRefs"]]


@COMPARED
async def test_it_shows_the_objects_and_says_what_is_not_known(gwtui, fleet, server) -> None:
    seen, drawn, probed = await asyncio.gather(
        gwtui("snapshot", "-o", "json", *QUICKLY, "-n", "foo"),
        gwtui("map", "-o", "json", *QUICKLY, "-n", "foo"),
        gwtui("doctor", "-o", "json", "-n", "foo"),
    )
    code, out, err = seen
    document = json.loads(out)
    assert code == Exit.FINDINGS
    assert all(line.startswith("gwtui: ") for line in err.splitlines())
    gateway = next(each for each in document["gateways"] if named(each) == fleet.edge)
    assert f"proxy {fleet.pod}" in err
    assert gateway["rps"] is None
    assert gateway["unknown"]["rps"]
    proxy = next(each for each in document["proxies"] if named(each) == fleet.pod)
    assert proxy["rps"] is None
    assert proxy["reason"]
    route = next(each for each in document["routes"] if named(each) == fleet.shop)
    assert [backend["weight"] for backend in route["rules"][0]["backends"]] == [90, 10]
    assert all(backend["observed_share"] is None for backend in route["rules"][0]["backends"])
    (cluster,) = json.loads(drawn[1])["clusters"]
    assert (drawn[0], cluster["name"], cluster["state"]) == (Exit.FINDINGS, server.context, "ready")
    cards = [named(each) for tier in cluster["tiers"] for each in tier["gateways"]]
    assert fleet.edge in cards
    checks = {check["subject"]: check["verdict"] for check in json.loads(probed[1])["checks"]}
    assert checks["identity"] == checks["api"] == checks["gateways.gateway.networking.k8s.io@foo"] == "ok"
    assert checks["right pods/proxy in foo"] == checks["right pods/portforward in foo"] == "ok"


@COMPARED
async def test_a_dry_run_asks_the_server_and_writes_nothing(gwtui, fleet, api) -> None:
    code, out, err = await gwtui("route", "weight", fleet.shop, *weights(fleet, 50, 50), "--dry-run", "-o", "json")
    assert code == Exit.OK, err
    plan = json.loads(out)
    assert plan["verdict"] is None
    assert [(each["before"], each["after"]) for each in plan["diff"]] == [(90, 50), (10, 50)]
    assert plan["checked"]
    assert await stored_weights(api, fleet) == [90, 10]


@COMPARED
async def test_a_reader_sees_everything_and_is_told_what_to_grant(gwtui, fleet, server, api) -> None:
    as_reader = ("--context", f"{server.context}-readonly")
    seen, probed, written = await asyncio.gather(
        gwtui("snapshot", "-o", "json", *QUICKLY, "-n", "foo", *as_reader),
        gwtui("doctor", "-o", "json", "-n", "foo", *as_reader),
        gwtui("route", "weight", fleet.shop, *weights(fleet, 70, 30), "--yes", *as_reader),
    )
    code, out, err = seen
    assert code == Exit.FINDINGS
    proxy = next(each for each in json.loads(out)["proxies"] if named(each) == fleet.pod)
    assert proxy["state"] == "forbidden"
    assert "grant get and create on pods/portforward in namespace foo" in proxy["hint"]
    assert "pods/portforward" in err
    checks = {check["subject"]: check for check in json.loads(probed[1])["checks"]}
    assert checks["right pods/proxy in foo"]["verdict"] == "ok"
    refused = checks["right pods/portforward in foo"]
    assert (refused["verdict"], refused["hint"]) == ("refused", "grant create on pods/portforward in namespace foo")
    code, _, err = written
    assert code == Exit.REFUSED
    assert "grant patch on httproutes.gateway.networking.k8s.io in namespace foo" in err
    assert await stored_weights(api, fleet) == [90, 10]


async def test_a_team_sees_its_namespaces_and_is_refused_others(gwtui, fleet, server) -> None:
    as_team = ("--context", f"{server.context}-team")
    own, others = await asyncio.gather(
        gwtui("snapshot", "-o", "json", *QUICKLY, "-n", "foo", *as_team),
        gwtui("snapshot", "-o", "json", *QUICKLY, "-n", "default", *as_team),
    )
    code, out, err = own
    assert code == Exit.FINDINGS
    document = json.loads(out)
    assert fleet.edge in [named(each) for each in document["gateways"]]
    states = {source["source"]: source for source in document["sources"]}
    assert states["namespaces"]["state"] == "forbidden"
    assert "grant list on namespaces cluster-wide" in err
    code, out, err = others
    assert (code, out) == (Exit.REFUSED, "")
    (line,) = err.splitlines()
    assert 'cannot list resource "gateways"' in line
    assert line.endswith("grant list on gateways.gateway.networking.k8s.io in namespace default")


async def test_it_acts_as_somebody_else_and_is_turned_away_without_credentials(gwtui, fleet, server, tmp_path) -> None:
    config = yaml.safe_load(server.kubeconfig.read_text())
    for entry in config["users"]:
        entry["user"]["token"] = "wrong"
    broken = tmp_path / "broken"
    broken.write_text(yaml.safe_dump(config))
    nobody, reader, unknown = await asyncio.gather(
        gwtui("snapshot", *QUICKLY, "--as", "nobody"),
        gwtui("snapshot", "-o", "json", *QUICKLY, "-n", "foo", "--as", "x", "--as-group", "playground:viewers"),
        gwtui("snapshot", *QUICKLY, kubeconfig=broken),
    )
    assert nobody[:2] == (Exit.REFUSED, "")
    assert 'User "nobody" cannot list resource "gateways"' in nobody[2]
    assert reader[0] == Exit.FINDINGS
    assert fleet.edge in [named(each) for each in json.loads(reader[1])["gateways"]]
    assert unknown[:2] == (Exit.REFUSED, "")
    assert "the credentials were not accepted (401)" in unknown[2]


@COMPARED
async def test_the_screens_show_the_objects(fleet, server, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    edge, shop, pod = (name.partition("/")[2] for name in (fleet.edge, fleet.shop, fleet.pod))

    def look() -> None:
        with Terminal("--kubeconfig", str(server.kubeconfig), "-n", "foo") as terminal:
            terminal.until(edge)
            terminal.press("2")
            terminal.until(pod)
            terminal.press("3")
            terminal.until(shop, "90", "10")
            terminal.press("Q")
            assert terminal.ended() == Exit.OK

    await asyncio.to_thread(look)


@COMPARED
async def test_a_change_is_written_not_verified_and_taken_back(gwtui, fleet, server, api) -> None:
    code, out, _ = await gwtui("route", "weight", fleet.shop, *weights(fleet, 50, 50), "--yes", "-o", "json")
    assert code == Exit.UNVERIFIED
    change = json.loads(out)
    assert change["verdict"] == "unverified"
    told = {truth["truth"]: truth["is_met"] for truth in change["steps"][0]["truths"]}
    assert told == {"stored": True, "programmed": None, "loaded": None, "observed": None}
    assert await stored_weights(api, fleet) == [50, 50]
    code, out, _ = await gwtui("changes", "-o", "json", kubeconfig=None)
    assert (code, [each["id"] for each in json.loads(out)]) == (Exit.OK, [change["id"]])
    code, out, _ = await gwtui("undo", change["id"], "--yes", "-o", "json")
    assert (code, json.loads(out)["undoes"]) == (Exit.UNVERIFIED, change["id"])
    assert await stored_weights(api, fleet) == [90, 10]
