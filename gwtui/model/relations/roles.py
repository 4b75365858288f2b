"""What each Gateway is for, by where its routes end."""

from __future__ import annotations

from gwtui.model.ids import GatewayKey
from gwtui.model.relations.inventory import Inventory
from gwtui.model.relations.reach import Reach
from gwtui.model.relations.waypoints import is_waypoint
from gwtui.model.shape import GatewayRole


def role_of(inventory: Inventory, key: GatewayKey, reach: Reach) -> GatewayRole:
    """Return the role of a Gateway. One without hops is taken for an ingress; copies of requests say nothing."""
    if is_waypoint(inventory, key, inventory.gateways[key]):
        return GatewayRole.WAYPOINT
    if reach.is_outside:
        return GatewayRole.MIXED if reach.is_inside else GatewayRole.EGRESS
    return GatewayRole.INGRESS
