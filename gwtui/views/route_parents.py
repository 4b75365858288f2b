"""What a route's parents say of it: who may speak for each, what was said, and of which generation it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from gwtui.model import resources
from gwtui.model.gateway_api import GATEWAY_API, ParentRef, Route, RouteParentStatus
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.kubernetes import Condition
from gwtui.model.relations.claims import LISTENER_SET_KINDS
from gwtui.model.relations.conditions import BAD_WHEN_TRUE, GOOD_WHEN_TRUE
from gwtui.model.relations.controllers import speaks_for
from gwtui.model.snapshot import ClusterView
from gwtui.views import judge
from gwtui.views.judge import Verdict
from gwtui.views.route_words import parent_words

BROKEN = "broken"
"""The word for a rule that its controller did not put into force as written: requests get errors."""

RULE_REASONS = frozenset({"RouteRuleDropped", "RouteRuleReplaced"})
"""Reasons for which kgateway says Accepted is False up to 2.3, and `kgateway.dev/Programmed` is False from 2.4 on."""

BAD_REF = "bad ref"
"""The word for a route one of whose references leads nowhere, or may not be followed."""

_WORDS = {"Accepted": "refused", "ResolvedRefs": BAD_REF, "PartiallyInvalid": "partly"}
"""States by the condition that is not as it should be; of others `broken`, or `conflict` where True is bad."""


class Parent(NamedTuple):
    """One parent of a route, and what the one who runs it says."""

    ref: ParentRef
    words: str
    gateway: GatewayKey | None
    """The Gateway behind it; None for a route that delegates, a Service, or what cannot be found."""
    controller: str
    """Who speaks for it; empty while nobody does."""
    conditions: tuple[Condition, ...]
    verdict: Verdict
    unheard: tuple[str, ...] = ()
    """Controllers that wrote a status for it and do not run it."""


class Ground(NamedTuple):
    """What parents are looked up in. The same objects give the same parents."""

    cluster: str
    controllers: Mapping[GatewayKey, str]
    """Who runs each Gateway; empty where that is not known."""
    listener_sets: tuple[Mapping[tuple[str, str], object], ...]
    read_in: Collection[str] | None
    """Namespaces in which Gateways were read; None is all of them."""


def ground_of(view: ClusterView) -> Ground:
    """What the parents of a cluster's routes are looked up in."""
    was_read = resources.GATEWAYS in view.objects
    return Ground(
        cluster=view.name,
        controllers={node.key: node.controller for node in view.topology.gateways},
        listener_sets=tuple(view.objects.get(resource, {}) for resource in resources.LISTENER_SETS),
        read_in=view.scopes.get(resources.GATEWAYS) if was_read else (),
    )


def parents_of(ground: Ground, key: ObjectKey, route: Route) -> tuple[Parent, ...]:
    """The parents a route names and those that took it by delegation, in the order of its spec."""
    told: dict[tuple[str, ...], list[RouteParentStatus]] = {}
    for status in route.status.parents:
        told.setdefault(_identity(status.parent_ref, key.namespace), []).append(status)
    refs = {_identity(ref, key.namespace): ref for ref in route.spec.parent_refs}
    for identity, (first, *_) in told.items():
        # What a route no longer names may still be in its status; a parent that delegates to it is only there.
        if identity not in refs and first.parent_ref.kind == "HTTPRoute":
            refs[identity] = first.parent_ref
    generation = route.metadata.generation
    return tuple(_parent(ground, key, ref, told.get(identity, ()), generation) for identity, ref in refs.items())


def lag(conditions: Iterable[Condition], generation: int) -> int:
    """The oldest generation a status is of, when the object is at a newer one; else 0."""
    older = [each.observed_generation for each in conditions if 0 < each.observed_generation < generation]
    return min(older, default=0)


def lag_words(observed: int, generation: int) -> str:
    """`status is of generation 3 of 4`."""
    return f"status is of generation {observed} of {generation}"


def is_wrong(condition: Condition) -> bool:
    """Whether a condition is known to be not as it should be."""
    if condition.type in BAD_WHEN_TRUE:
        return condition.status == "True"
    return condition.type in GOOD_WHEN_TRUE and condition.status == "False"


def _identity(ref: ParentRef, namespace: str) -> tuple[str, ...]:
    return (ref.group, ref.kind, ref.namespace or namespace, ref.name, ref.section_name, str(ref.port))


def _parent(
    ground: Ground, key: ObjectKey, ref: ParentRef, told: Iterable[RouteParentStatus], generation: int
) -> Parent:
    words, gateway = parent_words(ref, key.namespace), _gateway_of(ground, ref, key.namespace)
    owner = ground.controllers.get(gateway, "") if gateway is not None else ""
    heard = [each for each in told if not owner or speaks_for(each.controller_name, owner)]
    unheard = tuple(each.controller_name for each in told if each not in heard)
    conditions = tuple(condition for each in heard for condition in each.conditions)
    if gateway is not None and gateway not in ground.controllers:
        verdict = _lost(ground, gateway)
    else:
        verdict = _verdict(words, conditions, generation)
    controller = heard[0].controller_name if heard else ""
    return Parent(ref, words, gateway, controller, conditions, verdict, unheard)


def _gateway_of(ground: Ground, ref: ParentRef, namespace: str) -> GatewayKey | None:
    name = (ref.namespace or namespace, ref.name)
    if (ref.group, ref.kind) == (GATEWAY_API, "Gateway"):
        return GatewayKey(ground.cluster, *name)
    if (ref.group, ref.kind) in LISTENER_SET_KINDS:
        for sets in ground.listener_sets:
            spec = getattr(sets.get(name), "spec", None)
            if spec is not None and spec.parent_ref.kind == "Gateway":
                return GatewayKey(ground.cluster, spec.parent_ref.namespace or name[0], spec.parent_ref.name)
    return None


def _lost(ground: Ground, gateway: GatewayKey) -> Verdict:
    if ground.read_in is None or gateway.namespace in ground.read_in:
        return judge.failing("no parent", f"its parent Gateway {gateway} does not exist")
    return judge.unknown("unseen", f"its parent Gateway {gateway} cannot be seen: gateways there are not read")


def _verdict(words: str, conditions: tuple[Condition, ...], generation: int) -> Verdict:
    if not conditions:
        return judge.unknown("no status", f"{words}: no controller has judged it yet")
    return judge.worst(_judged(words, conditions, generation))


def _judged(words: str, conditions: tuple[Condition, ...], generation: int) -> Iterator[Verdict]:
    for each in conditions:
        told = f"{words}: {condition_words(each)}"
        if is_wrong(each):
            state = BROKEN if each.reason in RULE_REASONS else _WORDS.get(each.type, BROKEN)
            if each.type in BAD_WHEN_TRUE:
                yield judge.degraded(_WORDS.get(each.type, "conflict"), told)
            else:
                yield judge.failing(state, told)
        elif each.type in GOOD_WHEN_TRUE and each.status != "True":
            yield judge.unknown("pending", told)
    observed = lag(conditions, generation)
    if observed:
        yield judge.degraded("behind", f"{words}: {lag_words(observed, generation)}")


def condition_words(condition: Condition) -> str:
    """`Accepted is False (NotAllowedByListeners): no listener allows it`."""
    reason = f" ({condition.reason})" if condition.reason else ""
    message = f": {condition.message}" if condition.message else ""
    return f"{condition.type} is {condition.status}{reason}{message}"
