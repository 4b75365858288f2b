"""What is dear to derive and rarely changes: made anew only when what it is made from is another object."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ByIdentity(Generic[K, V]):
    """The newest value per key. Sources are immutable objects and compared by identity, which costs nothing.

    The value depends on the key and the sources alone, so forgetting it changes no result.

    Args:
        most: How many keys are remembered; beyond it everything is forgotten and made anew.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._held: dict[K, tuple[tuple[object, ...], V]] = {}

    def get(self, key: K, sources: Sequence[object], make: Callable[[], V]) -> V:
        """Return the value of a key, made now unless its sources are the same objects as before."""
        found = self._held.get(key)
        if found is not None:
            before = found[0]
            if len(before) == len(sources) and all(map(operator.is_, before, sources)):
                return found[1]
        elif len(self._held) >= self._most:
            self._held.clear()
        value = make()
        # The sources are kept, so that no other object can have their identity.
        self._held[key] = (tuple(sources), value)
        return value
