"""Changes as rows, the open ones first, then the newest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gwtui.changes.journal import Change
from gwtui.changes.plan import Verdict
from gwtui.views import text
from gwtui.views.change_words import ROLES, progress
from gwtui.views.drains import is_open_drain
from gwtui.views.matching import matches
from gwtui.views.plan_review import plan_review
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line
from gwtui.views.stage_words import current
from gwtui.views.tables import Column, Row

COLUMNS = (
    Column(id="cluster", title="CLUSTER", cells=14, least=8, rank=2),
    Column(id="age", title="AGE", cells=6, right=True),
    Column(id="verdict", title="VERDICT", cells=11),
    Column(id="state", title="IN FORCE", cells=12),
    Column(id="who", title="WHO", cells=12, least=6, rank=1),
    Column(id="change", title="CHANGE", cells=80, least=40),
)


def ordered(changes: Sequence[Change], pattern: str) -> tuple[Change, ...]:
    """Return the changes a filter lets through: those that are not ended first, then the newest."""
    found = [each for each in reversed(changes) if matches(pattern, _haystack(each))]
    return tuple(sorted(found, key=lambda each: not is_pressing(each)))


def is_pressing(change: Change) -> bool:
    """Whether something is to be done about it: it was cut off, or it will be taken back."""
    return change.is_cut_off or change.lease_ends_at is not None


def row(change: Change, now: datetime) -> Row:
    """The cells of one change, for `COLUMNS`."""
    return Row(
        (
            line(Span(change.plan.cluster, Role.DIM)),
            line(text.age_of(change.opened_at, now)),
            line(Span(str(change.verdict), ROLES[change.verdict])),
            _state(change, now),
            line(Span(change.who, Role.DIM)),
            line(change.plan.title),
        )
    )


def story(change: Change, now: datetime) -> Line:
    """The change by its id, whole; of a drain how far it is, by whom, since when, for how long."""
    reason = f"reason: {change.plan.reason}" if change.plan.reason else ""
    if change.plan.drain is None or change.plan.undoes or not is_open_drain(change):
        head = line(Span("change ", Role.DIM), Span(change.id, Role.STRONG), f"  {change.plan.title}")
        return joined([head, line(reason)], "  ")
    word = "draining" if change.verdict is Verdict.OPEN else "drained"
    return joined(
        [
            line(Span(f"{text.DRAINING_GLYPH} {word} {change.plan.drain.target}", Role.DRAIN)),
            _stage(change),
            line(f"by {change.who}"),
            line(f"since {text.clock(change.opened_at)} ({text.age_of(change.opened_at, now)})"),
            _lease(change, now),
            line(reason),
            line(Span(change.id, Role.DIM)),
        ],
        " · ",
    )


def _stage(change: Change) -> Line:
    at = current(change) if change.verdict is Verdict.OPEN else None
    return BLANK if at is None else line(f"stage {at.number} of {len(change.plan.stages)} {at.stage.title}")


def _lease(change: Change, now: datetime) -> Line:
    ends = change.lease_ends_at
    if ends is None:
        return line(Span("no lease", Role.DIM))
    left = (ends - now).total_seconds()
    return line(Span(f"lease {text.age(left)} more" if left > 0 else "lease is over", Role.ACCENT))


def _state(change: Change, now: datetime) -> Line:
    if change.uncertain:
        return line(Span("not known", Role.UNKNOWN))
    at = current(change) if change.verdict is Verdict.OPEN and change.plan.drain is not None else None
    if at is not None:
        return line(Span(f"{text.DRAINING_GLYPH} {at.number} of {len(change.plan.stages)}", Role.DRAIN))
    if not change.applied:
        return line(Span("no", Role.DIM))
    ends = change.lease_ends_at
    if ends is None:
        return line(Span(f"{text.DRAINING_GLYPH} drained", Role.DRAIN)) if is_open_drain(change) else line("yes")
    left = (ends - now).total_seconds()
    return line(Span(f"{text.age(left)} more" if left > 0 else "lease is over", Role.ACCENT if left > 0 else Role.WARN))


def detail(change: Change, cells: int) -> tuple[Line, ...]:
    """What became of a change, and the plan it was, `cells` wide."""
    whose = f"  by {change.who} on {change.plan.cluster}"
    head = [line(Span("change ", Role.DIM), Span(change.id, Role.STRONG), whose)]
    if change.plan.undoes:
        head.append(line(Span("takes back ", Role.DIM), change.plan.undoes))
    return (*head, BLANK, *progress(change, cells), BLANK, *plan_review(change.plan, cells))


def _haystack(change: Change) -> str:
    return f"{change.id} {change.plan.cluster} {change.verdict} {change.who} {change.plan.title} {change.plan.reason}"
