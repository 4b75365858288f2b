"""The routes a drain edits, with how each of their rules is emptied; or why that cannot be done."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gwtui.changes.documents import KINDS, backends_of, namespace_of, rules_of, target_of, weight_of
from gwtui.changes.drains.leading import Leads, Leaves, any_leaves, delegates, mirrors_of
from gwtui.changes.drains.leaving import leaves_in
from gwtui.changes.drains.ramp import Shift
from gwtui.changes.drains.senders import Sender, Splits
from gwtui.changes.drains.taking import Taker, is_taker, ref_to
from gwtui.changes.drains.wish import DrainWish, Moved
from gwtui.changes.plan import Document, Refusal
from gwtui.model.ids import ObjectKey
from gwtui.model.resources import ROUTES
from gwtui.model.snapshot import ClusterView


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One route that sends to what is drained."""

    sender: Sender
    document: Document
    leaves: Leaves
    """Whether a reference in it leads to what is drained."""
    shifts: tuple[Shift, ...]
    has_mirrors: bool
    """Whether it copies requests to what is drained."""

    @property
    def adds_taker(self) -> bool:
        """Whether who takes over is not named yet by a rule of it."""
        return any(shift.adds is not None for shift in self.shifts)

    @property
    def is_standby(self) -> bool:
        """Whether who takes over is named by every rule of it, and gets nothing of some."""
        return not self.adds_taker and any(map(self._is_at_zero, self.shifts))

    @property
    def gaining(self) -> tuple[Document, ...]:
        """The references that get more than they have."""
        found: list[Document] = []
        for shift in self.shifts:
            refs = backends_of(rules_of(self.document)[shift.rule])
            if shift.adds is not None:
                found.append(shift.adds)
            elif shift.taker is not None:
                found.append(refs[shift.taker])
            else:
                found += [ref for at, ref in enumerate(refs) if at not in shift.leaving and weight_of(ref)]
        return tuple(found)

    def _is_at_zero(self, shift: Shift) -> bool:
        refs = backends_of(rules_of(self.document)[shift.rule])
        return shift.taker is not None and not weight_of(refs[shift.taker])


class Parts:
    """Makes the parts of a drain.

    Args:
        view: The cluster.
        leads: Where references lead.
        wish: The drain.
        taker: Who takes over; None where those do that share the load already.
        relieved: Backends that lead elsewhere once the drain is over.
    """

    def __init__(
        self, view: ClusterView, leads: Leads, wish: DrainWish, taker: Taker | None, relieved: Collection[ObjectKey]
    ) -> None:
        self._view = view
        self._leads = leads
        self._wish = wish
        self._taker = taker
        self._relieved = relieved
        self.refusals: list[Refusal] = []
        """What was found to be against it."""

    def of(self, senders: Sequence[Sender], documents: Mapping[ObjectKey, Document]) -> tuple[Part, ...]:
        """Return the routes that are edited.

        Args:
            senders: The routes that send to what is drained.
            documents: The present objects.
        """
        parts = [self._part(sender, document) for sender, document in self._readable(senders, documents)]
        return tuple(part for part in parts if part.shifts or part.has_mirrors)

    def _readable(
        self, senders: Sequence[Sender], documents: Mapping[ObjectKey, Document]
    ) -> Iterator[tuple[Sender, Document]]:
        target = self._wish.target
        splits = Splits(self._view, target) if isinstance(target, Moved) else None
        for sender in senders:
            document = documents.get(sender.route)
            if ROUTES.get(sender.route.resource) not in KINDS:
                text = f"{sender.route} sends to it, and routes of that kind are not edited here"
                self._refuse("other-kind", text, "take it out of that route by hand first")
            elif document is None:
                self.refusals.append(unread(sender.route))
            elif splits is not None and len(splits.of(sender)) > 1:
                text = f"{sender.route} carries requests of others beside those of {target}"
                self._refuse("mixed-rule", text, "split it by hostname first, so that one route carries these alone")
            else:
                yield sender, document

    def _part(self, sender: Sender, document: Document) -> Part:
        leaves = leaves_in(self._leads, self._wish.target, document, self._relieved)
        rules = rules_of(document)
        shifts = [self._shift(position, sender, document, leaves) for position in range(len(rules))]
        mirrored = [ref for rule in rules for part in (rule, *backends_of(rule)) for ref in mirrors_of(part)]
        return Part(
            sender=sender,
            document=document,
            leaves=leaves,
            shifts=tuple(shift for shift in shifts if shift is not None),
            has_mirrors=any_leaves(mirrored, leaves),
        )

    def _shift(self, rule: int, sender: Sender, document: Document, leaves: Leaves) -> Shift | None:
        """How a rule is emptied; None where nothing is to be done, or nothing can be."""
        refs = backends_of(rules_of(document)[rule])
        leaving = tuple(at for at, ref in enumerate(refs) if leaves(ref))
        others = [at for at in range(len(refs)) if at not in leaving]
        has_weight = any(weight_of(refs[at]) for at in leaving)
        if not leaving or any(map(delegates, refs)) or (len(refs) > 1 and not has_weight):
            return None
        is_alone = not any(weight_of(refs[at]) for at in others)
        if self._taker is None:
            if is_alone:
                self._no_replacement(rule, sender)
                return None
            return Shift(rule=rule, leaving=leaving)
        at = self._place_of_taker(refs, others, leaving[0], document)
        if at is not None:
            return Shift(rule=rule, leaving=leaving, taker=at, is_alone=is_alone)
        added = ref_to(self._leads, self._taker, refs[leaving[0]], namespace_of(document))
        if added is None:
            text = f"rule {rule} of {sender.route}: it is not clear which port of {self._taker.label} is to take over"
            self._refuse("no-replacement", text, "add it to the rule at weight 0 by hand, then drain")
            return None
        return Shift(rule=rule, leaving=leaving, taker=len(refs), adds=added, is_alone=is_alone)

    def _place_of_taker(
        self, refs: Sequence[Document], others: Sequence[int], leaving: int, document: Document
    ) -> int | None:
        """Where who takes over stands in a rule, on the same port if it stands there on several."""
        kind, namespace = str(document.get("kind")), namespace_of(document)
        assert self._taker is not None  # noqa: S101 - the caller has looked
        found = [at for at in others if is_taker(self._leads, self._taker, refs[at], kind, namespace)]
        port = target_of(refs[leaving], namespace).port
        return min(found, key=lambda at: target_of(refs[at], namespace).port != port, default=None)

    def _no_replacement(self, rule: int, sender: Sender) -> None:
        text = f"rule {rule} of {sender.route} has nobody else: alone it gets everything whatever its weight"
        self._refuse("no-replacement", text, "")

    def _refuse(self, code: str, text: str, safe_way: str) -> None:
        self.refusals.append(Refusal(code=code, text=text, safe_way=safe_way))


def unread(key: ObjectKey) -> Refusal:
    """Return why nothing can be drawn without an object's content."""
    return Refusal(code="unread", text=f"{key} was not read", safe_way="make the plan once more")
