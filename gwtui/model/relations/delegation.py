"""Delegation: which requests of a parent route's rule its children may take.

*Source:* how kgateway 2.x matches a child against its parent: the text of the child's path starts with the parent's
prefix, and what the parent asks of headers, query and method the child asks too. Where the child inherits, paths are
put one after the other, and the parent has the last word on a method, and on headers and parameters of one name.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from gwtui.model.gateway_api import HttpMatch, HttpRoute, HttpRule, PathMatch, ValueMatch

INHERIT_MATCHER = "delegation.kgateway.dev/inherit-parent-matcher"
"""Annotation of a child whose paths are relative to its parent's prefix."""

_YES = frozenset({"true", "yes", "enabled"})

Matches = tuple[HttpMatch, ...]

EVERY_REQUEST: Matches = (HttpMatch(),)


def matches_of(rule: HttpRule) -> Matches:
    """Return the matches of a rule; without any it takes every request."""
    return rule.matches or EVERY_REQUEST


def rules_under(parents: Matches, child: HttpRoute) -> dict[int, Matches]:
    """Return the rules of a child that are in force under a parent rule, each with the matches that are.

    Rules that fit nowhere are absent: kgateway drops them for this parent alone.

    Args:
        parents: The matches in force of the parent's rule.
        child: The child route.
    """
    inherits = child.metadata.annotations.get(INHERIT_MATCHER, "").lower() in _YES
    found = {}
    for position, rule in enumerate(child.spec.rules):
        fitting = tuple(_fitting(parents, rule, inherits=inherits))
        if fitting:
            found[position] = fitting
    return found


def _fitting(parents: Matches, rule: HttpRule, *, inherits: bool) -> Iterator[HttpMatch]:
    for parent in parents:
        if parent.path.type != "PathPrefix":
            continue
        for match in matches_of(rule):
            if inherits:
                yield _joined(parent, match)
            elif _fits(parent, match):
                yield match


def _fits(parent: HttpMatch, child: HttpMatch) -> bool:
    return (
        child.path.value.startswith(parent.path.value)
        and set(parent.headers) <= set(child.headers)
        and set(parent.query_params) <= set(child.query_params)
        and parent.method in {"", child.method}
    )


def _joined(parent: HttpMatch, child: HttpMatch) -> HttpMatch:
    return HttpMatch(
        path=PathMatch(type=child.path.type, value=_path(parent.path.value, child.path.value)),
        headers=_values(parent.headers, child.headers),
        query_params=_values(parent.query_params, child.query_params),
        method=parent.method or child.method,
    )


def _path(parent: str, child: str) -> str:
    """The paths one after the other, without double slashes, dots and a slash at the end."""
    return "/" + posixpath.normpath(f"/{parent}/{child}").lstrip("/")


def _values(parent: tuple[ValueMatch, ...], child: tuple[ValueMatch, ...]) -> tuple[ValueMatch, ...]:
    names = {each.name for each in parent}
    return (*parent, *(each for each in child if each.name not in names))
