"""What deployment patterns are recognised from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gwtui.model.ids import GatewayKey
from gwtui.model.relations.inventory import Inventory
from gwtui.model.relations.mesh import wishes_ambient
from gwtui.model.relations.reach import Reach
from gwtui.model.shape import FrontDoor, GatewayNode, GatewayRole, MeshMode


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The parts of a topology that are in place before its patterns are named."""

    inventory: Inventory
    nodes: Mapping[GatewayKey, GatewayNode]
    """Without their problems, which prove no pattern."""
    reach: Mapping[GatewayKey, Reach]
    """Where the hops of every Gateway end."""
    doors: Mapping[GatewayKey, tuple[FrontDoor, ...]]
    """Ways in from outside, for every Gateway that has any, of whatever tier."""

    def edges(self) -> Iterator[tuple[GatewayKey, GatewayKey]]:
        """Which Gateway sends requests, not only copies, to which other."""
        for source, found in self.reach.items():
            for target in found.sent:
                yield source, target

    def managed_edges(self) -> list[tuple[GatewayKey, GatewayKey]]:
        """The same between Gateways of kgateway that clients enter by, waypoints left out."""
        entered = {key for key, node in self.nodes.items() if node.is_managed and node.role is not GatewayRole.WAYPOINT}
        return [edge for edge in self.edges() if entered.issuperset(edge)]

    def exposed(self) -> list[GatewayNode]:
        """Gateways of kgateway that can be reached from outside the cluster and are there for that."""
        return [
            node
            for key, node in self.nodes.items()
            if node.is_managed
            and self.doors.get(key)
            and node.role is not GatewayRole.WAYPOINT
            and not self.is_mesh_egress(node)
        ]

    def is_mesh_egress(self, node: GatewayNode) -> bool:
        """Whether it only leads out of the cluster and its clients are in the ambient mesh."""
        return node.role is GatewayRole.EGRESS and (
            is_ambient(node) or wishes_ambient(self.inventory, node.key.namespace)
        )

    def door_text(self, key: GatewayKey) -> str:
        """How a Gateway is exposed."""
        return ", ".join(f"{door.kind} {door.name}" for door in self.doors[key])


def is_ambient(node: GatewayNode) -> bool:
    """Whether the Gateway's own pods are in the ambient mesh, or are to be."""
    return node.mesh is not None and node.mesh.mode is MeshMode.AMBIENT
