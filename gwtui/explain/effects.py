"""What a rule does to a request: filters that change it, that answer it, and that copy it.

*Source:* filters of Gateway API 1.3 to 1.6 as kgateway 2.0 to 2.4 hands them to Envoy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gwtui.explain.course import End, Outcome
from gwtui.explain.request import Request, line_of, query_of
from gwtui.explain.terrain import Terrain
from gwtui.model.gateway_api import PathMatch, Route
from gwtui.model.ids import NamespacedName, ObjectKey
from gwtui.model.kgateway import KGATEWAY, DirectResponse
from gwtui.model.route_filters import (
    ExtensionRef,
    Filter,
    GrpcFilter,
    HeaderModifier,
    PathModifier,
    RequestMirror,
    RequestRedirect,
    UrlRewrite,
)

DIRECT_RESPONSES = f"directresponses.{KGATEWAY}"
REDIRECT_STATUS = "kgateway.dev/http-redirect-status-code"
"""Annotation: another status for redirects, `307` or `<rule>=307,…`."""

AnyFilter = Filter | GrpcFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What filters make of a request."""

    request: Request
    """As the backend gets it."""
    changes: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    end: End | None = None
    """The answer, where a filter gives one."""
    policies: tuple[NamespacedName, ...] = ()
    """TrafficPolicies that filters name."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Where:
    """The rule whose filters they are."""

    terrain: Terrain
    key: ObjectKey
    route: Route
    rule_name: str
    path: PathMatch
    """What the rule matched by."""


def effect_of(where: Where, filters: Iterable[AnyFilter], request: Request) -> Effect:
    """Return what the filters of a rule, or of one of its backends, do to a request."""
    found = Effect(request=request)
    for each in filters:
        found = _after(where, found, each)
    return found


def _after(where: Where, so_far: Effect, wanted: AnyFilter) -> Effect:
    if wanted.extension_ref is not None:
        return _extended(where, so_far, wanted.extension_ref)
    if wanted.request_mirror is not None:
        return replace(so_far, copies=(*so_far.copies, _copy_words(wanted.request_mirror, where.key.namespace)))
    if isinstance(wanted, Filter):
        if wanted.request_redirect is not None:
            return replace(so_far, end=_redirected(where, so_far.request, wanted.request_redirect))
        if wanted.cors is not None:
            return _asked_first(so_far)
    return _changed(where, so_far, wanted)


def _changed(where: Where, so_far: Effect, wanted: AnyFilter) -> Effect:
    """What a filter does that changes the request and lets it go on."""
    if wanted.request_header_modifier is not None:
        request, changes = _with_headers(so_far.request, wanted.request_header_modifier)
    elif isinstance(wanted, Filter) and wanted.url_rewrite is not None:
        request, changes = _rewritten(so_far.request, wanted.url_rewrite, where.path)
    elif wanted.response_header_modifier is not None:
        return so_far
    else:
        return replace(so_far, notes=(*so_far.notes, f"what its filter {wanted.type} does is not read"))
    return replace(so_far, request=request, changes=(*so_far.changes, *changes))


def _asked_first(so_far: Effect) -> Effect:
    """Preflight requests are answered by the proxy itself."""
    request = so_far.request
    is_preflight = request.method == "OPTIONS" and request.header("access-control-request-method") is not None
    if is_preflight and request.header("origin") is not None:
        end = End(outcome=Outcome.ANSWERED, status=200, words="the CORS filter answers preflight requests itself")
        return replace(so_far, end=end)
    return so_far


def _extended(where: Where, so_far: Effect, ref: ExtensionRef) -> Effect:
    name = (where.key.namespace, ref.name)
    if (ref.group, ref.kind) == (KGATEWAY, "TrafficPolicy"):
        return replace(so_far, policies=(*so_far.policies, name))
    if (ref.group, ref.kind) != (KGATEWAY, "DirectResponse"):
        return replace(so_far, notes=(*so_far.notes, f"what its {ref.kind} {ref.name} does is not read"))
    inventory = where.terrain.inventory
    found: DirectResponse | None = inventory.of(DIRECT_RESPONSES).get(name)
    if found is not None:
        words = f"DirectResponse {name[0]}/{name[1]} answers {found.spec.status}"
        return replace(so_far, end=End(outcome=Outcome.ANSWERED, status=found.spec.status, words=words))
    what = f"DirectResponse {name[0]}/{name[1]}"
    if inventory.was_read_in(DIRECT_RESPONSES, name[0]):
        fix = f"create {what}, or take the filter away"
        end = End(outcome=Outcome.WRONG, status=500, words=f"{what} does not exist", fix=fix)
        return replace(so_far, end=end)
    end = End(outcome=Outcome.UNKNOWN, status=None, words=f"{what} answers, and is not read")
    return replace(so_far, end=end)


def _with_headers(request: Request, wanted: HeaderModifier) -> tuple[Request, tuple[str, ...]]:
    """The request with headers taken away, put in place and added, and what was done in words."""
    changes: list[str] = []
    headers, host = list(request.headers), request.host
    for name in wanted.remove:
        if any(each == name.lower() for each, _ in headers):
            changes.append(f"removes header {name}")
        headers = [(each, value) for each, value in headers if each != name.lower()]
    for each in wanted.set:
        if each.name.lower() in {"host", ":authority"}:
            host = each.value.lower()
        else:
            headers = [(name, value) for name, value in headers if name != each.name.lower()]
            headers.append((each.name.lower(), each.value))
        changes.append(f"sets header {each.name}: {each.value}")
    for each in wanted.add:
        headers.append((each.name.lower(), each.value))
        changes.append(f"adds header {each.name}: {each.value}")
    return replace(request, headers=tuple(headers), host=host), tuple(changes)


def _rewritten(request: Request, wanted: UrlRewrite, match: PathMatch) -> tuple[Request, tuple[str, ...]]:
    changes: list[str] = []
    found = request
    if wanted.hostname:
        found = replace(found, host=wanted.hostname.lower(), server_name="")
        changes.append(f"rewrites the host to {wanted.hostname}")
    if wanted.path is not None:
        path = _path(wanted.path, request.path, match)
        if path != request.path:
            changes.append(f"rewrites {request.path} → {path}")
        found = _with_path(found, path)
    return found, tuple(changes)


def _with_path(request: Request, path: str) -> Request:
    """The request under another path; one that is replaced whole may bring a query."""
    plain, has_query, query = path.partition("?")
    return replace(request, path=plain or "/", query=query_of(query) if has_query else request.query)


def _path(wanted: PathModifier, path: str, match: PathMatch) -> str:
    if wanted.type != "ReplacePrefixMatch":
        return wanted.replace_full_path or "/"
    prefix = match.value.rstrip("/")
    rest = path[len(prefix) :].lstrip("/")
    target = wanted.replace_prefix_match.rstrip("/")
    has_rest = bool(rest) or (path.endswith("/") and path != prefix)
    return f"{target}/{rest}" if has_rest else target or "/"


def _redirected(where: Where, request: Request, wanted: RequestRedirect) -> End:
    scheme = wanted.scheme or request.scheme
    port = wanted.port or (None if wanted.scheme else request.port)
    if port in {80, 443} and port == {"http": 80, "https": 443}.get(scheme):
        port = None
    path = request.path if wanted.path is None else _path(wanted.path, request.path, where.path)
    there = replace(
        _with_path(request, path),
        scheme=scheme,
        host=wanted.hostname.lower() or request.host,
        port=port,
        method="GET",
        headers=(),
        server_name="",
    )
    location = line_of(there).removeprefix("GET ").strip("'")
    status = _redirect_status(where, wanted.status_code)
    return End(outcome=Outcome.ANSWERED, status=status, words=f"redirects to {location}", location=location)


def _redirect_status(where: Where, written: int) -> int:
    for part in where.route.metadata.annotations.get(REDIRECT_STATUS, "").split(","):
        name, has_name, status = part.strip().rpartition("=")
        if status.isdecimal() and (not has_name or name == where.rule_name):
            return int(status)
    return written


def _copy_words(mirror: RequestMirror, namespace: str) -> str:
    to = mirror.backend_ref
    port = f":{to.port}" if to.port else ""
    part = "all"
    if mirror.fraction is not None:
        part = f"{mirror.fraction.numerator} of {mirror.fraction.denominator}"
    elif mirror.percent is not None:
        part = f"{mirror.percent}%"
    return f"{to.kind} {to.namespace or namespace}/{to.name}{port} gets copies ({part})"
