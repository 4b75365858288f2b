"""Which paths of Envoy's admin interface one sample asks for, and which names never count as traffic.

The stats listener kgateway gives its proxies rewrites `/stats…` and `/ready` to the admin interface and keeps the
query, so the same paths work on both ports.
"""

from __future__ import annotations

import re
from urllib.parse import quote

READY = "/ready"
"""Cheapest and freshest state: 200 `LIVE`, or 503 with the reason."""

HCM = "http.http."
"""Start of the connection manager stats of every data listener: kgateway gives all of them the stat prefix `http`."""

FLEET_FILTER = (
    r"^("
    r"http\.http\.downstream_rq_(total|[1-5]xx|active|time)"
    r"|cluster\..+\.(upstream_rq_(total|5xx|active)|membership_(healthy|total))"
    r"|vhost\..+\.route\..+\.upstream_rq_(total|5xx)"
    r"|.+\.update_rejected"
    r"|server\.(uptime|state)"
    r"|listener_manager\.total_listeners_active"
    r")$"
)
"""Names one sample needs, as RE2. It has no look-ahead, so duplicates and static clusters are dropped on our side."""

STATS = f"/stats?format=json&usedonly&histogram_buckets=cumulative&filter={quote(FLEET_FILTER, safe='')}"
"""Counters, gauges and the latency histogram in one answer; names Envoy never wrote are absent and mean 0."""

STATIC_CLUSTERS = frozenset({"xds_cluster", "admin_port_cluster", "gateway_proxy_sds"})
"""Clusters of the bootstrap every kgateway proxy starts with: control traffic, and our own questions."""

COPY = re.compile(r"\.(?:external|internal|canary|retry|zone\.[^.]+\.[^.]+)$")
"""End of the cluster part of a name under which Envoy counts the same answers a second time."""


def is_local_cluster(cluster: str, *, namespace: str, pod: str) -> bool:
    """Whether an Envoy cluster is the proxy's own `<gateway>.<namespace>`, which exists for zone-aware routing only."""
    gateway, dot, of_namespace = cluster.rpartition(".")
    return bool(dot) and of_namespace == namespace and pod.startswith(f"{gateway}-")
