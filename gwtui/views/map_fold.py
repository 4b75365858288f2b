"""Making a map fit: where a column has more cards than rows, they get brief, then fold into one card per namespace.

What folds is decided by how many cards there are and how much room, never by figures. A column that was made brief or
folded stays so while the same part of the fleet is looked at: nothing opens by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

from gwtui.model.known import Known, Unknown
from gwtui.model.totals import summed
from gwtui.model.traffic import Rate
from gwtui.views import judge, text
from gwtui.views.judge import Verdict
from gwtui.views.map_parts import (
    DOOR,
    ENDS,
    FOLD,
    GATEWAY,
    OUTSIDE,
    UNOBSERVED,
    WORKLOAD,
    Card,
    FleetMap,
    Link,
    Load,
    NodeId,
    Stream,
    Wording,
    together,
)
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line

_NOUNS = {
    DOOR: ("front door", "front doors"),
    GATEWAY: ("gateway", "gateways"),
    WORKLOAD: ("ns", "ns"),
    OUTSIDE: ("host", "hosts"),
}
WORST_SHOWN = 3
"""Sick cards the selection line names for a fold."""


class Room(IntEnum):
    """How much of its cards a column shows."""

    FULL = 0
    BRIEF = 1
    """One line of body."""
    FOLDED = 2
    """Namespaces of more than one card are one card."""
    TIGHT = 3
    """Folded, and the cards of folds are brief as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folds:
    """What the operator opened and closed, and how far each column was reduced already."""

    opened: frozenset[NodeId] = frozenset()
    closed: frozenset[NodeId] = frozenset()
    columns: Mapping[int, Room] = field(default_factory=dict)
    """By column; kept while the same part of the fleet is looked at in a window of the same size."""

    def open(self, fold: NodeId) -> Folds:
        """With the fold open."""
        return replace(self, opened=self.opened | {fold}, closed=self.closed - {fold})

    def close(self, fold: NodeId) -> Folds:
        """With the fold closed."""
        return replace(self, opened=self.opened - {fold}, closed=self.closed | {fold})

    def afresh(self) -> Folds:
        """For another part of the fleet, or another window: columns are reduced as far as needed now."""
        return replace(self, columns={})


class _Shown(NamedTuple):
    """A card of a reduced map."""

    node: NodeId
    rows: int
    """Lines of its body."""
    is_brief: bool
    members: tuple[NodeId, ...] = ()
    """What a fold stands for; empty for any other card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """How a map is reduced: the same for every map of the same shape, whatever its figures are."""

    cards: tuple[_Shown, ...]
    within: Mapping[NodeId, NodeId]
    """The fold of every card that is folded away."""
    links: tuple[tuple[NodeId, NodeId, tuple[int, ...]], ...]
    """What is linked, and the positions of the links that count together."""

    def of(self, whole: FleetMap) -> FleetMap:
        """The map, reduced."""
        if not self.within and not any(shown.is_brief for shown in self.cards):
            return whole
        cards = [_card(shown, whole.by_id) for shown in self.cards]
        links = _merged(whole.links, self) if self.within else whole.links
        return FleetMap(titles=whole.titles, cards=tuple(cards), links=links, within=self.within)


def fit(whole: FleetMap, folds: Folds, rows: int, *, boxes: bool) -> tuple[FleetMap, Folds]:
    """The map reduced as `fitting` says; and what to reduce it by the next time."""
    found, folds = fitting(whole, folds, rows, boxes=boxes)
    return found.of(whole), folds


def fitting(whole: FleetMap, folds: Folds, rows: int, *, boxes: bool) -> tuple[Fitting, Folds]:
    """How to reduce a map until every column fits, as far as that is possible; and what to reduce it by the next time.

    Args:
        whole: The map to show.
        folds: What was decided before.
        rows: Rows a column has.
        boxes: Whether cards are drawn as boxes; otherwise each takes one row and there is nothing to make brief.
    """
    fold_of = _fold_of(whole)
    columns: dict[int, list[Card]] = {}
    for card in whole.cards:
        columns.setdefault(card.column, []).append(card)
    reduced: dict[int, Room] = {}
    cards: list[_Shown] = []
    for index, column in sorted(columns.items()):
        reduced[index] = _room(column, fold_of, rows, folds.columns.get(index, Room.FULL), boxes=boxes)
        cards += _reduced(column, fold_of, folds, reduced[index])
    within = {member: shown.node for shown in cards for member in shown.members}
    pairs: dict[tuple[NodeId, NodeId], list[int]] = {}
    for position, link in enumerate(whole.links):
        pair = within.get(link.source, link.source), within.get(link.target, link.target)
        if pair[0] != pair[1]:
            pairs.setdefault(pair, []).append(position)
    links = tuple((source, target, tuple(found)) for (source, target), found in sorted(pairs.items()))
    return Fitting(cards=tuple(cards), within=within, links=links), replace(folds, columns=reduced)


def fold_id(whole: FleetMap, node: NodeId) -> NodeId | None:
    """The fold a card belongs to, open or closed; None when it would be alone in it, or is not on the map."""
    return _fold_of(whole).get(node)


def _fold_of(whole: FleetMap) -> dict[NodeId, NodeId]:
    """Gateways fold by their namespace. Namespaces and hosts fold by the namespaces of the gateways before them."""
    sources: dict[NodeId, set[str]] = {}
    for link in whole.links:
        if link.target.kind in ENDS:
            sources.setdefault(link.target, set()).add(link.source.namespace)
    members: dict[NodeId, list[NodeId]] = {}
    for card in whole.cards:
        kind, cluster, space, _ = card.id
        place = kind
        if kind in ENDS:
            space = " + ".join(sorted(sources.get(card.id, ())))
        elif kind == GATEWAY:
            place = whole.titles[card.column].partition(" · ")[0]
        members.setdefault(NodeId(FOLD, cluster, space, place), []).append(card.id)
    return {node: fold for fold, nodes in members.items() if len(nodes) > 1 for node in nodes}


def _room(column: Sequence[Card], fold_of: Mapping[NodeId, NodeId], rows: int, least: Room, *, boxes: bool) -> Room:
    """How far a column must be reduced, whatever the operator opened or closed in it."""
    for room in Room:
        if room >= least:
            shown = _reduced(column, fold_of, Folds(), room)
            if (sum(card.rows + 2 for card in shown) if boxes else len(shown)) <= rows:
                return room
    return Room.TIGHT


def _reduced(column: Sequence[Card], fold_of: Mapping[NodeId, NodeId], folds: Folds, room: Room) -> list[_Shown]:
    shown: list[_Shown] = []
    folded: dict[NodeId, list[NodeId]] = {}
    for card in column:
        fold = fold_of.get(card.id)
        is_closed = fold in folds.closed or (room >= Room.FOLDED and fold not in folds.opened)
        if fold is not None and is_closed:
            folded.setdefault(fold, []).append(card.id)
        else:
            is_full = room is Room.FULL
            shown.append(_Shown(card.id, card.rows if is_full else 1, is_brief=not is_full))
    is_tight = room is Room.TIGHT
    shown += [
        _Shown(fold, 1 if is_tight else _FOLD_ROWS, is_brief=is_tight, members=tuple(members))
        for fold, members in folded.items()
    ]
    return sorted(shown)


def _card(shown: _Shown, by_id: Mapping[NodeId, Card]) -> Card:
    if shown.members:
        return _fold(shown.node, [by_id[member] for member in shown.members], is_brief=shown.is_brief)
    card = by_id[shown.node]
    return card.in_brief if shown.is_brief else card


def _fold(node: NodeId, members: Sequence[Card], *, is_brief: bool) -> Card:
    kind = members[0].id.kind
    load = together([member.load for member in members])
    sick = sorted((member for member in members if member.is_sick), key=_attention)
    space = node.namespace if kind not in ENDS else f"of {node.namespace or 'nobody'}"
    qualified = members[0].title.startswith(f"{node.cluster} ")
    fold = _Fold(members, sick, load, text.plural(len(members), *_NOUNS[kind]))
    verdict = sick[0].verdict if sick else members[0].verdict
    return Card(
        id=node,
        column=members[0].column,
        title=f"{node.cluster} {space}" if qualified else space,
        verdict=verdict,
        badge=f"+{fold.counted}",
        rows=1 if is_brief else _FOLD_ROWS,
        write=fold.wording,
        tell=lambda: fold.story(space, verdict),
        load=load,
        is_brief=is_brief,
    )


_FOLD_ROWS = 2
"""Lines in the body of a fold, where there is room."""


class _Fold(NamedTuple):
    """What is written on a card that stands for several."""

    members: Sequence[Card]
    sick: Sequence[Card]
    """The worst first."""
    load: Load
    counted: str
    """`10 gateways`."""

    def wording(self) -> Wording:
        load, sick, rate, figures = self.load, self.sick, self._rate(), self._figures()
        p99 = line(f"p99 ≤ {text.figure(load.p99_ms, text.ms)}") if isinstance(load.p99_ms, Known) else BLANK
        worst = _worst(sick[:1])
        return Wording(
            lines=((figures, p99), (worst or line(Span("none is sick", Role.DIM)), _more(len(sick) - 1))),
            brief=(joined([rate, worst], "  ") if worst else figures, BLANK),
            figures=(rate, line(judge.error_span(load.error_ratio)), line(text.figure(load.p99_ms, text.ms)), BLANK),
            serves=self._told() or line(self.counted),
        )

    def story(self, space: str, verdict: Verdict | None) -> Line:
        mark = (verdict.mark, Span(" ")) if verdict else ()
        return joined(
            [
                line(*mark, Span(space, Role.STRONG), f": {self.counted}"),
                self._figures(),
                self._told() or line(Span("none is sick", Role.DIM)),
            ],
            " · ",
        )

    def _told(self) -> Line:
        return joined([_worst(self.sick[:WORST_SHOWN]), _more(len(self.sick) - WORST_SHOWN)], " · ")

    def _rate(self) -> Line:
        rps = self.load.rps
        return line(Span(text.figure(rps, text.rps) if isinstance(rps, Known) else "– rps", Role.STRONG))

    def _figures(self) -> Line:
        silent = sum(isinstance(member.load.rps, Unknown) for member in self.members)
        is_partial = 0 < silent < len(self.members)
        coverage = line(Span(f"{silent} unknown", Role.UNKNOWN)) if is_partial else BLANK
        errors = line(judge.error_span(self.load.error_ratio, suffix=" err"))
        return joined([self._rate(), errors, coverage], "  ")


def _attention(card: Card) -> tuple[int, NodeId]:
    return (card.verdict.rank if card.verdict else 9, card.id)


def _worst(sick: Iterable[Card]) -> Line:
    parts = [
        line(card.verdict.mark, Span(f" {card.id.name or card.id.namespace} {card.verdict.word}", card.verdict.role))
        for card in sick
        if card.verdict
    ]
    return joined(parts, ", ")


def _more(number: int) -> Line:
    return line(Span(f"and {number} more", Role.DIM)) if number > 0 else BLANK


def _merged(links: Sequence[Link], fitted: Fitting) -> tuple[Link, ...]:
    """The links between what is shown. Those of folded cards count together, each by what it carries."""
    sent: dict[NodeId, _Sent] = {}
    for link in links:
        source = fitted.within.get(link.source, link.source)
        sent.setdefault(source, _Sent()).links.append(link)
    return tuple(
        _one((source, target), [links[position] for position in positions], sent[source])
        for source, target, positions in fitted.links
    )


@dataclass(frozen=True, eq=False)
class _Sent:
    """Everything one card sends."""

    links: list[Link] = field(default_factory=list)

    @cached_property
    def rps(self) -> Rate:
        return summed([link.rps for link in self.links if isinstance(link.share, Known)], UNOBSERVED)


def _one(pair: tuple[NodeId, NodeId], parts: Sequence[Link], sent: _Sent) -> Link:
    if len(parts) == 1 and pair == (parts[0].source, parts[0].target):
        return parts[0]
    return Link(source=pair[0], target=pair[1], measure=lambda: _stream(parts, sent.rps))


def _stream(parts: Sequence[Link], total: Rate) -> Stream:
    rps = summed([part.rps for part in parts if isinstance(part.share, Known)], UNOBSERVED)
    share: Rate = UNOBSERVED
    if isinstance(rps, Known) and isinstance(total, Known):
        is_flowing = total.value > 0
        share = Known(rps.value / total.value, rps.observed_at) if is_flowing else Unknown("no requests in the window")
    failing = any(part.role is Role.BAD for part in parts)
    return Stream(share, Role.BAD if failing else Role.EDGE, rps)
