"""Bytes of Envoy's `/stats` and `/ready` into the model.

*Source:* Envoy 1.40 `/stats?format=json&histogram_buckets=cumulative`: `stats[]` holds `{name, value}` elements and one
element `{histograms: [{name, buckets: [{upper_bound, interval, cumulative}]}]}` without a name. Counters and gauges are
JSON integers of up to 64 bits, text readouts are strings, and what was not recorded may be null.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from gwtui.adapters.envoy.paths import COPY, FLEET_FILTER, HCM, STATIC_CLUSTERS, is_local_cluster
from gwtui.errors import BadPayload
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.traffic import ClusterSample, Histogram, ProxySample, RouteSample

_Values = dict[str, int]

_CLUSTER_SUFFIXES = frozenset(
    {"upstream_rq_total", "upstream_rq_5xx", "upstream_rq_active", "membership_healthy", "membership_total"}
)
_WANTED = re.compile(FLEET_FILTER)

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
    histograms: list[_Histogram] = []


class _Answer(msgspec.Struct, gc=False):
    stats: list[_Stat]


_DECODER = msgspec.json.Decoder(_Answer)


@dataclass(frozen=True, slots=True)
class Stats:
    """One `/stats` answer: numbers by name, exactly as Envoy wrote them."""

    numbers: Mapping[str, int]
    """Counters and gauges. What is absent was never written."""
    histograms: Mapping[str, Histogram]
    """Cumulative since start; only histograms that recorded something."""


def decode_stats(body: bytes) -> Stats:
    """Return the numbers and histograms of one `/stats` answer.

    Raises:
        BadPayload: truncated, not JSON, or not in the shape Envoy promises.
    """
    try:
        answer = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(f"{error} (in {len(body)} bytes)") from error
    numbers: dict[str, int] = {}
    histograms: dict[str, Histogram] = {}
    for stat in answer.stats:
        if isinstance(stat.value, int):
            if stat.value < 0:
                raise _bad(f"{printable(stat.name.encode())} is below zero")
            numbers[stat.name] = stat.value
        elif stat.name and _WANTED.match(stat.name):
            raise _bad(f"{printable(stat.name.encode())} has no number")
        for histogram in stat.histograms:
            if buckets := _cumulative(histogram):
                histograms[histogram.name] = buckets
    return Stats(numbers, histograms)


def decode_sample(
    stats: Stats, proxy: ProxyKey, *, mono: float, at: datetime, size: int, took_ms: float
) -> ProxySample:
    """Return the sample of `proxy` that one answer holds.

    Args:
        stats: the decoded answer.
        proxy: whose answer it is; tells its own local cluster from a backend.
        mono: monotonic seconds when the answer was complete.
        at: the same moment, aware UTC.
        size: bytes of all answers of this sample.
        took_ms: milliseconds all requests of this sample took.
    """
    numbers = stats.numbers
    clusters, routes, rejected = _by_owner(numbers)
    return ProxySample(
        taken_mono=mono,
        taken_at=at,
        requests=numbers.get(f"{HCM}downstream_rq_total", 0),
        errors_5xx=numbers.get(f"{HCM}downstream_rq_5xx", 0),
        errors_4xx=numbers.get(f"{HCM}downstream_rq_4xx", 0),
        active=numbers.get(f"{HCM}downstream_rq_active", 0),
        uptime_s=numbers.get("server.uptime"),
        latency=stats.histograms.get(f"{HCM}downstream_rq_time"),
        clusters={
            name: ClusterSample(
                requests=values.get("upstream_rq_total", 0),
                errors_5xx=values.get("upstream_rq_5xx", 0),
                active=values.get("upstream_rq_active"),
                members_healthy=values.get("membership_healthy"),
                members_total=values.get("membership_total"),
            )
            for name, values in clusters.items()
            if _is_backend(name, values, proxy)
        },
        routes={
            key: RouteSample(requests=values.get("upstream_rq_total", 0), errors_5xx=values.get("upstream_rq_5xx", 0))
            for key, values in routes.items()
        },
        update_rejected=rejected,
        listeners_active=numbers.get("listener_manager.total_listeners_active"),
        answer_bytes=size,
        answer_ms=took_ms,
    )


def decode_ready(status: int, body: bytes) -> ProxyState | None:
    """Return the state `/ready` tells, or None when the answer is not one of Envoy's."""
    state = _READY_STATES.get(body[:64].decode(errors="replace").strip())
    if state is None:
        return None
    return state if (status == 200) == (state is ProxyState.LIVE) else None


def decode_state(stats: Stats) -> ProxyState:
    """Return the state the gauges tell: up to one stats flush old, for proxies that do not offer `/ready`."""
    return _GAUGE_STATES.get(stats.numbers.get("server.state", -1), ProxyState.UNKNOWN)


def printable(body: bytes) -> str:
    """Return the start of a foreign text as one line that cannot steer a terminal."""
    text = "".join(char if char.isprintable() else " " for char in body[:120].decode(errors="replace"))
    return " ".join(text.split())


def _bad(reason: str) -> BadPayload:
    return BadPayload(f"not Envoy's stats: {reason}", "check that this port is Envoy's stats or admin port")


def _cumulative(histogram: _Histogram) -> Histogram | None:
    """Check the buckets and add the infinite one, which Envoy leaves out; None when nothing was recorded."""
    counts: list[tuple[float, int]] = []
    bound, count = -math.inf, 0
    for bucket in histogram.buckets:
        if bucket.cumulative is None:
            continue
        if bucket.upper_bound <= bound or bucket.cumulative < count:
            raise _bad(f"the buckets of {printable(histogram.name.encode())} do not ascend")
        bound, count = bucket.upper_bound, bucket.cumulative
        counts.append((bound, count))
    if not count:
        return None
    if bound != math.inf:
        counts.append((math.inf, count))
    return tuple(counts)


def _by_owner(numbers: Mapping[str, int]) -> tuple[dict[str, _Values], dict[tuple[str, str], _Values], int]:
    """Group numbers in one pass: by cluster, by (virtual host, stat prefix), and the sum of refused updates.

    Names are cut at both ends only: clusters and stat prefixes may hold dots. Virtual hosts of kgateway hold none,
    so the first `.route.` ends them.
    """
    clusters: dict[str, _Values] = {}
    routes: dict[tuple[str, str], _Values] = {}
    rejected = 0
    for name, value in numbers.items():
        owner, _, suffix = name.rpartition(".")
        if suffix == "update_rejected":
            rejected += value
        elif suffix not in _CLUSTER_SUFFIXES:
            continue
        elif owner.startswith("cluster."):
            clusters.setdefault(owner[8:], {})[suffix] = value
        elif owner.startswith("vhost."):
            virtual_host, _, prefix = owner[6:].partition(".route.")
            if virtual_host and prefix:
                routes.setdefault((virtual_host, prefix), {})[suffix] = value
    return clusters, routes, rejected


def _is_backend(cluster: str, values: _Values, proxy: ProxyKey) -> bool:
    if cluster in STATIC_CLUSTERS or is_local_cluster(cluster, namespace=proxy.namespace, pod=proxy.pod):
        return False
    # A cluster may really be called `x.internal`: then it has more than a status class to its name.
    return len(values) > 1 or "upstream_rq_5xx" not in values or not COPY.search(cluster)
