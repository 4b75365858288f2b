"""Real Envoys, on the admin port and on the stats listener that rewrites as kgateway's does."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from gwtui.adapters.envoy.reader import EnvoyReader
from gwtui.engine.clock import SystemClock
from gwtui.engine.governor import Governor
from gwtui.engine.scrape import Scraper
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.known import Known
from gwtui.model.measuring import measure
from gwtui.model.observations import ProxyFailed, ProxySampled
from gwtui.model.samples import ListenerSample, ProxySample, RouteSample
from gwtui.model.totals import total
from gwtui.ports import Part, ProxyAddress
from static_access import static_access

CART = "kube_shop_cart_8080"
NOBODY = "kube_shop_nobody_8080"
PAY = "istio-se_shop_se_pay.internal.example.com_443"
CLOCK = SystemClock()


def address(number: int = 1) -> ProxyAddress:
    return ProxyAddress(ProxyKey("c", "infra", f"gw-7d9f-{number}"), stats_port=9091)


@contextlib.asynccontextmanager
async def reading(*ports: int) -> AsyncIterator[EnvoyReader]:
    access = static_access({address(number).key: f"http://127.0.0.1:{port}" for number, port in enumerate(ports, 1)})
    yield EnvoyReader((access,), CLOCK)
    await access.close()


async def until(found: Callable[[], bool], *, deadline_s: float) -> float:
    """Wait until something holds; the seconds it took."""
    started = time.monotonic()
    async with asyncio.timeout(deadline_s):
        while not found():
            await asyncio.sleep(0.02)
    return time.monotonic() - started


DETAIL = frozenset({Part.DETAIL})


@pytest.mark.parametrize("port", ["stats", "admin"])
async def test_what_was_sent_is_what_is_read(start_envoy: Any, drive: Any, port: str):
    envoy = await start_envoy()
    await drive(envoy.data, "/", count=20)
    await drive(envoy.data, "/pay/fail", count=6)
    await drive(envoy.data, "/nobody", count=4)
    async with reading(getattr(envoy, port)) as reader:
        state, sample, _ = await reader.sample(address(), deadline_s=5)
    assert state is ProxyState.LIVE
    assert (sample.requests, sample.errors_5xx, sample.active) == (30, 10, 0)
    assert {name: (each.requests, each.errors_5xx) for name, each in sample.clusters.items()} == {
        CART: (20, 0),
        PAY: (6, 6),
        NOBODY: (0, 4),
    }
    assert (sample.clusters[CART].members_healthy, sample.clusters[NOBODY].members_total) == (1, 0)
    assert sample.routes == {("listener~8080~*", "shop.pay.rule-0"): RouteSample(requests=6, errors_5xx=6)}
    assert (sample.update_rejected, sample.listeners_active) == (1, 2)
    assert 0 < sample.answer_bytes < 6000


async def test_listeners_levels_and_versions_are_read(start_envoy: Any, drive: Any):
    envoy = await start_envoy()
    await drive(envoy.data, "/", count=20)
    await drive(envoy.data, "/pay/fail", count=6)
    async with reading(envoy.stats) as reader:
        _, sample, _ = await reader.sample(address(), deadline_s=5, parts=frozenset({Part.GAUGES}))
    assert sample.listeners == {f"127.0.0.1_{envoy.data}": ListenerSample(answers=26, errors_5xx=6)}
    assert sample.gauges_at is not None
    assert (sample.upgrades, sample.certificate_days) == (0, None)
    assert sample.latency is None
    assert sample.questions == 3


async def test_latency_is_of_the_data_listener(start_envoy: Any, drive: Any):
    envoy = await start_envoy()
    samples: list[ProxySample] = []

    async with reading(envoy.stats) as reader:
        samples.append((await reader.sample(address(), deadline_s=5, parts=DETAIL))[1])
        await drive(envoy.data, "/slow", count=10)
        async with asyncio.timeout(10):
            while not samples[-1].latency or samples[-1].latency[-1][1] < 10:
                await asyncio.sleep(0.2)
                samples.append((await reader.sample(address(), deadline_s=5, parts=DETAIL))[1])
    newest = samples[-1]
    assert {name: histogram[-1][1] for name, histogram in newest.cluster_latency.items()} == {CART: 10}
    seen = measure(samples, window_s=10)
    assert isinstance(seen.p50_ms, Known)
    assert 25 < seen.p50_ms.value <= 100
    assert seen.latency_window == samples[-1].latency


async def test_draining_shows_at_once(start_envoy: Any, ask: Any):
    envoy = await start_envoy()
    async with reading(envoy.stats) as reader:
        assert (await ask(envoy.admin, "POST /healthcheck/fail"))[0] == 200
        assert (await reader.sample(address(), deadline_s=5))[0] is ProxyState.DRAINING
        await ask(envoy.admin, "POST /healthcheck/ok")
        assert (await reader.sample(address(), deadline_s=5))[0] is ProxyState.LIVE


async def test_counters_reset_by_hand_give_no_negative_rate(start_envoy: Any, drive: Any, ask: Any):
    envoy = await start_envoy()
    async with reading(envoy.stats) as reader:
        await drive(envoy.data, "/", count=50)
        samples = [(await reader.sample(address(), deadline_s=5))[1]]
        await ask(envoy.admin, "POST /reset_counters")
        await drive(envoy.data, "/", count=5)
        samples.append((await reader.sample(address(), deadline_s=5))[1])
        await drive(envoy.data, "/", count=5)
        samples.append((await reader.sample(address(), deadline_s=5))[1])
    assert [each.requests for each in samples] == [50, 5, 10]
    seen = measure(samples, window_s=60)
    assert isinstance(seen.rps, Known)
    assert seen.rps.value * (samples[2].taken_mono - samples[1].taken_mono) == pytest.approx(5)


async def test_a_fleet_is_scraped_rates_match_the_client_and_a_death_shows_within_a_period(
    start_envoy: Any, drive: Any
):
    envoys = [await start_envoy(), await start_envoy()]
    samples: dict[int, list[ProxySample]] = {1: [], 2: []}
    failures: list[ProxyFailed] = []
    sent = {1: 0, 2: 0}
    sent_at: dict[int, list[int]] = {1: [], 2: []}
    addresses = {address(number) for number in samples}

    async def collect(scraper: Scraper) -> None:
        async with contextlib.aclosing(scraper.observe()) as facts:
            async for fact in facts:
                number = int(fact.proxy.pod[-1])
                if isinstance(fact, ProxySampled):
                    samples[number].append(fact.sample)
                    sent_at[number].append(sent[number])
                else:
                    failures.append(fact)

    async def load(number: int, pause_s: float) -> None:
        while True:
            sent[number] += len(await drive(envoys[number - 1].data, "/", count=1, pause_s=pause_s))

    async with reading(*(envoy.stats for envoy in envoys)) as reader:
        scraper = Scraper(reader, lambda: addresses, CLOCK, governor=Governor(period_s=1.0))
        tasks = [asyncio.create_task(each) for each in (load(1, 0.01), load(2, 0.02), collect(scraper))]
        await until(lambda: all(samples.values()), deadline_s=5)
        await until(
            lambda: all(each[-1].taken_mono - each[0].taken_mono > 4 for each in samples.values()), deadline_s=8
        )
        for number, each in samples.items():
            span_s = each[-1].taken_mono - each[0].taken_mono
            counted = sent_at[number][-1] - sent_at[number][0]
            seen = measure(each, window_s=60)
            assert isinstance(seen.rps, Known)
            assert counted > 50
            assert abs(seen.rps.value * span_s - counted) <= 5  # a few end between the answer and our count
            upstream = seen.clusters[CART].rps
            assert isinstance(upstream, Known)
            assert abs(upstream.value - seen.rps.value) * span_s <= 2  # one may be on its way when both are read
            assert seen.error_ratio == Known(0.0, each[-1].taken_at)
        together = total(measure(each, window_s=60) for each in samples.values())
        alone = [measure(each, window_s=60).rps for each in samples.values()]
        assert isinstance(together.rps, Known)
        assert together.rps.value == pytest.approx(sum(rps.value for rps in alone if isinstance(rps, Known)))

        tasks[0].cancel()
        envoys[0].kill()
        took_s = await until(lambda: bool(failures), deadline_s=5)
        assert took_s < 1.1 * 1.0 + 0.5
        assert (failures[0].proxy, failures[0].state) == (address(1).key, ProxyState.FAILING)
        survivor = len(samples[2])
        await until(lambda: len(samples[2]) > survivor, deadline_s=3)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
