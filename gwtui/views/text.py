"""The only place that turns numbers, times and unknowns into words.

An unknown value is `–` and never `0`; its reason belongs beside it or in the detail view.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from gwtui.model.known import Known, Unknown

T = TypeVar("T")

UNKNOWN = "–"
"""Shown for every value that was not observed."""

OK_GLYPH, DEGRADED_GLYPH, FAILING_GLYPH, UNKNOWN_GLYPH, DRAINING_GLYPH = "●", "◐", "✖", "○", "⇣"
RAISED = "▲"
"""Marks a figure above what is usual or allowed."""

PATTERNS = {
    "simple-ingress": "simple ingress",
    "sharded": "sharded gateways",
    "sharded-central-ingress": "sharded behind central ingress",
    "external-front-door": "behind an external front door",
    "ambient-ingress": "ambient mesh ingress",
    "ambient-egress": "ambient mesh egress",
    "ambient-waypoint": "ambient mesh waypoint",
    "sidecar-ingress": "sidecar mesh ingress",
    "ai-gateway": "AI gateway",
}
"""Deployment patterns in words, by id."""

PATTERNS_IN_SHORT = {
    "simple-ingress": "simple",
    "sharded": "sharded",
    "sharded-central-ingress": "central + shards",
    "external-front-door": "front door",
    "ambient-ingress": "ambient in",
    "ambient-egress": "ambient out",
    "ambient-waypoint": "waypoint",
    "sidecar-ingress": "sidecar in",
}
"""The same where there is little room."""

_BLOCKS = "▁▂▃▄▅▆▇█"
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


def rate(per_second: float) -> str:
    """A rate as `0`, `0.4`, `7.2`, `812`, `12.4k` or `1.2M`; the unit is the caller's."""
    return _scaled(per_second)


def rps(per_second: float) -> str:
    """Requests per second with the unit: `12.4k rps`."""
    return f"{_scaled(per_second)} rps"


def count(number: float) -> str:
    """A count, shortened from ten thousand on: `9,876`, `61.2k`."""
    return f"{number:,.0f}" if number < 10_000 else _scaled(number)


def ratio(share: float) -> str:
    """A small share of a whole (0 to 1) such as errors: `0%`, `<0.01%`, `0.31%`, `4.2%`, `37%`."""
    percentage = share * 100
    if percentage <= 0:
        return "0%"
    if percentage < 0.01:
        return "<0.01%"
    digits = 2 if percentage < 1.995 else 1 if percentage < 9.95 else 0
    return f"{percentage:.{digits}f}%"


def percent(share: float) -> str:
    """A share of traffic (0 to 1) in whole percent; something above nothing is never `0%`: `71%`, `<1%`."""
    return "<1%" if 0 < share < 0.005 else f"{share * 100:.0f}%"


def ms(milliseconds: float) -> str:
    """A latency: `0.4 ms`, `41 ms`, `1.2 s`, `37 s`."""
    if math.isinf(milliseconds):
        return "off scale"
    if milliseconds < 9.95:
        return f"{milliseconds:.1f} ms".replace(".0 ", " ")
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"


def age(seconds: float) -> str:
    """A duration in its largest whole unit: `2 s`, `4 min`, `3 h`, `12 d`. What lies in the future is `0 s`."""
    whole = max(0, int(seconds))
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min"
    if whole < 2 * _DAY_S:
        return f"{whole // _HOUR_S} h"
    return f"{whole // _DAY_S} d"


def age_of(moment: datetime | None, now: datetime) -> str:
    """How long ago `moment` was, or `–` when it never happened."""
    return UNKNOWN if moment is None else age((now - moment).total_seconds())


def clock(moment: datetime) -> str:
    """A moment as `14:02:10 UTC`."""
    return f"{moment:%H:%M:%S} UTC"


def size(number_of_bytes: float) -> str:
    """A size: `812 B`, `55 KB`, `1.2 MB`."""
    value = float(number_of_bytes)
    for unit in ("B", "KB", "MB"):
        if value < 999.5:
            return f"{value:.1f} {unit}" if unit != "B" and value < 9.95 else f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def figure(observed: Known[T] | Unknown, words: Callable[[T], str]) -> str:
    """The value in words, or `–` when it is unknown."""
    return words(observed.value) if isinstance(observed, Known) else UNKNOWN


def part_of(some: int, whole: int) -> str:
    """`4/5`."""
    return f"{some}/{whole}"


def plural(number: int, one: str, many: str = "") -> str:
    """`1 proxy`, `3 proxies`; without `many` an s is added."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def moment(rfc3339: str) -> datetime | None:
    """The time an API object carries as text, or None when it is absent or not a time."""
    try:
        return datetime.fromisoformat(rfc3339)
    except ValueError:
        return None


def shorten(text: str, cells: int) -> str:
    """The text with its middle left out when it is longer than `cells`: both ends of a generated name matter."""
    if len(text) <= cells:
        return text
    if cells <= 1:
        return "…"[:cells]
    tail = (cells - 1) // 2
    return f"{text[: cells - 1 - tail]}…{text[len(text) - tail :]}"


HEADROOM = 1.3


def sparkline(values: Sequence[float | None], cells: int) -> str:
    """The last `cells` values as block characters from zero up; `·` where nothing was measured.

    The highest stays below the full block, so that a steady line does not look like a progress bar.
    """
    shown = values[-cells:] if cells > 0 else ()
    top = HEADROOM * max((value for value in shown if value is not None), default=0.0)
    return "".join(_block(value, top) for value in shown)


def _block(value: float | None, top: float) -> str:
    if value is None:
        return "·"
    if top <= 0:
        return _BLOCKS[0]
    return _BLOCKS[min(len(_BLOCKS) - 1, int(value / top * len(_BLOCKS)))]


def _scaled(value: float) -> str:
    if value <= 0:
        return "0"
    if value < 0.05:
        return "<0.1"
    if value < 9.95:
        return f"{value:.1f}".removesuffix(".0")
    for limit, unit in ((999.5, ""), (999_500, "k"), (math.inf, "M")):
        if value < limit:
            scaled = value / {"": 1, "k": 1e3, "M": 1e6}[unit]
            digits = 1 if unit and scaled < 99.95 else 0
            return f"{scaled:.{digits}f}{unit}"
    return "∞"
