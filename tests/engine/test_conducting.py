"""Drains carried out in stages: in which order what is written, what they wait for, and every way they may end."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from executing import Fleet, LoggedJournal, TurnClock, Watcher
from gwtui.changes.documents import same_content
from gwtui.changes.door import Door
from gwtui.changes.journal import Change, Counted, Ended, Entered, Passed, Told, changes
from gwtui.changes.plan import (
    AdminPost,
    BlastRadius,
    Document,
    Drain,
    DrainKind,
    End,
    ObjectEdit,
    Plan,
    Stage,
    StageKind,
    Verdict,
)
from gwtui.engine.conducting import Conductor
from gwtui.engine.counting import Counting
from gwtui.engine.execution import Executor, OnFailure
from gwtui.engine.posting import Posting
from gwtui.engine.steering import Steering
from gwtui.engine.truths import Truth
from gwtui.errors import Refused, Rejected, Unreachable
from gwtui.model.ids import GatewayKey, ProxyKey

EDGE, SHARD_A, SHARD_B = (GatewayKey("lab", "infra", name) for name in ("edge", "shard-a", "shard-b"))
EDGE_1, A_1 = ProxyKey("lab", "infra", "edge-1"), ProxyKey("lab", "infra", "shard-a-1")
TO_A = "kube_infra_shard-a_80"
IN_FORCE = ("stored", "programmed", "loaded")
ENDS = (End(gateway=EDGE, clusters=(TO_A,)), End(gateway=SHARD_A))


def route(name: str, parents: tuple[str, ...], *weights: int) -> Document:
    refs = [{"name": f"shard-{one}", "port": 80, "weight": weight} for one, weight in zip("ab", weights, strict=False)]
    metadata = {"name": name, "namespace": "infra", "uid": f"u-{name}", "resourceVersion": "1", "generation": 1}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata,
        "spec": {"parentRefs": [{"name": each} for each in parents], "rules": [{"backendRefs": refs}]},
    }


def edit(before: Document, after: Document, *gateways: GatewayKey) -> ObjectEdit:
    return ObjectEdit(key=Fleet.key(before), object_kind="HTTPRoute", before=before, after=after, gateways=gateways)


WEB = [route("web", ("shard-a",)), route("web", ("shard-a", "shard-b"))]
LONE = [route("lone", ("edge",), 100), *(route("lone", ("edge",), each, 100 - each) for each in (100, 50, 0))]
SHOP = [route("shop", ("edge",), each, 100 - each) for each in (80, 40, 0)]
PRESENT = (WEB[0], LONE[0], SHOP[0])
DRAINED = (WEB[1], LONE[3], SHOP[2])
STEPS = (
    edit(*WEB, SHARD_B),
    edit(LONE[0], LONE[1], EDGE),
    edit(LONE[1], LONE[2], EDGE),
    edit(SHOP[0], SHOP[1], EDGE),
    edit(LONE[2], LONE[3], EDGE),
    edit(SHOP[1], SHOP[2], EDGE),
)
STAGES = (
    Stage(kind=StageKind.WRITE, title="attach", steps=(0,), truths=IN_FORCE),
    Stage(kind=StageKind.READY, title="ready", gateways=(SHARD_B,)),
    Stage(kind=StageKind.WRITE, title="add", steps=(1,), truths=IN_FORCE),
    Stage(kind=StageKind.WRITE, title="50 %", steps=(2, 3), truths=IN_FORCE, bake_s=5.0),
    Stage(kind=StageKind.WRITE, title="0 %", steps=(4, 5), truths=IN_FORCE),
    Stage(kind=StageKind.EMPTY, title="wait until empty"),
)
IDS = count(1)


def drain(**more: Any) -> Plan:
    return Plan(
        **{
            "id": f"20260101-000000-{next(IDS):04}",
            "title": "drain infra/shard-a",
            "made_at": datetime(2026, 1, 1, tzinfo=UTC),
            "cluster": "lab",
            "steps": STEPS,
            "stages": STAGES,
            "drain": Drain(kind=DrainKind.SHARD, target="infra/shard-a", gateway=SHARD_A, ends=ENDS, deadline_s=20.0),
            "blast": BlastRadius(gateways=(EDGE,)),
            **more,
        }
    )


@dataclass
class Bench:
    clock: TurnClock = field(default_factory=TurnClock)
    watcher: Watcher = field(default_factory=Watcher)
    present: tuple[Document, ...] = PRESENT

    def __post_init__(self) -> None:
        self.fleet = Fleet(self.clock, *self.present)
        self.fleet.pods = {EDGE: ["edge-1"], SHARD_A: ["shard-a-1"], SHARD_B: ["shard-b-1"]}
        self.journal = LoggedJournal(self.fleet.log)
        self.steering = Steering()
        posting = Posting(self.fleet.find, self.fleet.look, self.clock)
        counting = Counting(self.fleet.find, self.fleet.look, self.clock)

        def edge(_: str) -> tuple[Fleet, Fleet]:
            return self.fleet, self.fleet

        self.executor = Executor(
            edge,
            Door(read_only=False),
            self.journal,
            self.watcher,
            self.clock,
            who="me",
            posting=posting,
            conductor=Conductor(edge, posting, self.watcher, counting, look=self.fleet.look, clock=self.clock),
        )

    async def run(
        self, wanted: Plan, mode: OnFailure = OnFailure.KEEP, on: Callable[[Told], None] | None = None
    ) -> list[Told]:
        """Carry a plan out, and let somebody act on what is told."""
        return await self._all(self.executor.run(wanted, mode, self.steering), on)

    async def resume(self, mode: OnFailure = OnFailure.KEEP) -> list[Told]:
        return await self._all(self.executor.resume(self.change, mode, Steering()), None)

    async def _all(self, running: Any, on: Callable[[Told], None] | None) -> list[Told]:
        told = []
        async for each in running:
            told.append(each)
            if on is not None:
                on(each)
        return told

    @property
    def change(self) -> Change:
        return changes(self.journal.entries())[0]

    @property
    def writes(self) -> list[str]:
        return [each.removeprefix("write ") for each in self.fleet.log if each.startswith("write ")]

    def holds(self, *documents: Document) -> bool:
        return all(same_content(self.fleet.documents[Fleet.key(each)], each) for each in documents)


def busy(bench: Bench, pod: ProxyKey = A_1, number: int = 2) -> None:
    """Somebody is still served by the shard."""
    figures = {"http.http.downstream_rq_active": number, "cluster.kube_foo_web_80.upstream_rq_active": number}
    bench.fleet.statistics[pod] = figures


def at_stage(stage: int, act: Callable[[], None]) -> Callable[[Told], None]:
    return lambda told: act() if isinstance(told, Entered) and told.stage == stage else None


async def test_each_stage_is_written_and_seen_whole_before_the_next() -> None:
    bench = Bench()
    told = await bench.run(drain())
    looks = [[f"look {truth} {name}" for name in names] for names in (["lone", "shop"],) for truth in IN_FORCE]
    log = bench.fleet.log
    begin = log.index("Entered", log.index("write lone") + 1)
    assert log[begin : log.index("Passed", begin)] == [
        *("Entered", "Writing", "write lone", "Written", "Writing", "write shop", "Written"),
        *(each for pair in looks for each in (*pair, "Seen", "Seen")),
    ]
    assert bench.writes == ["web", "lone", "lone", "shop", "lone", "shop"]
    assert [each.stage for each in told if isinstance(each, Entered)] == list(range(6))
    assert all(each.is_met for each in told if isinstance(each, Passed))
    assert (bench.change.verdict, bench.change.applied) == (Verdict.VERIFIED, frozenset(range(6)))
    assert bench.change.entries[-2].text == "nothing under way at 2 ends, 4 readings in a row"
    assert bench.holds(*DRAINED)


async def test_readings_are_told_while_it_bakes_and_waits_and_are_not_remembered() -> None:
    bench = Bench()
    told = await bench.run(drain())
    counted = [each for each in told if isinstance(each, Counted)]
    assert {each.stage for each in counted} == {3, 5}
    assert all(each.left_s is None for each in counted if each.stage == 3)
    assert counted[-1].zeros == 4
    assert counted[-1].left_s is not None
    assert not any(isinstance(each, Counted) for each in bench.journal.entries())


@pytest.mark.parametrize("mode", list(OnFailure))
@pytest.mark.parametrize(("truth", "is_met"), [*((each, False) for each in IN_FORCE), ("loaded", None)])
async def test_what_is_not_seen_ends_it_before_the_next_stage(
    mode: OnFailure, truth: str, *, is_met: bool | None
) -> None:
    bench = Bench()
    bench.fleet.missing = {Truth(truth): is_met}
    await bench.run(drain(), mode)
    assert "web" in bench.writes
    assert "lone" not in bench.writes
    kept = mode is OnFailure.KEEP
    assert bench.change.verdict is (Verdict.UNVERIFIED if kept else Verdict.ROLLED_BACK)
    assert bench.holds(WEB[1] if kept else WEB[0])


async def test_what_the_server_refuses_on_the_way_leaves_the_stages_before_in_force() -> None:
    bench = Bench()
    bench.fleet.fails = [None, None, None, Rejected("too many")]
    await bench.run(drain())
    assert (bench.change.verdict, bench.change.text) == (Verdict.UNVERIFIED, "too many")
    assert bench.change.applied == {0, 1, 2}
    first = Bench()
    first.fleet.fails = [Rejected("no")]
    await first.run(drain())
    assert first.change.verdict is Verdict.REFUSED


async def test_what_nobody_tells_is_never_empty() -> None:
    bench = Bench()
    bench.fleet.statistics[A_1] = Unreachable("connection refused")
    await bench.run(drain())
    assert bench.change.verdict is Verdict.UNVERIFIED
    assert bench.change.text == "the deadline is over: infra/shard-a unknown (shard-a-1: connection refused)"


POST = AdminPost(proxy=A_1, path="/healthcheck/fail", reverse_path="/healthcheck/ok")
CLOSE = AdminPost(proxy=A_1, path="/drain_listeners?graceful", reverse_path="")


def by_health(**more: Any) -> Plan:
    stages = (
        Stage(kind=StageKind.WRITE, title="fail", steps=(0,)),
        Stage(kind=StageKind.EMPTY, title="wait"),
        Stage(kind=StageKind.WRITE, title="close", steps=(1,)),
    )
    ends = (End(gateway=SHARD_A, pod="shard-a-1"),)
    of = Drain(kind=DrainKind.PROXY, target="infra/shard-a-1", gateway=SHARD_A, ends=ends)
    return drain(steps=(POST, CLOSE), stages=stages, drain=of, **more)


async def test_a_proxy_is_told_to_fail_its_health_check_and_to_close_last() -> None:
    bench = Bench()
    await bench.run(by_health())
    posts = [each for each in bench.fleet.log if each.startswith("/")]
    assert posts == ["/healthcheck/fail", "/drain_listeners?graceful"]
    assert bench.change.verdict is Verdict.VERIFIED, "that it is empty was proven"
    assert "told once they have" in bench.change.text


async def test_an_undrain_that_is_verified_ends_the_drain() -> None:
    bench = Bench()
    await bench.run(drain())
    now = {key.name: deepcopy(each) for key, each in bench.fleet.documents.items()}
    steps = (
        edit(now["lone"], LONE[0], EDGE),
        edit(now["shop"], SHOP[0], EDGE),
        edit(now["web"], WEB[0], SHARD_B),
    )
    stages = (
        Stage(kind=StageKind.READY, title="ready", gateways=(SHARD_A,)),
        Stage(kind=StageKind.WRITE, title="weights", steps=(0, 1), truths=IN_FORCE),
        Stage(kind=StageKind.WRITE, title="detach", steps=(2,), truths=IN_FORCE),
    )
    await bench.run(drain(steps=steps, stages=stages, undoes=bench.change.id))
    drained, undone = changes(bench.journal.entries())
    assert (drained.verdict, drained.applied, undone.verdict) == (Verdict.UNDONE, frozenset(), Verdict.VERIFIED)
    assert bench.holds(*PRESENT)
    assert isinstance(undone.entries[-1], Ended)


async def test_without_a_conductor_stages_are_refused() -> None:
    bench = Bench()
    bench.executor._conductor = None
    with pytest.raises(Refused, match="not carried out here"):
        await bench.run(drain())
    assert bench.fleet.log == []
