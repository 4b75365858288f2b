"""Changes in stages that this console carries out, and the way from what is selected to a drain of it."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from gwtui.errors import GwtuiError

if TYPE_CHECKING:
    from gwtui.changes.drains.wish import Target
    from gwtui.changes.journal import Change, Counted, Entry, Told
    from gwtui.changes.plan import End, Plan
    from gwtui.engine.steering import Steering
    from gwtui.model.ids import GatewayKey
    from gwtui.tui.app import GwtuiApp
    from gwtui.views.drains import Drained
    from gwtui.views.route_facts import RuleKey

    Run = Callable[[Plan, Steering | None], AsyncGenerator[Told, None]]

TRAIL = 40
"""Readings of each end that are kept for its trend."""

SHOWN_S = 15.0
"""Seconds for which it is told how one ended whose window is closed."""


class Running:
    """A change in stages that is, or was, carried out here. It goes on whether its window is open or not."""

    def __init__(self, plan: Plan, steering: Steering) -> None:
        self.plan = plan
        self.steering = steering
        self.counted: Counted | None = None
        """The newest reading of what is under way."""
        self.trail: dict[End, deque[int | None]] = {}
        self.error: GwtuiError | None = None
        """Why it could not be carried out any further."""
        self.is_aborted = False
        self.is_over = False
        self.watch: Callable[[], None] | None = None
        """Told of everything while a window is open."""
        self._entries: list[Entry] = []

    @property
    def change(self) -> Change | None:
        """What became of it so far; None before anything is told."""
        from gwtui.changes.journal import changes  # noqa: PLC0415 - plans need decoders, which come later

        return next((each for each in changes(self._entries) if each.id == self.plan.id), None)

    def begin_with(self, entries: Sequence[Entry]) -> None:
        """Take what was told before it was cut off."""
        self._entries += entries

    def take(self, told: Told) -> None:
        """Remember what is told."""
        from gwtui.changes.journal import Counted  # noqa: PLC0415 - plans need decoders, which come later

        if isinstance(told, Counted):
            self.counted = told
            for each in told.ends:
                self.trail.setdefault(each.end, deque(maxlen=TRAIL)).append(each.in_flight)
        else:
            self._entries.append(told)
        self._tell()

    def end(self, error: GwtuiError | None = None) -> None:
        """Remember that nobody carries it out any more, and why where it did not end by itself."""
        self.is_over, self.error = True, error
        self._tell()

    def _tell(self) -> None:
        if self.watch is not None:
            self.watch()


class Drains:
    """What the console knows of drains.

    Args:
        console: the application they run in.
    """

    def __init__(self, console: GwtuiApp) -> None:
        self._console = console
        self._running: dict[str, Running] = {}

    def start(self, plan: Plan, run: Run, written: Callable[[], None] = lambda: None) -> Running:
        """Begin to carry out a confirmed plan.

        Args:
            plan: which one.
            run: carries it out.
            written: called once it is in force.
        """
        steering = self._console.changes.steering()
        running = self._running[plan.id] = Running(plan, steering)
        before = next((each for each in self._console.remembered() if each.id == plan.id), None)
        if before is not None:
            running.begin_with(before.entries)
        self._console.run_worker(self._run(running, run, written), group="changes", exit_on_error=False)
        return running

    def under_way(self) -> list[Plan]:
        """Return what is carried out here at present."""
        return [running.plan for running in self._running.values() if not running.is_over]

    def show(self, id_: str) -> bool:
        """Open the window of a change that is carried out here; whether it is."""
        running = self._running.get(id_)
        if running is None or running.is_over:
            return False
        from gwtui.tui.screens.conductor import ConductorScreen  # noqa: PLC0415 - loaded when it is needed

        self._console.push_screen(ConductorScreen(running))
        return True

    def places(self) -> Mapping[GatewayKey, Drained]:
        """Return the gateways that are drained or draining."""
        from gwtui.views.drains import drained_gateways  # noqa: PLC0415 - after the first frame

        return drained_gateways(self._console.scene, self._console.remembered())

    def wish(self, targets: Sequence[Target], to: str = "") -> None:
        """Open the way to drain one of several targets; where that is done already, the way back.

        Args:
            targets: what can be meant, the likeliest first.
            to: who is to take over; empty proposes somebody.
        """
        from gwtui.changes.drains.wish import cluster_of  # noqa: PLC0415 - plans need decoders, which come later
        from gwtui.views.drains import drain_of  # noqa: PLC0415

        if len(targets) == 1:
            change = drain_of(self._console.remembered(), cluster_of(targets[0]), str(targets[0]))
            if change is not None:
                self._back(change)
                return
        from gwtui.tui.screens.drain import DrainScreen  # noqa: PLC0415 - loaded when it is needed

        self._console.push_screen(DrainScreen(targets, to))

    def wish_of_rule(self, rule: RuleKey) -> None:
        """Open the way to drain a backend of a rule."""
        from gwtui.views.drain_takers import backends_of  # noqa: PLC0415 - loaded when it is needed

        backends = backends_of(self._console.scene, rule)
        if backends:
            self.wish(backends)
        else:
            self._console.say("the rule has no backend to drain")

    def wish_named(self, words: str) -> str:
        """Open the way to drain what is named first; who takes over may come second. Returns why not, or nothing."""
        from gwtui.changes.drains.targets import parse_target  # noqa: PLC0415 - loaded when it is needed

        name, _, to = words.partition(" ")
        problem = "nothing is known of any cluster yet"
        for cluster in self._console.scene.snapshot.clusters:
            try:
                target = parse_target(self._console.scene.snapshot, cluster, name)
            except GwtuiError as error:
                problem = error.line()
            else:
                self.wish([target], to.strip())
                return ""
        return problem

    def undo(self, target: str) -> str:
        """Open the plan that fills again what was emptied, the newest of that name. Returns why not, or nothing."""
        from gwtui.views.drains import is_open_drain  # noqa: PLC0415 - after the first frame

        open_ = [each for each in self._console.remembered() if is_open_drain(each) and each.plan.drain is not None]
        named = {each.plan.drain.target: each for each in open_ if each.plan.drain is not None}
        if target in named:
            self._back(named[target])
            return ""
        known = f"drained by us are {', '.join(named)}" if named else "nothing is drained by us"
        return f"no drain of {target} is in our journal; {known}" if target else f"undrain what? {known}"

    def _back(self, change: Change) -> None:
        if not self.show(change.id):
            self._console.open_undo(change)

    async def _run(self, running: Running, run: Run, written: Callable[[], None]) -> None:
        from gwtui.changes.plan import Verdict  # noqa: PLC0415 - plans need decoders, which come later

        plan, error = running.plan, None
        try:
            async with aclosing(run(plan, running.steering)) as events:
                async for told in events:
                    running.take(told)
        except GwtuiError as caught:
            error = caught
        running.end(error)
        change = running.change
        if running.watch is None:
            is_bad = error is not None or change is None or change.verdict is not Verdict.VERIFIED
            verdict = f"{change.verdict}{': ' if change.text else ''}{change.text}" if change else "nothing was told"
            words = error.line() if error is not None else verdict
            self._console.notify(
                f"{plan.title}: {words}",
                severity="warning" if is_bad else "information",
                timeout=SHOWN_S,
                markup=False,
            )
        if change is not None and change.applied:
            written()
