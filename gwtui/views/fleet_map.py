"""The shape of the fleet: cards in columns from front door to workloads, and the links traffic takes between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from gwtui.model.ids import GatewayKey, ObjectKey, ServiceKey
from gwtui.model.known import Known, Unknown
from gwtui.model.shape import FrontDoor, RouteShare, ShareRole
from gwtui.views import judge, text
from gwtui.views.fleet import Fleet, Flow, GatewayFigures, Rate, combined, workload_flows
from gwtui.views.judge import Verdict
from gwtui.views.matching import matches
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line

GATEWAYS = "gateways.gateway.networking.k8s.io"
SERVICES_SHOWN = 4
"""Services a namespace card lists; the rest is counted."""

AGREES_WITHIN = 0.05
"""Difference between the intended and the observed share of a rule that chance explains."""

DOOR, GATEWAY, WORKLOAD = "front door", "gateway", "workload"


class NodeId(NamedTuple):
    """Identity of a card, the same from one snapshot to the next."""

    kind: str
    cluster: str
    namespace: str
    name: str

    @property
    def gateway(self) -> GatewayKey | None:
        """The gateway of a gateway card or of a front door card."""
        return None if self.kind == WORKLOAD else GatewayKey(self.cluster, self.namespace, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One box of the map, or one row of its tree."""

    id: NodeId
    column: int
    title: str
    verdict: Verdict | None
    """None where nobody observes it, as with a front door."""
    badge: str
    """`2/2` proxies answering, `3 svc`."""
    lines: tuple[tuple[Line, Line], ...]
    """Body: what stands at the left and at the right of each line."""
    figures: tuple[Line, ...] = ()
    """Rate, errors, p99 and trend, for a form with columns."""
    serves: Line = BLANK
    """What it serves, for a form with columns."""
    words: Line = BLANK
    """The whole story in one line, shown while the card is selected."""
    yaml: ObjectKey | None = None
    """The object behind the card."""


class Split(NamedTuple):
    """What one rule that divides its traffic gives to a link."""

    route: str
    intended: float
    """Share of the rule by weight, 0 to 1."""
    seen: Rate
    """Share of the rule that was observed, 0 to 1."""

    @property
    def disagrees(self) -> bool:
        """Whether what was seen is known, and further from what is intended than chance explains."""
        return isinstance(self.seen, Known) and abs(self.seen.value - self.intended) > AGREES_WITHIN

    @property
    def label(self) -> str:
        """The intended share; the one seen beside it when they disagree: `90%`, `90≠71%`."""
        intended = text.percent(self.intended)
        if isinstance(self.seen, Unknown) or not self.disagrees:
            return intended
        return f"{intended.removesuffix('%')}≠{text.percent(self.seen.value)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Traffic from one card to another."""

    source: NodeId
    target: NodeId
    share: Rate
    """Part of what the source sends, 0 to 1."""
    role: Role
    splits: tuple[Split, ...] = ()

    @property
    def label(self) -> str:
        """The observed share in words, with a mark when what flows here fails."""
        mark = f" {text.FAILING_GLYPH}" if self.role is Role.BAD else ""
        return f"{text.percent(self.share.value)}{mark}" if isinstance(self.share, Known) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetMap:
    """Cards sorted by column and identity, and the links between them."""

    titles: tuple[str, ...]
    cards: tuple[Card, ...]
    links: tuple[Link, ...]

    def card(self, node: NodeId | None) -> Card | None:
        """The card of that identity, or None when it is gone."""
        return next((card for card in self.cards if card.id == node), None)


def fleet_map(scene: Scene, pattern: str = "") -> FleetMap:
    """The map of all clusters. With a filter: the cards that match, and what they are connected with."""
    fleet = scene.fleet
    tiers = sorted({entry.node.tier for entry in fleet.gateways.values()})
    first = 1 if fleet.front_doors else 0
    column_of_tier = {tier: first + index for index, tier in enumerate(tiers)}
    last = first + len(tiers)
    qualified = len(scene.clusters) > 1
    cards = [
        *_doors(fleet, qualified=qualified),
        *(
            _gateway(entry, column_of_tier[entry.node.tier], scene, qualified=qualified)
            for entry in fleet.gateways.values()
        ),
        *_workloads(fleet, last, qualified=qualified),
    ]
    has_workloads = any(card.id.kind == WORKLOAD for card in cards)
    titles = (
        *(["FRONT DOOR"] if first else []),
        *(_tier_title(tier, fleet, scene) for tier in tiers),
        *(["WORKLOADS"] if has_workloads else []),
    )
    whole = FleetMap(
        titles=titles, cards=tuple(sorted(cards, key=lambda card: (card.column, card.id))), links=_links(scene)
    )
    return _filtered(whole, pattern) if pattern.strip() else whole


def _tier_title(tier: int, fleet: Fleet, scene: Scene) -> str:
    members = sum(entry.node.tier == tier for entry in fleet.gateways.values())
    patterns = {found.id for cluster in scene.snapshot.clusters.values() for found in cluster.topology.patterns}
    shards = members > 1 and any(pattern.startswith("sharded") for pattern in patterns)
    return f"TIER {tier} · SHARDS" if shards else f"TIER {tier}"


def _gateway(entry: GatewayFigures, column: int, scene: Scene, *, qualified: bool) -> Card:
    node, traffic = entry.node, entry.traffic
    serves = line(Span(" ".join(node.namespaces), Role.TEXT))
    name = f"{node.key.cluster} {node.key}" if qualified else str(node.key)
    rate = line(Span(text.figure(traffic.rps, text.rps) if isinstance(traffic.rps, Known) else "– rps", Role.STRONG))
    errors = line(judge.error_span(traffic.error_ratio, suffix=" err"))
    p99 = line(f"p99 {text.figure(traffic.p99_ms, text.ms)}")
    trend = line(Span(text.sparkline(entry.history, 16), Role.SPARK))
    short = line(Span(text.sparkline(entry.history, 8), Role.SPARK))
    lines: tuple[tuple[Line, Line], ...] = ((serves, rate), (errors, p99), (trend, BLANK))
    if not entry.answering:
        lines = ((serves, rate),)
    if entry.verdict.rank < judge.OK.rank and entry.verdict.word != judge.ERRORS:
        lines = (*lines, (line(Span(entry.verdict.reason or entry.verdict.word, entry.verdict.role)), BLANK))
    return Card(
        id=_gateway_id(node.key),
        column=column,
        title=name,
        verdict=entry.verdict,
        badge=text.part_of(entry.answering, len(entry.proxies)),
        lines=lines,
        figures=(rate, line(judge.error_span(traffic.error_ratio)), line(text.figure(traffic.p99_ms, text.ms)), short),
        serves=serves,
        words=_story(entry, _incoming(node.key, scene)),
        yaml=ObjectKey(node.key.cluster, GATEWAYS, node.key.namespace, node.key.name),
    )


def _story(entry: GatewayFigures, incoming: Line) -> Line:
    node = entry.node
    listeners = ", ".join(f"{name} :{port} {protocol}" for name, port, protocol in node.listeners)
    return joined(
        [
            line(entry.verdict.mark, Span(f" {node.key}", Role.STRONG)),
            line(Span(entry.verdict.reason, entry.verdict.role)) if entry.verdict.reason else BLANK,
            incoming,
            line(text.plural(len(node.routes), "route")),
            line(Span(f"listens {listeners}", Role.DIM)) if listeners else BLANK,
        ],
        " · ",
    )


def _incoming(key: GatewayKey, scene: Scene) -> Line:
    """What is sent to a gateway: seen share of each source, then what its split rules intend."""
    parts: list[Line] = []
    for flow in scene.fleet.flows:
        if flow.hop.target == key:
            parts.append(line(f"gets {text.figure(flow.share, text.percent)} of {flow.hop.source}"))
            parts.extend(
                line(Span(f"{split.route} intends {text.percent(split.intended)}, {_seen(split)} seen", Role.DIM))
                for split in _splits(flow, scene)
            )
    return joined(parts, ", ")


def _doors(fleet: Fleet, *, qualified: bool) -> list[Card]:
    together: dict[NodeId, list[FrontDoor]] = {}
    for door in fleet.front_doors:
        together.setdefault(_door_id(door), []).append(door)
    return [_door(node, doors, fleet, qualified=qualified) for node, doors in together.items()]


def _door(node: NodeId, doors: Sequence[FrontDoor], fleet: Fleet, *, qualified: bool) -> Card:
    """One card for all that stands before one gateway."""
    gateway = doors[0].gateway
    entry = fleet.gateways.get(gateway)
    listeners = entry.node.listeners if entry else ()
    ports = line(Span(" ".join(f":{port} {protocol}" for _, port, protocol in listeners), Role.DIM))
    service = entry.node.services[0] if entry and entry.node.services else None
    kinds = " + ".join(dict.fromkeys(door.kind for door in doors))
    names = line(" ".join(door.name for door in doors))
    return Card(
        id=node,
        column=0,
        title=f"{node.cluster} {kinds}" if qualified else kinds,
        verdict=None,
        badge="",
        lines=(*((line(door.name), BLANK) for door in doors), (ports, BLANK)),
        serves=names,
        words=line(
            Span(f"{kinds} ", Role.STRONG), *names, f" in front of {gateway}", Span("  not observed itself", Role.DIM)
        ),
        yaml=ObjectKey(service.cluster, "services", service.namespace, service.name) if service else None,
    )


class _Upstream(NamedTuple):
    service: ServiceKey
    verdict: Verdict
    rps: Rate
    error_ratio: Rate
    ready: str


def _workloads(fleet: Fleet, column: int, *, qualified: bool) -> list[Card]:
    spaces: dict[tuple[str, str], list[_Upstream]] = {}
    for service, flows in sorted(workload_flows(fleet.flows).items()):
        spaces.setdefault((service.cluster, service.namespace), []).append(_upstream(service, flows))
    return [_namespace(cluster, name, found, column, qualified=qualified) for (cluster, name), found in spaces.items()]


def _upstream(service: ServiceKey, flows: Sequence[Flow]) -> _Upstream:
    traffic = combined(flows)
    healthy, members = traffic.members_healthy, traffic.members_total
    ready = f"{text.part_of(healthy, members)} ready" if healthy is not None and members is not None else ""
    verdict = judge.upstream(traffic.error_ratio, healthy, members)
    return _Upstream(service, verdict, traffic.rps, traffic.error_ratio, ready)


def _namespace(cluster: str, name: str, found: list[_Upstream], column: int, *, qualified: bool) -> Card:
    worst_first = sorted(found, key=lambda upstream: (upstream.verdict.rank, upstream.service))
    verdict = worst_first[0].verdict
    lines = [(_named(upstream), _carries(upstream)) for upstream in worst_first[:SERVICES_SHOWN]]
    hidden = len(found) - len(lines)
    if hidden:
        lines.append((line(Span(f"and {hidden} more", Role.DIM)), BLANK))
    title = f"{cluster} {name}" if qualified else name
    story = [joined([_named(upstream), _carries(upstream), line(upstream.ready)], " ") for upstream in worst_first]
    return Card(
        id=NodeId(WORKLOAD, cluster, name, ""),
        column=column,
        title=title,
        verdict=verdict,
        badge=f"{len(found)} svc",
        lines=tuple(lines),
        serves=joined([joined([_named(upstream), _carries(upstream)], " ") for upstream in worst_first], "  "),
        words=line(verdict.mark, Span(f" namespace {name}", Role.STRONG), "  ", *joined(story, " · ")),
        yaml=ObjectKey(cluster, "services", name, worst_first[0].service.name),
    )


def _named(upstream: _Upstream) -> Line:
    if upstream.verdict.role is Role.OK:
        return line(upstream.service.name)
    return line(Span(f"{upstream.verdict.glyph} ", upstream.verdict.role), upstream.service.name)


def _carries(upstream: _Upstream) -> Line:
    rate = line(text.figure(upstream.rps, text.rate))
    if judge.error_role(upstream.error_ratio) in (Role.WARN, Role.BAD):
        rate = (*rate, Span(" "), judge.error_span(upstream.error_ratio))
    not_ready = upstream.verdict.word in ("none ready", "few ready")
    return (*rate, Span(f" {upstream.ready}", upstream.verdict.role)) if not_ready and upstream.ready else rate


def _links(scene: Scene) -> tuple[Link, ...]:
    observed = Unknown("nobody observes the front door")
    links = [
        Link(source=_door_id(door), target=_gateway_id(door.gateway), share=observed, role=Role.EDGE)
        for door in {_door_id(each): each for each in scene.fleet.front_doors}.values()
    ]
    together: dict[tuple[NodeId, NodeId], list[Flow]] = {}
    for flow in scene.fleet.flows:
        together.setdefault((_gateway_id(flow.hop.source), _target_id(flow.hop.target)), []).append(flow)
    for (source, target), flows in sorted(together.items()):
        known = [flow.share for flow in flows if isinstance(flow.share, Known)]
        share: Rate = flows[0].share
        if known:
            share = Known(sum(part.value for part in known), min(part.observed_at for part in known))
        failing = any(judge.error_role(flow.error_ratio) is Role.BAD for flow in flows)
        splits = tuple(split for flow in flows for split in _splits(flow, scene))
        links.append(
            Link(source=source, target=target, share=share, role=Role.BAD if failing else Role.EDGE, splits=splits)
        )
    return tuple(links)


def _splits(flow: Flow, scene: Scene) -> tuple[Split, ...]:
    divided: Iterable[RouteShare] = (
        share for share in flow.hop.shares if share.backends > 1 and share.role is ShareRole.PRIMARY
    )
    return tuple(
        Split(share.route.name, share.intended, scene.shares(flow.hop.source.cluster).of_rule(flow.hop, share))
        for share in divided
    )


def _seen(split: Split) -> str:
    return text.figure(split.seen, text.percent)


def _filtered(whole: FleetMap, pattern: str) -> FleetMap:
    hits = {card.id for card in whole.cards if matches(pattern, _haystack(card))}
    forward = _reach(hits, _neighbours(whole.links, reverse=False))
    backward = _reach(hits, _neighbours(whole.links, reverse=True))
    kept = hits | forward | backward
    return replace(
        whole,
        cards=tuple(card for card in whole.cards if card.id in kept),
        links=tuple(link for link in whole.links if link.source in kept and link.target in kept),
    )


def _neighbours(links: Iterable[Link], *, reverse: bool) -> Mapping[NodeId, set[NodeId]]:
    found: dict[NodeId, set[NodeId]] = {}
    for link in links:
        start, end = (link.target, link.source) if reverse else (link.source, link.target)
        found.setdefault(start, set()).add(end)
    return found


def _reach(start: Iterable[NodeId], neighbours: Mapping[NodeId, set[NodeId]]) -> set[NodeId]:
    reached: set[NodeId] = set()
    todo = list(start)
    while todo:
        for node in neighbours.get(todo.pop(), set()) - reached:
            reached.add(node)
            todo.append(node)
    return reached


def _haystack(card: Card) -> str:
    word = card.verdict.word if card.verdict else ""
    return " ".join((card.title, card.id.namespace, word, *(span.text for span in card.serves)))


def _gateway_id(key: GatewayKey) -> NodeId:
    return NodeId(GATEWAY, key.cluster, key.namespace, key.name)


def _door_id(door: FrontDoor) -> NodeId:
    return NodeId(DOOR, door.gateway.cluster, door.gateway.namespace, door.gateway.name)


def _target_id(target: GatewayKey | ServiceKey) -> NodeId:
    if isinstance(target, GatewayKey):
        return _gateway_id(target)
    return NodeId(WORKLOAD, target.cluster, target.namespace, "")
