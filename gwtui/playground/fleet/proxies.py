"""The proxy pods: an Envoy each, its ports registered, its state written to the pod's status."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field

from gwtui.playground.deployer import ADMIN_PORT, READINESS_PORT, STATS_PORT
from gwtui.playground.fleet.bootstrap import Node, StaticPorts
from gwtui.playground.fleet.envoy import Envoy, Surroundings
from gwtui.playground.fleet.ports import LOOPBACK, PortLease
from gwtui.playground.pod_status import ContainerState
from gwtui.playground.translation.gateway import ProxyConfig

_LEAVE_S = 2.0
"""How long a retired proxy goes on serving with failing health checks, so that clients leave it."""

PodKey = tuple[str, str]
"""(namespace, pod)."""

Registry = MutableMapping[tuple[str, str, int], tuple[str, int]]
"""Where ports of pods really listen: (namespace, pod, port) to (host, port)."""

Refusals = Mapping[tuple[str, str], int]
"""How many proxies refuse a kind of configuration at present, by `node.metadata.role` and type URL."""


@dataclass(slots=True)
class _Proxy:
    envoy: Envoy
    role: str
    static: dict[int, PortLease]
    """Admin excluded: the Envoy holds that one."""
    data: dict[int, PortLease] = field(default_factory=dict)
    """By listener port of the pod."""
    task: asyncio.Task[None] | None = None
    hangs: bool = False


class Proxies:
    """Every proxy pod that runs here."""

    def __init__(self, around: Surroundings, registry: Registry, on_change: Callable[[PodKey], None]) -> None:
        """Create an empty fleet.

        Args:
            around: what the Envoys share.
            registry: filled and emptied as proxies come and go.
            on_change: called with the pod whose state changed.
        """
        self._around = around
        self._registry = registry
        self._on_change = on_change
        self._running: dict[PodKey, _Proxy] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def start(self, key: PodKey, gateway: str, role: str) -> None:
        """Take in a pod. Its Envoy starts with the first configuration; a known pod is left alone.

        Args:
            key: the pod.
            gateway: name of its Gateway's objects, for `node.cluster`.
            role: `node.metadata.role`.
        """
        if key in self._running:
            return
        namespace, pod = key
        static = {READINESS_PORT: PortLease(), STATS_PORT: PortLease()}
        node = Node(id=f"{pod}.{namespace}", cluster=f"{gateway}.{namespace}", role=role)
        ports = StaticPorts(readiness=static[READINESS_PORT].port, stats=static[STATS_PORT].port)
        envoy = Envoy(node, f"{namespace}/{pod}", self._around, ports)
        envoy.on_change = lambda: self._on_change(key)
        proxy = _Proxy(envoy, role, static)
        self._running[key] = proxy
        self._registry[namespace, pod, ADMIN_PORT] = (LOOPBACK, envoy.admin.port)
        for port, lease in static.items():
            self._registry[namespace, pod, port] = (LOOPBACK, lease.port)
        proxy.task = asyncio.create_task(envoy.run(), name=f"envoy {namespace}/{pod}")

    def lease(self, key: PodKey, ports: Iterable[int]) -> None:
        """Give a pod a real port for each of its listener ports."""
        proxy = self._running[key]
        for port in ports:
            if port not in proxy.data:
                proxy.data[port] = PortLease()
                self._registry[*key, port] = (LOOPBACK, proxy.data[port].port)

    def configure(self, key: PodKey, config: ProxyConfig) -> None:
        """Hand a pod its configuration."""
        proxy = self._running[key]
        proxy.envoy.configure(config, {port: lease.port for port, lease in proxy.data.items()})

    def hang(self, key: PodKey, *, hangs: bool) -> None:
        """Let a pod's process stand still, or go on."""
        proxy = self._running[key]
        if proxy.hangs != hangs:
            proxy.hangs = hangs
            proxy.envoy.hang(hangs=hangs)

    def pods(self) -> list[PodKey]:
        """The pods that run here, those that leave excluded."""
        return list(self._running)

    def admin_urls(self) -> dict[str, str]:
        """Base URL of every admin interface, by `namespace/pod`."""
        return {f"{ns}/{pod}": proxy.envoy.admin_url for (ns, pod), proxy in sorted(self._running.items())}

    def stats_urls(self) -> dict[str, str]:
        """Base URL of every stats listener, by `namespace/pod`: where Prometheus scrapes `/metrics`."""
        return {
            f"{ns}/{pod}": f"http://{LOOPBACK}:{proxy.static[STATS_PORT].port}"
            for (ns, pod), proxy in sorted(self._running.items())
        }

    def state(self, key: PodKey) -> ContainerState | None:
        """What a pod's container does, or None when it does not run here."""
        proxy = self._running.get(key)
        if proxy is None:
            return None
        envoy = proxy.envoy
        return ContainerState(
            is_running=envoy.is_running,
            is_ready=envoy.is_ready,
            restarts=envoy.restarts,
            started_at=envoy.started_at,
            exit_code=envoy.exit_code,
        )

    async def refusals(self) -> Refusals:
        """Ask every proxy what it refuses."""
        proxies = list(self._running.values())
        answers = await asyncio.gather(*(proxy.envoy.refused() for proxy in proxies))
        return Counter((proxy.role, each) for proxy, kinds in zip(proxies, answers, strict=True) for each in kinds)

    def retire(self, key: PodKey) -> None:
        """Let a pod go the way Kubernetes does: failing health checks first, the process a little later."""
        proxy = self._running.pop(key)
        task = asyncio.create_task(self._leave(key, proxy), name=f"retire {key[0]}/{key[1]}")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def check(self) -> None:
        """Raise what ended a supervision, if anything did: none of them ends by itself."""
        for proxy in self._running.values():
            if proxy.task and proxy.task.done():
                proxy.task.result()

    async def close(self) -> None:
        """Stop every process at once."""
        tasks = [proxy.task for proxy in self._running.values() if proxy.task] + list(self._leaving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for key, proxy in self._running.items():
            self._release(key, proxy)
        self._running.clear()

    async def _leave(self, key: PodKey, proxy: _Proxy) -> None:
        try:
            await proxy.envoy.fail_health_check()
            await asyncio.sleep(_LEAVE_S)
        finally:
            if proxy.task:
                proxy.task.cancel()
                await asyncio.gather(proxy.task, return_exceptions=True)
            self._release(key, proxy)

    def _release(self, key: PodKey, proxy: _Proxy) -> None:
        namespace, pod = key
        for port in (ADMIN_PORT, *proxy.static, *proxy.data):
            self._registry.pop((namespace, pod, port), None)
        for lease in (proxy.envoy.admin, *proxy.static.values(), *proxy.data.values()):
            lease.close()
