"""Identities. Every one starts with the cluster (a kubeconfig context), so that several clusters never mix."""

from __future__ import annotations

from typing import NamedTuple

NamespacedName = tuple[str, str]
"""(namespace, name); the namespace is empty for cluster-scoped objects."""


class ObjectKey(NamedTuple):
    """One Kubernetes object."""

    cluster: str
    """Kubeconfig context."""
    resource: str
    """Group resource as kubectl writes it: `services`, `httproutes.gateway.networking.k8s.io`."""
    namespace: str
    """Empty for cluster-scoped kinds."""
    name: str

    def __str__(self) -> str:
        short = self.resource.partition(".")[0]
        return f"{short}/{self.namespace}/{self.name}" if self.namespace else f"{short}/{self.name}"


class GatewayKey(NamedTuple):
    """One Gateway API Gateway and the data plane made for it."""

    cluster: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class ProxyKey(NamedTuple):
    """One running data-plane process: a pod."""

    cluster: str
    namespace: str
    pod: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.pod}"


class ExternalKey(NamedTuple):
    """A destination outside the cluster, known by its host name or address."""

    cluster: str
    """The cluster that sends to it."""
    host: str

    def __str__(self) -> str:
        return self.host


class ServiceKey(NamedTuple):
    """One Kubernetes Service."""

    cluster: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"
