"""The pure reduction of observations into the next snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import assert_never

from gwtui.model.known import value_or
from gwtui.model.measuring import follow
from gwtui.model.observations import (
    PROMETHEUS,
    ClusterFact,
    ControllerTold,
    KindChanged,
    KindListed,
    Observation,
    ProxyFact,
    ProxyFailed,
    ProxyInspected,
    ProxySampled,
    SourceReported,
    TopologyGiven,
)
from gwtui.model.relator import Relator
from gwtui.model.resources import TOPOLOGY
from gwtui.model.samples import ProxySample
from gwtui.model.services import follow_services
from gwtui.model.snapshot import ClusterView, Point, ProxyView, Snapshot, Spent
from gwtui.model.traffic import ProxyTraffic

SERIES_LENGTH = 150
"""How many points of time are kept per proxy: five minutes where it is asked every two seconds."""

RATE_WINDOW_S = 10.0
"""Window of the rates shown, in seconds: long enough to be steady, short enough to follow an incident."""


def reduce(snapshot: Snapshot, observations: Iterable[Observation]) -> Snapshot:
    """Return the snapshot after the observations, in order; the same object when nothing was observed.

    Proxies that no gateway of their cluster owns any more are dropped, and so are late answers of such proxies.
    """
    batch = tuple(observations)
    if not batch:
        return snapshot
    clusters = dict(snapshot.clusters)
    proxies = dict(snapshot.proxies)
    reshaped: set[str] = set()
    for observation in batch:
        if isinstance(observation, ProxySampled | ProxyFailed | ProxyInspected):
            known = proxies.get(observation.proxy) or ProxyView(key=observation.proxy)
            proxies[observation.proxy] = _with_answer(known, observation)
            continue
        view = clusters.get(observation.cluster) or ClusterView(name=observation.cluster)
        clusters[observation.cluster] = _with_fact(view, observation)
        if isinstance(observation, KindListed | KindChanged) and observation.resource in TOPOLOGY:
            reshaped.add(observation.cluster)
    for name in reshaped:
        clusters[name] = _reshaped(clusters[name])
    if len(proxies) > len(snapshot.proxies) or _has_other_shape(clusters, snapshot.clusters):
        owned = {proxy for view in clusters.values() for node in view.topology.gateways for proxy in node.proxies}
        proxies = {key: view for key, view in proxies.items() if key in owned or key.cluster not in clusters}
    return Snapshot(revision=snapshot.revision + 1, clusters=clusters, proxies=proxies)


def _has_other_shape(clusters: Mapping[str, ClusterView], before: Mapping[str, ClusterView]) -> bool:
    """Whether other proxies may be owned than before: hardly ever, when all that came are samples."""
    return any(name not in before or before[name].topology is not view.topology for name, view in clusters.items())


def _with_fact(view: ClusterView, observation: ClusterFact) -> ClusterView:
    match observation:
        case KindListed() | KindChanged():
            return _with_objects(view, observation)
        case TopologyGiven():
            return replace(view, topology=observation.topology)
        case SourceReported():
            return replace(view, sources={**view.sources, observation.source: observation.health})
        case ControllerTold():
            return replace(view, refusals=observation.refusals, rejections=observation.rejections)
        case _:
            assert_never(observation)


def _with_objects(view: ClusterView, observation: KindListed | KindChanged) -> ClusterView:
    known = view.objects.get(observation.resource, {})
    scopes = view.scopes
    match observation:
        case KindListed(namespace=None):
            now = dict(observation.objects)
            scopes = {kind: spaces for kind, spaces in scopes.items() if kind != observation.resource}
        case KindListed(namespace=str() as namespace):
            others = {name: obj for name, obj in known.items() if name[0] != namespace}
            now = {**others, **observation.objects}
            # Also where all of it was read before: nobody follows what comes and goes elsewhere any more.
            scopes = {**scopes, observation.resource: scopes.get(observation.resource, frozenset()) | {namespace}}
        case KindChanged():
            now = {**known, **observation.changes}
            for name, obj in observation.changes.items():
                if obj is None:
                    del now[name]
    return replace(view, objects={**view.objects, observation.resource: now}, scopes=scopes)


def _reshaped(view: ClusterView) -> ClusterView:
    relator = view.relator or Relator(view.name)
    return replace(view, topology=relator.relate(view.objects, view.scopes), relator=relator)


def _with_answer(before: ProxyView, observation: ProxyFact) -> ProxyView:
    if isinstance(observation, ProxyInspected):
        found = observation.inspection
        spent = _plus(
            before.spent,
            questions=found.questions,
            answer_bytes=found.cost_bytes,
            admin_ms=found.cost_ms,
            answer_ms=found.cost_ms,
        )
        return replace(before, inspection=found, spent=spent)
    if isinstance(observation, ProxyFailed):
        return replace(
            before,
            state=observation.state,
            reason=observation.reason,
            hint=observation.hint,
            failing_since=before.failing_since or observation.at,
            series=(*before.series, Point(observation.at, spent=before.spent))[-SERIES_LENGTH:],
        )
    sample = observation.sample
    # Prometheus tells its own times: differences to what a proxy told itself mean nothing.
    is_same_axis = (before.way == PROMETHEUS) == (observation.way == PROMETHEUS)
    traffic, samples = follow(before.samples if is_same_axis else (), sample, window_s=RATE_WINDOW_S)
    spent = _plus(
        before.spent,
        questions=sample.questions,
        answer_bytes=sample.answer_bytes,
        admin_ms=sample.admin_ms,
        answer_ms=sample.answer_ms,
    )
    return ProxyView(
        key=before.key,
        state=observation.state,
        traffic=traffic,
        way=observation.way,
        answered_at=sample.taken_at,
        samples=samples,
        series=(*before.series, _point(traffic, sample, spent))[-SERIES_LENGTH:],
        spent=spent,
        services=follow_services(before.services, before.samples[-1] if before.samples else None, sample),
        inspection=before.inspection,
    )


def _plus(spent: Spent, *, questions: int, answer_bytes: int, admin_ms: float, answer_ms: float) -> Spent:
    return Spent(
        spent.questions + questions,
        spent.answer_bytes + answer_bytes,
        spent.admin_ms + admin_ms,
        spent.answer_ms + answer_ms,
    )


def _point(traffic: ProxyTraffic, sample: ProxySample, spent: Spent) -> Point:
    return Point(
        sample.taken_at,
        rps=value_or(traffic.rps, None),
        error_ratio=value_or(traffic.error_ratio, None),
        client_error_ratio=value_or(traffic.client_error_ratio, None),
        p50_ms=value_or(traffic.p50_ms, None),
        p95_ms=value_or(traffic.p95_ms, None),
        p99_ms=value_or(traffic.p99_ms, None),
        active=value_or(traffic.active, None),
        upgrades=value_or(traffic.upgrades, None),
        spent=spent,
    )
