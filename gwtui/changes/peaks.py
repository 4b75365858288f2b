"""The most a gateway was seen to take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gwtui.model.snapshot import ProxyView


class Peak(NamedTuple):
    """The most requests/s that all proxies of a gateway took together."""

    rps: float
    window_s: float
    """From the first moment at which all of them were known to the last."""


def peak_of(views: Sequence[ProxyView]) -> Peak | None:
    """Return the peak of the summed series of these proxies.

    Only moments count at which every proxy had told its rate and answered when it was asked last. None when there is
    no such moment.
    """
    points = sorted(
        ((point.at, position, point.rps) for position, view in enumerate(views) for point in view.series),
        key=lambda each: each[:2],
    )
    now: dict[int, float | None] = {}
    most: float | None = None
    first = last = None
    for at, position, rps in points:
        now[position] = rps
        rates = [rate for rate in now.values() if rate is not None]
        if len(rates) == len(views):
            most = sum(rates) if most is None else max(most, sum(rates))
            first, last = first or at, at
    if most is None or first is None or last is None:
        return None
    return Peak(most, (last - first).total_seconds())
