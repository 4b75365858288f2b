"""Which item of a list is which item of another version of that list.

An item is the same when what names it is the same (a rule's name, a backend's kind, namespace, name and port), else
when its content is, else the most alike. The API has no better identity: these lists are replaced whole.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Container, Hashable, Iterator, Sequence
from typing import Any

Key = Callable[[Any], Hashable]
"""What names an item; None when nothing does."""


def aligned(before: Sequence[Any], after: Sequence[Any], field: str) -> dict[int, int]:
    """Return, by position in `before`, the position in `after` of the same item.

    Args:
        before: items of the one version.
        after: items of the other.
        field: what the list is called: `rules`, `backendRefs`, `hostnames`, …
    """
    pairs = _by_keys(before, after, (*_KEYS.get(field, ()), content))
    left_before = [index for index in range(len(before)) if index not in pairs]
    left_after = [index for index in range(len(after)) if index not in set(pairs.values())]
    if field == "rules":
        pairs |= _most_alike(before, after, left_before, left_after)
        if len(before) == len(after):
            # None came and none went: a rule that was rewritten is told by its place.
            pairs |= {index: index for index in range(len(before)) if index not in {*pairs, *pairs.values()}}
    elif field not in _KEYS and not any(isinstance(each, str) for each in (*before, *after)):
        # What has no name is told by its place among what has none.
        pairs |= dict(zip(left_before, left_after, strict=False))
    return pairs


def same_additions(one: Sequence[Any], other: Sequence[Any], field: str) -> dict[int, int]:
    """Return, by position in `one`, the position in `other` of an item with the same name or content."""
    return _by_keys(one, other, (*_KEYS.get(field, ())[:1], content))


def content(item: Any) -> str:
    """Equal for equal content."""
    return json.dumps(item, sort_keys=True)


def unmoved(pairs: dict[int, int]) -> frozenset[int]:
    """Return the positions in `before` of as many items as possible that kept their order."""
    # The longest sequence whose targets rise: for each item, the longest that ends with it.
    chains: list[list[int]] = [[]]
    for start in sorted(pairs):
        fitting = [chain for chain in chains if not chain or pairs[chain[-1]] < pairs[start]]
        longest = max(fitting, key=_length)
        chains.append([*longest, start])
    longest = max(chains, key=_length)
    return frozenset(longest)


def _length(chain: list[int]) -> int:
    return len(chain)


def _by_keys(before: Sequence[Any], after: Sequence[Any], keys: Sequence[Key]) -> dict[int, int]:
    pairs: dict[int, int] = {}
    for key in keys:
        taken = set(pairs.values())
        mine = _places(before, key, pairs)
        theirs = _places(after, key, taken)
        for name, places in mine.items():
            pairs |= _paired(places, theirs.get(name, []))
    return pairs


def _places(items: Sequence[Any], key: Key, but: Container[int]) -> dict[Hashable, list[int]]:
    places: dict[Hashable, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        if index not in but and (name := key(item)) is not None:
            places[name].append(index)
    return places


def _paired(one: list[int], other: list[int]) -> dict[int, int]:
    """Pair equal items: in order, but where one of them came or went those that stand where they stood first."""
    if len(one) == len(other):
        return dict(zip(one, other, strict=True))
    still = [index for index in one if index in other]
    rest = ([index for index in each if index not in still] for each in (one, other))
    return {**{index: index for index in still}, **dict(zip(*rest, strict=False))}


def _named(*fields: str) -> Key:
    """Told apart by these fields; an item without the first of them has no name."""

    def name(item: Any) -> Hashable:
        if not isinstance(item, dict) or not isinstance(item.get(fields[0]), str):
            return None
        return tuple(str(item.get(field) or "") for field in fields)

    return name


def _filter(item: Any) -> Hashable:
    """A filter by its type, and by what it refers to where it may be repeated."""
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        return None
    mirror = item.get("requestMirror")
    target = mirror.get("backendRef") if isinstance(mirror, dict) else item.get("extensionRef")
    return item["type"], content(target)


_KEYS: dict[str, tuple[Key, ...]] = {
    "rules": (_named("name"),),
    "backendRefs": (
        _named("name", "namespace", "group", "kind", "port"),
        _named("name", "namespace", "group", "kind"),
        _named("name"),
    ),
    "parentRefs": (_named("name", "namespace", "group", "kind", "sectionName", "port"), _named("name", "namespace")),
    "filters": (_filter, _named("type")),
    "headers": (_named("name"),),
    "queryParams": (_named("name"),),
    "set": (_named("name"),),
    "add": (_named("name"),),
}


def _most_alike(
    before: Sequence[Any], after: Sequence[Any], left_before: list[int], left_after: list[int]
) -> dict[int, int]:
    """Pair rules that were edited: those that share most of their matches, backends and filters first."""
    marks = {("before", index): _marks(before[index]) for index in left_before}
    marks |= {("after", index): _marks(after[index]) for index in left_after}
    scores = [
        (_likeness(marks["before", one], marks["after", other]), one, other)
        for one in left_before
        for other in left_after
    ]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for score, one, other in sorted(scores, key=lambda each: (-each[0], abs(each[1] - each[2]), each[1:])):
        if score and one not in pairs and other not in taken:
            pairs[one] = other
            taken.add(other)
    return pairs


_WEIGHTS = {"matches": 4.0, "backendRefs": 3.0, "filters": 1.0}
"""How much sharing each of these says about two rules being one: a rule is first of all what it matches."""


def _marks(rule: Any) -> dict[str, frozenset[Hashable]]:
    if not isinstance(rule, dict):
        return {}
    return {field: frozenset(_marks_of(rule.get(field), field)) for field in _WEIGHTS}


def _marks_of(items: Any, field: str) -> Iterator[Hashable]:
    for item in items if isinstance(items, list) else ():
        yield _KEYS["backendRefs"][0](item) if field == "backendRefs" else content(item)


def _likeness(one: dict[str, frozenset[Hashable]], other: dict[str, frozenset[Hashable]]) -> float:
    total = 0.0
    for field, weight in _WEIGHTS.items():
        mine, theirs = one.get(field, frozenset()), other.get(field, frozenset())
        if mine and theirs:
            total += weight * len(mine & theirs) / len(mine | theirs)
    return total
