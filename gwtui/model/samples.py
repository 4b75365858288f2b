"""Counters of one proxy at one moment, as read: the raw material of every figure.

Counters count since the proxy started and only grow; gauges are levels. What a proxy never counted is absent from its
answers and means 0. The small records are structs outside the garbage collector's view: a fleet holds millions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from gwtui.model.quantiles import Histogram


class ClusterSample(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Counters of one Envoy cluster (= one upstream, one hop). *Source:* `cluster.<name>.*`."""

    requests: int = 0
    """`upstream_rq_total`: requests sent upstream, retries included."""
    errors_5xx: int = 0
    """`upstream_rq_5xx`, answers made by Envoy itself (no host, overflow) included."""
    errors_4xx: int = 0
    retries: int = 0
    """`upstream_rq_retry`."""
    timeouts: int = 0
    """`upstream_rq_timeout`: answered 504 by the route's timeout."""
    overflows: int = 0
    """Requests a circuit breaker refused: `upstream_rq_pending_overflow` + `upstream_rq_active_overflow`, the name that
    `max_requests` counts under since Envoy 1.38, + `upstream_cx_overflow`."""
    connect_failures: int = 0
    """`upstream_cx_connect_fail`, timeouts of connecting included."""
    ejections: int = 0
    """`outlier_detection.ejections_enforced_total`."""
    active: int | None = None
    """Gauge: requests in flight. None: gauges were not read."""
    members_healthy: int | None = None
    members_total: int | None = None
    ejected: int | None = None
    """Gauge: endpoints ejected now (`outlier_detection.ejections_active`)."""
    open_breakers: int | None = None
    """Gauge: how many circuit breakers of default priority are open at this moment; they flicker between samples."""


class RouteSample(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Counters of one route that exposes them. *Source:* `vhost.<vhost>.route.<stat prefix>.*`."""

    requests: int = 0
    errors_5xx: int = 0
    errors_4xx: int = 0


class ListenerSample(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Counters of the HTTP answers of one listener. *Source:* `listener.<address>.http.http.downstream_rq_*`."""

    answers: int = 0
    """`downstream_rq_completed`."""
    errors_5xx: int = 0
    errors_4xx: int = 0


class ServiceSample(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What one subscription to configuration counted. *Source:* `<subscription>.update_*` and `.version`."""

    rejected: int = 0
    """`update_rejected`: updates refused since the subscription began."""
    accepted: int | None = None
    """`update_success`: updates taken, equal ones included. None: not told."""
    version: int | None = None
    """Hash of the version delivered last that was taken (gauge `version`). None: not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySample:
    """Everything read of one proxy at one moment."""

    taken_mono: float
    """Seconds on an axis of which only differences within one proxy mean anything; rates are computed from it alone."""
    taken_at: datetime
    """The same moment as aware UTC, for display."""
    requests: int
    """HTTP requests received by the data listeners (`http.http.downstream_rq_total`)."""
    errors_5xx: int
    """`http.http.downstream_rq_5xx`."""
    errors_4xx: int
    active: int | None
    """Gauge: requests in flight (`downstream_rq_active`), long streams included."""
    uptime_s: int | None
    """Gauge `server.uptime`; a decrease is a restart."""
    latency: Histogram | None
    """`http.http.downstream_rq_time`, cumulative; None when it was not asked for with this sample, empty when nothing
    was recorded yet."""
    clusters: Mapping[str, ClusterSample] = field(default_factory=dict)
    """By Envoy cluster name, for example `kube_infra_shard-a_8080`."""
    routes: Mapping[tuple[str, str], RouteSample] = field(default_factory=dict)
    """By (virtual host name, stat prefix)."""
    listeners: Mapping[str, ListenerSample] = field(default_factory=dict)
    """By address as statistics write it, for example `0.0.0.0_8080` or `[__]_8080`."""
    cluster_latency: Mapping[str, Histogram] = field(default_factory=dict)
    """`cluster.<name>.upstream_rq_time`; only while somebody looks at the proxy."""
    route_latency: Mapping[tuple[str, str], Histogram] = field(default_factory=dict)
    gauges_at: datetime | None = None
    """When the gauges were read, where that was earlier than the counters."""
    connections: int | None = None
    """Gauge `downstream_cx_active`, idle keep-alive included."""
    upgrades: int | None = None
    """Gauge `downstream_cx_upgrades_active`: WebSockets and other upgraded connections."""
    aborts: int = 0
    """`downstream_rq_rx_reset`: requests that clients gave up."""
    no_route: int = 0
    """Requests no route wanted (404)."""
    no_cluster: int = 0
    """Requests to a cluster that does not exist (503)."""
    direct_answers: int = 0
    """Direct responses and redirects, which no cluster and no route counts."""
    services: Mapping[str, ServiceSample] = field(default_factory=dict)
    """By subscription: `lds`, `cds`, `rds.<route configuration>`, `sds.<secret>`, and `eds.<cluster>` for endpoints
    that were refused. One that is absent refused nothing."""
    certificate_days: int | None = None
    """Gauge `server.days_until_first_cert_expiring`; None where it holds no certificate."""
    listeners_active: int | None = None
    answer_bytes: int = 0
    """Size of the answers this sample was read from."""
    answer_ms: float = 0.0
    """Time the requests for this sample took, in ms, as we saw it: network included."""
    admin_ms: float = 0.0
    """The part of it that we count as the proxy's own: without what its quickest answer ever took."""
    ready_ms: float | None = None
    """Time its `/ready` took, which waits for everything else its main thread does; None where it is not offered."""
    questions: int = 1
    """HTTP requests this sample was read with."""

    @property
    def update_rejected(self) -> int:
        """Configuration this proxy refused since it started, of all its subscriptions together."""
        return sum(service.rejected for service in self.services.values())
