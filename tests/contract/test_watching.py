"""Watches: which events, in which order, in which shape, and how they end."""

from __future__ import annotations

import pytest

INITIAL = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


def told(events) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"]["name"]) for event in events]


async def now(api, path: str) -> str:
    return (await api.get(path))["metadata"]["resourceVersion"]


@pytest.fixture
def services(core) -> str:
    return f"{core}/services"


async def test_it_goes_on_from_the_version_of_a_list(api, services, put, make) -> None:
    await put(services, make.service("before"))
    version = await now(api, services)
    await put(services, make.service("one"))
    async with api.watch(services, resourceVersion=version) as watch:
        await put.merge(f"{services}/one", {"metadata": {"labels": {"a": "b"}}})
        await put(services, make.service("two"))
        await api.call("DELETE", f"{services}/one")
        events = await watch.take(4)
    assert told(events) == [("ADDED", "one"), ("MODIFIED", "one"), ("ADDED", "two"), ("DELETED", "one")]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(set(versions))
    assert versions[0] > int(version)
    assert {(event["object"]["kind"], event["object"]["apiVersion"]) for event in events} == {("Service", "v1")}
    assert events[1]["object"]["metadata"]["labels"] == events[3]["object"]["metadata"]["labels"] == {"a": "b"}


async def test_it_goes_on_from_the_version_of_any_event(api, services, put, make) -> None:
    version = await now(api, services)
    for name in ("one", "two", "three"):
        await put(services, make.service(name))
    events = await api.events(services, 2, resourceVersion=version)
    version = events[1]["object"]["metadata"]["resourceVersion"]
    assert told(await api.events(services, 1, resourceVersion=version)) == [("ADDED", "three")]


@pytest.mark.parametrize("version", [{}, {"resourceVersion": "0"}])
async def test_without_a_version_it_begins_with_what_is_there(api, services, put, make, version) -> None:
    for name in ("one", "two"):
        await put(services, make.service(name))
    async with api.watch(services, **version) as watch:
        assert sorted(told(await watch.take(2))) == [("ADDED", "one"), ("ADDED", "two")]
        await put(services, make.service("three"))
        assert told(await watch.take(1)) == [("ADDED", "three")]


async def test_what_was_there_can_be_sent_first_and_ends_in_a_bookmark(api, services, put, make) -> None:
    for name in ("one", "two"):
        await put(services, make.service(name))
    async with api.watch(services, **INITIAL) as watch:
        *first, mark = await watch.take(3)
        assert sorted(told(first)) == [("ADDED", "one"), ("ADDED", "two")]
        assert mark["type"] == "BOOKMARK"
        assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert (mark["object"]["kind"], mark["object"]["apiVersion"]) == ("Service", "v1")
        newest = max(int(event["object"]["metadata"]["resourceVersion"]) for event in first)
        assert int(mark["object"]["metadata"]["resourceVersion"]) >= newest
        await put(services, make.service("three"))
        assert told(await watch.take(1)) == [("ADDED", "three")]


@pytest.mark.parametrize("missing", ["resourceVersionMatch", "watch"])
async def test_what_was_there_first_needs_a_watch_and_a_way_to_match(api, services, missing) -> None:
    query = {"watch": "1", "timeoutSeconds": "1", **INITIAL}
    code, body, _ = await api.call("GET", services, params={k: v for k, v in query.items() if k != missing})
    assert (code, body["reason"]) == (422, "Invalid")
    fields = {cause["field"] for cause in body["details"]["causes"]}
    assert fields & {"resourceVersionMatch", "sendInitialEvents"}


async def test_an_object_that_leaves_the_selection_is_told_as_deleted_in_its_last_selected_state(
    api, services, put, make
) -> None:
    version = await now(api, services)
    async with api.watch(services, resourceVersion=version, labelSelector="on=yes") as watch:
        await put(services, make.service("x", labels={"on": "yes"}))
        await put.merge(f"{services}/x", {"metadata": {"annotations": {"note": "1"}}})
        left = await put.merge(f"{services}/x", {"metadata": {"labels": {"on": "no"}}})
        await put.merge(f"{services}/x", {"metadata": {"annotations": {"note": "2"}}})
        await put.merge(f"{services}/x", {"metadata": {"labels": {"on": "yes"}}})
        events = await watch.take(4)
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED", "ADDED"]
    gone = events[2]["object"]["metadata"]
    assert gone["labels"] == {"on": "yes"}
    assert gone["resourceVersion"] == left["metadata"]["resourceVersion"]
    assert events[3]["object"]["metadata"]["annotations"] == {"note": "2"}


async def test_one_object_is_watched_by_its_name(api, services, put, make) -> None:
    version = await now(api, services)
    async with api.watch(services, resourceVersion=version, fieldSelector="metadata.name=two") as watch:
        for name in ("one", "two", "three"):
            await put(services, make.service(name))
        await api.call("DELETE", f"{services}/two")
        assert told(await watch.take(2)) == [("ADDED", "two"), ("DELETED", "two")]


async def test_a_namespace_hears_of_its_own_alone(api, services, put, make) -> None:
    version = await now(api, services)
    async with api.watch(services, resourceVersion=version) as watch:
        await put("/api/v1/namespaces/default/services", make.service("elsewhere", generateName="x"))
        await put(services, make.service("mine"))
        assert told(await watch.take(1)) == [("ADDED", "mine")]
    await api.call("DELETE", "/api/v1/namespaces/default/services/elsewhere")


async def test_all_namespaces_are_watched_in_one_order(api, ns, services, put, make) -> None:
    version = await now(api, "/api/v1/services")
    query = {"resourceVersion": version, "labelSelector": f"run={ns}"}
    async with api.watch("/api/v1/services", **query) as watch:
        for name in ("one", "two"):
            await put(services, make.service(name, labels={"run": ns}))
        await put("/api/v1/namespaces/default/services", make.service(ns, labels={"run": ns}))
        events = await watch.take(3)
    assert told(events) == [("ADDED", "one"), ("ADDED", "two"), ("ADDED", ns)]
    await api.call("DELETE", f"/api/v1/namespaces/default/services/{ns}")


async def test_what_changes_nothing_is_not_told(api, services, put, make) -> None:
    made = await put(services, make.service("one"))
    async with api.watch(services, resourceVersion=made["metadata"]["resourceVersion"]) as watch:
        await api.call("PUT", f"{services}/one", made)
        await put.merge(f"{services}/one", {})
        await put.merge(f"{services}/one", {"metadata": {"labels": {"dry": "run"}}}, dryRun="All")
        await api.call("DELETE", f"{services}/one", params={"dryRun": "All"})
        await put(services, make.service("dry"), dryRun="All")
        await put(services, make.service("end"))
        assert told(await watch.take(1)) == [("ADDED", "end")]


async def test_a_status_is_told_as_a_change(api, gateways, put, make) -> None:
    made = await put(f"{gateways}/gateways", make.gateway())
    condition = {
        "type": "Accepted",
        "status": "True",
        "reason": "Accepted",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    async with api.watch(f"{gateways}/gateways", resourceVersion=made["metadata"]["resourceVersion"]) as watch:
        await put.merge(f"{gateways}/gateways/edge/status", {"status": {"conditions": [condition]}})
        (event,) = await watch.take(1)
    assert (event["type"], event["object"]["metadata"]["generation"]) == ("MODIFIED", 1)
    assert [item["status"] for item in event["object"]["status"]["conditions"]] == ["True"]


async def test_it_ends_in_good_order_when_its_time_is_up(api, services, put, make) -> None:
    made = await put(services, make.service())
    version = made["metadata"]["resourceVersion"]
    assert await api.events(services, 9, resourceVersion=version, timeoutSeconds="1") == []


async def test_bookmarks_are_only_for_those_who_know_them(api, services, put, make) -> None:
    await put(services, make.service())
    query = {key: value for key, value in INITIAL.items() if key != "allowWatchBookmarks"}
    async with api.watch(services, **query) as watch:
        await put(services, make.service("next"))
        assert told(await watch.take(2)) == [("ADDED", "shop"), ("ADDED", "next")]


async def test_a_bookmark_is_a_place_to_go_on_from(api, services, put, make) -> None:
    await put(services, make.service())
    _, mark = await api.events(services, 2, **INITIAL)
    assert "name" not in mark["object"]["metadata"]
    version = mark["object"]["metadata"]["resourceVersion"]
    async with api.watch(services, resourceVersion=version) as watch:
        await put(services, make.service("next"))
        assert told(await watch.take(1)) == [("ADDED", "next")]


async def test_a_version_that_is_forgotten_is_an_error_of_410(api, server, gateways, put, make) -> None:
    for number in range(3):
        await put(f"{gateways}/gateways", make.gateway(f"g{number}"))
    await server.compact()
    events = await api.events(f"{gateways}/gateways", 9, resourceVersion="1")
    (error,) = events
    assert error["type"] == "ERROR"
    said = error["object"]
    assert (said["kind"], said["apiVersion"], said["status"]) == ("Status", "v1", "Failure")
    assert (said["code"], said["reason"]) == (410, "Expired")
    assert said["message"].startswith("too old resource version: 1 (")


@pytest.mark.parametrize("version", ["abc", "-1"])
async def test_a_version_that_is_no_number_is_refused_at_once(api, services, version) -> None:
    code, body, _ = await api.call("GET", services, params={"watch": "1", "resourceVersion": version})
    assert (code, body["kind"], body["code"]) == (500, "Status", 500)
    assert "reason" not in body
    assert body["message"].startswith(f'resourceVersion: Invalid value: "{version}": ')


async def test_a_version_to_come_is_waited_for_in_silence(api, services, put, make) -> None:
    later = str(int(await now(api, services)) + 100_000)
    async with api.watch(services, resourceVersion=later, timeoutSeconds="1") as watch:
        await put(services, make.service())
        assert await watch.take(9) == []


async def test_metadata_alone_can_be_watched(api, services, put, make) -> None:
    version = await now(api, services)
    made = await put(services, make.service())
    async with api.watch(services, headers={"Accept": METADATA}, resourceVersion=version) as watch:
        (event,) = await watch.take(1)
    assert event["object"] == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": made["metadata"],
    }


async def test_a_watch_of_custom_objects_is_in_the_version_asked_for(api, gateways, put, make) -> None:
    older = gateways.replace("/v1/", "/v1beta1/")
    version = await now(api, f"{older}/httproutes")
    async with api.watch(f"{older}/httproutes", resourceVersion=version) as watch:
        await put(f"{gateways}/httproutes", make.route())
        (event,) = await watch.take(1)
    assert event["object"]["apiVersion"] == "gateway.networking.k8s.io/v1beta1"


async def test_the_stream_is_lines_of_json(api, services, put, make) -> None:
    await put(services, make.service())
    async with api.watch(services) as watch:
        assert watch.answer.headers["Content-Type"] == "application/json"
        assert watch.answer.headers.get("Transfer-Encoding") == "chunked"
        line = await watch.answer.content.readline()
    assert line.startswith(b'{"type":"ADDED","object":{')
    assert line.endswith(b"}}\n")
