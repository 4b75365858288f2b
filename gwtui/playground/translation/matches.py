"""HTTPRoute match to Envoy RouteMatch."""

from __future__ import annotations

from gwtui.playground.translation.precedence import path_of
from gwtui.playground.world import Json


def envoy_match(match: Json) -> Json:
    """The Envoy RouteMatch of one HTTPRoute match (path, method, headers, query parameters)."""
    found = _path(match)
    headers = [_value_match(each) for each in match.get("headers", ())]
    if method := match.get("method"):
        headers.append({"name": ":method", "stringMatch": {"exact": method}})
    if headers:
        found["headers"] = headers
    if params := match.get("queryParams"):
        found["queryParameters"] = [_value_match(each) for each in params]
    return found


def _path(match: Json) -> Json:
    kind, value = path_of(match)
    if kind == "Exact":
        return {"path": value}
    if kind == "RegularExpression":
        return {"safeRegex": {"regex": value}}
    trimmed = value.rstrip("/")
    return {"pathSeparatedPrefix": trimmed} if trimmed else {"prefix": "/"}


def _value_match(wanted: Json) -> Json:
    value = wanted.get("value", "")
    if not value:
        return {"name": wanted["name"], "presentMatch": True}
    if wanted.get("type") == "RegularExpression":
        return {"name": wanted["name"], "stringMatch": {"safeRegex": {"regex": value}}}
    return {"name": wanted["name"], "stringMatch": {"exact": value}}
