"""The console's figures against what the clients counted themselves, read from the proxies and through Prometheus."""

from __future__ import annotations

import asyncio
import contextlib
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from gwtui.model import measuring, reduction
from gwtui.model.known import Known
from gwtui.model.quantiles import added, quantile
from gwtui.model.snapshot import Snapshot
from gwtui.playground.load import LATENCY_MS
from gwtui.settings.prometheus import ALWAYS, PrometheusSettings
from gwtui.views.document import fleet_document
from gwtui.views.fleet import fleet
from gwtui.wiring.session import Session
from prometheus_server import kgateway_job, prometheus_binary, scraping
from running import Demo, start_demo, stop_demo
from watching import watching

WINDOW_S = 30.0
RATE_TOLERANCE = 0.03
AT_THE_EDGES = 3
"""Requests that one side counts just inside the window and the other just outside."""

ERROR_POINTS = 0.005

WINDOWS = 4
"""Where a machine is short of time, requests come in bursts and are reported late: such a window tells nothing of the
figures. What counts wrong does so in every window."""

NEXT_WINDOW_S = 6.0


class Counts(NamedTuple):
    """What the clients had counted at one moment."""

    at: float
    hosts: dict[str, Any]


@pytest.fixture(scope="module")
def fleet_with_errors() -> Iterator[Demo]:
    demo = start_demo("--scenario", "bad-backend", "--duration", "300")
    yield demo
    stop_demo(demo)


@pytest.fixture
def long_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures over the window in which they are compared, not over the few seconds that suit a screen."""
    monkeypatch.setattr(reduction, "RATE_WINDOW_S", WINDOW_S)
    monkeypatch.setattr(measuring, "QUANTILE_WINDOW_S", WINDOW_S)


@contextlib.asynccontextmanager
async def counting(demo: Demo) -> AsyncIterator[list[Counts]]:
    """Note what the clients report, as often as they do."""
    noted: list[Counts] = []

    async def note() -> None:
        while True:
            report = demo.traffic()
            if not noted or report["at_unix"] > noted[-1].at:
                noted.append(Counts(report["at_unix"], report["hosts"]))
            await asyncio.sleep(0.1)

    task = asyncio.create_task(note())
    try:
        yield noted
    finally:
        task.cancel()
        await asyncio.wait({task})


def sent_rps(noted: list[Counts], hosts: tuple[str, ...], start: float, end: float, *, what: str = "sent") -> float:
    """Requests/s the clients sent between two moments, interpolated between their reports."""

    def at(moment: float) -> float:
        place = min(max(bisect_left([each.at for each in noted], moment), 1), len(noted) - 1)
        before, after = noted[place - 1], noted[place]
        counts = [sum(_count(each.hosts[host], what) for host in hosts) for each in (before, after)]
        return counts[0] + (counts[1] - counts[0]) * (moment - before.at) / (after.at - before.at)

    return (at(end) - at(start)) / (end - start)


def _count(host: dict[str, Any], what: str) -> int:
    return host["status"].get(what, 0) if what.isdecimal() else host[what]


def clients_p99_ms(noted: list[Counts], start: float, end: float) -> float:
    """The p99 of all ordinary requests of the window, in the clients' own measurement."""
    first = min(noted, key=lambda each: abs(each.at - start))
    last = min(noted, key=lambda each: abs(each.at - end))
    bounds = [float("inf") if bound is None else float(bound) for bound, _ in _latency(last)]
    came = added(
        tuple(zip(bounds, (count for _, count in _latency(first)), strict=True)),
        tuple(zip(bounds, (count for _, count in _latency(last)), strict=True)),
    )
    found = quantile(came, 0.99)
    assert found is not None
    return found


def _latency(counts: Counts) -> list[tuple[float | None, int]]:
    every = [host["latency_ms"] for host in counts.hosts.values()]
    return [(each[0][0], sum(count for _, count in each)) for each in zip(*every, strict=True)]


def window_of(snapshot: Snapshot) -> tuple[float, float]:
    """The moments between which the figures of the edge were counted."""
    views = [view for key, view in snapshot.proxies.items() if key.pod.startswith("edge-")]
    spans = []
    for view in views:
        newest = view.samples[-1]
        oldest = next(
            sample for sample in view.samples if sample.clusters and newest.taken_mono - sample.taken_mono <= WINDOW_S
        )
        spans.append((oldest.taken_at.timestamp(), newest.taken_at.timestamp()))
    return sum(start for start, _ in spans) / len(spans), sum(end for _, end in spans) / len(spans)


def compare(snapshot: Snapshot, noted: list[Counts]) -> None:
    """Fail unless every figure agrees with the clients'."""
    start, end = window_of(snapshot)
    assert end - start > WINDOW_S - 4
    span_s = end - start
    hosts = tuple(noted[-1].hosts)

    def agrees(what: str, seen: float, of: tuple[str, ...]) -> None:
        counted = sent_rps(noted, of, start, end)
        allowed = RATE_TOLERANCE * counted + AT_THE_EDGES / span_s
        assert abs(seen - counted) <= allowed, f"{what}: {seen:.2f} rps seen, {counted:.2f} counted"

    figures = fleet(snapshot, datetime.now(UTC))
    by_name = {key.name: entry for key, entry in figures.gateways.items()}
    edge, shard_a, shard_b = (by_name[name] for name in ("edge", "shard-a", "shard-b"))
    agrees("gateway edge", known(edge.traffic.rps), hosts)
    agrees("both shards", known(shard_a.traffic.rps) + known(shard_b.traffic.rps), hosts)

    hops = {str(flow.hop.target): flow for flow in figures.flows if flow.hop.source == edge.node.key}
    to_a, to_b = known(hops["infra/shard-a"].rps), known(hops["infra/shard-b"].rps)
    agrees("hops to both shards", to_a + to_b, hosts)
    for hop, received in ((to_a, shard_a), (to_b, shard_b)):
        assert hop == pytest.approx(known(received.traffic.rps), rel=RATE_TOLERANCE, abs=AT_THE_EDGES / span_s)

    document = fleet_document(snapshot, now=datetime.now(UTC))
    routes = {(each["namespace"], each["name"]): each for each in document["routes"]}
    for name in ("foo", "bar", "extra", "shop"):
        (traffic,) = [each for each in routes["infra", name]["traffic"] if each["gateway"] == "infra/edge"]
        agrees(f"route infra/{name}", traffic["rps"], (f"{name}.example.com",))

    counted = sent_rps(noted, ("extra.example.com",), start, end, what="500")
    share = counted / sent_rps(noted, ("extra.example.com",), start, end)
    assert share > 0.01
    (extra,) = [each for each in routes["infra", "extra"]["traffic"] if each["gateway"] == "infra/edge"]
    assert extra["error_ratio"] == pytest.approx(share, abs=ERROR_POINTS)

    buckets = [
        bisect_left(LATENCY_MS, each) for each in (known(edge.traffic.p99_ms), clients_p99_ms(noted, start, end))
    ]
    assert abs(buckets[0] - buckets[1]) <= 1


async def agrees_with(session: Session, noted: list[Counts]) -> None:
    """Fail unless every figure agrees with the clients' in one of the windows."""
    for left in reversed(range(WINDOWS)):
        session.store.fold()
        try:
            compare(session.store.snapshot, noted)
        except AssertionError:
            if not left:
                raise
            await asyncio.sleep(NEXT_WINDOW_S)
        else:
            return


def known(figure: Known[float] | Any) -> float:
    assert isinstance(figure, Known), figure
    return figure.value


@pytest.mark.usefixtures("long_windows")
async def test_what_the_clients_counted_is_what_the_proxies_tell(fleet_with_errors: Demo, tmp_path):
    """Asked themselves, and by way of a Prometheus server where there is one, over the same time."""
    async with contextlib.AsyncExitStack() as stack:
        noted = await stack.enter_async_context(counting(fleet_with_errors))
        sessions = {"pod proxy": await stack.enter_async_context(watching(fleet_with_errors, scrape_period_s=0.5))}
        if prometheus_binary():
            jobs = kgateway_job(fleet_with_errors.ready["stats"])
            chosen = PrometheusSettings(url=await stack.enter_async_context(scraping(tmp_path, jobs)), use=ALWAYS)
            prometheus = await stack.enter_async_context(watching(fleet_with_errors, prometheus=(chosen,)))
            sessions["prometheus"] = prometheus
        await asyncio.sleep(WINDOW_S + 12)
        for way, session in sessions.items():
            await agrees_with(session, noted)
            assert {view.way for view in session.store.snapshot.proxies.values()} == {way}
    if len(sessions) < 2:
        pytest.skip("the figures agree; not compared through Prometheus, which is not installed on this machine")
