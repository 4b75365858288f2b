"""The proxies of one cluster, as a Prometheus-compatible server knows them: a `Source` of traffic facts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable

from gwtui.adapters.prometheus.client import QueryClient
from gwtui.adapters.prometheus.refresh import MAX_SERIES, STALE_S, Refresh, Refresher
from gwtui.backoff import Backoff
from gwtui.errors import Denied, SourceError
from gwtui.model.health import ProxyState, SourceHealth, SourceState
from gwtui.model.ids import ProxyKey
from gwtui.model.observations import Observation, ProxyFailed, ProxySampled, SourceReported
from gwtui.ports import Clock, ProxyAddress

PERIOD_S = 5.0
"""Seconds between two refreshes, where answers are quick. Proxies are seldom scraped more often than every 10 s."""

BUDGET = 0.1
"""Longest share of the time that answering us may take."""

LONGEST_PAUSE_S = 30.0
"""However long an answer takes: figures that are looked at less often are none of the present."""

WAY = "prometheus"

_RETRY_FIRST_S = 1.0
_RETRY_MAX_S = 30.0
_IDLE_S = 60.0
"""How often the server is asked for a sign of life while nobody needs it."""
_LOOK_S = 0.5
"""How often the set of proxies is compared while it is empty, in seconds."""


class PrometheusSource:
    """Reports new samples of a changing set of proxies, with `way` `prometheus`, and the health of the server.

    The monotonic time of a sample is the time of its scrape, moved onto the clock's axis once, with the first answer.
    So the differences that rates are made of are exactly those between scrapes, whatever time an answer took, and a
    proxy that was read directly before keeps one axis.

    Args:
        client: asks the server; may be shared by several sources.
        cluster: kubeconfig context whose proxies these are.
        addresses: the current set of proxies to answer for; called with every refresh.
        clock: all time but the deadlines of questions.
        period_s: seconds between two refreshes, and at least between two samples of one proxy.
        match: more matchers for every question, for example `cluster="prod-eu"`.
        max_series: above so many series of upstreams, or of routes, these are left out of the samples.
        name: name of the health that is reported.
    """

    def __init__(
        self,
        client: QueryClient,
        cluster: str,
        addresses: Callable[[], Iterable[ProxyAddress]],
        clock: Clock,
        *,
        period_s: float = PERIOD_S,
        match: str = "",
        max_series: int = MAX_SERIES,
        name: str = "prometheus",
    ) -> None:
        self._client = client
        self._cluster = cluster
        self._addresses = addresses
        self._clock = clock
        self._period_s = period_s
        self._name = name
        self._refresher = Refresher(client, cluster, clock, period_s=period_s, match=match, max_series=max_series)
        self._backoff = Backoff(_RETRY_FIRST_S, _RETRY_MAX_S)
        self._health: SourceHealth | None = None
        self._was_ready = False
        self._sampled_mono: dict[ProxyKey, float] = {}

    @property
    def id(self) -> str:
        """Unique name, for logs and task names."""
        return f"{self._cluster}/{self._name}"

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Report samples, failures and the server's health until cancelled."""
        while True:
            proxies = frozenset(address.key for address in self._addresses())
            started = self._clock.mono()
            try:
                if proxies:
                    facts = self._refreshed(await self._refresher.refresh(proxies), proxies)
                    took_s = self._clock.mono() - started
                    pause_s = max(self._period_s, min(took_s * (1 / BUDGET - 1), LONGEST_PAUSE_S))
                else:
                    await self._refresher.probe()
                    facts = self._report(SourceState.READY, "answers; no proxy needs it now")
                    pause_s = _IDLE_S
                self._backoff.reset()
            except SourceError as error:
                facts = self._failed(error, proxies)
                pause_s = self._backoff.next()
            for fact in facts:
                yield fact
            await self._pause(pause_s, is_idle=not proxies)

    async def _pause(self, seconds: float, *, is_idle: bool) -> None:
        """Wait; where there was no proxy, only until there is one."""
        end = self._clock.mono() + seconds
        while (left_s := end - self._clock.mono()) > 0:
            await self._clock.sleep(min(left_s, _LOOK_S) if is_idle else left_s)
            if is_idle and any(True for _ in self._addresses()):
                return

    def _refreshed(self, brought: Refresh, proxies: frozenset[ProxyKey]) -> tuple[Observation, ...]:
        facts: list[Observation] = []
        asked = len(proxies)
        self._sampled_mono = {key: mono for key, mono in self._sampled_mono.items() if key in proxies}
        for key, state, sample in brought.samples:
            self._sampled_mono[key] = sample.taken_mono
            facts.append(ProxySampled(key, state, sample, WAY))
        facts.extend(
            ProxyFailed(key, ProxyState.FAILING, self._clock.now(), silence.reason, silence.hint)
            for key, silence in brought.silent.items()
        )
        known = f"{asked - len(brought.silent)} of {asked} {'proxy' if asked == 1 else 'proxies'}"
        if brought.interval_s is not None:
            known = f"{known}, scraped every {max(round(brought.interval_s), 1)} s"
        detail = "; ".join((known, *brought.notes))
        return (*self._report(SourceState.READY, detail, brought.hint), *facts)

    def _failed(self, error: SourceError, proxies: Iterable[ProxyKey]) -> tuple[Observation, ...]:
        """Report a refused or failed refresh, also for every proxy of which nothing is known for too long."""
        message = " ".join(error.message.split())
        is_denied = isinstance(error, Denied)
        failed = SourceState.STALE if self._was_ready else SourceState.FAILED
        state = ProxyState.FORBIDDEN if is_denied else ProxyState.FAILING
        now_mono = self._clock.mono()
        silent = [key for key in proxies if now_mono - self._sampled_mono.get(key, -STALE_S) > STALE_S]
        return (
            *self._report(SourceState.FORBIDDEN if is_denied else failed, message, error.hint),
            *(ProxyFailed(key, state, self._clock.now(), f"Prometheus: {message}", error.hint) for key in silent),
        )

    def _report(self, state: SourceState, detail: str, hint: str = "") -> tuple[SourceReported, ...]:
        """Return the report to emit, or nothing when it says what the last one said. `since` moves with the state."""
        last = self._health
        since = last.since if last is not None and last.state is state else self._clock.now()
        health = SourceHealth(state=state, since=since, detail=detail, hint=hint)
        if state is SourceState.READY:
            self._was_ready = True
        if health == last:
            return ()
        self._health = health
        return (SourceReported(self._cluster, self._name, health),)
