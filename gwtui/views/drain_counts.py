"""What a drain counts while it waits, for commands: as lines, and as documents."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from gwtui.changes.journal import Counted, EndCount, Told
from gwtui.changes.plan import End, Plan
from gwtui.views import text
from gwtui.views.change_words import told
from gwtui.views.document_values import utc


class Counts:
    """Readings as lines; one that says what the one before said is left out."""

    def __init__(self) -> None:
        self._before = ""

    def words(self, counted: Counted) -> str:
        """Return a reading as a line; empty when there is nothing new."""
        found = counted_words(counted)
        is_new, self._before = found != self._before, found
        return found if is_new else ""


def counted_words(counted: Counted) -> str:
    """Return what is under way at each end, and for whom."""
    ends = " · ".join(_end_words(each) for each in counted.ends)
    remaining = f"   {', '.join(counted.remaining)}" if counted.remaining else ""
    overdue = "   the deadline is over" if counted.is_overdue else ""
    return f"  under way  {ends}{remaining}{overdue}"


def _end_words(count: EndCount) -> str:
    number = text.UNKNOWN if count.in_flight is None else str(count.in_flight)
    why = f" ({count.unknown})" if count.in_flight is None and count.unknown else ""
    streams = f", {text.plural(count.upgrades, 'WebSocket')} of them" if count.upgrades else ""
    return f"{end_name(count.end)} {number}{streams}{why}"


def end_name(end: End) -> str:
    """Name an end of a drained edge: `infra/edge →` for what it sends, `infra/shard-a` for what arrives."""
    return f"{end.place} →" if end.clusters else end.place


def event_document(plan: Plan, event: Told) -> dict[str, Any]:
    """Return anything that is told of a change as one JSON object; its `event` is the kind."""
    if isinstance(event, Counted):
        return {
            "event": "counted",
            "change": event.change,
            "observed_at": utc(event.at),
            "stage": event.stage,
            "ends": [_end(each) for each in event.ends],
            "remaining": list(event.remaining),
            "zero_readings": event.zeros,
            "deadline_left_s": event.left_s,
            "is_overdue": event.is_overdue,
        }
    kind = type(event).__name__.lower()
    known: dict[str, Any] = to_builtins(event)
    known = {name: value for name, value in known.items() if name not in {"type", "at", "plan", "change"}}
    return {"event": kind, "change": event.change, "at": utc(event.at), **known, "words": told(plan, event)}


def _end(count: EndCount) -> dict[str, Any]:
    return {
        "gateway": str(count.end.gateway),
        "clusters": list(count.end.clusters),
        "pod": count.end.pod or None,
        "in_flight": count.in_flight,
        "new_rps": count.new_rps,
        "upgrades": count.upgrades,
        "connections": count.connections,
        "unknown": {"in_flight": count.unknown} if count.unknown else {},
    }
