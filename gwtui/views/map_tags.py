"""What kind of gateway a card stands for, in a few words: its data plane, its role, the mesh it is in."""

from __future__ import annotations

from gwtui.model.shape import DataPlane, GatewayNode, GatewayRole, MeshMembership
from gwtui.views import text
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line

ROLES = {
    GatewayRole.EGRESS: "egress",
    GatewayRole.WAYPOINT: "waypoint",
    GatewayRole.MIXED: "in + out",
}
"""Roles that are said; an ingress is what a gateway is anyway."""

DATA_PLANES = {
    DataPlane.AGENTGATEWAY: "agentgateway",
    DataPlane.ISTIO_ENVOY: "istio",
    DataPlane.OTHER: "other controller",
}
"""Data planes that are said; kgateway's Envoy is what a gateway is anyway."""

EXTERNAL = "external"


def tags(node: GatewayNode) -> Line:
    """`AI · agentgateway`, `egress · ambient wished 0/2`; empty for a plain ingress of kgateway outside of any mesh."""
    is_ai = node.data_plane is DataPlane.AGENTGATEWAY and node.role is not GatewayRole.WAYPOINT
    words = ("AI" if is_ai else "", ROLES.get(node.role, ""), DATA_PLANES.get(node.data_plane, ""))
    parts = [line(Span(word, Role.ACCENT)) for word in words if word]
    return joined([*parts, _mesh(node.mesh) if node.mesh else BLANK], " · ")


def _mesh(mesh: MeshMembership) -> Line:
    """What is observed; what is wished as well where the two differ."""
    counted = text.part_of(mesh.captured, mesh.pods)
    if not mesh.configured:
        return line(Span(f"{mesh.mode} {counted} unasked", Role.WARN))
    if mesh.captured < mesh.pods or not mesh.pods:
        return line(Span(f"{mesh.mode} wished {counted}", Role.WARN))
    return line(Span(f"{mesh.mode} {counted}", Role.OK))
