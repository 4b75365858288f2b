"""One finding in full: evidence by the four truths, what came before, its symptoms, and what acts on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from gwtui.triage.finding import Evidence, Finding
from gwtui.triage.table import GLYPHS, ROLES, mark
from gwtui.triage.why import preceding_words, since_words, stake_words
from gwtui.views import text
from gwtui.views.spans import Line, Role, Span, line, wrapped

LABEL = 10
"""Cells of the words at the left."""


def detail(finding: Finding, now: datetime, cells: int) -> tuple[Line, ...]:
    """Return a finding as lines of at most `cells` cells; what is longer goes on in the next one.

    Args:
        finding: Which one.
        now: The moment ages are counted from.
        cells: Width.
    """
    return tuple(part for each in _lines(finding, now) for part in wrapped(each, cells, LABEL))


def actions(finding: Finding) -> Line:
    """The keys that act on it, in one line."""
    parts: list[Span] = []
    for action in finding.actions:
        parts += [Span(action.key, Role.KEY), Span(f" {action.text}   ", Role.DIM)]
    return tuple(parts)


def _lines(finding: Finding, now: datetime) -> Iterator[Line]:
    since = since_words(finding, now)
    yield line(mark(finding), Span(f"  {finding.rule}", Role.DIM), Span(since, Role.DIM))
    yield line(Span(finding.sentence, Role.STRONG))
    yield from _labelled("at stake", [line(_stake(finding))])
    if finding.since is not None:
        words = [line(preceding_words(each, finding.since)) for each in finding.preceded_by]
        yield from _labelled("before", words)
    for evidence in finding.evidence:
        yield from _labelled(evidence.truth.value, [_evidence(evidence, now)])
    yield from _labelled("explains", [_symptom(each) for each in finding.folded])
    commands = [each.command for each in finding.actions if each.command]
    yield from _labelled("command", [line(Span(each, Role.ACCENT)) for each in dict.fromkeys(commands)])


def _labelled(label: str, lines: Sequence[Line]) -> Iterator[Line]:
    for number, each in enumerate(lines):
        yield line(Span(f"{'' if number else label:<{LABEL}}", Role.DIM), *each)


def _stake(finding: Finding) -> str:
    words = stake_words(finding)
    return words if words != text.UNKNOWN else f"not known: {getattr(finding.at_stake, 'reason', '')}"


def _evidence(evidence: Evidence, now: datetime) -> Line:
    if evidence.is_unknown:
        return line(Span(f"{text.UNKNOWN_GLYPH} {evidence.text}", Role.UNKNOWN))
    age = f"  {text.age_of(evidence.observed_at, now)} ago" if evidence.observed_at is not None else ""
    return line(evidence.text, Span(age, Role.DIM))


def _symptom(finding: Finding) -> Line:
    return line(Span(f"{GLYPHS[finding.severity]} {finding.rule}", ROLES[finding.severity]), f"  {finding.sentence}")
