"""What differs between two states of one kind's objects."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress, islice
from operator import is_, is_not
from typing import Any

from gwtui.model.ids import NamespacedName


def differing(before: Mapping[NamespacedName, Any], now: Mapping[NamespacedName, Any]) -> set[NamespacedName]:
    """Return the names of the objects that came, went or changed.

    Objects that are the same in memory are not looked into, and while none goes no name is looked up: the usual few
    changes among tens of thousands of objects cost well under a millisecond.
    """
    if before is now:
        return set()
    if len(now) >= len(before) and all(map(is_, before, now)):
        exchanged = compress(before, map(is_not, before.values(), now.values()))
        return {*(name for name in exchanged if before[name] != now[name]), *islice(now, len(before), None)}
    exchanged = compress(now, map(is_not, now.values(), map(before.get, now)))
    found = {name for name in exchanged if name not in before or before[name] != now[name]}
    return found | (before.keys() - now.keys())
