"""The limits of each field of a route.

*Source:* the published definitions of Gateway API v1.6.1; of what only the experimental channel has, `retry` alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gwtui.changes.limit_shapes import Choice, Fields, Flag, Items, Number, Shape, Text

MOST_MATCHES = 128
"""Of all rules together."""

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LOWER = "lower-case letters, digits, - and ., beginning and ending with a letter or digit"
_ORIGIN = r"\*|https?://(((\*\.)?([a-zA-Z0-9\-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)"
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")

_NAME = Text()
_NAMESPACE = Text(1, 63, re.compile(_LABEL), "lower-case letters, digits and -")
_GROUP = Text(0, 253, re.compile(rf"|{_SUBDOMAIN}"), f"empty, or {_LOWER}")
_KIND = Text(1, 63, re.compile(r"[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?"), "letters, digits and -")
_SECTION = Text(1, 253, re.compile(_SUBDOMAIN), _LOWER)
_HOSTNAME = Text(1, 253, re.compile(rf"(\*\.)?{_SUBDOMAIN}"), f"{_LOWER}, with *. at most at its beginning")
_PRECISE = Text(1, 253, re.compile(_SUBDOMAIN), _LOWER)
_PORT = Number(1, 65535)
_DURATION = Text(0, None, re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}"), "a duration such as 10s, 1m30s or 500ms")
_HEADER_NAME = Text(1, 256, re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+"), "letters, digits and !#$%&'*+-.^_`|~")

_PARENT = Fields(
    {
        "group": _GROUP,
        "kind": _KIND,
        "name": _NAME,
        "namespace": _NAMESPACE,
        "sectionName": _SECTION,
        "port": _PORT,
    },
    ("name",),
)
_PARENTS = Items(_PARENT, "parent", "parents", 32)
_TARGET: dict[str, Shape] = {"group": _GROUP, "kind": _KIND, "name": _NAME, "namespace": _NAMESPACE, "port": _PORT}
_WEIGHT = Number(0, 1_000_000)
_HOSTNAMES = Items(_HOSTNAME, "hostname", "hostnames", 16)

_HEADER = Fields({"name": _HEADER_NAME, "value": Text(1, 4096)}, ("name", "value"))
_HEADER_CHANGES = Fields(
    {
        "set": Items(_HEADER, "header to set", "headers to set", 16, key="name"),
        "add": Items(_HEADER, "header to add", "headers to add", 16, key="name"),
        "remove": Items(Text(0, None), "header to remove", "headers to remove", 16, key="."),
    }
)
_MIRROR = Fields(
    {
        "backendRef": Fields(_TARGET, ("name",)),
        "percent": Number(0, 100),
        "fraction": Fields({"numerator": Number(0), "denominator": Number(1)}, ("numerator",)),
    },
    ("backendRef",),
)
_EXTENSION = Fields({"group": _GROUP, "kind": _KIND, "name": _NAME}, ("group", "kind", "name"))
_NEW_PATH = Fields(
    {
        "type": Choice(("ReplaceFullPath", "ReplacePrefixMatch")),
        "replaceFullPath": Text(0, 1024),
        "replacePrefixMatch": Text(0, 1024),
    },
    ("type",),
)
_REDIRECT = Fields(
    {
        "scheme": Choice(("http", "https")),
        "hostname": _PRECISE,
        "path": _NEW_PATH,
        "port": _PORT,
        "statusCode": Choice((301, 302, 303, 307, 308)),
    }
)
_CORS = Fields(
    {
        "allowCredentials": Flag(),
        "allowOrigins": Items(
            Text(1, 253, re.compile(_ORIGIN), "* or an origin such as https://app.test:8443"),
            "allowed origin",
            "allowed origins",
            64,
            key=".",
        ),
        "allowMethods": Items(Choice((*_METHODS, "*")), "allowed method", "allowed methods", 9, key="."),
        "allowHeaders": Items(_HEADER_NAME, "allowed header", "allowed headers", 64, key="."),
        "exposeHeaders": Items(_HEADER_NAME, "exposed header", "exposed headers", 64, key="."),
        "maxAge": Number(1),
    }
)
_SHARED_FILTERS: Mapping[str, Shape] = {
    "requestHeaderModifier": _HEADER_CHANGES,
    "responseHeaderModifier": _HEADER_CHANGES,
    "requestMirror": _MIRROR,
    "extensionRef": _EXTENSION,
}
_SHARED_TYPES = ("RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "ExtensionRef")


def _filters(types: tuple[str, ...], fields: Mapping[str, Shape]) -> Items:
    return Items(Fields({"type": Choice(types), **fields}, ("type",)), "filter", "filters", 16)


_HTTP_FILTERS = _filters(
    (*_SHARED_TYPES, "RequestRedirect", "URLRewrite", "CORS", "ExternalAuth"),
    {
        **_SHARED_FILTERS,
        "requestRedirect": _REDIRECT,
        "urlRewrite": Fields({"hostname": _PRECISE, "path": _NEW_PATH}),
        "cors": _CORS,
    },
)
_GRPC_FILTERS = _filters(_SHARED_TYPES, _SHARED_FILTERS)


def _backends(filters: Items | None = None, least: int = 0) -> Items:
    fields: dict[str, Shape] = {**_TARGET, "weight": _WEIGHT}
    if filters is not None:
        fields["filters"] = filters
    return Items(Fields(fields, ("name",)), "backend", "backends", 16, least)


_COMPARISON = Choice(("Exact", "RegularExpression"))


def _values(most: int, noun: str, plural: str) -> Items:
    fields: dict[str, Shape] = {"type": _COMPARISON, "name": _HEADER_NAME, "value": Text(1, most)}
    return Items(Fields(fields, ("name", "value")), noun, plural, 16, key="name")


_HEADERS = _values(4096, "header match", "header matches")
_HTTP_MATCH = Fields(
    {
        "path": Fields({"type": Choice(("Exact", "PathPrefix", "RegularExpression")), "value": Text(0, 1024)}),
        "headers": _HEADERS,
        "queryParams": _values(1024, "query match", "query matches"),
        "method": Choice(_METHODS),
    }
)
_GRPC_MATCH = Fields(
    {
        "method": Fields({"type": _COMPARISON, "service": Text(0, 1024), "method": Text(0, 1024)}),
        "headers": _HEADERS,
    }
)
_RETRY = Fields(
    {
        "codes": Items(Number(400, 599), "status code", "status codes", None, key="."),
        "attempts": Number(1),
        "backoff": _DURATION,
    }
)
_HTTP_RULE = Fields(
    {
        "name": _SECTION,
        "matches": Items(_HTTP_MATCH, "match", "matches", 64),
        "filters": _HTTP_FILTERS,
        "backendRefs": _backends(_HTTP_FILTERS),
        "timeouts": Fields({"request": _DURATION, "backendRequest": _DURATION}),
        "retry": _RETRY,
    }
)
_GRPC_RULE = Fields(
    {
        "name": _SECTION,
        "matches": Items(_GRPC_MATCH, "match", "matches", 64),
        "filters": _GRPC_FILTERS,
        "backendRefs": _backends(_GRPC_FILTERS),
    }
)
_STREAM_RULES = Items(
    Fields({"name": _SECTION, "backendRefs": _backends(None, 1)}, ("backendRefs",)), "rule", "rules", 1, 1
)

SPECS: Mapping[str, Fields] = {
    "HTTPRoute": Fields(
        {"parentRefs": _PARENTS, "hostnames": _HOSTNAMES, "rules": Items(_HTTP_RULE, "rule", "rules", 16, 1)}
    ),
    "GRPCRoute": Fields(
        {"parentRefs": _PARENTS, "hostnames": _HOSTNAMES, "rules": Items(_GRPC_RULE, "rule", "rules", 16)}
    ),
    "TLSRoute": Fields(
        {
            "parentRefs": _PARENTS,
            "hostnames": Items(_HOSTNAME, "hostname", "hostnames", 1024, 1),
            "rules": _STREAM_RULES,
        },
        ("hostnames", "rules"),
    ),
    "TCPRoute": Fields({"parentRefs": _PARENTS, "rules": _STREAM_RULES}, ("rules",)),
}
"""The spec, by kind of route."""
