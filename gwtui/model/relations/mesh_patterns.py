"""Patterns of gateways that work with a service mesh or before AI backends, each with the objects that prove it."""

from __future__ import annotations

from gwtui.model.relations.evidence import Evidence, is_ambient
from gwtui.model.relations.mesh import wishes_ambient
from gwtui.model.resources import SERVICES
from gwtui.model.shape import DataPlane, GatewayRole, MeshMembership, MeshMode


def ambient_ingress(evidence: Evidence) -> list[str]:
    """A Gateway of kgateway whose pods, or the workloads behind it, are in the ambient mesh (D10)."""
    lines = []
    for node in evidence.nodes.values():
        if not node.is_managed or node.role not in {GatewayRole.INGRESS, GatewayRole.MIXED}:
            continue
        behind = evidence.reach[node.key].namespaces
        ambient = sorted(name for name in behind if wishes_ambient(evidence.inventory, name))
        if is_ambient(node):
            lines.append(f"{node.key}: {membership_text(node.mesh)}")
        elif ambient:
            names = ", ".join(ambient)
            lines.append(f"{node.key}: is not in the mesh, and routes into ambient namespaces ({names}) in plain text")
    return lines


def membership_text(mesh: MeshMembership | None) -> str:
    """What is wished and what is, in words."""
    if mesh is None:
        return "in no mesh"
    wish = f"configured for {mesh.mode}" if mesh.configured else f"not configured for {mesh.mode}"
    fact = "captured by ztunnel" if mesh.mode is MeshMode.AMBIENT else "with a sidecar or its agent"
    return f"{wish}, {mesh.captured} of {mesh.pods} pods {fact}"


def ambient_egress(evidence: Evidence) -> list[str]:
    """A Gateway whose routes all leave the cluster, its clients in the ambient mesh; or a waypoint to the outside."""
    lines = []
    for node in evidence.nodes.values():
        hosts = sorted(evidence.reach[node.key].hosts)
        if node.role is GatewayRole.WAYPOINT and hosts:
            lines.append(f"{node.key}: waypoint of what goes to {', '.join(hosts)}")
        elif node.is_managed and evidence.is_mesh_egress(node):
            lines.append(
                f"{node.key}: every route leaves the cluster, to {', '.join(hosts)}; {membership_text(node.mesh)}"
            )
    return lines


def ambient_waypoint(evidence: Evidence) -> list[str]:
    """A Gateway that is a waypoint (D9, A4 to A7)."""
    lines = []
    for node in evidence.nodes.values():
        if node.role is GatewayRole.WAYPOINT:
            bound = sorted(evidence.reach[node.key].bound)
            taken = (
                f"takes the traffic of {', '.join(bound)}"
                if bound
                else f"no Service{evidence.inventory.extent(SERVICES)} is bound to it"
            )
            lines.append(f"{node.key}: waypoint of {node.controller or 'no controller'}, {taken}")
    return lines


def sidecar_ingress(evidence: Evidence) -> list[str]:
    """A Gateway of kgateway whose pods speak for a sidecar mesh (D11)."""
    return [
        f"{node.key}: {membership_text(node.mesh)}"
        for node in evidence.nodes.values()
        if node.is_managed
        and node.role is not GatewayRole.WAYPOINT
        and node.mesh is not None
        and node.mesh.mode is MeshMode.SIDECAR
    ]


def ai_gateway(evidence: Evidence) -> list[str]:
    """A Gateway whose data plane is agentgateway (D12)."""
    return [
        f"{node.key}: class {node.class_name} of {node.controller}"
        for node in evidence.nodes.values()
        if node.data_plane is DataPlane.AGENTGATEWAY and node.role is not GatewayRole.WAYPOINT
    ]
