"""What the proxies of a gateway counted of upstreams over their window, for those that are not simply well.

Of a fleet nearly all upstreams are well: they are passed over by comparing counters, and nothing is made of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from gwtui.model.known import Known, value_or
from gwtui.model.reduction import RATE_WINDOW_S
from gwtui.model.samples import ClusterSample, ProxySample
from gwtui.model.snapshot import ProxyView
from gwtui.model.totals import least_healthy
from gwtui.model.traffic import ClusterTraffic
from gwtui.views.fleet import GatewayFigures
from gwtui.views.flows import Flow, is_copy

_NOTHING = ClusterSample()

STEADY = 2
"""Intervals with errors from which they are no single event, such as a connection that was reset by a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted of an upstream within a window: by one proxy, or by several together."""

    requests: float
    errors: float
    """5xx answers, those that Envoy made itself included."""
    timeouts: float
    overflows: float
    """Requests a circuit breaker refused."""
    connect_failures: float
    ejections: float
    seconds: float
    """Length of the window."""
    observed_at: datetime
    healthy: int | None
    total: int | None
    ejected: int
    """Endpoints the outlier detection keeps out now, as the proxy sees it that keeps out most."""
    bursts: int
    """In how many intervals between samples of one proxy there were errors: what happens once shows in one."""
    is_fresh: bool
    """Whether there were errors in the newest two intervals: what is over has none there."""
    since: datetime
    """From when on there were errors, within the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Counted):
    """What all proxies of a gateway together counted of one hop within the window of rates."""

    flow: Flow

    @property
    def rps(self) -> float:
        """Requests/s; those that no endpoint could take count as well."""
        return max(self.requests, self.errors) / self.seconds

    @property
    def error_ratio(self) -> float:
        """Share of 5xx, 0 to 1."""
        return min(1.0, self.errors / max(self.requests, self.errors)) if self.errors else 0.0

    def per_second(self, number: float) -> float:
        """A number of the window as a rate."""
        return number / self.seconds


def counts(entry: GatewayFigures) -> tuple[Count, ...]:
    """Return what is not simply well, in the order of the gateway's hops; mirrored requests are left out."""
    suspects = {name for view in entry.heard for name in _suspects(view)}
    return tuple(_counts(entry, suspects)) if suspects else ()


def _counts(entry: GatewayFigures, suspects: set[str]) -> Iterator[Count]:
    for flow in entry.flows:
        names = [name for name in flow.hop.envoy_clusters if name in suspects]
        if not names or is_copy(flow.hop):
            continue
        parts = [part for view in entry.heard for name in names if (part := _part(view, name)) is not None]
        if parts:
            yield _together(flow, parts)


def _together(flow: Flow, parts: Sequence[Counted]) -> Count:
    seconds = max(part.seconds for part in parts)
    healthy, total = least_healthy((part.healthy, part.total) for part in parts)
    return Count(
        flow=flow,
        requests=sum(part.requests * seconds / part.seconds for part in parts),
        errors=sum(part.errors * seconds / part.seconds for part in parts),
        timeouts=sum(part.timeouts for part in parts),
        overflows=sum(part.overflows for part in parts),
        connect_failures=sum(part.connect_failures for part in parts),
        ejections=sum(part.ejections for part in parts),
        seconds=seconds,
        observed_at=min(part.observed_at for part in parts),
        healthy=healthy,
        total=total,
        ejected=max(part.ejected for part in parts),
        bursts=max(part.bursts for part in parts),
        is_fresh=any(part.is_fresh for part in parts),
        since=min((part.since for part in parts if part.bursts), default=min(part.observed_at for part in parts)),
    )


def window_of(view: ProxyView) -> tuple[ProxySample, ...]:
    """Return the samples rates are made of, oldest first; fewer than two where there is no rate."""
    samples = view.samples
    if not samples:
        return ()
    newest = samples[-1]
    found = [each for each in samples if newest.taken_mono - each.taken_mono <= RATE_WINDOW_S]
    return tuple(found) if len(found) > 1 else samples[-2:]


def _suspects(view: ProxyView) -> Iterable[str]:
    """Names of the upstreams of one proxy that are worth a closer look."""
    samples = window_of(view)
    if len(samples) < 2 or not samples[-1].clusters:
        return [name for name in view.traffic.clusters if _is_suspect(view.traffic.clusters[name])]
    first = samples[0].clusters
    return [name for name, each in samples[-1].clusters.items() if _differs(first.get(name, _NOTHING), each)]


def _differs(first: ClusterSample, newest: ClusterSample) -> bool:
    return (
        newest.errors_5xx != first.errors_5xx
        or newest.connect_failures != first.connect_failures
        or newest.timeouts != first.timeouts
        or newest.overflows != first.overflows
        or newest.ejections != first.ejections
        or bool(newest.ejected)
        or (newest.members_total is not None and (newest.members_healthy or 0) < max(newest.members_total, 1))
    )


def _is_suspect(traffic: ClusterTraffic) -> bool:
    rates = (traffic.error_ratio, traffic.timeouts_rps, traffic.overflows_rps, traffic.connect_failures_rps)
    return (
        any(value_or(rate, 0.0) for rate in rates)
        or bool(traffic.ejected)
        or (traffic.members_total is not None and (traffic.members_healthy or 0) < max(traffic.members_total, 1))
    )


def _part(view: ProxyView, name: str) -> Counted | None:
    samples = window_of(view)
    if len(samples) < 2 or name not in samples[-1].clusters:
        traffic = view.traffic.clusters.get(name)
        return None if traffic is None or view.answered_at is None else _of_traffic(traffic, view.answered_at)
    newest = samples[-1].clusters[name]
    life, taken = [newest], [samples[-1]]
    for sample in reversed(samples[:-1]):
        earlier = sample.clusters.get(name, _NOTHING)
        if earlier.requests > life[-1].requests or earlier.errors_5xx > life[-1].errors_5xx:
            break
        life.append(earlier)
        taken.append(sample)
    seconds = taken[0].taken_mono - taken[-1].taken_mono
    if seconds <= 0:
        return None
    first = life[-1]
    erring = [number for number, (one, older) in enumerate(pairwise(life)) if _failed(one) > _failed(older)]
    return Counted(
        requests=newest.requests - first.requests,
        errors=newest.errors_5xx - first.errors_5xx,
        timeouts=newest.timeouts - first.timeouts,
        overflows=newest.overflows - first.overflows,
        connect_failures=newest.connect_failures - first.connect_failures,
        ejections=max(0, newest.ejections - first.ejections),
        seconds=seconds,
        observed_at=samples[-1].taken_at,
        healthy=newest.members_healthy,
        total=newest.members_total,
        ejected=newest.ejected or 0,
        bursts=len(erring),
        is_fresh=bool(erring) and erring[0] < 2,
        since=taken[erring[-1] + 1].taken_at if erring else samples[-1].taken_at,
    )


def _failed(sample: ClusterSample) -> int:
    """Everything that failed: a connect failure that was retried shows in no answer."""
    return sample.errors_5xx + sample.connect_failures + sample.overflows + sample.timeouts


def _of_traffic(traffic: ClusterTraffic, at: datetime) -> Counted:
    """The same where only rates are known: as many as they come to in a whole window."""
    rps = value_or(traffic.rps, 0.0)
    observed = traffic.rps.observed_at if isinstance(traffic.rps, Known) else at
    errors = rps * value_or(traffic.error_ratio, 0.0) * RATE_WINDOW_S
    return Counted(
        requests=rps * RATE_WINDOW_S,
        errors=errors,
        timeouts=value_or(traffic.timeouts_rps, 0.0) * RATE_WINDOW_S,
        overflows=value_or(traffic.overflows_rps, 0.0) * RATE_WINDOW_S,
        connect_failures=value_or(traffic.connect_failures_rps, 0.0) * RATE_WINDOW_S,
        ejections=0.0,
        seconds=RATE_WINDOW_S,
        observed_at=observed,
        healthy=traffic.members_healthy,
        total=traffic.members_total,
        ejected=traffic.ejected or 0,
        bursts=STEADY,
        is_fresh=True,
        since=observed,
    )
