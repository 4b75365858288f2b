"""What a field may hold, and the walk that tells where a value does not fit, with the limit named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, assert_never

from gwtui.changes.alignment import content


class Problem(NamedTuple):
    """Why the API, or kgateway, would refuse a document."""

    path: str
    """`spec.rules[2].backendRefs[0].weight`."""
    text: str
    """What is wrong, with the limit: `17 hostnames, at most 16`."""
    limit: str
    """The limit alone: `at most 16`."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string. Lengths count characters."""

    least: int = 1
    most: int | None = 253
    pattern: re.Pattern[str] | None = None
    form: str = ""
    """What the pattern asks for, in words."""


@dataclass(frozen=True, slots=True)
class Number:
    """An integer."""

    least: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few strings or integers."""

    options: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    item: Shape
    noun: str
    """What one item is called: `hostname`."""
    plural: str
    most: int | None
    least: int = 0
    key: str = ""
    """The field in which no two items may be equal; `.` for items that differ as a whole."""


@dataclass(frozen=True, slots=True)
class Fields:
    """An object. Fields that are not known here are left to the server, which may be newer than we are."""

    fields: Mapping[str, Shape] = field(default_factory=dict)
    required: tuple[str, ...] = ()


Shape = Text | Number | Flag | Choice | Items | Fields


def check(value: Any, shape: Shape, path: str, noun: str, found: list[Problem]) -> None:
    """Add to `found` why a value does not fit.

    Args:
        value: any JSON value.
        shape: what may stand there.
        path: where it stands.
        noun: what it is called.
        found: takes the problems.
    """
    match shape:
        case Text():
            _check_text(value, shape, path, noun, found)
        case Number():
            _check_number(value, shape, path, noun, found)
        case Items():
            _check_items(value, shape, path, found)
        case Fields():
            _check_fields(value, shape, path, noun, found)
        case Choice():
            if isinstance(value, bool) or value not in shape.options:
                limit = f"one of {', '.join(map(str, shape.options))}"
                found.append(Problem(path, f"{noun} {_shown(value)}, {limit}", limit))
        case Flag():
            if not isinstance(value, bool):
                found.append(Problem(path, f"{noun} {_shown(value)}, true or false is needed", "true or false"))
        case _ as never:
            assert_never(never)


def _check_fields(value: Any, shape: Fields, path: str, noun: str, found: list[Problem]) -> None:
    if not isinstance(value, dict):
        found.append(Problem(path, f"{noun} {_shown(value)}, an object is needed", "an object"))
        return
    missing = [name for name in shape.required if name not in value]
    found += [Problem(path, f"{noun} without {name}, it is required", f"{name} is required") for name in missing]
    for name, part in value.items():
        if (inner := shape.fields.get(name)) is not None:
            check(part, inner, f"{path}.{name}", name, found)


def _check_text(value: Any, shape: Text, path: str, noun: str, found: list[Problem]) -> None:
    if not isinstance(value, str):
        found.append(Problem(path, f"{noun} {_shown(value)}, a text is needed", "a text"))
    elif not value and shape.least:
        found.append(Problem(path, f"{noun} is empty, at least {shape.least} character", f"at least {shape.least}"))
    elif shape.most is not None and len(value) > shape.most:
        limit = f"at most {shape.most}"
        found.append(Problem(path, f"{noun} of {len(value)} characters, {limit}", limit))
    elif shape.pattern is not None and not shape.pattern.fullmatch(value):
        found.append(Problem(path, f"{noun} {_shown(value)}, it must be {shape.form}", shape.form))


def _check_number(value: Any, shape: Number, path: str, noun: str, found: list[Problem]) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        found.append(Problem(path, f"{noun} {_shown(value)}, a whole number is needed", "a whole number"))
    elif value < shape.least:
        found.append(Problem(path, f"{noun} {value}, at least {shape.least}", f"at least {shape.least}"))
    elif shape.most is not None and value > shape.most:
        found.append(Problem(path, f"{noun} {value}, at most {shape.most}", f"at most {shape.most}"))


def _check_items(value: Any, shape: Items, path: str, found: list[Problem]) -> None:
    if not isinstance(value, list):
        found.append(Problem(path, f"{shape.plural} {_shown(value)}, a list is needed", "a list"))
        return
    count = f"{len(value)} {shape.noun if len(value) == 1 else shape.plural}"
    if shape.most is not None and len(value) > shape.most:
        found.append(Problem(path, f"{count}, at most {shape.most}", f"at most {shape.most}"))
    if len(value) < shape.least:
        found.append(Problem(path, f"{count}, at least {shape.least}", f"at least {shape.least}"))
    seen: set[str] = set()
    for index, item in enumerate(value):
        here = f"{path}[{index}]"
        check(item, shape.item, here, shape.noun, found)
        if shape.key:
            keyed = item if shape.key == "." else item.get(shape.key) if isinstance(item, dict) else index
            if (name := content(keyed)) in seen:
                found.append(Problem(here, f"{shape.noun} {_shown(keyed)} twice, each at most once", "at most once"))
            seen.add(name)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else content(value)
    return f"{text[:40]}…" if len(text) > 40 else text or '""'
