"""An object is near a limit of the API: the next edit may be refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gwtui.changes.limit_tables import MOST_MATCHES
from gwtui.explain.virtual_hosts import places_of
from gwtui.model.gateway_api import GrpcRule, HttpRule, Rule
from gwtui.model.snapshot import ClusterView
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_gateway, at_rule, subject
from gwtui.triage.look import Look, named
from gwtui.triage.objects import BREATH, actions_of, routes_of, served
from gwtui.views.remembered import ByIdentity
from gwtui.views.route_facts import RouteFacts

ID = "limit-near"

NEAR = 0.9
"""Part of a limit from which it is near."""

MOST_RULES, MOST_RULE_MATCHES, MOST_BACKENDS, MOST_HOSTNAMES, MOST_PARENTS = 16, 64, 16, 16, 32
MOST_LISTENERS = 64
"""Of a Gateway, and of all that its ListenerSets add to what is written in one of them.
*Source:* Gateway API v1.6.1, `httproute_types.go`, `gateway_types.go`."""


class _Near(NamedTuple):
    """One limit of one route."""

    facts: RouteFacts
    what: str
    has: int
    most: int
    rule: int


_NEAR: ByIdentity[str, tuple[_Near, ...]] = ByIdentity()


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the routes and Gateways with nine tenths or more of what the API allows."""
    for view in look.clusters:
        yield from _routes(look, view)
    for entry in look.entries:
        inventory = look.inventory(look.view(entry.node.key.cluster))
        if len(entry.node.listeners) >= NEAR * MOST_LISTENERS:
            key = entry.node.key
            own = sum(place.owner_kind == "Gateway" for place in places_of(inventory, key))
            if own >= NEAR * MOST_LISTENERS:
                yield Finding(
                    rule=ID,
                    severity=Severity.INFO,
                    sentence=f"{named(entry.node)}: has {own} of the {MOST_LISTENERS} listeners a Gateway may have",
                    place=at_gateway(key),
                    evidence=(
                        Evidence(Truth.INTENDED, f"{own} listeners of {MOST_LISTENERS}; a ListenerSet may add more"),
                        served(entry.traffic.rps, "the gateway"),
                    ),
                    at_stake=entry.traffic.rps,
                    actions=(Action("enter", "go to its proxies"), Action("y", "show the Gateway")),
                    about=frozenset({subject(key)}),
                )
        yield None


def _routes(look: Look, view: ClusterView) -> Iterator[Finding | None]:
    routes = routes_of(view)
    held = _NEAR.held(view.name, (routes,))
    if held is None:
        found: list[_Near] = []
        for number, facts in enumerate(routes, start=1):
            found += _near(facts)
            if not number % BREATH:
                yield None
        held = tuple(found)
        _NEAR.keep(view.name, (routes,), held)
    for near in held:
        yield _finding(look, near)


def _near(facts: RouteFacts) -> Iterator[_Near]:
    spec = facts.route.spec
    if facts.kind in ("HTTP", "GRPC"):
        counts = [len(rule.matches) if isinstance(rule, HttpRule | GrpcRule) else 0 for rule in spec.rules]
        yield from _if_near(facts, "rules", len(spec.rules), MOST_RULES)
        yield from _if_near(facts, "matches in all rules together", sum(max(1, each) for each in counts), MOST_MATCHES)
        yield from _if_near(facts, "hostnames", len(spec.hostnames), MOST_HOSTNAMES)
        for number, count in enumerate(counts):
            yield from _if_near(facts, f"matches in rule {number}", count, MOST_RULE_MATCHES, number)
    yield from _if_near(facts, "parents", len(spec.parent_refs), MOST_PARENTS)
    rules: tuple[Rule, ...] = spec.rules
    for number, rule in enumerate(rules):
        yield from _if_near(facts, f"backends in rule {number}", len(rule.backend_refs), MOST_BACKENDS, number)


def _if_near(facts: RouteFacts, what: str, count: int, most: int, rule: int = 0) -> Iterator[_Near]:
    if count >= NEAR * most:
        yield _Near(facts, what, count, most, rule)


def _finding(look: Look, near: _Near) -> Finding:
    route = near.facts.key
    rate = look.rate_of(route)
    full = ": one more is refused" if near.has >= near.most else ""
    return Finding(
        rule=ID,
        severity=Severity.INFO,
        sentence=f"route {route.namespace}/{route.name}: has {near.has} of at most {near.most} {near.what}{full}",
        place=at_rule(route, near.rule),
        detail=near.what,
        evidence=(Evidence(Truth.INTENDED, f"{near.has} {near.what}, at most {near.most}"), served(rate)),
        at_stake=rate,
        actions=actions_of(route),
        about=frozenset({route}),
        concerned=(route,),
    )
