"""What `gwtui drain` and `gwtui undrain` mean: words of the command line as a wish, and the drain that a word names."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gwtui.arguments import ChangeRequest
from gwtui.changes.drains.found import is_in_force
from gwtui.changes.drains.targets import parse_target
from gwtui.changes.drains.wish import DrainWish
from gwtui.changes.journal import Change
from gwtui.changes.plan import Plan
from gwtui.engine.steering import OnDeadline, Steering
from gwtui.errors import UsageError
from gwtui.model.snapshot import Snapshot

AT_DEADLINE = {"keep": OnDeadline.KEEP, "abort": OnDeadline.ABORT}


def wish_of(snapshot: Snapshot, cluster: str, request: ChangeRequest) -> DrainWish:
    """Return what is to be drained.

    Raises:
        UsageError: the target is nothing of this cluster.
    """
    asked = request.drain
    return DrainWish(
        target=parse_target(snapshot, cluster, request.target, source=asked.source),
        to=asked.to,
        ramp=asked.ramp,
        bake_s=asked.bake_s,
        deadline_s=asked.deadline_s,
        accepts_load=asked.accepts_load,
        closes_listeners=asked.closes_listeners,
    )


def drain_of(changes: Sequence[Change], cluster: str, target: str) -> Change:
    """Return the drain that is in force for a target, or that has this id.

    Raises:
        UsageError: there is none; the hint names those there are.
    """
    in_force = [change for change in changes if is_in_force(change) and change.plan.cluster == cluster]
    found = [change for change in in_force if target in (change.plan.drain and change.plan.drain.target, change.id)]
    if found:
        return found[-1]
    known = ", ".join(change.plan.drain.target for change in in_force if change.plan.drain is not None)
    hint = f"drained are {known}" if known else "nothing is; weights that others set go back with `gwtui route weight`"
    raise UsageError(f"no drain of {target} is in our journal", hint)


def steering_of(request: ChangeRequest) -> Steering:
    """Return how a drain without a console is steered: nobody presses a key, so that its deadline decides."""
    return Steering(on_deadline=AT_DEADLINE[request.drain.at_deadline])


@contextmanager
def aborted_by_interrupt(plan: Plan, steering: Steering) -> Iterator[None]:
    """Let the first ctrl-c take a plan with stages back, inside the block; the second one leaves it as it is."""
    if not plan.stages:
        yield
        return
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        print("gwtui: taking everything back; ctrl-c once more leaves it as it is", file=sys.stderr, flush=True)
        steering.abort()

    loop.add_signal_handler(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
