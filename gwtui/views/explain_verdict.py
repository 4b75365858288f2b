"""One sentence that says what clients get for a request, which part goes wrong, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from gwtui.explain.course import Branch, Course, End, Explanation, Hop, Outcome
from gwtui.model.ids import GatewayKey
from gwtui.views import text

FAILING_FROM = 0.005
"""Share of 5xx answers from which the verdict names it."""
MOST = 3
"""Ways to go wrong that are told; more are counted."""


class Told(NamedTuple):
    """What a sentence says, and how bad it is."""

    outcome: Outcome
    sentence: str
    fix: str = ""
    """What to do; empty where there is nothing to do."""
    is_failing: bool = False
    """Whether it is reached as intended, and answers errors there."""


def verdict_of(course: Course) -> Told:
    """Return what clients get, the worst first."""
    ends = list(course.first.ends)
    open_hop = next((hop for _, hop in course.hops if hop.is_open), None)
    wrong = _grouped(course, ends, Outcome.WRONG)
    unknown = _grouped(course, ends, Outcome.UNKNOWN)
    if wrong:
        shown = [f"{_of(share)} {words}" for share, words, _ in wrong[:MOST]]
        more = [f"{len(wrong) - MOST} more ways to fail"] if len(wrong) > MOST else []
        told = Told(Outcome.WRONG, "; ".join((*shown, *more)), wrong[0][2])
    elif open_hop is not None and not unknown:
        told = Told(Outcome.UNKNOWN, _left_open(open_hop, _well(ends)))
    elif unknown:
        share, words, _ = unknown[0]
        told = Told(Outcome.UNKNOWN, f"what becomes of {_part(share)} cannot be told: {words}")
    else:
        failing = _failing(ends)
        told = Told(Outcome.SERVED, _well(ends) + failing, is_failing=bool(failing))
    doubts = _doubts(course, is_wrong=bool(wrong))
    return told._replace(sentence=f"{told.sentence}{doubts}") if doubts else told


def verdict_of_all(explanation: Explanation) -> Told:
    """Return the worst verdict of all front doors."""
    if not explanation.courses:
        return Told(Outcome.WRONG, next(iter(explanation.notes), "nothing takes this request"))
    rank = (Outcome.WRONG, Outcome.UNKNOWN, Outcome.SERVED, Outcome.ANSWERED)
    told = [verdict_of(each) for each in explanation.courses]
    return min(told, key=lambda each: rank.index(each.outcome))


def _grouped(
    course: Course, ends: Iterable[tuple[float, Hop, Branch | None, End]], outcome: Outcome
) -> list[tuple[float, str, str]]:
    """Ends of one kind: share, words and what to do; equal ones put together, the largest share first."""
    found: dict[tuple[str, str], float] = {}
    for share, hop, branch, end in ends:
        if end.outcome is outcome and share > 0:
            words, fix = end.words, _fix(course, hop, branch, end)
            if outcome is Outcome.WRONG:
                words = f"{_gets(end)}: {end.words}"
            found[words, fix] = found.get((words, fix), 0.0) + share
    rows = [(share, words, fix) for (words, fix), share in found.items()]
    return sorted(rows, key=lambda row: -row[0])


def _gets(end: End) -> str:
    return "get no answer" if end.status is None else f"get {end.status}"


def _fix(course: Course, hop: Hop, branch: Branch | None, end: End) -> str:
    """What to do, with what may be done at the split that leads there."""
    if end.status == 404 and branch is None:
        before = next(((hops, one) for hops, one in _splits(course.first) if one.hop is hop), None)
        if before is not None:
            source, way = before
            others = [each for each in source.branches if each is not way and each.share]
            route = next((_route_of(each) for each in others if _route_of(each)), "")
            attach = f"attach {route} to {hop.gateway}" if route and _lacks_host(hop) else end.fix
            return f"{attach}, or set the weight of {hop.gateway} on {source.gateway} to 0" if others else attach
    if branch is not None and len([each for each in hop.branches if each.share]) > 1:
        return f"{end.fix}, or set its weight in {_rule_of(hop)} to 0" if end.fix else end.fix
    return end.fix


def _rule_of(hop: Hop) -> str:
    winner = hop.contest.winner if hop.contest is not None else None
    if winner is None:
        return str(hop.gateway)
    return f"rule {winner.rule_index} of {winner.route.namespace}/{winner.route.name}"


def _lacks_host(hop: Hop) -> bool:
    return not hop.host


def _splits(hop: Hop) -> Iterator[tuple[Hop, Branch]]:
    for branch in hop.branches:
        if branch.hop is not None:
            yield hop, branch
            yield from _splits(branch.hop)


def _route_of(branch: Branch) -> str:
    """The route that takes the request behind a branch."""
    contest = branch.hop.contest if branch.hop is not None else None
    if contest is None or contest.winner is None:
        return ""
    return f"{contest.winner.route.namespace}/{contest.winner.route.name}"


def _well(ends: Sequence[tuple[float, Hop, Branch | None, End]]) -> str:
    """What clients get where nothing goes wrong."""
    found: dict[str, float] = {}
    for share, _, _, end in ends:
        if share > 0:
            words = f"get {end.status}: {end.words}" if end.outcome is Outcome.ANSWERED else end.words
            found[words] = found.get(words, 0.0) + share
    if len(found) == 1:
        words, share = next(iter(found.items()))
        return f"all of these requests {words}"
    rows = sorted(found.items(), key=lambda row: -row[1])
    shown = [f"{text.percent(share)} {words}" for words, share in rows[:MOST]]
    more = [f"{len(rows) - MOST} more backends"] if len(rows) > MOST else []
    return "; ".join((*shown, *more))


def _failing(ends: Sequence[tuple[float, Hop, Branch | None, End]]) -> str:
    """That answers of a backend are errors right now, though it is reached."""
    worst = max(
        (
            (branch.error_ratio, branch.backend, str(hop.gateway))
            for share, hop, branch, _ in ends
            if share > 0 and branch is not None and branch.error_ratio is not None
        ),
        default=None,
    )
    if worst is None or worst[0] < FAILING_FROM:
        return ""
    return f"; {text.ratio(worst[0])} of what {worst[2]} sends to {worst[1]} gets 5xx now"


def _doubts(course: Course, *, is_wrong: bool) -> str:
    """What may make it otherwise. A policy does not mend what goes wrong."""
    parts = []
    named = [] if is_wrong else list(dict.fromkeys(_reserved(course)))
    if named:
        more = f" and {len(named) - 2} more" if len(named) > 2 else ""
        parts.append(f"unless {' or '.join(named[:2])}{more} decides otherwise")
    differing = course.disagreements
    if differing:
        names = list(dict.fromkeys(str(proxy) for _, proxy, _ in differing))
        parts.append(f"but {_listed(names)} {'holds' if len(names) == 1 else 'hold'} another answer")
    return "".join(f", {each}" for each in parts)


def _left_open(hop: Hop, otherwise: str) -> str:
    """Why it is not known who takes the request, and what clients get if it is the likeliest."""
    contest = hop.contest
    if contest is not None and contest.undecided:
        first = contest.undecided[0]
        name = f"rule {first.rule.rule_index} of {first.rule.route.namespace}/{first.rule.route.name}"
        return f"{first.why}: it is for {name} to take; if it does not, {otherwise}"
    return f"whether the control plane of {hop.gateway} heeds route weights cannot be told; if it does, {otherwise}"


def _reserved(course: Course) -> Iterator[str]:
    for _, hop in course.hops:
        for each in hop.reservations:
            yield f"TrafficPolicy {each.policy} ({each.what})"


def _of(share: float) -> str:
    """`10% of these requests`, `all of these requests`."""
    return "all of these requests" if share > 0.9995 else f"{text.percent(share)} of these requests"


def _part(share: float) -> str:
    return "these requests" if share > 0.9995 else f"{text.percent(share)} of these requests"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def agreement(hop: Hop, gateway: GatewayKey) -> str:
    """Return whether what proxies hold is what objects intend, in words; empty where none was asked."""
    loaded = list(hop.loaded.values())
    if not loaded:
        return ""
    agree = sum(each.agrees is True for each in loaded)
    differ = sum(each.agrees is False for each in loaded)
    if differ:
        return f"{differ} of {text.plural(len(loaded), 'proxy', 'proxies')} of {gateway} would do something else"
    if agree == len(loaded):
        return f"objects and {_all(len(loaded))} agree"
    untold = len(loaded) - agree
    return f"objects and {text.plural(agree, 'proxy', 'proxies')} agree, {untold} cannot tell"


def _all(number: int) -> str:
    return {1: "its proxy", 2: "both proxies"}.get(number, f"all {number} proxies")
