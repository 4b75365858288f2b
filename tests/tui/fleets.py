"""Larger and stranger fleets at the same frozen moment: mixed data planes, hundreds of gateways, several clusters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gwtui.model.ids import ExternalKey, GatewayKey, ObjectKey, ProxyKey, ServiceKey
from gwtui.model.shape import (
    FrontDoor,
    GatewayNode,
    GatewayRole,
    Hop,
    MeshMembership,
    MeshMode,
    PatternFound,
    RouteShare,
    Topology,
)
from gwtui.model.snapshot import ClusterView, ProxyView, Snapshot
from gwtui.model.traffic import ClusterTraffic
from tests.tui import fleet

KGATEWAY = "kgateway.dev/kgateway"
Sent = tuple[GatewayKey | ServiceKey | ExternalKey, ClusterTraffic]


def gateway(
    key: GatewayKey,
    *,
    tier: int = 1,
    serves: Iterable[str] = (),
    pods: int = 2,
    controller: str = KGATEWAY,
    role: GatewayRole = GatewayRole.INGRESS,
    mesh: MeshMembership | None = None,
    problems: tuple[str, ...] = (),
) -> GatewayNode:
    return GatewayNode(
        key=key,
        class_name=controller.partition("/")[2],
        controller=controller,
        tier=tier,
        listeners=(("http", 80, "HTTP"),),
        hostnames=(f"{key.name}.example.com",),
        namespaces=tuple(sorted(serves)),
        routes=(ObjectKey(key.cluster, fleet.HTTPROUTES, key.namespace, f"{key.name}-routes"),),
        proxies=tuple(ProxyKey(key.cluster, key.namespace, f"{key.name}-{index}") for index in range(pods)),
        services=(ServiceKey(key.cluster, key.namespace, key.name),),
        problems=problems,
        role=role,
        mesh=mesh,
    )


def proxies(node: GatewayNode, rps: float, errors: float, p99: float, sent: Iterable[Sent]) -> list[ProxyView]:
    """The proxies of a gateway, each with its part of what the gateway carries."""
    part = len(node.proxies)
    clusters = {envoy_cluster(target): replace(each, rps=fleet.seen(each.rps.value / part)) for target, each in sent}
    return [replace(fleet.proxy(key.pod, rps / part, errors, p99, **clusters), key=key) for key in node.proxies]


def envoy_cluster(target: GatewayKey | ServiceKey | ExternalKey) -> str:
    return "_".join(target)


def hops(source: GatewayNode, targets: Iterable[GatewayKey | ServiceKey | ExternalKey]) -> list[Hop]:
    is_read = source.controller == KGATEWAY
    return [
        Hop(
            source=source.key,
            target=target,
            rule="external" if isinstance(target, ExternalKey) else "backend",
            envoy_clusters=(envoy_cluster(target),) if is_read else (),
            shares=(
                RouteShare(
                    route=source.routes[0],
                    rule_index=0,
                    hostnames=source.hostnames,
                    weight=1,
                    weight_total=1,
                    backends=1,
                    cluster=envoy_cluster(target) if is_read else "",
                ),
            ),
        )
        for target in targets
    ]


def cluster_view(topology: Topology, name: str) -> ClusterView:
    return ClusterView(name=name, sources=fleet.READY, topology=topology)


def mixed() -> Snapshot:
    """An ambient ingress behind an NLB, an egress, a waypoint, an AI gateway, one of another controller."""

    def key(namespace: str, name: str) -> GatewayKey:
        return GatewayKey(fleet.CLUSTER, namespace, name)

    def host(name: str) -> ExternalKey:
        return ExternalKey(fleet.CLUSTER, name)

    ambient = MeshMembership(mode=MeshMode.AMBIENT, configured=True, captured=2, pods=2)
    edge = gateway(key("infra", "edge"), serves=("cart", "pay"), mesh=ambient)
    egress = gateway(
        key("infra", "egress"), serves=("pay",), role=GatewayRole.EGRESS, mesh=replace(ambient, captured=0)
    )
    waypoint = gateway(
        key("cart", "waypoint"),
        controller="istio.io/mesh-controller",
        tier=2,
        serves=("cart",),
        role=GatewayRole.WAYPOINT,
        pods=1,
    )
    ai = gateway(key("ml", "llm"), controller="agentgateway.dev/agentgateway", serves=("ml",))
    other = gateway(key("old", "ingress"), controller="example.com/other", serves=("old",), pods=1)
    to_cart, to_pay = ServiceKey(fleet.CLUSTER, "cart", "cart"), ServiceKey(fleet.CLUSTER, "pay", "pay")
    to_old = ServiceKey(fleet.CLUSTER, "old", "web")
    bank, fraud = host("api.bank.example"), host("fraud.example.net")
    openai, claude, tools = host("api.openai.com"), host("api.anthropic.com"), ServiceKey(fleet.CLUSTER, "ml", "tools")
    from_edge: list[Sent] = [(to_cart, fleet.upstream(900)), (to_pay, fleet.upstream(300))]
    from_egress: list[Sent] = [(bank, fleet.upstream(80, 0.021)), (fraud, fleet.upstream(220))]
    views = [*proxies(edge, 1200, 0.0004, 38, from_edge), *proxies(egress, 300, 0.0056, 210, from_egress)]
    topology = Topology(
        gateways=tuple(sorted((edge, egress, waypoint, ai, other), key=lambda node: node.key)),
        hops=(
            *hops(edge, (waypoint.key, to_cart, to_pay)),
            *hops(egress, (bank, fraud)),
            *hops(waypoint, (to_cart,)),
            *hops(ai, (openai, claude, tools)),
            *hops(other, (to_old,)),
        ),
        front_doors=(
            FrontDoor(
                gateway=edge.key,
                kind="NLB",
                name="edge-eu-1a2b3c.elb.eu-central-1.amazonaws.com",
                evidence="Service infra/edge: loadBalancerClass=service.k8s.aws/nlb",
            ),
            FrontDoor(gateway=other.key, kind="Ingress", name="haproxy", evidence="Ingress old/web of class haproxy"),
        ),
        patterns=(
            PatternFound(id="ai-gateway", evidence=("ml/llm: class agentgateway of agentgateway.dev/agentgateway",)),
            PatternFound(id="ambient-egress", evidence=("infra/egress: every route leaves the cluster",)),
            PatternFound(id="ambient-ingress", evidence=("infra/edge: 2 of 2 pods captured by ztunnel",)),
            PatternFound(id="ambient-waypoint", evidence=("cart/waypoint: takes the traffic of cart/cart",)),
            PatternFound(id="external-front-door", evidence=("infra/edge: NLB",)),
        ),
    )
    return Snapshot(
        revision=3,
        clusters={fleet.CLUSTER: cluster_view(topology, fleet.CLUSTER)},
        proxies={view.key: view for view in views},
    )


def many(gateways: int = 200, pods: int = 5, teams: int = 20, *, cluster: str = fleet.CLUSTER) -> Snapshot:
    """Gateways of several teams behind one edge, some of them sick, two namespaces of workloads behind each."""
    edge_key = GatewayKey(cluster, "infra", "edge")
    nodes: list[GatewayNode] = []
    found: list[Hop] = []
    views: list[ProxyView] = []
    shards: list[Sent] = []
    for index in range(gateways):
        team = f"team-{index % teams:02}"
        node = gateway(
            GatewayKey(cluster, team, f"gw-{index:03}"), tier=2, serves=(f"{team}-app-{index:03}",), pods=pods
        )
        apps = [ServiceKey(cluster, f"{team}-{part}-{index:03}", "web") for part in ("api", "app")]
        errors = 0.02 if index in (7, 47) else 0.0
        sent: list[Sent] = [(app, fleet.upstream(20 + index, errors)) for app in apps]
        nodes.append(node)
        found += hops(node, apps)
        views += proxies(node, 40 + 2 * index, errors, 20 + index, sent)
        shards.append((node.key, fleet.upstream(40 + 2 * index, errors)))
    edge = gateway(edge_key, serves=("infra",), pods=pods)
    views += proxies(edge, sum(each.rps.value for _, each in shards), 0.0004, 44, shards)
    topology = Topology(
        gateways=tuple(sorted((edge, *nodes), key=lambda node: node.key)),
        hops=(*hops(edge, [target for target, _ in shards]), *found),
        front_doors=(FrontDoor(gateway=edge_key, kind="NLB", name="edge.elb.example"),),
        patterns=(PatternFound(id="sharded-central-ingress", evidence=("infra/edge",)),),
    )
    return Snapshot(
        revision=4, clusters={cluster: cluster_view(topology, cluster)}, proxies={view.key: view for view in views}
    )


def unrecognised() -> Snapshot:
    """One gateway that nothing leads to."""
    node = gateway(GatewayKey(fleet.CLUSTER, "infra", "lonely"), pods=1)
    topology = Topology(gateways=(node,), missing=("no Gateway is exposed: no LoadBalancer names its Service",))
    return Snapshot(revision=2, clusters={fleet.CLUSTER: cluster_view(topology, fleet.CLUSTER)})


def two_clusters() -> Snapshot:
    """The fleet of every other test, and a smaller one beside it."""
    here, there = fleet.central_ingress(), many(2, 1, 1, cluster="lab-us")
    return Snapshot(revision=9, clusters={**here.clusters, **there.clusters}, proxies={**here.proxies, **there.proxies})
