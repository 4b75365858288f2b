"""The hops out of each Gateway, from the backendRefs and mirrors of the routes in their places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gwtui.model.controllers import KGATEWAY_CONTROLLER
from gwtui.model.gateway_api import (
    BackendRef,
    GrpcRoute,
    HttpRoute,
    RequestMirror,
    Route,
    Rule,
)
from gwtui.model.ids import ExternalKey, GatewayKey, ObjectKey, ServiceKey
from gwtui.model.relations.attachment import Attached
from gwtui.model.relations.backends import BY_MIRROR, Destination, Resolver
from gwtui.model.resources import ROUTES
from gwtui.model.shape import Hop, RouteShare, ShareRole


@dataclass(slots=True)
class _Bundle:
    """A hop while it is collected."""

    clusters: set[str] = field(default_factory=set)
    shares: list[RouteShare] = field(default_factory=list)


_HopKey = tuple[str, GatewayKey | ServiceKey | ExternalKey, str]
"""Type of the target, target, rule. The type is there because keys of different types may be equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Led:
    """Where the routes of one Gateway lead."""

    hops: tuple[Hop, ...]
    """One per target and rule, sorted."""
    problems: frozenset[str]


def hops_of_routes(source: GatewayKey, placed: Iterable[Attached], resolver: Resolver) -> Led:
    """Return every hop the routes placed at one Gateway make.

    A route that leads back to its own Gateway makes no hop: it is a problem.
    """
    bundles: dict[_HopKey, _Bundle] = {}
    problems: set[str] = set()
    is_envoy = resolver.inventory.controllers.get(source) == KGATEWAY_CONTROLLER
    for attached in placed:
        for destination, share in _flows(attached, resolver, problems, is_envoy=is_envoy):
            if destination.target == source and isinstance(destination.target, GatewayKey):
                problems.add(f"{attached.key}: leads back to its own Gateway")
                continue
            rule = BY_MIRROR if share.role is ShareRole.MIRROR else destination.rule
            bundle = bundles.setdefault((type(destination.target).__name__, destination.target, rule), _Bundle())
            bundle.shares.append(share)
            if share.cluster:
                bundle.clusters.add(share.cluster)
    hops = tuple(
        Hop(
            source=source,
            target=key[1],
            rule=key[2],
            envoy_clusters=tuple(sorted(bundles[key].clusters)),
            shares=tuple(sorted(bundles[key].shares, key=_order)),
        )
        for key in sorted(bundles)
    )
    return Led(hops=hops, problems=frozenset(problems))


def _order(share: RouteShare) -> tuple[ObjectKey, int, str, tuple[str, ...], str, int, int, int]:
    return (
        share.route,
        share.rule_index,
        share.role,
        share.hostnames,
        share.cluster,
        share.weight,
        share.weight_total,
        share.backends,
    )


def _flows(
    attached: Attached, resolver: Resolver, problems: set[str], *, is_envoy: bool
) -> Iterator[tuple[Destination, RouteShare]]:
    """Every destination of a route with the share it gets."""
    kind, namespace = ROUTES[attached.key.resource], attached.key.namespace
    rules: tuple[Rule, ...] = attached.route.spec.rules
    for position, rule in enumerate(rules):
        if attached.rules is not None and position not in attached.rules:
            continue
        total = sum(ref.weight for ref in rule.backend_refs)
        for ref in rule.backend_refs:
            found = resolver.resolve(kind, namespace, ref)
            for problem in found.problems:
                problems.add(f"{attached.key}: {problem}")
            for end in found.destinations:
                yield (
                    end,
                    RouteShare(
                        route=attached.key,
                        rule_index=position,
                        hostnames=attached.hostnames,
                        weight=ref.weight,
                        weight_total=total,
                        backends=len(rule.backend_refs),
                        role=ShareRole.STANDBY if end.is_standby else ShareRole.PRIMARY,
                        cluster=end.cluster if is_envoy else "",
                    ),
                )
        for mirror, weight, of_weight in _mirrors(attached.route, position, total):
            numerator, denominator = _copied(mirror)
            found = resolver.resolve(kind, namespace, _as_backend(mirror))
            for problem in found.problems:
                problems.add(f"{attached.key}: mirror: {problem}")
            for end in found.destinations:
                yield (
                    end,
                    RouteShare(
                        route=attached.key,
                        rule_index=position,
                        hostnames=attached.hostnames,
                        weight=numerator * weight,
                        weight_total=denominator * of_weight,
                        backends=len(rule.backend_refs),
                        role=ShareRole.MIRROR,
                        cluster=end.cluster if is_envoy else "",
                    ),
                )


def _mirrors(route: Route, position: int, total: int) -> Iterator[tuple[RequestMirror, int, int]]:
    """Every mirror of a rule, with the weight of the requests it copies from and the weight of all of them."""
    if not isinstance(route, HttpRoute | GrpcRoute):
        return
    rule = route.spec.rules[position]
    for found in rule.filters:
        if found.request_mirror is not None:
            yield found.request_mirror, 1, 1
    for ref in rule.backend_refs:
        of_ref = (1, 1) if len(rule.backend_refs) == 1 else (ref.weight, total)
        for inner in ref.filters:
            if inner.request_mirror is not None:
                yield inner.request_mirror, *of_ref


def _as_backend(mirror: RequestMirror) -> BackendRef:
    ref = mirror.backend_ref
    return BackendRef(name=ref.name, group=ref.group, kind=ref.kind, namespace=ref.namespace, port=ref.port)


def _copied(mirror: RequestMirror) -> tuple[int, int]:
    """How many of how many requests are copied."""
    if mirror.fraction is not None:
        return mirror.fraction.numerator, mirror.fraction.denominator
    return (100 if mirror.percent is None else mirror.percent), 100
