"""The cards of gateways and of what stands before them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.known import Known
from gwtui.model.shape import FrontDoor
from gwtui.views import judge, text
from gwtui.views.fleet import Fleet, Flow, GatewayFigures
from gwtui.views.map_links import door_id, gateway_id, splits_of
from gwtui.views.map_parts import Card, Load, NodeId
from gwtui.views.map_tags import tags
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line, plain

GATEWAYS = "gateways.gateway.networking.k8s.io"


def gateway_cards(scene: Scene, column_of_tier: Mapping[int, int], *, qualified: bool) -> list[Card]:
    """One card per gateway. `qualified`: titles name the cluster."""
    incoming: dict[GatewayKey, list[Flow]] = {}
    for flow in scene.fleet.flows:
        if isinstance(flow.hop.target, GatewayKey):
            incoming.setdefault(flow.hop.target, []).append(flow)
    return [
        _gateway(entry, column_of_tier[entry.node.tier], _incoming(incoming.get(key, ()), scene), qualified=qualified)
        for key, entry in scene.fleet.gateways.items()
    ]


def _gateway(entry: GatewayFigures, column: int, incoming: Line, *, qualified: bool) -> Card:
    node, traffic = entry.node, entry.traffic
    serves = line(Span(" ".join(node.namespaces), Role.TEXT))
    title = f"{node.key.cluster} {node.key}" if qualified else str(node.key)
    rate = line(Span(text.figure(traffic.rps, text.rps) if isinstance(traffic.rps, Known) else "– rps", Role.STRONG))
    errors = line(judge.error_span(traffic.error_ratio, suffix=" err"))
    share = line(judge.error_span(traffic.error_ratio))
    p99 = line(text.figure(traffic.p99_ms, text.ms))
    short = line(Span(text.sparkline(entry.history, 8), Role.SPARK))
    kind = tags(node)
    reason = _reason(entry)
    lines = [(serves, rate), (errors, line("p99 ", *p99)), _third(entry, reason, short)]
    brief = (joined([rate, share, p99], "  "), kind)
    if not node.is_managed:
        unread = line(Span(judge.UNREAD, Role.UNKNOWN))
        told = line(Span(entry.verdict.reason, entry.verdict.role))
        lines = [(serves, BLANK), (told, BLANK)]
        brief = (kind, unread)
    if kind:
        lines.insert(0, (kind, BLANK))
    return Card(
        id=gateway_id(node.key),
        column=column,
        title=title,
        verdict=entry.verdict,
        badge=text.part_of(entry.answering, len(entry.proxies)) if node.is_managed else "",
        lines=tuple(lines),
        brief=brief,
        tags=kind,
        figures=(rate, share, p99, short) if node.is_managed else (BLANK, BLANK, BLANK, BLANK),
        serves=joined([kind, serves], "  "),
        words=_story(entry, incoming),
        search=" ".join((title, entry.verdict.word, plain(kind), plain(serves), *node.hostnames)),
        yaml=ObjectKey(node.key.cluster, GATEWAYS, node.key.namespace, node.key.name),
        load=Load(traffic.rps, traffic.error_ratio, traffic.p99_ms),
    )


def _reason(entry: GatewayFigures) -> Line:
    """Why it is not well, when the figures do not tell."""
    if entry.verdict.rank >= judge.OK.rank or entry.verdict.word == judge.ERRORS:
        return BLANK
    return line(Span(entry.verdict.reason or entry.verdict.word, entry.verdict.role))


def _third(entry: GatewayFigures, reason: Line, short: Line) -> tuple[Line, Line]:
    """Trend and reason share a line, so that a card keeps its height when something happens."""
    if not reason:
        return line(Span(text.sparkline(entry.history, 16), Role.SPARK)), BLANK
    return reason, short if entry.answering else BLANK


def _story(entry: GatewayFigures, incoming: Line) -> Line:
    node = entry.node
    listeners = ", ".join(f"{name} :{port} {protocol}" for name, port, protocol in node.listeners)
    controller = f"run by {node.controller or 'no known controller'}"
    return joined(
        [
            line(entry.verdict.mark, Span(f" {node.key}", Role.STRONG)),
            line(Span(entry.verdict.reason, entry.verdict.role)) if entry.verdict.reason else BLANK,
            tags(node),
            BLANK if node.is_managed else line(Span(controller, Role.DIM)),
            incoming,
            line(text.plural(len(node.routes), "route")),
            line(Span(f"listens {listeners}", Role.DIM)) if listeners else BLANK,
        ],
        " · ",
    )


def _incoming(flows: Iterable[Flow], scene: Scene) -> Line:
    """What is sent to a gateway: seen share of each source, then what its split rules intend."""
    parts: list[Line] = []
    for flow in flows:
        parts.append(line(f"gets {text.figure(flow.share, text.percent)} of {flow.hop.source}"))
        for split in splits_of(flow, scene):
            seen = text.figure(split.seen, text.percent)
            parts.append(line(Span(f"{split.route} intends {text.percent(split.intended)}, {seen} seen", Role.DIM)))
    return joined(parts, ", ")


def door_cards(fleet: Fleet, *, qualified: bool) -> list[Card]:
    """One card for all that stands before one gateway."""
    together: dict[NodeId, list[FrontDoor]] = {}
    for door in fleet.front_doors:
        together.setdefault(door_id(door), []).append(door)
    return [_door(node, doors, fleet, qualified=qualified) for node, doors in together.items()]


def _door(node: NodeId, doors: Sequence[FrontDoor], fleet: Fleet, *, qualified: bool) -> Card:
    gateway = doors[0].gateway
    entry = fleet.gateways.get(gateway)
    listeners = entry.node.listeners if entry else ()
    ports = line(Span(" ".join(f":{port} {protocol}" for _, port, protocol in listeners), Role.DIM))
    service = entry.node.services[0] if entry and entry.node.services else None
    kinds = " + ".join(dict.fromkeys(door.kind for door in doors))
    names = " ".join(door.name for door in doors)
    proof = "; ".join(dict.fromkeys(door.evidence for door in doors if door.evidence))
    return Card(
        id=node,
        column=0,
        title=f"{node.cluster} {kinds}" if qualified else kinds,
        verdict=None,
        badge="",
        lines=(*((line(door.name), BLANK) for door in doors), (ports, BLANK)),
        brief=(line(names), BLANK),
        serves=line(names),
        words=joined(
            [
                line(Span(f"{kinds} ", Role.STRONG), names, f" in front of {gateway}"),
                line(f"says {proof}") if proof else BLANK,
                line(Span("not observed itself", Role.DIM)),
            ],
            " · ",
        ),
        search=f"{node.cluster} {kinds} {names} {gateway}",
        yaml=ObjectKey(service.cluster, "services", service.namespace, service.name) if service else None,
    )
