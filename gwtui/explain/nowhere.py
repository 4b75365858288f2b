"""Why a request finds no rule: routes for its host that are elsewhere, and delegation that leads to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from gwtui.explain.course import End, Outcome, RuleRef
from gwtui.explain.fitting import unfit
from gwtui.explain.precedence import takes_host
from gwtui.explain.request import Request
from gwtui.explain.terrain import Terrain
from gwtui.explain.virtual_hosts import VirtualHost
from gwtui.model.gateway_api import GrpcRoute, HttpRoute, Rule
from gwtui.model.ids import GatewayKey
from gwtui.model.relations.attachment import is_delegation
from gwtui.model.relations.delegation import matches_of

MOST_HOSTS = 2000
"""Hostnames of a gateway that are compared with one it does not know."""
MOST = 3
"""Routes that are named; more are counted."""


def elsewhere(terrain: Terrain, gateway: GatewayKey, host: str) -> tuple[str, ...]:
    """Return what is known of routes that name a host and have no part in it on a gateway, one line each."""
    nodes = terrain.nodes.values()
    found = []
    for key, route in terrain.inventory.routes():
        if not isinstance(route, HttpRoute | GrpcRoute):
            continue
        if not any(takes_host(each, host) for each in route.spec.hostnames):
            continue
        on = sorted(str(node.key) for node in nodes if key in node.routes)
        where = f"is on {', '.join(on)}" if on else "is attached to no gateway"
        name = f"{key.namespace}/{key.name}"
        found.append((str(gateway) in on, f"{name} is for {host} and {where}"))
    if not found:
        return tuple(_alike(terrain, gateway, host))
    found.sort()
    lines = [f"{text}, though no listener of it takes this host" if is_here else text for is_here, text in found[:MOST]]
    if len(found) > MOST:
        lines.append(f"{len(found) - MOST} more routes are for {host}")
    return tuple(lines)


def _alike(terrain: Terrain, gateway: GatewayKey, host: str) -> Iterator[str]:
    """Hostnames of a gateway that are written much like one that it does not know."""
    known = terrain.nodes[gateway].hostnames[:MOST_HOSTS]
    near = get_close_matches(host, known, n=2, cutoff=0.8)
    if near:
        yield f"it has routes for {' and '.join(near)}"


def nobody(terrain: Terrain, winner: RuleRef, rule: Rule) -> End:
    """Return what becomes of a request that a rule delegates to routes of which none takes anything of that match."""
    ref = next(each for each in rule.backend_refs if is_delegation(each))
    namespace = ref.namespace or winner.route.namespace
    is_there = (namespace, ref.name) in terrain.inventory.http_routes
    is_missing = ref.kind == "HTTPRoute" and ref.name != "*" and not is_there
    why = "which does not exist" if is_missing else "where no route takes anything of this match"
    to = f"{namespace}/{ref.name}"
    words = f"rule {winner.rule_index} of {winner.route.namespace}/{winner.route.name} delegates it to {to}, {why}"
    fix = f"create HTTPRoute {to}" if is_missing else f"add a rule for {winner.match.path.value} to {to}"
    return End(outcome=Outcome.WRONG, status=500, words=words, fix=fix)


def delegated(terrain: Terrain, place: VirtualHost, request: Request) -> End | None:
    """Return what becomes of a request that fits a rule which delegates to other routes, and none of those."""
    for name, to, is_missing in _delegations(terrain, place, request):
        if is_missing:
            words = f"{name} delegates it to {to}, which does not exist"
            return End(outcome=Outcome.WRONG, status=500, words=words, fix=f"create HTTPRoute {to}")
        words = f"{name} delegates it to {to}, where no rule takes it"
        return End(outcome=Outcome.WRONG, status=404, words=words, fix=f"add a rule for {request.path} to {to}")
    return None


def _delegations(terrain: Terrain, place: VirtualHost, request: Request) -> Iterator[tuple[str, str, bool]]:
    for key in terrain.hosts.routes(place):
        route = terrain.route(key)
        for position, rule in enumerate(route.spec.rules) if isinstance(route, HttpRoute) else ():
            refs = [ref for ref in rule.backend_refs if is_delegation(ref)]
            if not refs or all(unfit(match, request) is not None for match in matches_of(rule)):
                continue
            to = (refs[0].namespace or key.namespace, refs[0].name)
            is_named = refs[0].kind == "HTTPRoute" and refs[0].name != "*"
            missing = is_named and to not in terrain.inventory.http_routes
            yield f"rule {position} of {key.namespace}/{key.name}", f"{to[0]}/{to[1]}", missing
