"""One Envoy under supervision: started, probed, configured, restarted with back-off."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from gwtui.playground.fleet.bootstrap import Node, StaticPorts, bootstrap
from gwtui.playground.fleet.files import ConfigFiles
from gwtui.playground.fleet.ports import LOOPBACK, PortLease
from gwtui.playground.fleet.refusals import QUERY, refused_types
from gwtui.playground.translation.gateway import ProxyConfig
from gwtui.playground.warden import Warden

_START_POLL_S = 0.03
_PROBE_PERIOD_S = 1.0
_PROBE_DEADLINE_S = 1.0
_CONFIRM_DEADLINE_S = 1.0
_RETIRE_CLUSTERS_S = 1.0
_BACKOFF_S = (2.0, 4.0, 8.0, 16.0, 30.0)
_STABLE_S = 60.0
"""An Envoy that lived this long starts again with the shortest back-off."""
_EXIT_DEADLINE_S = 2.0
_DRAIN_TIME_S = 5


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every Envoy of the fleet shares."""

    binary: Path
    directory: Path
    """Parent of the configuration directories."""
    logs: Path
    """Parent of the log files."""
    warden: Warden
    http: aiohttp.ClientSession
    report: Callable[[str], None]
    """Takes progress lines."""


class Envoy:
    """A supervised Envoy process with a fixed admin port and files for its configuration."""

    def __init__(self, node: Node, path: str, around: Surroundings, static: StaticPorts | None = None) -> None:
        self.admin = PortLease()
        self.is_ready = False
        self.restarts = 0
        self.started_at = datetime.now(UTC)
        self.exit_code: int | None = None
        """How the last process ended; None while the first one lives."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when the process became ready, stopped being so, or ended."""
        self._name = path
        self._around = around
        self._log = around.logs / f"{path}.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._files = ConfigFiles(around.directory / path)
        self._bootstrap = self._files.directory / "bootstrap.json"
        self._bootstrap.write_text(json.dumps(bootstrap(node, self.admin.port, self._files.directory, static)))
        self._process: asyncio.subprocess.Process | None = None
        self._wanted: tuple[ProxyConfig, Mapping[int, int]] | None = None
        self._news = asyncio.Event()

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    @property
    def admin_url(self) -> str:
        """Base URL of the admin interface."""
        return f"http://{LOOPBACK}:{self.admin.port}"

    def configure(self, config: ProxyConfig, ports: Mapping[int, int]) -> None:
        """Ask for a configuration; the latest one wins. The first one lets the process start."""
        if self._wanted != (config, ports):
            self._wanted = (config, ports)
            self._news.set()

    async def run(self) -> None:
        """Keep an Envoy running until cancelled; then its process is gone."""
        await self._news.wait()
        await self._apply()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_configuration())
            tasks.create_task(self._keep_alive())

    def hang(self, *, hangs: bool) -> None:
        """Stop the process in its tracks, or let it go on: it keeps its ports and answers nobody meanwhile."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGSTOP if hangs else signal.SIGCONT)

    async def fail_health_check(self) -> None:
        """Have Envoy fail its health checks, so that clients leave; one that cannot be asked is as good as gone."""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(_PROBE_DEADLINE_S):
                await self._around.http.post(f"{self.admin_url}/healthcheck/fail")

    async def refused(self) -> frozenset[str]:
        """Type URLs of the configuration it refuses at present; none of one that cannot be asked."""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with (
                asyncio.timeout(_PROBE_DEADLINE_S),
                self._around.http.get(self.admin_url + QUERY) as answer,
            ):
                return refused_types((await answer.json())["stats"], self._files.sent_version)
        return frozenset()

    async def _keep_alive(self) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            try:
                await self._live()
            finally:
                await self._end()
            self.is_ready = False
            self.on_change()
            failures = 1 if time.monotonic() - started > _STABLE_S else failures + 1
            pause = _BACKOFF_S[min(failures, len(_BACKOFF_S)) - 1]
            self._around.report(f"envoy {self._name} exited with {self.exit_code}, restarting in {pause:g} s")
            await asyncio.sleep(pause)
            self.restarts += 1

    async def _live(self) -> None:
        """Start a process and probe it until it ends."""
        self._process = process = await asyncio.create_subprocess_exec(
            str(self._around.binary),
            *("-c", str(self._bootstrap), "--concurrency", "1", "--disable-hot-restart"),
            *("-l", "warning", "--drain-time-s", str(_DRAIN_TIME_S)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._around.warden.watch(process.pid)
        self.started_at = datetime.now(UTC)
        async with asyncio.TaskGroup() as tasks:
            probe = tasks.create_task(self._probe())
            tasks.create_task(self._keep_log(process))
            self.exit_code = await process.wait()
            probe.cancel()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(_EXIT_DEADLINE_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        self._around.warden.forget(process.pid)

    async def _probe(self) -> None:
        pause = _START_POLL_S
        while True:
            is_ready = await self._answers_ready()
            if is_ready != self.is_ready:
                self.is_ready = is_ready
                pause = _PROBE_PERIOD_S
                self.on_change()
            await asyncio.sleep(pause)

    async def _answers_ready(self) -> bool:
        try:
            async with (
                asyncio.timeout(_PROBE_DEADLINE_S),
                self._around.http.get(f"{self.admin_url}/ready") as answer,
            ):
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _keep_log(self, process: asyncio.subprocess.Process) -> None:
        if process.stderr is None:
            return
        with self._log.open("ab", buffering=0) as log:
            async for line in process.stderr:
                log.write(line)
                if b"rejected" in line or b"error adding listener" in line:
                    self._around.report(f"envoy {self._name}: {line.decode(errors='replace').strip()}")

    async def _follow_configuration(self) -> None:
        while True:
            await self._news.wait()
            await self._apply()

    async def _apply(self) -> None:
        self._news.clear()
        if self._wanted is None:
            return
        config, ports = self._wanted
        if not await self._files.apply(config, ports, self._confirm_clusters):
            return
        try:
            async with asyncio.timeout(_RETIRE_CLUSTERS_S):
                await self._news.wait()
        except TimeoutError:
            self._files.write_clusters(config.clusters)

    async def _confirm_clusters(self, version: str) -> None:
        """Wait until the running process has taken these clusters; one that is not running reads them at its start."""
        url = f"{self.admin_url}/stats?filter=^cluster_manager.cds.version_text$"
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(_CONFIRM_DEADLINE_S):
                while self._process is not None:
                    async with self._around.http.get(url) as answer:
                        if version in await answer.text():
                            return
                    await asyncio.sleep(0.002)
