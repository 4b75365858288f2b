"""Findings as rows of a table, for the screen and for the command."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gwtui.model.known import Unknown
from gwtui.triage.evaluation import Report
from gwtui.triage.finding import Finding, Severity
from gwtui.triage.why import before_words
from gwtui.views import text
from gwtui.views.spans import Line, Role, Span, line
from gwtui.views.tables import Column, Row

GLYPHS = {Severity.CRITICAL: text.FAILING_GLYPH, Severity.WARNING: text.DEGRADED_GLYPH, Severity.INFO: "·"}
ROLES = {Severity.CRITICAL: Role.BAD, Severity.WARNING: Role.WARN, Severity.INFO: Role.DIM}

NOTHING = "nothing is wrong as far as is known"


def columns(findings: Sequence[Finding], *, clusters: int, cells: int) -> tuple[Column, ...]:
    """The columns: what is left of `cells` is the sentence's."""
    named = (Column(id="cluster", title="CLUSTER", cells=max(7, *(len(each.place.cluster) for each in findings), 7)),)
    kept = (
        Column(id="severity", title="SEVERITY", cells=10),
        *(named if clusters > 1 else ()),
        Column(id="rps", title="AT STAKE", cells=8, right=True),
        Column(id="since", title="SINCE", cells=6, right=True),
    )
    rest = max(20, cells - sum(column.cells + 1 for column in kept) - 2)
    return (kept[0], *(named if clusters > 1 else ()), Column(id="finding", title="FINDING", cells=rest), *kept[-2:])


def row(finding: Finding, every: Sequence[Column], now: datetime) -> Row:
    """The cells of one finding."""
    cells: dict[str, Line] = {
        "severity": line(mark(finding)),
        "cluster": line(Span(finding.place.cluster, Role.DIM)),
        "finding": line(finding.sentence, *_more(finding)),
        "rps": stake(finding),
        "since": line(text.age_of(finding.since, now)),
    }
    return Row(tuple([cells[column.id] for column in every]))


def mark(finding: Finding) -> Span:
    """`✖ critical`."""
    return Span(f"{GLYPHS[finding.severity]} {finding.severity}", ROLES[finding.severity])


def stake(finding: Finding) -> Line:
    """The live requests/s that take part in it; `–` where that is not known."""
    if isinstance(finding.at_stake, Unknown):
        return (Span(text.UNKNOWN, Role.UNKNOWN),)
    return line(text.rate(finding.at_stake.value))


def counters(report: Report) -> str:
    """` ✖1 ◐2`, for the tab; empty while nothing is wrong."""
    found = ((GLYPHS[each], report.count(each)) for each in (Severity.CRITICAL, Severity.WARNING))
    return "".join(f" {glyph}{number}" for glyph, number in found if number)


def triage_table(report: Report) -> str:
    """Return one line per finding and one per symptom, for a terminal or a pipe."""
    if not report.findings:
        return f"{NOTHING}\n"
    lines = []
    for finding in report.findings:
        lines.append(_text(finding, report.at, ""))
        lines += [_text(each, report.at, "  ↳ ") for each in finding.folded]
    return "\n".join(lines) + "\n"


def _text(finding: Finding, now: datetime, lead: str) -> str:
    stakes = text.UNKNOWN if isinstance(finding.at_stake, Unknown) else text.rps(finding.at_stake.value)
    head = f"{lead}{GLYPHS[finding.severity]} {finding.severity:<9}{finding.rule:<21}{stakes:>9}"
    return f"{head}  {text.age_of(finding.since, now):>6}  {finding.sentence}{before_words(finding)}"


def _more(finding: Finding) -> tuple[Span, ...]:
    folded = len(finding.folded)
    return (Span(f"  +{text.plural(folded, 'symptom')}", Role.DIM),) if folded else ()
