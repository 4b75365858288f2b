"""The structs against the published CustomResourceDefinitions, where these are at hand."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from gwtui.adapters.gateway_api.kinds import KINDS as GATEWAY_API_KINDS
from gwtui.adapters.kgateway.kinds import KINDS as KGATEWAY_KINDS
from gwtui.model.kinds import KindSpec
from gwtui.model.meta import Meta

CRDS = Path(__file__).parents[3] / "shared" / "reference" / "crds"
KINDS = (*GATEWAY_API_KINDS, *KGATEWAY_KINDS)

NEWER = {
    ("TrafficPolicy", "spec.statPrefix"),
    ("Backend", "spec.priorityGroups"),
}
"""Fields of kgateway 2.4, which the published files (2.3) do not have yet."""

OLDER = {
    ("Backend", "spec.ai"),
    ("Backend", "spec.mcp"),
    ("TrafficPolicy", "spec.jwt"),
}
"""Fields of kgateway 2.1, which the published files do not have any more."""

UNPUBLISHED = {"UDPRoute"}
"""Kinds without a file; UDPRoute has the shape of TCPRoute."""

JSON_TYPES: dict[Any, str] = {str: "string", int: "integer", bool: "boolean", float: "number"}

Schema = dict[str, Any]

if not CRDS.is_dir():
    pytest.skip("the published CRD files are not at hand", allow_module_level=True)


def definitions() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Every definition (standard, experimental, legacy) by group and kind."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for path in sorted(CRDS.rglob("*.yaml")):
        spec = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["spec"]
        found.setdefault((spec["group"], spec["names"]["kind"]), []).append(spec)
    return found


@pytest.fixture(scope="module")
def published() -> dict[tuple[str, str], list[dict[str, Any]]]:
    return definitions()


def schemas(kind: KindSpec, published) -> list[Schema]:
    return [
        version["schema"]["openAPIV3Schema"]
        for spec in published[(kind.group, kind.kind)]
        for version in spec["versions"]
        if version["served"]
    ]


def walk(struct: Any, path: str = "") -> Iterator[tuple[str, msgspec.structs.FieldInfo, Any]]:
    """Every field of a struct and of those within it, with its JSON path and the type without `None`."""
    for field in msgspec.structs.fields(struct):
        here = f"{path}.{field.encode_name}".lstrip(".")
        inner = without_none(field.type)
        yield here, field, inner
        if typing.get_origin(inner) is tuple:
            here, inner = f"{here}[]", typing.get_args(inner)[0]
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct) and not issubclass(inner, Meta):
            yield from walk(inner, here)


def without_none(annotation: Any) -> Any:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        (inner,) = (part for part in typing.get_args(annotation) if part is not type(None))
        return inner
    return annotation


def at(schema: Schema, path: str) -> tuple[Schema, bool] | None:
    """The schema of a field, and whether it is required where it stands; None when there is no such field."""
    required = False
    for name in path.split("."):
        plain = name.removesuffix("[]")
        if plain not in schema.get("properties", {}):
            return None
        required = plain in schema.get("required", ())
        schema = schema["properties"][plain]
        if name.endswith("[]"):
            schema = schema["items"]
    return schema, required


def json_type(annotation: Any) -> str:
    origin = typing.get_origin(annotation) or annotation
    if origin is tuple:
        return "array"
    return JSON_TYPES.get(origin, "object")


CASES = [
    pytest.param(kind, path, field, annotation, id=f"{kind.kind}:{path}")
    for kind in KINDS
    if kind.kind not in UNPUBLISHED
    for path, field, annotation in walk(kind.type)
    if not any(kind.kind == other and path.startswith(start) for other, start in NEWER | OLDER) and path != "metadata"
]


@pytest.mark.parametrize(("kind", "path", "field", "annotation"), CASES)
def test_every_field_read_is_in_the_schema(kind, path, field, annotation, published):
    found = [place for schema in schemas(kind, published) if (place := at(schema, path)) is not None]
    assert found, "in no served version"
    assert {schema["type"] for schema, _ in found} == {json_type(annotation)}
    if field.required:
        assert all(required for _, required in found), "required here and optional upstream"
    default = field.default
    for schema, _ in found:
        if isinstance(schema.get("default"), str | int) and isinstance(default, str | int) and default:
            assert schema["default"] == default


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.kind not in UNPUBLISHED], ids=lambda kind: kind.kind)
def test_where_a_kind_is_served(kind, published):
    specs = published[(kind.group, kind.kind)]
    served = {version["name"] for spec in specs for version in spec["versions"] if version["served"]}
    assert served <= set(kind.versions)
    assert {spec["names"]["plural"] for spec in specs} == {kind.plural}
    assert {spec["scope"] == "Namespaced" for spec in specs} == {kind.namespaced}


def test_every_published_kind_is_read(published):
    assert set(published) == {(kind.group, kind.kind) for kind in KINDS} - {("gateway.networking.k8s.io", "UDPRoute")}


def test_fields_said_to_be_newer_or_older_are_not_published(published):
    by_name = {kind.kind: kind for kind in KINDS}
    for kind, path in NEWER | OLDER:
        assert all(at(schema, path) is None for schema in schemas(by_name[kind], published))
        assert path in {found for found, _, _ in walk(by_name[kind].type)}
