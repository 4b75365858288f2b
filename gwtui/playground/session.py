"""One playground: everything it consists of, started in order, and taken down in reverse."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from gwtui.errors import GwtuiError
from gwtui.playground import installed
from gwtui.playground.api.server import ApiServer, PodPorts, serve
from gwtui.playground.api.store import Store
from gwtui.playground.certificates import secrets
from gwtui.playground.children import Child
from gwtui.playground.controller import Controller
from gwtui.playground.controller_metrics import ControllerMetrics
from gwtui.playground.fleet.binary import envoy_binary
from gwtui.playground.fleet.cloud import Cloud, Entry
from gwtui.playground.fleet.envoy import Surroundings
from gwtui.playground.fleet.proxies import Proxies
from gwtui.playground.fleet.tunnels import Tunnels
from gwtui.playground.incident import Incidents, wish
from gwtui.playground.scenario import Outside, Scenario, Workload
from gwtui.playground.warden import Warden
from gwtui.playground.wishes import Wishes
from gwtui.playground.world import DEPLOYMENTS, GATEWAYS, Json, World, is_owned, key_of

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
        incident: what goes wrong, and seconds after the start when it does.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        state: Path,
        temporary: bool,
        traffic: bool,
        report: Callable[[str], None],
        incident: tuple[str, float] | None = None,
    ) -> None:
        self._scenario = scenario
        self._incident = incident
        self._state = state
        self._temporary = temporary
        self._traffic = traffic
        self._report = report
        self._stack = AsyncExitStack()
        self._store = Store()
        self._pod_ports = PodPorts()
        self._wishes = Wishes(self._store, report)
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
        now = datetime.now(UTC)
        objects = (*self._scenario.objects, *secrets(self._scenario.certificates, now))
        with_pods = installed.install(self._store, objects, now)
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
        tunnels = Tunnels(self._pod_ports)
        self._stack.push_async_callback(tunnels.close)
        controller = Controller(
            self._store,
            self._pod_ports,
            proxies=proxies,
            cloud=cloud,
            tunnels=tunnels,
            faults=self._scenario.faults,
            report=self._report,
        )
        self._controller_task = asyncio.create_task(controller.run(), name="controller")
        self._stack.push_async_callback(_cancel, self._controller_task)
        installed.stand_in(self._store, with_pods, controller.pod_address)
        metrics = ControllerMetrics(proxies.refusals)
        self._stack.push_async_callback(metrics.close)
        await metrics.start(self._store, self._pod_ports)
        await self._start_backends(controller, warden)
        api = await serve(self._store, self._pod_ports, state_dir=self._state, context=CONTEXT)
        self._stack.push_async_callback(api.close)
        self._report("waiting for the proxies")
        await self._settle(cloud)
        if self._traffic:
            await self._start_traffic(cloud, warden)
        controller.start_faults()
        happening = Incidents(self._store, self._report)
        self._stack.push_async_callback(_cancel, asyncio.create_task(happening.run(), name="incidents"))
        if self._incident is not None:
            name, after_s = self._incident
            timer = asyncio.get_running_loop().call_later(after_s, wish, self._store, name)
            self._stack.callback(timer.cancel)
        return self._ready(api, proxies, cloud)

    async def failed(self) -> None:
        """Wait until a part of the playground fails, and raise its failure."""
        if self._controller_task is not None:
            await asyncio.shield(self._controller_task)

    async def close(self) -> None:
        """Take everything down."""
        await self._stack.aclose()

    async def _start_backends(self, controller: Controller, warden: Warden) -> None:
        """Start the servers of all workloads and outside hosts, and register where they listen."""
        places: dict[tuple[str, str, int], Json] = {}
        pods = []
        for workload in self._scenario.workloads:
            for pod in self._workload_pods(workload):
                pods.append(pod)
                namespace, name = key_of(pod)
                places[namespace, name, WORKLOAD_PORT] = _order(workload, namespace, workload.service, name)
        for host in self._scenario.outside:
            places["", host.host, host.port] = _order(host, "", host.host, host.host)
        log = self._state / "logs" / "backends.log"
        orders = {"pods": list(places.values())}
        child, ports = await Child.start("gwtui.playground.backends", orders, log=log, warden=warden)
        self._stack.push_async_callback(child.close)
        for namespace, name, port in places:
            self._pod_ports[namespace, name, port] = ("127.0.0.1", ports[f"{namespace}/{name}"])
        following = self._wishes.follow_workloads(self._scenario.workloads, child)
        self._stack.push_async_callback(_cancel, asyncio.create_task(following, name="workloads"))
        for pod in pods:
            installed.report_running(self._store, pod, controller.pod_address(key_of(pod)))

    def _workload_pods(self, workload: Workload) -> list[Json]:
        """Write the Deployment, ReplicaSet and pods of a workload; returns the pods."""
        labels = {"app": workload.service}
        container = {
            "name": "echo",
            "image": "playground/echo",
            "ports": [{"name": workload.protocol, "containerPort": WORKLOAD_PORT}],
        }
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": workload.service, "namespace": workload.namespace, "labels": labels},
            "spec": {
                "replicas": workload.replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        }
        return installed.populate(self._store, self._store.put(deployment, manager=installed.AUTHOR))

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
        world = World.read(self._store)
        deployments = world.all(DEPLOYMENTS)
        return all(
            any(is_owned(deployment, gateway) for deployment in deployments) for gateway in world.gateways()
        ) and all(each.get("status", {}).get("readyReplicas") == each["spec"]["replicas"] for each in deployments)

    async def _start_traffic(self, cloud: Cloud, warden: Warden) -> None:
        urls = cloud.urls()
        targets = [
            {
                "host": each.host,
                "url": self._url(entry := Entry(*each.entry.split("/")), urls[entry]),
                "rps": each.rps,
                "http2_ratio": each.http2_ratio,
                "streams": each.streams,
                "paths": each.paths,
                "websockets": each.websockets,
                "grpc_rps": each.grpc_rps,
                "grpc_streams": each.grpc_streams,
            }
            for each in self._scenario.traffic
        ]
        orders = {"targets": targets, "report": str(self._state / "traffic.json")}
        log = self._state / "logs" / "load.log"
        child, _ = await Child.start("gwtui.playground.load", orders, log=log, warden=warden)
        self._stack.push_async_callback(child.close)
        following = self._wishes.follow_routes(self._scenario.traffic, child)
        self._stack.push_async_callback(_cancel, asyncio.create_task(following, name="clients"))

    def _ready(self, api: ApiServer, proxies: Proxies, cloud: Cloud) -> Json:
        return {
            "kubeconfig": str(api.kubeconfig),
            "context": api.context,
            "scenario": self._scenario.name,
            "entrypoints": {"/".join((CONTEXT, *entry)): self._url(entry, url) for entry, url in cloud.urls().items()},
            "admin": proxies.admin_urls(),
            "stats": proxies.stats_urls(),
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


def _order(behaviour: Workload | Outside, namespace: str, service: str, pod: str) -> Json:
    """What the backends process is told about one server."""
    return {
        "namespace": namespace,
        "service": service,
        "pod": pod,
        "latency_ms": behaviour.latency_ms,
        "jitter_ms": behaviour.jitter_ms,
        "error_ratio": behaviour.error_ratio,
        "protocol": behaviour.protocol if isinstance(behaviour, Workload) else "http",
    }


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
