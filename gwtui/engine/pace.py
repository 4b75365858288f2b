"""When one proxy is asked next, and for what: its own time decides."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from statistics import median

from gwtui.backoff import Backoff
from gwtui.model.samples import ProxySample
from gwtui.ports import Part

GAUGES_EVERY = 3
"""Levels are read with every so many samples: they are most of an answer's bytes."""

FLUSH_S = 5.0
"""How often Envoy renews its histograms; asking more often shows the same ones again."""

SECOND_SAMPLE_S = 1.0
"""Seconds from the first to the second sample: a rate needs two."""

RECOVERY_S = 30.0
"""A proxy that used to answer is asked every period for so long; then failures are backed off."""

RETRY_FIRST_S = 1.0
RETRY_MAX_S = 30.0

ACCOUNTED = 8
"""The budget holds over so many samples, so that a cheap one may follow a dear one."""

OUTLIER = 4.0
"""An answer counts for at most so many times the median of the accounted ones: one that was late is noise."""

SLOW_READY_FACTOR = 10.0
SLOW_READY_MS = 100.0
"""`/ready` is slow when it takes so many times what its quickest answer took, and so much longer at the least."""

SLOWEST = 8
"""At most so many times the period is waited while `/ready` is slow."""


class Pace:
    """The rhythm of one proxy.

    Args:
        budget: longest share of its time that answering us may take, 0 to 1.
        random: uniform random numbers of 0 to 1.
    """

    def __init__(self, budget: float, random: Callable[[], float]) -> None:
        self._budget = budget
        self._random = random
        self._backoff = Backoff(RETRY_FIRST_S, RETRY_MAX_S, random)
        self._spent: deque[tuple[float, float]] = deque(maxlen=ACCOUNTED)
        self._samples = 0
        self._latency_mono = float("-inf")
        self._had_detail = False
        self._ready_ms: deque[float] = deque(maxlen=ACCOUNTED)
        self._slowness = 1
        self._has_answered = False
        self._failing_since: float | None = None

    @property
    def is_failing(self) -> bool:
        """Whether the last sample failed."""
        return self._failing_since is not None

    def parts(self, now_mono: float, *, is_opened: bool) -> frozenset[Part]:
        """Return what to ask for beside counters.

        Args:
            now_mono: monotonic seconds.
            is_opened: whether somebody looks at this proxy alone, and wants the latency of each upstream.
        """
        wanted = set()
        if self._samples % GAUGES_EVERY == 0:
            wanted.add(Part.GAUGES)
        if now_mono - self._latency_mono >= FLUSH_S or (is_opened and not self._had_detail):
            wanted.add(Part.DETAIL if is_opened else Part.LATENCY)
        return frozenset(wanted)

    def answered(self, sample: ProxySample, parts: frozenset[Part], *, started_mono: float, period_s: float) -> float:
        """Return when to ask again, on the monotonic clock.

        Args:
            sample: what was answered.
            parts: what it was asked for.
            started_mono: when it was asked.
            period_s: seconds between two samples, where answers are quick.
        """
        is_second = self._samples == 0
        self._samples += 1
        self._has_answered = True
        self._failing_since = None
        self._backoff.reset()
        if parts & {Part.LATENCY, Part.DETAIL}:
            self._latency_mono = started_mono
            self._had_detail = Part.DETAIL in parts
        self._spent.append((started_mono, sample.admin_ms / 1000))
        self._judge_ready(sample.ready_ms)
        wait_s = min(SECOND_SAMPLE_S, period_s) if is_second else period_s * self._slowness
        return max(started_mono + self._jittered(wait_s), self._affordable_mono())

    def failed(self, now_mono: float, *, period_s: float) -> float:
        """Return when to try again after a sample that failed now, on the monotonic clock."""
        self._spent.clear()
        self._samples = 0
        if self._failing_since is None:
            self._failing_since = now_mono
        if self._has_answered and now_mono - self._failing_since < RECOVERY_S:
            return now_mono + self._jittered(period_s)
        return now_mono + self._backoff.next()

    def _affordable_mono(self) -> float:
        """The first moment at which all that was spent lately is within the budget."""
        usual_s = median(spent_s for _, spent_s in self._spent)
        spent_s = sum(min(each, OUTLIER * usual_s) for _, each in self._spent)
        return self._spent[0][0] + spent_s / self._budget

    def _judge_ready(self, ready_ms: float | None) -> None:
        """Wait longer and longer while `/ready` is slow, and come back step by step."""
        if ready_ms is None:
            return
        floor_ms = min(self._ready_ms, default=ready_ms)
        self._ready_ms.append(ready_ms)
        is_slow = ready_ms > max(SLOW_READY_FACTOR * floor_ms, floor_ms + SLOW_READY_MS)
        self._slowness = min(2 * self._slowness, SLOWEST) if is_slow else max(self._slowness // 2, 1)

    def _jittered(self, seconds: float) -> float:
        return seconds * (0.9 + 0.2 * self._random())
