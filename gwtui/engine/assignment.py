"""Which proxies are asked themselves, and of which Prometheus is asked instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.snapshot import ProxyView
from gwtui.ports import Clock, ProxyAddress

RETRY_S = 600.0
"""After so long a proxy that refused us is asked itself again: rights change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When Prometheus is asked instead of the proxies."""

    always: bool = False
    above: int = 300
    """With more proxies than this none is asked itself."""


class Assignment:
    """Divides the proxies of one cluster between the two sources; each proxy has one at a time.

    Args:
        policy: None when there is no Prometheus: all are asked themselves.
        clock: tells when to try again.
    """

    def __init__(self, policy: Policy | None, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._refused_until: dict[ProxyKey, float] = {}

    def divide(
        self, addresses: Iterable[ProxyAddress], views: Mapping[ProxyKey, ProxyView]
    ) -> tuple[frozenset[ProxyAddress], frozenset[ProxyAddress]]:
        """Return those to ask themselves, and those to ask Prometheus about."""
        every = frozenset(addresses)
        if self._policy is None:
            return every, frozenset()
        if self._policy.always or len(every) > self._policy.above:
            return frozenset(), every
        now = self._clock.mono()
        current = {address.key for address in every}
        self._refused_until = {
            key: until for key, until in self._refused_until.items() if until > now and key in current
        }
        for key in current:
            view = views.get(key)
            if view is not None and view.state is ProxyState.FORBIDDEN:
                self._refused_until.setdefault(key, now + RETRY_S)
        elsewhere = frozenset(address for address in every if address.key in self._refused_until)
        return every - elsewhere, elsewhere
