"""Makes plans of drains: reads every object anew, has the drain drawn up, and asks the server what it makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import structs

from gwtui.changes.blast import blast_radius
from gwtui.changes.documents import draft_of, same_content
from gwtui.changes.drains.drawing import draw_up
from gwtui.changes.drains.needs import objects_needed
from gwtui.changes.drains.outline import Outline
from gwtui.changes.drains.undrawing import draw_back
from gwtui.changes.drains.wish import DrainWish
from gwtui.changes.journal import Change
from gwtui.changes.log_levels import READ_ONLY
from gwtui.changes.plan import AdminPost, BlastRadius, Document, ObjectEdit, Owner, Plan, Refusal
from gwtui.changes.refusals import refusals
from gwtui.changes.rights import Rule, allows
from gwtui.changes.weighing import near_peak, owners
from gwtui.engine.planning import Intent, new_id
from gwtui.engine.rehearsing import NEW_VERSIONS, Said, outdated, rehearse, rights
from gwtui.engine.writing import chains
from gwtui.errors import Conflict, NotServed, Refused
from gwtui.model.ids import ObjectKey
from gwtui.model.known import Known, Unknown
from gwtui.model.resources import ROUTES
from gwtui.model.snapshot import Snapshot
from gwtui.ports import Clock, ObjectWriter

Documents = Mapping[ObjectKey, Document]
Owned = Mapping[ObjectKey, tuple[Owner, ...]]
"""Who else writes each object."""

Draw = Callable[[Snapshot, Documents, Owned], Outline]
"""Draws up a drain from the present objects."""


class _Drawn(NamedTuple):
    """A drain as it was drawn up last, and what the server said to it."""

    outline: Outline
    edits: Mapping[ObjectKey, ObjectEdit]
    """What becomes of each object in the end."""
    owned: Owned
    said: Mapping[ObjectKey, Said]


class DrainPlanner:
    """Makes plans of drains in one cluster.

    Args:
        writer: who reads objects and rehearses patches; raises `GwtuiError` where the cluster has no API.
        look: the current snapshot.
        changes: everything that is remembered, oldest first.
        clock: the time of everything.
        read_only: whether the console may write at all.
    """

    def __init__(
        self,
        writer: Callable[[], ObjectWriter],
        look: Callable[[], Snapshot],
        changes: Callable[[], Sequence[Change]],
        clock: Clock,
        *,
        read_only: bool = False,
    ) -> None:
        self._writer = writer
        self._look = look
        self._changes = changes
        self._clock = clock
        self._read_only = read_only

    async def plan(self, wish: DrainWish, intent: Intent) -> Plan:
        """Return the plan that empties something. What forbids it stands in the plan.

        Raises:
            UsageError: the wish names nothing that can be drained.
            SourceError: an object cannot be read.
        """
        changes = self._changes()

        def draw(snapshot: Snapshot, documents: Documents, owned: Owned) -> Outline:
            return draw_up(snapshot, wish, documents, changes, now=self._clock.now(), owners=owned)

        return await self._plan(lambda snapshot: objects_needed(snapshot, wish), draw, intent)

    async def back(self, change: Change, intent: Intent) -> Plan:
        """Return the plan that gives back what a drain took, in the safe order.

        Raises:
            Refused: nothing of it is in force, or somebody else changed the same fields since.
            SourceError: an object cannot be read.
        """
        in_force = change.applied | change.uncertain
        if not in_force:
            raise Refused(f"nothing of change {change.id} is in force", "`gwtui changes` tells which are")

        def draw(snapshot: Snapshot, documents: Documents, _: Owned) -> Outline:
            return draw_back(snapshot, change, documents, now=self._clock.now())

        return await self._plan(lambda _: chains(change.plan, in_force), draw, intent, undoes=change.id)

    async def _plan(
        self, needed: Callable[[Snapshot], Iterable[ObjectKey]], draw: Draw, intent: Intent, *, undoes: str = ""
    ) -> Plan:
        drawn = await self._drawn(needed, draw, may_be_gone=bool(undoes))
        outline, edits, said = drawn.outline, drawn.edits, drawn.said
        snapshot, now = self._look(), self._clock.now()
        rules = {space: await rights(self._writer(), space) for space in {key.namespace for key in edits}}

        def weigh() -> tuple[BlastRadius, list[Refusal]]:
            against = [each for edit in edits.values() for each in self._against(snapshot, edit, rules)]
            return _blast(snapshot, outline, edits.values()), against

        blast, against = await asyncio.to_thread(weigh)
        warned = (each for one in said.values() for each in one.cautions)
        refused = (each for one in said.values() for each in one.refusals)
        read_only = (READ_ONLY,) if self._read_only else ()
        taken = sum(bool(one.checked) for one in said.values())
        dry_run = (f"the server's dry run accepted {taken} of {len(said)} objects as they end",) if said else ()
        return Plan(
            id=new_id(now),
            title=outline.title,
            made_at=now,
            cluster=outline.drain.gateway.cluster,
            steps=outline.steps,
            stages=outline.stages,
            drain=outline.drain,
            blast=blast,
            owners=tuple(dict.fromkeys(owner for key in edits for owner in drawn.owned[key])),
            cautions=tuple(dict.fromkeys((*outline.cautions, *near_peak(blast), *warned))),
            refusals=_told_once((*read_only, *outline.refusals, *refused, *against)),
            checked=(*outline.checked, *dry_run),
            reason=intent.reason,
            lease_s=intent.lease_s,
            guard=intent.guard,
            undoes=undoes,
        )

    async def _drawn(
        self, needed: Callable[[Snapshot], Iterable[ObjectKey]], draw: Draw, *, may_be_gone: bool
    ) -> _Drawn:
        """Draw up a plan and rehearse how each object ends; all of it anew while objects change meanwhile."""
        for attempt in range(NEW_VERSIONS):
            snapshot = self._look()
            keys = tuple(needed(snapshot))
            read = await asyncio.gather(*(self._read(key, may_be_gone=may_be_gone) for key in keys))
            stored = {key: each for key, each in zip(keys, read, strict=True) if each is not None}
            documents = {key: draft_of(each) for key, each in stored.items()}
            owned = {key: owners(each) for key, each in stored.items()}
            # Relating everything anew takes most of a second in a large cluster: no key waits for that.
            outline = await asyncio.to_thread(draw, snapshot, documents, owned)
            edits, said = _whole_edits(outline), {}
            for key, edit in edits.items():
                try:
                    said[key] = await rehearse(self._writer(), key, edit.before, edit.after)
                except Conflict as conflict:
                    said[key] = outdated(conflict)
                    if attempt < NEW_VERSIONS - 1:
                        break
            else:
                break
        return _Drawn(outline, edits, owned, said)

    async def _read(self, key: ObjectKey, *, may_be_gone: bool) -> Document | None:
        """The object as the server has it; None where it is gone and that is for whoever draws to tell."""
        try:
            return await self._writer().read(key)
        except NotServed:
            if not may_be_gone:
                raise
            return None

    def _against(
        self, snapshot: Snapshot, edit: ObjectEdit, rules: Mapping[str, tuple[Rule, ...] | None]
    ) -> Iterator[Refusal]:
        """What forbids an edit as a whole."""
        key, known = edit.key, rules[edit.key.namespace]
        if key.resource in ROUTES:
            yield from refusals(snapshot, key, edit.before, edit.after, rules=known, now=self._clock.now())
            return
        plural, _, group = key.resource.partition(".")
        if known is not None and not allows(known, verb="patch", group=group, plural=plural, name=key.name):
            way = f"ask for a role that allows patch on {key.resource} in namespace {key.namespace}"
            yield Refusal(code="no-right", text=f"we may not patch {key}", safe_way=way)


def _whole_edits(outline: Outline) -> dict[ObjectKey, ObjectEdit]:
    """What becomes of each object from the first of its steps to the last; none where that is nothing."""
    found: dict[ObjectKey, ObjectEdit] = {}
    for step in outline.steps:
        if isinstance(step, ObjectEdit):
            first = found.get(step.key, step)
            found[step.key] = structs.replace(step, before=first.before)
    return {key: edit for key, edit in found.items() if not same_content(edit.before, edit.after)}


def _blast(snapshot: Snapshot, outline: Outline, edits: Iterable[ObjectEdit]) -> BlastRadius:
    """What moves in the end. Of one proxy that is told to fail it is what it takes now."""
    drain = outline.drain
    routes = [edit for edit in edits if edit.key.resource in ROUTES]
    if routes:
        before, after = [edit.before for edit in routes], [edit.after for edit in routes]
        return blast_radius(snapshot, drain.gateway.cluster, before, after)
    pods = {step.proxy for step in outline.steps if isinstance(step, AdminPost)}
    rates = [snapshot.proxies[proxy].current.rps for proxy in pods if proxy in snapshot.proxies]
    unknown = next((rate.reason for rate in rates if isinstance(rate, Unknown)), "" if rates else "nobody counts it")
    moved = None if unknown else sum(rate.value for rate in rates if isinstance(rate, Known))
    return BlastRadius(gateways=(drain.gateway,), moved_rps=moved, unknown=unknown)


def _told_once(found: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Refusals without those that say the same of the same: several objects are read by one source."""
    return tuple({(each.code, each.text): each for each in found}.values())
