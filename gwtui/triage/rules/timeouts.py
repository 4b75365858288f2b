"""Requests are given up because a backend does not answer in time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from gwtui.changes.limits import milliseconds
from gwtui.model.gateway_api import HttpRule
from gwtui.triage.counts import Count
from gwtui.triage.finding import Evidence, Finding, Truth
from gwtui.triage.hops import Failure, failing, found
from gwtui.triage.look import Look, named
from gwtui.views import text
from gwtui.views.fleet import GatewayFigures
from gwtui.views.route_facts import RuleKey

ID = "timeouts"

DEFAULT = "15 s"
"""What Envoy waits for an answer where no route says otherwise, at each tier by itself."""

MOST = 4
"""Routes whose timeouts are told."""


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the upstreams whose requests mostly end by a timeout of the route."""
    for entry, count, severity in failing(look, Failure.TIMEOUT):
        rate, part = text.rps(count.per_second(count.timeouts)), text.ratio(count.timeouts / max(count.requests, 1.0))
        limit = _limit(look, count)
        what = f"does not answer within {limit}: {rate} ({part}) end with 504 at tier {entry.node.tier}"
        yield found(
            look, entry, count, rule=ID, severity=severity, what=what, evidence=tuple(_evidence(look, entry, count))
        )
        yield None


def _limit(look: Look, count: Count) -> str:
    """The timeout that most likely ended them: the shortest of the rules that lead there."""
    own = {_timeout(look, rule) for rule in look.routes_over(count.flow)} - {""}
    return f"the {min(own, key=milliseconds)} of its route" if own else f"the default of {DEFAULT}"


def _timeout(look: Look, key: RuleKey) -> str:
    rule = next((facts.rule for facts in look.facts_of(key.route) if facts.key == key), None)
    return rule.timeouts.request or rule.timeouts.backend_request if isinstance(rule, HttpRule) else ""


def _evidence(look: Look, entry: GatewayFigures, count: Count) -> Iterator[Evidence]:
    yield from _told(look, named(entry.node), look.routes_over(count.flow))
    for flow in look.flows_into(entry.node.key)[:MOST]:
        source = look.fleet.gateways[flow.hop.source]
        yield from _told(look, named(source.node), look.routes_over(flow))


def _told(look: Look, gateway: str, rules: tuple[RuleKey, ...]) -> Iterator[Evidence]:
    for key in islice(rules, MOST):
        found = _timeout(look, key)
        words = (
            f"timeout {found}" if found else f"no timeout of its own: {DEFAULT} at this tier, unless a policy says so"
        )
        yield Evidence(Truth.INTENDED, f"{gateway}: {key}: {words}")
