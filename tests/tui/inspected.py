"""A fleet whose proxies were inspected, with something wrong in each way there is, and pages that tell of it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from gwtui.errors import GwtuiError
from gwtui.model.gateway_api import HttpRoute, HttpRouteSpec, HttpRule
from gwtui.model.ids import ObjectKey, ProxyKey
from gwtui.model.inspection import (
    BoundListener,
    Build,
    Certificate,
    ConfigDigest,
    ConfigKind,
    ConfigResource,
    Endpoint,
    Inspection,
    Statistic,
    Upstream,
)
from gwtui.model.kgateway import SectionRef, TrafficPolicy, TrafficPolicySpec
from gwtui.model.known import Known, Unknown
from gwtui.model.meta import Meta
from gwtui.model.resources import HTTP_ROUTES, TRAFFIC_POLICIES
from gwtui.model.samples import ServiceSample
from gwtui.model.services import follow_services
from gwtui.model.snapshot import Point, ProxyView, Snapshot
from gwtui.model.traffic import ListenerTraffic, RouteTraffic
from tests.tui import fleet
from tests.tui.fleet import CLUSTER, NOW, seen

SEEN_AT = NOW - timedelta(seconds=2)
EDGE_1 = ProxyKey(CLUSTER, "infra", "edge-5f6d8-abc12")
EDGE_2 = ProxyKey(CLUSTER, "infra", "edge-5f6d8-def23")
SHARD_A = ProxyKey(CLUSTER, "infra", "shard-a-66d4c-j9k8l")
SHARD_B = ProxyKey(CLUSTER, "infra", "shard-b-7c9f5-x2x4z")
ROUTES_80 = "listener~80"

BUILD = Build(
    version="1.38.1",
    revision="f92612bb07cf0ab6d5ceed40f9eb9b1e",
    flavour="Clean/RELEASE/BoringSSL",
    node_id="edge-5f6d8-abc12.infra",
    node_cluster="edge.infra",
    uptime_s=1_036_800,
    concurrency=2,
    log_level="info",
    component_log_levels={"connection": "warning"},
    flags={"drain_time": "600s", "drain_strategy": "Gradual", "parent_shutdown_time": "900s"},
)


def certificate(days: float, *names: str, serial: str, path: str = "<inline>") -> Certificate:
    return Certificate(
        path=path,
        serial=serial,
        names=names,
        valid_from=NOW - timedelta(days=90 - days),
        expires_at=NOW + timedelta(days=days, hours=1),
    )


def route(name: str, cluster: str, timeout: str) -> dict[str, Any]:
    return {
        "name": f"listener~80~shop_example_com-route-0-httproute-{name}-infra-0-0-matcher-0",
        "match": {"path_separated_prefix": f"/{name}"},
        "route": {"cluster": cluster, "timeout": timeout},
    }


def routes_body(timeout: str) -> dict[str, Any]:
    hosts = [
        {
            "name": f"listener~80~{host}_example_com",
            "domains": [f"{host}.example.com"],
            "routes": [route("cart", "shard_a", timeout), route("feed", "shard_b", "15s")],
        }
        for host in ("shop", "api", "status", "static", "img")
    ]
    return {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": ROUTES_80,
        "virtual_hosts": hosts,
    }


def resource(
    kind: ConfigKind, name: str, body: Mapping[str, Any], *, version: str = "1187", **facts: Any
) -> ConfigResource:
    digest = sha256(repr((kind, name, body)).encode()).hexdigest()
    error = facts.pop("error", "")
    return ConfigResource(
        digest=ConfigDigest(kind=kind, name=name, digest=digest, version=version, error=error),
        updated_at=NOW - timedelta(minutes=12),
        body=body,
        **facts,
    )


def configuration(timeout: str) -> tuple[ConfigResource, ...]:
    return (
        resource(
            ConfigKind.LISTENER, "listener~80", {"name": "listener~80", "filter_chains": [{"name": "listener~80"}]}
        ),
        resource(ConfigKind.LISTENER, "listener~443", {"name": "listener~443", "filter_chains": [{"name": "https"}]}),
        resource(ConfigKind.ROUTES, ROUTES_80, routes_body(timeout)),
        resource(ConfigKind.CLUSTER, "shard_a", {"name": "shard_a", "type": "EDS"}),
        resource(ConfigKind.CLUSTER, "shard_b", {"name": "shard_b", "type": "EDS"}),
        resource(ConfigKind.CLUSTER, "xds_cluster", {"name": "xds_cluster"}, version="", is_static=True),
        resource(ConfigKind.SECRET, "infra/edge-tls", {"name": "infra/edge-tls", "private_key": "[redacted]"}),
    )


CONFIGURATIONS = {EDGE_1: configuration("30s"), EDGE_2: configuration("15s")}
CERTIFICATES = {
    EDGE_1: (
        certificate(6, "shop.example.com", serial="0badcafe01"),
        certificate(61, "*.example.com", "example.com", serial="0badcafe02"),
        replace(certificate(800, serial="0badcafe09", path="/etc/ssl/ca.pem"), is_authority=True),
    ),
    EDGE_2: (
        certificate(6, "shop.example.com", serial="0badcafe01"),
        certificate(61, "*.example.com", "example.com", serial="0badcafe02"),
        replace(certificate(800, serial="0badcafe09", path="/etc/ssl/ca.pem"), is_authority=True),
    ),
    SHARD_A: (certificate(89, "shard-a.infra.svc", serial="0badcafe03"),),
    SHARD_B: (certificate(-2, "shard-b.infra.svc", serial="0badcafe04"), certificate(20, "b.internal", serial="05")),
}
LISTENERS = (
    BoundListener(name="listener~80", address="[::]:80"),
    BoundListener(name="listener~443", address="[::]:443"),
    BoundListener(name="prometheus_listener", address="0.0.0.0:9091"),
)
UPSTREAMS = (
    Upstream(
        name="batch",
        endpoints=(
            Endpoint(address="10.0.3.7:8080", zone="eu-1a", requests=61_000, errors=12, active=9, connections=4),
            Endpoint(
                address="10.0.3.8:8080",
                zone="eu-1b",
                troubles=("failed_outlier_check",),
                requests=48_200,
                errors=2_310,
                connect_failures=37,
            ),
            Endpoint(address="10.0.3.9:8080", zone="eu-1c", troubles=("eds_unhealthy",), weight=3),
        ),
        is_from_control_plane=True,
        limits={"max_connections": 1024, "max_retries": 3, "max_requests": 4_294_967_295},
    ),
    Upstream(name="report", endpoints=(Endpoint(address="10.0.4.1:8080", requests=900),), is_from_control_plane=True),
    Upstream(name="xds_cluster", endpoints=(Endpoint(address="10.96.0.9:9977"),)),
)
STATISTICS = (
    Statistic(name="cluster.batch.upstream_cx_connect_fail", value=37),
    Statistic(name="cluster.batch.upstream_rq_503", value=2310),
    Statistic(name="cluster.batch.version_text", value="1187"),
    Statistic(name="cluster.batch.upstream_rq_time", value=None, detail="P50 8 ms, P99 371 ms"),
)


def inspection(key: ProxyKey) -> Inspection:
    held = CONFIGURATIONS.get(key, configuration("15s"))
    return Inspection(
        taken_at=SEEN_AT,
        build=Known(BUILD, SEEN_AT),
        certificates=Known(CERTIFICATES[key], SEEN_AT),
        config=Known(tuple(one.digest for one in held if not one.is_static), SEEN_AT),
        listeners=Unknown("not inspected"),
        cost_ms=12.0,
        cost_bytes=48_000,
    )


def course(view: ProxyView) -> tuple[Point, ...]:
    """Five minutes in which errors began two minutes ago; the proxy did not answer for a while."""
    found: list[Point] = []
    for at in range(150):
        moment = SEEN_AT - timedelta(seconds=2 * (149 - at))
        if 40 <= at < 46:
            found.append(Point(moment))
            continue
        wave = 1 + 0.25 * math.sin(at / 9)
        late = at >= 90
        found.append(
            Point(
                moment,
                rps=view.traffic.rps.value * wave,
                error_ratio=view.traffic.error_ratio.value * (wave if late else 0),
                client_error_ratio=0.004 * wave,
                p50_ms=view.traffic.p50_ms.value * (1 if late else 0.4),
                p95_ms=view.traffic.p99_ms.value * 0.7 * (1 if late else 0.3),
                p99_ms=view.traffic.p99_ms.value * (1 if late else 0.3),
                active=int(88 * wave),
                upgrades=3 if at > 20 else 0,
            )
        )
    return tuple(found)


def full(view: ProxyView, *, rejected: int = 0) -> ProxyView:
    """A view with everything a proxy may tell."""
    last = replace(
        view.samples[-1],
        taken_mono=100.0,
        admin_ms=1.9,
        services=delivered(4 + rejected),
        no_route=620,
        direct_answers=4_400,
        aborts=31,
    )
    before = replace(
        last,
        taken_mono=90.0,
        taken_at=last.taken_at - timedelta(seconds=10),
        latency=None,
        services=delivered(4),
        no_route=600,
        direct_answers=4_000,
        aborts=30,
    )
    traffic = replace(
        view.traffic,
        p95_ms=seen(view.traffic.p99_ms.value * 0.7),
        client_error_ratio=seen(0.004),
        upgrades=Known(3, SEEN_AT),
        connections=Known(412, SEEN_AT),
        clusters={
            name: replace(
                each,
                p99_ms=seen(view.traffic.p99_ms.value * 0.97),
                retries_rps=seen(0.0 if each.members_healthy == 3 else 11.0),
                timeouts_rps=seen(0.0),
                overflows_rps=seen(0.0 if each.members_healthy == 3 else 4.2),
                connect_failures_rps=seen(0.0 if each.members_healthy == 3 else 36.0),
                ejected=3 - (each.members_healthy or 0),
                open_breakers=0 if each.members_healthy == 3 else 1,
                active=9,
            )
            for name, each in view.traffic.clusters.items()
        },
        listeners={
            "[__]_80": ListenerTraffic(rps=seen(40.0), error_ratio=seen(0.0), client_error_ratio=seen(0.02)),
            "[__]_443": ListenerTraffic(
                rps=seen(view.traffic.rps.value - 40),
                error_ratio=view.traffic.error_ratio,
                client_error_ratio=seen(0.004),
            ),
        },
        routes={
            ("listener~80~shop_example_com", "infra.cart"): RouteTraffic(
                rps=seen(3100.0),
                error_ratio=seen(0.0002),
                client_error_ratio=seen(0.003),
                p50_ms=seen(4.0),
                p99_ms=seen(38.0),
            ),
            ("https~shop_example_com", "infra.cart"): RouteTraffic(
                rps=seen(210.0), error_ratio=seen(0.012), client_error_ratio=seen(0.0)
            ),
            ("https~shop_example_com", "legacy"): RouteTraffic(
                rps=seen(1.0), error_ratio=Unknown("no requests in the window")
            ),
        },
    )
    return replace(
        view,
        traffic=traffic,
        samples=(before, last),
        series=course(view),
        services=follow_services(follow_services({}, None, before), before, last),
        inspection=inspection(view.key),
    )


def delivered(rejected: int) -> dict[str, ServiceSample]:
    """Listeners, and a route configuration of which some updates were refused."""
    return {
        "lds": ServiceSample(accepted=12, version=0x1B2C3D4E5F607182),
        "rds.listener~80": ServiceSample(rejected=rejected, accepted=31, version=0xA1B2C3D4E5F60718),
    }


def snapshot() -> Snapshot:
    """One edge proxy holds other routes than its sibling, one refused an update; a certificate of shard-b expired."""
    found = fleet.central_ingress()
    views = {
        key: full(view, rejected=1 if key == EDGE_1 else 0) if key in CERTIFICATES else view
        for key, view in found.proxies.items()
    }
    cluster = found.clusters[CLUSTER]
    objects = {**cluster.objects, HTTP_ROUTES: HTTPROUTES, TRAFFIC_POLICIES: POLICIES}
    gateways = tuple(
        replace(node, routes=tuple(ObjectKey(CLUSTER, HTTP_ROUTES, *name) for name in HTTPROUTES))
        if node.key == fleet.EDGE
        else node
        for node in cluster.topology.gateways
    )
    topology = replace(cluster.topology, gateways=gateways)
    return replace(found, proxies=views, clusters={CLUSTER: replace(cluster, objects=objects, topology=topology)})


HTTPROUTES = {
    ("infra", name): HttpRoute(
        metadata=Meta(name=name, namespace="infra"),
        spec=HttpRouteSpec(hostnames=("shop.example.com",), rules=(HttpRule(),)),
    )
    for name in ("cart", "feed")
}
POLICIES = {
    ("infra", "counted"): TrafficPolicy(
        metadata=Meta(name="counted", namespace="infra"),
        spec=TrafficPolicySpec(
            target_refs=(SectionRef(group="gateway.networking.k8s.io", kind="HTTPRoute", name="cart"),),
            stat_prefix="{{route_namespace}}.{{route_name}}",
        ),
    )
}


class FakePages:
    """Tells what the constants above hold; every question is noted, and may be made to fail or to wait."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.failing: dict[str, GwtuiError] = {}
        self.bodies = dict(CONFIGURATIONS)
        self.is_slow = asyncio.Event()
        self.is_slow.set()

    async def _answer(self, page: str, *about: str) -> None:
        self.asked.append((page, *about))
        await self.is_slow.wait()
        if page in self.failing:
            raise self.failing[page]

    def count(self, page: str) -> int:
        return sum(asked[0] == page for asked in self.asked)

    async def build(self, proxy: ProxyKey) -> Build:
        await self._answer("build")
        return BUILD

    async def listeners(self, proxy: ProxyKey) -> tuple[BoundListener, ...]:
        await self._answer("listeners")
        return LISTENERS

    async def upstreams(self, proxy: ProxyKey) -> tuple[Upstream, ...]:
        await self._answer("upstreams")
        return UPSTREAMS

    async def certificates(self, proxy: ProxyKey) -> tuple[Certificate, ...]:
        await self._answer("certificates")
        return CERTIFICATES[proxy]

    async def config(self, proxy: ProxyKey, kind: ConfigKind, name: str = "") -> tuple[ConfigResource, ...]:
        await self._answer("config", proxy.pod, kind.value, name)
        held = self.bodies.get(proxy, configuration("15s"))
        return tuple(one for one in held if one.digest.kind is kind and name in ("", one.digest.name))

    async def statistics(self, proxy: ProxyKey, pattern: str) -> tuple[Statistic, ...]:
        await self._answer("statistics", pattern)
        return tuple(one for one in STATISTICS if pattern.strip("^") in one.name)
