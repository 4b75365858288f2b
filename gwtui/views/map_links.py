"""The links of the map: which cards traffic connects, how much of it, and what rules that divide it intend."""

from __future__ import annotations

from gwtui.model.ids import ExternalKey, GatewayKey, ServiceKey
from gwtui.model.known import Unknown
from gwtui.model.shape import FrontDoor, ShareRole
from gwtui.views import judge
from gwtui.views.fleet import Flow, added
from gwtui.views.map_parts import DOOR, GATEWAY, OUTSIDE, WORKLOAD, Link, NodeId, Split
from gwtui.views.scene import Scene
from gwtui.views.spans import Role


def gateway_id(key: GatewayKey) -> NodeId:
    """The card of a gateway."""
    return NodeId(GATEWAY, key.cluster, key.namespace, key.name)


def door_id(door: FrontDoor) -> NodeId:
    """The card of what stands before a gateway."""
    return NodeId(DOOR, door.gateway.cluster, door.gateway.namespace, door.gateway.name)


def target_id(target: GatewayKey | ServiceKey | ExternalKey) -> NodeId:
    """The card a hop ends at: a gateway, the namespace of a Service, a host outside."""
    if isinstance(target, GatewayKey):
        return gateway_id(target)
    if isinstance(target, ExternalKey):
        return NodeId(OUTSIDE, target.cluster, "", target.host)
    return NodeId(WORKLOAD, target.cluster, target.namespace, "")


def links(scene: Scene) -> tuple[Link, ...]:
    """One link for each pair of cards that traffic connects, sorted."""
    observed = Unknown("nobody observes the front door")
    found = [
        Link(source=door_id(door), target=gateway_id(door.gateway), share=observed, role=Role.EDGE)
        for door in {door_id(each): each for each in scene.fleet.front_doors}.values()
    ]
    together: dict[tuple[NodeId, NodeId], list[Flow]] = {}
    for flow in scene.fleet.flows:
        together.setdefault((gateway_id(flow.hop.source), target_id(flow.hop.target)), []).append(flow)
    for (source, target), flows in sorted(together.items()):
        failing = any(judge.error_role(flow.error_ratio) is Role.BAD for flow in flows)
        found.append(
            Link(
                source=source,
                target=target,
                share=added([flow.share for flow in flows], observed),
                role=Role.BAD if failing else Role.EDGE,
                splits=tuple(split for flow in flows for split in splits_of(flow, scene)),
                rps=added([flow.rps for flow in flows], observed),
            )
        )
    return tuple(found)


def splits_of(flow: Flow, scene: Scene) -> tuple[Split, ...]:
    """What each rule that divides its traffic gives to a hop."""
    divided = [share for share in flow.hop.shares if share.backends > 1 and share.role is ShareRole.PRIMARY]
    return tuple(
        Split(share.route.name, share.intended, scene.shares(flow.hop.source.cluster).of_rule(flow.hop, share))
        for share in divided
    )
