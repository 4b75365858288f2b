"""Tiers: how far each Gateway is from the client."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from gwtui.model.ids import GatewayKey

Edge = tuple[GatewayKey, GatewayKey]
"""A Gateway and one that it leads to."""

Cycle = tuple[GatewayKey, ...]
"""Gateways that lead to each other, in the order traffic takes, starting where it enters."""


def tiers_of(gateways: Iterable[GatewayKey], edges: Iterable[Edge]) -> tuple[dict[GatewayKey, int], list[Cycle]]:
    """Return the tier of each Gateway (1 + the highest tier of those that lead to it) and the cycles among them.

    A cycle is opened where traffic enters it, so that tiers still mean distance from the client.
    """
    before: dict[GatewayKey, set[GatewayKey]] = {key: set() for key in sorted(gateways)}
    for source, target in edges:
        before[target].add(source)
    cycles: list[Cycle] = []
    while True:
        try:
            order = tuple(TopologicalSorter({key: sorted(sources) for key, sources in before.items()}).static_order())
        except CycleError as error:
            cycle = _from_entry(error.args[1][:-1], before)
            cycles.append(cycle)
            before[cycle[0]].discard(cycle[-1])
        else:
            break
    tiers: dict[GatewayKey, int] = {}
    for key in order:
        tiers[key] = 1 + max((tiers[source] for source in before[key]), default=0)
    return tiers, cycles


def _from_entry(members: list[GatewayKey], before: dict[GatewayKey, set[GatewayKey]]) -> Cycle:
    """Rotate a cycle so that it starts with a member that traffic enters from outside, else with the smallest."""
    inside = set(members)
    entered = [key for key in members if before[key] - inside]
    start = members.index(min(entered or members))
    return (*members[start:], *members[:start])


def circles_of(cycles: Iterable[Cycle]) -> dict[GatewayKey, tuple[str, ...]]:
    """Return what is to be said of each Gateway that lies on a cycle."""
    found: dict[GatewayKey, tuple[str, ...]] = {}
    for cycle in cycles:
        path = " → ".join(str(key) for key in (*cycle, cycle[0]))
        for key in cycle:
            found[key] = (*found.get(key, ()), f"routes lead in a circle: {path}")
    return found
