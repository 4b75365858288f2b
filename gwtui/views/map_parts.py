"""What the map is made of: cards in columns, and the links traffic takes between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.known import Known, Unknown
from gwtui.model.totals import NOTHING, total_rates
from gwtui.model.traffic import Rate
from gwtui.views import text
from gwtui.views.judge import Verdict
from gwtui.views.spans import BLANK, Line, Role

DOOR, GATEWAY, WORKLOAD, OUTSIDE, FOLD = "front door", "gateway", "workload", "outside", "fold"
"""Kinds of cards."""

ENDS = (WORKLOAD, OUTSIDE)
"""Kinds of the cards where traffic ends."""

AGREES_WITHIN = 0.05
"""Difference between the intended and the observed share of a rule that chance explains."""


class NodeId(NamedTuple):
    """Identity of a card, the same from one snapshot to the next."""

    kind: str
    cluster: str
    namespace: str
    name: str
    """Of a gateway, a host outside; for a fold the kind of its cards, or their tier."""

    @property
    def order(self) -> tuple[str, ...]:
        """Sorts a fold among the cards of its namespace."""
        return self.cluster, self.namespace, self.name, self.kind

    @property
    def is_end(self) -> bool:
        """Whether traffic ends at the card, or at every card of the fold."""
        return self.kind in ENDS or (self.kind == FOLD and self.name in ENDS)

    @property
    def gateway(self) -> GatewayKey | None:
        """The gateway of a gateway card or of a front door card."""
        return GatewayKey(self.cluster, self.namespace, self.name) if self.kind in (DOOR, GATEWAY) else None


class Load(NamedTuple):
    """What goes through a card, as numbers."""

    rps: Rate
    error_ratio: Rate
    """Share of 5xx answers, 0 to 1."""
    p99_ms: Rate


def together(loads: Sequence[Load]) -> Load:
    """What several cards carry, as far as it is known; the p99 is that of the slowest."""
    slow = [load.p99_ms for load in loads if isinstance(load.p99_ms, Known)]
    rps, error_ratio = total_rates([(load.rps, load.error_ratio) for load in loads])
    return Load(
        rps=rps,
        error_ratio=error_ratio,
        p99_ms=max(slow, key=lambda each: each.value, default=NOTHING),
    )


UNOBSERVED = Unknown("nobody observes it")
NO_LOAD = Load(UNOBSERVED, UNOBSERVED, UNOBSERVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What is written on a card."""

    lines: tuple[tuple[Line, Line], ...]
    """Body: what stands at the left and at the right of each line."""
    brief: tuple[Line, Line] = (BLANK, BLANK)
    """The body in one line, where there is no room for all of them."""
    tags: Line = BLANK
    """What kind of gateway it is and which mesh it is in, when that is worth saying."""
    figures: tuple[Line, ...] = ()
    """Rate, errors, p99 and trend, for a form with columns."""
    serves: Line = BLANK
    """What it serves, for a form with columns."""
    drain: Line = BLANK
    """That it is drained, in few cells."""


def _nothing() -> str:
    return ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Card:
    """One box of the map, or one row of its tree. Its words are made when it is looked at, and once."""

    id: NodeId
    column: int
    title: str
    verdict: Verdict | None
    """None where nobody observes it, as with a front door."""
    badge: str
    """`2/2` proxies answering, `3 svc`."""
    rows: int
    """Lines of its body: known before they are written, because it has to be placed first."""
    write: Callable[[], Wording] = field(repr=False)
    tell: Callable[[], Line] = field(repr=False)
    """Makes the whole story in one line."""
    name: Callable[[], str] = field(default=_nothing, repr=False)
    """Makes what the filter finds it by."""
    yaml: ObjectKey | None = None
    """The object behind the card."""
    load: Load = NO_LOAD
    """What goes through it."""
    is_brief: bool = False
    """Whether its body is one line, for want of room."""

    @cached_property
    def wording(self) -> Wording:
        """What is written on it."""
        return self.write()

    @property
    def lines(self) -> tuple[tuple[Line, Line], ...]:
        """Body: what stands at the left and at the right of each line."""
        return (self.wording.brief,) if self.is_brief else self.wording.lines

    @cached_property
    def words(self) -> Line:
        """The whole story in one line, shown while the card is selected."""
        return self.tell()

    @cached_property
    def search(self) -> str:
        """What the filter finds it by."""
        return self.name()

    @cached_property
    def in_brief(self) -> Card:
        """The same card with one line of body."""
        return replace(self, rows=1, is_brief=True, write=lambda: self.wording)

    @property
    def is_sick(self) -> bool:
        """Whether there is something to say about its state."""
        return self.verdict is not None and self.verdict.rank < 9


class Split(NamedTuple):
    """What one rule that divides its traffic gives to a link."""

    route: str
    intended: float
    """Share of the rule by weight, 0 to 1."""
    seen: Rate
    """Share of the rule that was observed, 0 to 1."""

    @property
    def disagrees(self) -> bool:
        """Whether what was seen is known, and further from what is intended than chance explains."""
        return isinstance(self.seen, Known) and abs(self.seen.value - self.intended) > AGREES_WITHIN

    @property
    def label(self) -> str:
        """The intended share; the one seen beside it when they disagree: `90%`, `90≠71%`."""
        intended = text.percent(self.intended)
        if isinstance(self.seen, Unknown) or not self.disagrees:
            return intended
        return f"{intended.removesuffix('%')}≠{text.percent(self.seen.value)}"


class Stream(NamedTuple):
    """What a link carries."""

    share: Rate
    """Part of what the source sends, 0 to 1."""
    role: Role
    rps: Rate = UNOBSERVED


def _whole() -> tuple[Split, ...]:
    return ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Link:
    """Traffic from one card to another. What it carries is added up when it is looked at, and once."""

    source: NodeId
    target: NodeId
    measure: Callable[[], Stream] = field(repr=False)
    split: Callable[[], tuple[Split, ...]] = field(default=_whole, repr=False)
    is_split: bool = False
    """Whether rules divide the traffic of its source, which asks for more room."""

    @cached_property
    def stream(self) -> Stream:
        """What it carries."""
        return self.measure()

    @cached_property
    def splits(self) -> tuple[Split, ...]:
        """What each rule that divides its traffic gives to it."""
        return self.split()

    @property
    def share(self) -> Rate:
        """Part of what the source sends, 0 to 1."""
        return self.stream.share

    @property
    def role(self) -> Role:
        """How it is shown."""
        return self.stream.role

    @property
    def rps(self) -> Rate:
        """Requests/s it carries."""
        return self.stream.rps

    @property
    def label(self) -> str:
        """The observed share in words, with a mark when what flows here fails."""
        share, role, _ = self.stream
        mark = f" {text.FAILING_GLYPH}" if role is Role.BAD else ""
        return f"{text.percent(share.value)}{mark}" if isinstance(share, Known) else ""


@dataclass(frozen=True, kw_only=True)
class FleetMap:
    """Cards sorted by column and identity, and the links between them."""

    titles: tuple[str, ...]
    cards: tuple[Card, ...]
    links: tuple[Link, ...]
    within: Mapping[NodeId, NodeId] = field(default_factory=dict)
    """The fold of every card that is folded away."""

    @cached_property
    def by_id(self) -> Mapping[NodeId, Card]:
        """The cards by identity."""
        return {card.id: card for card in self.cards}

    def card(self, node: NodeId | None) -> Card | None:
        """The card of that identity, or None when it is gone or folded away."""
        return self.by_id.get(node) if node is not None else None

    def only(self, kept: Iterable[NodeId]) -> FleetMap:
        """The part of the map that consists of these cards and what links them."""
        names = set(kept)
        return FleetMap(
            titles=self.titles,
            cards=tuple(card for card in self.cards if card.id in names),
            links=tuple(link for link in self.links if link.source in names and link.target in names),
        )
