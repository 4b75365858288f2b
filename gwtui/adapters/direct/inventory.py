"""Proxies named in the configuration file: a fleet without a Kubernetes API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping

from gwtui.model.controllers import KGATEWAY_CONTROLLER
from gwtui.model.health import SourceHealth, SourceState
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.observations import Observation, SourceReported, TopologyGiven
from gwtui.model.resources import GATEWAYS
from gwtui.model.shape import GatewayNode, Topology
from gwtui.ports import Clock, ProxyAddress, Source
from gwtui.settings.proxies import StaticProxy

CLUSTER = "static"
"""Name of the cluster these proxies are shown under."""


class StaticInventory(Source):
    """A `Source` of one topology that never changes: the gateways and proxies of the configuration file.

    They are taken for proxies set up as kgateway does: statistics of the data listeners start with `http.http.`.
    """

    def __init__(self, proxies: Iterable[StaticProxy], clock: Clock) -> None:
        self._proxies = {_key(each): each for each in proxies}
        self._clock = clock

    @property
    def id(self) -> str:
        """Unique name, for logs and task names."""
        return f"{CLUSTER}/inventory"

    @property
    def addresses(self) -> frozenset[ProxyAddress]:
        """Every proxy; the ports mean nothing, since the URL says where it is."""
        return frozenset(ProxyAddress(key=key, stats_port=0, admin_port=0) for key in self._proxies)

    def url(self, proxy: ProxyKey, _port: int) -> str | None:
        """The base URL of a proxy's admin interface."""
        found = self._proxies.get(proxy)
        return found.admin.rstrip("/") if found else None

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Report the inventory once, then stay silent until cancelled."""
        health = SourceHealth(state=SourceState.READY, since=self._clock.now(), detail="from the configuration file")
        yield TopologyGiven(CLUSTER, _topology(self._proxies))
        yield SourceReported(CLUSTER, GATEWAYS, health)
        await asyncio.Event().wait()


def _key(proxy: StaticProxy) -> ProxyKey:
    return ProxyKey(CLUSTER, proxy.namespace, proxy.name)


def _topology(proxies: Mapping[ProxyKey, StaticProxy]) -> Topology:
    owners: dict[GatewayKey, list[ProxyKey]] = {}
    for key, proxy in sorted(proxies.items()):
        owners.setdefault(GatewayKey(CLUSTER, proxy.namespace, proxy.gateway or proxy.name), []).append(key)
    nodes = tuple(
        GatewayNode(
            key=owner,
            class_name="",
            controller=KGATEWAY_CONTROLLER,
            tier=1,
            listeners=(),
            hostnames=(),
            namespaces=(),
            routes=(),
            proxies=tuple(keys),
            services=(),
        )
        for owner, keys in sorted(owners.items())
    )
    return Topology(gateways=nodes, missing=("Kubernetes objects: the proxies come from the configuration file",))
