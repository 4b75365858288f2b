"""Starts the playground as one child process that cannot outlive its parent."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gwtui.errors import GwtuiError
from gwtui.playground.fleet.binary import envoy_binary
from gwtui.playground.incident import incident_names, incident_wish, load_incident
from gwtui.playground.scenario import DEFAULT, load_scenario, scenario_names, with_rates

__all__ = ["Playground", "incident_names", "launch", "scenario_names"]

_READY_DEADLINE_S = 40.0
_END_DEADLINE_S = 8.0
_LINE_LIMIT = 1 << 20


class Playground:
    """A running playground, from the outside."""

    def __init__(self, process: asyncio.subprocess.Process, ready: dict[str, Any], relay: asyncio.Task[None]) -> None:
        self.ready = ready
        """What the playground printed when it was ready: kubeconfig, entry points, admin interfaces, hosts, state."""
        self._process = process
        self._relay = relay

    @property
    def kubeconfig(self) -> Path:
        """The file that leads to its API."""
        return Path(self.ready["kubeconfig"])

    @property
    def context(self) -> str:
        """The context to use in that file."""
        return str(self.ready["context"])

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait until the playground ends; returns its exit code, negative for a signal."""
        return await self._process.wait()

    async def close(self) -> None:
        """End the playground and wait until nothing of it is left, at most 8 s."""
        await _end(self._process)
        self._relay.cancel()
        await asyncio.gather(self._relay, return_exceptions=True)


async def launch(
    scenario: str,
    *,
    state_dir: Path | None,
    traffic: bool = True,
    rates: Mapping[str, float] | None = None,
    incident: str = "",
    progress: Callable[[str], None],
) -> Playground:
    """Start a playground and wait until it serves requests.

    On Linux the child gets SIGTERM when the calling thread ends: call this from a thread that lives as long as the
    playground should, usually the main thread.

    Args:
        scenario: name of a scenario; empty for that of the incident, else the default.
        state_dir: directory for its files, kept at the end; None for a temporary one.
        traffic: whether clients send requests.
        rates: requests/s by host, instead of those of the scenario.
        incident: what goes wrong, `NAME` or `NAME@S`; without a scenario it happens in its own.
        progress: called with each line the playground reports.

    Raises:
        UsageError: there is no such scenario or incident, or the scenario has no such host.
        GwtuiError: Envoy is not installed, or the playground did not come up within 40 s.
    """
    rates = rates or {}
    if incident:
        name, _ = incident_wish(incident)
        scenario = scenario or load_incident(name).scenario
    scenario = scenario or DEFAULT
    with_rates(load_scenario(scenario), rates)
    envoy_binary()
    arguments = ["--scenario", scenario]
    if state_dir is not None:
        arguments += ["--state", str(state_dir)]
    if not traffic:
        arguments.append("--no-traffic")
    arguments += [f"--rps={host}={rps}" for host, rps in rates.items()]
    if incident:
        arguments += ["--incident", incident]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gwtui.playground",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_LIMIT,
    )
    relay = asyncio.create_task(_relay(process, progress), name="playground progress")
    try:
        async with asyncio.timeout(_READY_DEADLINE_S):
            ready = await _first_line(process)
    except TimeoutError as error:
        await _end(process)
        raise GwtuiError("the playground was not ready within 40 s", "look at its progress lines") from error
    except BaseException:
        await _end(process)
        raise
    return Playground(process, ready, relay)


async def _first_line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    line = await process.stdout.readline() if process.stdout else b""
    try:
        document: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise GwtuiError("the playground ended before it was ready", "look at its progress lines") from error
    if "error" in document:
        raise GwtuiError(document["error"], document.get("hint", ""))
    return document


async def _relay(process: asyncio.subprocess.Process, progress: Callable[[str], None]) -> None:
    if process.stderr is None:
        return
    async for line in process.stderr:
        progress(line.decode(errors="replace").rstrip())


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_END_DEADLINE_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
