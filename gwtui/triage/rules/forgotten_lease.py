"""The lease of a change is over, and the change is still in force."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gwtui.changes.journal import Change
from gwtui.changes.plan import ObjectEdit
from gwtui.model.ids import ObjectKey
from gwtui.triage.finding import NOT_COUNTED, Action, Evidence, Finding, Severity, Truth, at_change, at_rule, subject
from gwtui.triage.look import Look
from gwtui.triage.objects import served
from gwtui.views import text

ID = "forgotten-lease"

GRACE_S = 30.0
"""Seconds a console that is running may take to take a change back."""


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the changes whose lease ended and that nobody took back."""
    names = {view.name for view in look.clusters}
    for change in look.changes:
        ends = change.lease_ends_at
        if ends is not None and change.plan.cluster in names and (look.now - ends).total_seconds() >= GRACE_S:
            yield _finding(look, change, ends)
    yield None


def _finding(look: Look, change: Change, ends: datetime) -> Finding:
    plan = change.plan
    keys: tuple[ObjectKey, ...] = tuple(step.key for step in plan.steps if isinstance(step, ObjectEdit))
    route = next((key for key in keys if next(look.facts_of(key), None) is not None), None)
    drained = () if plan.drain is None or plan.drain.gateway is None else (subject(plan.drain.gateway),)
    rate = look.rate_of(route) if route is not None else NOT_COUNTED
    over = text.age_of(ends, look.now)
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        sentence=f"change {change.id} ({plan.title}) by {change.who} is in force {over} after its lease ended",
        place=at_rule(route, 0) if route is not None else at_change(plan.cluster, change.id),
        detail=change.id,
        evidence=(
            Evidence(
                Truth.INTENDED, f"its lease ended at {text.clock(ends)}; no console was there to take it back", ends
            ),
            Evidence(Truth.CLAIMED, f"the journal: {len(change.applied)} of {len(plan.steps)} steps in force"),
            Evidence(Truth.LOADED, "whether somebody else took it back was not looked at", is_unknown=True),
            served(rate, "its route"),
        ),
        at_stake=rate,
        actions=(Action("enter", "go there"), Action("z", "take it back", f"gwtui undo {change.id}", change=change.id)),
        about=frozenset({*keys, *drained}),
        affects=frozenset({*keys, *drained}),
        concerned=keys,
        since=ends,
    )
