"""Telling a proxy something: remembered before it is sent, read again afterwards, taken back and taken up."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Never

import pytest

from approved import approved, plan_of, posting
from executing import LoggedJournal, Watcher
from gwtui.changes.door import Approval, Door
from gwtui.changes.journal import Change, Entry, Writing, changes
from gwtui.changes.log_levels import levels_after, log_level_plan, wanted_level
from gwtui.changes.plan import Guard, Plan, Verdict
from gwtui.engine.execution import Executor, OnFailure
from gwtui.engine.leases import Leases
from gwtui.engine.planning import Intent, Planner
from gwtui.engine.posting import Posting
from gwtui.errors import NotServed, Refused, Rejected, SourceError, Unreachable, UsageError
from gwtui.model.health import ProxyState, SourceHealth, SourceState
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.inspection import Build
from gwtui.model.resources import PODS
from gwtui.model.snapshot import ClusterView, ProxyView, Snapshot
from gwtui.ports import ProxyAddress
from set_clock import QuickClock

POD = ProxyKey("lab", "infra", "edge-5f6d8-abc12")
EDGE = GatewayKey("lab", "infra", "edge")
START = {"http": "info", "router": "info", "upstream": "debug"}
BUILD = Build(version="1.40.0", log_level="info", component_log_levels={"upstream": "debug"})
AT = datetime(1970, 1, 1, tzinfo=UTC)


def plan(typed: str = "http=debug", **more: Any) -> Plan:
    return log_level_plan(POD, EDGE, BUILD, wanted_level(typed), id_="20260101-000000-0001", made_at=AT, **more)


@dataclass
class Proxy:
    """A proxy that tells its levels to approved plans; fails and forgets as it is told to."""

    levels: dict[str, str] = field(default_factory=lambda: dict(START))
    log: list[str] = field(default_factory=list)
    fails: list[SourceError | None] = field(default_factory=list)
    """What happens to the next POSTs before they are done."""
    loses: bool = False
    """Whether the next POST is done and then not answered."""
    ignores: bool = False
    unreadable: int = 0

    async def post(self, approval: Approval, proxy: ProxyAddress, path: str, *, deadline_s: float) -> None:
        approval.require_post(proxy.key, path)
        self.log.append(path)
        if self.fails and (failure := self.fails.pop(0)):
            raise failure
        wished = levels_after([path])
        if not self.ignores:
            every = wished.pop("", None)
            self.levels = {**(dict.fromkeys(self.levels, every) if every else self.levels), **wished}
        if self.loses:
            self.loses = False
            raise Unreachable("connection reset")

    async def log_levels(self, approval: Approval, proxy: ProxyAddress, *, deadline_s: float) -> Mapping[str, str]:
        approval.require_post(proxy.key, "/logging")
        self.log.append("read")
        if self.unreadable:
            self.unreadable -= 1
            raise Unreachable("gone away")
        return MappingProxyType(dict(self.levels))


@dataclass
class Bench:
    proxy: Proxy = field(default_factory=Proxy)
    watcher: Watcher = field(default_factory=Watcher)
    read_only: bool = False
    snapshot: Snapshot = field(default_factory=Snapshot)
    is_found: bool = True

    def __post_init__(self) -> None:
        self.journal = LoggedJournal(self.proxy.log)
        self.clock = QuickClock()
        self.executor = Executor(
            self.edge,
            Door(read_only=self.read_only),
            self.journal,
            self.watcher,
            self.clock,
            who="me",
            posting=Posting(self.find, lambda: self.snapshot, self.clock),
        )
        self.planner = Planner(self.no_api, lambda: self.snapshot, self.clock, read_only=self.read_only)

    def edge(self, cluster: str) -> Never:
        raise AssertionError("no object is written")

    def no_api(self) -> Never:
        raise UsageError("the cluster static is not open")

    def find(self, proxy: ProxyKey) -> tuple[Proxy, ProxyAddress]:
        if not self.is_found:
            raise NotServed(f"{proxy} is not asked for anything", "it is gone")
        return self.proxy, ProxyAddress(proxy, stats_port=1)

    async def run(self, wanted: Plan, mode: OnFailure = OnFailure.KEEP) -> Change:
        async for _ in self.executor.run(wanted, mode):
            pass
        return self.changes[0]

    async def undo(self, number: int = 0) -> Change:
        back = await self.planner.undo(self.changes[number], Intent())
        async for _ in self.executor.run(back):
            pass
        return self.changes[-1]

    @property
    def changes(self) -> tuple[Change, ...]:
        return changes(self.journal.entries())


async def test_it_is_remembered_before_it_is_sent_and_seen_by_reading_again() -> None:
    bench = Bench()
    change = await bench.run(plan())
    told = ["Opened", "Writing", "/logging?http=debug", "Written", "read", "Seen", "Ended"]
    assert bench.proxy.log == told
    assert bench.proxy.levels == {**START, "http": "debug"}
    assert (change.verdict, change.applied, change.text) == (Verdict.VERIFIED, {0}, "")
    assert change.lease_ends_at == datetime(1970, 1, 1, 0, 15, tzinfo=UTC)


async def test_read_only_sends_nothing() -> None:
    bench = Bench(read_only=True)
    with pytest.raises(Refused):
        await bench.run(plan())
    assert bench.proxy.log == []


@pytest.mark.parametrize("typed", ["http=debug", "trace"])
async def test_undo_gives_the_levels_of_the_start_and_ends_the_change(typed: str) -> None:
    bench = Bench()
    await bench.run(plan(typed))
    assert bench.proxy.levels != START
    undone = await bench.undo()
    assert bench.proxy.levels == START
    assert (undone.verdict, undone.plan.lease_s) == (Verdict.VERIFIED, None)
    assert (bench.changes[0].verdict, bench.changes[0].lease_ends_at) == (Verdict.UNDONE, None)
    again = await bench.undo(1)
    assert bench.proxy.levels != START
    assert again.lease_ends_at is not None, "levels are never given for good"


async def test_whoever_runs_when_the_lease_is_over_takes_it_back() -> None:
    bench = Bench()
    await bench.run(plan(lease_s=60.0))

    async def undo(change: Change) -> Plan:
        return await bench.planner.undo(change, Intent())

    def run(made: Plan) -> AsyncGenerator[Entry, None]:
        return bench.executor.run(made)

    said: list[str] = []
    leases = Leases(lambda: bench.changes, lambda _: True, undo, run, say=said.append, clock=bench.clock)
    await leases.settle()
    assert bench.proxy.levels["http"] == "debug"
    bench.clock.seconds += 61
    await leases.settle()
    await leases.settle()
    assert bench.proxy.levels == START
    assert bench.changes[0].verdict is Verdict.UNDONE
    assert len(said) == 1


@pytest.mark.parametrize(
    "error", [Rejected("unknown logger"), NotServed("the proxy does not offer it (403)"), Refused("not on the list")]
)
async def test_what_the_proxy_is_against_ends_it_and_is_not_asked_twice(error: SourceError) -> None:
    bench = Bench(proxy=Proxy(fails=[error]))
    change = await bench.run(plan())
    assert (change.verdict, change.text) == (Verdict.REFUSED, error.line())
    assert "read" not in bench.proxy.log


async def test_a_proxy_that_is_gone_is_told_nothing() -> None:
    bench = Bench(is_found=False)
    change = await bench.run(plan())
    assert (change.verdict, bench.proxy.log) == (Verdict.REFUSED, ["Opened", "Writing", "Ended"])


async def test_without_an_answer_the_proxy_is_asked_what_it_did() -> None:
    done = Bench(proxy=Proxy(loses=True))
    assert (await done.run(plan())).verdict is Verdict.VERIFIED
    not_done = Bench(proxy=Proxy(fails=[Unreachable("connection reset")]))
    change = await not_done.run(plan())
    assert change.verdict is Verdict.REFUSED
    assert "not done" in change.text
    for bench in (done, not_done):
        assert bench.proxy.log.count("/logging?http=debug") == 1


@pytest.mark.parametrize("is_done", [True, False])
async def test_where_nobody_tells_it_stays_uncertain_and_resume_finds_out(*, is_done: bool) -> None:
    proxy = Proxy(loses=True, unreadable=100) if is_done else Proxy(fails=[Unreachable("reset")], unreadable=100)
    bench = Bench(proxy=proxy)
    change = await bench.run(plan())
    assert (change.verdict, change.uncertain) == (Verdict.UNVERIFIED, {0})
    assert change.lease_ends_at is not None, "it may be in force, so it is taken back"
    with pytest.raises(Unreachable):
        await anext(bench.executor.resume(change))
    bench.proxy.unreadable = 0
    async for _ in bench.executor.resume(change):
        pass
    assert (bench.changes[0].verdict, bench.changes[0].applied) == (Verdict.VERIFIED, {0})
    assert bench.proxy.levels["http"] == "debug"
    assert bench.proxy.log.count("/logging?http=debug") == (1 if is_done else 2)


@pytest.mark.parametrize("mode", list(OnFailure))
async def test_what_is_not_seen_is_kept_or_taken_back(mode: OnFailure) -> None:
    bench = Bench(proxy=Proxy(ignores=True))
    change = await bench.run(plan(), mode)
    kept = mode is OnFailure.KEEP
    assert change.verdict is (Verdict.UNVERIFIED if kept else Verdict.ROLLED_BACK)
    assert "not loaded in time: http is info" in change.text
    assert bench.proxy.log.count("/logging?http=info") == (0 if kept else 1)


async def test_levels_that_nobody_tells_are_no_proof() -> None:
    bench = Bench(proxy=Proxy(unreadable=100))
    change = await bench.run(plan())
    assert (change.verdict, change.applied) == (Verdict.UNVERIFIED, {0})
    assert "gone away" in change.text


async def test_a_broken_guard_takes_every_step_back() -> None:
    bench = Bench(watcher=Watcher("p99 above 50 ms"))
    change = await bench.run(plan("trace", guard=Guard(bake_s=1.0, max_p99_ms=50.0)))
    assert (change.verdict, change.applied) == (Verdict.ROLLED_BACK, frozenset())
    assert bench.proxy.levels == START


async def test_what_cannot_be_taken_back_is_said() -> None:
    bench = Bench(proxy=Proxy(fails=[None, Rejected("frozen")]), watcher=Watcher("slow"))
    change = await bench.run(plan(guard=Guard(bake_s=1.0)))
    assert (change.verdict, change.text) == (Verdict.UNVERIFIED, "could not be taken back: frozen")
    assert change.lease_ends_at is not None


@pytest.mark.parametrize("typed", ["http=debug", "trace"])
@pytest.mark.parametrize("cut_after", range(9))
@pytest.mark.parametrize("is_done", [True, False])
async def test_cut_off_anywhere_it_can_be_taken_up(typed: str, cut_after: int, *, is_done: bool) -> None:
    bench = Bench()
    running = bench.executor.run(plan(typed))
    entry: Entry | None = None
    for _ in range(cut_after + 1):
        entry = await anext(running, None)
    await running.aclose()
    if isinstance(entry, Writing) and is_done:  # the request left, and the answer was not written down
        path = plan(typed).steps[entry.step].path
        wished = levels_after([path])
        bench.proxy.levels = {name: wished.get(name, wished.get("", was)) for name, was in bench.proxy.levels.items()}
    if bench.changes[0].verdict is Verdict.OPEN:
        async for _ in bench.executor.resume(bench.changes[0]):
            pass
    change = bench.changes[0]
    assert (change.verdict, change.uncertain) == (Verdict.VERIFIED, frozenset())
    assert bench.proxy.levels == ({**START, "http": "debug"} if typed != "trace" else dict.fromkeys(START, "trace"))
    await bench.undo()
    assert bench.proxy.levels == START


def listed(state: SourceState, source: str = PODS) -> Snapshot:
    view = ClusterView(name="lab", objects={PODS: {}}, sources={source: SourceHealth(state=state, since=AT)})
    return Snapshot(clusters={"lab": view})


@pytest.mark.parametrize("source", [PODS, f"{PODS}@infra"])
async def test_levels_of_a_pod_that_is_gone_went_with_it(source: str) -> None:
    bench = Bench(snapshot=listed(SourceState.READY, source))
    await bench.run(plan("trace"))
    bench.is_found = False
    sent = len(bench.proxy.log)
    undone = await bench.undo()
    assert undone.verdict is Verdict.VERIFIED
    assert bench.changes[0].verdict is Verdict.UNDONE
    assert [each for each in bench.proxy.log[sent:] if each.startswith("/") or each == "read"] == []


@pytest.mark.parametrize(
    "snapshot", [Snapshot(), listed(SourceState.LOADING), listed(SourceState.READY, f"{PODS}@elsewhere")]
)
async def test_where_pods_were_not_listed_nobody_believes_that_one_is_gone(snapshot: Snapshot) -> None:
    bench = Bench(snapshot=snapshot)
    await bench.run(plan())
    bench.is_found = False
    undone = await bench.undo()
    assert undone.verdict is Verdict.REFUSED
    assert bench.changes[0].applied == {0}


async def test_other_posts_are_not_carried_out() -> None:
    bench = Bench()
    wanted = plan_of(posting(POD, "/quitquitquit"))
    change = await bench.run(wanted)
    assert (change.verdict, bench.proxy.log) == (Verdict.REFUSED, ["Opened", "Ended"])


async def test_a_plan_that_was_taken_back_refuses_to_be_again() -> None:
    bench = Bench()
    await bench.run(plan())
    await bench.undo()
    with pytest.raises(Refused, match="nothing of change"):
        await bench.undo()


def health(reverse: str = "/healthcheck/ok") -> Plan:
    return plan_of(posting(POD, "/healthcheck/fail", reverse))


def telling(bench: Bench, *, follows: bool = True) -> None:
    """Samples tell at every moment what the proxy was told last, or what it was before."""

    def look() -> Snapshot:
        failed = follows and [each for each in bench.proxy.log if each.startswith("/")][-1:] == ["/healthcheck/fail"]
        state = ProxyState.DRAINING if failed else ProxyState.LIVE
        view = ProxyView(key=POD, state=state, answered_at=bench.clock.now())
        return Snapshot(clusters=bench.snapshot.clusters, proxies={POD: view})

    bench.executor._posting._look = look


async def test_whether_it_fails_its_health_check_its_samples_tell() -> None:
    bench = Bench()
    telling(bench)
    change = await bench.run(health())
    assert bench.proxy.log == ["Opened", "Writing", "/healthcheck/fail", "Written", "Seen", "Ended"]
    assert (change.verdict, change.entries[-2].text) == (Verdict.VERIFIED, f"{POD.pod} says it is draining")
    assert bench.clock.seconds >= 1, "a sample from before the POST tells nothing"


async def test_a_proxy_that_goes_on_as_before_is_told_to_pass_again() -> None:
    bench = Bench()
    telling(bench, follows=False)
    change = await bench.run(health(), OnFailure.REVERT)
    assert (change.verdict, change.applied) == (Verdict.ROLLED_BACK, frozenset())
    assert "is live, not draining" in change.text
    assert [each for each in bench.proxy.log if each.startswith("/")] == ["/healthcheck/fail", "/healthcheck/ok"]


async def test_a_proxy_of_which_nobody_tells_is_no_proof() -> None:
    change = await Bench().run(health())
    assert (change.verdict, change.applied) == (Verdict.UNVERIFIED, {0})
    assert "has not answered since" in change.text


@pytest.mark.parametrize("is_done", [True, False])
async def test_a_health_check_that_may_have_failed_is_found_out(*, is_done: bool) -> None:
    bench = Bench()
    telling(bench)
    running = bench.executor.run(health())
    for _ in range(2):
        await anext(running)
    await running.aclose()
    if is_done:
        bench.proxy.log.append("/healthcheck/fail")
    async for _ in bench.executor.resume(bench.changes[0]):
        pass
    assert (bench.changes[0].verdict, bench.changes[0].applied) == (Verdict.VERIFIED, {0})
    assert bench.proxy.log.count("/healthcheck/fail") == 1


async def test_listeners_that_close_are_told_once_and_nobody_waits_for_them() -> None:
    bench = Bench()
    change = await bench.run(plan_of(posting(POD, "/drain_listeners?graceful")))
    assert (change.verdict, bench.clock.seconds) == (Verdict.UNVERIFIED, 0.0)
    assert "told once they have" in change.text


async def test_of_a_pod_that_is_gone_nothing_is_taken_back() -> None:
    bench = Bench(snapshot=listed(SourceState.READY))
    entries = [entry async for entry in bench.executor._posting.send_back(health(), approved(*health().steps), 0)]
    assert [type(entry).__name__ for entry in entries] == ["Seen", "Written"]
    assert bench.proxy.log == []
