"""The figures of every gateway and workload at one moment, computed once per painted snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import TypeVar

from gwtui.model.ids import ExternalKey, GatewayKey, ProxyKey, ServiceKey
from gwtui.model.known import Known, Unknown, value_or
from gwtui.model.shape import FrontDoor, GatewayNode, Hop, ShareRole
from gwtui.model.snapshot import ProxyView, Snapshot
from gwtui.model.traffic import ClusterTraffic, ProxyTraffic, total
from gwtui.views import judge
from gwtui.views.judge import Verdict

K = TypeVar("K", ServiceKey, ExternalKey)

Rate = Known[float] | Unknown


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GatewayFigures:
    """One gateway: its node, its proxies and what they do together."""

    node: GatewayNode
    proxies: tuple[ProxyView, ...]
    answering: int
    """How many of the proxies the figures cover."""
    traffic: ProxyTraffic
    """Sum over the answering proxies."""
    history: tuple[float | None, ...]
    """Requests/s of all its proxies, oldest first; None where one of them did not answer."""
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flow:
    """Traffic over one hop, as its source's proxies count it."""

    hop: Hop
    rps: Rate
    error_ratio: Rate
    share: Rate
    """Part of everything the source sends over its hops, 0 to 1."""
    members_healthy: int | None = None
    members_total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fleet:
    """All gateways and flows of all clusters, sorted by key."""

    gateways: Mapping[GatewayKey, GatewayFigures] = field(default_factory=dict)
    flows: tuple[Flow, ...] = ()
    front_doors: tuple[FrontDoor, ...] = ()
    owners: Mapping[ProxyKey, GatewayKey] = field(default_factory=dict)
    """Which gateway a proxy belongs to."""
    proxies: tuple[ProxyView, ...] = ()
    """Every proxy: those asked, and those seen but not asked yet."""
    holds_until: datetime | None = None
    """Until when the same snapshot gives the same figures; None where that is this moment alone."""

    def entry_traffic(self) -> ProxyTraffic:
        """What comes in from clients: the sum over tier 1, so that no request counts twice."""
        tier_1 = (entry for entry in self.gateways.values() if entry.node.tier == 1)
        return total(entry.traffic for entry in tier_1 if entry.answering)


def fleet(snapshot: Snapshot, now: datetime) -> Fleet:
    """Compute the figures of a snapshot."""
    nodes = [node for cluster in snapshot.clusters.values() for node in cluster.topology.gateways]
    owners = {proxy: node.key for node in nodes for proxy in node.proxies}
    keys = sorted({*snapshot.proxies, *owners})
    views = {key: snapshot.proxies.get(key) or ProxyView(key=key) for key in keys}
    gateways = {node.key: _figures(node, [views[key] for key in node.proxies], now) for node in nodes}
    return Fleet(
        gateways=gateways,
        flows=tuple(
            flow for cluster in snapshot.clusters.values() for flow in _flows(cluster.topology.hops, gateways, now)
        ),
        front_doors=tuple(door for cluster in snapshot.clusters.values() for door in cluster.topology.front_doors),
        owners=owners,
        proxies=tuple(views.values()),
        holds_until=_holds_until(views.values(), now),
    )


def _holds_until(views: Iterable[ProxyView], now: datetime) -> datetime | None:
    """Until the first proxy is silent for too long. How long ago one went silent is part of its figures."""
    counted = [view for view in views if view.state in judge.ANSWERING and view.answered_at is not None]
    if not all(judge.is_answering(view, now) for view in counted):
        return None
    moments = [view.answered_at for view in counted if view.answered_at is not None]
    return min(moments, default=now) + timedelta(seconds=judge.STALE_AFTER_S)


def merged_history(histories: Sequence[Sequence[float | None]]) -> tuple[float | None, ...]:
    """Add histories that end at the same moment. What did not exist yet adds nothing; a silent part spoils the sum."""
    missing = object()
    columns = zip_longest(*(reversed(history) for history in histories), fillvalue=missing)
    summed = [
        None if None in present else sum(value for value in present if isinstance(value, int | float))
        for present in ([value for value in column if value is not missing] for column in columns)
    ]
    return tuple(reversed(summed))


def _figures(node: GatewayNode, views: list[ProxyView], now: datetime) -> GatewayFigures:
    answering = [view for view in views if judge.is_answering(view, now)]
    traffic = total(view.traffic for view in answering)
    return GatewayFigures(
        node=node,
        proxies=tuple(views),
        answering=len(answering),
        traffic=traffic,
        history=merged_history([view.history for view in answering]),
        verdict=judge.gateway(node, views, traffic, now),
    )


def _flows(hops: Iterable[Hop], gateways: Mapping[GatewayKey, GatewayFigures], now: datetime) -> list[Flow]:
    flows: list[Flow] = []
    sent: dict[GatewayKey, float] = {}
    for hop in hops:
        flow = _flow(hop, gateways.get(hop.source), now)
        flows.append(flow)
        if not is_copy(hop):
            sent[hop.source] = sent.get(hop.source, 0.0) + value_or(flow.rps, 0.0)
    return [_with_share(flow, sent.get(flow.hop.source, 0.0)) for flow in flows]


def is_copy(hop: Hop) -> bool:
    """Whether the hop carries nothing but mirrored requests."""
    return bool(hop.shares) and all(share.role is ShareRole.MIRROR for share in hop.shares)


def _flow(hop: Hop, source: GatewayFigures | None, now: datetime) -> Flow:
    views = [view for view in source.proxies if judge.is_answering(view, now)] if source else []
    seen = [
        view.traffic.clusters[name] for view in views for name in hop.envoy_clusters if name in view.traffic.clusters
    ]
    nothing = Unknown("no proxy of the source answers" if not views else "the proxies hold no such upstream")
    measured = [traffic.members_total for traffic in seen if traffic.members_total is not None]
    healthy = [traffic.members_healthy for traffic in seen if traffic.members_healthy is not None]
    return Flow(
        hop=hop,
        rps=added([traffic.rps for traffic in seen], nothing),
        error_ratio=_error_ratio(seen, nothing),
        share=nothing,
        members_healthy=min(healthy, default=None),
        members_total=max(measured, default=None),
    )


def _with_share(flow: Flow, sent: float) -> Flow:
    if isinstance(flow.rps, Unknown):
        return flow
    if is_copy(flow.hop):
        return replace(flow, share=Unknown("copies are no part of the traffic"))
    share: Rate = Known(flow.rps.value / sent, flow.rps.observed_at) if sent else Unknown("no requests in the window")
    return replace(flow, share=share)


def added(rates: Sequence[Rate], nothing: Unknown) -> Rate:
    """The sum of what is known, as old as its oldest part; the first reason, or `nothing`, where nothing is."""
    known = [rate for rate in rates if isinstance(rate, Known)]
    if not known:
        return next((rate for rate in rates if isinstance(rate, Unknown)), nothing)
    return Known(sum(rate.value for rate in known), min(rate.observed_at for rate in known))


def error_share(pairs: Iterable[tuple[Rate, Rate]], nothing: Unknown) -> Rate:
    """The share of errors over several (rate, share of errors), each counting by its rate."""
    parts = list(pairs)
    known = [(rps, ratio) for rps, ratio in parts if isinstance(rps, Known) and isinstance(ratio, Known)]
    requests = sum(rps.value for rps, _ in known)
    if not requests:
        return next((ratio for _, ratio in parts if isinstance(ratio, Unknown)), nothing)
    errors = sum(rps.value * ratio.value for rps, ratio in known)
    return Known(errors / requests, min(ratio.observed_at for _, ratio in known))


def _error_ratio(seen: Iterable[ClusterTraffic], nothing: Unknown) -> Rate:
    return error_share(((traffic.rps, traffic.error_ratio) for traffic in seen), nothing)


def workload_flows(flows: Iterable[Flow]) -> Mapping[ServiceKey, tuple[Flow, ...]]:
    """The flows that end at a workload, by Service."""
    return _by_target(flows, ServiceKey)


def outside_flows(flows: Iterable[Flow]) -> Mapping[ExternalKey, tuple[Flow, ...]]:
    """The flows that leave the cluster, by host."""
    return _by_target(flows, ExternalKey)


def _by_target(flows: Iterable[Flow], kind: type[K]) -> Mapping[K, tuple[Flow, ...]]:
    found: dict[K, list[Flow]] = {}
    for flow in flows:
        target = flow.hop.target
        if isinstance(target, kind):
            found.setdefault(target, []).append(flow)
    return {target: tuple(together) for target, together in found.items()}


def combined(flows: Sequence[Flow]) -> ClusterTraffic:
    """What several flows to one target carry together."""
    nothing = Unknown("nothing sends to it")
    parts = [
        ClusterTraffic(
            rps=flow.rps,
            error_ratio=flow.error_ratio,
            members_healthy=flow.members_healthy,
            members_total=flow.members_total,
        )
        for flow in flows
    ]
    healthy = [part.members_healthy for part in parts if part.members_healthy is not None]
    totals = [part.members_total for part in parts if part.members_total is not None]
    return ClusterTraffic(
        rps=added([part.rps for part in parts], nothing),
        error_ratio=_error_ratio(parts, nothing),
        members_healthy=min(healthy, default=None),
        members_total=max(totals, default=None),
    )
