"""Writes one step of a plan on one object, and finds out what of a plan an object holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from gwtui.changes.differences import patch
from gwtui.changes.documents import draft_of, same_content
from gwtui.changes.door import Approval
from gwtui.changes.journal import Written
from gwtui.changes.plan import Document, ObjectEdit, Plan, Verdict
from gwtui.engine.stepping import StepFailed
from gwtui.engine.truths import Truths
from gwtui.errors import Conflict, Denied, GwtuiError, NotServed, Refused, Rejected
from gwtui.model.ids import ObjectKey
from gwtui.ports import Clock, ObjectWriter

REBASES = 3
"""How often a write is made anew because nothing but bookkeeping changed meanwhile, such as a status."""

READ_BACK_S = 20.0
"""How long a write without an answer is looked for on the server."""

Edge = Callable[[str], tuple[ObjectWriter, Truths]]
"""Who writes and who verifies in a cluster; raises `GwtuiError` when it is not open."""


class ObjectSteps:
    """Writes steps.

    Args:
        clock: the time of everything.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newest: dict[ObjectKey, Document] = {}
        """As we left the objects: what is written next of them is not made for an older version."""

    async def write(
        self, writer: ObjectWriter, approval: Approval, step: ObjectEdit, *, ours: Sequence[Document] = ()
    ) -> Document:
        """Write one step and return the object as stored.

        Only bookkeeping may have changed since the plan was made: then it is written on the newest version.

        Args:
            writer: of its cluster.
            approval: of the plan it belongs to.
            step: what is written.
            ours: contents beside the step's `before` that the object may have by what we wrote ourselves.

        Raises:
            StepFailed: it was not written, or nobody tells whether it was.
        """
        stored = await self._write(writer, approval, step, ours)
        self._newest[step.key] = stored
        return stored

    async def _write(
        self, writer: ObjectWriter, approval: Approval, step: ObjectEdit, ours: Sequence[Document]
    ) -> Document:
        newest = self._newest.get(step.key)
        before = draft_of(newest) if newest and same_content(newest, step.before) else step.before
        for _ in range(REBASES):
            try:
                return (await writer.write(approval, step.key, patch(before, step.after))).document
            except Conflict as conflict:
                current = await self._read(writer, step)
                if same_content(current, step.after):
                    return current
                if not any(same_content(current, each) for each in (step.before, *ours)):
                    raise StepFailed(Verdict.REFUSED, f"{step.key} was changed by somebody else since") from conflict
                before = draft_of(current)
            except (Rejected, Denied, NotServed, Refused) as error:
                raise StepFailed(Verdict.REFUSED, error.line()) from error
            except GwtuiError as error:
                return await self._find_out(writer, step, error)
        raise StepFailed(Verdict.REFUSED, f"{step.key} is changed all the time: nothing was written")

    async def _find_out(self, writer: ObjectWriter, step: ObjectEdit, error: GwtuiError) -> Document:
        """Whether a write that got no answer was taken: the server is asked until it tells."""
        end = self._clock.mono() + READ_BACK_S
        while True:
            try:
                current = await writer.read(step.key)
            except GwtuiError:
                if self._clock.mono() >= end:
                    text = f"{error.line()}; whether it was written is not known: `gwtui resume` finds out"
                    raise StepFailed(Verdict.UNVERIFIED, text) from error
                await self._clock.sleep(1.0)
                continue
            if same_content(current, step.after):
                return current
            raise StepFailed(Verdict.REFUSED, f"not written: {error.line()}") from error

    async def _read(self, writer: ObjectWriter, step: ObjectEdit) -> dict[str, Any]:
        try:
            return await writer.read(step.key)
        except GwtuiError as error:
            raise StepFailed(Verdict.REFUSED, error.line()) from error


def written(plan: Plan, index: int, stored: Document, at: datetime, *, is_reverse: bool = False) -> Written:
    """Return what is remembered of a step that the server took."""
    metadata = stored["metadata"]
    return Written(
        change=plan.id,
        at=at,
        step=index,
        is_reverse=is_reverse,
        generation=metadata.get("generation"),
        resource_version=metadata.get("resourceVersion", ""),
    )


def chains(plan: Plan, indexes: Iterable[int]) -> dict[ObjectKey, list[int]]:
    """Return the steps out of these that write an object, in order, by what they write."""
    found: dict[ObjectKey, list[int]] = {}
    for index in sorted(set(indexes)):
        step = plan.steps[index]
        if isinstance(step, ObjectEdit):
            found.setdefault(step.key, []).append(index)
    return found


def edits_of(plan: Plan, key: ObjectKey, since: int = 0) -> list[ObjectEdit]:
    """Return what a plan writes of an object, in order, from a position on."""
    return [step for step in plan.steps[since:] if isinstance(step, ObjectEdit) and step.key == key]


def is_held(plan: Plan, index: int, current: Document) -> bool:
    """Whether what an object holds proves that a step was written: as it left it, or as a later step did."""
    step = plan.steps[index]
    if not isinstance(step, ObjectEdit):
        return False
    return any(same_content(current, each.after) for each in edits_of(plan, step.key, index))
