"""The figures of every gateway and workload at one moment, computed once per painted snapshot."""

from __future__ import annotations

import operator
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial
from itertools import chain, zip_longest
from typing import NamedTuple, TypeVar

from gwtui.model.ids import ExternalKey, GatewayKey, ProxyKey, ServiceKey
from gwtui.model.known import Known
from gwtui.model.shape import FrontDoor, GatewayNode, Hop, Topology
from gwtui.model.snapshot import ProxyView, Snapshot
from gwtui.model.totals import total
from gwtui.model.traffic import ProxyTraffic
from gwtui.views import judge
from gwtui.views.flows import Flow, Space, Upstream, flows_over, space, upstream
from gwtui.views.judge import NOTHING_NOTED, Noted, Verdict
from gwtui.views.remembered import ByIdentity


@dataclass(frozen=True, kw_only=True, eq=False)
class GatewayFigures:
    """One gateway: its node, its proxies and what they do together."""

    node: GatewayNode
    proxies: tuple[ProxyView, ...]
    heard: tuple[ProxyView, ...]
    """The proxies that answer: those the figures cover."""
    traffic: ProxyTraffic
    """Sum over the answering proxies."""
    verdict: Verdict
    verdicts: tuple[Verdict, ...] = ()
    """How each of its proxies is, with what is noted about it."""
    noted: Mapping[ProxyKey, Noted] = field(default_factory=dict)
    """What is told about its proxies by more than their newest answers; those of which nothing is are absent."""
    refused: tuple[str, ...] = ()
    """Kinds of configuration that its proxies refuse, as the control plane says."""
    flows: tuple[Flow, ...] = ()
    """What it sends over each of its hops."""
    holds_until: datetime | None = None
    """Until when the same proxies give the same figures; None where that is this moment alone."""

    @property
    def answering(self) -> int:
        """How many of the proxies the figures cover."""
        return len(self.heard)

    @cached_property
    def history(self) -> tuple[float | None, ...]:
        """Requests/s of all its proxies, oldest first; None where one of them did not answer."""
        return merged_history([view.history for view in self.heard])


K = TypeVar("K", ServiceKey, ExternalKey)

Namespace = tuple[str, str]
"""(cluster, namespace)."""

Target = tuple[K, tuple[int, ...]]
"""Where traffic ends, and the positions of the flows that lead there."""


class _Course(NamedTuple):
    """Where the hops of one topology lead: the same as long as it is the same topology."""

    hops: Mapping[GatewayKey, tuple[Hop, ...]]
    """By source."""
    services: Mapping[Namespace, tuple[Target[ServiceKey], ...]]
    """By namespace, sorted; positions are those of hops in the order of their sources."""
    hosts: tuple[Target[ExternalKey], ...]


_COURSES: ByIdentity[str, _Course] = ByIdentity()
_SPACES: ByIdentity[Namespace, Space] = ByIdentity()


@dataclass(frozen=True, kw_only=True, eq=False)
class Fleet:
    """All gateways and flows of all clusters, sorted by key."""

    gateways: Mapping[GatewayKey, GatewayFigures] = field(default_factory=dict)
    flows: tuple[Flow, ...] = ()
    front_doors: tuple[FrontDoor, ...] = ()
    owners: Mapping[ProxyKey, GatewayKey] = field(default_factory=dict)
    """Which gateway a proxy belongs to."""
    proxies: tuple[ProxyView, ...] = ()
    """Every proxy: those asked, and those seen but not asked yet."""
    services: Mapping[Namespace, tuple[Target[ServiceKey], ...]] = field(default_factory=dict)
    """What gets traffic, by namespace; sorted within a cluster."""
    hosts: tuple[Target[ExternalKey], ...] = ()
    """Hosts outside that get traffic."""
    holds_until: datetime | None = None
    """Until when the same snapshot gives the same figures; None where that is this moment alone."""

    @cached_property
    def spaces(self) -> Mapping[Namespace, Space]:
        """Every namespace that gets traffic."""
        return {name: self._space(name, found) for name, found in self.services.items()}

    @cached_property
    def outside(self) -> Mapping[ExternalKey, Upstream]:
        """Every host outside the cluster that gets traffic."""
        return {key: upstream(key, self._at(positions)) for key, positions in self.hosts}

    @cached_property
    def sick(self) -> tuple[Upstream, ...]:
        """What gets traffic and is known not to be well: Services, then hosts, in the order of flows."""
        found = [
            (first, each)
            for name, together in self.spaces.items()
            if together.sick
            for (_, (first, *_)), each in zip(self.services[name], together.upstreams, strict=True)
            if each.is_sick
        ]
        services = sorted(found, key=lambda pair: pair[0])
        return (*(each for _, each in services), *(each for each in self.outside.values() if each.is_sick))

    def _space(self, name: Namespace, found: Sequence[Target[ServiceKey]]) -> Space:
        flows = [self.flows[position] for _, positions in found for position in positions]
        return _SPACES.get(name, flows, lambda: space([upstream(key, self._at(positions)) for key, positions in found]))

    def _at(self, positions: Iterable[int]) -> tuple[Flow, ...]:
        return tuple([self.flows[position] for position in positions])

    def entry_traffic(self) -> ProxyTraffic:
        """What comes in from clients: the sum over tier 1, so that no request counts twice."""
        tier_1 = (entry for entry in self.gateways.values() if entry.node.tier == 1)
        return total(entry.traffic for entry in tier_1 if entry.answering)


def fleet(snapshot: Snapshot, now: datetime, before: Fleet | None = None) -> Fleet:
    """Compute the figures of a snapshot.

    Args:
        snapshot: What is known.
        now: The moment ages are counted from.
        before: Figures of an earlier snapshot: what cannot have changed since is taken over.
    """
    making = fleet_parts(snapshot, now, before)
    while True:
        try:
            next(making)
        except StopIteration as made:
            found: Fleet = made.value
            return found


def fleet_parts(snapshot: Snapshot, now: datetime, before: Fleet | None = None) -> Generator[None, None, Fleet]:
    """Do as `fleet`, one gateway after the other: others may have their turn at every yield."""
    owners = {
        proxy: node.key
        for cluster in snapshot.clusters.values()
        for node in cluster.topology.gateways
        for proxy in node.proxies
    }
    views = {key: snapshot.proxies.get(key) or ProxyView(key=key) for key in sorted({*snapshot.proxies, *owners})}
    yield
    held = before.gateways if before is not None else {}
    gateways: dict[GatewayKey, GatewayFigures] = {}
    flows: list[Flow] = []
    services: dict[Namespace, tuple[Target[ServiceKey], ...]] = {}
    hosts: list[Target[ExternalKey]] = []
    for name, cluster in snapshot.clusters.items():
        course = _COURSES.get(name, (cluster.topology,), partial(_course, cluster.topology))
        told = cluster.refusals.value if isinstance(cluster.refusals, Known) else {}
        for node in cluster.topology.gateways:
            wanted = _Wanted(node, course.hops.get(node.key, ()), told.get(node.key, ()))
            proxies = [views[key] for key in node.proxies]
            known = held.get(node.key)
            is_same = known is not None and _holds(known, wanted, proxies, now)
            gateways[node.key] = known if is_same and known else _figures(wanted, proxies, now)
            yield
        first = len(flows)
        for source, hops in course.hops.items():
            flows += gateways[source].flows if source in gateways else flows_over(hops, ())
        services.update({space: _moved(found, first) for space, found in course.services.items()})
        hosts += _moved(course.hosts, first)
        yield
    return Fleet(
        gateways=gateways,
        flows=tuple(flows),
        front_doors=tuple(door for cluster in snapshot.clusters.values() for door in cluster.topology.front_doors),
        owners=owners,
        proxies=tuple(views.values()),
        services=services,
        hosts=tuple(hosts),
        holds_until=_holds_until(views.values(), now),
    )


class _Wanted(NamedTuple):
    """What the figures of a gateway are about."""

    node: GatewayNode
    hops: tuple[Hop, ...]
    refused: tuple[str, ...]


def _holds(known: GatewayFigures, wanted: _Wanted, proxies: Sequence[ProxyView], now: datetime) -> bool:
    """Whether figures are still those of a gateway: made from the same objects, and none of them too old by now."""
    return (
        known.holds_until is not None
        and now <= known.holds_until
        and known.node is wanted.node
        and known.refused == wanted.refused
        and _are_same(known.proxies, proxies)
        and _are_same([flow.hop for flow in known.flows], wanted.hops)
    )


def _are_same(some: Sequence[object], others: Sequence[object]) -> bool:
    return len(some) == len(others) and all(map(operator.is_, some, others))


def _course(topology: Topology) -> _Course:
    by_source: dict[GatewayKey, list[Hop]] = {}
    for hop in topology.hops:
        by_source.setdefault(hop.source, []).append(hop)
    services: dict[ServiceKey, list[int]] = {}
    hosts: dict[ExternalKey, list[int]] = {}
    for position, hop in enumerate(chain.from_iterable(by_source.values())):
        # Keys of different kinds may be equal: the type tells.
        if isinstance(hop.target, ServiceKey):
            services.setdefault(hop.target, []).append(position)
        elif isinstance(hop.target, ExternalKey):
            hosts.setdefault(hop.target, []).append(position)
    spaces: dict[Namespace, list[Target[ServiceKey]]] = {}
    for key, positions in sorted(services.items()):
        spaces.setdefault((key.cluster, key.namespace), []).append((key, tuple(positions)))
    return _Course(
        {source: tuple(hops) for source, hops in by_source.items()},
        {name: tuple(found) for name, found in spaces.items()},
        tuple((key, tuple(positions)) for key, positions in hosts.items()),
    )


def _moved(targets: tuple[Target[K], ...], first: int) -> tuple[Target[K], ...]:
    """The same targets where the flows of other clusters come before."""
    if not first:
        return targets
    return tuple((key, tuple(first + position for position in positions)) for key, positions in targets)


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


def _figures(wanted: _Wanted, views: Sequence[ProxyView], now: datetime) -> GatewayFigures:
    node = wanted.node
    heard = tuple(view for view in views if judge.is_answering(view, now))
    traffic = total(view.traffic for view in heard)
    noted = judge.noted(node, views)
    return GatewayFigures(
        node=node,
        proxies=tuple(views),
        heard=heard,
        traffic=traffic,
        verdict=judge.gateway(node, views, traffic, now, known=noted, refused=wanted.refused),
        verdicts=tuple([judge.proxy(view, now, noted.get(view.key, NOTHING_NOTED)) for view in views]),
        noted=noted,
        refused=wanted.refused,
        flows=flows_over(wanted.hops, [view.traffic.clusters for view in heard]),
        holds_until=_holds_until(views, now),
    )
