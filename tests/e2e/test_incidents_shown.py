"""What goes wrong in the playground is on the Proxies screen, in words, within one refresh of the proxy knowing it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from gwtui.model.health import SourceState
from gwtui.model.services import refusing
from gwtui.model.snapshot import Snapshot
from gwtui.views.complaints import complaints
from gwtui.views.proxies import columns, row, rows
from gwtui.views.scene import Scene
from gwtui.views.spans import plain
from gwtui.views.tables import layout, row_line
from running import Demo, gwtui, start_demo, stop_demo
from watching import until, watching

pytestmark = pytest.mark.usefixtures("alone")

REFRESH_S = 12.0
"""A sample, an inspection after it, and the pauses between both; generous, since machines stall."""


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Iterator[Demo]:
    demo = start_demo("--scenario", request.param, "--duration", "120")
    yield demo
    stop_demo(demo)


def screen(snapshot: Snapshot, cells: int = 140) -> list[str]:
    """The rows of the Proxies screen, worst first."""
    now = datetime.now(UTC)
    scene = Scene(snapshot, tuple(snapshot.clusters), now)
    found = rows(snapshot, now, figures=scene.fleet)
    every = columns(found, clusters=1)
    shown = layout(every, cells)
    is_odd = any(each.noted.odd for each in found)
    made = [row(each, snapshot, now, clusters=1, is_odd=is_odd) for each in found]
    return [plain(row_line(every, shown, each, cells)) for each in made]


def edges(demo: Demo) -> list[str]:
    return sorted(pod.partition("/")[2] for pod in demo.ready["admin"] if pod.startswith("infra/edge-"))


def rejected(demo: Demo, pod: str) -> int:
    url = demo.ready["admin"][f"infra/{pod}"] + "/stats?format=json&filter=rds.*update_rejected"
    with urllib.request.urlopen(url, timeout=5) as answer:
        return sum(stat.get("value", 0) for stat in json.loads(answer.read())["stats"])


@pytest.mark.parametrize("running", ["rejected-route"], indirect=True)
async def test_refused_routes(running: Demo):
    hit, _ = edges(running)
    async with watching(running) as session:
        await until(session, lambda _: rejected(running, hit) > 0, within_s=20)
        shown = await until(
            session, lambda now: any(hit in each and "rejected" in each for each in screen(now)), within_s=REFRESH_S
        )
        first = screen(shown)[0]
        assert hit in first
        assert "✖ rejected" in first
        assert "✖ rds " in first
        key = next(key for key in shown.proxies if key.pod == hit)
        assert list(refusing(shown.proxies[key].services)) == ["rds.listener~8080"]
        told = next(source for source in shown.clusters.values()).sources["controller"]
        assert told.state is SourceState.READY, "it was asked when its pods became known"
        (said,) = complaints(shown)
        assert said.subject == f"proxy infra/{hit}"
        assert "refuses routes listener~8080 and keeps what it had" in said.line()
    # Who comes later sees no counter rise; the control plane knows.
    done = gwtui("snapshot", "--kubeconfig", running.kubeconfig, "--settle", "2")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "gateway infra/edge: its proxies refuse RouteConfiguration, says the control plane" in line


@pytest.mark.parametrize("running", ["diverged-replica"], indirect=True)
async def test_a_replica_that_holds_another_configuration(running: Demo):
    async with watching(running) as session:
        shown = await until(session, lambda now: sum("≠" in each for each in screen(now)) == 2, within_s=10 + REFRESH_S)
    assert {pod for pod in edges(running) for each in screen(shown) if pod in each and "≠ 1 of 2" in each} == set(
        edges(running)
    )


@pytest.mark.parametrize("running", ["expired-certificate"], indirect=True)
async def test_an_expired_certificate(running: Demo):
    async with watching(running) as session:
        shown = await until(
            session, lambda now: all("✖ expired" in each for each in screen(now)) and len(screen(now)) == 2, within_s=20
        )
    assert all("✖" in each.split()[2] or "expired" in each for each in screen(shown))
    narrow = screen(shown, 80)
    assert all("expired" in each for each in narrow)
