"""Cumulative histograms: differences, sums and quantiles."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

Histogram = tuple[tuple[float, int], ...]
"""Cumulative buckets: (upper bound in ms, count of values <= bound), ascending; the last bound is infinity. Empty when
nothing was recorded."""


def quantile(histogram: Histogram, q: float) -> float | None:
    """Return the value, in ms, below which the share `q` of the recorded values lies; None when there are none.

    Values are taken as spread evenly within their bucket. Beyond the last finite bound only that bound is known.

    Raises:
        ValueError: `q` is not within 0 to 1.
    """
    if not 0 <= q <= 1:
        raise ValueError(f"{q} is not a share")
    count_all = histogram[-1][1] if histogram else 0
    rank = min(q * count_all, count_all)  # the product may round up beyond a very large count
    lower, below = 0.0, 0
    for bound, count in histogram:
        if count > below and count >= rank:
            if bound == math.inf:
                return lower if len(histogram) > 1 else None
            return min(lower + (bound - lower) * ((rank - below) / (count - below)), bound)
        lower, below = bound, count
    return None


def merge(histograms: Iterable[Histogram]) -> Histogram:
    """Return the histogram of all values together; empty when there is none.

    Only bounds that all of them have are kept, since the counts at those are exact.
    """
    parts = [dict(histogram) for histogram in histograms if histogram]
    if not parts:
        return ()
    bounds = set(parts[0]).intersection(*parts[1:])
    return tuple((bound, sum(part[bound] for part in parts)) for bound in sorted(bounds))


def added(before: Histogram, after: Histogram) -> Histogram:
    """Return what came to a cumulative histogram, at the bounds both have; not ascending where it began anew."""
    if not before or not after:
        return after or tuple((bound, -count) for bound, count in before)
    counts = dict(after)
    return tuple((bound, counts[bound] - count) for bound, count in before if bound in counts)


def ascends(histogram: Histogram) -> bool:
    """Whether no count is below zero or below the one before it."""
    return all(below <= count for below, count in pairwise((0, *(count for _, count in histogram))))
