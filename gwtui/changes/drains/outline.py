"""What a drain comes to, before the server was asked what it thinks of it."""

from __future__ import annotations

from dataclasses import dataclass

from gwtui.changes.plan import Caution, Drain, Refusal, Stage, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A drain, or what takes one back, drawn up from a snapshot and the present objects."""

    title: str
    """`drain infra/shard-a → infra/shard-b`."""
    drain: Drain
    steps: tuple[Step, ...] = ()
    stages: tuple[Stage, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    cautions: tuple[Caution, ...] = ()
    checked: tuple[str, ...] = ()
    """What was checked with which result, one line each."""
