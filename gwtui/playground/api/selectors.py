"""Label and field selectors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from gwtui.playground.api import status
from gwtui.playground.api.kinds import Kind
from gwtui.playground.api.status import Json

Predicate = Callable[[Json], bool]
_TERM = re.compile(
    r"\s*(?:(?P<absent>!)\s*(?P<no>\w[\w./-]*)"
    r"|(?P<set>\w[\w./-]*)\s+(?P<how>in|notin)\s*\((?P<values>[^)]*)\)"
    r"|(?P<key>\w[\w./-]*)\s*(?P<op>==|!=|=)\s*(?P<value>[\w.-]*)"
    r"|(?P<has>\w[\w./-]*))\s*(?:,|$)"
)
_COMMON = frozenset({"metadata.name", "metadata.namespace"})
_FIELDS = {
    "pods": {"spec.nodeName", "status.phase", "status.podIP", "spec.restartPolicy", "spec.serviceAccountName"},
    "events": {*(f"involvedObject.{name}" for name in ("kind", "name", "namespace", "uid")), "reason", "type"},
    "namespaces": {"status.phase"},
    "secrets": {"type"},
    "nodes": {"spec.unschedulable"},
}


def selected(kind: Kind, labels: str, fields: str) -> Predicate | None:
    """A test for the objects the selectors choose; `None` when they choose all.

    Raises:
        ApiError: 400 for a selector that cannot be read, or a field this kind is not selected by.
    """
    tests = [*_label_tests(labels), *_field_tests(kind, fields)]
    return (lambda obj: all(test(obj) for test in tests)) if tests else None


def _label_tests(text: str) -> list[Predicate]:
    tests: list[Predicate] = []
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None or found.end() == at:
            raise status.bad_request(f"unable to parse requirement: {text[at:]!r}")
        tests.append(_label_test(found.groupdict()))
        at = found.end()
    return tests


def _label_test(term: dict[str, str | None]) -> Predicate:
    key = term["no"] or term["set"] or term["key"] or term["has"] or ""
    if term["absent"]:
        return lambda obj: key not in _labels(obj)
    if term["has"]:
        return lambda obj: key in _labels(obj)
    listed = term["values"] if term["how"] else term["value"]
    values = {value.strip() for value in (listed or "").split(",")}
    if term["how"] == "notin" or term["op"] == "!=":
        return lambda obj: _labels(obj).get(key) not in values
    return lambda obj: _labels(obj).get(key) in values


def _field_tests(kind: Kind, text: str) -> list[Predicate]:
    tests: list[Predicate] = []
    for term in filter(None, text.split(",")):
        found = re.fullmatch(r"\s*([\w.]+)\s*(==|!=|=)(.*)", term)
        if found is None:
            raise status.bad_request(f"invalid selector: {term!r}; can't understand it")
        field, operator, wanted = found.groups()
        if field not in _COMMON | _FIELDS.get(kind.plural if not kind.custom else "", set()):
            raise status.bad_request(f"field label not supported: {field}")
        tests.append(_field_test(field.split("."), wanted.strip(), equal=operator != "!="))
    return tests


def _field_test(path: list[str], wanted: str, *, equal: bool) -> Predicate:
    def test(obj: Json) -> bool:
        value: Any = obj
        for name in path:
            value = value.get(name, "") if isinstance(value, dict) else ""
        return (str(value) == wanted) is equal

    return test


def _labels(obj: Json) -> dict[str, str]:
    labels: dict[str, str] = obj["metadata"].get("labels") or {}
    return labels
