"""One sample of one Envoy, through whichever way in works for it."""

from __future__ import annotations

from dataclasses import dataclass

from gwtui.adapters.envoy.decode import Stats, decode_ready, decode_sample, decode_state, decode_stats, printable
from gwtui.adapters.envoy.paths import READY, STATS
from gwtui.errors import BadPayload, Denied, NotServed, SourceError, Unreachable
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.traffic import ProxySample
from gwtui.ports import Answer, Clock, ProxyAccess, ProxyAddress

MAX_BYTES = 8_000_000
"""Largest stats answer we read: some 15,000 routes or clusters."""

REPROBE_S = 60.0
"""How often a better way in that failed is tried again."""

_READY_BYTES = 4096
_TELLING_FIRST = (Denied, BadPayload, NotServed, Unreachable)
_MEMORY_S = 600.0
"""A proxy not read for this long is forgotten: pods come and go."""


@dataclass(slots=True)
class _Memory:
    """Which way in answered for one proxy."""

    way: int
    reprobe_mono: float
    """When the ways before it are tried again."""
    used_mono: float


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

    async def sample(self, proxy: ProxyAddress, *, deadline_s: float) -> tuple[ProxyState, ProxySample, str]:
        """Return the proxy's state, its counters and the name of the way in that answered.

        Ways are tried in order of preference, the one that answered last time first; each gets an even share of what is
        left of `deadline_s`.

        Raises:
            SourceError: no way in answered. The failure of a way that used to work tells most, then a refusal.
        """
        end = self._clock.mono() + deadline_s
        order = self._order(proxy.key)
        failures: list[SourceError] = []
        for turn, index in enumerate(order):
            share_s = max(end - self._clock.mono(), 0.0) / (len(order) - turn)
            try:
                state, sample = await self._ask(self._ways[index], proxy, deadline_s=share_s)
            except SourceError as failure:
                failures.append(failure)
                continue
            self._remember(proxy.key, index, probed=0 in order[: turn + 1])  # the preferred way was among those tried
            return state, sample, self._ways[index].name
        if not failures:
            raise Unreachable("no way in is configured", "run `gwtui doctor`")
        raise self._most_telling(proxy.key, order, failures)

    def _order(self, key: ProxyKey) -> list[int]:
        every = list(range(len(self._ways)))
        memory = self._memory.get(key)
        if memory is None or self._clock.mono() >= memory.reprobe_mono:
            return every
        return [memory.way, *(index for index in every if index != memory.way)]

    def _remember(self, key: ProxyKey, index: int, *, probed: bool) -> None:
        now = self._clock.mono()
        if key not in self._memory:
            self._memory = {each: kept for each, kept in self._memory.items() if now - kept.used_mono < _MEMORY_S}
        self._memory[key] = _Memory(index, now + REPROBE_S if probed else self._memory[key].reprobe_mono, now)

    def _most_telling(self, key: ProxyKey, order: list[int], failures: list[SourceError]) -> SourceError:
        memory = self._memory.get(key)
        if memory is not None:
            return failures[order.index(memory.way)]
        return min(failures, key=_rank)

    async def _ask(self, way: ProxyAccess, proxy: ProxyAddress, *, deadline_s: float) -> tuple[ProxyState, ProxySample]:
        port = proxy.admin_port if way.reaches_loopback else proxy.stats_port
        end = self._clock.mono() + deadline_s
        answer = await way.get(proxy.key, port, STATS, deadline_s=deadline_s, max_bytes=MAX_BYTES)
        mono, at = self._clock.mono(), self._clock.now()
        if answer.status != 200:
            raise _unexpected(answer, port)
        stats = decode_stats(answer.body)
        state, ready = await self._state(way, proxy.key, port, stats, deadline_s=max(end - self._clock.mono(), 0.0))
        size = len(answer.body) + len(ready.body)
        took_ms = (answer.took_s + ready.took_s) * 1000
        return state, decode_sample(stats, proxy.key, mono=mono, at=at, size=size, took_ms=took_ms)

    async def _state(
        self, way: ProxyAccess, key: ProxyKey, port: int, stats: Stats, *, deadline_s: float
    ) -> tuple[ProxyState, Answer]:
        """Ask `/ready`; where it is not offered the gauges tell the same, one stats flush later."""
        try:
            answer = await way.get(key, port, READY, deadline_s=deadline_s, max_bytes=_READY_BYTES)
        except (Denied, NotServed, BadPayload):
            return decode_state(stats), Answer(0, b"", 0.0)
        return decode_ready(answer.status, answer.body) or decode_state(stats), answer


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
