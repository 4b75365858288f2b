"""What the name of one statistic says: whose it is, and which figure.

Names are cut at both ends only: clusters and stat prefixes may hold dots. Virtual hosts of kgateway hold none, so the
first `.route.` ends them. A fleet repeats the same names with every sample of every proxy, so each is read once.
"""

from __future__ import annotations

import sys
from enum import Enum
from typing import NamedTuple

from gwtui.adapters.envoy.paths import HCM, STATIC_CLUSTERS

REMEMBERED = 200_000
"""So many names are remembered; then all are forgotten at once."""


class Owner(Enum):
    """What a statistic belongs to."""

    PROXY = "proxy"
    CLUSTER = "cluster"
    ROUTE = "route"
    LISTENER = "listener"
    SERVICE = "service"
    """One subscription to configuration."""


class Place(NamedTuple):
    """Where a statistic goes."""

    owner: Owner
    name: str
    """Cluster, address of a listener, discovery service, virtual host; empty for the proxy and its state."""
    figure: str
    """Field of the sample."""
    route: str = ""
    """Stat prefix of the route."""


PROXY_FIGURES = {
    f"{HCM}downstream_rq_total": "requests",
    f"{HCM}downstream_rq_5xx": "errors_5xx",
    f"{HCM}downstream_rq_4xx": "errors_4xx",
    f"{HCM}downstream_rq_rx_reset": "aborts",
    f"{HCM}no_route": "no_route",
    f"{HCM}no_cluster": "no_cluster",
    f"{HCM}rq_direct_response": "direct_answers",
    f"{HCM}rq_redirect": "direct_answers",
    f"{HCM}downstream_rq_active": "active",
    f"{HCM}downstream_cx_active": "connections",
    f"{HCM}downstream_cx_upgrades_active": "upgrades",
    "server.uptime": "uptime_s",
    "server.state": "state",
    "server.days_until_first_cert_expiring": "certificate_days",
    "listener_manager.total_listeners_active": "listeners_active",
}

CLUSTER_FIGURES = {
    "upstream_rq_total": "requests",
    "upstream_rq_5xx": "errors_5xx",
    "upstream_rq_4xx": "errors_4xx",
    "upstream_rq_retry": "retries",
    "upstream_rq_timeout": "timeouts",
    "upstream_rq_pending_overflow": "overflows",
    "upstream_rq_active_overflow": "overflows",
    "upstream_cx_overflow": "overflows",
    "upstream_cx_connect_fail": "connect_failures",
    "outlier_detection.ejections_enforced_total": "ejections",
    "upstream_rq_active": "active",
    "membership_healthy": "members_healthy",
    "membership_total": "members_total",
    "outlier_detection.ejections_active": "ejected",
    "circuit_breakers.default.cx_open": "open_breakers",
    "circuit_breakers.default.rq_open": "open_breakers",
    "circuit_breakers.default.rq_pending_open": "open_breakers",
    "circuit_breakers.default.rq_retry_open": "open_breakers",
    "upstream_rq_time": "latency",
}

ROUTE_FIGURES = {
    "upstream_rq_total": "requests",
    "upstream_rq_5xx": "errors_5xx",
    "upstream_rq_4xx": "errors_4xx",
    "upstream_rq_time": "latency",
}

LISTENER_FIGURES = {
    "downstream_rq_completed": "answers",
    "downstream_rq_5xx": "errors_5xx",
    "downstream_rq_4xx": "errors_4xx",
}

SERVICE_FIGURES = {"update_rejected": "rejected", "update_success": "accepted", "version": "version"}

_SERVICES = {"listener_manager.lds": "lds", "cluster_manager.cds": "cds"}

_LONG_ENDINGS = {"outlier_detection", "circuit_breakers.default"}

places: dict[str, Place | None] = {}
"""Names that were read already, for whoever reads thousands of them in a row: `place` is asked for the rest."""


def place(name: str) -> Place | None:
    """Return where the statistic of this name goes, or None when it is none of the sample's."""
    try:
        return places[name]
    except KeyError:
        if len(places) >= REMEMBERED:
            places.clear()
        found = places[name] = _read(name)
        return found


def _read(name: str) -> Place | None:
    if figure := PROXY_FIGURES.get(name):
        return Place(Owner.PROXY, "", figure)
    owner, _, ending = name.rpartition(".")
    if ending in SERVICE_FIGURES:
        service = _service(owner, ending)
        return Place(Owner.SERVICE, sys.intern(service), SERVICE_FIGURES[ending]) if service else None
    kind, _, own = owner.partition(".")
    read = _READ_BY_KIND.get(kind)
    return read(own, ending) if read else None


def _service(owner: str, ending: str) -> str:
    """The subscription as its kind and, where there are many of a kind, what it brings."""
    if owner in _SERVICES:
        return _SERVICES[owner]
    if owner.startswith(f"{HCM}rds."):
        return owner.removeprefix(HCM)
    kind, _, own = owner.partition(".")
    if kind == "cluster":
        return f"eds.{own}"
    # Whatever refuses something counts, under the name Envoy gives it; `server.version` is no subscription.
    return owner if kind == "sds" or ending == "update_rejected" else ""


def _of_route(owner: str, ending: str) -> Place | None:
    virtual_host, _, prefix = owner.partition(".route.")
    figure = ROUTE_FIGURES.get(ending)
    if not (virtual_host and prefix and figure):
        return None
    return Place(Owner.ROUTE, sys.intern(virtual_host), figure, sys.intern(prefix))


def _of_listener(owner: str, ending: str) -> Place | None:
    address, manager, _ = owner.rpartition(".http.http")
    figure = LISTENER_FIGURES.get(ending)
    return Place(Owner.LISTENER, sys.intern(address), figure) if manager and address and figure else None


def _of_cluster(cluster: str, ending: str) -> Place | None:
    for middle in _LONG_ENDINGS:
        if cluster.endswith(f".{middle}"):
            cluster, ending = cluster[: -len(middle) - 1], f"{middle}.{ending}"
    if cluster in STATIC_CLUSTERS:
        return None
    figure = CLUSTER_FIGURES.get(ending)
    return Place(Owner.CLUSTER, sys.intern(cluster), figure) if figure and cluster else None


_READ_BY_KIND = {"cluster": _of_cluster, "vhost": _of_route, "listener": _of_listener}
