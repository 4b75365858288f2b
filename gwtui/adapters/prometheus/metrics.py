"""Envoy's statistics under their Prometheus names: which figure of a sample each one is.

*Source:* `/stats/prometheus?usedonly` of Envoy 1.40. Envoy takes the parts of a name it knows into labels, up to the
first dot of each, and turns every other character of the rest into `_`. So the name of a cluster or a stat prefix that
holds a dot is torn apart: `cluster.pay.example.com_443.upstream_rq_total` becomes
`envoy_cluster_example_com_443_upstream_rq_total{envoy_cluster_name="pay"}`, where `_` may have been `.`, `-` or `_`.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

UP = "up"
"""Made by Prometheus for every scrape of a target: 1, or 0 when it failed."""

UPTIME = "envoy_server_uptime"
"""Every Envoy has it in every scrape, so its samples tell when each proxy was scraped."""

BUCKET = "envoy_http_downstream_rq_time_bucket"

REJECTED = "_update_rejected"
"""End of the counters of refused configuration, whatever they belong to."""


class Owner(Enum):
    """What a series belongs to."""

    PROXY = "proxy"
    CLUSTER = "cluster"
    ROUTE = "route"
    LISTENER = "listener"
    LATENCY = "latency"
    SERVICE = "service"


PROXY = {
    "envoy_http_downstream_rq_total": "requests",
    "envoy_http_downstream_rq_xx": "",
    "envoy_http_downstream_rq_active": "active",
    "envoy_http_downstream_rq_rx_reset": "aborts",
    "envoy_http_downstream_cx_active": "connections",
    "envoy_http_downstream_cx_upgrades_active": "upgrades",
    "envoy_http_no_route": "no_route",
    "envoy_http_no_cluster": "no_cluster",
    "envoy_http_rq_direct_response": "direct_answers",
    "envoy_http_rq_redirect": "direct_answers",
    UPTIME: "uptime_s",
    "envoy_server_state": "state",
    "envoy_server_days_until_first_cert_expiring": "certificate_days",
    "envoy_listener_manager_total_listeners_active": "listeners_active",
}
"""Figure of each metric; empty where the class of the answers decides. Figures named twice are added."""

CLUSTER = {
    "envoy_cluster_upstream_rq_total": "requests",
    "envoy_cluster_upstream_rq_xx": "",
    "envoy_cluster_upstream_rq_retry": "retries",
    "envoy_cluster_upstream_rq_timeout": "timeouts",
    "envoy_cluster_upstream_rq_pending_overflow": "overflows",
    "envoy_cluster_upstream_rq_active_overflow": "overflows",
    "envoy_cluster_upstream_cx_overflow": "overflows",
    "envoy_cluster_upstream_cx_connect_fail": "connect_failures",
    "envoy_cluster_outlier_detection_ejections_enforced_total": "ejections",
    "envoy_cluster_upstream_rq_active": "active",
    "envoy_cluster_membership_healthy": "members_healthy",
    "envoy_cluster_membership_total": "members_total",
    "envoy_cluster_outlier_detection_ejections_active": "ejected",
    "envoy_cluster_circuit_breakers_default_cx_open": "open_breakers",
    "envoy_cluster_circuit_breakers_default_rq_open": "open_breakers",
    "envoy_cluster_circuit_breakers_default_rq_pending_open": "open_breakers",
    "envoy_cluster_circuit_breakers_default_rq_retry_open": "open_breakers",
}

LISTENER = {
    "envoy_listener_http_downstream_rq_completed": "answers",
    "envoy_listener_http_downstream_rq_xx": "",
}

_ROUTE_ENDINGS = {"upstream_rq_total": "requests", "upstream_rq_xx": ""}
_ROUTE = re.compile(r"envoy_vhost_route_(?:(?P<rest>[a-zA-Z0-9]+)_)?(?P<ending>upstream_rq_total|upstream_rq_xx)")
ROUTE_NAMES = "envoy_vhost_route_([a-zA-Z0-9]+_)?upstream_rq_(total|xx)"
"""Names of the routes whose stat prefix can be told exactly: without a dot, or with one dot and then letters and digits
alone, in which Envoy had nothing to replace."""

STATIC_CLUSTERS = ("xds_cluster", "admin_port_cluster", "gateway_proxy_sds")
"""Clusters of the bootstrap every kgateway proxy starts with: control traffic, and questions about the proxy itself."""

TAKEN = "envoy_(listener_manager_lds|cluster_manager_cds|http_rds(_.+)?|sds)_update_success"
"""Names of the counters of taken configuration; those of endpoints would be as many as there are clusters."""

_SERVICE = re.compile(
    "envoy_(?:listener_manager_(?P<lds>lds)|cluster_manager_(?P<cds>cds)|http_rds(?P<rds>_.+)?|(?P<sds>sds)"
    "|cluster(?P<eds>_.+)?|(?P<other>.+))_(?P<ending>update_rejected|update_success)"
)
_SERVICE_FIGURES = {"update_rejected": "rejected", "update_success": "accepted"}

_CLASSES = {"4": "errors_4xx", "5": "errors_5xx"}


class Place(NamedTuple):
    """Where the values of a series go."""

    owner: Owner
    figure: str
    """Field of the sample; the upper bound for a bucket."""
    rest: str = ""
    """What the metric's name holds of a stat prefix: all behind its first dot. Of a subscription to configuration: its
    kind and, behind a dot, what the metric's name holds of its own."""


def place(metric: str, answer_class: str, bound: str) -> Place | None:
    """Return where a series goes, or None when it is none of a sample's.

    Args:
        metric: the metric's name.
        answer_class: label `envoy_response_code_class`, empty where there is none.
        bound: label `le`, the same.
    """
    for owner, names in ((Owner.PROXY, PROXY), (Owner.CLUSTER, CLUSTER), (Owner.LISTENER, LISTENER)):
        if metric in names:
            figure = names[metric] or _CLASSES.get(answer_class, "")
            return Place(owner, figure) if figure else None
    if metric == BUCKET:
        return Place(Owner.LATENCY, bound)
    if (found := _SERVICE.fullmatch(metric)) is not None:
        return Place(Owner.SERVICE, _SERVICE_FIGURES[found["ending"]], _service(found))
    if found := _ROUTE.fullmatch(metric):
        figure = _ROUTE_ENDINGS[found["ending"]] or _CLASSES.get(answer_class, "")
        return Place(Owner.ROUTE, figure, found["rest"] or "") if figure else None
    return None


def _service(found: re.Match[str]) -> str:
    """`lds`, `rds.listener_8080`, `eds`, …: as much as the metric's name tells."""
    if other := found["other"]:
        return str(other)
    metric = found.string.removeprefix("envoy_")
    kind = next(kind for start, kind in _KINDS.items() if metric.startswith(start))
    rest = str(found[kind] or "").removeprefix("_")
    return f"{kind}.{rest}" if rest and kind in {"rds", "eds"} else kind


_KINDS = {"listener_manager": "lds", "cluster_manager": "cds", "http_rds": "rds", "sds": "sds", "cluster": "eds"}


def is_local_cluster(cluster: str, *, namespace: str, pod: str) -> bool:
    """Whether an Envoy cluster is the proxy's own `<gateway>.<namespace>`, which exists for zone-aware routing only."""
    gateway, dot, of_namespace = cluster.rpartition(".")
    return bool(dot) and of_namespace == namespace and pod.startswith(f"{gateway}-")
