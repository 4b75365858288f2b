"""The pure reduction of observations into the next snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from gwtui.model.known import Known
from gwtui.model.observations import (
    KindChanged,
    KindListed,
    Observation,
    ProxyFailed,
    ProxySampled,
    SourceReported,
)
from gwtui.model.relator import Relator
from gwtui.model.resources import TOPOLOGY
from gwtui.model.snapshot import ClusterView, ProxyView, Snapshot
from gwtui.model.traffic import measure

SAMPLE_SPAN_S = 60.0
"""How much sample history is kept per proxy, in seconds."""

HISTORY_LENGTH = 60
"""How many sparkline values are kept per proxy."""

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
        match observation:
            case KindListed() | KindChanged():
                view = clusters.get(observation.cluster) or ClusterView(name=observation.cluster)
                clusters[observation.cluster] = _with_objects(view, observation)
                if observation.resource in TOPOLOGY:
                    reshaped.add(observation.cluster)
            case SourceReported():
                view = clusters.get(observation.cluster) or ClusterView(name=observation.cluster)
                sources = {**view.sources, observation.source: observation.health}
                clusters[observation.cluster] = replace(view, sources=sources)
            case ProxySampled() | ProxyFailed():
                before = proxies.get(observation.proxy) or ProxyView(key=observation.proxy)
                proxies[observation.proxy] = _with_answer(before, observation)
            case _:
                assert_never(observation)
    for name in reshaped:
        clusters[name] = _reshaped(clusters[name])
    owned = {proxy for view in clusters.values() for node in view.topology.gateways for proxy in node.proxies}
    kept = {key: view for key, view in proxies.items() if key in owned or key.cluster not in clusters}
    return Snapshot(revision=snapshot.revision + 1, clusters=clusters, proxies=kept)


def _with_objects(view: ClusterView, observation: KindListed | KindChanged) -> ClusterView:
    known = view.objects.get(observation.resource, {})
    match observation:
        case KindListed(namespace=None):
            now = dict(observation.objects)
        case KindListed(namespace=namespace):
            others = {name: obj for name, obj in known.items() if name[0] != namespace}
            now = {**others, **observation.objects}
        case KindChanged():
            now = {**known, **observation.changes}
            for name, obj in observation.changes.items():
                if obj is None:
                    del now[name]
    return replace(view, objects={**view.objects, observation.resource: now})


def _reshaped(view: ClusterView) -> ClusterView:
    relator = view.relator or Relator(view.name)
    return replace(view, topology=relator.relate(view.objects), relator=relator)


def _with_answer(before: ProxyView, observation: ProxySampled | ProxyFailed) -> ProxyView:
    if isinstance(observation, ProxyFailed):
        return replace(
            before,
            state=observation.state,
            reason=observation.reason,
            hint=observation.hint,
            failing_since=before.failing_since or observation.at,
            history=(*before.history, None)[-HISTORY_LENGTH:],
        )
    sample = observation.sample
    oldest = sample.taken_mono - SAMPLE_SPAN_S
    samples = (*(old for old in before.samples if old.taken_mono >= oldest), sample)
    traffic = measure(samples, window_s=RATE_WINDOW_S)
    return ProxyView(
        key=before.key,
        state=observation.state,
        traffic=traffic,
        way=observation.way,
        answered_at=sample.taken_at,
        samples=samples,
        history=(*before.history, traffic.rps.value if isinstance(traffic.rps, Known) else None)[-HISTORY_LENGTH:],
    )
