"""Growing, jittered pauses between tries."""

from __future__ import annotations

import random

from gwtui.ports import Clock

_RANDOM = random.SystemRandom()


def between(low: float, high: float) -> float:
    """A random number from the range, so that many consoles do not act in step."""
    return _RANDOM.uniform(low, high)


class Backoff:
    """Pauses that double from `first_s` to `most_s` seconds and start over after `healthy_s` seconds of health."""

    def __init__(self, clock: Clock, *, first_s: float = 0.2, most_s: float = 30.0, healthy_s: float = 60.0) -> None:
        self._clock = clock
        self._first_s = first_s
        self._most_s = most_s
        self._healthy_s = healthy_s
        self._next_s = first_s
        self._healthy_mono: float | None = None

    def began(self) -> None:
        """Note that things work from now on."""
        self._healthy_mono = self._clock.mono()

    def pause_s(self) -> float:
        """Seconds to wait after an end or a failure, jittered between half and all of the current step."""
        if self._healthy_mono is not None and self._clock.mono() - self._healthy_mono >= self._healthy_s:
            self._next_s = self._first_s
        self._healthy_mono = None
        step = self._next_s
        self._next_s = min(step * 2, self._most_s)
        return between(step / 2, step)
