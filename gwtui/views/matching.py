"""The filter language of every list: words that must occur, `!word` that must not; case does not matter."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def matches(pattern: str, haystack: str) -> bool:
    """Whether every word of the pattern occurs in the text, and no word written with a leading `!` does."""
    hay = haystack.lower()
    return all(
        (word[1:] not in hay) if word.startswith("!") and len(word) > 1 else word.lstrip("!") in hay
        for word in pattern.lower().split()
    )


def nearest(wanted: str, names: Iterable[str]) -> str | None:
    """The name that is meant: the same, else the first that begins with it, holds it, or is written much like it.

    Args:
        wanted: What was typed; case does not matter.
        names: What there is, in the order of preference. Each may be `namespace/name`: the last part counts as well.
    """
    low = wanted.lower()
    each = [(name, name.lower(), name.lower().rpartition("/")[2]) for name in names]
    ranked = (
        [name for name, whole, last in each if low in (whole, last)],
        [name for name, whole, last in each if whole.startswith(low) or last.startswith(low)],
        [name for name, whole, _ in each if low in whole],
    )
    best = next((found[0] for found in ranked if found), None)
    if best is not None:
        return best
    written = {last: name for name, _, last in reversed(each)}
    close = get_close_matches(low, written, n=1, cutoff=0.6)
    return written[close[0]] if close else None
