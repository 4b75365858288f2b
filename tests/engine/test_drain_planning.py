"""Plans of drains: drawn from the newest objects, asked of the server as they end, and taken back as they were."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import pytest

from changing import CLUSTER, SHARD_A, Document, fleet, key_of, proxy, ref, route, rule, snapshot_of, traffic
from executing import Fleet
from gwtui.changes.documents import same_content
from gwtui.changes.drains.wish import DrainWish, OneProxy, Shard
from gwtui.changes.journal import Opened, Written, changes
from gwtui.changes.plan import AdminPost, ObjectEdit, Plan, StageKind, Verdict
from gwtui.engine.drain_planning import DrainPlanner
from gwtui.engine.planning import Intent
from gwtui.errors import Conflict, Denied, NotServed, Refused, Rejected
from gwtui.model.ids import ObjectKey, ProxyKey
from gwtui.model.snapshot import Snapshot
from gwtui.ports import Stored
from set_clock import QuickClock

SHOP = route("shop", rule(ref("shard-a", 90), ref("shard-b", 10)))
WISH = DrainWish(target=Shard(SHARD_A))


class Server(Fleet):
    """Holds the routes of the central ingress; dry runs go as the test says."""

    def __init__(self, *documents: Document) -> None:
        super().__init__(QuickClock())
        self.documents = {key_of(each): _stored(each) for each in documents}
        self.says: list[Exception] = []
        self.rehearsed: list[ObjectKey] = []
        self.manifests = fleet(*documents)

    async def read(self, key: ObjectKey) -> Document:
        if key not in self.documents:
            raise NotServed(f"{key} is gone")
        return deepcopy(self.documents[key])

    async def rehearse(self, key: ObjectKey, operations: list) -> Stored:
        self.rehearsed.append(key)
        if self.says:
            raise self.says.pop(0)
        return await super().rehearse(key, operations)

    def look(self) -> Snapshot:
        pods = (each["metadata"]["name"] for each in self.manifests if each["kind"] == "Pod")
        return snapshot_of(self.manifests, *(proxy(pod, traffic(10.0)) for pod in pods))


def _stored(document: Document) -> Document:
    return {**deepcopy(document), "metadata": {"resourceVersion": "1", **document["metadata"]}}


def planner(server: Server, journal: Iterable[Any] = (), **more: Any) -> DrainPlanner:
    return DrainPlanner(lambda: server, server.look, lambda: changes(journal), server.clock, **more)


def written(plan: Plan, *steps: int) -> list[Any]:
    """The journal of a plan of which these steps are in force."""
    at = plan.made_at
    return [
        Opened(change=plan.id, at=at, plan=plan, who="me"),
        *(Written(change=plan.id, at=at, step=step) for step in steps),
    ]


async def test_a_drain_is_planned_in_stages_from_the_newest_objects() -> None:
    server = Server(SHOP)
    plan = await planner(server).plan(WISH, Intent(reason="update", lease_s=60.0))
    assert plan.can_run, plan.refusals
    assert plan.drain is not None
    assert (plan.drain.target, plan.cluster, plan.reason, plan.lease_s) == ("infra/shard-a", CLUSTER, "update", 60.0)
    edits = [step for step in plan.steps if isinstance(step, ObjectEdit)]
    assert len(edits) == len(plan.steps) > 1
    assert sorted(step for stage in plan.stages for step in stage.steps) == list(range(len(edits)))
    assert plan.stages[-1].kind is StageKind.EMPTY
    weights = [each["weight"] for each in edits[-1].after["spec"]["rules"][0]["backendRefs"]]
    assert (weights[0], weights[1] > 0) == (0, True)
    assert same_content(edits[0].before, SHOP)
    assert edits[0].before["metadata"]["resourceVersion"] == "1"
    assert server.rehearsed == [key_of(SHOP)], "only as it ends"
    assert SHARD_A in {load.gateway for load in plan.blast.loads}
    assert "the server's dry run accepted 1 of 1 objects as they end" in plan.checked


@pytest.mark.parametrize(
    ("said", "code"), [(Rejected("spec: no"), "rejected"), (Denied("not you"), "no-right"), (None, "read-only")]
)
async def test_what_forbids_it_stands_in_the_plan(said: Exception | None, code: str) -> None:
    server = Server(SHOP)
    server.says = [said] if said else []
    plan = await planner(server, read_only=said is None).plan(WISH, Intent())
    assert [each.code for each in plan.refusals] == [code]


async def test_objects_that_change_meanwhile_are_read_and_drawn_anew() -> None:
    server = Server(SHOP)
    server.says = [Conflict("changed"), Conflict("changed")]
    assert (await planner(server).plan(WISH, Intent())).can_run
    server.says = [Conflict("changed")] * 3
    plan = await planner(server).plan(WISH, Intent())
    assert [each.code for each in plan.refusals] == ["stale"]


async def test_an_object_that_is_gone_ends_the_planning_of_a_drain() -> None:
    server = Server(SHOP)
    server.documents.clear()
    with pytest.raises(NotServed):
        await planner(server).plan(WISH, Intent())


async def test_back_restores_exactly_what_was_and_ends_the_drain() -> None:
    server = Server(SHOP)
    plan = await planner(server).plan(WISH, Intent())
    (last,) = (step.after for step in plan.steps[-1:] if isinstance(step, ObjectEdit))
    server.documents[key_of(SHOP)] = last
    (change,) = changes(written(plan, *range(len(plan.steps))))
    back = await planner(server).back(change, Intent())
    assert back.can_run, back.refusals
    assert back.undoes == plan.id
    assert back.stages[0].kind is StageKind.READY
    (edit,) = back.steps
    assert isinstance(edit, ObjectEdit)
    assert same_content(edit.after, SHOP)


async def test_back_leaves_out_what_is_gone_and_refuses_where_nothing_is_in_force() -> None:
    server = Server(SHOP)
    plan = await planner(server).plan(WISH, Intent())
    (change,) = changes(written(plan, 0))
    server.documents.clear()
    back = await planner(server).back(change, Intent())
    assert [each.code for each in back.cautions] == ["gone"]
    (nothing,) = changes(written(plan))
    assert nothing.verdict is Verdict.OPEN
    with pytest.raises(Refused):
        await planner(server).back(nothing, Intent())


async def test_one_proxy_is_drained_without_objects_and_its_gateway_is_judged() -> None:
    server = Server(SHOP)
    pod = next(each.pod for each in server.look().proxies if each.pod.startswith("edge-"))
    key = ProxyKey(CLUSTER, "infra", pod)
    plan = await planner(server).plan(DrainWish(target=OneProxy(key)), Intent())
    assert [step.path for step in plan.steps if isinstance(step, AdminPost)] == ["/healthcheck/fail"]
    assert [each.name for each in plan.blast.gateways] == ["edge"]
    assert plan.blast.moved_rps == 10.0
    assert server.rehearsed == []
