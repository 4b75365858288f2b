"""The cloud of the playground: one Envoy that balances connections over the ready proxies of each listener."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from gwtui.playground.fleet.bootstrap import Node
from gwtui.playground.fleet.envoy import Envoy, Surroundings
from gwtui.playground.fleet.ports import LOOPBACK, PortLease
from gwtui.playground.translation.clusters import assignment, cluster
from gwtui.playground.translation.gateway import ProxyConfig
from gwtui.playground.translation.listeners import LISTENER
from gwtui.playground.world import Json

_TCP_PROXY = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
_CONNECT_ATTEMPTS = 3
"""A proxy that died a moment ago must not cost a new connection."""


class Entry(NamedTuple):
    """One way in: a listener of a Gateway."""

    namespace: str
    gateway: str
    listener: str

    @property
    def cluster(self) -> str:
        """Name of the Envoy cluster and prefix of the stats."""
        return f"lb_{self.namespace}_{self.gateway}_{self.listener}"


class Cloud:
    """Entry points on loopback, each with a port that stays the same for its lifetime."""

    def __init__(self, around: Surroundings) -> None:
        node = Node(id="load-balancer", cluster="cloud", role="cloud-load-balancer")
        self._envoy = Envoy(node, "cloud/load-balancer", around)
        self._leases: dict[Entry, PortLease] = {}
        self._task = asyncio.create_task(self._envoy.run(), name="cloud load balancer")

    @property
    def is_ready(self) -> bool:
        """Whether the entry points accept connections."""
        return self._envoy.is_ready

    def balance(self, backends: Mapping[Entry, list[tuple[str, int]]]) -> None:
        """Serve exactly these entry points, each over the addresses given."""
        for gone in self._leases.keys() - backends.keys():
            self._leases.pop(gone).close()
        for entry in backends.keys() - self._leases.keys():
            self._leases[entry] = PortLease()
        ports = {self._leases[entry].port: entry for entry in sorted(backends)}
        config = ProxyConfig(
            listeners={entry.cluster: _listener(entry, port) for port, entry in ports.items()},
            routes={},
            clusters={entry.cluster: cluster(entry.cluster) for entry in ports.values()},
            endpoints={entry.cluster: assignment(entry.cluster, backends[entry]) for entry in ports.values()},
        )
        self._envoy.configure(config, {port: port for port in ports})

    def port(self, entry: Entry) -> int | None:
        """The loopback port of an entry point."""
        lease = self._leases.get(entry)
        return lease.port if lease else None

    def urls(self) -> dict[Entry, str]:
        """Base URL of every entry point."""
        return {entry: f"http://{LOOPBACK}:{lease.port}" for entry, lease in sorted(self._leases.items())}

    def check(self) -> None:
        """Raise what ended the supervision, if anything did."""
        if self._task.done():
            self._task.result()

    async def close(self) -> None:
        """Stop balancing."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        for lease in (*self._leases.values(), self._envoy.admin):
            lease.close()


def _listener(entry: Entry, port: int) -> Json:
    proxy = {
        "@type": _TCP_PROXY,
        "statPrefix": entry.cluster,
        "cluster": entry.cluster,
        "maxConnectAttempts": _CONNECT_ATTEMPTS,
    }
    return {
        "@type": LISTENER,
        "name": entry.cluster,
        "address": {"socketAddress": {"address": LOOPBACK, "portValue": port}},
        "filterChains": [{"filters": [{"name": "envoy.filters.network.tcp_proxy", "typedConfig": proxy}]}],
    }
