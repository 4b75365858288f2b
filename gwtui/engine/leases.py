"""Takes changes back whose lease is over, in whichever gwtui runs then."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing

from gwtui.changes.journal import Change, Ended, Told
from gwtui.changes.plan import Plan, Verdict
from gwtui.errors import GwtuiError
from gwtui.ports import Clock

LOOK_S = 5.0


class Leases:
    """Looks for leases that are over.

    Args:
        changes: everything that is remembered.
        is_ours: whether a cluster is open here: nobody else's changes are touched.
        undo: makes the plan that takes a change back.
        run: carries it out.
        say: tells the operator, in one line.
        clock: the time of everything.
    """

    def __init__(
        self,
        changes: Callable[[], Iterable[Change]],
        is_ours: Callable[[str], bool],
        undo: Callable[[Change], Awaitable[Plan]],
        run: Callable[[Plan], AsyncGenerator[Told, None]],
        *,
        say: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._changes = changes
        self._is_ours = is_ours
        self._undo = undo
        self._run = run
        self._say = say
        self._clock = clock
        self._given_up: set[str] = set()

    async def watch(self) -> None:
        """Take back what is over, until cancelled."""
        while True:
            await self.settle()
            await self._clock.sleep(LOOK_S)

    async def settle(self) -> None:
        """Take back what is over now. What cannot be taken back is told once and left to the operator."""
        for change in self._over():
            self._given_up.add(change.id)
            self._say(f"the lease of {change.plan.title} is over{await self._take_back(change)}")

    async def _take_back(self, change: Change) -> str:
        """Take a change back; how that ended, in words."""
        verdict, why = Verdict.OPEN, ""
        try:
            plan = await self._undo(change)
            async with aclosing(self._run(plan)) as entries:
                async for entry in entries:
                    if isinstance(entry, Ended) and entry.change == plan.id:
                        verdict, why = entry.verdict, entry.text
        except GwtuiError as error:
            return f", and it cannot be taken back: {error.line()}"
        if verdict is Verdict.VERIFIED:
            return ": taken back"
        return f", and taking it back is {verdict}{': ' if why else ''}{why}"

    def _over(self) -> list[Change]:
        now = self._clock.now()
        return [
            change
            for change in self._changes()
            if change.lease_ends_at is not None
            and change.lease_ends_at <= now
            and change.id not in self._given_up
            and self._is_ours(change.plan.cluster)
        ]
