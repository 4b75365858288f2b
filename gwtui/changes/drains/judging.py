"""What speaks against a drain by weights, what is to be weighed, and what was checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from gwtui.changes.blast import blast_radius
from gwtui.changes.drains.attaching import Needed
from gwtui.changes.drains.drafts import Drafts
from gwtui.changes.drains.fitness import Fitness
from gwtui.changes.drains.forbidding import (
    above_peak,
    earlier_drains,
    foreign_owners,
    growing,
    head_room,
    live,
    load_words,
)
from gwtui.changes.drains.found import drained
from gwtui.changes.drains.parts import Part
from gwtui.changes.drains.proxied import NOT_UNDOABLE
from gwtui.changes.drains.senders import Sender
from gwtui.changes.drains.taking import Taker, full_name
from gwtui.changes.drains.wish import DrainWish, Shard
from gwtui.changes.journal import Change
from gwtui.changes.plan import Caution, Document, Drain, Load, ObjectEdit, Owner, Refusal
from gwtui.changes.projection import Outlook, outlook
from gwtui.changes.shadowing import shadowing
from gwtui.errors import UsageError
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.relations.front_doors import PENDING, front_doors_of
from gwtui.model.relations.inventory import Inventory
from gwtui.model.resources import ROUTES
from gwtui.model.shape import FrontDoor
from gwtui.model.snapshot import ClusterView, Snapshot

Edited = Mapping[ObjectKey, tuple[Document, Document]]
"""Objects as they are, and as they will be."""


class Judged(NamedTuple):
    """What was found."""

    refusals: tuple[Refusal, ...]
    cautions: tuple[Caution, ...]
    checked: tuple[str, ...]


class Judge:
    """Judges one drain.

    Args:
        snapshot: Everything known.
        view: The cluster.
        wish: What is asked for.
        drain: What it comes to.
        taker: Who takes over; None where those do that share the load already.
        left: The gateway that requests are kept from, if it is one.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        view: ClusterView,
        *,
        wish: DrainWish,
        drain: Drain,
        taker: Taker | None,
        left: GatewayKey | None,
    ) -> None:
        self._snapshot = snapshot
        self._view = view
        self._wish = wish
        self._drain = drain
        self._taker = taker
        self._left = left

    def judge(
        self,
        *,
        senders: Sequence[Sender],
        parts: Sequence[Part],
        needed: Needed,
        drafts: Drafts,
        changes: Sequence[Change],
        owners: Mapping[ObjectKey, tuple[Owner, ...]],
        now: datetime,
        found: Sequence[Refusal],
    ) -> Judged:
        """Return what was found.

        Args:
            senders: The routes that send to what is drained.
            parts: Those that are edited, with how.
            needed: What who takes over has to serve first.
            drafts: The edits.
            changes: What our journal tells.
            owners: Who else writes the objects.
            now: The time.
            found: What was found already.
        """
        edited = {key: pair for key, pair in drafts.edited().items() if key.resource in ROUTES}
        touched = {gateway for step in drafts.steps if isinstance(step, ObjectEdit) for gateway in step.gateways}
        fitness = Fitness(self._snapshot, self._view, self._taker)
        refusals = [
            *earlier_drains(changes, self._drain, touched | {self._drain.gateway}, now),
            *self._reach(senders, found),
            *self._itself(),
            *fitness.takers(parts, changes),
            *foreign_owners(owners, tuple(drafts.edited())),
            *fitness.grants(parts),
        ]
        cautions = list(self._cautions(needed, changes))
        checked = list(self._checked(parts))
        befores, afters = ([pair[at] for pair in edited.values()] for at in (0, 1))
        try:
            ahead = outlook(self._view, befores, afters)
            refusals += fitness.attached(needed, edited, ahead.will)
            cautions += shadowing(ahead.was, ahead.will, needed.routes) if needed.routes else ()
            loads = self._loads(parts, edited, ahead)
        except UsageError as error:
            refusals.append(Refusal(code="limit", text=error.message, safe_way=error.hint or "correct the route"))
        else:
            refusals += () if self._wish.accepts_load else head_room(loads)
            cautions += above_peak(loads) if self._wish.accepts_load else ()
            checked += map(load_words, loads)
        return Judged(tuple(dict.fromkeys(refusals)), tuple(dict.fromkeys(cautions)), tuple(checked))

    def _reach(self, senders: Sequence[Sender], found: Sequence[Refusal]) -> Iterator[Refusal]:
        """Whether anybody sends to it, and anybody else could get that."""
        peers = self._peers()
        lone = [each for each in found if each.code == "no-replacement" and not each.safe_way]
        yield from (each for each in found if each not in lone)
        if self._wish.to and self._taker is None:
            yield Refusal(
                code="no-replacement",
                text=f"nothing that could take over is called {full_name(self._wish.to, self._wish)}",
                safe_way=_one_of(peers) or "`gwtui snapshot` lists what there is",
            )
        elif (lone or not senders) and not peers and not self._wish.to and self._left is not None:
            yield Refusal(
                code="only-shard",
                text=f"{self._left} is the only gateway of its tier: nobody could serve what it serves",
                safe_way="make another Gateway of that class beside it, see it programmed, then drain onto it",
            )
        else:
            for each in lone:
                way = _one_of(peers) or "name a Service that takes over with --to"
                yield Refusal(code=each.code, text=each.text, safe_way=way)
            if not senders:
                yield self._not_reached()

    def _itself(self) -> Iterator[Refusal]:
        if self._left is not None and self._taker is not None and self._left in self._taker.gateways:
            text = f"{self._left} cannot take over what it is drained of"
            yield Refusal(code="no-replacement", text=text, safe_way=_one_of(self._peers()) or "name another")

    def _not_reached(self) -> Refusal:
        doors = self._doors()
        before = f"{doors[0].kind} {doors[0].name}" if doors else "whatever stands before it"
        return Refusal(
            code="not-reached",
            text=f"no other gateway sends to {self._drain.target}: there are no weights to shift",
            safe_way=f"take it out of {before} first (its target group, its addresses in DNS), or drain one proxy "
            "after the other",
        )

    def _doors(self) -> tuple[FrontDoor, ...]:
        """The ways by which requests come to it from outside."""
        node = self._view.gateway(self._left) if self._left is not None else None
        inventory = Inventory(self._view.name, self._view.objects, self._view.scopes)
        gateway = inventory.gateways.get(node.key) if node is not None else None
        if node is None or gateway is None:
            return ()
        return tuple(
            door for door in front_doors_of(inventory, node.key, gateway, node.services) if door.name != PENDING
        )

    def _peers(self) -> tuple[str, ...]:
        """The other managed gateways of the tier."""
        node = self._view.gateway(self._left) if self._left is not None else None
        tier = node.tier if node is not None else None
        gateways = self._view.topology.gateways
        return tuple(
            str(each.key) for each in gateways if each.is_managed and each.tier == tier and each.key != self._left
        )

    def _loads(self, parts: Sequence[Part], edited: Edited, ahead: Outlook) -> tuple[Load, ...]:
        """The gateways that get more by the weights of the routes that send."""
        sent = [edited[part.sender.route] for part in parts if part.sender.route in edited]
        befores, afters = ([pair[at] for pair in sent] for at in (0, 1))
        return growing(blast_radius(self._snapshot, self._view.name, befores, afters, ahead=ahead), self._left)

    def _cautions(self, needed: Needed, changes: Sequence[Change]) -> Iterator[Caution]:
        target = self._wish.target
        for host, routes in needed.elsewhere.items():
            names = ", ".join(f"{key.namespace}/{key.name}" for key in routes)
            text = f"{host} is served by other routes on {self._drain.to}: they take the place of {names}"
            yield Caution(code="served-by-others", text=text)
        if self._wish.closes_listeners:
            stay = "the listeners stay open: others are served there as well"
            yield NOT_UNDOABLE if isinstance(target, Shard) else Caution(code="listeners-stay", text=stay)
        if not isinstance(target, Shard):
            return
        if any(each.gateway == target.gateway and each.change is None for each in drained(self._view, changes)):
            text = f"{target} gets weight 0 everywhere already: somebody else did that, and undrain leaves it so"
            yield Caution(code="drained-outside", text=text)
        for door in self._doors():
            text = f"{door.kind} {door.name} leads to {target} past the other gateways: that part stays"
            yield Caution(code="front-door", text=text)

    def _checked(self, parts: Sequence[Part]) -> Iterator[str]:
        rules = sum(len(part.shifts) for part in parts)
        yield f"{_count(rules, 'rule')} of {_count(len(parts), 'route')} of other gateways give it a part"
        for gateway in self._taker.gateways if self._taker is not None else ():
            node = self._view.gateway(gateway)
            if node is not None:
                yield f"{len(live(self._snapshot, node))} of {len(node.proxies)} proxies of {gateway} take requests"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _one_of(names: Sequence[str]) -> str:
    return f"name who takes over with --to: {', '.join(names)}" if names else ""
