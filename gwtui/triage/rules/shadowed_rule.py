"""A rule can never match: others before it take everything it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gwtui.changes.shadowing import shadowed
from gwtui.explain.matching import words_of
from gwtui.explain.precedence import Candidate, reason
from gwtui.explain.virtual_hosts import VirtualHosts
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.names import ANY_HOST
from gwtui.model.resources import NAMESPACES
from gwtui.triage.finding import Evidence, Finding, Severity, Truth, at_rule, subject
from gwtui.triage.look import Look, few, named
from gwtui.triage.objects import JUDGED_S, actions_of, around, changed_at, served
from gwtui.views.fleet import GatewayFigures
from gwtui.views.remembered import ByIdentity

ID = "shadowed-rule"


class _Shadow(NamedTuple):
    """A rule that can never match on some hosts of a gateway."""

    loser: Candidate
    winner: Candidate
    hosts: tuple[str, ...]


_SHADOWS: ByIdentity[GatewayKey, tuple[_Shadow, ...]] = ByIdentity()


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the rules that can never match, on any hostname of a gateway: a warning where another route took it."""
    for entry in look.entries:
        for shadow in _shadows(look, entry):
            yield _finding(look, entry, shadow)
        yield None


def _shadows(look: Look, entry: GatewayFigures) -> tuple[_Shadow, ...]:
    node = entry.node
    view = look.view(node.key.cluster)
    # The object of the Gateway and those of its routes tell all of it; which namespaces it takes, their labels.
    sources = (look.gateway(node.key), view.objects.get(NAMESPACES), *map(look.find, node.routes))
    return _SHADOWS.get(node.key, sources, lambda: tuple(_made(look, entry)))


def _made(look: Look, entry: GatewayFigures) -> Iterator[_Shadow]:
    node = entry.node
    hosts = VirtualHosts(look.inventory(look.view(node.key.cluster)), [node])
    lost: dict[tuple[ObjectKey, int], tuple[Candidate, Candidate, list[str]]] = {}
    alive: set[tuple[ObjectKey, int]] = set()
    for place in hosts.of(node.routes):
        candidates = hosts.candidates(place)
        found = shadowed(candidates)
        alive.update({each.rule for each in candidates} - set(found))
        for rule, (winner, loser) in found.items():
            lost.setdefault(rule, (loser, winner, []))[2].append(place.host)
    for rule, (loser, winner, names) in lost.items():
        if rule not in alive:
            yield _Shadow(loser, winner, tuple(dict.fromkeys(names)))


def _finding(look: Look, entry: GatewayFigures, shadow: _Shadow) -> Finding:
    loser, winner = shadow.loser, shadow.winner
    route, other = loser.route, winner.route
    facts = next(look.facts_of(route), None)
    by = f"rule {winner.rule_index}" if other == route else f"{other.namespace}/{other.name} rule {winner.rule_index}"
    hosts = few(["any host" if host == ANY_HOST else host for host in shadow.hosts])
    rate = look.rate_of(other, winner.rule_index)
    changed = [
        found
        for key in (route, other)
        if (meta := getattr(look.find(key), "metadata", None)) and (found := changed_at(meta))
    ]
    return Finding(
        rule=ID,
        severity=Severity.INFO if other == route else Severity.WARNING,
        sentence=(
            f"{named(entry.node)}: route {route.namespace}/{route.name} rule {loser.rule_index} "
            f"({words_of(loser.match)} on {hosts}) never matches: {by} takes it, {reason(winner, loser)}"
        ),
        place=at_rule(route, loser.rule_index),
        detail=str(entry.node.key),
        evidence=(
            Evidence(Truth.INTENDED, f"{by} asks for {words_of(winner.match)} and {reason(winner, loser)}"),
            Evidence(Truth.CLAIMED, "a status does not tell of rules that never match"),
            served(rate, f"{by}"),
        ),
        at_stake=rate,
        actions=(*actions_of(route),),
        confidence=0.9,
        about=frozenset({route}),
        affects=around(look, facts.of) if facts is not None else frozenset({route, subject(entry.node.key)}),
        concerned=(route, other),
        since=max(changed, default=None),
        grace_s=JUDGED_S,
    )
