"""Makes plans: reads the object, asks the server what it would make of the edit, and weighs it against what is seen."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gwtui.changes.blast import blast_radius, expected_shares
from gwtui.changes.documents import draft_of, same_content
from gwtui.changes.journal import Change
from gwtui.changes.log_levels import is_of_log_levels, levels_back
from gwtui.changes.merging import Conflicts, merge
from gwtui.changes.plan import BlastRadius, Caution, Document, Guard, ObjectEdit, Plan, Refusal
from gwtui.changes.projection import Outlook, outlook
from gwtui.changes.refusals import refusals
from gwtui.changes.titles import title
from gwtui.changes.weighing import cautions, owners
from gwtui.engine.rehearsing import NEW_VERSIONS, Said, outdated, rehearse, rights
from gwtui.errors import Conflict, Refused, UsageError
from gwtui.model.ids import ObjectKey
from gwtui.model.snapshot import Snapshot
from gwtui.ports import Clock, ObjectWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What the operator wants beside the edit itself."""

    reason: str = ""
    lease_s: float | None = None
    guard: Guard | None = None


Edit = Callable[[Document], Document]
"""Makes the wished content from the present one; raises `UsageError` where that is not possible."""


@dataclass(frozen=True, slots=True)
class _Rehearsed:
    """An edit, and what the server said to it."""

    stored: Document
    before: Document
    after: Document
    said: Said


class Planner:
    """Makes plans for the objects of one cluster.

    Args:
        writer: who reads objects and rehearses patches; raises `GwtuiError` where the cluster has no API.
        look: the current snapshot.
        clock: the time of everything.
        read_only: whether the console may write at all.
    """

    def __init__(
        self, writer: Callable[[], ObjectWriter], look: Callable[[], Snapshot], clock: Clock, *, read_only: bool = False
    ) -> None:
        self._writer = writer
        self._look = look
        self._clock = clock
        self._read_only = read_only

    async def edit(self, key: ObjectKey, edit: Edit, intent: Intent) -> Plan:
        """Return the plan of an edit of one route, made on its newest content.

        Raises:
            UsageError: the edit is not possible, or changes nothing.
            SourceError: the object cannot be read.
        """
        return await self._plan(key, edit, intent, undoes="")

    async def replace(self, key: ObjectKey, base: Document, wanted: Document, intent: Intent) -> Plan:
        """Return the plan of a draft that was made from an earlier content: foreign edits since are kept.

        Raises:
            Refused: somebody else changed the same fields since; the text names them.
            UsageError: the draft changes nothing.
            SourceError: the object cannot be read.
        """
        return await self._plan(key, lambda current: _merged(key, base, wanted, current), intent, undoes="")

    async def undo(self, change: Change, intent: Intent) -> Plan:
        """Return the plan that takes a change back and keeps what others changed since.

        Raises:
            Refused: nothing of it is in force, or somebody else changed the same fields since.
            SourceError: an object cannot be read.
        """
        if is_of_log_levels(change.plan):
            now = self._clock.now()
            return levels_back(change, id_=new_id(now), made_at=now, reason=intent.reason, read_only=self._read_only)
        steps = [change.plan.steps[index] for index in sorted(change.applied | change.uncertain)]
        edits = [step for step in steps if isinstance(step, ObjectEdit)]
        if not edits:
            raise Refused(f"nothing of change {change.id} is in force", "`gwtui changes` tells which are")
        if len(edits) > 1:
            raise Refused(f"change {change.id} has several steps", "`gwtui undrain` takes a drain back")
        step = edits[0]
        return await self._plan(
            step.key,
            lambda current: _merged(step.key, step.after, step.before, current),
            intent,
            undoes=change.id,
        )

    async def _plan(self, key: ObjectKey, edit: Edit, intent: Intent, *, undoes: str) -> Plan:
        rehearsed = await self._rehearse(key, edit)
        snapshot, now = self._look(), self._clock.now()
        before, after = rehearsed.before, rehearsed.after
        rules = await rights(self._writer(), key.namespace)
        said = rehearsed.said
        told = {refusal.code for refusal in said.refusals}

        def weigh() -> tuple[BlastRadius, tuple[Caution, ...], tuple[Refusal, ...]]:
            ahead = _outlook(snapshot, key, before, after)
            blast = blast_radius(snapshot, key.cluster, (before,), (after,), ahead=ahead)
            against = refusals(snapshot, key, before, after, rules=rules, now=now, read_only=self._read_only)
            return blast, cautions(snapshot, key, before, after, blast, ahead=ahead), against

        # Relating everything anew takes most of a second in a large cluster: no key waits for that.
        blast, weighed, found = await asyncio.to_thread(weigh)
        return Plan(
            id=new_id(now),
            title=title(before, after),
            made_at=now,
            cluster=key.cluster,
            steps=(ObjectEdit(key=key, object_kind=str(before.get("kind", "")), before=before, after=after),),
            blast=blast,
            owners=owners(rehearsed.stored),
            cautions=(*said.cautions, *weighed),
            refusals=(*said.refusals, *(each for each in found if each.code not in told)),
            checked=said.checked,
            expected=expected_shares(before, after),
            reason=intent.reason,
            lease_s=intent.lease_s,
            guard=intent.guard,
            undoes=undoes,
        )

    async def _rehearse(self, key: ObjectKey, edit: Edit) -> _Rehearsed:
        """Make the edit on the newest content and ask the server what it would make of it."""
        for attempt in range(NEW_VERSIONS):
            stored = await self._writer().read(key)
            before = draft_of(stored)
            after = edit(before)
            if same_content(before, after):
                raise Refused(f"{key} is already as wished", "nothing is to be changed")
            try:
                said = await rehearse(self._writer(), key, before, after)
            except Conflict as conflict:
                if attempt < NEW_VERSIONS - 1:
                    continue
                said = outdated(conflict)
            break
        return _Rehearsed(stored, before, after, said)


def _outlook(snapshot: Snapshot, key: ObjectKey, before: Document, after: Document) -> Outlook | None:
    """The cluster before and after; None where one cannot be had, and whoever asks for it says why."""
    view = snapshot.clusters.get(key.cluster)
    try:
        return outlook(view, (before,), (after,)) if view else None
    except UsageError:
        return None


def new_id(now: datetime) -> str:
    """Return an id for a plan that is made now."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _merged(key: ObjectKey, base: Document, wanted: Document, current: Document) -> Document:
    found = merge(base, wanted, current)
    if isinstance(found, Conflicts):
        names = ", ".join(each.path for each in found.paths)
        raise Refused(f"{key} was changed by somebody else since, in the same place: {names}", "weigh both, then edit")
    return found.document
