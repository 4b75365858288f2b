"""Charts as strings of block characters: cheap enough to be made with every repaint."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median

from gwtui.views.judge import STALE_AFTER_S
from gwtui.views.text import HEADROOM

GAP = "·"
"""Where a value was not known."""

ZERO = "_"
"""Where it was known and nothing: unlike the lowest block, which is more than nothing."""

HOLDS_S = STALE_AFTER_S
"""Seconds a value stands for when nothing newer is told."""

LATE = 2.5
"""Where answers are rare a value stands for so many times of what usually lies between two."""

ROOM = 1.15
"""How many times as high as its highest value a chart of several rows is."""

_BLOCKS = " ▁▂▃▄▅▆▇█"
_STEPS = len(_BLOCKS) - 1


Moment = tuple[datetime, float | None]
"""A value and when it was asked for; None where it was not known."""


def placed(moments: Sequence[Moment], cells: int, *, holds_s: float = HOLDS_S) -> tuple[float | None, ...]:
    """The values as at most `cells` values of equal spans of time, newest last.

    A value stands for the time since the one before it, at most `holds_s`: what lies between two answers that are
    further apart is not known. Of those that share a cell the highest is kept, for peaks matter. A short course has
    one cell for what usually lies between two values, and so grows from the right.

    Args:
        moments: Oldest first.
        cells: How many there is room for.
        holds_s: Seconds a value may stand for.
    """
    if cells <= 0 or not moments:
        return ()
    ages = [(moments[-1][0] - at).total_seconds() for at, _ in moments]
    between = [earlier - later for earlier, later in pairwise(ages)]
    usual_s = median(between) if between else 1.0
    cell_s = max(ages[0] / cells, usual_s) or 1.0
    count = min(cells, int(ages[0] / cell_s) + 1)
    found: list[float | None] = [None] * count
    holds_s = max(holds_s, LATE * usual_s)
    before = -1
    for age, gap_s, (_, value) in zip(ages, (0.0, *between), moments, strict=True):
        cell = max(count - 1 - int(age / cell_s), 0)
        first = min(before + 1, cell) if gap_s <= holds_s else cell
        if value is not None:
            for at in range(first, cell + 1):
                known = found[at]
                found[at] = value if known is None else max(known, value)
        before = cell
    return tuple(found)


def highest(values: Sequence[float | None]) -> float | None:
    """The highest known value; None when none is known."""
    return max((value for value in values if value is not None), default=None)


def chart(values: Sequence[float | None], *, rows: int, cells: int) -> tuple[str, ...]:
    """Draw the newest values from zero up.

    Args:
        values: Oldest first, one per cell; None where it was not known.
        rows: Height in lines.
        cells: Width; fewer values stand at the right end, of more the newest are drawn.

    Returns:
        One string of `cells` characters per row, the top one first.
    """
    shown = values[-cells:] if cells > 0 else ()
    # Room above the highest keeps charts apart that stand on each other.
    top = (HEADROOM if rows == 1 else ROOM) * (highest(shown) or 0.0)
    levels = [_level(value, top, rows) for value in shown]
    drawn = [
        "".join(_cell(value, level, row) for value, level in zip(shown, levels, strict=True))
        for row in reversed(range(rows))
    ]
    return tuple(each.rjust(cells) for each in drawn)


def _level(value: float | None, top: float, rows: int) -> int:
    """How many eighths of a cell a value is high; something above nothing is at least one."""
    if value is None or value <= 0 or top <= 0:
        return 0
    return max(1, round(value / top * rows * _STEPS))


def _cell(value: float | None, level: int, row: int) -> str:
    if row == 0 and level == 0:
        return GAP if value is None else ZERO
    return _BLOCKS[min(max(level - row * _STEPS, 0), _STEPS)]
