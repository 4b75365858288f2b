"""The map as a Mermaid flowchart, for places that render Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from gwtui.model.known import Known
from gwtui.views import map_caption as caption
from gwtui.views.fleet_map import DOOR, WORKLOAD, Card, FleetMap, Link, NodeId, fleet_map
from gwtui.views.map_drawing import HEAVY_SHARE
from gwtui.views.scene import Scene
from gwtui.views.spans import Role, plain

_ENTITIES = {ord(each): f"#{ord(each)};" for each in '#"<>&`|\\{}'}
"""Written as Mermaid's own entities wherever they stand: `%%{` would be taken for a directive even in a comment."""

_STYLES = {Role.BAD: "failing", Role.WARN: "degraded", Role.STALE: "degraded", Role.UNKNOWN: "unknown"}
_CLASSES = (
    "classDef failing stroke-width:4px",
    "classDef degraded stroke-width:2px,stroke-dasharray:8 3",
    "classDef unknown stroke-dasharray:2 3",
)
"""Borders alone, no colours: the page that shows the chart may be light or dark."""


def map_mermaid(scene: Scene) -> str:
    """Return the map of all clusters as a `flowchart LR` with a subgraph for every column."""
    shape = fleet_map(scene)
    names = {card.id: f"n{index}" for index, card in enumerate(shape.cards)}
    lines = ["---", f"title: {json.dumps(caption.sentence(scene), ensure_ascii=False)}", "---", "flowchart LR"]
    lines += [f"  %% {_escaped(plain(problem))}" for problem in caption.problems(scene)]
    clusters = sorted({card.id.cluster for card in shape.cards})
    for index, cluster in enumerate(clusters):
        columns = list(_columns(shape, names, cluster, index))
        if len(clusters) > 1:
            columns = [f'subgraph c{index}["{_escaped(cluster)}"]', *(f"  {each}" for each in columns), "end"]
        lines += [f"  {each}" for each in columns]
    lines += [f"  {_edge(link, names)}" for link in shape.links]
    lines += [f"  {each}" for each in (*_CLASSES, *_classes(shape.cards, names))]
    return "\n".join(lines) + "\n"


def _columns(shape: FleetMap, names: dict[NodeId, str], cluster: str, number: int) -> Iterator[str]:
    for column, title in enumerate(shape.titles):
        cards = [card for card in shape.cards if card.column == column and card.id.cluster == cluster]
        if not cards:
            continue
        yield f'subgraph t{number}_{column}["{_escaped(title)}"]'
        yield from (f"  {_node(card, names[card.id])}" for card in cards)
        yield "end"


def _node(card: Card, name: str) -> str:
    state = f"{card.verdict.glyph} " if card.verdict else ""
    word = f" {card.verdict.word}" if card.verdict and card.verdict.rank < 9 else ""
    head = f"{state}{card.title}{word}  {card.badge}"
    body = [" ".join(part for part in (plain(left), plain(right)) if part.strip()) for left, right in card.lines]
    label = "<br/>".join(_escaped(each) for each in (head, *body) if each.strip())
    opening, closing = {DOOR: ("([", "])"), WORKLOAD: ("[[", "]]")}.get(card.id.kind, ("[", "]"))
    return f'{name}{opening}"{label}"{closing}'


def _edge(link: Link, names: dict[NodeId, str]) -> str:
    arrow = "-->"
    if isinstance(link.share, Known):
        arrow = "==>" if link.share.value >= HEAVY_SHARE else "-->" if link.share.value > 0 else "-.->"
    words = [link.label, *(f"{split.route} {split.label}" for split in link.splits)]
    label = "<br/>".join(_escaped(each) for each in words if each)
    middle = f'{arrow}|"{label}"|' if label else arrow
    return f"{names[link.source]} {middle} {names[link.target]}"


def _classes(cards: Iterable[Card], names: dict[NodeId, str]) -> list[str]:
    together: dict[str, list[str]] = {}
    for card in cards:
        style = _STYLES.get(card.verdict.role) if card.verdict else None
        if style:
            together.setdefault(style, []).append(names[card.id])
    return [f"class {','.join(members)} {style}" for style, members in sorted(together.items())]


def _escaped(words: str) -> str:
    return " ".join(caption.printable(words).split()).translate(_ENTITIES)
