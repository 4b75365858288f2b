"""What rules are by their objects alone: made once per object, and again only when the object is another one."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import NamedTuple

from gwtui.model import resources
from gwtui.model.gateway_api import GrpcRule, HttpRule, Route, Rule
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.owners import Owner, owners
from gwtui.model.resources import ROUTES
from gwtui.model.shape import Hop, RouteShare, Topology
from gwtui.model.snapshot import ClusterView
from gwtui.views import judge, text
from gwtui.views.judge import Verdict
from gwtui.views.remembered import ByIdentity
from gwtui.views.route_parents import Ground, Parent, ground_of, parents_of
from gwtui.views.route_words import filter_words, filters_in_full, matches_in_full, target_words

BREATH = 20
"""Rules after which others may have their turn."""

HOPS = 400
"""Hops after which others may have their turn."""


class RuleKey(NamedTuple):
    """One rule of one route."""

    route: ObjectKey
    number: int
    """Position in `spec.rules`, from 0."""

    def __str__(self) -> str:
        return f"{self.route.namespace}/{self.route.name} rule {self.number}"


@dataclass(frozen=True, eq=False)
class RouteFacts:
    """One route."""

    key: ObjectKey
    route: Route
    parents: tuple[Parent, ...]

    @cached_property
    def owners(self) -> tuple[Owner, ...]:
        """Who else writes it."""
        meta = self.route.metadata
        return owners(meta.labels, meta.annotations, meta.managers, meta.owner_references)

    @cached_property
    def created(self) -> datetime | None:
        """When it was made."""
        return text.moment(self.route.metadata.creation_timestamp)

    @property
    def kind(self) -> str:
        """`HTTP`, `GRPC`, `TLS`, `TCP` or `UDP`."""
        return ROUTES[self.key.resource].removesuffix("Route")


@dataclass(frozen=True, eq=False)
class RuleFacts:
    """One rule of a route."""

    key: RuleKey
    of: RouteFacts
    rule: Rule

    @cached_property
    def traps(self) -> tuple[Verdict, ...]:
        """In what it does not do what it seems to."""
        return tuple(_traps(self.rule))

    @cached_property
    def matches(self) -> tuple[str, ...]:
        """Its matches in words."""
        return matches_in_full(self.rule, self.of.kind)

    @cached_property
    def filters(self) -> str:
        """Its filters in short words."""
        return filter_words(self.rule, self.key.route.namespace)

    @cached_property
    def backends(self) -> tuple[str, ...]:
        """`<namespace>/<name>` of every backend."""
        space = self.key.route.namespace
        return tuple(f"{ref.namespace or space}/{ref.name}" for ref in self.rule.backend_refs)

    @cached_property
    def search(self) -> str:
        """Everything the filter may look for in it, but for what proxies tell."""
        space = self.key.route.namespace
        parts = (
            *(self.key.route.cluster, f"{self.of.kind}Route", f"{space}/{self.key.route.name}", self.rule.name),
            *(*self.of.route.spec.hostnames, *self.matches, self.filters, *filters_in_full(self.rule, space)),
            *(*self.backends, *(target_words(ref, space) for ref in self.rule.backend_refs)),
            *(*(parent.words for parent in self.of.parents), *(owner.name for owner in self.of.owners)),
        )
        return " ".join(parts).lower()


class Branch(NamedTuple):
    """One place a rule sends requests to, from one gateway."""

    hop: Hop
    share: RouteShare
    position: int
    """Among the flows of its gateway."""


class Place(NamedTuple):
    """Where a rule is in force, and where it leads from there."""

    gateways: tuple[GatewayKey, ...]
    """Those its route is on, by its own parents or by delegation."""
    branches: tuple[Branch, ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hostnames it is in force for, its own or its parents'; none is every one, or not known."""
        return tuple(sorted({host for branch in self.branches for host in branch.share.hostnames}))


@dataclass(frozen=True, eq=False)
class Course:
    """Where the rules of one cluster are in force, and where they lead."""

    branches: Mapping[RuleKey, tuple[Branch, ...]]
    attached: Mapping[ObjectKey, tuple[GatewayKey, ...]]

    def place(self, key: RuleKey) -> Place:
        """Where a rule is in force."""
        return Place(self.attached.get(key.route, ()), self.branches.get(key, ()))


_GROUNDS: ByIdentity[tuple[str, frozenset[tuple[GatewayKey, str]]], Ground] = ByIdentity(most=50)
_FACTS: ByIdentity[ObjectKey, tuple[RuleFacts, ...]] = ByIdentity(most=100_000)
_RULES: ByIdentity[str, tuple[RuleFacts, ...]] = ByIdentity()
_COURSES: ByIdentity[str, Course] = ByIdentity()


def rules_of(view: ClusterView) -> tuple[RuleFacts, ...]:
    """Every rule of a cluster, by kind, then by name."""
    ground, sources = _sources(view)
    return _RULES.get(view.name, sources, lambda: tuple(_rules(view, ground)))


def rules_in_parts(view: ClusterView) -> Iterator[None]:
    """Make what `rules_of` returns in small parts, for whoever has to give way between them."""
    ground, sources = _sources(view)
    if _RULES.held(view.name, sources) is None:
        found: list[RuleFacts] = []
        for facts in _rules(view, ground):
            found.append(facts)
            if not len(found) % BREATH:
                yield
        _RULES.keep(view.name, sources, tuple(found))
    yield


def course_of(view: ClusterView) -> Course:
    """Where the rules of a cluster lead."""
    return _COURSES.get(view.name, (view.topology,), lambda: _course(view.topology))


def course_in_parts(view: ClusterView) -> Iterator[None]:
    """Make what `course_of` returns in small parts."""
    if _COURSES.held(view.name, (view.topology,)) is None:
        found = yield from _course_parts(view.topology)
        _COURSES.keep(view.name, (view.topology,), found)
    yield


def _sources(view: ClusterView) -> tuple[Ground, tuple[object, ...]]:
    """What parents are looked up in, and everything the rules are made from."""
    ground = _ground(view)
    return ground, (*(view.objects.get(resource, {}) for resource in ROUTES), ground)


def _ground(view: ClusterView) -> Ground:
    """What parents are looked up in; the same object as long as nothing in it differs."""
    controllers = frozenset((node.key, node.controller) for node in view.topology.gateways)
    gateways = view.objects.get(resources.GATEWAYS) is not None
    sources = (
        *(view.objects.get(each) for each in resources.LISTENER_SETS),
        view.scopes.get(resources.GATEWAYS),
        gateways,
    )
    return _GROUNDS.get((view.name, controllers), sources, lambda: ground_of(view))


def _rules(view: ClusterView, ground: Ground) -> Iterator[RuleFacts]:
    for resource in ROUTES:
        objects: Mapping[tuple[str, str], Route] = view.objects.get(resource, {})
        for name in sorted(objects):
            key, route = ObjectKey(view.name, resource, *name), objects[name]
            yield from _FACTS.get(key, (route, ground), partial(_facts, ground, key, route))


def _facts(ground: Ground, key: ObjectKey, route: Route) -> tuple[RuleFacts, ...]:
    of = RouteFacts(key, route, parents_of(ground, key, route))
    rules: tuple[Rule, ...] = route.spec.rules
    return tuple(RuleFacts(RuleKey(key, index), of, rule) for index, rule in enumerate(rules))


def _course(topology: Topology) -> Course:
    making = _course_parts(topology)
    while True:
        try:
            next(making)
        except StopIteration as made:
            found: Course = made.value
            return found


def _course_parts(topology: Topology) -> Generator[None, None, Course]:
    branches: dict[RuleKey, list[Branch]] = {}
    positions: dict[GatewayKey, int] = {}
    for number, hop in enumerate(topology.hops, start=1):
        position = positions[hop.source] = positions.get(hop.source, -1) + 1
        for share in hop.shares:
            branches.setdefault(RuleKey(share.route, share.rule_index), []).append(Branch(hop, share, position))
        if not number % HOPS:
            yield
    attached: dict[ObjectKey, list[GatewayKey]] = {}
    for node in topology.gateways:
        for key in node.routes:
            attached.setdefault(key, []).append(node.key)
    yield
    return Course(
        {key: tuple(found) for key, found in branches.items()}, {key: tuple(found) for key, found in attached.items()}
    )


def _traps(rule: Rule) -> Iterator[Verdict]:
    """Rules that do not what they seem to."""
    weights = [ref.weight for ref in rule.backend_refs]
    if len(weights) > 1 and not any(weights):
        yield judge.failing("all 0", "all of its weights are 0: what matches gets an error")
    elif weights == [0]:
        yield judge.degraded("weight 0", "kgateway ignores weight 0 on an only backend: it still gets everything")
    elif not weights and not _answers_itself(rule):
        yield judge.failing("no backend", "it names no backend and nothing that answers: what matches gets an error")


def _answers_itself(rule: Rule) -> bool:
    """Whether a rule needs no backend: it redirects, or leaves the answer to an extension."""
    if not isinstance(rule, HttpRule | GrpcRule):
        return False
    return any(each.type in {"RequestRedirect", "ExtensionRef"} for each in rule.filters)
