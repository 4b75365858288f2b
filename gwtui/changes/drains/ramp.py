"""How the weights of one rule move from what is drained to those that stay, stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gwtui.changes.copying import copied
from gwtui.changes.documents import backends_of, filters_of, rules_of, weight_of
from gwtui.changes.drains.leading import Leaves, mirrored_by
from gwtui.changes.edits import add_backend, set_weight, set_weights
from gwtui.changes.places import put
from gwtui.changes.plan import Document

FINE = 100
"""The least sum of weights in which a percent can be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How one rule is emptied of what is drained."""

    rule: int
    """Position of the rule."""
    leaving: tuple[int, ...]
    """Positions of the backendRefs that lead to what is drained."""
    taker: int | None = None
    """Position of the one that gets what is freed; None: the others, in proportion to what they have."""
    adds: Document | None = None
    """The backendRef of the taker where the rule has none yet; it comes last."""
    is_alone: bool = False
    """Whether what is drained gets everything of the rule."""


def prepared(document: Document, shifts: Sequence[Shift], ramp: Sequence[int]) -> Document:
    """Return the route from which the ramp starts: nobody gets another part, and each stage can be written exactly.

    Takers are added at weight 0; sums that are too small for the percents are multiplied.

    Args:
        document: The route as it is.
        shifts: What happens to its rules.
        ramp: Percents that what is drained keeps.
    """
    for shift in shifts:
        if shift.adds is not None:
            document = add_backend(document, shift.rule, {**shift.adds, "weight": 0})
        if shift.is_alone and len(shift.leaving) == 1:
            least = max(FINE, _weights(document, shift)[shift.leaving[0]])
            document = set_weights(document, shift.rule, {shift.leaving[0]: least})
        elif not _is_exact(_weights(document, shift), shift, ramp):
            weights = _weights(document, shift)
            factor = -(-FINE // sum(weights))
            document = set_weights(document, shift.rule, {at: each * factor for at, each in enumerate(weights)})
    return document


def shifted(document: Document, shifts: Sequence[Shift], percent: int) -> Document:
    """Return a prepared route in which what is drained keeps a part of what it has. Sums of rules stay.

    Args:
        document: The route as `prepared` made it.
        shifts: What happens to its rules.
        percent: What is kept, 0 to 100.
    """
    for shift in shifts:
        document = set_weights(document, shift.rule, _shared_out(_weights(document, shift), shift, percent))
    return document


def without_mirrors(document: Document, leaves: Leaves) -> Document:
    """Return a route that copies no requests to what is drained."""
    document = copied(document)
    for rule in rules_of(document):
        for part in (rule, *backends_of(rule)):
            kept = [each for each in filters_of(part) if not _is_mirror_to(each, leaves)]
            if len(kept) < len(filters_of(part)):
                put(document, part, "filters", kept)
    return document


def _is_mirror_to(filter_: Document, leaves: Leaves) -> bool:
    ref = mirrored_by(filter_)
    return ref is not None and leaves(ref)


def _weights(document: Document, shift: Shift) -> list[int]:
    return [weight_of(ref) for ref in backends_of(rules_of(document)[shift.rule])]


def _shared_out(weights: Sequence[int], shift: Shift, percent: int) -> dict[int, int]:
    """The weights of a rule by position when what is drained keeps a percent of its own."""
    found = {each: (weights[each] * percent + 50) // 100 for each in shift.leaving}
    freed = sum(weights[each] - kept for each, kept in found.items())
    if shift.taker is not None:
        return {**found, shift.taker: weights[shift.taker] + freed}
    others = [each for each in range(len(weights)) if each not in found]
    # To those that stay it is the same whether one backend leaves or several.
    rule = {"backendRefs": [{"weight": freed}, *({"weight": weights[each]} for each in others)]}
    shared = set_weight({"spec": {"rules": [rule]}}, 0, 0, 0, keeps_sum=True)
    parts = [weight_of(ref) for ref in backends_of(rules_of(shared)[0])[1:]]
    return {**found, **dict(zip(others, parts, strict=True))}


def _is_exact(weights: Sequence[int], shift: Shift, ramp: Sequence[int]) -> bool:
    """Whether every stage gives everyone exactly its part, or the sum is large enough for that not to matter."""
    if sum(weights) >= FINE or not sum(weights):
        return True
    others = [weight for each, weight in enumerate(weights) if each not in shift.leaving]
    for percent in ramp:
        if any(weights[each] * percent % 100 for each in shift.leaving):
            return False
        freed = sum(weights[each] * (100 - percent) // 100 for each in shift.leaving)
        if shift.taker is None and any(freed * each % sum(others) for each in others if each):
            return False
    return True
