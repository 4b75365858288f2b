"""Everything known at one revision. `reduction.reduce` makes the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gwtui.model.health import ProxyState, SourceHealth
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.known import Unknown
from gwtui.model.observations import NamespacedName
from gwtui.model.shape import EMPTY, GatewayNode, Topology
from gwtui.model.traffic import NO_TRAFFIC, ProxySample, ProxyTraffic, no_traffic

if TYPE_CHECKING:
    from gwtui.model.relator import Relator

Objects = Mapping[str, Mapping[NamespacedName, Any]]
"""Objects of one cluster: by group resource, then by (namespace, name)."""


ANSWERING = frozenset({ProxyState.LIVE, ProxyState.DRAINING, ProxyState.INITIALIZING})
"""States of a proxy that answered the last time it was asked."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProxyView:
    """What is known of one proxy's behaviour."""

    key: ProxyKey
    state: ProxyState = ProxyState.UNKNOWN
    traffic: ProxyTraffic = NO_TRAFFIC
    """Last measured traffic. When `state` is not an answering one, it is as old as `answered_at`."""
    way: str = ""
    """The way in that answered last."""
    reason: str = ""
    """Why it does not answer; empty while it does."""
    hint: str = ""
    answered_at: datetime | None = None
    """When it answered last; None if it never did."""
    failing_since: datetime | None = None
    samples: tuple[ProxySample, ...] = ()
    """Recent samples, oldest first, as far back as `reduction.SAMPLE_SPAN_S`."""
    history: tuple[float | None, ...] = ()
    """Requests/s per sample, oldest first, for sparklines; None where the proxy did not answer."""

    @property
    def is_answering(self) -> bool:
        """Whether it answered the last time it was asked."""
        return self.state in ANSWERING

    @property
    def current(self) -> ProxyTraffic:
        """The traffic that may be shown as true now: every figure is Unknown while the proxy does not answer."""
        return self.traffic if self.is_answering else no_traffic(Unknown(self.reason or "never asked"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterView:
    """What is known of one cluster."""

    name: str
    """Kubeconfig context."""
    objects: Objects = field(default_factory=dict)
    sources: Mapping[str, SourceHealth] = field(default_factory=dict)
    """Health per source id within the cluster: group resources, `api`."""
    topology: Topology = EMPTY
    relator: Relator | None = field(default=None, repr=False)
    """What made the topology and will make the next one; of use to the reduction alone."""

    def gateway(self, key: GatewayKey) -> GatewayNode | None:
        """The gateway's node, or None when it is not in the topology."""
        return next((node for node in self.topology.gateways if node.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """The whole of what is known. Compared by identity; `revision` grows with every change."""

    revision: int = 0
    clusters: Mapping[str, ClusterView] = field(default_factory=dict)
    proxies: Mapping[ProxyKey, ProxyView] = field(default_factory=dict)
