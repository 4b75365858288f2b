"""What one page of a proxy said last, and how the newest question about it ended."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar

from gwtui.model.inspection import (
    BoundListener,
    Build,
    Certificate,
    ConfigResource,
    Statistic,
    Upstream,
)
from gwtui.model.known import Known, Unknown
from gwtui.views import text
from gwtui.views.proxy.difference import Difference
from gwtui.views.spans import Line, Role, Span, line

T = TypeVar("T")

NOT_READ = Unknown("not read yet")

OLD_AFTER_S = 40.0
"""Seconds from which a value is old although no question failed: pages are read every 15 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Generic[T]):
    """A page that is asked for again and again."""

    last: Known[T] | Unknown = NOT_READ
    """The last answer; it stays when a later question fails."""
    asked_at: datetime | None = None
    """When the question that is running was asked; None when none is."""
    tried_at: datetime | None = None
    """When the newest question ended, well or not; None before the first."""
    failure: str = ""
    """Why the newest question failed; empty when it did not."""
    hint: str = ""

    def asking(self, now: datetime) -> Reading[T]:
        """The same while a question runs."""
        return replace(self, asked_at=now)

    def answered(self, value: T, now: datetime) -> Reading[T]:
        """After an answer."""
        return Reading(last=Known(value, now), tried_at=now)

    def failed(self, reason: str, hint: str, now: datetime) -> Reading[T]:
        """After a question that failed: the last answer stays."""
        last = self.last if isinstance(self.last, Known) else Unknown(reason)
        return Reading(last=last, tried_at=now, failure=reason, hint=hint)

    def or_earlier(self, earlier: Known[T] | Unknown | None) -> Reading[T]:
        """The same, with what was known before this page was asked for."""
        return replace(self, last=earlier) if isinstance(earlier, Known) and isinstance(self.last, Unknown) else self

    def is_due(self, now: datetime, every_s: float) -> bool:
        """Whether it is time to ask again. While a question runs it never is."""
        if self.asked_at is not None:
            return False
        return self.tried_at is None or (now - self.tried_at).total_seconds() >= every_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """All pages of one proxy."""

    build: Reading[Build] = field(default_factory=Reading)
    listeners: Reading[tuple[BoundListener, ...]] = field(default_factory=Reading)
    upstreams: Reading[tuple[Upstream, ...]] = field(default_factory=Reading)
    certificates: Reading[tuple[Certificate, ...]] = field(default_factory=Reading)
    config: Reading[tuple[ConfigResource, ...]] = field(default_factory=Reading)
    statistics: Reading[tuple[Statistic, ...]] = field(default_factory=Reading)
    difference: Reading[Difference] = field(default_factory=Reading)


def told(reading: Reading[T], what: str, now: datetime) -> tuple[Line, ...]:
    """What has to be said above the answer: that it is being read, why it cannot be, or how old it is.

    Args:
        reading: The page.
        what: What it is called in a sentence: `the listeners`.
        now: The moment ages are counted from.
    """
    if isinstance(reading.last, Unknown):
        if reading.failure:
            return _failed(what, reading.failure, reading.hint)
        waited = (now - reading.asked_at).total_seconds() if reading.asked_at else 0.0
        since = f" for {text.age(waited)}" if waited >= 2 else ""
        return (line(Span(f"reading {what} of the proxy …{since}", Role.ACCENT)),)
    age_s = (now - reading.last.observed_at).total_seconds()
    if not reading.failure and age_s < OLD_AFTER_S:
        return ()
    old = f"{text.DEGRADED_GLYPH} {what} as of {text.age(age_s)} ago"
    why = f": reading again failed, {reading.failure}" if reading.failure else ""
    hint = f" → {reading.hint}" if reading.hint and reading.failure else ""
    return (line(Span(old, Role.STALE), Span(why, Role.STALE), Span(hint, Role.DIM)),)


def _failed(what: str, reason: str, hint: str) -> tuple[Line, ...]:
    """The reason has a line of its own: it is in somebody else's words, and may be long."""
    title = line(Span(f"{text.FAILING_GLYPH} cannot read {what}", Role.BAD))
    why = line(Span(f"  {reason}", Role.STRONG))
    return (title, why, line(Span("  → ", Role.DIM), hint)) if hint else (title, why)
