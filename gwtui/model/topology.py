"""The shape of one cluster's gateway tier: gateways, tiers, hops and the pattern they form, from live objects alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gwtui.model import resources
from gwtui.model.ids import GatewayKey, ProxyKey, ServiceKey
from gwtui.model.relations.attachment import Attached, attach_routes
from gwtui.model.relations.backends import Resolver
from gwtui.model.relations.conditions import condition_problems
from gwtui.model.relations.edges import hops_of_routes
from gwtui.model.relations.front_doors import PENDING, front_doors_of
from gwtui.model.relations.inventory import Inventory, Objects
from gwtui.model.relations.ownership import gateways_of_services, is_self_managed, proxies_of_gateways
from gwtui.model.relations.patterns import Evidence, patterns_of
from gwtui.model.relations.tiers import tiers_of
from gwtui.model.shape import (
    EMPTY,
    FrontDoor,
    GatewayNode,
    Hop,
    PatternFound,
    RouteShare,
    ShareRole,
    Topology,
)

__all__ = [
    "EMPTY",
    "FrontDoor",
    "GatewayNode",
    "Hop",
    "PatternFound",
    "RouteShare",
    "ShareRole",
    "Topology",
    "relate",
]


def relate(cluster: str, objects: Objects) -> Topology:
    """Return the topology of one cluster. Equal objects give an equal topology, in whatever order they came.

    Half-made objects (a missing class, gateway or backend, no status, cycles) give problems, never an error. A kind
    that is absent from `objects` was not read: nothing is claimed to be missing from it.

    Args:
        cluster: Kubeconfig context; part of every key.
        objects: By group resource, then by (namespace, name), each as its `KindSpec.type`.
    """
    inventory = Inventory(cluster, objects)
    proxies = proxies_of_gateways(inventory)
    owners = gateways_of_services(inventory, proxies)
    services: dict[GatewayKey, list[ServiceKey]] = {}
    for (namespace, name), owner in sorted(owners.items()):
        services.setdefault(owner, []).append(ServiceKey(cluster, namespace, name))
    addresses = {
        address.value: key for key, gateway in inventory.gateways.items() for address in gateway.status.addresses
    }
    attachments = attach_routes(inventory)
    hops = hops_of_routes(attachments, Resolver(inventory=inventory, gateways=owners, addresses=addresses))
    tiers, cycles = tiers_of(inventory.gateways, hops)
    for cycle in cycles:
        path = " → ".join(str(key) for key in (*cycle, cycle[0]))
        for key in cycle:
            attachments.note(key, f"routes lead in a circle: {path}")
    doors = {
        key: found
        for key, gateway in inventory.gateways.items()
        if (found := front_doors_of(inventory, key, gateway, services.get(key, ())))
    }
    nodes = {
        key: _node(
            inventory,
            key,
            tier=tiers[key],
            placed=attachments.routes.get(key, []),
            services=services.get(key, []),
            proxies=proxies.get(key, []),
        )
        for key in inventory.gateways
    }
    for key, node in nodes.items():
        for problem in _gateway_problems(inventory, node, doors.get(key, ())):
            attachments.note(key, problem)
    nodes = {
        key: replace(node, problems=tuple(sorted(attachments.problems.get(key, ())))) for key, node in nodes.items()
    }
    return Topology(
        gateways=tuple(nodes.values()),
        hops=hops,
        front_doors=tuple(door for key in nodes if tiers[key] == 1 for door in doors.get(key, ())),
        patterns=patterns_of(Evidence(inventory=inventory, nodes=nodes, hops=hops, doors=doors)),
        problems=tuple(sorted(attachments.homeless)),
    )


def _node(
    inventory: Inventory,
    key: GatewayKey,
    *,
    tier: int,
    placed: list[Attached],
    services: list[ServiceKey],
    proxies: list[ProxyKey],
) -> GatewayNode:
    gateway = inventory.gateways[key]
    return GatewayNode(
        key=key,
        class_name=gateway.spec.gateway_class_name,
        controller=inventory.controllers[key],
        tier=tier,
        listeners=tuple(sorted(_listeners(inventory, key))),
        hostnames=tuple(sorted({hostname for attached in placed for hostname in attached.hostnames})),
        namespaces=tuple(sorted({attached.key.namespace for attached in placed})),
        routes=tuple(dict.fromkeys(attached.key for attached in placed)),
        proxies=tuple(proxies),
        services=tuple(services),
    )


def _listeners(inventory: Inventory, key: GatewayKey) -> Iterator[tuple[str, int, str]]:
    for listener in inventory.gateways[key].spec.listeners:
        yield listener.name, listener.port, listener.protocol
    for name, (gateway, listener_set) in inventory.listener_sets.items():
        for listener in listener_set.spec.listeners if gateway == key else ():
            yield f"{name[0]}/{name[1]}/{listener.name}", listener.port, listener.protocol


def _gateway_problems(inventory: Inventory, node: GatewayNode, doors: tuple[FrontDoor, ...]) -> list[str]:
    """What is wrong with the Gateway itself and with the data plane made for it."""
    gateway = inventory.gateways[node.key]
    generation = gateway.metadata.generation
    problems = [*condition_problems(gateway.status.conditions, generation)]
    for status in gateway.status.listeners:
        found = condition_problems(status.conditions, generation)
        problems.extend(f"listener {status.name}: {problem}" for problem in found)
    if inventory.was_read(resources.GATEWAY_CLASSES) and not node.controller:
        problems.append(f"GatewayClass {node.class_name or '(none)'} does not exist or names no controller")
    problems.extend(f"{door.kind} has no address yet" for door in doors if door.name == PENDING)
    if node.is_managed:
        if not gateway.status.conditions:
            problems.append("no status yet")
        if inventory.was_read(resources.PODS) and not node.proxies:
            problems.append("no running proxy pod was found for it")
        lacks_service = inventory.was_read(resources.SERVICES) and not node.services
        if lacks_service and not is_self_managed(inventory, node.key, gateway):
            problems.append("no Service was found for it")
    return problems
