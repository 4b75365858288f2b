"""The cards where traffic ends: namespaces with the Services that get it, and hosts outside the cluster."""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.model.ids import ExternalKey, ObjectKey
from gwtui.model.known import Unknown
from gwtui.model.names import ANY_HOST
from gwtui.model.shape import ShareRole
from gwtui.views import judge, text
from gwtui.views.fleet import Fleet
from gwtui.views.flows import Flow, Space, Upstream, attention
from gwtui.views.map_links import target_id
from gwtui.views.map_parts import WORKLOAD, Card, Load, NodeId, Wording
from gwtui.views.map_tags import EXTERNAL
from gwtui.views.remembered import ByIdentity
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line, plain

STANDBY = "standby"

NO_P99 = Unknown("latency is not counted per upstream")


_WORDINGS: ByIdentity[tuple[str, str, int], Wording] = ByIdentity()


def workload_cards(fleet: Fleet, column: int, *, qualified: bool, services: int) -> list[Card]:
    """One card per namespace that gets traffic, listing at most `services` Services, the worst first."""
    return [
        _namespace(
            NodeId(WORKLOAD, cluster, name, ""),
            found,
            column,
            qualified=qualified,
            services=services,
        )
        for (cluster, name), found in fleet.spaces.items()
    ]


def outside_cards(fleet: Fleet, column: int, *, qualified: bool) -> list[Card]:
    """One card per host outside the cluster that gets traffic."""
    return [_host(found, column, qualified=qualified) for _, found in sorted(fleet.outside.items())]


def host_words(host: str) -> str:
    """The host as it is shown."""
    return "any host" if host == ANY_HOST else host


def _name(upstream: Upstream) -> str:
    return host_words(upstream.key.host) if isinstance(upstream.key, ExternalKey) else upstream.key.name


def _ready(upstream: Upstream) -> str:
    healthy, members = upstream.members_healthy, upstream.members_total
    return f"{text.part_of(healthy, members)} ready" if healthy is not None and members is not None else ""


def _host(upstream: Upstream, column: int, *, qualified: bool) -> Card:
    node, name = target_id(upstream.key), _name(upstream)
    kind = line(Span(EXTERNAL, Role.ACCENT), Span(f" {STANDBY}" if _is_standby(upstream.flows) else "", Role.DIM))
    return Card(
        id=node,
        column=column,
        title=f"{node.cluster} {name}" if qualified else name,
        verdict=upstream.verdict,
        badge="",
        rows=1,
        write=lambda: _host_wording(upstream, kind),
        tell=lambda: _host_story(upstream),
        name=lambda: f"{node.cluster} {name} {plain(kind)} {upstream.verdict.word}",
        load=Load(upstream.rps, upstream.error_ratio, NO_P99),
    )


def _host_wording(upstream: Upstream, kind: Line) -> Wording:
    carries = _carries(upstream)
    return Wording(lines=((kind, carries),), brief=(kind, carries), tags=kind, serves=joined([kind, carries], " "))


def _host_story(upstream: Upstream) -> Line:
    verdict = upstream.verdict
    sources = ", ".join(sorted({str(flow.hop.source) for flow in upstream.flows}))
    return joined(
        [
            line(verdict.mark, Span(f" {_name(upstream)}", Role.STRONG), " outside the cluster"),
            line(Span(verdict.reason, verdict.role)) if verdict.reason else BLANK,
            line(f"{text.figure(upstream.rps, text.rps)} from {sources}"),
        ],
        " · ",
    )


def _is_standby(flows: Sequence[Flow]) -> bool:
    """Whether nothing is sent there until what comes before it in a failover order is unhealthy."""
    shares = [share for flow in flows for share in flow.hop.shares]
    return bool(shares) and all(share.role is ShareRole.STANDBY for share in shares)


def _namespace(node: NodeId, found: Space, column: int, *, qualified: bool, services: int) -> Card:
    cluster, name, count = node.cluster, node.namespace, len(found.upstreams)
    return Card(
        id=node,
        column=column,
        title=f"{cluster} {name}" if qualified else name,
        verdict=found.worst.verdict,
        badge=f"{count} svc",
        rows=min(count, services) + (count > services),
        write=lambda: _WORDINGS.get((cluster, name, services), (found,), lambda: _namespace_wording(found, services)),
        tell=lambda: _namespace_story(name, found),
        name=lambda: " ".join((cluster, name, found.worst.verdict.word, *map(_name, found.upstreams))),
        yaml=ObjectKey(cluster, "services", name, _name(found.worst)),
        load=Load(found.rps, found.error_ratio, NO_P99),
    )


def _namespace_wording(found: Space, services: int) -> Wording:
    worst_first = sorted(found.upstreams, key=attention)
    lines = [(_named(upstream), _carries(upstream)) for upstream in worst_first[:services]]
    hidden = len(worst_first) - len(lines)
    if hidden:
        lines.append((line(Span(f"and {hidden} more", Role.DIM)), BLANK))
    brief = lines[0]
    if found.worst.verdict.rank >= judge.OK.rank:
        names = joined([_named(upstream) for upstream in found.upstreams], " ")
        brief = names, line(text.figure(found.rps, text.rate))
    return Wording(
        lines=tuple(lines),
        brief=brief,
        serves=joined([joined([_named(upstream), _carries(upstream)], " ") for upstream in worst_first], "  "),
    )


def _namespace_story(name: str, found: Space) -> Line:
    worst_first = sorted(found.upstreams, key=attention)
    story = [joined([_named(each), _carries(each), line(_ready(each))], " ") for each in worst_first]
    return line(found.worst.verdict.mark, Span(f" namespace {name}", Role.STRONG), "  ", *joined(story, " · "))


def _named(upstream: Upstream) -> Line:
    if upstream.verdict.role is Role.OK:
        return line(_name(upstream))
    return line(Span(f"{upstream.verdict.glyph} ", upstream.verdict.role), _name(upstream))


def _carries(upstream: Upstream) -> Line:
    rate = line(text.figure(upstream.rps, text.rate))
    if judge.error_role(upstream.error_ratio) in (Role.WARN, Role.BAD):
        rate = (*rate, Span(" "), judge.error_span(upstream.error_ratio))
    not_ready = upstream.verdict.word in ("none ready", "few ready")
    ready = _ready(upstream) if not_ready else ""
    return (*rate, Span(f" {ready}", upstream.verdict.role)) if ready else rate
