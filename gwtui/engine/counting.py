"""Counts what is under way at the ends of a drained edge, as the proxies themselves tell it.

A proxy that does not answer makes its end unknown, never empty. Health checks are no requests: what a filter answers to
them is in no counter that is read here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gwtui.changes.journal import EndCount
from gwtui.changes.plan import End
from gwtui.engine.pods import are_listed, is_gone
from gwtui.errors import GwtuiError
from gwtui.model.ids import ProxyKey
from gwtui.model.snapshot import Snapshot
from gwtui.ports import Clock, FindInspector

LOOK_S = 0.5
"""Between two readings."""

ZEROS = 4
"""Readings in a row without anything under way that prove an end empty."""

READ_S = 2.0
"""Seconds a proxy may take to tell its figures."""

MOST_NAMED = 8
"""So many of those that are still served are named."""

HCM = "http.http."
"""Start of the figures of every data listener: kgateway gives all of them the stat prefix `http`, and no other."""

_ARRIVING = "downstream_(rq_active|rq_completed|cx_active|cx_upgrades_active)"
_SENT = "upstream_(rq_active|rq_pending_active|rq_total|cx_active)"
_UPSTREAM = re.compile(r"cluster\.(?:kube|backend|istio-se)_(.+)\.upstream_rq_active").fullmatch


@dataclass(frozen=True, slots=True)
class _Figures:
    """What one proxy tells of one end."""

    in_flight: int
    begun: int
    """Counter: requests that began, as far as they count."""
    connections: int
    upgrades: int | None
    served: Mapping[str, int] = field(default_factory=dict)
    """Requests under way by who serves them."""


@dataclass(slots=True)
class _State:
    """What is kept of an end from one reading to the next."""

    begun: dict[ProxyKey, tuple[int, float]] = field(default_factory=dict)
    """Counter and time of the last answer of each proxy."""
    in_flight: int | None = None


class Counts:
    """Readings of the ends of one edge.

    Args:
        ends: what is counted.
        find: who asks a proxy.
        look: the current snapshot.
        clock: the time of everything.
    """

    def __init__(self, ends: Sequence[End], find: FindInspector, look: Callable[[], Snapshot], clock: Clock) -> None:
        self._ends = tuple(ends)
        self._find = find
        self._look = look
        self._clock = clock
        self._states = [_State() for _ in self._ends]
        self.ends: tuple[EndCount, ...] = ()
        """The last reading."""
        self.remaining: tuple[str, ...] = ()
        """Who is still served behind the gateways that are counted whole, most first: `2 foo/web`."""
        self.zeros = 0
        """Readings in a row in which nothing was under way at any end, and nothing had begun."""

    @property
    def is_empty(self) -> bool:
        """Whether all ends are proven silent."""
        return self.zeros >= ZEROS

    def begin(self) -> None:
        """Begin to prove silence: what was silent before proves nothing."""
        self.zeros = 0

    async def read(self) -> None:
        """Read every end once."""
        found = await asyncio.gather(
            *(self._end(end, state) for end, state in zip(self._ends, self._states, strict=True))
        )
        self.ends = tuple(count for count, _ in found)
        served: dict[str, int] = {}
        for _, of_end in found:
            for name, number in of_end.items():
                served[name] = served.get(name, 0) + number
        most = sorted(served.items(), key=lambda each: (-each[1], each[0]))
        self.remaining = tuple(f"{number} {name}" for name, number in most[:MOST_NAMED])
        is_silent = bool(found) and all(count.in_flight == 0 and count.new_rps == 0 for count in self.ends)
        self.zeros = self.zeros + 1 if is_silent else 0

    async def _end(self, end: End, state: _State) -> tuple[EndCount, Mapping[str, int]]:
        proxies = self._proxies(end)
        if isinstance(proxies, str):
            return self._untold(end, state, proxies)
        # Who remains is asked only while somebody does: that takes a line for every upstream.
        pattern = _pattern(end, names=state.in_flight != 0)
        answers = await asyncio.gather(*(self._figures(proxy, end, pattern) for proxy in proxies))
        told: dict[ProxyKey, _Figures] = {}
        for proxy, answer in zip(proxies, answers, strict=True):
            if isinstance(answer, str):
                return self._untold(end, state, f"{proxy.pod}: {answer}")
            told[proxy] = answer
        new_rps = self._new_rps(state, told)
        state.in_flight = sum(each.in_flight for each in told.values())
        served: dict[str, int] = {}
        for each in told.values():
            for name, number in each.served.items():
                served[name] = served.get(name, 0) + number
        count = EndCount(
            end=end,
            in_flight=state.in_flight,
            new_rps=new_rps,
            upgrades=None if end.clusters else sum(each.upgrades or 0 for each in told.values()),
            connections=sum(each.connections for each in told.values()),
        )
        return count, served

    def _untold(self, end: End, state: _State, why: str) -> tuple[EndCount, Mapping[str, int]]:
        state.in_flight = None
        return EndCount(end=end, in_flight=None, new_rps=None, unknown=why), {}

    def _new_rps(self, state: _State, told: Mapping[ProxyKey, _Figures]) -> float | None:
        """Requests/s since the last answers; None where one proxy has not answered before, or began anew."""
        now = self._clock.mono()
        before, state.begun = state.begun, {proxy: (each.begun, now) for proxy, each in told.items()}
        rates: list[float] = []
        for proxy, (begun, at) in state.begun.items():
            earlier, since = before.get(proxy, (begun + 1, at))
            if begun < earlier or at <= since:
                return None
            rates.append((begun - earlier) / (at - since))
        return sum(rates)

    def _proxies(self, end: End) -> list[ProxyKey] | str:
        """Who counts at an end, or why that is not known. A proxy that is gone counts nothing."""
        snapshot = self._look()
        view = snapshot.clusters.get(end.gateway.cluster)
        if view is None:
            return f"nothing is known of cluster {end.gateway.cluster}"
        if end.pod:
            own = ProxyKey(end.gateway.cluster, end.gateway.namespace, end.pod)
            return [] if is_gone(snapshot, own) else [own]
        node = view.gateway(end.gateway)
        if node is None:
            return f"{end.gateway} is not in the topology"
        if not are_listed(view, end.gateway.namespace):
            return f"pods of namespace {end.gateway.namespace} are not followed"
        return [proxy for proxy in node.proxies if not is_gone(snapshot, proxy)]

    async def _figures(self, proxy: ProxyKey, end: End, pattern: str) -> _Figures | str:
        try:
            inspector, address = self._find(proxy)
            found = await inspector.statistics(address, pattern, deadline_s=READ_S)
        except GwtuiError as error:
            return error.message
        # What a proxy never counted is absent, and means 0.
        values = {each.name: each.value for each in found if isinstance(each.value, int)}
        if not end.clusters:
            return _Figures(
                in_flight=values.get(f"{HCM}downstream_rq_active", 0),
                begun=values.get(f"{HCM}downstream_rq_completed", 0),
                connections=values.get(f"{HCM}downstream_cx_active", 0),
                upgrades=values.get(f"{HCM}downstream_cx_upgrades_active", 0),
                served=dict(_served(values)),
            )

        def total(*figures: str) -> int:
            return sum(values.get(f"cluster.{name}.{figure}", 0) for name in end.clusters for figure in figures)

        return _Figures(
            in_flight=total("upstream_rq_active", "upstream_rq_pending_active"),
            begun=total("upstream_rq_total"),
            connections=total("upstream_cx_active"),
            upgrades=None,
        )


class Counting:
    """Counts ends.

    Args:
        find: who asks a proxy.
        look: the current snapshot.
        clock: the time of everything.
    """

    def __init__(self, find: FindInspector, look: Callable[[], Snapshot], clock: Clock) -> None:
        self._find = find
        self._look = look
        self._clock = clock

    def of(self, ends: Sequence[End]) -> Counts:
        """Begin to count these ends."""
        return Counts(ends, self._find, self._look, self._clock)


def _pattern(end: End, *, names: bool) -> str:
    """What is asked of a proxy, as RE2.

    A request that arrived is under way or completed, headers sent: so the completed ones tell what began, and those
    that a health check filter answered are not among them.
    """
    if end.clusters:
        return rf"^cluster\.({'|'.join(map(re.escape, end.clusters))})\.{_SENT}$"
    arriving = rf"{re.escape(HCM)}{_ARRIVING}"
    return rf"^({arriving}|cluster\..+\.upstream_rq_active)$" if names else f"^{arriving}$"


def _served(values: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Requests under way by `<namespace>/<name>`: neither of them holds the `_` that divides names of clusters."""
    for name, value in values.items():
        if value and (found := _UPSTREAM(name)):
            namespace, _, rest = found[1].partition("_")
            yield f"{namespace}/{rest.partition('_')[0]}", value
