"""What needs time to be seen: who is loud, drains and leases that were forgotten, what came before."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gwtui.changes.journal import Change
from gwtui.changes.plan import Drain, DrainKind, ObjectEdit, Plan
from gwtui.model.health import SourceHealth, SourceState
from gwtui.model.ids import ObjectKey
from gwtui.model.resources import HTTP_ROUTES
from gwtui.model.snapshot import Snapshot
from gwtui.triage.evaluation import evaluate
from gwtui.triage.memory import FORGETFUL
from gwtui.triage.why import why
from gwtui.views.scene import Scene
from tests.triage.lab import (
    BATCH,
    CART,
    CLUSTER,
    NOW,
    SHARD_B,
    Fleet,
    Json,
    Trouble,
    central,
    change,
    changed,
    found,
    of,
    report,
    route_changed,
    rules,
    watch,
    with_cluster,
)


def shared() -> list[Json]:
    """Shard-b serves foo/cart as well."""
    manifests = central()
    other = deepcopy(found(manifests, "HTTPRoute", "batch"))
    other["metadata"].update(name="cart-too", namespace="foo")
    other["spec"].update(hostnames=["cart.example.com"])
    other["spec"]["rules"][0]["backendRefs"] = [{"name": "cart", "port": 8080}]
    return [*manifests, other]


LOUD = Trouble("shard-b", CART, since=24, each={"requests": 800})
REFUSED = Trouble("shard-b", CART, since=24, each={"overflows": 20, "errors_5xx": 20})


def test_the_namespace_that_drives_a_shard_others_suffer_on() -> None:
    told = report(Fleet(shared(), troubles=[LOUD, REFUSED], steps=30))
    noisy = of(told, "noisy-neighbour")
    assert noisy.severity in ("warning", "critical")
    assert "namespace foo drives" in noisy.sentence
    assert "a shard of its own for foo leaves 1 namespace with 100 rps here" in noisy.sentence
    assert any("gwtui drain namespace/foo --from infra/shard-b" in each.command for each in noisy.actions)


def test_who_is_as_loud_as_ever_is_no_noisy_neighbour() -> None:
    steady = Trouble("shard-b", CART, since=0, each={"requests": 800})
    assert "noisy-neighbour" not in rules(report(Fleet(shared(), troubles=[steady, REFUSED], steps=30)))


def test_a_shard_of_one_namespace_has_no_neighbours() -> None:
    loud = Trouble("shard-a", CART, since=24, each={"requests": 800})
    assert "noisy-neighbour" not in rules(report(Fleet(troubles=[loud], steps=30)))


def drained() -> Fleet:
    """Nothing names shard-b with a weight."""

    def to_a(route: Json) -> None:
        route["spec"]["rules"][0]["backendRefs"] = [
            {"name": "shard-a", "port": 8080, "weight": 1},
            {"name": "shard-b", "port": 8080, "weight": 0},
        ]

    manifests = changed(central(), "HTTPRoute", "edge-shop", to_a)
    return Fleet(changed(manifests, "HTTPRoute", "edge-feed", to_a))


DRAIN = Drain(kind=DrainKind.SHARD, target="infra/shard-b", gateway=SHARD_B)


@pytest.mark.parametrize(("age_s", "severity"), [(7200, "warning"), (60, "info")])
def test_a_drain_that_is_done_and_left(age_s: float, severity: str) -> None:
    ours = change(at=NOW - timedelta(seconds=age_s), drain=DRAIN)
    finding = of(report(drained(), changes=(ours,)), "forgotten-drain")
    assert finding.severity == severity
    assert "drained by ann with change 20260801-115930-abcd" in finding.sentence
    assert [each.change for each in finding.actions if each.key == "z"] == [ours.id]


def test_a_drain_nobody_here_knows_of_is_told_too_and_one_with_a_lease_is_not() -> None:
    assert "by weights, not by this console" in of(report(drained()), "forgotten-drain").sentence
    leased = change(drain=DRAIN, lease_s=3600.0)
    assert "forgotten-drain" not in rules(report(drained(), changes=(leased,)))
    assert "forgotten-drain" not in rules(report(Fleet()))


def test_a_lease_that_is_over_and_was_not_taken_back() -> None:
    over = change(at=NOW - timedelta(seconds=700), lease_s=600.0)
    finding = of(report(Fleet(), changes=(over,)), "forgotten-lease")
    assert finding.sentence.endswith("by ann is in force 1 min after its lease ended")
    assert finding.since == NOW - timedelta(seconds=100)
    assert "forgotten-lease" not in rules(report(Fleet(), changes=(change(lease_s=600.0),)))
    back = change(at=NOW - timedelta(seconds=700), lease_s=600.0, applied=frozenset())
    assert "forgotten-lease" not in rules(report(Fleet(), changes=(back,)))


@pytest.mark.parametrize(
    ("state", "severity", "words"),
    [
        (SourceState.STALE, "warning", "are as they were when the stream broke"),
        (SourceState.FORBIDDEN, "info", "may not be read"),
    ],
)
def test_what_is_not_read_is_told(state: SourceState, severity: str, words: str) -> None:
    def break_(snapshot: Snapshot) -> Snapshot:
        broken = SourceHealth(state=state, since=NOW - timedelta(seconds=40), detail="watch broke")
        return with_cluster(snapshot, sources={**snapshot.clusters[CLUSTER].sources, HTTP_ROUTES: broken})

    finding = of(report(Fleet(), alter=break_), "blind-spot")
    assert (finding.severity, finding.place.kind) == (severity, "cluster")
    assert f"httproutes {words}" in finding.sentence
    assert "blind-spot" not in rules(report(Fleet()))


ROUTE = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}
ERRS = Trouble("shard-b", BATCH, each={"errors_5xx": 20})


def test_our_own_change_before_it_is_told_and_can_be_taken_back() -> None:
    told = report(Fleet(troubles=[ERRS]), changes=(change(),))
    first = told.findings[0]
    assert first.preceded_by[0].change == "20260801-115930-abcd"
    assert [each.command for each in first.actions if each.key == "z"] == ["gwtui undo 20260801-115930-abcd"]
    assert why(told) == (
        "tier 2 infra/shard-b: extra/batch answers 5xx to 20% of 50 rps for route extra/batch since 11:59:50 UTC, "
        "20 s after batch: weights (change 20260801-115930-abcd)"
    )


def test_a_change_elsewhere_or_long_before_is_not_told() -> None:
    early = change(at=NOW - timedelta(seconds=900))
    assert report(Fleet(troubles=[ERRS]), changes=(early,)).findings[0].preceded_by == ()
    plan = change().plan
    step = replace_step(plan, ObjectKey(CLUSTER, HTTP_ROUTES, "foo", "cart"))
    elsewhere = Change(**{**fields_of(change()), "plan": step})
    assert report(Fleet(troubles=[ERRS]), changes=(elsewhere,)).findings[0].preceded_by == ()


def fields_of(made: Change) -> dict[str, Any]:
    return {name: getattr(made, name) for name in made.__struct_fields__}


def replace_step(plan: Plan, key: ObjectKey) -> Plan:
    fields = {name: getattr(plan, name) for name in plan.__struct_fields__}
    return Plan(**{**fields, "steps": (ObjectEdit(key=key, object_kind="HTTPRoute", before={}, after={}),)})


def test_who_else_wrote_the_route_is_told_by_its_managed_fields() -> None:
    def written(route: Json) -> None:
        at = f"{NOW - timedelta(seconds=40):%Y-%m-%dT%H:%M:%SZ}"
        route["metadata"]["managedFields"] = [
            {"manager": "kubectl-edit", "operation": "Update", "time": at},
            {"manager": "kgateway", "operation": "Update", "subresource": "status", "time": at},
        ]

    fleet = replace(route_changed(written), troubles=[ERRS])
    told = report(fleet)
    assert [(each.who, each.what) for each in told.findings[0].preceded_by] == [("kubectl-edit", "route extra/batch")]
    assert why(told).endswith("30 s after route extra/batch was changed by kubectl-edit")


def by_kubectl(manifest: Json, seconds: float = 40) -> Json:
    """The object as `kubectl edit` wrote it so long ago."""
    at = f"{NOW - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"
    manifest["metadata"]["managedFields"] = [{"manager": "kubectl-edit", "operation": "Update", "time": at}]
    return manifest


def test_who_wrote_the_service_behind_it_is_told() -> None:
    fleet = Fleet(changed(central(), "Service", "batch", by_kubectl), troubles=[ERRS])
    told = [(each.who, each.what) for each in report(fleet).findings[0].preceded_by]
    assert told == [("kubectl-edit", "service extra/batch")]


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("TrafficPolicy", {"targetRefs": [{**ROUTE, "name": "batch"}]}),
        ("TrafficPolicy", {"targetSelectors": [{**ROUTE, "matchLabels": {"team": "extra"}}]}),
        ("BackendConfigPolicy", {"targetRefs": [{"group": "", "kind": "Service", "name": "batch"}]}),
    ],
    ids=["by name", "by label", "on the service"],
)
def test_who_wrote_a_policy_on_it_is_told(kind: str, spec: Json) -> None:
    def labelled(route: Json) -> None:
        route["metadata"]["labels"] = {"team": "extra"}

    policy = {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": "slow", "namespace": "extra"},
        "spec": spec,
    }
    elsewhere = {**policy, "metadata": {"name": "slow", "namespace": "foo"}}
    unrelated = {**policy, "metadata": {"name": "other", "namespace": "extra"}, "spec": aimed_at_another(spec)}
    policies = [by_kubectl(each) for each in (policy, elsewhere, unrelated)]
    fleet = route_changed(labelled)
    told = report(Fleet([*fleet.manifests, *policies], troubles=[ERRS])).findings[0].preceded_by
    assert [(each.who, each.what) for each in told] == [("kubectl-edit", f"{kind} extra/slow")]


def aimed_at_another(spec: Json) -> Json:
    """The same policy for something that is not there."""
    ((field, (target,)),) = spec.items()
    other = {"matchLabels": {"team": "foo"}} if "matchLabels" in target else {"name": "other"}
    return {field: [{**target, **other}]}


def test_since_when_is_remembered_and_what_is_over_is_forgotten() -> None:
    snapshots = watch(Fleet(troubles=[Trouble("shard-b", BATCH, since=3, until=20, each={"errors_5xx": 20})], steps=40))
    memory, told = FORGETFUL, []
    for step, snapshot in enumerate(snapshots):
        at = NOW - timedelta(seconds=2.0 * (len(snapshots) - 1 - step))
        now, memory = evaluate(Scene(snapshot, (CLUSTER,), at), (), memory)
        told.append([each.since for each in now.findings if each.rule == "backend-errors"])
    began = NOW - timedelta(seconds=2.0 * (39 - 2))
    assert told[2] == []
    assert told[5] == told[20] == [began], "it began with the interval of the first error"
    assert told[23] == [], "over"


def test_a_signal_is_told_within_five_seconds() -> None:
    snapshots = watch(Fleet(troubles=[Trouble("shard-b", BATCH, since=4, each={"errors_5xx": 10})]))
    memory, first = FORGETFUL, None
    for step, snapshot in enumerate(snapshots):
        at = NOW - timedelta(seconds=2.0 * (len(snapshots) - 1 - step))
        now, memory = evaluate(Scene(snapshot, (CLUSTER,), at), (), memory)
        if first is None and now.findings:
            first = step
    assert first is not None
    assert (first - 3) * 2.0 <= 5.0
