"""What forbids a drain whatever its way: drains that are there already, owners of the objects, a taker in no state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from gwtui.changes.drains.found import drained, is_in_force
from gwtui.changes.journal import Change
from gwtui.changes.plan import BlastRadius, Caution, Drain, Load, ObjectEdit, Owner, Plan, Refusal, Verdict
from gwtui.changes.rule_rates import words
from gwtui.model.health import ProxyState
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.observed import proxies_of
from gwtui.model.shape import GatewayNode
from gwtui.model.snapshot import ClusterView, ProxyView, Snapshot


def earlier_drains(
    changes: Sequence[Change], drain: Drain, gateways: Collection[GatewayKey], now: datetime
) -> Iterator[Refusal]:
    """Yield why drains that our journal knows forbid another one.

    Args:
        changes: What it tells.
        drain: What is to be drained.
        gateways: Those the drain touches.
        now: The time.
    """
    for change in changes:
        other = change.plan.drain
        if other is None or change.plan.cluster != drain.gateway.cluster:
            continue
        name = f"change {change.id} of {change.who}, {span(now, change)} ago"
        if change.verdict is Verdict.OPEN and not touched(change.plan).isdisjoint(gateways):
            yield Refusal(
                code="drain-in-progress",
                text=f"{name} ({change.plan.title}) is not ended and touches the same gateways",
                safe_way=f"wait for it, or `gwtui resume {change.id}`, or `gwtui undo {change.id}`",
            )
        elif is_in_force(change) and (other.gateway, other.target) == (drain.gateway, drain.target):
            yield Refusal(
                code="already-drained",
                text=f"{drain.target} is drained by {name}",
                safe_way=f"`gwtui undrain {other.target}` gives it its part again",
            )


def span(now: datetime, change: Change) -> str:
    """Return how long ago a change was begun: `40 s`, `12 min`, `3 h`."""
    seconds = max(0.0, (now - change.opened_at).total_seconds())
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def touched(plan: Plan) -> frozenset[GatewayKey]:
    """Return the gateways a drain has to do with."""
    found = {gateway for step in plan.steps if isinstance(step, ObjectEdit) for gateway in step.gateways}
    if plan.drain is not None:
        found |= {plan.drain.gateway, *(end.gateway for end in plan.drain.ends)}
    return frozenset(found)


def foreign_owners(owners: Mapping[ObjectKey, tuple[Owner, ...]], edited: Collection[ObjectKey]) -> Iterator[Refusal]:
    """Yield who would put back what the drain writes.

    Args:
        owners: Who else writes the objects.
        edited: The objects it writes.
    """
    for key in edited:
        for owner in owners.get(key, ()):
            if owner.reverts:
                yield Refusal(
                    code="owned",
                    text=f"{key} is kept by {owner.name} ({owner.evidence}), which puts back what it wants",
                    safe_way=f"change it where {owner.name} has it from, or have it paused for the time of the drain",
                )


def live(snapshot: Snapshot, node: GatewayNode) -> tuple[ProxyView, ...]:
    """Return the proxies of a gateway that answer and take requests."""
    return tuple(view for view in proxies_of(snapshot, node) if view.state is ProxyState.LIVE)


def unfit(snapshot: Snapshot, view: ClusterView, changes: Sequence[Change], gateway: GatewayKey) -> Iterator[Refusal]:
    """Yield why a gateway cannot take over.

    Args:
        snapshot: Everything known.
        view: The cluster.
        changes: What our journal tells.
        gateway: Who is to get more.
    """
    node = view.gateway(gateway)
    if node is not None and node.is_managed and not live(snapshot, node):
        yield Refusal(
            code="taker-unhealthy",
            text=f"none of the {len(node.proxies)} proxies of {gateway} is known to answer and to take requests",
            safe_way=f"see {gateway} well first, or name another with --to",
        )
    for each in drained(view, changes):
        if each.gateway == gateway and each.change is not None:
            state = "is drained" if each.is_done else "is being drained"
            yield Refusal(
                code="taker-unhealthy",
                text=f"{gateway} {state} itself, by change {each.change.id}",
                safe_way=f"`gwtui undrain {gateway}` first, or name another with --to",
            )


def growing(blast: BlastRadius, left: GatewayKey | None) -> tuple[Load, ...]:
    """Return the gateways that would get more than now, or of which that is not known; what is drained left out."""
    return tuple(
        load
        for load in blast.loads
        if load.gateway != left and (load.now_rps is None or load.then_rps is None or load.then_rps > load.now_rps)
    )


def head_room(loads: Iterable[Load]) -> Iterator[Refusal]:
    """Yield the gateways that would get more than they were ever seen to take, as what forbids it."""
    for load in loads:
        if (load.share_of_peak or 0.0) > 1:
            yield Refusal(
                code="no-head-room",
                text=load_words(load),
                safe_way=f"give {load.gateway} more proxies, drain when there is less traffic, "
                "or accept it: --above-peak, in the console l",
            )


def above_peak(loads: Iterable[Load]) -> Iterator[Caution]:
    """Yield the same as what the operator has accepted."""
    for load in loads:
        if (load.share_of_peak or 0.0) > 1:
            yield Caution(code="above-peak", text=load_words(load))


def load_words(load: Load) -> str:
    """Return what a gateway would take against what it was seen to take, or why that cannot be told."""
    if load.then_rps is None:
        return f"what {load.gateway} would take is not known"
    takes = f"{load.gateway} would take {words(load.then_rps)}"
    share = load.share_of_peak
    if share is None or load.peak_rps is None:
        return f"{takes}: the most it can take is not known, it was watched for {load.peak_window_s:.0f} s"
    return f"{takes}: {share:.0%} of the most it was seen to take, {words(load.peak_rps)}"
