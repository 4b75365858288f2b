"""What a field may hold, and three walks over a value: fill in defaults, drop unknown fields, list violations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from gwtui.playground.api.status import Json

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """One field. Limits count characters of a string, items of a list, entries of a map, or bound a number."""

    type: str = "any"
    """A JSON type, or `any`: everything is kept and nothing is checked."""
    fields: Mapping[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    items: Schema | None = None
    values: Schema | None = None
    """Schema of the values of a free-form map."""
    open: bool = False
    """Unknown fields of this object are kept."""
    min: int | None = None
    max: int | None = None
    pattern: str = ""
    enum: tuple[Any, ...] = ()
    default: Any = None
    format: str = ""
    keys: tuple[str, ...] = ()
    """Fields that identify an item of a list that is merged item by item; empty means the list is one value."""
    is_set: bool = False
    """Items of this list are owned one by one."""
    atomic: bool = False
    """This object has one owner, as a whole."""

    def child(self, name: str) -> Schema:
        """The schema of one member of an object."""
        return self.fields.get(name) or self.values or ANY


ANY = Schema()


def obj(required: str = "", preset: Any = None, /, **fields: Schema) -> Schema:
    """An object; `required` names its required fields, separated by blanks, `preset` is its default."""
    return Schema(type="object", fields=fields, required=tuple(required.split()), default=preset)


def text(least: int | None = 1, most: int | None = 253, pattern: str = "", default: str | None = None) -> Schema:
    """A string with its length limits."""
    return Schema(type="string", min=least, max=most, pattern=pattern, default=default)


def one_of(*options: Any, default: Any = None) -> Schema:
    """A string or number out of a closed set."""
    return Schema(type="string" if isinstance(options[0], str) else "integer", enum=options, default=default)


def number(least: int | None = None, most: int | None = None, default: int | None = None) -> Schema:
    """An integer with its bounds."""
    return Schema(type="integer", min=least, max=most, default=default)


def items(item: Schema, most: int | None = None, least: int | None = None, **options: Any) -> Schema:
    """A list; `keys` or `is_set` make it a list that is merged item by item."""
    return Schema(type="array", items=item, max=most, min=least, **options)


def mapping(most: int, value: Schema) -> Schema:
    """A free-form map of strings."""
    return Schema(type="object", values=value, max=most)


def fill_defaults(value: Any, schema: Schema) -> Any:
    """`value` with the defaults of absent fields filled in, in place."""
    if isinstance(value, dict):
        for name, member in schema.fields.items():
            if value.get(name) is None and member.default is not None:
                value[name] = deepcopy(member.default)
        for name, member_value in value.items():
            fill_defaults(member_value, schema.child(name))
    elif isinstance(value, list) and schema.items:
        for item in value:
            fill_defaults(item, schema.items)
    return value


def drop_unknown(value: Any, schema: Schema, path: str = "") -> list[str]:
    """Remove, in place, the fields the schema does not know; returns their paths."""
    if isinstance(value, list) and schema.items:
        dropped = []
        for index, item in enumerate(value):
            dropped += drop_unknown(item, schema.items, f"{path}[{index}]")
        return dropped
    if not isinstance(value, dict) or schema.type == "any":
        return []
    dropped = []
    for name in list(value):
        here = f"{path}.{name}" if path else name
        if name in schema.fields or schema.values:
            dropped += drop_unknown(value[name], schema.child(name), here)
        elif not schema.open:
            del value[name]
            dropped.append(here)
    return dropped


def violations(value: Any, schema: Schema, path: str = "") -> Iterator[Json]:
    """The causes for which `value` breaks its schema, each with `reason`, `message` and `field`."""
    if schema.type == "any":
        return
    wanted = _PYTHON_TYPES[schema.type]
    if not isinstance(value, wanted) or (isinstance(value, bool) and schema.type != "boolean"):
        shown = "null" if value is None else type(value).__name__
        message = f"Invalid value: {_shown(shown)}: {path} in body must be of type {schema.type}"
        yield {"reason": "FieldValueTypeInvalid", "message": message, "field": path}
        return
    yield from _limits(value, schema, path)
    if isinstance(value, dict):
        for name in schema.required:
            if name not in value:
                here = f"{path}.{name}" if path else name
                yield {"reason": "FieldValueRequired", "message": "Required value", "field": here}
        for name, member in value.items():
            yield from violations(member, schema.child(name), f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        yield from _duplicates(value, schema, path)
        for index, item in enumerate(value):
            yield from violations(item, schema.items or ANY, f"{path}[{index}]")


KEY_DEFAULTS = {"protocol": "TCP"}
"""What a key is taken for in an item that does not have it."""


def item_key(item: Any, keys: tuple[str, ...]) -> tuple[Any, ...] | None:
    """The identity of an item of a keyed list, or `None` when it is not an object."""
    return tuple(item.get(key, KEY_DEFAULTS.get(key)) for key in keys) if isinstance(item, dict) else None


def _duplicates(value: list[Any], schema: Schema, path: str) -> Iterator[Json]:
    seen = set()
    for index, item in enumerate(value if schema.keys else ()):
        key = item_key(item, schema.keys)
        if key in seen:
            named = {name: item.get(name) for name in schema.keys}
            message = f"Duplicate value: {named}"
            yield {"reason": "FieldValueDuplicate", "message": message, "field": f"{path}[{index}]"}
        seen.add(key)


def _limits(value: Any, schema: Schema, path: str) -> Iterator[Json]:
    is_number = isinstance(value, int | float)
    size = value if is_number else len(value)
    unit = "" if is_number else " chars long" if isinstance(value, str) else " items"
    if schema.max is not None and size > schema.max:
        if is_number:
            yield _cause("FieldValueInvalid", path, value, f"should be less than or equal to {schema.max}")
        else:
            too_long = f"Too long: may not be more than {schema.max} bytes"
            too_many = f"Too many: {size}: must have at most {schema.max} items"
            message = too_long if isinstance(value, str) else too_many
            reason = "FieldValueTooLong" if isinstance(value, str) else "FieldValueTooMany"
            yield {"reason": reason, "message": message, "field": path}
    if schema.min is not None and size < schema.min:
        what = "should be greater than or equal to" if is_number else "should be at least"
        yield _cause("FieldValueInvalid", path, value, f"{what} {schema.min}{unit}")
    if schema.pattern and not re.search(schema.pattern, value):
        yield _cause("FieldValueInvalid", path, value, f"should match '{schema.pattern}'")
    if schema.enum and value not in schema.enum:
        allowed = ", ".join(_shown(option) for option in schema.enum)
        message = f"Unsupported value: {_shown(value)}: supported values: {allowed}"
        yield {"reason": "FieldValueNotSupported", "message": message, "field": path}


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _cause(reason: str, path: str, value: Any, problem: str) -> Json:
    message = f"Invalid value: {_shown(value)}: {path} in body {problem}"
    return {"reason": reason, "message": message, "field": path}
