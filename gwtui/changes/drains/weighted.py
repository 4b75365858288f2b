"""A shard, a backend, or what a shard serves of a namespace or a hostname, drained by the weights of those who send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from gwtui.changes.documents import namespace_of
from gwtui.changes.drains.attaching import Needed, attached, to_attach
from gwtui.changes.drains.drafts import STORED, Drafts
from gwtui.changes.drains.ending import Ends, ends_of
from gwtui.changes.drains.judging import Judge
from gwtui.changes.drains.leading import Leads
from gwtui.changes.drains.leaving import gateway_of
from gwtui.changes.drains.outline import Outline
from gwtui.changes.drains.parts import Part, Parts, unread
from gwtui.changes.drains.proxied import WAIT, close
from gwtui.changes.drains.ramp import prepared, shifted, without_mirrors
from gwtui.changes.drains.relief import relieved
from gwtui.changes.drains.senders import senders_of
from gwtui.changes.drains.taking import taker_of
from gwtui.changes.drains.wish import Backend, DrainWish, Moved, Shard
from gwtui.changes.journal import Change
from gwtui.changes.plan import Document, Drain, DrainKind, Owner, Refusal, Stage, StageKind
from gwtui.errors import UsageError
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.snapshot import ClusterView, Snapshot

MOST_NAMED = 3
"""More things than these are counted instead of named."""

Owners = Mapping[ObjectKey, tuple[Owner, ...]]


class WeightedDrain:
    """Draws up one drain.

    Args:
        snapshot: Everything known.
        view: The cluster.
        wish: What is asked for; its target is no single proxy.
        documents: The present objects.
    """

    def __init__(
        self, snapshot: Snapshot, view: ClusterView, wish: DrainWish, documents: Mapping[ObjectKey, Document]
    ) -> None:
        self._snapshot = snapshot
        self._view = view
        self._wish = wish
        self._leads = Leads(view)
        self._taker = taker_of(view, wish)
        self._left = gateway_of(view, wish.target)
        self._refusals: list[Refusal] = []
        self._drafts = Drafts(documents)
        self._relieved: dict[ObjectKey, Document] = {}
        if isinstance(wish.target, Shard):
            self._relieved = relieved(self._leads, wish.target.gateway, documents)
        parts = Parts(view, self._leads, wish, self._taker, self._relieved)
        self._senders = senders_of(view, wish.target)
        self._parts = parts.of(self._senders, documents)
        self._refusals += parts.refusals
        self._needed = self._to_attach(documents)

    def outline(self, changes: Sequence[Change], owners: Owners, now: datetime) -> Outline:
        """Return what it comes to.

        Args:
            changes: What our journal tells.
            owners: Who else writes the objects.
            now: The time.
        """
        found = ends_of(self._view, self._wish.target, self._sender_or_left())
        try:
            self._stages(has_ends=bool(found.ends))
        except UsageError as error:
            self._refusals.append(Refusal(code="limit", text=error.message, safe_way=error.hint or "correct the route"))
        drain = self._drain(found)
        judge = Judge(self._snapshot, self._view, wish=self._wish, drain=drain, taker=self._taker, left=self._left)
        judged = judge.judge(
            senders=self._senders,
            parts=self._parts,
            needed=self._needed,
            drafts=self._drafts,
            changes=changes,
            owners=owners,
            now=now,
            found=self._refusals,
        )
        return Outline(
            title=f"drain {drain.target}{f' → {drain.to}' if drain.to else ''}",
            drain=drain,
            steps=self._drafts.steps,
            stages=self._drafts.stages,
            refusals=judged.refusals,
            cautions=(*found.cautions, *judged.cautions),
            checked=judged.checked,
        )

    def _to_attach(self, documents: Mapping[ObjectKey, Document]) -> Needed:
        source = self._view.gateway(self._left) if self._left is not None else None
        if source is None or self._taker is None or self._taker.node is None:
            return Needed((), {})
        added = [part.sender for part in self._parts if part.adds_taker]
        standbys = [part.sender for part in self._parts if part.is_standby]
        needed = to_attach(self._view, source, self._taker.node, added, standbys)
        self._refusals += [unread(key) for key in needed.routes if key not in documents]
        return Needed(tuple(key for key in needed.routes if key in documents), needed.elsewhere)

    def _stages(self, *, has_ends: bool) -> None:
        self._attach()
        self._prepare()
        self._ramp()
        self._drafts.write(
            f"take {self._name} out of {_some([f'Backend {each.namespace}/{each.name}' for each in self._relieved])}",
            self._relieved,
            dict.fromkeys(self._relieved, self._sources),
            truths=STORED,
        )
        if has_ends:  # else nobody counts it apart, as a caution tells: that nothing new comes is all there is to see
            self._drafts.wait(Stage(kind=StageKind.EMPTY, title=WAIT))
        node = self._view.gateway(self._left) if isinstance(self._wish.target, Shard) and self._left else None
        if self._wish.closes_listeners and node is not None and node.proxies:
            close(self._drafts, node.proxies)

    def _attach(self) -> None:
        if self._needed.routes and self._taker is not None and self._left is not None:
            (taker,) = self._taker.gateways
            inventory = self._leads.inventory
            names = _some([f"{key.namespace}/{key.name}" for key in self._needed.routes], "routes")
            self._drafts.write(
                f"attach {names} to {taker}",
                {key: attached(inventory, self._drafts.now(key), self._left, taker) for key in self._needed.routes},
                dict.fromkeys(self._needed.routes, (taker,)),
            )

    def _prepare(self) -> None:
        on = _some([str(each) for each in self._sources], "gateways")
        title = (
            f"add {self._taker.label} on {on} at weight 0"
            if self._taker is not None and any(part.adds_taker for part in self._parts)
            else f"write the weights on {on} finer, in the same parts"
        )
        self._drafts.write(
            title,
            {part.sender.route: prepared(part.document, part.shifts, self._percents) for part in self._parts},
            self._gateways,
        )

    def _ramp(self) -> None:
        start = {part.sender.route: self._drafts.now(part.sender.route) for part in self._parts}
        for percent in self._percents:
            self._drafts.write(
                f"{self._name} {percent} %",
                {part.sender.route: _at(part, start[part.sender.route], percent) for part in self._parts},
                self._gateways,
                bake_s=self._wish.bake_s if percent else 0.0,
            )

    def _drain(self, ends: Ends) -> Drain:
        is_replaced = bool(self._needed.routes) or any(part.adds_taker for part in self._parts)
        return Drain(
            kind=_kind(self._wish),
            target=str(self._wish.target),
            gateway=self._sender_or_left(),
            to=self._taker.label if self._taker is not None else ", ".join(self._gaining()),
            way="replacement" if is_replaced else "weights",
            ends=ends.ends,
            deadline_s=self._wish.deadline_s,
        )

    def _gaining(self) -> Iterator[str]:
        """Who gets what is freed, each once."""
        found: dict[str, None] = {}
        for part in self._parts:
            namespace = namespace_of(part.document)
            for ref in part.gaining:
                found[f"{ref.get('namespace') or namespace}/{ref.get('name')}"] = None
        yield from sorted(found)

    def _sender_or_left(self) -> GatewayKey:
        """The gateway the drain belongs to: for a backend the one that sends to it."""
        target = self._wish.target
        if isinstance(target, Backend):
            return self._sources[0] if self._sources else GatewayKey(self._view.name, target.route.namespace, "")
        assert self._left is not None  # noqa: S101 - every other target is at a gateway
        return self._left

    @property
    def _name(self) -> str:
        target = self._wish.target
        return target.backend if isinstance(target, Backend) else str(target)

    @property
    def _percents(self) -> tuple[int, ...]:
        """The ramp, whose end is 0 whatever was asked for."""
        return (*(each for each in self._wish.ramp if 0 < each < 100), 0)

    @property
    def _gateways(self) -> dict[ObjectKey, tuple[GatewayKey, ...]]:
        return {part.sender.route: part.sender.sources for part in self._parts}

    @property
    def _sources(self) -> tuple[GatewayKey, ...]:
        return tuple(sorted({source for sender in self._senders for source in sender.sources}))


def _at(part: Part, start: Document, percent: int) -> Document:
    """A route at one stage of the ramp. Copies end with the last of it: nobody waits for their answers."""
    document = shifted(start, part.shifts, percent)
    return document if percent else without_mirrors(document, part.leaves)


def _kind(wish: DrainWish) -> DrainKind:
    match wish.target:
        case Backend():
            return DrainKind.BACKEND
        case Moved(namespace=namespace):
            return DrainKind.NAMESPACE if namespace else DrainKind.HOSTNAME
        case _:
            return DrainKind.SHARD


def _some(names: Sequence[str], what: str = "objects") -> str:
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} {what}"
