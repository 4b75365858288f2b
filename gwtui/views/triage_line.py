"""The one fact to know first, as one line."""

from __future__ import annotations

from gwtui.model.ids import GatewayKey
from gwtui.views import judge, text
from gwtui.views.fleet import GatewayFigures
from gwtui.views.flows import Upstream
from gwtui.views.scene import Scene
from gwtui.views.spans import Line, Role, Span, line


def triage_line(scene: Scene) -> Line:
    """The worst fact of the scene, or that nothing stands out and on how much knowledge that rests."""
    if not scene.has_gateways:
        return ()
    gateways = [entry for entry in scene.fleet.gateways.values() if entry.verdict.word != judge.NOT_READ]
    facts: list[Upstream | GatewayFigures] = [*scene.fleet.sick, *gateways]
    worst = min(facts, key=lambda fact: fact.verdict.rank, default=None)
    if worst is None or worst.verdict.rank >= judge.OK.rank:
        return _all_well(scene)
    _, glyph, word, role, reason = worst.verdict
    others = sum(fact.verdict.rank < judge.OK.rank for fact in facts) - 1
    more = Span(f"   and {others} more" if others else "", Role.DIM)
    return line(Span(f" {glyph} {_subject(scene, worst)}", role), f": {reason or word}", more)


def _subject(scene: Scene, fact: Upstream | GatewayFigures) -> str:
    if isinstance(fact, GatewayFigures):
        return _name(scene, fact.node.key)
    return f"{fact.key} behind {', '.join(sorted({str(flow.hop.source) for flow in fact.flows}))}"


def _name(scene: Scene, key: GatewayKey) -> str:
    return f"{key.cluster} {key}" if len(scene.clusters) > 1 else str(key)


def _all_well(scene: Scene) -> Line:
    answering = sum(entry.answering for entry in scene.fleet.gateways.values())
    unread = sum(entry.verdict.word == judge.NOT_READ for entry in scene.fleet.gateways.values())
    answered = text.plural(answering, "proxy", "proxies") + " answering"
    # What cannot be read may be anything: it stands beside the good news as loudly.
    silent = Span(
        f"  {text.UNKNOWN_GLYPH} {text.plural(unread, 'gateway')} {judge.UNREAD}" if unread else "", Role.UNKNOWN
    )
    if not answering:
        return line(
            Span(f" {text.UNKNOWN_GLYPH} nothing is known of the traffic", Role.UNKNOWN), f"  {answered}", silent
        )
    return line(Span(f" {text.OK_GLYPH} nothing stands out", Role.OK), Span(f"  {answered}", Role.DIM), silent)
