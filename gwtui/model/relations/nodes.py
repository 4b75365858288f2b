"""One Gateway of the topology, put together from what was found out about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gwtui.model import resources
from gwtui.model.controllers import KGATEWAY_CONTROLLER
from gwtui.model.gateway_api import Gateway
from gwtui.model.ids import GatewayKey, ProxyKey, ServiceKey
from gwtui.model.relations.attachment import Attached
from gwtui.model.relations.conditions import condition_problems
from gwtui.model.relations.front_doors import PENDING
from gwtui.model.relations.inventory import Inventory
from gwtui.model.relations.mesh import membership_of, mesh_problems
from gwtui.model.relations.ownership import is_self_managed, unseen_parameters
from gwtui.model.relations.remarks import Remark, Unseen, unseen_in
from gwtui.model.shape import FrontDoor, GatewayNode, GatewayRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was found out about one Gateway."""

    gateway: Gateway
    routes: tuple[Attached, ...]
    services: tuple[ServiceKey, ...]
    proxies: tuple[ProxyKey, ...]
    doors: tuple[FrontDoor, ...]
    role: GatewayRole
    tier: int


def node_of(inventory: Inventory, key: GatewayKey, facts: Facts) -> GatewayNode:
    """Return the node of a Gateway, without what there is to say of it."""
    return GatewayNode(
        key=key,
        class_name=facts.gateway.spec.gateway_class_name,
        controller=inventory.controllers[key],
        tier=facts.tier,
        listeners=tuple(sorted(_listeners(inventory, key))),
        hostnames=tuple(sorted({hostname for attached in facts.routes for hostname in attached.hostnames})),
        namespaces=tuple(sorted({attached.key.namespace for attached in facts.routes})),
        routes=tuple(dict.fromkeys(attached.key for attached in facts.routes)),
        proxies=facts.proxies,
        services=facts.services,
        role=facts.role,
        mesh=membership_of(inventory, key, facts.proxies),
    )


def _listeners(inventory: Inventory, key: GatewayKey) -> Iterator[tuple[str, int, str]]:
    for listener in inventory.gateways[key].spec.listeners:
        yield listener.name, listener.port, listener.protocol
    for name, (gateway, listener_set) in inventory.listener_sets.items():
        for listener in listener_set.spec.listeners if gateway == key else ():
            yield f"{name[0]}/{name[1]}/{listener.name}", listener.port, listener.protocol


def remarks_of(inventory: Inventory, key: GatewayKey, facts: Facts) -> Iterator[Remark]:
    """Yield what is wrong with the Gateway itself and with the data plane made for it, or cannot be seen of it."""
    gateway = facts.gateway
    generation = gateway.metadata.generation
    yield from condition_problems(gateway.status.conditions, generation)
    for status in gateway.status.listeners:
        for problem in condition_problems(status.conditions, generation):
            yield f"listener {status.name}: {problem}"
    if inventory.was_read(resources.GATEWAY_CLASSES) and not inventory.controllers[key]:
        yield f"GatewayClass {gateway.spec.gateway_class_name or '(none)'} does not exist or names no controller"
    yield from mesh_problems(inventory, facts.proxies)
    yield from (f"{door.kind} has no address yet" for door in facts.doors if door.name == PENDING)
    if inventory.controllers[key] == KGATEWAY_CONTROLLER:
        if not gateway.status.conditions:
            yield "no status yet"
        if not is_self_managed(inventory, key, gateway):
            yield from _lacking(inventory, key, facts)


def _lacking(inventory: Inventory, key: GatewayKey, facts: Facts) -> Iterator[Remark]:
    """What kgateway should have made for the Gateway and was not found."""
    unseen = unseen_parameters(inventory, key, facts.gateway)
    for resource, found, what in (
        (resources.PODS, facts.proxies, "running proxy pod"),
        (resources.SERVICES, facts.services, "Service"),
    ):
        if found or not inventory.was_read(resource):
            continue
        if not inventory.was_read_in(resource, key.namespace):
            yield Unseen(f"its {what} {unseen_in(resource, key.namespace)}")
        elif unseen:
            names = ", ".join(f"{namespace}/{name}" for namespace, name in unseen)
            yield Unseen(f"no {what} was found for it; whether one should be depends on GatewayParameters {names}")
        else:
            yield f"no {what} was found for it"
