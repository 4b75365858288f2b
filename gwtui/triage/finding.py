"""What a finding is: one sentence, where it is, what it rests on, what it costs, and the key that acts on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from gwtui.model import resources
from gwtui.model.ids import ExternalKey, GatewayKey, ObjectKey, ProxyKey, ServiceKey
from gwtui.model.known import Unknown
from gwtui.model.traffic import Rate


class Severity(StrEnum):
    """How much it hurts."""

    CRITICAL = "critical"
    """Requests fail, or what was changed is not in force."""
    WARNING = "warning"
    """Nothing fails for it yet, or little; somebody should look today."""
    INFO = "info"
    """Worth knowing; nothing is wrong."""

    @property
    def rank(self) -> int:
        """0 is worst."""
        return _RANKS[self]


_RANKS = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


class Truth(StrEnum):
    """Which of the four truths a line of evidence comes from."""

    INTENDED = "intended"
    """What the objects ask for."""
    CLAIMED = "claimed"
    """What a status, a counter of the control plane or an acknowledgement says."""
    LOADED = "loaded"
    """What a proxy holds."""
    SERVED = "served"
    """What requests got."""


class Evidence(NamedTuple):
    """One line of evidence."""

    truth: Truth
    text: str
    observed_at: datetime | None = None
    """When it was true; None for what holds as long as the object is as it is, and for what is unknown."""
    is_unknown: bool = False
    """Whether it says that nothing is known of this truth, and why."""


_UNTOLD = (
    Evidence(Truth.INTENDED, "as the object says itself: y shows it"),
    Evidence(Truth.LOADED, "what the proxies hold of it was not compared", is_unknown=True),
    Evidence(Truth.SERVED, "what requests get of it is not counted", is_unknown=True),
)


def beside_claims(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Return evidence in which no claim stands alone: of each other truth it says what is known, or that nothing is."""
    told = {each.truth for each in evidence}
    if Truth.CLAIMED not in told:
        return evidence
    return (*evidence, *(each for each in _UNTOLD if each.truth not in told))


class PlaceKind(StrEnum):
    """What the console opens for a place."""

    GATEWAY = "gateway"
    PROXY = "proxy"
    RULE = "rule"
    OBJECT = "object"
    CHANGE = "change"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a finding is."""

    kind: PlaceKind
    cluster: str
    """Kubeconfig context."""
    namespace: str = ""
    name: str = ""
    """Of the gateway, the pod, the route, the object or the cluster; of a change its id."""
    resource: str = ""
    """Group resource of a route or an object."""
    rule: int | None = None
    """Position in `spec.rules`, from 0."""

    def __str__(self) -> str:
        named = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{named} rule {self.rule}" if self.rule is not None else named

    @property
    def object(self) -> ObjectKey:
        """The object at this place."""
        found = {PlaceKind.GATEWAY: resources.GATEWAYS, PlaceKind.PROXY: resources.PODS}
        return ObjectKey(self.cluster, found.get(self.kind, self.resource), self.namespace, self.name)


def at_gateway(key: GatewayKey) -> Place:
    """A gateway."""
    return Place(kind=PlaceKind.GATEWAY, cluster=key.cluster, namespace=key.namespace, name=key.name)


def at_proxy(key: ProxyKey) -> Place:
    """A proxy."""
    return Place(kind=PlaceKind.PROXY, cluster=key.cluster, namespace=key.namespace, name=key.pod)


def at_object(key: ObjectKey) -> Place:
    """An object of any kind."""
    return Place(
        kind=PlaceKind.OBJECT, cluster=key.cluster, namespace=key.namespace, name=key.name, resource=key.resource
    )


def at_rule(route: ObjectKey, number: int) -> Place:
    """A rule of a route."""
    return Place(
        kind=PlaceKind.RULE,
        cluster=route.cluster,
        namespace=route.namespace,
        name=route.name,
        resource=route.resource,
        rule=number,
    )


def at_change(cluster: str, change: str) -> Place:
    """A change of our journal."""
    return Place(kind=PlaceKind.CHANGE, cluster=cluster, name=change)


def at_cluster(cluster: str) -> Place:
    """A whole cluster: the console shows how it is read."""
    return Place(kind=PlaceKind.CLUSTER, cluster=cluster, name=cluster)


HOSTS = "hosts"
"""Resource of the subject that stands for a host outside the cluster."""


def subject(key: GatewayKey | ServiceKey | ExternalKey | ProxyKey | ObjectKey) -> ObjectKey:
    """What a finding is about, in one form for everything: keys of different kinds may be equal, these never are."""
    match key:
        case ObjectKey():
            return key
        case GatewayKey():
            return ObjectKey(key.cluster, resources.GATEWAYS, key.namespace, key.name)
        case ServiceKey():
            return ObjectKey(key.cluster, resources.SERVICES, key.namespace, key.name)
        case ProxyKey():
            return ObjectKey(key.cluster, resources.PODS, key.namespace, key.pod)
        case ExternalKey():
            return ObjectKey(key.cluster, HOSTS, "", key.host)


class Action(NamedTuple):
    """What the operator can do about it."""

    key: str
    """The key of the Triage screen: `enter` goes to the place, `e` edits the route, `d` drains, `z` takes back."""
    text: str
    """What it does, in a few words."""
    command: str = ""
    """The same on the command line; empty where there is none."""
    target: ObjectKey | None = None
    """The object the key acts on, where that is another one than the place's."""
    change: str = ""
    """The change that `z` takes back."""


class Preceding(NamedTuple):
    """What was changed at this place shortly before."""

    at: datetime
    who: str
    """The change's author, or the field manager."""
    what: str
    """The object, or the title of our change."""
    change: str = ""
    """Id in our journal; empty where it was somebody else."""
    is_creation: bool = False
    """Whether the object was made then."""


NOT_COUNTED = Unknown("nothing counts it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong. Rules make it; the evaluation adds since when, what came before and what it explains."""

    rule: str
    """Id of the rule: stable, kebab case."""
    severity: Severity
    sentence: str
    """Names tier, gateway, route, backend and class of failure, as far as they are known; without since when."""
    place: Place
    detail: str = ""
    """Tells findings of one rule at one place apart."""
    evidence: tuple[Evidence, ...] = ()
    at_stake: Rate = NOT_COUNTED
    """Live requests/s that take part in it."""
    actions: tuple[Action, ...] = ()
    confidence: float = 1.0
    """How sure the rule is that this is so, 0 to 1: derived figures are less sure than counted ones."""
    about: frozenset[ObjectKey] = frozenset()
    """What it says is wrong: a symptom of any finding that affects one of these."""
    affects: frozenset[ObjectKey] = frozenset()
    """Where its symptoms show."""
    concerned: tuple[ObjectKey, ...] = ()
    """Objects whose changes may have led to it, the nearest first."""
    since: datetime | None = None
    """Since when; None in what a rule makes where it cannot tell."""
    grace_s: float = 0.0
    """Seconds it must hold before it is told: what is being replaced settles within them."""
    lingers_s: float = 0.0
    """Seconds it is still told after it was seen last: what comes in bursts."""
    preceded_by: tuple[Preceding, ...] = ()
    """What was changed before, the latest first."""
    folded: tuple[Finding, ...] = ()
    """Its symptoms."""

    @property
    def id(self) -> str:
        """Identity of the finding, the same as long as it lasts."""
        parts = (self.rule, self.place.cluster, self.place.resource.partition(".")[0], str(self.place), self.detail)
        return " ".join(filter(None, parts))
