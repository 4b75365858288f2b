"""The filter language of every list: words that must occur, `!word` that must not; case does not matter."""

from __future__ import annotations


def matches(pattern: str, haystack: str) -> bool:
    """Whether every word of the pattern occurs in the text, and no word written with a leading `!` does."""
    hay = haystack.lower()
    return all(
        (word[1:] not in hay) if word.startswith("!") and len(word) > 1 else word.lstrip("!") in hay
        for word in pattern.lower().split()
    )
