"""Keeps sources running: one guarded task each, so that no source can stop another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import aclosing

from gwtui.backoff import Backoff
from gwtui.engine.store import Store
from gwtui.ports import Clock, Source

log = logging.getLogger(__name__)


async def supervise(sources: Iterable[Source], store: Store, clock: Clock) -> None:
    """Run the sources until cancelled.

    A source that raises has a defect (failures of what it reads are observations): it is logged with its name and
    started again after a growing pause, while all others go on.
    """
    async with asyncio.TaskGroup() as group:
        for source in sources:
            group.create_task(_keep(source, store, clock), name=f"source:{source.id}")


async def _keep(source: Source, store: Store, clock: Clock) -> None:
    pause = Backoff(first_s=1.0, max_s=60.0)
    while True:
        try:
            async with aclosing(source.observe()) as observations:
                async for observation in observations:
                    store.report(observation)
        except Exception:
            log.exception("source_crashed", extra={"source": source.id})
        await clock.sleep(pause.next())
