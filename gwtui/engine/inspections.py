"""Asks proxies what they hold whenever that may have changed: a source of `ProxyInspected`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import dataclass

from gwtui.engine.governor import Governor
from gwtui.errors import SourceError, Unreachable
from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import Inspection
from gwtui.model.known import Known, Unknown
from gwtui.model.observations import Observation, ProxyInspected
from gwtui.model.samples import ProxySample
from gwtui.model.snapshot import ProxyView
from gwtui.ports import Clock, ProxyAddress, ProxyInspector

DEADLINE_S = 15.0
"""Seconds one inspection may take: a proxy of thousands of routes needs some of them."""

AGAIN_S = 300.0
"""After so long a proxy is inspected although nothing seems to have changed: certificates are read from files too."""

WARMING_S = 10.0
"""After so long one that holds something that is warming is inspected again: no counter tells when it is done."""

RETRY_S = 60.0
"""After so long one that could not be inspected is tried again."""

SHORTEST_S = 4.0
"""Between two inspections of a proxy: changes come in bursts."""

SHARE = 0.02
"""Longest share of a proxy's time that inspecting it may take."""

AT_ONCE_OF = frozenset({"lds", "sds"})
"""Listeners and secrets change seldom, and what they change is waited for: the counter of taken updates comes with
every sample and tells it seconds before the version does."""

AT_ONCE = 4
"""Inspections under way, of the whole fleet."""

_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a sample tells of the configuration without asking for it."""

    services: frozenset[tuple[str, int, int | None, int | None]]
    """Name, refused updates, version and, of `AT_ONCE_OF`, taken updates of each subscription."""
    certificate_days: int | None

    @staticmethod
    def of(sample: ProxySample) -> _Seen:
        services = frozenset(
            (name, each.rejected, each.version, each.accepted if name.partition(".")[0] in AT_ONCE_OF else None)
            for name, each in sample.services.items()
        )
        return _Seen(services, sample.certificate_days)


@dataclass(frozen=True, slots=True)
class _Done:
    """The last inspection of one proxy."""

    seen: _Seen
    uptime_s: int
    at_mono: float
    not_before_mono: float
    has_failed: bool
    is_warming: bool


class Inspections:
    """A `Source` that inspects proxies one change at a time, what is on the screen first.

    Args:
        inspector: asks one proxy.
        proxies: the current set.
        views: what is known of them; only proxies that answer are inspected.
        governor: knows what is on the screen.
        clock: all time but the deadline, which is real.
        name: the source's unique name.
    """

    def __init__(
        self,
        inspector: ProxyInspector,
        proxies: Callable[[], Iterable[ProxyAddress]],
        views: Callable[[], Mapping[ProxyKey, ProxyView]],
        governor: Governor,
        clock: Clock,
        *,
        name: str = "inspections",
    ) -> None:
        self._inspector = inspector
        self._proxies = proxies
        self._views = views
        self._governor = governor
        self._clock = clock
        self._name = name
        self._done: dict[ProxyKey, _Done] = {}

    @property
    def id(self) -> str:
        """Unique name, for logs and task names."""
        return self._name

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Report inspections until cancelled."""
        facts: asyncio.Queue[ProxyInspected] = asyncio.Queue()
        under_way: dict[ProxyKey, asyncio.Task[None]] = {}
        try:
            while True:
                under_way = {key: task for key, task in under_way.items() if not _ended(task)}
                for address in self._due(under_way)[: AT_ONCE - len(under_way)]:
                    under_way[address.key] = asyncio.create_task(
                        self._inspect(address, facts), name=f"inspect:{address.key}"
                    )
                await self._clock.sleep(_LOOK_S)
                while not facts.empty():
                    yield facts.get_nowait()
        finally:
            for task in under_way.values():
                task.cancel()
            await asyncio.gather(*under_way.values(), return_exceptions=True)

    def _due(self, under_way: Mapping[ProxyKey, object]) -> list[ProxyAddress]:
        """Proxies to inspect now: on the screen first, then those never inspected, then the longest ago."""
        views = self._views()
        current = {address.key: address for address in self._proxies()}
        self._done = {key: done for key, done in self._done.items() if key in current}
        found = [
            address
            for key, address in current.items()
            if key not in under_way and (view := views.get(key)) and view.is_answering and self._is_due(key, view)
        ]
        return sorted(found, key=lambda address: (not self._governor.matters(address.key), self._last(address.key)))

    def _is_due(self, key: ProxyKey, view: ProxyView) -> bool:
        if not view.samples:
            return False
        done, now, newest = self._done.get(key), self._clock.mono(), view.samples[-1]
        if done is None:
            return True
        if now < done.not_before_mono:
            return False
        if done.has_failed:
            return now - done.at_mono >= RETRY_S
        is_restarted = (newest.uptime_s or 0) < done.uptime_s
        again_s = WARMING_S if done.is_warming else AGAIN_S
        return is_restarted or _Seen.of(newest) != done.seen or now - done.at_mono >= again_s

    def _last(self, key: ProxyKey) -> float:
        done = self._done.get(key)
        return done.at_mono if done else float("-inf")

    async def _inspect(self, address: ProxyAddress, facts: asyncio.Queue[ProxyInspected]) -> None:
        newest = self._views()[address.key].samples[-1]
        try:
            async with asyncio.timeout(DEADLINE_S * 1.25):
                found = await self._inspector.inspect(address, deadline_s=DEADLINE_S)
        except TimeoutError:
            found = self._failure(Unreachable(f"no answer within {DEADLINE_S:g} s"))
        except SourceError as error:
            found = self._failure(error)
        now = self._clock.mono()
        self._done[address.key] = _Done(
            seen=_Seen.of(newest),
            uptime_s=newest.uptime_s or 0,
            at_mono=now,
            not_before_mono=now + max(SHORTEST_S, found.cost_ms / 1000 / SHARE),
            has_failed=isinstance(found.config, Unknown),
            is_warming=isinstance(found.config, Known) and any(one.is_warming for one in found.config.value),
        )
        facts.put_nowait(ProxyInspected(address.key, found))

    def _failure(self, error: SourceError) -> Inspection:
        why = Unknown(error.line())
        return Inspection(taken_at=self._clock.now(), build=why, certificates=why, config=why, listeners=why)


def _ended(task: asyncio.Task[None]) -> bool:
    """Whether a task is over; a defect in it is raised here, where whoever keeps this source sees it."""
    if not task.done():
        return False
    if not task.cancelled() and (defect := task.exception()):
        raise defect
    return True
