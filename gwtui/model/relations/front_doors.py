"""What stands before a Gateway: its load balancer, its node ports, the addresses it claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gwtui.model.controllers import AWS_CONTROLLERS
from gwtui.model.gateway_api import Gateway
from gwtui.model.ids import GatewayKey, ServiceKey
from gwtui.model.kubernetes import Service
from gwtui.model.relations.backends import service_of_host
from gwtui.model.relations.inventory import Inventory
from gwtui.model.shape import FrontDoor

AWS_TYPE = "service.beta.kubernetes.io/aws-load-balancer-type"
AWS_TARGET_TYPE = "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type"
AWS_NLB_CLASS = "service.k8s.aws/nlb"
NLB_TYPES = frozenset({"external", "nlb", "nlb-ip"})

PENDING = "pending"
"""Name of a load balancer that has no address yet."""


def nlb_evidence(service: Service) -> str:
    """Return what makes this Service an AWS network load balancer, as `key=value`; empty when nothing does."""
    if service.spec.type != "LoadBalancer":
        return ""
    annotations = service.metadata.annotations
    if service.spec.load_balancer_class == AWS_NLB_CLASS:
        return f"loadBalancerClass={AWS_NLB_CLASS}"
    if annotations.get(AWS_TYPE, "") in NLB_TYPES:
        return f"{AWS_TYPE}={annotations[AWS_TYPE]}"
    return f"{AWS_TARGET_TYPE}={annotations[AWS_TARGET_TYPE]}" if AWS_TARGET_TYPE in annotations else ""


def addresses_of_service(service: Service) -> tuple[str, ...]:
    """Return the addresses its load balancer was given, sorted; a host name is preferred to an IP of the same entry."""
    return tuple(sorted({point.hostname or point.ip for point in service.status.load_balancer.ingress} - {""}))


def front_doors_of(
    inventory: Inventory, key: GatewayKey, gateway: Gateway, services: Iterable[ServiceKey]
) -> tuple[FrontDoor, ...]:
    """Return every way in from outside the cluster, sorted: none means the Gateway is not exposed."""
    own = tuple(services)
    doors = set(_by_services(inventory, key, own))
    if not doors:
        kind = AWS_CONTROLLERS.get(inventory.controllers.get(key, ""), "Address")
        inside = {_cluster_ip(inventory, service) for service in own}
        for address in gateway.status.addresses:
            names_itself = service_of_host(address.value) in {(service.namespace, service.name) for service in own}
            if address.value and address.value not in inside and not names_itself:
                doors.add(FrontDoor(gateway=key, kind=kind, name=address.value))
    return tuple(sorted(doors, key=lambda door: (door.kind, door.name)))


def _cluster_ip(inventory: Inventory, key: ServiceKey) -> str:
    service = inventory.services.get((key.namespace, key.name))
    return service.spec.cluster_ip if service is not None else ""


def _by_services(inventory: Inventory, gateway: GatewayKey, services: Iterable[ServiceKey]) -> Iterator[FrontDoor]:
    for key in services:
        service = inventory.services[(key.namespace, key.name)]
        match service.spec.type:
            case "LoadBalancer":
                kind = "NLB" if nlb_evidence(service) else "LoadBalancer"
                for address in addresses_of_service(service) or (PENDING,):
                    yield FrontDoor(gateway=gateway, kind=kind, name=address)
            case "NodePort":
                yield FrontDoor(gateway=gateway, kind="NodePort", name=str(key))
            case _:
                pass
