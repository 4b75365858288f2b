"""Drains that are taken back or were cut off: what was is restored, what was begun is finished, in the safe order."""

from __future__ import annotations

from typing import Any

import pytest

from gwtui.changes.door import Door
from gwtui.changes.journal import Entered, Passed, Told, Writing
from gwtui.changes.plan import Guard, Verdict
from gwtui.engine.steering import Steering
from gwtui.engine.truths import Truth
from gwtui.errors import Refused, Rejected
from gwtui.model.health import ProxyState
from tests.engine.test_conducting import (
    DRAINED,
    LONE,
    PRESENT,
    SHOP,
    STEPS,
    WEB,
    Bench,
    at_stage,
    busy,
    by_health,
    drain,
)


@pytest.mark.parametrize("stage", range(6))
async def test_abort_at_every_stage_restores_what_was(stage: int) -> None:
    bench = Bench()
    await bench.run(drain(), on=at_stage(stage, bench.steering.abort))
    assert bench.holds(*PRESENT)
    assert (bench.change.verdict, bench.change.text) == (Verdict.ROLLED_BACK, "aborted by the operator")
    assert bench.change.applied == frozenset()


async def test_taking_back_writes_weights_at_once_and_what_they_sent_to_last() -> None:
    bench = Bench()
    await bench.run(drain(), on=at_stage(5, bench.steering.abort))
    log = bench.fleet.log
    back = log[log.index("Entered", len(log) - log[::-1].index("Entered") - 1) + 1 :]
    assert back == [
        *("Writing", "Writing", "Writing", "write lone", "Written", "Written", "Written"),
        *("Writing", "Writing", "write shop", "Written", "Written"),
        *("look loaded lone", "look loaded shop", "Writing", "write web", "Written", "Ended"),
    ]


async def test_what_is_not_seen_to_send_elsewhere_keeps_what_it_sends_to() -> None:
    bench = Bench()

    def steer(told: Told) -> None:
        if isinstance(told, Entered) and told.stage == 5:
            bench.fleet.missing = {Truth.LOADED: None}
            bench.steering.abort()

    await bench.run(drain(), on=steer)
    assert bench.holds(WEB[1], LONE[0], SHOP[0])
    assert (bench.change.verdict, bench.change.applied) == (Verdict.UNVERIFIED, {0})
    assert "could not be taken back" in bench.change.text
    assert "what it sent to stays" in bench.change.text


async def test_a_weight_that_cannot_be_taken_back_leaves_what_it_sends_to() -> None:
    bench = Bench()

    def steer(told: Told) -> None:
        if isinstance(told, Entered) and told.stage == 5:
            bench.fleet.fails = [Rejected("frozen")]
            bench.steering.abort()

    await bench.run(drain(), on=steer)
    assert bench.holds(WEB[1], LONE[3], SHOP[0]), "the other weight is taken back all the same"
    assert bench.change.verdict is Verdict.UNVERIFIED
    assert bench.change.text == "aborted by the operator; could not be taken back: frozen"


@pytest.mark.parametrize("stage", [0, 3, 5])
async def test_a_broken_guard_takes_it_back_within_three_seconds(stage: int) -> None:
    bench = Bench()
    began = 0.0

    def breach(told: Told) -> None:
        nonlocal began
        if isinstance(told, Entered) and told.stage == stage:
            bench.watcher.broken, began = "9 % errors on infra/shard-b", bench.clock.seconds

    busy(bench)
    guard = Guard(bake_s=0.0, max_error_ratio=0.01)
    await bench.run(drain(guard=guard), on=breach)
    first = next(each for each in bench.change.entries if isinstance(each, Writing) and each.is_reverse)
    assert first.at.timestamp() - began <= 3
    assert bench.holds(*PRESENT)
    assert (bench.change.verdict, bench.change.text) == (
        Verdict.ROLLED_BACK,
        "9 % errors on infra/shard-b; seen for 2.0 s",
    )


@pytest.mark.parametrize("is_taken", [True, False])
@pytest.mark.parametrize("cut_after", range(60))
async def test_cut_off_anywhere_it_can_be_taken_up_and_ends_the_same(cut_after: int, *, is_taken: bool) -> None:
    bench = Bench()
    last = await cut(bench, cut_after, bench.steering)
    take(bench, last, is_taken=is_taken)
    if bench.change.verdict is Verdict.OPEN:
        await bench.resume()
    assert bench.holds(*DRAINED)
    assert (bench.change.verdict, bench.change.applied) == (Verdict.VERIFIED, frozenset(range(6)))
    assert bench.change.uncertain == frozenset()
    assert bench.writes.count("lone") <= 3
    with pytest.raises(Refused):
        await bench.resume()


@pytest.mark.parametrize("is_taken", [True, False])
@pytest.mark.parametrize("cut_after", range(20))
async def test_cut_off_while_it_is_taken_back_it_is_taken_back_to_the_end(cut_after: int, *, is_taken: bool) -> None:
    bench = Bench()
    running = bench.executor.run(drain(), steering=bench.steering)
    last: Told | None = None
    reverses = 0
    async for each in running:
        at_stage(5, bench.steering.abort)(each)
        last = each
        reverses += bool(reverses) or (isinstance(each, Writing) and each.is_reverse)
        if reverses > cut_after:
            break
    await running.aclose()
    take(bench, last, is_taken=is_taken)
    if bench.change.verdict is Verdict.OPEN:
        await bench.resume()
    assert bench.holds(*PRESENT)
    assert (bench.change.verdict, bench.change.applied) == (Verdict.ROLLED_BACK, frozenset())
    assert bench.change.uncertain == frozenset()


async def cut(bench: Bench, after: int, steering: Steering) -> Told | None:
    """Run a drain and kill it after so many things told; the last of them."""
    running = bench.executor.run(drain(), steering=steering)
    last: Told | None = None
    for _ in range(after + 1):
        last = await anext(running, None)
    await running.aclose()
    return last


def take(bench: Bench, last: Told | None, *, is_taken: bool) -> None:
    """The request left, and the answer was not written down."""
    if isinstance(last, Writing) and is_taken:
        step = STEPS[last.step]
        before = {each.key: each.before for each in reversed(STEPS)}
        bench.fleet.put(step.key, before[step.key] if last.is_reverse else step.after)


async def test_a_stage_that_was_left_without_is_not_forgotten_by_a_resume() -> None:
    bench = Bench()
    bench.fleet.states["shard-b-1"] = ProxyState.DRAINING
    running = bench.executor.run(drain(), steering=bench.steering)
    async for each in running:
        at_stage(1, bench.steering.next_stage)(each)
        if isinstance(each, Entered) and each.stage == 5:
            break
    await running.aclose()
    await bench.resume()
    assert bench.change.verdict is Verdict.UNVERIFIED
    assert "gone on without" in bench.change.text


async def test_a_proxy_that_closes_already_is_told_to_pass_again_and_the_rest_is_said() -> None:
    bench = Bench()
    guard = Guard(bake_s=0.0, max_error_ratio=0.01)
    await bench.run(by_health(guard=guard), on=at_stage(1, bench.steering.abort))
    assert bench.fleet.states["shard-a-1"] is ProxyState.LIVE
    assert (bench.change.verdict, bench.change.applied) == (Verdict.ROLLED_BACK, frozenset())
    cut_off = Bench()
    running = cut_off.executor.run(by_health(), steering=cut_off.steering)
    async for each in running:
        if isinstance(each, Passed) and each.stage == 2:
            break
    await running.aclose()
    back = [
        each async for each in cut_off.executor._staged().take_back(cut_off.change.plan, _approval(cut_off), [0, 1])
    ]
    assert "cannot be taken back" in back[0].text
    assert cut_off.fleet.states["shard-a-1"] is ProxyState.LIVE


def _approval(bench: Bench) -> Any:
    return Door(read_only=False).approve(bench.change.plan)
