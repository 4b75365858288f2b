"""When garbage is collected: never while somebody types, nor where nearly everything that is made is kept.

Nearly all of what the console makes dies with its last reference; the collector is for the rest, the cycles. It looks
at every object there is to find them, and a fleet of a thousand proxies takes it a tenth of a second.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

YOUNG = 700
YOUNG_ROUNDS = 3
"""New objects are looked at once this many of them came, and once more after so many rounds: a millisecond each."""

NEVER = 1_000_000_000

AT_REST_S = 3.0
"""Seconds without a key from which an operator rests."""

EVERY_S = 60.0
"""Seconds between two looks at everything while the operator rests."""

LATEST_S = 600.0
"""The same while the operator never rests."""


class RestingCollector:
    """Looks at everything while the operator rests, instead of whenever many objects were made.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._before: tuple[int, int, int] | None = None
        self._looked_mono = self._typed_mono = clock()

    def begin(self) -> None:
        """Take over from the interpreter's own rule."""
        self._before = gc.get_threshold()
        gc.set_threshold(YOUNG, YOUNG_ROUNDS, NEVER)

    def typed(self) -> None:
        """Take note that the operator does something."""
        self._typed_mono = self._clock()

    def tick(self) -> None:
        """Collect if this is the time for it."""
        now = self._clock()
        since = now - self._looked_mono
        if since >= LATEST_S or (since >= EVERY_S and now - self._typed_mono >= AT_REST_S):
            gc.collect()
            self._looked_mono = self._clock()

    def end(self) -> None:
        """Give back to the interpreter's own rule."""
        if self._before is not None:
            gc.set_threshold(*self._before)
            self._before = None


@contextmanager
def collector_paused() -> Iterator[None]:
    """Hold off garbage collection: what is made here is no garbage, and scanning it again and again costs most."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
