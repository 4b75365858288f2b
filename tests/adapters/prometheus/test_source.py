"""What a source reports when its server fails, refuses, lies or comes back. The server is told what to answer; what a
good one answers is a recorded answer of a real one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gwtui.adapters.prometheus import source as module
from gwtui.adapters.prometheus.client import QueryClient
from gwtui.adapters.prometheus.source import PrometheusSource
from gwtui.engine.clock import SystemClock
from gwtui.model.health import ProxyState, SourceHealth, SourceState
from gwtui.model.ids import ProxyKey
from gwtui.model.observations import Observation, ProxyFailed, ProxySampled, SourceReported
from gwtui.ports import ProxyAddress

RECORDED = json.loads(
    (
        Path(__file__).parents[2] / "golden" / "prometheus" / "query-kgateway-labels-prometheus-2.42-envoy-1.40.in.json"
    ).read_bytes()
)
KEY = ProxyKey("c", "infra", "gw-7d9f-abcde")
NEWEST_S = RECORDED["pulse"]["data"]["result"][0]["values"][-1][0]
CLOCK = SystemClock()


@pytest.fixture(autouse=True)
def short_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY_FIRST_S", 0.05)
    monkeypatch.setattr(module, "_RETRY_MAX_S", 0.1)


def question(promql: str) -> str:
    """Which of the recorded answers a question wants."""
    starts = {
        r"time\(\)": "time",
        "count by": "survey",
        "label_replace": "sizes",
        r'\{__name__=~"up\|': "pulse",
        r'\{__name__=~"envoy_http': "proxies",
        r'\{__name__=~"envoy_cluster': "clusters",
        r'\{__name__=~"envoy_vhost': "routes",
    }
    return next(name for start, name in starts.items() if re.match(start, promql))


class Recorded:
    """A server that answers with what was recorded, `since_s` seconds after the newest scrape, or as it is told."""

    def __init__(self) -> None:
        self.since_s = 2.5
        self.instead: dict[str, tuple[str, Any]] = {}
        """Status and body by the question they answer; `*` answers every other one."""
        self.asked: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        while True:
            path = head.split(" ", 2)[1]
            name = question(parse_qs(urlsplit(path).query)["query"][0])
            self.asked.append(name)
            now = [NEWEST_S + self.since_s, str(NEWEST_S + self.since_s)]
            good = {**RECORDED, "time": {"status": "success", "data": {"resultType": "scalar", "result": now}}}[name]
            status, answer = self.instead.get(name) or self.instead.get("*") or ("200 OK", good)
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).decode()


class Watched:
    """What a source reported so far, and the proxies it is to answer for."""

    def __init__(self) -> None:
        self.facts: list[Observation] = []
        self.keys = {KEY}

    def samples(self) -> list[ProxySampled]:
        return [fact for fact in self.facts if isinstance(fact, ProxySampled)]

    def failures(self) -> list[ProxyFailed]:
        return [fact for fact in self.facts if isinstance(fact, ProxyFailed)]

    def health(self) -> SourceHealth | None:
        return next((fact.health for fact in reversed(self.facts) if isinstance(fact, SourceReported)), None)

    async def until(self, found: Callable[[], Any]) -> None:
        async with asyncio.timeout(15):
            while not found():
                await asyncio.sleep(0.01)

    async def until_state(self, state: SourceState) -> SourceHealth:
        await self.until(lambda: (health := self.health()) and health.state is state)
        health = self.health()
        assert health is not None
        assert len(health.detail.splitlines()) == 1
        return health


@contextlib.asynccontextmanager
async def watching(url: str, **choices: Any) -> AsyncIterator[Watched]:
    client = QueryClient(url, deadline_s=2.0)
    watched = Watched()

    def addresses() -> set[ProxyAddress]:
        return {ProxyAddress(key, stats_port=9091) for key in watched.keys}

    source = PrometheusSource(client, "c", addresses, CLOCK, **{"period_s": 0.05, **choices})

    async def collect() -> None:
        async with contextlib.aclosing(source.observe()) as facts:
            async for fact in facts:
                watched.facts.append(fact)

    task = asyncio.create_task(collect())
    yield watched
    ended = task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await client.close()
    assert not ended, "a source never ends by itself"


async def test_each_scrape_is_reported_once_and_in_order(serve: Any):
    server = Recorded()
    async with watching(await serve(server)) as watched:
        await watched.until(lambda: server.asked.count("pulse") >= 4)
    taken = [each.sample.taken_at.timestamp() for each in watched.samples()]
    assert taken == pytest.approx([NEWEST_S - 2, NEWEST_S - 1, NEWEST_S], abs=0.01)
    assert {(each.state, each.way) for each in watched.samples()} == {(ProxyState.LIVE, "prometheus")}
    assert server.asked.count("proxies") == 1, "what is not new is not asked for"
    assert server.asked.count("survey") == 1, "labels are remembered"
    assert not watched.failures()


async def test_the_axis_of_time_is_the_clocks_own(serve: Any):
    async with watching(await serve(Recorded())) as watched:
        await watched.until(watched.samples)
        age_s = CLOCK.mono() - watched.samples()[-1].sample.taken_mono
    assert 2.5 - 0.001 <= age_s < 10


async def test_a_young_scrape_is_left_for_the_next_time(serve: Any):
    server = Recorded()
    server.since_s = 0.5
    async with watching(await serve(server)) as watched:
        await watched.until(lambda: server.asked.count("pulse") >= 2)
        assert len(watched.samples()) == 1
        server.since_s = 2.5
        await watched.until(lambda: len(watched.samples()) == 3)


async def test_samples_are_a_period_apart_however_often_it_scrapes(serve: Any):
    async with watching(await serve(Recorded()), period_s=2.0) as watched:
        await watched.until(watched.samples)
        await watched.until_state(SourceState.READY)
    taken = [each.sample.taken_at.timestamp() for each in watched.samples()]
    assert taken == pytest.approx([NEWEST_S - 2, NEWEST_S], abs=0.01)


async def test_an_old_scrape_is_no_current_figure(serve: Any):
    server = Recorded()
    async with watching(await serve(server)) as watched:
        await watched.until(watched.samples)
        server.since_s = 75
        await watched.until(watched.failures)
    failed = watched.failures()[-1]
    assert (failed.state, failed.reason) == (ProxyState.FAILING, "Prometheus has no sample of it for 75 s")
    assert "kgateway=kube-gateway" in failed.hint


@pytest.mark.parametrize(
    ("status", "state", "proxy", "words"),
    [
        ("401 Unauthorized", SourceState.FORBIDDEN, ProxyState.FORBIDDEN, "token_file"),
        ("403 Forbidden", SourceState.FORBIDDEN, ProxyState.FORBIDDEN, "token_file"),
        ("404 Not Found", SourceState.FAILED, ProxyState.FAILING, "path in url"),
        ("503 Service Unavailable", SourceState.FAILED, ProxyState.FAILING, "we ask again"),
        ("422 Unprocessable Entity", SourceState.FAILED, ProxyState.FAILING, "match"),
    ],
)
async def test_a_refusal_is_reported_with_what_to_try_and_a_server_that_recovers_is_read(
    serve: Any, status: str, state: SourceState, proxy: ProxyState, words: str
):
    server = Recorded()
    server.instead["*"] = status, b""
    async with watching(await serve(server)) as watched:
        health = await watched.until_state(state)
        assert words in health.hint
        await watched.until(watched.failures)
        assert watched.failures()[-1].state is proxy
        server.instead.clear()
        await watched.until_state(SourceState.READY)
        await watched.until(watched.samples)


async def test_after_a_failure_the_last_figures_stay_for_a_minute_and_the_source_is_stale(
    serve: Any, monkeypatch: pytest.MonkeyPatch
):
    server = Recorded()
    async with watching(await serve(server)) as watched:
        await watched.until(watched.samples)
        await watched.until_state(SourceState.READY)
        server.instead["*"] = "500 Internal Server Error", b'{"status":"error","errorType":"internal","error":"tsdb"}'
        health = await watched.until_state(SourceState.STALE)
        assert "tsdb" in health.detail
        assert not watched.failures()
        monkeypatch.setattr(module, "STALE_S", 0.0)
        await watched.until(watched.failures)
    assert watched.failures()[-1].reason.startswith("Prometheus: ")


@pytest.mark.parametrize("of", ["proxies", "clusters", "routes"])
async def test_when_one_question_fails_no_half_sample_is_reported(serve: Any, of: str):
    server = Recorded()
    server.instead[of] = "500 Internal Server Error", b""
    async with watching(await serve(server)) as watched:
        await watched.until_state(SourceState.FAILED)
        assert not watched.samples()
        server.instead.clear()
        await watched.until(lambda: len(watched.samples()) == 3)
    assert all(each.sample.clusters and each.sample.routes for each in watched.samples())


async def test_details_that_the_server_refuses_are_left_out_for_good(serve: Any):
    server = Recorded()
    said = {"status": "error", "errorType": "execution", "error": "too many series"}
    server.instead["clusters"] = "422 Unprocessable Entity", said
    async with watching(await serve(server)) as watched:
        health = await watched.until_state(SourceState.READY)
        assert "upstreams left out" in health.detail
        assert "too many series" in health.detail
        await watched.until(lambda: len(watched.samples()) == 3)
        server.instead.clear()
        await watched.until(lambda: server.asked.count("pulse") >= 4)
    assert not any(each.sample.clusters for each in watched.samples())
    assert all(each.sample.routes for each in watched.samples())


@pytest.mark.parametrize("of", ["time", "survey", "sizes", "pulse", "proxies"])
@pytest.mark.parametrize(
    "answer",
    [
        b"<!doctype html><title>Sign in</title>",
        b'{"status":"success","data":{"resultType":"string","result":[1,"x"]}}',
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":[],"values":[[1]]}]}}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"NaN"]}]}}',
        b'{"status":"error","errorType":"internal","error":"\\u001b[31mred\\nlines"}',
        b"[" * 100_000,
        b"",
    ],
    ids=["page", "string", "wrong shape", "no number", "error in 200", "deep", "empty"],
)
async def test_answers_that_are_none_never_end_the_source(serve: Any, of: str, answer: bytes):
    server = Recorded()
    server.instead[of] = "200 OK", answer
    async with watching(await serve(server)) as watched:
        await watched.until(lambda: server.asked.count(of) >= 1 and watched.health())
        await watched.until(lambda: server.asked.count("time") >= 3)
        health = watched.health()
        assert health is not None
        assert health.detail.isprintable()
        server.instead.clear()
        await watched.until_state(SourceState.READY)


async def test_a_server_nobody_needs_is_asked_for_a_sign_of_life_and_at_once_when_it_is_needed(serve: Any):
    server = Recorded()
    async with watching(await serve(server)) as watched:
        watched.keys = set()
        watched.facts.clear()
        health = await watched.until_state(SourceState.READY)
        assert "no proxy needs it now" in health.detail
        assert set(server.asked) == {"time"}
        watched.keys = {KEY}
        await watched.until(watched.samples)


async def test_nobody_listens():
    async with watching("http://127.0.0.1:1") as watched:
        health = await watched.until_state(SourceState.FAILED)
    assert "connection refused" in health.detail
    assert "check url" in health.hint
