"""The holder of the current snapshot: folds observations in bursts and wakes its subscribers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gwtui.collector import collector_paused
from gwtui.model.observations import Observation
from gwtui.model.reduction import reduce
from gwtui.model.snapshot import Snapshot
from gwtui.ports import Clock

BURST_S = 0.02
"""Observations that arrive within this time are folded together."""

LONGEST_PAUSE_S = 1.0
"""Upper limit of the pause between two folds when folding itself is slow."""

SHARE = 4.0
"""Folding may take one part in this many of the loop's time."""


class Store:
    """One snapshot, one writer: `report` collects, a timer folds, subscribers are told that something changed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._snapshot = Snapshot()
        self._pending: list[Observation] = []
        self._timer: asyncio.TimerHandle | None = None
        self._pause_s = BURST_S
        self._wakers: list[Callable[[], None]] = []

    @property
    def snapshot(self) -> Snapshot:
        """The current snapshot. Keeping a reference keeps that moment: snapshots never change."""
        return self._snapshot

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` after every fold, in the event loop; return what ends the subscription."""
        self._wakers.append(wake)
        return lambda: self._wakers.remove(wake)

    def report(self, observation: Observation) -> None:
        """Take one fact; it is in the snapshot within the burst time."""
        self._pending.append(observation)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._pause_s, self.fold)

    def fold(self) -> None:
        """Fold everything pending now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._pending:
            return
        batch, self._pending = self._pending, []
        started = self._clock.mono()
        with collector_paused():
            self._snapshot = reduce(self._snapshot, batch)
        took_s = self._clock.mono() - started
        self._pause_s = min(LONGEST_PAUSE_S, max(BURST_S, SHARE * took_s))
        for wake in tuple(self._wakers):
            wake()
