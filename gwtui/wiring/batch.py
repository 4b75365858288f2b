"""`gwtui snapshot`: the fleet as one document, without a terminal."""

from __future__ import annotations

import asyncio
import json
import sys

from gwtui.engine.clock import SystemClock
from gwtui.errors import Exit
from gwtui.model.snapshot import Snapshot
from gwtui.settings import Settings
from gwtui.views.complaints import complaints
from gwtui.views.document import fleet_document
from gwtui.views.document_table import fleet_table
from gwtui.wiring.session import Session, start

LISTED_WITHIN_S = 30.0
ASKED_WITHIN_S = 5.0


def snapshot(settings: Settings, *, output: str, settle_s: float) -> int:
    """Watch the fleet for `settle_s` seconds, print it, and say on stderr what is wrong with it.

    Returns:
        0 when all is well, 1 when something was found.

    Raises:
        GwtuiError: no cluster answered, or nothing may be read.
    """
    clock = SystemClock()
    seen = asyncio.run(_watch(start(settings, clock), settle_s))
    document = fleet_document(seen, now=clock.now())
    print(json.dumps(document, indent=2) if output == "json" else fleet_table(document), flush=True)
    found = complaints(seen)
    for complaint in found:
        print(f"gwtui: {complaint.line()}", file=sys.stderr)
    return Exit.FINDINGS if found else Exit.OK


async def _watch(session: Session, settle_s: float) -> Snapshot:
    await session.open()
    engine = asyncio.create_task(session.run())
    try:
        await session.answered()
        await session.listed(LISTED_WITHIN_S)
        await session.sampled(ASKED_WITHIN_S)
        await asyncio.sleep(settle_s)
        session.store.fold()
        return session.store.snapshot
    finally:
        engine.cancel()
        await asyncio.gather(engine, return_exceptions=True)
        await session.close()
