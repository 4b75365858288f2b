"""The one thing to know first, as one line for the bottom of every screen."""

from __future__ import annotations

from gwtui.triage.evaluation import Report
from gwtui.triage.finding import Finding, Severity
from gwtui.triage.table import GLYPHS, ROLES
from gwtui.triage.why import sentence
from gwtui.views import judge, text
from gwtui.views.scene import Scene
from gwtui.views.spans import Line, Role, Span, line


def triage_line(scene: Scene, report: Report) -> Line:
    """The first finding as the why line, or that nothing stands out and on how much knowledge that rests."""
    if not scene.has_gateways:
        return ()
    wrong = [finding for finding in report.findings if finding.severity is not Severity.INFO]
    if not wrong:
        return _all_well(scene, len(report.findings))
    first = wrong[0]
    words = sentence(first, report.at)
    others = Span(f"   and {len(wrong) - 1} more" if len(wrong) > 1 else "", Role.DIM)
    return line(Span(f" {GLYPHS[first.severity]} {_cluster(scene, first)}{words}", ROLES[first.severity]), others)


def _cluster(scene: Scene, finding: Finding) -> str:
    return f"{finding.place.cluster} " if len(scene.clusters) > 1 else ""


def _all_well(scene: Scene, known: int) -> Line:
    answering = sum(entry.answering for entry in scene.fleet.gateways.values())
    unread = sum(entry.verdict.word == judge.NOT_READ for entry in scene.fleet.gateways.values())
    answered = text.plural(answering, "proxy", "proxies") + " answering"
    noted = Span(f"  {text.plural(known, 'thing')} worth knowing (4)" if known else "", Role.DIM)
    # What cannot be read may be anything: it stands beside the good news as loudly.
    silent = Span(
        f"  {text.UNKNOWN_GLYPH} {text.plural(unread, 'gateway')} {judge.UNREAD}" if unread else "", Role.UNKNOWN
    )
    if not answering:
        nothing = Span(f" {text.UNKNOWN_GLYPH} nothing is known of the traffic", Role.UNKNOWN)
        return line(nothing, f"  {answered}", silent, noted)
    return line(Span(f" {text.OK_GLYPH} nothing stands out", Role.OK), Span(f"  {answered}", Role.DIM), silent, noted)
