"""The objects the control plane makes for a Gateway: ServiceAccount, ConfigMap, Service and Deployment.

*Source:* names, labels, annotations, ports and probes of kgateway 2.4.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from gwtui.playground.control_plane import speaks_mesh_tls
from gwtui.playground.world import (
    CONTROLLER,
    DEPLOYMENTS,
    GATEWAY_CLASSES,
    KGATEWAY,
    PARAMETERS,
    SERVICES,
    Json,
    World,
    owner_reference,
)

ADMIN_PORT = 19000
READINESS_PORT = 8082
STATS_PORT = 9091
PROXY_CONTAINER = "kgateway-proxy"
_VERSION = "v2.4.3"
_IMAGE = f"cr.kgateway.dev/kgateway-dev/envoy-wrapper:{_VERSION}"
_NAME_LIMIT = 63


def safe_name(name: str) -> str:
    """The name kgateway gives to everything it makes for a Gateway: cut and hashed beyond 63 characters."""
    if len(name) <= _NAME_LIMIT:
        return name
    return f"{name[:50].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def parameters(world: World, gateway: Json) -> Json:
    """`spec.kube` of the GatewayParameters in force: the Gateway's own over those of its class."""
    gateway_class = world.get(GATEWAY_CLASSES, "", gateway["spec"]["gatewayClassName"]) or {"spec": {}}
    refs = (
        (gateway_class["spec"].get("parametersRef"), ""),
        ((gateway["spec"].get("infrastructure") or {}).get("parametersRef"), gateway["metadata"]["namespace"]),
    )
    merged: Json = {}
    for ref, namespace in refs:
        if ref and ref.get("group") == KGATEWAY:
            found = world.get(PARAMETERS, ref.get("namespace", namespace), ref["name"])
            merged = _merge(merged, (found or {"spec": {}})["spec"].get("kube") or {})
    return merged


def objects_for(world: World, gateway: Json) -> list[Json]:
    """The objects of one Gateway of ours, in the order to be written."""
    settings = parameters(world, gateway)
    companions = _mesh_containers(settings) if speaks_mesh_tls(world) else []
    name, namespace = safe_name(gateway["metadata"]["name"]), gateway["metadata"]["namespace"]
    infrastructure = gateway["spec"].get("infrastructure") or {}
    selector = {
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/name": name,
        "gateway.networking.k8s.io/gateway-name": name,
    }
    shared = {
        **selector,
        "app.kubernetes.io/component": "proxy",
        "gateway.networking.k8s.io/gateway-class-name": gateway["spec"]["gatewayClassName"],
        "kgateway": "kube-gateway",
        **infrastructure.get("labels", {}),
    }
    labels = {**shared, "app.kubernetes.io/managed-by": "kgateway", "app.kubernetes.io/version": _VERSION}
    annotations = dict(infrastructure.get("annotations", {}))

    def metadata(existing: Json | None = None, extra: Json | None = None) -> Json:
        held = existing["metadata"] if existing else {}
        return {
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "annotations": {**held.get("annotations", {}), **annotations, **(extra or {})},
            "ownerReferences": [owner_reference(gateway)],
            # Those of another controller, such as that of a cloud's load balancers, are not ours to drop.
            "finalizers": held.get("finalizers", []),
        }

    service = world.get(SERVICES, namespace, name)
    deployment = world.get(DEPLOYMENTS, namespace, name)
    service_settings = settings.get("service") or {}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata()},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(), "data": {"envoy.yaml": _role(gateway)}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata(service, service_settings.get("extraAnnotations")),
            "spec": _overlaid(_service_spec(gateway, service_settings, selector, service), settings),
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(deployment),
            "spec": {
                **_replicas(settings, deployment),
                "selector": {"matchLabels": selector},
                "template": {
                    "metadata": {
                        "labels": {**shared, **extra_labels(settings)},
                        "annotations": _pod_annotations(gateway, settings, deployment),
                    },
                    "spec": {
                        "serviceAccountName": name,
                        "terminationGracePeriodSeconds": 60,
                        "containers": [_container(gateway), *companions],
                    },
                },
            },
        },
    ]


def extra_labels(settings: Json) -> Mapping[str, str]:
    """Extra labels of the pods, from the pod template settings."""
    extra: Mapping[str, str] = (settings.get("podTemplate") or {}).get("extraLabels", {})
    return extra


def listener_ports(gateway: Json) -> list[int]:
    """The distinct ports of a Gateway's listeners, ascending."""
    return sorted({listener["port"] for listener in gateway["spec"].get("listeners", ())})


def proxy_role(gateway: Json) -> str:
    """`node.metadata.role` of the Gateway's proxies."""
    metadata = gateway["metadata"]
    return f"kgateway-kube-gateway-api~{metadata['namespace']}~{metadata['name']}"


def template_hash(deployment: Json) -> str:
    """The hash that names the ReplicaSet of a pod template: another template, another set of pods."""
    template = json.dumps(deployment["spec"]["template"], sort_keys=True)
    return hashlib.sha256(template.encode()).hexdigest()[:9]


def _role(gateway: Json) -> str:
    return json.dumps({"node": {"metadata": {"role": proxy_role(gateway)}}, "controller": CONTROLLER}, indent=2)


def _service_spec(gateway: Json, settings: Json, selector: Json, existing: Json | None) -> Json:
    held = existing["spec"] if existing else {}
    spec: Json = {
        # Addresses are the API server's to assign and to keep.
        **{field: held[field] for field in ("clusterIP", "clusterIPs") if field in held},
        "type": settings.get("type", "LoadBalancer"),
        "selector": selector,
        "ports": [
            {"name": f"listener-{port}", "port": port, "targetPort": port, "protocol": "TCP"}
            for port in listener_ports(gateway)
        ],
    }
    if load_balancer_class := settings.get("loadBalancerClass"):
        spec["loadBalancerClass"] = load_balancer_class
    return spec


def _overlaid(spec: Json, settings: Json) -> Json:
    """The Service with `serviceOverlay.spec` on top: a strategic merge patch, in which ports are told by their number.

    The rest of what an overlay may hold (metadata, those of other objects) is not played.
    """
    overlay = (settings.get("serviceOverlay") or {}).get("spec") or {}
    ports = {each["port"]: each for each in overlay.get("ports", ())}
    merged = _merge(spec, {name: value for name, value in overlay.items() if name != "ports"})
    merged["ports"] = [{**each, **ports.pop(each["port"], {})} for each in spec["ports"]] + list(ports.values())
    return merged


def _replicas(settings: Json, existing: Json | None) -> Json:
    # Without a wish of the GatewayParameters the count belongs to whoever scales the Deployment.
    wanted = (settings.get("deployment") or {}).get("replicas")
    held = existing["spec"].get("replicas") if existing else None
    return {"replicas": wanted if wanted is not None else held if held is not None else 1}


def _pod_annotations(gateway: Json, settings: Json, existing: Json | None) -> Json:
    held = existing["spec"]["template"]["metadata"].get("annotations", {}) if existing else {}
    return {
        **held,
        "gateway.kgateway.dev/gateway-full-name": gateway["metadata"]["name"],
        "prometheus.io/path": "/metrics",
        "prometheus.io/port": str(STATS_PORT),
        "prometheus.io/scrape": "true",
        **(settings.get("podTemplate") or {}).get("extraAnnotations", {}),
    }


def _mesh_containers(settings: Json) -> list[Json]:
    """The holder of a sidecar mesh's certificates, and the agent that fetches them: it runs no Envoy of its own."""
    agent = (settings.get("istio") or {}).get("istioProxyContainer") or {}
    authority = agent.get("istioDiscoveryAddress", "istiod.istio-system.svc:15012")
    environment = {"DISABLE_ENVOY": "true", "CA_ADDR": authority, "OUTPUT_CERTS": "/etc/istio-certs"}
    return [
        {
            "name": "sds",
            "image": f"cr.kgateway.dev/kgateway-dev/sds:{_VERSION}",
            "ports": [{"name": "sds", "containerPort": 8234, "protocol": "TCP"}],
        },
        {
            "name": "istio-proxy",
            "image": "docker.io/istio/proxyv2:1.30.0",
            "args": ["proxy", "sidecar"],
            "env": [{"name": name, "value": value} for name, value in environment.items()],
        },
    ]


def _container(gateway: Json) -> Json:
    ports = [{"name": f"listener-{port}", "containerPort": port, "protocol": "TCP"} for port in listener_ports(gateway)]
    probe = {"httpGet": {"path": "/ready", "port": READINESS_PORT, "scheme": "HTTP"}}
    return {
        "name": PROXY_CONTAINER,
        "image": _IMAGE,
        "ports": [*ports, {"name": "http-monitoring", "containerPort": STATS_PORT, "protocol": "TCP"}],
        "readinessProbe": {**probe, "periodSeconds": 10},
        "startupProbe": {**probe, "periodSeconds": 1, "failureThreshold": 60},
    }


def _merge(base: Json, over: Json) -> Json:
    merged = dict(base)
    for key, value in over.items():
        merged[key] = _merge(merged[key], value) if isinstance(value, dict) and key in merged else value
    return merged
