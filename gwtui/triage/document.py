"""A report as plain data, as `gwtui triage -o json` prints it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gwtui.model.known import Unknown
from gwtui.triage.evaluation import Report
from gwtui.triage.finding import Action, Evidence, Finding, Place, Preceding, Severity
from gwtui.triage.why import why

Json = dict[str, Any]


def triage_document(report: Report) -> Json:
    """Return a report as JSON data. Times are RFC 3339, rates requests/s; what is unknown is null with its reason."""
    return {
        "observed_at": _moment(report.at),
        "why": why(report),
        "counts": {severity.value: report.count(severity) for severity in Severity},
        "findings": [finding_document(finding, report.at) for finding in report.findings],
    }


def finding_document(finding: Finding, now: datetime) -> Json:
    """Return one finding as JSON data."""
    unknown = {"at_stake_rps": finding.at_stake.reason} if isinstance(finding.at_stake, Unknown) else {}
    return {
        "id": finding.id,
        "rule": finding.rule,
        "severity": finding.severity.value,
        "sentence": finding.sentence,
        "since": None if finding.since is None else _moment(finding.since),
        "place": _place(finding.place),
        "at_stake_rps": None if isinstance(finding.at_stake, Unknown) else round(finding.at_stake.value, 3),
        **({"unknown": unknown} if unknown else {}),
        "confidence": finding.confidence,
        "evidence": [_evidence(each, now) for each in finding.evidence],
        "preceded_by": [_preceding(each, finding.since) for each in finding.preceded_by],
        "actions": [_action(each) for each in finding.actions],
        "folded": [finding_document(each, now) for each in finding.folded],
    }


def _place(place: Place) -> Json:
    return {
        "kind": place.kind.value,
        "cluster": place.cluster,
        "namespace": place.namespace,
        "name": place.name,
        **({"resource": place.resource} if place.resource else {}),
        **({"rule": place.rule} if place.rule is not None else {}),
    }


def _evidence(evidence: Evidence, now: datetime) -> Json:
    at = evidence.observed_at
    return {
        "truth": evidence.truth.value,
        "text": evidence.text,
        "observed_at": None if at is None else _moment(at),
        "age_s": None if at is None else round(max(0.0, (now - at).total_seconds()), 1),
        **({"is_unknown": True} if evidence.is_unknown else {}),
    }


def _preceding(change: Preceding, since: datetime | None) -> Json:
    return {
        "at": _moment(change.at),
        "who": change.who,
        "what": change.what,
        **({"change": change.change} if change.change else {}),
        **({"is_creation": True} if change.is_creation else {}),
        "before_s": None if since is None else round((since - change.at).total_seconds(), 1),
    }


def _action(action: Action) -> Json:
    return {"key": action.key, "text": action.text, **({"command": action.command} if action.command else {})}


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
