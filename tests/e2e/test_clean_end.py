"""Nothing is left behind, however the playground ends."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from running import start_demo, stop_demo
from terminal import Terminal

pytestmark = pytest.mark.e2e


def family(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def listening(processes: list[psutil.Process]) -> set[int]:
    return {
        c.laddr.port for process in processes for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN
    }


@pytest.mark.usefixtures("alone")
def test_kill_9_leaves_no_process_and_no_port():
    demo = start_demo("--scenario", "simple-ingress", "--duration", "120")
    children = family(demo.process.pid)
    ports = listening(children)
    assert any("envoy" in child.name() for child in children)
    assert ports
    os.kill(demo.process.pid, signal.SIGKILL)
    demo.process.communicate()
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive, f"left behind: {[(p.pid, p.name()) for p in alive]}"
    taken = {c.laddr.port for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    assert not ports & taken


@pytest.mark.usefixtures("alone")
def test_a_terminal_that_hangs_up_leaves_nothing():
    with Terminal("demo", "--scenario", "simple-ingress") as terminal:
        terminal.until("proxies", "live", within_s=60)
        children = family(terminal.process.pid)
        assert any("envoy" in child.name() for child in children)
        terminal.hang_up()
        assert terminal.process.wait(timeout=5) == -signal.SIGHUP
        _, alive = psutil.wait_procs(children, timeout=5)
        assert not alive, f"left behind: {[(p.pid, p.name()) for p in alive]}"


@pytest.mark.usefixtures("alone")
def test_the_duration_ends_it_cleanly():
    demo = start_demo("--scenario", "sharded", "--duration", "2", "--no-traffic")
    children = family(demo.process.pid)
    deadline = time.monotonic() + 20
    while demo.process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert demo.process.returncode == 0
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive
    assert not Path(demo.ready["state"]).exists(), "a temporary state folder is removed"
    stop_demo(demo)
