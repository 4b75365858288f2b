"""Which routes are attached to which Gateway, directly, through a ListenerSet, or as children of an attached route."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gwtui.model import resources
from gwtui.model.gateway_api import (
    GATEWAY_API,
    GATEWAY_API_EXPERIMENTAL,
    BackendRef,
    HttpRoute,
    ParentRef,
    Route,
    RouteParentStatus,
)
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.kgateway import DELEGATION, DELEGATION_LABEL
from gwtui.model.observations import NamespacedName
from gwtui.model.relations.conditions import condition_problems
from gwtui.model.relations.inventory import Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """One route in its place under a Gateway."""

    key: ObjectKey
    route: Route
    hostnames: tuple[str, ...]
    """Its own, or those of the parent it was delegated by."""


@dataclass(slots=True, kw_only=True)
class Attachments:
    """Every route in its place, and what was wrong on the way."""

    routes: dict[GatewayKey, list[Attached]] = field(default_factory=dict)
    problems: dict[GatewayKey, set[str]] = field(default_factory=dict)
    homeless: set[str] = field(default_factory=set)
    """Problems that belong to no Gateway."""

    def note(self, gateway: GatewayKey, problem: str) -> None:
        """Record a problem of one Gateway."""
        self.problems.setdefault(gateway, set()).add(problem)


def attach_routes(inventory: Inventory) -> Attachments:
    """Place every route.

    A route is attached where its status says so: `Accepted` is True, written by the controller of the Gateway's class.
    A route without any status is placed by its spec, and that is noted as a problem. Children of a delegating route
    are placed with it; that a child's paths lie under its parent's prefix is not checked.
    """
    attachments = Attachments()
    for key, route in inventory.routes():
        claims: dict[GatewayKey, bool] = {}
        if route.status.parents:
            for parent in route.status.parents:
                gateway = _gateway_of(inventory, parent.parent_ref, key.namespace)
                if gateway in inventory.gateways and parent.controller_name == inventory.controllers[gateway]:
                    accepted = _note_claims(attachments, gateway, key, route, parent)
                    claims[gateway] = claims.get(gateway, False) or accepted
        else:
            for ref in route.spec.parent_refs:
                gateway = _gateway_of(inventory, ref, key.namespace)
                if gateway in inventory.gateways:
                    attachments.note(gateway, f"{key}: no status yet, placed by its spec")
                    claims[gateway] = True
        _note_missing_gateways(inventory, attachments, key, route)
        for gateway, accepted in claims.items():
            if accepted:
                placed = attachments.routes.setdefault(gateway, [])
                placed.append(Attached(key=key, route=route, hostnames=route.spec.hostnames))
    for gateway, placed in attachments.routes.items():
        _add_children(inventory, attachments, gateway, placed)
        placed.sort(key=lambda attached: (attached.key, attached.hostnames))
    return attachments


def _gateway_of(inventory: Inventory, ref: ParentRef, namespace: str) -> GatewayKey | None:
    """The Gateway a parentRef names, itself or by a ListenerSet; None for other parents (Service, HTTPRoute)."""
    name = (ref.namespace or namespace, ref.name)
    if ref.group == GATEWAY_API and ref.kind == "Gateway":
        return GatewayKey(inventory.cluster, *name)
    if ref.group in {GATEWAY_API, GATEWAY_API_EXPERIMENTAL} and ref.kind in {"ListenerSet", "XListenerSet"}:
        return inventory.listener_sets[name][0] if name in inventory.listener_sets else None
    return None


def _note_claims(
    attachments: Attachments, gateway: GatewayKey, key: ObjectKey, route: Route, parent: RouteParentStatus
) -> bool:
    """Record what the controller says is wrong with the route under this parent; return whether it is accepted."""
    for problem in condition_problems(parent.conditions, route.metadata.generation):
        attachments.note(gateway, f"{key}: {problem}")
    return any(claim.type == "Accepted" and claim.status == "True" for claim in parent.conditions)


def _note_missing_gateways(inventory: Inventory, attachments: Attachments, key: ObjectKey, route: Route) -> None:
    if not inventory.was_read(resources.GATEWAYS):
        return
    for ref in route.spec.parent_refs:
        gateway = _gateway_of(inventory, ref, key.namespace)
        if gateway is not None and gateway not in inventory.gateways:
            attachments.homeless.add(f"{key}: its parent Gateway {gateway} does not exist")


def _add_children(inventory: Inventory, attachments: Attachments, gateway: GatewayKey, placed: list[Attached]) -> None:
    """Add the delegated descendants of the routes in `placed`, each once per set of hostnames."""
    pending = list(placed)
    seen = {(attached.key, attached.hostnames) for attached in placed}
    while pending:
        parent = pending.pop()
        if not isinstance(parent.route, HttpRoute):
            continue
        for ref in (ref for rule in parent.route.spec.rules for ref in rule.backend_refs if is_delegation(ref)):
            names = tuple(_children(inventory, ref, parent.key))
            if not names:
                attachments.note(gateway, f"{parent.key}: delegates to {ref.name}, which does not exist")
            for name in names:
                child = Attached(
                    key=ObjectKey(inventory.cluster, resources.HTTP_ROUTES, *name),
                    route=inventory.http_routes[name],
                    hostnames=parent.hostnames,
                )
                if child.key == parent.key:
                    attachments.note(gateway, f"{parent.key}: delegates to itself")
                elif (child.key, child.hostnames) not in seen:
                    seen.add((child.key, child.hostnames))
                    placed.append(child)
                    pending.append(child)


def is_delegation(ref: BackendRef) -> bool:
    """Whether a backendRef hands the request to child routes instead of a backend."""
    return (ref.group, ref.kind) in {(GATEWAY_API, "HTTPRoute"), (DELEGATION, "label")}


def _children(inventory: Inventory, ref: BackendRef, parent: ObjectKey) -> Iterator[NamespacedName]:
    """Routes a delegating backendRef names that accept this parent."""
    namespace = ref.namespace or parent.namespace
    if ref.group == DELEGATION:
        spaces = sorted(inventory.http_route_names) if namespace == "all" else [namespace]
        named = ((space, name) for space in spaces for name in inventory.http_route_names.get(space, ()))
        names = [
            name for name in named if inventory.http_routes[name].metadata.labels.get(DELEGATION_LABEL) == ref.name
        ]
    elif ref.name == "*":
        names = [(namespace, name) for name in inventory.http_route_names.get(namespace, ())]
    else:
        names = [(namespace, ref.name)] if (namespace, ref.name) in inventory.http_routes else []
    own = (parent.namespace, parent.name)
    return (name for name in names if (ref.name != "*" or name != own) and _accepts(inventory, name, own))


def _accepts(inventory: Inventory, child: NamespacedName, parent: NamespacedName) -> bool:
    """Whether the child names no parent at all, or this one."""
    refs = inventory.http_routes[child].spec.parent_refs
    pinned = (
        (ref.namespace or child[0], ref.name) for ref in refs if (ref.group, ref.kind) == (GATEWAY_API, "HTTPRoute")
    )
    return not refs or child == parent or parent in pinned
