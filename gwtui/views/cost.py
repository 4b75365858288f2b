"""What watching costs the proxies, in words."""

from __future__ import annotations

from collections.abc import Iterable

from gwtui.model.cost import Cost, cost_of, total_cost
from gwtui.model.ids import ProxyKey
from gwtui.model.known import Known, Unknown
from gwtui.model.snapshot import ProxyView
from gwtui.views import text
from gwtui.views.remembered import ByIdentity
from gwtui.views.spans import Line, Role, Span, line

RAISED = 0.05
"""Share of a proxy's time from which our own cost is marked: the budget it is held under by default."""


_COSTS: ByIdentity[ProxyKey, Cost] = ByIdentity()


def _cost(view: ProxyView) -> Cost:
    """What was asked of a proxy in the minute up to the last question; it was asked at least once."""
    newest = view.series[-1]
    return _COSTS.get(view.key, (newest, view.spent), lambda: cost_of(view, newest.at))


def share(view: ProxyView) -> float | None:
    """The part of its time the proxy spent on us in the minute up to the last question, 0 to 1."""
    return _cost(view).share if view.series else None


def mean_share(views: Iterable[ProxyView]) -> Known[float] | Unknown:
    """The part of its time, 0 to 1, that a proxy spends on us: the mean over all that were asked."""
    asked = [view for view in views if view.series]
    found = total_cost(map(_cost, asked)).share
    if found is None:
        return Unknown("no proxy was asked yet")
    return Known(found, min([view.series[-1].at for view in asked]))


def share_span(part: float) -> Span:
    """A cost as `0.2%`, marked above the budget."""
    return Span(f"{text.ratio(part)}{text.RAISED}", Role.WARN) if part >= RAISED else Span(text.ratio(part))


def cost_line(mean: Known[float] | Unknown) -> Line:
    """`cost 0.2%`; empty while it is not known."""
    if isinstance(mean, Unknown):
        return ()
    figure = share_span(mean.value)
    return line(Span("cost ", Role.DIM), Span(figure.text, figure.role if mean.value >= RAISED else Role.DIM))
