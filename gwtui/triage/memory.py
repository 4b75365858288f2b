"""What is remembered from one evaluation to the next: since when a finding holds, and what is usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from gwtui.model.ids import GatewayKey
from gwtui.triage.finding import Finding

KEPT_S = 60.0
"""Seconds after which a finding that was told and is not made any more is forgotten: until then it is the same one."""

GAP_S = 5.0
"""Seconds without it after which a finding must hold for its grace time once more."""

USUAL_S = 60.0
"""Seconds in which what is usual follows what is: half of the way in about 40 s."""


class Seen(NamedTuple):
    """One finding over time."""

    first: datetime
    """Since when it is the same one."""
    held: datetime
    """From when on it holds without a break."""
    last: datetime
    newest: Finding | None = None
    """As it was made last, for what is told for a while after it is over; None for what is not."""
    was_told: bool = False
    """Whether it was ever old enough to be told."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What one evaluation leaves to the next."""

    seen: Mapping[str, Seen] = field(default_factory=dict)
    """By id of the finding, those included that are not told yet."""
    usual: Mapping[tuple[GatewayKey, str], float] = field(default_factory=dict)
    """Requests/s of each namespace on each gateway, slowly followed."""
    began: datetime | None = None
    """When the first evaluation was."""
    at: datetime | None = None
    """When the newest was."""


FORGETFUL = Memory()
"""Nothing is remembered yet."""
