"""What comes first, and what is only a symptom of something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gwtui.model.known import value_or
from gwtui.triage.finding import Finding

_UPSTREAM = frozenset({"backend-errors", "connect-failures", "timeouts", "breaker-trip", "ejection", "panic-mode"})
_ERRORS = _UPSTREAM | {"no-ready-endpoints", "flow-lost", "odd-replica"}
_LOADED = frozenset({"claimed-not-loaded", "odd-replica", "status-lag"})

EXPLAINS: Mapping[str, frozenset[str]] = {
    "refused-config": _LOADED | {"not-programmed", "no-route"},
    "claimed-not-loaded": frozenset({"odd-replica", "no-route", "flow-lost", "status-lag"}),
    "no-healthy-front": _ERRORS | {"proxy-silent", "no-route", "not-programmed"},
    "proxy-silent": frozenset({"connect-failures", "ejection", "flow-lost", "panic-mode"}),
    "no-ready-endpoints": _ERRORS,
    "missing-backend": _ERRORS | {"not-programmed"},
    "missing-grant": _ERRORS | {"not-programmed"},
    "missing-gateway": frozenset({"no-route", "not-programmed"}),
    "listener-conflict": frozenset({"not-programmed", "no-route", "missing-gateway"}),
    "not-programmed": frozenset({"flow-lost", "no-route", "backend-errors", "status-lag"}),
    "weight-trap": frozenset({"flow-lost", "backend-errors", "not-programmed"}),
    "certificate-expiry": frozenset({"flow-lost"}),
    "certificate-mismatch": frozenset({"flow-lost"}),
    "shadowed-rule": frozenset({"no-route"}),
    "noisy-neighbour": frozenset({"breaker-trip", "timeouts"}),
    "forgotten-lease": frozenset({"forgotten-drain"}),
    "backend-errors": frozenset({"ejection", "panic-mode", "odd-replica", "backend-errors", "flow-lost"}),
    "connect-failures": frozenset({"ejection", "panic-mode", "odd-replica", "backend-errors", "connect-failures"}),
    "timeouts": frozenset({"ejection", "panic-mode", "breaker-trip", "odd-replica", "backend-errors", "timeouts"}),
    "breaker-trip": frozenset({"breaker-trip", "backend-errors", "odd-replica"}),
    "ejection": frozenset({"panic-mode"}),
    "panic-mode": frozenset({"ejection"}),
    "flow-lost": frozenset({"backend-errors", "odd-replica", "flow-lost"}),
}
"""Which rules' findings may be symptoms of which, where one affects what the other is about."""


def order(finding: Finding) -> tuple[int, float, float, str]:
    """Return the sort key of a finding: severity, live traffic at stake, confidence; equal ones by their identity.

    What nobody counts may be much or nothing: it comes after what is known to be at stake, before what is known to be
    nothing.
    """
    rps = value_or(finding.at_stake, -1.0)
    stake = -rps * finding.confidence if rps > 0 else 0.0 if rps < 0 else 1.0
    return finding.severity.rank, stake, -finding.confidence, finding.id


def ranked(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings that are no symptom of another, the worst first, each with its symptoms folded into it.

    A cause is as severe as its worst symptom, and as much is at stake as in the one where it is most.
    """
    ordered = sorted(found, key=order)
    cause: dict[int, int] = {}
    for position, symptom in enumerate(ordered):
        causes = [other for other, each in enumerate(ordered) if other != position and explains(each, symptom)]
        # Where two explain each other, the one that ranks first does.
        own = [other for other in causes if not explains(symptom, ordered[other]) or other < position]
        if own:
            cause[position] = min(own)
    folded: dict[int, list[Finding]] = {}
    for position in cause:
        root = _root(position, cause)
        if root != position:
            folded.setdefault(root, []).append(ordered[position])
    roots = [position for position in range(len(ordered)) if _root(position, cause) == position]
    return tuple(sorted((_with(ordered[each], folded.get(each, ())) for each in roots), key=order))


def explains(cause: Finding, symptom: Finding) -> bool:
    """Whether one finding is why another is there."""
    if symptom.rule not in EXPLAINS.get(cause.rule, ()) or cause.place.cluster != symptom.place.cluster:
        return False
    return not cause.affects.isdisjoint(symptom.about)


def _root(position: int, cause: Mapping[int, int]) -> int:
    """The first cause of a finding. A circle ends where it began."""
    seen = {position}
    while (above := cause.get(position)) is not None and above not in seen:
        seen.add(above)
        position = above
    return min(seen) if cause.get(position) in seen else position


def _with(finding: Finding, symptoms: Sequence[Finding]) -> Finding:
    if not symptoms:
        return finding
    worst = min((finding, *symptoms), key=lambda each: each.severity.rank)
    most = max((finding, *symptoms), key=lambda each: value_or(each.at_stake, -1.0))
    at_stake = finding.at_stake if value_or(finding.at_stake, -1.0) >= 0 else most.at_stake
    starts = [each.since for each in (finding, *symptoms) if each.since is not None]
    return replace(
        finding,
        severity=worst.severity,
        at_stake=at_stake,
        folded=tuple(symptoms),
        since=finding.since or min(starts, default=None),
    )
