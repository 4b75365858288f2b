"""Where a request goes, as lines: hop by hop, who wins and who loses, and what clients get in the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gwtui.explain.course import (
    Branch,
    Contest,
    Course,
    End,
    Explanation,
    Hop,
    Listening,
    Other,
    Outcome,
    Proof,
    RuleRef,
)
from gwtui.explain.matching import words_of
from gwtui.explain.request import line_of, masked
from gwtui.model.names import ANY_HOST
from gwtui.views import text
from gwtui.views.explain_verdict import FAILING_FROM, Told, agreement, verdict_of
from gwtui.views.spans import BLANK, Line, Role, Span, line, wrapped

MOST_OTHERS = 6
"""Losers and rules that do not fit that are named; more are counted."""

_GLYPHS = {
    Outcome.SERVED: (text.OK_GLYPH, Role.OK),
    Outcome.ANSWERED: (text.OK_GLYPH, Role.OK),
    Outcome.WRONG: (text.FAILING_GLYPH, Role.BAD),
    Outcome.UNKNOWN: (text.UNKNOWN_GLYPH, Role.UNKNOWN),
}
_INDENT = 6
_TLS = {"HTTPS": "  TLS ends here", "TLS": "  TLS passes through"}


def explanation_lines(explanation: Explanation, cells: int, asked: str = "") -> tuple[Line, ...]:
    """Return the whole answer, wrapped to a width in cells; the request stands first unless `asked` says it already."""
    named = line_of(masked(explanation.request))
    lines: list[Line] = [] if named == asked else list(wrapped(line(Span(named, Role.STRONG)), cells, 2))
    for note in explanation.notes:
        lines += wrapped(line(Span(note, Role.WARN)), cells, 2)
    clusters = {course.first.gateway.cluster for course in explanation.courses}
    for course in explanation.courses:
        if len(clusters) > 1:
            lines += (BLANK, line(Span(f"in {course.first.gateway.cluster}", Role.STRONG)))
        lines += ((BLANK,) if lines else ()) + tuple(_course(course, cells))
    if not explanation.courses:
        lines += wrapped(line(Span(f"{text.FAILING_GLYPH} nothing takes this request", Role.BAD)), cells, 2)
    return tuple(lines)


def _course(course: Course, cells: int) -> Iterator[Line]:
    told = verdict_of(course)
    yield from _verdict(told, cells)
    yield BLANK
    numbers = {id(hop): number for number, hop in course.hops}
    limits = dict(_limits(course.first, None))
    for door in course.doors:
        yield from wrapped(line(Span(f"{door.kind} {door.name}", Role.STRONG), f" → {course.first.gateway}"), cells, 2)
    for number, hop in course.hops:
        for each in _hop(number, hop, numbers, limits[id(hop)]):
            yield from wrapped(each, cells, _INDENT + 2)


def _verdict(told: Told, cells: int) -> Iterator[Line]:
    glyph, role = (text.DEGRADED_GLYPH, Role.WARN) if told.is_failing else _GLYPHS[told.outcome]
    yield from wrapped(line(Span(f"{glyph} {told.sentence}", role)), cells, 2)
    if told.fix:
        yield from wrapped(line(Span("  try  ", Role.KEY), Span(told.fix)), cells, 7)


def _limits(hop: Hop, above: Hop | None) -> Iterator[tuple[int, Hop | None]]:
    """The gateway before each hop that gives up first; None where none ever does."""
    yield id(hop), above
    own = hop.timeout.seconds if hop.timeout is not None else None
    known = above.timeout.seconds if above is not None and above.timeout is not None else None
    first = hop if own is not None and (known is None or own < known) else above
    for branch in hop.branches:
        if branch.hop is not None:
            yield from _limits(branch.hop, first)


def _hop(number: str, hop: Hop, numbers: dict[int, str], above: Hop | None) -> Iterator[Line]:
    share = f"  {text.percent(hop.share)}" if hop.share < 0.9995 else ""
    yield line(
        Span(f"{number:<3}", Role.ACCENT),
        Span(str(hop.gateway), Role.STRONG),
        Span(share, Role.EDGE),
        *_entrance(hop),
    )
    if hop.contest is not None:
        yield from _contest(hop.contest)
    for change in hop.changes:
        yield _detail(Span(change))
    if hop.timeout is not None and hop.branches:
        yield _detail(Span(_timeout(hop)), Span(_given_up(hop, above), Role.WARN))
    for copy in hop.copies:
        yield _detail(Span(copy, Role.DIM))
    for branch in hop.branches:
        yield from _branch(branch, numbers)
    if hop.end is not None:
        yield _ended(hop.end)
    for reservation in hop.reservations:
        yield _detail(Span(f"{text.RAISED} {reservation.words}", Role.WARN))
    for note in hop.notes:
        yield _detail(Span(f"· {note}", Role.DIM))
    yield from _loaded(hop)
    if hop.proof is not None:
        yield from _proved(hop.proof)


def _entrance(hop: Hop) -> Iterator[Span]:
    if hop.listeners:
        yield Span("  listener ", Role.DIM)
        yield Span(_listening(hop.listeners[0]))
        yield Span(_TLS.get(hop.listeners[0].protocol, ""), Role.DIM)
    if hop.host:
        yield Span("  host ", Role.DIM)
        yield Span("any" if hop.host == ANY_HOST else hop.host)


def _listening(listener: Listening) -> str:
    return f"{listener.name} :{listener.port} {listener.protocol}"


def _contest(contest: Contest) -> Iterator[Line]:
    if contest.winner is not None:
        sure = contest.is_certain
        word, role = ("takes it", Role.OK) if sure else ("takes it, perhaps", Role.UNKNOWN)
        yield _detail(Span(rule_words(contest.winner), Role.STRONG), Span(f"  {words_of(contest.winner.match)}"))
        if not sure:
            yield _detail(Span(word, role))
        for key in contest.winner.via:
            yield _detail(Span(f"delegated by {key.namespace}/{key.name}", Role.DIM))
    for other in contest.undecided[:MOST_OTHERS]:
        yield _other("?", Role.UNKNOWN, other)
    if contest.by_weight is not None:
        yield _detail(Span(f"without route weights {rule_words(contest.by_weight)} takes it instead", Role.UNKNOWN))
    yield from _others("beats", Role.DIM, contest.losers, contest.losers_total, "more that fit")
    yield from _others("not", Role.DIM, contest.misses, contest.misses_total, "more that do not fit")


def _others(word: str, role: Role, others: Sequence[Other], total: int, more: str) -> Iterator[Line]:
    for other in others[:MOST_OTHERS]:
        yield _other(word, role, other)
    if total > MOST_OTHERS:
        yield _detail(Span(f"{text.count(total - MOST_OTHERS)} {more}", Role.DIM))


def _other(word: str, role: Role, other: Other) -> Line:
    name = f"{rule_words(other.rule)}  {words_of(other.rule.match)}"
    return _detail(Span(f"{word:<6}", role), Span(name), Span(f"  ({other.why})", Role.DIM))


def rule_words(rule: RuleRef) -> str:
    """`rule 2 of infra/edge-routes`, with its name where it has one."""
    named = f" ({rule.rule_name})" if rule.rule_name else ""
    return f"rule {rule.rule_index}{named} of {rule.route.namespace}/{rule.route.name}"


def _timeout(hop: Hop) -> str:
    if hop.timeout is None:
        return ""
    if hop.timeout.seconds is None:
        return f"no timeout ({hop.timeout.source})"
    return f"timeout {text.ms(hop.timeout.seconds * 1000)} ({hop.timeout.source})"


def _given_up(hop: Hop, above: Hop | None) -> str:
    """That a gateway before it does not wait any longer, so that its own timeout never comes to bear."""
    limit = above.timeout.seconds if above is not None and above.timeout is not None else None
    own = hop.timeout.seconds if hop.timeout is not None else None
    if above is None or limit is None or (own is not None and own < limit):
        return ""
    also = "too" if own == limit else "already"
    return f"  {text.RAISED} {above.gateway} gives up after {text.ms(limit * 1000)} {also}"


def _branch(branch: Branch, numbers: dict[int, str]) -> Iterator[Line]:
    share = Span(f"{text.percent(branch.share):>4} ", Role.EDGE if branch.share else Role.DIM)
    name = Span(branch.backend, Role.STRONG if branch.share else Role.DIM)
    parts = [Span("→ ", Role.EDGE), share, name]
    if branch.hop is not None:
        parts.append(Span(f"  → {numbers[id(branch.hop)]} {branch.hop.gateway}", Role.ACCENT))
    elif branch.total is not None and branch.ready is not None:
        role = Role.OK if branch.ready == branch.total else Role.WARN if branch.ready else Role.BAD
        parts.append(Span(f"  {text.part_of(branch.ready, branch.total)} ready", role))
    elif branch.unknown:
        parts.append(Span(f"  {text.UNKNOWN} ({branch.unknown})", Role.UNKNOWN))
    if branch.error_ratio is not None and branch.rps:
        is_failing = branch.error_ratio >= FAILING_FROM
        if is_failing or branch.hop is None:
            role = Role.BAD if is_failing else Role.DIM
            parts.append(Span(f"  {text.ratio(branch.error_ratio)} 5xx of {text.rps(branch.rps)}", role))
    if branch.note:
        parts.append(Span(f"  {branch.note}", Role.WARN))
    yield _detail(*parts)
    for change in branch.changes:
        yield _detail(Span(f"  {change}"))
    if branch.end is not None and branch.end.outcome in {Outcome.WRONG, Outcome.UNKNOWN}:
        yield _ended(branch.end)


def _ended(end: End) -> Line:
    glyph, role = _GLYPHS[end.outcome]
    status = f" {end.status}" if end.status is not None else ""
    return _detail(Span(f"{glyph}{status}  {end.words}", role))


def _loaded(hop: Hop) -> Iterator[Line]:
    words = agreement(hop, hop.gateway)
    if not words:
        return
    differs = any(each.agrees is False for each in hop.loaded.values())
    is_sure = all(each.agrees is True for each in hop.loaded.values())
    glyph, role = (text.FAILING_GLYPH, Role.BAD) if differs else (text.OK_GLYPH, Role.OK)
    if not differs and not is_sure:
        glyph, role = text.UNKNOWN_GLYPH, Role.UNKNOWN
    yield _detail(Span(f"{glyph} {words}", role))
    for proxy, loaded in hop.loaded.items():
        if loaded.agrees is not True:
            yield _detail(Span(f"  {proxy.pod}: ", Role.STRONG), Span(loaded.words))


def _proved(proof: Proof) -> Iterator[Line]:
    if proof.agrees:
        yield _detail(Span(f"{text.OK_GLYPH} Envoy's own matcher agrees", Role.OK), Span(f"  {proof.words}", Role.DIM))
    else:
        glyph, role = (text.UNKNOWN_GLYPH, Role.UNKNOWN) if proof.agrees is None else (text.FAILING_GLYPH, Role.BAD)
        taken = f"{proof.route} takes it: " if proof.route else ""
        yield _detail(Span(f"{glyph} Envoy's own matcher: ", role), Span(f"{taken}{proof.words}"))
    for doubt in proof.doubts:
        yield _detail(Span(f"  · {doubt}", Role.DIM))


def _detail(*spans: Span) -> Line:
    return line(Span(" " * 3), *spans)
