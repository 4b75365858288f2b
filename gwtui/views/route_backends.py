"""The backends of a rule: what its weights intend, what is observed, and how many endpoints are ready."""

from __future__ import annotations

from typing import NamedTuple

from gwtui.model.gateway_api import BackendRef
from gwtui.model.ids import GatewayKey
from gwtui.model.kgateway import KGATEWAY
from gwtui.model.known import Known, Unknown
from gwtui.model.names import backend_cluster, service_cluster
from gwtui.model.relations.attachment import is_delegation
from gwtui.model.shape import ShareRole
from gwtui.model.shares import Share
from gwtui.model.totals import least_healthy
from gwtui.views import judge, text
from gwtui.views.flows import Flow
from gwtui.views.route_facts import Branch, Place, RuleFacts
from gwtui.views.route_figures import Figures
from gwtui.views.route_words import target_words
from gwtui.views.spans import Line, Role, Span, joined, line

AGREES_WITHIN = 0.02
"""Difference between an observed and an intended share that is not worth a mark."""


class Seen(NamedTuple):
    """What one gateway sends to a backend."""

    gateway: GatewayKey
    share: Share
    """Part of the rule's requests, 0 to 1."""
    flow: Flow | None
    """What goes over the same hop, for whichever rule."""


class BackendFigures(NamedTuple):
    """One backendRef of a rule."""

    ref: BackendRef
    words: str
    intended: float | None
    """Part of the rule's requests that its weight is for, 0 to 1; None for children that a rule delegates to."""
    seen: tuple[Seen, ...]
    """By gateway; none where no gateway sends to it, or nobody can tell."""
    is_standby: bool = False

    @property
    def observed(self) -> Share:
        """The observed share, where one gateway tells it."""
        if self.intended is None:
            return Unknown("its children tell")
        if len(self.seen) == 1:
            return self.seen[0].share
        return Unknown("no gateway sends to it" if not self.seen else "several gateways send to it: each has its own")

    @property
    def members(self) -> tuple[int | None, int | None]:
        """Ready endpoints and all of them, as the gateway sees it that sees the fewest ready."""
        flows = [each.flow for each in self.seen if each.flow is not None]
        return least_healthy((flow.members_healthy, flow.members_total) for flow in flows)

    @property
    def differs(self) -> bool:
        """Whether what is observed is not what is intended."""
        observed = self.observed
        return (
            isinstance(observed, Known)
            and self.intended is not None
            and abs(observed.value - self.intended) > AGREES_WITHIN
        )


def backends_of(facts: RuleFacts, place: Place, figures: Figures) -> tuple[BackendFigures, ...]:
    """The backends of a rule in the order of its spec."""
    refs = facts.rule.backend_refs
    total = sum(ref.weight for ref in refs)
    space = facts.key.route.namespace
    branches = _by_cluster(place)
    found = []
    for ref in refs:
        own = branches.get(cluster_of(ref, space), []) or _by_target(place, ref, space, is_only=len(refs) == 1)
        intended = 1.0 if len(refs) == 1 else ref.weight / total if total else 0.0
        seen = tuple(Seen(each.hop.source, figures.share(each), figures.flow(each)) for each in own)
        standby = bool(own) and all(each.share.role is ShareRole.STANDBY for each in own)
        found.append(
            BackendFigures(ref, target_words(ref, space), None if is_delegation(ref) else intended, seen, standby)
        )
    return tuple(found)


def backends_line(facts: RuleFacts, place: Place, figures: Figures) -> Line:
    """`shard-a 90≠71% 2/2  shard-b 10≠29% 0/1`; the weight stands beside the share where it is another number."""
    return joined([_short(each, facts) for each in backends_of(facts, place, figures)], "  ")


def backends_cells(facts: RuleFacts) -> int:
    """About how many cells `backends_line` takes, without asking what is observed."""
    refs, space = facts.rule.backend_refs, facts.key.route.namespace
    if len(refs) == 1:
        return len(target_words(refs[0], space)) + len(" 10/10")
    total = sum(ref.weight for ref in refs)
    figures = len("  90≠71% 10/10")
    return sum(len(target_words(ref, space)) + len(weight_words(ref.weight, total)) + figures for ref in refs)


def weight_words(weight: int, total: int) -> str:
    """The weight as written, where it is not the percentage itself: `w3 `."""
    return "" if total == 100 else f"w{weight} "


def share_span(backend: BackendFigures) -> Span:
    """`90%`, `90≠71%` where another share is observed, `90%?` where none is."""
    if backend.intended is None:
        return Span("delegated", Role.DIM)
    intended = text.percent(backend.intended)
    observed = backend.observed
    if isinstance(observed, Unknown):
        return Span(f"{intended}?", Role.UNKNOWN)
    if backend.differs:
        return Span(f"{intended.removesuffix('%')}≠{text.percent(observed.value)}", Role.WARN)
    return Span(intended)


def ready_span(backend: BackendFigures) -> Span:
    """`2/2`, marked where not all are ready; a dash where no proxy tells."""
    healthy, total = backend.members
    if healthy is None or total is None:
        return Span(text.UNKNOWN, Role.UNKNOWN)
    verdict = judge.members(healthy, total)
    return Span(text.part_of(healthy, total), verdict.role if verdict is not None else Role.TEXT)


def _short(backend: BackendFigures, facts: RuleFacts) -> Line:
    refs = facts.rule.backend_refs
    parts: list[Line] = [line(Span(backend.words, Role.STRONG))]
    if backend.intended is None:
        parts.append(line(Span("delegated", Role.DIM)))
        return joined(parts, " ")
    if len(refs) > 1:
        total = sum(ref.weight for ref in refs)
        parts.append(line(Span(weight_words(backend.ref.weight, total), Role.DIM), share_span(backend)))
    elif backend.ref.weight == 0:
        parts.append(line(Span("w0", Role.WARN)))
    parts.append(line(ready_span(backend)))
    return joined(parts, " ")


def _by_cluster(place: Place) -> dict[str, list[Branch]]:
    found: dict[str, list[Branch]] = {}
    for branch in place.branches:
        if branch.share.role is not ShareRole.MIRROR and branch.share.cluster:
            found.setdefault(branch.share.cluster, []).append(branch)
    return found


def _by_target(place: Place, ref: BackendRef, namespace: str, *, is_only: bool) -> list[Branch]:
    """Branches of a backend whose upstream has no name that follows from the reference."""
    name = f"{ref.namespace or namespace}/{ref.name}"
    return [
        branch
        for branch in place.branches
        if branch.share.role is not ShareRole.MIRROR and (is_only or str(branch.hop.target) == name)
    ]


def cluster_of(ref: BackendRef, namespace: str) -> str:
    """The Envoy cluster of a backendRef to a Service or a Backend, of a route in this namespace."""
    if (ref.group, ref.kind) == (KGATEWAY, "Backend"):
        return backend_cluster(ref.namespace or namespace, ref.name)
    return service_cluster(ref.namespace or namespace, ref.name, ref.port)
