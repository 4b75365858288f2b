"""Handmade fleets at a frozen moment, and a feed that serves them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Never

from gwtui.errors import GwtuiError, Unreachable
from gwtui.model.gateway_api import GATEWAY_API
from gwtui.model.health import ProxyState, SourceHealth, SourceState
from gwtui.model.ids import GatewayKey, ObjectKey, ProxyKey, ServiceKey
from gwtui.model.known import Known, Unknown
from gwtui.model.kubernetes import Pod
from gwtui.model.meta import Meta
from gwtui.model.samples import ProxySample
from gwtui.model.shape import FrontDoor, GatewayNode, Hop, PatternFound, RouteShare, Topology
from gwtui.model.snapshot import ClusterView, Point, ProxyView, Snapshot, Spent
from gwtui.model.traffic import ClusterTraffic, ProxyTraffic
from gwtui.tui.feed import ProxyPages
from tests.tui.fake_changes import FakeChanges

NOW = datetime(2026, 3, 1, 14, 2, 50, tzinfo=UTC)
CLUSTER = "prod-eu"
GATEWAYS = f"gateways.{GATEWAY_API}"
HTTPROUTES = f"httproutes.{GATEWAY_API}"

EDGE = GatewayKey(CLUSTER, "infra", "edge")
SHARD_A = GatewayKey(CLUSTER, "infra", "shard-a")
SHARD_B = GatewayKey(CLUSTER, "infra", "shard-b")
WAVE = (310.0, 420.0, 530.0, 690.0, 540.0, 560.0, 700.0, 810.0, 690.0, 540.0, 530.0, 660.0)


def seen(value: float, *, age_s: float = 2) -> Known[float]:
    return Known(value, NOW - timedelta(seconds=age_s))


def upstream(rps: float, errors: float = 0.0, healthy: int = 3, total: int = 3) -> ClusterTraffic:
    return ClusterTraffic(rps=seen(rps), error_ratio=seen(errors), members_healthy=healthy, members_total=total)


def proxy(pod: str, rps: float, errors: float, p99: float, **clusters: ClusterTraffic) -> ProxyView:
    at = NOW - timedelta(seconds=2)
    bounds = (5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, math.inf)
    histogram = tuple(
        (bound, int(60 * rps * (min(1.0, bound / p99) * 0.99 + (bound == math.inf) * 0.01))) for bound in bounds
    )
    sample = ProxySample(
        taken_mono=100.0,
        taken_at=at,
        requests=612_400,
        errors_5xx=190,
        errors_4xx=12,
        active=88,
        uptime_s=1_036_800,
        latency=histogram,
        answer_bytes=55_000,
        answer_ms=4.2,
    )
    return ProxyView(
        key=ProxyKey(CLUSTER, "infra", pod),
        state=ProxyState.LIVE,
        traffic=ProxyTraffic(
            rps=seen(rps),
            error_ratio=seen(errors),
            p50_ms=seen(p99 / 9),
            p99_ms=seen(p99),
            active=Known(88, at),
            clusters=clusters,
            latency_window=histogram,
        ),
        way="pod proxy",
        answered_at=at,
        samples=(sample,),
        series=tuple(Point(at, rps=value * rps / 810) for value in WAVE),
        spent=Spent(87, 400_000, 60.0, 90.0),
    )


FORBIDDEN_PROXY = ProxyView(
    key=ProxyKey(CLUSTER, "infra", "shard-a-66d4c-k1m2n"),
    state=ProxyState.FORBIDDEN,
    reason="pods/proxy is forbidden for user sre",
    hint="grant get on pods/proxy in infra",
)
FAILING_PROXY = ProxyView(
    key=ProxyKey(CLUSTER, "infra", "edge-5f6d8-ghi34"),
    state=ProxyState.FAILING,
    reason="port 9091 refused the connection",
    hint="is the stats listener up? see the pod's log",
    answered_at=NOW - timedelta(seconds=54),
    failing_since=NOW - timedelta(seconds=40),
)

PROXIES = (
    proxy("edge-5f6d8-abc12", 6100, 0.0030, 41, shard_a=upstream(4400), shard_b=upstream(1700, 0.0104)),
    proxy("edge-5f6d8-def23", 6300, 0.0031, 40, shard_a=upstream(4400), shard_b=upstream(1900, 0.0104)),
    FAILING_PROXY,
    proxy(
        "shard-a-66d4c-j9k8l",
        8800,
        0.0002,
        12,
        cart=upstream(5100),
        search=upstream(1200),
        feed=upstream(1600),
        chat=upstream(900),
    ),
    FORBIDDEN_PROXY,
    proxy("shard-b-7c9f5-x2x4z", 3600, 0.0104, 380, batch=upstream(3520, 0.0108, 1, 3), report=upstream(80)),
)


def share(name: str, weight: int, cluster: str, total: int = 100, backends: int = 2) -> RouteShare:
    return RouteShare(
        route=ObjectKey(CLUSTER, HTTPROUTES, "infra", name),
        rule_index=0,
        hostnames=(f"{name}.example.com",),
        weight=weight,
        weight_total=total,
        backends=backends,
        cluster=cluster,
    )


def hop(source: GatewayKey, target: GatewayKey | ServiceKey, cluster: str, *shares: RouteShare) -> Hop:
    return Hop(source=source, target=target, rule="D1", envoy_clusters=(cluster,), shares=shares)


def node(key: GatewayKey, tier: int, namespaces: tuple[str, ...]) -> GatewayNode:
    keys = tuple(sorted(view.key for view in PROXIES if view.key.pod.startswith(key.name)))
    return GatewayNode(
        key=key,
        class_name="kgateway",
        controller="kgateway.dev/kgateway",
        tier=tier,
        listeners=(("http", 80, "HTTP"), ("https", 443, "HTTPS")),
        hostnames=("shop.example.com",),
        namespaces=namespaces,
        routes=(ObjectKey(CLUSTER, HTTPROUTES, "infra", f"{key.name}-routes"),),
        proxies=keys,
        services=(ServiceKey(CLUSTER, key.namespace, key.name),),
    )


def service(namespace: str, name: str) -> ServiceKey:
    return ServiceKey(CLUSTER, namespace, name)


TOPOLOGY = Topology(
    gateways=(node(EDGE, 1, ("infra",)), node(SHARD_A, 2, ("bar", "foo")), node(SHARD_B, 2, ("extra",))),
    hops=(
        hop(EDGE, SHARD_A, "shard_a", share("shop", 90, "shard_a")),
        hop(EDGE, SHARD_B, "shard_b", share("shop", 10, "shard_b")),
        hop(SHARD_A, service("bar", "chat"), "chat"),
        hop(SHARD_A, service("foo", "cart"), "cart"),
        hop(SHARD_A, service("foo", "feed"), "feed"),
        hop(SHARD_A, service("foo", "search"), "search"),
        hop(SHARD_B, service("extra", "batch"), "batch"),
        hop(SHARD_B, service("extra", "report"), "report"),
    ),
    front_doors=(FrontDoor(gateway=EDGE, kind="NLB", name="edge-eu.elb.example"),),
    patterns=(PatternFound(id="sharded-central-ingress", evidence=("infra/edge", "infra/shard-a", "infra/shard-b")),),
)

PODS = {
    (view.key.namespace, view.key.pod): Pod(
        metadata=Meta(name=view.key.pod, namespace=view.key.namespace, creation_timestamp="2026-02-17T09:00:00Z")
    )
    for view in PROXIES
}


def health(state: SourceState, detail: str = "", hint: str = "", age_s: float = 95) -> SourceHealth:
    return SourceHealth(state=state, since=NOW - timedelta(seconds=age_s), detail=detail, hint=hint)


READY = {
    "api": health(SourceState.READY, "v1.33"),
    GATEWAYS: health(SourceState.READY),
    "pods": health(SourceState.READY),
    HTTPROUTES: health(SourceState.READY),
}


def central_ingress() -> Snapshot:
    """An edge with three proxies, one of them failing; two shards, one proxy of them forbidden; shard-b errs."""
    cluster = ClusterView(name=CLUSTER, sources=READY, topology=TOPOLOGY, objects={"pods": PODS})
    return Snapshot(revision=7, clusters={CLUSTER: cluster}, proxies={view.key: view for view in PROXIES})


def healthy() -> Snapshot:
    """The same shape with nothing to say against it."""
    well = [
        replace(
            view,
            traffic=replace(
                view.traffic,
                error_ratio=seen(0.0),
                clusters={
                    name: replace(each, error_ratio=seen(0.0), members_healthy=3)
                    for name, each in view.traffic.clusters.items()
                },
            ),
        )
        for view in PROXIES
        if view.state is ProxyState.LIVE
    ]
    keys = {view.key for view in well}
    gateways = tuple(
        replace(each, proxies=tuple(key for key in each.proxies if key in keys)) for each in TOPOLOGY.gateways
    )
    cluster = ClusterView(
        name=CLUSTER, sources=READY, topology=replace(TOPOLOGY, gateways=gateways), objects={"pods": PODS}
    )
    return Snapshot(revision=8, clusters={CLUSTER: cluster}, proxies={view.key: view for view in well})


def only_sources(**sources: SourceHealth) -> Snapshot:
    return Snapshot(revision=1, clusters={CLUSTER: ClusterView(name=CLUSTER, sources=sources)})


LOADING = Snapshot()
EMPTY = only_sources(**{"api": READY["api"], GATEWAYS: health(SourceState.READY)})
NO_GATEWAY_API = only_sources(
    **{GATEWAYS: health(SourceState.NOT_SERVED, "the server has no gateway.networking.k8s.io")}
)
FORBIDDEN = only_sources(
    **{
        GATEWAYS: health(
            SourceState.FORBIDDEN, "403: gateways is forbidden for user sre", "grant list, watch on gateways"
        )
    }
)
FAILED = only_sources(api=health(SourceState.FAILED, "10.0.0.1:6443 timed out after 5 s", "is the VPN up?"))


def stale() -> Snapshot:
    snapshot = central_ingress()
    cluster = snapshot.clusters[CLUSTER]
    sources = {**READY, GATEWAYS: health(SourceState.STALE, "watch broke: connection reset")}
    return replace(snapshot, clusters={CLUSTER: replace(cluster, sources=sources)})


NO_RATES = Unknown("first sample, no rate yet")


class NoPages:
    """Proxies that do not let anybody in."""

    def __getattr__(self, page: str) -> Callable[..., Awaitable[Never]]:
        async def refuse(*_about: object) -> Never:
            raise Unreachable(f"no way in to read {page}", "grant create on pods/portforward")

        return refuse


class FakeFeed:
    """Serves a snapshot that tests replace by hand; documents come from a dictionary."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.moment = NOW
        self.documents: dict[ObjectKey, str | GwtuiError] = {}
        self.frames = 0
        self.asked: list[ObjectKey] = []
        self.is_slow = asyncio.Event()
        self.is_slow.set()
        self._wakes: list[Callable[[], None]] = []
        self.pages: ProxyPages = NoPages()
        self.changes = FakeChanges()
        self.attended: list[tuple[frozenset[ProxyKey], ProxyKey | None]] = []

    def attend(self, visible: Collection[ProxyKey], opened: ProxyKey | None = None) -> None:
        self.attended.append((frozenset(visible), opened))

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        self._wakes.append(wake)
        return lambda: self._wakes.remove(wake)

    @property
    def listeners(self) -> int:
        return len(self._wakes)

    def change(self, snapshot: Snapshot, *, later_s: float = 1.0) -> None:
        self.snapshot = snapshot
        self.moment += timedelta(seconds=later_s)
        for wake in self._wakes:
            wake()

    def painted(self) -> None:
        self.frames += 1

    async def fetch_yaml(self, key: ObjectKey) -> str:
        self.asked.append(key)
        await self.is_slow.wait()
        document = self.documents.get(key, Unreachable(f"{key} did not answer", "try again with y"))
        if isinstance(document, GwtuiError):
            raise document
        return document

    def now(self) -> datetime:
        return self.moment
