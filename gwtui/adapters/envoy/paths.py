"""Which paths of Envoy's admin interface one sample asks for, and which names never count as traffic.

The stats listener kgateway gives its proxies rewrites `/stats…` and `/ready` to the admin interface and keeps the
query, so the same paths work on both ports. Counters, gauges and histograms are asked for apart, each as often as it
is worth: `type` is the parameter that saves the proxy most work.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

READY = "/ready"
"""Cheapest and freshest state: 200 `LIVE`, or 503 with the reason."""

HCM = "http.http."
"""Start of the connection manager stats of every data listener: kgateway gives all of them the stat prefix `http`."""

COUNTER_FILTER = (
    r"^("
    r"http\.http\.(downstream_rq_(total|[45]xx|rx_reset)|no_route|no_cluster|rq_direct_response|rq_redirect)"
    r"|listener\..+\.http\.http\.downstream_rq_(completed|[45]xx)"
    r"|cluster\..+\.(upstream_rq_(total|5xx|retry|timeout|pending_overflow|active_overflow)"
    r"|upstream_cx_(connect_fail|overflow)|outlier_detection\.ejections_enforced_total)"
    r"|vhost\..+\.route\..+\.upstream_rq_(total|[45]xx)"
    r"|.+\.update_rejected"
    r"|(listener_manager\.lds|cluster_manager\.cds|http\.http\.rds\..+|sds\..+)\.update_success"
    r")$"
)
"""Names of the counters one sample needs, as RE2. It has no look-ahead, so duplicates and static clusters are dropped
on our side."""

GAUGE_FILTER = (
    r"^("
    r"http\.http\.downstream_(rq_active|cx_active|cx_upgrades_active)"
    r"|cluster\..+\.(upstream_rq_active|membership_(healthy|total)|outlier_detection\.ejections_active"
    r"|circuit_breakers\.default\.(cx|rq|rq_pending|rq_retry)_open)"
    r"|(listener_manager\.lds|cluster_manager\.cds|http\.http\.rds\..+|sds\..+)\.version"
    r"|server\.(uptime|state|days_until_first_cert_expiring)"
    r"|listener_manager\.total_listeners_active"
    r")$"
)
"""Names of the gauges one sample needs."""

LATENCY_FILTER = r"^http\.http\.downstream_rq_time$"
"""The latency of all data listeners together."""

DETAIL_FILTER = (
    r"^(http\.http\.downstream_rq_time|cluster\..+\.upstream_rq_time|vhost\..+\.route\..+\.upstream_rq_time)$"
)
"""The same, and that of every upstream and exposed route: for a proxy somebody looks at."""


def _stats(kind: str, pattern: str) -> str:
    return f"/stats?format=json&usedonly&type={kind}&filter={quote(pattern, safe='')}"


COUNTERS = _stats("Counters", COUNTER_FILTER)
"""Names Envoy never wrote are absent (`usedonly`) and mean 0."""

GAUGES = _stats("Gauges", GAUGE_FILTER)
LATENCY = _stats("Histograms", LATENCY_FILTER) + "&histogram_buckets=cumulative"
DETAIL = _stats("Histograms", DETAIL_FILTER) + "&histogram_buckets=cumulative"


FOLLOWED_SERVICES = frozenset({"lds", "cds", "rds", "sds"})
"""Kinds of subscriptions whose taken updates are asked for with every sample."""

MOST_FOLLOWED = 20
"""So many clusters' endpoints are followed closely at once: their names make the question longer."""


def following(path: str, clusters: Sequence[str]) -> str:
    """Return `COUNTERS` or `GAUGES` with what tells whether endpoints of these clusters are taken again.

    Asked for every cluster it would cost as much as the rest; so it is asked where endpoints were refused.

    Args:
        path: one of the two.
        clusters: their names, at most `MOST_FOLLOWED`.
    """
    if not clusters:
        return path
    names = "|".join(map(re.escape, clusters))
    more = rf"|cluster\.({names})\.(update_success|version))$"
    end = quote(")$", safe="")
    return f"{path.removesuffix(end)}{quote(more, safe='')}"


def in_text(path: str) -> str:
    """Return what to ask the stats port for where it does not offer `/stats` (`enableStatsRoute: false`).

    kgateway rewrites `/metrics` to `/stats/prometheus?usedonly` and leaves our query behind that, so the first
    parameter is lost: it is one that means nothing.
    """
    query = urlsplit(path).query.split("&")
    return "/metrics?gwtui&usedonly&" + next(each for each in query if each.startswith("filter="))


STATIC_CLUSTERS = frozenset({"xds_cluster", "admin_port_cluster", "gateway_proxy_sds"})
"""Clusters of the bootstrap every kgateway proxy starts with: control traffic, and our own questions."""

COPY = re.compile(r"\.(?:external|internal|canary|retry|zone\.[^.]+\.[^.]+)$")
"""End of the cluster part of a name under which Envoy counts the same answers a second time."""


def is_local_cluster(cluster: str, *, namespace: str, pod: str) -> bool:
    """Whether an Envoy cluster is the proxy's own `<gateway>.<namespace>`, which exists for zone-aware routing only."""
    gateway, dot, of_namespace = cluster.rpartition(".")
    return bool(dot) and of_namespace == namespace and pod.startswith(f"{gateway}-")
