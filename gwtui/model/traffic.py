"""Traffic of one proxy: raw samples as read, and the rates two of them give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gwtui.model.known import Known, Unknown

Histogram = tuple[tuple[float, int], ...]
"""Cumulative buckets since start: (upper bound in ms, count of values <= bound), ascending; the last bound is infinity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSample:
    """Counters of one Envoy cluster (= one upstream, one hop) since the proxy started. None: not present in the answer."""

    requests: int = 0
    """`upstream_rq_total`: requests sent upstream, retries included. Absent under `usedonly` means 0."""
    errors_5xx: int = 0
    """`upstream_rq_5xx`, answers made by Envoy itself (no host, overflow) included."""
    active: int | None = None
    members_healthy: int | None = None
    members_total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSample:
    """Counters of one route that exposes them (`vhost.<vhost>.route.<stat prefix>.*`)."""

    requests: int = 0
    errors_5xx: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySample:
    """Counters of one proxy at one moment, as read."""

    taken_mono: float
    """Monotonic seconds when the answer was complete; the only clock rates are computed from."""
    taken_at: datetime
    """The same moment as aware UTC, for display."""
    requests: int
    """HTTP requests received by the data listeners (`http.http.downstream_rq_total`)."""
    errors_5xx: int
    """`http.http.downstream_rq_5xx`."""
    errors_4xx: int
    active: int | None
    """Requests in flight (`downstream_rq_active`), long streams included."""
    uptime_s: int | None
    """`server.uptime`; a decrease is a restart."""
    latency: Histogram | None
    """`http.http.downstream_rq_time`, cumulative; None when nothing was recorded yet or not asked for."""
    clusters: Mapping[str, ClusterSample] = field(default_factory=dict)
    """By Envoy cluster name, for example `kube_infra_shard-a_8080`."""
    routes: Mapping[tuple[str, str], RouteSample] = field(default_factory=dict)
    """By (virtual host name, stat prefix)."""
    update_rejected: int = 0
    """Sum of every `update_rejected` counter: configuration this proxy refused since it started."""
    listeners_active: int | None = None
    answer_bytes: int = 0
    """Size of the answers this sample was read from."""
    answer_ms: float = 0.0
    """Time the requests for this sample took, in ms, as we saw it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterTraffic:
    """Rates towards one Envoy cluster over the window of its proxy."""

    rps: Known[float] | Unknown
    error_ratio: Known[float] | Unknown
    """0 to 1; Unknown when there were no requests in the window."""
    members_healthy: int | None = None
    members_total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTraffic:
    rps: Known[float] | Unknown
    error_ratio: Known[float] | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyTraffic:
    """What one proxy does, over a window of samples."""

    rps: Known[float] | Unknown
    error_ratio: Known[float] | Unknown
    """Share of 5xx answers, 0 to 1; Unknown when there were no requests in the window."""
    p50_ms: Known[float] | Unknown
    p99_ms: Known[float] | Unknown
    active: Known[int] | Unknown
    clusters: Mapping[str, ClusterTraffic] = field(default_factory=dict)
    routes: Mapping[tuple[str, str], RouteTraffic] = field(default_factory=dict)
    latency_window: Histogram | None = None
    """Cumulative buckets of the window alone; add those of several proxies before taking a quantile."""


def no_traffic(why: Unknown) -> ProxyTraffic:
    """Traffic of which nothing is known, for one reason."""
    return ProxyTraffic(rps=why, error_ratio=why, p50_ms=why, p99_ms=why, active=why)


NO_TRAFFIC = no_traffic(Unknown("no sample yet"))
"""The traffic of a proxy that never answered."""
