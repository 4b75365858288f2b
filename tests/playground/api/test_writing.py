"""Writing over HTTP: create, replace, the patch formats, server-side apply, dry runs, status, deletion."""

from __future__ import annotations

import pytest

GROUP = "/apis/gateway.networking.k8s.io/v1"
FOO = f"{GROUP}/namespaces/foo"
SHOP = f"{FOO}/httproutes/shop"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
CONDITION = {
    "type": "Accepted",
    "status": "True",
    "reason": "Accepted",
    "message": "",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}


async def patch(api, path, body, content_type=MERGE, **params):
    return await api.call("PATCH", path, body, content_type=content_type, params=params)


async def apply(api, path, body, manager="author", **params):
    return await patch(api, path, body, APPLY, fieldManager=manager, **params)


def weight(obj) -> int:
    return obj["spec"]["rules"][0]["backendRefs"][0]["weight"]


async def test_create_completes_the_object_and_drops_its_status(api, make) -> None:
    code, body, _ = await api.call("POST", f"{FOO}/httproutes", make.route("new") | {"status": {"parents": []}})
    assert code == 201
    assert body["metadata"]["generation"] == 1
    assert body["metadata"]["uid"]
    assert body["metadata"]["managedFields"][0]["operation"] == "Update"
    assert "status" not in body
    assert weight(body) == 1


async def test_create_can_make_up_a_name(api, make) -> None:
    manifest = make.route()
    manifest["metadata"] = {"generateName": "shop-"}
    code, body, _ = await api.call("POST", f"{FOO}/httproutes", manifest)
    assert code == 201
    assert body["metadata"]["name"].startswith("shop-")
    assert len(body["metadata"]["name"]) == 10


async def test_create_refusals(api, make) -> None:
    code, body, _ = await api.call("POST", f"{FOO}/httproutes", make.route("shop"))
    assert (code, body["reason"]) == (409, "AlreadyExists")
    nowhere = make.route("x")
    nowhere["metadata"]["namespace"] = "none"
    code, body, _ = await api.call("POST", f"{GROUP}/namespaces/none/httproutes", nowhere)
    assert (code, body["details"]["kind"]) == (404, "namespaces")
    code, _, _ = await api.call("POST", f"{FOO}/httproutes", make.gateway("x"))
    assert code == 400
    code, _, _ = await api.call("POST", f"{FOO}/httproutes", nowhere)
    assert code == 400
    code, _, _ = await api.call("POST", f"{FOO}/httproutes", b"{broken", headers={"Content-Type": "application/json"})
    assert code == 400
    protobuf = {"Content-Type": "application/vnd.kubernetes.protobuf"}
    code, body, _ = await api.call("POST", f"{FOO}/httproutes", b"k8s\x00", headers=protobuf)
    assert (code, body["reason"]) == (415, "UnsupportedMediaType")


async def test_422_names_the_field_of_every_cause(api, make) -> None:
    manifest = make.route("x", weight=-1)
    manifest["spec"]["hostnames"] = ["BAD"]
    code, body, _ = await api.call("POST", f"{FOO}/httproutes", manifest)
    assert (code, body["reason"]) == (422, "Invalid")
    fields = [cause["field"] for cause in body["details"]["causes"]]
    assert sorted(fields) == ["spec.hostnames[0]", "spec.rules[0].backendRefs[0].weight"]


async def test_unknown_fields_warn_or_are_refused(api, make) -> None:
    manifest = make.route("x")
    manifest["spec"]["colour"] = "red"
    code, _, _ = await api.call("POST", f"{FOO}/httproutes", manifest, params={"fieldValidation": "Strict"})
    assert code == 400
    code, body, headers = await api.call("POST", f"{FOO}/httproutes", manifest)
    assert code == 201
    assert "colour" not in body["spec"]
    assert "spec.colour" in headers["Warning"]
    code, _, _ = await patch(api, SHOP, {"spec": {"colour": "red"}}, fieldValidation="Strict")
    assert code == 422


async def test_replace_needs_the_current_version_and_a_no_op_changes_nothing(api) -> None:
    current = await api.get(SHOP)
    code, body, _ = await api.call("PUT", SHOP, current)
    assert (code, body["metadata"]["resourceVersion"]) == (200, current["metadata"]["resourceVersion"])
    current["spec"]["hostnames"] = ["a.example"]
    code, changed, _ = await api.call("PUT", SHOP, current)
    assert (code, changed["metadata"]["generation"]) == (200, 2)
    code, body, _ = await api.call("PUT", SHOP, current)
    assert (code, body["reason"]) == (409, "Conflict")
    del current["metadata"]["resourceVersion"]
    code, body, _ = await api.call("PUT", SHOP, current)
    assert (code, body["details"]["causes"][0]["field"]) == (422, "metadata.resourceVersion")


async def test_merge_patch_replaces_lists_and_null_removes(api) -> None:
    code, body, _ = await patch(api, SHOP, {"metadata": {"labels": {"a": "b"}}, "spec": {"hostnames": None}})
    assert code == 200
    assert "hostnames" not in body["spec"]
    assert body["metadata"]["labels"] == {"a": "b"}
    code, body, _ = await patch(api, SHOP, {"metadata": {"resourceVersion": "1"}})
    assert (code, body["reason"]) == (409, "Conflict")


async def test_json_patch_tests_and_changes(api) -> None:
    path = "/spec/rules/0/backendRefs/0/weight"
    operations = [{"op": "test", "path": path, "value": 1}, {"op": "replace", "path": path, "value": 7}]
    code, body, _ = await patch(api, SHOP, operations, JSON_PATCH)
    assert (code, weight(body)) == (200, 7)
    code, body, _ = await patch(api, SHOP, operations, JSON_PATCH)
    assert (code, body["reason"]) == (422, "Invalid")
    assert weight(await api.get(SHOP)) == 7


async def test_strategic_merge_is_for_built_in_kinds(api) -> None:
    code, body, _ = await patch(api, SHOP, {"spec": {}}, STRATEGIC)
    assert (code, body["reason"]) == (415, "UnsupportedMediaType")
    extra = {"spec": {"containers": [{"name": "sidecar", "image": "s"}, {"name": "envoy", "image": "new"}]}}
    code, body, _ = await patch(api, "/api/v1/namespaces/foo/pods/proxy", extra, STRATEGIC)
    containers = {item["name"]: item["image"] for item in body["spec"]["containers"]}
    assert (code, containers) == (200, {"envoy": "new", "sidecar": "s"})
    gone = {"spec": {"containers": [{"name": "sidecar", "$patch": "delete"}]}}
    code, body, _ = await patch(api, "/api/v1/namespaces/foo/pods/proxy", gone, STRATEGIC)
    assert [item["name"] for item in body["spec"]["containers"]] == ["envoy"]


async def test_apply_creates_and_repeats_without_a_change(api, make) -> None:
    manifest = make.route("fresh")
    code, first, _ = await apply(api, f"{FOO}/httproutes/fresh", manifest)
    assert code == 201
    assert first["metadata"]["managedFields"][0]["operation"] == "Apply"
    code, second, _ = await apply(api, f"{FOO}/httproutes/fresh", manifest)
    assert code == 200
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_apply_of_an_undefaulted_manifest_conflicts_with_the_author_of_the_defaulted_one(api, make) -> None:
    code, body, _ = await apply(api, SHOP, make.route(), manager="other")
    assert (code, body["reason"]) == (409, "Conflict")
    causes = {cause["field"]: cause for cause in body["details"]["causes"]}
    assert causes.keys() == {".spec.parentRefs", ".spec.rules"}
    assert causes[".spec.rules"]["reason"] == "FieldManagerConflict"
    assert "playground" in causes[".spec.rules"]["message"]


async def test_force_takes_fields_over_and_the_former_owner_loses_them(api, make) -> None:
    code, body, _ = await apply(api, SHOP, make.route(weight=9), manager="other", force="true")
    assert (code, weight(body)) == (200, 9)
    books = {item["manager"]: item["fieldsV1"] for item in body["metadata"]["managedFields"]}
    assert "f:rules" in books["other"]["f:spec"]
    assert "f:rules" not in books["playground"].get("f:spec", {})


async def test_fields_with_one_owner_go_when_it_stops_declaring_them(api) -> None:
    kind = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "foo"}}
    path = "/api/v1/namespaces/foo/configmaps/c"
    await apply(api, path, kind | {"data": {"mine": "1", "shared": "1"}}, "one")
    code, _, _ = await apply(api, path, kind | {"data": {"shared": "1", "theirs": "1"}}, "two")
    assert code == 200
    _, body, _ = await apply(api, path, kind | {"data": {}}, "one")
    assert body["data"] == {"shared": "1", "theirs": "1"}
    _, body, _ = await apply(api, path, kind | {"data": {"theirs": "1"}}, "two")
    assert body["data"] == {"theirs": "1"}


async def test_listeners_are_owned_one_by_one(api, make) -> None:
    manifest = make.gateway()
    manifest["spec"] = {
        "gatewayClassName": "kgateway",
        "listeners": [{"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "c"}]}}],
    }
    code, body, _ = await apply(api, f"{FOO}/gateways/edge", manifest, "tls-team")
    assert code == 200, body
    assert [item["name"] for item in body["spec"]["listeners"]] == ["http", "https"]
    manifest["spec"] = {"gatewayClassName": "kgateway"}
    code, body, _ = await apply(api, f"{FOO}/gateways/edge", manifest, "tls-team")
    assert code == 200, body
    assert [item["name"] for item in body["spec"]["listeners"]] == ["http"]


async def test_apply_refusals(api, make) -> None:
    code, body, _ = await patch(api, SHOP, make.route(), APPLY)
    assert (code, body["details"]["causes"][0]["field"]) == (422, "fieldManager")
    manifest = make.route(managedFields=[{"manager": "x"}])
    code, _, _ = await apply(api, SHOP, manifest)
    assert code == 400
    manifest = make.route(resourceVersion="1")
    code, _, _ = await apply(api, SHOP, manifest)
    assert code == 409


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "APPLY", "DELETE"])
async def test_a_dry_run_shows_the_result_and_leaves_no_trace(api, store, make, method: str) -> None:
    version = store.version
    current = await api.get(SHOP)
    current["spec"]["hostnames"] = ["dry.example"]
    options = {"params": {"dryRun": "All"}}
    match method:
        case "POST":
            code, body, _ = await api.call("POST", f"{FOO}/httproutes", make.route("dry"), **options)
        case "PUT":
            code, body, _ = await api.call("PUT", SHOP, current, **options)
        case "PATCH":
            code, body, _ = await patch(api, SHOP, {"spec": {"hostnames": ["dry.example"]}}, dryRun="All")
        case "APPLY":
            code, body, _ = await apply(api, SHOP, make.route(weight=3), force="true", dryRun="All")
        case _:
            code, body, _ = await api.call("DELETE", SHOP, {"dryRun": ["All"]})
    assert code in {200, 201}
    assert body["kind"] in {"HTTPRoute", "Status"}
    if method in {"PUT", "PATCH", "APPLY"}:
        assert body["metadata"]["generation"] == 2
    assert store.version == version


async def test_status_and_spec_are_written_apart(api) -> None:
    path = f"{FOO}/gateways/edge"
    current = await api.get(path)
    both = current | {"spec": current["spec"] | {"gatewayClassName": "x"}, "status": {"conditions": [CONDITION]}}
    code, body, _ = await api.call("PUT", f"{path}/status", both)
    assert code == 200
    assert body["spec"]["gatewayClassName"] == "kgateway"
    assert body["metadata"]["generation"] == 1
    changes = {"spec": {"gatewayClassName": "y"}, "status": {"conditions": []}}
    code, body, _ = await patch(api, path, changes)
    assert body["spec"]["gatewayClassName"] == "y"
    assert [item["type"] for item in body["status"]["conditions"]] == ["Accepted"]


async def test_status_is_applied_condition_by_condition(api) -> None:
    path = f"{FOO}/gateways/edge/status"
    base = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "edge"}}
    mine = base | {"status": {"conditions": [CONDITION | {"type": "example.org/Mine"}]}}
    code, body, _ = await apply(api, path, mine, "me")
    assert code == 200, body
    assert [item["type"] for item in body["status"]["conditions"]] == ["Accepted", "Programmed", "example.org/Mine"]


async def test_deletion_answers_with_a_status_or_with_what_is_left(api, store, make) -> None:
    code, body, _ = await api.call("DELETE", SHOP)
    assert (code, body["kind"], body["details"]["kind"]) == (200, "Status", "httproutes")
    code, _, _ = await api.call("DELETE", SHOP)
    assert code == 404
    code, body, _ = await api.call("DELETE", "/api/v1/namespaces/foo/pods/proxy")
    assert (code, body["kind"]) == (200, "Pod")
    store.put(make.gateway("held", finalizers=["example.org/keep"]))
    code, body, _ = await api.call("DELETE", f"{FOO}/gateways/held")
    assert (code, body["kind"]) == (200, "Gateway")
    assert body["metadata"]["deletionTimestamp"]
    code, _, _ = await patch(api, f"{FOO}/gateways/held", {"metadata": {"finalizers": None}})
    assert code == 200
    assert store.find("gateways.gateway.networking.k8s.io", "foo", "held") is None


async def test_deletion_honours_preconditions_and_collections(api, store, make) -> None:
    code, body, _ = await api.call("DELETE", SHOP, {"preconditions": {"uid": "another"}})
    assert (code, body["reason"]) == (409, "Conflict")
    store.put(make.route("marked", labels={"old": "1"}))
    code, _, _ = await api.call("DELETE", f"{FOO}/httproutes", params={"labelSelector": "old"})
    assert code == 200
    left = [item["metadata"]["name"] for item in store.list("httproutes.gateway.networking.k8s.io")]
    assert left == ["shop"]


async def test_a_method_without_meaning_is_405(api) -> None:
    code, body, _ = await api.call("POST", SHOP, {})
    assert (code, body["reason"]) == (405, "MethodNotAllowed")


@pytest.mark.parametrize(
    ("path", "manifest"),
    [
        (f"{FOO}/httproutes", {"metadata": "x"}),
        (f"{FOO}/httproutes", {"metadata": {"name": "x", "labels": "x"}}),
        (f"{FOO}/httproutes", {"metadata": {"name": "x", "labels": {"a": 1}}}),
        (f"{FOO}/httproutes", {"metadata": {"name": "x", "ownerReferences": [1]}}),
        (f"{FOO}/httproutes", {"metadata": {"name": "x"}, "spec": {"rules": [None]}}),
        (f"{FOO}/httproutes", {"metadata": {"name": "x"}, "spec": []}),
        ("/api/v1/namespaces/foo/pods", {"metadata": {"name": "x"}, "spec": {"containers": [5]}}),
        ("/api/v1/namespaces/foo/services", {"metadata": {"name": "x"}, "spec": {"ports": {}}}),
        ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", []),
    ],
)
async def test_malformed_objects_are_the_fault_of_the_sender(api, path: str, manifest) -> None:
    kind = "HTTPRoute" if "httproutes" in path else "Pod" if "pods" in path else "Service"
    api_version = "gateway.networking.k8s.io/v1" if kind == "HTTPRoute" else "v1"
    body = {"apiVersion": api_version, "kind": kind, **manifest} if isinstance(manifest, dict) else manifest
    code, answer, _ = await api.call("POST", path, body)
    assert (code, answer["kind"]) in {(400, "Status"), (422, "Status")}


async def test_null_is_absent_in_metadata_and_in_built_in_kinds(api, make) -> None:
    manifest = make.route("nulls", labels=None, creationTimestamp=None)
    code, body, _ = await api.call("POST", f"{FOO}/httproutes", manifest)
    assert code == 201
    assert "labels" not in body["metadata"]
    pod = make.pod("nulls")
    pod["spec"]["containers"][0]["ports"] = None
    code, body, _ = await api.call("POST", "/api/v1/namespaces/foo/pods", pod)
    assert code == 201
    assert "ports" not in body["spec"]["containers"][0]


@pytest.mark.parametrize("books", [[{}], [], [{"fieldsV1": {"f:spec": {}}}]])
async def test_a_writer_may_send_its_own_books(api, books) -> None:
    code, body, _ = await patch(api, SHOP, {"metadata": {"managedFields": books}}, fieldManager="me")
    assert code == 200
    assert "playground" not in {item.get("manager") for item in body["metadata"].get("managedFields", [])}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/metadata/resourceVersion", "value": "0"},
        {"op": "test", "path": "/metadata/nothing", "value": "x"},
        {"op": "remove", "path": "/spec/nothing"},
        {"op": "replace", "path": "/spec/rules/9/name", "value": "x"},
    ],
)
async def test_a_json_patch_that_does_not_fit_is_422_and_says_no_more(api, store, operation) -> None:
    version = store.version
    code, body, _ = await patch(api, SHOP, [operation], JSON_PATCH)
    assert (code, body["reason"]) == (422, "Invalid")
    assert body["message"] == "the server rejected our request due to an error in our request"
    assert "causes" not in body.get("details", {})
    assert store.version == version


async def test_a_strict_patch_quotes_the_object_before_what_is_wrong_with_it(api) -> None:
    operation = {"op": "add", "path": "/spec/colour", "value": 'r"ed'}
    code, body, _ = await patch(api, SHOP, [operation], JSON_PATCH, fieldValidation="Strict")
    assert (code, body["reason"]) == (422, "Invalid")
    (cause,) = body["details"]["causes"]
    assert cause["field"] == "patch"
    assert cause["message"].startswith('Invalid value: "{')
    assert cause["message"].endswith(': strict decoding error: unknown field "spec.colour"')
