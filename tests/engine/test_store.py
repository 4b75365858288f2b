"""The store folds bursts, wakes subscribers once per fold, and drops what no gateway owns."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from gwtui.engine.clock import SystemClock
from gwtui.engine.store import Store
from gwtui.engine.supervisor import supervise
from gwtui.model.health import ProxyState, SourceHealth, SourceState
from gwtui.model.ids import ProxyKey
from gwtui.model.kubernetes import Service
from gwtui.model.meta import Meta
from gwtui.model.observations import KindChanged, KindListed, ProxyFailed, SourceReported

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def service(name: str, namespace: str = "foo", version: str = "1") -> Service:
    return Service(metadata=Meta(name=name, namespace=namespace, resource_version=version))


async def test_a_burst_is_one_fold():
    store = Store(SystemClock())
    woken: list[int] = []
    store.subscribe(lambda: woken.append(store.snapshot.revision))
    for number in range(500):
        store.report(KindChanged("c", "services", {("foo", f"s{number}"): service(f"s{number}")}))
    async with asyncio.timeout(5):
        while not woken:
            await asyncio.sleep(0.01)
    assert woken == [1]
    assert len(store.snapshot.clusters["c"].objects["services"]) == 500


async def test_a_list_replaces_and_a_namespaced_list_replaces_its_namespace_alone():
    store = Store(SystemClock())
    store.report(KindListed("c", "services", {("foo", "a"): service("a"), ("bar", "b"): service("b", "bar")}))
    store.report(KindListed("c", "services", {("foo", "z"): service("z")}, namespace="foo"))
    store.fold()
    assert set(store.snapshot.clusters["c"].objects["services"]) == {("foo", "z"), ("bar", "b")}
    store.report(KindListed("c", "services", {}))
    store.fold()
    assert store.snapshot.clusters["c"].objects["services"] == {}


async def test_deleted_objects_go_and_unknown_deletions_do_no_harm():
    store = Store(SystemClock())
    store.report(KindListed("c", "services", {("foo", "a"): service("a")}))
    store.report(KindChanged("c", "services", {("foo", "a"): None, ("foo", "never"): None}))
    store.fold()
    assert store.snapshot.clusters["c"].objects["services"] == {}


async def test_an_old_snapshot_never_changes():
    store = Store(SystemClock())
    store.report(KindListed("c", "services", {("foo", "a"): service("a")}))
    store.fold()
    before = store.snapshot
    store.report(KindChanged("c", "services", {("foo", "a"): None}))
    store.fold()
    assert ("foo", "a") in before.clusters["c"].objects["services"]
    assert store.snapshot.revision == before.revision + 1


async def test_late_answers_of_proxies_without_a_gateway_are_dropped():
    store = Store(SystemClock())
    store.report(KindListed("c", "pods", {}))
    store.report(ProxyFailed(ProxyKey("c", "infra", "gone"), ProxyState.FAILING, NOW, "no answer"))
    store.fold()
    assert store.snapshot.proxies == {}


class Sick:
    """A source with a defect."""

    id = "sick"

    def __init__(self) -> None:
        self.starts = 0

    async def observe(self):
        self.starts += 1
        raise RuntimeError("defect")
        yield


class Sound:
    """A source that reports for ever."""

    id = "sound"

    async def observe(self):
        number = 0
        while True:
            number += 1
            health = SourceHealth(state=SourceState.READY, since=NOW, detail=str(number))
            yield SourceReported("c", "sound", health)
            await asyncio.sleep(0.01)


class Impatient(SystemClock):
    """A clock whose pauses are a thousand times shorter."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 1000)


async def test_a_crashing_source_restarts_and_stops_no_other():
    clock = Impatient()
    store, sick = Store(clock), Sick()
    engine = asyncio.create_task(supervise([sick, Sound()], store, clock))
    async with asyncio.timeout(5):
        while sick.starts < 3 or "c" not in store.snapshot.clusters:
            await asyncio.sleep(0.01)
        before = int(store.snapshot.clusters["c"].sources["sound"].detail)
        while int(store.snapshot.clusters["c"].sources["sound"].detail) <= before:
            await asyncio.sleep(0.01)
    engine.cancel()
    await asyncio.gather(engine, return_exceptions=True)
    assert engine.cancelled()
