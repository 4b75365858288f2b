"""Creating, replacing, patching and dry runs."""

from __future__ import annotations

import re

import pytest

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def refused(answer) -> tuple[int, str, str]:
    """Code, reason and message of a refusal."""
    code, body, _ = answer
    assert (body["kind"], body["status"], body["code"]) == ("Status", "Failure", code), body
    return code, body.get("reason", ""), body["message"]


def causes(answer) -> set[tuple[str, str]]:
    """Reason and field of every cause of a refusal."""
    return {(cause["reason"], cause["field"]) for cause in answer[1]["details"]["causes"]}


@pytest.fixture
def maps(core) -> str:
    return f"{core}/configmaps"


@pytest.fixture
async def one(maps, put, make) -> str:
    """Path of a ConfigMap with the datum a."""
    await put(maps, make.config_map())
    return f"{maps}/one"


@pytest.fixture
async def shop(gateways, put, make) -> str:
    """Path of an HTTPRoute."""
    await put(f"{gateways}/httproutes", make.route())
    return f"{gateways}/httproutes/shop"


async def patch(api, path, body, content_type=MERGE, **params):
    return await api.call("PATCH", path, body, content_type=content_type, params=params)


# Creation


async def test_creation_completes_the_metadata(api, ns, maps, make) -> None:
    code, made, headers = await api.call("POST", maps, make.config_map(), headers={"User-Agent": "tester/1.2 (x)"})
    assert (code, headers["Content-Type"]) == (201, "application/json")
    metadata = made["metadata"]
    assert (metadata["name"], metadata["namespace"]) == ("one", ns)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata["uid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"])
    assert metadata["resourceVersion"].isdecimal()
    assert metadata.keys() == {
        "name", "namespace", "uid", "creationTimestamp", "resourceVersion", "managedFields"
    }  # fmt: skip
    (entry,) = metadata["managedFields"]
    assert {key: value for key, value in entry.items() if key not in {"time", "fieldsV1"}} == {
        "manager": "tester",
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
    }
    assert "f:a" in entry["fieldsV1"]["f:data"]


async def test_a_writer_may_name_itself(api, maps, put, make) -> None:
    made = await put(maps, make.config_map(), fieldManager="me")
    assert [entry["manager"] for entry in made["metadata"]["managedFields"]] == ["me"]


async def test_creation_drops_what_is_the_servers_to_say(api, gateways, put, make) -> None:
    told = make.gateway(uid="x", generation=7, creationTimestamp="2001-01-01T00:00:00Z", selfLink="/x")
    made = await put(f"{gateways}/gateways", told | {"status": {"addresses": [{"value": "1.2.3.4"}]}})
    assert made["metadata"]["generation"] == 1
    assert made["metadata"]["uid"] != "x"
    assert not made["metadata"]["creationTimestamp"].startswith("2001")
    assert "addresses" not in made.get("status", {})


async def test_a_name_can_be_made_up(api, maps, put) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-"}}
    names = {(await put(maps, manifest))["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(re.fullmatch(r"made-[a-z0-9]{5}", name) for name in names)
    found = await api.get(f"{maps}/{names.pop()}")
    assert found["metadata"]["generateName"] == "made-"


async def test_a_name_that_is_taken_is_409(api, maps, one, make) -> None:
    answer = await api.call("POST", maps, make.config_map())
    assert refused(answer) == (409, "AlreadyExists", 'configmaps "one" already exists')
    assert answer[1]["details"] == {"name": "one", "kind": "configmaps"}


async def test_a_custom_name_that_is_taken_is_409_with_its_group(api, gateways, shop, make) -> None:
    answer = await api.call("POST", f"{gateways}/httproutes", make.route())
    assert refused(answer)[:2] == (409, "AlreadyExists")
    assert answer[1]["details"] == {"name": "shop", "group": "gateway.networking.k8s.io", "kind": "httproutes"}


async def test_a_namespace_that_is_not_there_takes_nothing(api, make) -> None:
    answer = await api.call("POST", "/api/v1/namespaces/nowhere-at-all/configmaps", make.config_map())
    assert refused(answer) == (404, "NotFound", 'namespaces "nowhere-at-all" not found')
    assert answer[1]["details"] == {"name": "nowhere-at-all", "kind": "namespaces"}


async def test_an_object_of_another_namespace_is_400(api, maps, make) -> None:
    answer = await api.call("POST", maps, make.config_map(namespace="other"))
    wanted = "the namespace of the provided object does not match the namespace sent on the request"
    assert refused(answer) == (400, "BadRequest", wanted)


async def test_an_object_of_another_kind_is_400(api, maps, make) -> None:
    assert refused(await api.call("POST", maps, make.pod()))[:2] == (400, "BadRequest")


async def test_a_kind_of_kubernetes_need_not_be_named(api, maps, put) -> None:
    made = await put(maps, {"metadata": {"name": "bare"}})
    assert (made["kind"], made["apiVersion"]) == ("ConfigMap", "v1")


async def test_a_custom_kind_has_to_be_named(api, gateways) -> None:
    assert refused(await api.call("POST", f"{gateways}/gateways", {"metadata": {"name": "x"}}))[:2] == (
        400,
        "BadRequest",
    )


@pytest.mark.parametrize("body", [b"{broken", b"[1]", b""])
async def test_a_body_that_cannot_be_read_is_400(api, maps, body) -> None:
    answer = await api.call("POST", maps, body, headers={"Content-Type": "application/json"})
    assert refused(answer)[:2] == (400, "BadRequest")


async def test_a_body_of_a_form_nobody_reads_is_415(api, maps) -> None:
    answer = await api.call("POST", maps, b"<x/>", headers={"Content-Type": "application/xml"})
    code, reason, message = refused(answer)
    assert (code, reason) == (415, "UnsupportedMediaType")
    assert message.startswith("the body of the request was in an unknown format - accepted media types include:")
    assert "application/json, application/yaml" in message


async def test_yaml_is_read(api, maps) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: written}\ndata: {at: '2001-01-01'}\n"
    code, made, _ = await api.call("POST", maps, body, headers={"Content-Type": "application/yaml"})
    assert (code, made["data"]) == (201, {"at": "2001-01-01"})


async def test_a_name_is_needed(api, maps) -> None:
    answer = await api.call("POST", maps, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}})
    assert refused(answer) == (
        422,
        "Invalid",
        'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    )
    assert causes(answer) == {("FieldValueRequired", "metadata.name")}


@pytest.mark.parametrize("name", ["Upper", "under_score", "-front", "a" * 254, "a..b"])
async def test_a_name_that_is_none_is_422(api, maps, make, name) -> None:
    answer = await api.call("POST", maps, make.config_map(name))
    assert refused(answer)[:2] == (422, "Invalid")
    assert causes(answer) == {("FieldValueInvalid", "metadata.name")}
    assert answer[1]["details"]["name"] == name


async def test_a_new_object_has_no_version(api, maps, make) -> None:
    answer = await api.call("POST", maps, make.config_map(resourceVersion="5"))
    assert refused(answer) == (500, "", "resourceVersion should not be set on objects to be created")


@pytest.mark.parametrize(
    ("option", "field", "reason"),
    [
        ({"dryRun": "x"}, "dryRun", "FieldValueNotSupported"),
        ({"fieldValidation": "x"}, "fieldValidation", "FieldValueNotSupported"),
        ({"fieldManager": "x" * 129}, "fieldManager", "FieldValueTooLong"),
    ],
)
async def test_an_option_without_meaning_is_422(api, maps, make, option, field, reason) -> None:
    answer = await api.call("POST", maps, make.config_map(), params=option)
    assert refused(answer)[:2] == (422, "Invalid")
    assert causes(answer) == {(reason, field)}
    assert (answer[1]["details"]["kind"], answer[1]["details"]["group"]) == ("CreateOptions", "meta.k8s.io")


@pytest.mark.parametrize(
    ("labels", "field"),
    [
        ({"labels": {"a b": "x"}}, "metadata.labels"),
        ({"labels": {"a": "x y"}}, "metadata.labels"),
        ({"annotations": {"a b": "x"}}, "metadata.annotations"),
        ({"finalizers": ["bare"]}, "metadata.finalizers[0]"),
    ],
)
async def test_metadata_has_rules_of_its_own(api, maps, make, labels, field) -> None:
    answer = await api.call("POST", maps, make.config_map(**labels))
    assert refused(answer)[:2] == (422, "Invalid")
    assert causes(answer) == {("FieldValueInvalid", field)}


# Unknown fields


async def test_unknown_fields_are_dropped_with_a_warning(api, gateways, make) -> None:
    manifest = make.gateway()
    manifest["spec"]["colour"] = "red"
    manifest["spec"]["listeners"][0]["mood"] = "good"
    code, made, headers = await api.call("POST", f"{gateways}/gateways", manifest)
    assert code == 201
    assert "colour" not in made["spec"]
    assert set(headers.getall("Warning")) == {
        '299 - "unknown field \\"spec.colour\\""',
        '299 - "unknown field \\"spec.listeners[0].mood\\""',
    }


async def test_unknown_fields_are_refused_where_that_is_asked_for(api, gateways, make) -> None:
    manifest = make.gateway()
    manifest["spec"]["colour"] = "red"
    answer = await api.call("POST", f"{gateways}/gateways", manifest, params={"fieldValidation": "Strict"})
    code, reason, message = refused(answer)
    assert (code, reason) == (400, "BadRequest")
    assert message.endswith('strict decoding error: unknown field "spec.colour"')


async def test_unknown_fields_are_dropped_in_silence_where_that_is_asked_for(api, gateways, make) -> None:
    manifest = make.gateway()
    manifest["spec"]["colour"] = "red"
    code, _, headers = await api.call("POST", f"{gateways}/gateways", manifest, params={"fieldValidation": "Ignore"})
    assert (code, headers.getall("Warning", [])) == (201, [])


@pytest.mark.parametrize("content_type", [MERGE, JSON_PATCH])
async def test_a_patch_with_unknown_fields_is_422_and_quotes_what_came_of_it(api, shop, content_type) -> None:
    body = {"spec": {"colour": "red"}}
    if content_type == JSON_PATCH:
        body = [{"op": "add", "path": "/spec/colour", "value": "red"}]
    answer = await patch(api, shop, body, content_type, fieldValidation="Strict")
    assert refused(answer)[:2] == (422, "Invalid")
    (cause,) = answer[1]["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("FieldValueInvalid", "patch")
    assert cause["message"].startswith('Invalid value: "{')
    assert cause["message"].endswith(': strict decoding error: unknown field "spec.colour"')


# Replacing


async def test_a_replacement_of_the_newest_version_is_taken(api, one) -> None:
    current = await api.get(one)
    code, made, _ = await api.call("PUT", one, current | {"data": {"b": "2"}})
    assert (code, made["data"]) == (200, {"b": "2"})
    assert int(made["metadata"]["resourceVersion"]) > int(current["metadata"]["resourceVersion"])
    for key in ("uid", "creationTimestamp"):
        assert made["metadata"][key] == current["metadata"][key]


async def test_a_replacement_that_changes_nothing_keeps_the_version(api, one) -> None:
    current = await api.get(one)
    code, made, _ = await api.call("PUT", one, current)
    assert (code, made) == (200, current)


@pytest.mark.parametrize("plural", ["configmaps", "httproutes"])
async def test_a_replacement_of_an_old_version_is_409(api, core, gateways, put, make, plural) -> None:
    base, manifest = (core, make.config_map()) if plural == "configmaps" else (gateways, make.route())
    made = await put(f"{base}/{plural}", manifest)
    path = f"{base}/{plural}/{made['metadata']['name']}"
    await put.merge(path, {"metadata": {"labels": {"a": "b"}}})
    answer = await api.call("PUT", path, made | {"metadata": made["metadata"] | {"labels": {"c": "d"}}})
    resource = plural if plural == "configmaps" else f"{plural}.gateway.networking.k8s.io"
    name = made["metadata"]["name"]
    wanted = f'Operation cannot be fulfilled on {resource} "{name}": {MODIFIED}'
    assert refused(answer) == (409, "Conflict", wanted)
    group = {"group": "gateway.networking.k8s.io"} if plural == "httproutes" else {}
    assert answer[1]["details"] == {"name": name, "kind": plural} | group


async def test_a_replacement_without_a_version_is_taken_of_kinds_of_kubernetes(api, one, make) -> None:
    code, made, _ = await api.call("PUT", one, make.config_map(data={"c": "3"}))
    assert (code, made["data"]) == (200, {"c": "3"})


async def test_a_replacement_without_a_version_is_422_of_custom_kinds(api, shop, make) -> None:
    answer = await api.call("PUT", shop, make.route())
    assert refused(answer)[:2] == (422, "Invalid")
    assert causes(answer) == {("FieldValueInvalid", "metadata.resourceVersion")}
    assert "must be specified for an update" in answer[1]["message"]


async def test_a_replacement_of_another_object_of_that_name_is_409(api, one) -> None:
    current = await api.get(one)
    answer = await api.call("PUT", one, current | {"metadata": current["metadata"] | {"uid": "another"}})
    code, reason, message = refused(answer)
    assert (code, reason) == (409, "Conflict")
    uid = current["metadata"]["uid"]
    assert message.endswith(f"Precondition failed: UID in precondition: another, UID in object meta: {uid}")


async def test_nothing_is_made_by_replacing(api, maps, gateways, make) -> None:
    answer = await api.call("PUT", f"{maps}/none", make.config_map("none"))
    assert refused(answer) == (404, "NotFound", 'configmaps "none" not found')
    answer = await api.call("PUT", f"{gateways}/gateways/none", make.gateway("none", resourceVersion="1"))
    assert refused(answer)[:2] == (404, "NotFound")


async def test_a_name_that_is_not_that_of_the_path_is_400(api, one, make) -> None:
    answer = await api.call("PUT", one, make.config_map("two"))
    wanted = "the name of the object (two) does not match the name on the URL (one)"
    assert refused(answer) == (400, "BadRequest", wanted)


@pytest.mark.parametrize(("method", "path"), [("POST", "configmaps/one"), ("PUT", "configmaps")])
async def test_a_method_without_meaning_is_405(api, core, one, make, method, path) -> None:
    answer = await api.call(method, f"{core}/{path}", make.config_map())
    wanted = "the server does not allow this method on the requested resource"
    assert refused(answer) == (405, "MethodNotAllowed", wanted)


# Merge patches


async def test_null_removes_and_objects_are_merged(api, one) -> None:
    await patch(api, one, {"data": {"b": "2"}, "metadata": {"labels": {"x": "y"}}})
    code, made, _ = await patch(api, one, {"data": {"a": None}})
    assert (code, made["data"], made["metadata"]["labels"]) == (200, {"b": "2"}, {"x": "y"})


async def test_lists_are_replaced_whole(api, shop) -> None:
    code, made, _ = await patch(api, shop, {"spec": {"hostnames": ["a.example", "b.example"]}})
    assert (code, made["spec"]["hostnames"]) == (200, ["a.example", "b.example"])
    code, made, _ = await patch(api, shop, {"spec": {"hostnames": None}})
    assert code == 200
    assert "hostnames" not in made["spec"]


@pytest.mark.parametrize("body", [{}, {"data": {"a": "1"}}, {"data": {"nothing": None}}])
async def test_a_patch_that_changes_nothing_keeps_the_version(api, one, body) -> None:
    current = await api.get(one)
    code, made, _ = await patch(api, one, body)
    assert (code, made) == (200, current)


async def test_a_patch_may_demand_a_version(api, one) -> None:
    version = (await api.get(one))["metadata"]["resourceVersion"]
    code, made, _ = await patch(api, one, {"metadata": {"resourceVersion": version}, "data": {"b": "2"}})
    assert (code, made["data"]["b"]) == (200, "2")
    answer = await patch(api, one, {"metadata": {"resourceVersion": version}, "data": {"b": "3"}})
    assert refused(answer) == (409, "Conflict", f'Operation cannot be fulfilled on configmaps "one": {MODIFIED}')


async def test_what_names_an_object_cannot_be_patched(api, one) -> None:
    answer = await patch(api, one, {"metadata": {"name": "two"}})
    assert refused(answer)[:2] == (400, "BadRequest")
    answer = await patch(api, one, {"metadata": {"namespace": "two"}})
    assert refused(answer)[:2] == (400, "BadRequest")
    answer = await patch(api, one, {"metadata": {"uid": "another"}})
    assert refused(answer) == (
        422,
        "Invalid",
        'ConfigMap "one" is invalid: metadata.uid: Invalid value: "another": field is immutable',
    )


@pytest.mark.parametrize("body", [[1], b"{broken"])
async def test_a_patch_that_cannot_be_read_is_400(api, one, body) -> None:
    answer = await api.call("PATCH", one, body, headers={"Content-Type": MERGE})
    assert refused(answer)[:2] == (400, "BadRequest")


@pytest.mark.parametrize("body", [{"data": 3}, {"data": {"a": 3}}, {"metadata": {"labels": "x"}}])
async def test_a_patch_of_the_wrong_type_is_422(api, one, body) -> None:
    answer = await patch(api, one, body)
    assert refused(answer)[:2] == (422, "Invalid")
    assert causes(answer) == {("FieldValueInvalid", "patch")}


@pytest.mark.parametrize("content_type", [MERGE, JSON_PATCH, STRATEGIC])
async def test_nothing_is_made_by_patching(api, maps, content_type) -> None:
    answer = await patch(api, f"{maps}/none", [] if content_type == JSON_PATCH else {}, content_type)
    assert refused(answer) == (404, "NotFound", 'configmaps "none" not found')


async def test_force_is_for_those_who_apply(api, one) -> None:
    answer = await patch(api, one, {"data": {}}, force="true")
    assert refused(answer)[:2] == (422, "Invalid")
    assert causes(answer) == {("FieldValueForbidden", "force")}


@pytest.mark.parametrize("content_type", ["application/json", "application/foo+json"])
async def test_a_patch_of_another_form_is_415(api, one, content_type) -> None:
    answer = await patch(api, one, {}, content_type)
    assert refused(answer) == (415, "UnsupportedMediaType", "415: Unsupported Media Type")


# JSON patches


async def test_operations_are_carried_out_in_order(api, shop) -> None:
    path = "/spec/rules/0/backendRefs/0/weight"
    operations = [
        {"op": "test", "path": path, "value": 1},
        {"op": "replace", "path": path, "value": 7},
        {"op": "add", "path": "/spec/hostnames/-", "value": "b.example"},
        {"op": "copy", "from": "/spec/hostnames/0", "path": "/metadata/annotations", "value": {}},
        {"op": "remove", "path": "/metadata/annotations"},
        {"op": "move", "from": "/spec/hostnames/1", "path": "/spec/hostnames/0"},
    ]
    code, made, _ = await patch(api, shop, operations, JSON_PATCH)
    assert code == 200
    assert made["spec"]["rules"][0]["backendRefs"][0]["weight"] == 7
    assert made["spec"]["hostnames"] == ["b.example", "shop.example"]


async def test_the_identity_of_an_object_can_be_tested(api, shop) -> None:
    current = await api.get(shop)
    operations = [
        {"op": "test", "path": f"/metadata/{key}", "value": current["metadata"][key]}
        for key in ("uid", "resourceVersion")
    ]
    change = {"op": "replace", "path": "/spec/hostnames", "value": ["b.example"]}
    code, _, _ = await patch(api, shop, [*operations, change], JSON_PATCH)
    assert code == 200
    answer = await patch(api, shop, [*operations, change], JSON_PATCH)
    assert refused(answer) == (422, "Invalid", "the server rejected our request due to an error in our request")


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/data/a", "value": "2"},
        {"op": "test", "path": "/metadata/nothing", "value": "x"},
        {"op": "remove", "path": "/data/none"},
        {"op": "replace", "path": "/data/none/deeper", "value": "x"},
        {"op": "nonsense", "path": "/data/a"},
        {"op": "add", "path": "data", "value": {}},
    ],
)
async def test_an_operation_that_does_not_fit_is_422_and_says_no_more(api, one, operation) -> None:
    current = await api.get(one)
    answer = await patch(api, one, [operation], JSON_PATCH)
    assert refused(answer) == (422, "Invalid", "the server rejected our request due to an error in our request")
    assert answer[1]["details"] == {}
    assert await api.get(one) == current


async def test_operations_that_are_no_list_are_400(api, one) -> None:
    assert refused(await patch(api, one, {"op": "x"}, JSON_PATCH))[:2] == (400, "BadRequest")


# Strategic merge patches


async def test_lists_of_kinds_of_kubernetes_are_merged_by_their_keys(api, ns, put, make) -> None:
    deployments = f"/apis/apps/v1/namespaces/{ns}/deployments"
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    await put(deployments, make.deployment("edge", {"name": "envoy", "image": "one", "env": env}))

    def change(*containers):
        return {"spec": {"template": {"spec": {"containers": list(containers)}}}}

    body = change(
        {"name": "side", "image": "s"}, {"name": "envoy", "image": "two", "env": [{"name": "B", "value": "3"}]}
    )
    code, made, _ = await patch(api, f"{deployments}/edge", body, STRATEGIC)
    assert code == 200
    found = {item["name"]: item for item in made["spec"]["template"]["spec"]["containers"]}
    assert {name: item["image"] for name, item in found.items()} == {"envoy": "two", "side": "s"}
    assert {item["name"]: item["value"] for item in found["envoy"]["env"]} == {"A": "1", "B": "3"}
    body = change({"name": "side", "$patch": "delete"})
    code, made, _ = await patch(api, f"{deployments}/edge", body, STRATEGIC)
    assert [item["name"] for item in made["spec"]["template"]["spec"]["containers"]] == ["envoy"]
    assert made["metadata"]["generation"] == 3


async def test_ports_of_services_are_merged_by_their_number(api, core, put, make) -> None:
    ports = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
    await put(f"{core}/services", make.service("shop", *ports))
    body = {"spec": {"ports": [{"port": 443, "targetPort": 8443}]}}
    code, made, _ = await patch(api, f"{core}/services/shop", body, STRATEGIC)
    assert code == 200
    assert {item["name"]: item["targetPort"] for item in made["spec"]["ports"]} == {"http": 80, "https": 8443}
    body = {"spec": {"ports": [{"port": 80, "$patch": "delete"}]}}
    code, made, _ = await patch(api, f"{core}/services/shop", body, STRATEGIC)
    assert [item["name"] for item in made["spec"]["ports"]] == ["https"]


async def test_finalizers_are_merged_as_a_set_and_taken_out_one_by_one(api, one) -> None:
    await patch(api, one, {"metadata": {"finalizers": ["example.org/a"]}}, STRATEGIC)
    code, made, _ = await patch(api, one, {"metadata": {"finalizers": ["example.org/b"]}}, STRATEGIC)
    assert (code, set(made["metadata"]["finalizers"])) == (200, {"example.org/a", "example.org/b"})
    body = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.org/a"]}}
    code, made, _ = await patch(api, one, body, STRATEGIC)
    assert (code, made["metadata"]["finalizers"]) == (200, ["example.org/b"])
    await patch(api, one, {"metadata": {"finalizers": None}})


async def test_maps_can_be_replaced_whole(api, one) -> None:
    code, made, _ = await patch(api, one, {"data": {"$patch": "replace", "z": "26"}}, STRATEGIC)
    assert (code, made["data"]) == (200, {"z": "26"})


async def test_custom_kinds_cannot_be_merged_by_keys(api, shop) -> None:
    answer = await patch(api, shop, {"spec": {}}, STRATEGIC)
    code, reason, message = refused(answer)
    assert (code, reason) == (415, "UnsupportedMediaType")
    assert "accepted media types include: application/json-patch+json, application/merge-patch+json" in message


# Dry runs


@pytest.mark.parametrize("method", ["POST", "PUT", MERGE, JSON_PATCH, APPLY, "DELETE"])
async def test_a_dry_run_tells_what_would_come_and_leaves_no_trace(api, gateways, shop, make, method) -> None:
    current = await api.get(shop)
    options = {"params": {"dryRun": "All", "fieldManager": "dry"}}
    changed = {"spec": {"hostnames": ["dry.example"]}}
    wanted = 200
    if method == "POST":
        code, body, _ = await api.call("POST", f"{gateways}/httproutes", make.route("dry"), **options)
        wanted = 201
    elif method == "PUT":
        whole = current | {"spec": current["spec"] | changed["spec"]}
        code, body, _ = await api.call("PUT", shop, whole, **options)
    elif method == "DELETE":
        code, body, _ = await api.call("DELETE", shop, params={"dryRun": "All"})
        assert (body["kind"], body["status"]) == ("Status", "Success")
    elif method == APPLY:
        declared = {key: current[key] for key in ("apiVersion", "kind")} | {"metadata": {"name": "shop"}} | changed
        code, body, _ = await patch(api, shop, declared, APPLY, dryRun="All", fieldManager="dry", force="true")
    else:
        operations = [{"op": "replace", "path": "/spec/hostnames", "value": ["dry.example"]}]
        body = operations if method == JSON_PATCH else changed
        code, body, _ = await patch(api, shop, body, method, dryRun="All", fieldManager="dry")
    assert code == wanted
    if method not in {"POST", "DELETE"}:
        assert body["spec"]["hostnames"] == ["dry.example"]
        assert body["metadata"]["generation"] == 2
        assert "dry" in {entry["manager"] for entry in body["metadata"]["managedFields"]}
        assert body["metadata"]["resourceVersion"] == current["metadata"]["resourceVersion"]
    assert await api.get(shop) == current
    assert len((await api.get(f"{gateways}/httproutes"))["items"]) == 1


async def test_a_dry_run_is_refused_as_the_real_one_would_be(api, gateways, shop, make) -> None:
    answer = await patch(api, shop, {"spec": {"rules": [{"backendRefs": [{"name": "x", "port": 0}]}]}}, dryRun="All")
    assert refused(answer)[:2] == (422, "Invalid")
    answer = await api.call("POST", f"{gateways}/httproutes", make.route(), params={"dryRun": "All"})
    assert refused(answer)[:2] == (409, "AlreadyExists")
    version = {"metadata": {"resourceVersion": "1"}}
    assert refused(await patch(api, shop, version, dryRun="All"))[:2] == (409, "Conflict")
