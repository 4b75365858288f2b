"""What proxies send to their upstreams, in short: for whoever adds up thousands of upstreams at every repaint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from gwtui.model.known import Known
from gwtui.model.traffic import NO_REQUESTS, ClusterTraffic, OnDemand, Rate

if TYPE_CHECKING:
    from gwtui.model.samples import ClusterSample, ProxySample


class Upstreams(OnDemand[str, ClusterTraffic]):
    """The traffic towards every upstream of one proxy. What `sent` adds up is had without making all of the figures.

    Args:
        window: Samples of the window, oldest first.
        make: Makes all figures of an upstream; pure.
    """

    __slots__ = ("_window",)

    def __init__(self, window: Sequence[ProxySample], make: Callable[[str], ClusterTraffic]) -> None:
        self._window = window
        super().__init__(window[-1].clusters, make)

    @property
    def counters(self) -> _Counters:
        """The counters its figures are made from."""
        newest = self._window[-1]
        earlier = [(sample.clusters, sample.taken_mono) for sample in reversed(self._window[:-1])]
        return _Counters(newest.clusters, newest.taken_mono, newest.taken_at, earlier)


class _Counters(NamedTuple):
    """The counters of every upstream of one proxy, in the samples of its window."""

    newest: Mapping[str, ClusterSample]
    mono: float
    at: datetime
    earlier: Sequence[tuple[Mapping[str, ClusterSample], float]]
    """Those before with their time, the youngest first."""


class Sent(NamedTuple):
    """What several proxies send to one upstream together."""

    rps: Rate
    error_ratio: Rate
    members_healthy: int | None
    members_total: int | None


def sent(parts: Sequence[Mapping[str, ClusterTraffic]], names: Iterable[str]) -> Mapping[str, Sent]:
    """Return what all of the proxies together send to each of these upstreams.

    Rates are added, error ratios weighted by rate; endpoints are those of the proxy that sees the smallest healthy
    share. Absent are upstreams that no proxy holds, and those of a proxy that was asked once: its counters do not tell
    of them.
    """
    counters = [part.counters for part in parts if isinstance(part, Upstreams)]
    if len(counters) < len(parts):
        return {}
    found = ((name, _sent(counters, name)) for name in names)
    return {name: together for name, together in found if together is not None}


def _sent(parts: Sequence[_Counters], name: str) -> Sent | None:
    rps = failed_rps = 0.0
    at = answered_at = members = None
    for clusters, mono, taken_at, earlier in parts:
        newest = clusters.get(name)
        if newest is None:
            continue
        requests, errors, began = newest.requests, newest.errors_5xx, mono
        for older, older_mono in earlier:
            before = older.get(name)
            earlier_requests, earlier_errors = (before.requests, before.errors_5xx) if before is not None else (0, 0)
            if earlier_requests > requests or earlier_errors > errors:
                break
            requests, errors, began = earlier_requests, earlier_errors, older_mono
        requests, errors = newest.requests - requests, newest.errors_5xx - errors
        if mono <= began:
            return None
        at = taken_at if at is None or taken_at < at else at
        asked = max(requests, errors)
        if asked:
            rps += asked / (mono - began)
            failed_rps += errors / (mono - began)
            answered_at = taken_at if answered_at is None or taken_at < answered_at else answered_at
        seen = (newest.members_healthy, newest.members_total)
        if seen != members:
            members = _fewer(members, seen)
    if at is None:
        return None
    ratio = NO_REQUESTS if answered_at is None else Known(failed_rps / rps, answered_at)
    return Sent(Known(rps, at), ratio, *(members or (None, None)))


def _fewer(some: tuple[int, int] | None, others: tuple[int | None, int | None]) -> tuple[int, int] | None:
    """The endpoints of which fewer are healthy by their share, then by their number."""
    healthy, total = others
    if healthy is None or total is None:
        return some
    if some is None or (healthy / (total or 1), healthy) < (some[0] / (some[1] or 1), some[0]):
        return healthy, total
    return some
