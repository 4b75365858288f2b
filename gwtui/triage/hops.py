"""What rules about upstreams share: which class of failure it is, who is hit, and in which words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from gwtui.changes.backends import Backends
from gwtui.model.gateway_api import BackendRef
from gwtui.model.ids import ExternalKey, GatewayKey, ObjectKey, ServiceKey
from gwtui.model.known import Known
from gwtui.triage.counts import STEADY, Count
from gwtui.triage.finding import Action, Evidence, Finding, Place, Severity, Truth, at_gateway, at_rule, subject
from gwtui.triage.look import Look, few, named, target_words
from gwtui.views import judge, text
from gwtui.views.fleet import GatewayFigures
from gwtui.views.route_facts import RuleKey

LEAST_ERRORS = 5
"""Failed requests within a window below which nothing is said: one in a while is nobody's incident."""

MOST_OF = 0.5
"""Part of the failed requests from which a class of failure is the one that is told."""

SETTLING_S = 15.0
"""Seconds that errors towards a gateway must last while its proxies are being replaced."""


class Failure(StrEnum):
    """Why requests to an upstream fail."""

    NO_ENDPOINTS = "no ready endpoints"
    BREAKER = "circuit breaker"
    TIMEOUT = "timeouts"
    CONNECT = "connect failures"
    ANSWERS = "its own answers"


def failure_of(look: Look, count: Count) -> Failure:
    """The class of failure that most of the failed requests to an upstream are of."""
    if is_empty(look, count):
        return Failure.NO_ENDPOINTS
    errors = max(count.errors, 1.0)
    if count.overflows >= MOST_OF * errors:
        return Failure.BREAKER
    if count.timeouts >= MOST_OF * errors:
        return Failure.TIMEOUT
    return Failure.CONNECT if count.connect_failures >= MOST_OF * errors else Failure.ANSWERS


def is_empty(look: Look, count: Count) -> bool:
    """Whether an upstream has nobody to answer: by what proxies hold, or by the endpoints the cluster names."""
    if count.total == 0 or (count.healthy == 0 and not count.ejected):
        return True
    target = count.flow.hop.target
    if not count.errors or not isinstance(target, ServiceKey):
        return False
    return ready_endpoints(look, target) == 0


def ready_endpoints(look: Look, service: ServiceKey) -> int | None:
    """How many ready endpoints are known of a Service; None where nothing tells."""
    ref = BackendRef(name=service.name, namespace=service.namespace)
    found = Backends(look.scene.snapshot, look.view(service.cluster)).ready(ref, service.namespace)
    return None if found is None else found.ready


def severity_of(count: Count, failed: float) -> Severity | None:
    """How bad it is that so many requests of a window failed; None where it is too few to say anything."""
    if failed < LEAST_ERRORS or not count.is_fresh or count.bursts < STEADY:
        return None
    ratio = failed / max(count.requests, failed)
    if ratio >= judge.ERROR_FAILING:
        return Severity.CRITICAL
    return Severity.WARNING if ratio >= judge.ERROR_RAISED else None


def failing(look: Look, failure: Failure) -> Iterator[tuple[GatewayFigures, Count, Severity]]:
    """Every hop whose requests fail, mostly for this reason, and how bad it is."""
    for entry in look.entries:
        for count in look.counts(entry):
            severity = severity_of(count, count.errors)
            if severity is not None and failure_of(look, count) is failure:
                yield entry, count, severity


def found(
    look: Look,
    entry: GatewayFigures,
    count: Count,
    *,
    rule: str,
    severity: Severity,
    what: str,
    evidence: Iterable[Evidence] = (),
    confidence: float = 1.0,
    grace_s: float = 0.0,
) -> Finding:
    """Return the finding that something is wrong with an upstream of a gateway.

    Args:
        look: What is known.
        entry: The gateway that sends.
        count: What it counts of the upstream.
        rule: Id of the rule.
        severity: How bad it is.
        what: What is wrong, as follows the name of the upstream: `answers 5xx`.
        evidence: What it rests on besides the counts.
        confidence: As `Finding`.
        grace_s: As `Finding`; longer where the upstream is a gateway that is being replaced.
    """
    target = count.flow.hop.target
    rules = look.routes_over(count.flow)
    place: Place = at_rule(*rules[0]) if rules else at_gateway(entry.node.key)
    is_settling = isinstance(target, GatewayKey) and look.is_settling(target)
    return Finding(
        rule=rule,
        severity=severity,
        sentence=f"{named(entry.node)}: {target_words(target)} {what}{_of_routes(rules)}",
        place=place,
        detail=f"{entry.node.key} {target}",
        evidence=(served(count), *endpoints(count), *evidence),
        at_stake=Known(count.rps, count.observed_at),
        actions=_actions(count, rules),
        confidence=confidence * (0.9 if isinstance(target, GatewayKey) else 1.0),
        about=frozenset({subject(target)}),
        affects=affected(look, entry, target),
        concerned=(*dict.fromkeys(rule.route for rule in rules), subject(target), subject(entry.node.key)),
        since=count.since if count.bursts else None,
        grace_s=max(grace_s, SETTLING_S) if is_settling else grace_s,
    )


def affected(look: Look, entry: GatewayFigures, target: GatewayKey | ServiceKey | ExternalKey) -> frozenset[ObjectKey]:
    """Where it shows that an upstream fails: at itself, at the gateway that sends, and at every one before that."""
    return frozenset(map(subject, (target, entry.node.key, *look.above(entry.node.key))))


def served(count: Count) -> Evidence:
    """What the source's proxies counted."""
    parts = [f"{text.rps(count.rps)}, {text.ratio(count.error_ratio)} 5xx"]
    for number, word in (
        (count.connect_failures, "connect failures"),
        (count.timeouts, "timeouts"),
        (count.overflows, "refused by circuit breakers"),
        (count.ejections, "ejections"),
    ):
        if number:
            parts.append(f"{text.count(round(number))} {word}")
    return Evidence(Truth.SERVED, f"{'; '.join(parts)} in {count.seconds:.0f} s", count.observed_at)


def endpoints(count: Count) -> tuple[Evidence, ...]:
    """What the source's proxies hold of its endpoints."""
    if count.total is None or count.healthy is None:
        return (Evidence(Truth.LOADED, "how many endpoints the proxies hold is not known", is_unknown=True),)
    ejected = f", {count.ejected} ejected" if count.ejected else ""
    words = f"the proxies hold {text.part_of(count.healthy, count.total)} endpoints healthy{ejected}"
    return (Evidence(Truth.LOADED, words, count.observed_at),)


def endpoint_words(count: Count) -> str:
    """`, 1 of 3 endpoints ready`; empty where all are, or nobody tells."""
    if count.total is None or count.healthy is None or count.healthy >= count.total:
        return ""
    return f", {count.healthy} of {text.plural(count.total, 'endpoint')} ready"


def part_words(count: Count) -> str:
    """`5.0% of 120 rps`."""
    return f"{text.ratio(count.error_ratio)} of {text.rps(count.rps)}"


def _of_routes(rules: tuple[RuleKey, ...]) -> str:
    names = list(dict.fromkeys(f"{route.namespace}/{route.name}" for route, _ in rules))
    return f" for route{'s' if len(names) > 1 else ''} {few(names, 2)}" if names else ""


def _actions(count: Count, rules: tuple[RuleKey, ...]) -> tuple[Action, ...]:
    if not rules:
        return (Action("enter", "go to the gateway"),)
    target, (route, number) = count.flow.hop.target, rules[0]
    name = f"{route.namespace}/{route.name}"
    called = target.host if isinstance(target, ExternalKey) else target.name
    edit = Action("e", "edit the route", f"gwtui route edit {name}", route)
    own = [share for share in count.flow.hop.shares if (share.route, share.rule_index) == (route, number)]
    if any(share.backends > 1 for share in own):
        drain = Action("d", f"take {called} out of the rule", f"gwtui drain {name}:{called}")
        return (Action("enter", "go to the rule"), drain, edit)
    return (Action("enter", "go to the rule"), edit)
