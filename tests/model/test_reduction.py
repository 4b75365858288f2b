"""Reducing: what a batch of observations makes of the snapshot, and of the topology in it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from gwtui.model import resources
from gwtui.model.gateway_api import Gateway
from gwtui.model.health import ProxyState, SourceHealth, SourceState
from gwtui.model.ids import ProxyKey
from gwtui.model.observations import KindChanged, KindListed, ProxyFailed, SourceReported
from gwtui.model.reduction import reduce
from gwtui.model.snapshot import Snapshot
from gwtui.model.topology import relate
from objects import load

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EDGE = ("infra", "edge")


@pytest.fixture
def listed() -> Snapshot:
    """Everything of one cluster, listed."""
    objects = load("central-ingress")
    return reduce(Snapshot(), [KindListed("demo", kind, found) for kind, found in objects.items()])


def gone(kind: str, name: tuple[str, str]) -> KindChanged:
    return KindChanged("demo", kind, {name: None})


def test_nothing_observed_is_the_same_snapshot(listed):
    assert reduce(listed, ()) is listed


def test_kind_by_kind_comes_to_the_same_as_all_at_once(listed):
    snapshot = Snapshot()
    for kind, found in load("central-ingress").items():
        snapshot = reduce(snapshot, [KindListed("demo", kind, found)])
    assert snapshot.clusters["demo"].topology == listed.clusters["demo"].topology
    assert [found.id for found in snapshot.clusters["demo"].topology.patterns]


def test_a_topology_follows_every_change(listed):
    snapshot = listed
    gateway: Gateway = listed.clusters["demo"].objects[resources.GATEWAYS][EDGE]
    moved = replace(gateway, metadata=replace(gateway.metadata, generation=9, resource_version="9"))
    for observation in (
        gone(resources.HTTP_ROUTES, ("infra", "edge-shop")),
        gone(resources.PODS, ("infra", "edge-x1")),
        KindChanged("demo", resources.GATEWAYS, {EDGE: moved}),
        gone(resources.SERVICES, ("infra", "shard-b")),
        gone(resources.GATEWAYS, EDGE),
        KindListed("demo", resources.HTTP_ROUTES, {}, namespace="infra"),
    ):
        before = snapshot.clusters["demo"].topology
        snapshot = reduce(snapshot, [observation])
        view = snapshot.clusters["demo"]
        assert view.topology != before
        assert view.topology == relate("demo", view.objects)


def test_two_ways_on_from_one_snapshot_know_nothing_of_each_other(listed):
    whole = listed.clusters["demo"].topology
    one = reduce(listed, [gone(resources.HTTP_ROUTES, ("infra", "edge-shop"))]).clusters["demo"]
    other = reduce(listed, [gone(resources.PODS, ("infra", "edge-x1"))]).clusters["demo"]
    assert one.topology == relate("demo", one.objects)
    assert other.topology == relate("demo", other.objects)
    assert listed.clusters["demo"].topology is whole


def test_what_shapes_nothing_leaves_the_topology_as_it_is(listed):
    health = SourceHealth(state=SourceState.READY, since=NOW)
    failed = ProxyFailed(ProxyKey("demo", "infra", "edge-x1"), ProxyState.FAILING, NOW, "no answer")
    policies = KindListed("demo", resources.TRAFFIC_POLICIES, {})
    after = reduce(listed, [SourceReported("demo", "api", health), failed, policies])
    assert after.clusters["demo"].topology is listed.clusters["demo"].topology
    assert after.proxies[failed.proxy].failing_since == NOW


def test_proxies_go_with_their_pods(listed):
    proxy = ProxyKey("demo", "infra", "edge-x1")
    asked = reduce(listed, [ProxyFailed(proxy, ProxyState.FAILING, NOW, "no answer")])
    assert proxy in asked.proxies
    assert proxy not in reduce(asked, [gone(resources.PODS, ("infra", "edge-x1"))]).proxies


def test_clusters_are_apart(listed):
    other = reduce(listed, [KindListed("other", kind, found) for kind, found in load("sharded").items()])
    assert other.clusters["demo"] is listed.clusters["demo"]
    assert {node.key.cluster for node in other.clusters["other"].topology.gateways} == {"other"}
