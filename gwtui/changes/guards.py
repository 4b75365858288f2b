"""The guard that is offered for a plan: bounds a little above what the affected gateways do now."""

from __future__ import annotations

import math

from gwtui.changes.plan import Guard, Plan
from gwtui.model.known import Known
from gwtui.model.observed import together
from gwtui.model.snapshot import Snapshot

BAKE_S = 60.0
ERROR_POINTS = 0.005
"""Above the present share of errors."""

SLOWER = 2.0
"""Times the present p99."""

LEAST_P99_MS = 50.0
"""A bound below this would be broken by chance."""


def suggested(snapshot: Snapshot, plan: Plan) -> Guard:
    """Return bounds for the gateways that a plan touches; a figure that is not known now has no bound."""
    view = snapshot.clusters.get(plan.cluster)
    nodes = [node for key in plan.blast.gateways if view and (node := view.gateway(key))]
    figures = [found for node in nodes if (found := together(snapshot, node)) is not None]
    errors = [each.error_ratio.value for each in figures if isinstance(each.error_ratio, Known)]
    slow = [each.p99_ms.value for each in figures if isinstance(each.p99_ms, Known)]
    return Guard(
        bake_s=BAKE_S,
        max_error_ratio=round(max(errors) + ERROR_POINTS, 4) if errors else None,
        max_p99_ms=math.ceil(max(max(slow) * SLOWER, LEAST_P99_MS)) if slow else None,
    )
