"""A change in one line."""

from __future__ import annotations

from gwtui.changes.differences import differences
from gwtui.changes.documents import backends_of, rules_of, weight_of
from gwtui.changes.plan import Document

MOST_WEIGHTS = 4
"""More weights than these are counted instead of named."""


def title(before: Document, after: Document) -> str:
    """Return what an edit does: `edge-routes rule 2: shard-a 90 → 50, shard-b 10 → 50`."""
    name = before["metadata"]["name"]
    weights = _weights(before, after)
    found = differences(before, after)
    if weights and len(weights) <= MOST_WEIGHTS and all(each.is_weight for each in found):
        return f"{name} {', '.join(weights)}"
    fields = f"{len(found)} field{'s' if len(found) != 1 else ''}"
    return f"{name}: {fields} changed ({', '.join(each.path for each in found[:2])}{', …' if len(found) > 2 else ''})"


def _weights(before: Document, after: Document) -> list[str]:
    found: list[str] = []
    for index, (old, new) in enumerate(zip(rules_of(before), rules_of(after), strict=False)):
        moved = [
            f"{ref.get('name')} {weight_of(was)} → {weight_of(ref)}"
            for was, ref in zip(backends_of(old), backends_of(new), strict=False)
            if was.get("name") == ref.get("name") and weight_of(was) != weight_of(ref)
        ]
        found += [f"rule {index}: {moved[0]}", *moved[1:]] if moved else []
    return found
