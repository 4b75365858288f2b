"""Observed values: known with a time, or unknown with a reason. Unknown is never zero and never an empty text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """A value that was observed."""

    value: T
    """The value, in the unit its field name states."""
    observed_at: datetime
    """When the value was true, aware UTC. For a rate: the end of its window."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why a value is not available."""

    reason: str
    """A short phrase an operator can act on, for example `first sample, no rate yet`."""


Observed = Known[T] | Unknown
"""A value of type `T` that may not be available."""


def value_or(observed: Known[T] | Unknown, default: D) -> T | D:
    """Return the value, or `default` when unknown. For sorting, gaps in charts, and sums that state their coverage."""
    return observed.value if isinstance(observed, Known) else default
