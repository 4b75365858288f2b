"""Three versions into one: what we want, on top of what somebody else made of the same base.

Two writers that changed different fields both get their way. Where they changed the same field there is a conflict,
and nothing is decided for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gwtui.changes.alignment import aligned, same_additions
from gwtui.changes.copying import copied
from gwtui.changes.defaults import with_defaults
from gwtui.changes.differences import Path, path_text
from gwtui.changes.documents import content_of
from gwtui.changes.plan import Document

_WHOLE = frozenset({"path", "method", "fraction"})
"""Objects that mean something only as a whole: half of the one writer's and half of the other's is nobody's wish."""
_UNORDERED = frozenset({"hostnames", "backendRefs", "parentRefs", "headers", "queryParams"})
"""Lists whose order means nothing: when both writers changed it, the present one stays."""


_Name = tuple[str, int]
"""An item of a list: where it is known from (`base` before all others) and its position there."""


class Conflicting(NamedTuple):
    """One field that two writers changed differently. None stands for absent."""

    path: str
    """`spec.rules[2].backendRefs[0].weight`; positions are those of the present object where it is still there."""
    base: Any
    wanted: Any
    current: Any


class Merged(NamedTuple):
    """What both writers wanted."""

    document: Document
    """The present object with the wished changes in it."""


class Conflicts(NamedTuple):
    """The writers are at odds; there is no document."""

    paths: tuple[Conflicting, ...]


def merge(base: Document, wanted: Document, current: Document) -> Merged | Conflicts:
    """Return the present object with what distinguishes `wanted` from `base`.

    For an undo `base` is what was written, `wanted` what was before; for a draft `base` is what it was made from.

    Args:
        base: what both others come from.
        wanted: what we want; its spec, labels and annotations count.
        current: what is there now, whose bookkeeping is kept. A default that the API filled in is no foreign edit.
    """
    merger = _Merger()
    if content_of(base) == content_of(current):
        spec, metadata = wanted.get("spec"), {**current.get("metadata", {}), **_said(wanted)}
    else:
        parts = [with_defaults(each).get("spec", {}) for each in (base, wanted, current)]
        spec = merger.value(("spec",), *parts)
        said = [_said(each) for each in (base, wanted, current)]
        metadata = {**current.get("metadata", {}), **merger.fields(("metadata",), *said)}
    if merger.conflicts:
        return Conflicts(tuple(merger.conflicts))
    document = {**copied(current), "metadata": {name: part for name, part in metadata.items() if part != {}}}
    if "spec" in wanted or "spec" in document:
        document["spec"] = spec
    return Merged(copied(document))


class _Absent:
    """The value of a field that is not there."""


_ABSENT: Any = _Absent()


def _said(document: Document) -> Document:
    metadata = document.get("metadata") or {}
    return {name: metadata.get(name) or {} for name in ("labels", "annotations")}


def _shown(value: Any) -> Any:
    return None if value is _ABSENT else value


class _Merger:
    """One merge; collects the conflicts it meets."""

    def __init__(self) -> None:
        self.conflicts: list[Conflicting] = []

    def value(self, path: Path, base: Any, wanted: Any, current: Any) -> Any:
        """What a field becomes; `_ABSENT` when it goes."""
        if wanted in (base, current):
            return current
        if base == current:
            return wanted
        if all(isinstance(each, dict) for each in (base, wanted, current)) and path[-1] not in _WHOLE:
            return self.fields(path, base, wanted, current)
        lists = [[] if each is _ABSENT else each for each in (base, wanted, current)]
        if all(isinstance(each, list) for each in lists):
            return self._items(path, *lists) or ([] if current == [] else _ABSENT)
        return self._conflict(path, base, wanted, current)

    def fields(
        self, path: Path, base: Mapping[str, Any], wanted: Mapping[str, Any], current: Mapping[str, Any]
    ) -> Document:
        """What an object becomes, field by field."""
        names = [*current, *(name for name in wanted if name not in current)]
        found = {
            name: self.value((*path, name), *(each.get(name, _ABSENT) for each in (base, wanted, current)))
            for name in names
        }
        return {name: part for name, part in found.items() if part is not _ABSENT}

    def _conflict(self, path: Path, base: Any, wanted: Any, current: Any) -> Any:
        self.conflicts.append(Conflicting(path_text(path), _shown(base), _shown(wanted), _shown(current)))
        return current

    def _items(self, path: Path, base: list[Any], wanted: list[Any], current: list[Any]) -> list[Any]:
        field = str(path[-1])
        ours, theirs = _identified(base, wanted, current, field)
        was: dict[_Name, Any] = {("base", index): item for index, item in enumerate(base)}
        kept: dict[_Name, Any] = {}
        for name in dict.fromkeys([*theirs, *was, *ours]):
            versions = [each.get(name, _ABSENT) for each in (was, ours, theirs)]
            place = next(list(each).index(name) for each in (theirs, was, ours) if name in each)
            item = self.value((*path, place), *versions)
            if item is not _ABSENT:
                kept[name] = item
        return [kept[name] for name in self._order(list(was), list(ours), list(theirs), kept, path)]

    def _order(
        self,
        was: list[_Name],
        ours: list[_Name],
        theirs: list[_Name],
        kept: Mapping[_Name, Any],
        path: Path,
    ) -> list[_Name]:
        """The order of the items that stay: that of the writer who changed it, additions after what they follow."""
        common = [name for name in was if name in ours and name in theirs]
        our_order, their_order = ([name for name in each if name in common] for each in (ours, theirs))
        lead, follow = (theirs, ours) if our_order == common else (ours, theirs)
        if common not in (our_order, their_order) and our_order != their_order:
            lead, follow = theirs, ours
            if path[-1] not in _UNORDERED:
                self._conflict(path, *([was.index(name) for name in each] for each in (common, our_order, their_order)))
        order = [name for name in lead if name in kept]
        for index, name in enumerate(follow):
            if name in kept and name not in order:
                before = next((each for each in reversed(follow[:index]) if each in order), None)
                order.insert(order.index(before) + 1 if before is not None else 0, name)
        return order


def _identified(
    base: Sequence[Any], wanted: Sequence[Any], current: Sequence[Any], field: str
) -> tuple[dict[_Name, Any], dict[_Name, Any]]:
    """Both later versions of a list, in their order, each item under a name that is the same where the item is."""
    names: list[dict[int, _Name]] = []
    for side, items in (("wanted", wanted), ("current", current)):
        origin = {new: old for old, new in aligned(base, items, field).items()}
        names.append(
            {index: ("base", origin[index]) if index in origin else (side, index) for index in range(len(items))}
        )
    ours, theirs = names
    added = [[index for index, name in each.items() if name[0] != "base"] for each in names]
    found = same_additions([wanted[index] for index in added[0]], [current[index] for index in added[1]], field)
    for one, other in found.items():
        ours[added[0][one]] = theirs[added[1][other]]
    return (
        {name: wanted[index] for index, name in ours.items()},
        {name: current[index] for index, name in theirs.items()},
    )
