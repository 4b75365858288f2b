"""Something is accepted, or ought to be, and is not in force: a Gateway, a listener, a route."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from gwtui.model.gateway_api import ListenerStatus
from gwtui.model.ids import GatewayKey
from gwtui.model.kubernetes import Condition
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_gateway, at_rule, subject
from gwtui.triage.look import STARTING_S, Look, named
from gwtui.triage.objects import (
    actions_of,
    around,
    at,
    changed_at,
    claimed,
    doubted_of,
    gateways_of,
    is_settled,
    served,
    severity_by,
    since_of,
)
from gwtui.views import text
from gwtui.views.fleet import GatewayFigures
from gwtui.views.route_facts import RouteFacts
from gwtui.views.route_parents import RULE_REASONS, Parent, is_wrong

ID = "not-programmed"

GRACE_S = 3.0

PENDING = frozenset({"Pending", "NotReconciled", "AddressNotAssigned"})
"""Reasons that pass by themselves where somebody works on it."""

PENDING_S = 20.0
"""Seconds they may take."""

TOLD_ELSEWHERE = frozenset({"NoMatchingParent", "RefNotPermitted", "BackendNotFound", "InvalidCertificateRef"})
"""Reasons that other rules tell with what is missing."""

_OWN = frozenset({"Accepted", "Programmed", "kgateway.dev/Programmed", "PartiallyInvalid", "ResolvedRefs"})


def find(look: Look) -> Iterator[Finding | None]:
    """Yield what its controller says is not in force."""
    for entry in look.entries:
        yield from _of_gateway(look, entry)
        yield None
    for view in look.clusters:
        for facts in doubted_of(view):
            for parent in facts.parents:
                finding = _of_route(look, facts, parent)
                if finding is not None:
                    yield finding
        yield None


def _of_gateway(look: Look, entry: GatewayFigures) -> Iterator[Finding]:
    gateway = look.gateway(entry.node.key)
    if gateway is None or not is_settled(look, gateway.metadata):
        return
    wrong = [each for each in gateway.status.conditions if each.type in ("Accepted", "Programmed") and is_wrong(each)]
    if wrong:
        yield _gateway_finding(look, entry, wrong, "", gateway.metadata.creation_timestamp)
    for listener in gateway.status.listeners:
        bad = [each for each in listener.conditions if _is_bad(each)]
        if bad and not any(each.type == "Conflicted" and is_wrong(each) for each in listener.conditions):
            yield _gateway_finding(look, entry, bad, _called(listener), gateway.metadata.creation_timestamp)


def _is_bad(condition: Condition) -> bool:
    return condition.type in ("Accepted", "Programmed", "ResolvedRefs") and is_wrong(condition)


def _called(listener: ListenerStatus) -> str:
    return f"listener {listener.name} "


def _gateway_finding(look: Look, entry: GatewayFigures, wrong: list[Condition], listener: str, created: str) -> Finding:
    key = entry.node.key
    # What is first is what the others follow from: not accepted is not programmed either.
    first = min(wrong, key=lambda each: ("Accepted", "ResolvedRefs", "Programmed").index(each.type))
    is_pending = all(each.reason in PENDING for each in wrong)
    born = at(created)
    is_young = born is not None and look.now - born < timedelta(seconds=STARTING_S)
    what = "not accepted" if first.type == "Accepted" else "not programmed"
    if first.type == "ResolvedRefs":
        what = "without what it refers to"
    reason = f"{first.reason}{f': {first.message}' if first.message else ''}"
    loaded = f"{text.part_of(entry.answering, len(entry.proxies))} proxies answer and serve what they hold"
    rates = entry.traffic.rps
    return Finding(
        rule=ID,
        severity=Severity.WARNING if first.reason == "AddressNotAssigned" else Severity.CRITICAL,
        sentence=f"{named(entry.node)}: {listener}is {what} ({reason})",
        place=at_gateway(key),
        detail=listener.strip(),
        evidence=(
            *(claimed(f"{listener}of {key}" if listener else str(key), each) for each in wrong),
            Evidence(Truth.LOADED, loaded, look.now),
            served(rates, "the gateway"),
        ),
        at_stake=rates,
        actions=(
            Action("enter", "go to its proxies", f"kubectl -n {key.namespace} describe gateway {key.name}"),
            Action("y", "show the Gateway"),
        ),
        about=frozenset({subject(key)}),
        affects=frozenset({subject(key), *map(subject, look.above(key)), *entry.node.routes}),
        concerned=(subject(key),),
        since=since_of(wrong),
        grace_s=PENDING_S if is_pending or is_young else GRACE_S,
    )


def _of_route(look: Look, facts: RouteFacts, parent: Parent) -> Finding | None:
    if parent.gateway is None or parent.gateway not in look.fleet.gateways:
        return None
    wrong = [each for each in parent.conditions if each.type in _OWN and is_wrong(each)]
    wrong = [each for each in wrong if each.reason not in TOLD_ELSEWHERE]
    if not wrong or not is_settled(look, facts.route.metadata):
        return None
    route, rate = facts.key, look.rate_of(facts.key)
    node = look.fleet.gateways[parent.gateway].node
    return Finding(
        rule=ID,
        severity=severity_by(rate),
        sentence=f"{named(node)}: route {route.namespace}/{route.name} {_state(wrong)}",
        place=at_rule(route, 0),
        detail=f"{GatewayKey(*parent.gateway)}",
        evidence=(
            *(claimed(parent.words, each) for each in parent.conditions if each.type in _OWN),
            Evidence(Truth.LOADED, "what its rules are in the proxies was not compared", is_unknown=True),
            served(rate),
        ),
        at_stake=rate,
        actions=actions_of(route),
        about=frozenset({route}),
        affects=around(look, facts),
        concerned=(route, *map(subject, gateways_of(look, route))),
        since=since_of(wrong) or changed_at(facts.route.metadata),
        grace_s=GRACE_S,
    )


def _state(wrong: list[Condition]) -> str:
    first = wrong[0]
    for each in wrong:
        if each.reason in RULE_REASONS or each.type == "kgateway.dev/Programmed":
            said = f"{each.reason}{f': {each.message}' if each.message else ''}"
            return f"is accepted and not in force as written: requests get 500 ({said})"
    said = f"{first.reason}{f': {first.message}' if first.message else ''}"
    if first.type == "Accepted":
        return f"is refused: none of its requests get there ({said})"
    if first.type == "ResolvedRefs":
        return f"has a reference that leads nowhere ({said})"
    return f"is in force in part only ({said})"
