"""Everything known at one revision, and the pure reduction of observations into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from gwtui.model.health import ProxyState, SourceHealth
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.observations import (
    KindChanged,
    KindListed,
    NamespacedName,
    Observation,
    ProxyFailed,
    ProxySampled,
    SourceReported,
)
from gwtui.model.topology import EMPTY, GatewayNode, Topology
from gwtui.model.traffic import NO_TRAFFIC, ProxySample, ProxyTraffic

Objects = Mapping[str, Mapping[NamespacedName, Any]]
"""Objects of one cluster: by group resource, then by (namespace, name)."""


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
    """Recent samples, oldest first, at most `SAMPLE_SPAN_S` seconds of them."""
    history: tuple[float | None, ...] = ()
    """Requests/s per sample, oldest first, for sparklines; None where the proxy did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterView:
    """What is known of one cluster."""

    name: str
    """Kubeconfig context."""
    objects: Objects = field(default_factory=dict)
    sources: Mapping[str, SourceHealth] = field(default_factory=dict)
    """Health per source id within the cluster: group resources, `api`."""
    topology: Topology = EMPTY

    def gateway(self, key: GatewayKey) -> GatewayNode | None:
        """The gateway's node, or None when it is not in the topology."""
        return next((node for node in self.topology.gateways if node.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """The whole of what is known. Compared by identity; `revision` grows with every change."""

    revision: int = 0
    clusters: Mapping[str, ClusterView] = field(default_factory=dict)
    proxies: Mapping[ProxyKey, ProxyView] = field(default_factory=dict)


SAMPLE_SPAN_S = 60.0
"""How much sample history is kept per proxy, in seconds."""

HISTORY_LENGTH = 60
"""How many sparkline values are kept per proxy."""
