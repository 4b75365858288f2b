"""Pages and bursts, down to the single object."""

from __future__ import annotations

import gc
import json

import pytest

from gwtui.adapters.kubernetes.decode import KindDecoder
from gwtui.collector import collector_paused
from gwtui.errors import BadPayload
from gwtui.model.kubernetes import EndpointSlice, Service

GOOD = {"metadata": {"name": "cart", "namespace": "shop", "resourceVersion": "7"}, "spec": {"ports": [{"port": 80}]}}
BAD = {"metadata": {"name": "cart", "namespace": "shop", "resourceVersion": "8"}, "spec": {"ports": [{"port": "x"}]}}
KEY = ("shop", "cart")


@pytest.fixture
def decoder():
    return KindDecoder(Service)


def event(kind, body):
    return json.dumps({"type": kind, "object": body}).encode()


def page(items, **metadata):
    return json.dumps({"kind": "List", "metadata": {"resourceVersion": "9", **metadata}, "items": items}).encode()


@pytest.mark.parametrize("metadata", [{}, {"continue": ""}, {"continue": None}])
def test_the_last_page_has_no_token_however_it_says_so(decoder, metadata):
    decoded = decoder.page(page([GOOD], **metadata))
    assert (decoded.version, decoded.continue_token) == ("9", "")
    assert decoded.objects[KEY].spec.ports[0].port == 80


def test_no_items_is_an_empty_page(decoder):
    assert decoder.page(page(None)).objects == {}


def test_null_lists_are_absent_lists():
    body = {"metadata": {"name": "s", "namespace": "n"}, "endpoints": None, "ports": None, "addressType": "IPv4"}
    decoded = KindDecoder(EndpointSlice).page(page([body]))
    assert decoded.objects["n", "s"].endpoints == ()
    assert not decoded.undecodable


def test_objects_without_a_name_are_told_by_position(decoder):
    decoded = decoder.page(page([GOOD, {"metadata": 5}]))
    assert list(decoded.objects) == [KEY]
    assert list(decoded.undecodable) == [("", "item 1")]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"items": 5, "metadata": {}}', b'{"items": []}', b"\xff"])
def test_what_is_no_list_is_a_bad_payload(decoder, body):
    with pytest.raises(BadPayload):
        decoder.page(body)


def test_the_latest_state_in_a_burst_counts(decoder):
    repaired = decoder.burst([event("ADDED", BAD), event("MODIFIED", GOOD)])
    assert repaired.changes[KEY].metadata.resource_version == "7"
    assert not repaired.undecodable
    broken = decoder.burst([event("ADDED", GOOD), event("MODIFIED", BAD)])
    assert broken.changes == {KEY: None}
    assert list(broken.undecodable) == [KEY]
    assert broken.version == "8"
    gone = decoder.burst([event("ADDED", BAD), event("DELETED", GOOD)])
    assert gone.changes == {KEY: None}
    assert not gone.undecodable
    back = decoder.burst([event("DELETED", GOOD), event("ADDED", GOOD)])
    assert back.changes[KEY] is not None


def test_an_error_event_ends_a_burst_and_keeps_what_came_before(decoder):
    burst = decoder.burst([event("ADDED", GOOD), event("ERROR", {"kind": "Status", "code": 410})])
    assert list(burst.changes) == [KEY]
    assert json.loads(burst.error)["code"] == 410


@pytest.mark.parametrize("line", [b"null", b"{}", b'{"type":"ODD","object":{"metadata":{}}}', b'{"type":"ADDED"}'])
def test_what_is_no_event_is_a_bad_payload(decoder, line):
    with pytest.raises(BadPayload, match="not a watch event"):
        decoder.burst([line])


def test_the_collector_is_left_as_it_was():
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
