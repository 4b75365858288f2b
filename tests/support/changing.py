"""A central ingress with routes of one's own and figures of one's own, to judge changes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import yaml

from gwtui.model.health import ProxyState, SourceHealth, SourceState
from gwtui.model.ids import GatewayKey, ObjectKey, ProxyKey
from gwtui.model.known import Known, Unknown
from gwtui.model.snapshot import ClusterView, Point, ProxyView, Snapshot
from gwtui.model.topology import relate
from gwtui.model.traffic import ClusterTraffic, ProxyTraffic, RouteTraffic
from objects import GOLDEN, Objects, decode

NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
CLUSTER = "demo"
GA = "gateway.networking.k8s.io"
HTTP_ROUTES = f"httproutes.{GA}"
ENDPOINT_SLICES = "endpointslices.discovery.k8s.io"
EDGE, SHARD_A, SHARD_B = (GatewayKey(CLUSTER, "infra", name) for name in ("edge", "shard-a", "shard-b"))
TO_A, TO_B = "kube_infra_shard-a_8080", "kube_infra_shard-b_8080"
OLD, NEW = "2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z"
NONE = Unknown("no requests in the window")

Document = dict[str, Any]


@cache
def _central_ingress() -> tuple[Document, ...]:
    text = (GOLDEN / "topology" / "central-ingress.in.yaml").read_text(encoding="utf-8")
    return tuple(each for each in yaml.safe_load_all(text) if each)


def fleet(*manifests: Document, without: Iterable[str] = ("HTTPRoute",)) -> list[Document]:
    """The manifests of the central ingress, its own routes left out, and more."""
    return deepcopy([*(each for each in _central_ingress() if each["kind"] not in set(without)), *manifests])


def ref(name: str, weight: int | None = None, port: int | None = 8080, **more: Any) -> Document:
    found: Document = {"name": name, **({"port": port} if port else {}), **more}
    return found if weight is None else {**found, "weight": weight}


def rule(*refs: Document | str, path: str | None = None, **more: Any) -> Document:
    found: Document = {"backendRefs": [ref(each) if isinstance(each, str) else each for each in refs], **more}
    if path is not None:
        kind = {"=": "Exact", "~": "RegularExpression"}.get(path[0], "PathPrefix")
        found["matches"] = [{"path": {"type": kind, "value": path.lstrip("=~")}}]
    return found


def route(
    name: str,
    *rules: Document,
    namespace: str = "infra",
    gateways: Sequence[str] = ("edge",),
    hosts: Sequence[str] = ("shop.example.com",),
    kind: str = "HTTPRoute",
    created: str = OLD,
    parents: Sequence[Document] | None = None,
    **metadata: Any,
) -> Document:
    """A route that its gateways accepted."""
    refs = [{"name": each, "namespace": "infra"} for each in gateways] if parents is None else list(parents)
    version = "v1alpha2" if kind in {"TCPRoute", "TLSRoute"} else "v1"
    accepted = {"type": "Accepted", "status": "True", "reason": "Accepted", "observedGeneration": 1}
    told = [
        {"parentRef": each, "controllerName": "kgateway.dev/kgateway", "conditions": [accepted]}
        for each in refs
        if each.get("kind", "Gateway") == "Gateway"
    ]
    return {
        "apiVersion": f"{GA}/{version}",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "generation": 1,
            "uid": f"uid-{namespace}-{name}",
            "creationTimestamp": created,
            **metadata,
        },
        "spec": {
            "parentRefs": refs,
            **({"hostnames": list(hosts)} if kind != "TCPRoute" and hosts else {}),
            "rules": list(rules),
        },
        "status": {"parents": told},
    }


def service(name: str, namespace: str, port: int = 8080, **fields: Any) -> Document:
    spec = {"ports": [{"port": port, **fields}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def endpoints(name: str, namespace: str, ready: int, unready: int = 0) -> Document:
    found = [{"addresses": [f"10.0.0.{at}"], "conditions": {"ready": at < ready}} for at in range(ready + unready)]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{name}-1", "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
        "endpoints": found or None,
    }


def exposing(name: str, namespace: str = "infra", prefix: str = "{{route_namespace}}/{{route_name}}/{{rule_name}}"):
    """A policy that gives every rule of a route counters of its own."""
    return {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": "TrafficPolicy",
        "metadata": {"name": f"of-{name}", "namespace": namespace},
        "spec": {"targetRefs": [{"group": GA, "kind": "HTTPRoute", "name": name}], "statPrefix": prefix},
    }


def edited(document: Document, change: Callable[[Document], Any]) -> Document:
    """A copy of a route with something changed in its spec."""
    draft = deepcopy(document)
    change(draft["spec"])
    return draft


def weights(document: Document, *values: int, at: int = 0) -> Document:
    """A copy with other weights in one rule."""
    draft = deepcopy(document)
    for each, value in zip(draft["spec"]["rules"][at]["backendRefs"], values, strict=True):
        each["weight"] = value
    return draft


def key_of(document: Document) -> ObjectKey:
    plural = f"{document['kind'].lower()}s.{GA}"
    return ObjectKey(CLUSTER, plural, document["metadata"]["namespace"], document["metadata"]["name"])


def rate(value: float) -> Known[float]:
    return Known(value, NOW)


def traffic(
    rps: float,
    clusters: Mapping[str, float] | None = None,
    routes: Mapping[str, float] | None = None,
    members: Mapping[str, tuple[int, int]] | None = None,
) -> ProxyTraffic:
    seen = {**dict.fromkeys(members or {}, 0.0), **(clusters or {})}
    return ProxyTraffic(
        rps=rate(rps),
        error_ratio=NONE,
        p50_ms=NONE,
        p99_ms=NONE,
        active=NONE,
        clusters={
            name: ClusterTraffic(
                rps=rate(value),
                error_ratio=NONE,
                members_healthy=(members or {}).get(name, (None, None))[0],
                members_total=(members or {}).get(name, (None, None))[1],
            )
            for name, value in seen.items()
        },
        routes={
            ("listener~8080~shop_example_com", prefix): RouteTraffic(rps=rate(value), error_ratio=NONE)
            for prefix, value in (routes or {}).items()
        },
    )


def proxy(
    pod: str, figures: ProxyTraffic | None, series: Sequence[float | None] = (), every_s: float = 2.0
) -> ProxyView:
    """A proxy of the central ingress; without figures it does not answer."""
    began = NOW - timedelta(seconds=every_s * (len(series) - 1))
    points = tuple(Point(began + timedelta(seconds=every_s * at), rps=value) for at, value in enumerate(series))
    key = ProxyKey(CLUSTER, "infra", pod)
    if figures is None:
        return ProxyView(key=key, state=ProxyState.FAILING, reason="connection refused", series=points)
    return ProxyView(key=key, state=ProxyState.LIVE, traffic=figures, series=points)


def ready_sources(objects: Objects) -> dict[str, SourceHealth]:
    return {name: SourceHealth(state=SourceState.READY, since=NOW) for name in ("api", *objects)}


def snapshot_of(manifests: Iterable[Document], *proxies: ProxyView) -> Snapshot:
    """Everything known of a cluster of these objects, all kinds read."""
    objects = decode(manifests)
    view = ClusterView(name=CLUSTER, objects=objects, topology=relate(CLUSTER, objects), sources=ready_sources(objects))
    return Snapshot(revision=1, clusters={CLUSTER: view}, proxies={each.key: each for each in proxies})


def without_kind(snapshot: Snapshot, *resources: str) -> Snapshot:
    """The same where some kinds were not read."""
    view = snapshot.clusters[CLUSTER]
    objects = {name: found for name, found in view.objects.items() if name not in resources}
    left = replace(view, objects=objects, topology=relate(CLUSTER, objects))
    return replace(snapshot, clusters={CLUSTER: left})
