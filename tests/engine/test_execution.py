"""Carrying out a plan: what is remembered before what, and what becomes of every way it may go wrong."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Never

import pytest

from executing import LoggedJournal, Watcher
from gwtui.changes.differences import apply_patch
from gwtui.changes.documents import same_content
from gwtui.changes.door import Door
from gwtui.changes.journal import Change, Ended, Opened, Seen, Writing, Written, changes
from gwtui.changes.plan import Document, Guard, ObjectEdit, Plan, Refusal, Verdict
from gwtui.engine.execution import Executor, OnFailure
from gwtui.engine.posting import Posting
from gwtui.engine.truths import Baseline, Sight, Truth
from gwtui.errors import Conflict, Refused, Rejected, Unreachable
from gwtui.model.ids import ObjectKey, ProxyKey
from gwtui.model.resources import HTTP_ROUTES
from gwtui.model.snapshot import Snapshot
from gwtui.ports import Rule, Stored
from set_clock import QuickClock

KEY = ObjectKey("lab", HTTP_ROUTES, "infra", "edge-routes")


def route(a: int, b: int, *, version: str = "1", **spec: Any) -> Document:
    refs = [{"name": name, "port": 80, "weight": weight} for name, weight in (("a", a), ("b", b))]
    metadata = {"name": KEY.name, "namespace": KEY.namespace, "uid": "u", "resourceVersion": version, "generation": 1}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata,
        "spec": {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": refs}], **spec},
    }


BEFORE, AFTER = route(90, 10), route(50, 50)


def plan(**more: Any) -> Plan:
    step = ObjectEdit(key=KEY, object_kind="HTTPRoute", before=BEFORE, after=AFTER)
    return Plan(
        id="20260101-000000-0001",
        title="t",
        made_at=datetime(2026, 1, 1, tzinfo=UTC),
        cluster="lab",
        steps=(step,),
        **more,
    )


@dataclass
class Server:
    """An API server of one object: tests a patch's preconditions, and fails as it is told to."""

    document: Document = field(default_factory=lambda: deepcopy(BEFORE))
    fails: list[Exception | None] = field(default_factory=list)
    """What happens to the next writes before they are taken."""
    loses: bool = False
    """Whether writes are taken and then not answered."""
    log: list[object] = field(default_factory=list)
    unreadable: int = 0

    async def read(self, key: ObjectKey) -> Document:
        if self.unreadable:
            self.unreadable -= 1
            raise Unreachable("gone away")
        return deepcopy(self.document)

    async def rehearse(self, key: ObjectKey, operations: list[dict[str, Any]]) -> Stored:
        return Stored(apply_patch(self.document, operations))

    async def write(self, approval: object, key: ObjectKey, operations: list[dict[str, Any]]) -> Stored:
        self.log.append("write")
        if self.fails and (failure := self.fails.pop(0)):
            raise failure
        changed = apply_patch(self.document, operations)
        metadata = dict(changed["metadata"])
        metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
        metadata["generation"] += 1
        self.document = {**changed, "metadata": metadata}
        if self.loses:
            self.loses = False
            raise Unreachable("connection reset")
        return Stored(deepcopy(self.document))

    async def rules(self, namespace: str) -> tuple[Rule, ...] | None:
        return None

    def touch(self, **spec: Any) -> None:
        """Somebody else writes: the version moves, and these fields of the spec."""
        metadata = {**self.document["metadata"]}
        metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
        self.document = {**self.document, "metadata": metadata, "spec": {**self.document["spec"], **spec}}


@dataclass
class Sights:
    """Truths that are seen as the test says; all of them without more."""

    missing: dict[Truth, bool | None] = field(default_factory=dict)

    async def baseline(self, plan: Plan, step: ObjectEdit) -> Baseline:
        return Baseline()

    async def see(self, truth: Truth, *_: object) -> Sight:
        return Sight(self.missing.get(truth, True), f"{truth} it is")


@dataclass
class Bench:
    server: Server = field(default_factory=Server)
    sights: Sights = field(default_factory=Sights)
    watcher: Watcher = field(default_factory=Watcher)
    read_only: bool = False

    def __post_init__(self) -> None:
        self.journal = LoggedJournal(self.server.log)
        self.executor = Executor(
            lambda _: (self.server, self.sights),
            Door(read_only=self.read_only),
            self.journal,
            self.watcher,
            QuickClock(),
            who="me",
            posting=Posting(self.find, Snapshot, QuickClock()),
        )

    def find(self, proxy: ProxyKey) -> Never:
        raise AssertionError("no proxy is told anything")

    async def run(self, wanted: Plan, mode: OnFailure = OnFailure.KEEP) -> Change:
        async for _ in self.executor.run(wanted, mode):
            pass
        return self.change

    @property
    def change(self) -> Change:
        return changes(self.journal.entries())[0]


async def test_a_change_is_remembered_before_it_is_sent_and_ends_with_what_was_seen() -> None:
    bench = Bench()
    change = await bench.run(plan())
    assert bench.server.log == ["Opened", "Writing", "write", "Written", "Seen", "Seen", "Seen", "Seen", "Ended"]
    assert same_content(bench.server.document, AFTER)
    assert change.verdict is Verdict.VERIFIED
    assert change.applied == {0}
    assert [entry.truth for entry in change.entries if isinstance(entry, Seen)] == list(Truth)


async def test_read_only_and_refused_plans_leave_no_trace() -> None:
    for bench, wanted in (
        (Bench(read_only=True), plan()),
        (Bench(), plan(refusals=(Refusal(code="all-zero", text="no", safe_way="yes"),))),
    ):
        with pytest.raises(Refused):
            await bench.run(wanted)
        assert bench.server.log == []


async def test_a_status_that_was_written_meanwhile_is_no_conflict() -> None:
    bench = Bench()
    bench.server.touch()
    change = await bench.run(plan())
    assert change.verdict is Verdict.VERIFIED
    assert same_content(bench.server.document, AFTER)


async def test_what_somebody_else_wrote_meanwhile_is_never_overwritten() -> None:
    bench = Bench()
    bench.server.touch(hostnames=["theirs.example.com"])
    theirs = deepcopy(bench.server.document)
    change = await bench.run(plan())
    assert bench.server.document == theirs
    assert (change.verdict, change.applied) == (Verdict.REFUSED, frozenset())
    assert "changed by somebody else" in change.text


async def test_a_server_that_is_against_it_ends_it() -> None:
    bench = Bench(server=Server(fails=[Rejected("spec.rules: too many")]))
    change = await bench.run(plan())
    assert (change.verdict, change.text) == (Verdict.REFUSED, "spec.rules: too many")
    assert same_content(bench.server.document, BEFORE)


async def test_a_write_without_an_answer_is_looked_for() -> None:
    bench = Bench(server=Server(loses=True))
    assert (await bench.run(plan())).verdict is Verdict.VERIFIED
    assert bench.server.log.count("write") == 1
    lost = Bench(server=Server(fails=[Unreachable("connection reset")]))
    change = await lost.run(plan())
    assert change.verdict is Verdict.REFUSED
    assert "not written" in change.text


async def test_a_server_that_stays_away_leaves_the_write_uncertain_and_resume_finds_out() -> None:
    bench = Bench(server=Server(loses=True, unreadable=100))
    change = await bench.run(plan())
    assert (change.verdict, change.uncertain) == (Verdict.UNVERIFIED, {0})
    assert same_content(bench.server.document, AFTER)
    bench.server.unreadable = 0
    async for _ in bench.executor.resume(change):
        pass
    assert (bench.change.verdict, bench.change.applied) == (Verdict.VERIFIED, {0})
    assert bench.server.log.count("write") == 1


@pytest.mark.parametrize("truth", list(Truth))
@pytest.mark.parametrize("mode", list(OnFailure))
async def test_what_is_not_seen_in_time_is_kept_or_taken_back(truth: Truth, mode: OnFailure) -> None:
    bench = Bench(sights=Sights({truth: False}))
    change = await bench.run(plan(), mode)
    kept = mode is OnFailure.KEEP
    assert change.verdict is (Verdict.UNVERIFIED if kept else Verdict.ROLLED_BACK)
    assert change.applied == ({0} if kept else set())
    assert same_content(bench.server.document, AFTER if kept else BEFORE)
    assert f"not {truth} in time" in change.text


async def test_what_cannot_be_told_is_said_and_an_unseen_configuration_is_no_proof() -> None:
    silent = await Bench(sights=Sights({Truth.OBSERVED: None})).run(plan())
    assert (silent.verdict, silent.text) == (Verdict.VERIFIED, "observed: observed it is")
    blind = await Bench(sights=Sights({Truth.LOADED: None})).run(plan(), OnFailure.REVERT)
    assert (blind.verdict, blind.applied) == (Verdict.UNVERIFIED, {0})


async def test_a_broken_guard_takes_the_change_back() -> None:
    bench = Bench(watcher=Watcher("2 % errors"))
    change = await bench.run(plan(guard=Guard(bake_s=1.0, max_error_ratio=0.01)))
    assert (change.verdict, change.text) == (Verdict.ROLLED_BACK, "2 % errors")
    assert same_content(bench.server.document, BEFORE)


async def test_what_cannot_be_taken_back_is_said() -> None:
    bench = Bench(sights=Sights({Truth.LOADED: False}), server=Server(fails=[None, Rejected("frozen")]))
    change = await bench.run(plan(), OnFailure.REVERT)
    assert (change.verdict, change.text) == (Verdict.UNVERIFIED, "could not be taken back: frozen")


async def test_a_rebase_gives_up_when_the_object_changes_all_the_time() -> None:
    bench = Bench(server=Server(fails=[Conflict("changed")] * 9))
    change = await bench.run(plan())
    assert change.verdict is Verdict.REFUSED
    assert bench.server.log.count("write") == 3


@pytest.mark.parametrize("cut_after", range(9))
@pytest.mark.parametrize("is_taken", [True, False])
async def test_a_change_that_is_cut_off_anywhere_can_be_taken_up(cut_after: int, *, is_taken: bool) -> None:
    bench = Bench()
    running = bench.executor.run(plan())
    for _ in range(cut_after + 1):
        entry = await anext(running, None)
    await running.aclose()
    if isinstance(entry, Writing) and is_taken:  # the request left, and the answer was not written down
        bench.server.document = {**deepcopy(AFTER), "metadata": {**BEFORE["metadata"], "resourceVersion": "2"}}
    if bench.change.verdict is Verdict.OPEN:
        async for _ in bench.executor.resume(bench.change):
            pass
    change = bench.change
    assert change.verdict is Verdict.VERIFIED
    assert (change.applied, change.uncertain) == ({0}, frozenset())
    assert same_content(bench.server.document, AFTER)
    assert bench.server.log.count("write") <= 1
    with pytest.raises(Refused):
        await anext(bench.executor.resume(change))


async def test_an_undo_that_is_verified_ends_what_it_undoes() -> None:
    bench = Bench()
    await bench.run(plan())
    back = ObjectEdit(key=KEY, object_kind="HTTPRoute", before=bench.server.document, after=BEFORE)
    undo = Plan(
        id="20260101-000001-0002",
        title="u",
        made_at=datetime(2026, 1, 1, tzinfo=UTC),
        cluster="lab",
        steps=(back,),
        undoes=plan().id,
    )
    async for _ in bench.executor.run(undo):
        pass
    first, second = changes(bench.journal.entries())
    assert (first.verdict, first.applied) == (Verdict.UNDONE, frozenset())
    assert second.verdict is Verdict.VERIFIED
    assert same_content(bench.server.document, BEFORE)


def test_entries_of_what_was_never_opened_are_left_out() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert changes([Written(change="x", at=at, step=0), Ended(change="x", at=at, verdict=Verdict.VERIFIED)]) == ()
    (only,) = changes([Opened(change="y", at=at, plan=plan(), who="me"), Writing(change="y", at=at, step=0)])
    assert (only.verdict, only.uncertain) == (Verdict.OPEN, {0})
