"""What the API fills in where a route does not say it.

*Source:* the published definitions of Gateway API v1.6.1, experimental channel included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gwtui.changes.copying import copied
from gwtui.changes.plan import Document

Shape = Mapping[str, Any]
"""Where defaults are: a default by field name, a shape for the object of that name, `[shape]` for its list."""

_PARENT = {"group": "gateway.networking.k8s.io", "kind": "Gateway"}
_TARGET = {"group": "", "kind": "Service"}
_BACKEND = {**_TARGET, "weight": 1}
_MIRROR = {"backendRef": _TARGET, "fraction": {"denominator": 100}}
_HTTP_FILTER = {
    "requestMirror": _MIRROR,
    "requestRedirect": {"statusCode": 302},
    "cors": {"maxAge": 5},
    "externalAuth": {"backendRef": _TARGET},
}
_GRPC_FILTER = {"requestMirror": _MIRROR}
_VALUE_MATCH = {"type": "Exact"}
_HTTP_MATCH = {
    "path": {"type": "PathPrefix", "value": "/"},
    "headers": [_VALUE_MATCH],
    "queryParams": [_VALUE_MATCH],
}
_GRPC_MATCH = {"method": _VALUE_MATCH, "headers": [_VALUE_MATCH]}
_STICKINESS = {"type": "Cookie", "cookieConfig": {"lifetimeType": "Session"}}


def _rules(match: Shape, filter_: Shape) -> Shape:
    backend = {**_BACKEND, "filters": [filter_]}
    return {"matches": [match], "filters": [filter_], "backendRefs": [backend], "sessionPersistence": _STICKINESS}


_STREAM = {"parentRefs": [_PARENT], "rules": [{"backendRefs": [_BACKEND]}]}
SHAPES: Mapping[str, Shape] = {
    "HTTPRoute": {"parentRefs": [_PARENT], "rules": [_rules(_HTTP_MATCH, _HTTP_FILTER)]},
    "GRPCRoute": {"parentRefs": [_PARENT], "rules": [_rules(_GRPC_MATCH, _GRPC_FILTER)]},
    "TLSRoute": _STREAM,
    "TCPRoute": _STREAM,
}
"""Defaults of the spec, by kind of route."""

_ALWAYS = frozenset({"path"})
"""Objects that are filled in whole where they are absent."""


def with_defaults(document: Document) -> Document:
    """Return a route as the API would store it. Other kinds come back as they are."""
    return _each_spec(document, _stored)


def canonical(document: Document) -> Document:
    """Return a route in the one form that all routes of its meaning have: defaults filled in, empty lists left out."""
    return _each_spec(document, _canonical)


def without_defaults(document: Document) -> Document:
    """Return a route that says only what the API would not fill in. Other kinds come back as they are."""
    return _each_spec(document, _shortest)


def strip(value: Any, kind: str, path: Sequence[str | int]) -> Any:
    """Return a part of a route without defaults.

    Args:
        value: the part.
        kind: of the route.
        path: where in the document it is: `("spec", "rules", 0)`.
    """
    shape: Any = {"spec": SHAPES.get(kind, {})}
    for step in path:
        if isinstance(step, int):
            shape = shape[0] if isinstance(shape, list) else {}
        else:
            shape = shape.get(step, {}) if isinstance(shape, Mapping) else {}
    value = copied(value)
    for each in value if isinstance(shape, list) and isinstance(value, list) else [value]:
        _stripped(each, shape[0] if isinstance(shape, list) else shape)
    return value


def _each_spec(document: Document, change: Callable[[str, Document], None]) -> Document:
    document = copied(document)
    kind, spec = document.get("kind"), document.get("spec")
    if isinstance(spec, dict) and isinstance(kind, str) and kind in SHAPES:
        change(kind, spec)
    return document


def _stored(kind: str, spec: Document) -> None:
    if kind == "HTTPRoute":
        if spec.get("rules") is None:
            spec["rules"] = [{}]
        for rule in spec["rules"] if isinstance(spec["rules"], list) else ():
            if isinstance(rule, dict) and rule.get("matches") is None:
                rule["matches"] = [{}]
    _filled(spec, SHAPES[kind])


def _canonical(kind: str, spec: Document) -> None:
    # A list of rules that is empty is no list that is absent: the API refuses the one and fills in the other.
    _without_empty_lists(spec, keep="rules")
    _stored(kind, spec)


def _shortest(kind: str, spec: Document) -> None:
    _without_empty_lists(spec, keep="rules")
    _stripped(spec, SHAPES[kind])
    if kind == "HTTPRoute" and spec.get("rules") == [{}]:
        del spec["rules"]


def _filled(value: Any, shape: Any) -> None:
    if not isinstance(value, dict) or not isinstance(shape, Mapping):
        return
    for name, part in shape.items():
        match part:
            case [item]:
                for each in value[name] if isinstance(value.get(name), list) else ():
                    _filled(each, item)
            case Mapping():
                if name in _ALWAYS:
                    value.setdefault(name, {})
                _filled(value.get(name), part)
            case _:
                if value.get(name) is None:
                    value[name] = part


def _stripped(value: Any, shape: Any) -> None:
    if not isinstance(value, dict) or not isinstance(shape, Mapping):
        return
    for name, part in shape.items():
        match part:
            case [item]:
                for each in value[name] if isinstance(value.get(name), list) else ():
                    _stripped(each, item)
                # One match that says nothing is what the API fills in where matches have a path.
                if "path" in item and value.get(name) == [{}]:
                    del value[name]
            case Mapping():
                _stripped(value.get(name), part)
                if name in _ALWAYS and value.get(name) == {}:
                    del value[name]
            case _:
                if type(value.get(name)) is type(part) and value[name] == part:
                    del value[name]


def _without_empty_lists(value: Any, *, keep: str = "") -> None:
    if isinstance(value, dict):
        for name in [name for name, part in value.items() if part == [] and name != keep]:
            del value[name]
        for part in value.values():
            _without_empty_lists(part)
    elif isinstance(value, list):
        for part in value:
            _without_empty_lists(part)
