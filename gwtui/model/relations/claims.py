"""What every route claims: the Gateways it is attached to by its status, or by its spec while it has no status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gwtui.model import resources
from gwtui.model.gateway_api import GATEWAY_API, GATEWAY_API_EXPERIMENTAL, ParentRef, Route
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.relations.conditions import condition_problems
from gwtui.model.relations.controllers import speaks_for
from gwtui.model.relations.inventory import Inventory
from gwtui.model.relations.waypoints import Bindings, Subject, subjects_of


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
    homeless: tuple[str, ...]
    """Problems that belong to no Gateway."""
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
    homeless = []
    for ref in route.spec.parent_refs:
        gateway = _gateway_of(inventory, bindings, ref, key.namespace)
        if gateway in inventory.gateways:
            if not route.status.parents:
                found[gateway] = Claim(is_accepted=True, problems=(f"{key}: no status yet, placed by its spec",))
        elif gateway is not None and inventory.was_read(resources.GATEWAYS):
            homeless.append(f"{key}: its parent Gateway {gateway} does not exist")
    return Claims(by_gateway=found, homeless=tuple(homeless), steers=tuple(subjects_of(bindings, key.namespace, route)))


def _gateway_of(inventory: Inventory, bindings: Bindings, ref: ParentRef, namespace: str) -> GatewayKey | None:
    """The Gateway a parentRef names, itself, by a ListenerSet or as the waypoint of a Service; None for others."""
    name = (ref.namespace or namespace, ref.name)
    if ref.group == GATEWAY_API and ref.kind == "Gateway":
        return GatewayKey(inventory.cluster, *name)
    if ref.group in {GATEWAY_API, GATEWAY_API_EXPERIMENTAL} and ref.kind in {"ListenerSet", "XListenerSet"}:
        return inventory.listener_sets[name][0] if name in inventory.listener_sets else None
    return bindings.parent(ref, namespace)


class Claimants:
    """Who claims each Gateway, kept up to date route by route."""

    def __init__(self) -> None:
        self._claims: dict[ObjectKey, Claims] = {}
        self._by_gateway: dict[GatewayKey, dict[ObjectKey, Claim]] = {}
        self._homeless: dict[ObjectKey, tuple[str, ...]] = {}
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
        """Problems that belong to no Gateway."""
        return {problem for problems in self._homeless.values() for problem in problems}

    def steered(self) -> dict[Subject, frozenset[ObjectKey]]:
        """Return the routes whose parent is a bound Service or ServiceEntry, by that parent."""
        found: dict[Subject, set[ObjectKey]] = {}
        for key, subjects in self._steering.items():
            for subject in subjects:
                found.setdefault(subject, set()).add(key)
        return {subject: frozenset(keys) for subject, keys in found.items()}
