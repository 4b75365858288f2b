"""The cards where traffic ends: namespaces with the Services that get it, and hosts outside the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gwtui.model.ids import ExternalKey, ObjectKey, ServiceKey
from gwtui.model.known import Unknown
from gwtui.model.names import ANY_HOST
from gwtui.views import judge, text
from gwtui.views.fleet import Fleet, Flow, Rate, combined, outside_flows, workload_flows
from gwtui.views.judge import Verdict
from gwtui.views.map_links import target_id
from gwtui.views.map_parts import WORKLOAD, Card, Load, NodeId, together
from gwtui.views.map_tags import EXTERNAL
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line

NO_P99 = Unknown("latency is not counted per upstream")


class _Upstream(NamedTuple):
    key: ServiceKey | ExternalKey
    name: str
    verdict: Verdict
    rps: Rate
    error_ratio: Rate
    ready: str


def workload_cards(fleet: Fleet, column: int, *, qualified: bool, services: int) -> list[Card]:
    """One card per namespace that gets traffic, listing at most `services` Services, the worst first."""
    spaces: dict[tuple[str, str], list[_Upstream]] = {}
    for service, flows in sorted(workload_flows(fleet.flows).items()):
        spaces.setdefault((service.cluster, service.namespace), []).append(_upstream(service, service.name, flows))
    return [
        _namespace(NodeId(WORKLOAD, cluster, name, ""), found, column, qualified=qualified, services=services)
        for (cluster, name), found in spaces.items()
    ]


def outside_cards(fleet: Fleet, column: int, *, qualified: bool) -> list[Card]:
    """One card per host outside the cluster that gets traffic."""
    return [
        _host(_upstream(key, host_words(key.host), flows), flows, column, qualified=qualified)
        for key, flows in sorted(outside_flows(fleet.flows).items())
    ]


def host_words(host: str) -> str:
    """The host as it is shown."""
    return "any host" if host == ANY_HOST else host


def _upstream(key: ServiceKey | ExternalKey, name: str, flows: Sequence[Flow]) -> _Upstream:
    traffic = combined(flows)
    healthy, members = traffic.members_healthy, traffic.members_total
    ready = f"{text.part_of(healthy, members)} ready" if healthy is not None and members is not None else ""
    verdict = judge.upstream(traffic.error_ratio, healthy, members)
    return _Upstream(key, name, verdict, traffic.rps, traffic.error_ratio, ready)


def _host(upstream: _Upstream, flows: Sequence[Flow], column: int, *, qualified: bool) -> Card:
    node = target_id(upstream.key)
    sources = ", ".join(sorted({str(flow.hop.source) for flow in flows}))
    kind, carries = line(Span(EXTERNAL, Role.ACCENT)), _carries(upstream)
    return Card(
        id=node,
        column=column,
        title=f"{node.cluster} {upstream.name}" if qualified else upstream.name,
        verdict=upstream.verdict,
        badge="",
        lines=((kind, carries),),
        brief=(kind, carries),
        tags=kind,
        serves=joined([kind, carries], " "),
        words=joined(
            [
                line(upstream.verdict.mark, Span(f" {upstream.name}", Role.STRONG), " outside the cluster"),
                line(Span(upstream.verdict.reason, upstream.verdict.role)) if upstream.verdict.reason else BLANK,
                line(f"{text.figure(upstream.rps, text.rps)} from {sources}"),
            ],
            " · ",
        ),
        search=f"{node.cluster} {upstream.name} {EXTERNAL} {upstream.verdict.word}",
        load=Load(upstream.rps, upstream.error_ratio, NO_P99),
    )


def _namespace(node: NodeId, found: list[_Upstream], column: int, *, qualified: bool, services: int) -> Card:
    cluster, name = node.cluster, node.namespace
    worst_first = sorted(found, key=lambda upstream: (upstream.verdict.rank, upstream.key))
    verdict = worst_first[0].verdict
    lines = [(_named(upstream), _carries(upstream)) for upstream in worst_first[:services]]
    hidden = len(found) - len(lines)
    if hidden:
        lines.append((line(Span(f"and {hidden} more", Role.DIM)), BLANK))
    story = [joined([_named(upstream), _carries(upstream), line(upstream.ready)], " ") for upstream in worst_first]
    load = together([Load(upstream.rps, upstream.error_ratio, NO_P99) for upstream in found])
    sick = verdict.rank < judge.OK.rank
    names = joined([_named(upstream) for upstream in found], " ")
    return Card(
        id=node,
        column=column,
        title=f"{cluster} {name}" if qualified else name,
        verdict=verdict,
        badge=f"{len(found)} svc",
        lines=tuple(lines),
        brief=lines[0] if sick else (names, line(text.figure(load.rps, text.rate))),
        serves=joined([joined([_named(upstream), _carries(upstream)], " ") for upstream in worst_first], "  "),
        words=line(verdict.mark, Span(f" namespace {name}", Role.STRONG), "  ", *joined(story, " · ")),
        search=" ".join((cluster, name, verdict.word, *(upstream.name for upstream in found))),
        yaml=ObjectKey(cluster, "services", name, worst_first[0].name),
        load=load,
    )


def _named(upstream: _Upstream) -> Line:
    if upstream.verdict.role is Role.OK:
        return line(upstream.name)
    return line(Span(f"{upstream.verdict.glyph} ", upstream.verdict.role), upstream.name)


def _carries(upstream: _Upstream) -> Line:
    rate = line(text.figure(upstream.rps, text.rate))
    if judge.error_role(upstream.error_ratio) in (Role.WARN, Role.BAD):
        rate = (*rate, Span(" "), judge.error_span(upstream.error_ratio))
    not_ready = upstream.verdict.word in ("none ready", "few ready")
    return (*rate, Span(f" {upstream.ready}", upstream.verdict.role)) if not_ready and upstream.ready else rate
