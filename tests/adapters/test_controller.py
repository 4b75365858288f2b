"""What kgateway's control plane tells of refused configuration."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from gwtui.adapters.kgateway.controller import PERIOD_S, ControllerPods, ControllerSource
from gwtui.adapters.kgateway.metrics import decode_page, together
from gwtui.errors import BadPayload, Denied, SourceError
from gwtui.model.health import SourceState
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.known import Known, Unknown
from gwtui.model.kubernetes import Pod, PodStatus
from gwtui.model.meta import Meta
from gwtui.model.observations import ControllerTold, SourceReported
from gwtui.model.rejections import Rejections
from gwtui.model.snapshot import ClusterView
from gwtui.ports import Answer, ProxyAddress
from set_clock import QuickClock

METRICS = b"""# HELP kgateway_envoy_xds_rejects_active Envoy refused it
# TYPE kgateway_envoy_xds_rejects_active gauge
kgateway_envoy_xds_rejects_active{gateway_name="edge",gateway_namespace="infra",type_url="type.googleapis.com/envoy.config.route.v3.RouteConfiguration"} 1
kgateway_envoy_xds_rejects_active{gateway_name="edge",gateway_namespace="infra",type_url="type.googleapis.com/envoy.config.listener.v3.Listener"} 2
kgateway_envoy_xds_rejects_active{gateway_name="shard-a",gateway_namespace="infra",type_url="type.googleapis.com/envoy.config.listener.v3.Listener"} 0
kgateway_envoy_xds_rejects_total{gateway_name="edge",gateway_namespace="infra",type_url="type.googleapis.com/envoy.config.route.v3.RouteConfiguration"} 9
kgateway_envoy_xds_rejects_total{gateway_name="shard-b",gateway_namespace="infra",type_url="a.B"} 2 1700000000000
kgateway_routing_replacements_total{gateway="edge",gateway_namespace="infra",error_type="ref_not_found"} 3
kgateway_routing_replacements_total{gateway="edge",gateway_namespace="infra",error_type="unknown"} 0
kgateway_xds_auth_rq_failure_total 4
kgateway_xds_auth_rq_total 99
go_goroutines 12
"""  # noqa: E501 - as the controller writes it
EDGE = GatewayKey("c", "infra", "edge")
ADDRESS = ProxyAddress(ProxyKey("c", "kgateway-system", "kgateway-1"), 9092)


def test_gateways_with_refusals_and_what_was_refused():
    page = decode_page(METRICS, "c")
    assert page.refusing == {EDGE: ("Listener", "RouteConfiguration")}
    other = METRICS.replace(b"gateway_name=", b"gateway=").replace(b"gateway_namespace=", b"namespace=")
    assert decode_page(other, "c") == page
    assert decode_page(b"", "c").refusing == {}


def test_what_was_counted_since_the_control_plane_started():
    page = decode_page(METRICS, "c")
    assert page.rejections == {
        EDGE: Rejections(refused={"RouteConfiguration": 9}, replaced={"ref_not_found": 3}),
        GatewayKey("c", "infra", "shard-b"): Rejections(refused={"B": 2}),
    }
    assert page.unknown_proxies == 4
    assert decode_page(b"# nothing\n", "c").rejections == {}
    both = together([page, page])
    assert both.rejections[EDGE] == Rejections(refused={"RouteConfiguration": 18}, replaced={"ref_not_found": 6})
    assert (both.refusing, both.unknown_proxies) == (page.refusing, 8)


@pytest.mark.parametrize("body", [b"<html></html>", METRICS.replace(b"} 1\n", b"} many\n")])
def test_what_is_no_metrics_is_refused(body: bytes):
    with pytest.raises(BadPayload) as caught:
        decode_page(body, "c")
    assert len(caught.value.line().splitlines()) == 1


def pod(name: str, *, phase: str = "Running", labels: dict[str, str], annotations: dict[str, str] | None = None) -> Pod:
    metadata = Meta(name=name, namespace="kgateway-system", labels=labels, annotations=annotations or {})
    return Pod(metadata=metadata, status=PodStatus(phase=phase))


def test_the_control_plane_is_found_by_its_label_and_its_port_by_the_annotation():
    pods = {
        ("kgateway-system", each.metadata.name): each
        for each in (
            pod("a", labels={"kgateway": "kgateway"}, annotations={"prometheus.io/port": "9999"}),
            pod("b", labels={"kgateway": "kgateway"}),
            pod("c", labels={"kgateway": "kgateway"}, phase="Pending"),
            pod("d", labels={"kgateway": "kube-gateway"}),
        )
    }
    view = ClusterView(name="c", objects={"pods": pods})
    found = ControllerPods(lambda: view)()
    assert {(address.key.pod, address.stats_port) for address in found or ()} == {("a", 9999), ("b", 9092)}
    assert ControllerPods(lambda: None)() is None
    assert ControllerPods(lambda: ClusterView(name="c"))() is None, "pods were not read yet"
    assert ControllerPods(lambda: ClusterView(name="c", objects={"pods": {}}))() == frozenset()


class Way:
    name = "pod proxy"
    reaches_loopback = False

    def __init__(self, *answers: Answer | SourceError) -> None:
        self.answers = list(answers)
        self.ports = {9092}

    async def get(self, proxy: ProxyKey, port: int, path: str, *, deadline_s: float, max_bytes: int) -> Answer:
        assert (proxy, path) == (ADDRESS.key, "/metrics")
        assert port in self.ports
        answer = self.answers.pop(0)
        if isinstance(answer, SourceError):
            raise answer
        return answer

    async def close(self) -> None:
        """Nothing is open."""


async def test_refusals_come_and_go_and_a_refused_right_makes_them_unknown_not_none():
    calm = Answer(200, b"# nothing\n", 0.01)
    way = Way(Answer(200, METRICS, 0.01), calm, calm, Denied("pods/proxy refused", "grant it"))
    source = ControllerSource("c", way, lambda: frozenset({ADDRESS}), QuickClock())
    facts = []
    async with contextlib.aclosing(source.observe()) as observed:
        async for fact in observed:
            facts.append(fact)
            if len(facts) == 7:
                break
    told = [fact.refusals for fact in facts if isinstance(fact, ControllerTold)]
    assert [known.value for known in told[:3]] == [{EDGE: ("Listener", "RouteConfiguration")}, {}, {}]
    assert isinstance(told[3], Unknown)
    assert "pods/proxy refused" in told[3].reason
    states = [fact.health.state for fact in facts if isinstance(fact, SourceReported)]
    assert states == [SourceState.READY, SourceState.READY, SourceState.NOT_SERVED]
    assert "pods/proxy refused" in facts[-1].health.detail
    assert next(fact for fact in facts if isinstance(fact, ControllerTold)).rejections.keys() > {EDGE}
    assert (
        "counted since it started: 11 updates refused, 3 rules replaced by 500, 4 questions of proxies not let in"
        in next(fact.health.detail for fact in facts if isinstance(fact, SourceReported))
    )


async def test_no_control_plane_in_sight_is_said():
    source = ControllerSource("c", Way(), frozenset, QuickClock())
    async with contextlib.aclosing(source.observe()) as observed:
        told, fact = await anext(observed), await anext(observed)
    assert isinstance(told, ControllerTold)
    assert isinstance(told.refusals, Unknown)
    assert isinstance(fact, SourceReported)
    assert "no running pod" in fact.health.detail


async def test_the_control_plane_is_asked_when_its_pods_become_known_and_again_when_they_change():
    clock = QuickClock()
    calm = Answer(200, b"# nothing\n", 0.01)
    way = Way(calm, calm, calm)
    other = ProxyAddress(ADDRESS.key, 9093)

    def controllers() -> frozenset[ProxyAddress] | None:
        if clock.seconds < 3:
            return None
        return frozenset({ADDRESS}) if clock.seconds < 6 else frozenset({ADDRESS, other})

    way.ports = {9092, 9093}
    source = ControllerSource("c", way, controllers, clock)
    asked_s = []
    async with contextlib.aclosing(source.observe()) as observed, asyncio.timeout(10):
        async for fact in observed:
            if isinstance(fact, ControllerTold):
                asked_s.append(clock.seconds)
                assert isinstance(fact.refusals, Known)
            if len(asked_s) == 2:
                break
    assert 3 <= asked_s[0] < 4
    assert 6 <= asked_s[1] < 7


async def test_pods_that_cannot_be_read_are_not_waited_for():
    clock = QuickClock()
    source = ControllerSource("c", Way(), lambda: None, clock)
    async with contextlib.aclosing(source.observe()) as observed, asyncio.timeout(10):
        told = await anext(observed)
    assert isinstance(told, ControllerTold)
    assert isinstance(told.refusals, Unknown)
    assert clock.seconds <= PERIOD_S + 1
