"""The status of an object is about an older generation: the controller has not looked at the newest one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_gateway, at_rule, subject
from gwtui.triage.look import Look, few, named
from gwtui.triage.objects import around, changed_at, doubted_of, served
from gwtui.views.fleet import GatewayFigures
from gwtui.views.route_facts import RouteFacts
from gwtui.views.route_parents import lag, lag_words

ID = "status-lag"

GRACE_S = 4.0
"""Seconds a controller may take to judge a change; kgateway takes about one."""

SEVERAL = 3
"""Routes of a gateway from which it is told once, of the gateway."""


class _Late(NamedTuple):
    facts: RouteFacts
    observed: int


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the gateways and routes whose status lags behind."""
    for entry in look.entries:
        gateway = look.gateway(entry.node.key)
        if gateway is not None:
            observed = lag(gateway.status.conditions, gateway.metadata.generation)
            if observed:
                yield _of_gateway(look, entry, lag_words(observed, gateway.metadata.generation))
        yield None
    for view in look.clusters:
        late: dict[GatewayKey, list[_Late]] = {}
        for facts in doubted_of(view):
            for parent in facts.parents:
                observed = lag(parent.conditions, facts.route.metadata.generation)
                if observed and parent.gateway in look.fleet.gateways and parent.gateway is not None:
                    late.setdefault(parent.gateway, []).append(_Late(facts, observed))
        for key, own in late.items():
            yield from _of_routes(look, look.fleet.gateways[key], own)
        yield None


def _of_gateway(look: Look, entry: GatewayFigures, words: str) -> Finding:
    key, gateway = entry.node.key, look.gateway(entry.node.key)
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        sentence=f"{named(entry.node)}: its {words}: what it says is about an older Gateway",
        place=at_gateway(key),
        evidence=(
            Evidence(Truth.CLAIMED, words, look.now),
            Evidence(Truth.LOADED, "whether its proxies hold the newest is not told by any status", is_unknown=True),
            served(entry.traffic.rps, "the gateway"),
        ),
        at_stake=entry.traffic.rps,
        actions=(Action("enter", "go to its proxies"), Action("y", "show the Gateway")),
        confidence=0.7,
        about=frozenset({subject(key)}),
        affects=frozenset({subject(key)}),
        concerned=(subject(key),),
        since=changed_at(gateway.metadata) if gateway is not None else None,
        grace_s=GRACE_S,
    )


def _of_routes(look: Look, entry: GatewayFigures, late: Sequence[_Late]) -> Iterator[Finding]:
    if len(late) < SEVERAL:
        for facts, observed in late:
            words = lag_words(observed, facts.route.metadata.generation)
            name = f"{facts.key.namespace}/{facts.key.name}"
            yield _finding(look, entry, [facts], f"the {words} of route {name}", at_key=facts.key)
        return
    names = few([f"{each.facts.key.namespace}/{each.facts.key.name}" for each in late])
    words = f"the statuses of {len(late)} routes are about older generations ({names}): its controller lags"
    yield _finding(look, entry, [each.facts for each in late], words, at_key=None)


def _finding(
    look: Look, entry: GatewayFigures, routes: Sequence[RouteFacts], words: str, *, at_key: ObjectKey | None
) -> Finding:
    rate = look.rate_of(routes[0].key) if at_key is not None else entry.traffic.rps
    changed = [found for facts in routes if (found := changed_at(facts.route.metadata)) is not None]
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        sentence=f"{named(entry.node)}: {words}",
        place=at_rule(at_key, 0) if at_key is not None else at_gateway(entry.node.key),
        detail=f"routes {entry.node.key}",
        evidence=(
            Evidence(Truth.CLAIMED, words, look.now),
            Evidence(Truth.LOADED, "whether its proxies hold the newest is not told by any status", is_unknown=True),
            served(rate),
        ),
        at_stake=rate,
        actions=(Action("enter", "go there"),),
        confidence=0.7,
        about=frozenset({subject(entry.node.key), *(facts.key for facts in routes)}),
        affects=frozenset().union(*(around(look, facts) for facts in routes[:SEVERAL])),
        concerned=(*(facts.key for facts in routes[:SEVERAL]), subject(entry.node.key)),
        since=min(changed, default=None) if at_key is None else max(changed, default=None),
        grace_s=GRACE_S,
    )
