"""What is wrong, kept up to date beside the screens: evaluated in small parts after what is seen was painted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gwtui.triage.evaluation import Report
    from gwtui.triage.memory import Memory
    from gwtui.tui.app import GwtuiApp
    from gwtui.views.scene import Scene
    from gwtui.views.spans import Line

EVERY_S = 1.0
"""Seconds from one evaluation to the next, at least."""

LATEST_S = 4.0
"""Seconds from one to the next where it is dear: what is wrong has to show within 5 s."""

SHARE = 0.07
"""Part of the time that evaluations may take, unless that made them too rare."""


class Triage:
    """The newest report of a console.

    Args:
        console: the application whose scenes are looked at.
    """

    def __init__(self, console: GwtuiApp) -> None:
        self._console = console
        self._report: Report | None = None
        self._memory: Memory | None = None
        self._worked_s = 0.0
        """What the newest evaluation took."""

    @property
    def is_known(self) -> bool:
        """Whether anything was found out yet."""
        return self._report is not None

    def report(self, scene: Scene) -> Report:
        """What is wrong as far as it was found out; found out now where nothing was yet.

        Args:
            scene: what is shown; looked at the first time alone.
        """
        if self._report is None:
            for _ in self._evaluate(scene):
                pass
        assert self._report is not None  # noqa: S101 - an evaluation leaves one
        return self._report

    def parts(self, scene: Scene) -> Iterator[None]:
        """Find out what is wrong in a scene, part by part; nothing where that was done less than a second ago."""
        if not scene.has_gateways:
            self._report = self._memory = None
            return
        every_s = min(LATEST_S, max(EVERY_S, self._worked_s / SHARE))
        if self._report is None or (scene.now - self._report.at).total_seconds() >= every_s:
            yield from self._evaluate(scene)

    def counters(self, scene: Scene) -> str:
        """` ✖1 ◐2` for the tab; empty while nothing is wrong, or nothing is known."""
        if not scene.has_gateways:
            return ""
        from gwtui.triage.table import counters  # noqa: PLC0415 - not needed before there is a gateway

        return counters(self.report(scene))

    def line(self, scene: Scene) -> Line:
        """The one thing to know first."""
        if not scene.has_gateways:
            return ()
        from gwtui.triage.line import triage_line  # noqa: PLC0415 - not needed before there is a gateway

        return triage_line(scene, self.report(scene))

    def _evaluate(self, scene: Scene) -> Iterator[None]:
        from gwtui.triage.evaluation import evaluation  # noqa: PLC0415 - not needed before there is a gateway
        from gwtui.triage.memory import FORGETFUL  # noqa: PLC0415

        parts, worked_s = evaluation(scene, self._console.remembered(), self._memory or FORGETFUL), 0.0
        while True:
            began = time.perf_counter()
            try:
                next(parts)
            except StopIteration as made:
                self._report, self._memory = made.value
                break
            finally:
                worked_s += time.perf_counter() - began
            yield
        self._worked_s = worked_s
