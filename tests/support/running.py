"""A running playground, started as a user would start it, and the commands a user would type."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

READY_WITHIN_S = 60.0
"""Generous: shared machines stall. How fast it really is stands in the closing figures, not in a test."""


@dataclass
class Demo:
    """A running `gwtui demo --headless`."""

    process: subprocess.Popen[str]
    ready: dict
    took_s: float

    @property
    def kubeconfig(self) -> str:
        return self.ready["kubeconfig"]

    def gwtui(self, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return gwtui("--kubeconfig", self.kubeconfig, *arguments, timeout=timeout)

    def snapshot(self, settle_s: float = 5) -> dict:
        done = gwtui("snapshot", "--kubeconfig", self.kubeconfig, "-o", "json", "--settle", str(settle_s))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def kubectl(self, *arguments: str, stdin: str | None = None, env: dict | None = None, check: bool = True) -> str:
        if shutil.which("kubectl") is None:
            pytest.skip("kubectl is not installed on this machine")
        done = subprocess.run(
            ["kubectl", "--kubeconfig", self.kubeconfig, *arguments],
            input=stdin,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def traffic(self) -> dict:
        return json.loads(Path(self.ready["state"], "traffic.json").read_text())


def gwtui(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run one command of gwtui and return what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "gwtui", *arguments], capture_output=True, text=True, timeout=timeout, check=False
    )


def start_demo(*arguments: str) -> Demo:
    """Start the playground and wait for its JSON line."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "gwtui", "demo", "--headless", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    if not select.select([process.stdout], [], [], READY_WITHIN_S)[0]:
        process.kill()
        pytest.fail(f"no ready line within {READY_WITHIN_S:.0f} s: {process.communicate()[1][-2000:]}")
    line = process.stdout.readline()
    if not line:
        pytest.fail(f"the playground ended: {process.communicate()[1][-2000:]}")
    return Demo(process, json.loads(line), time.monotonic() - started)


def stop_demo(demo: Demo) -> None:
    """End it as a service manager would, and expect it to obey."""
    if demo.process.poll() is None:
        demo.process.send_signal(signal.SIGTERM)
    try:
        demo.process.communicate(timeout=15)
    except subprocess.TimeoutExpired:
        demo.process.kill()
        demo.process.communicate()
        raise


def find_envoy(demo: Demo, pod: str) -> int:
    """The Envoy of a pod, by its service node on the command line or in its bootstrap."""
    for process in psutil.Process(demo.process.pid).children(recursive=True):
        if "envoy" in process.name() and any(pod in part for part in process.cmdline()):
            return process.pid
    raise AssertionError(f"no Envoy process of {pod}")
