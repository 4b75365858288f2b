"""Kubernetes objects, cut down to the fields the console reads. Field names are the API's, in snake case.

All structs are frozen and take no part in garbage collection (`gc=False`): tens of thousands are alive at once and none
can be part of a cycle. Fields the API may omit have a default.
"""

from __future__ import annotations

from sys import intern

from msgspec import Struct, field
from msgspec.structs import force_setattr

from gwtui.model.meta import AuthoredMeta, Meta


class Condition(Struct, rename="camel", frozen=True, gc=False):
    """One status condition. Key on type, status and reason; messages change between releases."""

    type: str
    status: str = "Unknown"
    reason: str = ""
    message: str = ""
    observed_generation: int = 0
    last_transition_time: str = ""

    def __post_init__(self) -> None:
        # Most of the texts of a large cluster are here, few of them different. Written out: a loop takes twice as long,
        # and this runs some hundred thousand times while a large cluster is read.
        force_setattr(self, "type", intern(self.type))
        force_setattr(self, "status", intern(self.status))
        force_setattr(self, "reason", intern(self.reason))
        force_setattr(self, "message", intern(self.message))
        force_setattr(self, "last_transition_time", intern(self.last_transition_time))


class ServicePort(Struct, rename="camel", frozen=True, gc=False):
    port: int
    name: str = ""
    target_port: int | str | None = None
    protocol: str = "TCP"
    app_protocol: str = ""


class ServiceSpec(Struct, rename="camel", frozen=True, gc=False):
    type: str = "ClusterIP"
    ports: tuple[ServicePort, ...] = ()
    selector: dict[str, str] = field(default_factory=dict)
    cluster_ip: str = field(default="", name="clusterIP")
    external_name: str = ""
    load_balancer_class: str = ""


class IngressPoint(Struct, rename="camel", frozen=True, gc=False):
    """*Source:* `status.loadBalancer.ingress[]`."""

    ip: str = ""
    hostname: str = ""


class LoadBalancerStatus(Struct, rename="camel", frozen=True, gc=False):
    ingress: tuple[IngressPoint, ...] = ()


class ServiceStatus(Struct, rename="camel", frozen=True, gc=False):
    load_balancer: LoadBalancerStatus = LoadBalancerStatus()
    conditions: tuple[Condition, ...] = ()


class Service(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class Container(Struct, rename="camel", frozen=True, gc=False):
    name: str
    image: str = ""


class PodSpec(Struct, rename="camel", frozen=True, gc=False):
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    node_name: str = ""


class ContainerStatus(Struct, rename="camel", frozen=True, gc=False):
    name: str
    ready: bool = False
    restart_count: int = 0


class PodStatus(Struct, rename="camel", frozen=True, gc=False):
    phase: str = "Unknown"
    pod_ip: str = field(default="", name="podIP")
    start_time: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(Struct, rename="camel", frozen=True, gc=False):
    metadata: Meta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def is_ready(self) -> bool:
        """Whether the Ready condition is True. Testimony of the kubelet, not proof that traffic is served."""
        return any(c.type == "Ready" and c.status == "True" for c in self.status.conditions)


class EndpointConditions(Struct, rename="camel", frozen=True, gc=False):
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class TargetRef(Struct, rename="camel", frozen=True, gc=False):
    kind: str = ""
    name: str = ""
    namespace: str = ""


class Endpoint(Struct, rename="camel", frozen=True, gc=False):
    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()
    target_ref: TargetRef | None = None


class EndpointPort(Struct, rename="camel", frozen=True, gc=False):
    port: int | None = None
    name: str = ""


class EndpointSlice(Struct, rename="camel", frozen=True, gc=False):
    """*Source:* `discovery.k8s.io/v1`; belongs to the Service named by label `kubernetes.io/service-name`."""

    metadata: Meta
    served_endpoints: tuple[Endpoint, ...] | None = field(default=None, name="endpoints")
    """As served: the API writes null for a Service without endpoints. Read `endpoints`."""
    served_ports: tuple[EndpointPort, ...] | None = field(default=None, name="ports")
    """As served: may be null. Read `ports`."""

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints, ready or not."""
        return self.served_endpoints or ()

    @property
    def ports(self) -> tuple[EndpointPort, ...]:
        """The ports every endpoint serves."""
        return self.served_ports or ()


class Namespace(Struct, rename="camel", frozen=True, gc=False):
    metadata: Meta
