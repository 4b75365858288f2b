"""From many changes to few repaints: at most four a second, and one a second while nothing changes (ages grow).

Keys come first. A repaint is worked off in small parts between which others have their turn; it waits while a key is
answered. Where a repaint is dear, as with a thousand proxies on a slow machine, there are fewer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

from gwtui.tui.feed import Feed

TICK_S = 0.25
"""Seconds between two looks at the feed: the highest rate of repaints."""

TICKS_AT_REST = 4
"""After how many quiet ticks a repaint is due anyway."""


REST = 3
"""How many times as long as a repaint took nothing is painted after it: a quarter of the time at most is painting."""

PART_S = 0.001
"""Seconds of work after which others have their turn."""

PAUSE_S = 0.002
"""Seconds that others have between two parts: with none at all, whoever waits for two turns waits for two parts."""

ANSWER_S = 0.03
"""Seconds a key is given to be answered: from its arrival to the frame that shows what it did."""

PATIENCE_S = 0.5
"""The longest that keys hold up one repaint: one that is held down must not stop the figures."""


class Bridge:
    """Remembers that the feed changed until the next tick.

    Args:
        feed: tells of changes.
        paint: begins a repaint, which is done when the iterator ends.
        clock: monotonic seconds.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        feed: Feed,
        paint: Callable[[], Iterator[None]],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.is_paused = False
        """While True nothing is painted; the feed goes on collecting."""
        self._paint = paint
        self._is_dirty = True
        self._quiet_ticks = 0
        self._clock = clock
        self._sleep = sleep
        self._rests_until = float("-inf")
        self._answers_until = float("-inf")
        self._unsubscribe = feed.subscribe(self._wake)

    def key_pressed(self) -> None:
        """Take note that a key is to be answered now."""
        self._answers_until = self._clock() + ANSWER_S

    @property
    def is_answering(self) -> bool:
        """Whether a key was pressed just now."""
        return self._clock() < self._answers_until

    async def tick(self) -> None:
        """Paint if there is a reason to."""
        if self.is_paused:
            return
        self._quiet_ticks += 1
        if self._clock() >= self._rests_until and (self._is_dirty or self._quiet_ticks >= TICKS_AT_REST):
            self._is_dirty = False
            self._quiet_ticks = 0
            worked_s = await self._repaint()
            self._rests_until = self._clock() + REST * worked_s

    def close(self) -> None:
        """Stop listening to the feed."""
        self._unsubscribe()

    async def _repaint(self) -> float:
        """Work off one repaint; how many seconds of work it was."""
        worked_s, patient_until = 0.0, self._clock() + PATIENCE_S
        parts, is_done = self._paint(), False
        while not is_done:
            await self._give_way(patient_until)
            if self.is_paused:
                self._is_dirty = True
                break
            began = self._clock()
            is_done = self._work(parts, began + PART_S)
            worked_s += self._clock() - began
        return worked_s

    async def _give_way(self, patient_until: float) -> None:
        await self._sleep(PAUSE_S)
        while (left_s := min(self._answers_until, patient_until) - self._clock()) > 0:
            await self._sleep(left_s)

    def _work(self, parts: Iterator[None], until: float) -> bool:
        """Do at least one part; whether it was the last."""
        return all(self._clock() < until for _ in parts)

    def _wake(self) -> None:
        self._is_dirty = True
