"""Carries out plans in stages: everything of a stage is written, seen in force and watched before the next one begins.

What is yielded is to be kept before whoever asked goes on: an entry tells of what is done after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing

from gwtui.changes.door import Approval
from gwtui.changes.journal import Counted, Entered, Entry, Passed, Seen, Told, Writing
from gwtui.changes.plan import Document, ObjectEdit, Plan, Stage, StageKind, Verdict
from gwtui.engine.counting import Counting
from gwtui.engine.guarding import Guarding
from gwtui.engine.lookout import Lookout
from gwtui.engine.posting import Posting
from gwtui.engine.restoring import SETTLE_S, Restoring
from gwtui.engine.steering import Steering
from gwtui.engine.stepping import StepFailed
from gwtui.engine.truths import Baseline, Sight, Truth
from gwtui.engine.waiting import Waits
from gwtui.engine.writing import Edge, ObjectSteps, chains, written
from gwtui.model.snapshot import Snapshot
from gwtui.ports import Clock


class Conductor:
    """Carries out plans that have stages.

    Args:
        edge: who writes and who verifies in a cluster.
        posting: tells proxies.
        guarding: judges the bounds of a plan.
        counting: counts what is under way.
        look: the current snapshot.
        clock: the time of everything.
    """

    def __init__(
        self,
        edge: Edge,
        posting: Posting,
        guarding: Guarding,
        counting: Counting,
        *,
        look: Callable[[], Snapshot],
        clock: Clock,
    ) -> None:
        self._edge = edge
        self._posting = posting
        self._guarding = guarding
        self._counting = counting
        self._look = look
        self._clock = clock
        self._steps = ObjectSteps(clock)

    def carry_out(
        self, plan: Plan, approval: Approval, applied: frozenset[int], steering: Steering
    ) -> AsyncGenerator[Told, None]:
        """Carry out every stage, from wherever it was cut off.

        Args:
            plan: what is carried out.
            approval: of it.
            applied: steps that are in force already: they are verified, and not written again.
            steering: what the operator wants meanwhile.

        Raises:
            StepFailed: something was not done, is not seen in force, or is to be taken back.
            SourceError: the server does not tell what is in force.
        """
        lookout = Lookout(plan, self._guarding, steering, self._clock)
        counts = self._counting.of(plan.drain.ends if plan.drain else ())
        waits = Waits(plan, steering, lookout, counts, look=self._look, clock=self._clock)
        stages = _Stages(
            plan,
            approval,
            applied,
            edge=self._edge,
            posting=self._posting,
            steps=self._steps,
            lookout=lookout,
            waits=waits,
            clock=self._clock,
        )
        return stages.carry_out(steering)

    def take_back(self, plan: Plan, approval: Approval, done: Iterable[int]) -> AsyncGenerator[Entry, None]:
        """Take back what is, or may be, in force; see `Restoring.take_back`."""
        return Restoring(self._edge, self._posting, self._steps, self._clock).take_back(plan, approval, done)


class _Stages:
    """The stages of one plan that is carried out.

    Args:
        plan: what is carried out.
        approval: of it.
        applied: steps that were in force at the start.
        edge: who writes and who verifies in a cluster.
        posting: tells proxies.
        steps: writes objects.
        lookout: ends it when the plan is to be taken back.
        waits: what it waits for.
        clock: the time of everything.
    """

    def __init__(
        self,
        plan: Plan,
        approval: Approval,
        applied: frozenset[int],
        *,
        edge: Edge,
        posting: Posting,
        steps: ObjectSteps,
        lookout: Lookout,
        waits: Waits,
        clock: Clock,
    ) -> None:
        self._plan = plan
        self._approval = approval
        self._applied = applied
        self._edge = edge
        self._posting = posting
        self._lookout = lookout
        self._waits = waits
        self._clock = clock
        self._steps = steps
        self._done = set(applied)
        self._baselines: dict[int, Baseline] = {}
        self._stored: dict[int, int] = {}
        """Generations of the objects of the present stage, by step."""
        self._superseded = {index for chain in chains(plan, applied).values() for index in chain[:-1]}
        """Steps in force at the start after which their object was written again: they cannot be seen any more."""
        self._last = max((at for at, stage in enumerate(plan.stages) if applied & {*stage.steps}), default=-1)
        """The last stage of which something was in force at the start."""

    async def carry_out(self, steering: Steering) -> AsyncGenerator[Told, None]:
        """Carry out every stage that is not over."""
        kinds = [stage.kind for stage in self._plan.stages]
        first = kinds.index(StageKind.WRITE) if StageKind.WRITE in kinds else len(kinds)
        end = len(kinds) - kinds[::-1].index(StageKind.EMPTY) if StageKind.EMPTY in kinds else len(kinds)
        for at, stage in enumerate(self._plan.stages):
            if at < self._last and (stage.kind is not StageKind.WRITE or self._superseded.issuperset(stage.steps)):
                continue
            self._lookout.is_guarding = first <= at < end
            self._lookout.look()
            steering.takes_next()
            yield Entered(change=self._plan.id, at=self._clock.now(), stage=at)
            async with aclosing(self._stage(at, stage)) as events:
                async for told in events:
                    yield told
            if self._waits.is_given_up:
                return

    def _stage(self, at: int, stage: Stage) -> AsyncGenerator[Counted | Entry, None]:
        match stage.kind:
            case StageKind.WRITE:
                return self._write(at, stage)
            case StageKind.READY:
                return self._waits.ready(at)
            case StageKind.EMPTY:
                return self._waits.empty(at)

    async def _write(self, at: int, stage: Stage) -> AsyncGenerator[Counted | Entry, None]:
        """Write the steps of a stage, see them in force, and watch what they do."""
        self._stored = {}
        for index in stage.steps:
            async with aclosing(self._step(index, stage)) as entries:
                async for entry in entries:
                    yield entry
        for truth in (each for each in Truth if each in stage.truths and self._stored):
            async with aclosing(self._see(truth)) as entries:
                async for entry in entries:
                    yield entry
        if stage.bake_s < SETTLE_S and self._stored:
            await self._lookout.beside(self._clock.sleep(SETTLE_S))
        bake_s = stage.bake_s if at >= self._last else 0.0
        async with aclosing(self._waits.bake(at, bake_s)) as readings:
            async for counted in readings:
                yield counted
        text = ", ".join(str(truth) for truth in Truth if truth in stage.truths) or "written"
        yield Passed(change=self._plan.id, at=self._clock.now(), stage=at, text=text)

    async def _step(self, index: int, stage: Stage) -> AsyncGenerator[Entry, None]:
        """Write one step, unless it is in force."""
        self._lookout.look()
        plan, step = self._plan, self._plan.steps[index]
        if not isinstance(step, ObjectEdit):
            async with aclosing(self._posting.carry_out(plan, self._approval, index, frozenset(self._done))) as entries:
                async for entry in entries:
                    yield entry
            self._done.add(index)
            return
        writer, truths = self._edge(plan.cluster)
        if index not in self._applied:
            if Truth.LOADED in stage.truths:
                self._baselines[index] = await self._lookout.beside(truths.baseline(plan, step))
            yield Writing(change=plan.id, at=self._clock.now(), step=index)
            document = await self._steps.write(writer, self._approval, step)
            self._stored[index] = _generation(document)
            yield written(plan, index, document, self._clock.now())
        elif index not in self._superseded:
            self._stored[index] = _generation(await writer.read(step.key))
        self._done.add(index)

    async def _see(self, truth: Truth) -> AsyncGenerator[Seen, None]:
        """See a truth of every step of the present stage.

        Raises:
            StepFailed: it is not seen of one. The next stage builds on what proxies hold: where nobody tells that, it
                is as good as missing.
        """
        plan, failed = self._plan, ""
        for index, sight in (await self._lookout.beside(self._sights(truth))).items():
            at = self._clock.now()
            yield Seen(change=plan.id, at=at, step=index, truth=truth, is_met=sight.is_met, text=sight.text)
            if sight.is_met is False:
                failed = failed or f"not {truth} in time: {sight.text}"
            elif sight.is_met is None and truth is Truth.LOADED:
                failed = failed or f"whether it is {truth} is not told: {sight.text}"
        if failed:
            raise StepFailed(Verdict.UNVERIFIED, failed)

    async def _sights(self, truth: Truth) -> Mapping[int, Sight]:
        """What is seen of each step of the present stage; all are looked for at once."""
        _, truths = self._edge(self._plan.cluster)
        edits = {index: step for index in self._stored if isinstance(step := self._plan.steps[index], ObjectEdit)}
        sights = await asyncio.gather(
            *(
                truths.see(truth, self._plan, step, self._baselines.get(index, Baseline()), self._stored[index])
                for index, step in edits.items()
            )
        )
        return dict(zip(edits, sights, strict=True))


def _generation(document: Document) -> int:
    return document["metadata"].get("generation") or 0
