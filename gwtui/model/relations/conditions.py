"""What status conditions say is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gwtui.model.kubernetes import Condition

GOOD_WHEN_TRUE = frozenset({"Accepted", "Programmed", "ResolvedRefs", "kgateway.dev/Programmed"})
BAD_WHEN_TRUE = frozenset(
    {
        "Conflicted",
        "InsecureFrontendValidationMode",
        "OverlappingTLSConfig",
        "PartiallyInvalid",
        "kgateway.dev/Conflicted",
    }
)
"""Conditions of negative polarity. Types in neither set (`AttachedListenerSets`) say nothing about health."""


def condition_problems(conditions: Iterable[Condition], generation: int) -> Iterator[str]:
    """Yield one line per condition that is not as it should be, and one when the status is about an older object.

    Args:
        conditions: As the controller wrote them.
        generation: `metadata.generation` of the object; 0 when unknown.
    """
    outdated = 0
    for claim in conditions:
        bad = claim.type in BAD_WHEN_TRUE and claim.status == "True"
        if bad or (claim.type in GOOD_WHEN_TRUE and claim.status != "True"):
            yield f"{claim.type} is {claim.status} ({claim.reason or 'no reason given'})"
        if 0 < claim.observed_generation < generation:
            outdated = max(outdated, claim.observed_generation)
    if outdated:
        yield f"status is about generation {outdated}, the object is at {generation}"
