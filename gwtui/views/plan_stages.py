"""What the review of a plan says of its stages: the way, each stage, when it is empty, what takes it back."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.changes.plan import Plan, StageKind
from gwtui.views import text
from gwtui.views.spans import Role, Span
from gwtui.views.stage_words import empty_words, lasting, left_to_others, restores, way_words, what_it_does

Row = tuple[str, *tuple[str | Span, ...]]
"""A label, and what stands after it."""


def stages(plan: Plan) -> Iterator[Row]:
    """Yield the way and the stages; nothing for a plan without them."""
    drain = plan.drain
    if drain is not None and drain.way and not plan.undoes:
        yield "Way", way_words(drain)
    if drain is not None and drain.to and not plan.undoes:
        yield "To", Span(drain.to, Role.STRONG)
    for number, stage in enumerate(plan.stages, start=1):
        label = "Stages" if number == 1 else ""
        yield label, Span(f"{number} ", Role.ACCENT), stage.title, Span(f"  {what_it_does(plan, stage)}", Role.DIM)


def deadline(plan: Plan) -> Iterator[Row]:
    """Yield when it is empty, how long that is waited for, and what is left to others then."""
    drain = plan.drain
    if drain is None or plan.undoes:
        return
    if any(stage.kind is StageKind.EMPTY for stage in plan.stages):
        yield "Empty", empty_words(drain)
        waited = f"{text.age(drain.deadline_s)} for what is under way; nothing is cut after it, who remains is named"
        yield "Deadline", waited
    if then := left_to_others(drain):
        yield "Then", Span(then, Role.DIM)


def undo(plan: Plan) -> Iterator[str | Span]:
    """Yield how it is taken back, and what of it cannot be."""
    if plan.drain is None:
        yield "one step, kept in the journal"
        return
    if plan.undoes:
        yield f"it restores {restores(plan)}; the drain can be planned again"
    else:
        yield f"undrain restores {restores(plan)}, from the journal"
    for post in lasting(plan):
        yield Span(f" · {text.RAISED} not undone: {post.path} on {post.proxy}, only a restart does", Role.WARN)
