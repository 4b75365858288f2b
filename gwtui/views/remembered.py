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
        found = self._found(key, sources)
        if found is not None:
            return found[1]
        value = make()
        self.keep(key, sources, value)
        return value

    def held(self, key: K, sources: Sequence[object]) -> V | None:
        """Return the value of a key while its sources are the same objects; None where it has to be made anew."""
        found = self._found(key, sources)
        return None if found is None else found[1]

    def keep(self, key: K, sources: Sequence[object], value: V) -> None:
        """Remember a value that was made in parts."""
        if key not in self._held and len(self._held) >= self._most:
            self._held.clear()
        # The sources are kept, so that no other object can have their identity.
        self._held[key] = (tuple(sources), value)

    def _found(self, key: K, sources: Sequence[object]) -> tuple[tuple[object, ...], V] | None:
        found = self._held.get(key)
        if found is None or len(found[0]) != len(sources) or not all(map(operator.is_, found[0], sources)):
            return None
        return found
