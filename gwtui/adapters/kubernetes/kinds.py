"""The kinds of Kubernetes itself that the console reads."""

from __future__ import annotations

from gwtui.model.ingress import NETWORKING, Ingress, IngressClass
from gwtui.model.kinds import KindSpec
from gwtui.model.kubernetes import EndpointSlice, Namespace, Pod, Service

NAMESPACES = KindSpec(
    group="", versions=("v1",), plural="namespaces", kind="Namespace", type=Namespace, namespaced=False, optional=False
)
SERVICES = KindSpec(group="", versions=("v1",), plural="services", kind="Service", type=Service, optional=False)
PODS = KindSpec(group="", versions=("v1",), plural="pods", kind="Pod", type=Pod, optional=False)
ENDPOINT_SLICES = KindSpec(
    group="discovery.k8s.io",
    versions=("v1",),
    plural="endpointslices",
    kind="EndpointSlice",
    type=EndpointSlice,
    optional=False,
)
INGRESSES = KindSpec(group=NETWORKING, versions=("v1",), plural="ingresses", kind="Ingress", type=Ingress)
INGRESS_CLASSES = KindSpec(
    group=NETWORKING,
    versions=("v1",),
    plural="ingressclasses",
    kind="IngressClass",
    type=IngressClass,
    namespaced=False,
)

CORE_KINDS = (NAMESPACES, SERVICES, PODS, ENDPOINT_SLICES, INGRESSES, INGRESS_CLASSES)
