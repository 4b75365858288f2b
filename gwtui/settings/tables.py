"""Strict reading of the tables of the configuration file.

A key that does not exist or has a wrong type is an error that names file, table and key.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from gwtui.errors import UsageError

T = TypeVar("T")


class Key(NamedTuple):
    """One key of a table."""

    type: type
    """`str`, `bool`, `int`, `float` (whole numbers are accepted as well), or `Path` (a text; `~` is the home folder,
    and what is relative starts at the folder of the configuration file)."""
    is_required: bool = False
    choices: tuple[str, ...] = ()
    """The texts that are allowed; empty: all."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file something stands, as errors name it."""

    path: Path
    table: str = ""
    index: int = 0
    """Which of several tables of this name, counted from 1; 0 for the keys outside any table."""

    def __str__(self) -> str:
        return f"{self.path}: [[{self.table}]] {self.index}" if self.table else str(self.path)

    def refuse(self, message: str, hint: str) -> UsageError:
        """Return the error that something at this place is wrong."""
        return UsageError(f"{self}: {message}", hint)


def decode_keys(table: Mapping[str, Any], keys: Mapping[str, Key], place: Place) -> dict[str, Any]:
    """Return the values of a table, each of the type its key wants; keys that are not there are left out.

    Raises:
        UsageError: an unknown key, a wrong type, a value that is not among the choices, or a required key is missing.
    """
    for name in table:
        if name not in keys:
            raise place.refuse(f"unknown key {name!r}", f"known keys: {', '.join(keys)}")
    for name, key in keys.items():
        if key.is_required and name not in table:
            raise place.refuse(f"the key {name!r} is missing", f"add {name} = …")
    return {name: _decode_value(name, value, keys[name], place) for name, value in table.items()}


def decode_tables(value: Any, name: str, path: Path, decode: Callable[[Mapping[str, Any], Place], T]) -> tuple[T, ...]:
    """Return what every `[[name]]` table holds.

    Args:
        value: what the file holds under the name.
        name: of the tables.
        path: of the file.
        decode: reads one table.

    Raises:
        UsageError: it is not an array of tables, or one of them is wrong.
    """
    if (
        not isinstance(value, Sequence)
        or isinstance(value, str)
        or not all(isinstance(each, Mapping) for each in value)
    ):
        raise UsageError(f"{path}: {name} must be written as a table", f"begin it with a line [[{name}]]")
    return tuple(decode(table, Place(path, name, index)) for index, table in enumerate(value, 1))


def _decode_value(name: str, value: Any, key: Key, place: Place) -> Any:
    if key.type is float and type(value) is int:
        return float(value)
    if key.type is Path and type(value) is str and value:
        try:
            return place.path.parent / Path(value).expanduser()
        except RuntimeError:
            raise place.refuse(f"{name}: there is no such home folder", "write the whole path") from None
    if type(value) is not key.type:
        wanted = {Path: "path, as a text", str: "text", bool: "true or false", int: "whole number", float: "number"}
        raise place.refuse(f"{name} has a wrong type", f"it must be a {wanted.get(key.type, key.type.__name__)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise place.refuse(f"{name} is {value}", "it must be a finite number")
    if key.choices and value not in key.choices:
        raise place.refuse(f"{name} is {value!r}", f"it must be one of {', '.join(key.choices)}")
    return value
