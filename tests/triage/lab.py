"""A watched central ingress whose counters go as a test says: objects, proxies that are sampled, and the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from gwtui.changes.journal import Change
from gwtui.changes.plan import Drain, ObjectEdit, Plan, Verdict
from gwtui.model.health import ProxyState, SourceHealth, SourceState
from gwtui.model.ids import GatewayKey, ObjectKey, ProxyKey
from gwtui.model.observations import KindListed, ProxyFailed, ProxyInspected, ProxySampled, SourceReported
from gwtui.model.reduction import reduce
from gwtui.model.resources import HTTP_ROUTES
from gwtui.model.samples import ClusterSample, ProxySample, ServiceSample
from gwtui.model.shape import GatewayNode, Hop
from gwtui.model.snapshot import Snapshot
from gwtui.triage.evaluation import Report, evaluate
from gwtui.triage.finding import Finding
from gwtui.triage.memory import FORGETFUL
from gwtui.views.scene import Scene
from objects import GOLDEN, decode

NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
CLUSTER = "demo"
EDGE, SHARD_A, SHARD_B = (GatewayKey(CLUSTER, "infra", name) for name in ("edge", "shard-a", "shard-b"))
CART, BATCH, FEED = "kube_foo_cart_8080", "kube_extra_batch_8080", "kube_extra_feed_8080"
TO_B = "kube_infra_shard-b_8080"
STEP_S, STEPS, RPS = 2.0, 8, 50

USUAL = {("edge", "kube_infra_shard-a_8080"): 25}
"""Rates at which what is sent arrives: two proxies send to one."""

Json = dict[str, Any]


def central() -> list[Json]:
    """The objects of the central ingress, all well."""
    text = (GOLDEN / "topology" / "central-ingress.in.yaml").read_text(encoding="utf-8")
    every = [each for each in yaml.safe_load_all(text) if each]
    # The recorded fleet has the trap of a lone weight 0.
    found(every, "HTTPRoute", "edge-feed")["spec"]["rules"][0]["backendRefs"][0]["weight"] = 1
    return every


def found(manifests: Iterable[Json], kind: str, name: str) -> Json:
    """One object of these."""
    return next(each for each in manifests if each["kind"] == kind and each["metadata"]["name"] == name)


def changed(manifests: Sequence[Json], kind: str, name: str, change: Callable[[Json], object]) -> list[Json]:
    """The objects with one of them changed."""
    copy = deepcopy(list(manifests))
    change(found(copy, kind, name))
    return copy


@dataclass
class Trouble:
    """What one gateway's proxies count of an upstream from a step on, per step of two seconds."""

    gateway: str
    cluster: str
    since: int = 3
    until: int = 10_000
    each: Mapping[str, int] = field(default_factory=dict)
    """Counters that grow by so many in every step."""
    levels: Mapping[str, int] = field(default_factory=dict)
    """Gauges."""


@dataclass
class Fleet:
    """What happens to a fleet."""

    manifests: list[Json] = field(default_factory=central)
    troubles: Sequence[Trouble] = ()
    silent: Sequence[str] = ()
    """Pods that answer nothing from step `silent_since` on."""
    silent_since: int = 3
    own: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Proxy counters by gateway that grow from step 3 on by so many in every step."""
    rates: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Requests/s of (gateway, upstream) where they are not `RPS`."""
    refusing: Sequence[str] = ()
    """Pods that refuse their routes from step 3 on."""
    takes: Mapping[str, int] = field(default_factory=dict)
    """The step from which on a pod has taken one more update of its routes."""
    versions: Mapping[str, int] = field(default_factory=dict)
    """The version of the routes that a pod holds, where it is another than that of the others."""
    young: Sequence[str] = ()
    """Pods whose proxies have just started."""
    steps: int = STEPS
    inspections: Mapping[str, Any] = field(default_factory=dict)
    """What pods hold, told at the first step."""


def watch(fleet: Fleet) -> list[Snapshot]:
    """The snapshots of every step, the last at `NOW`."""
    objects = decode(fleet.manifests)
    ready = SourceHealth(state=SourceState.READY, since=NOW)
    first = [SourceReported(CLUSTER, name, ready) for name in ("api", *objects)]
    first += [KindListed(CLUSTER, resource, found) for resource, found in objects.items()]
    snapshot = reduce(Snapshot(), first)
    told = []
    for step in range(fleet.steps):
        batch: list[Any] = []
        for node in snapshot.clusters[CLUSTER].topology.gateways:
            hops = [hop for hop in snapshot.clusters[CLUSTER].topology.hops if hop.source == node.key]
            for key in node.proxies:
                batch += _told(fleet, node, hops, key, step)
        snapshot = reduce(snapshot, batch)
        told.append(snapshot)
    return told


def _told(fleet: Fleet, node: GatewayNode, hops: Sequence[Hop], key: ProxyKey, step: int) -> Iterable[Any]:
    at = NOW - timedelta(seconds=STEP_S * (fleet.steps - 1 - step))
    gateway = node.key.name
    if key.pod in fleet.silent and step >= fleet.silent_since:
        yield ProxyFailed(key, ProxyState.FAILING, at, "connection refused")
        return
    clusters = {name: _counted(fleet, gateway, name, step) for hop in hops for name in hop.envoy_clusters if name}
    own = {name: number * max(0, step - 2) for name, number in fleet.own.get(gateway, {}).items()}
    errors = own.pop("errors_5xx", 0) + sum(each.errors_5xx for each in clusters.values())
    extra = own.pop("requests", 0)
    accepted = 2 + int(step >= fleet.takes.get(key.pod, fleet.steps))
    version = fleet.versions.get(key.pod, 7)
    is_refusing = key.pod in fleet.refusing and step >= 3
    services = {"rds.listener~8080": ServiceSample(rejected=int(is_refusing), accepted=accepted, version=version)}
    yield ProxySampled(
        key,
        ProxyState.LIVE,
        ProxySample(
            taken_mono=STEP_S * step,
            taken_at=at,
            requests=1000 + extra + sum(each.requests for each in clusters.values()),
            errors_5xx=errors,
            errors_4xx=own.pop("errors_4xx", 0),
            active=3,
            uptime_s=(0 if key.pod in fleet.young else 1000) + int(STEP_S * step),
            latency=None,
            clusters=clusters,
            services=services,
            **own,
        ),
        "pod proxy",
    )
    if step == 0 and key.pod in fleet.inspections:
        yield ProxyInspected(key, fleet.inspections[key.pod])


def _counted(fleet: Fleet, gateway: str, cluster: str, step: int) -> ClusterSample:
    rate = fleet.rates.get((gateway, cluster), USUAL.get((gateway, cluster), RPS))
    sample = ClusterSample(requests=int(100 + rate * STEP_S * step), members_healthy=2, members_total=2)
    own = [each for each in fleet.troubles if (each.gateway, each.cluster) == (gateway, cluster)]
    values = {name: getattr(sample, name) for name in sample.__struct_fields__}
    for each in own:
        worked = max(0, min(step, each.until) - each.since + 1)
        for name, number in each.each.items():
            values[name] += number * worked
        if each.since <= step <= each.until:
            values.update(each.levels)
    return ClusterSample(**values)


def report(
    fleet: Fleet, *, changes: tuple[Change, ...] = (), alter: Callable[[Snapshot], Snapshot] = lambda found: found
) -> Report:
    """What is wrong at `NOW` for somebody who looked at every step."""
    memory, told = FORGETFUL, None
    snapshots = watch(fleet)
    for step, snapshot in enumerate(snapshots):
        at = NOW - timedelta(seconds=STEP_S * (len(snapshots) - 1 - step))
        told, memory = evaluate(Scene(alter(snapshot), (CLUSTER,), at), changes, memory)
    assert told is not None
    return told


def of(told: Report, rule: str) -> Finding:
    """The one finding of a rule, wherever it is folded."""
    (only,) = [each for each in every(told) if each.rule == rule]
    return only


def every(told: Report) -> list[Finding]:
    """All findings, folded ones included."""
    return [each for top in told.findings for each in (top, *top.folded)]


def rules(told: Report) -> set[str]:
    """The rules that found something, folded ones included."""
    return {each.rule for each in every(told)}


def wrong(told: Report) -> list[str]:
    """Sentences of what is more than worth knowing."""
    return [each.sentence for each in every(told) if each.severity.value != "info"]


def route_changed(change: Callable[[Json], object], name: str = "batch") -> Fleet:
    """A fleet in which one route is otherwise."""
    return Fleet(changed(central(), "HTTPRoute", name, change))


def with_cluster(snapshot: Snapshot, **fields: Any) -> Snapshot:
    """The snapshot with other facts about its cluster."""
    return replace(snapshot, clusters={CLUSTER: replace(snapshot.clusters[CLUSTER], **fields)})


ROUTE = ObjectKey(CLUSTER, HTTP_ROUTES, "extra", "batch")


def change(*, at: datetime = NOW - timedelta(seconds=30), drain: Drain | None = None, **fields: Any) -> Change:
    steps = (ObjectEdit(key=ROUTE, object_kind="HTTPRoute", before={}, after={}),)
    plan = Plan(
        id="20260801-115930-abcd",
        title="batch: weights",
        made_at=at,
        cluster=CLUSTER,
        steps=steps,
        drain=drain,
        lease_s=fields.pop("lease_s", None),
    )
    return Change(
        id=plan.id,
        plan=plan,
        who="ann",
        opened_at=at,
        verdict=Verdict.VERIFIED,
        text="",
        ended_at=at,
        applied=fields.pop("applied", frozenset({0})),
        uncertain=frozenset(),
        entries=(),
    )
