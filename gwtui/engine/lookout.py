"""Looks out while a drain is under way: for bounds that break, and for the operator who wants it back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

from gwtui.changes.plan import Plan, Verdict
from gwtui.engine.guarding import BREACHES, LOOK_S, Guarding
from gwtui.engine.steering import Steering
from gwtui.engine.stepping import StepFailed
from gwtui.ports import Clock

TICK_S = 0.25
"""Seconds until what the operator wants is noticed."""

T = TypeVar("T")


class Lookout:
    """Looks out for one plan.

    Args:
        plan: what is carried out.
        guarding: judges its bounds.
        steering: what the operator wants.
        clock: the time of everything.
    """

    def __init__(self, plan: Plan, guarding: Guarding, steering: Steering, clock: Clock) -> None:
        self._plan = plan
        self._guarding = guarding
        self._steering = steering
        self._clock = clock
        self._breaches = 0
        self._broken_mono = 0.0
        """When the first of them was seen."""
        self._looked_mono = clock.mono() - LOOK_S
        self.is_guarding = False
        """Whether bounds count now: something of the plan is in force."""

    def look(self) -> None:
        """Look once.

        Raises:
            StepFailed: the plan is to be taken back.
        """
        if self._steering.is_aborted:
            raise StepFailed(Verdict.ROLLED_BACK, "aborted by the operator")
        now = self._clock.mono()
        if not self.is_guarding or now < self._looked_mono + LOOK_S:
            return
        self._looked_mono = now
        broken = self._guarding.broken_now(self._plan)
        if not self._breaches:
            self._broken_mono = now
        self._breaches = self._breaches + 1 if broken else 0
        if self._breaches >= BREACHES:
            raise StepFailed(Verdict.ROLLED_BACK, f"{broken}; seen for {now - self._broken_mono:.1f} s")

    async def beside(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for work that writes nothing, and look out meanwhile.

        Raises:
            StepFailed: the plan is to be taken back; the work was cancelled.
        """
        doing, looking = asyncio.ensure_future(work), asyncio.ensure_future(self._keep_looking())
        try:
            await asyncio.wait({doing, looking}, return_when=asyncio.FIRST_COMPLETED)
            return doing.result() if doing.done() else looking.result()
        finally:
            doing.cancel()
            looking.cancel()
            await asyncio.gather(doing, looking, return_exceptions=True)

    async def _keep_looking(self) -> NoReturn:
        while True:
            self.look()
            await self._clock.sleep(TICK_S)
