"""The hops out of each Gateway, from the backendRefs and mirrors of the routes in their places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gwtui.model.controllers import KGATEWAY_CONTROLLER
from gwtui.model.gateway_api import (
    BackendRef,
    Filter,
    GrpcFilter,
    GrpcRoute,
    HttpRoute,
    RequestMirror,
    Route,
    Rule,
)
from gwtui.model.ids import GatewayKey, ObjectKey, ServiceKey
from gwtui.model.relations.attachment import Attached, Attachments
from gwtui.model.relations.backends import BY_MIRROR, Destination, Resolver
from gwtui.model.resources import ROUTES
from gwtui.model.shape import Hop, RouteShare, ShareRole


@dataclass(slots=True)
class _Bundle:
    """A hop while it is collected."""

    clusters: set[str] = field(default_factory=set)
    shares: list[RouteShare] = field(default_factory=list)


_HopKey = tuple[GatewayKey, str, GatewayKey | ServiceKey, str]
"""Source, type of the target, target, rule. The type is there because keys of different types may be equal."""


def hops_of_routes(attachments: Attachments, resolver: Resolver) -> tuple[Hop, ...]:
    """Return every hop, one per source, target and rule, sorted. What is wrong is added to the attachments' problems.

    A route that leads back to its own Gateway makes no hop: it is a problem.
    """
    bundles: dict[_HopKey, _Bundle] = {}
    for source, placed in attachments.routes.items():
        is_envoy = resolver.inventory.controllers.get(source) == KGATEWAY_CONTROLLER
        for attached in placed:
            for destination, share in _flows(attached, resolver, source, attachments, is_envoy=is_envoy):
                if destination.target == source and isinstance(destination.target, GatewayKey):
                    attachments.note(source, f"{attached.key}: leads back to its own Gateway")
                    continue
                rule = BY_MIRROR if share.role is ShareRole.MIRROR else destination.rule
                key = (source, type(destination.target).__name__, destination.target, rule)
                bundle = bundles.setdefault(key, _Bundle())
                bundle.shares.append(share)
                if share.cluster:
                    bundle.clusters.add(share.cluster)
    return tuple(
        Hop(
            source=key[0],
            target=key[2],
            rule=key[3],
            envoy_clusters=tuple(sorted(bundles[key].clusters)),
            shares=tuple(sorted(bundles[key].shares, key=_order)),
        )
        for key in sorted(bundles)
    )


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
    attached: Attached, resolver: Resolver, source: GatewayKey, attachments: Attachments, *, is_envoy: bool
) -> Iterator[tuple[Destination, RouteShare]]:
    """Every destination of a route with the share it gets."""
    kind, namespace = ROUTES[attached.key.resource], attached.key.namespace
    rules: tuple[Rule, ...] = attached.route.spec.rules
    for position, rule in enumerate(rules):
        total = sum(ref.weight for ref in rule.backend_refs)
        for ref in rule.backend_refs:
            found = resolver.resolve(kind, namespace, ref)
            for problem in found.problems:
                attachments.note(source, f"{attached.key}: {problem}")
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
        for mirror in _mirrors(attached.route, position):
            numerator, denominator = _copied(mirror)
            found = resolver.resolve(kind, namespace, _as_backend(mirror))
            for problem in found.problems:
                attachments.note(source, f"{attached.key}: mirror: {problem}")
            for end in found.destinations:
                yield (
                    end,
                    RouteShare(
                        route=attached.key,
                        rule_index=position,
                        hostnames=attached.hostnames,
                        weight=numerator,
                        weight_total=denominator,
                        backends=len(rule.backend_refs),
                        role=ShareRole.MIRROR,
                        cluster=end.cluster if is_envoy else "",
                    ),
                )


def _mirrors(route: Route, position: int) -> Iterator[RequestMirror]:
    filters: tuple[Filter | GrpcFilter, ...] = ()
    if isinstance(route, HttpRoute | GrpcRoute):
        filters = route.spec.rules[position].filters
    return (found.request_mirror for found in filters if found.request_mirror is not None)


def _as_backend(mirror: RequestMirror) -> BackendRef:
    ref = mirror.backend_ref
    return BackendRef(name=ref.name, group=ref.group, kind=ref.kind, namespace=ref.namespace, port=ref.port)


def _copied(mirror: RequestMirror) -> tuple[int, int]:
    """How many of how many requests are copied."""
    if mirror.fraction is not None:
        return mirror.fraction.numerator, mirror.fraction.denominator
    return (100 if mirror.percent is None else mirror.percent), 100
