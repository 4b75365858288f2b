"""Small clusters to send requests through, from manifests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gwtui.explain.course import Course, Explanation
from gwtui.explain.entries import Question, explained
from gwtui.explain.request import request_of
from gwtui.explain.terrain import Terrain
from gwtui.model.snapshot import ClusterView
from gwtui.model.topology import relate
from objects import decode

CLUSTER = "test"
GA = "gateway.networking.k8s.io"
KGATEWAY = "kgateway.dev/kgateway"

Json = dict[str, Any]


def gateway_class(name: str = "kgateway", controller: str = KGATEWAY) -> Json:
    return {
        "apiVersion": f"{GA}/v1",
        "kind": "GatewayClass",
        "metadata": {"name": name},
        "spec": {"controllerName": controller},
    }


def listener(name: str = "http", port: int = 80, protocol: str = "HTTP", **more: Any) -> Json:
    return {
        "name": name,
        "port": port,
        "protocol": protocol,
        "allowedRoutes": {"namespaces": {"from": "All"}},
        **more,
    }


def gateway(name: str, *listeners: Json, class_name: str = "kgateway", status: Json | None = None) -> list[Json]:
    """A Gateway with the Service that leads to it."""
    own = list(listeners) or [listener()]
    labels = {f"{GA}/gateway-name": name}
    return [
        {
            "apiVersion": f"{GA}/v1",
            "kind": "Gateway",
            "metadata": {"name": name, "namespace": "infra", "uid": f"uid-{name}"},
            "spec": {"gatewayClassName": class_name, "listeners": own},
            "status": status or {},
        },
        service("infra", name, *{each["port"] for each in own}, labels=labels),
    ]


def service(namespace: str, name: str, *ports: int, labels: Json | None = None, **spec: Any) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {}},
        "spec": {"ports": [{"port": port} for port in ports or (80,)], **spec},
    }


def app(namespace: str, name: str, ready: int = 1, total: int | None = None, port: int = 80) -> list[Json]:
    """A Service with its endpoints."""
    number = ready if total is None else total
    return [
        service(namespace, name, port),
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": f"{name}-1",
                "namespace": namespace,
                "labels": {"kubernetes.io/service-name": name},
            },
            "endpoints": [
                {"addresses": [f"10.0.0.{each}"], "conditions": {"ready": each < ready}} for each in range(number)
            ],
        },
    ]


def to(name: str, weight: int = 1, port: int = 80, **more: Any) -> Json:
    return {"name": name, "port": port, "weight": weight, **more}


def path(value: str, type_: str = "PathPrefix") -> Json:
    return {"path": {"type": type_, "value": value}}


def rule(*matches: Json, to: Iterable[Json] = (), **more: Any) -> Json:
    return {"matches": list(matches), "backendRefs": list(to), **more}


def route(
    namespace: str,
    name: str,
    parents: Iterable[str] | Iterable[Json],
    *rules: Json,
    hosts: Iterable[str] = (),
    kind: str = "HTTPRoute",
    created: str = "2026-01-01T00:00:00Z",
    **meta: Any,
) -> Json:
    """A route that its controller accepted on every parent."""
    refs = [each if isinstance(each, dict) else parent(each) for each in parents]
    accepted = {"type": "Accepted", "status": "True", "reason": "Accepted"}
    spec: Json = {"parentRefs": refs, "rules": list(rules)}
    if kind != "TCPRoute":
        spec["hostnames"] = list(hosts)
    return {
        "apiVersion": f"{GA}/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": created, **meta},
        "spec": spec,
        "status": {
            "parents": [{"parentRef": each, "controllerName": KGATEWAY, "conditions": [accepted]} for each in refs]
        },
    }


def parent(gateway_name: str, section: str = "") -> Json:
    found: Json = {"group": GA, "kind": "Gateway", "namespace": "infra", "name": gateway_name}
    return {**found, "sectionName": section} if section else found


def policy(namespace: str, name: str, target: Json, **spec: Any) -> Json:
    return {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": "TrafficPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"targetRefs": [target], **spec},
    }


def view(*manifests: Json | list[Json], without: Iterable[str] = ()) -> ClusterView:
    """The cluster of some manifests; kinds named in `without` were not read."""
    flat = [one for each in (gateway_class(), *manifests) for one in (each if isinstance(each, list) else [each])]
    objects = {kind: found for kind, found in decode(flat).items() if kind not in without}
    return ClusterView(name=CLUSTER, objects=objects, topology=relate(CLUSTER, objects))


def explain(cluster: ClusterView, line: str, entry: str = "") -> Explanation:
    """What becomes of a request, as it is typed."""
    namespace, _, name = entry.partition("/")
    question = Question(request=request_of(line), entry=(namespace, name) if entry else None)
    return explained((Terrain(cluster),), question)


def course(cluster: ClusterView, line: str, entry: str = "") -> Course:
    """The one course a request has."""
    (only,) = explain(cluster, line, entry).courses
    return only


def winner(cluster: ClusterView, line: str, entry: str = "") -> str:
    """`<namespace>/<route>:<rule>` that takes a request at its first gateway; empty where none does."""
    found = course(cluster, line, entry).first.contest
    if found is None or found.winner is None:
        return ""
    return f"{found.winner.route.namespace}/{found.winner.route.name}:{found.winner.rule_index}"
