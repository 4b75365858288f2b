"""What proxies do: rates, errors and latencies over a window, each with its time or the reason why it is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from gwtui.model.known import Known, Unknown
from gwtui.model.quantiles import Histogram

Rate = Known[float] | Unknown

K = TypeVar("K")
V = TypeVar("V")

NO_SAMPLE = Unknown("no sample yet")
FIRST_SAMPLE = Unknown("first sample, no rate yet")
NO_REQUESTS = Unknown("no requests in the window")
NO_LATENCY = Unknown("no latency recorded in the window yet")
"""There were requests, but none ended, or the proxy has not flushed its histograms since."""
NOT_ASKED = Unknown("not asked for: it is read while the proxy is open")


class OnDemand(Mapping[K, V]):
    """A mapping whose values are made when they are first looked at, and once.

    A fleet has more upstreams than a screen has lines: what nobody looks at costs nothing.

    Args:
        keys: All keys, in order.
        make: Makes the value of a key; pure.
    """

    __slots__ = ("_keys", "_made", "_make")

    def __init__(self, keys: Iterable[K], make: Callable[[K], V]) -> None:
        self._keys = dict.fromkeys(keys)
        self._make = make
        self._made: dict[K, V] = {}

    def __getitem__(self, key: K) -> V:
        if key not in self._made:
            if key not in self._keys:
                raise KeyError(key)
            self._made[key] = self._make(key)
        return self._made[key]

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[K]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterTraffic:
    """Traffic towards one Envoy cluster over the window of its proxy."""

    rps: Rate
    """Requests/s asked for. Those that Envoy answers itself (no host, a breaker) it counts among the answers alone:
    where they are most of them, this is the rate of those."""
    error_ratio: Rate
    """Share of 5xx answers, 0 to 1; Unknown when there were no requests in the window."""
    members_healthy: int | None = None
    members_total: int | None = None
    active: int | None = None
    """Requests in flight."""
    retries_rps: Rate = NO_SAMPLE
    timeouts_rps: Rate = NO_SAMPLE
    overflows_rps: Rate = NO_SAMPLE
    """Requests/s that a circuit breaker refused."""
    connect_failures_rps: Rate = NO_SAMPLE
    ejected: int | None = None
    """Endpoints the outlier detection keeps out now."""
    open_breakers: int | None = None
    p50_ms: Rate = NOT_ASKED
    p99_ms: Rate = NOT_ASKED
    latency_window: Histogram | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTraffic:
    """Rates of one route that exposes its counters, over the window of its proxy."""

    rps: Rate
    error_ratio: Rate
    client_error_ratio: Rate = NO_SAMPLE
    """Share of 4xx answers, 0 to 1."""
    p50_ms: Rate = NOT_ASKED
    p99_ms: Rate = NOT_ASKED
    latency_window: Histogram | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerTraffic:
    """Answers of one listener over the window of its proxy. Envoy keeps no latency per listener."""

    rps: Rate
    """Answers/s."""
    error_ratio: Rate
    client_error_ratio: Rate = NO_SAMPLE


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyTraffic:
    """What one proxy does, over a window of samples."""

    rps: Rate
    error_ratio: Rate
    """Share of 5xx answers, 0 to 1; Unknown when there were no requests in the window."""
    p50_ms: Rate
    p99_ms: Rate
    active: Known[int] | Unknown
    p95_ms: Rate = NO_SAMPLE
    client_error_ratio: Rate = NO_SAMPLE
    """Share of 4xx answers, 0 to 1."""
    upgrades: Known[int] | Unknown = NO_SAMPLE
    """Upgraded connections (WebSocket) that are open."""
    connections: Known[int] | Unknown = NO_SAMPLE
    clusters: Mapping[str, ClusterTraffic] = field(default_factory=dict)
    routes: Mapping[tuple[str, str], RouteTraffic] = field(default_factory=dict)
    listeners: Mapping[str, ListenerTraffic] = field(default_factory=dict)
    latency_window: Histogram | None = None
    """Cumulative buckets of the window alone; add those of several proxies before taking a quantile."""


def no_traffic(why: Unknown) -> ProxyTraffic:
    """Traffic of which nothing is known, for one reason."""
    return ProxyTraffic(
        rps=why,
        error_ratio=why,
        p50_ms=why,
        p99_ms=why,
        active=why,
        p95_ms=why,
        client_error_ratio=why,
        upgrades=why,
        connections=why,
    )


NO_TRAFFIC = no_traffic(NO_SAMPLE)
"""The traffic of a proxy that never answered."""
