"""What is remembered of changes: entries as they are appended, and the change they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from gwtui.changes.plan import End, Plan, Verdict


class Opened(Struct, frozen=True, kw_only=True, tag="opened"):
    """The plan was approved. Written before anything else is."""

    change: str
    at: datetime
    plan: Plan
    who: str
    """The API server's name for us, else the operating system's."""


class Writing(Struct, frozen=True, kw_only=True, tag="writing"):
    """A step is about to be written; on disk before the request leaves."""

    change: str
    at: datetime
    step: int
    """Position in the plan, from 0."""
    is_reverse: bool = False


class Written(Struct, frozen=True, kw_only=True, tag="written"):
    """The server took a step. No proof that it is in force."""

    change: str
    at: datetime
    step: int
    is_reverse: bool = False
    generation: int | None = None
    resource_version: str = ""


class Seen(Struct, frozen=True, kw_only=True, tag="seen"):
    """One truth was observed after a step, or was not in time."""

    change: str
    at: datetime
    step: int
    truth: str
    """`stored`, `programmed`, `loaded`, `observed`."""
    is_met: bool | None
    """None: it cannot be told, as where nothing reports it; the text says why."""
    text: str
    """What was seen: `loaded on edge-5f6-abc, edge-5f6-def`."""


class Entered(Struct, frozen=True, kw_only=True, tag="entered"):
    """A stage of the plan begins."""

    change: str
    at: datetime
    stage: int
    """Position in the plan, from 0."""


class Passed(Struct, frozen=True, kw_only=True, tag="passed"):
    """A stage of the plan is over: everything it waited for was seen, or the operator went on without."""

    change: str
    at: datetime
    stage: int
    text: str
    """What was seen: `nothing under way at 2 ends, 4 readings in a row`."""
    is_met: bool = True
    """False where the operator, or a deadline, went on without having seen it."""


class Ended(Struct, frozen=True, kw_only=True, tag="ended"):
    """The change ended, or its verdict changed later."""

    change: str
    at: datetime
    verdict: Verdict
    text: str = ""


Entry = Opened | Writing | Written | Seen | Entered | Passed | Ended


class EndCount(Struct, frozen=True, kw_only=True):
    """What one end of a drained edge counts at one moment. None: nobody tells."""

    end: End
    in_flight: int | None
    """Requests under way, streams included."""
    new_rps: float | None
    """Requests/s that began since the reading before; None at the first."""
    upgrades: int | None = None
    """WebSockets and other upgraded connections among them."""
    connections: int | None = None
    unknown: str = ""
    """Why a figure is None."""


class Counted(Struct, frozen=True, kw_only=True):
    """What is still under way while a drain waits. Told, not remembered."""

    change: str
    at: datetime
    stage: int
    ends: tuple[EndCount, ...]
    remaining: tuple[str, ...] = ()
    """Who is still served by what is drained, most first: `2 foo/web`, `1 bar/chat`."""
    zeros: int = 0
    """Readings in a row in which nothing was under way at any end."""
    left_s: float | None = None
    """Seconds until the deadline; None where none runs."""
    is_held: bool = False
    """Whether the operator holds it."""
    is_overdue: bool = False
    """Whether the deadline is over and the operator is asked what to do."""


Told = Entry | Counted
"""What whoever carries out a plan tells: entries are on the disk by then."""


class Change(Struct, frozen=True, kw_only=True):
    """A plan that was approved, with what became of it."""

    id: str
    plan: Plan
    who: str
    opened_at: datetime
    verdict: Verdict
    text: str
    """Of the verdict."""
    ended_at: datetime | None
    applied: frozenset[int]
    """Steps that are in force as far as the journal knows."""
    uncertain: frozenset[int]
    """Steps that may be in force: the request left, no answer was written down."""
    entries: tuple[Entry, ...]

    @property
    def is_cut_off(self) -> bool:
        """Whether it can be taken up: it never ended, or a write got no answer and nobody found out."""
        return self.verdict is Verdict.OPEN or bool(self.uncertain)

    @property
    def lease_ends_at(self) -> datetime | None:
        """When it is to be taken back; None without a lease, and once nothing of it is in force."""
        if self.plan.lease_s is None or not (self.applied or self.uncertain):
            return None
        return self.opened_at + timedelta(seconds=self.plan.lease_s)


def changes(entries: Iterable[Entry]) -> tuple[Change, ...]:
    """Return the changes these entries tell of, oldest first. What was never opened is left out."""
    grouped: dict[str, list[Entry]] = {}
    for entry in entries:
        if isinstance(entry, Opened):
            grouped.setdefault(entry.change, []).append(entry)
        elif entry.change in grouped:
            grouped[entry.change].append(entry)
    return tuple(_change(id_, parts) for id_, parts in grouped.items())


def _change(id_: str, entries: list[Entry]) -> Change:
    opened = entries[0]
    assert isinstance(opened, Opened)  # noqa: S101 - how they were grouped
    applied: set[int] = set()
    uncertain: set[int] = set()
    ended: Ended | None = None
    for entry in entries:
        match entry:
            case Writing(step=step):
                uncertain.add(step)
            case Written(step=step, is_reverse=is_reverse):
                uncertain.discard(step)
                applied.discard(step) if is_reverse else applied.add(step)
            case Ended(verdict=verdict):
                ended = entry
                if verdict is Verdict.UNDONE:
                    applied.clear()
                    uncertain.clear()
            case _:
                pass
    return Change(
        id=id_,
        plan=opened.plan,
        who=opened.who,
        opened_at=opened.at,
        verdict=ended.verdict if ended else Verdict.OPEN,
        text=ended.text if ended else "",
        ended_at=ended.at if ended else None,
        applied=frozenset(applied),
        uncertain=frozenset(uncertain),
        entries=tuple(entries),
    )
