"""A route names a parent that does not exist, or a listener its parent does not have."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.explain.virtual_hosts import places_of
from gwtui.model.ids import GatewayKey
from gwtui.model.resources import GATEWAYS
from gwtui.triage.finding import Evidence, Finding, Severity, Truth, at_rule, subject
from gwtui.triage.look import Look
from gwtui.triage.objects import (
    JUDGED_S,
    actions_of,
    around,
    changed_at,
    claimed,
    doubted_of,
    gateways_of,
    served,
)
from gwtui.views.route_facts import RouteFacts
from gwtui.views.route_parents import Parent

ID = "missing-gateway"


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the routes whose parent Gateway, or its named listener, is known not to exist."""
    for view in look.clusters:
        inventory = look.inventory(view)
        for facts in doubted_of(view):
            for parent in facts.parents:
                key = parent.gateway
                if key is None:
                    continue
                if key not in inventory.gateways:
                    if inventory.was_read_in(GATEWAYS, key.namespace):
                        yield _finding(look, facts, parent, key, f"Gateway {key} does not exist")
                elif lost := _lost_listener(look, parent, key):
                    yield _finding(look, facts, parent, key, lost)
        yield None


def _lost_listener(look: Look, parent: Parent, key: GatewayKey) -> str:
    """Which listener the parent does not have; empty when it has it, or none is named."""
    ref = parent.ref
    if ref.kind != "Gateway" or not (ref.section_name or ref.port):
        return ""
    listeners = [place.listener for place in places_of(look.inventory(look.view(key.cluster)), key)]
    if any(ref.section_name in ("", each.name) and ref.port in (0, each.port) for each in listeners):
        return ""
    what = " ".join(filter(None, (ref.section_name, f"on port {ref.port}" if ref.port else "")))
    return f"Gateway {key} has no listener {what}"


def _finding(look: Look, facts: RouteFacts, parent: Parent, key: GatewayKey, words: str) -> Finding:
    route, rate = facts.key, look.rate_of(facts.key)
    rest = gateways_of(look, route)
    cost = "it takes nothing there" if rest else "it takes nothing at all"
    # Its requests come to whatever gateway its hostnames lead to.
    others = [entry.node.key for entry in look.entries if entry.node.key.cluster == route.cluster] if not rest else []
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        sentence=f"route {route.namespace}/{route.name}: its parent {words}: {cost}",
        place=at_rule(route, 0),
        detail=parent.words,
        evidence=(
            Evidence(Truth.INTENDED, f"it names {parent.words}"),
            *(claimed(parent.words, each) for each in parent.conditions if each.type == "Accepted"),
            *(() if parent.conditions else (Evidence(Truth.CLAIMED, "no controller says anything of it"),)),
            served(rate),
        ),
        at_stake=rate,
        actions=actions_of(route),
        about=frozenset({route}),
        affects=around(look, facts) | {subject(key), *map(subject, others)},
        concerned=(route, subject(key)),
        since=changed_at(facts.route.metadata),
        grace_s=JUDGED_S,
    )
