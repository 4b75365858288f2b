"""The one fact to know first, as one line."""

from __future__ import annotations

from gwtui.model.ids import GatewayKey
from gwtui.views import judge, text
from gwtui.views.fleet import combined, workload_flows
from gwtui.views.judge import Verdict
from gwtui.views.scene import Scene
from gwtui.views.spans import Line, Role, Span, line


def triage_line(scene: Scene) -> Line:
    """The worst fact of the scene, or that nothing stands out and on how much knowledge that rests."""
    if not scene.has_gateways:
        return ()
    facts = [*_upstreams(scene), *_gateways(scene)]
    rank, glyph, _, role, reason = min(facts, key=lambda fact: fact[0].rank)[0] if facts else judge.OK
    if rank >= judge.OK.rank:
        return _all_well(scene)
    subject = min(facts, key=lambda fact: fact[0].rank)[1]
    others = sum(verdict.rank < judge.OK.rank for verdict, _ in facts) - 1
    more = Span(f"   and {others} more" if others else "", Role.DIM)
    return line(Span(f" {glyph} {subject}", role), f": {reason}", more)


def _gateways(scene: Scene) -> list[tuple[Verdict, str]]:
    return [(entry.verdict, _name(scene, key)) for key, entry in scene.fleet.gateways.items()]


def _upstreams(scene: Scene) -> list[tuple[Verdict, str]]:
    found = []
    for service, flows in workload_flows(scene.fleet.flows).items():
        traffic = combined(flows)
        verdict = judge.upstream(traffic.error_ratio, traffic.members_healthy, traffic.members_total)
        if verdict.role is not Role.UNKNOWN:
            via = ", ".join(sorted({str(flow.hop.source) for flow in flows}))
            found.append((verdict, f"{service} behind {via}"))
    return found


def _name(scene: Scene, key: GatewayKey) -> str:
    return f"{key.cluster} {key}" if len(scene.clusters) > 1 else str(key)


def _all_well(scene: Scene) -> Line:
    answering = sum(entry.answering for entry in scene.fleet.gateways.values())
    return line(
        Span(f" {text.OK_GLYPH} nothing stands out", Role.OK),
        Span(f"  {text.plural(answering, 'proxy', 'proxies')} answering", Role.DIM),
    )
