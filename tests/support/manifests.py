"""Manifests as an author writes them, without defaults; the namespace comes from the path they are sent to."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
GATEWAY_API = "gateway.networking.k8s.io/v1"


def config_map(name: str = "one", data: dict[str, str] | None = None, **metadata: Any) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": data or {"a": "1"}}


def service(name: str = "shop", *ports: Json, **metadata: Any) -> Json:
    spec = {"ports": list(ports) or [{"name": "http", "port": 80}], "selector": {"app": name}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, **metadata}, "spec": spec}


def pod(name: str = "proxy", **metadata: Any) -> Json:
    container = {"name": "envoy", "image": "envoy", "ports": [{"containerPort": 9091, "name": "stats"}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}, **metadata},
        "spec": {"containers": [container]},
    }


def deployment(name: str = "edge", *containers: Json, **metadata: Any) -> Json:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": list(containers) or [{"name": "envoy", "image": "envoy"}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, **metadata},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template},
    }


def gateway(name: str = "edge", *listeners: Json, **metadata: Any) -> Json:
    return {
        "apiVersion": GATEWAY_API,
        "kind": "Gateway",
        "metadata": {"name": name, **metadata},
        "spec": {
            "gatewayClassName": "kgateway",
            "listeners": list(listeners) or [{"name": "http", "port": 80, "protocol": "HTTP"}],
        },
    }


def route(name: str = "shop", weight: int | None = None, **metadata: Any) -> Json:
    backend = {"name": "shop", "port": 80} | ({} if weight is None else {"weight": weight})
    return {
        "apiVersion": GATEWAY_API,
        "kind": "HTTPRoute",
        "metadata": {"name": name, **metadata},
        "spec": {
            "parentRefs": [{"name": "edge"}],
            "hostnames": ["shop.example"],
            "rules": [{"backendRefs": [backend]}],
        },
    }
