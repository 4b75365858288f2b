"""`gwtui triage`: what is wrong right now, ranked, without a console."""

from __future__ import annotations

import asyncio
import json

from gwtui.engine.clock import SystemClock
from gwtui.errors import Exit
from gwtui.settings import Settings
from gwtui.triage.document import triage_document
from gwtui.triage.evaluation import Evaluated, evaluate
from gwtui.triage.memory import FORGETFUL
from gwtui.triage.table import triage_table
from gwtui.views.scene import Scene
from gwtui.wiring.batch import ASKED_WITHIN_S
from gwtui.wiring.session import Session, start

EVERY_S = 1.0
"""Seconds between two evaluations while watching: since when something holds is known to that."""


def run(settings: Settings, *, output: str, settle_s: float) -> int:
    """Watch the fleet for `settle_s` seconds and print what is wrong with it, the worst first.

    Returns:
        0 when nothing is more than worth knowing, 1 when something is wrong.

    Raises:
        GwtuiError: no cluster answered, or nothing may be read.
    """
    session = start(settings, SystemClock())
    report = asyncio.run(_watch(session, settle_s)).report
    print(json.dumps(triage_document(report), indent=2) if output == "json" else triage_table(report), flush=True)
    return Exit.OK if report.is_healthy else Exit.FINDINGS


async def _watch(session: Session, settle_s: float) -> Evaluated:
    """Evaluate every second: what must hold for a while has to be seen for that long."""
    found: Evaluated | None = None
    scene: Scene | None = None
    clock = SystemClock()
    async with session.watching(0.0, asked_within_s=ASKED_WITHIN_S):
        ends_mono = clock.mono() + settle_s
        while True:
            snapshot, names = session.store.snapshot, session.reach.clusters
            scene = scene.later(snapshot, names, clock.now()) if scene else Scene(snapshot, names, clock.now())
            found = evaluate(scene, session.changes.all(), found.memory if found else FORGETFUL)
            left_s = ends_mono - clock.mono()
            if left_s <= 0:
                return found
            await asyncio.sleep(min(EVERY_S, left_s))
            session.store.fold()
