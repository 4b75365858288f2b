"""What a proxy does: every figure now and over time, with where it comes from, and what asking costs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from typing import NamedTuple

from gwtui.model.cost import cost_of
from gwtui.model.ids import ProxyKey
from gwtui.model.known import Known, Unknown
from gwtui.model.snapshot import Point, ProxyView
from gwtui.model.traffic import ProxyTraffic
from gwtui.views import judge, text
from gwtui.views.cost import share_span
from gwtui.views.proxy.charts import GAP, chart, highest, placed
from gwtui.views.proxy.page import Page, fact, note
from gwtui.views.proxy.subject import subject
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, crop, line, pad

Figure = Known[float] | Known[int] | Unknown

SPACIOUS = 110
"""Cells from which a chart has several rows and says where its figure comes from."""

_NAME, _VALUE, _SCALE = 12, 16, 13
_SOURCE = 44


class _Metric(NamedTuple):
    """One figure and its course."""

    name: str
    now: Callable[[ProxyTraffic], Figure]
    then: Callable[[Point], float | None]
    words: Callable[[float], str]
    stat: str
    """The statistic it is made from."""
    rows: int
    """Height of its chart where there is room."""

    @property
    def is_error(self) -> bool:
        """Whether its share is judged."""
        return self.name == "5xx"


_PREFIX = "http.http."
"""Every HTTP listener of a kgateway proxy counts under this name."""

_METRICS = (
    _Metric("requests", lambda t: t.rps, lambda p: p.rps, text.rps, "downstream_rq_total", 4),
    _Metric("5xx", lambda t: t.error_ratio, lambda p: p.error_ratio, text.ratio, "downstream_rq_5xx", 3),
    _Metric("4xx", lambda t: t.client_error_ratio, lambda p: p.client_error_ratio, text.ratio, "downstream_rq_4xx", 2),
    _Metric("p50", lambda t: t.p50_ms, lambda p: p.p50_ms, text.ms, "downstream_rq_time", 2),
    _Metric("p95", lambda t: t.p95_ms, lambda p: p.p95_ms, text.ms, "downstream_rq_time", 2),
    _Metric("p99", lambda t: t.p99_ms, lambda p: p.p99_ms, text.ms, "downstream_rq_time", 3),
    _Metric("in flight", lambda t: t.active, lambda p: p.active, text.count, "downstream_rq_active", 2),
    _Metric("long-lived", lambda t: t.upgrades, lambda p: p.upgrades, text.count, "downstream_cx_upgrades_active", 2),
)


def traffic(scene: Scene, key: ProxyKey, cells: int) -> Page:
    """Every figure with its chart, what the proxy answered by itself, and our own cost."""
    view = subject(scene, key).view
    is_wide = cells >= SPACIOUS
    rows: list[tuple[Hashable | None, Line]] = []
    for metric in _METRICS:
        block = _spacious(metric, view, scene.now, cells) if is_wide else (_narrow(metric, view, cells),)
        rows += [(metric.name if at == 0 else None, each) for at, each in enumerate(block)]
    rows += [(None, each) for each in (BLANK, *_without_upstream(view), *_our_cost(view, scene.now))]
    stories = {metric.name: _story(metric, view, scene.now) for metric in _METRICS}
    return Page(
        head=(crop(_span(view, scene.now), cells),),
        keys=[name for name, _ in rows],
        line_of=lambda index: rows[index][1],
        story_of=lambda name: stories.get(str(name), BLANK),
    )


def _span(view: ProxyView, now: datetime) -> Line:
    """How much time the charts show."""
    if len(view.series) < 2:
        return note("no course yet: charts begin with the second answer")
    first, last = view.series[0].at, view.series[-1].at
    ended = "now" if (now - last).total_seconds() < judge.STALE_AFTER_S else f"{text.age_of(last, now)} ago"
    return line(
        Span(f"last {text.age(_rounded((last - first).total_seconds()))}", Role.STRONG),
        Span(f" from {text.clock(first)} to {ended}, newest at the right, {GAP} not known", Role.DIM),
    )


def _rounded(seconds: float) -> float:
    """Whole minutes where there are some: 298 seconds are five minutes to whoever reads a chart."""
    return seconds if seconds < 90 else 60 * round(seconds / 60)


def _course(metric: _Metric, view: ProxyView, cells: int) -> Sequence[float | None]:
    return placed([(point.at, metric.then(point)) for point in view.series], cells)


def _narrow(metric: _Metric, view: ProxyView, cells: int) -> Line:
    room = max(0, cells - _NAME - _VALUE - _SCALE)
    values = _course(metric, view, room)
    drawn = chart(values, rows=1, cells=room)[0] if values else ""
    return (
        *pad(line(Span(metric.name, Role.DIM)), _NAME),
        *pad(_value(metric, view), _VALUE),
        Span(drawn.ljust(room), _chart_role(metric)),
        Span(_scale(metric, values).rjust(_SCALE), Role.DIM),
    )


def _spacious(metric: _Metric, view: ProxyView, now: datetime, cells: int) -> Sequence[Line]:
    room = max(0, cells - _SOURCE - _SCALE)
    values = _course(metric, view, room)
    drawn = chart(values, rows=metric.rows, cells=room) if values else ("",) * metric.rows
    left = [
        (*pad(line(Span(metric.name, Role.DIM)), _NAME), *_value(metric, view)),
        line(" " * _NAME, Span(_since(metric.now(view.current), now), Role.DIM)),
        line(" " * _NAME, Span(metric.stat, Role.DIM)),
    ]
    if metric.rows == 2:
        left[1] = (*left[1], Span(f" · {metric.stat}", Role.DIM))
    right = [_scale(metric, values), *([""] * (metric.rows - 2)), "0 " if values else ""]
    return [
        (
            *pad(left[at] if at < min(len(left), metric.rows) else BLANK, _SOURCE),
            Span(drawn[at].ljust(room), _chart_role(metric)),
            Span(right[at].rjust(_SCALE), Role.DIM),
        )
        for at in range(metric.rows)
    ]


def _value(metric: _Metric, view: ProxyView) -> Line:
    found = metric.now(view.current)
    if isinstance(found, Unknown):
        return line(Span(text.UNKNOWN, Role.UNKNOWN))
    if metric.is_error and isinstance(view.current.error_ratio, Known):
        rps = view.current.rps
        rate = f" {text.rate(rps.value * found.value)}/s" if isinstance(rps, Known) and found.value else ""
        return line(judge.error_span(view.current.error_ratio), Span(rate, Role.DIM))
    return line(Span(metric.words(found.value), Role.STRONG))


def _since(found: Figure, now: datetime) -> str:
    return found.reason if isinstance(found, Unknown) else f"{text.age_of(found.observed_at, now)} ago"


def _story(metric: _Metric, view: ProxyView, now: datetime) -> Line:
    found = metric.now(view.current)
    known = text.UNKNOWN if isinstance(found, Unknown) else metric.words(found.value)
    return line(
        Span(f"{metric.name} ", Role.DIM),
        Span(known, Role.STRONG),
        Span(f"  {_since(found, now)} · from {_PREFIX}{metric.stat}", Role.DIM),
    )


def _scale(metric: _Metric, values: Sequence[float | None]) -> str:
    top = highest(values)
    return "" if top is None else f"max {metric.words(top).removesuffix(' rps')} "


def _chart_role(metric: _Metric) -> Role:
    return Role.WARN if metric.is_error else Role.SPARK


def _without_upstream(view: ProxyView) -> list[Line]:
    """What the proxy answered by itself, and what clients gave up: neither is counted by any upstream or route."""
    counted = [sample for sample in view.samples if sample.answer_bytes]
    connections = view.current.connections
    open_now = fact("connections", text.figure(connections, text.count), Span(" open, idle ones included", Role.DIM))
    if len(counted) < 2 or not view.is_answering:
        return [open_now]
    first, last = counted[0], counted[-1]
    seconds = last.taken_mono - first.taken_mono
    if seconds <= 0 or last.requests < first.requests:
        return [open_now]
    each = (
        ("no route (404)", last.no_route - first.no_route, True),
        ("no such cluster (503)", last.no_cluster - first.no_cluster, True),
        ("direct answers", last.direct_answers - first.direct_answers, False),
        ("given up by clients", last.aborts - first.aborts, False),
    )
    parts: list[tuple[Span, Span]] = []
    for name, number, is_bad in each:
        mark = text.RAISED if is_bad and number > 0 else ""
        rate = Span(f"{text.rate(max(number, 0) / seconds)}/s{mark}", Role.WARN if mark else Role.TEXT)
        parts.append((rate, Span(f" {name}   ", Role.DIM)))
    return [open_now, fact("by itself", *parts[0], *parts[1]), fact("", *parts[2], *parts[3])]


def _our_cost(view: ProxyView, now: datetime) -> list[Line]:
    found = cost_of(view, now)
    if found.share is None:
        return [fact("our cost", Span(text.UNKNOWN, Role.UNKNOWN), Span("  nothing was asked lately", Role.DIM))]
    return [
        fact(
            "our cost",
            share_span(found.share),
            Span(" of its time: ", Role.DIM),
            text.ms(found.admin_ms),
            Span(f" in the last {text.age(found.span_s)}, of ", Role.DIM),
            text.ms(found.answer_ms),
            Span(" that we waited", Role.DIM),
        ),
        fact(
            "",
            text.count(found.questions),
            Span(" questions and ", Role.DIM),
            text.size(found.answer_bytes),
            Span(" of answers", Role.DIM),
        ),
    ]
