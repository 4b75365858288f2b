"""Where traffic ends, as the gateways see it: who sends how much, and what comes back."""

from __future__ import annotations

from collections.abc import Iterable

from gwtui.model.ids import ExternalKey, ServiceKey
from gwtui.views import judge, text
from gwtui.views.flows import Flow, upstream
from gwtui.views.map_ends import host_words
from gwtui.views.scene import Scene
from gwtui.views.spans import Line, Role, Span, line
from gwtui.views.tables import Column, Row, layout, row_line, title_line

_COLUMNS = (
    Column(id="target", title="SENT TO", cells=28, least=14),
    Column(id="from", title="FROM GATEWAY", cells=26, least=12),
    Column(id="state", title="STATE", cells=14),
    Column(id="rps", title="RPS", cells=7, right=True),
    Column(id="err", title="5XX", cells=8, right=True),
    Column(id="ready", title="READY", cells=7, right=True),
    Column(id="routes", title="ROUTES", cells=24, least=8, rank=1),
)


def workload_detail(scene: Scene, cluster: str, namespace: str, *, cells: int) -> tuple[Line, ...]:
    """One row per Service of a namespace and gateway that sends to it, `cells` wide."""
    found = scene.fleet.spaces.get((cluster, namespace))
    flows = [(each.key, flow) for each in found.upstreams for flow in each.flows] if found is not None else []
    return _table(flows, "nothing is sent to this namespace any more", cells)


def outside_detail(scene: Scene, key: ExternalKey, *, cells: int) -> tuple[Line, ...]:
    """One row per gateway that sends to a host outside the cluster, `cells` wide."""
    found = scene.fleet.outside.get(key)
    flows = [(key, flow) for flow in found.flows] if found is not None else []
    return _table(flows, "nothing is sent to this host any more", cells)


def _table(flows: Iterable[tuple[ServiceKey | ExternalKey, Flow]], nothing: str, cells: int) -> tuple[Line, ...]:
    shown = layout(_COLUMNS, cells)
    rows = [row_line(_COLUMNS, shown, _row(target, flow), cells) for target, flow in flows]
    return (title_line(shown, ""), *rows) if rows else (line(Span(nothing, Role.DIM)),)


def _row(target: ServiceKey | ExternalKey, flow: Flow) -> Row:
    traffic = upstream(target, (flow,))
    healthy, members = traffic.members_healthy, traffic.members_total
    ready = text.part_of(healthy, members) if healthy is not None and members is not None else text.UNKNOWN
    routes = ", ".join(sorted({share.route.name for share in flow.hop.shares}))
    name = target.name if isinstance(target, ServiceKey) else host_words(target.host)
    return Row(
        (
            line(Span(name, Role.STRONG)),
            line(str(flow.hop.source)),
            traffic.verdict.line,
            line(text.figure(traffic.rps, text.rate)),
            line(judge.error_span(traffic.error_ratio)),
            line(ready),
            line(Span(routes, Role.DIM)),
        )
    )
