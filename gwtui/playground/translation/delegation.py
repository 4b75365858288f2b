"""Delegation: rules that hand their requests to other HTTPRoutes, by name, by namespace or by label.

*Source:* route delegation of kgateway 2.4. A child adds to what its parent matches and never widens it. Filters and
timeouts of the parent are not handed down here.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import replace

from gwtui.playground.translation.precedence import Candidate, candidates, path_of
from gwtui.playground.translation.references import Refusal
from gwtui.playground.world import GATEWAY_API, HTTP_ROUTES, Json, World, key_of

DELEGATION = "delegation.kgateway.dev"
_LABEL = f"{DELEGATION}/label"
_INHERIT = f"{DELEGATION}/inherit-parent-matcher"
_YES = frozenset({"true", "yes", "enabled"})
_KINDS = {(GATEWAY_API, "HTTPRoute"), (DELEGATION, "label")}


def expand(world: World, route: Json, above: tuple[tuple[str, str], ...] = ()) -> Iterator[Candidate]:
    """Every match of a route, those of rules that delegate replaced by the matches of the routes below.

    Args:
        world: every object.
        route: the route that is attached to a Gateway, or one below it.
        above: the routes that led here; one that comes up again is left out.
    """
    path = (*above, key_of(route))
    for candidate in candidates(route):
        if not delegates(candidate.rule):
            yield candidate
            continue
        refs = [ref for ref in candidate.rule["backendRefs"] if _is_delegation(ref)]
        if not all(_is_taken(world, route, ref, candidate.match, path) for ref in refs):
            yield replace(candidate, is_replaced=True)
        for child in children(world, route, candidate.rule):
            if key_of(child) in path:
                continue
            for each in expand(world, child, path):
                match = _narrowed(candidate.match, each.match, inherits=_inherits(child))
                if match is not None:
                    yield replace(each, match=match)


def _is_taken(world: World, route: Json, ref: Json, match: Json, path: tuple[tuple[str, str], ...]) -> bool:
    """Whether some child of a reference takes something of a match."""
    return any(
        _narrowed(match, own.match, inherits=_inherits(child)) is not None
        for child in _children_of(world, route, ref)
        if key_of(child) not in path and not child["spec"].get("hostnames")
        for own in candidates(child)
    )


def _inherits(child: Json) -> bool:
    return child["metadata"].get("annotations", {}).get(_INHERIT, "").lower() in _YES


def delegates(rule: Json) -> bool:
    """Whether a rule sends to other routes instead of backends."""
    return any(_is_delegation(ref) for ref in rule.get("backendRefs") or ())


def children(world: World, route: Json, rule: Json) -> list[Json]:
    """The routes a rule delegates to: those that are there and accept this parent."""
    refs = [ref for ref in rule.get("backendRefs") or () if _is_delegation(ref)]
    return [child for ref in refs for child in _children_of(world, route, ref)]


def _children_of(world: World, route: Json, ref: Json) -> list[Json]:
    named = _named(world, route, ref)
    return [child for child in named if key_of(child) != key_of(route) and _accepts(child, route)]


def childless(world: World, route: Json, rule: Json) -> Refusal | None:
    """Why a rule that delegates leads nowhere, or None when it has a child or does not delegate."""
    if not delegates(rule) or children(world, route, rule):
        return None
    names = ", ".join(ref["name"] for ref in rule["backendRefs"] if _is_delegation(ref))
    return Refusal("BackendNotFound", f"no HTTPRoute to delegate to: {names}")


def _is_delegation(ref: Json) -> bool:
    return (ref.get("group", ""), ref.get("kind", "Service")) in _KINDS


def _named(world: World, route: Json, ref: Json) -> list[Json]:
    namespace = ref.get("namespace") or route["metadata"]["namespace"]
    if ref["group"] == DELEGATION:
        pool = world.all(HTTP_ROUTES) if namespace == "all" else world.within(HTTP_ROUTES, namespace)
        return [each for each in pool if each["metadata"].get("labels", {}).get(_LABEL) == ref["name"]]
    if ref["name"] == "*":
        return world.within(HTTP_ROUTES, namespace)
    found = world.get(HTTP_ROUTES, namespace, ref["name"])
    return [found] if found else []


def _accepts(child: Json, parent: Json) -> bool:
    """A child without parentRefs accepts every parent, one with some only those it names."""
    refs = child["spec"].get("parentRefs") or ()
    namespace = child["metadata"]["namespace"]
    return not refs or any(
        ref.get("kind") == "HTTPRoute" and (ref.get("namespace") or namespace, ref["name"]) == key_of(parent)
        for ref in refs
    )


def _narrowed(parent: Json, child: Json, *, inherits: bool) -> Json | None:
    """The match of a child below a match of its parent; None when the child asks for something else."""
    kind, prefix = path_of(parent)
    if kind != "PathPrefix":
        return None
    child_kind, value = path_of(child)
    if inherits:
        merged = {
            name: _united(parent.get(name, ()), child.get(name, ()))
            for name in ("headers", "queryParams")
            if parent.get(name) or child.get(name)
        }
        method = parent.get("method") or child.get("method")
        found = {**merged, **({"method": method} if method else {})}
        joined = "/" + posixpath.normpath(f"/{prefix}/{value}").lstrip("/")
        return {**found, "path": {"type": child_kind, "value": joined}}
    if not value.startswith(prefix):
        return None
    if any(each not in child.get(name, ()) for name in ("headers", "queryParams") for each in parent.get(name, ())):
        return None
    return child if parent.get("method") in {None, child.get("method")} else None


def _united(parent: Iterable[Json], child: Iterable[Json]) -> list[Json]:
    """The parent has the last word on headers and parameters of one name."""
    names = {each["name"] for each in parent}
    return [*parent, *(each for each in child if each["name"] not in names)]
