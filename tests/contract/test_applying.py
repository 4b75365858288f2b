"""Server-side apply: who owns which field, what conflicts, and what force takes."""

from __future__ import annotations

import pytest

APPLY = "application/apply-patch+yaml"


@pytest.fixture
def maps(core) -> str:
    return f"{core}/configmaps"


def books(obj) -> dict[tuple[str, str], dict]:
    """The fields by manager and operation."""
    return {(entry["manager"], entry["operation"]): entry["fieldsV1"] for entry in obj["metadata"]["managedFields"]}


async def apply(api, path, body, manager="author", **params):
    query = ({"fieldManager": manager} if manager else {}) | params
    return await api.call("PATCH", path, body, content_type=APPLY, params=query)


def data(make, **values):
    return make.config_map(data=values)


async def test_what_is_not_there_is_made_and_what_is_the_same_is_left(api, maps, make) -> None:
    code, first, _ = await apply(api, f"{maps}/one", data(make, a="1"))
    assert code == 201
    assert books(first) == {("author", "Apply"): {"f:data": {"f:a": {}}}}
    code, second, _ = await apply(api, f"{maps}/one", data(make, a="1"))
    assert (code, second) == (200, first)


async def test_a_field_of_another_value_is_a_conflict_that_names_its_owner(api, maps, put, make) -> None:
    await put(maps, data(make, a="1", b="1"), fieldManager="first")
    code, body, _ = await apply(api, f"{maps}/one", data(make, a="2", c="3"), "second")
    assert (code, body["reason"]) == (409, "Conflict")
    assert body["message"] == 'Apply failed with 1 conflict: conflict with "first" using v1: .data.a'
    assert body["details"] == {
        "causes": [{"reason": "FieldManagerConflict", "message": 'conflict with "first" using v1', "field": ".data.a"}]
    }
    assert (await api.get(f"{maps}/one"))["data"] == {"a": "1", "b": "1"}


async def test_every_conflict_is_told(api, maps, put, make) -> None:
    await put(maps, data(make, a="1", b="1"), fieldManager="first")
    await put.apply(f"{maps}/one", data(make, c="1"), "second")
    code, body, _ = await apply(api, f"{maps}/one", data(make, a="2", b="2", c="2"), "third")
    assert (code, body["reason"]) == (409, "Conflict")
    found = {(cause["message"], cause["field"]) for cause in body["details"]["causes"]}
    assert found == {
        ('conflict with "first" using v1', ".data.a"),
        ('conflict with "first" using v1', ".data.b"),
        ('conflict with "second"', ".data.c"),
    }
    assert body["message"].startswith("Apply failed with 3 conflicts: conflicts with ")


async def test_force_takes_the_field_and_leaves_the_others(api, maps, put, make) -> None:
    await put(maps, data(make, a="1", b="1"), fieldManager="first")
    code, made, _ = await apply(api, f"{maps}/one", data(make, a="2"), "second", force="true")
    assert (code, made["data"]) == (200, {"a": "2", "b": "1"})
    owned = books(made)
    assert owned["second", "Apply"] == {"f:data": {"f:a": {}}}
    assert "f:a" not in owned["first", "Update"]["f:data"]
    assert "f:b" in owned["first", "Update"]["f:data"]


async def test_a_field_of_the_same_value_is_shared(api, maps, put, make) -> None:
    await put.apply(f"{maps}/one", data(make, a="1"), "first")
    code, made, _ = await apply(api, f"{maps}/one", data(make, a="1"), "second")
    assert code == 200
    assert {manager for manager, _ in books(made)} == {"first", "second"}
    code, body, _ = await apply(api, f"{maps}/one", data(make, a="2"), "first")
    assert (code, body["details"]["causes"][0]["message"]) == (409, 'conflict with "second"')


async def test_a_field_goes_when_its_last_owner_lets_go(api, maps, put, make) -> None:
    await put.apply(f"{maps}/one", data(make, mine="1", shared="1"), "first")
    await put.apply(f"{maps}/one", data(make, shared="1", theirs="1"), "second")
    left = await put.apply(f"{maps}/one", data(make, mine="1"), "first")
    assert left["data"] == {"mine": "1", "shared": "1", "theirs": "1"}
    left = await put.apply(f"{maps}/one", data(make, theirs="1"), "second")
    assert left["data"] == {"mine": "1", "theirs": "1"}


async def test_a_plain_write_takes_the_fields_it_changes(api, maps, put, make) -> None:
    await put.apply(f"{maps}/one", data(make, a="1", b="1"), "first")
    made = await put.merge(f"{maps}/one", {"data": {"a": "2"}}, fieldManager="second")
    owned = books(made)
    assert owned["first", "Apply"] == {"f:data": {"f:b": {}}}
    assert "f:a" in owned["second", "Update"]["f:data"]
    code, body, _ = await apply(api, f"{maps}/one", data(make, a="1", b="1"), "first")
    assert (code, body["details"]["causes"][0]["message"]) == (409, 'conflict with "second" using v1')


async def test_the_same_manager_applies_and_writes_apart(api, maps, put, make) -> None:
    await put(maps, data(make, a="1"), fieldManager="me")
    code, body, _ = await apply(api, f"{maps}/one", data(make, a="2"), "me")
    assert code == 409
    assert body["details"]["causes"][0]["message"] == 'conflict with "me" using v1'


async def test_items_of_keyed_lists_are_owned_one_by_one(api, core, put, make) -> None:
    http, https = {"name": "http", "port": 80}, {"name": "https", "port": 443}
    path = f"{core}/services/shop"
    await put.apply(path, make.service("shop", http), "first")
    made = await put.apply(path, make.service("shop", https), "second")
    assert [port["name"] for port in made["spec"]["ports"]] == ["http", "https"]
    code, body, _ = await apply(api, path, make.service("shop", https | {"name": "tls"}), "first")
    assert code == 409
    assert body["details"]["causes"][0]["field"] == '.spec.ports[port=443,protocol="TCP"].name'


async def test_listeners_are_owned_one_by_one(api, gateways, put, make) -> None:
    path = f"{gateways}/gateways/edge"
    await put(f"{gateways}/gateways", make.gateway(), fieldManager="first")
    https = {"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "c"}]}}
    made = await put.apply(path, make.gateway("edge", https), "second")
    assert [item["name"] for item in made["spec"]["listeners"]] == ["http", "https"]
    other = {"name": "http", "port": 8080, "protocol": "HTTP"}
    code, body, _ = await apply(api, path, make.gateway("edge", other), "third")
    assert (code, body["reason"]) == (409, "Conflict")
    fields = {cause["field"] for cause in body["details"]["causes"]}
    assert fields == {'.spec.listeners[name="http"].port'}
    message = 'conflict with "first" using gateway.networking.k8s.io/v1'
    assert {cause["message"] for cause in body["details"]["causes"]} == {message}
    gone = make.gateway()
    gone["spec"] = {"gatewayClassName": "kgateway"}
    made = await put.apply(path, gone, "second")
    assert [item["name"] for item in made["spec"]["listeners"]] == ["http"]


async def test_an_undefaulted_manifest_conflicts_with_the_defaults_of_its_author(api, gateways, put, make) -> None:
    await put(f"{gateways}/httproutes", make.route(), fieldManager="first")
    code, body, _ = await apply(api, f"{gateways}/httproutes/shop", make.route(), "second")
    assert (code, body["reason"]) == (409, "Conflict")
    assert {cause["field"] for cause in body["details"]["causes"]} == {".spec.parentRefs", ".spec.rules"}


async def test_lists_of_a_route_are_taken_whole(api, gateways, put, make) -> None:
    path = f"{gateways}/httproutes/shop"
    await put(f"{gateways}/httproutes", make.route(), fieldManager="first")
    code, made, _ = await apply(api, path, make.route(weight=9), "second", force="true")
    assert (code, made["spec"]["rules"][0]["backendRefs"][0]["weight"]) == (200, 9)
    owned = books(made)
    assert owned["second", "Apply"]["f:spec"].keys() == {"f:hostnames", "f:parentRefs", "f:rules"}
    left = owned.get(("first", "Update"), {}).get("f:spec", {})
    assert "f:rules" not in left
    assert "f:parentRefs" not in left


async def test_conditions_are_applied_one_by_one(api, gateways, put, make) -> None:
    await put(f"{gateways}/gateways", make.gateway())
    condition = {
        "type": "example.org/Mine",
        "status": "True",
        "reason": "Mine",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    declared = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "edge"},
        "status": {"conditions": [condition]},
    }
    made = await put.apply(f"{gateways}/gateways/edge/status", declared, "me")
    assert [item["type"] for item in made["status"]["conditions"]] == ["Accepted", "Programmed", "example.org/Mine"]
    entry = next(entry for entry in made["metadata"]["managedFields"] if entry["manager"] == "me")
    assert (entry["operation"], entry["subresource"]) == ("Apply", "status")
    declared["status"]["conditions"][0]["status"] = "False"
    code, body, _ = await apply(api, f"{gateways}/gateways/edge/status", declared, "other")
    assert code == 409
    (cause,) = body["details"]["causes"]
    assert cause["field"] == '.status.conditions[type="example.org/Mine"].status'
    assert cause["message"] in {'conflict with "me" with subresource "status"', 'conflict with "me"'}


async def test_a_manager_has_to_be_named(api, maps, make) -> None:
    code, body, _ = await apply(api, f"{maps}/one", data(make, a="1"), "")
    assert (code, body["reason"]) == (422, "Invalid")
    assert body["details"] == {
        "group": "meta.k8s.io",
        "kind": "PatchOptions",
        "causes": [
            {
                "reason": "FieldValueRequired",
                "message": "Required value: is required for apply patch",
                "field": "fieldManager",
            }
        ],
    }


async def test_an_old_version_is_409(api, maps, put, make) -> None:
    await put(maps, data(make, a="1"))
    code, body, _ = await apply(api, f"{maps}/one", make.config_map(data={"a": "1"}, resourceVersion="1"))
    assert (code, body["reason"]) == (409, "Conflict")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metadata": {"name": "one", "managedFields": [{"manager": "x"}]}}, "metadata.managedFields must be nil"),
        ({"metadata": {"name": "two"}}, "the name of the object (two) does not match the name on the URL (one)"),
        ({"apiVersion": ""}, "invalid object type: /, Kind=ConfigMap"),
    ],
)
async def test_what_is_no_declaration_of_this_object_is_400(api, maps, make, changes, message) -> None:
    code, body, _ = await apply(api, f"{maps}/one", data(make, a="1") | changes)
    assert (code, body["reason"], body["message"]) == (400, "BadRequest", message)


async def test_yaml_is_applied(api, maps) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  when: '2001-01-01'\n"
    code, made, _ = await api.call(
        "PATCH", f"{maps}/one", body, headers={"Content-Type": APPLY}, params={"fieldManager": "me"}
    )
    assert (code, made["data"]) == (201, {"when": "2001-01-01"})


async def test_unknown_fields_of_a_custom_kind_are_refused_where_that_is_asked_for(api, gateways, make) -> None:
    manifest = make.gateway()
    manifest["spec"]["colour"] = "red"
    code, body, _ = await apply(api, f"{gateways}/gateways/edge", manifest, fieldValidation="Strict")
    assert code in {400, 500}
    assert "colour" in body["message"]
