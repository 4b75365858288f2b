"""What we may do, as the API server says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """What may be done, from a SelfSubjectRulesReview. `*` stands for all."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...]
    resources: tuple[str, ...]
    """Plural names, with `/subresource`."""
    names: tuple[str, ...] = ()
    """Empty means all objects."""


def allows(rules: Iterable[Rule], *, verb: str, group: str, plural: str, name: str) -> bool:
    """Whether some rule lets us do something with an object.

    Args:
        rules: What may be done in the namespace of the object.
        verb: `patch`.
        group: API group; empty for the core group.
        plural: `httproutes`, with `/subresource` where one is meant.
        name: Of the object.
    """
    return any(
        _holds(rule.verbs, verb)
        and _holds(rule.groups, group)
        and (_holds(rule.resources, plural) or _of_any_resource(rule, plural))
        and (not rule.names or name in rule.names)
        for rule in rules
    )


def _holds(names: tuple[str, ...], name: str) -> bool:
    return EVERYTHING in names or name in names


def _of_any_resource(rule: Rule, plural: str) -> bool:
    """Whether `*/subresource` covers it."""
    _, slash, subresource = plural.partition("/")
    return bool(slash) and f"{EVERYTHING}/{subresource}" in rule.resources
