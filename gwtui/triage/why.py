"""The why line: the one sentence to read first."""

from __future__ import annotations

from datetime import datetime

from gwtui.model.known import Known
from gwtui.triage.evaluation import Report
from gwtui.triage.finding import Finding, Preceding, Severity
from gwtui.views import text

RECENT_S = 86_400.0
"""Seconds for which the time of day alone says since when."""


def why(report: Report) -> str:
    """Return the first finding with since when and what came before, in one sentence; empty when all is well."""
    first = next((each for each in report.findings if each.severity is not Severity.INFO), None)
    return sentence(first, report.at) if first is not None else ""


def sentence(finding: Finding, now: datetime) -> str:
    """A finding with since when it holds and what was changed before it."""
    return "".join((finding.sentence, since_words(finding, now), before_words(finding)))


def since_words(finding: Finding, now: datetime) -> str:
    """` since 14:02:10 UTC`; for what holds longer, for how long."""
    since = finding.since
    if since is None:
        return ""
    passed_s = (now - since).total_seconds()
    return f" since {text.clock(since)}" if passed_s < RECENT_S else f" for {text.age(passed_s)}"


def before_words(finding: Finding) -> str:
    """`, 40 s after route extra/batch was changed by kubectl`; empty where nothing is known."""
    if not finding.preceded_by or finding.since is None:
        return ""
    return f", {preceding_words(finding.preceded_by[0], finding.since)}"


def preceding_words(change: Preceding, since: datetime) -> str:
    """`40 s after route extra/batch was changed by kubectl`, `12 s after batch: weights (change 7f3a)`."""
    ago = text.age((since - change.at).total_seconds())
    if change.change:
        return f"{ago} after {change.what} (change {change.change})"
    how = "created" if change.is_creation else "changed"
    by = f" by {change.who}" if change.who else ""
    return f"{ago} after {change.what} was {how}{by}"


def stake_words(finding: Finding) -> str:
    """`3.5k rps`; `–` where nobody counts it."""
    return text.figure(finding.at_stake, text.rps) if isinstance(finding.at_stake, Known) else text.UNKNOWN
