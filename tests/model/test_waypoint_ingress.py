"""Ingress gateways that reach a Service through its waypoint: who does, who does not, and when that changes."""

from __future__ import annotations

from typing import Any

import pytest

from gwtui.model.relator import Relator
from gwtui.model.topology import Topology, relate
from objects import decode

GA = "gateway.networking.k8s.io"
CLUSTER = "c"
REDIRECTED = {"ambient.istio.io/redirection": "enabled"}


def manifests(
    *, captured: int = 2, service: dict[str, str] | None = None, namespace: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    """An ingress gateway with two pods, a waypoint, and a Service bound to it."""

    def meta(name: str, space: str = "infra", **more: Any) -> dict[str, Any]:
        return {"name": name, "namespace": space, **more}

    def gateway(name: str, space: str, listener: dict[str, Any]) -> dict[str, Any]:
        spec = {"gatewayClassName": "kgateway", "listeners": [{"name": "l", **listener}]}
        status = {"addresses": [{"value": "10.0.0.9"}]}
        return {
            "apiVersion": f"{GA}/v1",
            "kind": "Gateway",
            "metadata": meta(name, space),
            "spec": spec,
            "status": status,
        }

    parent = {"name": "edge", "namespace": "infra"}
    accepted = [{"type": "Accepted", "status": "True"}]
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": meta(
                f"edge-{number}",
                labels={f"{GA}/gateway-name": "edge", "kgateway": "kube-gateway"},
                annotations=REDIRECTED if number < captured else {},
            ),
            "status": {"phase": "Running"},
        }
        for number in range(2)
    ]
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "foo", "labels": namespace or {}}},
        {
            "apiVersion": f"{GA}/v1",
            "kind": "GatewayClass",
            "metadata": {"name": "kgateway"},
            "spec": {"controllerName": "kgateway.dev/kgateway"},
        },
        gateway("edge", "infra", {"port": 80, "protocol": "HTTP"}),
        gateway("way", "foo", {"port": 15088, "protocol": "istio.io/PROXY"}),
        *pods,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta("web", "foo", labels={"istio.io/use-waypoint": "way", **(service or {})}),
            "spec": {"clusterIP": "10.0.0.1", "ports": [{"port": 80}]},
        },
        {
            "apiVersion": f"{GA}/v1",
            "kind": "HTTPRoute",
            "metadata": meta("web", "foo"),
            "spec": {"parentRefs": [parent], "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]},
            "status": {
                "parents": [{"parentRef": parent, "controllerName": "kgateway.dev/kgateway", "conditions": accepted}]
            },
        },
    ]


def edges(topology: Topology) -> set[tuple[str, str, str]]:
    return {(str(hop.source), str(hop.target), hop.rule) for hop in topology.hops}


DIRECT = {("infra/edge", "foo/web", "backend"), ("foo/way", "foo/web", "waypoint")}
THROUGH = {("infra/edge", "foo/way", "to-waypoint"), ("foo/way", "foo/web", "waypoint")}
ASKS = {"istio.io/ingress-use-waypoint": "true"}


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ({}, DIRECT),
        ({"service": ASKS}, THROUGH),
        ({"namespace": ASKS}, THROUGH),
        ({"namespace": ASKS, "service": {"istio.io/ingress-use-waypoint": "false"}}, DIRECT),
        ({"service": ASKS, "captured": 1}, DIRECT),
        ({"service": ASKS, "captured": 0}, DIRECT),
    ],
    ids=["not asked for", "by the Service", "by its namespace", "the Service wins", "half captured", "not captured"],
)
def test_the_way_that_is_taken(choices: dict[str, Any], expected: set[tuple[str, str, str]]):
    topology = relate(CLUSTER, decode(manifests(**choices)))
    assert edges(topology) == expected
    tiers = {node.key.name: node.tier for node in topology.gateways}
    assert tiers == ({"edge": 1, "way": 2} if expected is THROUGH else {"edge": 1, "way": 1})


def test_the_edge_keeps_the_upstream_by_which_the_gateway_counts_it():
    topology = relate(CLUSTER, decode(manifests(service=ASKS)))
    (hop,) = [hop for hop in topology.hops if hop.rule == "to-waypoint"]
    assert hop.envoy_clusters == ("kube_foo_web_80",)


def test_pods_that_are_captured_later_change_the_way():
    relator = Relator(CLUSTER)
    for captured in (0, 1, 2, 1, 2):
        objects = decode(manifests(service=ASKS, captured=captured))
        assert edges(relator.relate(objects)) == (THROUGH if captured == 2 else DIRECT)
        assert relator.relate(objects) == relate(CLUSTER, objects)
