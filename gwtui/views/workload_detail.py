"""The Services of one namespace as the gateways see them: who sends how much, and what comes back."""

from __future__ import annotations

from gwtui.views import judge, text
from gwtui.views.fleet import Flow, combined, workload_flows
from gwtui.views.scene import Scene
from gwtui.views.spans import Line, Role, Span, line
from gwtui.views.tables import Column, Row, layout, row_line, title_line

_COLUMNS = (
    Column(id="service", title="SERVICE", cells=28, least=14),
    Column(id="from", title="FROM GATEWAY", cells=26, least=12),
    Column(id="state", title="STATE", cells=14),
    Column(id="rps", title="RPS", cells=7, right=True),
    Column(id="err", title="5XX", cells=8, right=True),
    Column(id="ready", title="READY", cells=7, right=True),
    Column(id="routes", title="ROUTES", cells=24, least=8, rank=1),
)


def workload_detail(scene: Scene, cluster: str, namespace: str, *, cells: int) -> tuple[Line, ...]:
    """One row per Service and gateway that sends to it, `cells` wide."""
    shown = layout(_COLUMNS, cells)
    rows = [
        row_line(_COLUMNS, shown, _row(flow), cells)
        for service, flows in sorted(workload_flows(scene.fleet.flows).items())
        if (service.cluster, service.namespace) == (cluster, namespace)
        for flow in flows
    ]
    if not rows:
        return (line(Span("nothing is sent to this namespace any more", Role.DIM)),)
    return (title_line(shown, ""), *rows)


def _row(flow: Flow) -> Row:
    traffic = combined((flow,))
    healthy, members = traffic.members_healthy, traffic.members_total
    verdict = judge.upstream(traffic.error_ratio, healthy, members)
    ready = text.part_of(healthy, members) if healthy is not None and members is not None else text.UNKNOWN
    routes = ", ".join(sorted({share.route.name for share in flow.hop.shares}))
    return Row(
        (
            line(Span(flow.hop.target.name, Role.STRONG)),
            line(str(flow.hop.source)),
            verdict.line,
            line(text.figure(traffic.rps, text.rate)),
            line(judge.error_span(traffic.error_ratio)),
            line(ready),
            line(Span(routes, Role.DIM)),
        )
    )
