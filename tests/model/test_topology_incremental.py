"""A relator that followed any sequence of changes answers as a new one does, and keeps what a change does not touch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gwtui.model import relator as relating
from gwtui.model import resources
from gwtui.model.gateway_api import Gateway, HttpRoute
from gwtui.model.relations.attachment import Placement
from gwtui.model.relations.differences import differing
from gwtui.model.relations.inventory import Inventory
from gwtui.model.relator import Relator
from gwtui.model.topology import relate
from object_sets import CLUSTERS, OBJECTS, SCOPES, within
from objects import GOLDEN, Objects, decode, load

CLUSTER = "demo"


def changed(objects: Objects, resource: str, changes: dict[tuple[str, str], Any]) -> Objects:
    """The objects with those of one kind changed as the reduction changes them: None is gone."""
    now = {**objects[resource], **changes}
    return {**objects, resource: {name: found for name, found in now.items() if found is not None}}


def merged(objects: Objects, manifest: dict[str, Any]) -> Objects:
    """The objects with one more, or with another state of one."""
    for resource, found in decode([manifest]).items():
        if found:
            return changed(objects, resource, found)
    return objects


def without(objects: Objects, resource: str, number: int) -> Objects:
    names = sorted(objects[resource])
    return changed(objects, resource, {names[number % len(names)]: None}) if names else objects


def rerouted(objects: Objects, number: int, change: Callable[[HttpRoute], HttpRoute]) -> Objects:
    """The objects with one HTTPRoute changed, if there is any."""
    routes = objects[resources.HTTP_ROUTES]
    if not routes:
        return objects
    name = sorted(routes)[number % len(routes)]
    return changed(objects, resources.HTTP_ROUTES, {name: change(routes[name])})


def with_weight(route: HttpRoute, weight: int) -> HttpRoute:
    """The route with another weight of every first backend."""
    rules = tuple(
        replace(rule, backend_refs=(replace(rule.backend_refs[0], weight=weight), *rule.backend_refs[1:]))
        if rule.backend_refs
        else rule
        for rule in route.spec.rules
    )
    return replace(route, spec=replace(route.spec, rules=rules))


def with_status(route: HttpRoute, status: str) -> HttpRoute:
    """The route with another status of every condition."""
    parents = tuple(
        replace(parent, conditions=tuple(replace(condition, status=status) for condition in parent.conditions))
        for parent in route.status.parents
    )
    return replace(route, status=replace(route.status, parents=parents))


def forgotten(objects: Objects, resource: str) -> Objects:
    return {known: found for known, found in objects.items() if known != resource}


Change = Callable[[Objects], Objects]

NUMBERS = st.integers(0, 499)
CHANGES: st.SearchStrategy[Change] = st.one_of(
    OBJECTS.map(lambda manifest: lambda objects: merged(objects, manifest)),
    OBJECTS.map(lambda manifest: lambda objects: merged(objects, manifest)),
    st.builds(
        lambda number, kind: lambda objects: without(objects, kind, number),
        NUMBERS,
        st.sampled_from(sorted(resources.TOPOLOGY)),
    ),
    st.builds(
        lambda number, weight: lambda objects: rerouted(objects, number, partial(with_weight, weight=weight)),
        NUMBERS,
        st.integers(0, 9),
    ),
    st.builds(
        lambda number, status: lambda objects: rerouted(objects, number, partial(with_status, status=status)),
        NUMBERS,
        st.sampled_from(["True", "False"]),
    ),
    st.sampled_from(sorted(resources.TOPOLOGY)).map(lambda kind: lambda objects: forgotten(objects, kind)),
    st.just(lambda objects: {kind: dict(reversed(found.items())) for kind, found in objects.items()}),
)
"""One change of a cluster: an object comes or gets another state, goes, shifts its weights, is accepted or not; a kind
is not read any more; everything is listed in another order."""


@given(CLUSTERS, st.lists(CHANGES, min_size=1, max_size=8))
@settings(max_examples=400, deadline=None)
def test_following_changes_is_relating_anew(manifests, changes):
    objects = decode(manifests)
    relator = Relator(CLUSTER)
    assert relator.relate(objects) == relate(CLUSTER, objects)
    for change in changes:
        unread = resources.TOPOLOGY - objects.keys()
        objects = change({**{kind: {} for kind in resources.TOPOLOGY}, **objects})
        objects = {kind: found for kind, found in objects.items() if found or kind not in unread}
        assert relator.relate(objects) == relate(CLUSTER, objects)


RECORDED = sorted(path.name.removesuffix(".in.yaml") for path in (GOLDEN / "topology").glob("*.in.yaml"))
recorded = cache(load)


def reworked(objects: Objects, whole: Objects, number: int, other: int, part: str) -> Objects:
    """The objects with one of the recorded ones gone, back, or with a part of another one of its kind.

    Args:
        objects: As they are.
        whole: As they were recorded.
        number: Which one.
        other: Which one gives the part.
        part: What is done: `gone`, `back`, `unread` (the whole kind), or the part that it is given.
    """
    every = [(kind, name) for kind in sorted(resources.TOPOLOGY) for name in sorted(whole[kind])]
    kind, name = every[number % len(every)]
    alike = sorted(whole[kind])
    giver = whole[kind][alike[other % len(alike)]]
    taker = objects.get(kind, {}).get(name, whole[kind][name])
    if part == "unread":
        return forgotten(objects, kind)
    if part == "gone":
        taker = None
    elif part == "back":
        taker = whole[kind][name]
    elif part == "metadata":
        taker = replace(taker, metadata=replace(giver.metadata, namespace=name[0], name=name[1]))
    elif hasattr(giver, part):
        taker = replace(taker, **{part: getattr(giver, part)})
    return changed({**objects, kind: objects.get(kind, whole[kind])}, kind, {name: taker})


PARTS = st.sampled_from(["spec", "spec", "status", "status", "metadata", "gone", "back", "unread"])


@given(st.sampled_from(RECORDED), st.lists(st.tuples(NUMBERS, NUMBERS, PARTS), min_size=1, max_size=12))
@settings(max_examples=500, deadline=None)
def test_following_what_becomes_of_an_installation_is_relating_anew(name, changes):
    objects = recorded(name)
    relator = Relator(CLUSTER)
    relator.relate(objects)
    for number, other, part in changes:
        objects = reworked(objects, recorded(name), number, other, part)
        assert relator.relate(objects) == relate(CLUSTER, objects)


@given(CLUSTERS, st.lists(st.tuples(CHANGES, SCOPES), min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_following_what_may_be_read_is_relating_anew(manifests, steps):
    objects = {**{kind: {} for kind in resources.TOPOLOGY}, **decode(manifests)}
    relator = Relator(CLUSTER)
    relator.relate(objects)
    for change, scopes in steps:
        objects = {**{kind: {} for kind in resources.TOPOLOGY}, **change(objects)}
        seen = within(objects, scopes)
        assert relator.relate(seen, scopes) == relate(CLUSTER, seen, scopes)


@given(st.lists(CLUSTERS, min_size=2, max_size=3))
@settings(max_examples=50, deadline=None)
def test_what_was_related_before_means_nothing(clusters):
    relator = Relator(CLUSTER)
    for objects in map(decode, clusters):
        assert relator.relate(objects) == relate(CLUSTER, objects)


NAMES = st.dictionaries(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), st.integers(0, 2))


@given(NAMES, NAMES)
def test_differences_are_what_came_went_or_changed(before, now):
    assert differing(before, now) == {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}


@given(NAMES, NAMES)
def test_differences_of_a_state_made_from_the_last_one(before, changes):
    assert differing(before, {**before, **changes}) == {
        name for name, found in changes.items() if before.get(name) != found
    }


@pytest.fixture
def placed(monkeypatch) -> list[object]:
    """Every placing of the routes of one Gateway."""
    made: list[object] = []
    place = relating.place_routes

    def placing(inventory: Inventory, claims: Any) -> Placement:
        made.append(claims)
        return place(inventory, claims)

    monkeypatch.setattr(relating, "place_routes", placing)
    return made


def test_a_route_touches_its_own_gateway_alone(placed):
    objects = load("central-ingress")
    relator = Relator(CLUSTER)
    before = relator.relate(objects)
    assert len(placed) == len(before.gateways) == 3
    route: HttpRoute = objects[resources.HTTP_ROUTES][("infra", "edge-shop")]
    after = relator.relate(changed(objects, resources.HTTP_ROUTES, {("infra", "edge-shop"): with_weight(route, 50)}))
    assert len(placed) == 4
    weights = [share.weight for hop in after.hops for share in hop.shares if share.route.name == "edge-shop"]
    assert 50 in weights
    assert 90 not in weights
    assert after.gateways == before.gateways
    elsewhere = [id(hop) for hop in before.hops if hop.source.name != "edge"]
    assert [id(hop) for hop in after.hops if hop.source.name != "edge"] == elsewhere


def test_a_child_touches_the_gateway_of_its_parent(placed):
    objects = load("oddities")
    relator = Relator(CLUSTER)
    before = relator.relate(objects)
    assert any(share.route.name == "child" for hop in before.hops for share in hop.shares)
    placed.clear()
    after = relator.relate(changed(objects, resources.HTTP_ROUTES, {("team", "child"): None}))
    assert not any(share.route.name == "child" for hop in after.hops for share in hop.shares)
    assert 1 <= len(placed) < len(after.gateways)


def test_pods_and_what_is_reported_of_gateways_move_no_route(placed):
    objects = load("central-ingress")
    relator = Relator(CLUSTER)
    relator.relate(objects)
    placed.clear()
    gateway: Gateway = objects[resources.GATEWAYS][("infra", "edge")]
    silent = replace(gateway, status=replace(gateway.status, conditions=()))
    objects = changed(objects, resources.GATEWAYS, {("infra", "edge"): silent})
    edge = next(node for node in relator.relate(objects).gateways if node.key.name == "edge")
    assert "no status yet" in edge.problems
    after = relator.relate(changed(objects, resources.PODS, {("infra", "edge-x1"): None}))
    edge = next(node for node in after.gateways if node.key.name == "edge")
    assert [proxy.pod for proxy in edge.proxies] == ["edge-x2"]
    assert placed == []


def test_what_changes_nothing_gives_the_same_topology():
    relator = Relator(CLUSTER)
    assert relator.relate(load("central-ingress")) is relator.relate(load("central-ingress"))


GA = "gateway.networking.k8s.io"


def a_gateway(name: str) -> dict[str, Any]:
    """A Gateway with a Service of its own."""
    meta = {"name": name, "namespace": "infra"}
    return {"apiVersion": f"{GA}/v1", "kind": "Gateway", "metadata": meta, "spec": {"gatewayClassName": "kgateway"}}


def a_service(name: str, **labels: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": "infra", "labels": labels}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": 80}]}}


def a_route(name: str, parent: dict[str, str], to: str, **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{GA}/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": "infra"},
        "spec": {"parentRefs": [parent], "rules": [{"backendRefs": [{"name": to, "port": 80}]}]},
        "status": status,
    }


def test_a_circle_that_grows_is_told_where_it_began():
    services = [a_service(name, **{f"{GA}/gateway-name": name}) for name in "abc"]
    there = [*map(a_gateway, "abc"), *services, a_route("on", {"name": "a"}, "b")]
    relator = Relator(CLUSTER)
    small = relator.relate(decode([*there, a_route("back", {"name": "b"}, "a")]))
    assert "routes lead in a circle: infra/a → infra/b → infra/a" in small.gateways[0].problems
    further = [a_route("back", {"name": "b"}, "c"), a_route("home", {"name": "c"}, "a")]
    large = relator.relate(decode([*there, *further]))
    assert large.gateways[0].tier == small.gateways[0].tier
    assert "routes lead in a circle: infra/a → infra/b → infra/c → infra/a" in large.gateways[0].problems


def test_a_route_that_is_not_accepted_yet_steers_its_service_all_the_same():
    waypoint = a_gateway("way")
    waypoint["spec"]["listeners"] = [{"name": "mesh", "port": 15008, "protocol": "HBONE"}]
    there = [waypoint, a_service("bound", **{"istio.io/use-waypoint": "way"})]
    parent = {"group": "", "kind": "Service", "name": "bound"}
    refused = {"parentRef": parent, "controllerName": "example.com/other", "conditions": []}
    relator = Relator(CLUSTER)
    before, after = decode(there), decode([*there, a_route("split", parent, "bound", parents=[refused])])
    assert len(relator.relate(before).hops) == 1
    assert relator.relate(after) == relate(CLUSTER, after)
    assert relator.relate(after).hops == ()


def test_who_runs_a_gateway_is_told_by_traces_only_as_long_as_they_are_there():
    objects = forgotten(load("simple-ingress"), resources.GATEWAY_CLASSES)
    relator = Relator(CLUSTER)
    for kind, controller in ((resources.PODS, "kgateway.dev/kgateway"), (resources.HTTP_ROUTES, "")):
        assert relator.relate(objects).gateways[0].controller == "kgateway.dev/kgateway"
        objects = {**objects, kind: {}}
        assert relator.relate(objects).gateways[0].controller == controller


def test_a_service_is_a_gateway_s_only_as_long_as_it_selects_its_pods():
    there = [a_gateway("own"), {**a_service("front"), "spec": {"selector": {"app": "proxy"}, "ports": [{"port": 80}]}}]
    relator = Relator(CLUSTER)
    for app, found in (("proxy", ["front"]), ("other", []), ("proxy", ["front"])):
        meta = {"name": "p", "namespace": "infra", "labels": {f"{GA}/gateway-name": "own", "app": app}}
        objects = decode([*there, {"apiVersion": "v1", "kind": "Pod", "metadata": meta}])
        assert [service.name for service in relator.relate(objects).gateways[0].services] == found


@pytest.mark.parametrize("kind", [resources.PODS, resources.SERVICES, resources.GATEWAYS])
def test_a_kind_that_is_empty_is_not_a_kind_that_was_not_read(kind):
    objects = {**load("central-ingress"), kind: {}}
    relator = Relator(CLUSTER)
    for state in (objects, forgotten(objects, kind), objects):
        assert relator.relate(state) == relate(CLUSTER, state)
    assert relate(CLUSTER, objects) != relate(CLUSTER, forgotten(objects, kind))
