"""Which routes are attached to which Gateway, directly, through a ListenerSet, or as children of an attached route."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gwtui.model import resources
from gwtui.model.gateway_api import GATEWAY_API, BackendRef, HttpMatch, HttpRoute, Route
from gwtui.model.ids import NamespacedName, ObjectKey
from gwtui.model.kgateway import DELEGATION, DELEGATION_LABEL
from gwtui.model.relations.claims import Claim
from gwtui.model.relations.delegation import Matches, matches_of, rules_under
from gwtui.model.relations.inventory import Inventory
from gwtui.model.relations.remarks import Remark, Unseen, absence

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
    remarks: frozenset[Remark]
    looked_up: frozenset[NamespacedName]
    """HTTPRoutes that were asked for as children, whether they exist or not: a change of one may change this. Name
    `*` is every one of the namespace, namespace `*` every one of the cluster."""

    def depends_on(self, changed: Collection[NamespacedName]) -> bool:
        """Whether a change of these HTTPRoutes, widened by `widened`, may change the children placed here."""
        return not self.looked_up.isdisjoint(changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Descendant:
    """One route below another by delegation, as one way leads to it."""

    key: ObjectKey
    route: HttpRoute
    rules: Mapping[int, Matches]
    """Its rules that are in force there by position, each with the matches that are."""
    above: tuple[ObjectKey, ...]
    """The routes that lead there, from the top."""


def descendants(inventory: Inventory, key: ObjectKey, route: HttpRoute) -> Iterator[Descendant]:
    """Yield everything a route delegates to, at any depth, once for each set of matches it is given."""
    lookup = _Lookup(inventory)
    pending = [_Parent(key, route, route.spec.hostnames, dict(enumerate(map(matches_of, route.spec.rules))))]
    seen: set[tuple[ObjectKey, frozenset[tuple[int, Matches]]]] = set()
    while pending:
        for child in _children_of(lookup, pending.pop()):
            step = (child.key, frozenset(child.rules.items()))
            if step not in seen:
                seen.add(step)
                pending.append(child)
                yield Descendant(key=child.key, route=child.route, rules=child.rules, above=child.above)


def leads_nowhere(
    inventory: Inventory, key: ObjectKey, ref: BackendRef, match: HttpMatch, above: Collection[ObjectKey]
) -> bool:
    """Whether nobody takes what a delegating backendRef hands over: kgateway answers it with 500.

    Args:
        inventory: The cluster.
        key: The route that delegates.
        ref: One of its delegating backendRefs.
        match: One match of the rule.
        above: The routes that lead there: a circle takes nothing.
    """
    own = (key.namespace, key.name)
    namespace = ref.namespace or key.namespace
    if not inventory.was_read_in(resources.HTTP_ROUTES, namespace) or _is_everywhere(ref, namespace):
        return False
    for name in _named(_Lookup(inventory), ref, own):
        child = inventory.http_routes[name]
        is_circle = name == own or any((each.namespace, each.name) == name for each in above)
        if (
            not is_circle
            and _accepts(inventory, name, own)
            and not child.spec.hostnames
            and rules_under((match,), child)
        ):
            return False
    return True


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
        found.remarks.update(claims[key].problems)
        if claims[key].is_accepted:
            route: Route = inventory.of(key.resource)[(key.namespace, key.name)]
            placed.append(Attached(key=key, route=route, hostnames=route.spec.hostnames))
    _add_children(found, placed)
    placed.sort(key=lambda attached: (attached.key, attached.hostnames))
    return Placement(routes=tuple(placed), remarks=frozenset(found.remarks), looked_up=frozenset(found.looked_up))


@dataclass(frozen=True, slots=True)
class _Lookup:
    """The cluster while children are searched, with what was asked of it and what there is to say."""

    inventory: Inventory
    remarks: set[Remark] = field(default_factory=set)
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
    inventory, remarks = lookup.inventory, lookup.remarks
    own = (parent.key.namespace, parent.key.name)
    for position, matches in parent.rules.items():
        for ref in filter(is_delegation, parent.route.spec.rules[position].backend_refs):
            named = _named(lookup, ref, own)
            accepting = [name for name in named if _accepts(inventory, name, own)]
            if not accepting:
                remarks.update(_childless(inventory, ref, parent.key, exists=bool(named)))
            for name in accepting:
                key = ObjectKey(inventory.cluster, resources.HTTP_ROUTES, *name)
                route = inventory.http_routes[name]
                rules = rules_under(matches, route)
                problem = _refusal(parent, key, route, rules, is_named=ref.group != DELEGATION and ref.name != ANY)
                if problem:
                    remarks.add(f"{parent.key}: {problem}")
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


def _childless(inventory: Inventory, ref: BackendRef, parent: ObjectKey, *, exists: bool) -> Iterator[Remark]:
    """What to say of a delegation that nobody takes."""
    what, namespace = f"{parent}: delegates to {ref.name}, which", ref.namespace or parent.namespace
    if exists:
        yield f"{what} names another parent"
    elif _is_everywhere(ref, namespace):
        extent = inventory.extent(resources.HTTP_ROUTES)
        missing = f"{what} does not exist{extent}"
        yield Unseen(f"{missing}; elsewhere nothing is read") if extent else missing
    elif (remark := absence(inventory, resources.HTTP_ROUTES, namespace, what)) is not None:
        yield remark


def _is_everywhere(ref: BackendRef, namespace: str) -> bool:
    """Whether a delegating backendRef selects routes in every namespace."""
    return ref.group == DELEGATION and namespace == "all"


def _named(lookup: _Lookup, ref: BackendRef, parent: NamespacedName) -> list[NamespacedName]:
    """Routes a delegating backendRef names, whether or not they accept this parent."""
    inventory = lookup.inventory
    namespace = ref.namespace or parent[0]
    if ref.group == DELEGATION:
        is_everywhere = _is_everywhere(ref, namespace)
        lookup.looked_up.add((ANY if is_everywhere else namespace, ANY))
        spaces = sorted(inventory.http_route_names) if is_everywhere else [namespace]
        named = ((space, name) for space in spaces for name in inventory.http_route_names.get(space, ()))
        return [name for name in named if inventory.http_routes[name].metadata.labels.get(DELEGATION_LABEL) == ref.name]
    if ref.name == ANY:
        lookup.looked_up.add((namespace, ANY))
        others = ((namespace, name) for name in inventory.http_route_names.get(namespace, ()))
        return [name for name in others if name != parent]
    lookup.looked_up.add((namespace, ref.name))
    return [(namespace, ref.name)] if (namespace, ref.name) in inventory.http_routes else []


def _accepts(inventory: Inventory, child: NamespacedName, parent: NamespacedName) -> bool:
    """Whether the child names no parent at all, or this one."""
    refs = inventory.http_routes[child].spec.parent_refs
    pinned = (
        (ref.namespace or child[0], ref.name) for ref in refs if (ref.group, ref.kind) == (GATEWAY_API, "HTTPRoute")
    )
    return not refs or child == parent or parent in pinned
