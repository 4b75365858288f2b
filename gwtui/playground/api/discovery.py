"""What this API serves, told in the old form, in the aggregated form, and as OpenAPI documents."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from gwtui.playground.api.kinds import KINDS, Kind
from gwtui.playground.api.schema import Schema
from gwtui.playground.api.schemas import schema_of
from gwtui.playground.api.status import Json

VERSION = {
    "major": "1",
    "minor": "37",
    "gitVersion": "v1.37.2+gwtui-playground",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "gwtui/playground",
}
"""The release whose behaviour is followed; the rest says that this is an emulation."""

_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_SUBRESOURCE_VERBS = {
    "status": ["get", "patch", "update"],
    "portforward": ["create", "get"],
    "proxy": ["create", "delete", "get", "patch", "update"],
}
_REVIEWS = (
    ("authentication.k8s.io", "SelfSubjectReview"),
    ("authorization.k8s.io", "SelfSubjectAccessReview"),
    ("authorization.k8s.io", "SelfSubjectRulesReview"),
)


def groups() -> dict[str, list[str]]:
    """Versions by API group, preferred first; the core group is the empty string."""
    found: dict[str, list[str]] = {}
    for kind in KINDS:
        versions = found.setdefault(kind.group, [])
        versions += [version for version in kind.versions if version not in versions]
    for group, _ in _REVIEWS:
        found.setdefault(group, ["v1"])
    return found


def api_group(group: str, versions: list[str]) -> Json:
    """The answer of `/apis/<group>`."""
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"kind": "APIGroup", "apiVersion": "v1", "name": group, "versions": listed, "preferredVersion": listed[0]}


def api_group_list() -> Json:
    """The answer of `/apis`."""
    listed = [api_group(group, versions) for group, versions in groups().items() if group]
    untyped = [{key: value for key, value in each.items() if key not in {"kind", "apiVersion"}} for each in listed]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": untyped}


def resource_list(group: str, version: str) -> Json:
    """The answer of `/api/v1` and of `/apis/<group>/<version>`."""
    resources: list[Json] = []
    for kind in _served(group, version):
        entry = {
            "name": kind.plural,
            "singularName": kind.kind.lower(),
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": [verb for verb in _VERBS if verb != "deletecollection" or kind.plural != "namespaces"],
        }
        if kind.short:
            entry["shortNames"] = list(kind.short)
        if kind.categories:
            entry["categories"] = list(kind.categories)
        resources.append(entry)
        resources += [
            {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced, "kind": kind.kind}
            | {"verbs": verbs}
            for name, verbs in _subresources(kind)
        ]
    resources += [
        {"name": f"{name.lower()}s", "singularName": name.lower(), "namespaced": False, "kind": name}
        | {"verbs": ["create"]}
        for review_group, name in _REVIEWS
        if (review_group, "v1") == (group, version)
    ]
    full = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": full, "resources": resources}


def aggregated(*, core: bool, version: str) -> Json:
    """The answer of `/api` (core) or `/apis` in the aggregated form."""
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None},
            "versions": [
                {"version": name, "resources": _aggregated_resources(group, name), "freshness": "Current"}
                for name in versions
            ],
        }
        for group, versions in groups().items()
        if bool(group) is not core
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }


def _aggregated_resources(group: str, version: str) -> list[Json]:
    listed: list[Json] = []
    for plural, entries in groupby(resource_list(group, version)["resources"], lambda e: e["name"].split("/")[0]):
        main, *rest = entries
        response = {"group": group, "version": version, "kind": main["kind"]}
        entry = {
            "resource": plural,
            "responseKind": response,
            "scope": "Namespaced" if main["namespaced"] else "Cluster",
            "singularResource": main["singularName"],
            "verbs": main["verbs"],
        }
        entry |= {key: main[key] for key in ("shortNames", "categories") if key in main}
        if rest:
            entry["subresources"] = [
                {"subresource": sub["name"].split("/")[1], "responseKind": response, "verbs": sub["verbs"]}
                for sub in rest
            ]
        listed.append(entry)
    return listed


def _subresources(kind: Kind) -> list[tuple[str, list[str]]]:
    return [(name, _SUBRESOURCE_VERBS[name]) for name in (*(["status"] if kind.status else []), *kind.subresources)]


def _served(group: str, version: str) -> list[Kind]:
    return [kind for kind in KINDS if kind.group == group and version in kind.versions]


def document(parts: list[str]) -> Json | None:
    """The discovery document at a path, given as its segments; `None` when there is none."""
    found = groups()
    answer: Json | None = None
    match parts:
        case ["version"]:
            answer = dict(VERSION)
        case ["api"]:
            answer = {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ["apis"]:
            answer = api_group_list()
        case ["apis", group] if group in found:
            answer = api_group(group, found[group])
        case ["openapi", "v3"]:
            answer = openapi_index()
        case ["openapi", "v3", *rest] if place := _place(rest):
            answer = openapi_document(*place)
        case _ if place := _place(parts):
            answer = resource_list(*place)
    return answer


def _place(parts: list[str]) -> tuple[str, str] | None:
    """Group and version behind `api/v1` or `apis/<group>/<version>`, when they are served."""
    group, version = "", ""
    if len(parts) == 2 and parts[0] == "api":
        version = parts[1]
    elif len(parts) == 3 and parts[0] == "apis":
        group, version = parts[1], parts[2]
    return (group, version) if version in groups().get(group, []) else None


def openapi_index() -> Json:
    """The answer of `/openapi/v3`."""
    paths = {}
    for group, versions in groups().items():
        for version in versions:
            name = f"apis/{group}/{version}" if group else f"api/{version}"
            paths[name] = {"serverRelativeURL": f"/openapi/v3/{name}"}
    return {"paths": paths}


def openapi_document(group: str, version: str) -> Json:
    """The OpenAPI v3 document of one group and version: schemas, and the parameters kubectl looks for."""
    schemas = {}
    paths = {}
    for kind in _served(group, version):
        name = ".".join((*reversed((group or "core").split(".")), version, kind.kind))
        gvk = {"group": group, "version": version, "kind": kind.kind}
        schemas[name] = _described(schema_of(kind)) | {"x-kubernetes-group-version-kind": [gvk]}
        root = f"/apis/{group}/{version}" if group else f"/api/{version}"
        where = "/namespaces/{namespace}" if kind.namespaced else ""
        parameters = [
            {"name": option, "in": "query", "schema": {"type": "string"}}
            for option in ("dryRun", "fieldManager", "fieldValidation")
        ]
        body = {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}
        operation = {
            "parameters": parameters,
            "x-kubernetes-group-version-kind": gvk,
            "responses": {"200": {"description": "OK"} | body},
        }
        paths[f"{root}{where}/{kind.plural}/{{name}}"] = {
            "get": operation | {"x-kubernetes-action": "get"},
            "patch": operation | {"x-kubernetes-action": "patch"},
        }
    info = {"title": "gwtui playground", "version": VERSION["gitVersion"]}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def _described(schema: Schema) -> Json:
    if schema.type == "any":
        return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    result: Json = {"type": schema.type}
    if schema.fields:
        result["properties"] = {name: _described(member) for name, member in schema.fields.items()}
    if schema.items:
        result["items"] = _described(schema.items)
    if schema.values:
        result["additionalProperties"] = _described(schema.values)
    limits = {"string": ("minLength", "maxLength"), "array": ("minItems", "maxItems")}.get(
        schema.type, ("minimum", "maximum") if schema.type == "integer" else ("minProperties", "maxProperties")
    )
    facts: dict[str, Any] = {
        limits[0]: schema.min,
        limits[1]: schema.max,
        "required": list(schema.required) or None,
        "pattern": schema.pattern or None,
        "enum": list(schema.enum) or None,
        "default": schema.default,
        "x-kubernetes-list-map-keys": list(schema.keys) or None,
        "x-kubernetes-list-type": "map" if schema.keys else "set" if schema.is_set else None,
    }
    return result | {name: value for name, value in facts.items() if value is not None}
