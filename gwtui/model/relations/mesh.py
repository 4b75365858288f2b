"""Whether a Gateway's own pods are in a service mesh: what is wished by labels and what really is, apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.istio import DATAPLANE_MODE, INJECT, INJECTED, INJECTION, MANAGED, REDIRECTION, REVISION
from gwtui.model.kubernetes import Pod
from gwtui.model.relations.controllers import PROXY_LABEL
from gwtui.model.relations.inventory import Inventory
from gwtui.model.shape import MeshMembership, MeshMode

SIDECAR_CONTAINER = "istio-proxy"
CERTIFICATE_CONTAINER = "sds"
"""What kgateway adds to its Envoy, with the container above, so that it can speak the mTLS of a sidecar mesh."""


def membership_of(inventory: Inventory, key: GatewayKey, proxies: Iterable[ProxyKey]) -> MeshMembership | None:
    """Return how the pods of a Gateway take part in a mesh; None when nothing asks for one and no pod is in one.

    Args:
        inventory: The cluster.
        key: The Gateway.
        proxies: Its running pods.
    """
    pods = [inventory.pods[(proxy.namespace, proxy.pod)] for proxy in proxies]
    for mode, joined, wished in (
        (MeshMode.AMBIENT, sum(map(is_captured, pods)), _wishes_ambient(inventory, key, pods)),
        (MeshMode.SIDECAR, sum(map(has_sidecar, pods)), _wishes_sidecar(inventory, key, pods)),
    ):
        if joined or wished:
            return MeshMembership(mode=mode, configured=wished, captured=joined, pods=len(pods))
    return None


def is_captured(pod: Pod) -> bool:
    """Whether ztunnel carries the pod's traffic."""
    return pod.metadata.annotations.get(REDIRECTION) == "enabled"


def has_sidecar(pod: Pod) -> bool:
    """Whether the pod speaks for a sidecar mesh: a sidecar was injected, or kgateway added its certificate agent.

    The name of a container alone proves nothing: Istio's own gateways and ztunnel use the same one.
    """
    if MANAGED in pod.metadata.labels or pod.metadata.labels.get("app") == "ztunnel":
        return False
    names = {container.name for container in (*pod.spec.containers, *pod.spec.init_containers)}
    if SIDECAR_CONTAINER not in names:
        return False
    return INJECTED in pod.metadata.annotations or _has_certificate_agent(pod, names)


def _has_certificate_agent(pod: Pod, names: set[str]) -> bool:
    return CERTIFICATE_CONTAINER in names and pod.metadata.labels.get(PROXY_LABEL[0]) == PROXY_LABEL[1]


def wishes_ambient(inventory: Inventory, namespace: str) -> bool:
    """Whether a namespace asks for its pods to join the ambient mesh."""
    return inventory.labels_of_namespace(namespace).get(DATAPLANE_MODE) == "ambient"


def _wishes_ambient(inventory: Inventory, key: GatewayKey, pods: Sequence[Pod]) -> bool:
    by_namespace = inventory.labels_of_namespace(key.namespace).get(DATAPLANE_MODE, "")
    own: list[Mapping[str, str]] = [pod.metadata.labels for pod in pods] or [_labels_to_come(inventory, key)]
    return any(labels.get(DATAPLANE_MODE, by_namespace) == "ambient" for labels in own)


def _wishes_sidecar(inventory: Inventory, key: GatewayKey, pods: Sequence[Pod]) -> bool:
    namespace = inventory.labels_of_namespace(key.namespace)
    by_namespace = namespace.get(INJECTION) == "enabled" or (INJECTION not in namespace and REVISION in namespace)
    own: list[Mapping[str, str]] = [_own_wishes(pod) for pod in pods] or [_labels_to_come(inventory, key)]
    wished = (by_namespace if INJECT not in wishes else wishes[INJECT] == "true" for wishes in own)
    return any(wished) or any(map(has_sidecar, pods))


def _own_wishes(pod: Pod) -> Mapping[str, str]:
    if MANAGED in pod.metadata.labels:
        return {INJECT: "false"}
    return {**pod.metadata.annotations, **pod.metadata.labels}


def _labels_to_come(inventory: Inventory, key: GatewayKey) -> Mapping[str, str]:
    """What pods of the Gateway will be labelled with, while there is none."""
    infrastructure = inventory.gateways[key].spec.infrastructure
    return infrastructure.labels if infrastructure is not None else {}


def mesh_problems(inventory: Inventory, proxies: Iterable[ProxyKey]) -> list[str]:
    """Return one line per pod whose traffic was captured before a ztunnel was there to carry it."""
    return [
        f"pod {proxy.pod}: its traffic is captured and no ztunnel carries it yet"
        for proxy in proxies
        if inventory.pods[(proxy.namespace, proxy.pod)].metadata.annotations.get(REDIRECTION) == "pending"
    ]
