"""How the operator steers a drain: holds, steps, speed, and what becomes of it at its deadline."""

from __future__ import annotations

import pytest

from gwtui.changes.journal import Counted, Entered, Told
from gwtui.changes.plan import (
    AdminPost,
    Stage,
    StageKind,
    Verdict,
)
from gwtui.engine.steering import OnDeadline
from gwtui.model.health import ProxyState
from tests.engine.test_conducting import (
    A_1,
    DRAINED,
    PRESENT,
    SHARD_B,
    STAGES,
    STEPS,
    Bench,
    at_stage,
    busy,
    drain,
)


async def test_bakes_can_be_left_out() -> None:
    slow, fast, skipped = Bench(), Bench(), Bench()
    fast.steering.faster()
    await slow.run(drain())
    await fast.run(drain())
    await skipped.run(drain(), on=at_stage(3, skipped.steering.next_stage))
    assert fast.clock.seconds < slow.clock.seconds - 4
    assert skipped.clock.seconds < slow.clock.seconds - 4
    assert {each.change.verdict for each in (slow, fast, skipped)} == {Verdict.VERIFIED}


async def test_while_it_is_held_nothing_goes_on_but_single_stages() -> None:
    bench = Bench()
    held = 0

    def steer(told: Told) -> None:
        nonlocal held
        if isinstance(told, Entered) and told.stage == 3:
            bench.steering.hold()
        if isinstance(told, Counted) and told.is_held:
            held += 1
            if held == 20:
                assert told.stage == 3, "its bake is over for long"
                bench.steering.next_stage()
            if held == 40:
                assert (told.stage, bench.writes[-1]) == (4, "shop"), "one stage more was written"
                bench.steering.go_on()

    await bench.run(drain(), on=steer)
    assert held == 40
    assert bench.change.verdict is Verdict.VERIFIED


async def test_while_it_is_held_no_deadline_runs() -> None:
    bench = Bench()
    busy(bench)
    left: list[float | None] = []

    def steer(told: Told) -> None:
        if isinstance(told, Counted) and told.stage == 5:
            left.append(told.left_s)
            {4: bench.steering.hold, 100: bench.steering.go_on}.get(len(left), bool)()

    await bench.run(drain(), on=steer)
    assert len(left) > 120, "as long as without the hold after it"
    assert len(set(left[5:99])) == 1
    assert bench.change.verdict is Verdict.UNVERIFIED


@pytest.mark.parametrize("reason", ["draining", "problem"])
async def test_gateways_that_do_not_get_ready_are_sent_nothing(reason: str) -> None:
    bench = Bench()
    if reason == "draining":
        bench.fleet.states["shard-b-1"] = ProxyState.DRAINING
    else:
        bench.fleet.problems[SHARD_B] = ("not programmed",)
    await bench.run(drain())
    assert bench.writes == ["web"]
    assert bench.change.verdict is Verdict.UNVERIFIED
    assert "not ready in 60 s" in bench.change.text
    gone_on = Bench()
    gone_on.fleet.states["shard-b-1"] = ProxyState.DRAINING
    await gone_on.run(drain(), on=at_stage(1, gone_on.steering.next_stage))
    assert (gone_on.change.verdict, gone_on.holds(*DRAINED)) == (Verdict.UNVERIFIED, True)
    assert "gone on without: shard-b-1" in gone_on.change.text


async def test_at_the_deadline_a_drain_is_kept_with_the_names_of_who_remains() -> None:
    bench = Bench()
    busy(bench)
    late = Stage(kind=StageKind.WRITE, title="close", steps=(6,))
    close = AdminPost(proxy=A_1, path="/drain_listeners?graceful", reverse_path="")
    told = await bench.run(drain(steps=(*STEPS, close), stages=(*STAGES, late)))
    assert bench.holds(*DRAINED)
    assert (bench.change.verdict, bench.change.applied) == (Verdict.UNVERIFIED, frozenset(range(6)))
    assert bench.change.text == "the deadline is over: infra/shard-a 2 under way (for 2 foo/web)"
    assert "/drain_listeners?graceful" not in bench.fleet.log, "nobody decided to go on"
    assert not any(each.is_overdue for each in told if isinstance(each, Counted))


async def test_at_the_deadline_a_drain_is_aborted() -> None:
    bench = Bench()
    bench.steering.on_deadline = OnDeadline.ABORT
    busy(bench)
    await bench.run(drain())
    assert bench.holds(*PRESENT)
    assert bench.change.verdict is Verdict.ROLLED_BACK
    assert "2 foo/web" in bench.change.text


@pytest.mark.parametrize("answer", ["next", "abort", "extend", "empty"])
async def test_at_the_deadline_the_operator_is_asked(answer: str) -> None:
    bench = Bench()
    bench.steering.on_deadline = OnDeadline.ASK
    busy(bench)
    overdue = 0

    def steer(told: Told) -> None:
        nonlocal overdue
        if isinstance(told, Counted) and told.is_overdue:
            overdue += 1
            if overdue == 10:
                act = {"next": bench.steering.next_stage, "abort": bench.steering.abort}
                act.get(answer, bench.fleet.statistics.clear)()
                if answer == "extend":
                    bench.steering.extend(600)

    await bench.run(drain(), on=steer)
    assert overdue >= 10
    ends = {"next": Verdict.UNVERIFIED, "abort": Verdict.ROLLED_BACK}
    assert bench.change.verdict is ends.get(answer, Verdict.VERIFIED)
    assert (overdue == 10) is (answer in {"next", "abort", "extend"})
    if answer == "next":
        assert "gone on without" in bench.change.text
