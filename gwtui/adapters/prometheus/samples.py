"""Series into samples: everything that was scraped of one proxy at one time is one `ProxySample`."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from gwtui.adapters.prometheus import metrics
from gwtui.adapters.prometheus.decode import Labels, Series, Single
from gwtui.adapters.prometheus.metrics import Owner, Place, place
from gwtui.adapters.prometheus.queries import NAMESPACE_LABELS, POD_LABELS, Naming
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.quantiles import Histogram, ascends
from gwtui.model.samples import ClusterSample, ListenerSample, ProxySample, RouteSample, ServiceSample

NO_CERTIFICATE = 4_294_967_295
"""`envoy_server_days_until_first_cert_expiring` of a proxy that holds none: the largest 32-bit number."""

_STATES = {
    0: ProxyState.LIVE,
    1: ProxyState.DRAINING,
    2: ProxyState.INITIALIZING,
    3: ProxyState.INITIALIZING,
}


class Scrape(NamedTuple):
    """One scrape of one proxy."""

    proxy: ProxyKey
    at_ms: int
    """Its time, in milliseconds since 1970 in the server's clock: all series of a scrape have the same."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """When one proxy was scraped."""

    at_ms: tuple[int, ...]
    """Times of its scrapes, ascending."""
    fails: bool
    """Whether the last try of everybody who scrapes it failed (`up` is 0)."""


def choose_naming(found: Iterable[Single], proxies: Iterable[ProxyKey]) -> Naming | None:
    """Return the labels that name most of the proxies; None when none names any.

    Args:
        found: the answer to `queries.survey`.
        proxies: those to look for.
    """
    wanted = {(key.namespace, key.pod) for key in proxies}
    named: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    with_gateway: dict[tuple[str, str], int] = defaultdict(int)
    for each in found:
        for pod in POD_LABELS:
            for namespace in NAMESPACE_LABELS:
                name = getattr(each.metric, namespace), getattr(each.metric, pod)
                if name in wanted:
                    named[pod, namespace].add(name)
                    with_gateway[pod, namespace] += bool(each.metric.gateway)
    if not named:
        return None
    # Of equals the first stays first: labels are tried in the order in which they are listed.
    order = [(pod, namespace) for pod in POD_LABELS for namespace in NAMESPACE_LABELS if (pod, namespace) in named]
    best = max(order, key=lambda labels: len(named[labels]))
    return Naming(*best, has_gateway=with_gateway[best] >= len(named[best]))


def pulses(series: Iterable[Series], naming: Naming, cluster: str) -> dict[ProxyKey, Pulse]:
    """Return when each proxy was scraped, from the answer to `queries.pulse`."""
    at_ms: dict[ProxyKey, set[int]] = defaultdict(set)
    ups: dict[ProxyKey, list[bool]] = defaultdict(list)
    for each in series:
        key = _proxy(each.metric, naming, cluster)
        if each.metric.metric == metrics.UPTIME:
            at_ms[key].update(round(seconds * 1000) for seconds, _ in each.values)
        elif each.metric.metric == metrics.UP and each.values:
            ups[key].append(each.values[-1][1] != "0")
    return {
        key: Pulse(tuple(sorted(at_ms.get(key, ()))), fails=key in ups and not any(ups[key]))
        for key in at_ms.keys() | ups.keys()
    }


def decode_samples(
    series: Iterable[Series], scrapes: Iterable[Scrape], naming: Naming, *, mono_offset_s: float
) -> dict[Scrape, tuple[ProxyState, ProxySample]]:
    """Return the samples of these scrapes. A scrape that holds what no Envoy counts is left out.

    Args:
        series: the answers to all questions of one refresh.
        scrapes: those that were not reported yet.
        naming: the labels of pods.
        mono_offset_s: what to add to the server's seconds, so that they lie on the axis of monotonic time.
    """
    figures = {scrape: _Figures() for scrape in scrapes}
    cluster = next((scrape.proxy.cluster for scrape in figures), "")
    for each in series:
        labels = each.metric
        where = place(labels.metric, labels.answer_class, labels.le)
        if where is None:
            continue
        proxy = _proxy(labels, naming, cluster)
        cell = _cell(where, labels)
        for seconds, number in each.values:
            scrape = Scrape(proxy, round(seconds * 1000))
            if scrape in figures:
                figures[scrape].add(cell, number)
    made = ((scrape, found.sample(scrape, mono_offset_s)) for scrape, found in figures.items())
    return {scrape: sample for scrape, sample in made if sample is not None}


def _proxy(labels: Labels, naming: Naming, cluster: str) -> ProxyKey:
    return ProxyKey(cluster, getattr(labels, naming.namespace), getattr(labels, naming.pod))


class _Cell(NamedTuple):
    """One number of a sample."""

    owner: Owner
    name: str
    """Cluster, listener or virtual host."""
    route: str
    """Stat prefix."""
    figure: str
    series: str
    """What tells the series apart that are added to one figure."""


def _cell(where: Place, labels: Labels) -> _Cell:
    owner, figure, rest = where
    if owner is Owner.CLUSTER:
        return _Cell(owner, labels.cluster, "", figure, labels.metric)
    if owner is Owner.ROUTE:
        return _Cell(owner, labels.virtual_host, f"{labels.route}.{rest}" if rest else labels.route, figure, "")
    if owner is Owner.LISTENER:
        return _Cell(owner, labels.listener, "", figure, "")
    if owner is Owner.SERVICE:
        return _Cell(owner, _service(rest, labels), "", figure, labels.manager)
    return _Cell(owner, "", "", figure, labels.metric)


_Values = dict[str, int]


class _Figures:
    """The numbers of one scrape."""

    def __init__(self) -> None:
        self._cells: dict[_Cell, int] = {}
        self._is_spoiled = False

    def add(self, cell: _Cell, number: str) -> None:
        """Take one number. Servers in a pair may both answer with the same scrape: it counts once."""
        try:
            value = float(number)
            whole = int(value)
        except (ValueError, OverflowError):
            self._is_spoiled = True
            return
        if whole < 0 or whole != value:
            self._is_spoiled = True
        elif whole >= self._cells.get(cell, 0):
            self._cells[cell] = whole

    def sample(self, scrape: Scrape, mono_offset_s: float) -> tuple[ProxyState, ProxySample] | None:
        """Return the state and the sample, or None when the numbers are not those of an Envoy.

        A metric that is absent was never counted (`usedonly`) and means 0.
        """
        own: _Values = defaultdict(int)
        clusters: dict[str, _Values] = defaultdict(lambda: defaultdict(int))
        routes: dict[tuple[str, str], _Values] = defaultdict(lambda: defaultdict(int))
        listeners: dict[str, _Values] = defaultdict(lambda: defaultdict(int))
        services: dict[str, _Values] = defaultdict(lambda: defaultdict(int))
        for (owner, name, route, figure, _), value in self._cells.items():
            if owner is Owner.PROXY:
                own[figure] += value
            elif owner is Owner.CLUSTER:
                clusters[name][figure] += value
            elif owner is Owner.ROUTE:
                routes[name, route][figure] += value
            elif owner is Owner.LISTENER:
                listeners[name][figure] += value
            elif owner is Owner.SERVICE:
                services[name][figure] += value
        latency = _histogram({cell.figure: n for cell, n in self._cells.items() if cell.owner is Owner.LATENCY})
        # Every Envoy has an uptime. Without it this is not the whole scrape, and what is missing would read as 0.
        if self._is_spoiled or latency is None or "uptime_s" not in own:
            return None
        state = _STATES.get(own.get("state", -1), ProxyState.UNKNOWN)
        days = own.get("certificate_days", NO_CERTIFICATE)
        seconds = scrape.at_ms / 1000
        return state, ProxySample(
            taken_mono=seconds + mono_offset_s,
            taken_at=datetime.fromtimestamp(seconds, UTC),
            requests=own["requests"],
            errors_5xx=own["errors_5xx"],
            errors_4xx=own["errors_4xx"],
            active=own["active"],
            connections=own["connections"],
            upgrades=own["upgrades"],
            uptime_s=own.get("uptime_s"),
            aborts=own["aborts"],
            no_route=own["no_route"],
            no_cluster=own["no_cluster"],
            direct_answers=own["direct_answers"],
            latency=latency,
            clusters=dict(_backends(clusters, scrape.proxy)),
            routes={key: RouteSample(**values) for key, values in routes.items() if all(key)},
            listeners={name: ListenerSample(**values) for name, values in listeners.items() if name},
            services={name: _taken(name, values) for name, values in services.items()},
            certificate_days=None if days >= NO_CERTIFICATE else days,
            listeners_active=own.get("listeners_active"),
            # Nobody asked the proxy on our behalf: what Prometheus takes from it is not our cost.
            questions=0,
        )


def _service(kind: str, labels: Labels) -> str:
    """The subscription as its kind and what it brings: of what labels and the metric's name tell, both."""
    kind, _, rest = kind.partition(".")
    told = {"rds": labels.route_config, "sds": labels.xds_resource}.get(kind, labels.cluster)
    return ".".join(filter(None, (kind, told, rest)))


def _taken(name: str, values: _Values) -> ServiceSample:
    """What one subscription counted; endpoints that are taken are not asked for."""
    is_told = name.partition(".")[0] in {"lds", "cds", "rds", "sds"}
    return ServiceSample(rejected=values["rejected"], accepted=values["accepted"] if is_told else None)


def _backends(clusters: Mapping[str, _Values], proxy: ProxyKey) -> Iterator[tuple[str, ClusterSample]]:
    for name, values in clusters.items():
        if name and not metrics.is_local_cluster(name, namespace=proxy.namespace, pod=proxy.pod):
            yield name, ClusterSample(**values)


def _histogram(buckets: Mapping[str, int]) -> Histogram | None:
    """Return the cumulative buckets, () when nothing was recorded, None when they are not those of a histogram."""
    try:
        counts = sorted((float(bound), count) for bound, count in buckets.items())
    except ValueError:
        return None
    if not any(count for _, count in counts):
        return ()
    histogram = tuple(counts)
    bounds = [bound for bound, _ in histogram]
    if bounds[-1] != math.inf or any(map(math.isnan, bounds)) or len(set(bounds)) < len(bounds):
        return None
    return histogram if ascends(histogram) else None
