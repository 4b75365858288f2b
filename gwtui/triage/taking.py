"""Which proxies take the updates of configuration that their siblings take: told by counters, long before a dump is.

kgateway sends one configuration to every replica at once. *Source:* `update_success` of each subscription, which every
sample brings; what a proxy holds is read some seconds later, and compared then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from gwtui.model.ids import ProxyKey
from gwtui.model.samples import ProxySample
from gwtui.model.snapshot import ProxyView
from gwtui.triage.counts import window_of
from gwtui.views.fleet import GatewayFigures

APART_S = 1.0
"""Seconds by which replicas may take the same update one after the other."""

CONNECTED_S = 30
"""Seconds of uptime in which a proxy takes its first configuration, which is none of its elder siblings' business."""

ELDER_S = 10
"""Seconds by which a proxy is an elder sibling."""


class LeftOut(NamedTuple):
    """A proxy did not take an update that others of its gateway took."""

    service: str
    """The subscription: `rds.listener~8080`."""
    at: datetime
    """When the first of the others was seen to have taken it."""
    takers: int
    """How many others took it."""


class _Taken(NamedTuple):
    """One proxy took updates of one subscription."""

    key: ProxyKey
    service: str
    after: datetime
    """The sample before."""
    by: datetime
    """The sample that shows it."""
    uptime_s: int
    version: int | None
    """Of what it held before."""


def left_out(entry: GatewayFigures) -> Mapping[ProxyKey, LeftOut]:
    """Return the proxies that did not take an update within the window which some of their siblings took."""
    if len(entry.heard) < 2:
        return {}
    windows = {view.key: window_of(view) for view in entry.heard}
    if all(len(window) < 2 or window[0].services == window[-1].services for window in windows.values()):
        return {}
    taken = [each for key, window in windows.items() for each in _taken(key, window)]
    found: dict[ProxyKey, LeftOut] = {}
    for service in dict.fromkeys(each.service for each in taken):
        takers = [each for each in taken if each.service == service]
        for key, window in windows.items():
            missed = [each for each in takers if each.key != key and _missed(window, each)]
            if missed and not any(each.key == key for each in takers):
                found.setdefault(key, LeftOut(service, min(each.by for each in missed), len({e.key for e in missed})))
    return found


def is_pending(view: ProxyView) -> bool:
    """Whether a proxy took or refused something after what it holds was read: it will be read again."""
    inspection = view.inspection
    if inspection is None:
        return False
    window = window_of(view)
    if not window:
        return False
    before = [sample for sample in window if sample.taken_at <= inspection.taken_at] or window[:1]
    return before[-1].services != window[-1].services


def _taken(key: ProxyKey, window: Sequence[ProxySample]) -> Iterator[_Taken]:
    for earlier, later in pairwise(window):
        if earlier.services == later.services:
            continue
        for name, each in later.services.items():
            before = earlier.services.get(name)
            if before is None or before.accepted is None or each.accepted is None:
                continue
            if each.accepted > before.accepted:
                yield _Taken(key, name, earlier.taken_at, later.taken_at, later.uptime_s or 0, before.version)


def _missed(window: Sequence[ProxySample], taken: _Taken) -> bool:
    """Whether a proxy had the time to take the same and did not; where it was not looked at, nothing is said."""
    apart = timedelta(seconds=APART_S)
    before = [sample for sample in window if sample.taken_at <= taken.after - apart]
    if not before or window[-1].taken_at < taken.by + apart:
        return False
    is_elder = (window[-1].uptime_s or 0) - taken.uptime_s > ELDER_S
    if taken.uptime_s < CONNECTED_S and is_elder:
        return False
    first, newest = before[-1].services.get(taken.service), window[-1].services.get(taken.service)
    if first is None or newest is None or first.version != taken.version:
        # They held different versions before: the other one may only have caught up.
        return False
    return first.accepted == newest.accepted
