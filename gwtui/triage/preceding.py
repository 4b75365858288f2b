"""What was changed shortly before something went wrong, and by whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from gwtui.changes.journal import Change
from gwtui.changes.plan import ObjectEdit
from gwtui.model.ids import ObjectKey
from gwtui.model.meta import AuthoredMeta, Meta
from gwtui.model.resources import POLICIES, ROUTES
from gwtui.triage.attached import attached
from gwtui.triage.finding import Finding, Preceding
from gwtui.triage.look import Look
from gwtui.views import text

WITHIN_S = 600.0
"""Seconds before a finding in which a change is told beside it."""

CLOCKS_S = 3.0
"""Seconds by which the clocks of those who tell may differ: managed fields have whole seconds."""

MOST = 3
"""Changes that are told."""


def preceding(look: Look, finding: Finding, since: datetime) -> tuple[Preceding, ...]:
    """Return what was changed in the minutes before at what a finding concerns, the latest first.

    Our own journal tells its changes; of others it is told who wrote the object last, as its managed fields say.
    """
    own = [*_ours(look, finding, since)]
    others = [each for each in _others(look, finding, since) if not _is_ours(each, own)]
    # Of what was changed at the same time the nearest object comes first: the sort is stable.
    found = sorted(dict.fromkeys((*own, *others)), key=lambda each: each.at, reverse=True)
    return tuple(found[:MOST])


def _ours(look: Look, finding: Finding, since: datetime) -> Iterator[Preceding]:
    concerned = frozenset(finding.concerned)
    for change in look.changes:
        if _is_near(change.opened_at, since) and not concerned.isdisjoint(_touched(change)):
            yield Preceding(change.opened_at, change.who, change.plan.title, change.id)


def _touched(change: Change) -> set[ObjectKey]:
    return {step.key for step in change.plan.steps if isinstance(step, ObjectEdit)}


def _others(look: Look, finding: Finding, since: datetime) -> Iterator[Preceding]:
    concerned = (*finding.concerned, *(policy for key in finding.concerned for policy in attached(look, key)))
    for key in dict.fromkeys(concerned):
        meta: Meta | None = getattr(look.find(key), "metadata", None)
        if meta is None:
            continue
        for written in _written(meta):
            if _is_near(written.at, since):
                yield written._replace(what=_called(key))


def _written(meta: Meta) -> Iterator[Preceding]:
    """Who wrote an object when, but for its status; when it was made, where only that is told."""
    made_at = text.moment(meta.creation_timestamp)
    writers = meta.managed_fields if isinstance(meta, AuthoredMeta) else ()
    if not writers and made_at is not None:
        yield Preceding(made_at, "", "", is_creation=True)
    for each in writers:
        at = text.moment(each.time) if each.subresource != "status" else None
        if at is not None:
            yield Preceding(at, each.manager, "", is_creation=at == made_at)


def _called(key: ObjectKey) -> str:
    """`route extra/batch`, `gateway infra/edge`, `TrafficPolicy extra/slow`."""
    kind = POLICIES.get(key.resource) or key.resource.partition(".")[0].removesuffix("s")
    short = "route" if key.resource in ROUTES else kind
    return f"{short} {key.namespace}/{key.name}" if key.namespace else f"{short} {key.name}"


def _is_near(at: datetime, since: datetime) -> bool:
    return -CLOCKS_S <= (since - at).total_seconds() <= WITHIN_S


def _is_ours(other: Preceding, own: list[Preceding]) -> bool:
    """Whether a write is that of a change which is told already."""
    near = timedelta(seconds=60)
    return other.who.startswith("gwtui") and any(abs(other.at - each.at) <= near for each in own)
