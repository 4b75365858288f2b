"""Requests through clusters as they are found in the field, and through clusters of which not all is read."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

import golden
from gwtui.explain.course import Outcome
from gwtui.explain.entries import Question, explained
from gwtui.explain.examples import of_gateway, of_namespace, of_rule
from gwtui.explain.request import request_of
from gwtui.explain.terrain import ENDPOINT_SLICES, Terrain
from gwtui.model import resources
from gwtui.model.health import ProxyState, SourceHealth, SourceState
from gwtui.model.ids import ProxyKey, ServiceKey
from gwtui.model.known import Known
from gwtui.model.snapshot import ClusterView, ProxyView, Snapshot
from gwtui.model.topology import relate
from gwtui.model.traffic import NO_TRAFFIC, ClusterTraffic
from gwtui.views.explain import explanation_lines
from gwtui.views.explain_document import explanation_document
from gwtui.views.explain_terrain import terrains_of
from gwtui.views.explain_verdict import Told, verdict_of
from objects import load
from tests.explain.clusters import CLUSTER, app, course, explain, gateway, listener, path, policy, route, rule, to, view
from tests.explain.test_agreement import pod

FOUND = sorted(each.name.removesuffix(".in.yaml") for each in (golden.GOLDEN / "topology").glob("*.in.yaml"))
ANY = path("/")


def cluster_of(name: str) -> ClusterView:
    objects = load(name)
    return ClusterView(name=CLUSTER, objects=objects, topology=relate(CLUSTER, objects))


@pytest.mark.parametrize("name", FOUND)
def test_every_rule_of_every_installation_can_be_asked_about(name: str) -> None:
    terrain = Terrain(cluster_of(name))
    asked = 0
    for key, found in terrain.inventory.routes():
        for position in range(len(found.spec.rules)):
            request = of_rule((terrain,), key, position)
            if request is None:
                continue
            for entry in (None, *((node.namespace, node.name) for node in list(terrain.nodes)[:3])):
                told = explained((terrain,), Question(request=request, entry=entry))
                assert explanation_lines(told, 80)
                assert explanation_document(told)["hops"]
                for each in told.courses:
                    assert sum(share for share, _, _, _ in each.first.ends) == pytest.approx(1.0)
                asked += 1
    assert asked or name in {"not-recognised", "ambient-waypoint-istio"}


def captured() -> ClusterView:
    """An ingress gateway in the mesh, and a Service that it reaches through a waypoint."""
    waypoint = gateway("way", listener("proxy", 15088, "istio.io/PROXY"), status={"addresses": [{"value": "10.0.0.9"}]})
    web = app("foo", "web", 1)
    labels = {"istio.io/use-waypoint": "way", "istio.io/use-waypoint-namespace": "infra"}
    web[0]["metadata"]["labels"] = {**labels, "istio.io/ingress-use-waypoint": "true"}
    proxy = pod("edge", 0)
    proxy["metadata"]["annotations"] = {"ambient.istio.io/redirection": "enabled"}
    return view(
        gateway("edge"),
        waypoint,
        web,
        app("foo", "canary", 1),
        proxy,
        route("foo", "front", ["edge"], rule(ANY, to=[to("web")]), hosts=["a.test"]),
        route(
            "foo",
            "steered",
            [{"group": "", "kind": "Service", "name": "web"}],
            rule(path("/new"), to=[to("canary")]),
            rule(ANY, to=[to("web")]),
        ),
    )


def test_an_ingress_that_is_in_the_mesh_goes_through_the_waypoint() -> None:
    told = course(captured(), "a.test/new")
    assert [str(hop.gateway) for _, hop in told.hops] == ["infra/edge", "infra/way"]
    assert [branch.backend for branch in told.hops[1][1].branches] == ["Service foo/canary:80"]


def test_a_client_in_the_mesh_goes_through_the_waypoint_of_the_service_it_calls() -> None:
    told = explain(captured(), "http://web.foo/new")
    assert told.notes[0] == "clients in the mesh reach Service foo/web through its waypoint"
    (only,) = told.courses
    assert str(only.first.gateway) == "infra/way"
    assert [branch.backend for branch in only.first.branches] == ["Service foo/canary:80"]
    terrain = Terrain(captured())
    steered = next(key for key, _ in terrain.inventory.routes() if key.name == "steered")
    example = of_rule((terrain,), steered, 0)
    assert example is not None
    assert (example.host, example.path) == ("web.foo", "/new")


def test_a_waypoint_without_routes_passes_requests_on() -> None:
    told = explain(cluster_of("ambient-waypoint-kgateway-2.1"), "http://ratings.apps:8080/")
    (only,) = told.courses
    assert [branch.backend for branch in only.first.branches] == ["Service apps/ratings"]


def test_where_routes_of_some_namespaces_are_read_a_404_is_not_certain() -> None:
    found = view(
        gateway("edge"),
        app("foo", "app"),
        route("foo", "r", ["edge"], rule(path("/a"), to=[to("app")]), hosts=["a.test"]),
    )
    partial = dataclasses.replace(found, scopes={resources.HTTP_ROUTES: frozenset({"foo", "infra"})})
    for line in ("a.test/b", "b.test/"):
        assert verdict_of(course(found, line)).outcome is Outcome.WRONG
        assert verdict_of(course(partial, line)).outcome is Outcome.UNKNOWN
    assert "httproutes are read in namespaces foo, infra alone: others may decide" in explain(partial, "a.test/a").notes


@pytest.mark.parametrize(
    ("state", "note"),
    [
        (SourceState.FORBIDDEN, "grpcroutes are not read (forbidden): they may decide"),
        (SourceState.LOADING, "grpcroutes are not read (loading): they may decide"),
        (SourceState.NOT_SERVED, None),
    ],
)
def test_a_kind_that_is_not_read_is_told_and_one_that_does_not_exist_is_not(
    state: SourceState, note: str | None
) -> None:
    found = view(gateway("edge"), without=[resources.GRPC_ROUTES])
    health = SourceHealth(state=state, since=datetime(2026, 1, 1, tzinfo=UTC))
    told = explain(dataclasses.replace(found, sources={resources.GRPC_ROUTES: health}), "a.test")
    assert (note in told.notes) if note else not any("grpcroutes" in each for each in told.notes)


def test_what_still_holds_is_kept_and_what_changed_is_found_anew() -> None:
    found = view(gateway("edge"), app("foo", "app", 1), route("foo", "r", ["edge"], rule(ANY, to=[to("app")])))
    before = Terrain(found)
    request = Question(request=request_of("a.test"))
    assert explained((before,), request).is_well
    fewer = view(app("foo", "app", 0, 1)).objects[ENDPOINT_SLICES]
    drained = dataclasses.replace(found, objects={**found.objects, ENDPOINT_SLICES: fewer})
    after = Terrain(drained, before=before)
    assert after.hosts is before.hosts
    assert not explained((after,), request).is_well
    assert explained((before,), request).is_well
    gone = dataclasses.replace(found, objects={**found.objects, resources.HTTP_ROUTES: {}})
    gone = dataclasses.replace(gone, topology=relate(CLUSTER, gone.objects))
    assert Terrain(gone, before=after).hosts is not before.hosts
    limited = view(policy("foo", "p", {"group": "g", "kind": "HTTPRoute", "name": "r"}, rateLimit={}))
    kind = resources.TRAFFIC_POLICIES
    with_policy = dataclasses.replace(found, objects={**found.objects, kind: limited.objects[kind]})
    (only,) = explained((Terrain(with_policy, before=after),), request).courses
    assert [each.what for each in only.first.reservations] == ["rateLimit"]


def test_the_terrains_of_a_snapshot_follow_it() -> None:
    found = view(gateway("edge"), app("foo", "app"), route("foo", "r", ["edge"], rule(ANY, to=[to("app")])))
    first = terrains_of(Snapshot(clusters={CLUSTER: found}))
    hosts = first[0].hosts
    second = terrains_of(Snapshot(clusters={CLUSTER: dataclasses.replace(found, objects=dict(found.objects))}))
    assert second[0].hosts is hosts
    assert terrains_of(Snapshot()) == ()


def test_examples_begin_where_they_are_asked_for() -> None:
    found = view(
        gateway("edge"),
        gateway("idle"),
        app("foo", "app"),
        route("foo", "r", ["edge"], rule(path("/x"), to=[to("app")]), hosts=["*.a.test"]),
    )
    terrains = (Terrain(found),)
    keys = {node.name: node for node in terrains[0].nodes}
    made = of_gateway(terrains, keys["edge"])
    assert made is not None
    assert (made.host, made.path) == ("www.a.test", "/x")
    assert of_gateway(terrains, keys["idle"]) is None
    assert of_namespace(terrains, CLUSTER, "foo") == made
    assert of_namespace(terrains, CLUSTER, "nowhere") is None
    assert terrains[0].endpoints(ServiceKey(CLUSTER, "foo", "app")) == (1, 1)


def test_credentials_are_not_repeated() -> None:
    found = view(gateway("edge"), app("foo", "app"), route("foo", "r", ["edge"], rule(ANY, to=[to("app")])))
    told = explain(
        found, "'http://a.test/?api_key=hidden1&x=1' -H 'Authorization: Bearer hidden2' -H 'Cookie: s=hidden3'"
    )
    everything = f"{explanation_document(told)}{explanation_lines(told, 200)}"
    assert "hidden" not in everything
    assert "authorization: …" in everything


def test_a_backend_that_is_reached_and_answers_errors_is_told() -> None:
    found = view(
        gateway("edge"), app("foo", "app"), route("foo", "r", ["edge"], rule(ANY, to=[to("app")])), pod("edge", 0)
    )
    proxy = ProxyKey(CLUSTER, "infra", "edge-0")
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def told(errors: float) -> Told:
        upstream = ClusterTraffic(rps=Known(10.0, now), error_ratio=Known(errors, now))
        traffic = dataclasses.replace(NO_TRAFFIC, clusters={"kube_foo_app_80": upstream})
        seen = ProxyView(key=proxy, state=ProxyState.LIVE, traffic=traffic)
        terrains = terrains_of(Snapshot(clusters={CLUSTER: found}, proxies={proxy: seen}))
        (only,) = explained(terrains, Question(request=request_of("a.test"))).courses
        return verdict_of(only)

    assert told(0.25).sentence.endswith("; 25% of what infra/edge sends to Service foo/app:80 gets 5xx now")
    assert (told(0.25).is_failing, told(0.001).is_failing) == (True, False)
