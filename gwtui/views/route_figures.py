"""What rules do, as far as anybody counts it: by route counters, else by upstreams that are theirs alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from gwtui.model import resources
from gwtui.model.exposure import Exposure
from gwtui.model.gateway_api import L4Rule
from gwtui.model.ids import GatewayKey
from gwtui.model.known import Known, Unknown
from gwtui.model.relations.inventory import Inventory
from gwtui.model.route_traffic import RuleCounters
from gwtui.model.shape import ShareRole
from gwtui.model.shares import Share
from gwtui.model.snapshot import ClusterView
from gwtui.model.totals import summed, total_rates, total_route
from gwtui.model.traffic import RouteTraffic
from gwtui.views import judge
from gwtui.views.fleet import GatewayFigures
from gwtui.views.flows import Flow
from gwtui.views.remembered import ByIdentity
from gwtui.views.route_facts import Branch, Place, RuleFacts
from gwtui.views.scene import Scene

_EXPOSURES: ByIdentity[str, Exposure] = ByIdentity()
_COUNTERS: ByIdentity[GatewayKey, RuleCounters] = ByIdentity()
_COUNTED: ByIdentity[GatewayKey, Mapping[str, list[tuple[str, str]]]] = ByIdentity()

NOT_ATTACHED = Unknown("it is on no gateway")
CONNECTIONS = Unknown("not exposed: Envoy counts requests per route for HTTPRoute and GRPCRoute alone")
RATE_ALONE = Unknown("no route counter tells it apart: only what its upstreams take is known")


class RuleFigures(NamedTuple):
    """What one rule does on all of its gateways together."""

    traffic: RouteTraffic
    rules: tuple[int, ...] = ()
    """The rules of its route that are counted together, where more than this one are."""
    is_derived: bool = False
    """Whether no route counter tells it: its rate is that of its upstreams, which no other rule uses."""


class Figures:
    """The figures of the rules of one cluster in one scene. What is not asked for is not made."""

    def __init__(self, scene: Scene, view: ClusterView) -> None:
        self._scene = scene
        self._view = view
        kinds = [view.objects.get(each) for each in (*resources.ROUTES, resources.TRAFFIC_POLICIES)]
        self._exposed_by = (*kinds, view.scopes.get(resources.TRAFFIC_POLICIES))
        self._exposure = _EXPOSURES.get(
            view.name, self._exposed_by, lambda: Exposure(Inventory(view.name, view.objects, view.scopes))
        )

    def counters(self, entry: GatewayFigures) -> RuleCounters:
        """Under which names a gateway counts its rules."""
        sources = (entry.node.routes, *self._exposed_by)
        return _COUNTERS.get(entry.node.key, sources, lambda: RuleCounters(entry.node, self._exposure))

    def flow(self, branch: Branch) -> Flow | None:
        """What flows over a branch, together with all else that takes the same hop."""
        entry = self._scene.fleet.gateways.get(branch.hop.source)
        return entry.flows[branch.position] if entry is not None and branch.position < len(entry.flows) else None

    def share(self, branch: Branch) -> Share:
        """The part of its rule's requests that takes a branch, as observed."""
        return self._scene.shares(self._view.name).of_rule(branch.hop, branch.share)

    def of(self, facts: RuleFacts, place: Place) -> RuleFigures:
        """What a rule does."""
        if not place.gateways:
            return _unknown(NOT_ATTACHED)
        if isinstance(facts.rule, L4Rule):
            return self.on(facts, place.gateways[0])
        found = [self.on(facts, key) for key in place.gateways]
        counted = [each for each in found if isinstance(each.traffic.rps, Known)]
        if not counted:
            return self._by_upstreams(place) or found[0]
        if any(each.rules for each in counted):
            # Nearer to the truth than what several rules do together.
            own = self._by_upstreams(place)
            if own is not None:
                return own
        if len(counted) == 1:
            return counted[0]
        rules = tuple(sorted({number for each in counted for number in each.rules}))
        return RuleFigures(total_route([each.traffic for each in counted]), rules)

    def on(self, facts: RuleFacts, key: GatewayKey) -> RuleFigures:
        """What a rule does on one gateway, by route counters alone."""
        entry = self._scene.fleet.gateways[key]
        if not entry.node.is_managed:
            return _unknown(Unknown(judge.UNREAD))
        if not entry.answering:
            return _unknown(Unknown(silence(entry)))
        if isinstance(facts.rule, L4Rule):
            return _unknown(CONNECTIONS)
        counters = self.counters(entry)
        counted = _COUNTED.get(key, (entry.traffic, counters), lambda: counters.counted(entry.traffic))
        traffic, rules = counters.of_rule(facts.key.route, facts.key.number, entry.traffic, counted)
        return RuleFigures(traffic, rules if len(rules) > 1 else ())

    def _by_upstreams(self, place: Place) -> RuleFigures | None:
        """What its upstreams take, where that is proven to be its own; None where it is not."""
        shares = self._scene.shares(self._view.name)
        first: dict[tuple[GatewayKey, tuple[str, ...]], Branch] = {}
        for branch in place.branches:
            if branch.share.role is ShareRole.PRIMARY:
                first.setdefault((branch.hop.source, branch.share.hostnames), branch)
        rates = [shares.rate_of_rule(branch.hop, branch.share) for branch in first.values()]
        if not rates or any(isinstance(rate, Unknown) for rate in rates):
            return None
        return RuleFigures(self._as_upstreams_err(place, summed(rates)), is_derived=True)

    def _as_upstreams_err(self, place: Place, rps: Known[float] | Unknown) -> RouteTraffic:
        """A rate with the errors of the same upstreams, where each is counted by itself."""
        primary = [branch for branch in place.branches if branch.share.role is ShareRole.PRIMARY]
        if not all(len(branch.hop.shares) == len(branch.hop.envoy_clusters) == 1 for branch in primary):
            return _traffic(rps, RATE_ALONE)
        flows = [flow for branch in primary if (flow := self.flow(branch)) is not None]
        _, error_ratio = total_rates([(flow.rps, flow.error_ratio) for flow in flows], RATE_ALONE)
        return replace(_traffic(rps, RATE_ALONE), error_ratio=error_ratio)


def silence(entry: GatewayFigures) -> str:
    """Why a gateway none of whose proxies answers tells nothing."""
    return "none of its proxies answers" if entry.proxies else "no pods of this gateway found"


def _unknown(why: Unknown) -> RuleFigures:
    return RuleFigures(_traffic(why, why))


def _traffic(rps: Known[float] | Unknown, why: Unknown) -> RouteTraffic:
    return RouteTraffic(rps=rps, error_ratio=why, client_error_ratio=why, p50_ms=why, p99_ms=why)
