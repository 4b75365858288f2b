"""Findings about references that lead nowhere: what they cost, and what the status says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gwtui.model.ids import ObjectKey, ServiceKey
from gwtui.model.known import Known
from gwtui.model.snapshot import ClusterView
from gwtui.model.traffic import Rate
from gwtui.triage.finding import Evidence, Finding, Severity, Truth, at_rule, subject
from gwtui.triage.look import Look, named
from gwtui.triage.objects import JUDGED_S, actions_of, around, changed_at, claimed, gateways_of, served, severity_by
from gwtui.triage.references import Broken, broken_of
from gwtui.views import text
from gwtui.views.route_parents import is_wrong


def findings(look: Look, view: ClusterView, *, rule: str, why: Callable[[Broken], str]) -> Iterator[Finding | None]:
    """Yield a finding for every broken reference of which `why` says something.

    Args:
        look: What is known.
        view: The cluster.
        rule: Id of the rule.
        why: What is wrong with the reference; empty where another rule tells it.
    """
    for broken in broken_of(look, view):
        if broken is None:
            yield None
        elif words := why(broken):
            yield _finding(look, broken, rule, words)


def _finding(look: Look, broken: Broken, rule: str, words: str) -> Finding:
    key, facts = broken.facts.key, broken.facts
    route: ObjectKey = key.route
    whole = look.rate_of(route, key.number)
    rate: Rate = Known(whole.value * broken.share, whole.observed_at) if isinstance(whole, Known) else whole
    gateways = gateways_of(look, route)
    nodes = [look.fleet.gateways[each].node for each in gateways if each in look.fleet.gateways]
    where = f"{named(nodes[0])}: " if nodes else ""
    lost = "every request gets" if broken.share >= 1 else f"{text.percent(broken.share)} of its requests get"
    cost = f": {lost} 500" if broken.share else ", with weight 0"
    said = [
        claimed(parent.words, each)
        for parent in facts.of.parents
        for each in parent.conditions
        if each.type == "ResolvedRefs"
    ]
    unsaid = not any(is_wrong(each) for parent in facts.of.parents for each in parent.conditions)
    doubt = [Evidence(Truth.CLAIMED, "its status says nothing of that")] if unsaid else []
    name = ServiceKey(route.cluster, broken.ref.namespace or route.namespace, broken.ref.name)
    severity = severity_by(rate) if broken.share else Severity.INFO
    return Finding(
        rule=rule,
        severity=Severity.INFO if not gateways and severity is Severity.INFO else severity,
        sentence=f"{where}route {route.namespace}/{route.name} rule {key.number}: {words}{cost}",
        place=at_rule(route, key.number),
        detail=str(name),
        evidence=(
            Evidence(
                Truth.INTENDED, f"rule {key.number} names {broken.ref.kind} {name} with weight {broken.ref.weight}"
            ),
            *said,
            *doubt,
            served(whole, "the rule"),
        ),
        at_stake=rate,
        actions=actions_of(route),
        about=frozenset({route}),
        affects=around(look, facts.of) | {subject(name)},
        concerned=(route, subject(name)),
        since=changed_at(facts.of.route.metadata),
        grace_s=JUDGED_S,
    )
