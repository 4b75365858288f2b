"""Reports of one source's health, made only when something an operator can see has changed."""

from __future__ import annotations

from gwtui.model.health import SourceHealth, SourceState
from gwtui.model.observations import SourceReported
from gwtui.ports import Clock


class HealthLog:
    """The last reported health of one source."""

    def __init__(self, cluster: str, source: str, clock: Clock) -> None:
        self._cluster = cluster
        self._source = source
        self._clock = clock
        self._last: SourceHealth | None = None

    @property
    def state(self) -> SourceState:
        """The last reported state, LOADING before any report."""
        return self._last.state if self._last else SourceState.LOADING

    def report(
        self, state: SourceState, detail: str = "", hint: str = "", undecodable: tuple[str, ...] = ()
    ) -> tuple[SourceReported, ...]:
        """Return the report to emit, or nothing when it says what the last one said. `since` moves with the state."""
        last = self._last
        since = last.since if last is not None and last.state is state else self._clock.now()
        health = SourceHealth(state=state, since=since, detail=detail, hint=hint, undecodable=undecodable)
        if health == last:
            return ()
        self._last = health
        return (SourceReported(self._cluster, self._source, health),)
