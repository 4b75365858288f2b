"""The hops out of each Gateway, from the backendRefs and mirrors of the routes in their places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gwtui.model.controllers import KGATEWAY_CONTROLLER
from gwtui.model.gateway_api import BackendRef, GrpcRoute, HttpRoute, Route, Rule
from gwtui.model.ids import ExternalKey, GatewayKey, ObjectKey, ServiceKey
from gwtui.model.relations.attachment import Attached, is_delegation
from gwtui.model.relations.backends import BY_MIRROR, WORKLOAD, Destination, Resolver
from gwtui.model.relations.remarks import Remark, about
from gwtui.model.relations.waypoints import TO_WAYPOINT
from gwtui.model.resources import ROUTES
from gwtui.model.route_filters import RequestMirror
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
    remarks: frozenset[Remark]


def hops_of_routes(
    source: GatewayKey, placed: Iterable[Attached], resolver: Resolver, diverted: Mapping[ServiceKey, GatewayKey]
) -> Led:
    """Return every hop the routes placed at one Gateway make.

    A route that leads back to its own Gateway makes no hop: it is a problem.

    Args:
        source: The Gateway.
        placed: Its routes.
        resolver: Finds where backendRefs lead.
        diverted: Services that this Gateway reaches through a waypoint.
    """
    bundles: dict[_HopKey, _Bundle] = {}
    remarks: set[Remark] = set()
    is_envoy = resolver.inventory.controllers.get(source) == KGATEWAY_CONTROLLER
    for attached in placed:
        for destination, share in _flows(attached, resolver, remarks, is_envoy=is_envoy):
            if destination.target == source and isinstance(destination.target, GatewayKey):
                remarks.add(f"{attached.key}: leads back to its own Gateway")
                continue
            rule = BY_MIRROR if share.role is ShareRole.MIRROR else destination.rule
            target = destination.target
            if isinstance(target, ServiceKey) and rule == WORKLOAD and target in diverted:
                target, rule = diverted[target], TO_WAYPOINT
            bundle = bundles.setdefault((type(target).__name__, target, rule), _Bundle())
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
    return Led(hops=hops, remarks=frozenset(remarks))


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


class _Use(NamedTuple):
    """What one rule does with one backend."""

    ref: BackendRef
    weight: int
    weight_total: int
    is_copy: bool


def _flows(
    attached: Attached, resolver: Resolver, remarks: set[Remark], *, is_envoy: bool
) -> Iterator[tuple[Destination, RouteShare]]:
    """Every destination of a route with the share it gets."""
    kind, namespace = ROUTES[attached.key.resource], attached.key.namespace
    rules: tuple[Rule, ...] = attached.route.spec.rules
    for position, rule in enumerate(rules):
        if attached.rules is not None and position not in attached.rules:
            continue
        for use in (*_sent(rule), *_copied(attached.route, position)):
            found = resolver.resolve(kind, namespace, use.ref)
            subject = f"{attached.key}: mirror" if use.is_copy else str(attached.key)
            remarks.update(about(subject, remark) for remark in found.remarks)
            for end in found.destinations:
                role = ShareRole.STANDBY if end.is_standby else ShareRole.PRIMARY
                yield (
                    end,
                    RouteShare(
                        route=attached.key,
                        rule_index=position,
                        hostnames=attached.hostnames,
                        weight=use.weight,
                        weight_total=use.weight_total,
                        backends=len(rule.backend_refs),
                        role=ShareRole.MIRROR if use.is_copy else role,
                        cluster=end.cluster if is_envoy else "",
                    ),
                )


def _sent(rule: Rule) -> Iterator[_Use]:
    """Every backend of a rule; what it delegates to other routes is theirs to send."""
    total = sum(ref.weight for ref in rule.backend_refs)
    for ref in rule.backend_refs:
        if not is_delegation(ref):
            yield _Use(ref, ref.weight, total, is_copy=False)


def _copied(route: Route, position: int) -> Iterator[_Use]:
    """Every mirror of a rule. One of a single backendRef copies that backend's part alone."""
    if not isinstance(route, HttpRoute | GrpcRoute):
        return
    rule = route.spec.rules[position]
    for found in rule.filters:
        if found.request_mirror is not None:
            yield _copy(found.request_mirror, 1, 1)
    total = sum(ref.weight for ref in rule.backend_refs)
    for ref in rule.backend_refs:
        part = (1, 1) if len(rule.backend_refs) == 1 else (ref.weight, total)
        for inner in ref.filters:
            if inner.request_mirror is not None:
                yield _copy(inner.request_mirror, *part)


def _copy(mirror: RequestMirror, weight: int, weight_total: int) -> _Use:
    """A mirror of `weight` of `weight_total` requests, or of a part of those."""
    if mirror.fraction is not None:
        numerator, denominator = mirror.fraction.numerator, mirror.fraction.denominator
    else:
        numerator, denominator = 100 if mirror.percent is None else mirror.percent, 100
    to = mirror.backend_ref
    ref = BackendRef(name=to.name, group=to.group, kind=to.kind, namespace=to.namespace, port=to.port)
    return _Use(ref, numerator * weight, denominator * weight_total, is_copy=True)
