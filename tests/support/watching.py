"""The console's engine on a running playground, without the console: what it knows, as it comes to know it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from gwtui.engine.clock import SystemClock
from gwtui.engine.store import Store
from gwtui.model.snapshot import Snapshot
from gwtui.settings import Settings
from gwtui.wiring.session import Session
from running import Demo


@contextlib.asynccontextmanager
async def watching(demo: Demo, **choices: object) -> AsyncIterator[Session]:
    """A session that watches the playground until the block is left."""
    clock = SystemClock()
    session = Session(Settings(kubeconfig=Path(demo.kubeconfig), **choices), Store(clock), clock)  # type: ignore[arg-type]
    async with session.running():
        yield session


async def until(session: Session, holds: Callable[[Snapshot], bool], *, within_s: float) -> Snapshot:
    """Wait until the snapshot shows it; returns that snapshot."""
    async with asyncio.timeout(within_s):
        while not holds(session.store.snapshot):
            await asyncio.sleep(0.05)
    return session.store.snapshot
