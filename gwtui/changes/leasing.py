"""How long a change may be kept, and what the next choice is."""

from __future__ import annotations

from msgspec.structs import replace

from gwtui.changes.log_levels import is_of_log_levels, title
from gwtui.changes.plan import AdminPost, Plan

LEASES: tuple[float | None, ...] = (None, 900.0, 3600.0, 4 * 3600.0)
"""Spans in seconds, each followed by the next; None keeps the change."""


def with_next_lease(plan: Plan) -> Plan:
    """Return the plan with the span after the one it has; after the longest the first.

    A log level is never kept, and what takes it back always is.
    """
    if not is_of_log_levels(plan):
        return replace(plan, lease_s=_after(plan.lease_s, LEASES))
    if plan.lease_s is None:
        return plan
    lease_s = _after(plan.lease_s, LEASES[1:])
    posts = tuple(step for step in plan.steps if isinstance(step, AdminPost))
    return replace(plan, lease_s=lease_s, title=title(posts, lease_s))


def _after(lease_s: float | None, choices: tuple[float | None, ...]) -> float | None:
    return next((each for each in choices if each is not None and each > (lease_s or 0.0)), choices[0])
