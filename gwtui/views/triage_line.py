"""The one fact to know first, as one line."""

from __future__ import annotations

from gwtui.model.ids import ExternalKey, GatewayKey, ServiceKey
from gwtui.views import judge, text
from gwtui.views.fleet import Flow, combined, outside_flows, workload_flows
from gwtui.views.judge import Verdict
from gwtui.views.scene import Scene
from gwtui.views.spans import Line, Role, Span, line


def triage_line(scene: Scene) -> Line:
    """The worst fact of the scene, or that nothing stands out and on how much knowledge that rests."""
    if not scene.has_gateways:
        return ()
    facts = [*_upstreams(scene), *_gateways(scene)]
    rank, glyph, word, role, reason = min(facts, key=lambda fact: fact[0].rank)[0] if facts else judge.OK
    if rank >= judge.OK.rank:
        return _all_well(scene)
    subject = min(facts, key=lambda fact: fact[0].rank)[1]
    others = sum(verdict.rank < judge.OK.rank for verdict, _ in facts) - 1
    more = Span(f"   and {others} more" if others else "", Role.DIM)
    return line(Span(f" {glyph} {subject}", role), f": {reason or word}", more)


def _gateways(scene: Scene) -> list[tuple[Verdict, str]]:
    entries = scene.fleet.gateways.items()
    return [(entry.verdict, _name(scene, key)) for key, entry in entries if entry.verdict.word != judge.NOT_READ]


def _upstreams(scene: Scene) -> list[tuple[Verdict, str]]:
    found = []
    targets: list[tuple[ServiceKey | ExternalKey, tuple[Flow, ...]]] = [
        *workload_flows(scene.fleet.flows).items(),
        *outside_flows(scene.fleet.flows).items(),
    ]
    for target, flows in targets:
        traffic = combined(flows)
        verdict = judge.upstream(traffic.error_ratio, traffic.members_healthy, traffic.members_total)
        if verdict.role is not Role.UNKNOWN:
            via = ", ".join(sorted({str(flow.hop.source) for flow in flows}))
            found.append((verdict, f"{target} behind {via}"))
    return found


def _name(scene: Scene, key: GatewayKey) -> str:
    return f"{key.cluster} {key}" if len(scene.clusters) > 1 else str(key)


def _all_well(scene: Scene) -> Line:
    answering = sum(entry.answering for entry in scene.fleet.gateways.values())
    unread = sum(entry.verdict.word == judge.NOT_READ for entry in scene.fleet.gateways.values())
    silent = f", {text.plural(unread, 'gateway')} {judge.UNREAD}" if unread else ""
    answered = f"{text.plural(answering, 'proxy', 'proxies')} answering{silent}"
    if not answering:
        return line(Span(f" {text.UNKNOWN_GLYPH} nothing is known of the traffic", Role.UNKNOWN), f"  {answered}")
    return line(Span(f" {text.OK_GLYPH} nothing stands out", Role.OK), Span(f"  {answered}", Role.DIM))
