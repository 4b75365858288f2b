"""What a service mesh leaves on pods: the annotation of istio-cni (ambient) and the injected sidecar.

Only the traces are played: nothing captures or encrypts traffic here.

*Source:* labels, annotations and container names of Istio 1.2x to 1.32.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from gwtui.playground.world import NAMESPACES, PODS, Json, World

MODE = "istio.io/dataplane-mode"
REDIRECTION = "ambient.istio.io/redirection"
_INJECTED = "sidecar.istio.io/status"
_IMAGE = "docker.io/istio/proxyv2:1.30.0"


def recaptured(world: World) -> Iterator[Json]:
    """The pods whose redirection annotation is not what it should be, as they should be.

    A pod is captured when it or, where it says nothing, its namespace asks for it, it has no sidecar, and there is a
    ztunnel to carry its traffic.
    """
    has_ztunnel = any(pod["metadata"].get("labels", {}).get("app") == "ztunnel" for pod in world.all(PODS))
    modes = {each["metadata"]["name"]: _labels(each).get(MODE, "") for each in world.all(NAMESPACES)}
    for pod in world.all(PODS):
        metadata = pod["metadata"]
        annotations = metadata.get("annotations", {})
        wished = _labels(pod).get(MODE, modes.get(metadata["namespace"], "")) == "ambient"
        wanted = has_ztunnel and wished and _INJECTED not in annotations
        if wanted and annotations.get(REDIRECTION) != "enabled":
            yield {**pod, "metadata": {**metadata, "annotations": {**annotations, REDIRECTION: "enabled"}}}
        elif not wanted and REDIRECTION in annotations:
            left = {key: value for key, value in annotations.items() if key != REDIRECTION}
            yield {**pod, "metadata": {**metadata, "annotations": left}}


def injected(pod: Json, namespace: Json) -> Json:
    """A new pod as the injection webhook lets it pass: with a sidecar where its namespace asks for sidecars."""
    labels = _labels(pod)
    by_namespace = "true" if _labels(namespace).get("istio-injection") == "enabled" else "false"
    if labels.get("sidecar.istio.io/inject", by_namespace) != "true":
        return pod
    metadata, spec = pod["metadata"], pod["spec"]
    added = {
        "initContainers": ["istio-init"],
        "containers": ["istio-proxy"],
        "volumes": ["istio-envoy", "istio-data", "istio-podinfo", "istio-token", "istiod-ca-cert"],
        "imagePullSecrets": None,
        "revision": "default",
    }
    mesh_labels = {
        "security.istio.io/tlsMode": "istio",
        "service.istio.io/canonical-name": labels.get("app", metadata["name"]),
        "service.istio.io/canonical-revision": "latest",
    }
    sidecar = {
        "name": "istio-proxy",
        "image": _IMAGE,
        "args": ["proxy", "sidecar"],
        "ports": [{"name": "http-envoy-prom", "containerPort": 15090, "protocol": "TCP"}],
    }
    return {
        **pod,
        "metadata": {
            **metadata,
            "labels": {**labels, **mesh_labels},
            "annotations": {**metadata.get("annotations", {}), _INJECTED: json.dumps(added)},
        },
        "spec": {
            **spec,
            "initContainers": [*spec.get("initContainers", ()), {"name": "istio-init", "image": _IMAGE}],
            "containers": [*spec["containers"], sidecar],
        },
    }


def _labels(item: Json) -> Json:
    labels: Json = item["metadata"].get("labels", {})
    return labels
