"""A real Prometheus that scrapes real Envoys: what it says is what the Envoys say."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace as replace_struct

from gwtui.adapters.envoy.reader import EnvoyReader
from gwtui.adapters.prometheus.client import QueryClient
from gwtui.adapters.prometheus.source import PrometheusSource
from gwtui.engine.clock import SystemClock
from gwtui.model.health import ProxyState, SourceState
from gwtui.model.ids import ProxyKey
from gwtui.model.known import Known
from gwtui.model.measuring import measure
from gwtui.model.observations import Observation, ProxyFailed, ProxySampled, SourceReported
from gwtui.model.samples import ProxySample, RouteSample
from gwtui.ports import Part, ProxyAddress
from static_access import static_access

CLOCK = SystemClock()
KEY = ProxyKey("c", "infra", "gw-7d9f-abcde")
GONE = ProxyKey("c", "infra", "gw-7d9f-gone")
BROKEN = {SourceState.FAILED, SourceState.STALE}
PARTS = frozenset({Part.GAUGES, Part.LATENCY})


class Seen:
    """What a source reported so far."""

    def __init__(self) -> None:
        self.facts: list[Observation] = []

    def samples(self, key: ProxyKey = KEY) -> list[ProxySampled]:
        return [fact for fact in self.facts if isinstance(fact, ProxySampled) and fact.proxy == key]

    def failures(self, key: ProxyKey = KEY) -> list[ProxyFailed]:
        return [fact for fact in self.facts if isinstance(fact, ProxyFailed) and fact.proxy == key]

    def health(self) -> list[SourceReported]:
        return [fact for fact in self.facts if isinstance(fact, SourceReported)]

    async def until(self, found: Callable[[], Any], *, deadline_s: float = 30) -> None:
        async with asyncio.timeout(deadline_s):
            while not found():
                await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def watching(url: str, *keys: ProxyKey, **choices: Any) -> AsyncIterator[Seen]:
    client = QueryClient(url)
    addresses = {ProxyAddress(key, stats_port=9091) for key in keys or (KEY,)}
    source = PrometheusSource(client, "c", lambda: addresses, CLOCK, **{"period_s": 0.9, **choices})
    seen = Seen()

    async def collect() -> None:
        async with contextlib.aclosing(source.observe()) as facts:
            async for fact in facts:
                seen.facts.append(fact)

    task = asyncio.create_task(collect())
    yield seen
    assert not task.done() or task.result() is None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await client.close()


async def directly(port: int) -> tuple[ProxyState, ProxySample]:
    access = static_access({KEY: f"http://127.0.0.1:{port}"})
    state, sample, _ = await EnvoyReader((access,), CLOCK).sample(
        ProxyAddress(KEY, stats_port=9091), deadline_s=5, parts=PARTS
    )
    await access.close()
    return state, sample


def counted(sample: ProxySample) -> ProxySample:
    """The sample without what must differ: when and how it was taken, and hashes that Prometheus rounds."""
    taken = datetime(2026, 1, 1, tzinfo=UTC)
    return replace(
        sample,
        taken_mono=0.0,
        taken_at=taken,
        gauges_at=None,
        uptime_s=0,
        services={name: replace_struct(each, version=None) for name, each in sample.services.items()},
        answer_bytes=0,
        answer_ms=0.0,
        admin_ms=0.0,
        ready_ms=None,
        questions=0,
    )


async def test_a_sample_is_what_the_direct_reader_reads(
    start_envoy: Any, start_prometheus: Any, scrape_job: Any, drive: Any
):
    envoy = await start_envoy()
    paths = ("/", "/fail", "/slow", "/whole", "/whole/fail", "/one-dot", "/more", "/pay/fail", "/nobody")
    for path in paths:
        await drive(envoy.data, path, count=3)
    url = await start_prometheus(scrape_job(envoy.stats))
    async with watching(url) as seen:
        # Latencies and levels show with the next flush, and what Prometheus shows is a scrape older than that.
        await seen.until(
            lambda: seen.samples() and (latency := seen.samples()[-1].sample.latency) and latency[-1][1] == 27
        )
        state, direct = await directly(envoy.stats)
    newest = seen.samples()[-1]
    assert (newest.state, newest.way) == (state, "prometheus") == (ProxyState.LIVE, "prometheus")
    dotted = "istio-se_shop_se_pay.internal.example.com_443"
    whole = {name: each for name, each in direct.clusters.items() if name != dotted}
    assert dotted in direct.clusters
    host = "listener~8080~*"
    told = {(host, "shop/cart"), (host, "shop.cart")}
    assert direct.routes.keys() == told | {(host, "shop.cart-x"), (host, "shop.pay.rule-0")}
    routes = {key: each for key, each in direct.routes.items() if key in told}
    assert counted(newest.sample) == counted(replace(direct, clusters=whole, routes=routes))
    assert newest.sample.routes[host, "shop/cart"] == RouteSample(requests=6, errors_5xx=3)
    assert newest.sample.update_rejected == 1
    assert abs((newest.sample.taken_at - direct.taken_at).total_seconds()) < 10
    assert abs(newest.sample.taken_mono - direct.taken_mono) < 10
    ready = seen.health()[-1]
    assert (ready.source, ready.health.state) == ("prometheus", SourceState.READY)
    assert "without 1 upstream" in ready.health.detail
    assert "without 2 routes" in ready.health.detail


async def test_the_first_refresh_gives_the_rate_that_was_sent_and_no_scrape_comes_twice(
    start_envoy: Any, start_prometheus: Any, scrape_job: Any, drive: Any
):
    envoy = await start_envoy()
    url = await start_prometheus(scrape_job(envoy.stats))
    sent = 0

    async def load() -> None:
        nonlocal sent
        while True:
            sent += len(await drive(envoy.data, "/", count=1, pause_s=0.02))

    task = asyncio.create_task(load())
    client = QueryClient(url)
    async with asyncio.timeout(30):
        while b'"5"' not in await client.ask("count_over_time(envoy_server_uptime[30s] offset 3s)"):
            await asyncio.sleep(0.1)
    await client.close()
    async with watching(url) as seen:
        await seen.until(seen.samples)
        first = [each.sample for each in seen.samples()]
        await seen.until(lambda: len(seen.samples()) >= len(first) + 4)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    traffic = measure(first, window_s=10)
    assert isinstance(traffic.rps, Known)
    assert traffic.rps.value > 10
    samples = [each.sample for each in seen.samples()]
    assert len({each.taken_at for each in samples}) == len(samples)
    for before, after in pairwise(samples):
        assert after.requests >= before.requests
        assert after.taken_mono - before.taken_mono == pytest.approx(
            (after.taken_at - before.taken_at).total_seconds(), abs=1e-6
        )
    assert samples[-1].requests <= sent


async def test_state_follows_and_a_proxy_that_dies_or_is_unknown_is_told(
    start_envoy: Any, start_prometheus: Any, scrape_job: Any, ask: Any
):
    envoy = await start_envoy()
    url = await start_prometheus(scrape_job(envoy.stats))
    async with watching(url, KEY, GONE) as seen:
        await seen.until(seen.samples)
        await ask(envoy.admin, "POST /healthcheck/fail")
        await seen.until(lambda: seen.samples()[-1].state is ProxyState.DRAINING)
        unknown = seen.failures(GONE)[-1]
        assert "no sample of it" in unknown.reason
        assert "kgateway=kube-gateway" in unknown.hint
        envoy.process.send_signal(signal.SIGKILL)
        await seen.until(lambda: seen.failures() and "`up` is 0" in seen.failures()[-1].reason)
    assert seen.failures()[-1].state is ProxyState.FAILING
    assert not seen.samples(GONE)


@pytest.mark.parametrize(
    "labels",
    [
        {"namespace": "infra", "pod": "gw-7d9f-abcde"},
        {"kubernetes_namespace": "infra", "kubernetes_pod_name": "gw-7d9f-abcde"},
        {"kube_namespace": "infra", "pod_name": "gw-7d9f-abcde", "namespace": "monitoring", "pod": "prometheus-0"},
    ],
    ids=["operator", "annotations", "misleading"],
)
async def test_labels_of_other_set_ups_are_found(
    start_envoy: Any, start_prometheus: Any, scrape_job: Any, labels: dict[str, str]
):
    envoy = await start_envoy()
    url = await start_prometheus(scrape_job(envoy.stats, **labels))
    async with watching(url) as seen:
        await seen.until(seen.samples)
    assert seen.samples()[-1].sample.listeners_active == 2


async def test_two_jobs_that_scrape_one_pod_do_not_double_it(
    start_envoy: Any, start_prometheus: Any, scrape_job: Any, drive: Any
):
    envoy = await start_envoy()
    await drive(envoy.data, "/", count=20)
    broken = {**scrape_job(1), "job_name": "wrong-port"}
    url = await start_prometheus(scrape_job(envoy.stats), scrape_job(envoy.stats, "annotations"), broken)
    async with watching(url) as seen:
        await seen.until(lambda: len(seen.samples()) >= 4)
    assert {each.sample.requests for each in seen.samples()} == {20}
    assert not any("`up`" in each.reason for each in seen.failures())


async def test_matchers_choose_one_of_several_clusters(start_envoy: Any, start_prometheus: Any, scrape_job: Any):
    envoy = await start_envoy()
    names = {"kube_namespace": "infra", "pod": "gw-7d9f-abcde"}
    url = await start_prometheus(scrape_job(envoy.stats, cluster="prod-eu", **names))
    async with watching(url, match='cluster="prod-eu"') as seen:
        await seen.until(seen.samples)
    async with watching(url, match='cluster="prod-us"') as seen:
        await seen.until(seen.failures)
    assert "knows no Envoy" in seen.failures()[-1].reason
    async with watching(url, ProxyKey("c", "elsewhere", "gw-1")) as seen:
        await seen.until(seen.health)
    assert "knows 1 Envoy, but none of the 1 proxy of this cluster" in seen.health()[-1].health.detail


async def test_too_many_series_are_left_out_and_the_rest_is_read(
    start_envoy: Any, start_prometheus: Any, scrape_job: Any, drive: Any
):
    envoy = await start_envoy()
    await drive(envoy.data, "/whole", count=5)
    url = await start_prometheus(scrape_job(envoy.stats))
    async with watching(url, max_series=0) as seen:
        await seen.until(lambda: len(seen.samples()) >= 2)
    newest = seen.samples()[-1].sample
    assert (newest.requests, newest.clusters, newest.routes) == (5, {}, {})
    assert "upstreams left out" in seen.health()[-1].health.detail
    assert seen.health()[-1].health.hint


async def test_a_server_with_a_small_limit_of_samples_says_so(start_envoy: Any, start_prometheus: Any, scrape_job: Any):
    envoy = await start_envoy()
    url = await start_prometheus(scrape_job(envoy.stats), flags=("--query.max-samples=1",))
    async with watching(url) as seen:
        await seen.until(lambda: any(each.health.state in BROKEN for each in seen.health()))
    broken = next(each.health for each in seen.health() if each.health.state in BROKEN)
    assert "too many samples" in broken.detail
    assert "--query.max-samples" in broken.hint
