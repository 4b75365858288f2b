"""References of rules that lead nowhere or may not be followed: found again only where objects changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gwtui.changes.backends import Backends
from gwtui.model import resources
from gwtui.model.gateway_api import BackendRef
from gwtui.model.ids import ObjectKey
from gwtui.model.snapshot import ClusterView
from gwtui.triage.look import Look
from gwtui.triage.objects import breathing
from gwtui.views.remembered import ByIdentity
from gwtui.views.route_facts import RuleFacts, rules_of


class Broken(NamedTuple):
    """One reference of one rule that does not lead to a backend."""

    facts: RuleFacts
    ref: BackendRef
    missing: str
    """Why the backend is known not to be there; empty when it is."""
    ungranted: str
    """Why it may not be used from here; empty when it may."""
    share: float
    """Part of the rule's requests that it is to get, 0 to 1."""


_BROKEN: ByIdentity[str, tuple[Broken, ...]] = ByIdentity()

_TARGETS = (resources.SERVICES, resources.BACKENDS, resources.REFERENCE_GRANTS, resources.HTTP_ROUTES)


def broken_of(look: Look, view: ClusterView) -> Iterator[Broken | None]:
    """Yield the broken references of a cluster; None is a place to give way.

    They are looked for again when a route, a backend or a grant is another object than before.
    """
    rules = rules_of(view)
    sources = (rules, *(view.objects.get(each) for each in _TARGETS), *map(view.scopes.get, _TARGETS))
    held = _BROKEN.held(view.name, sources)
    if held is None:
        backends = Backends(look.scene.snapshot, view)
        found: list[Broken] = []
        for facts in breathing(rules):
            if facts is None:
                yield None
            else:
                found += _broken(backends, facts)
        held = tuple(found)
        _BROKEN.keep(view.name, sources, held)
    yield from held


def _broken(backends: Backends, facts: RuleFacts) -> Iterator[Broken]:
    route: ObjectKey = facts.key.route
    refs: tuple[BackendRef, ...] = facts.rule.backend_refs
    whole = sum(ref.weight for ref in refs)
    for ref in refs:
        missing = backends.missing(ref, route.namespace)
        ungranted = backends.ungranted(ref, resources.ROUTES[route.resource], route.namespace)
        if missing or ungranted:
            share = 1.0 if len(refs) == 1 else ref.weight / whole if whole else 0.0
            yield Broken(facts, ref, missing, ungranted, share)
