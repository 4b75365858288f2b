"""Live rates of single rules, from whatever counters prove them; a bound where none does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from gwtui.model.exposure import Exposure
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.known import Known, Unknown
from gwtui.model.measuring import measure
from gwtui.model.observed import proxies_of, rule_branches, shares_of, together
from gwtui.model.reduction import RATE_WINDOW_S
from gwtui.model.relations.inventory import Inventory
from gwtui.model.resources import GRPC_ROUTES, HTTP_ROUTES, ROUTES
from gwtui.model.route_traffic import RuleCounters
from gwtui.model.shape import GatewayNode, Hop, RouteShare, ShareRole
from gwtui.model.shares import ObservedShares
from gwtui.model.snapshot import ClusterView, ProxyView, Snapshot
from gwtui.model.traffic import ProxyTraffic, Rate

LEAST_PART = 0.1
"""The least part of a rule's intended traffic whose counters tell how much the rest is."""

WITHIN = 0.02
"""How far two shares may be from each other and still count as the same."""

SIGMAS = 3.0
"""Or as far as chance explains: proxies choose a backend by lot for every request."""


class Estimate(NamedTuple):
    """Requests/s of one rule on one gateway."""

    rps: float | None
    at_most: float | None
    """A bound that holds when `rps` is None; None where there is none."""
    why: str = ""
    """Why `rps` is None."""


def known(rps: float) -> Estimate:
    """Return what is known exactly."""
    return Estimate(rps, rps)


class _Seen(NamedTuple):
    """One gateway as its proxies show it."""

    node: GatewayNode
    traffic: ProxyTraffic | None
    gap: str
    """What is not seen of it; empty when all of its proxies answer."""


class _Asked(NamedTuple):
    """A rule, and where it sends to on one gateway."""

    route: ObjectKey
    position: int
    branches: list[tuple[Hop, RouteShare]]


class RuleRates:
    """The rates of one cluster's rules.

    Args:
        snapshot: Everything known.
        view: The cluster in it.
    """

    def __init__(self, snapshot: Snapshot, view: ClusterView) -> None:
        self._snapshot = snapshot
        self._view = view
        self._exposure = Exposure(Inventory(view.name, view.objects, view.scopes))
        self._seen: dict[GatewayKey, _Seen | None] = {}
        self._counters: dict[GatewayKey, RuleCounters] = {}

    def of_gateway(self, gateway: GatewayKey) -> Estimate:
        """Return what a gateway takes altogether."""
        seen = self._look(gateway)
        if seen is None or seen.traffic is None:
            return Estimate(None, None, seen.gap if seen else f"{gateway} is not in the topology")
        rate = seen.traffic.rps
        if isinstance(rate, Unknown):
            return Estimate(None, None, f"{gateway}: {rate.reason}")
        return Estimate(None, None, seen.gap) if seen.gap else known(rate.value)

    def of_rule(self, gateway: GatewayKey, route: ObjectKey, index: int) -> Estimate:
        """Return what one rule takes on a gateway.

        Args:
            gateway: Where.
            route: The route as the snapshot has it.
            index: Position of the rule in it.
        """
        what = f"rule {index} of {route.namespace}/{route.name}"
        if route.resource not in {HTTP_ROUTES, GRPC_ROUTES}:
            kind = ROUTES.get(route.resource, route.resource)
            return Estimate(None, None, f"{what}: requests of a {kind} are not counted, it carries connections")
        whole, seen = self.of_gateway(gateway), self._look(gateway)
        if seen is None or seen.traffic is None or whole.rps is None:
            return whole
        branches = [each for each in rule_branches(self._view, route, index) if each[0].source == gateway]
        if not branches:
            why = f"{what} sends to no backend: what a gateway answers itself is not counted by rule"
            return Estimate(None, whole.rps, why)
        return self._proven(_Asked(route, index, branches), seen.node, seen.traffic, whole.rps)

    def unsettled(self, gateway: GatewayKey, route: ObjectKey, index: int) -> Mapping[GatewayKey, float]:
        """Return how many requests/s more each gateway behind a rule takes than is counted, negative for less.

        Rates are those of the last seconds: after the weights of the rule changed they still hold some of the division
        before. That is so where the newest samples alone show a share that is on its way to the intended one. Absent
        are gateways of which that does not hold, or is not known: a share that goes on to differ has other reasons.

        Args:
            gateway: Where the rule is.
            route: The route as the snapshot has it.
            index: Position of the rule in it.
        """
        found: dict[GatewayKey, float] = {}
        for hop, share in rule_branches(self._view, route, index):
            if hop.source != gateway or not isinstance(hop.target, GatewayKey):
                continue
            whole, part = self._shares.rate_of_rule(hop, share), self._shares.of_rule(hop, share)
            if not (isinstance(whole, Known) and isinstance(part, Known)):
                continue
            if _is_near(part.value, share.intended, whole.value * RATE_WINDOW_S):
                continue
            newest = self._newest_shares.of_rule(hop, share)
            if not isinstance(newest, Known) or _is_near(newest.value, part.value, whole.value * self._newest_s):
                continue
            if (newest.value > part.value) == (share.intended > part.value):
                found[hop.target] = found.get(hop.target, 0.0) + (share.intended - part.value) * whole.value
        return found

    def _proven(self, asked: _Asked, node: GatewayNode, traffic: ProxyTraffic, whole_rps: float) -> Estimate:
        """By the counters of the rule, else by those of where it sends to; else how much it can be at most."""
        if node.key not in self._counters:
            self._counters[node.key] = RuleCounters(node, self._exposure)
        counters = self._counters[node.key]
        counted = counters.of_rule(asked.route, asked.position, traffic, counters.counted(traffic))
        rate: Rate = counted.traffic.rps
        if isinstance(rate, Known) and len(counted.rules) == 1:
            return known(rate.value)
        derived = self._by_upstreams(traffic, asked.branches)
        derived = self._by_targets(asked.branches) if derived is None else derived
        if derived is not None:
            return known(derived)
        bounds = [whole_rps, *self._through_upstreams(traffic, asked.branches)]
        what = f"rule {asked.position} of {asked.route.namespace}/{asked.route.name}"
        if isinstance(rate, Known):
            others = ", ".join(str(each) for each in counted.rules if each != asked.position)
            return Estimate(None, min(rate.value, *bounds), f"{what} is counted together with rule {others}")
        return Estimate(None, min(bounds), f"{what} is {rate.reason}")

    def _look(self, gateway: GatewayKey) -> _Seen | None:
        if gateway not in self._seen:
            node = self._view.gateway(gateway)
            self._seen[gateway] = None if node is None else self._see(node)
        return self._seen[gateway]

    def _see(self, node: GatewayNode) -> _Seen:
        traffic, views = together(self._snapshot, node), proxies_of(self._snapshot, node)
        if traffic is None:
            return _Seen(node, None, f"no proxy of {node.key} answers")
        silent = sum(not each.is_answering for each in views)
        if not silent:
            return _Seen(node, traffic, "")
        rate = f": at least {words(traffic.rps.value)}" if isinstance(traffic.rps, Known) else ""
        return _Seen(node, traffic, f"{silent} of {len(views)} proxies of {node.key} do not answer{rate}")

    @cached_property
    def _users(self) -> Mapping[tuple[GatewayKey, str], set[tuple[ObjectKey, int, ShareRole]]]:
        """What uses each upstream of each gateway."""
        found: dict[tuple[GatewayKey, str], set[tuple[ObjectKey, int, ShareRole]]] = {}
        for hop in self._view.topology.hops:
            for share in hop.shares:
                found.setdefault((hop.source, share.cluster), set()).add((share.route, share.rule_index, share.role))
        return found

    @cached_property
    def _shares(self) -> ObservedShares:
        return shares_of(self._snapshot, self._view)

    @cached_property
    def _newest_shares(self) -> ObservedShares:
        """The shares by the two newest samples of each proxy alone."""
        proxies = {
            key: replace(each, traffic=measure(each.samples, window_s=0.0))
            for key, each in self._snapshot.proxies.items()
            if key.cluster == self._view.name
        }
        return shares_of(replace(self._snapshot, proxies=proxies), self._view)

    @cached_property
    def _newest_s(self) -> float:
        """Seconds that the newest shares cover."""
        own = [each for key, each in self._snapshot.proxies.items() if key.cluster == self._view.name]
        return min((_newest_s(each) for each in own if each.is_answering), default=0.0)

    def _by_upstreams(self, traffic: ProxyTraffic, branches: Iterable[tuple[Hop, RouteShare]]) -> float | None:
        """From upstreams that this rule alone uses, and the part of its requests they are meant to get."""
        rates: dict[str, tuple[float, float]] = {}
        for hop, share in branches:
            found = traffic.clusters[share.cluster].rps if share.cluster in traffic.clusters else None
            if isinstance(found, Known) and len(self._users[(hop.source, share.cluster)]) == 1:
                rates[share.cluster] = found.value, share.intended
        part = sum(intended for _, intended in rates.values())
        return sum(rate for rate, _ in rates.values()) / part if part >= LEAST_PART else None

    def _by_targets(self, branches: Iterable[tuple[Hop, RouteShare]]) -> float | None:
        """From what the gateways behind it count, where all of its backends are gateways."""
        total = 0.0
        for hostnames in dict.fromkeys(share.hostnames for _, share in branches):
            hop, share = next(each for each in branches if each[1].hostnames == hostnames)
            rate = self._shares.rate_of_rule(hop, share)
            if isinstance(rate, Unknown):
                return None
            total += rate.value
        return total

    def _through_upstreams(self, traffic: ProxyTraffic, branches: Iterable[tuple[Hop, RouteShare]]) -> list[float]:
        """A bound: everything that goes through the upstreams of the rule, where all of them are known."""
        parts = [(share.cluster, share.intended) for _, share in branches]
        whole = sum(dict(parts).values())
        rates = [traffic.clusters[name].rps if name in traffic.clusters else None for name in dict(parts)]
        found = [rate.value for rate in rates if isinstance(rate, Known)]
        return [sum(found)] if len(found) == len(rates) and whole > 1 - 1e-9 else []


def _newest_s(view: ProxyView) -> float:
    """Seconds from the last sample but one to the last."""
    return view.samples[-1].taken_mono - view.samples[-2].taken_mono if len(view.samples) > 1 else 0.0


def _is_near(observed: float, share: float, requests: float) -> bool:
    """Whether an observed share is this one, as far as so many requests tell."""
    chance = SIGMAS * math.sqrt(share * (1 - share) / requests) if requests > 0 else math.inf
    return abs(observed - share) <= max(WITHIN, chance)


def words(rps: float) -> str:
    """Return a rate in words: `120 requests/s`."""
    return f"{rps:,.0f} requests/s" if rps >= 10 else f"{rps:.3g} requests/s"
