"""The clients count what really happened."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from gwtui.playground.load import LATENCY_MS, Clients, HostTally, Orders, Target

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]
HOSTS = {"foo.example.com", "bar.example.com", "extra.example.com", "shop.example.com"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def busy(start_playground):
    running = await start_playground("central-ingress", traffic=True)
    yield running
    await running.close()


def counts(busy) -> dict:
    return json.loads((Path(busy.playground.ready["state"]) / "traffic.json").read_text())


def total(report: dict, *names: str) -> int:
    return sum(host[name] for host in report["hosts"].values() for name in names)


async def received(busy, gateway: str) -> int:
    """Requests the proxies of a gateway have received on their data listeners."""
    found = 0
    for name, url in busy.playground.ready["admin"].items():
        if name.startswith(f"infra/{gateway}-"):
            answer = await busy.http.get(f"{url}/stats?format=json&filter=^http.http.downstream_rq_total$")
            found += sum(each["value"] for each in answer.json()["stats"])
    return found


async def test_counts_agree_with_those_of_the_proxies(busy, eventually):
    async def has_sent_enough() -> bool:
        return total(counts(busy), "sent") > 400

    await eventually(has_sent_enough, within_s=15)
    before = counts(busy)
    seen = await received(busy, "edge")
    seen_at = time.time()

    async def is_newer() -> bool:
        return counts(busy)["at_unix"] > seen_at

    await eventually(is_newer, within_s=5)
    after = counts(busy)
    assert total(before, "ok", "failed") <= seen <= total(after, "sent")
    assert after["hosts"].keys() == HOSTS
    assert total(after, "failed") == 0
    assert after["open_streams"] == 4
    for host in after["hosts"].values():
        assert host["ok"] == host["status"]["200"]
        assert 0 <= host["sent"] - host["ok"] - host["failed"] < 60


async def test_paths_and_latency_tell_of_ordinary_requests_alone(busy, eventually):
    async def has_sent_enough() -> bool:
        return all(host["latency_ms"][-1][1] > 50 for host in counts(busy)["hosts"].values())

    await eventually(has_sent_enough, within_s=15)
    report = counts(busy)
    streams = {"foo.example.com": 2, "bar.example.com": 1, "extra.example.com": 1, "shop.example.com": 0}
    for name, host in report["hosts"].items():
        paths = host["paths"]
        assert all(path["sent"] > 0 for path in paths.values())
        # Streams last at least 12 s, so few have followed the first ones by now.
        others = host["sent"] - sum(path["sent"] for path in paths.values())
        assert streams[name] <= others <= 8 * streams[name]
        bounds, cumulative = zip(*host["latency_ms"], strict=True)
        assert bounds == (*LATENCY_MS, None)
        assert list(cumulative) == sorted(cumulative)
        assert cumulative[-1] == sum(path["ok"] for path in paths.values())
        # Every backend takes 6 ms or more to answer, and a client gives up after 20 s.
        assert dict(host["latency_ms"])[5] == 0
        assert dict(host["latency_ms"])[3e4] == cumulative[-1]
    assert set(report["hosts"]["bar.example.com"]["paths"]) == {"/", "/search"}


async def test_rates_are_those_of_the_scenario(busy):
    first = counts(busy)
    await asyncio.sleep(4)
    second = counts(busy)
    rps = (total(second, "sent") - total(first, "sent")) / (second["at_mono"] - first["at_mono"])
    assert 120 < rps < 180
    assert second["at_unix"] - first["at_unix"] == pytest.approx(second["at_mono"] - first["at_mono"], abs=0.2)
    assert first["at_mono"] < second["at_mono"] < time.monotonic()  # the clock all processes here share


async def test_clients_speak_both_protocols(busy):
    found = {"http1": 0, "http2": 0}
    for name, url in busy.playground.ready["admin"].items():
        if name.startswith("infra/edge-"):
            for version in found:
                query = f"filter=^http.http.downstream_cx_{version}_total$"
                answer = await busy.http.get(f"{url}/stats?format=json&{query}")
                found[version] += sum(each["value"] for each in answer.json()["stats"])
    assert found["http1"] > 0
    assert found["http2"] > 0


async def test_a_lost_proxy_shows_as_failed_requests_or_none_but_never_as_silence(busy, eventually):
    before = counts(busy)
    victim = next(process for name, process in busy.envoys().items() if name.startswith("infra/edge-"))
    victim.kill()

    async def goes_on() -> bool:
        return total(counts(busy), "ok") > total(before, "ok") + 300

    await eventually(goes_on, within_s=10)
    after = counts(busy)
    # Its open streams broke, at the least those that ran through it.
    assert total(after, "sent") - total(after, "ok", "failed") < 100
    assert total(after, "failed") < 100


async def test_a_latency_on_a_bound_counts_below_it_as_in_envoy():
    tally = HostTally(["/", "/other"])
    for seconds in (0.005, 0.0051, 4000.0):
        tally.took(seconds)
    buckets = dict(tally.as_json()["latency_ms"])
    assert (buckets[1], buckets[5], buckets[10], buckets[3.6e6], buckets[None]) == (0, 1, 2, 2, 3)


async def test_an_answer_with_an_error_is_counted_under_its_status_and_path():
    tally = HostTally(["/", "/other"])
    for status, complete in ((200, True), (500, True), (None, False), (200, False)):
        of_path = tally.start("/")
        for each in (tally, of_path):
            each.record(status, complete=complete)
    same = {"sent": 4, "ok": 1, "failed": 3, "status": {"200": 2, "500": 1}}
    found = tally.as_json()
    assert {key: found[key] for key in same} == same
    assert found["paths"] == {"/": same, "/other": {"sent": 0, "ok": 0, "failed": 0, "status": {}}}


class Imagined(Clients):
    """Clients whose requests are answered at once, or never."""

    is_answered = True

    async def _send_http1(self, target: Target, url: str) -> tuple[int | None, bool]:
        if not self.is_answered:
            await asyncio.Event().wait()
        return 200, True


@pytest_asyncio.fixture(loop_scope="module")
async def imagined(tmp_path):
    target = Target("a.example.com", "http://127.0.0.1:9", rps=400.0, http2_ratio=0.0, streams=0, paths=("/",))
    async with aiohttp.ClientSession() as http1:
        clients = Imagined(Orders((target,), str(tmp_path / "traffic.json")), http1, [])
        yield clients


async def test_what_is_due_is_sent_or_counted_as_omitted(imagined, eventually):
    tally = imagined.tallies["a.example.com"]
    loop = asyncio.get_running_loop()
    began = loop.time()
    running = asyncio.create_task(imagined.run())

    async def is_sending() -> bool:
        return tally.sent > 0

    async def all_is_accounted_for() -> bool:
        return tally.omitted > 0 and abs(tally.sent + tally.omitted - 400 * (loop.time() - began)) < 40

    await eventually(is_sending, within_s=5)
    stall(1.0)
    await eventually(all_is_accounted_for, within_s=5)
    # What is less than half a second late is still sent.
    assert tally.omitted > 150
    running.cancel()
    await asyncio.wait({running})


def stall(seconds: float) -> None:
    """Hold up the event loop as a busy machine does."""
    time.sleep(seconds)


async def test_a_host_that_never_answers_is_given_up_on_visibly(imagined, eventually):
    imagined.is_answered = False
    tally = imagined.tallies["a.example.com"]
    running = asyncio.create_task(imagined.run())

    async def is_given_up_on() -> bool:
        return tally.sent >= 400 and tally.omitted > 20

    await eventually(is_given_up_on, within_s=15)
    assert tally.sent == 400
    assert tally.as_json()["omitted"] == tally.omitted
    running.cancel()
    await asyncio.wait({running})
