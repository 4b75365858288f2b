"""Making a map fit: where a column has more cards than rows, they get brief, then fold into one card per namespace.

What folds is decided by how many cards there are and how much room, never by figures. A column that was made brief or
folded stays so while the same part of the fleet is looked at: nothing opens by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from gwtui.model.known import Known, Unknown
from gwtui.views import judge, text
from gwtui.views.fleet import Rate, added
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
    NodeId,
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


def fit(whole: FleetMap, folds: Folds, rows: int, *, boxes: bool) -> tuple[FleetMap, Folds]:
    """The map reduced until every column fits, as far as that is possible; and what to reduce it by the next time.

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
    cards: list[Card] = []
    within: dict[NodeId, NodeId] = {}
    for index, column in sorted(columns.items()):
        reduced[index] = _room(column, fold_of, rows, folds.columns.get(index, Room.FULL), boxes=boxes)
        shown, hidden = _reduced(column, fold_of, folds, reduced[index])
        cards += shown
        within |= hidden
    fitted = FleetMap(titles=whole.titles, cards=tuple(cards), links=_merged(whole.links, within), within=within)
    return fitted, replace(folds, columns=reduced)


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
            shown, _ = _reduced(column, fold_of, Folds(), room)
            if (sum(len(card.lines) + 2 for card in shown) if boxes else len(shown)) <= rows:
                return room
    return Room.TIGHT


def _reduced(
    column: Sequence[Card], fold_of: Mapping[NodeId, NodeId], folds: Folds, room: Room
) -> tuple[list[Card], dict[NodeId, NodeId]]:
    shown: list[Card] = []
    folded: dict[NodeId, list[Card]] = {}
    for card in column:
        fold = fold_of.get(card.id)
        is_closed = fold in folds.closed or (room >= Room.FOLDED and fold not in folds.opened)
        if fold is not None and is_closed:
            folded.setdefault(fold, []).append(card)
        else:
            shown.append(card if room is Room.FULL else replace(card, lines=(card.brief,)))
    shown += [_fold(fold, members, is_brief=room is Room.TIGHT) for fold, members in folded.items()]
    hidden = {card.id: fold for fold, members in folded.items() for card in members}
    return sorted(shown, key=lambda card: (card.column, card.id)), hidden


def _fold(node: NodeId, members: Sequence[Card], *, is_brief: bool) -> Card:
    kind = members[0].id.kind
    count = text.plural(len(members), *_NOUNS[kind])
    load = together([member.load for member in members])
    sick = sorted((member for member in members if member.is_sick), key=_attention)
    verdict = sick[0].verdict if sick else members[0].verdict
    rate = line(Span(text.figure(load.rps, text.rps) if isinstance(load.rps, Known) else "– rps", Role.STRONG))
    silent = sum(isinstance(member.load.rps, Unknown) for member in members)
    coverage = line(Span(f"{silent} unknown", Role.UNKNOWN)) if silent and silent < len(members) else BLANK
    errors = line(judge.error_span(load.error_ratio, suffix=" err"))
    p99 = line(f"p99 ≤ {text.figure(load.p99_ms, text.ms)}") if isinstance(load.p99_ms, Known) else BLANK
    worst = _worst(sick[:1])
    figures = joined([rate, errors, coverage], "  ")
    space = node.namespace if kind not in ENDS else f"of {node.namespace or 'nobody'}"
    qualified = members[0].title.startswith(f"{node.cluster} ")
    brief = (joined([rate, worst], "  ") if worst else figures, BLANK)
    told = joined([_worst(sick[:WORST_SHOWN]), _more(len(sick) - WORST_SHOWN)], " · ")
    return Card(
        id=node,
        column=members[0].column,
        title=f"{node.cluster} {space}" if qualified else space,
        verdict=verdict,
        badge=f"+{count}",
        lines=(brief,)
        if is_brief
        else ((figures, p99), (worst or line(Span("none is sick", Role.DIM)), _more(len(sick) - 1))),
        brief=brief,
        figures=(rate, line(judge.error_span(load.error_ratio)), line(text.figure(load.p99_ms, text.ms)), BLANK),
        serves=told or line(count),
        words=joined(
            [
                line(*((verdict.mark, Span(" ")) if verdict else ()), Span(space, Role.STRONG), f": {count}"),
                figures,
                told or line(Span("none is sick", Role.DIM)),
            ],
            " · ",
        ),
        search="",
        load=load,
    )


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


def _merged(links: Iterable[Link], within: Mapping[NodeId, NodeId]) -> tuple[Link, ...]:
    """The links between what is shown. Those of folded cards count together, each by what it carries."""
    if not within:
        return tuple(links)
    pairs: dict[tuple[NodeId, NodeId], list[Link]] = {}
    sent: dict[NodeId, list[Rate]] = {}
    for link in links:
        source, target = within.get(link.source, link.source), within.get(link.target, link.target)
        if isinstance(link.share, Known):
            sent.setdefault(source, []).append(link.rps)
        pairs.setdefault((source, target), []).append(link)
    totals = {source: added(rates, UNOBSERVED) for source, rates in sent.items()}
    return tuple(
        _one(pair, parts, totals.get(pair[0], UNOBSERVED))
        for pair, parts in sorted(pairs.items())
        if pair[0] != pair[1]
    )


def _one(pair: tuple[NodeId, NodeId], parts: Sequence[Link], total: Rate) -> Link:
    if len(parts) == 1 and pair == (parts[0].source, parts[0].target):
        return parts[0]
    rps = added([part.rps for part in parts if isinstance(part.share, Known)], UNOBSERVED)
    share: Rate = UNOBSERVED
    if isinstance(rps, Known) and isinstance(total, Known):
        is_flowing = total.value > 0
        share = Known(rps.value / total.value, rps.observed_at) if is_flowing else Unknown("no requests in the window")
    failing = any(part.role is Role.BAD for part in parts)
    return Link(source=pair[0], target=pair[1], share=share, role=Role.BAD if failing else Role.EDGE, rps=rps)
