"""The links of the map: which cards traffic connects, how much of it, and what rules that divide it intend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from gwtui.model.ids import ExternalKey, GatewayKey, ServiceKey
from gwtui.model.known import Unknown
from gwtui.model.shape import FrontDoor, Hop, RouteShare, ShareRole
from gwtui.model.totals import summed
from gwtui.views import judge
from gwtui.views.fleet import GatewayFigures
from gwtui.views.flows import Flow
from gwtui.views.map_parts import DOOR, GATEWAY, OUTSIDE, WORKLOAD, Link, NodeId, Split, Stream
from gwtui.views.remembered import ByIdentity
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


UNOBSERVED_DOOR = Unknown("nobody observes the front door")

_Ends = tuple[tuple[NodeId, tuple[int, ...], bool], ...]
"""The cards a gateway sends to, each with the positions of its hops and whether rules divide what they carry."""

_ENDS: ByIdentity[GatewayKey, _Ends] = ByIdentity()
_LINKS: ByIdentity[GatewayKey, list[tuple[Link, list[Flow]]]] = ByIdentity()


def links(scene: Scene) -> tuple[Link, ...]:
    """One link for each pair of cards that traffic connects, sorted."""
    doors = {door_id(each): each for each in scene.fleet.front_doors}.values()
    found = [Link(source=door_id(door), target=gateway_id(door.gateway), measure=_unobserved) for door in doors]
    between = [
        replace(link, split=partial(_splits, flows, scene)) if link.is_split else link
        for key, entry in scene.fleet.gateways.items()
        for link, flows in _LINKS.get(key, (entry,), partial(_from, entry))
    ]
    between.sort(key=lambda link: (link.source, link.target))
    return (*found, *between)


def _from(entry: GatewayFigures) -> list[tuple[Link, list[Flow]]]:
    """The links of one gateway with what each carries; rules that divide traffic are a matter of the whole scene."""
    hops = [flow.hop for flow in entry.flows]
    source = gateway_id(entry.node.key)
    found: list[tuple[Link, list[Flow]]] = []
    for target, positions, is_split in _ENDS.get(entry.node.key, hops, partial(_ends, hops)):
        flows = [entry.flows[position] for position in positions]
        link = Link(source=source, target=target, measure=partial(_stream, flows), is_split=is_split)
        found.append((link, flows))
    return found


def _unobserved() -> Stream:
    return Stream(UNOBSERVED_DOOR, Role.EDGE)


def _ends(hops: Iterable[Hop]) -> _Ends:
    together: dict[NodeId, list[int]] = {}
    split: set[NodeId] = set()
    for position, hop in enumerate(hops):
        target = target_id(hop.target)
        together.setdefault(target, []).append(position)
        if any(map(_is_divided, hop.shares)):
            split.add(target)
    return tuple((target, tuple(positions), target in split) for target, positions in sorted(together.items()))


def _stream(flows: Sequence[Flow]) -> Stream:
    failing = any(judge.error_role(flow.error_ratio) is Role.BAD for flow in flows)
    return Stream(
        summed([flow.share for flow in flows], UNOBSERVED_DOOR),
        Role.BAD if failing else Role.EDGE,
        summed([flow.rps for flow in flows], UNOBSERVED_DOOR),
    )


def _splits(flows: Iterable[Flow], scene: Scene) -> tuple[Split, ...]:
    return tuple(split for flow in flows for split in splits_of(flow, scene))


def _is_divided(share: RouteShare) -> bool:
    return share.backends > 1 and share.role is ShareRole.PRIMARY


def splits_of(flow: Flow, scene: Scene) -> tuple[Split, ...]:
    """What each rule that divides its traffic gives to a hop."""
    return tuple(
        Split(share.route.name, share.intended, scene.shares(flow.hop.source.cluster).of_rule(flow.hop, share))
        for share in flow.hop.shares
        if _is_divided(share)
    )
