"""Reading over HTTP: shapes, forms, paging, selectors, watches, discovery."""

from __future__ import annotations

import asyncio

import pytest

FOO = "/apis/gateway.networking.k8s.io/v1/namespaces/foo"
GROUP = "/apis/gateway.networking.k8s.io/v1"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


async def test_an_object_is_read_by_name_in_every_served_version(api) -> None:
    assert (await api.get(f"{FOO}/gateways/edge"))["apiVersion"] == "gateway.networking.k8s.io/v1"
    older = await api.get(f"{FOO.replace('/v1/', '/v1beta1/')}/httproutes/shop")
    assert older["apiVersion"] == "gateway.networking.k8s.io/v1beta1"
    assert older["spec"]["rules"][0]["backendRefs"][0]["weight"] == 1


async def test_lists_carry_types_on_custom_items_only(api) -> None:
    routes = await api.get(f"{GROUP}/httproutes")
    assert (routes["kind"], routes["items"][0]["kind"]) == ("HTTPRouteList", "HTTPRoute")
    pods = await api.get("/api/v1/pods")
    assert pods["kind"] == "PodList"
    assert "kind" not in pods["items"][0]


@pytest.mark.parametrize(
    "path",
    ["/api/v1/inventions", "/apis/apps/v9", f"{FOO}/gateways/none"],
)
async def test_what_is_not_there_is_404_with_a_status_body(api, path: str) -> None:
    code, body, _ = await api.call("GET", path)
    assert (code, body["kind"], body["reason"]) == (404, "Status", "NotFound")


async def test_pages_show_one_state_although_objects_are_written_between_them(api, store, make) -> None:
    for number in range(5):
        store.put(make.route(f"r{number}"))
    seen, token, versions = [], "", set()
    for _ in range(10):
        page = await api.get(f"{FOO}/httproutes", params={"limit": "2", "continue": token})
        seen += [item["metadata"]["name"] for item in page["items"]]
        versions.add(page["metadata"]["resourceVersion"])
        store.put(make.route(f"late{len(seen)}"))
        store.delete("httproutes.gateway.networking.k8s.io", "foo", "r4")
        token = page["metadata"].get("continue", "")
        if not token:
            break
        assert page["metadata"]["remainingItemCount"] == 6 - len(seen)
    assert seen == ["r0", "r1", "r2", "r3", "r4", "shop"]
    assert len(versions) == 1


async def test_a_continue_token_expires_and_garbage_is_refused(api, store, make) -> None:
    store.put(make.route("other"))
    page = await api.get(f"{FOO}/httproutes", params={"limit": "1"})
    token = page["metadata"]["continue"]
    store.put(make.route("third"))
    store.compact()
    code, body, _ = await api.call("GET", f"{FOO}/httproutes", params={"limit": "1", "continue": token})
    assert (code, body["reason"]) == (410, "Expired")
    code, body, _ = await api.call("GET", f"{FOO}/httproutes", params={"continue": "garbage"})
    assert code == 400


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("tier=edge", ["a", "b"]),
        ("tier==edge,zone", ["a"]),
        ("tier!=edge", ["c", "shop"]),
        ("tier in (edge, inner)", ["a", "b", "c"]),
        ("tier notin (edge),tier", ["c"]),
        ("!tier", ["shop"]),
        ("tier=", []),
    ],
)
async def test_label_selectors(api, store, make, selector: str, names: list[str]) -> None:
    for name, labels in (("a", {"tier": "edge", "zone": "1"}), ("b", {"tier": "edge"}), ("c", {"tier": "inner"})):
        store.put(make.route(name, labels=labels))
    found = await api.get(f"{FOO}/httproutes", params={"labelSelector": selector})
    assert [item["metadata"]["name"] for item in found["items"]] == names


async def test_field_selectors_know_names_and_refuse_what_is_not_selectable(api) -> None:
    found = await api.get(f"{GROUP}/gateways", params={"fieldSelector": "metadata.name=edge,metadata.namespace=foo"})
    assert len(found["items"]) == 1
    found = await api.get("/api/v1/pods", params={"fieldSelector": "status.phase!=Running"})
    assert found["items"] == []
    code, body, _ = await api.call("GET", f"{GROUP}/gateways", params={"fieldSelector": "spec.gatewayClassName=x"})
    assert (code, body["reason"]) == (400, "BadRequest")


async def test_a_table_has_the_printer_columns(api) -> None:
    table = await api.get(f"{FOO}/gateways", headers={"Accept": TABLE})
    assert [column["name"] for column in table["columnDefinitions"]][:4] == ["Name", "Class", "Address", "Programmed"]
    assert table["rows"][0]["cells"][:4] == ["edge", "kgateway", None, "Unknown"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    pods = await api.get("/api/v1/pods", headers={"Accept": TABLE})
    assert pods["rows"][0]["cells"][:4] == ["proxy", "1/1", "Running", 2]


async def test_metadata_alone_can_be_asked_for(api) -> None:
    found = await api.get(f"{FOO}/gateways", headers={"Accept": METADATA})
    assert found["kind"] == "PartialObjectMetadataList"
    assert found["items"][0].keys() == {"kind", "apiVersion", "metadata"}


async def test_a_form_nobody_produces_is_406(api) -> None:
    code, body, _ = await api.call("GET", f"{FOO}/gateways", headers={"Accept": "application/cbor"})
    assert (code, body["reason"]) == (406, "NotAcceptable")


async def test_large_lists_are_compressed_on_request(api, store, make) -> None:
    for number in range(250):
        store.put(make.route(f"r{number}"))
    code, body, headers = await api.call("GET", f"{FOO}/httproutes", headers={"Accept-Encoding": "gzip"})
    assert (code, headers["Content-Encoding"], len(body["items"])) == (200, "gzip", 251)


async def test_a_watch_replays_from_a_version_and_goes_on(api, store, make) -> None:
    version = (await api.get(f"{FOO}/httproutes"))["metadata"]["resourceVersion"]
    store.put(make.route("second"))
    store.put(make.route("second", weight=5))
    store.put(make.gateway("other"))
    watching = asyncio.create_task(api.events(f"{FOO}/httproutes", 4, resourceVersion=version))
    await asyncio.sleep(0)
    store.put(make.route("third"))
    store.delete("httproutes.gateway.networking.k8s.io", "foo", "second")
    seen = [(event["type"], event["object"]["metadata"]["name"]) for event in await watching]
    assert seen == [("ADDED", "second"), ("MODIFIED", "second"), ("ADDED", "third"), ("DELETED", "second")]


async def test_a_watch_without_version_starts_with_what_is_there(api) -> None:
    (event,) = await api.events(f"{GROUP}/gateways", 1)
    assert (event["type"], event["object"]["kind"]) == ("ADDED", "Gateway")


async def test_an_object_that_leaves_the_selection_is_seen_as_deleted(api, store, make) -> None:
    store.put(make.route("x", labels={"on": "yes"}))
    watching = asyncio.create_task(
        api.events(f"{FOO}/httproutes", 3, labelSelector="on=yes", resourceVersion=str(store.version))
    )
    async with asyncio.timeout(5):
        while not store._subscriptions:
            await asyncio.sleep(0.01)
    store.put(make.route("x", labels={"on": "yes", "other": "1"}))
    store.put(make.route("x"))
    store.put(make.route("x", labels={"on": "yes"}))
    assert [event["type"] for event in await watching] == ["MODIFIED", "DELETED", "ADDED"]


async def test_a_version_out_of_the_log_ends_in_an_error_event_of_410(api, store, make) -> None:
    start = store.version
    store.put(make.route("x"))
    store.compact()
    (event,) = await api.events(f"{FOO}/httproutes", 1, resourceVersion=str(start))
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


async def test_a_watch_ends_when_its_time_is_up_and_leaves_no_subscription(api, store) -> None:
    seen = await api.events(f"{FOO}/gateways", 99, timeoutSeconds="1", resourceVersion=str(store.version))
    assert seen == []
    assert store._subscriptions == []


async def test_a_watcher_that_goes_away_is_forgotten(api, store) -> None:
    await api.events(f"{FOO}/gateways", 1)
    async with asyncio.timeout(5):
        while store._subscriptions:
            await asyncio.sleep(0.01)


async def test_initial_events_end_in_a_bookmark(api) -> None:
    options = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    first, second = await api.events(f"{FOO}/gateways", 2, **options)
    assert (first["type"], second["type"]) == ("ADDED", "BOOKMARK")
    assert second["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    code, _, _ = await api.call("GET", f"{FOO}/gateways", params={"watch": "1", "sendInitialEvents": "true"})
    assert code == 422


async def test_bookmarks_come_while_nothing_happens(api, store, monkeypatch) -> None:
    monkeypatch.setattr("gwtui.playground.api.watching.BOOKMARK_EVERY_S", 0.05)
    options = {"allowWatchBookmarks": "true", "resourceVersion": str(store.version)}
    (event,) = await api.events(f"{FOO}/gateways", 1, **options)
    assert event["type"] == "BOOKMARK"
    assert event["object"]["kind"] == "Gateway"
    assert event["object"]["metadata"]["resourceVersion"] == str(store.version)


async def test_both_forms_of_discovery_name_the_same_resources(api) -> None:
    groups = await api.get("/apis")
    old = set()
    for group in groups["groups"]:
        for version in group["versions"]:
            listed = await api.get(f"/apis/{version['groupVersion']}")
            old |= {(version["groupVersion"], r["name"]) for r in listed["resources"] if "/" not in r["name"]}
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    aggregated = await api.get("/apis", headers={"Accept": accept})
    new = {
        (f"{item['metadata']['name']}/{version['version']}", resource["resource"])
        for item in aggregated["items"]
        for version in item["versions"]
        for resource in version["resources"]
    }
    assert old == new
    assert ("gateway.networking.k8s.io/v1beta1", "httproutes") in new
    core = await api.get("/api", headers={"Accept": accept})
    assert "pods" in {resource["resource"] for resource in core["items"][0]["versions"][0]["resources"]}


async def test_the_version_says_that_this_is_an_emulation(api) -> None:
    assert "playground" in (await api.get("/version"))["gitVersion"]


async def test_openapi_describes_fields_and_the_validation_parameter(api) -> None:
    index = await api.get("/openapi/v3")
    path = index["paths"]["apis/gateway.networking.k8s.io/v1"]["serverRelativeURL"]
    document = await api.get(path)
    patch = document["paths"][f"{GROUP}/namespaces/{{namespace}}/httproutes/{{name}}"]["patch"]
    assert "fieldValidation" in {parameter["name"] for parameter in patch["parameters"]}
    schema = document["components"]["schemas"]["io.k8s.networking.gateway.v1.HTTPRoute"]
    rule = schema["properties"]["spec"]["properties"]["rules"]["items"]
    assert rule["properties"]["backendRefs"]["items"]["properties"]["weight"]["maximum"] == 1_000_000
