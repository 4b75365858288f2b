"""When certificates end, in days and in words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import Certificate, Inspection
from gwtui.model.known import Known
from gwtui.model.snapshot import ProxyView
from gwtui.views import text
from gwtui.views.remembered import ByIdentity
from gwtui.views.spans import Line, Role, Span

URGENT_DAYS = 7
"""Days before its end from which a certificate has to be replaced now: a missed renewal has become an incident."""

SOON_DAYS = 30
"""Days before its end from which its renewal is due: what renews by itself has done so by now."""

_DAY_S = 86_400
_FIRST: ByIdentity[ProxyKey, datetime | None] = ByIdentity()


class Expiry(NamedTuple):
    """How long a certificate is valid for."""

    days: int
    """Whole days left; below 0 when it has expired."""

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.days < 0

    @property
    def is_urgent(self) -> bool:
        """Whether it ends within `URGENT_DAYS` days, or has ended."""
        return self.days <= URGENT_DAYS

    @property
    def words(self) -> str:
        """`expired`, `6 days left: replace it now`, `20 days left: renewal is due`, `61 days left`."""
        if self.is_expired:
            return "expired"
        left = "less than a day left" if self.days == 0 else f"{text.plural(self.days, 'day')} left"
        if self.is_urgent:
            return f"{left}: replace it now"
        return f"{left}: renewal is due" if self.days <= SOON_DAYS else left

    @property
    def cell(self) -> Span:
        """The same in a few cells: `✖ expired`, `6 d ▲`, `61 d`."""
        if self.is_expired:
            return Span(f"{text.FAILING_GLYPH} expired", Role.BAD)
        if self.is_urgent:
            return Span(f"{self.days} d {text.RAISED}", Role.BAD if self.days == 0 else Role.WARN)
        return Span(f"{self.days} d {text.RAISED}", Role.WARN) if self.days <= SOON_DAYS else Span(f"{self.days} d")


def expiry(moment: datetime, now: datetime) -> Expiry:
    """How long something that ends at `moment` is still valid."""
    return Expiry(math.floor((moment - now).total_seconds() / _DAY_S))


def first_expiry(view: ProxyView, now: datetime) -> Expiry | None:
    """When the first certificate of a proxy ends; None when that is not known, or it holds none.

    What it listed counts more than what it counts: the statistic tells whole days and says 0 for an expired one.
    """
    inspection = view.inspection
    if inspection is not None and isinstance(inspection.certificates, Known):
        moment = _FIRST.get(view.key, (inspection,), lambda: _first(inspection))
        return None if moment is None else expiry(moment, now)
    days = view.samples[-1].certificate_days if view.samples else None
    return None if days is None else Expiry(days)


def expiry_cell(view: ProxyView, now: datetime) -> Line:
    """The first expiry for a table; `–` when it is not known, `none` when the proxy holds no certificate."""
    found = first_expiry(view, now)
    if found is not None:
        return (found.cell,)
    listed = view.inspection.certificates if view.inspection is not None else None
    is_none = isinstance(listed, Known) and not listed.value
    return (Span("none", Role.DIM),) if is_none else (Span(text.UNKNOWN, Role.UNKNOWN),)


def _first(inspection: Inspection) -> datetime | None:
    held: Iterable[Certificate] = inspection.certificates.value if isinstance(inspection.certificates, Known) else ()
    return min((one.expires_at for one in held if one.expires_at is not None), default=None)
