"""`gwtui triage`: what is wrong right now, ranked, without a console."""

from __future__ import annotations

import asyncio
import json

from gwtui.engine.clock import SystemClock
from gwtui.errors import Exit
from gwtui.settings import Settings
from gwtui.triage.document import triage_document
from gwtui.triage.evaluation import Report, evaluate
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
    report = asyncio.run(_watch(session, settle_s))
    print(json.dumps(triage_document(report), indent=2) if output == "json" else triage_table(report), flush=True)
    return Exit.OK if report.is_healthy else Exit.FINDINGS


class Watch:
    """What is wrong in what a session watches, found out whenever it is asked.

    Args:
        session: what watches.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._clock = SystemClock()
        self._scene: Scene | None = None
        self._memory = FORGETFUL

    def look(self) -> Report:
        """Return what is wrong now; what must hold for a while has to be looked at for that long."""
        self._session.store.fold()
        snapshot, names, now = self._session.store.snapshot, self._session.reach.clusters, self._clock.now()
        self._scene = self._scene.later(snapshot, names, now) if self._scene else Scene(snapshot, names, now)
        report, self._memory = evaluate(self._scene, self._session.changes.all(), self._memory)
        return report


async def _watch(session: Session, settle_s: float) -> Report:
    watch, clock = Watch(session), SystemClock()
    async with session.watching(0.0, asked_within_s=ASKED_WITHIN_S):
        ends_mono = clock.mono() + settle_s
        while True:
            report = watch.look()
            left_s = ends_mono - clock.mono()
            if left_s <= 0:
                return report
            await asyncio.sleep(min(EVERY_S, left_s))
