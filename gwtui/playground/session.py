"""One playground: everything it consists of, started in order, and taken down in reverse."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from gwtui.errors import GwtuiError
from gwtui.playground import workloads
from gwtui.playground.api.server import ApiServer, PodPorts, serve
from gwtui.playground.api.store import Store
from gwtui.playground.children import Child
from gwtui.playground.controller import Controller
from gwtui.playground.fleet.binary import envoy_binary
from gwtui.playground.fleet.cloud import Cloud, Entry
from gwtui.playground.fleet.envoy import Surroundings
from gwtui.playground.fleet.proxies import Proxies
from gwtui.playground.pod_status import ContainerState, pod_status
from gwtui.playground.scenario import Scenario, Workload
from gwtui.playground.warden import Warden
from gwtui.playground.world import DEPLOYMENTS, GATEWAYS, PODS, Json, key_of

CONTEXT = "playground"
"""Kubeconfig context, and the cluster's name in everything that is printed."""

WORKLOAD_PORT = 8080
_READY_DEADLINE_S = 20.0
_READY_POLL_S = 0.02


class Session:
    """A running playground.

    Args:
        scenario: what to run.
        state: the directory for kubeconfig, configuration, logs and counts.
        temporary: whether the directory is removed at the end.
        traffic: whether clients send requests.
        report: takes progress lines.
    """

    def __init__(
        self, scenario: Scenario, *, state: Path, temporary: bool, traffic: bool, report: Callable[[str], None]
    ) -> None:
        self._scenario = scenario
        self._state = state
        self._temporary = temporary
        self._traffic = traffic
        self._report = report
        self._stack = AsyncExitStack()
        self._store = Store()
        self._pod_ports = PodPorts()
        self._controller_task: asyncio.Task[None] | None = None

    async def start(self) -> Json:
        """Start everything; returns the ready document once requests can be served.

        Raises:
            GwtuiError: Envoy is missing, or a part did not come up in time.
        """
        binary = envoy_binary()
        warden = Warden(self._state if self._temporary else None)
        self._stack.callback(warden.close)
        self._report(f"scenario {self._scenario.name}: {self._scenario.description}")
        for obj in self._scenario.objects:
            self._store.put(obj, manager="scenario")
        http = await self._stack.enter_async_context(aiohttp.ClientSession())
        around = Surroundings(
            binary=binary,
            directory=self._state / "envoy",
            logs=self._state / "logs",
            warden=warden,
            http=http,
            report=self._report,
        )
        cloud = Cloud(around)
        self._stack.push_async_callback(cloud.close)
        proxies = Proxies(around, self._pod_ports, lambda _: controller.wake())
        self._stack.push_async_callback(proxies.close)
        controller = Controller(self._store, self._pod_ports, proxies, cloud, self._report)
        self._controller_task = asyncio.create_task(controller.run(), name="controller")
        self._stack.push_async_callback(_cancel, self._controller_task)
        await self._start_workloads(controller, warden)
        api = await serve(self._store, self._pod_ports, state_dir=self._state, context=CONTEXT)
        self._stack.push_async_callback(api.close)
        self._report("waiting for the proxies")
        await self._settle(cloud)
        if self._traffic:
            await self._start_traffic(cloud, warden)
        return self._ready(api, proxies, cloud)

    async def failed(self) -> None:
        """Wait until a part of the playground fails, and raise its failure."""
        if self._controller_task is not None:
            await asyncio.shield(self._controller_task)

    async def close(self) -> None:
        """Take everything down."""
        await self._stack.aclose()

    async def _start_workloads(self, controller: Controller, warden: Warden) -> None:
        pods = [(workload, pod) for workload in self._scenario.workloads for pod in self._workload_pods(workload)]
        orders = {
            "pods": [
                {
                    "namespace": workload.namespace,
                    "service": workload.service,
                    "pod": pod["metadata"]["name"],
                    "latency_ms": workload.latency_ms,
                    "jitter_ms": workload.jitter_ms,
                    "error_ratio": workload.error_ratio,
                }
                for workload, pod in pods
            ]
        }
        log = self._state / "logs" / "backends.log"
        child, ports = await Child.start("gwtui.playground.backends", orders, log=log, warden=warden)
        self._stack.push_async_callback(child.close)
        now = datetime.now(UTC)
        state = ContainerState(is_running=True, is_ready=True, restarts=0, started_at=now, exit_code=None)
        for _, pod in pods:
            key = key_of(pod)
            self._pod_ports[*key, WORKLOAD_PORT] = ("127.0.0.1", ports["/".join(key)])
            self._store.put_status(PODS, *key, pod_status(pod, controller.pod_address(key), state, now))

    def _workload_pods(self, workload: Workload) -> list[Json]:
        """Write the Deployment, ReplicaSet and pods of a workload; returns the pods."""
        labels = {"app": workload.service}
        container = {
            "name": "echo",
            "image": "playground/echo",
            "ports": [{"name": "http", "containerPort": WORKLOAD_PORT}],
        }
        deployment = self._store.put(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": workload.service, "namespace": workload.namespace, "labels": labels},
                "spec": {
                    "replicas": workload.replicas,
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
                },
            },
            manager="scenario",
        )
        owner = self._store.put(workloads.replica_set(deployment), manager="deployment-controller")
        serials = itertools.count(1)
        return [
            self._store.put(workloads.new_pod(owner, next(serials)), manager="replicaset-controller")
            for _ in range(workload.replicas)
        ]

    async def _settle(self, cloud: Cloud) -> None:
        """Wait until every proxy is ready and every entry point accepts connections."""
        try:
            async with asyncio.timeout(_READY_DEADLINE_S):
                while not (cloud.is_ready and self._is_complete()):  # noqa: ASYNC110 - two parties, one start
                    await asyncio.sleep(_READY_POLL_S)
                for url in cloud.urls().values():
                    await _reach(int(url.rpartition(":")[2]))
        except TimeoutError as error:
            hint = f"see the logs in {self._state / 'logs'}"
            raise GwtuiError("the proxies did not become ready within 20 s", hint) from error

    def _is_complete(self) -> bool:
        deployments = self._store.scan(DEPLOYMENTS)
        owned = [each for each in deployments if each["metadata"].get("ownerReferences")]
        return len(owned) >= len(self._store.scan(GATEWAYS)) and all(
            each.get("status", {}).get("readyReplicas") == each["spec"]["replicas"] for each in deployments
        )

    async def _start_traffic(self, cloud: Cloud, warden: Warden) -> None:
        urls = cloud.urls()
        targets = [
            {
                "host": each.host,
                "url": urls[Entry(*each.entry.split("/"))],
                "rps": each.rps,
                "http2_ratio": each.http2_ratio,
                "streams": each.streams,
                "paths": each.paths,
            }
            for each in self._scenario.traffic
        ]
        orders = {"targets": targets, "report": str(self._state / "traffic.json")}
        log = self._state / "logs" / "load.log"
        child, _ = await Child.start("gwtui.playground.load", orders, log=log, warden=warden)
        self._stack.push_async_callback(child.close)

    def _ready(self, api: ApiServer, proxies: Proxies, cloud: Cloud) -> Json:
        return {
            "kubeconfig": str(api.kubeconfig),
            "context": api.context,
            "scenario": self._scenario.name,
            "entrypoints": {"/".join((CONTEXT, *entry)): self._url(entry, url) for entry, url in cloud.urls().items()},
            "admin": proxies.admin_urls(),
            "traffic": {"hosts": [each.host for each in self._scenario.traffic] if self._traffic else []},
            "pid": os.getpid(),
            "state": str(self._state),
        }

    def _url(self, entry: Entry, url: str) -> str:
        """The URL of an entry point with the scheme its listener speaks."""
        gateway = self._store.find(GATEWAYS, entry.namespace, entry.gateway) or {"spec": {}}
        listeners = {each["name"]: each for each in gateway["spec"].get("listeners", ())}
        is_secure = listeners.get(entry.listener, {}).get("protocol") == "HTTPS"
        return url.replace("http://", "https://", 1) if is_secure else url


async def _reach(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(_READY_POLL_S)
        else:
            writer.close()
            return


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
