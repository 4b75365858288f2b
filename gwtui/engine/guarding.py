"""The guard of a change: during its bake time the affected routes must stay within bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gwtui.changes.plan import Guard, Load, ObjectEdit, Plan
from gwtui.model.ids import GatewayKey
from gwtui.model.known import Known
from gwtui.model.observed import route_figures, together
from gwtui.model.snapshot import Snapshot
from gwtui.model.traffic import Rate
from gwtui.ports import Clock

LOOK_S = 1.0

BREACHES = 3
"""Looks in a row that must be out of bounds: one histogram or one window alone proves little."""


class Guarding:
    """Watches what a change does.

    Args:
        look: the current snapshot.
        clock: the time of everything.
    """

    def __init__(self, look: Callable[[], Snapshot], clock: Clock) -> None:
        self._look = look
        self._clock = clock

    async def watch(self, plan: Plan) -> str:
        """Watch for the bake time; return what went out of bounds, or an empty text."""
        guard = plan.guard
        if guard is None:
            return ""
        end = self._clock.mono() + guard.bake_s
        breaches = 0
        while self._clock.mono() < end:
            broken = next(self._broken(plan, guard, plan.blast.gateways), "")
            breaches = breaches + 1 if broken else 0
            if breaches >= BREACHES:
                return broken
            await self._clock.sleep(LOOK_S)
        return ""

    def broken_now(self, plan: Plan) -> str:
        """Look once, at the gateways that take over as well; return what is out of bounds, or an empty text."""
        if plan.guard is None:
            return ""
        taking = (load.gateway for load in plan.blast.loads if _gets_more(load))
        judged = dict.fromkeys((*plan.blast.gateways, *taking))
        return next(self._broken(plan, plan.guard, judged), "")

    def _broken(self, plan: Plan, guard: Guard, gateways: Iterable[GatewayKey]) -> Iterator[str]:
        """Every bound that is broken now. Where a route is not counted apart, its gateway is judged."""
        snapshot = self._look()
        view = snapshot.clusters.get(plan.cluster)
        if view is None:
            return
        for gateway in gateways:
            node = view.gateway(gateway)
            whole = together(snapshot, node) if node else None
            if node is None or whole is None:
                continue
            routes = route_figures(view, node, whole)
            # What is told to a proxy changes no route: its gateway is judged.
            keys = dict.fromkeys(step.key if isinstance(step, ObjectEdit) else None for step in plan.steps)
            for key in keys:
                own = routes.get(key) if key else None
                errors = _first_known(own.error_ratio if own else None, whole.error_ratio)
                p99 = _first_known(own.p99_ms if own else None, whole.p99_ms)
                if guard.max_error_ratio is not None and errors is not None and errors > guard.max_error_ratio:
                    yield f"{errors:.2%} errors on {gateway}, the guard allows {guard.max_error_ratio:.2%}"
                if guard.max_p99_ms is not None and p99 is not None and p99 > guard.max_p99_ms:
                    yield f"p99 {p99:.0f} ms on {gateway}, the guard allows {guard.max_p99_ms:.0f} ms"


def _gets_more(load: Load) -> bool:
    """Whether a gateway may get more than now: of one that is left, a few last errors say nothing."""
    return load.now_rps is None or load.then_rps is None or load.then_rps > load.now_rps


def _first_known(*figures: Rate | None) -> float | None:
    return next((each.value for each in figures if isinstance(each, Known)), None)
