"""Carries out an approved plan: each step is remembered, written, and looked for afterwards.

Whoever runs a plan gets the journal's entries as they are made. An entry is on the disk before what it tells of is
sent, so that a plan that is cut off at any moment can be taken up again or taken back.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from gwtui.changes.door import Approval, Door
from gwtui.changes.journal import Change, Counted, Ended, Entry, Opened, Passed, Seen, Told, Writing, Written
from gwtui.changes.plan import ObjectEdit, Plan, Verdict
from gwtui.engine.conducting import Conductor
from gwtui.engine.guarding import Guarding
from gwtui.engine.posting import Posting
from gwtui.engine.steering import Steering
from gwtui.engine.stepping import StepFailed
from gwtui.engine.truths import Baseline, Truth
from gwtui.engine.writing import Edge, ObjectSteps, is_held, written
from gwtui.errors import Refused
from gwtui.ports import Clock, Journal

T = TypeVar("T", bound=Entry)


class OnFailure(StrEnum):
    """What becomes of a change that is not seen in force in time."""

    KEEP = "keep"
    REVERT = "revert"


@dataclass(slots=True)
class _Tally:
    """What came of a plan so far."""

    done: set[int] = field(default_factory=set)
    """Steps that are in force."""
    pending: set[int] = field(default_factory=set)
    """Steps that may be."""
    untold: list[str] = field(default_factory=list)
    is_proven: bool = True
    """A share that nobody counts leaves a doubt; a configuration that no proxy was seen to hold leaves no proof."""
    missed: dict[int, str] = field(default_factory=dict)
    """What was not seen of stages that were left without."""

    def note(self, plan: Plan, told: Told) -> None:
        """Take in what was told."""
        match told:
            case Writing(step=step):
                self.pending.add(step)
            case Written(step=step):
                self.pending.discard(step)
                self.done.add(step)
            case Seen(is_met=None, step=step, truth=truth, text=text):
                self.untold.append(f"{truth}: {text}")
                # What a stage tells a proxy is proven by its silence.
                if truth == Truth.LOADED and (not plan.stages or isinstance(plan.steps[step], ObjectEdit)):
                    self.is_proven = False
            case Passed(stage=stage, is_met=is_met, text=text):
                self.missed.pop(stage, None)
                if not is_met:
                    self.missed[stage] = text
            case _:
                pass


class Executor:
    """Carries out plans.

    Args:
        edge: who writes and who verifies in a cluster.
        door: lets plans through.
        journal: where everything is remembered.
        guarding: watches routes during the bake time.
        clock: the time of everything.
        who: the name entries are signed with.
        posting: carries out what is told to proxies.
        conductor: carries out plans that have stages; without one they are refused.
    """

    def __init__(
        self,
        edge: Edge,
        door: Door,
        journal: Journal,
        guarding: Guarding,
        clock: Clock,
        *,
        who: str,
        posting: Posting,
        conductor: Conductor | None = None,
    ) -> None:
        self._edge = edge
        self._door = door
        self._journal = journal
        self._guarding = guarding
        self._clock = clock
        self._who = who
        self._posting = posting
        self._conductor = conductor
        self._steps = ObjectSteps(clock)

    async def run(
        self, plan: Plan, on_failure: OnFailure = OnFailure.KEEP, steering: Steering | None = None
    ) -> AsyncGenerator[Told, None]:
        """Carry out a plan and yield what is remembered of it, `Ended` last, and what is counted meanwhile.

        Closing the generator, or a crash, leaves the change open: `resume` takes it up.

        Args:
            plan: what is carried out.
            on_failure: what becomes of it when it is not seen in force.
            steering: what the operator wants while it is under way, of a plan with stages.

        Raises:
            Refused: the door does not let it through, or the journal cannot be written. Nothing was sent.
        """
        approval = self._approve(plan)
        with self._journal.claim(plan.id, self._now()):
            yield self._keep(Opened(change=plan.id, at=self._now(), plan=plan, who=self._who))
            async for told in self._go_on(plan, approval, _Tally(), on_failure, steering or Steering()):
                yield told

    async def resume(
        self, change: Change, on_failure: OnFailure = OnFailure.KEEP, steering: Steering | None = None
    ) -> AsyncGenerator[Told, None]:
        """Take up a change that was cut off: find out what of it is in force, write the rest, verify all of it.

        One in stages that was being taken back is taken back to the end.

        Raises:
            Refused: it has ended, another process is at it, or the door does not let it through.
            SourceError: the server does not tell what is in force.
        """
        if not change.is_cut_off:
            raise Refused(f"change {change.id} is {change.verdict}", "`gwtui undo` takes it back, if it is in force")
        plan, approval = change.plan, self._approve(change.plan)
        with self._journal.claim(change.id, self._now()):
            if plan.stages and any(isinstance(each, Writing) and each.is_reverse for each in change.entries):
                failed = StepFailed(Verdict.ROLLED_BACK, "it was being taken back when it was cut off")
                tally = _Tally(done={*change.applied}, pending={*change.uncertain})
                async for ended in self._fail(plan, approval, tally, failed, on_failure):
                    yield ended
                return
            tally = _Tally(done={*(change.applied - change.uncertain)})
            for passed in (each for each in change.entries if isinstance(each, Passed)):
                tally.note(plan, passed)
            for index in sorted(change.uncertain):
                found = await self._found(plan, approval, index, frozenset(tally.done))
                if found is not None:
                    tally.note(plan, found)
                    yield self._keep(found)
            async for told in self._go_on(plan, approval, tally, on_failure, steering or Steering()):
                yield told

    def _approve(self, plan: Plan) -> Approval:
        if plan.stages:
            self._staged()
        return self._door.approve(plan)

    def _staged(self) -> Conductor:
        """Who carries out plans in stages."""
        if self._conductor is None:
            raise Refused("plans in stages are not carried out here", "use the console, or `gwtui drain`")
        return self._conductor

    async def _found(self, plan: Plan, approval: Approval, index: int, applied: frozenset[int]) -> Written | None:
        """What is to be remembered of a step that may have been written; None where it was not."""
        step = plan.steps[index]
        if not isinstance(step, ObjectEdit):
            is_done = await self._posting.is_in_force(plan, approval, index, applied)
            return Written(change=plan.id, at=self._now(), step=index) if is_done else None
        writer, _ = self._edge(plan.cluster)
        current = await writer.read(step.key)
        return written(plan, index, current, self._now()) if is_held(plan, index, current) else None

    async def _go_on(
        self, plan: Plan, approval: Approval, tally: _Tally, on_failure: OnFailure, steering: Steering
    ) -> AsyncGenerator[Told, None]:
        """Carry out what is not done yet, and end the change."""
        applied = frozenset(tally.done)
        carried: AsyncGenerator[Told, None] = (
            self._staged().carry_out(plan, approval, applied, steering)
            if plan.stages
            else self._one_by_one(plan, approval, applied)
        )
        try:
            async with aclosing(carried):
                async for told in carried:
                    tally.note(plan, told)
                    yield told if isinstance(told, Counted) else self._keep(told)
        except StepFailed as failed:
            async for entry in self._fail(plan, approval, tally, failed, on_failure):
                yield entry
            return
        if plan.undoes:
            text = f"by {plan.id}"
            yield self._keep(Ended(change=plan.undoes, at=self._now(), verdict=Verdict.UNDONE, text=text))
        verdict = Verdict.VERIFIED if tally.is_proven and not tally.missed else Verdict.UNVERIFIED
        yield self._ended(plan, verdict, "; ".join((*tally.missed.values(), *tally.untold)))

    async def _fail(
        self, plan: Plan, approval: Approval, tally: _Tally, failed: StepFailed, on_failure: OnFailure
    ) -> AsyncGenerator[Entry, None]:
        """Take back what is to be, and end the change."""
        verdict = failed.verdict
        may_be = plan.stages and verdict is not Verdict.REFUSED
        done = tally.done | tally.pending if may_be else tally.done
        if plan.stages and verdict in {Verdict.REFUSED, Verdict.UNVERIFIED}:
            # Of a stage that was refused nothing is in force; of those before it all is.
            verdict = Verdict.UNVERIFIED if done else Verdict.REFUSED
        is_reverted = verdict is Verdict.UNVERIFIED and on_failure is OnFailure.REVERT
        if done and (is_reverted or verdict is Verdict.ROLLED_BACK):
            back = (self._staged().take_back if plan.stages else self._take_back)(plan, approval, done)
            try:
                async with aclosing(back):
                    async for entry in back:
                        yield self._keep(entry)
            except StepFailed as error:
                text = f"{failed.text}; " if plan.stages else ""
                yield self._ended(plan, Verdict.UNVERIFIED, f"{text}could not be taken back: {error.text}")
                return
            verdict = Verdict.ROLLED_BACK
        yield self._ended(plan, verdict, failed.text)

    async def _one_by_one(self, plan: Plan, approval: Approval, applied: frozenset[int]) -> AsyncGenerator[Entry, None]:
        """Carry out each step and see it in force before the next, then watch what they do."""
        done = set(applied)
        for index, step in enumerate(plan.steps):
            steps = (
                self._step(plan, approval, index, step, is_written=index in applied)
                if isinstance(step, ObjectEdit)
                else self._posting.carry_out(plan, approval, index, frozenset(done))
            )
            async with aclosing(steps):
                async for entry in steps:
                    yield entry
                    if isinstance(entry, Written):
                        done.add(index)
        if plan.guard is not None and (broken := await self._guarding.watch(plan)):
            raise StepFailed(Verdict.ROLLED_BACK, broken)

    async def _step(
        self, plan: Plan, approval: Approval, index: int, step: ObjectEdit, *, is_written: bool
    ) -> AsyncGenerator[Entry, None]:
        writer, truths = self._edge(plan.cluster)
        baseline = Baseline()
        if is_written:
            stored = await writer.read(step.key)
        else:
            baseline = await truths.baseline(plan, step)
            yield Writing(change=plan.id, at=self._now(), step=index)
            stored = await self._steps.write(writer, approval, step)
            yield written(plan, index, stored, self._now())
        generation = stored["metadata"].get("generation") or 0
        for truth in Truth:
            sight = await truths.see(truth, plan, step, baseline, generation)
            yield Seen(change=plan.id, at=self._now(), step=index, truth=truth, is_met=sight.is_met, text=sight.text)
            if sight.is_met is False:
                raise StepFailed(Verdict.UNVERIFIED, f"not {truth} in time: {sight.text}")

    async def _take_back(self, plan: Plan, approval: Approval, done: Iterable[int]) -> AsyncGenerator[Entry, None]:
        """Write the reverse of the steps that are in force, the newest first."""
        for index in sorted(set(done), reverse=True):
            step = plan.steps[index]
            steps = (
                self._reverse(plan, approval, index, step)
                if isinstance(step, ObjectEdit)
                else self._posting.take_back(plan, approval, index)
            )
            async with aclosing(steps):
                async for entry in steps:
                    yield entry

    async def _reverse(
        self, plan: Plan, approval: Approval, index: int, step: ObjectEdit
    ) -> AsyncGenerator[Entry, None]:
        writer, _ = self._edge(plan.cluster)
        yield Writing(change=plan.id, at=self._now(), step=index, is_reverse=True)
        stored = await self._steps.write(writer, approval, step.reverse)
        yield written(plan, index, stored, self._now(), is_reverse=True)

    def _ended(self, plan: Plan, verdict: Verdict, text: str) -> Ended:
        return self._keep(Ended(change=plan.id, at=self._now(), verdict=verdict, text=text))

    def _keep(self, entry: T) -> T:
        """Write an entry to the disk: what it tells of is done after that."""
        self._journal.append(entry)
        return entry

    def _now(self) -> datetime:
        return self._clock.now()
