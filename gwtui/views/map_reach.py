"""Parts of the map: what matches a filter, what a card touches, each with everything upstream and downstream of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gwtui.views.map_parts import FleetMap, Link, NodeId
from gwtui.views.matching import matches


def filtered(whole: FleetMap, pattern: str) -> FleetMap:
    """The cards that match, and everything upstream and downstream of them."""
    if not pattern.strip():
        return whole
    return touching(whole, (card.id for card in whole.cards if matches(pattern, card.search)))


def touching(whole: FleetMap, nodes: Iterable[NodeId]) -> FleetMap:
    """The cards of these identities, and everything upstream and downstream of them."""
    start = {node for node in nodes if node in whole.by_id}
    downstream = _reach(start, _neighbours(whole.links, reverse=False))
    upstream = _reach(start, _neighbours(whole.links, reverse=True))
    return whole.only(start | downstream | upstream)


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
