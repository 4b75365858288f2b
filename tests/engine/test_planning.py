"""Making plans: what is worked out once."""

from __future__ import annotations

from changing import CLUSTER, key_of, ref, route, rule, snapshot_of, weights
from changing import fleet as cluster_of
from gwtui.changes import projection
from gwtui.engine.planning import Intent, Planner
from gwtui.model.snapshot import Snapshot
from set_clock import QuickClock
from tests.engine.test_execution import Server

SHOP = route("shop", rule(ref("shard-a", 90), ref("shard-b", 10)))


async def test_the_cluster_is_related_anew_once_for_a_plan(monkeypatch) -> None:
    related = []
    relate = projection.relate

    def counted(*arguments: object) -> object:
        related.append(arguments[0])
        return relate(*arguments)

    monkeypatch.setattr(projection, "relate", counted)
    snapshot: Snapshot = snapshot_of(cluster_of(SHOP))
    server = Server(document={**SHOP, "metadata": {"uid": "u", "resourceVersion": "1", **SHOP["metadata"]}})
    planner = Planner(lambda: server, lambda: snapshot, QuickClock())
    plan = await planner.edit(key_of(SHOP), lambda now: weights(now, 50, 50), Intent())
    assert plan.blast.gateways
    assert related == [CLUSTER]
