"""Who owns which field: field sets, their wire form in `metadata.managedFields`, and what an update does to them.

A field set maps a path to the value found there. A path is a tuple of elements in wire notation: `f:name` for a member,
`k:{"name":"http"}` for an item of a keyed list, `v:"x"` for an item of a set. An item of a keyed list is itself in the
set, under its own path.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from gwtui.playground.api.schema import ANY, KEY_DEFAULTS, Schema, item_key
from gwtui.playground.api.status import Json

Path = tuple[str, ...]
PRESENT = object()
"""Value of a path that stands for the presence of a list item."""

BUILTIN_KEYS: dict[str, tuple[str, ...]] = {
    "conditions": ("type",),
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "ports": ("containerPort", "port"),
    "ownerReferences": ("uid",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
"""Keys of the merged lists of built-in kinds, which have no schema here; only the keys an item has are used."""
BUILTIN_SETS = frozenset({"finalizers"})

_SYSTEM_METADATA = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "resourceVersion",
        "generation",
        "managedFields",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generateName",
        "selfLink",
    }
)


def keys_of(name: str, schema: Schema, items: list[Any]) -> tuple[str, ...]:
    """The fields that identify the items of a list called `name`; empty when the list is one value."""
    if schema.keys or schema.type != "any":
        return schema.keys
    wanted = BUILTIN_KEYS.get(name, ())
    used = tuple(key for key in wanted if any(isinstance(item, dict) and key in item for item in items))
    return (used[0], "protocol") if name == "ports" and used else used


def is_set(name: str, schema: Schema) -> bool:
    """Whether the items of a list called `name` are owned one by one."""
    return schema.is_set or (schema.type == "any" and name in BUILTIN_SETS)


def member(name: str) -> str:
    """The path element of an object member."""
    return f"f:{name}"


def keyed(item: Json, keys: Iterable[str]) -> str:
    """The path element of an item of a keyed list."""
    named = KEY_DEFAULTS | item
    return "k:" + msgspec.json.encode({key: named[key] for key in sorted(keys) if key in named}).decode()


def field_set(value: Any, schema: Schema = ANY, name: str = "", path: Path = ()) -> dict[Path, Any]:
    """All leaves below `value`."""
    if isinstance(value, dict) and value and not schema.atomic:
        result: dict[Path, Any] = {}
        for key, inner in value.items():
            result |= field_set(inner, schema.child(key), key, (*path, member(key)))
        return result
    if isinstance(value, list) and value:
        keys = keys_of(name, schema, value)
        if keys and all(item_key(item, keys) is not None for item in value):
            result = {}
            for item in value:
                here = (*path, keyed(item, keys))
                result[here] = PRESENT
                result |= field_set(item, schema.items or ANY, "", here)
            return result
        if is_set(name, schema):
            return {(*path, "v:" + msgspec.json.encode(item).decode()): item for item in value}
    return {path: value}


def owned_fields(obj: Json, schema: Schema, *, subresource: str, has_status: bool) -> dict[Path, Any]:
    """The field set a writer of the object, or of its status, can own."""
    result: dict[Path, Any] = {}
    for name, member_value in obj.items():
        value = member_value
        if name in {"apiVersion", "kind"} or (subresource == "status" and name != "status"):
            continue
        if name == "status" and has_status and subresource != "status":
            continue
        if name == "metadata":
            value = {key: inner for key, inner in value.items() if key not in _SYSTEM_METADATA}
            if not value:
                continue
        result |= field_set(value, schema.child(name), name, (member(name),))
    return result


def to_wire(paths: Iterable[Path]) -> Json:
    """A field set in the `fieldsV1` notation."""
    tree: Json = {}
    ends = set(paths)
    for path in sorted(ends):
        node = tree
        for depth, element in enumerate(path, 1):
            node = node.setdefault(element, {})
            if path[:depth] in ends and depth < len(path):
                node["."] = {}
    return tree


def from_wire(tree: Json, path: Path = ()) -> set[Path]:
    """The paths of a `fieldsV1` tree."""
    result: set[Path] = set()
    for element, inner in tree.items():
        if element == ".":
            result.add(path)
        elif isinstance(inner, dict) and inner:
            result |= from_wire(inner, (*path, element))
        else:
            result.add((*path, element))
    return result


def timestamp() -> str:
    """Now, in the notation of Kubernetes (UTC, whole seconds)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def entry(manager: str, operation: str, api_version: str, subresource: str, paths: Iterable[Path]) -> Json:
    """One item of `metadata.managedFields`, stamped now."""
    result = {
        "manager": manager,
        "operation": operation,
        "apiVersion": api_version,
        "time": timestamp(),
        "fieldsType": "FieldsV1",
        "fieldsV1": to_wire(paths),
    }
    return result | ({"subresource": subresource} if subresource else {})


def identity(item: Json) -> tuple[str, str, str]:
    """What tells two entries apart: manager, operation, subresource."""
    return item.get("manager", ""), item.get("operation", ""), item.get("subresource", "")


def track_update(
    obj: Json,
    old: Json | None,
    schema: Schema,
    *,
    manager: str,
    subresource: str,
    has_status: bool,
    recorded: Iterable[Json] | None = None,
) -> list[Json]:
    """The managed fields after an update: whoever changed a field owns it, alone.

    `recorded` replaces the books of the old object; a writer may send its own.
    """
    books = (old or {}).get("metadata", {}).get("managedFields", []) if recorded is None else recorded
    new_set = owned_fields(obj, schema, subresource=subresource, has_status=has_status)
    old_set = owned_fields(old, schema, subresource=subresource, has_status=has_status) if old else {}
    changed = {path for path, value in new_set.items() if path not in old_set or old_set[path] != value}
    gone = old_set.keys() - new_set.keys()
    mine = (manager, "Update", subresource)
    result = []
    kept: set[Path] = set()
    for item in books:
        if "fieldsV1" not in item:
            continue
        paths = from_wire(item["fieldsV1"])
        left = paths - changed - gone
        if identity(item) == mine and changed:
            kept = left
        elif left == paths:
            result.append(item)
        elif left:
            result.append(item | {"fieldsV1": to_wire(left)})
    if changed:
        result.append(entry(manager, "Update", obj["apiVersion"], subresource, kept | changed))
    return result
