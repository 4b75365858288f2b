"""Deletion: what is answered, what holds it up, and what watchers hear."""

from __future__ import annotations

import pytest

MERGE = "application/merge-patch+json"


@pytest.fixture
def maps(core) -> str:
    return f"{core}/configmaps"


def names(listed) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


async def test_a_deletion_is_answered_with_what_was_deleted(api, maps, put, make) -> None:
    made = await put(maps, make.config_map())
    code, body, _ = await api.call("DELETE", f"{maps}/one")
    assert (code, body["kind"], body["apiVersion"], body["status"]) == (200, "Status", "v1", "Success")
    assert body["details"] == {"name": "one", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    code, body, _ = await api.call("DELETE", f"{maps}/one")
    assert (code, body["reason"], body["message"]) == (404, "NotFound", 'configmaps "one" not found')


async def test_a_deletion_of_a_custom_object_names_its_group(api, gateways, put, make) -> None:
    made = await put(f"{gateways}/gateways", make.gateway())
    code, body, _ = await api.call("DELETE", f"{gateways}/gateways/edge")
    assert (code, body["status"]) == (200, "Success")
    details = {"name": "edge", "group": "gateway.networking.k8s.io", "kind": "gateways"}
    assert body["details"] == details | {"uid": made["metadata"]["uid"]}


@pytest.mark.parametrize("plural", ["pods", "services"])
async def test_pods_and_services_are_answered_with_themselves(api, core, put, make, plural) -> None:
    made = await put(f"{core}/{plural}", make.pod("x") if plural == "pods" else make.service("x"))
    code, body, _ = await api.call("DELETE", f"{core}/{plural}/x")
    assert (code, body["kind"], body["metadata"]["uid"]) == (200, made["kind"], made["metadata"]["uid"])
    code, _, _ = await api.call("GET", f"{core}/{plural}/x")
    assert code == 404


async def test_finalizers_hold_an_object_until_they_are_gone(api, gateways, put, make) -> None:
    path = f"{gateways}/gateways/edge"
    made = await put(f"{gateways}/gateways", make.gateway(finalizers=["example.org/hold"]))
    async with api.watch(f"{gateways}/gateways", resourceVersion=made["metadata"]["resourceVersion"]) as watch:
        code, held, _ = await api.call("DELETE", path)
        assert (code, held["kind"]) == (200, "Gateway")
        assert held["metadata"]["deletionTimestamp"]
        assert held["metadata"]["deletionGracePeriodSeconds"] == 0
        assert held["metadata"]["generation"] == 2
        assert held["metadata"]["finalizers"] == ["example.org/hold"]
        code, again, _ = await api.call("DELETE", path)
        assert (code, again) == (200, held)
        code, left, _ = await api.call("PATCH", path, {"metadata": {"finalizers": None}}, content_type=MERGE)
        assert code == 200
        assert "finalizers" not in left["metadata"]
        code, _, _ = await api.call("GET", path)
        assert code == 404
        events = await watch.take(2)
    assert [event["type"] for event in events] == ["MODIFIED", "DELETED"]
    assert events[0]["object"] == held
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions[0] < versions[1]


async def test_an_object_that_goes_takes_changes_but_no_new_finalizers(api, maps, put, make) -> None:
    await put(maps, make.config_map(finalizers=["example.org/hold"]))
    await api.call("DELETE", f"{maps}/one")
    changed = await put.merge(f"{maps}/one", {"data": {"b": "2"}})
    assert changed["data"]["b"] == "2"
    more = {"metadata": {"finalizers": ["example.org/hold", "example.org/more"]}}
    code, body, _ = await api.call("PATCH", f"{maps}/one", more, content_type=MERGE)
    assert (code, body["reason"]) == (422, "Invalid")
    (cause,) = body["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("FieldValueForbidden", "metadata.finalizers")
    await put.merge(f"{maps}/one", {"metadata": {"finalizers": None}})


async def test_a_name_is_free_again_once_the_object_is_gone(api, maps, put, make) -> None:
    first = await put(maps, make.config_map(finalizers=["example.org/hold"]))
    await api.call("DELETE", f"{maps}/one")
    code, body, _ = await api.call("POST", maps, make.config_map())
    assert (code, body["reason"]) == (409, "AlreadyExists")
    await put.merge(f"{maps}/one", {"metadata": {"finalizers": None}})
    second = await put(maps, make.config_map())
    assert first["metadata"]["uid"] != second["metadata"]["uid"]


async def test_the_last_state_is_told_under_a_version_of_its_own(api, maps, put, make) -> None:
    made = await put(maps, make.config_map())
    async with api.watch(maps, resourceVersion=made["metadata"]["resourceVersion"]) as watch:
        await api.call("DELETE", f"{maps}/one")
        (event,) = await watch.take(1)
    assert event["type"] == "DELETED"
    assert event["object"]["data"] == made["data"]
    assert int(event["object"]["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert "deletionTimestamp" not in event["object"]["metadata"]


@pytest.mark.parametrize("key", ["uid", "resourceVersion"])
async def test_a_deletion_may_demand_an_object(api, maps, put, make, key) -> None:
    made = await put(maps, make.config_map())
    code, body, _ = await api.call("DELETE", f"{maps}/one", {"preconditions": {key: "1"}})
    assert (code, body["reason"]) == (409, "Conflict")
    assert body["details"] == {"name": "one", "kind": "ConfigMap"}
    said = {"uid": "UID", "resourceVersion": "ResourceVersion"}[key]
    assert f"the {said} in the precondition (1) does not match the {said} in record (" in body["message"]
    code, body, _ = await api.call("DELETE", f"{maps}/one", {"preconditions": {key: made["metadata"][key]}})
    assert (code, body["status"]) == (200, "Success")


@pytest.mark.parametrize("where", ["query", "body"])
async def test_a_policy_nobody_knows_is_422(api, maps, put, make, where) -> None:
    await put(maps, make.config_map())
    policy = {"propagationPolicy": "Sideways"}
    body, params = (policy, {}) if where == "body" else (None, policy)
    code, body, _ = await api.call("DELETE", f"{maps}/one", body, params=params)
    assert (code, body["reason"], body["details"]["kind"]) == (422, "Invalid", "DeleteOptions")
    (cause,) = body["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("FieldValueNotSupported", "propagationPolicy")


async def test_options_of_a_deletion_that_are_none_are_refused(api, maps, put, make) -> None:
    await put(maps, make.config_map())
    code, body, _ = await api.call("DELETE", f"{maps}/one", {"dryRun": ["x"]})
    assert (code, body["reason"], body["details"]["causes"][0]["field"]) == (422, "Invalid", "dryRun")
    code, body, _ = await api.call("DELETE", f"{maps}/one", {"orphanDependents": True, "propagationPolicy": "Orphan"})
    assert (code, body["reason"], body["details"]["causes"][0]["field"]) == (422, "Invalid", "propagationPolicy")
    code, body, _ = await api.call("DELETE", f"{maps}/one", {"kind": "ConfigMap", "apiVersion": "v1"})
    assert (code, body["reason"]) == (400, "BadRequest")
    code, _, _ = await api.call("GET", f"{maps}/one")
    assert code == 200


@pytest.mark.parametrize(("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
async def test_a_deletion_in_steps_first_marks_the_object(api, maps, put, make, policy, finalizer) -> None:
    made = await put(maps, make.config_map())
    async with api.watch(maps, resourceVersion=made["metadata"]["resourceVersion"]) as watch:
        code, held, _ = await api.call("DELETE", f"{maps}/one", params={"propagationPolicy": policy})
        assert (code, held["kind"]) == (200, "ConfigMap")
        assert held["metadata"]["deletionTimestamp"]
        assert held["metadata"]["finalizers"] == [finalizer]
        (event,) = await watch.take(1)
    assert (event["type"], event["object"]) == ("MODIFIED", held)


async def test_a_deletion_in_the_background_is_answered_at_once(api, maps, put, make) -> None:
    await put(maps, make.config_map())
    code, body, _ = await api.call("DELETE", f"{maps}/one", {"propagationPolicy": "Background"})
    assert (code, body["status"]) == (200, "Success")


@pytest.mark.parametrize("where", ["query", "body"])
async def test_a_dry_deletion_deletes_nothing(api, maps, put, make, where) -> None:
    await put(maps, make.config_map("held", finalizers=["example.org/hold"]))
    await put(maps, make.config_map("free"))
    body, params = ({"dryRun": ["All"]}, {}) if where == "body" else (None, {"dryRun": "All"})
    code, said, _ = await api.call("DELETE", f"{maps}/free", body, params=params)
    assert (code, said["status"]) == (200, "Success")
    code, said, _ = await api.call("DELETE", f"{maps}/held", body, params=params)
    assert (code, said["kind"]) == (200, "ConfigMap")
    assert said["metadata"]["deletionTimestamp"]
    assert "deletionTimestamp" not in (await api.get(f"{maps}/held"))["metadata"]
    assert {"free", "held"} <= set(names(await api.get(maps)))


async def test_a_selection_is_deleted_at_once_and_told(api, core, put, make) -> None:
    for number in range(4):
        await put(f"{core}/configmaps", make.config_map(f"c{number}", labels={"odd": str(number % 2)}))
    code, body, _ = await api.call("DELETE", f"{core}/configmaps", params={"labelSelector": "odd=1"})
    assert (code, body["kind"], names(body)) == (200, "ConfigMapList", ["c1", "c3"])
    assert {"c0", "c2"} <= set(names(await api.get(f"{core}/configmaps")))
    assert not {"c1", "c3"} & set(names(await api.get(f"{core}/configmaps")))


async def test_a_namespace_that_goes_says_so(api) -> None:
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "contract-gone-"}}
    _, made, _ = await api.call("POST", "/api/v1/namespaces", manifest)
    assert (made["status"], made["spec"]) == ({"phase": "Active"}, {"finalizers": ["kubernetes"]})
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": made["metadata"]["name"]}
    code, body, _ = await api.call("DELETE", f"/api/v1/namespaces/{made['metadata']['name']}")
    assert (code, body["kind"], body["status"]) == (200, "Namespace", {"phase": "Terminating"})
    assert body["metadata"]["deletionTimestamp"]


@pytest.mark.parametrize("name", ["default", "kube-system"])
async def test_some_namespaces_stay(api, name) -> None:
    code, body, _ = await api.call("DELETE", f"/api/v1/namespaces/{name}")
    assert (code, body["reason"]) == (403, "Forbidden")
    assert body["message"] == f'namespaces "{name}" is forbidden: this namespace may not be deleted'


async def test_namespaces_go_one_by_one(api) -> None:
    code, body, _ = await api.call("DELETE", "/api/v1/namespaces", params={"labelSelector": "no=such"})
    assert (code, body["reason"]) == (405, "MethodNotAllowed")
