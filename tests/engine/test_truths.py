"""The four truths of a written route: each is seen later than the write, or it is said why not."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from msgspec import structs

from gwtui.changes.plan import BlastRadius, Document, ExpectedShare, ObjectEdit
from gwtui.engine.truths import Baseline, Deadlines, Truth, Truths
from gwtui.errors import Unreachable
from gwtui.model.controllers import KGATEWAY_CONTROLLER
from gwtui.model.gateway_api import HttpRoute
from gwtui.model.health import ProxyState
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.inspection import ConfigDigest, ConfigKind, ConfigResource
from gwtui.model.resources import HTTP_ROUTES
from gwtui.model.shape import GatewayNode, Topology
from gwtui.model.snapshot import ClusterView, ProxyView, Snapshot
from gwtui.ports import ProxyAddress
from set_clock import QuickClock
from tests.engine.test_execution import AFTER, BEFORE, KEY, plan

EDGE = GatewayKey("lab", "infra", "edge")
PROXIES = (ProxyKey("lab", "infra", "edge-1"), ProxyKey("lab", "infra", "edge-2"))
PLAN = plan(blast=BlastRadius(gateways=(EDGE,)))
(STEP,) = PLAN.steps
assert isinstance(STEP, ObjectEdit)


def status(generation: int, *, accepted: str = "True", programmed: str | None = None) -> dict[str, Any]:
    conditions = [{"type": "Accepted", "status": accepted, "reason": "R", "observedGeneration": generation}]
    if programmed is not None:
        kind = "kgateway.dev/Programmed"
        conditions.append(
            {"type": kind, "status": programmed, "reason": "RouteRuleReplaced", "observedGeneration": generation}
        )
    return {
        "parents": [{"parentRef": {"name": "edge"}, "controllerName": KGATEWAY_CONTROLLER, "conditions": conditions}]
    }


def watched(generation: int, of: dict[str, Any] | None) -> HttpRoute:
    document = deepcopy(AFTER)
    document["metadata"]["generation"] = generation
    return msgspec.convert({**document, **({"status": of} if of else {})}, HttpRoute)


def held(a: int, b: int) -> ConfigResource:
    clusters = [{"name": f"kube_infra_{name}_80", "weight": weight} for name, weight in (("a", a), ("b", b))]
    route = {
        "name": "listener~80~*-route-0-httproute-edge-routes-infra-0-0-matcher-0",
        "route": {"weighted_clusters": {"clusters": clusters}},
    }
    digest = ConfigDigest(kind=ConfigKind.ROUTES, name="listener~80", digest="")
    return ConfigResource(digest=digest, body={"virtual_hosts": [{"domains": ["*"], "routes": [route]}]})


@dataclass
class Scene:
    """One cluster, with two proxies of one gateway."""

    stored: Document = field(default_factory=lambda: deepcopy(AFTER))
    route: HttpRoute | None = None
    holds: dict[ProxyKey, ConfigResource] = field(default_factory=lambda: dict.fromkeys(PROXIES, held(50, 50)))
    proxies: tuple[ProxyKey, ...] = PROXIES
    asked: int = 0
    clock: QuickClock = field(default_factory=QuickClock)

    def look(self) -> Snapshot:
        node = GatewayNode(
            key=EDGE,
            class_name="kgateway",
            controller=KGATEWAY_CONTROLLER,
            tier=1,
            listeners=(),
            hostnames=(),
            namespaces=(),
            routes=(KEY,),
            proxies=self.proxies,
            services=(),
        )
        objects = {HTTP_ROUTES: {(KEY.namespace, KEY.name): self.route}} if self.route else {}
        view = ClusterView(name="lab", objects=objects, topology=Topology(gateways=(node,)))
        views = {key: ProxyView(key=key, state=ProxyState.LIVE) for key in self.proxies}
        return Snapshot(clusters={"lab": view}, proxies=views)

    async def read(self, _: object) -> Document:
        return self.stored

    def find(self, key: ProxyKey) -> tuple[Any, ProxyAddress]:
        scene = self

        class Inspector:
            async def config(self, *_: object, **__: object) -> tuple[ConfigResource, ...]:
                scene.asked += 1
                if key not in scene.holds:
                    raise Unreachable("port-forward refused")
                return (scene.holds[key],)

        return Inspector(), ProxyAddress(key, 9091)

    async def see(self, truth: Truth, *, made=PLAN, generation: int = 2, baseline: Baseline | None = None):
        truths = Truths(self, self.look, self.find, self.clock, Deadlines())
        return await truths.see(truth, made, STEP, baseline or Baseline(), generation)


async def test_stored_is_read_again_and_never_the_answer_to_the_write() -> None:
    assert (await Scene().see(Truth.STORED)).is_met is True
    other = Scene(stored=deepcopy(BEFORE))
    sight = await other.see(Truth.STORED)
    assert sight == (False, "the server holds something else", False)
    assert other.clock.seconds >= Deadlines().stored


@pytest.mark.parametrize(
    ("route", "is_met", "told"),
    [
        (watched(2, status(2)), True, "generation 2"),
        (watched(1, status(1)), False, "has not shown the new generation"),
        (watched(2, status(1)), False, "status is about generation 1"),
        (watched(2, status(2, accepted="False")), False, "Accepted is False"),
        (watched(2, status(2, programmed="False")), False, "kgateway.dev/Programmed is False (RouteRuleReplaced)"),
        (watched(2, None), None, "no status of kgateway"),
        (None, False, "has not shown the new generation"),
    ],
)
async def test_programmed_is_the_controllers_word_about_this_generation(route, is_met, told) -> None:
    sight = await Scene(route=route).see(Truth.PROGRAMMED)
    assert sight.is_met is is_met
    assert told in sight.text


async def test_loaded_means_every_proxy_and_names_each() -> None:
    sight = await Scene().see(Truth.LOADED)
    assert (sight.is_met, sight.text) == (True, "on edge-1, edge-2")
    late = Scene(holds={PROXIES[0]: held(50, 50), PROXIES[1]: held(90, 10)})
    sight = await late.see(Truth.LOADED)
    assert sight.is_met is False
    assert sight.text == "edge-2 holds kube_infra_a_80 90, kube_infra_b_80 10"


async def test_a_route_that_leaves_a_gateway_is_loaded_once_its_proxies_hold_nothing_of_it() -> None:
    elsewhere = {**AFTER, "spec": {**AFTER["spec"], "parentRefs": [{"name": "other"}]}}
    step = ObjectEdit(key=KEY, object_kind="HTTPRoute", before=BEFORE, after=elsewhere, gateways=(EDGE,))
    empty = ConfigResource(digest=held(0, 0).digest, body={"virtual_hosts": []})
    for holds, is_met, text in (
        (dict.fromkeys(PROXIES, empty), True, "on edge-1, edge-2"),
        ({PROXIES[0]: empty, PROXIES[1]: held(90, 10)}, False, "edge-2 still holds it"),
    ):
        scene = Scene(holds=holds)
        truths = Truths(scene, scene.look, scene.find, scene.clock)
        sight = await truths.see(Truth.LOADED, PLAN, step, Baseline(), 2)
        assert (sight.is_met, sight.text) == (is_met, text), "also where nobody knows what they held before"


async def test_a_step_that_names_its_gateways_is_looked_for_there() -> None:
    scene = Scene()
    truths = Truths(scene, scene.look, scene.find, scene.clock)
    step = structs.replace(STEP, gateways=(GatewayKey("lab", "infra", "other"),))
    sight = await truths.see(Truth.LOADED, PLAN, step, Baseline(), 2)
    assert (sight.is_met, sight.text) == (None, "no proxy of an affected gateway is known")


async def test_a_proxy_that_does_not_show_its_configuration_is_no_proof() -> None:
    sight = await Scene(holds={PROXIES[0]: held(50, 50)}).see(Truth.LOADED)
    assert (sight.is_met, sight.text) == (None, "edge-2: port-forward refused")
    sight = await Scene(proxies=()).see(Truth.LOADED)
    assert (sight.is_met, sight.text) == (None, "no proxy of an affected gateway is known")


async def test_loading_is_waited_for() -> None:
    scene = Scene(holds=dict.fromkeys(PROXIES, held(90, 10)))
    asleep = scene.clock.sleep

    async def wake(seconds: float) -> None:
        await asleep(seconds)
        if scene.clock.seconds > 3:
            scene.holds = dict.fromkeys(PROXIES, held(50, 50))

    scene.clock.sleep = wake  # type: ignore[method-assign]
    assert (await scene.see(Truth.LOADED)).is_met is True
    assert scene.asked > 4


async def test_a_change_that_moves_no_share_is_not_waited_for() -> None:
    scene = Scene()
    sight = await scene.see(Truth.OBSERVED)
    assert (sight.is_met, sight.text, scene.clock.seconds) == (None, "the change moves no share", 0.0)


async def test_a_share_that_nobody_counts_is_said() -> None:
    expected = (ExpectedShare(rule_index=0, backend="infra/a", share=0.5),)
    sight = await Scene().see(Truth.OBSERVED, made=plan(blast=PLAN.blast, expected=expected))
    assert (sight.is_met, sight.text) == (None, "infra/a is not in the topology")


async def test_what_proxies_held_before_is_read_of_those_that_show_it() -> None:
    scene = Scene(holds={PROXIES[0]: held(90, 10)})
    truths = Truths(scene, scene.look, scene.find, scene.clock)
    found = await truths.baseline(PLAN, STEP)
    assert list(found.held) == [PROXIES[0]]
    again = await truths.baseline(plan(), STEP)
    assert again.held == {}
