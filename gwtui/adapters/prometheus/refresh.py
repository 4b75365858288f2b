"""One refresh: the questions in their order, and what is remembered from one to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from gwtui.adapters.prometheus import queries
from gwtui.adapters.prometheus.client import QueryClient
from gwtui.adapters.prometheus.decode import (
    TooMuch,
    decode_counts,
    decode_matrix,
    decode_time,
    decode_vector,
    printable,
)
from gwtui.adapters.prometheus.queries import Naming
from gwtui.adapters.prometheus.samples import Pulse, Scrape, choose_naming, decode_samples, pulses
from gwtui.errors import SourceError
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.samples import ProxySample
from gwtui.ports import Clock

SETTLE_S = 2.0
"""Scrapes younger than this are left for the next time: where samples are written remotely, the series of one scrape
arrive one after the other, and those that are missing would read as 0."""

STALE_S = 60.0
"""A proxy whose last scrape is older is silent; or older than `STALE_SCRAPES` scrapes where those are rarer."""

STALE_SCRAPES = 2.2

PULSE_S = 150.0
"""How far back scrapes are looked for: two of them, where targets are scraped once a minute."""

FIRST_LOOK_S = 60.0
"""How much of what was scraped before the first refresh is reported, so that rates are known at once."""

SURVEY_S = 20.0
"""How often we look again for the labels of pods, while they name none of ours."""

SIZES_S = 300.0
"""How often we look again how many series there are."""

FIRST_LOOKS = 3
"""At first that is looked at with every refresh: right after a server or a proxy started not everything is there."""

MAX_SERIES = 50_000
"""Above so many series of upstreams, or of routes, these are left out: one refresh would have to move some 30 MB."""

PROXIES = "proxies"
_DETAILS = {queries.CLUSTER_SERIES: "upstreams", queries.ROUTE_SERIES: "routes"}

_SCRAPE_HINT = "does Prometheus scrape it? keep pods with label kgateway=kube-gateway, port 9091, path /metrics"


class Silence(NamedTuple):
    """Why there is no current sample of a proxy."""

    reason: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """What one refresh brought."""

    samples: tuple[tuple[ProxyKey, ProxyState, ProxySample], ...] = ()
    """New ones, oldest first for each proxy."""
    silent: Mapping[ProxyKey, Silence]
    interval_s: float | None = None
    """Seconds between two scrapes, as seen."""
    notes: tuple[str, ...] = ()
    """What is left out, and why."""
    hint: str = ""


class Refresher:
    """Asks one server about the proxies of one cluster.

    Args:
        client: asks the server.
        cluster: the cluster whose proxies these are.
        clock: monotonic time.
        period_s: shortest time between two samples of one proxy, in seconds.
        match: more matchers, for example `cluster="prod-eu"`, where one server knows several clusters.
        max_series: above so many series upstreams or routes are left out.
    """

    def __init__(
        self, client: QueryClient, cluster: str, clock: Clock, *, period_s: float, match: str, max_series: int
    ) -> None:
        self._client = client
        self._cluster = cluster
        self._clock = clock
        self._period_s = period_s
        self._match = match
        self._max_series = max_series
        self._naming: Naming | None = None
        self._survey_again_mono: float | None = 0.0
        self._envoys = 0
        self._sizes: Mapping[str, int] = {}
        self._sizes_again_mono = 0.0
        self._looks = 0
        self._left_out: dict[str, str] = {}
        self._reported_ms: dict[ProxyKey, int] = {}
        self._mono_offset_s: float | None = None

    async def probe(self) -> float:
        """Return the server's time, in seconds since 1970.

        Raises:
            SourceError: it does not answer as a Prometheus does.
        """
        return decode_time(await self._client.ask(queries.NOW))

    async def refresh(self, proxies: Collection[ProxyKey]) -> Refresh:
        """Return what is new of these proxies. Either all of it or, by an error, nothing: never half a sample.

        Raises:
            SourceError: a question was refused, or its answer is of no use.
        """
        now_s = await self.probe()
        if self._mono_offset_s is None:
            # Once: then differences are exactly those of the scrapes, and the axis is that of the direct readers.
            self._mono_offset_s = self._clock.mono() - now_s
        self._reported_ms = {key: at for key, at in self._reported_ms.items() if key in proxies}
        at_s = now_s - SETTLE_S
        naming = await self._find_naming(proxies)
        if naming is None:
            return self._unnamed(proxies)
        matchers = queries.scope(naming, proxies, self._match)
        await self._look_at_sizes(matchers, proxies, at_s)
        body = await self._client.ask(queries.pulse(matchers, PULSE_S), at=at_s)
        answer = await asyncio.to_thread(decode_matrix, body)
        found = {key: each for key, each in pulses(answer.series, naming, self._cluster).items() if key in proxies}
        if found:
            self._survey_again_mono = None
        elif self._survey_again_mono is None:
            self._survey_again_mono = self._clock.mono()
        scrapes = tuple(self._new(found, at_s))
        made = await self._samples(scrapes, naming, at_s)
        notes, hint = self._notes(answer.warnings)
        return Refresh(
            samples=tuple((scrape.proxy, *made[scrape]) for scrape in scrapes if scrape in made),
            silent={**self._silent(proxies, found, now_s), **_spoiled(scrapes, made)},
            interval_s=_interval_s(found.values()),
            notes=notes,
            hint=hint,
        )

    async def _find_naming(self, proxies: Collection[ProxyKey]) -> Naming | None:
        """Return the labels of pods, looked for again while the known ones name none of ours."""
        if self._survey_again_mono is not None and self._clock.mono() >= self._survey_again_mono:
            envoys = decode_vector(await self._client.ask(queries.survey(self._match)))
            self._envoys = len(envoys)
            self._naming = choose_naming(envoys, proxies) or self._naming
            self._survey_again_mono = self._clock.mono() + SURVEY_S
        return self._naming

    def _unnamed(self, proxies: Collection[ProxyKey]) -> Refresh:
        if self._envoys:
            ours = "1 proxy" if len(proxies) == 1 else f"{len(proxies)} proxies"
            note = f"knows {_many(self._envoys, 'Envoy')}, but none of the {ours} of this cluster"
            hint = "is it the right one for this cluster? its series need the labels pod and namespace"
        else:
            note = "knows no Envoy"
            hint = "scrape the pods with label kgateway=kube-gateway on port 9091, path /metrics; check `match`"
        silence = Silence(f"Prometheus {note}", hint)
        return Refresh(silent=dict.fromkeys(proxies, silence), notes=(note,), hint=hint)

    async def _look_at_sizes(self, matchers: str, proxies: Collection[ProxyKey], at_s: float) -> None:
        """Count series before they are asked for.

        What was left out once stays out for this run: a counter that comes back after a gap would look like a burst.
        """
        if self._clock.mono() < self._sizes_again_mono:
            return
        self._sizes_again_mono = self._clock.mono() + SIZES_S
        try:
            body = await self._client.ask(queries.sizes(matchers, {key.namespace for key in proxies}), at=at_s)
        except TooMuch as error:
            self._left_out = dict.fromkeys(_DETAILS, error.message)
            return
        self._sizes = decode_counts(body)
        self._looks += 1
        if self._looks <= FIRST_LOOKS:
            self._sizes_again_mono = float("-inf")
        for of in _DETAILS:
            if self._sizes.get(of, 0) > self._max_series:
                self._left_out.setdefault(of, f"{self._sizes[of]:,} series, more than {self._max_series:,}")

    def _new(self, found: Mapping[ProxyKey, Pulse], at_s: float) -> Iterable[Scrape]:
        """Return the scrapes to report, oldest first for each proxy, `period_s` apart."""
        spacing_ms = self._period_s * 900
        for key, pulse in found.items():
            last_ms = self._reported_ms.get(key, 0)
            oldest_ms = max((at_s - PULSE_S) * 1000, last_ms + spacing_ms)
            newest_first = [at for at in reversed(pulse.at_ms) if oldest_ms <= at <= at_s * 1000]
            chosen: list[int] = []
            for at in newest_first:
                if len(chosen) >= 2 and at < (at_s - FIRST_LOOK_S) * 1000:
                    break
                if not chosen or chosen[-1] - at >= spacing_ms:
                    chosen.append(at)
            yield from (Scrape(key, at) for at in reversed(chosen))

    async def _samples(
        self, scrapes: Collection[Scrape], naming: Naming, at_s: float
    ) -> Mapping[Scrape, tuple[ProxyState, ProxySample]]:
        if not scrapes:
            return {}
        matchers = queries.scope(naming, {scrape.proxy for scrape in scrapes}, self._match)
        window_s = at_s - min(scrape.at_ms for scrape in scrapes) / 1000 + 1
        wanted = {
            PROXIES: queries.proxies(matchers, window_s),
            queries.CLUSTER_SERIES: queries.clusters(matchers, window_s),
            queries.ROUTE_SERIES: queries.routes(matchers, window_s),
        }
        asked = [of for of in wanted if of not in self._left_out]
        answers = await asyncio.gather(*(self._try(wanted[of], at_s) for of in asked))
        bodies = []
        for of, answer in zip(asked, answers, strict=True):
            if isinstance(answer, bytes):
                bodies.append(answer)
            elif of in _DETAILS and isinstance(answer, TooMuch):
                self._left_out[of] = answer.message
            else:
                raise answer
        made = await asyncio.to_thread(self._decode, bodies, scrapes, naming)
        for scrape in scrapes:
            self._reported_ms[scrape.proxy] = scrape.at_ms
        return made

    async def _try(self, promql: str, at_s: float) -> bytes | SourceError:
        try:
            return await self._client.ask(promql, at=at_s)
        except SourceError as error:
            return error

    def _decode(
        self, bodies: Iterable[bytes], scrapes: Iterable[Scrape], naming: Naming
    ) -> Mapping[Scrape, tuple[ProxyState, ProxySample]]:
        series = (each for body in bodies for each in decode_matrix(body).series)
        return decode_samples(series, scrapes, naming, mono_offset_s=self._mono_offset_s or 0.0)

    def _silent(
        self, proxies: Iterable[ProxyKey], found: Mapping[ProxyKey, Pulse], now_s: float
    ) -> dict[ProxyKey, Silence]:
        silent = {}
        for key in proxies:
            pulse = found.get(key)
            if pulse is None or not pulse.at_ms:
                silent[key] = Silence(f"Prometheus has no sample of it for {PULSE_S:.0f} s", _SCRAPE_HINT)
            elif now_s - pulse.at_ms[-1] / 1000 > _longest_s(pulse):
                age_s = now_s - pulse.at_ms[-1] / 1000
                silent[key] = Silence(f"Prometheus has no sample of it for {age_s:.0f} s", _SCRAPE_HINT)
            if pulse is not None and pulse.fails:
                silent[key] = Silence(
                    "Prometheus could not scrape it (`up` is 0)",
                    "is its stats port reachable from Prometheus? see the targets page there",
                )
        return silent

    def _notes(self, warnings: Iterable[str]) -> tuple[tuple[str, ...], str]:
        notes, hint = [], ""
        for of, why in self._left_out.items():
            notes.append(f"{_DETAILS[of]} left out: {why}")
            hint = "watch fewer namespaces (-n), or grant direct access to the proxies"
        if torn := self._sizes.get(queries.TORN_CLUSTERS, 0):
            notes.append(f"without {_many(torn, 'upstream')}: Prometheus names lose the dots of their names")
            hint = hint or "direct access to the proxies tells them apart"
        if torn := self._sizes.get(queries.ALL_ROUTES, 0) - self._sizes.get(queries.TOLD_ROUTES, 0):
            notes.append(f"without {_many(torn, 'route')}: Prometheus names lose the dots of their statPrefix")
            hint = hint or "write statPrefix with / instead of ."
        notes.extend(f"incomplete: {printable(warning)}" for warning in list(warnings)[:1])
        return tuple(notes), hint


def _spoiled(scrapes: Iterable[Scrape], made: Collection[Scrape]) -> dict[ProxyKey, Silence]:
    """Proxies whose newest scrape could not be used."""
    newest = {scrape.proxy: scrape for scrape in scrapes}
    silence = Silence(
        "what Prometheus has of its last scrape is not an Envoy's statistics",
        "check metric_relabel_configs: whole metrics may be kept or dropped, values and names must stay",
    )
    return {key: silence for key, scrape in newest.items() if scrape not in made}


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _longest_s(pulse: Pulse) -> float:
    interval_s = _interval_s([pulse])
    return max(STALE_S, STALE_SCRAPES * interval_s if interval_s else 0.0)


def _interval_s(found: Iterable[Pulse]) -> float | None:
    gaps = [after - before for pulse in found for before, after in pairwise(pulse.at_ms)]
    return median(gaps) / 1000 if gaps else None
