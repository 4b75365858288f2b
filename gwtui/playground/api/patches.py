"""The three patch formats that need no field ownership: merge, JSON and strategic merge."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import jsonpatch

from gwtui.playground.api import status
from gwtui.playground.api.fields import is_set, keys_of
from gwtui.playground.api.schema import ANY
from gwtui.playground.api.status import ApiError, Json

MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


def require_patch(content_type: str) -> None:
    """Pass one of the four formats, or refuse.

    Raises:
        ApiError: 415.
    """
    if content_type not in {MERGE, JSON, STRATEGIC, APPLY}:
        raise ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def patched(content_type: str, patch: Any, target: Json) -> Json:
    """A copy of `target` with the patch applied.

    Raises:
        ApiError: 400 for a malformed patch, 422 for one that does not fit this object.
    """
    if content_type == JSON:
        return _json_patched(patch, target)
    if not isinstance(patch, dict):
        raise status.bad_request("the patch must be a JSON object")
    target = deepcopy(target)
    return _strategic(target, patch) if content_type == STRATEGIC else _merged(target, patch)


def _json_patched(patch: Any, target: Json) -> Json:
    if not isinstance(patch, list) or not all(isinstance(operation, dict) for operation in patch):
        raise status.bad_request("error decoding patch: it is no list of operations")
    try:
        result = jsonpatch.apply_patch(target, patch, in_place=False)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        # The API keeps to itself which operation does not fit, a failed test included.
        raise ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {}) from error
    if not isinstance(result, dict):
        raise status.bad_request("the patched document is not an object")
    return result


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = target if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merged(result.get(name), value)
    return result


def _strategic(target: Any, patch: Json) -> Json:
    result = target if isinstance(target, dict) else {}
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            field = name.partition("/")[2]
            result[field] = [item for item in result.get(field, []) if item not in value]
        elif name.startswith("$"):
            continue
        elif value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            result.pop(name, None)
        elif isinstance(value, dict):
            result[name] = _strategic(result.get(name), value)
        elif isinstance(value, list):
            result[name] = _strategic_list(name, result.get(name) or [], value)
        else:
            result[name] = value
    return result


def _strategic_list(name: str, target: list[Any], patch: list[Any]) -> list[Any]:
    if is_set(name, ANY):
        return target + [item for item in patch if item not in target]
    wanted = [item for item in patch if not (isinstance(item, dict) and item.get("$patch") == "replace")]
    keys = keys_of(name, ANY, wanted)[:1]
    if not keys or len(wanted) < len(patch):
        return wanted
    key = keys[0]
    result = list(target)
    for item in patch:
        index = next((at for at, old in enumerate(result) if old.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            result = [old for old in result if old.get(key) != item.get(key)]
        elif index is None:
            result.append(item)
        else:
            result[index] = _strategic(result[index], item)
    return result
