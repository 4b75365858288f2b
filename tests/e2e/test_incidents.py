"""Incidents on the living fleet: the right cause is told first. `make incidents` lets all of them happen."""

from __future__ import annotations

import asyncio

import pytest

from bench.fleet import watching
from bench.incidents import happen
from bench.soak import added as route_added
from bench.soak import removed, restarted, weights
from gwtui.playground.incident import load_incident
from gwtui.triage.finding import Severity
from running import Demo

pytestmark = pytest.mark.e2e

SOME = ("failing-backend", "all-weights-zero", "refused-by-one")
"""Of what is answered, of the objects, of what is loaded."""

SETTLED_S = 6.0
STEP_S = 3.0


async def test_the_cause_is_told_first_within_five_seconds_of_the_signal(demo: Demo):
    async with watching(demo.ready) as fleet:
        await asyncio.sleep(SETTLED_S)
        told = [await happen(fleet, load_incident(name)) for name in SOME]
    assert [(each["incident"], each["rank"]) for each in told] == [(name, 1) for name in SOME], told
    assert all(each["told_s"] <= 5.0 for each in told), told


async def test_ordinary_work_is_nothing_to_tell(demo: Demo):
    """The long form is `make soak`."""
    found = []
    async with watching(demo.ready) as fleet:
        for _ in range(60):  # what an incident before this test left behind is over by then
            await asyncio.sleep(1)
            if fleet.watch.look().is_healthy:
                break
        for step in (weights(70, 30), restarted("edge"), route_added, weights(90, 10), removed):
            await step(fleet.api)
            for _ in range(int(STEP_S)):
                await asyncio.sleep(1)
                found += [each for each in fleet.watch.look().findings if each.severity is not Severity.INFO]
    assert [each.sentence for each in found] == []
