"""From samples of one proxy to its traffic: differences of counters over a window on the monotonic clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from gwtui.model.known import Known, Unknown
from gwtui.model.quantiles import Histogram, added, ascends, quantile
from gwtui.model.samples import ClusterSample, ListenerSample, ProxySample, RouteSample
from gwtui.model.traffic import (
    FIRST_SAMPLE,
    NO_LATENCY,
    NO_REQUESTS,
    NO_TRAFFIC,
    NOT_ASKED,
    ClusterTraffic,
    ListenerTraffic,
    OnDemand,
    ProxyTraffic,
    Rate,
    RouteTraffic,
)
from gwtui.model.upstreams import Upstreams

QUANTILE_WINDOW_S = 30.0
"""Window of the latency quantiles, in seconds. Envoy refreshes histograms only at its stats flush, every 5 s, so the
few seconds that suit a rate would often hold no new values."""

K = TypeVar("K")

_Latency = tuple[Histogram | None, Rate, Rate, Rate]
"""The window's own histogram, its p50, p95 and p99."""


def measure(samples: Sequence[ProxySample], *, window_s: float) -> ProxyTraffic:
    """Return what a proxy did over its newest samples.

    A counter or an uptime that went down is a restart or a reset: only what came since counts, so no rate is ever
    negative. A cluster or route whose own counters went down was made anew: the same, for it alone. Figures of
    clusters, routes and listeners are made when they are looked at.

    Args:
        samples: samples of one proxy, oldest first.
        window_s: seconds of samples to use; where they hold the newest alone, the one before it is used as well.
    """
    return _traffic(_Windows(_since_restart(samples), window_s)) if samples else NO_TRAFFIC


def kept(samples: Sequence[ProxySample], *, window_s: float) -> tuple[ProxySample, ...]:
    """Return what `measure` will need of these samples once newer ones come.

    Of samples that are too old for a rate, only those with a latency stay, without their clusters and routes: most of
    what a sample weighs.
    """
    return _left(_Windows(_since_restart(samples), window_s))


def follow(
    before: tuple[ProxySample, ...], newest: ProxySample, *, window_s: float
) -> tuple[ProxyTraffic, tuple[ProxySample, ...]]:
    """Return `measure` and `kept` of what was kept before with one sample more, for less: nothing is looked at twice.

    Args:
        before: what `kept` or this left of the earlier samples; may be empty.
        newest: the sample that came.
        window_s: as `measure`.
    """
    windows = _Windows((*before, newest) if before and _goes_on(before, newest) else (newest,), window_s)
    return _traffic(windows), _left(windows)


class _Windows:
    """The parts of one life that figures are made of.

    Args:
        life: samples without a restart between them, oldest first; at least one.
        window_s: as `measure`.
    """

    __slots__ = ("life", "quantiles", "rates")

    def __init__(self, life: Sequence[ProxySample], window_s: float) -> None:
        self.life = life
        self.rates = _window(life, window_s)
        self.quantiles = _window([sample for sample in life if sample.latency is not None], QUANTILE_WINDOW_S)


def _traffic(windows: _Windows) -> ProxyTraffic:
    window, quantiles = windows.rates, windows.quantiles
    first, newest = window[0], window[-1]
    # Within one life no counter of the proxy went down: only the ends of the window matter.
    rps, error_ratio, client_error_ratio = _between(
        first,
        newest,
        newest.requests - first.requests,
        newest.errors_5xx - first.errors_5xx,
        newest.errors_4xx - first.errors_4xx,
    )
    latency, p50_ms, p95_ms, p99_ms = _proxy_latency(quantiles)
    return ProxyTraffic(
        rps=rps,
        error_ratio=error_ratio,
        client_error_ratio=client_error_ratio,
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        p99_ms=p99_ms,
        active=_gauge(newest.active, newest),
        upgrades=_gauge(newest.upgrades, newest),
        connections=_gauge(newest.connections, newest),
        clusters=Upstreams(window, lambda name: _cluster(name, window, quantiles)),
        routes=OnDemand(newest.routes, lambda key: _route(key, window, quantiles)),
        listeners=OnDemand(newest.listeners, lambda address: _listener(address, window)),
        latency_window=latency,
    )


def _left(windows: _Windows) -> tuple[ProxySample, ...]:
    life, quantiles = windows.life, windows.quantiles
    full = min(len(life) - len(windows.rates), max(len(life) - 2, 0))
    oldest_mono = quantiles[0].taken_mono if quantiles else life[-1].taken_mono
    older = life[:full]
    slim = (_slim(sample) for sample in older if sample.latency is not None and sample.taken_mono >= oldest_mono)
    return (*slim, *life[full:])


def _slim(sample: ProxySample) -> ProxySample:
    if not (sample.clusters or sample.routes or sample.listeners):
        return sample
    return ProxySample(
        taken_mono=sample.taken_mono,
        taken_at=sample.taken_at,
        requests=sample.requests,
        errors_5xx=sample.errors_5xx,
        errors_4xx=sample.errors_4xx,
        active=sample.active,
        uptime_s=sample.uptime_s,
        latency=sample.latency,
        cluster_latency=sample.cluster_latency,
        route_latency=sample.route_latency,
    )


def _since_restart(samples: Sequence[ProxySample]) -> Sequence[ProxySample]:
    start = len(samples) - 1
    latency = samples[start].latency
    while start > 0 and not _restarted(samples[start - 1], samples[start]):
        earlier = samples[start - 1].latency
        if earlier is not None:
            if latency is not None and not ascends(added(earlier, latency)):
                break
            latency = earlier
        start -= 1
    return samples[start:]


def _goes_on(before: Sequence[ProxySample], newest: ProxySample) -> bool:
    """Whether the newest sample is of the same life as those before it, which are of one."""
    if _restarted(before[-1], newest):
        return False
    if newest.latency is None:
        return True
    earlier = next((sample.latency for sample in reversed(before) if sample.latency is not None), None)
    return earlier is None or ascends(added(earlier, newest.latency))


def _restarted(before: ProxySample, after: ProxySample) -> bool:
    """Whether the counters began anew. `update_rejected` does not tell: it falls when a cluster is removed."""
    return (
        after.requests < before.requests
        or after.errors_5xx < before.errors_5xx
        or after.errors_4xx < before.errors_4xx
        or (after.uptime_s or 0) < (before.uptime_s or 0)
    )


def _window(life: Sequence[ProxySample], window_s: float) -> Sequence[ProxySample]:
    start = max(len(life) - 1, 0)
    while start > 0 and (start == len(life) - 1 or life[-1].taken_mono - life[start - 1].taken_mono <= window_s):
        start -= 1
    return life[start:]


def _gauge(value: int | None, sample: ProxySample) -> Known[int] | Unknown:
    return Unknown("not in the answer") if value is None else Known(value, sample.gauges_at or sample.taken_at)


def _rates(window: Sequence[ProxySample], requests: Sequence[int], *errors: Sequence[int]) -> tuple[Rate, ...]:
    """Requests/s and the ratio of each kind of errors, since one of these counters last went down.

    Args:
        window: samples, oldest first.
        requests: the counter in each of them.
        errors: the same of each kind of errors.
    """
    counters = (requests, *errors)
    start = len(window) - 1
    while start > 0 and all(counter[start - 1] <= counter[start] for counter in counters):
        start -= 1
    came = [counter[-1] - counter[start] for counter in counters]
    # What no endpoint could take is counted among the answers alone: it was asked for all the same.
    return _between(window[start], window[-1], max(came), *came[1:])


def _between(first: ProxySample, newest: ProxySample, requests: int, *errors: int) -> tuple[Rate, ...]:
    """The same of what came between two samples."""
    span_s, at = newest.taken_mono - first.taken_mono, newest.taken_at
    if span_s <= 0:
        return (FIRST_SAMPLE,) * (1 + len(errors))
    return Known(requests / span_s, at), *[_ratio(each, requests, at) for each in errors]


def _ratio(errors: int, requests: int, at: datetime) -> Rate:
    # Requests are counted when they come and answers when they end: a window may hold more of these.
    answered = max(requests, errors)
    return Known(errors / answered, at) if answered else NO_REQUESTS


def _rate(window: Sequence[ProxySample], counts: Sequence[int]) -> Rate:
    """Events/s from one counter."""
    (rate,) = _rates(window, counts)
    return rate


def _cluster(name: str, window: Sequence[ProxySample], quantiles: Sequence[ProxySample]) -> ClusterTraffic:
    newest = window[-1].clusters[name]
    samples = [sample.clusters.get(name, _NO_CLUSTER) for sample in window]
    rps, error_ratio = _rates(window, [each.requests for each in samples], [each.errors_5xx for each in samples])
    latency, p50_ms, _, p99_ms = _latency([each.cluster_latency.get(name) for each in quantiles], quantiles)
    return ClusterTraffic(
        rps=rps,
        error_ratio=error_ratio,
        members_healthy=newest.members_healthy,
        members_total=newest.members_total,
        active=newest.active,
        retries_rps=_rate(window, [each.retries for each in samples]),
        timeouts_rps=_rate(window, [each.timeouts for each in samples]),
        overflows_rps=_rate(window, [each.overflows for each in samples]),
        connect_failures_rps=_rate(window, [each.connect_failures for each in samples]),
        ejected=newest.ejected,
        open_breakers=newest.open_breakers,
        p50_ms=p50_ms,
        p99_ms=p99_ms,
        latency_window=latency,
    )


def _route(key: tuple[str, str], window: Sequence[ProxySample], quantiles: Sequence[ProxySample]) -> RouteTraffic:
    samples = [sample.routes.get(key, _NO_ROUTE) for sample in window]
    rps, error_ratio, client_error_ratio = _rates(
        window,
        [each.requests for each in samples],
        [each.errors_5xx for each in samples],
        [each.errors_4xx for each in samples],
    )
    latency, p50_ms, _, p99_ms = _latency([each.route_latency.get(key) for each in quantiles], quantiles)
    return RouteTraffic(
        rps=rps,
        error_ratio=error_ratio,
        client_error_ratio=client_error_ratio,
        p50_ms=p50_ms,
        p99_ms=p99_ms,
        latency_window=latency,
    )


def _listener(address: str, window: Sequence[ProxySample]) -> ListenerTraffic:
    samples = [sample.listeners.get(address, _NO_LISTENER) for sample in window]
    rps, error_ratio, client_error_ratio = _rates(
        window,
        [each.answers for each in samples],
        [each.errors_5xx for each in samples],
        [each.errors_4xx for each in samples],
    )
    return ListenerTraffic(rps=rps, error_ratio=error_ratio, client_error_ratio=client_error_ratio)


def _proxy_latency(asked: Sequence[ProxySample]) -> _Latency:
    if len(asked) < 2:
        return None, FIRST_SAMPLE, FIRST_SAMPLE, FIRST_SAMPLE
    return _quantiles(asked[0].latency or (), asked[-1].latency or (), asked[0], asked[-1])


def _latency(histograms: Sequence[Histogram | None], window: Sequence[ProxySample]) -> _Latency:
    """Latency of one cluster or route; a histogram that fell belongs to one that was made anew."""
    asked = [index for index, histogram in enumerate(histograms) if histogram is not None]
    if not asked:
        return None, NOT_ASKED, NOT_ASKED, NOT_ASKED
    last = asked[-1]
    newest = histograms[last] or ()
    first = next((index for index in asked if ascends(added(histograms[index] or (), newest))), last)
    if first == last:
        return None, FIRST_SAMPLE, FIRST_SAMPLE, FIRST_SAMPLE
    return _quantiles(histograms[first] or (), newest, window[first], window[last])


def _quantiles(before: Histogram, after: Histogram, first: ProxySample, newest: ProxySample) -> _Latency:
    came = added(before, after)
    found = [quantile(came, q) for q in (0.5, 0.95, 0.99)]
    p50, p95, p99 = found
    if p50 is None or p95 is None or p99 is None:
        reason = NO_LATENCY if newest.requests > first.requests else NO_REQUESTS
        return came or None, reason, reason, reason
    at = newest.taken_at
    return came, Known(p50, at), Known(p95, at), Known(p99, at)


_NO_CLUSTER = ClusterSample()
_NO_ROUTE = RouteSample()
_NO_LISTENER = ListenerSample()
