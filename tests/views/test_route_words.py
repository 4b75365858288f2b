"""Matches, filters and references in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gwtui.model.gateway_api import GrpcRule, HttpRule, L4Rule, ParentRef
from gwtui.views.route_words import (
    filter_words,
    filters_in_full,
    host_words,
    match_words,
    matches_in_full,
    parent_words,
)


def http(**fields: Any) -> HttpRule:
    return msgspec.convert(fields, HttpRule)


def filtered(*filters: dict[str, Any], **backend: Any) -> HttpRule:
    return http(filters=list(filters), backendRefs=[{"name": "cart", "port": 80, **backend}])


MATCHES = [
    ({}, ("/",)),
    ({"matches": [{"path": {"type": "Exact", "value": "/a"}, "method": "GET"}]}, ("GET =/a",)),
    ({"matches": [{"path": {"type": "RegularExpression", "value": "/a.*"}}]}, ("~/a.*",)),
    (
        {
            "matches": [
                {
                    "path": {"value": "/a"},
                    "headers": [{"name": "x", "value": "1"}, {"name": "y", "value": "b+", "type": "RegularExpression"}],
                    "queryParams": [{"name": "v", "value": "2"}],
                },
                {"method": "POST"},
            ]
        },
        ("/a x=1 y~b+ ?v=2", "POST /"),
    ),
]


@pytest.mark.parametrize(("rule", "expected"), MATCHES)
def test_http_matches(rule: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert matches_in_full(http(**rule), "HTTP") == expected


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({}, "*"),
        ({"method": {"service": "shop.Orders", "method": "Place"}}, "shop.Orders/Place"),
        ({"method": {"service": "shop.Orders"}}, "shop.Orders/*"),
        (
            {"method": {"method": "Place", "type": "RegularExpression"}, "headers": [{"name": "x", "value": "1"}]},
            "~*/Place x=1",
        ),
    ],
)
def test_grpc_matches(match: dict[str, Any], expected: str) -> None:
    assert matches_in_full(msgspec.convert({"matches": [match]}, GrpcRule), "GRPC") == (expected,)


def test_connections() -> None:
    assert matches_in_full(L4Rule(), "TCP") == ("all TCP",)


def test_more_than_one_is_counted_and_the_count_is_never_cut() -> None:
    assert match_words(("/cart", "/basket", "/c")) == "/cart +2"
    assert match_words(("/cart/checkout", "/b"), 10) == "/cart/… +1"
    assert len(match_words(("/cart/checkout", "/b"), 10)) == 10
    assert host_words(()) == "*"
    assert host_words(("a.test", "b.test")) == "a.test +1"


MODIFIER = {"set": [{"name": "a", "value": "1"}], "add": [{"name": "b", "value": "2"}], "remove": ["c", "d"]}
FILTERS = [
    (
        {"type": "RequestRedirect", "requestRedirect": {"statusCode": 301}},
        "redirect 301",
        ("redirect 301 to the same place",),
    ),
    (
        {
            "type": "RequestRedirect",
            "requestRedirect": {
                "scheme": "https",
                "hostname": "b.test",
                "port": 8443,
                "path": {"type": "ReplaceFullPath", "replaceFullPath": "/x"},
            },
        },
        "redirect 302",
        ("redirect 302 to scheme https, host b.test, port 8443, path to /x",),
    ),
    (
        {
            "type": "URLRewrite",
            "urlRewrite": {"hostname": "b.test", "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": ""}},
        },
        "rewrite",
        ("rewrite host to b.test", "rewrite prefix to /"),
    ),
    (
        {
            "type": "RequestMirror",
            "requestMirror": {"backendRef": {"name": "x", "namespace": "foo", "port": 80}, "percent": 10},
        },
        "mirror foo/x 10%",
        ("mirror foo/x 10% (port 80)",),
    ),
    (
        {
            "type": "RequestMirror",
            "requestMirror": {"backendRef": {"name": "x", "port": 80}, "fraction": {"numerator": 1, "denominator": 3}},
        },
        "mirror x 1/3",
        ("mirror x 1/3 (port 80)",),
    ),
    (
        {"type": "RequestHeaderModifier", "requestHeaderModifier": MODIFIER},
        "hdr +2 -2",
        ("request header set a: 1", "request header add b: 2", "request header remove c", "request header remove d"),
    ),
    (
        {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["server"]}},
        "resp hdr -1",
        ("response header remove server",),
    ),
    (
        {"type": "CORS", "cors": {"allowOrigins": ["*"], "allowMethods": ["GET"], "maxAge": 600}},
        "CORS",
        ("CORS origins *", "CORS methods GET", "CORS without credentials, kept for 10 min"),
    ),
    (
        {
            "type": "ExtensionRef",
            "extensionRef": {"group": "gateway.kgateway.dev", "kind": "DirectResponse", "name": "no"},
        },
        "DirectResponse no",
        ("DirectResponse no (gateway.kgateway.dev)",),
    ),
    ({"type": "ExternalAuth", "externalAuth": {"protocol": "GRPC"}}, "ExternalAuth", ("ExternalAuth",)),
]


@pytest.mark.parametrize(("one", "short", "full"), FILTERS, ids=[each[1] for each in FILTERS])
def test_filters(one: dict[str, Any], short: str, full: tuple[str, ...]) -> None:
    assert filter_words(filtered(one), "shop") == short
    assert filters_in_full(filtered(one), "shop") == full


def test_filters_of_one_backend_say_so() -> None:
    rule = filtered(filters=[{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["x"]}}])
    assert filter_words(rule, "shop") == "hdr -1"
    assert filters_in_full(rule, "shop") == ("to cart alone: request header remove x",)


def test_parents() -> None:
    assert parent_words(ParentRef(name="edge"), "infra") == "infra/edge"
    assert parent_words(ParentRef(name="edge", namespace="x", section_name="https"), "infra") == "x/edge:https"
    assert parent_words(ParentRef(name="web", kind="Service", group="", port=80), "foo") == "Service foo/web:80"
