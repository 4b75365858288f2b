"""What is said of objects in namespaces that are not read: that they cannot be seen, never that they do not exist."""

from __future__ import annotations

from typing import Any

import pytest

from gwtui.model import resources
from gwtui.model.ids import GatewayKey
from gwtui.model.observations import KindChanged, KindListed
from gwtui.model.reduction import reduce
from gwtui.model.shape import GatewayNode, Topology
from gwtui.model.snapshot import ClusterView, Snapshot
from gwtui.model.topology import relate
from object_sets import within
from objects import Objects, decode, load

CLUSTER = "demo"
GA = "gateway.networking.k8s.io"
CLASS = {
    "apiVersion": f"{GA}/v1",
    "kind": "GatewayClass",
    "metadata": {"name": "kgateway"},
    "spec": {"controllerName": "kgateway.dev/kgateway"},
}


def gateway(namespace: str, name: str, **spec: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": namespace}
    return {
        "apiVersion": f"{GA}/v1",
        "kind": "Gateway",
        "metadata": meta,
        "spec": {"gatewayClassName": "kgateway", **spec},
    }


def route(namespace: str, name: str, parents: list[dict[str, str]], *refs: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": f"{GA}/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"parentRefs": parents, "rules": [{"backendRefs": list(refs)}]},
    }


def service(namespace: str, name: str, **labels: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": 80}]}}


def seen_from(namespace: str, objects: Objects) -> Topology:
    """The topology for who may read this namespace alone, and what has none."""
    namespaced = resources.TOPOLOGY - {resources.NAMESPACES, resources.GATEWAY_CLASSES, resources.INGRESS_CLASSES}
    scopes = dict.fromkeys(namespaced, frozenset({namespace}))
    return relate(CLUSTER, within(objects, scopes), scopes)


def node(topology: Topology, name: str) -> GatewayNode:
    return next(found for found in topology.gateways if found.key.name == name)


def test_a_parent_gateway_elsewhere_cannot_be_seen():
    parents = [{"name": "edge", "namespace": "infra"}]
    objects = [CLASS, gateway("infra", "edge"), route("a", "web", parents), route("a", "api", parents)]
    unseen = "its parent Gateway infra/edge cannot be seen: gateways of namespace infra are not read"
    assert seen_from("a", decode(objects)).problems == (f"httproutes/a/api and 1 more: {unseen}",)
    assert seen_from("a", decode(objects[:-1])).problems == (f"httproutes/a/web: {unseen}",)
    assert seen_from("infra", decode(objects)).problems == ()


def test_a_parent_that_is_missing_where_all_is_read_does_not_exist():
    lost = [route("a", "web", [{"name": "gone"}]), route("a", "set", [{"name": "no", "kind": "ListenerSet"}])]
    assert seen_from("a", decode(lost)).problems == (
        "httproutes/a/set: its parent ListenerSet a/no does not exist",
        "httproutes/a/web: its parent Gateway a/gone does not exist",
    )


def test_a_listener_set_elsewhere_cannot_be_seen():
    lost = route("a", "web", [{"name": "extra", "namespace": "infra", "kind": "ListenerSet"}])
    unseen = "its parent ListenerSet infra/extra cannot be seen: listenersets of namespace infra are not read"
    assert seen_from("a", decode([lost])).problems == (f"httproutes/a/web: {unseen}",)


@pytest.mark.parametrize(
    ("ref", "what", "kind"),
    [
        ({"name": "app", "port": 80}, "backend Service b/app", "services"),
        ({"name": "app", "group": "gateway.kgateway.dev", "kind": "Backend"}, "Backend b/app", "backends"),
        (
            {"name": "app", "group": "agentgateway.dev", "kind": "AgentgatewayBackend"},
            "AgentgatewayBackend b/app",
            "agentgatewaybackends",
        ),
        (
            {"name": "app", "group": "networking.istio.io", "kind": "ServiceEntry", "port": 443},
            "ServiceEntry b/app",
            "serviceentries",
        ),
        ({"name": "app", "group": GA, "kind": "HTTPRoute"}, "delegates to app, which", "httproutes"),
    ],
)
def test_a_backend_elsewhere_cannot_be_seen_and_is_no_problem(ref, what, kind):
    objects = [CLASS, gateway("a", "edge"), route("a", "web", [{"name": "edge"}], {**ref, "namespace": "b"})]
    edge = node(seen_from("a", decode(objects)), "edge")
    told = [each for each in edge.unseen if "ReferenceGrant" not in each]
    lead = "httproutes/a/web: "
    assert told == [f"{lead}{what} cannot be seen: {kind} of namespace b are not read"]
    assert not any(what in problem for problem in edge.problems)
    whole = node(relate(CLUSTER, decode(objects)), "edge")
    assert f"{lead}{what} does not exist" in whole.problems
    assert whole.unseen == ()


def test_a_grant_elsewhere_cannot_be_seen():
    ref = {"name": "app", "namespace": "b", "port": 80}
    objects = [CLASS, gateway("a", "edge"), route("a", "web", [{"name": "edge"}], ref), service("b", "app")]
    use = "lets HTTPRoute of a use Service app"
    edge = node(seen_from("a", decode(objects)), "edge")
    assert (
        f"httproutes/a/web: whether a ReferenceGrant {use} cannot be seen: referencegrants of namespace b are not read"
        in edge.unseen
    )
    assert not any("ReferenceGrant" in problem for problem in edge.problems)
    whole = node(relate(CLUSTER, decode(objects)), "edge")
    assert f"httproutes/a/web: no ReferenceGrant in b {use}" in whole.problems


def test_children_by_label_from_everywhere_may_be_elsewhere():
    ref = {"name": "team", "group": "delegation.kgateway.dev", "kind": "label", "namespace": "all"}
    objects = decode([CLASS, gateway("a", "edge"), route("a", "web", [{"name": "edge"}], ref)])
    text = "httproutes/a/web: delegates to team, which does not exist"
    assert f"{text} in namespace a; elsewhere nothing is read" in node(seen_from("a", objects), "edge").unseen
    assert text in node(relate(CLUSTER, objects), "edge").problems


@pytest.mark.parametrize(("kind", "what"), [("pods", "running proxy pod"), ("services", "Service")])
def test_the_data_plane_of_a_gateway_may_be_where_nothing_is_read(kind, what):
    objects = decode([CLASS, gateway("a", "edge")])
    elsewhere = {kind: frozenset({"b"})}
    edge = node(relate(CLUSTER, objects, elsewhere), "edge")
    assert edge.unseen == (f"its {what} cannot be seen: {kind} of namespace a are not read",)
    missing = f"no {what} was found for it"
    assert missing not in edge.problems
    assert missing in node(relate(CLUSTER, objects), "edge").problems


@pytest.mark.parametrize("is_of_class", [True, False])
def test_parameters_that_cannot_be_seen_may_make_it_self_managed(is_of_class):
    ref = {"group": "gateway.kgateway.dev", "kind": "GatewayParameters", "name": "own"}
    parameters = {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": "GatewayParameters",
        "metadata": {"name": "own", "namespace": "system" if is_of_class else "a"},
        "spec": {"selfManaged": {}},
    }
    named = {**CLASS, "spec": {**CLASS["spec"], "parametersRef": {**ref, "namespace": "system"}}}
    edge = gateway("a", "edge") if is_of_class else gateway("a", "edge", infrastructure={"parametersRef": ref})
    objects = decode([named if is_of_class else CLASS, edge, parameters])
    scopes = {resources.GATEWAY_PARAMETERS: frozenset({"elsewhere"})}
    seen = node(relate(CLUSTER, within(objects, scopes), scopes), "edge")
    unknown = f"depends on GatewayParameters {parameters['metadata']['namespace']}/own"
    assert len(seen.unseen) == 2
    assert all(unknown in each for each in seen.unseen)
    assert seen.problems == ("no status yet",)
    del objects[resources.GATEWAY_PARAMETERS]
    assert node(relate(CLUSTER, objects), "edge").problems == ("no status yet",)


def test_a_waypoint_elsewhere_cannot_be_seen():
    labels = {"istio.io/use-waypoint": "way", "istio.io/use-waypoint-namespace": "mesh"}
    objects = decode([CLASS, gateway("mesh", "way"), service("a", "app", **labels)])
    unseen = "its waypoint mesh/way cannot be seen: gateways of namespace mesh are not read"
    assert seen_from("a", objects).problems == (f"Service a/app: {unseen}",)


def test_without_classes_no_gateway_is_said_to_be_no_waypoint():
    objects = load("oddities")
    del objects[resources.GATEWAY_CLASSES]
    assert not any("no waypoint" in problem for problem in relate(CLUSTER, objects).problems)


def test_statements_about_all_gateways_say_how_far_they_reach():
    lone = relate(CLUSTER, load("simple-ingress"))
    assert lone.patterns[0].evidence[0].startswith("infra/gw is the only exposed gateway (")
    scopes = {resources.GATEWAYS: frozenset({"infra", "apps"})}
    partly = relate(CLUSTER, load("simple-ingress"), scopes)
    assert partly.patterns[0].evidence[0].startswith("infra/gw is the only exposed gateway in namespaces apps, infra (")
    assert relate(CLUSTER, decode([]), {resources.GATEWAYS: frozenset({"a"})}).missing == ("no Gateway in namespace a",)


def test_what_exposes_a_gateway_may_be_where_nothing_is_read():
    objects = decode([CLASS, gateway("a", "edge")])
    (line,) = relate(CLUSTER, objects).missing
    assert line.startswith("no Gateway is exposed: ")
    (line,) = relate(CLUSTER, objects, {resources.SERVICES: frozenset({"b"})}).missing
    assert line.startswith("no Gateway is exposed, as far as services are read: ")


def listed(*observations: KindListed | KindChanged) -> ClusterView:
    return reduce(Snapshot(), observations).clusters[CLUSTER]


def test_the_snapshot_knows_which_namespaces_were_read():
    objects = decode([CLASS, gateway("infra", "edge"), route("a", "web", [{"name": "edge", "namespace": "infra"}])])
    seen = within(objects, {resources.GATEWAYS: frozenset({"a"})})
    lists = [KindListed(CLUSTER, kind, found, namespace="a") for kind, found in seen.items()]
    partly = listed(*lists)
    assert partly.scopes[resources.GATEWAYS] == {"a"}
    assert partly.topology == relate(CLUSTER, partly.objects, partly.scopes)
    assert any("cannot be seen" in problem for problem in partly.topology.problems)
    more = listed(*lists, KindListed(CLUSTER, resources.GATEWAYS, {}, namespace="infra"))
    assert more.scopes[resources.GATEWAYS] == {"a", "infra"}
    assert any("does not exist" in problem for problem in more.topology.problems)
    whole = listed(*lists, KindListed(CLUSTER, resources.GATEWAYS, objects[resources.GATEWAYS]))
    assert resources.GATEWAYS not in whole.scopes
    assert whole.topology.problems == ()
    assert [found.key for found in whole.topology.gateways] == [GatewayKey(CLUSTER, "infra", "edge")]


def test_a_right_that_is_taken_away_leaves_what_was_seen_and_claims_no_more():
    objects = decode([CLASS, gateway("infra", "edge")])
    late = route("a", "web", [{"name": "late", "namespace": "infra"}])
    narrowed = listed(
        KindListed(CLUSTER, resources.GATEWAYS, objects[resources.GATEWAYS]),
        KindListed(CLUSTER, resources.GATEWAYS, {}, namespace="a"),
        KindListed(CLUSTER, resources.HTTP_ROUTES, decode([late])[resources.HTTP_ROUTES]),
    )
    assert [found.key.name for found in narrowed.topology.gateways] == ["edge"]
    assert all("cannot be seen" in problem for problem in narrowed.topology.problems)
    assert narrowed.topology.problems
