"""What a topology stands on: everything but the routes, the pods and what controllers report of Gateways.

These change all the time and are followed one by one. Anything else changes seldom, and then all is related anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from msgspec import structs

from gwtui.model import resources
from gwtui.model.controllers import KGATEWAY_CONTROLLER
from gwtui.model.gateway_api import Gateway, GatewayStatus
from gwtui.model.ids import GatewayKey, NamespacedName, ProxyKey, ServiceKey
from gwtui.model.relations.backends import Resolver
from gwtui.model.relations.differences import differing
from gwtui.model.relations.front_doors import front_doors_of
from gwtui.model.relations.inventory import Inventory, Scopes
from gwtui.model.relations.mesh import is_captured
from gwtui.model.relations.ownership import gateways_of_services, services_by_reference
from gwtui.model.relations.waypoints import Bindings, bindings_of
from gwtui.model.shape import FrontDoor

FOLLOWED = frozenset({*resources.ROUTES, resources.PODS, resources.GATEWAYS})
"""Kinds whose objects are followed one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What stands while routes, pods and the conditions of Gateways change, and what follows from it alone."""

    kinds: Mapping[str, Mapping[NamespacedName, Any]]
    """Every kind it was made from that is not followed."""
    read: frozenset[str]
    """Which of the followed kinds were read at all."""
    scopes: Scopes
    """Where the kinds were read that were not read in all namespaces."""
    gateways: Mapping[NamespacedName, Gateway]
    controllers: Mapping[GatewayKey, str]
    selectable: frozenset[GatewayKey]
    """Gateways whose Services, if any, are found by the labels of their pods."""
    selected_by: tuple[Mapping[str, str], ...]
    """Labels of those pods."""
    services: Mapping[GatewayKey, tuple[ServiceKey, ...]]
    """The Services of each Gateway that has any, sorted."""
    bindings: Bindings
    captured: frozenset[GatewayKey]
    """Gateways of kgateway all of whose pods ztunnel captured: they reach some Services through waypoints."""
    resolver: Resolver
    doors: Mapping[GatewayKey, tuple[FrontDoor, ...]]
    """The ways in from outside of each Gateway that has any."""

    def still_stands(self, inventory: Inventory, proxies: Mapping[GatewayKey, list[ProxyKey]]) -> bool:
        """Whether it would be the same if it were made from these objects."""
        now: Mapping[NamespacedName, Gateway] = inventory.of(resources.GATEWAYS)
        return (
            self.kinds == _kinds(inventory)
            and self.read == _read(inventory)
            and self.scopes == inventory.scopes
            and all(
                name in now and name in self.gateways and _unreported(now[name]) == _unreported(self.gateways[name])
                for name in differing(self.gateways, now)
            )
            and self.controllers == inventory.controllers
            and self.captured == _captured(inventory, proxies, self.bindings)
            and self.selected_by == _labels(inventory, proxies, self.selectable)
        )

    def diverted(self, source: GatewayKey) -> Mapping[ServiceKey, GatewayKey]:
        """The Services that a Gateway reaches through a waypoint.

        *Source:* kgateway sends to the waypoint where the gateway's pods are redirected, the Service is bound to one,
        and the Service or its namespace asks for it by `istio.io/ingress-use-waypoint`.
        """
        return self.bindings.for_ingress if source in self.captured else {}

    def over(self, inventory: Inventory) -> Ground:
        """Return the same ground under these objects, on which it still stands, so that earlier ones can go."""
        return replace(self, gateways=inventory.of(resources.GATEWAYS), resolver=self.resolver.over(inventory))


def ground_of(inventory: Inventory, proxies: Mapping[GatewayKey, list[ProxyKey]]) -> Ground:
    """Return the ground of one cluster.

    Args:
        inventory: The cluster.
        proxies: The running pods of each Gateway.
    """
    selectable = frozenset(inventory.gateways.keys() - set(services_by_reference(inventory).values()))
    owners = gateways_of_services(inventory, proxies)
    services: dict[GatewayKey, tuple[ServiceKey, ...]] = {}
    for (namespace, name), owner in sorted(owners.items()):
        services[owner] = (*services.get(owner, ()), ServiceKey(inventory.cluster, namespace, name))
    addresses = {
        address.value: key for key, gateway in inventory.gateways.items() for address in gateway.status.addresses
    }
    bindings = bindings_of(inventory, owners)
    return Ground(
        kinds=_kinds(inventory),
        read=_read(inventory),
        scopes=inventory.scopes,
        gateways=inventory.of(resources.GATEWAYS),
        controllers=inventory.controllers,
        selectable=selectable,
        selected_by=_labels(inventory, proxies, selectable),
        services=services,
        bindings=bindings,
        captured=_captured(inventory, proxies, bindings),
        resolver=Resolver(inventory=inventory, gateways=owners, addresses=addresses),
        doors={
            key: found
            for key, gateway in inventory.gateways.items()
            if (found := front_doors_of(inventory, key, gateway, services.get(key, ())))
        },
    )


def _captured(
    inventory: Inventory, proxies: Mapping[GatewayKey, list[ProxyKey]], bindings: Bindings
) -> frozenset[GatewayKey]:
    if not bindings.for_ingress:
        return frozenset()
    waypoints = bindings.ends.keys()
    return frozenset(
        key
        for key, pods in proxies.items()
        if pods
        and key not in waypoints
        and inventory.controllers.get(key) == KGATEWAY_CONTROLLER
        and all(is_captured(inventory.pods[pod.namespace, pod.pod]) for pod in pods)
    )


def _kinds(inventory: Inventory) -> dict[str, Mapping[NamespacedName, Any]]:
    return {kind: inventory.of(kind) for kind in resources.TOPOLOGY - FOLLOWED if inventory.was_read(kind)}


def _read(inventory: Inventory) -> frozenset[str]:
    return frozenset(filter(inventory.was_read, FOLLOWED))


def _unreported(gateway: Gateway) -> Gateway:
    """A Gateway without what its controller reports of it, apart from its addresses: clients and routes use those."""
    return structs.replace(
        gateway,
        metadata=structs.replace(gateway.metadata, resource_version="", generation=0),
        status=GatewayStatus(addresses=gateway.status.addresses),
    )


def _labels(
    inventory: Inventory, proxies: Mapping[GatewayKey, list[ProxyKey]], gateways: frozenset[GatewayKey]
) -> tuple[Mapping[str, str], ...]:
    return tuple(
        inventory.pods[(proxy.namespace, proxy.pod)].metadata.labels
        for key in sorted(gateways)
        for proxy in proxies.get(key, ())
    )
