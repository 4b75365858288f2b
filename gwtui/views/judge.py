"""What counts as well, degraded or failing, and in which words: the one judgement every screen shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from gwtui.model.health import ProxyState
from gwtui.model.known import Known, Unknown
from gwtui.model.shape import GatewayNode
from gwtui.model.snapshot import ProxyView
from gwtui.model.traffic import ProxyTraffic
from gwtui.views import text
from gwtui.views.spans import Line, Role, Span

ERROR_RAISED = 0.001
"""Share of 5xx answers from which a figure is marked: 99.9 % is the usual promise."""

ERROR_FAILING = 0.01
"""Share of 5xx answers from which something counts as failing."""

STALE_AFTER_S = 30.0
"""Age in seconds from which the last answer of a proxy no longer tells how it is."""

ERRORS = "errors"
"""The word of verdicts that rest on the share of 5xx answers alone."""

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


def proxy(view: ProxyView, now: datetime) -> Verdict:
    """How one proxy is."""
    if not is_answering(view, now):
        return _silent(view, now)
    return worst(verdict for verdict in (_errors(view.traffic), _LIFE.get(view.state)) if verdict is not None)


def gateway(node: GatewayNode, views: Sequence[ProxyView], total: ProxyTraffic, now: datetime) -> Verdict:
    """How one gateway is: its own conditions, its proxies and what they answer, the worst first."""
    found: list[Verdict] = [degraded("problem", problem) for problem in node.problems]
    if not node.is_managed:
        return worst([*found, unknown(NOT_READ, UNREAD)])
    verdicts = [proxy(view, now) for view in views]
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
    found = [verdict for verdict in (by_errors, by_members) if verdict is not None]
    if not found and isinstance(ratio, Unknown):
        return unknown("unknown", ratio.reason)
    return worst(found)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict to show for all of them; well when there is none."""
    return min(verdicts, key=lambda verdict: verdict.rank, default=OK)


_LIFE = {
    ProxyState.DRAINING: Verdict(4, text.DRAINING_GLYPH, "draining", Role.DRAIN),
    ProxyState.INITIALIZING: Verdict(
        4, text.DEGRADED_GLYPH, "starting", Role.WARN, "waits for its first configuration"
    ),
}


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
