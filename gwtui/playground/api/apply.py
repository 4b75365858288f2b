"""Server-side apply: merge what one manager declares into the live object, field by field, and keep the books."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import msgspec

from gwtui.playground.api.fields import (
    PRESENT,
    Path,
    entry,
    from_wire,
    identity,
    is_set,
    keyed,
    keys_of,
    owned_fields,
    to_wire,
)
from gwtui.playground.api.kinds import Kind
from gwtui.playground.api.schema import ANY, Schema, item_key
from gwtui.playground.api.schemas import schema_of
from gwtui.playground.api.status import ApiError, Json


def applied(
    kind: Kind, config: Json, live: Json | None, *, manager: str, force: bool, subresource: str = ""
) -> tuple[Json, list[Json]]:
    """The merged object and its managed fields.

    A field that another manager owns and holds at a different value is a conflict, unless `force` takes it over. Fields
    this manager declared before and no longer declares are removed, unless someone else owns them too.

    Raises:
        ApiError: 409 with one cause per contested field.
    """
    schema = schema_of(kind)
    options: dict[str, Any] = {"subresource": subresource, "has_status": kind.status}
    wanted = owned_fields(config, schema, **options)
    if live is None:
        return deepcopy(config), [entry(manager, "Apply", config["apiVersion"], subresource, wanted)]
    present = owned_fields(live, schema, **options)
    changed = {path for path, value in wanted.items() if value is not PRESENT and present.get(path) != value}
    mine = (manager, "Apply", subresource)
    before: set[Path] = set()
    previous: Json | None = None
    others: list[tuple[Json, set[Path]]] = []
    for item in live["metadata"].get("managedFields", []):
        if identity(item) == mine:
            before, previous = from_wire(item["fieldsV1"]), item
        else:
            others.append((item, from_wire(item["fieldsV1"])))
    contested = [(item, paths & changed) for item, paths in others if paths & changed]
    if contested and not force:
        raise _conflict(contested)
    merged = _merge(deepcopy(live), _declared(config, subresource), schema)
    foreign = set().union(*(paths - changed for _, paths in others))
    for path in sorted(before - wanted.keys(), key=len):
        if not any(owned[: len(path)] == path for owned in foreign):
            _remove(merged, path)
    managed = []
    for item, paths in others:
        left = paths - changed
        if left:
            managed.append(item if left == paths else item | {"fieldsV1": to_wire(left)})
    own = entry(manager, "Apply", config["apiVersion"], subresource, wanted)
    same = previous is not None and previous["fieldsV1"] == own["fieldsV1"] and not changed
    return merged, [*managed, previous if same and previous else own]


def _declared(config: Json, subresource: str) -> Json:
    """The part of the configuration that may be merged: bookkeeping of the author's own copy is left out."""
    if subresource == "status":
        return {"status": config.get("status", {})}
    metadata = {key: value for key, value in config.get("metadata", {}).items() if key not in {"uid", "generation"}}
    return config | {"metadata": metadata}


def _merge(live: Any, config: Any, schema: Schema, name: str = "") -> Any:
    if isinstance(config, dict) and isinstance(live, dict) and not schema.atomic:
        for key, value in config.items():
            live[key] = _merge(live.get(key), value, schema.child(key), key)
        return live
    if isinstance(config, list) and isinstance(live, list):
        keys = keys_of(name, schema, config or live)
        if keys:
            return _merge_items(live, config, schema, keys)
        if is_set(name, schema):
            return live + [item for item in config if item not in live]
    return deepcopy(config)


def _merge_items(live: list[Any], config: list[Any], schema: Schema, keys: tuple[str, ...]) -> list[Any]:
    at = {item_key(item, keys): index for index, item in enumerate(live)}
    for item in config:
        index = at.get(item_key(item, keys))
        if index is None:
            live.append(deepcopy(item))
        else:
            live[index] = _merge(live[index], item, schema.items or ANY)
    return live


def _remove(obj: Any, path: Path) -> None:
    """Take the value at `path` out of the object, and the objects this leaves empty."""
    head, rest = path[0], path[1:]
    if head.startswith("f:"):
        key = head[2:]
        if not isinstance(obj, dict) or key not in obj:
            return
        if rest:
            _remove(obj[key], rest)
        if not rest or obj[key] in ({}, []):
            del obj[key]
    elif isinstance(obj, list):
        wanted = msgspec.json.decode(head[2:])
        for item in list(obj):
            found = keyed(item, wanted) == head if head.startswith("k:") else item == wanted
            if found and rest:
                _remove(item, rest)
            elif found:
                obj.remove(item)


def _conflict(contested: list[tuple[Json, set[Path]]]) -> ApiError:
    causes = []
    lines = []
    for item, paths in contested:
        owner = f'"{item.get("manager")}"'
        if item.get("subresource"):
            owner += f' with subresource "{item["subresource"]}"'
        if item.get("operation") == "Update":
            owner += f" using {item.get('apiVersion')}"
        fields = [_readable(path) for path in sorted(paths)]
        causes += [
            {"reason": "FieldManagerConflict", "message": f"conflict with {owner}", "field": field} for field in fields
        ]
        lines.append(f"conflicts with {owner}:\n" + "\n".join(f"- {field}" for field in fields))
    count = len(causes)
    if count == 1:
        text = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        text = f"Apply failed with {count} conflicts: " + "\n".join(lines)
    return ApiError(409, "Conflict", text, {"causes": causes})


def _readable(path: Path) -> str:
    text = ""
    for element in path:
        if element.startswith("f:"):
            text += f".{element[2:]}"
        elif element.startswith("k:"):
            named = msgspec.json.decode(element[2:])
            text += "[" + ",".join(f"{key}={msgspec.json.encode(value).decode()}" for key, value in named.items()) + "]"
        else:
            text += f"[={element[2:]}]"
    return text
