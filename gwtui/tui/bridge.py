"""From many changes to few repaints: at most four a second, and one a second while nothing changes (ages grow).

Where a repaint is dear, as with a thousand proxies on a slow machine, there are fewer: keys come first.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gwtui.tui.feed import Feed

TICK_S = 0.25
"""Seconds between two looks at the feed: the highest rate of repaints."""

TICKS_AT_REST = 4
"""After how many quiet ticks a repaint is due anyway."""


REST = 3
"""How many times as long as a repaint took nothing is painted after it: a quarter of the time at most is painting."""


class Bridge:
    """Remembers that the feed changed until the next tick."""

    def __init__(self, feed: Feed, paint: Callable[[], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self.is_paused = False
        """While True nothing is painted; the feed goes on collecting."""
        self._paint = paint
        self._is_dirty = True
        self._quiet_ticks = 0
        self._clock = clock
        self._rests_until = float("-inf")
        self._unsubscribe = feed.subscribe(self._wake)

    def tick(self) -> None:
        """Paint if there is a reason to."""
        if self.is_paused:
            return
        self._quiet_ticks += 1
        began = self._clock()
        if began >= self._rests_until and (self._is_dirty or self._quiet_ticks >= TICKS_AT_REST):
            self._is_dirty = False
            self._quiet_ticks = 0
            self._paint()
            ended = self._clock()
            self._rests_until = ended + REST * (ended - began)

    def close(self) -> None:
        """Stop listening to the feed."""
        self._unsubscribe()

    def _wake(self) -> None:
        self._is_dirty = True
