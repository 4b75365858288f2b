"""The shape of the fleet: cards in columns from front door to workloads, and the links traffic takes between them."""

from __future__ import annotations

from gwtui.views.fleet import Fleet
from gwtui.views.map_ends import outside_cards, workload_cards
from gwtui.views.map_gateways import GATEWAYS, door_cards, gateway_cards
from gwtui.views.map_links import links
from gwtui.views.map_parts import DOOR, FOLD, GATEWAY, OUTSIDE, WORKLOAD, Card, FleetMap, Link, NodeId, Split
from gwtui.views.map_reach import filtered
from gwtui.views.scene import Scene

__all__ = [
    "DOOR",
    "FOLD",
    "GATEWAY",
    "GATEWAYS",
    "OUTSIDE",
    "SERVICES_SHOWN",
    "WORKLOAD",
    "Card",
    "FleetMap",
    "Link",
    "NodeId",
    "Split",
    "fleet_map",
]

SERVICES_SHOWN = 4
"""Services a namespace card lists; the rest is counted."""


def fleet_map(scene: Scene, pattern: str = "", *, services: int = SERVICES_SHOWN) -> FleetMap:
    """The map of all clusters. With a filter: the cards that match, and what they are connected with.

    Args:
        scene: What is looked at.
        pattern: A filter, or an empty text.
        services: How many Services a namespace card lists.
    """
    fleet = scene.fleet
    tiers = sorted({entry.node.tier for entry in fleet.gateways.values()})
    first = 1 if fleet.front_doors else 0
    last = first + len(tiers)
    qualified = len(scene.clusters) > 1
    workloads = workload_cards(fleet, last, qualified=qualified, services=services)
    outside = outside_cards(fleet, last, qualified=qualified)
    cards = [
        *door_cards(fleet, qualified=qualified),
        *gateway_cards(scene, {tier: first + index for index, tier in enumerate(tiers)}, qualified=qualified),
        *workloads,
        *outside,
    ]
    ends = " · ".join((*(["WORKLOADS"] if workloads else []), *(["OUTSIDE"] if outside else [])))
    known = {card.id for card in cards}
    whole = FleetMap(
        titles=(
            *(["FRONT DOOR"] if first else []),
            *(_tier_title(tier, fleet, scene) for tier in tiers),
            *([ends] if ends else []),
        ),
        cards=tuple(sorted(cards, key=lambda card: (card.column, card.id))),
        links=tuple(link for link in links(scene) if link.source in known and link.target in known),
    )
    return filtered(whole, pattern)


def _tier_title(tier: int, fleet: Fleet, scene: Scene) -> str:
    members = sum(entry.node.tier == tier for entry in fleet.gateways.values())
    patterns = {found.id for cluster in scene.snapshot.clusters.values() for found in cluster.topology.patterns}
    shards = members > 1 and any(pattern.startswith("sharded") for pattern in patterns)
    return f"TIER {tier} · SHARDS" if shards else f"TIER {tier}"
