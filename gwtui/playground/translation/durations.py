"""Gateway API durations."""

from __future__ import annotations

import re

_PART = re.compile(r"(\d+)(h|ms|m|s)")
_UNIT_MS = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}


def envoy_duration(written: str) -> str:
    """A Gateway API duration (`1m30s`, `500ms`) in the protobuf form Envoy reads (`90s`, `0.5s`)."""
    total_ms = sum(int(count) * _UNIT_MS[unit] for count, unit in _PART.findall(written))
    seconds, rest = divmod(total_ms, 1_000)
    return f"{seconds}.{rest:03d}".rstrip("0") + "s" if rest else f"{seconds}s"
