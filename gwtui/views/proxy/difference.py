"""One resource of configuration as two proxies hold it, and in which lines they differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import ConfigKind, ConfigResource
from gwtui.views.spans import Line, Role, Span, line
from gwtui.views.text import shorten

CONTEXT = 3
"""Lines around a change that are shown."""

LABEL_CELLS = 30
"""Cells of one name in the place of a change."""


class _Written(NamedTuple):
    """One line of a document."""

    text: str
    place: tuple[str, ...]
    """What it lies in, from the root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How one resource differs between a proxy and its sibling."""

    kind: ConfigKind
    name: str
    sibling: ProxyKey
    words: str
    """What the comparison says in a sentence."""
    lines: tuple[str, ...] = ()
    """Unified: `-` only the sibling has it, `+` only this proxy has it."""


def difference(
    kind: ConfigKind, name: str, own: ConfigResource | None, other: ConfigResource | None, sibling: ProxyKey
) -> Difference:
    """Compare a resource with the one of the same kind and name; None means that a proxy does not have it."""
    if own is None and other is None:
        words = "neither proxy has it any more"
    elif other is None:
        words = f"only this proxy has it, {sibling.pod} does not"
    elif own is None:
        words = f"only {sibling.pod} has it, this proxy does not"
    elif own.digest.digest == other.digest.digest:
        words = "equal in both by now"
    elif canonical(own.body) == canonical(other.body):
        words = "differs in a redacted value: what is shown is equal, the digests are not"
    else:
        words = f"- {sibling.pod}   + this proxy"
    before = _written(other.body) if other is not None else []
    after = _written(own.body) if own is not None else []
    return Difference(kind=kind, name=name, sibling=sibling, words=words, lines=tuple(_unified(before, after)))


def canonical(body: Mapping[str, Any]) -> tuple[str, ...]:
    """A document as lines that are equal when it is: keys sorted, lists in their order, one value per line."""
    return tuple(written.text for written in _lines(body, ()))


def _written(body: Mapping[str, Any]) -> list[_Written]:
    return list(_lines(body, ()))


def _unified(before: list[_Written], after: list[_Written]) -> Iterator[str]:
    """The changes with `CONTEXT` lines around them, each group below where in the document it is."""
    old, new = [each.text for each in before], [each.text for each in after]
    for group in SequenceMatcher(None, old, new).get_grouped_opcodes(CONTEXT):
        _, old_at, _, new_at, _ = next(code for code in group if code[0] != "equal")
        place = after[new_at].place if new_at < len(after) else before[old_at].place
        yield f"@ {' › '.join(shorten(label, LABEL_CELLS) for label in place) or 'the whole resource'}"
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                yield from (f"  {text}" for text in old[old_from:old_to])
            else:
                yield from (f"- {text}" for text in old[old_from:old_to])
                yield from (f"+ {text}" for text in new[new_from:new_to])


def difference_line(written: str) -> Line:
    """One line of a difference; the sign says what it is, the colour only repeats it."""
    roles = {"+": Role.OK, "-": Role.BAD, "@": Role.ACCENT}
    return line(Span(written, roles.get(written[:1], Role.TEXT)))


def _lines(value: Any, place: tuple[str, ...]) -> Iterator[_Written]:
    indent = "  " * len(place)
    entries = (
        [(f"{key}:", key, value[key]) for key in sorted(value)]
        if isinstance(value, Mapping)
        else [("-", _name(entry, at), entry) for at, entry in enumerate(value)]
    )
    for label, name, entry in entries:
        if isinstance(entry, Mapping | list | tuple) and entry:
            yield _Written(f"{indent}{label}", place)
            yield from _lines(entry, (*place, name))
        else:
            yield _Written(f"{indent}{label} {json.dumps(entry, ensure_ascii=False)}", place)


def _name(entry: Any, position: int) -> str:
    """What an entry of a list is called: its name, or its position where it has none."""
    name = entry.get("name") if isinstance(entry, Mapping) else None
    return name if isinstance(name, str) else f"[{position}]"
