"""A fleet with every kind of route and much that is wrong with some, from manifests and counters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gwtui.model.health import ProxyState, SourceHealth, SourceState
from gwtui.model.ids import ProxyKey
from gwtui.model.measuring import measure
from gwtui.model.samples import ClusterSample, ProxySample, RouteSample
from gwtui.model.snapshot import ClusterView, ProxyView, Snapshot
from gwtui.model.topology import relate
from objects import Objects, decode

NOW = datetime(2026, 3, 1, 14, 2, 50, tzinfo=UTC)
CLUSTER = "prod-eu"
GA = "gateway.networking.k8s.io"
KGATEWAY, OTHER = "kgateway.dev/kgateway", "example.com/other"
GOOD = ("Accepted", "ResolvedRefs", "kgateway.dev/Programmed")
SPAN_S = 10

Json = dict[str, Any]


def condition(kind: str, status: str = "True", reason: str = "", message: str = "", generation: int = 4) -> Json:
    return {
        "type": kind,
        "status": status,
        "reason": reason or kind.rpartition("/")[2],
        "message": message,
        "observedGeneration": generation,
    }


def said(gateway: str, *conditions: Json, generation: int = 4, controller: str = KGATEWAY) -> Json:
    """What a controller says of a parent: all good, but for the conditions that are given."""
    own = {each["type"]: each for each in conditions}
    every = [own.get(kind) or condition(kind, generation=generation) for kind in GOOD]
    every += [each for kind, each in own.items() if kind not in GOOD]
    return {"parentRef": parent(gateway), "controllerName": controller, "conditions": every}


def parent(gateway: str) -> Json:
    return {"group": GA, "kind": "Gateway", "namespace": "infra", "name": gateway}


def to(name: str, weight: int = 1, port: int = 80, **more: Any) -> Json:
    return {"name": name, "port": port, "weight": weight, **more}


def route(kind: str, namespace: str, name: str, gateway: str, *rules: Json, **more: Any) -> Json:
    status = more.pop("status", [said(gateway)])
    hostnames = more.pop("hostnames", [] if kind in {"TCPRoute", "UDPRoute"} else ["shop.example.com"])
    meta = {"name": name, "namespace": namespace, "generation": 4, "creationTimestamp": "2026-02-17T14:02:50Z"}
    spec = {"parentRefs": [parent(gateway)] if gateway else [], "rules": list(rules)}
    return {
        "apiVersion": f"{GA}/v1",
        "kind": kind,
        "metadata": {**meta, **more},
        "spec": {**spec, **({"hostnames": hostnames} if hostnames else {})},
        "status": {"parents": status},
    }


def path(value: str, kind: str = "PathPrefix", **more: Any) -> Json:
    return {"path": {"type": kind, "value": value}, **more}


ARGO = {"argocd.argoproj.io/tracking-id": f"edge:{GA}/HTTPRoute:infra/shop"}
CANARY = {
    "name": "canary",
    "matches": [path("/cart", headers=[{"name": "x-canary", "value": "1"}], method="GET"), path("/basket", "Exact")],
    "filters": [
        {
            "type": "URLRewrite",
            "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v2"}},
        },
        {
            "type": "RequestHeaderModifier",
            "requestHeaderModifier": {"set": [{"name": "x-tier", "value": "2"}], "remove": ["cookie", "via"]},
        },
        {"type": "RequestMirror", "requestMirror": {"backendRef": to("search", namespace="bar"), "percent": 10}},
    ],
    "backendRefs": [to("cart", 3), to("cart-next", 1)],
    "timeouts": {"request": "10s", "backendRequest": "2s"},
}
REDIRECT = {
    "matches": [path("/old")],
    "filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}],
}
REPLACED = condition("kgateway.dev/Programmed", "False", "RouteRuleReplaced", "Replaced Rule (0): invalid regex")
LATE = said("shard-a", generation=3)


def manifests() -> Iterator[Json]:
    for name, controller in (("kgateway", KGATEWAY), ("ai", "agentgateway.dev/agentgateway")):
        yield {
            "apiVersion": f"{GA}/v1",
            "kind": "GatewayClass",
            "metadata": {"name": name},
            "spec": {"controllerName": controller},
        }
    for name, pods in (("edge", 2), ("shard-a", 1), ("shard-b", 1), ("models", 0)):
        yield {
            "apiVersion": f"{GA}/v1",
            "kind": "Gateway",
            "metadata": {"name": name, "namespace": "infra", "generation": 4},
            "spec": {
                "gatewayClassName": "ai" if name == "models" else "kgateway",
                "listeners": [
                    {
                        "name": "http",
                        "port": 8080,
                        "protocol": "HTTP",
                        "allowedRoutes": {"namespaces": {"from": "All"}},
                    }
                ],
            },
            "status": {"conditions": [condition("Accepted"), condition("Programmed")]},
        }
        labels = {f"{GA}/gateway-name": name, "kgateway": "kube-gateway"}
        yield service("infra", name, 8080, labels)
        for number in range(pods):
            yield {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": f"{name}-{number}", "namespace": "infra", "labels": labels},
                "spec": {"containers": [{"name": "kgateway-proxy"}]},
                "status": {"phase": "Running", "podIP": f"10.0.0.{number + 1}"},
            }
    for namespace, name in (
        *(("foo", each) for each in ("cart", "cart-next", "search", "orders", "db", "queue", "dns", "child")),
        ("bar", "search"),
    ):
        yield service(namespace, name, 80, {})
    yield {
        "apiVersion": f"{GA}/v1",
        "kind": "ReferenceGrant",
        "metadata": {"name": "copies", "namespace": "bar"},
        "spec": {
            "from": [{"group": GA, "kind": "HTTPRoute", "namespace": "foo"}],
            "to": [{"group": "", "kind": "Service"}],
        },
    }
    yield from routes()


def service(namespace: str, name: str, port: int, labels: Mapping[str, str]) -> Json:
    meta = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": port}]}}


def routes() -> Iterator[Json]:
    shards = {"backendRefs": [to("shard-a", 90, 8080), to("shard-b", 10, 8080)], "matches": [path("/")]}
    yield route("HTTPRoute", "infra", "shop", "edge", shards, annotations=ARGO)
    yield {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": "TrafficPolicy",
        "metadata": {"name": "stats", "namespace": "infra"},
        "spec": {
            "targetRefs": [{"group": GA, "kind": "HTTPRoute", "name": "shop"}],
            "statPrefix": "{{route_namespace}}.{{route_name}}",
        },
    }
    missing = condition("ResolvedRefs", "False", "BackendNotFound", "Service foo/missing not found")
    gone = {"matches": [path("/gone")], "backendRefs": [to("missing")]}
    yield route("HTTPRoute", "foo", "cart", "shard-a", CANARY, REDIRECT, gone, status=[said("shard-a", missing)])
    search = {"matches": [path("/search/.*", "RegularExpression")], "backendRefs": [to("search")]}
    yield route("HTTPRoute", "foo", "search", "shard-a", search, status=[said("shard-a", REPLACED)])
    yield route("HTTPRoute", "foo", "late", "shard-a", {"backendRefs": [to("search")]}, status=[LATE])
    yield route("HTTPRoute", "bar", "lost", "nowhere", {"backendRefs": [to("search", 0)]}, status=[])
    refused = condition("Accepted", "False", "NotAllowedByListeners", "no listener of theirs")
    both = [said("edge", refused, controller=OTHER), said("edge")]
    yield route(
        "HTTPRoute", "foo", "foreign", "edge", {"backendRefs": [to("orders")]}, status=both, hostnames=["*.example.com"]
    )
    yield route(
        "HTTPRoute", "foo", "drained", "edge", {"backendRefs": [to("cart", 0), to("search", 0)]}, hostnames=["a.test"]
    )
    yield route(
        "HTTPRoute",
        "foo",
        "prompt",
        "models",
        {"backendRefs": [to("search")]},
        status=[said("models", controller="agentgateway.dev/agentgateway")],
    )
    below = {"matches": [path("/team")], "backendRefs": [{"group": GA, "kind": "HTTPRoute", "name": "child"}]}
    yield route("HTTPRoute", "foo", "parent", "edge", below, hostnames=["team.example.com"])
    yield route(
        "HTTPRoute",
        "foo",
        "child",
        "",
        {"matches": [path("/team/a")], "backendRefs": [to("child")]},
        hostnames=[],
        status=[],
    )
    order = {"matches": [{"method": {"service": "shop.Orders", "method": "Place"}}], "backendRefs": [to("orders")]}
    yield route("GRPCRoute", "foo", "orders", "shard-b", order, hostnames=["orders.example.com"])
    yield route("TLSRoute", "foo", "db", "edge", {"backendRefs": [to("db")]}, hostnames=["db.example.com"])
    yield route("TCPRoute", "foo", "queue", "edge", {"backendRefs": [to("queue")]})
    yield route("UDPRoute", "foo", "dns", "edge", {"backendRefs": [to("dns")]})


Counts = Mapping[str, tuple[int, int, int, int]]
"""Requests and 5xx in the window, healthy and all endpoints, by Envoy cluster."""

TRAFFIC: Mapping[str, tuple[Counts, Mapping[tuple[str, str], tuple[int, int]]]] = {
    "edge-0": (
        {
            "kube_infra_shard-a_8080": (700, 0, 1, 1),
            "kube_infra_shard-b_8080": (300, 0, 1, 1),
            "kube_foo_orders_80": (50, 1, 2, 2),
            "kube_foo_child_80": (20, 0, 1, 1),
        },
        {("listener~8080~shop_example_com", "infra.shop"): (1000, 20)},
    ),
    "edge-1": (
        {"kube_infra_shard-a_8080": (710, 0, 1, 1), "kube_infra_shard-b_8080": (290, 0, 1, 1)},
        {("listener~8080~shop_example_com", "infra.shop"): (1000, 0)},
    ),
    "shard-a-0": (
        {
            "kube_foo_cart_80": (400, 0, 1, 3),
            "kube_foo_cart-next_80": (400, 0, 2, 2),
            "kube_foo_search_80": (90, 0, 2, 2),
        },
        {},
    ),
}
"""What each proxy counted; shard-b's does not answer."""


def objects() -> Objects:
    return decode(manifests())


def snapshot(found: Objects | None = None) -> Snapshot:
    held = objects() if found is None else found
    topology = relate(CLUSTER, held)
    ready = SourceHealth(state=SourceState.READY, since=NOW - timedelta(seconds=95))
    view = ClusterView(name=CLUSTER, objects=held, topology=topology, sources={f"gateways.{GA}": ready, "api": ready})
    keys = [key for node in topology.gateways for key in node.proxies]
    return Snapshot(
        revision=1, clusters={CLUSTER: view}, proxies={key: proxy(key) for key in keys if key.pod in TRAFFIC}
    )


def proxy(key: ProxyKey) -> ProxyView:
    clusters, counted = TRAFFIC[key.pod]
    samples = tuple(
        ProxySample(
            taken_mono=float(part * SPAN_S),
            taken_at=NOW - timedelta(seconds=2 + (1 - part) * SPAN_S),
            requests=part * 1000,
            errors_5xx=0,
            errors_4xx=0,
            active=1,
            uptime_s=100 + part,
            latency=None,
            clusters={
                name: ClusterSample(
                    requests=part * sent, errors_5xx=part * failed, members_healthy=healthy, members_total=every
                )
                for name, (sent, failed, healthy, every) in clusters.items()
            },
            routes={
                name: RouteSample(requests=part * sent, errors_5xx=part * failed)
                for name, (sent, failed) in counted.items()
            },
        )
        for part in (0, 1)
    )
    return ProxyView(
        key=key,
        state=ProxyState.LIVE,
        traffic=measure(samples, window_s=10),
        way="pod proxy",
        answered_at=samples[-1].taken_at,
        samples=samples,
    )
