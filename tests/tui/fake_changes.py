"""Changes for tests of screens: what is remembered, planned and carried out is what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from gwtui.changes.drains.wish import DrainWish
from gwtui.changes.journal import Change, Ended, Told
from gwtui.changes.plan import Document, Plan
from gwtui.engine.steering import OnDeadline, Steering
from gwtui.errors import GwtuiError, Unreachable
from gwtui.model.ids import ObjectKey, ProxyKey


class NotedSteering(Steering):
    """Remembers what the operator wished, in order."""

    def __init__(self) -> None:
        super().__init__(on_deadline=OnDeadline.ASK)
        self.wishes: list[str] = []

    def next_stage(self) -> None:
        super().next_stage()
        self.wishes.append("next")

    def faster(self) -> None:
        super().faster()
        self.wishes.append("faster")

    def abort(self) -> None:
        super().abort()
        self.wishes.append("abort")

    def extend(self, seconds: float) -> None:
        super().extend(seconds)
        self.wishes.append(f"extend {seconds:g}")


class FakeChanges:
    """Remembers what tests put in; plans are what tests say."""

    def __init__(self) -> None:
        self.remembered: tuple[Change, ...] = ()
        self.planned: Plan | GwtuiError = Unreachable("no plan was given", "give one")
        self.entries: tuple[Told, ...] = ()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        """While it is not set, what is told of a change stops before its end."""
        self.wished: list[DrainWish] = []
        self.undone: list[str] = []
        self.steered: list[NotedSteering] = []
        self.ran: list[Plan] = []
        self.levels: list[tuple[ProxyKey, str]] = []
        self.drafts: list[tuple[ObjectKey, Document, Document]] = []
        self.documents: dict[ObjectKey, Document] = {}
        self.kept: dict[ObjectKey, tuple[Document, Document]] = {}

    def all(self) -> tuple[Change, ...]:
        return self.remembered

    def draft(self, key: ObjectKey) -> tuple[Document, Document] | None:
        return self.kept.get(key)

    def keep_draft(self, key: ObjectKey, base: Document, wanted: Document | None) -> None:
        self.kept.pop(key, None)
        if wanted is not None:
            self.kept[key] = (base, wanted)

    async def read(self, key: ObjectKey) -> Document:
        if key not in self.documents:
            raise Unreachable(f"{key} did not answer", "try again")
        return self.documents[key]

    async def plan(self, key: ObjectKey, base: Document, wanted: Document) -> Plan:
        self.drafts.append((key, base, wanted))
        return self._planned()

    async def log_level(self, proxy: ProxyKey, wanted: str) -> Plan:
        self.levels.append((proxy, wanted))
        return self._planned()

    async def drain(self, wish: DrainWish) -> Plan:
        self.wished.append(wish)
        return self._planned()

    async def undo(self, change: Change) -> Plan:
        self.undone.append(change.id)
        return self._planned()

    def steering(self) -> NotedSteering:
        self.steered.append(NotedSteering())
        return self.steered[-1]

    def run(self, plan: Plan, steering: Steering | None = None) -> AsyncGenerator[Told, None]:
        self.ran.append(plan)
        return self._tell()

    def resume(self, change: Change, steering: Steering | None = None) -> AsyncGenerator[Told, None]:
        self.ran.append(change.plan)
        return self._tell()

    async def _tell(self) -> AsyncGenerator[Told, None]:
        for entry in self.entries:
            await asyncio.sleep(0)
            if isinstance(entry, Ended):
                await self.may_go_on.wait()
            yield entry

    def _planned(self) -> Plan:
        if isinstance(self.planned, GwtuiError):
            raise self.planned
        return self.planned
