"""How the proxies of every cluster are reached: ways in, who asks them, and who is asked about them instead."""

from __future__ import annotations

from collections.abc import Callable

from gwtui.adapters.direct.access import DirectAccess
from gwtui.adapters.direct.inventory import CLUSTER as STATIC
from gwtui.adapters.direct.inventory import StaticInventory
from gwtui.adapters.envoy.admin import EnvoyAdmin
from gwtui.adapters.envoy.inspector import EnvoyInspector
from gwtui.adapters.envoy.reader import EnvoyReader
from gwtui.adapters.kgateway.controller import ControllerPods, ControllerSource
from gwtui.adapters.kubernetes.cluster import KubernetesCluster
from gwtui.adapters.kubernetes.pod_access import PodProxy, PortForward
from gwtui.adapters.prometheus.client import QueryClient
from gwtui.adapters.prometheus.source import PrometheusSource
from gwtui.engine.assignment import Assignment, Policy
from gwtui.engine.governor import Governor
from gwtui.engine.inspections import Inspections
from gwtui.engine.scrape import Scraper
from gwtui.engine.targets import proxy_addresses
from gwtui.errors import NotServed
from gwtui.model.ids import ProxyKey
from gwtui.model.kubernetes import Pod
from gwtui.model.resources import PODS
from gwtui.model.snapshot import Snapshot
from gwtui.ports import Clock, ProxyAccess, ProxyActuator, ProxyAddress, ProxyAdmin, ProxyInspector, Source
from gwtui.settings import Settings
from gwtui.settings.prometheus import ALWAYS, PrometheusSettings, prometheus_for


class ProxyReach:
    """The proxies of one run.

    Args:
        settings: how often they are asked, and which other ways there are.
        look: the current snapshot.
        clock: the time of everything.
    """

    def __init__(self, settings: Settings, look: Callable[[], Snapshot], clock: Clock) -> None:
        self.governor = Governor(period_s=settings.scrape_period_s, budget=settings.proxy_budget)
        """Shared by all clusters: how often and in which order proxies are asked."""
        self.inventory = StaticInventory(settings.proxies, clock) if settings.proxies else None
        """Proxies at fixed addresses; None where there are none."""
        self._settings = settings
        self._look = look
        self._clock = clock
        self._ways: dict[str, tuple[ProxyAccess, ...]] = {}
        self._inspectors: dict[str, ProxyInspector] = {}
        self._admins: dict[str, ProxyAdmin] = {}
        self._servers: dict[PrometheusSettings, QueryClient] = {}
        if self.inventory is not None:
            way = DirectAccess("static", self.inventory.url, reaches_loopback=True, clock=clock)
            self._admit(STATIC, (way,), way)

    @property
    def clusters(self) -> tuple[str, ...]:
        """Names of all clusters with proxies, those at fixed addresses first."""
        return tuple(self._ways)

    def ways(self, cluster: str) -> tuple[ProxyAccess, ...]:
        """The ways into the proxies of one cluster, the preferred one first."""
        return self._ways[cluster]

    def admit(self, cluster: KubernetesCluster) -> None:
        """Take in the proxies of an open cluster."""
        forward = PortForward(cluster.transport, self._clock)
        through_api = (PodProxy(cluster.transport, self._clock), forward)
        pods = DirectAccess("pod address", self._pod_url, reaches_loopback=False, clock=self._clock)
        self._admit(cluster.context, (*through_api, pods) if self._settings.pod_addresses else through_api, forward)

    def addresses(self, cluster: str) -> frozenset[ProxyAddress]:
        """The proxies of one cluster that figures are wanted of."""
        if self.inventory is not None and cluster == STATIC:
            return self.inventory.addresses
        return proxy_addresses(self._look().clusters.get(cluster))

    def find(self, proxy: ProxyKey) -> tuple[ProxyInspector, ProxyAddress]:
        """Return who asks a proxy what it holds, and its address.

        Raises:
            NotServed: the proxy is gone, or none of ours.
        """
        address = self._address(proxy)
        return self._inspectors[proxy.cluster], address

    def admin(self, proxy: ProxyKey) -> tuple[ProxyAdmin, ProxyAddress]:
        """Return who tells a proxy what to do, and its address.

        Raises:
            NotServed: the proxy is gone, or none of ours.
        """
        address = self._address(proxy)
        return self._admins[proxy.cluster], address

    def server(self, cluster: str) -> QueryClient | None:
        """The Prometheus-compatible server that knows the proxies of a cluster; None where none is configured."""
        chosen = prometheus_for(self._settings.prometheus, cluster)
        if chosen is None:
            return None
        if chosen not in self._servers:
            self._servers[chosen] = QueryClient(
                chosen.url, token_file=chosen.token_file, ca_file=chosen.ca_file, insecure=chosen.insecure
            )
        return self._servers[chosen]

    def sources(self) -> tuple[Source, ...]:
        """Everything that tells of proxies."""
        own = (self.inventory,) if self.inventory is not None else ()
        return (*own, *(source for cluster in self._ways for source in self._of_cluster(cluster)))

    def _admit(self, cluster: str, ways: tuple[ProxyAccess, ...], actuator: ProxyActuator) -> None:
        self._ways[cluster] = ways
        self._inspectors[cluster] = EnvoyInspector(ways, self._clock)
        self._admins[cluster] = EnvoyAdmin(actuator)

    def _address(self, proxy: ProxyKey) -> ProxyAddress:
        address = next((each for each in self.addresses(proxy.cluster) if each.key == proxy), None)
        if address is None or proxy.cluster not in self._ways:
            raise NotServed(f"{proxy} is not asked for anything", "it is gone, or no Envoy of kgateway")
        return address

    def _of_cluster(self, cluster: str) -> tuple[Source, ...]:
        chosen = prometheus_for(self._settings.prometheus, cluster)
        policy = Policy(always=chosen.use == ALWAYS, above=chosen.proxies_above) if chosen else None
        assignment = Assignment(policy, self._clock)

        def divided() -> tuple[frozenset[ProxyAddress], frozenset[ProxyAddress]]:
            return assignment.divide(self.addresses(cluster), self._look().proxies)

        reader = EnvoyReader(self._ways[cluster], self._clock)
        asked: list[Source] = [
            Scraper(reader, lambda: divided()[0], self._clock, governor=self.governor, name=f"{cluster}/proxies"),
            Inspections(
                self._inspectors[cluster],
                lambda: self.addresses(cluster),
                lambda: self._look().proxies,
                self.governor,
                self._clock,
                name=f"{cluster}/inspections",
            ),
        ]
        if chosen is not None and (server := self.server(cluster)) is not None:
            asked.append(PrometheusSource(server, cluster, lambda: divided()[1], self._clock, match=chosen.match))
        way = next((way for way in self._ways[cluster] if not way.reaches_loopback), None)
        if way is not None:  # the control plane serves its metrics on its pod's address alone
            asked.append(
                ControllerSource(cluster, way, ControllerPods(lambda: self._look().clusters.get(cluster)), self._clock)
            )
        return tuple(asked)

    def _pod_url(self, proxy: ProxyKey, port: int) -> str | None:
        view = self._look().clusters.get(proxy.cluster)
        pod: Pod | None = view.objects.get(PODS, {}).get((proxy.namespace, proxy.pod)) if view else None
        address = pod.status.pod_ip if pod else ""
        if not address:
            return None
        return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"

    async def close(self) -> None:
        """Close every connection."""
        for ways in self._ways.values():
            for way in ways:
                await way.close()
        for server in self._servers.values():
            await server.close()
