"""Pods and EndpointSlices: the part of a cluster's own controllers that gateways depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from gwtui.playground.deployer import template_hash
from gwtui.playground.world import PODS, Json, World, is_owned, is_ready, owner_reference

NODE = "playground"
"""Name of the node all pods are on."""

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""What Kubernetes builds random name endings from: no vowels, no digits that look like letters."""


def name_ending(seed: str, length: int = 5) -> str:
    """A name ending like those Kubernetes makes up, the same for the same seed."""
    digest = hashlib.sha256(seed.encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:length])


def replica_set(deployment: Json) -> Json:
    """The ReplicaSet of the Deployment's present pod template."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    digest = template_hash(deployment)
    template = spec["template"]
    labels = {**template["metadata"].get("labels", {}), "pod-template-hash": digest}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{metadata['name']}-{digest}",
            "namespace": metadata["namespace"],
            "labels": labels,
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": spec.get("replicas", 1),
            "selector": {"matchLabels": {**spec["selector"]["matchLabels"], "pod-template-hash": digest}},
            "template": {"metadata": {**template["metadata"], "labels": labels}, "spec": template["spec"]},
        },
    }


def new_pod(owner: Json, serial: int) -> Json:
    """A pod of a stored ReplicaSet or DaemonSet; `serial` makes its name unique."""
    metadata, template = owner["metadata"], owner["spec"]["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{metadata['name']}-{name_ending(metadata['uid'] + str(serial))}",
            "namespace": metadata["namespace"],
            "labels": template["metadata"].get("labels", {}),
            "annotations": template["metadata"].get("annotations", {}),
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": {"nodeName": NODE, **template["spec"]},
    }


def excess_pods(current: list[Json], outdated: list[Json], replicas: int) -> list[Json]:
    """The pods to retire: those beyond the count, and of older templates as many as new ones are ready.

    Pods that are not ready go first, then the youngest.
    """
    kept = sorted(current, key=lambda pod: (not is_ready(pod), pod["metadata"].get("creationTimestamp", "")))
    replaced = sum(is_ready(pod) for pod in kept[:replicas])
    return kept[replicas:] + outdated[max(replicas - replaced, 0) :]


def pods_of(world: World, owner: Json) -> list[Json]:
    """The pods an object controls."""
    return [pod for pod in world.within(PODS, owner["metadata"]["namespace"]) if is_owned(pod, owner)]


def deployment_status(deployment: Json, pods: list[Json], since: str) -> Json:
    """The status of a Deployment from its pods; `since` is the time of a condition that changes now."""
    ready = sum(is_ready(pod) for pod in pods)
    wanted = deployment["spec"].get("replicas", 1)
    available = "True" if ready >= wanted else "False"
    reason = "MinimumReplicasAvailable" if ready >= wanted else "MinimumReplicasUnavailable"
    held = {each["type"]: each for each in deployment.get("status", {}).get("conditions", ())}.get("Available")
    changed = held["lastTransitionTime"] if held and held["status"] == available else since
    return {
        "observedGeneration": deployment["metadata"].get("generation", 1),
        "replicas": len(pods),
        "updatedReplicas": len(pods),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": max(wanted - ready, 0),
        "conditions": [
            {
                "type": "Available",
                "status": available,
                "reason": reason,
                "message": f"{ready} of {wanted} pods are ready.",
                "lastTransitionTime": changed,
                "lastUpdateTime": changed,
            }
        ],
    }


def replica_set_status(owner: Json, pods: list[Json]) -> Json:
    """The status of a ReplicaSet from its pods."""
    ready = sum(is_ready(pod) for pod in pods)
    return {
        "observedGeneration": owner["metadata"].get("generation", 1),
        "replicas": len(pods),
        "fullyLabeledReplicas": len(pods),
        "readyReplicas": ready,
        "availableReplicas": ready,
    }


def daemon_set_status(owner: Json, ready: int) -> Json:
    """The status of a DaemonSet, `ready` being the number of nodes where its pod is."""
    counts = ("currentNumberScheduled", "desiredNumberScheduled", "numberAvailable", "numberReady")
    return {
        "observedGeneration": owner["metadata"].get("generation", 1),
        "numberMisscheduled": 0,
        "updatedNumberScheduled": ready,
        **dict.fromkeys(counts, ready),
    }


def endpoint_slice(service: Json, pods: list[Json]) -> Json | None:
    """The EndpointSlice of a Service over all pods of its namespace, or None when it selects nothing by itself."""
    metadata, spec = service["metadata"], service["spec"]
    selector = spec.get("selector")
    if not selector:
        return None
    chosen = [pod for pod in pods if _is_selected(pod, selector) and pod.get("status", {}).get("podIP")]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{metadata['name']}-{name_ending(metadata['uid'])}",
            "namespace": metadata["namespace"],
            "labels": {
                "kubernetes.io/service-name": metadata["name"],
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            },
            "ownerReferences": [owner_reference(service)],
        },
        "addressType": "IPv4",
        "endpoints": [_endpoint(pod) for pod in chosen],
        "ports": [
            {
                "name": port.get("name", ""),
                "port": _target_port(port, chosen),
                "protocol": port.get("protocol", "TCP"),
            }
            for port in spec.get("ports", ())
        ],
    }


def _is_selected(pod: Json, selector: Mapping[str, str]) -> bool:
    labels = pod["metadata"].get("labels", {})
    return all(labels.get(key) == value for key, value in selector.items())


def _endpoint(pod: Json) -> Json:
    metadata = pod["metadata"]
    leaving = bool(metadata.get("deletionTimestamp"))
    ready = is_ready(pod)
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready and not leaving, "serving": ready, "terminating": leaving},
        "targetRef": {
            "kind": "Pod",
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
    }


def _target_port(port: Json, pods: list[Json]) -> int:
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for pod in pods:
        for container in pod["spec"].get("containers", ()):
            for each in container.get("ports", ()):
                if each.get("name") == target:
                    return int(each["containerPort"])
    return int(port["port"])
