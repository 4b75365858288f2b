"""Places in a route, by position: found, or refused with the positions that exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gwtui.changes.copying import copied
from gwtui.changes.documents import route_kind
from gwtui.changes.plan import Document
from gwtui.errors import UsageError


def rule_at(document: Document, rule: int) -> Document:
    """Return the rule at a position, as it is in the document.

    Raises:
        UsageError: there is none.
    """
    rules = listed(document.get("spec", {}), "rules")
    if not 0 <= rule < len(rules) or not isinstance(rules[rule], dict):
        raise UsageError(f"there is no rule {rule}", _range(rules, "rules"))
    found: Document = rules[rule]
    return found


def backend_at(document: Document, rule: int, backend: int) -> Document:
    """Return the backendRef at a position, as it is in the document.

    Raises:
        UsageError: there is none.
    """
    refs = listed(rule_at(document, rule), "backendRefs")
    check_position(refs, backend, "backend", rule)
    found: Document = refs[backend]
    return found


def copy_with_rule(document: Document, rule: int) -> tuple[Document, Document]:
    """Return a copy of the route to change, and its rule at a position. Raises as `rule_at`."""
    document = copied(document)
    return document, rule_at(document, rule)


def listed(part: Any, name: str) -> list[Any]:
    """Return the list of that name in an object; an empty one where there is none."""
    value = part.get(name) if isinstance(part, dict) else None
    return value if isinstance(value, list) else []


def put(document: Document, part: Document, name: str, value: Any) -> Document:
    """Put a value into a part of the document, or nothing where it is empty; returns the document."""
    if value:
        part[name] = value
    else:
        part.pop(name, None)
    return document


def only(document: Document, kinds: tuple[str, ...], what: str) -> None:
    """Refuse routes of other kinds.

    Raises:
        UsageError: the kind has no such thing.
    """
    if (kind := route_kind(document)) not in kinds:
        raise UsageError(f"a {kind} has no {what}", f"{' and '.join(kinds)} have")


def check_position(items: Sequence[Any], position: int, what: str, rule: int) -> None:
    """Refuse a position that does not exist in a list of a rule.

    Args:
        items: the list.
        position: in it, from 0.
        what: what its items are called: `backend`.
        rule: position of the rule, for the text.

    Raises:
        UsageError: there is no such item.
    """
    if not 0 <= position < len(items) or not isinstance(items[position], dict):
        plural = f"{what}es" if what.endswith("h") else f"{what}s"
        raise UsageError(f"rule {rule} has no {what} {position}", _range(items, plural))


def _range(items: Sequence[Any], what: str) -> str:
    return f"it has {what} 0 to {len(items) - 1}" if len(items) > 1 else f"it has {len(items)} {what}"
