"""Copies of JSON data."""

from __future__ import annotations

from typing import Any


def copied(value: Any) -> Any:
    """Return a copy that shares nothing, not even with itself: YAML with anchors puts one object in two places."""
    if isinstance(value, dict):
        return {name: copied(part) for name, part in value.items()}
    return [copied(part) for part in value] if isinstance(value, list) else value
