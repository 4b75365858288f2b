"""What counts as well, degraded or failing, and in which words: the one judgement every screen shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from gwtui.model.comparison import Oddity
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.known import Known, Unknown
from gwtui.model.shape import GatewayNode
from gwtui.model.snapshot import ProxyView
from gwtui.model.traffic import ProxyTraffic
from gwtui.views import text
from gwtui.views.expiry import first_expiry
from gwtui.views.refusals import refused_resources, refused_since, refused_words
from gwtui.views.replicas import odd, odd_words
from gwtui.views.spans import Line, Role, Span

ERROR_RAISED = 0.001
"""Share of 5xx answers from which a figure is marked: 99.9 % is the usual promise."""

ERROR_FAILING = 0.01
"""Share of 5xx answers from which something counts as failing."""

STALE_AFTER_S = 30.0
"""Age in seconds from which the last answer of a proxy no longer tells how it is."""

ERRORS = "errors"
"""The word of verdicts that rest on the share of 5xx answers alone."""

REJECTED = "rejected"
"""The word for a proxy that refused the newest configuration and runs on the one before."""

ODD = "odd"
"""The word for a proxy that differs from its siblings and has nothing worse."""

NOT_READ = "not read"
"""The word for gateways whose data plane is none we can ask."""

UNREAD = "not read by gwtui yet"

ANSWERING = frozenset({ProxyState.LIVE, ProxyState.DRAINING, ProxyState.INITIALIZING})
"""States in which a proxy answered our last question."""


class Verdict(NamedTuple):
    """How something is."""

    rank: int
    """0 is worst; the order of attention."""
    glyph: str
    word: str
    role: Role
    reason: str = ""
    """One line: why it is not simply well."""

    @property
    def mark(self) -> Span:
        """The glyph alone."""
        return Span(self.glyph, self.role)

    @property
    def line(self) -> Line:
        """Glyph and word."""
        return (Span(f"{self.glyph} {self.word}".rstrip(), self.role),)


class Noted(NamedTuple):
    """What is told about a proxy by more than its newest answer: what came before, and its siblings."""

    refused_since: datetime | None = None
    """Since when it refuses its configuration; None while nothing tells that it does."""
    odd: tuple[Oddity, ...] = ()
    """In what it differs from the other proxies of its gateway."""


NOTHING_NOTED = Noted()


def failing(word: str, reason: str = "") -> Verdict:
    """The worst there is."""
    return Verdict(0, text.FAILING_GLYPH, word, Role.BAD, reason)


def degraded(word: str, reason: str = "") -> Verdict:
    """Works, but not as it should."""
    return Verdict(3, text.DEGRADED_GLYPH, word, Role.WARN, reason)


def unknown(word: str, reason: str = "") -> Verdict:
    """Nothing can be said."""
    return Verdict(6, text.UNKNOWN_GLYPH, word, Role.UNKNOWN, reason)


OK = Verdict(9, text.OK_GLYPH, "ok", Role.OK)


def is_answering(view: ProxyView, now: datetime) -> bool:
    """Whether the proxy's figures describe the present."""
    if view.state not in ANSWERING or view.answered_at is None:
        return False
    return (now - view.answered_at).total_seconds() <= STALE_AFTER_S


def error_role(ratio: Known[float] | Unknown) -> Role:
    """The role an error share is shown in."""
    if isinstance(ratio, Unknown):
        return Role.UNKNOWN
    if ratio.value >= ERROR_FAILING:
        return Role.BAD
    return Role.WARN if ratio.value >= ERROR_RAISED else Role.TEXT


def error_span(ratio: Known[float] | Unknown, *, suffix: str = "") -> Span:
    """An error share with its mark: `0.31% err▲`. The mark, not the colour, says that it is raised."""
    role = error_role(ratio)
    raised = text.RAISED if role in (Role.WARN, Role.BAD) else ""
    return Span(f"{text.figure(ratio, text.ratio)}{suffix}{raised}", role)


def noted(node: GatewayNode, views: Sequence[ProxyView]) -> Mapping[ProxyKey, Noted]:
    """What is noted about the proxies of one gateway; those of which nothing is are absent.

    Args:
        node: The gateway.
        views: All of its proxies.
    """
    oddities = odd(node.key, views)
    each = {view.key: Noted(refused_since(view), oddities.get(view.key, ())) for view in views}
    return {key: one for key, one in each.items() if one != NOTHING_NOTED}


def proxy(view: ProxyView, now: datetime, known: Noted = NOTHING_NOTED) -> Verdict:
    """How one proxy is: its answers, what it holds, and what is noted about it."""
    if not is_answering(view, now):
        return _silent(view, now)
    by_answers = (_errors(view.traffic), _LIFE.get(view.state))
    return worst([*(verdict for verdict in by_answers if verdict is not None), *_findings(view, now, known)])


def gateway(
    node: GatewayNode,
    views: Sequence[ProxyView],
    total: ProxyTraffic,
    now: datetime,
    *,
    known: Mapping[ProxyKey, Noted] | None = None,
    refused: Sequence[str] = (),
) -> Verdict:
    """How one gateway is: its own conditions, its proxies and what they answer, the worst first.

    Args:
        node: The gateway.
        views: All of its proxies.
        total: What the answering ones do together.
        now: The moment ages are counted from.
        known: What is noted about its proxies; found out when it is not given.
        refused: Kinds of configuration that the control plane says its proxies refuse.
    """
    found: list[Verdict] = [degraded("problem", problem) for problem in node.problems]
    if not node.is_managed:
        return worst([*found, unknown(NOT_READ, UNREAD)])
    known = noted(node, views) if known is None else known
    verdicts = [proxy(view, now) for view in views]
    found += [
        finding._replace(reason=f"{view.key.pod} {finding.reason}")
        for view in views
        if is_answering(view, now)
        for finding in _findings(view, now, known.get(view.key, NOTHING_NOTED))
    ]
    if refused:
        told = f"its proxies refuse {', '.join(refused)}, says the control plane"
        found.append(Verdict(2, text.FAILING_GLYPH, REJECTED, Role.BAD, told))
    answering = sum(is_answering(view, now) for view in views)
    erring = _errors(total)
    if erring is not None:
        found.append(erring)
    if not views:
        found.append(unknown("no proxies", "no pods of this gateway found"))
    elif answering < len(views):
        found.append(_missing(verdicts, answering))
    draining = [verdict for verdict in verdicts if verdict.role is Role.DRAIN]
    if draining:
        found.append(draining[0])
    return worst(found)


def members(healthy: int | None, total: int | None) -> Verdict | None:
    """How the endpoints of an upstream are, or None when the proxies do not tell."""
    if healthy is None or total is None:
        return None
    if total == 0:
        return failing("no endpoints", "the proxies hold no endpoint for it")
    if healthy == 0:
        return failing("none ready", f"{text.part_of(0, total)} endpoints ready")
    return OK if healthy >= total else degraded("few ready", f"{text.part_of(healthy, total)} endpoints ready")


def upstream(ratio: Known[float] | Unknown, healthy: int | None, total: int | None) -> Verdict:
    """How an upstream is: its errors and its endpoints."""
    by_errors = _error_verdict(ratio)
    by_members = members(healthy, total)
    if by_errors is not None and by_members is not None:
        return min(by_errors, by_members, key=lambda verdict: verdict.rank)
    found = by_errors or by_members
    if found is None and isinstance(ratio, Unknown):
        return unknown("unknown", ratio.reason)
    return found or OK


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict to show for all of them; well when there is none."""
    return min(verdicts, key=lambda verdict: verdict.rank, default=OK)


_LIFE = {
    ProxyState.DRAINING: Verdict(4, text.DRAINING_GLYPH, "draining", Role.DRAIN),
    ProxyState.INITIALIZING: Verdict(
        4, text.DEGRADED_GLYPH, "starting", Role.WARN, "waits for its first configuration"
    ),
}


def _findings(view: ProxyView, now: datetime, known: Noted) -> list[Verdict]:
    """What is wrong with what an answering proxy holds, each as `<reason>` that follows its name."""
    found: list[Verdict] = []
    first = first_expiry(view, now)
    if first is not None and first.is_expired:
        found.append(Verdict(1, text.FAILING_GLYPH, "expired", Role.BAD, "holds an expired certificate"))
    elif first is not None and first.is_urgent:
        word = f"cert {first.days} d"
        found.append(degraded(word, f"holds a certificate with {first.words}"))
    errors = refused_resources(view)
    if known.refused_since is not None or errors:
        since = f" since {text.clock(known.refused_since)}" if known.refused_since else ""
        words = f": {errors[0].name}: {errors[0].error}" if errors else " and keeps what it had"
        reason = f"refuses {refused_words(view)}{since}{words}"
        found.append(Verdict(2, text.FAILING_GLYPH, REJECTED, Role.BAD, reason))
    if known.odd:
        found.append(degraded(ODD, f"differs from its siblings: {odd_words(known.odd)}"))
    return found


def _silent(view: ProxyView, now: datetime) -> Verdict:
    if view.state is ProxyState.FAILING:
        return failing("no answer", view.reason)
    if view.state is ProxyState.FORBIDDEN:
        return Verdict(2, text.UNKNOWN_GLYPH, "forbidden", Role.UNKNOWN, view.reason)
    if view.state is ProxyState.UNKNOWN or view.answered_at is None:
        return unknown("not asked yet", view.reason)
    since = f"last answer {text.age_of(view.answered_at, now)} ago"
    return Verdict(3, text.DEGRADED_GLYPH, "stale", Role.STALE, since)


def _missing(verdicts: Sequence[Verdict], answering: int) -> Verdict:
    silent = worst(verdict for verdict in verdicts if verdict.rank < OK.rank and verdict.role is not Role.DRAIN)
    coverage = f"{text.part_of(answering, len(verdicts))} answer"
    if answering == 0:
        return silent
    if silent.role in (Role.BAD, Role.STALE):
        return degraded(coverage, silent.reason)
    return Verdict(5, text.DEGRADED_GLYPH, coverage, Role.UNKNOWN, silent.reason)


def _errors(traffic: ProxyTraffic) -> Verdict | None:
    return _error_verdict(traffic.error_ratio)


def _error_verdict(ratio: Known[float] | Unknown) -> Verdict | None:
    if isinstance(ratio, Unknown) or ratio.value < ERROR_RAISED:
        return None
    words = f"{text.ratio(ratio.value)} of its answers are 5xx"
    if ratio.value >= ERROR_FAILING:
        return Verdict(1, text.FAILING_GLYPH, ERRORS, Role.BAD, words)
    return degraded(ERRORS, words)
