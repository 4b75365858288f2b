"""Relating one cluster again and again, at the cost of what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from typing import Any

from gwtui.model import resources
from gwtui.model.ids import GatewayKey, NamespacedName, ObjectKey
from gwtui.model.relations.attachment import Placement, place_routes, widened
from gwtui.model.relations.claims import Claimants, claims_of
from gwtui.model.relations.differences import differing
from gwtui.model.relations.edges import Led, hops_of_routes
from gwtui.model.relations.evidence import Evidence
from gwtui.model.relations.ground import Ground, ground_of
from gwtui.model.relations.inventory import EVERYWHERE, Inventory, Objects, Scopes
from gwtui.model.relations.nodes import Facts, node_of, remarks_of
from gwtui.model.relations.ownership import Proxies
from gwtui.model.relations.patterns import missing_for_patterns, patterns_of
from gwtui.model.relations.reach import Reach, reach_of
from gwtui.model.relations.remarks import problems_among, unseen_among
from gwtui.model.relations.roles import role_of
from gwtui.model.relations.tiers import circles_of, tiers_of
from gwtui.model.relations.waypoints import Subject, waypoint_hops
from gwtui.model.shape import EMPTY, GatewayNode, GatewayRole, Hop, PatternFound, Topology


@dataclass(slots=True, kw_only=True)
class _Memory:
    """What was found on one ground. Everything by Gateway holds every Gateway of the cluster."""

    ground: Ground
    gateways: Mapping[NamespacedName, Any] = field(default_factory=dict)
    """The Gateways of which the rest knows."""
    routes: dict[str, Mapping[NamespacedName, Any]] = field(default_factory=dict)
    """The routes of every kind of which `claimants` knows."""
    claimants: Claimants = field(default_factory=Claimants)
    placements: dict[GatewayKey, Placement] = field(default_factory=dict)
    led: dict[GatewayKey, Led] = field(default_factory=dict)
    steered: Mapping[Subject, frozenset[ObjectKey]] = field(default_factory=dict)
    hops: dict[GatewayKey, tuple[Hop, ...]] = field(default_factory=dict)
    reach: dict[GatewayKey, Reach] = field(default_factory=dict)
    roles: dict[GatewayKey, GatewayRole] = field(default_factory=dict)
    edges: frozenset[tuple[GatewayKey, GatewayKey]] | None = None
    """What `tiers` and `circles` were found from."""
    tiers: dict[GatewayKey, int] = field(default_factory=dict)
    circles: dict[GatewayKey, tuple[str, ...]] = field(default_factory=dict)
    """What to say of the Gateways that lie on a cycle."""
    bare: dict[GatewayKey, GatewayNode] = field(default_factory=dict)
    """Nodes without what there is to say of them: all that patterns are recognised from."""
    nodes: dict[GatewayKey, GatewayNode] = field(default_factory=dict)
    recognised: tuple[tuple[PatternFound, ...], tuple[str, ...]] | None = None
    """Patterns, or what is missing for one; None when they are to be found again."""


class Relator:
    """Relates one cluster again and again, and finds anew only what a change touches.

    What it answers never depends on what it was asked before: it has a memory, not a state. A change of routes, of
    pods or of what controllers report of Gateways costs about as much as the Gateways it touches. Any other change
    (see `relations.ground`) costs as much as the first time. Objects, and mappings of them, must never change in place.
    """

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._proxies = Proxies()
        self._memory: _Memory | None = None
        self._last = EMPTY

    def relate(self, objects: Objects, scopes: Scopes = EVERYWHERE) -> Topology:
        """Return what `topology.relate` returns; the same object as the last time when it is equal."""
        inventory = Inventory(self._cluster, objects, scopes)
        stale = self._proxies.follow(inventory)
        memory, self._memory = self._memory, None
        if memory is None or not memory.ground.still_stands(inventory, self._proxies.found):
            memory = _Memory(ground=ground_of(inventory, self._proxies.found))
        memory.ground = memory.ground.over(inventory)
        stale |= _follow_gateways(inventory, memory)
        placed = _follow_routes(inventory, memory)
        led = _follow_waypoints(inventory, memory, placed)
        _follow_reach(inventory, memory, led)
        stale |= placed | led | _follow_tiers(inventory, memory)
        for key in stale:
            _put_together(inventory, memory, self._proxies, key)
        found = _assembled(inventory, memory)
        self._memory = memory
        self._last = self._last if found == self._last else found
        return self._last


def _follow_gateways(inventory: Inventory, memory: _Memory) -> set[GatewayKey]:
    """Return the Gateways that changed. None comes or goes on the same ground."""
    before, memory.gateways = memory.gateways, inventory.of(resources.GATEWAYS)
    return {GatewayKey(inventory.cluster, *name) for name in differing(before, memory.gateways)}


def _follow_routes(inventory: Inventory, memory: _Memory) -> set[GatewayKey]:
    """Bring the places of routes up to date, and where they lead; return the Gateways where something changed."""
    touched = inventory.gateways.keys() - memory.placements.keys()
    for resource in resources.ROUTES:
        now = inventory.of(resource)
        changed = differing(memory.routes.get(resource, {}), now)
        memory.routes[resource] = now
        for name in changed:
            key = ObjectKey(inventory.cluster, resource, *name)
            claims = claims_of(inventory, memory.ground.bindings, key, now[name]) if name in now else None
            touched |= memory.claimants.follow(key, claims)
        if changed and resource == resources.HTTP_ROUTES:
            lookups = widened(changed)
            touched.update(gateway for gateway, found in memory.placements.items() if found.depends_on(lookups))
    for gateway in touched:
        placement = place_routes(inventory, memory.claimants.of(gateway))
        memory.placements[gateway] = placement
        memory.led[gateway] = hops_of_routes(
            gateway, placement.routes, memory.ground.resolver, memory.ground.diverted(gateway)
        )
    return touched


def _follow_waypoints(inventory: Inventory, memory: _Memory, placed: set[GatewayKey]) -> set[GatewayKey]:
    """Complete the hops by what is bound to waypoints; return the Gateways whose hops may have changed."""
    bindings = memory.ground.bindings
    waypoints = set(bindings.waypoint_of.values())
    memory.hops.update((key, memory.led[key].hops) for key in placed - waypoints)
    steered = memory.claimants.steered() if waypoints else {}
    if waypoints.isdisjoint(placed) and steered == memory.steered:
        return placed
    memory.steered = steered
    by_routes = chain.from_iterable(memory.led[key].hops for key in waypoints)
    completed = waypoint_hops(inventory, bindings, by_routes, steered)
    by_source = {source: tuple(found) for source, found in groupby(completed, key=lambda hop: hop.source)}
    memory.hops.update((key, by_source.get(key, ())) for key in waypoints)
    return placed | waypoints


def _follow_reach(inventory: Inventory, memory: _Memory, led: Iterable[GatewayKey]) -> None:
    for key in led:
        found = reach_of(memory.hops[key], memory.ground.bindings.ends.get(key, frozenset()))
        if found != memory.reach.get(key):
            memory.reach[key] = found
            memory.roles[key] = role_of(inventory, key, found)
            memory.recognised = None


def _follow_tiers(inventory: Inventory, memory: _Memory) -> set[GatewayKey]:
    """Bring the tiers up to date; return the Gateways whose tier, or whose place on a cycle, changed."""
    edges = frozenset((key, target) for key, found in memory.reach.items() for target in found.onward)
    if edges == memory.edges:
        return set()
    tiers, cycles = tiers_of(inventory.gateways, edges)
    circles = circles_of(cycles)
    moved = {
        key
        for key in inventory.gateways
        if tiers[key] != memory.tiers.get(key) or circles.get(key) != memory.circles.get(key)
    }
    memory.edges, memory.tiers, memory.circles = edges, tiers, circles
    return moved


def _put_together(inventory: Inventory, memory: _Memory, proxies: Proxies, key: GatewayKey) -> None:
    """Put the node of one Gateway together: the one place where all that was found about it meets."""
    ground = memory.ground
    facts = Facts(
        gateway=inventory.gateways[key],
        routes=memory.placements[key].routes,
        services=ground.services.get(key, ()),
        proxies=tuple(proxies.found.get(key, ())),
        doors=ground.doors.get(key, ()),
        role=memory.roles[key],
        tier=memory.tiers[key],
    )
    bare = node_of(inventory, key, facts)
    if bare != memory.bare.get(key):
        memory.bare[key] = bare
        memory.recognised = None
    remarks = {
        *memory.placements[key].remarks,
        *memory.led[key].remarks,
        *memory.circles.get(key, ()),
        *ground.bindings.problems.get(key, ()),
        *remarks_of(inventory, key, facts),
    }
    memory.nodes[key] = replace(memory.bare[key], problems=problems_among(remarks), unseen=unseen_among(remarks))


def _assembled(inventory: Inventory, memory: _Memory) -> Topology:
    """The topology out of its parts."""
    ground, keys = memory.ground, tuple(inventory.gateways)
    if memory.recognised is None:
        evidence = Evidence(
            inventory=inventory,
            nodes={key: memory.bare[key] for key in keys},
            reach=memory.reach,
            doors=ground.doors,
        )
        patterns = patterns_of(evidence)
        memory.recognised = patterns, () if patterns else missing_for_patterns(evidence)
    patterns, missing = memory.recognised
    return Topology(
        gateways=tuple(memory.nodes[key] for key in keys),
        hops=tuple(chain.from_iterable(memory.hops[key] for key in keys)),
        front_doors=tuple(door for key in keys if memory.tiers[key] == 1 for door in ground.doors.get(key, ())),
        patterns=patterns,
        problems=tuple(sorted(memory.claimants.homeless() | ground.bindings.homeless)),
        missing=missing,
    )
