"""What all scrapers of one run share: the budget of each proxy, the places of the fleet, and what is looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import AbstractAsyncContextManager

from gwtui.engine.turns import Turns
from gwtui.model.ids import ProxyKey

PERIOD_S = 2.0
"""Seconds between two samples of one proxy, where its answers are quick."""

BUDGET = 0.05
"""Longest share of a proxy's time that answering us may take."""

IN_FLIGHT = 32
"""Samples under way at once, of proxies that answer."""

IN_FLIGHT_FAILING = 8
"""The same for proxies that failed last time, which may hold their place until the deadline."""

OURS_S = 0.005
"""Seconds of a large fleet's period for each of its proxies: what sampling one costs us bounds how often all are.
A thousand proxies are sampled every 5 s, those on the screen as often as a small fleet."""


class Governor:
    """How often and in which order proxies are asked.

    Args:
        period_s: seconds between two samples of one proxy.
        budget: longest share of a proxy's time that answering us may take, 0 to 1.
    """

    def __init__(self, *, period_s: float = PERIOD_S, budget: float = BUDGET) -> None:
        self.budget = budget
        self._period_s = period_s
        self._visible: frozenset[ProxyKey] = frozenset()
        self._opened: ProxyKey | None = None
        self._answering = Turns(IN_FLIGHT)
        self._failing = Turns(IN_FLIGHT_FAILING)
        self._fleet: dict[str, int] = {}

    def attend(self, visible: Collection[ProxyKey], opened: ProxyKey | None = None) -> None:
        """Take note of the proxies on the screen, and of the one that is looked at alone."""
        self._visible = frozenset(visible)
        self._opened = opened

    def is_opened(self, proxy: ProxyKey) -> bool:
        """Whether somebody looks at this proxy alone."""
        return proxy == self._opened

    def count(self, scraper: str, proxies: Iterable[object]) -> None:
        """Take note of how many proxies a scraper asks."""
        self._fleet[scraper] = sum(1 for _ in proxies)

    def period_s(self, proxy: ProxyKey) -> float:
        """Seconds between two samples of this proxy, where its answers are quick."""
        if self.matters(proxy):
            return self._period_s
        return max(self._period_s, OURS_S * sum(self._fleet.values()))

    def turn(self, proxy: ProxyKey, *, is_failing: bool) -> AbstractAsyncContextManager[None]:
        """Wait for a place among the samples under way; what is on the screen comes first."""
        turns = self._failing if is_failing else self._answering
        return turns.turn(0 if self.matters(proxy) else 1)

    def matters(self, proxy: ProxyKey) -> bool:
        """Whether this proxy is on the screen."""
        return proxy == self._opened or proxy in self._visible
