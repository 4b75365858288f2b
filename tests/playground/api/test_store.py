"""The store in-process: versions, no-op writes, ownership, deletion, the event log."""

from __future__ import annotations

import asyncio

import pytest

from gwtui.errors import UsageError
from gwtui.playground.api.status import ApiError
from gwtui.playground.api.store import Lagged, Store

GATEWAYS = "gateways.gateway.networking.k8s.io"
ROUTES = "httproutes.gateway.networking.k8s.io"


def _gateway(**metadata: object) -> dict:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "edge", "namespace": "foo", **metadata},
        "spec": {"gatewayClassName": "kgateway", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
    }


def _accepted(generation: int = 1) -> dict:
    condition = {
        "type": "Accepted",
        "status": "True",
        "reason": "Accepted",
        "message": "",
        "observedGeneration": generation,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    return {"conditions": [condition]}


def test_a_new_object_is_completed_and_keeps_the_creation_time_it_was_given() -> None:
    store = Store()
    stored = store.put(_gateway(creationTimestamp="2024-01-01T00:00:00Z"))
    assert stored["metadata"]["creationTimestamp"] == "2024-01-01T00:00:00Z"
    assert stored["metadata"]["generation"] == 1
    assert stored["spec"]["listeners"][0]["allowedRoutes"] == {"namespaces": {"from": "Same"}}
    assert {item["reason"] for item in stored["status"]["conditions"]} == {"Pending"}


def test_equal_writes_change_nothing_and_tell_nobody() -> None:
    store = Store()
    first = store.put(_gateway())
    store.put_status(GATEWAYS, "foo", "edge", _accepted())
    version = store.version
    assert store.put(_gateway())["metadata"]["uid"] == first["metadata"]["uid"]
    store.put_status(GATEWAYS, "foo", "edge", _accepted())
    assert store.version == version


def test_generation_grows_with_the_spec_only_and_status_stays() -> None:
    store = Store()
    store.put(_gateway())
    store.put_status(GATEWAYS, "foo", "edge", _accepted())
    assert store.put(_gateway(labels={"a": "b"}))["metadata"]["generation"] == 1
    changed = _gateway(labels={"a": "b"})
    changed["spec"]["listeners"][0]["port"] = 8080
    stored = store.put(changed | {"status": {"conditions": []}})
    assert stored["metadata"]["generation"] == 2
    assert stored["status"]["conditions"][0]["reason"] == "Accepted"


def test_copies_handed_out_do_not_reach_the_stored_object() -> None:
    store = Store()
    store.put(_gateway())
    copy = store.get(GATEWAYS, "foo", "edge")
    assert copy is not None
    copy["spec"]["gatewayClassName"] = "other"
    store.list(GATEWAYS)[0]["spec"]["gatewayClassName"] = "other"
    kept = store.get(GATEWAYS, "foo", "edge")
    assert kept is not None
    assert kept["spec"]["gatewayClassName"] == "kgateway"
    version = store.version
    store.put(copy)
    assert store.version == version + 1


def test_status_of_a_missing_object_is_not_written() -> None:
    assert Store().put_status(GATEWAYS, "foo", "none", _accepted()) is None


def test_unserved_kinds_and_invalid_objects_are_refused() -> None:
    store = Store()
    with pytest.raises(UsageError):
        store.put({"apiVersion": "v1", "kind": "Gateway", "metadata": {"name": "x"}})
    broken = _gateway()
    broken["spec"]["listeners"] = []
    with pytest.raises(ApiError) as refused:
        store.put(broken)
    assert refused.value.code == 422


def test_finalizers_hold_an_object_until_they_are_gone() -> None:
    store = Store()
    store.put(_gateway(finalizers=["example.org/keep"]))
    assert store.delete(GATEWAYS, "foo", "edge")
    held = store.get(GATEWAYS, "foo", "edge")
    assert held is not None
    assert held["metadata"]["deletionTimestamp"]
    assert held["metadata"]["generation"] == 2
    store.put(_gateway())
    assert store.get(GATEWAYS, "foo", "edge") is None


def test_what_an_object_owns_goes_with_it_and_a_namespace_takes_everything() -> None:
    store = Store()
    store.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "foo"}})
    owner = store.put(_gateway())
    reference = {"apiVersion": "v1", "kind": "Gateway", "name": "edge", "uid": owner["metadata"]["uid"]}
    for name, owners in (("owned", [reference]), ("free", [])):
        metadata = {"name": name, "namespace": "foo", "ownerReferences": owners}
        store.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    store.delete(GATEWAYS, "foo", "edge")
    assert [item["metadata"]["name"] for item in store.list("configmaps")] == ["free"]
    store.delete("namespaces", "", "foo")
    assert store.list("configmaps") == []


async def test_a_subscriber_sees_every_change_in_order() -> None:
    store = Store()
    subscription = store.subscribe()
    store.put(_gateway())
    store.put_status(GATEWAYS, "foo", "edge", _accepted())
    store.delete(GATEWAYS, "foo", "edge")
    subscription.close()
    seen = [change async for change in subscription]
    assert [change.type for change in seen] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [change.version for change in seen]
    assert versions == sorted(versions)
    assert seen[-1].object["metadata"]["resourceVersion"] == str(versions[-1])


async def test_a_subscriber_that_does_not_read_is_told_that_it_lost_changes() -> None:
    store = Store()
    subscription = store.subscribe()
    subscription._length = 3
    for number in range(5):
        store.put(_gateway(labels={"n": str(number)}))
    async with asyncio.timeout(5):
        kept = [await anext(subscription) for _ in range(3)]
        assert [change.type for change in kept] == ["ADDED", "MODIFIED", "MODIFIED"]
        with pytest.raises(Lagged):
            await anext(subscription)


def test_the_event_log_is_bounded_and_can_be_compacted() -> None:
    store = Store(log_length=3)
    start = store.version
    for number in range(3):
        store.put(_gateway(labels={"n": str(number)}))
    assert len(list(store.since(start, GATEWAYS))) == 3
    store.put(_gateway(labels={"n": "last"}))
    with pytest.raises(ApiError) as expired:
        store.since(start, GATEWAYS)
    assert expired.value.code == 410
    store.compact()
    assert list(store.since(store.version, GATEWAYS)) == []
    with pytest.raises(ApiError):
        store.since(store.version - 1, GATEWAYS)


def test_each_writer_owns_what_it_wrote_last() -> None:
    store = Store()
    store.put(_gateway(labels={"team": "a"}), manager="author")
    store.put(_gateway(labels={"team": "b"}), manager="operator")
    stored = store.put_status(GATEWAYS, "foo", "edge", _accepted(), manager="controller")
    assert stored is not None
    books = {item["manager"]: item for item in stored["metadata"]["managedFields"]}
    assert "f:metadata" not in books["author"]["fieldsV1"]
    assert books["operator"]["fieldsV1"] == {"f:metadata": {"f:labels": {"f:team": {}}}}
    assert books["controller"]["subresource"] == "status"
