"""Where the cards of the map stand and which way its links run: columns, rows, lanes.

Positions depend on the shape and on the height of the cards alone, never on rates, so nothing moves while figures do.
A link that skips a column passes through it on a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from gwtui.views.fleet_map import DOOR, WORKLOAD, Card, FleetMap, Link, NodeId

LEAST_CARD = {DOOR: 17, WORKLOAD: 22}
MOST_CARD = {DOOR: 24, WORKLOAD: 36}
LEAST_GATEWAY, MOST_GATEWAY = 25, 36
LABEL_CELLS = 8
"""Room for ` 71% ✖ ▶` between the lanes and the target."""
SPLIT_CELLS = 16
"""Room in which the weights of split rules can be written as well."""


class Place(NamedTuple):
    """Where a card stands, in cells."""

    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        """The row its outgoing traffic leaves on."""
        return self.y + self.height // 2


class Via(NamedTuple):
    """The row on which links of one source pass a column."""

    source: NodeId
    column: int


Stop = NodeId | Via


class Segment(NamedTuple):
    """The part of a link between two neighbouring columns."""

    start: tuple[int, int]
    lane: int
    """Column of cells in which it changes rows."""
    end: tuple[int, int]
    link: Link
    arrives: bool
    """Whether it ends at the target's border, where the arrow and the label are."""
    label_x: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Everything the drawing needs."""

    width: int
    height: int
    columns: tuple[tuple[int, int], ...]
    """(x, width) of each column."""
    places: Mapping[NodeId, Place]
    segments: tuple[Segment, ...]
    passes: tuple[tuple[Place, Link], ...]
    """Rows on which links pass a column."""


@dataclass(slots=True)
class _Plan:
    """Stops by column and the hops between them, while the layout is being made."""

    columns: list[list[Stop]]
    hops: list[tuple[Stop, Stop, Link]] = field(default_factory=list)

    def neighbours(self, stop: Stop, placed: Iterable[Stop]) -> list[Stop]:
        known = set(placed)
        return [
            other
            for start, end, _ in self.hops
            for here, other in ((start, end), (end, start))
            if here == stop and other in known
        ]


def least_width(fleet_map: FleetMap) -> int:
    """Cells below which the map cannot be drawn in columns."""
    plan = _plan(fleet_map)
    return sum(_least(kind) for kind in _kinds(fleet_map)) + sum(_gaps(plan)) + 2


def layout(fleet_map: FleetMap, cells: int) -> Layout:
    """Place every card within `cells` cells of width; the height is what it takes."""
    plan = _plan(fleet_map)
    cards = {card.id: card for card in fleet_map.cards}
    heights: dict[Stop, int] = {stop: _height(stop, cards) for column in plan.columns for stop in column}
    rows = _rows(plan, heights)
    columns = _columns(plan, fleet_map, cells)
    column_of = {stop: index for index, column in enumerate(plan.columns) for stop in column}
    places = {stop: Place(*columns[column_of[stop]], 0, 0) for stop in heights}
    places = {
        stop: Place(columns[column_of[stop]][0], rows[stop], columns[column_of[stop]][1], heights[stop])
        for stop in heights
    }
    link_of_via = {end: link for _, end, link in plan.hops if isinstance(end, Via)}
    return Layout(
        width=max((x + width for x, width in columns), default=0) + 1,
        height=max((place.y + place.height for place in places.values()), default=0),
        columns=tuple(columns),
        places={stop: place for stop, place in places.items() if isinstance(stop, NodeId)},
        segments=tuple(_segments(plan, places, columns)),
        passes=tuple((places[via], link) for via, link in link_of_via.items()),
    )


def _plan(fleet_map: FleetMap) -> _Plan:
    column_of = {card.id: card.column for card in fleet_map.cards}
    plan = _Plan([[] for _ in fleet_map.titles])
    for card in fleet_map.cards:
        plan.columns[card.column].append(card.id)
    for link in fleet_map.links:
        first, last = column_of[link.source], column_of[link.target]
        if last <= first:
            continue
        stops: list[Stop] = [link.source, *(Via(link.source, column) for column in range(first + 1, last)), link.target]
        for column, stop in enumerate(stops, start=first):
            if isinstance(stop, Via) and stop not in plan.columns[column]:
                plan.columns[column].append(stop)
        for start, end in pairwise(stops):
            if isinstance(end, NodeId) or all((start, end) != (other[0], other[1]) for other in plan.hops):
                plan.hops.append((start, end, link))
    _order(plan)
    return plan


def _order(plan: _Plan) -> None:
    """Put what is connected side by side: each column follows the order of the one before it, equals by identity."""
    for index in range(1, len(plan.columns)):
        before = {stop: position for position, stop in enumerate(plan.columns[index - 1])}
        sources: dict[Stop, list[int]] = {}
        for start, end, _ in plan.hops:
            if start in before:
                sources.setdefault(end, []).append(before[start])

        def weight(stop: Stop, sources: Mapping[Stop, list[int]] = sources) -> tuple[float, bool, tuple[object, ...]]:
            found = sources.get(stop)
            mean = sum(found) / len(found) if found else float("inf")
            return mean, isinstance(stop, Via), tuple(map(str, stop))

        plan.columns[index].sort(key=weight)


def _height(stop: Stop, cards: Mapping[NodeId, Card]) -> int:
    return 1 if isinstance(stop, Via) else len(cards[stop].lines) + 2


def _rows(plan: _Plan, heights: Mapping[Stop, int]) -> dict[Stop, int]:
    """The tallest column is packed; the others stand beside the middle of what they are connected with."""
    totals = [sum(heights[stop] for stop in column) for column in plan.columns]
    if not totals:
        return {}
    tallest = totals.index(max(totals))
    limit = totals[tallest]
    rows: dict[Stop, int] = {}
    _stack(plan.columns[tallest], heights, rows, {}, limit)
    for index in [*range(tallest - 1, -1, -1), *range(tallest + 1, len(plan.columns))]:
        wanted: dict[Stop, float] = {}
        for stop in plan.columns[index]:
            middles = [rows[other] + heights[other] / 2 for other in plan.neighbours(stop, rows)]
            if middles:
                wanted[stop] = sum(middles) / len(middles) - heights[stop] / 2
        _stack(plan.columns[index], heights, rows, wanted, limit)
    return rows


def _stack(
    column: Sequence[Stop], heights: Mapping[Stop, int], rows: dict[Stop, int], wanted: Mapping[Stop, float], limit: int
) -> None:
    free = 0
    for stop in column:
        rows[stop] = max(free, round(wanted.get(stop, free)))
        free = rows[stop] + heights[stop]
    floor = limit
    for stop in reversed(column):
        rows[stop] = min(rows[stop], floor - heights[stop])
        floor = rows[stop]


def _kinds(fleet_map: FleetMap) -> list[str]:
    kinds = ["gateway"] * len(fleet_map.titles)
    for card in fleet_map.cards:
        kinds[card.column] = card.id.kind
    return kinds


def _least(kind: str) -> int:
    return LEAST_CARD.get(kind, LEAST_GATEWAY)


def _gaps(plan: _Plan) -> list[int]:
    """Cells each gap needs: one lane per source, and room for labels where a source divides its traffic."""
    gaps: list[int] = []
    for column in plan.columns[:-1]:
        hops = [(start, link) for start, _, link in plan.hops if start in column]
        lanes = len({start for start, _ in hops})
        labelled = any(is_labelled(link) for _, link in hops)
        gaps.append(1 + max(lanes, 1) + (LABEL_CELLS if labelled else 2))
    return gaps


def is_labelled(link: Link) -> bool:
    """Whether the share of a link says something: its source divides its traffic between gateways."""
    return bool(link.label) and link.target.kind != WORKLOAD


def _columns(plan: _Plan, fleet_map: FleetMap, cells: int) -> list[tuple[int, int]]:
    kinds = _kinds(fleet_map)
    widths = [_least(kind) for kind in kinds]
    gaps = _gaps(plan)
    spare = cells - 2 - sum(widths) - sum(gaps)
    for index, column in enumerate(plan.columns[:-1]):
        if spare >= SPLIT_CELLS - LABEL_CELLS and any(
            start in column and link.splits and is_labelled(link) for start, _, link in plan.hops
        ):
            gaps[index] += SPLIT_CELLS - LABEL_CELLS
            spare -= SPLIT_CELLS - LABEL_CELLS
    while spare > 0 and any(width < _most(kind) for width, kind in zip(widths, kinds, strict=True)):
        for index, kind in enumerate(kinds):
            if spare > 0 and widths[index] < _most(kind):
                widths[index] += 1
                spare -= 1
    columns: list[tuple[int, int]] = []
    x = 1
    for index, width in enumerate(widths):
        columns.append((x, width))
        x += width + (gaps[index] if index < len(gaps) else 0)
    return columns


def _most(kind: str) -> int:
    return MOST_CARD.get(kind, MOST_GATEWAY)


def _segments(plan: _Plan, places: Mapping[Stop, Place], columns: Sequence[tuple[int, int]]) -> list[Segment]:
    segments: list[Segment] = []
    for index, column in enumerate(plan.columns[:-1]):
        hops = [hop for hop in plan.hops if hop[0] in column]
        sources = sorted({start for start, _, _ in hops}, key=lambda stop: places[stop].y)
        gap_x = columns[index][0] + columns[index][1]
        lanes = {source: gap_x + 1 + position for position, source in enumerate(sources)}
        entries = _entries(hops, places)
        for start, end, link in hops:
            segments.append(
                Segment(
                    start=(gap_x, places[start].middle),
                    lane=lanes[start],
                    end=(columns[index + 1][0] - 1, entries[start, end]),
                    link=link,
                    arrives=isinstance(end, NodeId),
                    label_x=gap_x + 2 + len(sources),
                )
            )
    return segments


def _entries(hops: Sequence[tuple[Stop, Stop, Link]], places: Mapping[Stop, Place]) -> dict[tuple[Stop, Stop], int]:
    """On which row each hop enters its target: straight where possible, otherwise a row nobody else uses."""
    leaving = {start: places[start].middle for start, _, _ in hops}
    taken: set[tuple[Stop, int]] = set()
    entries: dict[tuple[Stop, Stop], int] = {}
    for start, end, _ in sorted(hops, key=lambda hop: (places[hop[1]].y, places[hop[0]].y)):
        place = places[end]
        inside = range(place.y + 1, place.y + place.height - 1) if place.height > 2 else range(place.y, place.y + 1)
        others = {row for stop, row in leaving.items() if stop != start}

        def cost(
            row: int, end: Stop = end, start: Stop = start, others: set[int] = others, place: Place = place
        ) -> tuple[int, ...]:
            return (
                (end, row) in taken,
                row in others,
                row != leaving[start],
                abs(row - place.middle),
            )

        entries[start, end] = min(inside, key=cost)
        taken.add((end, entries[start, end]))
    return entries
