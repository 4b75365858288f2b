"""The map as one document: plain data for scripts, by the conventions of the fleet document."""

from __future__ import annotations

from gwtui.model.shape import FrontDoor, GatewayNode
from gwtui.views.document import cluster_entry, gateway_entry, hop_entry
from gwtui.views.document_values import Json, utc
from gwtui.views.scene import Scene

_SAID_ABOVE = ("cluster", "tier")
"""Keys of an entry that the place it stands in tells already."""


def map_document(scene: Scene) -> Json:
    """Return the shape of every cluster, in the form of `gwtui map -o json`."""
    return {
        "observed_at": utc(scene.now),
        "clusters": [_cluster(scene, name) for name in sorted(scene.snapshot.clusters)],
    }


def _cluster(scene: Scene, name: str) -> Json:
    view = scene.snapshot.clusters[name]
    shape = view.topology
    flows = {id(flow.hop): flow for flow in scene.fleet.flows}
    entry = cluster_entry(scene.snapshot, view, scene.now)
    problems = entry.pop("problems")
    return {
        **entry,
        "patterns": [{"id": found.id, "evidence": list(found.evidence)} for found in shape.patterns],
        "missing": list(shape.missing),
        "tiers": [
            {"tier": tier, "gateways": [_gateway(scene, each) for each in shape.gateways if each.tier == tier]}
            for tier in sorted({node.tier for node in shape.gateways})
        ],
        "front_doors": [_front_door(door) for door in shape.front_doors],
        "edges": [_without(hop_entry(flows[id(hop)], scene.shares(name), {})) for hop in shape.hops],
        "problems": problems,
    }


def _gateway(scene: Scene, node: GatewayNode) -> Json:
    figures = scene.fleet.gateways[node.key]
    return {
        **_without(gateway_entry(figures)),
        "state": figures.verdict.word,
        "reason": figures.verdict.reason,
    }


def _front_door(door: FrontDoor) -> Json:
    return {"kind": door.kind, "name": door.name, "gateway": str(door.gateway), "evidence": door.evidence}


def _without(entry: Json) -> Json:
    return {key: value for key, value in entry.items() if key not in _SAID_ABOVE}
