"""Bytes of Envoy's `/stats` and `/ready` into the model.

*Source:* Envoy 1.40 `/stats?format=json&histogram_buckets=cumulative`: `stats[]` holds `{name, value}` elements and one
element `{histograms: [{name, buckets: [{upper_bound, interval, cumulative}]}]}` without a name. Counters and gauges are
JSON integers of up to 64 bits, text readouts are strings, and what was not recorded may be null.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from gwtui.adapters.envoy.figures import NO_FIGURES, Clusters, Figures, Numbers, Values
from gwtui.adapters.envoy.paths import FOLLOWED_SERVICES, HCM
from gwtui.adapters.envoy.stat_names import Owner, Place, place, places
from gwtui.errors import BadPayload
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.quantiles import Histogram
from gwtui.model.samples import ListenerSample, ProxySample, RouteSample, ServiceSample

NO_CERTIFICATE = 4_294_967_295
"""`server.days_until_first_cert_expiring` of a proxy that holds none: the largest 32-bit number."""

_CLUSTER = Owner.CLUSTER

_READY_STATES = {
    "LIVE": ProxyState.LIVE,
    "DRAINING": ProxyState.DRAINING,
    "PRE_INITIALIZING": ProxyState.INITIALIZING,
    "INITIALIZING": ProxyState.INITIALIZING,
}
_GAUGE_STATES = {
    0: ProxyState.LIVE,
    1: ProxyState.DRAINING,
    2: ProxyState.INITIALIZING,
    3: ProxyState.INITIALIZING,
}


class _Bucket(msgspec.Struct, gc=False):
    upper_bound: float
    cumulative: int | None = None


class _Histogram(msgspec.Struct, gc=False):
    name: str
    buckets: list[_Bucket] = []


class _Stat(msgspec.Struct, gc=False):
    name: str = ""
    value: int | str | None = None
    histograms: tuple[_Histogram, ...] = ()


class _Answer(msgspec.Struct, gc=False):
    stats: list[_Stat]


_DECODER = msgspec.json.Decoder(_Answer)


@dataclass(frozen=True, slots=True)
class Stats:
    """What one `/stats` answer holds for a sample."""

    numbers: Numbers
    histograms: Mapping[str, Histogram]
    """Cumulative since start; only histograms that recorded something."""


class Cost(NamedTuple):
    """What reading one sample cost."""

    questions: int = 0
    size: int = 0
    """Bytes of all answers."""
    took_ms: float = 0.0
    """Time of all answers, network included."""
    admin_ms: float = 0.0
    """The part of it that we count as the proxy's own."""
    ready_ms: float | None = None
    """Time of `/ready` alone; None where it is not offered."""


class Gauges:
    """Levels, which are read less often than counters: told apart once, used by every sample until the next reading.

    Args:
        levels: the decoded answer with the gauges.
        at: when they were read.
        before: those read before.
    """

    __slots__ = ("at", "figures")

    def __init__(self, levels: Stats, at: datetime, before: Gauges | None = None) -> None:
        self.at = at
        self.figures: Figures = Figures(levels.numbers, before.figures if before else None)

    @property
    def state(self) -> ProxyState:
        """Up to one stats flush old, for proxies that do not offer `/ready`."""
        return _GAUGE_STATES.get(self.figures.proxy.get("state", -1), ProxyState.UNKNOWN)


def decode_stats(body: bytes) -> Stats:
    """Return the numbers and histograms of one `/stats` answer.

    Raises:
        BadPayload: truncated, not JSON, or not in the shape Envoy promises.
    """
    try:
        answer = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise bad(f"{error} (in {len(body)} bytes)") from error
    found: list[Place] = []
    values: list[int] = []
    others: list[tuple[Place, int]] = []
    histograms: dict[str, Histogram] = {}
    for stat in answer.stats:
        value = stat.value
        if isinstance(value, int):
            if value < 0:
                raise bad(f"{printable(stat.name.encode())} is below zero")
            try:
                where = places[stat.name]
            except KeyError:
                where = place(stat.name)
            if where is None:
                continue
            if where.owner is _CLUSTER:  # nearly all of them
                found.append(where)
                values.append(value)
            else:
                others.append((where, value))
            continue
        if stat.name and place(stat.name) is not None:
            raise bad(f"{printable(stat.name.encode())} has no number")
        if stat.histograms:
            histograms |= _recorded(stat.histograms)
    return Stats(Numbers(found, values, others), histograms)


def _recorded(told: Iterable[_Histogram]) -> dict[str, Histogram]:
    found = {}
    for histogram in told:
        counts = ((each.upper_bound, each.cumulative) for each in histogram.buckets if each.cumulative is not None)
        if buckets := cumulative(histogram.name, counts):
            found[histogram.name] = buckets
    return found


def decode_sample(
    counters: Stats,
    proxy: ProxyKey,
    *,
    gauges: Gauges | None,
    histograms: Mapping[str, Histogram] | None,
    mono: float,
    at: datetime,
    cost: Cost,
    before: Clusters | None = None,
    followed: Container[str] = (),
) -> tuple[ProxySample, Clusters]:
    """Return the sample of `proxy` that its answers hold, and what to give as `before` with its next one.

    Args:
        counters: the decoded answer with the counters.
        proxy: whose answer it is; tells its own local cluster from a backend.
        gauges: the newest levels; None when they were never read.
        histograms: by name, cumulative; None when they were not asked for this time.
        mono: monotonic seconds when the counters were complete.
        at: the same moment, aware UTC.
        cost: of all requests of this sample.
        before: what the last call returned for it: figures of upstreams that did not change are taken over.
        followed: clusters of which was asked whether they took endpoints.
    """
    found = Figures(counters.numbers, before.counters if before else None)
    levels = gauges.figures if gauges else NO_FIGURES
    own = {**found.proxy, **levels.proxy}
    days = own.get("certificate_days", NO_CERTIFICATE)
    clusters = Clusters(found, levels, proxy, before)
    latencies = [(where, histogram) for name, histogram in (histograms or {}).items() if (where := place(name))]
    sample = ProxySample(
        taken_mono=mono,
        taken_at=at,
        gauges_at=gauges.at if gauges else None,
        requests=own.get("requests", 0),
        errors_5xx=own.get("errors_5xx", 0),
        errors_4xx=own.get("errors_4xx", 0),
        active=own.get("active", 0) if gauges else None,
        connections=own.get("connections", 0) if gauges else None,
        upgrades=own.get("upgrades", 0) if gauges else None,
        uptime_s=own.get("uptime_s"),
        aborts=own.get("aborts", 0),
        no_route=own.get("no_route", 0),
        no_cluster=own.get("no_cluster", 0),
        direct_answers=own.get("direct_answers", 0),
        latency=None if histograms is None else histograms.get(f"{HCM}downstream_rq_time", ()),
        clusters=clusters.samples,
        routes={key: RouteSample(**values) for key, values in found.routes.items()},
        listeners={address: ListenerSample(**values) for address, values in found.listeners.items()},
        cluster_latency={where.name: each for where, each in latencies if where.name in clusters.samples},
        route_latency={(where.name, where.route): each for where, each in latencies if where.owner is Owner.ROUTE},
        services=dict(_services(found.services, levels.services, followed)),
        certificate_days=None if days >= NO_CERTIFICATE else days,
        listeners_active=own.get("listeners_active"),
        answer_bytes=cost.size,
        answer_ms=cost.took_ms,
        admin_ms=cost.admin_ms,
        ready_ms=cost.ready_ms,
        questions=cost.questions,
    )
    return sample, clusters


def _services(
    counts: Mapping[str, Values], levels: Mapping[str, Values], followed: Container[str]
) -> Iterator[tuple[str, ServiceSample]]:
    for name in {**counts, **levels}:
        kind, _, own = name.partition(".")
        is_told = kind in FOLLOWED_SERVICES or (kind == "eds" and own in followed)
        yield (
            name,
            ServiceSample(**{**(_NONE_TAKEN if is_told else {}), **counts.get(name, {}), **levels.get(name, {})}),
        )


_NONE_TAKEN: Values = {"accepted": 0}
"""What is asked for and absent was never counted."""


def decode_ready(status: int, body: bytes) -> ProxyState | None:
    """Return the state `/ready` tells, or None when the answer is not one of Envoy's."""
    state = _READY_STATES.get(body[:64].decode(errors="replace").strip())
    if state is None:
        return None
    return state if (status == 200) == (state is ProxyState.LIVE) else None


def printable(body: bytes) -> str:
    """Return the start of a foreign text as one line that cannot steer a terminal."""
    text = "".join(char if char.isprintable() else " " for char in body[:120].decode(errors="replace"))
    return " ".join(text.split())


def bad(reason: str) -> BadPayload:
    """The failure that an answer is not what it should be."""
    return BadPayload(f"not Envoy's stats: {reason}", "check that this port is Envoy's stats or admin port")


def cumulative(name: str, buckets: Iterable[tuple[float, int]]) -> Histogram | None:
    """Check the buckets and add the infinite one, which Envoy's JSON leaves out; None when nothing was recorded.

    Args:
        name: of the histogram, for the complaint.
        buckets: (upper bound, count), as they were told.

    Raises:
        BadPayload: bounds or counts do not ascend.
    """
    counts: list[tuple[float, int]] = []
    bound, count = -math.inf, 0
    for upper, told in buckets:
        if upper <= bound or told < count:
            raise bad(f"the buckets of {printable(name.encode())} do not ascend")
        bound, count = upper, told
        counts.append((bound, count))
    if not count:
        return None
    if bound != math.inf:
        counts.append((math.inf, count))
    return tuple(counts)
