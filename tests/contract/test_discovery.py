"""What is served, told in the old form and in the aggregated one, and what is said where nothing is served."""

from __future__ import annotations

import pytest

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
BOTH = f"{AGGREGATED},application/json"
VERBS = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}


async def resources(api, path: str) -> dict[str, dict]:
    listed = await api.get(path)
    assert (listed["kind"], listed["groupVersion"]) == ("APIResourceList", path.split("/", 2)[2])
    return {entry["name"]: entry for entry in listed["resources"]}


async def test_the_core_group_has_one_version(api) -> None:
    body = await api.get("/api")
    assert (body["kind"], body["versions"]) == ("APIVersions", ["v1"])


@pytest.mark.parametrize(
    ("path", "name", "kind", "namespaced", "short"),
    [
        ("/api/v1", "namespaces", "Namespace", False, ["ns"]),
        ("/api/v1", "services", "Service", True, ["svc"]),
        ("/api/v1", "pods", "Pod", True, ["po"]),
        ("/api/v1", "configmaps", "ConfigMap", True, ["cm"]),
        ("/api/v1", "secrets", "Secret", True, None),
        ("/apis/apps/v1", "deployments", "Deployment", True, ["deploy"]),
        ("/apis/discovery.k8s.io/v1", "endpointslices", "EndpointSlice", True, None),
        ("/apis/networking.k8s.io/v1", "ingresses", "Ingress", True, ["ing"]),
        ("/apis/networking.k8s.io/v1", "ingressclasses", "IngressClass", False, None),
        ("/apis/policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", True, ["pdb"]),
        ("/apis/autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True, ["hpa"]),
    ],
)
async def test_a_kind_of_kubernetes_is_offered_with_its_names_and_verbs(
    api, path, name, kind, namespaced, short
) -> None:
    entry = (await resources(api, path))[name]
    assert (entry["kind"], entry["namespaced"], entry["singularName"]) == (kind, namespaced, kind.lower())
    assert entry.get("shortNames") == short
    # A namespace can be deleted one by one only.
    assert set(entry["verbs"]) == VERBS - ({"deletecollection"} if name == "namespaces" else set())


@pytest.mark.parametrize(
    ("name", "short"), [("gateways", ["gtw"]), ("gatewayclasses", ["gc"]), ("httproutes", None), ("grpcroutes", None)]
)
async def test_a_kind_of_gateway_api_is_offered_with_its_names_and_verbs(api, gateways, name, short) -> None:
    entry = (await resources(api, "/apis/gateway.networking.k8s.io/v1"))[name]
    assert entry.get("shortNames") == short
    assert entry["categories"] == ["gateway-api"]
    assert set(entry["verbs"]) == VERBS


@pytest.mark.parametrize(
    ("path", "name", "verbs"),
    [
        ("/api/v1", "pods/portforward", {"create", "get"}),
        ("/api/v1", "pods/proxy", {"create", "delete", "get", "patch", "update"}),
        ("/api/v1", "services/proxy", {"create", "delete", "get", "patch", "update"}),
        ("/api/v1", "pods/status", {"get", "patch", "update"}),
        ("/apis/apps/v1", "deployments/status", {"get", "patch", "update"}),
        ("/apis/authorization.k8s.io/v1", "selfsubjectaccessreviews", {"create"}),
        ("/apis/authorization.k8s.io/v1", "selfsubjectrulesreviews", {"create"}),
        ("/apis/authentication.k8s.io/v1", "selfsubjectreviews", {"create"}),
    ],
)
async def test_what_is_beside_the_objects_has_verbs_of_its_own(api, path, name, verbs) -> None:
    assert set((await resources(api, path))[name]["verbs"]) == verbs


async def test_status_of_a_custom_kind_is_offered_where_it_has_one(api, gateways) -> None:
    entry = (await resources(api, "/apis/gateway.networking.k8s.io/v1"))["gateways/status"]
    assert set(entry["verbs"]) == {"get", "patch", "update"}
    assert (entry["kind"], entry["namespaced"]) == ("Gateway", True)


@pytest.mark.parametrize("group", ["apps", "networking.k8s.io", "authorization.k8s.io"])
async def test_a_group_names_its_versions_and_the_preferred_one(api, group) -> None:
    body = await api.get(f"/apis/{group}")
    assert (body["kind"], body["apiVersion"], body["name"]) == ("APIGroup", "v1", group)
    preferred = {"groupVersion": f"{group}/v1", "version": "v1"}
    assert body["preferredVersion"] == preferred
    assert body["versions"][0] == preferred
    listed = await api.get("/apis")
    assert listed["kind"] == "APIGroupList"
    assert {key: value for key, value in body.items() if key not in {"kind", "apiVersion"}} in listed["groups"]


async def test_a_group_of_definitions_prefers_the_stable_version(api, gateways) -> None:
    body = await api.get("/apis/gateway.networking.k8s.io")
    assert body["preferredVersion"]["version"] == "v1"
    assert {"groupVersion": "gateway.networking.k8s.io/v1beta1", "version": "v1beta1"} in body["versions"]


@pytest.mark.parametrize(("root", "groups"), [("/api", {""}), ("/apis", {"apps", "authorization.k8s.io"})])
async def test_the_aggregated_form_says_which_it_is_and_what_the_old_one_says(api, root, groups) -> None:
    code, body, headers = await api.call("GET", root, headers={"Accept": BOTH})
    assert (code, body["kind"], body["apiVersion"]) == (200, "APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    assert set(headers["Content-Type"].replace(" ", "").split(";")) == set(AGGREGATED.split(";"))
    found = {item["metadata"].get("name", ""): item for item in body["items"]}
    assert groups <= found.keys()
    for group in groups:
        version = found[group]["versions"][0]
        assert version["freshness"] == "Current"
        where = f"/apis/{group}/v1" if group else "/api/v1"
        old = await resources(api, where)
        for entry in version["resources"]:
            told = old.get(entry["resource"])
            if told is None:
                continue
            assert entry["responseKind"]["kind"] == told["kind"]
            assert entry["scope"] == ("Namespaced" if told["namespaced"] else "Cluster")
            assert set(entry["verbs"]) == set(told["verbs"])
            assert entry.get("shortNames") == told.get("shortNames")
            assert entry["singularResource"] == told["singularName"]
            beside = {f"{entry['resource']}/{sub['subresource']}" for sub in entry.get("subresources", ())}
            assert beside == {name for name in old if name.startswith(f"{entry['resource']}/")}


async def test_both_forms_tell_of_custom_kinds(api, gateways) -> None:
    body = await api.get("/apis", headers={"Accept": BOTH})
    found = next(item for item in body["items"] if item["metadata"]["name"] == "gateway.networking.k8s.io")
    told = {version["version"]: {entry["resource"] for entry in version["resources"]} for version in found["versions"]}
    assert next(iter(told)) == "v1"
    for version, names in told.items():
        old = await resources(api, f"/apis/gateway.networking.k8s.io/{version}")
        assert names == {name for name in old if "/" not in name}
    assert {"gateways", "httproutes", "gatewayclasses"} <= told["v1"] & told["v1beta1"]


async def test_a_client_that_knows_no_aggregation_gets_the_old_form(api) -> None:
    code, body, headers = await api.call("GET", "/apis", headers={"Accept": "application/json"})
    assert (code, body["kind"], headers["Content-Type"]) == (200, "APIGroupList", "application/json")


async def test_the_version_is_told_in_parts(api) -> None:
    body = await api.get("/version")
    assert body["gitVersion"].startswith(f"v{body['major']}.{body['minor'].rstrip('+')}.")
    assert {"gitCommit", "goVersion", "platform"} <= body.keys()


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
async def test_it_says_that_it_is_well(api, path) -> None:
    code, body, headers = await api.call("GET", path)
    assert (code, body) == (200, b"ok")
    assert headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/apis/none.example",
        "/apis/none.example/v1",
        "/apis/none.example/v1/things",
        "/apis/none.example/v1/namespaces/default/things/one",
    ],
)
async def test_a_path_that_nothing_is_behind_is_404_without_a_status(api, path) -> None:
    code, body, headers = await api.call("GET", path)
    assert (code, body) == (404, b"404 page not found\n")
    assert headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/inventions",
        "/apis/apps/v1/namespaces/default/inventions/one",
        "/apis/apps/v9",
        "/apis/apps/v9/deployments",
        "/api/v1/namespaces/default/nodes",
    ],
)
async def test_a_kind_that_a_group_does_not_have_is_404_with_a_status(api, path) -> None:
    code, body, _ = await api.call("GET", path)
    assert (code, body["kind"], body["status"], body["reason"]) == (404, "Status", "Failure", "NotFound")
    assert (body["code"], body["message"]) == (404, "the server could not find the requested resource")
    assert body["details"] == {}


async def test_a_kind_that_no_definition_describes_is_404_without_a_status(api, gateways) -> None:
    code, body, _ = await api.call("GET", f"{gateways}/inventions")
    assert (code, body) == (404, b"404 page not found\n")
