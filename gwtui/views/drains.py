"""Drains in place: which gateways are drained, and what a card and the header say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from gwtui.model.ids import GatewayKey
from gwtui.views import text
from gwtui.views.remembered import ByIdentity
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line

if TYPE_CHECKING:
    from gwtui.changes.journal import Change
    from gwtui.model.snapshot import ClusterView
    from gwtui.views.scene import Scene


class Drained(NamedTuple):
    """How a gateway is drained."""

    change: Change | None
    """What did it; None where it is told by the objects alone."""
    is_done: bool
    """Whether nothing is sent to it any more."""


class DrainWords(NamedTuple):
    """What a card says of a drain."""

    state: Line
    """`⇣ drained 12 min`, `⇣ draining 50 %`."""
    progress: Line
    """`3 of 6`, while it is under way."""
    short: Line
    """Both in few cells."""
    story: Line
    """By whom, since when, how far."""


_FOUND: ByIdentity[str, Mapping[GatewayKey, Drained]] = ByIdentity()


def drained_gateways(scene: Scene, changes: Sequence[Change]) -> Mapping[GatewayKey, Drained]:
    """Return every gateway that is drained or draining, by our journal or by the objects."""
    found: dict[GatewayKey, Drained] = {}
    for name, view in scene.snapshot.clusters.items():
        found.update(_FOUND.get(name, (view.objects, view.topology, changes), partial(_found, view, changes)))
    return found


def _found(view: ClusterView, changes: Sequence[Change]) -> Mapping[GatewayKey, Drained]:
    from gwtui.changes.drains.found import drained  # noqa: PLC0415 - plans need decoders, which come later

    return {each.gateway: Drained(each.change, each.is_done) for each in drained(view, changes)}


def is_open_drain(change: Change) -> bool:
    """Whether something is drained by it now."""
    from gwtui.changes.drains.found import is_in_force  # noqa: PLC0415 - plans need decoders, which come later

    return is_in_force(change)


def drain_of(changes: Sequence[Change], cluster: str, target: str) -> Change | None:
    """Return the drain of ours by which something is drained now; None where it is not.

    Args:
        changes: What is remembered, oldest first.
        cluster: Where.
        target: As a wish names it.
    """
    return next(
        (
            change
            for change in reversed(changes)
            if is_open_drain(change)
            and change.plan.cluster == cluster
            and change.plan.drain is not None
            and change.plan.drain.target == target
        ),
        None,
    )


def drain_words(drained: Drained, now: datetime) -> DrainWords:
    """Return what is said of a drain where the gateway is shown."""
    glyph, change = text.DRAINING_GLYPH, drained.change
    word = "drained" if drained.is_done else "draining"
    if change is None:
        state = line(Span(f"{glyph} {word}, not by gwtui", Role.DRAIN))
        return DrainWords(state, BLANK, line(Span(f"{glyph} not by gwtui", Role.DRAIN)), state)
    whose = line(Span(f"by {change.who}", Role.DIM))
    if drained.is_done:
        since = text.age_of(change.ended_at or change.opened_at, now)
        state = line(Span(f"{glyph} {word} {since}", Role.DRAIN))
        return DrainWords(state, BLANK, state, joined([state, whose], " "))
    from gwtui.views.stage_words import brief, current  # noqa: PLC0415 - plans need decoders, which come later

    at = current(change)
    whole = len(change.plan.stages)
    if at is None:
        state = line(Span(f"{glyph} {word}", Role.DRAIN))
        return DrainWords(state, BLANK, state, joined([state, whose], " "))
    title = brief(change.plan.drain, at.stage)
    part = f" {title}" if title != at.stage.title else ""
    state = line(Span(f"{glyph} {word}{part}", Role.DRAIN))
    story = line(Span(f"{glyph} {word}, stage {at.number} of {whole}: {title}", Role.DRAIN))
    return DrainWords(
        state,
        line(Span(f"{at.number} of {whole}", Role.DRAIN)),
        line(Span(f"{glyph}{part or ' ' + word} {at.number}/{whole}", Role.DRAIN)),
        joined([story, line(Span(f"for {text.age_of(change.opened_at, now)}", Role.DIM)), whose], " "),
    )
