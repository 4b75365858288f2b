"""What the API, and kgateway behind it, forbid in a route: quick enough to be asked at every key.

The server's dry run has the last word; this one answers while somebody types, and names the limit.

*Source:* the published definitions of Gateway API v1.6.1, their rules that cross fields included; the checks kgateway
makes when it translates a path.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from gwtui.changes.documents import matches_of, parents_of, rules_of
from gwtui.changes.limit_filters import backend_problems, filter_problems, path_problems, prefix_problems
from gwtui.changes.limit_shapes import Problem, check
from gwtui.changes.limit_tables import MOST_MATCHES, SPECS
from gwtui.changes.plan import Document

_UNITS_MS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION_PART = re.compile(r"(\d+)(h|ms|m|s)")
_GRPC_SERVICE = re.compile(r"\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*", re.IGNORECASE | re.ASCII)
_GRPC_METHOD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


def problems(document: Document) -> tuple[Problem, ...]:
    """Return everything that is known to be forbidden in a route; nothing for other kinds.

    Takes any JSON object: what somebody types need not be a route yet.
    """
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in SPECS:
        return ()
    found: list[Problem] = []
    spec = document.get("spec")
    if spec is None and kind == "HTTPRoute":
        return ()
    check({} if spec is None else spec, SPECS[kind], "spec", "spec", found)
    if isinstance(spec, dict):
        found += _spec_problems(kind, spec, document)
    return tuple(dict.fromkeys(found))


def milliseconds(duration: str) -> int:
    """Return a duration of the Gateway API, such as `1m30s`, in milliseconds."""
    return sum(int(count) * _UNITS_MS[unit] for count, unit in _DURATION_PART.findall(duration))


def _spec_problems(kind: str, spec: Document, document: Document) -> Iterator[Problem]:
    yield from _parents(document)
    yield from _hostnames(spec)
    rules = rules_of(document)
    yield from _names(rules)
    if kind in {"HTTPRoute", "GRPCRoute"}:
        # A rule of an HTTPRoute without matches is given one.
        least = 1 if kind == "HTTPRoute" else 0
        total = sum(len(matches_of(rule)) if "matches" in rule else least for rule in rules)
        if total > MOST_MATCHES:
            limit = f"at most {MOST_MATCHES}"
            yield Problem("spec.rules", f"{total} matches in all rules together, {limit}", limit)
    for index, rule in enumerate(rules):
        path = f"spec.rules[{index}]"
        yield from backend_problems(rule, path)
        if kind == "HTTPRoute":
            yield from _http_rule(rule, path)
        elif kind == "GRPCRoute":
            yield from filter_problems(rule, path)
            for number, match in enumerate(matches_of(rule)):
                yield from _grpc_method(match.get("method"), f"{path}.matches[{number}].method")


def _http_rule(rule: Document, path: str) -> Iterator[Problem]:
    for number, match in enumerate(matches_of(rule)):
        yield from _path_match(match.get("path"), f"{path}.matches[{number}].path")
    yield from filter_problems(rule, path)
    yield from prefix_problems(rule, path)
    timeouts = rule.get("timeouts")
    if isinstance(timeouts, dict):
        yield from _timeouts(timeouts, f"{path}.timeouts")


def _parents(document: Document) -> Iterator[Problem]:
    parents = parents_of(document)
    for (_, one), (index, other) in combinations(enumerate(parents), 2):
        if _parent(one) != _parent(other):
            continue
        told = [[bool(each.get(field)) for field in ("sectionName", "port")] for each in (one, other)]
        places = [[each.get(field) or None for field in ("sectionName", "port")] for each in (one, other)]
        if told[0] != told[1] or places[0] == places[1]:
            limit = "the same parent twice needs distinct sectionNames"
            yield Problem(f"spec.parentRefs[{index}]", f"parent {other.get('name')} again, {limit}", limit)


def _parent(ref: Document) -> tuple[Any, ...]:
    group = ref.get("group", "gateway.networking.k8s.io")
    return group, ref.get("kind", "Gateway"), ref.get("namespace") or None, ref.get("name")


def _hostnames(spec: Document) -> Iterator[Problem]:
    hostnames = spec.get("hostnames")
    for index, name in enumerate(hostnames if isinstance(hostnames, list) else ()):
        # Only what ends with a digit or has a colon can be an address.
        if isinstance(name, str) and (name[-1:].isdigit() or ":" in name):
            try:
                ipaddress.ip_address(name)
            except ValueError:
                continue
            yield Problem(f"spec.hostnames[{index}]", f"hostname {name}, an address is no hostname", "no addresses")


def _names(rules: list[Document]) -> Iterator[Problem]:
    names = Counter(rule["name"] for rule in rules if isinstance(rule.get("name"), str))
    for index, rule in enumerate(rules):
        name = rule.get("name")
        if isinstance(name, str) and names[name] > 1:
            yield Problem(f"spec.rules[{index}].name", f"{names[name]} rules named {name}, at most 1", "at most 1")


def _path_match(path: Any, where: str) -> Iterator[Problem]:
    if not isinstance(path, dict) or path.get("type", "PathPrefix") not in ("Exact", "PathPrefix"):
        return
    value = path.get("value", "/")
    if isinstance(value, str):
        if not value.startswith("/"):
            yield Problem(f"{where}.value", f"path {value or 'that is empty'}, it must begin with /", "begins with /")
        yield from path_problems(value, f"{where}.value")


def _grpc_method(method: Any, where: str) -> Iterator[Problem]:
    if not isinstance(method, dict):
        return
    if "service" not in method and "method" not in method:
        limit = "service, method or both"
        yield Problem(where, f"a method match without service and method, it needs {limit}", limit)
    if method.get("type", "Exact") != "Exact":
        return
    for name, pattern in (("service", _GRPC_SERVICE), ("method", _GRPC_METHOD)):
        value = method.get(name)
        if isinstance(value, str) and not pattern.fullmatch(value):
            limit = "letters, digits and _" + (", parts joined by ." if name == "service" else "")
            yield Problem(f"{where}.{name}", f"{name} {value or 'that is empty'}, it must be {limit}", limit)


def _timeouts(timeouts: Mapping[str, Any], where: str) -> Iterator[Problem]:
    request, backend = timeouts.get("request"), timeouts.get("backendRequest")
    if not isinstance(request, str) or not isinstance(backend, str):
        return
    # No time at all means no limit.
    if 0 < milliseconds(request) < milliseconds(backend):
        limit = f"at most request, {request}"
        yield Problem(f"{where}.backendRequest", f"backendRequest {backend}, {limit}", limit)
