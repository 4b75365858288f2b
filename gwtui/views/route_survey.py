"""How all rules are, found out for thousands of them at every repaint: only what is sick is looked at closely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from gwtui.model.gateway_api import BackendRef, L4Rule
from gwtui.model.ids import GatewayKey, ObjectKey, ProxyKey
from gwtui.model.known import Known, Unknown
from gwtui.model.relations.backends import Resolver
from gwtui.model.relations.inventory import Inventory
from gwtui.model.route_traffic import InShort, RuleCounters, added, in_short
from gwtui.model.shape import RouteShare, ShareRole
from gwtui.model.snapshot import ClusterView, ProxyView
from gwtui.views import judge
from gwtui.views.fleet import GatewayFigures
from gwtui.views.flows import Flow
from gwtui.views.judge import Verdict
from gwtui.views.remembered import ByIdentity
from gwtui.views.route_facts import Place, RuleFacts, RuleKey, course_of, rules_of
from gwtui.views.route_figures import Figures, RuleFigures, silence
from gwtui.views.route_parents import BAD_REF
from gwtui.views.route_words import filters_of
from gwtui.views.scene import Scene
from gwtui.views.spans import Role


class RuleRow(NamedTuple):
    """One rule, where it is in force, and how it is."""

    facts: RuleFacts
    place: Place
    verdict: Verdict

    @property
    def key(self) -> RuleKey:
        """Identity of the row."""
        return self.facts.key

    @property
    def hosts(self) -> tuple[str, ...]:
        """Its hostnames; of a rule that was delegated to those of the routes that did."""
        return self.facts.of.route.spec.hostnames or self.place.hosts


@dataclass(frozen=True, eq=False)
class _Base:
    """The rules of one cluster by their objects alone."""

    rows: tuple[RuleRow, ...]
    positions: Mapping[RuleKey, int]


class _Sick(NamedTuple):
    """A flow that is known not to be well."""

    flow: Flow
    members: Verdict | None
    errors: Verdict | None


_BASES: ByIdentity[str, _Base] = ByIdentity()
_SICK: ByIdentity[GatewayKey, tuple[_Sick, ...]] = ByIdentity()
_SHORT: ByIdentity[ProxyKey, Mapping[str, InShort]] = ByIdentity(most=100_000)
_RATES: ByIdentity[GatewayKey, Mapping[str, InShort]] = ByIdentity()


class Survey:
    """Every rule of one scene.

    Args:
        scene: What is known, and when it is looked at.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._figures = {view.name: Figures(scene, view) for view in scene.snapshot.clusters.values()}
        self._said: dict[RuleKey, list[Verdict]] = {}
        self.bases = tuple(_base(view).rows for view in scene.snapshot.clusters.values())
        """The rules by their objects alone, per cluster: the same objects give the same tuples."""
        self.rows = [row for view in scene.snapshot.clusters.values() for row in self._rows(view)]
        """Every rule, by cluster and name."""

    def figures(self, row: RuleRow) -> RuleFigures:
        """What a rule does."""
        return self._figures[row.key.route.cluster].of(row.facts, row.place)

    def figures_in(self, cluster: str) -> Figures:
        """The figures of the rules of one cluster."""
        return self._figures[cluster]

    def find(self, key: RuleKey) -> RuleRow | None:
        """The row of a rule, or None when there is no such rule any more."""
        return next((row for row in self.rows if row.key == key), None)

    def verdicts(self, row: RuleRow) -> tuple[Verdict, ...]:
        """Everything there is to be said of a rule, the worst first."""
        resolver = _resolver(self._scene.snapshot.clusters[row.key.route.cluster])
        found = [*_by_objects(resolver, row.facts, row.place), *self._said.get(row.key, ())]
        wrong = dict.fromkeys(each for each in found if each.rank < judge.OK.rank)
        return tuple(sorted(wrong, key=lambda each: each.rank))

    def rate(self, row: RuleRow) -> float:
        """Requests/s to sort by; negative where they are not known."""
        counted = [short for key in row.place.gateways if (short := self._short(key, row)) is not None]
        if counted and len(row.facts.of.route.spec.rules) == 1:
            return added(counted).rps
        primary = [branch for branch in row.place.branches if branch.share.role is ShareRole.PRIMARY]
        if all(len(branch.hop.shares) == len(branch.hop.envoy_clusters) == 1 for branch in primary):
            flows = [self._figures[row.key.route.cluster].flow(branch) for branch in primary]
            rates = [flow.rps.value for flow in flows if flow is not None and isinstance(flow.rps, Known)]
            if rates and len(rates) == primary[0].share.backends and not isinstance(row.facts.rule, L4Rule):
                return sum(rates)
        observed = self.figures(row).traffic.rps
        return -1.0 if isinstance(observed, Unknown) else observed.value

    def errors(self, row: RuleRow) -> float:
        """Share of 5xx to sort by; negative where it is not known."""
        found = [short for key in row.place.gateways if (short := self._short(key, row)) is not None and short.rps]
        together = added(found)
        return together.errors_rps / together.rps if together.rps else -1.0

    def latency(self, row: RuleRow) -> float:
        """p99 in ms to sort by; negative where it is not known: nobody looks at a proxy of the rule."""
        proxies = (view for key in row.place.gateways for view in self._scene.fleet.gateways[key].heard)
        if not any(view.samples and view.samples[-1].route_latency for view in proxies):
            return -1.0
        observed = self.figures(row).traffic.p99_ms
        return -1.0 if isinstance(observed, Unknown) else observed.value

    def _short(self, key: GatewayKey, row: RuleRow) -> InShort | None:
        """What a gateway counts of a rule; None where it does not."""
        entry = self._scene.fleet.gateways.get(key)
        if entry is None or not entry.answering:
            return None
        prefix = self._figures[key.cluster].counters(entry).prefix(row.key.route, row.key.number)
        return _rates(entry).get(prefix, InShort(0.0, 0.0)) if prefix else None

    def _rows(self, view: ClusterView) -> list[RuleRow]:
        base = _base(view)
        for node in view.topology.gateways:
            entry = self._scene.fleet.gateways[node.key]
            whole = _unread(entry)
            if whole is not None:
                self._say_of_all(node.routes, base, whole)
            if entry.answering:
                self._say_of_sick(entry, self._figures[view.name].counters(entry))
        rows = list(base.rows)
        for key, said in self._said.items():
            position = base.positions.get(key)
            if position is not None:
                row = rows[position]
                rows[position] = row._replace(verdict=judge.worst([row.verdict, *said]))
        return rows

    def _say_of_all(self, routes: tuple[ObjectKey, ...], base: _Base, verdict: Verdict) -> None:
        for route in routes:
            number = 0
            while RuleKey(route, number) in base.positions:
                self._said.setdefault(RuleKey(route, number), []).append(verdict)
                number += 1

    def _say_of_sick(self, entry: GatewayFigures, counters: RuleCounters) -> None:
        for prefix, short in _rates(entry).items():
            if short.errors_rps:
                ratio = Known(min(short.errors_rps / short.rps, 1.0), self._scene.now)
                verdict = judge.upstream(ratio, None, None)
                if verdict.rank < judge.OK.rank:
                    for route, number in counters.rules(prefix):
                        self._said.setdefault(RuleKey(route, number), []).append(verdict)
        for sick in _SICK.get(entry.node.key, (entry.flows,), lambda: tuple(_sick(entry))):
            for share in sick.flow.hop.shares:
                found = _of_backend(sick, share, counters)
                if found is not None:
                    self._said.setdefault(RuleKey(share.route, share.rule_index), []).append(found)


_SURVEYS: ByIdentity[str, Survey] = ByIdentity(most=1)


def survey_of(scene: Scene) -> Survey:
    """Every rule of a scene; the same while neither what is known nor the figures are others."""
    return _SURVEYS.get("", (scene.snapshot, scene.fleet), lambda: Survey(scene))


def _base(view: ClusterView) -> _Base:
    rules, course = rules_of(view), course_of(view)

    def make() -> _Base:
        rows, resolver = [], _resolver(view)
        for facts in rules:
            place = course.place(facts.key)
            rows.append(RuleRow(facts, place, judge.worst(_by_objects(resolver, facts, place))))
        rows.sort(key=_name)
        return _Base(tuple(rows), {row.key: position for position, row in enumerate(rows)})

    return _BASES.get(view.name, (rules, course), make)


def _name(row: RuleRow) -> tuple[str, str, str, int]:
    route = row.key.route
    return route.namespace, route.name, route.resource, row.key.number


def _resolver(view: ClusterView) -> Resolver:
    """Finds what is wrong with references; where they lead is asked of the topology."""
    return Resolver(inventory=Inventory(view.name, view.objects, view.scopes), gateways={}, addresses={})


def _by_objects(resolver: Resolver, facts: RuleFacts, place: Place) -> Iterator[Verdict]:
    """What is to be said of a rule before anybody is asked what it does, the parents' words first."""
    for parent in facts.of.parents:
        verdict = parent.verdict
        yield verdict if verdict.word != BAD_REF else _bad_ref(resolver, facts, verdict)
    yield from facts.traps
    if not place.gateways and not facts.of.parents:
        yield judge.unknown("no parent", "it names no parent, and no route that delegates to it is known")


def _bad_ref(resolver: Resolver, facts: RuleFacts, verdict: Verdict) -> Verdict:
    """The word about a route whose references do not all lead anywhere, for one of its rules."""
    kind, space = f"{facts.of.kind}Route", facts.key.route.namespace
    mirrors = (each.request_mirror for each, _ in filters_of(facts.rule))
    targets = [each.backend_ref for each in mirrors if each is not None]
    copies = (
        BackendRef(name=to.name, group=to.group, kind=to.kind, namespace=to.namespace, port=to.port) for to in targets
    )
    found = (resolver.resolve(kind, space, ref).remarks for ref in (*facts.rule.backend_refs, *copies))
    if any(isinstance(remark, str) for remarks in found for remark in remarks) or len(facts.of.route.spec.rules) == 1:
        return verdict
    return judge.degraded(BAD_REF, f"{verdict.reason}; nothing is wrong with the references of this rule")


def _unread(entry: GatewayFigures) -> Verdict | None:
    """What to say of every rule of a gateway that tells nothing."""
    if not entry.node.is_managed:
        return judge.unknown(judge.NOT_READ, f"{entry.node.key}: {judge.UNREAD}")
    return None if entry.answering else judge.unknown("no answer", f"{entry.node.key}: {silence(entry)}")


def _sick(entry: GatewayFigures) -> Iterator[_Sick]:
    for flow in entry.flows:
        healthy, total, ratio = flow.members_healthy, flow.members_total, flow.error_ratio
        is_short = total is not None and healthy is not None and (healthy < total or not total)
        errs = isinstance(ratio, Known) and ratio.value >= judge.ERROR_RAISED
        if is_short or errs:
            target = flow.hop.target
            members = judge.members(healthy, total) if is_short else None
            errors = judge.upstream(ratio, None, None) if errs else None
            yield _Sick(flow, _about(target, members), _about(target, errors))


def _about(target: object, verdict: Verdict | None) -> Verdict | None:
    return None if verdict is None else verdict._replace(reason=f"{target}: {verdict.reason}")


def _of_backend(sick: _Sick, share: RouteShare, counters: RuleCounters) -> Verdict | None:
    """What a sick backend means for a rule: nothing where it gets nothing of it."""
    if share.role is ShareRole.MIRROR or (share.role is ShareRole.PRIMARY and not share.intended):
        return None
    # Where the rule's own answers are counted, those of other rules to the same backend say nothing of it.
    is_counted = sick.errors is not None and bool(counters.prefix(share.route, share.rule_index))
    found = [each for each in (sick.members, None if is_counted else sick.errors) if each is not None]
    if not found:
        return None
    verdict = judge.worst(found)
    if share.role is ShareRole.STANDBY and verdict.role is Role.BAD:
        return judge.degraded(verdict.word, verdict.reason)
    return verdict


def _rates(entry: GatewayFigures) -> Mapping[str, InShort]:
    """What the proxies of a gateway count together, by stat prefix."""
    return _RATES.get(entry.node.key, entry.heard, lambda: _together(entry.heard))


def _together(views: tuple[ProxyView, ...]) -> Mapping[str, InShort]:
    found: dict[str, InShort] = {}
    for view in views:
        for prefix, each in _SHORT.get(view.key, (view.samples,), partial(in_short, view.samples)).items():
            known = found.get(prefix)
            found[prefix] = each if known is None else InShort(known.rps + each.rps, known.errors_rps + each.errors_rps)
    return found
