"""Where the links of one gap between two columns run: the row each enters its target on, the lane it turns in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

MOST_LANES = 10
"""Lanes a gap has at most; further sources share them."""

S = TypeVar("S", bound=tuple[object, ...])


class Span(NamedTuple):
    """The rows of something."""

    y: int
    height: int

    @property
    def middle(self) -> int:
        """The row its outgoing traffic leaves on."""
        return self.y + self.height // 2


def entries(hops: Sequence[tuple[S, S]], rows: Mapping[S, Span]) -> dict[tuple[S, S], int]:
    """On which row each hop enters its target: straight where possible, otherwise a row nobody else uses."""
    leaving: dict[int, set[S]] = {}
    for start, _ in hops:
        leaving.setdefault(rows[start].middle, set()).add(start)
    taken: set[tuple[S, int]] = set()
    found: dict[tuple[S, S], int] = {}
    for start, end in sorted(hops, key=lambda hop: (rows[hop[1]].y, rows[hop[0]].y)):
        place = rows[end]
        inside = range(place.y + 1, place.y + place.height - 1) if place.height > 2 else range(place.y, place.y + 1)
        straight = rows[start].middle

        def cost(
            row: int, end: S = end, start: S = start, straight: int = straight, place: Span = place
        ) -> tuple[int, ...]:
            crossed = len(leaving.get(row, ())) > (start in leaving.get(row, ()))
            return ((end, row) in taken, crossed, row != straight, abs(row - place.middle))

        found[start, end] = min(inside, key=cost)
        taken.add((end, found[start, end]))
    return found


def lanes(hops: Sequence[tuple[S, S]], rows: Mapping[S, Span], entered: Mapping[tuple[S, S], int]) -> dict[S, int]:
    """A lane for every source, from 0 at the left; sources whose links cover different rows share one."""
    covered: dict[S, tuple[int, int]] = {}
    for start, end in hops:
        middle, row = rows[start].middle, entered[start, end]
        low, high = covered.get(start, (middle, middle))
        covered[start] = (min(low, row), max(high, row))
    free_from: list[int] = []
    found: dict[S, int] = {}
    for start, (low, high) in sorted(covered.items(), key=lambda item: (item[1], tuple(map(str, item[0])))):
        if low == high:
            found[start] = 0
            continue
        lane = next((index for index, free in enumerate(free_from) if free < low), len(free_from))
        if lane == len(free_from) and lane < MOST_LANES:
            free_from.append(high)
        lane = min(lane, MOST_LANES - 1)
        free_from[lane] = max(free_from[lane], high)
        found[start] = lane
    return found
