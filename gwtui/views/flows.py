"""Traffic over single hops, and what several of them carry together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gwtui.model.ids import ExternalKey, ServiceKey
from gwtui.model.known import Known, Unknown
from gwtui.model.shape import Hop, ShareRole
from gwtui.model.totals import least_healthy, total_rates
from gwtui.model.traffic import ClusterTraffic, Rate
from gwtui.model.upstreams import Sent, sent
from gwtui.views import judge
from gwtui.views.judge import Verdict
from gwtui.views.spans import Role


class Flow(NamedTuple):
    """Traffic over one hop, as its source's proxies count it."""

    hop: Hop
    rps: Rate
    error_ratio: Rate
    share: Rate
    """Part of everything the source sends over its hops, 0 to 1."""
    members_healthy: int | None = None
    members_total: int | None = None


class Upstream(NamedTuple):
    """What gateways send to and is none: a Service, or a host outside the cluster."""

    key: ServiceKey | ExternalKey
    flows: tuple[Flow, ...]
    """What each gateway sends to it."""
    rps: Rate
    error_ratio: Rate
    members_healthy: int | None
    members_total: int | None
    verdict: Verdict

    @property
    def is_sick(self) -> bool:
        """Whether it is known not to be well."""
        return self.verdict.rank < judge.OK.rank and self.verdict.role is not Role.UNKNOWN


class Space(NamedTuple):
    """The Services of one namespace that get traffic."""

    upstreams: tuple[Upstream, ...]
    """At least one; sorted by key."""
    worst: Upstream
    rps: Rate
    error_ratio: Rate
    sick: tuple[Upstream, ...]


def flows_over(hops: Sequence[Hop], parts: Sequence[Mapping[str, ClusterTraffic]]) -> tuple[Flow, ...]:
    """What one gateway sends over its hops, as the upstreams of its answering proxies count it."""
    in_short = sent(parts, [hop.envoy_clusters[0] for hop in hops if len(hop.envoy_clusters) == 1])
    found = [
        (in_short.get(hop.envoy_clusters[0]) if len(hop.envoy_clusters) == 1 else None) or _sent(hop, parts)
        for hop in hops
    ]
    copies = [is_copy(hop) for hop in hops]
    everything = sum(
        [
            each.rps.value
            for each, copied in zip(found, copies, strict=True)
            if isinstance(each.rps, Known) and not copied
        ]
    )
    return tuple(
        [
            Flow(hop, rps, error_ratio, _share(rps, everything, copied=copied), healthy, members)
            for hop, copied, (rps, error_ratio, healthy, members) in zip(hops, copies, found, strict=True)
        ]
    )


_COPIES = Unknown("copies are no part of the traffic")
_NO_SHARE = Unknown("no requests in the window")


def _share(rps: Rate, everything: float, *, copied: bool) -> Rate:
    if isinstance(rps, Unknown):
        return rps
    if copied:
        return _COPIES
    return Known(rps.value / everything, rps.observed_at) if everything else _NO_SHARE


def is_copy(hop: Hop) -> bool:
    """Whether the hop carries nothing but mirrored requests."""
    shares = hop.shares
    return (
        bool(shares) and shares[0].role is ShareRole.MIRROR and all(share.role is ShareRole.MIRROR for share in shares)
    )


def _sent(hop: Hop, parts: Sequence[Mapping[str, ClusterTraffic]]) -> Sent:
    """What the proxies of its source send over one hop."""
    seen = [part[name] for part in parts for name in hop.envoy_clusters if name in part]
    nothing = Unknown("the proxies hold no such upstream" if parts else "no proxy of the source answers")
    members = least_healthy((traffic.members_healthy, traffic.members_total) for traffic in seen)
    return Sent(*total_rates([(traffic.rps, traffic.error_ratio) for traffic in seen], nothing), *members)


def upstream(key: ServiceKey | ExternalKey, flows: tuple[Flow, ...]) -> Upstream:
    """What gets these flows, and how it is."""
    if len(flows) == 1:
        _, rps, error_ratio, _, healthy, members = flows[0]
    else:
        traffic = combined(flows)
        rps, error_ratio = traffic.rps, traffic.error_ratio
        healthy, members = traffic.members_healthy, traffic.members_total
    verdict = judge.upstream(error_ratio, healthy, members)
    return Upstream(key, flows, rps, error_ratio, healthy, members, verdict)


def space(upstreams: Sequence[Upstream]) -> Space:
    """What these Services of one namespace, sorted by key, get together, and how they are."""
    rps, error_ratio = total_rates([(each.rps, each.error_ratio) for each in upstreams])
    return Space(
        upstreams=tuple(upstreams),
        worst=min(upstreams, key=_rank),
        rps=rps,
        error_ratio=error_ratio,
        sick=tuple([each for each in upstreams if each.verdict is not judge.OK and each.is_sick]),
    )


def _rank(upstream: Upstream) -> int:
    return upstream.verdict.rank


def attention(upstream: Upstream) -> tuple[int, ServiceKey | ExternalKey]:
    """The order in which upstreams are named: the worst first."""
    return upstream.verdict.rank, upstream.key


def combined(flows: Sequence[Flow]) -> ClusterTraffic:
    """What several flows to one target carry together."""
    nothing = Unknown("nothing sends to it")
    healthy, members = least_healthy((flow.members_healthy, flow.members_total) for flow in flows)
    rps, error_ratio = total_rates([(flow.rps, flow.error_ratio) for flow in flows], nothing)
    return ClusterTraffic(
        rps=rps,
        error_ratio=error_ratio,
        members_healthy=healthy,
        members_total=members,
    )
