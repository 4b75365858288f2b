"""Which rule of an edited route is which rule of the route before, and where a rule sends its requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import structs

from gwtui.model.gateway_api import BackendRef, GrpcRule, HttpRoute, HttpRule, Route, Rule
from gwtui.model.kgateway import KGATEWAY
from gwtui.model.relations.attachment import is_delegation
from gwtui.model.relations.delegation import EVERY_REQUEST

Destinations = Mapping[tuple[str, ...], float]
"""Share of a rule's requests by what gets them; shares add up to 1."""

ITSELF: tuple[str, ...] = ("the gateway",)
"""Destination of what the gateway answers itself: redirects, fixed answers, errors of its own."""


class Pair(NamedTuple):
    """A rule before and after; one of them is None where a rule came or went."""

    before: int | None
    after: int | None


def paired(before: Sequence[Rule], after: Sequence[Rule]) -> tuple[Pair, ...]:
    """Return every rule of both routes once: by name, then by its matches, then by its position."""
    left, right = dict(enumerate(before)), dict(enumerate(after))
    found: list[Pair] = []

    def join(one: int, other: int) -> None:
        del left[one], right[other]
        found.append(Pair(one, other))

    for position, rule in list(left.items()):
        named = next((each for each, other in right.items() if rule.name and other.name == rule.name), None)
        if named is not None:
            join(position, named)
    for position, rule in list(left.items()):
        alike = [each for each, other in right.items() if matches_of(other) == matches_of(rule)]
        if alike:
            join(position, position if position in alike else alike[0])
    for position in [each for each in left if each in right]:
        join(position, position)
    found += [Pair(each, None) for each in left]
    found += [Pair(None, each) for each in right]
    return tuple(sorted(found, key=lambda pair: (pair.after is None, pair.after or 0, pair.before or 0)))


def rules_of(route: Route | None) -> tuple[Rule, ...]:
    """Return the rules of a route with the matches the API fills in; none of a route that is not there."""
    if isinstance(route, HttpRoute):
        return tuple(structs.replace(rule, matches=rule.matches or EVERY_REQUEST) for rule in route.spec.rules)
    return route.spec.rules if route is not None else ()


def matches_of(rule: Rule) -> frozenset[object]:
    """Return what a rule of `rules_of` asks of a request; empty takes every request."""
    return frozenset(rule.matches) if isinstance(rule, HttpRule | GrpcRule) else frozenset()


def delegations_of(rule: Rule) -> frozenset[tuple[str, ...]]:
    """Return what a rule hands its requests on to instead of a backend."""
    return frozenset((ref.group, ref.kind, ref.namespace, ref.name) for ref in rule.backend_refs if is_delegation(ref))


def redirects(rule: Rule) -> bool:
    """Whether the gateway answers every request of a rule itself, by a redirect or a fixed answer."""
    if isinstance(rule, HttpRule) and any(each.type == "RequestRedirect" for each in rule.filters):
        return True
    return isinstance(rule, HttpRule | GrpcRule) and any(
        each.extension_ref is not None
        and (each.extension_ref.group, each.extension_ref.kind) == (KGATEWAY, "DirectResponse")
        for each in rule.filters
    )


def destinations(rule: Rule, namespace: str) -> Destinations:
    """Return where a rule sends its requests.

    A lone backend gets everything whatever its weight; without any weight the gateway answers with an error.

    Args:
        rule: The rule.
        namespace: Of its route.
    """
    refs = [ref for ref in rule.backend_refs if not is_delegation(ref)]
    total = sum(ref.weight for ref in refs)
    if redirects(rule) or not refs:
        return {ITSELF: 1.0}
    if len(rule.backend_refs) == 1:
        return {_target(refs[0], namespace): 1.0}
    if not total:
        return {ITSELF: 1.0}
    found: dict[tuple[str, ...], float] = {}
    for ref in refs:
        target = _target(ref, namespace)
        found[target] = found.get(target, 0.0) + ref.weight / total
    return found


def moved_part(before: Destinations, after: Destinations) -> float:
    """Return the part of the requests that goes elsewhere, 0 to 1."""
    return sum(abs(after.get(each, 0.0) - before.get(each, 0.0)) for each in {*before, *after}) / 2


def _target(ref: BackendRef, namespace: str) -> tuple[str, ...]:
    return ref.group, ref.kind, ref.namespace or namespace, ref.name, str(ref.port)
