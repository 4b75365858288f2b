"""What is forbidden in filters and backends: combinations, and paths that kgateway would not translate."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from gwtui.changes.documents import backends_of, filters_of, matches_of
from gwtui.changes.limit_shapes import Problem
from gwtui.changes.plan import Document
from gwtui.changes.request_edits import FILTER_FIELDS

_ONCE = ("RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite", "CORS")
_FORBIDDEN_INSIDE = ("//", "/./", "/../", "%2f", "%2F", "#")
_FORBIDDEN_AT_END = ("/..", "/.")
_PATH = re.compile(r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})*")
_PATH_CHANGES = {"ReplaceFullPath": "replaceFullPath", "ReplacePrefixMatch": "replacePrefixMatch"}
_WILDCARD_ALONE = ("allowOrigins", "allowMethods", "allowHeaders")


def backend_problems(rule: Document, path: str) -> Iterator[Problem]:
    """Return what is forbidden in the backendRefs of a rule.

    Args:
        rule: of any kind of route.
        path: of the rule.
    """
    for index, ref in enumerate(backends_of(rule)):
        here = f"{path}.backendRefs[{index}]"
        yield from _port(ref, here)
        yield from filter_problems(ref, here)


def filter_problems(part: Document, path: str) -> Iterator[Problem]:
    """Return what is forbidden among the filters of a rule or backendRef, and in each.

    Args:
        part: the rule or backendRef.
        path: of the part.
    """
    filters = filters_of(part)
    types = Counter(str(each.get("type")) for each in filters)
    for name in _ONCE:
        if types[name] > 1:
            yield Problem(f"{path}.filters", f"{types[name]} {name} filters, at most 1", "at most 1")
    if types["RequestRedirect"] and types["URLRewrite"]:
        limit = "one or the other"
        yield Problem(f"{path}.filters", f"RequestRedirect and URLRewrite together, only {limit} is allowed", limit)
    for index, each in enumerate(filters):
        here = f"{path}.filters[{index}]"
        yield from _union(each, here)
        for name in ("requestRedirect", "urlRewrite"):
            yield from _new_path(_object(each.get(name)).get("path"), f"{here}.{name}.path")
        yield from _mirror(_object(each.get("requestMirror")), f"{here}.requestMirror")
        yield from _cors(_object(each.get("cors")), f"{here}.cors")


def prefix_problems(rule: Document, path: str) -> Iterator[Problem]:
    """Return what is forbidden between the filters of a rule, its matches and its backends.

    Args:
        rule: of an HTTPRoute.
        path: of the rule.
    """
    refs = backends_of(rule)
    filters = filters_of(rule)
    if refs and any(each.get("requestRedirect") is not None for each in filters):
        limit = "no backends beside RequestRedirect"
        count = f"{len(refs)} backend{'s' if len(refs) > 1 else ''}"
        yield Problem(f"{path}.backendRefs", f"{count} beside RequestRedirect, none are allowed", limit)
    if _replaces_prefix(filters + [each for ref in refs for each in filters_of(ref)]) and not _is_one_prefix(rule):
        limit = "exactly one match, of type PathPrefix"
        yield Problem(f"{path}.matches", f"ReplacePrefixMatch needs {limit}", limit)


def path_problems(value: str, where: str) -> Iterator[Problem]:
    """Return what is forbidden in a path that is matched or written.

    Args:
        value: the path.
        where: of the value.
    """
    for text in _FORBIDDEN_INSIDE:
        if text in value:
            yield Problem(where, f"path {value}, it must not contain {text}", f"must not contain {text}")
    for text in _FORBIDDEN_AT_END:
        if value.endswith(text):
            yield Problem(where, f"path {value}, it must not end with {text}", f"must not end with {text}")
    if not _PATH.fullmatch(value.replace("#", "")):
        limit = "letters, digits, %xx and -/._~!$&'()*+,;=:@"
        yield Problem(where, f"path {value}, it may hold {limit}", limit)


def _replaces_prefix(filters: list[Document]) -> bool:
    changes = (_object(_object(each.get(name)).get("path")) for each in filters for name in _PATH_FILTERS)
    return any(change.get("type") == "ReplacePrefixMatch" for change in changes)


_PATH_FILTERS = ("requestRedirect", "urlRewrite")


def _is_one_prefix(rule: Document) -> bool:
    if rule.get("matches") is None:
        return True
    matches = matches_of(rule)
    return len(matches) == 1 and _object(matches[0].get("path")).get("type", "PathPrefix") == "PathPrefix"


def _union(filter_: Document, path: str) -> Iterator[Problem]:
    type_ = filter_.get("type")
    for name, field in FILTER_FIELDS.items():
        if type_ == name and filter_.get(field) is None:
            yield Problem(path, f"a filter of type {name} without {field}, it is required", f"{field} is required")
        elif type_ != name and filter_.get(field) is not None:
            limit = f"only with type {name}"
            yield Problem(f"{path}.{field}", f"{field} in a filter of type {type_}, {limit}", limit)


def _new_path(change: Any, path: str) -> Iterator[Problem]:
    if not isinstance(change, dict):
        return
    for name, field in _PATH_CHANGES.items():
        value = change.get(field)
        if change.get("type") == name and value is None:
            yield Problem(path, f"a path of type {name} without {field}, it is required", f"{field} is required")
        elif change.get("type") != name and value is not None:
            limit = f"only with type {name}"
            yield Problem(f"{path}.{field}", f"{field} in a path of type {change.get('type')}, {limit}", limit)
        if isinstance(value, str):
            yield from path_problems(value, f"{path}.{field}")


def _mirror(mirror: Document, path: str) -> Iterator[Problem]:
    if mirror.get("percent") is not None and mirror.get("fraction") is not None:
        limit = "one or the other"
        yield Problem(path, f"percent and fraction together, only {limit} is allowed", limit)
    fraction = _object(mirror.get("fraction"))
    above, below = fraction.get("numerator"), fraction.get("denominator", 100)
    if isinstance(above, int) and isinstance(below, int) and above > below:
        limit = f"at most the denominator, {below}"
        yield Problem(f"{path}.fraction.numerator", f"numerator {above}, {limit}", limit)
    yield from _port(_object(mirror.get("backendRef")), f"{path}.backendRef")


def _cors(cors: Document, path: str) -> Iterator[Problem]:
    for name in _WILDCARD_ALONE:
        values = cors.get(name)
        if isinstance(values, list) and "*" in values and len(values) > 1:
            yield Problem(f"{path}.{name}", f"* among {len(values)} values, it must stand alone", "* stands alone")


def _port(ref: Document, path: str) -> Iterator[Problem]:
    is_service = not ref.get("group") and ref.get("kind", "Service") == "Service"
    if ref.get("name") and is_service and ref.get("port") is None:
        yield Problem(path, f"Service {ref['name']} without port, it is required", "port is required")


def _object(value: Any) -> Document:
    return value if isinstance(value, dict) else {}
