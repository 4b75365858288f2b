"""What a plan does to each object in the end, where it is written in several steps."""

from __future__ import annotations

from gwtui.changes.plan import AdminPost, ObjectEdit, Plan, Step
from gwtui.model.ids import ObjectKey


def net_edits(plan: Plan) -> tuple[ObjectEdit, ...]:
    """Return one edit per object, from before its first step to after its last, in the order of the first steps."""
    found: dict[ObjectKey, ObjectEdit] = {}
    for step in plan.steps:
        if isinstance(step, ObjectEdit):
            first = found.get(step.key, step)
            found[step.key] = ObjectEdit(
                key=step.key,
                object_kind=step.object_kind,
                before=first.before,
                after=step.after,
                gateways=tuple(dict.fromkeys((*first.gateways, *step.gateways))),
            )
    return tuple(found.values())


def net_steps(plan: Plan) -> tuple[Step, ...]:
    """Return the edits of objects as `net_edits` has them, then what proxies are told."""
    return *net_edits(plan), *(step for step in plan.steps if isinstance(step, AdminPost))
