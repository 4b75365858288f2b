"""Which match wins: the order in which the matches of one virtual host are tried.

*Source:* `HTTPRouteRule.matches` of Gateway API 1.3 to 1.6; where it leaves the order open, that of kgateway 2.0 to
2.4: regular expressions stand between exact paths and prefixes, `kgateway.dev/route-weight` before everything where it
is switched on, and a delegated rule is as old as the route at the top of its delegation.
"""

from __future__ import annotations

from dataclasses import dataclass

from gwtui.explain.matching import EXACT, PREFIX, REGEX
from gwtui.model.gateway_api import HttpMatch, PathMatch
from gwtui.model.ids import ObjectKey
from gwtui.model.names import ANY_HOST

ROUTE_WEIGHT = "kgateway.dev/route-weight"
"""Annotation: larger is tried first. Without effect unless the control plane runs with it switched on."""

_PATH_RANK = {EXACT: 0, REGEX: 1, PREFIX: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One route on the way from the top of a delegation to the rule."""

    key: ObjectKey
    created: str
    """RFC 3339."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One match of one rule, as it stands in a virtual host."""

    chain: tuple[Link, ...]
    """The route that is attached to the gateway first, the route of the rule last. One alone without delegation."""
    rule_index: int
    match_index: int
    match: HttpMatch
    """What is asked of a request in the end, parents included."""
    weight: int = 0
    """`ROUTE_WEIGHT` of its route."""
    entry: int = 0
    """Position among what the top route delegates, for rules that are reached in several ways."""

    @property
    def route(self) -> ObjectKey:
        """The route whose rule it is."""
        return self.chain[-1].key

    @property
    def rule(self) -> tuple[ObjectKey, int]:
        """The rule it belongs to."""
        return self.route, self.rule_index


_Order = tuple[int, int, int, int, int, int, tuple[tuple[str, str, str], ...], int, int, int]


def order(candidate: Candidate, *, weighted: bool = True) -> _Order:
    """Return the sort key of a candidate: what wins sorts first. No two of a virtual host are equal.

    Args:
        candidate: One match.
        weighted: Whether `ROUTE_WEIGHT` counts.
    """
    path, match = candidate.match.path, candidate.match
    return (
        -candidate.weight if weighted else 0,
        _PATH_RANK.get(path.type, 2),
        -_length(path),
        0 if match.method else 1,
        -len(match.headers),
        -len(match.query_params),
        tuple((each.created, f"{each.key.namespace}/{each.key.name}", each.key.resource) for each in candidate.chain),
        candidate.rule_index,
        candidate.match_index,
        candidate.entry,
    )


def _length(path: PathMatch) -> int:
    """Letters of a path that count: expressions are not compared, nor is the slash at the end of a prefix."""
    if path.type == REGEX:
        return 0
    return len(path.value) if path.type == EXACT else len(path.value.rstrip("/")) or 1


def reason(winner: Candidate, loser: Candidate, *, weighted: bool = True) -> str:
    """Return why one candidate is tried before another: `it is older`, `its path is longer`."""
    why = (
        "its route weight is larger",
        "its kind of path is more exact",
        "its path is longer",
        "it names a method",
        "it matches more headers",
        "it matches more query parameters",
    )
    first, second = order(winner, weighted=weighted), order(loser, weighted=weighted)
    for text, one, other in zip(why, first, second, strict=False):
        if one != other:
            return text
    for one, other in zip(winner.chain, loser.chain, strict=False):
        if one.created != other.created:
            return "it is older"
        if one.key != other.key:
            return "its name comes first"
    return "it stands before it"


def host_order(host: str) -> tuple[int, int, str]:
    """Return the sort key of a hostname: the most specific first; `*` and the empty text, any host, last."""
    if host in {"", ANY_HOST}:
        return 2, 0, host
    return (1 if host.startswith("*.") else 0), -len(host), host


def takes_host(pattern: str, host: str) -> bool:
    """Whether a hostname pattern takes every request that another one takes."""
    if pattern in {"", ANY_HOST, host}:
        return True
    return pattern.startswith("*.") and host.endswith(pattern[1:])
