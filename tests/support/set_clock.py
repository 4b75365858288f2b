"""A clock that a test sets, for code that must also let real tasks run."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime


class SetClock:
    """Shows `seconds`; a sleep takes real time and moves nothing."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def mono(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class QuickClock(SetClock):
    """Time passes when somebody waits, and only then."""

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)
