"""One proxy with every figure, when it was true and where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gwtui.model.ids import ProxyKey
from gwtui.model.known import Known, Unknown, value_or
from gwtui.model.snapshot import ProxyView
from gwtui.model.traffic import ClusterTraffic
from gwtui.views import judge, text
from gwtui.views.proxies import cost_ms, pod_created
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, line
from gwtui.views.tables import Column, Row, layout, row_line, title_line

_UPSTREAMS = (
    Column(id="name", title="UPSTREAM", cells=60, least=16, middle=True),
    Column(id="state", title="STATE", cells=14),
    Column(id="rps", title="RPS", cells=7, right=True),
    Column(id="err", title="5XX", cells=8, right=True),
    Column(id="ready", title="READY", cells=7, right=True),
)


def proxy_detail(scene: Scene, key: ProxyKey, *, cells: int) -> tuple[Line, ...]:
    """The lines of the panel, `cells` wide."""
    view = scene.snapshot.proxies.get(key) or ProxyView(key=key)
    verdict = judge.proxy(view, scene.now)
    owner = scene.fleet.owners.get(key)
    lines: list[Line] = [
        (*verdict.line, *line(Span(f"  {verdict.reason}" if verdict.reason else "", Role.DIM))),
        line(Span("Gateway    ", Role.DIM), str(owner) if owner else "no gateway we know claims this pod"),
        line(Span("Cluster    ", Role.DIM), key.cluster),
        line(Span("Pod age    ", Role.DIM), text.age_of(pod_created(scene.snapshot, key), scene.now)),
    ]
    if view.hint:
        lines.append(line(Span("Try        ", Role.DIM), view.hint))
    if view.answered_at is not None:
        lines.append(
            line(
                Span("Answered   ", Role.DIM),
                f"{text.age_of(view.answered_at, scene.now)} ago, {text.clock(view.answered_at)}",
                Span(f", by {view.way}" if view.way else "", Role.DIM),
            )
        )
    lines += [BLANK, *_figures(view, scene.now), BLANK, *_upstreams(view, cells)]
    return tuple(lines)


def _figures(view: ProxyView, now: datetime) -> list[Line]:
    traffic = view.traffic
    lines = [
        _figure("Requests", traffic.rps, text.rps, "http.http.downstream_rq_total", now),
        _figure(
            "Errors",
            traffic.error_ratio,
            lambda value: f"{text.ratio(value)} of answers are 5xx",
            "downstream_rq_5xx",
            now,
        ),
        _figure("p50", traffic.p50_ms, text.ms, "downstream_rq_time", now),
        _figure("p99", traffic.p99_ms, text.ms, "downstream_rq_time", now),
        _figure("In flight", traffic.active, text.count, "downstream_rq_active", now),
    ]
    if view.history:
        lines.append(
            line(
                Span("Trend      ", Role.DIM),
                Span(text.sparkline(view.history, 60), Role.SPARK),
                Span(" rps", Role.DIM),
            )
        )
    if view.samples:
        last = view.samples[-1]
        cost = cost_ms(view)
        lines.append(
            line(
                Span("Our cost   ", Role.DIM),
                f"{text.ms(cost or 0.0)} and {text.size(last.answer_bytes)} for the last answer",
            )
        )
        if last.uptime_s is not None:
            lines.append(line(Span("Uptime     ", Role.DIM), text.age(last.uptime_s)))
        if last.update_rejected:
            lines.append(
                line(
                    Span("Refused    ", Role.DIM),
                    Span(
                        f"{text.RAISED} {text.plural(last.update_rejected, 'configuration update')} since it started",
                        Role.WARN,
                    ),
                )
            )
    return lines


def _figure(
    name: str, observed: Known[float] | Known[int] | Unknown, words: Callable[[float], str], stat: str, now: datetime
) -> Line:
    if isinstance(observed, Unknown):
        return line(
            Span(f"{name:<11}", Role.DIM), Span(text.UNKNOWN, Role.UNKNOWN), Span(f"  {observed.reason}", Role.DIM)
        )
    source = f"  {text.age_of(observed.observed_at, now)} ago · {stat}"
    return line(Span(f"{name:<11}", Role.DIM), Span(words(observed.value), Role.STRONG), Span(source, Role.DIM))


def _upstreams(view: ProxyView, cells: int) -> list[Line]:
    clusters = view.traffic.clusters
    if not clusters:
        return [line(Span("Upstreams  ", Role.DIM), Span("none seen with traffic yet", Role.DIM))]
    shown = layout(_UPSTREAMS, cells)
    rows = sorted(
        clusters.items(), key=lambda entry: (_verdict(entry[1]).rank, -value_or(entry[1].rps, -1.0), entry[0])
    )
    return [title_line(shown, ""), *(row_line(_UPSTREAMS, shown, _upstream(name, one), cells) for name, one in rows)]


def _upstream(name: str, traffic: ClusterTraffic) -> Row:
    healthy, members = traffic.members_healthy, traffic.members_total
    ready = text.part_of(healthy, members) if healthy is not None and members is not None else text.UNKNOWN
    return Row(
        (
            line(name),
            _verdict(traffic).line,
            line(text.figure(traffic.rps, text.rate)),
            line(judge.error_span(traffic.error_ratio)),
            line(ready),
        )
    )


def _verdict(traffic: ClusterTraffic) -> judge.Verdict:
    return judge.upstream(traffic.error_ratio, traffic.members_healthy, traffic.members_total)
