"""What stands before a Gateway: load balancers, Ingresses of other proxies, node ports, the addresses it claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gwtui.model import aws, resources
from gwtui.model.controllers import AWS_CONTROLLERS
from gwtui.model.gateway_api import Gateway
from gwtui.model.ids import GatewayKey, NamespacedName, ServiceKey
from gwtui.model.ingress import Ingress
from gwtui.model.kubernetes import LoadBalancerStatus, Service
from gwtui.model.relations.backends import service_of_host
from gwtui.model.relations.ingresses import ALB, proxy_of_ingress
from gwtui.model.relations.inventory import Inventory
from gwtui.model.shape import FrontDoor

NLB = "NLB"
AWS = "AWS"
"""A load balancer of AWS of which nothing tells the kind."""

PENDING = "pending"
"""Name of a load balancer that has no address yet."""

FOREIGN = frozenset({NLB, ALB, AWS, "HAProxy", "Ingress"})
"""Kinds of front door that are proxies of their own, not a plain way to the pods."""


def nlb_evidence(service: Service) -> str:
    """Return what makes this Service an AWS network load balancer; empty when nothing does."""
    if service.spec.type != "LoadBalancer":
        return ""
    annotations = service.metadata.annotations
    if service.spec.load_balancer_class == aws.NLB_CLASS:
        return f"loadBalancerClass={aws.NLB_CLASS}"
    if annotations.get(aws.TYPE_ANNOTATION, "") in aws.NLB_TYPES:
        return f"{aws.TYPE_ANNOTATION}={annotations[aws.TYPE_ANNOTATION]}"
    if aws.TARGET_TYPE_ANNOTATION in annotations:
        return f"{aws.TARGET_TYPE_ANNOTATION}={annotations[aws.TARGET_TYPE_ANNOTATION]}"
    if aws.SERVICE_FINALIZER in service.metadata.finalizers:
        return f"finalizer {aws.SERVICE_FINALIZER}"
    host = next(filter(aws.is_nlb_host, addresses_of(service.status.load_balancer)), "")
    return f"hostname {host}" if host else ""


def addresses_of(status: LoadBalancerStatus) -> tuple[str, ...]:
    """Return the addresses a load balancer was given, sorted; a host name is preferred to an IP of the same entry."""
    return tuple(sorted({point.hostname or point.ip for point in status.ingress} - {""}))


def front_doors_of(
    inventory: Inventory, key: GatewayKey, gateway: Gateway, services: Iterable[ServiceKey]
) -> tuple[FrontDoor, ...]:
    """Return every way in from outside the cluster, sorted: none means the Gateway is not exposed."""
    own = tuple(services)
    doors = set(_by_services(inventory, key, own))
    for service in own:
        doors.update(_by_ingresses(inventory, key, (service.namespace, service.name)))
    known = {door.kind for door in doors}
    for service in own:
        found = _by_target_groups(inventory, key, (service.namespace, service.name))
        doors.update(door for door in found if door.kind not in known)
    if not doors:
        doors.update(_by_addresses(inventory, key, gateway, own))
    return tuple(sorted(doors, key=lambda door: (door.kind, door.name, door.evidence)))


def _by_addresses(
    inventory: Inventory, key: GatewayKey, gateway: Gateway, own: tuple[ServiceKey, ...]
) -> Iterator[FrontDoor]:
    controller = inventory.controllers.get(key, "")
    inside = {_cluster_ip(inventory, service) for service in own}
    for address in gateway.status.addresses:
        names_itself = service_of_host(address.value) in {(service.namespace, service.name) for service in own}
        if address.value and address.value not in inside and not names_itself:
            if controller in AWS_CONTROLLERS:
                kind, evidence = AWS_CONTROLLERS[controller], f"controller {controller}"
            elif aws.is_nlb_host(address.value):
                kind, evidence = NLB, f"hostname {address.value}"
            else:
                kind, evidence = "Address", "status.addresses"
            yield FrontDoor(gateway=key, kind=kind, name=address.value, evidence=f"Gateway {key}: {evidence}")


def _cluster_ip(inventory: Inventory, key: ServiceKey) -> str:
    service = inventory.services.get((key.namespace, key.name))
    return service.spec.cluster_ip if service is not None else ""


def _by_services(inventory: Inventory, gateway: GatewayKey, services: Iterable[ServiceKey]) -> Iterator[FrontDoor]:
    for key in services:
        service = inventory.services[(key.namespace, key.name)]
        where = f"Service {key}"
        match service.spec.type:
            case "LoadBalancer":
                nlb = nlb_evidence(service)
                evidence = f"{where}: {nlb or _plain_evidence(service)}"
                for address in addresses_of(service.status.load_balancer) or (PENDING,):
                    yield FrontDoor(
                        gateway=gateway, kind=NLB if nlb else "LoadBalancer", name=address, evidence=evidence
                    )
            case "NodePort":
                yield FrontDoor(gateway=gateway, kind="NodePort", name=str(key), evidence=f"{where}: type=NodePort")
            case _:
                pass


def _plain_evidence(service: Service) -> str:
    if service.spec.load_balancer_class:
        return f"loadBalancerClass={service.spec.load_balancer_class}"
    classic = next(filter(aws.is_alb_or_classic_host, addresses_of(service.status.load_balancer)), "")
    return f"hostname {classic}, a classic load balancer of AWS" if classic else "type=LoadBalancer"


def _by_ingresses(inventory: Inventory, gateway: GatewayKey, service: NamespacedName) -> Iterator[FrontDoor]:
    ingresses: Mapping[NamespacedName, Ingress] = inventory.of(resources.INGRESSES)
    for name in inventory.ingresses_of_services.get(service, ()):
        ingress = ingresses[name]
        kind, evidence = proxy_of_ingress(inventory, ingress)
        # Only the controller for ALBs is known to write an address always; others may leave the status empty.
        without = PENDING if kind == ALB else f"{name[0]}/{name[1]}"
        for address in addresses_of(ingress.status.load_balancer) or (without,):
            yield FrontDoor(
                gateway=gateway, kind=kind, name=address, evidence=f"Ingress {name[0]}/{name[1]}: {evidence}"
            )


def _by_target_groups(inventory: Inventory, gateway: GatewayKey, service: NamespacedName) -> Iterator[FrontDoor]:
    bindings: Mapping[NamespacedName, aws.TargetGroupBinding] = inventory.of(resources.TARGET_GROUP_BINDINGS)
    for name in inventory.bindings_of_services.get(service, ()):
        binding = bindings[name]
        group = binding.spec.target_group_name or binding.spec.target_group_arn.partition("targetgroup/")[2]
        yield FrontDoor(
            gateway=gateway,
            kind=binding.kind_of_balancer or AWS,
            name=group or f"{name[0]}/{name[1]}",
            evidence=f"TargetGroupBinding {name[0]}/{name[1]}: serviceRef {service[1]}",
        )
