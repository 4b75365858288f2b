"""How documents write values: unknown ones as null with the reason beside them, times in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gwtui.model.known import Known, Unknown

Json = dict[str, Any]


def utc(moment: datetime | None) -> str | None:
    """A time as documents write it, RFC 3339 in UTC; None stays None."""
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written(values: Mapping[str, Known[Any] | Unknown], digits: int = 6) -> Json:
    """The values by key, unknown ones as null with the reasons under `unknown`."""
    known: Json = {
        key: (round(value.value, digits) if isinstance(value.value, float) else value.value)
        if isinstance(value, Known)
        else None
        for key, value in values.items()
    }
    unknown = {key: value.reason for key, value in values.items() if isinstance(value, Unknown)}
    return {**known, "unknown": unknown} if unknown else known
