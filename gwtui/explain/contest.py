"""Which rule of a virtual host takes a request, who lost to it and why, and who did not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest

from gwtui.explain.course import Contest, Other, RuleRef
from gwtui.explain.fitting import Unfit, unfit, why_not
from gwtui.explain.precedence import Candidate, order, reason
from gwtui.explain.request import Request
from gwtui.model.ids import ObjectKey

MOST_LOSERS = 20
MOST_MISSES = 12
"""Rules that are named; more are counted."""

RuleName = Callable[[ObjectKey, int], str]
"""Name of a rule; empty where it has none."""


def contest(candidates: Sequence[Candidate], request: Request, name_of: RuleName) -> Contest:
    """Return how the matches of a virtual host share out for a request.

    Args:
        candidates: The matches, the one that is tried first first.
        request: As it arrives.
        name_of: Names of rules.
    """
    fitting: list[Candidate] = []
    misses: list[tuple[Candidate, Unfit]] = []
    undecided: list[tuple[Candidate, Unfit]] = []
    for each in candidates:
        found = unfit(each.match, request)
        if found is None:
            fitting.append(each)
        elif found.is_certain:
            misses.append((each, found))
        elif not fitting:
            undecided.append((each, found))
    winner = fitting[0] if fitting else None
    losers = _losers(fitting) if winner is not None else []
    taken = {each.rule for each in fitting} | {each.rule for each, _ in undecided}
    unfitting = _by_rule((each, found) for each, found in misses if each.rule not in taken)
    shown = nsmallest(MOST_MISSES, enumerate(unfitting), key=lambda one: (-one[1][1].part, one[0]))
    return Contest(
        winner=ref_of(winner, name_of) if winner is not None else None,
        losers=tuple(
            Other(rule=ref_of(each, name_of), why=reason(winner, each)) for each in losers[:MOST_LOSERS] if winner
        ),
        losers_total=len(losers),
        misses=tuple(
            Other(rule=ref_of(each, name_of), why=why_not(each.match, request, found)) for _, (each, found) in shown
        ),
        misses_total=len(unfitting),
        undecided=tuple(
            Other(rule=ref_of(each, name_of), why=why_not(each.match, request, found))
            for each, found in undecided[:MOST_LOSERS]
        ),
        by_weight=_without_weights(fitting, name_of),
    )


def ref_of(candidate: Candidate, name_of: RuleName) -> RuleRef:
    """Return what a candidate is told by."""
    return RuleRef(
        route=candidate.route,
        rule_index=candidate.rule_index,
        match_index=candidate.match_index,
        rule_name=name_of(candidate.route, candidate.rule_index),
        match=candidate.match,
        via=tuple(link.key for link in candidate.chain[:-1]),
    )


def _losers(fitting: Sequence[Candidate]) -> list[Candidate]:
    """The first match of every other rule that fits."""
    found: dict[tuple[ObjectKey, int], Candidate] = {}
    for each in fitting[1:]:
        if each.rule != fitting[0].rule:
            found.setdefault(each.rule, each)
    return list(found.values())


def _by_rule(misses: Iterable[tuple[Candidate, Unfit]]) -> list[tuple[Candidate, Unfit]]:
    """The match of every rule that comes closest to fitting."""
    found: dict[tuple[ObjectKey, int], tuple[Candidate, Unfit]] = {}
    for each in misses:
        rule = each[0].rule
        known = found.get(rule)
        if known is None or known[1].part < each[1].part:
            found[rule] = each
    return list(found.values())


def _without_weights(fitting: Sequence[Candidate], name_of: RuleName) -> RuleRef | None:
    if not any(each.weight for each in fitting):
        return None
    other = min(fitting, key=lambda each: order(each, weighted=False))
    return None if other.rule == fitting[0].rule else ref_of(other, name_of)
