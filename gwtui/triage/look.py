"""What rules look at: one scene, and what several of them ask of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from gwtui.changes.journal import Change
from gwtui.model import resources
from gwtui.model.gateway_api import Gateway
from gwtui.model.ids import ExternalKey, GatewayKey, ObjectKey, ProxyKey, ServiceKey
from gwtui.model.known import Known, Unknown
from gwtui.model.kubernetes import Pod
from gwtui.model.relations.inventory import Inventory
from gwtui.model.shape import GatewayNode, ShareRole
from gwtui.model.snapshot import ClusterView, ProxyView
from gwtui.model.totals import summed
from gwtui.model.traffic import Rate
from gwtui.triage.counts import Count, counts
from gwtui.views import text
from gwtui.views.fleet import Fleet, GatewayFigures
from gwtui.views.flows import Flow, is_copy
from gwtui.views.remembered import ByIdentity
from gwtui.views.route_facts import RuleFacts, RuleKey, course_in_parts, course_of, rules_in_parts, rules_of
from gwtui.views.route_survey import Survey, survey_of
from gwtui.views.scene import Scene

STARTING_S = 30.0
"""Seconds a pod is given to become ready before anything is said about it."""

JOINING_S = 5.0
"""Seconds after which a proxy that has become ready has taken its place among the others."""

_INVENTORIES: ByIdentity[str, Inventory] = ByIdentity()
_COUNTS: ByIdentity[GatewayKey, tuple[Count, ...]] = ByIdentity()
_INTO: ByIdentity[str, Mapping[GatewayKey, tuple[GatewayKey, ...]]] = ByIdentity()


class Look:
    """One look at everything that is known.

    Args:
        scene: What is known, and when it is looked at.
        changes: What our journal remembers, oldest first.
        before: Requests/s of each namespace on each gateway as they usually are; what is absent was not watched yet.
    """

    def __init__(
        self,
        scene: Scene,
        changes: tuple[Change, ...] = (),
        before: Mapping[tuple[GatewayKey, str], float] | None = None,
    ) -> None:
        self.scene = scene
        self.changes = changes
        self.usual: Mapping[tuple[GatewayKey, str], float] = before or {}

    @property
    def now(self) -> datetime:
        """The moment of the scene."""
        return self.scene.now

    @property
    def fleet(self) -> Fleet:
        """The figures of every gateway and flow."""
        return self.scene.fleet

    @property
    def clusters(self) -> Iterable[ClusterView]:
        """Every cluster."""
        return self.scene.snapshot.clusters.values()

    def parts(self) -> Iterator[None]:
        """Make what many rules ask for in small parts, for whoever has to give way between them."""
        for view in self.clusters:
            yield from rules_in_parts(view)
            yield from course_in_parts(view)
            self.inventory(view)
            self._facts(view.name)
            yield

    @property
    def entries(self) -> Iterable[GatewayFigures]:
        """Every gateway whose proxies are Envoys of kgateway."""
        return [entry for entry in self.fleet.gateways.values() if entry.node.is_managed]

    def view(self, cluster: str) -> ClusterView:
        """One cluster."""
        return self.scene.snapshot.clusters[cluster]

    def inventory(self, view: ClusterView) -> Inventory:
        """The objects of a cluster, indexed once."""
        make = lambda: Inventory(view.name, view.objects, view.scopes)  # noqa: E731 - named for the line's length alone
        return _INVENTORIES.get(view.name, (view.objects, view.scopes), make)

    def find(self, key: ObjectKey) -> Any:
        """An object, or None where it was not read or does not exist."""
        view = self.scene.snapshot.clusters.get(key.cluster)
        return view.objects.get(key.resource, {}).get((key.namespace, key.name)) if view is not None else None

    def gateway(self, key: GatewayKey) -> Gateway | None:
        """The Gateway object."""
        found: Gateway | None = self.find(ObjectKey(key.cluster, resources.GATEWAYS, key.namespace, key.name))
        return found

    def pod(self, key: ProxyKey) -> Pod | None:
        """The pod of a proxy."""
        found: Pod | None = self.find(ObjectKey(key.cluster, resources.PODS, key.namespace, key.pod))
        return found

    def rules(self, view: ClusterView) -> tuple[RuleFacts, ...]:
        """Every rule of a cluster."""
        return rules_of(view)

    @cached_property
    def survey(self) -> Survey:
        """How all rules are."""
        return survey_of(self.scene)

    def counts(self, entry: GatewayFigures) -> tuple[Count, ...]:
        """What the proxies of a gateway count of the upstreams that are not simply well."""
        return _COUNTS.get(entry.node.key, (entry.flows, entry.heard), lambda: counts(entry))

    def above(self, key: GatewayKey) -> tuple[GatewayKey, ...]:
        """Every gateway whose requests may end up on this one, the nearest first."""
        view = self.view(key.cluster)
        into = _INTO.get(view.name, (view.topology,), lambda: _into(view))
        found: dict[GatewayKey, None] = {}
        pending = [key]
        while pending:
            for each in into.get(pending.pop(0), ()):
                if each not in found and each != key:
                    found[each] = None
                    pending.append(each)
        return tuple(found)

    def is_settling(self, key: GatewayKey) -> bool:
        """Whether proxies of a gateway are being replaced: one goes, or has just come."""
        entry = self.fleet.gateways.get(key)
        return entry is not None and any(self.is_new(proxy) or self.is_leaving(proxy) for proxy in entry.node.proxies)

    def is_new(self, key: ProxyKey) -> bool:
        """Whether a proxy's pod was made too short a time ago to be ready, or has just become so."""
        pod = self.pod(key)
        born = text.moment(pod.metadata.creation_timestamp) if pod is not None else None
        if pod is None or born is None or self.now - born >= timedelta(seconds=STARTING_S):
            return False
        ready = next((each for each in pod.status.conditions if each.type == "Ready" and each.status == "True"), None)
        since = text.moment(ready.last_transition_time) if ready is not None else None
        return since is None or self.now - since < timedelta(seconds=JOINING_S)

    def is_leaving(self, key: ProxyKey) -> bool:
        """Whether a proxy's pod is told to end."""
        pod = self.pod(key)
        return pod is not None and pod.metadata.deletion_timestamp is not None

    def rate_of(self, route: ObjectKey, number: int | None = None) -> Rate:
        """What a rule, or a route, takes on all of its gateways, in requests/s."""
        view = self.view(route.cluster)
        place = course_of(view).attached.get(route, ())
        if not place:
            return Unknown("it is on no gateway")
        figures = self.survey.figures_in(route.cluster)
        own = [facts for facts in self.facts_of(route) if number is None or facts.key.number == number]
        rates = [figures.of(facts, course_of(view).place(facts.key)).traffic.rps for facts in own]
        known = [rate for rate in rates if isinstance(rate, Known)]
        return summed(known) if known and len(known) == len(rates) else next(iter(rates), Unknown("it has no rule"))

    def facts_of(self, route: ObjectKey) -> Iterator[RuleFacts]:
        """The rules of one route."""
        return iter(self._facts(route.cluster).get(route, ()))

    def _facts(self, cluster: str) -> Mapping[ObjectKey, tuple[RuleFacts, ...]]:
        rules = rules_of(self.view(cluster))
        return _FACTS.get(cluster, (rules,), lambda: _by_route(rules))

    def rate_into(self, key: GatewayKey) -> Rate:
        """What a gateway takes: as it counts itself, else as those before it count what they send to it."""
        entry = self.fleet.gateways.get(key)
        if entry is not None and entry.answering and isinstance(entry.traffic.rps, Known):
            return entry.traffic.rps
        flows = self.flows_into(key)
        return summed([flow.rps for flow in flows]) if flows else Unknown("none of its proxies answers")

    def flows_into(self, key: GatewayKey) -> list[Flow]:
        """What other gateways send to this one, copies left out."""
        found = self._flows_by_target.get(key, ())
        return [flow for flow in found if not is_copy(flow.hop)]

    @cached_property
    def _flows_by_target(self) -> dict[GatewayKey, list[Flow]]:
        found: dict[GatewayKey, list[Flow]] = {}
        for flow in self.fleet.flows:
            if isinstance(flow.hop.target, GatewayKey):
                found.setdefault(flow.hop.target, []).append(flow)
        return found

    def routes_over(self, flow: Flow) -> tuple[RuleKey, ...]:
        """The rules that send requests over a hop."""
        return tuple(
            dict.fromkeys(
                RuleKey(share.route, share.rule_index)
                for share in flow.hop.shares
                if share.role is ShareRole.PRIMARY and (share.intended or share.backends == 1)
            )
        )


_FACTS: ByIdentity[str, Mapping[ObjectKey, tuple[RuleFacts, ...]]] = ByIdentity()


def _by_route(rules: Iterable[RuleFacts]) -> Mapping[ObjectKey, tuple[RuleFacts, ...]]:
    found: dict[ObjectKey, list[RuleFacts]] = {}
    for facts in rules:
        found.setdefault(facts.key.route, []).append(facts)
    return {key: tuple(each) for key, each in found.items()}


def _into(view: ClusterView) -> Mapping[GatewayKey, tuple[GatewayKey, ...]]:
    found: dict[GatewayKey, dict[GatewayKey, None]] = {}
    for hop in view.topology.hops:
        if isinstance(hop.target, GatewayKey):
            found.setdefault(hop.target, {})[hop.source] = None
    return {target: tuple(sources) for target, sources in found.items()}


def named(node: GatewayNode) -> str:
    """`tier 2 infra/shard-b`."""
    return f"tier {node.tier} {node.key}"


def target_words(key: GatewayKey | ServiceKey | ExternalKey) -> str:
    """A target of a hop by name."""
    return f"gateway {key}" if isinstance(key, GatewayKey) else str(key)


def few(names: Collection[str], most: int = 3) -> str:
    """`a, b, c and 2 more`."""
    shown = list(names)[:most]
    rest = len(names) - len(shown)
    return f"{', '.join(shown)} and {rest} more" if rest else ", ".join(shown)


def views_of(entry: GatewayFigures) -> tuple[ProxyView, ...]:
    """What is known of each proxy of a gateway."""
    return entry.proxies
