"""What a drain waits for between two writes: bake times, gateways that get ready, and silence."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from gwtui.changes.journal import Counted, EndCount, Passed
from gwtui.changes.plan import Plan, Verdict
from gwtui.engine.counting import LOOK_S, ZEROS, Counts
from gwtui.engine.lookout import Lookout
from gwtui.engine.readiness import unready
from gwtui.engine.steering import OnDeadline, Steering
from gwtui.engine.stepping import StepFailed
from gwtui.model.snapshot import Snapshot
from gwtui.ports import Clock

BAKE_LOOK_S = 1.0
"""Between two readings while a stage is watched."""

READY_S = 60.0
"""How long gateways are waited for."""


class Waits:
    """The waits of one plan that is carried out. While it is held none of them ends, and no time runs.

    Args:
        plan: what is carried out.
        steering: what the operator wants.
        lookout: ends every wait when the plan is to be taken back.
        counts: what is under way.
        look: the current snapshot.
        clock: the time of everything.
    """

    def __init__(
        self,
        plan: Plan,
        steering: Steering,
        lookout: Lookout,
        counts: Counts,
        *,
        look: Callable[[], Snapshot],
        clock: Clock,
    ) -> None:
        self._plan = plan
        self._steering = steering
        self._lookout = lookout
        self._counts = counts
        self._look = look
        self._clock = clock
        self.is_given_up = False
        """Whether the deadline ended a wait: what comes after it is not done."""

    async def bake(self, stage: int, bake_s: float) -> AsyncGenerator[Counted, None]:
        """Wait while a stage that was written is watched.

        Raises:
            StepFailed: the plan is to be taken back.
        """
        spell = _Spell(self._steering, self._clock)
        while ((left_s := bake_s - spell.seconds()) > 0 and not self._steering.is_fast) or self._steering.is_held:
            await self._lookout.beside(self._counts.read())
            if self._counts.ends or self._steering.is_held:
                yield self._counted(stage)
            if self._steering.takes_next():
                return
            is_short = not self._steering.is_held and left_s < BAKE_LOOK_S
            await self._lookout.beside(self._clock.sleep(left_s if is_short else BAKE_LOOK_S))

    async def ready(self, stage: int) -> AsyncGenerator[Counted | Passed, None]:
        """Wait until the gateways of a stage take requests.

        Raises:
            StepFailed: they do not in time, or the plan is to be taken back.
        """
        gateways = self._plan.stages[stage].gateways
        since, spell = self._clock.now(), _Spell(self._steering, self._clock)
        while True:
            missing = next(unready(self._look(), gateways, since), "")
            goes_on = self._steering.takes_next()
            if not missing and (goes_on or not self._steering.is_held):
                yield self._passed(stage, f"{', '.join(map(str, gateways))} ready, every proxy live")
                return
            if goes_on:
                yield self._passed(stage, f"gone on without: {missing}", is_met=False)
                return
            if spell.seconds() >= READY_S and not self._steering.is_held:
                raise StepFailed(Verdict.UNVERIFIED, f"not ready in {READY_S:.0f} s: {missing}")
            if self._steering.is_held:
                yield self._counted(stage)
            await self._lookout.beside(self._clock.sleep(LOOK_S))

    async def empty(self, stage: int) -> AsyncGenerator[Counted | Passed, None]:
        """Wait until nothing is under way at any end.

        Raises:
            StepFailed: the plan is to be taken back, be it because its deadline is over.
        """
        drain, steering = self._plan.drain, self._steering
        if drain is None or not drain.ends:
            yield self._passed(stage, "nobody counts what is under way", is_met=False)
            return
        spell = _Spell(steering, self._clock)
        self._counts.begin()
        while True:
            await self._lookout.beside(self._counts.read())
            left_s = drain.deadline_s + steering.extra_s - spell.seconds()
            yield self._counted(stage, left_s)
            goes_on = steering.takes_next()
            if self._counts.is_empty and (goes_on or not steering.is_held):
                number = len(self._counts.ends)
                ends = f"{number} end{'s' if number != 1 else ''}"
                yield self._passed(stage, f"nothing under way at {ends}, {ZEROS} readings in a row")
                return
            if goes_on:
                yield self._passed(stage, f"gone on without: {self._remaining()}", is_met=False)
                return
            if left_s <= 0 and not steering.is_held and steering.on_deadline is not OnDeadline.ASK:
                text = f"the deadline is over: {self._remaining()}"
                if steering.on_deadline is OnDeadline.ABORT:
                    raise StepFailed(Verdict.ROLLED_BACK, text)
                self.is_given_up = True
                yield self._passed(stage, text, is_met=False)
                return
            await self._lookout.beside(self._clock.sleep(LOOK_S))

    def _counted(self, stage: int, left_s: float | None = None) -> Counted:
        return Counted(
            change=self._plan.id,
            at=self._clock.now(),
            stage=stage,
            ends=self._counts.ends,
            remaining=self._counts.remaining,
            zeros=self._counts.zeros,
            left_s=None if left_s is None else max(0.0, left_s),
            is_held=self._steering.is_held,
            is_overdue=left_s is not None and left_s <= 0 and self._steering.on_deadline is OnDeadline.ASK,
        )

    def _remaining(self) -> str:
        """What is not silent, in words."""
        ends = "; ".join(_end_words(each) for each in self._counts.ends if each.in_flight != 0 or each.new_rps)
        who = f" (for {', '.join(self._counts.remaining)})" if self._counts.remaining else ""
        return f"{ends}{who}" if ends else "silent for too short a time"

    def _passed(self, stage: int, text: str, *, is_met: bool = True) -> Passed:
        return Passed(change=self._plan.id, at=self._clock.now(), stage=stage, text=text, is_met=is_met)


class _Spell:
    """Seconds that passed while nothing was held.

    Args:
        steering: tells whether it is held.
        clock: the time of everything.
    """

    def __init__(self, steering: Steering, clock: Clock) -> None:
        self._steering = steering
        self._clock = clock
        self._at = clock.mono()
        self._seconds = 0.0

    def seconds(self) -> float:
        """How many by now; whether it is held is asked as often as this is."""
        now = self._clock.mono()
        self._seconds += 0.0 if self._steering.is_held else now - self._at
        self._at = now
        return self._seconds


def _end_words(count: EndCount) -> str:
    end = count.end
    name = f"{end.place}{' →' if end.clusters else ''}"
    if count.in_flight is None:
        return f"{name} unknown ({count.unknown})"
    if not count.in_flight:
        return f"{name} still gets requests"
    return f"{name} {count.in_flight} under way"
