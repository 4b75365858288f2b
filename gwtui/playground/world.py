"""The objects of the cluster at one moment, as the controller and the translation read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

Json = dict[str, Any]
"""A Kubernetes object or an Envoy resource, as decoded from JSON or YAML."""

Addresses = Mapping[tuple[str, str, int], tuple[str, int]]
"""Where a port really listens: (namespace, pod, port) to (host, port) on loopback.

A host outside the cluster is in it under its name, with an empty namespace.
"""

GATEWAY_API = "gateway.networking.k8s.io"
KGATEWAY = "gateway.kgateway.dev"
ISTIO_NETWORKING = "networking.istio.io"
ASKED_FOR = "playground.gwtui.dev/"
"""Start of the annotations that the playground heeds and no cluster does."""
CONTROLLER = "kgateway.dev/kgateway"
"""Value of `spec.controllerName` of the classes this controller claims."""

NAMESPACES = "namespaces"
SERVICES = "services"
PODS = "pods"
SECRETS = "secrets"
DEPLOYMENTS = "deployments.apps"
REPLICASETS = "replicasets.apps"
DAEMONSETS = "daemonsets.apps"
ENDPOINT_SLICES = "endpointslices.discovery.k8s.io"
GATEWAY_CLASSES = f"gatewayclasses.{GATEWAY_API}"
GATEWAYS = f"gateways.{GATEWAY_API}"
HTTP_ROUTES = f"httproutes.{GATEWAY_API}"
GRPC_ROUTES = f"grpcroutes.{GATEWAY_API}"
REFERENCE_GRANTS = f"referencegrants.{GATEWAY_API}"
PARAMETERS = f"gatewayparameters.{KGATEWAY}"
TRAFFIC_POLICIES = f"trafficpolicies.{KGATEWAY}"
LISTENER_POLICIES = f"listenerpolicies.{KGATEWAY}"
BACKEND_POLICIES = f"backendconfigpolicies.{KGATEWAY}"
DIRECT_RESPONSES = f"directresponses.{KGATEWAY}"
SERVICE_ENTRIES = f"serviceentries.{ISTIO_NETWORKING}"

WATCHED = (
    NAMESPACES,
    SERVICES,
    PODS,
    SECRETS,
    DEPLOYMENTS,
    REPLICASETS,
    ENDPOINT_SLICES,
    GATEWAY_CLASSES,
    GATEWAYS,
    HTTP_ROUTES,
    GRPC_ROUTES,
    REFERENCE_GRANTS,
    PARAMETERS,
    TRAFFIC_POLICIES,
    LISTENER_POLICIES,
    BACKEND_POLICIES,
    DIRECT_RESPONSES,
    SERVICE_ENTRIES,
)
"""Everything the controller reads; a change of anything else does not concern it."""


class Lister(Protocol):
    """The part of the object store a world is read from."""

    def scan(self, resource: str) -> list[Json]:
        """Every object of one resource, as stored."""
        ...


class World:
    """An index over objects. It is read only: nobody may change the objects in it."""

    def __init__(self, objects: Mapping[str, Iterable[Json]]) -> None:
        self._objects = {
            resource: {key_of(item): item for item in sorted(items, key=key_of)} for resource, items in objects.items()
        }

    @classmethod
    def read(cls, store: Lister) -> World:
        """The world as the store holds it now."""
        return cls({resource: store.scan(resource) for resource in WATCHED})

    def all(self, resource: str) -> list[Json]:
        """Every object of a resource, ordered by namespace and name."""
        return list(self._objects.get(resource, {}).values())

    def within(self, resource: str, namespace: str) -> list[Json]:
        """The objects of a resource in one namespace."""
        return [item for (owner, _), item in self._objects.get(resource, {}).items() if owner == namespace]

    def get(self, resource: str, namespace: str, name: str) -> Json | None:
        """One object, or None."""
        return self._objects.get(resource, {}).get((namespace, name))

    def gateways(self) -> list[Json]:
        """The Gateways whose class belongs to this controller."""
        classes = {
            item["metadata"]["name"]
            for item in self.all(GATEWAY_CLASSES)
            if item["spec"].get("controllerName") == CONTROLLER
        }
        return [item for item in self.all(GATEWAYS) if item["spec"].get("gatewayClassName") in classes]

    def slices(self, namespace: str, service: str) -> list[Json]:
        """The EndpointSlices of one Service."""
        return [
            item
            for item in self.within(ENDPOINT_SLICES, namespace)
            if item["metadata"].get("labels", {}).get("kubernetes.io/service-name") == service
        ]


def key_of(item: Json) -> tuple[str, str]:
    """(namespace, name); the namespace is empty for cluster-scoped objects."""
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def owner_reference(owner: Json) -> Json:
    """The reference by which an object names its controller."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_owned(item: Json, owner: Json) -> bool:
    """Whether `owner` is among the owners of `item`, by uid."""
    uid = owner["metadata"].get("uid")
    return any(ref.get("uid") == uid for ref in item["metadata"].get("ownerReferences", ()))


def is_ready(pod: Json) -> bool:
    """Whether the pod's Ready condition is True."""
    conditions = pod.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
