"""A route as the API has it."""

from __future__ import annotations

import pytest
import yaml

from gwtui.changes.defaults import with_defaults, without_defaults
from gwtui.changes.documents import Backend, as_yaml, draft_of, key_of, route_kind, same_content, target_of, targets_of
from gwtui.errors import UsageError
from gwtui.model.ids import ObjectKey

STORED = {
    "status": {"parents": []},
    "metadata": {"name": "edge", "namespace": "infra", "managedFields": [{}], "resourceVersion": "7", "uid": "u-1"},
    "spec": {
        "rules": [
            {
                "backendRefs": [
                    {"name": "a", "port": 80},
                    {"name": "b", "namespace": "blue", "weight": 0, "group": "gateway.kgateway.dev", "kind": "Backend"},
                ]
            }
        ]
    },
    "kind": "HTTPRoute",
    "apiVersion": "gateway.networking.k8s.io/v1",
}


def test_a_draft_is_what_a_writer_says_and_what_identifies_the_version():
    draft = draft_of(STORED)
    assert list(draft) == ["apiVersion", "kind", "metadata", "spec"]
    assert draft["metadata"] == {"name": "edge", "namespace": "infra", "resourceVersion": "7", "uid": "u-1"}
    draft["spec"]["rules"].clear()
    assert STORED["spec"]["rules"]


def test_its_key():
    assert key_of(STORED, "prod") == ObjectKey("prod", "httproutes.gateway.networking.k8s.io", "infra", "edge")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"kind": "Gateway"}, "Gateway is not a route"),
        ({"kind": None}, "a document without a kind is not a route"),
        ({"apiVersion": "example.test/v1"}, "HTTPRoute of example.test is not a route"),
        ({"metadata": {"name": "edge"}}, "the HTTPRoute has no name or no namespace"),
        ({"metadata": None}, "the HTTPRoute has no name or no namespace"),
    ],
)
def test_what_has_no_key(change, text):
    with pytest.raises(UsageError, match=text):
        key_of({**STORED, **change}, "prod")


def test_targets_have_their_defaults():
    assert targets_of(STORED, 0) == (
        Backend("", "Service", "infra", "a", 80, 1),
        Backend("gateway.kgateway.dev", "Backend", "blue", "b", None, 0),
    )
    assert target_of({"name": "a"}, "infra").label == "infra/a"
    assert route_kind({"kind": "TCPRoute"}) == "TCPRoute"


def test_content_is_the_same_with_defaults_and_other_bookkeeping():
    other = with_defaults(draft_of(STORED))
    other["metadata"] |= {"resourceVersion": "8", "uid": "u-2", "generation": 5, "labels": {}}
    assert other["spec"]["rules"][0]["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert same_content(STORED, other)
    other["spec"]["rules"][0]["backendRefs"][0]["weight"] = 2
    assert not same_content(STORED, other)


@pytest.mark.parametrize(
    "change", [{"labels": {"a": "1"}}, {"annotations": {"a": "1"}}, {"name": "x"}, {"namespace": "x"}]
)
def test_content_is_another_with_other_metadata(change):
    assert not same_content(STORED, {**STORED, "metadata": {**STORED["metadata"], **change}})


def test_defaults_can_be_taken_out():
    spec = without_defaults(with_defaults(STORED))["spec"]
    assert spec == {
        "rules": [{"backendRefs": [{"name": "a", "port": 80}, STORED["spec"]["rules"][0]["backendRefs"][1]]}]
    }
    assert without_defaults({"kind": "HTTPRoute", "spec": {"rules": [{"matches": [{}]}]}}) == {
        "kind": "HTTPRoute",
        "spec": {},
    }
    assert without_defaults({"kind": "GRPCRoute", "spec": {"rules": [{"matches": [{}]}]}})["spec"] == {
        "rules": [{"matches": [{}]}]
    }


def test_yaml_says_everything_in_full():
    shared = {"request": "1s"}
    document = {"kind": "HTTPRoute", "spec": {"rules": [{"timeouts": shared}, {"timeouts": shared}], "note": "ä\nb"}}
    text = as_yaml(document)
    assert "&" not in text
    assert text.startswith("kind: HTTPRoute\nspec:\n  rules:\n  - timeouts:\n      request: 1s\n")
    assert yaml.safe_load(text) == document


def test_one_object_in_two_places_is_two_after_a_copy():
    text = "kind: HTTPRoute\nmetadata: {}\nspec:\n  rules:\n  - timeouts: &t {request: 1s}\n  - timeouts: *t\n"
    draft = draft_of(yaml.safe_load(text))
    draft["spec"]["rules"][0]["timeouts"]["request"] = "2s"
    assert draft["spec"]["rules"][1]["timeouts"] == {"request": "1s"}
