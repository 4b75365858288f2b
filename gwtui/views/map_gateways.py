"""The cards of gateways and of what stands before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.known import Known
from gwtui.model.shape import FrontDoor, GatewayNode
from gwtui.views import judge, text
from gwtui.views.drains import Drained, DrainWords, drain_words
from gwtui.views.fleet import Fleet, GatewayFigures
from gwtui.views.map_links import door_id, gateway_id, splits_of
from gwtui.views.map_parts import Card, Load, NodeId, Wording
from gwtui.views.map_tags import tags
from gwtui.views.remembered import ByIdentity
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line, plain

GATEWAYS = "gateways.gateway.networking.k8s.io"


_WORDINGS: ByIdentity[GatewayKey, Wording] = ByIdentity()


def gateway_cards(
    scene: Scene, column_of_tier: Mapping[int, int], drains: Mapping[GatewayKey, Drained], *, qualified: bool
) -> list[Card]:
    """One card per gateway. `qualified`: titles name the cluster."""
    return [
        _gateway(entry, scene, column_of_tier[entry.node.tier], drains.get(entry.node.key), qualified=qualified)
        for entry in scene.fleet.gateways.values()
    ]


def _gateway(entry: GatewayFigures, scene: Scene, column: int, drained: Drained | None, *, qualified: bool) -> Card:
    node, traffic = entry.node, entry.traffic
    drain = drain_words(drained, scene.now) if drained is not None else None
    title = f"{node.key.cluster} {node.key}" if qualified else str(node.key)
    return Card(
        id=gateway_id(node.key),
        column=column,
        title=title,
        verdict=entry.verdict,
        badge=text.part_of(entry.answering, len(entry.proxies)) if node.is_managed else "",
        rows=(3 if node.is_managed else 2) + bool(tags(node)) + (drain is not None),
        write=lambda: _with_drain(_WORDINGS.get(node.key, (entry,), lambda: _wording(entry)), drain),
        tell=lambda: _story(entry, _incoming(node.key, scene), drain.story if drain else BLANK),
        name=lambda: " ".join(
            (
                title,
                entry.verdict.word,
                plain(tags(node)),
                " ".join(node.namespaces),
                *node.hostnames,
                plain(drain.state) if drain else "",
            )
        ),
        yaml=ObjectKey(node.key.cluster, GATEWAYS, node.key.namespace, node.key.name),
        load=Load(traffic.rps, traffic.error_ratio, traffic.p99_ms),
    )


def _with_drain(wording: Wording, drain: DrainWords | None) -> Wording:
    """What is written on a card, and that it is drained, which comes first."""
    if drain is None:
        return wording
    first, second = wording.brief
    return replace(
        wording,
        lines=((drain.state, drain.progress), *wording.lines),
        brief=(joined([drain.short, first], "  "), second),
        drain=drain.short,
    )


def _wording(entry: GatewayFigures) -> Wording:
    node, traffic = entry.node, entry.traffic
    serves = line(Span(" ".join(node.namespaces), Role.TEXT))
    rate = line(Span(text.figure(traffic.rps, text.rps) if isinstance(traffic.rps, Known) else "– rps", Role.STRONG))
    errors = line(judge.error_span(traffic.error_ratio, suffix=" err"))
    share = line(judge.error_span(traffic.error_ratio))
    p99 = line(text.figure(traffic.p99_ms, text.ms))
    short = line(Span(text.sparkline(entry.history, 8), Role.SPARK))
    kind = tags(node)
    lines = [(serves, rate), (errors, line("p99 ", *p99)), _third(entry, _reason(entry), short)]
    brief = (joined([rate, share, p99], "  "), kind)
    if not node.is_managed:
        unread = line(Span(judge.UNREAD, Role.UNKNOWN))
        told = line(Span(entry.verdict.reason, entry.verdict.role))
        lines = [(serves, BLANK), (told, BLANK)]
        brief = (kind, unread)
    if kind:
        lines.insert(0, (kind, BLANK))
    return Wording(
        lines=tuple(lines),
        brief=brief,
        tags=kind,
        figures=(rate, share, p99, short) if node.is_managed else (BLANK, BLANK, BLANK, BLANK),
        serves=joined([kind, serves], "  "),
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


def _story(entry: GatewayFigures, incoming: Line, drain: Line) -> Line:
    node = entry.node
    listeners = ", ".join(f"{name} :{port} {protocol}" for name, port, protocol in node.listeners)
    controller = f"run by {node.controller or 'no known controller'}"
    return joined(
        [
            line(entry.verdict.mark, Span(f" {node.key}", Role.STRONG)),
            drain,
            line(Span(entry.verdict.reason, entry.verdict.role)) if entry.verdict.reason else BLANK,
            tags(node),
            BLANK if node.is_managed else line(Span(controller, Role.DIM)),
            incoming,
            line(text.plural(len(node.routes), "route")),
            line(Span(f"listens {listeners}", Role.DIM)) if listeners else BLANK,
            _unseen(node),
        ],
        " · ",
    )


def _unseen(node: GatewayNode) -> Line:
    """What lies where nothing is read: the first of it, and how much more there is."""
    if not node.unseen:
        return BLANK
    more = f", and {len(node.unseen) - 1} more" if len(node.unseen) > 1 else ""
    return line(Span(f"{node.unseen[0]}{more}", Role.UNKNOWN))


def _incoming(key: GatewayKey, scene: Scene) -> Line:
    """What is sent to a gateway: seen share of each source, then what its split rules intend."""
    parts: list[Line] = []
    for flow in scene.fleet.flows:
        if not isinstance(flow.hop.target, GatewayKey) or flow.hop.target != key:
            continue
        parts.append(line(f"gets {text.figure(flow.share, text.percent)} of {flow.hop.source}"))
        for split in splits_of(flow, scene):
            seen = text.figure(split.seen, text.percent)
            parts.append(line(Span(f"{split.route} intends {text.percent(split.intended)}, {seen} seen", Role.DIM)))
    return joined(parts, ", ")


ITS_OWN_PORTS = frozenset({"ALB", "HAProxy", "Ingress"})
"""Front doors that listen on ports of their own, which no object of ours names."""


def door_cards(fleet: Fleet, *, qualified: bool) -> list[Card]:
    """One card for all that stands before one gateway."""
    together: dict[NodeId, list[FrontDoor]] = {}
    for door in fleet.front_doors:
        together.setdefault(door_id(door), []).append(door)
    return [_door(node, doors, fleet, qualified=qualified) for node, doors in together.items()]


def _door(node: NodeId, doors: Sequence[FrontDoor], fleet: Fleet, *, qualified: bool) -> Card:
    gateway = doors[0].gateway
    entry = fleet.gateways.get(gateway)
    has_own_ports = {door.kind for door in doors} <= ITS_OWN_PORTS
    listeners = () if entry is None or has_own_ports else entry.node.listeners
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
        rows=len(doors) + bool(ports),
        write=lambda: Wording(
            lines=(*((line(door.name), BLANK) for door in doors), *([(ports, BLANK)] if ports else [])),
            brief=(line(names), BLANK),
            serves=line(names),
        ),
        tell=lambda: joined(
            [
                line(Span(f"{kinds} ", Role.STRONG), names, f" in front of {gateway}"),
                line(f"says {proof}") if proof else BLANK,
                line(Span("not observed itself", Role.DIM)),
            ],
            " · ",
        ),
        name=lambda: f"{node.cluster} {kinds} {names} {gateway}",
        yaml=ObjectKey(service.cluster, "services", service.namespace, service.name) if service else None,
    )
