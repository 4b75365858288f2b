"""Which match wins: the order in which the routes of a virtual host are handed to Envoy.

*Source:* `HTTPRouteRule.matches` of Gateway API; where it leaves the order open (regular expressions), the order of
kgateway: exact, regular expression, prefix.
"""

from __future__ import annotations

from dataclasses import dataclass

from gwtui.playground.world import Json

_PATH_RANK = {"Exact": 0, "RegularExpression": 1, "PathPrefix": 2}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One match of one rule of one route: what becomes one Envoy route."""

    route: Json
    rule_index: int
    match_index: int
    match: Json
    is_replaced: bool = False
    """Whether it answers with 500 since its rule delegates to nobody."""

    @property
    def rule(self) -> Json:
        """The rule the match belongs to."""
        rule: Json = self.route["spec"]["rules"][self.rule_index]
        return rule


def candidates(route: Json) -> list[Candidate]:
    """Every match of a route; a rule without matches takes every path."""
    found = []
    for rule_index, rule in enumerate(route["spec"].get("rules", ())):
        for match_index, match in enumerate(rule.get("matches") or [{}]):
            found.append(Candidate(route, rule_index, match_index, match))
    return found


def kind_of(route: Json) -> str:
    """`HTTPRoute` or `GRPCRoute`."""
    kind: str = route.get("kind", "HTTPRoute")
    return kind


def path_of(match: Json) -> tuple[str, str]:
    """(type, value) of the path match, defaults filled in."""
    path = match.get("path") or {}
    return path.get("type", "PathPrefix"), path.get("value", "/")


def precedence(candidate: Candidate) -> tuple[object, ...]:
    """Sort key: what wins sorts first."""
    kind, value = path_of(candidate.match)
    metadata = candidate.route["metadata"]
    return (
        _PATH_RANK.get(kind, 2),
        0 if kind == "RegularExpression" else -len(value if kind == "Exact" else value.rstrip("/") or "/"),
        0 if candidate.match.get("method") else 1,
        -len(candidate.match.get("headers", ())),
        -len(candidate.match.get("queryParams", ())),
        metadata.get("creationTimestamp", ""),
        f"{metadata['namespace']}/{metadata['name']}",
        kind_of(candidate.route),
        candidate.rule_index,
        candidate.match_index,
    )
