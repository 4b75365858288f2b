"""What watching costs the watched: our own questions to one proxy over the last minute."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gwtui.model.snapshot import NOTHING_SPENT, ProxyView

WINDOW = timedelta(minutes=1)

LEAST_S = 30.0
"""A proxy that is new was asked for everything at once: its average is made of half a minute at the least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Our questions to one proxy, or to several together."""

    questions: int = 0
    """HTTP requests."""
    answer_bytes: int = 0
    admin_ms: float = 0.0
    """Time of the proxy's main thread, as we count it: without what its quickest answer ever took."""
    answer_ms: float = 0.0
    """Time from question to answer, network included."""
    span_s: float = 0.0
    """Seconds these were asked in; of several proxies added up."""

    @property
    def share(self) -> float | None:
        """Part of the proxies' time that answering us took, 0 to 1; None when nothing was asked."""
        return self.admin_ms / 1000 / self.span_s if self.span_s else None


def cost_of(view: ProxyView, now: datetime) -> Cost:
    """Return what we asked of a proxy in the last minute, inspections included."""
    series = view.series
    older = bisect_right(series, now - WINDOW, key=lambda point: point.at)
    if older == len(series):
        return Cost()
    before, since = (series[older - 1].spent, series[older - 1].at) if older else (NOTHING_SPENT, series[0].at)
    spent = view.spent
    return Cost(
        questions=spent.questions - before.questions,
        answer_bytes=spent.answer_bytes - before.answer_bytes,
        admin_ms=spent.admin_ms - before.admin_ms,
        answer_ms=spent.answer_ms - before.answer_ms,
        span_s=max((now - since).total_seconds(), LEAST_S),
    )


def total_cost(costs: Iterable[Cost]) -> Cost:
    """Return the cost of several proxies together; its share is their mean."""
    parts = tuple(costs)
    return Cost(
        questions=sum(part.questions for part in parts),
        answer_bytes=sum(part.answer_bytes for part in parts),
        admin_ms=sum(part.admin_ms for part in parts),
        answer_ms=sum(part.answer_ms for part in parts),
        span_s=sum(part.span_s for part in parts),
    )
