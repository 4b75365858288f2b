"""Takes back what a plan with stages has in force, in the order in which nobody is sent to where nothing is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from gwtui.changes.door import Approval
from gwtui.changes.journal import Entry, Writing
from gwtui.changes.plan import AdminPost, ObjectEdit, Plan, Verdict
from gwtui.engine.posting import Posting
from gwtui.engine.stepping import StepFailed
from gwtui.engine.truths import Baseline, Truth
from gwtui.engine.writing import Edge, ObjectSteps, chains, edits_of, written
from gwtui.errors import GwtuiError
from gwtui.ports import Clock

SETTLE_S = 1.0
"""Seconds until every thread of a proxy does what the proxy holds: what it sent to before may go then."""


@dataclass(frozen=True, slots=True)
class _Chain:
    """All that is in force on one object, taken back by one write."""

    indexes: tuple[int, ...]
    step: ObjectEdit
    """From what the last of them left to what was before the first."""
    is_loaded: bool
    """Whether proxies can be seen to hold it."""


class Restoring:
    """Takes back plans that have stages.

    Args:
        edge: who writes and who verifies in a cluster.
        posting: tells proxies.
        steps: writes objects.
        clock: the time of everything.
    """

    def __init__(self, edge: Edge, posting: Posting, steps: ObjectSteps, clock: Clock) -> None:
        self._edge = edge
        self._posting = posting
        self._clock = clock
        self._steps = steps

    async def take_back(self, plan: Plan, approval: Approval, done: Iterable[int]) -> AsyncGenerator[Entry, None]:
        """Take back steps that are, or may be, in force.

        Proxies are told first, then the objects of later stages are written, those of a stage at once. Objects of
        earlier stages, to which the later ones sent, wait until proxies hold what was written.

        Raises:
            StepFailed: something is not taken back, or not seen in force; what others depend on was left alone.
        """
        done = sorted(set(done))
        posts = [index for index in reversed(done) if isinstance(plan.steps[index], AdminPost)]
        untold: list[str] = []
        for index in posts:
            async for entry in _tried(self._posting.send_back(plan, approval, index), untold):
                yield entry
        failed: list[str] = []
        before: list[tuple[_Chain, int]] = []
        for group in _groups(plan, done):
            if failed:
                break
            await self._settle(plan, before)
            before = []
            for chain in group:
                async for entry in _tried(self._write(plan, approval, chain, before), failed):
                    yield entry
        for index in posts if not untold else ():
            try:
                await self._posting.require_back(plan, approval, index)
            except StepFailed as error:
                untold.append(error.text)
        if failed or untold:
            raise StepFailed(Verdict.UNVERIFIED, "; ".join((*failed, *untold)))

    async def _write(
        self, plan: Plan, approval: Approval, chain: _Chain, stored: list[tuple[_Chain, int]]
    ) -> AsyncGenerator[Entry, None]:
        """Write what was before a chain, and add it with its generation to what is stored."""
        writer, _ = self._edge(plan.cluster)
        for index in reversed(chain.indexes):
            yield Writing(change=plan.id, at=self._clock.now(), step=index, is_reverse=True)
        ours = [each.after for each in edits_of(plan, chain.step.key)]
        document = await self._steps.write(writer, approval, chain.step, ours=ours)
        stored.append((chain, document["metadata"].get("generation") or 0))
        for index in reversed(chain.indexes):
            yield written(plan, index, document, self._clock.now(), is_reverse=True)

    async def _settle(self, plan: Plan, stored: Sequence[tuple[_Chain, int]]) -> None:
        """Wait until proxies hold what was written, so that what they sent to may go.

        Raises:
            StepFailed: they are not seen to: then it stays where it is, and takes nothing.
        """
        shown = [(chain, generation) for chain, generation in stored if chain.is_loaded]
        if not shown:
            return
        _, truths = self._edge(plan.cluster)
        sights = await asyncio.gather(
            *(truths.see(Truth.LOADED, plan, chain.step, Baseline(), generation) for chain, generation in shown)
        )
        for (chain, _), sight in zip(shown, sights, strict=True):
            if not sight.is_met:
                text = f"{chain.step.key} is not seen {Truth.LOADED}, so that what it sent to stays: {sight.text}"
                raise StepFailed(Verdict.UNVERIFIED, text)
        await self._clock.sleep(SETTLE_S)


def _groups(plan: Plan, done: Sequence[int]) -> list[list[_Chain]]:
    """What is taken back together, that of the latest stages first."""
    found: dict[int, list[_Chain]] = {}
    for key, indexes in chains(plan, done).items():
        edits = [step for index in indexes if isinstance(step := plan.steps[index], ObjectEdit)]
        stages = [
            (at, stage)
            for at, stage in enumerate(plan.stages)
            if any(isinstance(step := plan.steps[index], ObjectEdit) and step.key == key for index in stage.steps)
        ]
        at, stage = stages[-1]
        step = ObjectEdit(
            key=key,
            object_kind=edits[0].object_kind,
            before=edits[-1].after,
            after=edits[0].before,
            gateways=tuple(dict.fromkeys(gateway for each in edits for gateway in each.gateways)),
        )
        is_loaded = Truth.LOADED in stage.truths
        found.setdefault(at, []).append(_Chain(indexes=tuple(indexes), step=step, is_loaded=is_loaded))
    return [found[at] for at in sorted(found, reverse=True)]


async def _tried(entries: AsyncGenerator[Entry, None], failed: list[str]) -> AsyncGenerator[Entry, None]:
    """Pass entries on; a failure is noted, and ends them."""
    async with aclosing(entries):
        try:
            async for entry in entries:
                yield entry
        except StepFailed as error:
            failed.append(error.text)
        except GwtuiError as error:
            failed.append(error.line())
