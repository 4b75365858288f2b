"""Which card an arrow key leads to."""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.views.map_layout import Layout
from gwtui.views.map_parts import FleetMap, NodeId
from gwtui.views.map_tree import TreeRow


def walk(fleet_map: FleetMap, layout: Layout, start: NodeId | None, direction: str) -> NodeId | None:
    """The next card on the drawn map: along links sideways, within the column up and down; None when there is none."""
    place = layout.places.get(start) if start else None
    if start is None or place is None:
        return fleet_map.cards[0].id if fleet_map.cards else None
    columns = {card.id: card.column for card in fleet_map.cards}
    column = sorted(
        (node for node in columns if columns[node] == columns[start]), key=lambda node: layout.places[node].y
    )
    here = column.index(start)
    if direction in ("up", "down"):
        step = here + (1 if direction == "down" else -1)
        return column[step] if 0 <= step < len(column) else None
    if direction in ("first", "last"):
        return (min if direction == "first" else max)(columns, key=lambda node: layout.places[node][:2])
    linked = {
        link.target if direction == "right" else link.source
        for link in fleet_map.links
        if (link.source if direction == "right" else link.target) == start
    }
    beside = columns[start] + (1 if direction == "right" else -1)
    candidates = linked or {node for node, index in columns.items() if index == beside}
    return min(candidates, key=lambda node: (abs(layout.places[node].middle - place.middle), node), default=None)


def walk_tree(rows: Sequence[TreeRow], start: NodeId | None, direction: str) -> NodeId | None:
    """The next card in the tree: up and down by rows, left to the parent, right to the first child."""
    if not rows:
        return None
    here = next((index for index, row in enumerate(rows) if row.node == start), 0)
    step = {"up": here - 1, "down": here + 1, "first": 0, "last": len(rows) - 1, "left": rows[here].parent}.get(
        direction
    )
    if direction == "right":
        step = next((index for index, row in enumerate(rows) if row.parent == here), -1)
    return rows[step].node if step is not None and 0 <= step < len(rows) else None
