"""Observed shares: how the traffic of a Gateway, and of one route rule, really divides.

Envoy counts per upstream cluster and per exposed route, not per rule and backend. So a share is given only where those
counters prove it, and is Unknown with the reason everywhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from dataclasses import dataclass

from gwtui.model.exposure import Exposure, intersects
from gwtui.model.gateway_api import Route
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.known import Known, Unknown
from gwtui.model.names import ANY_HOST
from gwtui.model.relations.inventory import Inventory
from gwtui.model.snapshot import ClusterView
from gwtui.model.topology import Hop, RouteShare, ShareRole
from gwtui.model.totals import summed
from gwtui.model.traffic import ProxyTraffic

Share = Known[float] | Unknown
"""0 to 1; within this module also the requests/s shares are made of."""

NO_REQUESTS = Unknown("no requests in the window")
COPIES = Unknown("copies are not counted apart")

_Rule = tuple[GatewayKey, ObjectKey, int, tuple[str, ...]]
"""Source, route, rule, hostnames: what splits its traffic by weights."""


@dataclass(frozen=True, slots=True)
class _Branch:
    hop: Hop
    share: RouteShare


class ObservedShares:
    """The observed shares of one cluster's hops.

    Args:
        view: The cluster, its topology related.
        traffic: What each Gateway's answering proxies do together (`traffic.total`). Gateways without an answering
            proxy are absent.
        complete: Gateways all of whose proxies answer: only their counters show everything that arrives there.
    """

    def __init__(
        self, view: ClusterView, traffic: Mapping[GatewayKey, ProxyTraffic], complete: Collection[GatewayKey]
    ) -> None:
        self._view = view
        self._traffic = traffic
        self._complete = complete
        self._exposure = Exposure(Inventory(view.name, view.objects, view.scopes))
        self._rules: dict[_Rule, list[_Branch]] = {}
        self._users: dict[tuple[GatewayKey, str], list[_Branch]] = {}
        self._arrivals: dict[GatewayKey, list[_Branch]] = {}
        self._sent: dict[GatewayKey, set[str]] = {}
        self._targets: dict[tuple[GatewayKey, str], int] = {}
        for hop in view.topology.hops:
            self._index(hop)

    def after(self, traffic: Mapping[GatewayKey, ProxyTraffic], complete: Collection[GatewayKey]) -> ObservedShares:
        """Return the shares of the same cluster under later figures: what was found out about its hops is kept."""
        later = copy(self)
        vars(later).update(_traffic=traffic, _complete=complete)
        return later

    def _index(self, hop: Hop) -> None:
        for cluster in hop.envoy_clusters:
            if not is_mirror(hop):
                self._sent.setdefault(hop.source, set()).add(cluster)
                self._targets[(hop.source, cluster)] = self._targets.get((hop.source, cluster), 0) + 1
        for share in hop.shares:
            branch = _Branch(hop, share)
            self._users.setdefault((hop.source, share.cluster), []).append(branch)
            if isinstance(hop.target, GatewayKey):
                self._arrivals.setdefault(hop.target, []).append(branch)
            if share.role is ShareRole.PRIMARY:
                self._rules.setdefault(_rule_of(hop, share), []).append(branch)

    def of_hop(self, hop: Hop) -> Share:
        """Return the part of everything the source sends over its hops. For a mirror: its copies against that."""
        sent = self._sum(hop.source, self._sent.get(hop.source, ()))
        own = self._sum(hop.source, hop.envoy_clusters)
        if isinstance(own, Unknown):
            return own
        if any(self._targets.get((hop.source, cluster), 0) > 1 for cluster in hop.envoy_clusters):
            return Unknown("its upstream serves other targets too, and Envoy counts them together")
        return _ratio(own, sent)

    def of_rule(self, hop: Hop, share: RouteShare) -> Share:
        """Return the part of its rule's requests that goes to this backend.

        Proven by the source's upstream counters when no other rule uses the rule's upstreams. Else, when every
        backend is a Gateway, by the route counters of those Gateways.
        """
        if share.role is not ShareRole.PRIMARY:
            return COPIES if share.role is ShareRole.MIRROR else Unknown("on standby: not counted apart")
        branches = self._rules[_rule_of(hop, share)]
        rates = self._rates(branches)
        if isinstance(rates, Unknown):
            return rates
        own = next(
            rate
            for branch, rate in zip(branches, rates, strict=True)
            if branch.share == share and branch.hop.target == hop.target and branch.hop.rule == hop.rule
        )
        return _ratio(own, _whole(rates))

    def rate_of_rule(self, hop: Hop, share: RouteShare) -> Share:
        """Return the requests/s of the whole rule that this backend belongs to, proven as its shares are."""
        if share.role is not ShareRole.PRIMARY:
            return Unknown("copies and what is on standby are no measure of a rule")
        rates = self._rates(self._rules[_rule_of(hop, share)])
        return rates if isinstance(rates, Unknown) else _whole(rates)

    def _rates(self, branches: list[_Branch]) -> list[Share] | Unknown:
        """Requests/s of one rule to each of its backends."""
        source = branches[0].hop.source
        is_read = source in self._traffic
        if len(branches) != branches[0].share.backends:
            if not is_read:
                return Unknown(f"no proxy of {source} answers")
            return Unknown("not every backend of the rule is one Service or one Gateway of this cluster")
        gateways = [(branch, branch.hop.target) for branch in branches if isinstance(branch.hop.target, GatewayKey)]
        if all(self._is_alone(branch) for branch in branches):
            return [self._sum(branch.hop.source, (branch.share.cluster,)) for branch in branches]
        if len(gateways) == len(branches) > 1:
            return [self._arrived(branch, target) for branch, target in gateways]
        if not is_read:
            return Unknown(f"no proxy of {source} answers")
        return Unknown("other rules use the same upstreams, and Envoy counts them together")

    def _is_alone(self, branch: _Branch) -> bool:
        """Whether this backend of this rule is all that the source uses the upstream for."""
        cluster = branch.share.cluster
        return bool(cluster) and len(self._users[(branch.hop.source, cluster)]) == 1

    def _sum(self, source: GatewayKey, clusters: Iterable[str]) -> Share:
        """Requests/s the source's proxies send to these upstreams."""
        traffic = self._traffic.get(source)
        if traffic is None:
            return Unknown(f"no proxy of {source} answers")
        found = [traffic.clusters[name].rps for name in clusters if name in traffic.clusters]
        if not found:
            return Unknown(f"the proxies of {source} hold no such upstream")
        return summed(found)

    def _arrived(self, branch: _Branch, target: GatewayKey) -> Share:
        """Requests/s of this rule as the target Gateway's own routes count them.

        Taken that clients do not reach that Gateway for the same hostnames in another way than by our hops.
        """
        node, traffic = self._view.gateway(target), self._traffic.get(target)
        if node is None or traffic is None or target not in self._complete:
            return Unknown(f"not every proxy of {target} answers")
        prefixes: set[str] = set()
        counted: set[str] = set()
        for key in node.routes:
            hostnames = [name for name in self._hostnames(key) if intersects(branch.share.hostnames, (name,))]
            exposed = self._exposure.prefixes(key) if hostnames else frozenset[str]()
            if exposed is None:
                return self._exposure.why_not(key)
            prefixes |= exposed
            counted.update(hostnames)
        if not prefixes:
            return Unknown(f"{target} has no route for these hostnames")
        for other in self._arrivals[target]:
            if other is not branch and intersects(other.share.hostnames, counted):
                return Unknown(f"{target} counts it together with rule {other.share.rule_index} of {other.share.route}")
        if isinstance(traffic.rps, Unknown):
            return traffic.rps
        return summed(
            [
                Known(0.0, traffic.rps.observed_at),  # a route without requests is absent from the counters
                *(
                    rates.rps
                    for (vhost, prefix), rates in traffic.routes.items()
                    if prefix in prefixes and intersects((_host_of(vhost),), counted)
                ),
            ]
        )

    def _hostnames(self, key: ObjectKey) -> tuple[str, ...]:
        route: Route = self._view.objects[key.resource][(key.namespace, key.name)]
        return route.spec.hostnames or (ANY_HOST,)


def is_mirror(hop: Hop) -> bool:
    """Whether a hop carries copies only. One without shares carries what no route steers."""
    return bool(hop.shares) and all(share.role is ShareRole.MIRROR for share in hop.shares)


def _rule_of(hop: Hop, share: RouteShare) -> _Rule:
    return hop.source, share.route, share.rule_index, share.hostnames


def _host_of(vhost: str) -> str:
    """The hostname in a virtual host name, where dots are written as underscores, which no hostname holds."""
    return vhost.rpartition("~")[2].replace("_", ".")


def _whole(rates: Iterable[Share]) -> Share:
    """The sum of all of them, or why one is unknown."""
    parts = tuple(rates)
    return next((rate for rate in parts if isinstance(rate, Unknown)), None) or summed(parts)


def _ratio(part: Share, whole: Share) -> Share:
    if isinstance(part, Unknown) or isinstance(whole, Unknown):
        return whole if isinstance(whole, Unknown) else part
    return Known(part.value / whole.value, whole.observed_at) if whole.value > 0 else NO_REQUESTS
