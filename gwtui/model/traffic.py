"""Traffic of one proxy: raw samples as read, and the rates two of them give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import TypeVar

from gwtui.model.known import Known, Unknown

Histogram = tuple[tuple[float, int], ...]
"""Cumulative buckets since start: (upper bound in ms, count of values <= bound), ascending; the last bound is infinity.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSample:
    """Counters of one Envoy cluster (= one upstream, one hop) since the proxy started. None: not in the answer."""

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
    """Rates of one route that exposes its counters, over the window of its proxy."""

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

FIRST_SAMPLE = Unknown("first sample, no rate yet")
NO_REQUESTS = Unknown("no requests in the window")
NO_LATENCY = Unknown("no latency recorded in the window yet")
"""There were requests, but none ended, or the proxy has not flushed its histograms since."""

QUANTILE_WINDOW_S = 30.0
"""Window of the latency quantiles, in seconds. Envoy refreshes histograms only at its stats flush, every 5 s, so the
few seconds that suit a rate would often hold no new values."""

_Value = Known[float] | Unknown
_Rates = tuple[_Value, _Value]
"""Requests/s and error ratio."""

_K = TypeVar("_K")
_N = TypeVar("_N", int, float)
_V = TypeVar("_V")


def measure(samples: Sequence[ProxySample], *, window_s: float) -> ProxyTraffic:
    """Return what a proxy did over its newest samples.

    A counter or an uptime that went down is a restart or a reset: only what came since counts, so no rate is ever
    negative. A cluster or route whose own counters went down was made anew: the same, for it alone.

    Args:
        samples: samples of one proxy, oldest first.
        window_s: seconds of samples to use; where they hold the newest alone, the one before it is used as well.
    """
    if not samples:
        return NO_TRAFFIC
    life = _since_restart(samples)
    newest, window = life[-1], _window(life, window_s)
    rps, error_ratio = _rates(window, [(sample.requests, sample.errors_5xx) for sample in window])
    latency, p50_ms, p99_ms = _latency(_window(life, QUANTILE_WINDOW_S))
    return ProxyTraffic(
        rps=rps,
        error_ratio=error_ratio,
        p50_ms=p50_ms,
        p99_ms=p99_ms,
        active=Unknown("not in the answer") if newest.active is None else Known(newest.active, newest.taken_at),
        clusters={name: _cluster(name, window) for name in newest.clusters},
        routes={key: _route(key, window) for key in newest.routes},
        latency_window=latency,
    )


def quantile(histogram: Histogram, q: float) -> float | None:
    """Return the value, in ms, below which the share `q` of the recorded values lies; None when there are none.

    Values are taken as spread evenly within their bucket. Beyond the last finite bound only that bound is known.

    Raises:
        ValueError: `q` is not within 0 to 1.
    """
    if not 0 <= q <= 1:
        raise ValueError(f"{q} is not a share")
    count_all = histogram[-1][1] if histogram else 0
    rank = min(q * count_all, count_all)  # the product may round up beyond a very large count
    lower, below = 0.0, 0
    for bound, count in histogram:
        if count > below and count >= rank:
            if bound == math.inf:
                return lower if len(histogram) > 1 else None
            return min(lower + (bound - lower) * ((rank - below) / (count - below)), bound)
        lower, below = bound, count
    return None


def merge(histograms: Iterable[Histogram]) -> Histogram:
    """Return the histogram of all values together; empty when there is none.

    Only bounds that all of them have are kept, since the counts at those are exact.
    """
    parts = [dict(histogram) for histogram in histograms if histogram]
    if not parts:
        return ()
    bounds = set(parts[0]).intersection(*parts[1:])
    return tuple((bound, sum(part[bound] for part in parts)) for bound in sorted(bounds))


def total(traffics: Iterable[ProxyTraffic]) -> ProxyTraffic:
    """Return what several proxies of one gateway did together.

    Rates are added, error ratios weighted by rate, quantiles taken from the merged windows. What is unknown of a proxy
    is left out, so a total covers the proxies that are known: counting them is up to the caller. `observed_at` is that
    of the oldest part.
    """
    parts = tuple(traffics)
    if not parts:
        return NO_TRAFFIC
    rps, error_ratio = _total_rates([(part.rps, part.error_ratio) for part in parts])
    windows = [part.latency_window for part in parts if part.latency_window is not None]
    window = merge(windows) if windows else None
    return ProxyTraffic(
        rps=rps,
        error_ratio=error_ratio,
        p50_ms=_total_quantile(window, 0.5, [part.p50_ms for part in parts]),
        p99_ms=_total_quantile(window, 0.99, [part.p99_ms for part in parts]),
        active=_sum([part.active for part in parts]),
        clusters={name: _total_cluster(each) for name, each in _grouped(part.clusters for part in parts).items()},
        routes={key: _total_route(each) for key, each in _grouped(part.routes for part in parts).items()},
        latency_window=window,
    )


def _since_restart(samples: Sequence[ProxySample]) -> Sequence[ProxySample]:
    start = len(samples) - 1
    while start > 0 and not _restarted(samples[start - 1], samples[start]):
        start -= 1
    return samples[start:]


def _restarted(before: ProxySample, after: ProxySample) -> bool:
    """Whether the counters began anew. `update_rejected` does not tell: it falls when a cluster is removed."""
    return (
        after.requests < before.requests
        or after.errors_5xx < before.errors_5xx
        or after.errors_4xx < before.errors_4xx
        or (after.uptime_s or 0) < (before.uptime_s or 0)
        or not _ascends(_added(before.latency, after.latency))
    )


def _window(life: Sequence[ProxySample], window_s: float) -> Sequence[ProxySample]:
    start = len(life) - 1
    while start > 0 and (start == len(life) - 1 or life[-1].taken_mono - life[start - 1].taken_mono <= window_s):
        start -= 1
    return life[start:]


def _rates(window: Sequence[ProxySample], counts: Sequence[tuple[int, int]]) -> _Rates:
    """Requests/s and error ratio from (requests, errors) per sample of the window, since they last went down."""
    start = len(counts) - 1
    requests, errors = counts[start]
    while start > 0 and counts[start - 1][0] <= counts[start][0] and counts[start - 1][1] <= counts[start][1]:
        start -= 1
    newest = window[-1]
    span_s = newest.taken_mono - window[start].taken_mono
    if span_s <= 0:
        return FIRST_SAMPLE, FIRST_SAMPLE
    requests, errors = requests - counts[start][0], errors - counts[start][1]
    # Answers the proxy makes itself (no host, overflow) count as errors of a cluster that was never sent a request.
    answered = max(requests, errors)
    rps = Known(requests / span_s, newest.taken_at)
    return rps, Known(errors / answered, newest.taken_at) if answered else NO_REQUESTS


def _cluster(name: str, window: Sequence[ProxySample]) -> ClusterTraffic:
    newest = window[-1].clusters[name]
    samples = [sample.clusters.get(name, _NO_CLUSTER) for sample in window]
    rps, error_ratio = _rates(window, [(each.requests, each.errors_5xx) for each in samples])
    return ClusterTraffic(
        rps=rps,
        error_ratio=error_ratio,
        members_healthy=newest.members_healthy,
        members_total=newest.members_total,
    )


def _route(key: tuple[str, str], window: Sequence[ProxySample]) -> RouteTraffic:
    samples = [sample.routes.get(key, _NO_ROUTE) for sample in window]
    rps, error_ratio = _rates(window, [(each.requests, each.errors_5xx) for each in samples])
    return RouteTraffic(rps=rps, error_ratio=error_ratio)


def _latency(window: Sequence[ProxySample]) -> tuple[Histogram | None, _Value, _Value]:
    """The window's own histogram, its p50 and its p99."""
    first, newest = window[0], window[-1]
    if len(window) < 2:
        return None, FIRST_SAMPLE, FIRST_SAMPLE
    added = _added(first.latency, newest.latency)
    p50, p99 = quantile(added, 0.5), quantile(added, 0.99)
    if p50 is None or p99 is None:
        reason = NO_LATENCY if newest.requests > first.requests else NO_REQUESTS
        return added or None, reason, reason
    return added, Known(p50, newest.taken_at), Known(p99, newest.taken_at)


def _added(before: Histogram | None, after: Histogram | None) -> Histogram:
    """What came to a cumulative histogram, at the bounds both have; not ascending where it began anew."""
    if not before or not after:
        return after or tuple((bound, -count) for bound, count in before or ())
    counts = dict(after)
    return tuple((bound, counts[bound] - count) for bound, count in before if bound in counts)


def _ascends(histogram: Histogram) -> bool:
    return all(below <= count for below, count in pairwise((0, *(count for _, count in histogram))))


def _sum(values: Sequence[Known[_N] | Unknown]) -> Known[_N] | Unknown:
    known = [value for value in values if isinstance(value, Known)]
    if not known:
        return values[0]
    return Known(sum(value.value for value in known), min(value.observed_at for value in known))


def _total_rates(parts: Sequence[_Rates]) -> _Rates:
    rps = _sum([part[0] for part in parts])
    known = [(rate, ratio) for rate, ratio in parts if isinstance(rate, Known) and isinstance(ratio, Known)]
    if not known:
        return rps, parts[0][1]
    # Where nothing was sent, every answer was the proxy's own error: then each proxy weighs the same.
    weights = [rate.value for rate, _ in known] if any(rate.value for rate, _ in known) else [1.0] * len(known)
    ratio = sum(weight * ratio.value for weight, (_, ratio) in zip(weights, known, strict=True)) / sum(weights)
    return rps, Known(min(ratio, 1.0), min(ratio.observed_at for _, ratio in known))


def _total_quantile(window: Histogram | None, q: float, parts: Sequence[_Value]) -> _Value:
    value = quantile(window, q) if window else None
    known = [part.observed_at for part in parts if isinstance(part, Known)]
    if value is None or not known:
        return next((part for part in parts if isinstance(part, Unknown)), NO_LATENCY)
    return Known(value, min(known))


def _grouped(mappings: Iterable[Mapping[_K, _V]]) -> dict[_K, list[_V]]:
    groups: dict[_K, list[_V]] = {}
    for mapping in mappings:
        for key, value in mapping.items():
            groups.setdefault(key, []).append(value)
    return groups


def _total_cluster(parts: Sequence[ClusterTraffic]) -> ClusterTraffic:
    """Rates together; members as the proxy sees them that sees the smallest healthy share."""
    rps, error_ratio = _total_rates([(part.rps, part.error_ratio) for part in parts])
    members = [
        (part.members_healthy, part.members_total)
        for part in parts
        if part.members_healthy is not None and part.members_total is not None
    ]
    healthy, members_total = min(members, key=lambda seen: (seen[0] / (seen[1] or 1), seen[0]), default=(None, None))
    return ClusterTraffic(rps=rps, error_ratio=error_ratio, members_healthy=healthy, members_total=members_total)


def _total_route(parts: Sequence[RouteTraffic]) -> RouteTraffic:
    rps, error_ratio = _total_rates([(part.rps, part.error_ratio) for part in parts])
    return RouteTraffic(rps=rps, error_ratio=error_ratio)


_NO_CLUSTER = ClusterSample()
_NO_ROUTE = RouteSample()
