"""The clients count what really happened."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
import pytest_asyncio

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


async def test_rates_are_those_of_the_scenario(busy):
    first = counts(busy)
    await asyncio.sleep(4)
    second = counts(busy)
    rps = (total(second, "sent") - total(first, "sent")) / (second["at_unix"] - first["at_unix"])
    assert 120 < rps < 180


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
