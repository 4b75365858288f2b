"""Weights that do not do what they seem to: 0 on an only backend, or on all of them."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.model.snapshot import ClusterView
from gwtui.triage.finding import Evidence, Finding, Severity, Truth, at_rule
from gwtui.triage.look import Look, named
from gwtui.triage.objects import actions_of, around, breathing, changed_at, gateways_of, served, severity_by
from gwtui.views.remembered import ByIdentity
from gwtui.views.route_facts import RuleFacts, rules_of

ID = "weight-trap"

GRACE_S = 2.0

_TRAPS: ByIdentity[str, tuple[RuleFacts, ...]] = ByIdentity()


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the rules with weight 0 on a lone backend, which gets everything all the same, or on all of them."""
    for view in look.clusters:
        yield from _of(look, view)


def _of(look: Look, view: ClusterView) -> Iterator[Finding | None]:
    rules = rules_of(view)
    held = _TRAPS.held(view.name, (rules,))
    if held is None:
        found: list[RuleFacts] = []
        for facts in breathing(rules):
            if facts is None:
                yield None
            elif facts.rule.backend_refs and not any(ref.weight for ref in facts.rule.backend_refs):
                found.append(facts)
        held = tuple(found)
        _TRAPS.keep(view.name, (rules,), held)
    for facts in held:
        yield _finding(look, facts)


def _finding(look: Look, facts: RuleFacts) -> Finding:
    route, number = facts.key.route, facts.key.number
    refs = facts.rule.backend_refs
    gateways = [look.fleet.gateways[key].node for key in gateways_of(look, route) if key in look.fleet.gateways]
    rate = look.rate_of(route, number)
    where = f"{named(gateways[0])}: " if gateways else ""
    if len(refs) == 1:
        severity = Severity.WARNING
        what = f"weight 0 on its only backend {refs[0].name} drains nothing: kgateway sends everything there"
    else:
        severity = severity_by(rate)
        what = f"all {len(refs)} weights are 0: every request gets 500, or the proxies refuse all routes with it"
    return Finding(
        rule=ID,
        severity=severity,
        sentence=f"{where}route {route.namespace}/{route.name} rule {number}: {what}",
        place=at_rule(route, number),
        evidence=(
            Evidence(Truth.INTENDED, ", ".join(f"{ref.name} weight {ref.weight}" for ref in refs)),
            *(
                Evidence(Truth.CLAIMED, f"{parent.words}: {parent.verdict.word}", None, not parent.conditions)
                for parent in facts.of.parents
            ),
            served(rate, "the rule"),
        ),
        at_stake=rate,
        actions=actions_of(route),
        about=frozenset({route}),
        affects=around(look, facts.of),
        concerned=(route,),
        since=changed_at(facts.of.route.metadata),
        grace_s=GRACE_S,
    )
