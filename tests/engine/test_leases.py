"""Changes whose lease is over are taken back, once, by whoever has their cluster open."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta

from gwtui.changes.journal import Change, Ended, Entry, Opened, Writing, Written, changes
from gwtui.changes.plan import Plan, Verdict
from gwtui.engine.leases import Leases
from gwtui.errors import Refused
from set_clock import QuickClock
from tests.engine.test_execution import plan


def leased(*, lease_s: float | None, clock: QuickClock, is_applied: bool = True) -> Change:
    made = plan(lease_s=lease_s)
    at = clock.now()
    entries: list[Entry] = [Opened(change=made.id, at=at, plan=made, who="me")]
    if is_applied:
        entries += [Writing(change=made.id, at=at, step=0), Written(change=made.id, at=at, step=0)]
    return changes(entries)[0]


@dataclass
class Bench:
    kept: list[Change]
    clock: QuickClock
    fails: bool = False
    verdict: Verdict = Verdict.VERIFIED
    undone: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    async def undo(self, change: Change) -> Plan:
        if self.fails:
            raise Refused("changed by somebody else", "weigh both")
        return plan(undoes=change.id)

    async def run(self, made: Plan) -> AsyncGenerator[Entry, None]:
        self.undone.append(made.undoes)
        yield Opened(change=made.id, at=self.clock.now(), plan=made, who="me")
        yield Ended(change=made.id, at=self.clock.now(), verdict=self.verdict, text="the reason")

    def leases(self, clusters: tuple[str, ...] = ("lab",)) -> Leases:
        is_ours = clusters.__contains__
        return Leases(lambda: self.kept, is_ours, self.undo, self.run, say=self.said.append, clock=self.clock)


async def test_a_lease_that_is_over_is_taken_back_once() -> None:
    clock = QuickClock()
    bench = Bench([leased(lease_s=60.0, clock=clock), leased(lease_s=None, clock=clock)], clock)
    leases = bench.leases()
    await leases.settle()
    assert bench.undone == []
    clock.seconds += timedelta(seconds=61).total_seconds()
    await leases.settle()
    await leases.settle()
    assert bench.undone == [plan().id]
    assert "taken back" in bench.said[0]


async def test_what_is_not_in_force_or_not_ours_is_left_alone() -> None:
    clock = QuickClock()
    bench = Bench([leased(lease_s=1.0, clock=clock)], clock)
    clock.seconds += 5
    await bench.leases(("elsewhere",)).settle()
    bench.kept = [leased(lease_s=1.0, clock=QuickClock(), is_applied=False)]
    await bench.leases().settle()
    assert (bench.undone, bench.said) == ([], [])


async def test_what_cannot_be_taken_back_is_said_once_and_left_to_the_operator() -> None:
    clock = QuickClock()
    bench = Bench([leased(lease_s=1.0, clock=clock)], clock, fails=True)
    clock.seconds += 5
    leases = bench.leases()
    await leases.settle()
    await leases.settle()
    assert len(bench.said) == 1
    assert "changed by somebody else" in bench.said[0]


async def test_what_was_refused_or_not_seen_is_never_called_taken_back() -> None:
    clock = QuickClock()
    bench = Bench([leased(lease_s=1.0, clock=clock)], clock, verdict=Verdict.REFUSED)
    clock.seconds += 5
    await bench.leases().settle()
    assert bench.said[0].endswith("taking it back is refused: the reason")
