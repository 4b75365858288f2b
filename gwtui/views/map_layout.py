"""Where the cards of the map stand and which way its links run: columns, rows, lanes.

Positions depend on the shape and on the height of the cards alone, never on rates, so nothing moves while figures do.
Clusters stand below each other, each in a band of its own. Within a band, what is connected stands side by side, and a
card that appears is put between the others without changing their order. A link that skips a column passes through it
on a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

from gwtui.views.map_lanes import Span, entries, lanes
from gwtui.views.map_parts import DOOR, OUTSIDE, WORKLOAD, Card, FleetMap, Link, NodeId

LEAST_CARD = {DOOR: 17, WORKLOAD: 22, OUTSIDE: 22}
MOST_CARD = {DOOR: 24, WORKLOAD: 36, OUTSIDE: 36}
LEAST_GATEWAY, MOST_GATEWAY = 25, 36
SPACIOUS = 180
"""Cells from which cards may be wider by half."""
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
    bands: tuple[tuple[str, int], ...] = ()
    """(cluster, row of its name) where there are several."""

    def carrying(self, links: Iterable[Link]) -> Layout:
        """The same layout with the links of another map of the same shape."""
        by_ends = {(link.source, link.target): link for link in links}
        return replace(
            self,
            segments=tuple(
                segment._replace(link=by_ends[segment.link.source, segment.link.target]) for segment in self.segments
            ),
            passes=tuple((place, by_ends[link.source, link.target]) for place, link in self.passes),
        )


class _Gap(NamedTuple):
    """What runs between a column and the next one."""

    hops: tuple[tuple[Stop, Stop, Link], ...]
    entries: Mapping[tuple[Stop, Stop], int]
    lanes: Mapping[Stop, int]

    @property
    def lane_count(self) -> int:
        return max(self.lanes.values(), default=0) + 1

    @property
    def cells(self) -> int:
        """Cells it needs: its lanes, and room for labels where a source divides its traffic."""
        return 1 + self.lane_count + (LABEL_CELLS if any(_needs_label_room(link) for _, _, link in self.hops) else 2)


@dataclass(slots=True)
class _Plan:
    """Stops by column and the hops between them, with the rows of all stops; no widths yet."""

    columns: list[list[Stop]]
    hops: list[tuple[Stop, Stop, Link]] = field(default_factory=list)
    beside: dict[Stop, list[Stop]] = field(default_factory=dict)
    """What each stop is connected with."""
    rows: dict[Stop, Span] = field(default_factory=dict)
    bands: list[tuple[str, int]] = field(default_factory=list)

    def gaps(self) -> list[_Gap]:
        column_of = {stop: index for index, column in enumerate(self.columns) for stop in column}
        parts: list[list[tuple[Stop, Stop, Link]]] = [[] for _ in self.columns[:-1]]
        for hop in self.hops:
            parts[column_of[hop[0]]].append(hop)
        found: list[_Gap] = []
        for part in parts:
            pairs = [(start, end) for start, end, _ in part]
            entered = entries(pairs, self.rows)
            found.append(_Gap(tuple(part), entered, lanes(pairs, self.rows, entered)))
        return found


def least_width(fleet_map: FleetMap) -> int:
    """Cells below which the map cannot be drawn in columns."""
    return sum(_least(kind) for kind in _kinds(fleet_map)) + sum(gap.cells for gap in _plan(fleet_map).gaps()) + 2


def shape(fleet_map: FleetMap) -> object:
    """What a layout depends on: maps of equal shape have equal layouts, but for the links they carry."""
    cards = tuple((card.id, card.column, card.rows) for card in fleet_map.cards)
    return fleet_map.titles, cards, tuple((link.source, link.target, link.is_split) for link in fleet_map.links)


def layout(fleet_map: FleetMap, cells: int) -> Layout:
    """Place every card within `cells` cells of width; the height is what it takes."""
    plan = _plan(fleet_map)
    gaps = plan.gaps()
    columns = _columns(gaps, fleet_map, cells)
    column_of = {stop: index for index, column in enumerate(plan.columns) for stop in column}
    places = {
        stop: Place(columns[column_of[stop]][0], span.y, columns[column_of[stop]][1], span.height)
        for stop, span in plan.rows.items()
    }
    link_of_via = {end: link for _, end, link in plan.hops if isinstance(end, Via)}
    return Layout(
        width=max((x + width for x, width in columns), default=0) + 1,
        height=max((place.y + place.height for place in places.values()), default=0),
        columns=tuple(columns),
        places={stop: place for stop, place in places.items() if isinstance(stop, NodeId)},
        segments=tuple(_segments(gaps, places, columns)),
        passes=tuple((places[via], link) for via, link in link_of_via.items()),
        bands=tuple(plan.bands),
    )


def _plan(fleet_map: FleetMap) -> _Plan:
    column_of = {card.id: card.column for card in fleet_map.cards}
    plan = _Plan([[] for _ in fleet_map.titles])
    for card in fleet_map.cards:
        plan.columns[card.column].append(card.id)
    known: set[tuple[Stop, Stop]] = set()
    for link in fleet_map.links:
        first, last = column_of[link.source], column_of[link.target]
        if last <= first:
            continue
        stops: list[Stop] = [link.source, *(Via(link.source, column) for column in range(first + 1, last)), link.target]
        for start, end in pairwise(stops):
            if (start, end) in known:
                continue
            known.add((start, end))
            plan.hops.append((start, end, link))
            plan.beside.setdefault(start, []).append(end)
            plan.beside.setdefault(end, []).append(start)
            if isinstance(end, Via):
                plan.columns[end.column].append(end)
    _order(plan)
    heights: dict[Stop, int] = {stop: 1 for column in plan.columns for stop in column}
    heights |= {card.id: _height(card) for card in fleet_map.cards}
    _place(plan, heights)
    return plan


def _order(plan: _Plan) -> None:
    """Put what is connected side by side: each column follows the order of the one before it, equals by identity."""
    if plan.columns:
        plan.columns[0].sort(key=_identity)
    for index in range(1, len(plan.columns)):
        before = {stop: position for position, stop in enumerate(plan.columns[index - 1])}

        def weight(stop: Stop, before: Mapping[Stop, int] = before) -> tuple[object, ...]:
            # The first source, not their mean: a card that appears elsewhere cannot change the order of two others.
            first = min((before[each] for each in plan.beside.get(stop, ()) if each in before), default=len(before))
            return _cluster(stop), first, isinstance(stop, Via), _identity(stop)

        plan.columns[index].sort(key=weight)


def _identity(stop: Stop) -> tuple[str, ...]:
    return stop.source.order if isinstance(stop, Via) else stop.order


def _cluster(stop: Stop) -> str:
    return stop.source.cluster if isinstance(stop, Via) else stop.cluster


def _height(card: Card) -> int:
    return card.rows + 2


def _place(plan: _Plan, heights: Mapping[Stop, int]) -> None:
    """Give every stop its rows, one band of rows per cluster."""
    top = 0
    clusters = sorted({_cluster(stop) for column in plan.columns for stop in column})
    for cluster in clusters:
        if len(clusters) > 1:
            plan.bands.append((cluster, top))
            top += 1
        band = [[stop for stop in column if _cluster(stop) == cluster] for column in plan.columns]
        rows = _rows(band, plan.beside, heights)
        plan.rows |= {stop: Span(top + y, heights[stop]) for stop, y in rows.items()}
        top += max(y + heights[stop] for stop, y in rows.items())


def _rows(
    columns: Sequence[Sequence[Stop]], beside: Mapping[Stop, Sequence[Stop]], heights: Mapping[Stop, int]
) -> dict[Stop, int]:
    """The tallest column is packed; the others stand beside the middle of what they are connected with."""
    totals = [sum(heights[stop] for stop in column) for column in columns]
    tallest = totals.index(max(totals))
    rows: dict[Stop, int] = {}
    for index in [tallest, *range(tallest - 1, -1, -1), *range(tallest + 1, len(columns))]:
        wanted: dict[Stop, float] = {}
        for stop in columns[index]:
            middles = [rows[other] + heights[other] / 2 for other in beside.get(stop, ()) if other in rows]
            if middles:
                wanted[stop] = sum(middles) / len(middles) - heights[stop] / 2
        _stack(columns[index], heights, rows, wanted, totals[tallest])
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
    """What each column holds: the widths of cards depend on it."""
    kinds = [DOOR if title == "FRONT DOOR" else "" for title in fleet_map.titles]
    for card in fleet_map.cards:
        if card.id.is_end:
            kinds[-1] = WORKLOAD
    return kinds


def _least(kind: str) -> int:
    return LEAST_CARD.get(kind, LEAST_GATEWAY)


def is_labelled(link: Link) -> bool:
    """Whether the share of a link says something: its source divides its traffic between gateways."""
    return bool(link.label) and not link.target.is_end


def _needs_label_room(link: Link) -> bool:
    """Whether the link may get a label, now or when its share becomes known."""
    return not link.target.is_end and link.source.kind != DOOR


def _columns(gaps: Sequence[_Gap], fleet_map: FleetMap, cells: int) -> list[tuple[int, int]]:
    kinds = _kinds(fleet_map)
    widths = [_least(kind) for kind in kinds]
    between = [gap.cells for gap in gaps]
    spare = cells - 2 - sum(widths) - sum(between)
    for index, gap in enumerate(gaps):
        if spare >= SPLIT_CELLS - LABEL_CELLS and any(
            link.is_split and _needs_label_room(link) for _, _, link in gap.hops
        ):
            between[index] += SPLIT_CELLS - LABEL_CELLS
            spare -= SPLIT_CELLS - LABEL_CELLS
    while spare > 0 and any(width < _most(kind, cells) for width, kind in zip(widths, kinds, strict=True)):
        for index, kind in enumerate(kinds):
            if spare > 0 and widths[index] < _most(kind, cells):
                widths[index] += 1
                spare -= 1
    columns: list[tuple[int, int]] = []
    x = 1
    for index, width in enumerate(widths):
        columns.append((x, width))
        x += width + (between[index] if index < len(between) else 0)
    return columns


def _most(kind: str, cells: int) -> int:
    most = MOST_CARD.get(kind, MOST_GATEWAY)
    return most * 3 // 2 if cells >= SPACIOUS else most


def _segments(
    gaps: Sequence[_Gap], places: Mapping[Stop, Place], columns: Sequence[tuple[int, int]]
) -> Iterable[Segment]:
    for index, gap in enumerate(gaps):
        gap_x = columns[index][0] + columns[index][1]
        for start, end, link in gap.hops:
            yield Segment(
                start=(gap_x, places[start].middle),
                lane=gap_x + 1 + gap.lanes[start],
                end=(columns[index + 1][0] - 1, gap.entries[start, end]),
                link=link,
                arrives=isinstance(end, NodeId),
                label_x=gap_x + 2 + gap.lane_count,
            )
