"""What rules about objects share: what a status claims, since when, and what a broken route costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.known import Known, Unknown
from gwtui.model.kubernetes import Condition
from gwtui.model.meta import AuthoredMeta, Meta
from gwtui.model.snapshot import ClusterView
from gwtui.model.traffic import Rate
from gwtui.triage.finding import Action, Evidence, Severity, Truth, subject
from gwtui.triage.look import Look
from gwtui.views import text
from gwtui.views.remembered import ByIdentity
from gwtui.views.route_facts import RouteFacts, RuleFacts, course_of, rules_of
from gwtui.views.route_parents import condition_words

BREATH = 200
"""Routes after which others may have their turn."""

JUDGED_S = 3.0
"""Seconds a controller is given to say what it thinks of a new or changed object."""

_ROUTES: ByIdentity[str, tuple[RouteFacts, ...]] = ByIdentity()
_DOUBTED: ByIdentity[str, tuple[RouteFacts, ...]] = ByIdentity()


def routes_of(view: ClusterView) -> tuple[RouteFacts, ...]:
    """Every route of a cluster that has a rule."""
    rules = rules_of(view)
    return _ROUTES.get(view.name, (rules,), lambda: tuple(dict.fromkeys(facts.of for facts in rules)))


def doubted_of(view: ClusterView) -> tuple[RouteFacts, ...]:
    """The routes some parent of which is not simply well, by what is said of it."""
    rules = rules_of(view)
    return _DOUBTED.get(view.name, (rules,), lambda: tuple(each for each in routes_of(view) if _is_doubted(each)))


def _is_doubted(facts: RouteFacts) -> bool:
    return any(parent.verdict.rank < _WELL for parent in facts.parents)


_WELL = 9
"""Rank of a parent that nothing is to be said against."""


def at(when: str) -> datetime | None:
    """An RFC 3339 time of an API object; None for none, and for the one of conditions that nobody ever wrote."""
    found = text.moment(when)
    return found if found is not None and found.year > 1970 else None


def since_of(conditions: Iterable[Condition]) -> datetime | None:
    """Since when the youngest of these conditions holds; None when nothing tells."""
    return max((found for each in conditions if (found := at(each.last_transition_time)) is not None), default=None)


def changed_at(meta: Meta) -> datetime | None:
    """When somebody wrote an object last, but for its status; None where that is not told.

    Where no field manager tells, one of the first generation is as it was made.
    """
    written = [
        found
        for each in (meta.managed_fields if isinstance(meta, AuthoredMeta) else ())
        if each.subresource != "status" and (found := at(each.time)) is not None
    ]
    return max(written, default=at(meta.creation_timestamp) if meta.generation <= 1 else None)


def is_settled(look: Look, meta: Meta, within_s: float = JUDGED_S) -> bool:
    """Whether an object was changed long enough ago for its controller to have judged it."""
    changed = changed_at(meta)
    return changed is None or look.now - changed >= timedelta(seconds=within_s)


def claimed(words: str, condition: Condition) -> Evidence:
    """What a condition says, and of whom."""
    return Evidence(Truth.CLAIMED, f"{words}: {condition_words(condition)}", at(condition.last_transition_time))


def gateways_of(look: Look, route: ObjectKey) -> tuple[GatewayKey, ...]:
    """The gateways a route is on."""
    return course_of(look.view(route.cluster)).attached.get(route, ())


def parents_of(facts: RouteFacts) -> tuple[GatewayKey, ...]:
    """The gateways a route wishes to be on."""
    return tuple(dict.fromkeys(each.gateway for each in facts.parents if each.gateway is not None))


def around(look: Look, facts: RouteFacts) -> frozenset[ObjectKey]:
    """Where it shows that a route is broken: at itself, at its gateways, at what is before those."""
    keys = {*gateways_of(look, facts.key), *parents_of(facts)}
    known = {key for key in keys if key in look.fleet.gateways}
    above = {each for key in known for each in look.above(key)}
    return frozenset({facts.key, *map(subject, keys), *map(subject, above)})


def served(rate: Rate, words: str = "it") -> Evidence:
    """What a route or rule takes, or that nobody counts that."""
    if isinstance(rate, Unknown):
        return Evidence(Truth.SERVED, f"what {words} takes is not known: {rate.reason}", is_unknown=True)
    return Evidence(Truth.SERVED, f"{words} takes {text.rps(rate.value)}", rate.observed_at)


def severity_by(rate: Rate) -> Severity:
    """How bad it is that requests of this rate fail: what nobody asks for hurts nobody yet."""
    return Severity.WARNING if isinstance(rate, Known) and not rate.value else Severity.CRITICAL


def actions_of(route: ObjectKey, *, rule: bool = True) -> tuple[Action, ...]:
    """What can be done about a route."""
    return (
        Action("enter", "go to the rule" if rule else "go to the route"),
        Action("e", "edit the route", f"gwtui route edit {route.namespace}/{route.name}", route),
    )


def breathing(rules: Iterable[RuleFacts]) -> Iterator[RuleFacts | None]:
    """The rules, with None after every few hundred: a place to give way."""
    for number, facts in enumerate(rules, start=1):
        yield facts
        if not number % BREATH:
            yield None
