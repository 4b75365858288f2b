"""Asks one proxy for its pages while the operator looks: one question per page at a time, and never a key waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from textual.screen import Screen

from gwtui.errors import GwtuiError
from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import ConfigKind, ConfigResource
from gwtui.tui.feed import ProxyPages
from gwtui.views.proxy.config import ResourceKey, held_resource, is_outdated
from gwtui.views.proxy.difference import Difference, difference
from gwtui.views.proxy.reading import Reading, Readings
from gwtui.views.proxy.subject import Subject

EVERY_S = 15.0
"""Seconds between two questions for the page of an open tab."""

STATISTICS_EVERY_S = 2.0
"""Seconds between two questions for statistics, whatever is typed meanwhile."""


class PageReader:
    """The pages of one proxy as they were read last.

    Args:
        screen: Whose workers ask; when it closes, so do they.
        pages: Who answers.
        key: The proxy.
        now: The moment that is shown; while the screen is paused it stands still, and nothing is asked again.
        changed: Called after every answer.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        screen: Screen[None],
        pages: ProxyPages,
        key: ProxyKey,
        *,
        now: Callable[[], datetime],
        changed: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.readings = Readings()
        self.asked = ""
        """The pattern that statistics were asked for."""
        self._screen = screen
        self._pages = pages
        self._key = key
        self._now = now
        self._changed = changed
        self._clock = clock
        self._wanted = ""
        self._asked_mono = float("-inf")

    def refresh(self, tab: str, found: Subject) -> None:
        """Ask for what the open tab shows, where that is due."""
        match tab:
            case "listeners":
                self._ask_when_due("listeners", lambda: self._pages.listeners(self._key))
            case "upstreams":
                self._ask_when_due("upstreams", lambda: self._pages.upstreams(self._key))
            case "certificates":
                self._ask_when_due("certificates", lambda: self._pages.certificates(self._key))
            case "config":
                reading = self.readings.config
                if reading.failure or is_outdated(reading, found):
                    self._ask_when_due("config", self._config)
            case "stats":
                self._ask_for_statistics()
            case "about":
                self._ask_when_due("build", lambda: self._pages.build(self._key))

    def search(self, pattern: str) -> None:
        """Ask for the statistics of this pattern as soon as may be; an empty one ends asking."""
        self._wanted = pattern
        if not pattern:
            self.asked = ""
            self.readings = replace(self.readings, statistics=Reading())
        self._ask_for_statistics()

    def compare(self, name: ResourceKey, sibling: ProxyKey) -> None:
        """Read a resource of both proxies, and compare."""
        self.readings = replace(self.readings, difference=Reading())
        self._ask("difference", lambda: self._difference(name, sibling))

    def _ask_for_statistics(self) -> None:
        reading, pattern = self.readings.statistics, self._wanted
        is_new = pattern != self.asked
        if not pattern or self._clock() - self._asked_mono < STATISTICS_EVERY_S:
            return
        if is_new or reading.is_due(self._now(), STATISTICS_EVERY_S):
            if is_new:
                self.readings = replace(self.readings, statistics=Reading())
            self.asked, self._asked_mono = pattern, self._clock()
            self._ask("statistics", lambda: self._pages.statistics(self._key, pattern))

    def _ask_when_due(self, page: str, fetch: Callable[[], Awaitable[Any]]) -> None:
        if getattr(self.readings, page).is_due(self._now(), EVERY_S):
            self._ask(page, fetch)

    def _ask(self, page: str, fetch: Callable[[], Awaitable[Any]]) -> None:
        self._keep(page, getattr(self.readings, page).asking(self._now()))
        # A newer question takes the place of one that still runs.
        self._screen.run_worker(
            self._load(page, fetch), name=page, group=f"page-{page}", exclusive=True, exit_on_error=False
        )

    async def _load(self, page: str, fetch: Callable[[], Awaitable[Any]]) -> None:
        try:
            value = await fetch()
        except GwtuiError as error:
            self._keep(page, getattr(self.readings, page).failed(error.message, error.hint, self._now()))
        except Exception as defect:
            self._keep(page, getattr(self.readings, page).failed(f"a defect of ours: {defect!r}", "", self._now()))
            raise
        else:
            self._keep(page, getattr(self.readings, page).answered(value, self._now()))
        finally:
            self._changed()

    def _keep(self, page: str, reading: Reading[Any]) -> None:
        self.readings = replace(self.readings, **{page: reading})

    async def _config(self) -> tuple[ConfigResource, ...]:
        """All kinds, one after the other: a proxy makes its answers on one thread."""
        found: list[ConfigResource] = []
        for kind in ConfigKind:
            found += await self._pages.config(self._key, kind)
        return tuple(found)

    async def _difference(self, name: ResourceKey, sibling: ProxyKey) -> Difference:
        own, other = await asyncio.gather(
            self._pages.config(self._key, name.kind, name.name), self._pages.config(sibling, name.kind, name.name)
        )
        # Comparing large bodies takes as long as many repaints.
        return await asyncio.to_thread(
            difference, name.kind, name.name, held_resource(own, name), held_resource(other, name), sibling
        )
