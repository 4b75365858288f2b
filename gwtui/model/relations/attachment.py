"""Which routes are attached to which Gateway, directly, through a ListenerSet, or as children of an attached route."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gwtui.model import resources
from gwtui.model.gateway_api import GATEWAY_API, BackendRef, HttpRoute, Route
from gwtui.model.ids import ObjectKey
from gwtui.model.kgateway import DELEGATION, DELEGATION_LABEL
from gwtui.model.observations import NamespacedName
from gwtui.model.relations.claims import Claim
from gwtui.model.relations.delegation import Matches, matches_of, rules_under
from gwtui.model.relations.inventory import Inventory

ANY = "*"
"""Name of every route of a namespace, in a delegating backendRef and in a lookup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """One route in its place under a Gateway."""

    key: ObjectKey
    route: Route
    hostnames: tuple[str, ...]
    """Its own, or those of the parent it was delegated by."""
    rules: frozenset[int] | None = None
    """Positions of the rules in force here; None is all of them. Children keep those that fit under their parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The routes of one Gateway, each in its place."""

    routes: tuple[Attached, ...]
    """Sorted by key and hostnames."""
    problems: frozenset[str]
    looked_up: frozenset[NamespacedName]
    """HTTPRoutes that were asked for as children, whether they exist or not: a change of one may change this. Name
    `*` is every one of the namespace, namespace `*` every one of the cluster."""

    def depends_on(self, changed: Collection[NamespacedName]) -> bool:
        """Whether a change of these HTTPRoutes, widened by `widened`, may change the children placed here."""
        return not self.looked_up.isdisjoint(changed)


def widened(names: Iterable[NamespacedName]) -> set[NamespacedName]:
    """Return names of HTTPRoutes together with the wider lookups that find them."""
    return {wide for namespace, name in names for wide in ((namespace, name), (namespace, ANY), (ANY, ANY))}


def place_routes(inventory: Inventory, claims: Mapping[ObjectKey, Claim]) -> Placement:
    """Return the routes of one Gateway in their places.

    Children of a delegating route are placed with it, with those of their rules that fit under the parent's.

    Args:
        inventory: The cluster.
        claims: What each route says of this Gateway.
    """
    found = _Lookup(inventory)
    placed: list[Attached] = []
    for key in sorted(claims):
        found.problems.update(claims[key].problems)
        if claims[key].is_accepted:
            route: Route = inventory.of(key.resource)[(key.namespace, key.name)]
            placed.append(Attached(key=key, route=route, hostnames=route.spec.hostnames))
    _add_children(found, placed)
    placed.sort(key=lambda attached: (attached.key, attached.hostnames))
    return Placement(routes=tuple(placed), problems=frozenset(found.problems), looked_up=frozenset(found.looked_up))


@dataclass(frozen=True, slots=True)
class _Lookup:
    """The cluster while children are searched, with what was asked of it and what was wrong."""

    inventory: Inventory
    problems: set[str] = field(default_factory=set)
    looked_up: set[NamespacedName] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Parent:
    """A delegating route on the way down, with what it may still take."""

    key: ObjectKey
    route: HttpRoute
    hostnames: tuple[str, ...]
    rules: dict[int, Matches]
    above: tuple[ObjectKey, ...] = ()


def _add_children(lookup: _Lookup, placed: list[Attached]) -> None:
    """Add the delegated descendants of the routes in `placed`, each once per set of hostnames."""
    pending = [
        _Parent(each.key, each.route, each.hostnames, dict(enumerate(map(matches_of, each.route.spec.rules))))
        for each in placed
        if isinstance(each.route, HttpRoute)
    ]
    own = {(each.key, each.hostnames) for each in placed}
    found: dict[tuple[ObjectKey, tuple[str, ...]], set[int]] = {}
    seen: set[tuple[ObjectKey, tuple[str, ...], frozenset[tuple[int, Matches]]]] = set()
    while pending:
        parent = pending.pop()
        for child in _children_of(lookup, parent):
            place = (child.key, child.hostnames)
            step = (*place, frozenset(child.rules.items()))
            if place not in own and step not in seen:
                seen.add(step)
                found.setdefault(place, set()).update(child.rules)
                pending.append(child)
    for (key, hostnames), rules in found.items():
        route = lookup.inventory.http_routes[(key.namespace, key.name)]
        kept = None if len(rules) == len(route.spec.rules) else frozenset(rules)
        placed.append(Attached(key=key, route=route, hostnames=hostnames, rules=kept))


def _children_of(lookup: _Lookup, parent: _Parent) -> Iterator[_Parent]:
    """The children of every rule of a parent that is in force."""
    inventory, problems = lookup.inventory, lookup.problems
    for position, matches in parent.rules.items():
        for ref in filter(is_delegation, parent.route.spec.rules[position].backend_refs):
            names = tuple(_children(lookup, ref, parent.key))
            if not names:
                problems.add(f"{parent.key}: delegates to {ref.name}, which does not exist")
            for name in names:
                key = ObjectKey(inventory.cluster, resources.HTTP_ROUTES, *name)
                route = inventory.http_routes[name]
                rules = rules_under(matches, route)
                problem = _refusal(parent, key, route, rules, is_named=ref.group != DELEGATION and ref.name != ANY)
                if problem:
                    problems.add(f"{parent.key}: {problem}")
                elif rules:
                    yield _Parent(key, route, parent.hostnames, rules, (*parent.above, parent.key))


def _refusal(parent: _Parent, key: ObjectKey, route: HttpRoute, rules: dict[int, Matches], *, is_named: bool) -> str:
    """Why a child takes nothing from this parent; empty when it does, or when one of many simply does not fit."""
    if key == parent.key:
        return "delegates to itself"
    if key in parent.above:
        circle = (*parent.above[parent.above.index(key) :], parent.key, key)
        return f"delegates in a circle: {' → '.join(str(each) for each in circle)}"
    if route.spec.hostnames:
        return f"its child {key} names hostnames, which a child may not"
    return f"no rule of its child {key} lies within the rule that delegates to it" if is_named and not rules else ""


def is_delegation(ref: BackendRef) -> bool:
    """Whether a backendRef hands the request to child routes instead of a backend."""
    return (ref.group, ref.kind) in {(GATEWAY_API, "HTTPRoute"), (DELEGATION, "label")}


def _children(lookup: _Lookup, ref: BackendRef, parent: ObjectKey) -> Iterator[NamespacedName]:
    """Routes a delegating backendRef names that accept this parent."""
    inventory = lookup.inventory
    namespace = ref.namespace or parent.namespace
    if ref.group == DELEGATION:
        lookup.looked_up.add((ANY if namespace == "all" else namespace, ANY))
        spaces = sorted(inventory.http_route_names) if namespace == "all" else [namespace]
        named = ((space, name) for space in spaces for name in inventory.http_route_names.get(space, ()))
        names = [
            name for name in named if inventory.http_routes[name].metadata.labels.get(DELEGATION_LABEL) == ref.name
        ]
    elif ref.name == ANY:
        lookup.looked_up.add((namespace, ANY))
        names = [(namespace, name) for name in inventory.http_route_names.get(namespace, ())]
    else:
        lookup.looked_up.add((namespace, ref.name))
        names = [(namespace, ref.name)] if (namespace, ref.name) in inventory.http_routes else []
    own = (parent.namespace, parent.name)
    return (name for name in names if (ref.name != ANY or name != own) and _accepts(inventory, name, own))


def _accepts(inventory: Inventory, child: NamespacedName, parent: NamespacedName) -> bool:
    """Whether the child names no parent at all, or this one."""
    refs = inventory.http_routes[child].spec.parent_refs
    pinned = (
        (ref.namespace or child[0], ref.name) for ref in refs if (ref.group, ref.kind) == (GATEWAY_API, "HTTPRoute")
    )
    return not refs or child == parent or parent in pinned
