"""The map for narrow terminals: the same cards and links as a tree, one row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import NamedTuple

from gwtui.model.known import Known
from gwtui.views import text
from gwtui.views.map_parts import FOLD, Card, FleetMap, Link, NodeId
from gwtui.views.spans import Line, Role, Span, joined, line, pad, width

NAME_CELLS = 27
"""Width of the branch, the name and the share."""
FIGURE_CELLS = 33
"""Width of the badge and the figures."""


@dataclass(frozen=True, eq=False)
class TreeRow:
    """One row of the tree. It is written when it is looked at, and once."""

    node: NodeId
    parent: int
    """Row of the parent; -1 for a root."""
    write: Callable[[], Line] = field(repr=False)

    @cached_property
    def line(self) -> Line:
        """What the row says."""
        return self.write()


def tree(fleet_map: FleetMap) -> list[TreeRow]:
    """The rows in order. A card with several sources stands below the first; the others refer to it."""
    cards = {card.id: card for card in fleet_map.cards}
    children: dict[NodeId, list[Link]] = {}
    for link in sorted(fleet_map.links, key=lambda link: (link.target.is_end, link.target.order)):
        children.setdefault(link.source, []).append(link)
    targets = {link.target for link in fleet_map.links}
    rows: list[TreeRow] = []
    shown: set[NodeId] = set()
    roots = [card.id for card in fleet_map.cards if card.id not in targets]
    for root in [*roots, *cards]:
        if root not in shown:
            _branch(rows, shown, cards, children, _Branch(root, None, "", "", -1))
    return rows


class _Branch(NamedTuple):
    node: NodeId
    link: Link | None
    lead: str
    """Drawn before this row."""
    below: str
    """Drawn before the rows under it."""
    parent: int


def _branch(
    rows: list[TreeRow],
    shown: set[NodeId],
    cards: dict[NodeId, Card],
    children: dict[NodeId, list[Link]],
    branch: _Branch,
) -> None:
    card = cards[branch.node]
    again = branch.node in shown
    rows.append(TreeRow(branch.node, branch.parent, partial(_row, card, branch, again=again)))
    if again:
        return
    shown.add(branch.node)
    here = len(rows) - 1
    links = children.get(branch.node, [])
    for index, link in enumerate(links):
        last = index == len(links) - 1
        stroke = "━" if isinstance(link.share, Known) and link.share.value >= 0.5 else "─"
        lead = f"{branch.below}{'└' if last else '├'}{stroke}"
        below = f"{branch.below}{' ' if last else '│'} "
        _branch(rows, shown, cards, children, _Branch(link.target, link, lead, below, here))


def _row(card: Card, branch: _Branch, *, again: bool) -> Line:
    link = branch.link
    share = (
        Span(f" {link.label}", link.role if link.role is Role.BAD else Role.STRONG)
        if link and link.label and not link.target.is_end
        else Span("")
    )
    mark = card.verdict.mark if card.verdict else Span("▷", Role.DIM)
    title = card.title if branch.parent < 0 else card.title.removeprefix(f"{card.id.cluster} ")
    room = NAME_CELLS - len(branch.lead) - 2 - len(share.text)
    name = (Span(branch.lead, Role.EDGE), mark, Span(" " + text.shorten(title, room), Role.STRONG), share)
    head = pad(line(*name), NAME_CELLS + 1)
    if again:
        return (*head, Span("shown above", Role.DIM))
    said = card.wording
    if not said.figures:
        return (*head, Span(f"{card.badge:<6}" if card.badge else "", Role.DIM), *said.serves)
    if not any(said.figures):
        reason = card.verdict.reason if card.verdict else ""
        return (*head, *pad(line(Span(reason, Role.UNKNOWN)), FIGURE_CELLS), *joined([said.drain, said.serves], " "))
    rate, errors, p99, trend = said.figures
    badge = Span(f"{card.badge.partition(' ')[0]:<5}", Role.TEXT)
    apart = [split for split in link.splits if split.disagrees] if link else []
    tail = joined([said.serves, trend] if said.tags else [trend, said.serves], " ")
    if card.is_sick and card.verdict and not trend and card.id.kind != FOLD:
        tail = joined([said.tags, line(Span(card.verdict.reason, card.verdict.role))], "  ")
    elif apart:
        tail = (Span("  ".join(f"{split.route} {split.label}" for split in apart), Role.WARN),)
    tail = joined([said.drain, tail], " ")
    return (*head, badge, *_right(rate, 9), *_right(errors, 9), *_right(p99, 8), Span("  "), *tail)


def _right(cell: Line, cells: int) -> Line:
    return (Span(" " * max(0, cells - width(cell))), *cell)
