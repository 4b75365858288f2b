"""The questions, as PromQL.

Samples are asked for raw, by a range selector as an instant query (`metric[60s]`): they come with the true time of
their scrape, so that counters of one scrape stay together and two scrapes by one or two servers are told apart.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

from gwtui.adapters.prometheus import metrics
from gwtui.model.ids import ProxyKey

POD_LABELS = ("pod", "kubernetes_pod_name", "pod_name", "kube_pod", "kube_pod_name", "k8s_pod_name", "exported_pod")
NAMESPACE_LABELS = (
    "kube_namespace",
    "namespace",
    "kubernetes_namespace",
    "k8s_namespace_name",
    "exported_namespace",
)
"""Labels that set-ups give to the series of a pod, kgateway's documented one first."""

GATEWAY_LABEL = "gateway_networking_k8s_io_gateway_name"
"""The pod label of a gateway's proxies, where pod labels are mapped."""

LONGEST_NAMES = 2000
"""So many characters of pod names are named in a question; many servers in front of Prometheus refuse longer ones."""

_NAME = re.compile(r"[A-Za-z0-9._-]+")

NOW = "time()"


@dataclass(frozen=True, slots=True)
class Naming:
    """The labels by which one server knows pods."""

    pod: str
    namespace: str
    has_gateway: bool = False
    """Whether the series also carry `GATEWAY_LABEL`."""


def survey(match: str) -> str:
    """Return the question that counts the Envoys there are by every label that may name their pod."""
    labels = ", ".join((*POD_LABELS, *NAMESPACE_LABELS, GATEWAY_LABEL))
    return f"count by ({labels}) ({_selector(match, name=metrics.UPTIME)})"


def scope(naming: Naming, proxies: Collection[ProxyKey], match: str) -> str:
    """Return the matchers for these proxies: by name while they are few, else everything in their namespaces."""
    namespaces = _one_of({key.namespace for key in proxies})
    pods = _one_of({key.pod for key in proxies})
    matchers = [f'{naming.namespace}=~"{namespaces}"']
    if len(pods) <= LONGEST_NAMES:
        matchers.append(f'{naming.pod}=~"{pods}"')
    else:
        matchers.append(f'{GATEWAY_LABEL if naming.has_gateway else naming.pod}!=""')
    return ",".join((*matchers, match) if match else matchers)


def pulse(matchers: str, window_s: float) -> str:
    """Return the question for when each proxy was scraped, and whether scraping it works."""
    return f"{_selector(matchers, names=(metrics.UP, metrics.UPTIME))}{_range(window_s)}"


def proxies(matchers: str, window_s: float) -> str:
    """Return the question for the figures of whole proxies and of their listeners."""
    names = (*metrics.PROXY, *metrics.LISTENER, metrics.BUCKET, f"envoy_.+{metrics.REJECTED}", metrics.TAKEN)
    # kgateway gives the connection managers of all data listeners this prefix; others serve statistics and the admin.
    prefix = 'envoy_http_conn_manager_prefix=~"|http"'
    return f"{_selector(_all(matchers, _classes('45'), prefix), names=names)}{_range(window_s)}"


def clusters(matchers: str, window_s: float) -> str:
    """Return the question for every upstream."""
    return f"{_clusters(matchers)}{_range(window_s)}"


def routes(matchers: str, window_s: float) -> str:
    """Return the question for every route that exposes its counters."""
    return f"{_routes(matchers)}{_range(window_s)}"


CLUSTER_SERIES = "clusters"
ROUTE_SERIES = "routes"
TORN_CLUSTERS = "torn clusters"
"""Upstreams whose names hold a dot."""
ALL_ROUTES = "all routes"
TOLD_ROUTES = "told routes"


def sizes(matchers: str, namespaces: Collection[str]) -> str:
    """Return the question for how much the questions above would answer; label `of` says what each count is of.

    Args:
        matchers: what is asked about.
        namespaces: namespaces of the proxies; each proxy has a cluster `<gateway>.<namespace>` that nobody misses.
    """
    local = "|".join(re.sub("[^A-Za-z0-9_]", "_", name) for name in sorted(namespaces))
    not_local = f'__name__!~"envoy_cluster_({local})_membership_total"'
    torn = _selector(_all(matchers, not_local), name_like="envoy_cluster_.+_membership_total")
    exposed = _selector(matchers, name_like="envoy_vhost_(.+_)?route_.*upstream_rq_total")
    told = _selector(_all(matchers, 'envoy_route!=""'), name_like=metrics.ROUTE_NAMES.replace("(total|xx)", "total"))
    by_route = "count by (__name__, envoy_virtual_host, envoy_route)"
    parts = {
        CLUSTER_SERIES: _clusters(matchers),
        ROUTE_SERIES: _routes(matchers),
        TORN_CLUSTERS: f"count by (__name__, envoy_cluster_name) ({torn})",
        ALL_ROUTES: f"{by_route} ({exposed})",
        TOLD_ROUTES: f"{by_route} ({told})",
    }
    return " or ".join(f'label_replace(count({what}), "of", "{of}", "", "")' for of, what in parts.items())


def _clusters(matchers: str) -> str:
    static = f'envoy_cluster_name!~"{"|".join(metrics.STATIC_CLUSTERS)}"'
    return _selector(_all(matchers, _classes("5"), static), names=tuple(metrics.CLUSTER))


def _routes(matchers: str) -> str:
    return _selector(_all(matchers, _classes("45"), 'envoy_route!=""'), name_like=metrics.ROUTE_NAMES)


def _classes(wanted: str) -> str:
    """Answers of these classes alone, where a metric is divided by class."""
    return f'envoy_response_code_class=~"|{"|".join(wanted)}"'


def _selector(matchers: str, *, name: str = "", names: tuple[str, ...] = (), name_like: str = "") -> str:
    of_name = f'__name__="{name}"' if name else f'__name__=~"{name_like or "|".join(names)}"'
    return f"{{{_all(of_name, matchers)}}}"


def _all(*matchers: str) -> str:
    return ",".join(filter(None, matchers))


def _range(window_s: float) -> str:
    return f"[{math.ceil(window_s)}s]"


def _one_of(names: Collection[str]) -> str:
    """Return a regular expression for these names; what cannot be the name of a Kubernetes object is left out."""
    return "|".join(name.replace(".", "[.]") for name in sorted(names) if _NAME.fullmatch(name))
