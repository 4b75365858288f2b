"""Matches, filters and backends of a rule in words: short for a row, in full for its page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gwtui.model.gateway_api import (
    BackendRef,
    GrpcBackendRef,
    GrpcMatch,
    GrpcRule,
    HttpBackendRef,
    HttpMatch,
    HttpRule,
    ParentRef,
    Rule,
    ValueMatch,
)
from gwtui.model.route_filters import (
    Cors,
    Filter,
    GrpcFilter,
    HeaderModifier,
    MirrorTarget,
    PathModifier,
    RequestMirror,
    RequestRedirect,
    UrlRewrite,
)
from gwtui.views import text

EVERY_CALL = "*"
ANY_HOST = "*"

WIDE = 10_000
"""Cells of a place where nothing is cut."""

_PATHS = {"Exact": "=", "RegularExpression": "~"}
"""What stands before a path that is not a prefix."""


def host_words(hostnames: Sequence[str], cells: int = WIDE) -> str:
    """`shop.test`, `shop.test +2`, `shop.t… +2`; `*` where every hostname of the listeners is meant."""
    return _first_of(hostnames or (ANY_HOST,), cells)


def matches_in_full(rule: Rule, kind: str) -> tuple[str, ...]:
    """One text per match: `GET =/cart x-canary=1 ?v=2`. A prefix is bare, `=` is exact, `~` a regular expression.

    Args:
        rule: The rule.
        kind: `HTTP`, `GRPC`, `TLS`, `TCP` or `UDP`; the last three take every connection of their listener.
    """
    if isinstance(rule, HttpRule):
        return tuple(map(_http_match, rule.matches or (HttpMatch(),)))
    if isinstance(rule, GrpcRule):
        return tuple(map(_grpc_match, rule.matches or (GrpcMatch(),)))
    return (f"all {kind}",)


def match_words(matches: Sequence[str], cells: int = WIDE) -> str:
    """`/cart +1`: the first match, cut to `cells` when it is longer, and how many more there are."""
    return _first_of(matches, cells)


def _first_of(words: Sequence[str], cells: int) -> str:
    rest = f" +{len(words) - 1}" if len(words) > 1 else ""
    room = max(1, cells - len(rest))
    first = words[0] if len(words[0]) <= room else f"{words[0][: room - 1]}…"
    return f"{first}{rest}"


def _http_match(match: HttpMatch) -> str:
    path = f"{_PATHS.get(match.path.type, '')}{match.path.value}"
    queries = (f"?{_value_match(each)}" for each in match.query_params)
    return " ".join(filter(None, (match.method, path, *map(_value_match, match.headers), *queries)))


def _grpc_match(match: GrpcMatch) -> str:
    method = match.method
    called = EVERY_CALL
    if method is not None and (method.service or method.method):
        sign = "~" if method.type == "RegularExpression" else ""
        called = f"{sign}{method.service or EVERY_CALL}/{method.method or EVERY_CALL}"
    return " ".join((called, *map(_value_match, match.headers)))


def _value_match(match: ValueMatch) -> str:
    return f"{match.name}{'~' if match.type == 'RegularExpression' else '='}{match.value}"


def filters_of(rule: Rule) -> tuple[tuple[Filter | GrpcFilter, str], ...]:
    """Every filter of a rule, with the name of the backend it acts for alone; empty for all of the rule."""
    if not isinstance(rule, HttpRule | GrpcRule):
        return ()
    refs: tuple[HttpBackendRef | GrpcBackendRef, ...] = rule.backend_refs
    own = tuple((each, "") for each in rule.filters)
    return (*own, *((each, ref.name) for ref in refs for each in ref.filters))


def filter_words(rule: Rule, namespace: str) -> str:
    """`rewrite, hdr +1 -2, mirror foo/x 10%`; empty without filters.

    Args:
        rule: The rule.
        namespace: Of the route; what lies elsewhere is named with its namespace.
    """
    return ", ".join(dict.fromkeys(_short(each, namespace) for each, _ in filters_of(rule)))


def filters_in_full(rule: Rule, namespace: str) -> tuple[str, ...]:
    """One text per fact about a filter, with everything that is decoded of it."""
    return tuple(
        f"to {backend} alone: {words}" if backend else words
        for each, backend in filters_of(rule)
        for words in _in_full(each, namespace)
    )


def _short(one: Filter | GrpcFilter, namespace: str) -> str:
    if one.request_mirror is not None:
        return _mirror(one.request_mirror, namespace)
    if one.request_header_modifier is not None:
        return f"hdr {_counts(one.request_header_modifier)}"
    if one.response_header_modifier is not None:
        return f"resp hdr {_counts(one.response_header_modifier)}"
    if one.extension_ref is not None:
        return f"{one.extension_ref.kind} {one.extension_ref.name}"
    return _short_http(one) if isinstance(one, Filter) else one.type


def _short_http(one: Filter) -> str:
    if one.request_redirect is not None:
        return f"redirect {one.request_redirect.status_code}"
    return "rewrite" if one.url_rewrite is not None else one.type


def _counts(modifier: HeaderModifier) -> str:
    put, gone = len(modifier.set) + len(modifier.add), len(modifier.remove)
    return " ".join(filter(None, (f"+{put}" if put else "", f"-{gone}" if gone else ""))) or "+0"


def _mirror(mirror: RequestMirror, namespace: str) -> str:
    if mirror.fraction is not None:
        part = f" {mirror.fraction.numerator}/{mirror.fraction.denominator}"
    else:
        part = "" if mirror.percent is None else f" {mirror.percent}%"
    return f"mirror {target_words(mirror.backend_ref, namespace)}{part}"


def _in_full(one: Filter | GrpcFilter, namespace: str) -> Iterator[str]:
    if one.request_header_modifier is not None:
        yield from _headers("request header", one.request_header_modifier)
    elif one.response_header_modifier is not None:
        yield from _headers("response header", one.response_header_modifier)
    elif isinstance(one, Filter) and one.request_redirect is not None:
        yield _redirect(one.request_redirect)
    elif isinstance(one, Filter) and one.url_rewrite is not None:
        yield from _rewrite(one.url_rewrite)
    elif isinstance(one, Filter) and one.cors is not None:
        yield from _cors(one.cors)
    elif one.request_mirror is not None and one.request_mirror.backend_ref.port:
        yield f"{_short(one, namespace)} (port {one.request_mirror.backend_ref.port})"
    elif one.extension_ref is not None:
        yield f"{_short(one, namespace)} ({one.extension_ref.group})"
    else:
        yield _short(one, namespace)


def _headers(what: str, modifier: HeaderModifier) -> Iterator[str]:
    yield from (f"{what} set {each.name}: {each.value}" for each in modifier.set)
    yield from (f"{what} add {each.name}: {each.value}" for each in modifier.add)
    yield from (f"{what} remove {name}" for name in modifier.remove)


def _redirect(redirect: RequestRedirect) -> str:
    parts = (
        f"scheme {redirect.scheme}" if redirect.scheme else "",
        f"host {redirect.hostname}" if redirect.hostname else "",
        f"port {redirect.port}" if redirect.port else "",
        _path(redirect.path) if redirect.path is not None else "",
    )
    return f"redirect {redirect.status_code} to {', '.join(filter(None, parts)) or 'the same place'}"


def _rewrite(rewrite: UrlRewrite) -> Iterator[str]:
    if rewrite.hostname:
        yield f"rewrite host to {rewrite.hostname}"
    if rewrite.path is not None:
        yield f"rewrite {_path(rewrite.path)}"


def _path(path: PathModifier) -> str:
    return f"{'prefix' if path.type == 'ReplacePrefixMatch' else 'path'} to {path.value or '/'}"


def _cors(cors: Cors) -> Iterator[str]:
    yield f"CORS origins {', '.join(cors.allow_origins) or 'none'}"
    for words, names in (
        ("methods", cors.allow_methods),
        ("request headers", cors.allow_headers),
        ("exposed headers", cors.expose_headers),
    ):
        if names:
            yield f"CORS {words} {', '.join(names)}"
    credentials = "with" if cors.allow_credentials else "without"
    yield f"CORS {credentials} credentials, kept for {text.age(cors.max_age)}"


def target_words(ref: BackendRef | MirrorTarget, namespace: str) -> str:
    """`cart`, `foo/cart` in another namespace, `Backend cart` for what is no Service."""
    name = f"{ref.namespace}/{ref.name}" if ref.namespace and ref.namespace != namespace else ref.name
    return name if (ref.group, ref.kind) == ("", "Service") else f"{ref.kind} {name}"


def parent_words(ref: ParentRef, namespace: str) -> str:
    """`infra/edge`, `infra/edge:https` for one listener, `Service foo/cart` for what is no Gateway."""
    name = f"{ref.namespace or namespace}/{ref.name}"
    part = f":{ref.section_name}" if ref.section_name else f":{ref.port}" if ref.port else ""
    return f"{name}{part}" if ref.kind == "Gateway" else f"{ref.kind} {name}{part}"
