"""What the server makes of an edit before it is written, and what it lets us do."""

from __future__ import annotations

from typing import NamedTuple

from gwtui.changes.differences import patch
from gwtui.changes.plan import Caution, Document, Refusal
from gwtui.changes.rights import Rule
from gwtui.errors import Conflict, Denied, Rejected, SourceError
from gwtui.model.ids import ObjectKey
from gwtui.ports import ObjectWriter

NEW_VERSIONS = 3
"""How often a plan is made anew because an object changed while it was made."""


class Said(NamedTuple):
    """What the server said to an edit."""

    refusals: tuple[Refusal, ...] = ()
    cautions: tuple[Caution, ...] = ()
    checked: tuple[str, ...] = ()


async def rehearse(writer: ObjectWriter, key: ObjectKey, before: Document, after: Document) -> Said:
    """Return what the server said to an edit in a dry run.

    Raises:
        Conflict: the object is another one by now.
        SourceError: the server does not answer.
    """
    try:
        answer = await writer.rehearse(key, patch(before, after))
    except (Rejected, Denied) as error:
        code = "rejected" if isinstance(error, Rejected) else "no-right"
        return Said(refusals=(Refusal(code=code, text=error.message, safe_way=error.hint or "correct the edit"),))
    warned = tuple(Caution(code="server", text=text) for text in answer.warnings)
    return Said(cautions=warned, checked=("the server's dry run accepted it",))


def outdated(conflict: Conflict) -> Said:
    """Return what there is to say where the object changes all the time."""
    return Said(refusals=(Refusal(code="stale", text=conflict.message, safe_way="make the plan once more"),))


async def rights(writer: ObjectWriter, namespace: str) -> tuple[Rule, ...] | None:
    """Return what we may do in a namespace; None where the server does not tell."""
    try:
        return await writer.rules(namespace)
    except SourceError:
        return None
