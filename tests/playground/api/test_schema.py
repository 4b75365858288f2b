"""Schemas: the facts agree with the published definitions, and limits, defaults and cross-field rules hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gwtui.playground.api.schema import Schema
from gwtui.playground.api.schemas import SCHEMAS
from gwtui.playground.api.status import ApiError
from gwtui.playground.api.store import Store

DEFINITIONS = Path(__file__).parents[3].parent / "shared" / "reference" / "crds"
NEWER_THAN_DEFINITIONS = {
    "backends.gateway.kgateway.dev": {"priorityGroups"},
    "trafficpolicies.gateway.kgateway.dev": {"internalRedirect", "statPrefix"},
}
"""Fields of kgateway 2.4, which the reference copies do not have yet."""


def _facts(schema: Schema) -> dict[str, Any]:
    return {
        "type": schema.type,
        "min": schema.min or 0,
        "max": schema.max,
        "pattern": schema.pattern,
        "default": schema.default or None,
        "enum": sorted(schema.enum),
        "required": sorted(schema.required),
        "keys": sorted(schema.keys),
        "is_set": schema.is_set,
        "atomic": schema.atomic,
    }


def _published_facts(published: dict[str, Any]) -> dict[str, Any]:
    def first(*names: str) -> Any:
        return next((published[name] for name in names if name in published), None)

    return {
        "type": published.get("type"),
        "min": first("minLength", "minItems", "minProperties", "minimum") or 0,
        "max": first("maxLength", "maxItems", "maxProperties", "maximum"),
        "pattern": published.get("pattern", ""),
        "default": published.get("default") or None,
        "enum": sorted(published.get("enum", [])),
        "required": sorted(published.get("required", [])),
        "keys": sorted(published.get("x-kubernetes-list-map-keys", [])),
        "is_set": published.get("x-kubernetes-list-type") == "set",
        "atomic": published.get("x-kubernetes-map-type") == "atomic",
    }


def _differences(published: dict[str, Any], schema: Schema, path: str, newer: set[str]) -> list[str]:
    if schema.type == "any":
        return []
    found = []
    expected, ours = _published_facts(published), _facts(schema)
    found += [f"{path} {name}: {expected[name]!r}, not {ours[name]!r}" for name in ours if expected[name] != ours[name]]
    members = published.get("properties", {})
    if members.keys() ^ (schema.fields.keys() - newer):
        found.append(f"{path} fields: {sorted(members.keys() ^ schema.fields.keys())}")
    for name in members.keys() & schema.fields.keys():
        found += _differences(members[name], schema.fields[name], f"{path}.{name}", newer)
    for key, inner in (("items", schema.items), ("additionalProperties", schema.values)):
        if inner and isinstance(published.get(key), dict):
            found += _differences(published[key], inner, f"{path}[]", newer)
    return found


@pytest.mark.skipif(not DEFINITIONS.is_dir(), reason="the published definitions are not at hand")
@pytest.mark.parametrize("resource", sorted(SCHEMAS))
def test_schemas_agree_with_the_published_definitions(resource: str) -> None:
    plural, _, group = resource.partition(".")
    folder = "kgateway" if group == "gateway.kgateway.dev" else "gateway-api/standard"
    documents = yaml.load_all((DEFINITIONS / folder / f"{group}_{plural}.yaml").read_text(), yaml.CSafeLoader)
    definition = next(document for document in documents if document)
    version = next(version for version in definition["spec"]["versions"] if version["served"])
    published = version["schema"]["openAPIV3Schema"]
    newer = NEWER_THAN_DEFINITIONS.get(resource, set())
    assert _differences(published, SCHEMAS[resource], plural, newer) == []


def _route(rule: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "r", "namespace": "foo"},
        "spec": {"rules": [rule], **spec},
    }


def _gateway(*listeners: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "g", "namespace": "foo"},
        "spec": {"gatewayClassName": "c", "listeners": list(listeners)},
    }


def _match(value: str, kind: str = "PathPrefix") -> dict[str, Any]:
    return {"matches": [{"path": {"type": kind, "value": value}}]}


SERVICE = {"name": "a", "port": 80}
REDIRECT = {"type": "RequestRedirect", "requestRedirect": {"statusCode": 301}}
REWRITE = {"type": "URLRewrite", "urlRewrite": {"hostname": "b.example"}}
HTTP = {"name": "http", "port": 80, "protocol": "HTTP"}


@pytest.mark.parametrize(
    ("obj", "field"),
    [
        (_route({"backendRefs": [SERVICE | {"weight": 1_000_001}]}), "spec.rules[0].backendRefs[0].weight"),
        (_route({"backendRefs": [SERVICE | {"weight": True}]}), "spec.rules[0].backendRefs[0].weight"),
        (_route({"backendRefs": [{"port": 80}]}), "spec.rules[0].backendRefs[0].name"),
        (_route({"backendRefs": [{"name": "a"}]}), "spec.rules[0].backendRefs[0]"),
        (_route({"backendRefs": [SERVICE] * 17}), "spec.rules[0].backendRefs"),
        (_route({}, hostnames=["Upper.example"]), "spec.hostnames[0]"),
        (_route({"matches": [{"method": "FETCH"}]}), "spec.rules[0].matches[0].method"),
        (_route({"timeouts": {"request": "1 minute"}}), "spec.rules[0].timeouts.request"),
        (_route({"timeouts": {"request": "1s", "backendRequest": "1500ms"}}), "spec.rules[0].timeouts"),
        (_route(_match("no-slash")), "spec.rules[0].matches[0].path"),
        (_route(_match("/a//b", "Exact")), "spec.rules[0].matches[0].path"),
        (_route({"filters": [REDIRECT], "backendRefs": [SERVICE]}), "spec.rules[0]"),
        (_route({"filters": [REDIRECT, REWRITE]}), "spec.rules[0].filters"),
        (_route({"filters": [REWRITE, REWRITE]}), "spec.rules[0].filters"),
        (_route({"filters": [{"type": "URLRewrite"}]}), "spec.rules[0].filters[0]"),
        (_route({}, parentRefs=[{"name": "g"}, {"name": "g"}]), "spec.parentRefs"),
        (_route({"matches": [{}] * 64}, rules=[{"matches": [{}] * 64}] * 3), "spec.rules"),
        (_gateway(), "spec.listeners"),
        (_gateway(HTTP, HTTP), "spec.listeners[1]"),
        (_gateway(HTTP, HTTP | {"name": "again"}), "spec.listeners"),
        (_gateway(HTTP | {"tls": {}}), "spec.listeners"),
        (_gateway(HTTP | {"port": 65536}), "spec.listeners[0].port"),
        (_gateway(HTTP | {"protocol": "HTTPS", "tls": {"mode": "Passthrough"}}), "spec.listeners"),
    ],
)
def test_what_breaks_a_limit_is_refused_with_its_field(obj: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError) as refused:
        Store().put(obj)
    assert refused.value.code == 422
    assert refused.value.details is not None
    assert field in {cause["field"] for cause in refused.value.details["causes"]}


@pytest.mark.parametrize(
    "obj",
    [
        _route({"timeouts": {"request": "0s", "backendRequest": "5s"}}),
        _route(_match("/a//b", "RegularExpression")),
        _route({"filters": [REWRITE], "backendRefs": [SERVICE | {"weight": 0}]}),
        _route({"backendRefs": [{"name": "b", "group": "gateway.kgateway.dev", "kind": "Backend"}]}),
        _route({}, parentRefs=[{"name": "g", "sectionName": "a"}, {"name": "g", "sectionName": "b"}]),
        _gateway(HTTP, HTTP | {"name": "other", "hostname": "a.example"}),
    ],
)
def test_what_keeps_the_limits_is_stored(obj: dict[str, Any]) -> None:
    assert Store().put(obj)["metadata"]["uid"]


def test_defaults_are_filled_in_and_unknown_fields_dropped() -> None:
    stored = Store().put(_route({"backendRefs": [SERVICE | {"wait": 1}]}, parentRefs=[{"name": "g"}]))
    rule = stored["spec"]["rules"][0]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert rule["backendRefs"] == [SERVICE | {"group": "", "kind": "Service", "weight": 1}]
    assert stored["spec"]["parentRefs"] == [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "g"}]


def test_policies_of_kgateway_keep_what_lies_below_their_fields() -> None:
    policy = {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": "TrafficPolicy",
        "metadata": {"name": "p", "namespace": "foo"},
        "spec": {"targetRefs": [{"kind": "Gateway", "name": "g"}], "retry": {"attempts": 2}, "invented": 1},
    }
    assert Store().put(policy)["spec"] == {key: policy["spec"][key] for key in ("targetRefs", "retry")}
