"""The shape of the fleet: cards in columns from front door to workloads, and the links traffic takes between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from gwtui.model.ids import GatewayKey
from gwtui.model.shape import GatewayRole
from gwtui.views.drains import Drained
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

NO_DRAINS: Mapping[GatewayKey, Drained] = MappingProxyType({})


def fleet_map(
    scene: Scene,
    pattern: str = "",
    *,
    services: int = SERVICES_SHOWN,
    drains: Mapping[GatewayKey, Drained] = NO_DRAINS,
) -> FleetMap:
    """The map of all clusters. With a filter: the cards that match, and what they are connected with.

    Args:
        scene: What is looked at.
        pattern: A filter, or an empty text.
        services: How many Services a namespace card lists.
        drains: Gateways that are drained or draining.
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
        *gateway_cards(scene, {tier: first + at for at, tier in enumerate(tiers)}, drains, qualified=qualified),
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
    """Gateways of one tier are shards where a cluster is sharded and has several of them: no other cluster counts."""
    nodes = [entry.node for entry in fleet.gateways.values() if entry.node.tier == tier]
    members = Counter(node.key.cluster for node in nodes if node.is_managed and node.role is not GatewayRole.WAYPOINT)
    shards = any(
        members[name] > 1 and any(found.id.startswith("sharded") for found in cluster.topology.patterns)
        for name, cluster in scene.snapshot.clusters.items()
    )
    return f"TIER {tier} · SHARDS" if shards else f"TIER {tier}"
