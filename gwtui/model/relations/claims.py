"""What every route claims: the Gateways it is attached to by its status, or by its spec while it has no status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gwtui.model import resources
from gwtui.model.gateway_api import GATEWAY_API, GATEWAY_API_EXPERIMENTAL, ParentRef, Route
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.istio import ISTIO_NETWORKING
from gwtui.model.relations.conditions import condition_problems
from gwtui.model.relations.controllers import speaks_for
from gwtui.model.relations.inventory import Inventory
from gwtui.model.relations.remarks import Remark, Unseen, absence, unknown_kind
from gwtui.model.relations.waypoints import Bindings, Subject, subjects_of

LISTENER_SET_KINDS = {
    (GATEWAY_API, "ListenerSet"): resources.LISTENER_SETS[0],
    (GATEWAY_API_EXPERIMENTAL, "XListenerSet"): resources.LISTENER_SETS[1],
}
"""Resource by group and kind, of what adds listeners to a Gateway."""

OTHER_PARENTS = frozenset(
    {(GATEWAY_API, "HTTPRoute"), ("", "Service"), (ISTIO_NETWORKING, "ServiceEntry"), (ISTIO_NETWORKING, "Hostname")}
)
"""Kinds that a route is a child of, or steers the traffic to, in a mesh and by delegation."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one route says of one Gateway."""

    is_accepted: bool
    """Whether the route is attached there."""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Everything one route says of its parents."""

    by_gateway: Mapping[GatewayKey, Claim]
    homeless: tuple[Remark, ...]
    """What there is to say of parents that are no Gateway we know."""
    steers: tuple[Subject, ...]
    """The Services and ServiceEntries whose traffic it steers at their waypoint."""


def claims_of(inventory: Inventory, bindings: Bindings, key: ObjectKey, route: Route) -> Claims:
    """Return what a route claims.

    It is attached where its status says so: `Accepted` is True, written by the controller of the Gateway's class. A
    route without any status is placed by its spec, and that is noted as a problem. A route whose parent is a Service
    is placed at the waypoint of that Service.
    """
    found: dict[GatewayKey, Claim] = {}
    for parent in route.status.parents:
        gateway = _gateway_of(inventory, bindings, parent.parent_ref, key.namespace)
        if gateway in inventory.gateways and speaks_for(parent.controller_name, inventory.controllers[gateway]):
            accepted = any(claim.type == "Accepted" and claim.status == "True" for claim in parent.conditions)
            problems = condition_problems(parent.conditions, route.metadata.generation)
            before = found.get(gateway, Claim(is_accepted=False))
            found[gateway] = Claim(
                is_accepted=before.is_accepted or accepted,
                problems=(*before.problems, *(f"{key}: {problem}" for problem in problems)),
            )
    homeless: list[Remark] = []
    for ref in route.spec.parent_refs:
        gateway = _gateway_of(inventory, bindings, ref, key.namespace)
        if gateway in inventory.gateways:
            if not route.status.parents:
                found[gateway] = Claim(is_accepted=True, problems=(f"{key}: no status yet, placed by its spec",))
        elif (remark := _lost_parent(inventory, ref, key.namespace, gateway)) is not None:
            homeless.append(remark)
    return Claims(by_gateway=found, homeless=tuple(homeless), steers=tuple(subjects_of(bindings, key.namespace, route)))


def _lost_parent(inventory: Inventory, ref: ParentRef, namespace: str, gateway: GatewayKey | None) -> Remark | None:
    """What to say of a parentRef that leads to no Gateway we know; nothing where it is not meant to.

    Args:
        inventory: The cluster.
        ref: The reference.
        namespace: Where the route is.
        gateway: What the reference comes to.
    """
    if gateway is not None:
        return absence(inventory, resources.GATEWAYS, gateway.namespace, f"its parent Gateway {gateway}")
    name, kind = (ref.namespace or namespace, ref.name), (ref.group, ref.kind)
    what = f"its parent {ref.kind} {name[0]}/{name[1]}"
    if kind in LISTENER_SET_KINDS:
        resource = LISTENER_SET_KINDS[kind]
        return None if name in inventory.of(resource) else absence(inventory, resource, name[0], what)
    return None if kind in OTHER_PARENTS else unknown_kind(what, ref.group)


def _gateway_of(inventory: Inventory, bindings: Bindings, ref: ParentRef, namespace: str) -> GatewayKey | None:
    """The Gateway a parentRef names, itself, by a ListenerSet or as the waypoint of a Service; None for others."""
    name = (ref.namespace or namespace, ref.name)
    if ref.group == GATEWAY_API and ref.kind == "Gateway":
        return GatewayKey(inventory.cluster, *name)
    if (ref.group, ref.kind) in LISTENER_SET_KINDS:
        return inventory.listener_sets[name][0] if name in inventory.listener_sets else None
    return bindings.parent(ref, namespace)


class Claimants:
    """Who claims each Gateway, kept up to date route by route."""

    def __init__(self) -> None:
        self._claims: dict[ObjectKey, Claims] = {}
        self._by_gateway: dict[GatewayKey, dict[ObjectKey, Claim]] = {}
        self._homeless: dict[ObjectKey, tuple[Remark, ...]] = {}
        self._steering: dict[ObjectKey, tuple[Subject, ...]] = {}

    def follow(self, key: ObjectKey, now: Claims | None) -> set[GatewayKey]:
        """Take a route's claims in place of those it made before; return the Gateways that either concern.

        Args:
            key: The route.
            now: What it claims; None when it is gone.
        """
        before = self._claims.pop(key, None)
        touched: set[GatewayKey] = set()
        if before is not None:
            touched.update(before.by_gateway)
            for gateway in before.by_gateway:
                del self._by_gateway[gateway][key]
            self._homeless.pop(key, None)
            self._steering.pop(key, None)
        if now is not None:
            self._claims[key] = now
            touched.update(now.by_gateway)
            for gateway, claim in now.by_gateway.items():
                self._by_gateway.setdefault(gateway, {})[key] = claim
            if now.homeless:
                self._homeless[key] = now.homeless
            if now.steers:
                self._steering[key] = now.steers
        return touched

    def of(self, gateway: GatewayKey) -> Mapping[ObjectKey, Claim]:
        """Every route that says anything of this Gateway."""
        return self._by_gateway.get(gateway, {})

    def homeless(self) -> set[str]:
        """What there is to say that belongs to no Gateway, one line each; one for all routes of an unseen parent."""
        routes: dict[Remark, list[ObjectKey]] = {}
        for key, remarks in self._homeless.items():
            for remark in set(remarks):
                routes.setdefault(remark, []).append(key)
        lines: set[str] = set()
        for remark, keys in routes.items():
            if isinstance(remark, Unseen):
                more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
                lines.add(f"{min(keys)}{more}: {remark.text}")
            else:
                lines.update(f"{key}: {remark}" for key in keys)
        return lines

    def steered(self) -> dict[Subject, frozenset[ObjectKey]]:
        """Return the routes whose parent is a bound Service or ServiceEntry, by that parent."""
        found: dict[Subject, set[ObjectKey]] = {}
        for key, subjects in self._steering.items():
            for subject in subjects:
                found.setdefault(subject, set()).add(key)
        return {subject: frozenset(keys) for subject, keys in found.items()}
