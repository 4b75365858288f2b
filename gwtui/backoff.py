"""How long to wait after failures."""

from __future__ import annotations

import random as stdlib_random
from collections.abc import Callable


def between(low: float, high: float) -> float:
    """Return a random number from the range, so that many consoles do not act in step."""
    return stdlib_random.uniform(low, high)


class Backoff:
    """Doubling delays with jitter, so that many clients of a system that failed do not return in step.

    Args:
        first_s: longest first delay, in seconds.
        max_s: longest delay of all, in seconds.
        random: uniform random numbers of 0 to 1.
    """

    def __init__(self, first_s: float, max_s: float, random: Callable[[], float] = stdlib_random.random) -> None:
        self._first_s = first_s
        self._max_s = max_s
        self._random = random
        self._ceiling_s = first_s

    def next(self) -> float:
        """Return the next delay, in seconds: between half and all of a ceiling that doubles up to the longest."""
        ceiling_s = min(self._ceiling_s, self._max_s)
        self._ceiling_s = min(ceiling_s * 2, self._max_s)
        return ceiling_s * (0.5 + 0.5 * self._random())

    def reset(self) -> None:
        """Begin again with the first delay, after a success."""
        self._ceiling_s = self._first_s
