"""One sample of one Envoy, through whichever way in works for it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from gwtui.adapters.envoy.decode import (
    Cost,
    Gauges,
    Stats,
    decode_ready,
    decode_sample,
    decode_stats,
    printable,
)
from gwtui.adapters.envoy.decode_text import decode_text
from gwtui.adapters.envoy.figures import Clusters
from gwtui.adapters.envoy.paths import COUNTERS, DETAIL, GAUGES, LATENCY, MOST_FOLLOWED, READY, following, in_text
from gwtui.errors import BadPayload, Denied, NotServed, SourceError, Unreachable
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.samples import ProxySample
from gwtui.ports import Answer, Clock, Part, ProxyAccess, ProxyAddress

MAX_BYTES = 8_000_000
"""Largest stats answer we read: some 15,000 routes or clusters."""

REPROBE_S = 60.0
"""How often a better way in that failed is tried again."""

_READY_BYTES = 4096
_TELLING_FIRST = (Denied, BadPayload, NotServed, Unreachable)
_MEMORY_S = 600.0
"""A proxy not read for this long is forgotten: pods come and go."""


_READY_ANSWERS = 30
"""How many of the newest `/ready` answers the quickest is looked for among."""


@dataclass(slots=True)
class _Memory:
    """What is remembered of one proxy."""

    used_mono: float
    way: int | None = None
    """Index of the way in that answered last; None while none did."""
    reprobe_mono: float = 0.0
    """When the ways before it are tried again."""
    gauges: Gauges | None = None
    clusters: Clusters | None = None
    """Its upstreams as of the last sample."""
    refusing: tuple[str, ...] = ()
    """Clusters whose endpoints it refused some time."""
    as_text: bool = False
    """Whether it offers its statistics as Prometheus text alone."""
    state: ProxyState = ProxyState.UNKNOWN
    """What it told last about itself."""
    ready_s: deque[float] = field(default_factory=lambda: deque(maxlen=_READY_ANSWERS))
    """Times of `/ready`: the quickest is what the way there and back takes."""


class EnvoyReader:
    """Reads Envoy's counters and state; a `ProxyReader`.

    Args:
        ways: ways in, the preferred one first. A way that ends inside the pod is asked on
            the admin port, any other on the stats port.
        clock: time of the samples.
    """

    def __init__(self, ways: tuple[ProxyAccess, ...], clock: Clock) -> None:
        self._ways = ways
        self._clock = clock
        self._memory: dict[ProxyKey, _Memory] = {}

    async def sample(
        self, proxy: ProxyAddress, *, deadline_s: float, parts: frozenset[Part] = frozenset()
    ) -> tuple[ProxyState, ProxySample, str]:
        """Return the proxy's state, its sample and the name of the way in that answered.

        Ways are tried in order of preference, the one that answered last time first; each gets an even share of what is
        left of `deadline_s`.

        Raises:
            SourceError: no way in answered. The failure of a way that used to work tells most, then a refusal.
        """
        end = self._clock.mono() + deadline_s
        memory = self._recall(proxy.key)
        order = self._order(memory)
        failures: list[SourceError] = []
        for turn, index in enumerate(order):
            share_s = max(end - self._clock.mono(), 0.0) / (len(order) - turn)
            try:
                state, sample = await self._ask(self._ways[index], proxy, memory, parts, deadline_s=share_s)
            except SourceError as failure:
                failures.append(failure)
                continue
            memory.way = index
            if 0 in order[: turn + 1]:  # the preferred way was among those tried
                memory.reprobe_mono = self._clock.mono() + REPROBE_S
            return state, sample, self._ways[index].name
        if not failures:
            raise Unreachable("no way in is configured", "run `gwtui doctor`")
        raise failures[order.index(memory.way)] if memory.way is not None else min(failures, key=_rank)

    def _recall(self, key: ProxyKey) -> _Memory:
        now = self._clock.mono()
        if key not in self._memory:
            self._memory = {each: kept for each, kept in self._memory.items() if now - kept.used_mono < _MEMORY_S}
        memory = self._memory.setdefault(key, _Memory(now))
        memory.used_mono = now
        return memory

    def _order(self, memory: _Memory) -> list[int]:
        every = list(range(len(self._ways)))
        if memory.way is None or self._clock.mono() >= memory.reprobe_mono:
            return every
        return [memory.way, *(index for index in every if index != memory.way)]

    async def _ask(
        self, way: ProxyAccess, proxy: ProxyAddress, memory: _Memory, parts: frozenset[Part], *, deadline_s: float
    ) -> tuple[ProxyState, ProxySample]:
        asked = _Asked(way, proxy, self._clock, deadline_s, as_text=memory.as_text)
        counters = await self._counters(asked, memory)
        mono, at = self._clock.mono(), self._clock.now()
        if Part.GAUGES in parts or memory.gauges is None:
            levels = await asked.stats(following(GAUGES, memory.refusing))
            now = self._clock.now()
            await asyncio.sleep(0)  # decoding and telling apart take 2.5 ms each for 2,000 clusters: keys go between
            memory.gauges = Gauges(levels, now, memory.gauges)
        histograms = None
        if parts & {Part.LATENCY, Part.DETAIL}:
            histograms = (await asked.stats(DETAIL if Part.DETAIL in parts else LATENCY)).histograms
        ready = None
        # Text costs us several times what JSON does: there a proxy that was ready is asked again with its levels.
        if not asked.as_text or Part.GAUGES in parts or memory.state is not ProxyState.LIVE:
            memory.state, ready = await asked.state(memory.gauges)
        if ready is not None:
            memory.ready_s.append(ready.took_s)
        cost = asked.cost(min(memory.ready_s, default=0.0), ready)
        sample, memory.clusters = decode_sample(
            counters,
            proxy.key,
            gauges=memory.gauges,
            histograms=histograms,
            mono=mono,
            at=at,
            cost=cost,
            before=memory.clusters,
            followed=memory.refusing,
        )
        memory.refusing = _refusing(sample)
        return memory.state, sample

    @staticmethod
    async def _counters(asked: _Asked, memory: _Memory) -> Stats:
        """Ask in the form that worked last, and in the other one where this is not offered."""
        path = following(COUNTERS, memory.refusing)
        try:
            return await asked.stats(path)
        except NotServed as failure:
            if asked.has_one_form:
                raise
            asked.as_text = not asked.as_text
            try:
                found = await asked.stats(path)
            except SourceError:
                raise failure from None
            memory.as_text = asked.as_text
            return found


class _Asked:
    """The questions of one sample, one after the other on one way in, within one deadline."""

    def __init__(
        self, way: ProxyAccess, proxy: ProxyAddress, clock: Clock, deadline_s: float, *, as_text: bool
    ) -> None:
        self.has_one_form = way.reaches_loopback
        """The admin interface has no `/metrics`."""
        self.as_text = as_text and not self.has_one_form
        self._way = way
        self._key = proxy.key
        self._port = proxy.admin_port if way.reaches_loopback else proxy.stats_port
        self._clock = clock
        self._end = clock.mono() + deadline_s
        self._answers: list[Answer] = []

    async def stats(self, path: str) -> Stats:
        """Ask for statistics.

        Raises:
            SourceError: no answer, or none that holds statistics.
        """
        answer = await self._get(in_text(path) if self.as_text else path, MAX_BYTES)
        if answer.status != 200:
            raise _unexpected(answer, self._port)
        return decode_text(answer.body) if self.as_text else decode_stats(answer.body)

    async def state(self, gauges: Gauges) -> tuple[ProxyState, Answer | None]:
        """Ask `/ready`; where it is not offered the gauges tell the same, one stats flush later."""
        try:
            answer = await self._get(READY, _READY_BYTES)
        except (Denied, NotServed, BadPayload):
            return gauges.state, None
        told = decode_ready(answer.status, answer.body)
        return told or gauges.state, answer if told else None

    def cost(self, floor_s: float, ready: Answer | None) -> Cost:
        """What the answers cost; `floor_s` of each are the way there and back."""
        return Cost(
            questions=len(self._answers),
            size=sum(len(answer.body) for answer in self._answers),
            took_ms=sum(answer.took_s for answer in self._answers) * 1000,
            admin_ms=sum(max(answer.took_s - floor_s, 0.0) for answer in self._answers) * 1000,
            ready_ms=None if ready is None else ready.took_s * 1000,
        )

    async def _get(self, path: str, max_bytes: int) -> Answer:
        deadline_s = max(self._end - self._clock.mono(), 0.0)
        answer = await self._way.get(self._key, self._port, path, deadline_s=deadline_s, max_bytes=max_bytes)
        self._answers.append(answer)
        return answer


def _refusing(sample: ProxySample) -> tuple[str, ...]:
    prefix = "eds."
    refused = (name for name, service in sample.services.items() if service.rejected and name.startswith(prefix))
    return tuple(sorted(name.removeprefix(prefix) for name in refused)[:MOST_FOLLOWED])


def _rank(failure: SourceError) -> int:
    return next((rank for rank, kind in enumerate(_TELLING_FIRST) if isinstance(failure, kind)), len(_TELLING_FIRST))


def _unexpected(answer: Answer, port: int) -> SourceError:
    """Name what an answer other than 200 to the stats request means."""
    message = f"port {port} answered {answer.status} to /stats: {printable(answer.body)}".rstrip(": ")
    if answer.status in {403, 404, 405}:
        return NotServed(message, "this port does not offer Envoy's stats; check `prometheus.io/port` or `allow_paths`")
    if answer.status in {502, 503, 504}:
        return Unreachable(message, "the listener answers, Envoy's admin interface behind it does not")
    return BadPayload(message, "check that this port is Envoy's stats or admin port")
