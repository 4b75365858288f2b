"""When a proxy is inspected again."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

from gwtui.engine.governor import Governor
from gwtui.engine.inspections import AGAIN_S, SHORTEST_S, WARMING_S, Inspections
from gwtui.model.inspection import ConfigDigest, ConfigKind, Inspection
from gwtui.model.known import Known, Unknown
from gwtui.model.samples import ServiceSample
from gwtui.model.snapshot import ProxyView
from gwtui.ports import ProxyAddress
from set_clock import QuickClock, SetClock
from tests.tui import fleet, inspected

ADDRESS = ProxyAddress(fleet.PROXIES[0].key, stats_port=9091, admin_port=19000)

SLACK_S = 2.0
"""It looks whether something is due a few times a second."""


class Inspector:
    """Tells what a test says it holds; what asks is under test, not what answers."""

    def __init__(self, clock: SetClock) -> None:
        self.clock = clock
        self.is_warming = False
        self.asked_at: list[float] = []

    async def inspect(self, proxy: ProxyAddress, *, deadline_s: float) -> Inspection:
        self.asked_at.append(self.clock.mono())
        one = ConfigDigest(kind=ConfigKind.CLUSTER, name="kube_a", digest="1", is_warming=self.is_warming)
        unknown = Unknown("not of interest")
        return Inspection(
            taken_at=self.clock.now(),
            build=unknown,
            certificates=unknown,
            listeners=unknown,
            config=Known((one,), self.clock.now()),
        )


class Watched:
    """An `Inspections` over one proxy, in time that passes when it waits."""

    def __init__(self) -> None:
        self.clock = QuickClock()
        self.inspector = Inspector(self.clock)
        self._view: ProxyView = inspected.full(fleet.PROXIES[0])
        self.source = Inspections(
            self.inspector, lambda: [ADDRESS], lambda: {ADDRESS.key: self._view}, Governor(), self.clock
        )

    def sampled(self, **services: ServiceSample) -> None:
        newest = replace(self._view.samples[-1], services=services)
        self._view = replace(self._view, samples=(newest,))


async def test_what_is_warming_is_looked_at_again_soon_and_only_so_long():
    watched = Watched()
    watched.inspector.is_warming = True
    async with contextlib.aclosing(watched.source.observe()) as facts, asyncio.timeout(30):
        await anext(facts)
        await anext(facts)
        watched.inspector.is_warming = False
        await anext(facts)
        await anext(facts)
    first, second, third, fourth = watched.inspector.asked_at
    assert WARMING_S <= second - first <= WARMING_S + SLACK_S
    assert WARMING_S <= third - second <= WARMING_S + SLACK_S
    assert AGAIN_S <= fourth - third <= AGAIN_S + SLACK_S


async def test_a_version_and_a_refusal_of_any_subscription_are_looked_at_and_equal_updates_are_not():
    watched = Watched()
    watched.sampled(cds=ServiceSample(accepted=1, version=7))
    async with contextlib.aclosing(watched.source.observe()) as facts, asyncio.timeout(30):
        await anext(facts)
        for changed in (ServiceSample(accepted=2, version=8), ServiceSample(accepted=2, version=8, rejected=1)):
            before = watched.clock.mono()
            watched.sampled(cds=changed)
            await anext(facts)
            assert watched.clock.mono() - before <= SHORTEST_S + SLACK_S
        before = watched.clock.mono()
        watched.sampled(cds=ServiceSample(accepted=3, version=8, rejected=1))
        await anext(facts)
        assert watched.clock.mono() - before >= AGAIN_S - SLACK_S


async def test_listeners_and_secrets_are_looked_at_as_soon_as_an_update_was_taken():
    watched = Watched()
    watched.sampled(lds=ServiceSample(accepted=1, version=7))
    async with contextlib.aclosing(watched.source.observe()) as facts, asyncio.timeout(30):
        await anext(facts)
        before = watched.clock.mono()
        watched.sampled(lds=ServiceSample(accepted=2, version=7))
        await anext(facts)
        assert watched.clock.mono() - before <= SHORTEST_S + SLACK_S
