"""Follows a request from gateway to gateway, every branch of every split, until each part of it has ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gwtui.explain import timeouts
from gwtui.explain.backends import Part, parts_of, served
from gwtui.explain.contest import contest
from gwtui.explain.course import Branch, Contest, End, Hop, Outcome, RuleRef
from gwtui.explain.effects import Effect, Where, effect_of
from gwtui.explain.entrance import Entrance, entrance, service_entrance
from gwtui.explain.nowhere import delegated, elsewhere, nobody
from gwtui.explain.paths import routed
from gwtui.explain.policies import Target, reservations_of, target_of_gateway, target_of_route
from gwtui.explain.request import Request
from gwtui.explain.terrain import Terrain
from gwtui.explain.virtual_hosts import VirtualHost
from gwtui.model.gateway_api import GrpcRule, HttpRule, Route, Rule
from gwtui.model.ids import GatewayKey, ObjectKey, ServiceKey
from gwtui.model.relations.attachment import is_delegation
from gwtui.model.shape import DataPlane, GatewayNode

MOST_HOPS = 64
"""Gateways that are followed on one course, every branch counted."""
DEEPEST = 8
"""Gateways one after the other."""

_NOT_COMPARED = "what proxies of waypoints hold is not compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request before a gateway."""

    gateway: GatewayKey
    request: Request
    share: float
    """Of all the requests, 0 to 1."""
    port: int | None
    service: str = ""
    """`<namespace>/<name>` of the Service whose traffic a waypoint takes; empty before other gateways."""
    before: tuple[tuple[GatewayKey, Request], ...] = ()
    """The gateways it came through, the first first."""


class Walk:
    """One request on its way through a cluster.

    Args:
        terrain: The cluster.
    """

    def __init__(self, terrain: Terrain) -> None:
        self._terrain = terrain
        self._left = MOST_HOPS

    def hop(self, at: Arrival) -> Hop:
        """Return what happens at a gateway, and behind it."""
        self._left -= 1
        node = self._terrain.nodes[at.gateway]
        request = normal(at.request)
        hop = Hop(
            gateway=at.gateway,
            tier=node.tier,
            data_plane=node.data_plane,
            proxies=node.proxies,
            share=at.share,
            request=request,
            notes=tuple(_of_path(at.request, request)),
        )
        if any((gateway, seen) == (at.gateway, request) for gateway, seen in at.before):
            return replace(hop, end=_circle(at))
        if at.service:
            hop = replace(hop, notes=(*hop.notes, *_of_data_plane(node), _NOT_COMPARED))
            place = service_entrance(self._terrain, at.gateway, at.service)
            if place is None:
                return self._passing(hop, at)
            return self._contested(replace(hop, host=place.host), at, place)
        found = entrance(self._terrain, at.gateway, request, port=at.port, is_outside=not at.before)
        hop = replace(
            hop,
            listeners=found.listeners,
            route_config=found.route_config if node.is_managed else "",
            notes=(*hop.notes, *found.notes, *_of_data_plane(node)),
        )
        if found.refusal:
            return replace(hop, end=_refused(at, found))
        if found.host is None:
            return self._without_host(hop, found)
        if found.is_unseen:
            hop = replace(hop, notes=(*hop.notes, "which of its listeners takes it is not read"))
        return self._contested(replace(hop, host=found.host.host), at, found.host, through=found.is_passed_through)

    def _without_host(self, hop: Hop, found: Entrance) -> Hop:
        host = hop.request.sni if found.is_passed_through else hop.request.host
        if found.is_passed_through:
            words = f"no route of {hop.gateway} takes connections for {host}: they are closed"
            return replace(
                hop, end=End(outcome=Outcome.WRONG, status=None, words=words, fix=_attach(hop.gateway, host))
            )
        notes = elsewhere(self._terrain, hop.gateway, host)
        words = f"no route of {hop.gateway} is for {host}"
        if not self._terrain.are_routes_read:
            end = End(outcome=Outcome.UNKNOWN, status=None, words=f"{words} among those that are read")
            return replace(hop, notes=(*hop.notes, *notes), end=end)
        end = End(outcome=Outcome.WRONG, status=404, words=words, fix=_attach(hop.gateway, host))
        return replace(hop, notes=(*hop.notes, *notes), end=end)

    def _contested(self, hop: Hop, at: Arrival, place: VirtualHost, *, through: bool = False) -> Hop:
        """The hop after the rules of a virtual host were tried."""
        found = contest(self._terrain.hosts.candidates(place), hop.request, self._name_of)
        hop = replace(hop, contest=found)
        if found.winner is None:
            return replace(hop, end=self._lost(hop, found, place))
        route, rule = self._found(found.winner)
        if route is None or rule is None:
            return replace(hop, end=End(outcome=Outcome.UNKNOWN, status=None, words="its rule is gone"))
        if any(map(is_delegation, rule.backend_refs)):
            return replace(hop, end=nobody(self._terrain, found.winner, rule))
        return self._ruled(hop, at, found.winner, route, rule, through=through)

    def _lost(self, hop: Hop, found: Contest, place: VirtualHost) -> End:
        if found.undecided:
            return End(outcome=Outcome.UNKNOWN, status=None, words=found.undecided[0].why)
        broken = delegated(self._terrain, place, hop.request)
        if broken is not None:
            return broken
        path = f"{hop.request.method} {hop.request.path}"
        fix = f"add a rule for {path} to a route of {hop.host} on {hop.gateway}"
        words = f"no rule of {hop.host} on {hop.gateway} takes {path}"
        if not self._terrain.are_routes_read:
            return End(outcome=Outcome.UNKNOWN, status=None, words=f"{words} among those that are read")
        if hop.host not in {"*", ""}:
            words += "; no other hostname is tried"
        return End(outcome=Outcome.WRONG, status=404, words=words, fix=fix)

    def _ruled(self, hop: Hop, at: Arrival, winner: RuleRef, route: Route, rule: Rule, *, through: bool) -> Hop:
        """The hop after its rule was found: what it does, and where it leads."""
        where = Where(self._terrain, winner.route, route, winner.rule_name, winner.match.path)
        filters = rule.filters if isinstance(rule, HttpRule | GrpcRule) else ()
        effect = effect_of(where, filters, hop.request)
        policies = self._terrain.policies.on(self._targets(hop, winner, route), effect.policies)
        hop = replace(
            hop,
            changes=effect.changes,
            copies=effect.copies,
            timeout=None if through else timeouts.of(rule, policies),
            reservations=() if through else tuple(reservations_of(policies)),
            notes=(*hop.notes, *effect.notes, *_of_status(route, winner)),
        )
        if not self._terrain.policies.are_read and not through:
            hop = replace(hop, notes=(*hop.notes, "TrafficPolicies are not read: one may answer or change requests"))
        if effect.end is not None:
            return replace(hop, end=effect.end)
        parts = parts_of(self._terrain, hop, where, rule)
        if isinstance(parts, End):
            return replace(hop, end=parts)
        return replace(hop, branches=tuple(self._branch(hop, at, part, effect, where) for part in parts))

    def _branch(self, hop: Hop, at: Arrival, part: Part, effect: Effect, where: Where) -> Branch:
        branch = part.branch
        if branch.target is None or not branch.share:
            return branch
        own = effect_of(where, part.filters, effect.request)
        branch = replace(branch, changes=own.changes)
        arrival = Arrival(
            gateway=at.gateway,
            request=replace(own.request, scheme=part.scheme, port=None, server_name=""),
            share=hop.share * branch.share,
            port=part.port,
            before=(*at.before, (hop.gateway, hop.request)),
        )
        waypoint = self._terrain.waypoints.get((hop.gateway, branch.cluster)) if branch.cluster else None
        if isinstance(branch.target, GatewayKey):
            return self._onward(branch, replace(arrival, gateway=branch.target))
        if waypoint is not None and isinstance(branch.target, ServiceKey):
            way = replace(branch, ready=None, total=None)
            return self._onward(way, replace(arrival, gateway=waypoint, service=str(branch.target)))
        return branch

    def _onward(self, branch: Branch, arrival: Arrival) -> Branch:
        if arrival.gateway not in self._terrain.nodes:
            words = f"Gateway {arrival.gateway} is not read"
            return replace(branch, end=End(outcome=Outcome.UNKNOWN, status=None, words=words))
        if len(arrival.before) >= DEEPEST or self._left <= 0:
            most = f"{DEEPEST} gateways deep" if len(arrival.before) >= DEEPEST else f"{MOST_HOPS} gateways"
            words = f"more than {most} is not followed"
            return replace(branch, end=End(outcome=Outcome.UNKNOWN, status=None, words=words))
        return replace(branch, hop=self.hop(arrival), end=None)

    def _passing(self, hop: Hop, at: Arrival) -> Hop:
        """A waypoint that no route steers passes requests on to the Service they were for."""
        namespace, _, name = at.service.partition("/")
        end, ready = served(self._terrain, ServiceKey(hop.gateway.cluster, namespace, name), "", None)
        branch = Branch(
            backend=f"Service {at.service}",
            weight=None,
            share=1.0,
            target=ServiceKey(hop.gateway.cluster, namespace, name),
            cluster="",
            ready=ready[0],
            total=ready[1],
            unknown=ready[2],
            end=end,
        )
        return replace(hop, notes=(*hop.notes, "no route steers this Service: requests pass on"), branches=(branch,))

    def _targets(self, hop: Hop, winner: RuleRef, route: Route) -> Iterator[Target]:
        """Everything policies may be attached to that this request meets."""
        inventory = self._terrain.inventory
        for listening in hop.listeners[:1]:
            yield target_of_gateway(inventory, hop.gateway, listening.name)
        if not hop.listeners:
            yield target_of_gateway(inventory, hop.gateway, "")
        for key in winner.via:
            above = self._terrain.route(key)
            if above is not None:
                yield target_of_route(key, above, "")
        yield target_of_route(winner.route, route, winner.rule_name)

    def _found(self, ref: RuleRef) -> tuple[Route | None, Rule | None]:
        return self._terrain.route(ref.route), self._terrain.rule(ref.route, ref.rule_index)

    def _name_of(self, key: ObjectKey, position: int) -> str:
        rule = self._terrain.rule(key, position)
        return rule.name if rule is not None else ""


def normal(request: Request) -> Request:
    """Return a request with its path as proxies read it: dots resolved, each `/` once.

    *Source:* `normalize_path` and `merge_slashes`, which kgateway switches on.
    """
    return replace(request, path=routed(request.path))


def _of_path(asked: Request, read: Request) -> Iterator[str]:
    if asked.path != read.path:
        yield f"proxies read the path as {read.path}"


def _of_data_plane(node: GatewayNode) -> Iterator[str]:
    if node.data_plane is DataPlane.KGATEWAY_ENVOY:
        return
    if node.data_plane is DataPlane.OTHER:
        who = f"its controller {node.controller} is not known here" if node.controller else "no controller is known"
        yield f"{who}: only what the Gateway API specification says is told"
    else:
        yield f"{node.data_plane} runs it: where the specification leaves the order open, it may choose another"


def _of_status(route: Route, winner: RuleRef) -> Iterator[str]:
    """What controllers say of the winner's route that may make its rule another than it is written."""
    seen: set[str] = set()
    for parent in route.status.parents:
        for each in parent.conditions:
            if each.reason in {"RouteRuleDropped", "RouteRuleReplaced"} and each.reason not in seen:
                seen.add(each.reason)
                yield f"{winner.route.namespace}/{winner.route.name}: {each.reason}: a rule of it is not in force"


def _circle(at: Arrival) -> End:
    names = [str(gateway) for gateway, _ in at.before]
    start = names.index(str(at.gateway))
    way = " → ".join([*names[start:], str(at.gateway)])
    fix = f"change what {names[-1]} sends to {at.gateway}"
    return End(outcome=Outcome.WRONG, status=None, words=f"requests go round in a circle: {way}", fix=fix)


def _refused(at: Arrival, found: Entrance) -> End:
    words = f"{at.gateway}: {found.refusal}"
    if not at.before:
        return End(outcome=Outcome.WRONG, status=None, words=words, fix=f"ask a port that {at.gateway} listens on")
    sender = at.before[-1][0]
    fix = f"let {sender} send to a port that {at.gateway} listens on"
    return End(outcome=Outcome.WRONG, status=503, words=words, fix=fix)


def _attach(gateway: GatewayKey, host: str) -> str:
    return f"attach a route for {host} to {gateway}"
