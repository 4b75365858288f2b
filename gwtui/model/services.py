"""What each subscription of a proxy to its configuration (xDS) does: taken, refused, refusing since when.

A proxy counts refused and taken updates per subscription, but keeps neither when it refused nor which came last. Both
are told by two samples: the one counter grew, the other did not grow since. Before we looked, nobody knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gwtui.model.samples import ProxySample, ServiceSample


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One subscription as of the newest sample."""

    rejected: int = 0
    """Updates it refused since it began."""
    accepted: int | None = None
    """Updates it took; None: not told."""
    version: int | None = None
    """Hash of the version it took last; None: not told."""
    refused_since: datetime | None = None
    """When it was first seen to refuse an update after the last it took; None while nothing tells that it refuses."""

    @property
    def is_stale(self) -> bool:
        """Whether the proxy runs on an older version than it was sent."""
        return self.refused_since is not None


Services = Mapping[str, Service]
"""By subscription, as `ProxySample.services`."""


def follow_services(before: Services, last: ProxySample | None, newest: ProxySample) -> Services:
    """Return the subscriptions after one more sample; `before` itself where none changed.

    Where updates were refused and taken between two samples, it counts as refusing: which came last is not told, and
    the next update that is taken ends it.

    Args:
        before: as of the sample before.
        last: the sample before; None when this is the first.
        newest: the sample that came.
    """
    is_restarted = last is not None and (newest.uptime_s or 0) < (last.uptime_s or 0)
    is_first = last is None or is_restarted
    found = {
        name: _after(None if is_first else _known(before, name), told, newest.taken_at)
        for name, told in newest.services.items()
    }
    return before if found == before else found


def refusing(services: Services) -> Mapping[str, datetime]:
    """Which subscriptions refuse updates, and since when, the longest first."""
    since = ((name, each.refused_since) for name, each in services.items())
    return dict(sorted(((name, at) for name, at in since if at is not None), key=lambda pair: (pair[1], pair[0])))


_NEW = Service(accepted=0)
"""A subscription that the sample before did not hold: it had counted nothing."""

_REPLACED = re.compile(r"[^a-zA-Z0-9_]")


def _known(before: Services, name: str) -> Service:
    """The same subscription before; Prometheus text writes names with `_` for most that is no letter and no digit."""
    if name in before:
        return before[name]
    written = _REPLACED.sub("_", name)
    return next((each for other, each in before.items() if _REPLACED.sub("_", other) == written), _NEW)


def _after(before: Service | None, told: ServiceSample, at: datetime) -> Service:
    return Service(
        rejected=told.rejected,
        accepted=told.accepted,
        version=told.version,
        refused_since=_refused_since(before, told, at),
    )


def _refused_since(before: Service | None, told: ServiceSample, at: datetime) -> datetime | None:
    if told.rejected and told.accepted == 0:
        # It never took any: no earlier sample is needed to know that.
        return (before.refused_since if before else None) or at
    if before is None or told.rejected < before.rejected:
        return None
    if told.rejected > before.rejected:
        return before.refused_since or at
    if told.accepted is None or (before.accepted is not None and told.accepted > before.accepted):
        # Taken; or nobody will tell when one is.
        return None
    return before.refused_since
