"""What the header says of changes that somebody has to come back to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gwtui.views.spans import Role, Span

if TYPE_CHECKING:
    from gwtui.changes.journal import Change

MARK = "✎"


def open_changes(changes: Sequence[Change], now: datetime) -> list[Span]:
    """A badge for drains, one for other changes that were cut off, one for leases; none of what there is none."""
    if not changes:
        return []
    from gwtui.views import text  # noqa: PLC0415 - after the first frame
    from gwtui.views.drains import is_open_drain  # noqa: PLC0415

    drains = [change for change in changes if is_open_drain(change)]
    cut = sum(change.is_cut_off for change in changes if change not in drains)
    leases = sum(change.lease_ends_at is not None for change in changes)
    found = []
    if drains:
        oldest = text.age_of(min(change.opened_at for change in drains), now)
        named = f"{len(drains)} drain{'s' if len(drains) != 1 else ''}"
        found.append(Span(f"{text.DRAINING_GLYPH}{named} {oldest}", Role.DRAIN))
    if cut:
        found.append(Span(f"{MARK}{cut} open", Role.WARN))
    if leases:
        found.append(Span(f"{MARK}{leases} lease{'s' if leases != 1 else ''}", Role.ACCENT))
    return found
