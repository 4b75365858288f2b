"""What several proxies of one gateway do together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeVar

from gwtui.model.known import Known, Unknown
from gwtui.model.quantiles import Histogram, merge, quantile
from gwtui.model.traffic import (
    NO_LATENCY,
    NO_TRAFFIC,
    ClusterTraffic,
    ListenerTraffic,
    OnDemand,
    ProxyTraffic,
    Rate,
    RouteTraffic,
)

K = TypeVar("K")
N = TypeVar("N", int, float)
V = TypeVar("V")

NOTHING = Unknown("nothing is known of it")


def total(traffics: Iterable[ProxyTraffic]) -> ProxyTraffic:
    """Return what several proxies of one gateway did together.

    Rates are added, error ratios weighted by rate, quantiles taken from the merged windows. What is unknown of a proxy
    is left out, so a total covers the proxies that are known: counting them is up to the caller. `observed_at` is that
    of the oldest part.
    """
    parts = tuple(traffics)
    if not parts:
        return NO_TRAFFIC
    rates = [part.rps for part in parts]
    window = _merged(part.latency_window for part in parts)
    return ProxyTraffic(
        rps=summed(rates),
        error_ratio=_weighted(rates, [part.error_ratio for part in parts]),
        client_error_ratio=_weighted(rates, [part.client_error_ratio for part in parts]),
        p50_ms=_total_quantile(window, 0.5, [part.p50_ms for part in parts]),
        p95_ms=_total_quantile(window, 0.95, [part.p95_ms for part in parts]),
        p99_ms=_total_quantile(window, 0.99, [part.p99_ms for part in parts]),
        active=summed([part.active for part in parts]),
        upgrades=summed([part.upgrades for part in parts]),
        connections=summed([part.connections for part in parts]),
        clusters=_Together([part.clusters for part in parts], _total_cluster),
        routes=_Together([part.routes for part in parts], total_route),
        listeners=_Together([part.listeners for part in parts], _total_listener),
        latency_window=window,
    )


def _merged(windows: Iterable[Histogram | None]) -> Histogram | None:
    known = [window for window in windows if window is not None]
    return merge(known) if known else None


def summed(values: Sequence[Known[N] | Unknown], nothing: Unknown = NOTHING) -> Known[N] | Unknown:
    """Return the sum of what is known, as old as its oldest part.

    Where nothing is known it is the first reason; where there are no values, `nothing`.
    """
    known = [value for value in values if isinstance(value, Known)]
    if not known:
        return next((value for value in values if isinstance(value, Unknown)), nothing)
    if len(known) == 1:
        return known[0]
    return Known(sum([value.value for value in known]), min([value.observed_at for value in known]))


def total_rates(parts: Sequence[tuple[Rate, Rate]], nothing: Unknown = NOTHING) -> tuple[Rate, Rate]:
    """Return the rate and the share of errors of several of these together, the latter weighted by rate.

    Where nothing is known of one of them it is the first reason; where there are no parts, `nothing`.
    """
    rates = [rate for rate, _ in parts]
    return summed(rates, nothing), _weighted(rates, [ratio for _, ratio in parts], nothing)


def _weighted(rates: Sequence[Rate], ratios: Sequence[Rate], nothing: Unknown = NOTHING) -> Rate:
    """The share of errors of several together, each weighted by its rate."""
    pairs = zip(rates, ratios, strict=True)
    known = [(rate.value, ratio) for rate, ratio in pairs if isinstance(rate, Known) and isinstance(ratio, Known)]
    if not known:
        return next((ratio for ratio in ratios if isinstance(ratio, Unknown)), nothing)
    at = min([ratio.observed_at for _, ratio in known])
    sent = sum([rate for rate, _ in known])
    if not sent:
        # Every answer was the proxy's own error: then each proxy weighs the same.
        return Known(min(sum([ratio.value for _, ratio in known]) / len(known), 1.0), at)
    return Known(min(sum([rate * ratio.value for rate, ratio in known]) / sent, 1.0), at)


def _total_quantile(window: Histogram | None, q: float, parts: Sequence[Rate]) -> Rate:
    value = quantile(window, q) if window else None
    known = [part.observed_at for part in parts if isinstance(part, Known)]
    if value is None or not known:
        return next((part for part in parts if isinstance(part, Unknown)), NO_LATENCY)
    return Known(value, min(known))


class _Together(Mapping[K, V]):
    """Mappings whose values are added up when they are first looked at. Until then nothing is done."""

    __slots__ = ("_add", "_found", "_parts")

    def __init__(self, parts: Sequence[Mapping[K, V]], add: Callable[[Sequence[V]], V]) -> None:
        self._parts = parts
        self._add = add
        self._found: OnDemand[K, V] | None = None

    def __getitem__(self, key: K) -> V:
        return self._keyed()[key]

    def __contains__(self, key: object) -> bool:
        return any(key in part for part in self._parts)

    def __iter__(self) -> Iterator[K]:
        return iter(self._keyed())

    def __len__(self) -> int:
        return len(self._keyed())

    def _keyed(self) -> OnDemand[K, V]:
        if self._found is None:
            self._found = OnDemand(chain.from_iterable(self._parts), self._added)
        return self._found

    def _added(self, key: K) -> V:
        return self._add([part[key] for part in self._parts if key in part])


def _total_cluster(parts: Sequence[ClusterTraffic]) -> ClusterTraffic:
    """Rates together; members as the proxy sees them that sees the smallest healthy share."""
    rps, error_ratio = total_rates([(part.rps, part.error_ratio) for part in parts])
    healthy, members_total = least_healthy((part.members_healthy, part.members_total) for part in parts)
    window = _merged(part.latency_window for part in parts)
    return ClusterTraffic(
        rps=rps,
        error_ratio=error_ratio,
        members_healthy=healthy,
        members_total=members_total,
        active=_counted([part.active for part in parts]),
        retries_rps=summed([part.retries_rps for part in parts]),
        timeouts_rps=summed([part.timeouts_rps for part in parts]),
        overflows_rps=summed([part.overflows_rps for part in parts]),
        connect_failures_rps=summed([part.connect_failures_rps for part in parts]),
        ejected=max((part.ejected for part in parts if part.ejected is not None), default=None),
        open_breakers=max((part.open_breakers for part in parts if part.open_breakers is not None), default=None),
        p50_ms=_total_quantile(window, 0.5, [part.p50_ms for part in parts]),
        p99_ms=_total_quantile(window, 0.99, [part.p99_ms for part in parts]),
        latency_window=window,
    )


def least_healthy(members: Iterable[tuple[int | None, int | None]]) -> tuple[int | None, int | None]:
    """Return the (healthy, total) endpoints of who sees the smallest healthy share; (None, None) when nobody tells."""
    known = [(healthy, total) for healthy, total in members if healthy is not None and total is not None]
    return min(known, key=lambda seen: (seen[0] / (seen[1] or 1), seen[0]), default=(None, None))


def _counted(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def total_route(parts: Sequence[RouteTraffic]) -> RouteTraffic:
    """Return what several routes did together, or one route in several proxies."""
    rates = [part.rps for part in parts]
    window = _merged(part.latency_window for part in parts)
    return RouteTraffic(
        rps=summed(rates),
        error_ratio=_weighted(rates, [part.error_ratio for part in parts]),
        client_error_ratio=_weighted(rates, [part.client_error_ratio for part in parts]),
        p50_ms=_total_quantile(window, 0.5, [part.p50_ms for part in parts]),
        p99_ms=_total_quantile(window, 0.99, [part.p99_ms for part in parts]),
        latency_window=window,
    )


def _total_listener(parts: Sequence[ListenerTraffic]) -> ListenerTraffic:
    rates = [part.rps for part in parts]
    return ListenerTraffic(
        rps=summed(rates),
        error_ratio=_weighted(rates, [part.error_ratio for part in parts]),
        client_error_ratio=_weighted(rates, [part.client_error_ratio for part in parts]),
    )
