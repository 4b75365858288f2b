"""Drains on the living fleet, under clients of every protocol: nothing fails, whatever happens in between."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from api_server import ApiServer, content
from running import Demo

pytestmark = pytest.mark.e2e

GWTUI = (sys.executable, "-m", "gwtui")
SHARD, TAKER = "infra/shard-a", "infra/shard-b"
DRAIN = ("drain", SHARD, "--to", TAKER, "--above-peak", "--ramp", "50", "--bake", "1s", "--deadline", "60")
ROUTES = (("infra", "foo"), ("infra", "bar"), ("infra", "shop"), ("infra", "grpc"), ("foo", "web"), ("bar", "web"))
PARAMETERS = "/apis/gateway.kgateway.dev/v1alpha1/namespaces/infra/gatewayparameters/shard-a"
DEPLOYMENT = "/apis/apps/v1/namespaces/infra/deployments/shard-a"
BROKEN = "/apis/apps/v1/namespaces/extra/deployments/web"
ERROR_RATIO = "playground.gwtui.dev/error-ratio"
COMMAND_S = 180


@pytest.fixture(autouse=True)
def own_journal(tmp_path, monkeypatch) -> None:
    """A journal of this test alone, in this process and in those it starts."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.fixture
def server(drill: Demo) -> Iterator[ApiServer]:
    """The API server; the routes are put back as they were, whatever a test did."""
    found = ApiServer(drill.kubeconfig)
    before = {name: found.route(*name)["spec"] for name in ROUTES}
    yield found
    for name, spec in before.items():
        if found.route(*name)["spec"] != spec:
            found.patch_route(*name, [{"op": "replace", "path": "/spec", "value": spec}])
    found.close()


def contents(server: ApiServer) -> dict[tuple[str, str], Any]:
    """What the routes say."""
    return {name: content(server.route(*name)) for name in ROUTES}


def counted(demo: Demo) -> dict[str, int]:
    """Failed requests and cut streams so far, by protocol; requests that went well under `ok`."""
    found = {"ok": 0}
    for host in demo.traffic()["hosts"].values():
        for protocol, each in host["protocols"].items():
            found["ok"] += each["ok"]
            found[protocol] = found.get(protocol, 0) + each["failed"] + each["cut"]
    return found


def assert_nothing_failed(before: dict[str, int], after: dict[str, int]) -> None:
    """Nothing failed in between, of anything, and clients went on."""
    assert after["ok"] > before["ok"] + 100
    assert {name: after[name] - before[name] for name in after if name != "ok"} == dict.fromkeys(
        (name for name in after if name != "ok"), 0
    )


def command(demo: Demo, *words: str) -> list[dict[str, Any]]:
    """Run one command and return its events."""
    done = demo.gwtui(*words, "--yes", "-o", "events", timeout=COMMAND_S)
    assert done.returncode == 0, done.stderr + done.stdout[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def weights(route: dict[str, Any]) -> list[int]:
    return [ref.get("weight", 1) for ref in route["spec"]["rules"][0]["backendRefs"]]


def scale(server: ApiServer, replicas: int) -> None:
    """Stop or start the Envoys of the shard, and wait until the cluster says so."""
    server.merge(PARAMETERS, {"spec": {"kube": {"deployment": {"replicas": replicas}}}})
    deadline = time.monotonic() + 60
    while True:
        status = server.get(DEPLOYMENT).get("status", {})
        if [status.get(name) or 0 for name in ("replicas", "readyReplicas")] == [replicas, replicas]:
            return
        assert time.monotonic() < deadline, status
        time.sleep(0.25)


def test_a_full_cycle_without_one_failed_request(drill, server):
    before, counted_before = contents(server), counted(drill)
    events = command(drill, *DRAIN)
    assert events[-1] == {**events[-1], "event": "ended", "verdict": "verified"}
    last = [each for each in events if each["event"] == "counted"][-1]
    assert [end["in_flight"] for end in last["ends"]] == [0, 0]
    assert last["zero_readings"] == 4
    assert [weights(server.route("infra", name)) for name in ("foo", "bar", "shop", "grpc")] == [[0, 100]] * 4
    assert {ref["name"] for ref in server.route("foo", "web")["spec"]["parentRefs"]} == {"shard-a", "shard-b"}
    scale(server, 0)
    scale(server, 2)
    undrained = command(drill, "undrain", SHARD)
    assert undrained[-1]["verdict"] == "verified"
    assert contents(server) == before
    time.sleep(2)
    assert_nothing_failed(counted_before, counted(drill))


@contextlib.contextmanager
def started(demo: Demo, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on while the test does something else."""
    with subprocess.Popen(
        [*GWTUI, "--kubeconfig", demo.kubeconfig, *words, "--yes", "-o", "events"], stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


def until(process: subprocess.Popen[str], event: str, stage: int) -> str:
    """Read on until something happens in a stage; returns the change."""
    assert process.stdout is not None
    entered = 0
    for line in process.stdout:
        told = json.loads(line)
        if told["event"] == "entered":
            entered = told["stage"] + 1
        if told["event"] == event and entered == stage:
            return told["change"]
    raise AssertionError(f"it ended before {event} in stage {stage}")


def rest(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """Everything else a command tells."""
    assert process.stdout is not None
    return [json.loads(line) for line in process.stdout]


@pytest.mark.parametrize("stage", [1, 3])
def test_killed_at_a_stage_it_can_be_taken_up_or_back(drill, server, stage):
    before, counted_before = contents(server), counted(drill)
    with started(drill, *DRAIN) as process:
        change = until(process, "written", stage)
        process.kill()
    if stage == 3:
        resumed = command(drill, "resume", change)
        assert resumed[-1]["verdict"] == "verified"
    command(drill, "undo", change)
    assert contents(server) == before
    assert_nothing_failed(counted_before, counted(drill))


def test_interrupted_it_takes_everything_back(drill, server):
    before, counted_before = contents(server), counted(drill)
    with started(drill, *DRAIN) as process:
        until(process, "entered", 4)
        process.send_signal(signal.SIGINT)
        last = rest(process)[-1]
    assert (process.returncode, last["event"], last["verdict"]) == (5, "ended", "rolled back")
    assert contents(server) == before
    assert_nothing_failed(counted_before, counted(drill))


def test_the_guard_takes_it_back_when_who_takes_over_gets_errors(drill, server):
    """What a client of the broken workload sees is not the drain's doing: its hosts are left out of the count."""
    before = contents(server)
    with started(drill, *DRAIN[:-4], "--bake", "40s", "--guard-errors", "5%") as process:
        until(process, "written", 3)
        try:
            server.merge(BROKEN, {"metadata": {"annotations": {ERROR_RATIO: "0.9"}}})
            events = rest(process)
        finally:
            server.merge(BROKEN, {"metadata": {"annotations": {ERROR_RATIO: None}}})
    assert (process.returncode, events[-1]["verdict"]) == (5, "rolled back")
    assert re.match(rf"[0-9.]+% errors on (infra/edge|{TAKER}), the guard allows 5.00%; seen for ", events[-1]["text"])
    assert contents(server) == before
    (remembered,) = json.loads(drill.gwtui("changes", "-o", "json").stdout)
    assert remembered["verdict_text"] == events[-1]["text"]


def test_one_proxy_alone(drill):
    counted_before = counted(drill)
    pod = next(name for name in drill.ready["admin"] if name.startswith("infra/edge-"))
    events = command(drill, "drain", pod, "--deadline", "60")
    assert events[-1]["verdict"] == "verified"
    command(drill, "undrain", pod)
    time.sleep(1)
    assert_nothing_failed(counted_before, counted(drill))


def test_a_namespace_moves_from_one_shard_to_the_other(drill, server):
    before, counted_before = contents(server), counted(drill)
    command(drill, "drain", "namespace/bar", "--from", SHARD, "--to", TAKER, "--above-peak", "--at-once")
    assert weights(server.route("infra", "bar")) == [0, 100]
    assert weights(server.route("infra", "shop")) == [90, 10]
    command(drill, "undrain", "namespace/bar")
    assert contents(server) == before
    assert_nothing_failed(counted_before, counted(drill))


def test_one_backend_of_a_route(drill, server):
    before, counted_before = contents(server), counted(drill)
    command(drill, "drain", "infra/shop:infra/shard-a", "--at-once", "--above-peak")
    assert weights(server.route("infra", "shop")) == [0, 100]
    command(drill, "undrain", "infra/shop:infra/shard-a")
    assert contents(server) == before
    assert_nothing_failed(counted_before, counted(drill))


def test_a_drain_that_needs_a_replacement_is_refused_without_one(drill, server):
    before = contents(server)
    done = drill.gwtui("drain", SHARD, "--yes", timeout=COMMAND_S)
    assert done.returncode == 4, done.stdout
    assert "name who takes over with --to: infra/shard-b" in done.stderr
    assert contents(server) == before
