"""Rules of Gateway API that look at several fields at once.

*Source:* the validation of HTTPRoute and Gateway v1.6. What the published definitions say with expressions is said here
in code; expressions of other kinds are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from gwtui.playground.api.kinds import GATEWAY_API, KGATEWAY, Kind
from gwtui.playground.api.status import Json

_MOST_MATCHES = 128
_FORBIDDEN_IN_PATH = ("//", "/./", "/../", "%2f", "%2F", "#")
_FORBIDDEN_AT_END = ("/..", "/.")
_PATH = re.compile(r"^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$")
_UNION = {
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect",
    "URLRewrite": "urlRewrite",
    "ExtensionRef": "extensionRef",
    "CORS": "cors",
}
_ONCE = ("RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite", "CORS")
_UNITS_MS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
Problem = tuple[str, str]
"""Field path and message."""


def has_rules(kind: Kind) -> bool:
    """Whether the published definition of a kind has rules that cross fields, kept here or not."""
    return kind.group in {GATEWAY_API, KGATEWAY}


def broken_rules(kind: Kind, obj: Json) -> list[Json]:
    """The causes for which an object that fits its schema is refused all the same."""
    check = _CHECKS.get(kind.resource)
    problems = check(obj.get("spec", {})) if check else ()
    return [{"reason": "FieldValueInvalid", "message": f"Invalid value: {text}", "field": at} for at, text in problems]


def _http_route(spec: Json) -> Iterator[Problem]:
    yield from _parents(spec)
    rules = spec.get("rules", [])
    if sum(len(rule.get("matches", [])) for rule in rules) > _MOST_MATCHES:
        yield "spec.rules", f"the total number of matches across all rules must not exceed {_MOST_MATCHES}"
    for index, rule in enumerate(rules):
        at = f"spec.rules[{index}]"
        for number, match in enumerate(rule.get("matches", [])):
            yield from _path(match.get("path", {}), f"{at}.matches[{number}].path")
        yield from _filters(rule.get("filters", []), f"{at}.filters")
        yield from _prefix_replacement(rule, at)
        redirects = any(item["type"] == "RequestRedirect" for item in rule.get("filters", []))
        if redirects and rule.get("backendRefs"):
            yield at, "RequestRedirect filter must not be used together with backendRefs"
        yield from _backends(rule, at)
        yield from _timeouts(rule.get("timeouts", {}), f"{at}.timeouts")


def _other_route(spec: Json) -> Iterator[Problem]:
    yield from _parents(spec)
    for index, rule in enumerate(spec.get("rules", [])):
        yield from _backends(rule, f"spec.rules[{index}]")


def _listeners(spec: Json) -> Iterator[Problem]:
    listeners, at = spec.get("listeners", []), "spec.listeners"
    for listener in listeners:
        protocol, tls = listener["protocol"], listener.get("tls")
        if tls is not None and protocol in {"HTTP", "TCP", "UDP"}:
            yield at, f"tls must not be specified for protocol {protocol}"
        if protocol == "HTTPS" and tls and tls.get("mode") != "Terminate":
            yield at, "tls mode must be Terminate for protocol HTTPS"
        if protocol in {"TCP", "UDP"} and listener.get("hostname"):
            yield at, f"hostname must not be specified for protocol {protocol}"
    if len({item["name"] for item in listeners}) < len(listeners):
        yield at, "two listeners have the same name"
    places = Counter((item["port"], item["protocol"], item.get("hostname", "")) for item in listeners)
    if any(count > 1 for count in places.values()):
        yield at, "combination of port, protocol and hostname must be unique for each listener"


def _parents(spec: Json) -> Iterator[Problem]:
    named: dict[tuple[object, ...], list[str]] = {}
    for ref in spec.get("parentRefs", []):
        key = (ref.get("group"), ref.get("kind"), ref.get("namespace", ""), ref["name"])
        named.setdefault(key, []).append(ref.get("sectionName", ""))
    for sections in named.values():
        if len(sections) > 1 and (not all(sections) or len(set(sections)) < len(sections)):
            yield (
                "spec.parentRefs",
                "sectionName must be unique when parentRefs includes the same parent more than once",
            )


def _path(path: Json, at: str) -> Iterator[Problem]:
    value = path.get("value", "/")
    if path.get("type") == "RegularExpression":
        return
    if not value.startswith("/"):
        yield at, "value must be an absolute path and start with '/'"
    for text in _FORBIDDEN_IN_PATH:
        if text in value:
            yield at, f"must not contain '{text}' when type is Exact or PathPrefix"
    for text in _FORBIDDEN_AT_END:
        if value.endswith(text):
            yield at, f"must not end with '{text}' when type is Exact or PathPrefix"
    if not _PATH.match(value):
        yield at, "must only contain valid characters when type is Exact or PathPrefix"


def _filters(filters: list[Json], at: str) -> Iterator[Problem]:
    types = Counter(item["type"] for item in filters)
    for name in _ONCE:
        if types[name] > 1:
            yield at, f"{name} filter cannot be repeated"
    if types["RequestRedirect"] and types["URLRewrite"]:
        yield at, "may specify either RequestRedirect or URLRewrite, but not both"
    for index, item in enumerate(filters):
        for name, field in _UNION.items():
            if item["type"] == name and field not in item:
                yield f"{at}[{index}]", f"{field} must be specified for {name} filter type"
            elif item["type"] != name and field in item:
                yield f"{at}[{index}]", f"{field} must be nil if the filter type is not {name}"
        mirror = item.get("requestMirror", {})
        if "percent" in mirror and "fraction" in mirror:
            yield f"{at}[{index}].requestMirror", "only one of percent or fraction may be specified"


def _prefix_replacement(rule: Json, at: str) -> Iterator[Problem]:
    matches = rule.get("matches", [])
    fits = len(matches) == 1 and matches[0].get("path", {}).get("type") == "PathPrefix"
    for item in rule.get("filters", []):
        changed = item.get("urlRewrite", item.get("requestRedirect", {})).get("path", {})
        if changed.get("type") == "ReplacePrefixMatch" and not fits:
            yield at, "ReplacePrefixMatch needs exactly one match, and its path must be of type PathPrefix"


def _backends(rule: Json, at: str) -> Iterator[Problem]:
    for index, ref in enumerate(rule.get("backendRefs", [])):
        if not ref.get("group") and ref.get("kind") == "Service" and "port" not in ref:
            yield f"{at}.backendRefs[{index}]", "must have port for Service reference"
        yield from _filters(ref.get("filters", []), f"{at}.backendRefs[{index}].filters")


def _timeouts(timeouts: Json, at: str) -> Iterator[Problem]:
    request, backend = timeouts.get("request"), timeouts.get("backendRequest")
    if request and backend and milliseconds(request) and milliseconds(backend) > milliseconds(request):
        yield at, "backendRequest timeout cannot be longer than request timeout"


def milliseconds(duration: str) -> int:
    """A Gateway API duration, such as `1m30s`, in milliseconds."""
    return sum(int(count) * _UNITS_MS[unit] for count, unit in re.findall(r"(\d+)(h|ms|m|s)", duration))


_CHECKS: dict[str, Callable[[Json], Iterator[Problem]]] = {
    f"httproutes.{GATEWAY_API}": _http_route,
    f"grpcroutes.{GATEWAY_API}": _other_route,
    f"tlsroutes.{GATEWAY_API}": _other_route,
    f"tcproutes.{GATEWAY_API}": _other_route,
    f"gateways.{GATEWAY_API}": _listeners,
    f"listenersets.{GATEWAY_API}": _listeners,
}
