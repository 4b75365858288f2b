"""The matching rules of the Gateway API, and where kgateway's Envoys add to them, one row each."""

from __future__ import annotations

import pytest

from gwtui.explain.fitting import Part, unfit, why_not
from gwtui.explain.request import request_of
from gwtui.model.gateway_api import HttpMatch, PathMatch, ValueMatch


def fits(match: HttpMatch, line: str) -> bool | None:
    """Whether a request fits; None where that cannot be told."""
    found = unfit(match, request_of(line))
    return True if found is None else False if found.is_certain else None


PATHS = [
    # A prefix is compared element by element, not letter by letter.
    ("PathPrefix", "/", "/", True),
    ("PathPrefix", "/", "/anything/at/all", True),
    ("PathPrefix", "/abc", "/abc", True),
    ("PathPrefix", "/abc", "/abc/", True),
    ("PathPrefix", "/abc", "/abc/def", True),
    ("PathPrefix", "/abc", "/abcd", False),
    ("PathPrefix", "/abc", "/ab", False),
    ("PathPrefix", "/abc", "/ABC", False),
    ("PathPrefix", "/abc", "/x/abc", False),
    # A slash at its end changes nothing.
    ("PathPrefix", "/abc/", "/abc", True),
    ("PathPrefix", "/abc/", "/abc/def", True),
    ("PathPrefix", "/abc/", "/abcd", False),
    # The query is no part of the path.
    ("PathPrefix", "/abc", "/abc?x=/def", True),
    ("Exact", "/abc", "/abc?x=1", True),
    # An exact path is that path alone.
    ("Exact", "/abc", "/abc", True),
    ("Exact", "/abc", "/abc/", False),
    ("Exact", "/abc", "/Abc", False),
    ("Exact", "/abc", "/abc/def", False),
    ("Exact", "/", "/", True),
    ("Exact", "/", "/x", False),
    # An expression must take the whole path.
    ("RegularExpression", "/v[0-9]+", "/v1", True),
    ("RegularExpression", "/v[0-9]+", "/v1/x", False),
    ("RegularExpression", "/v[0-9]+", "/x/v1", False),
    ("RegularExpression", "^/v1$", "/v1", True),
    ("RegularExpression", "/(a|b)/.*", "/b/c/d", True),
    ("RegularExpression", "/a.c", "/abc", True),
    ("RegularExpression", "(?i)/abc", "/ABC", True),
    # What RE2 refuses is no match that can be told: a proxy has something else in its place.
    ("RegularExpression", "/(?=x)x", "/x", None),
    ("RegularExpression", r"/(a)\1", "/aa", None),
    ("RegularExpression", "/[", "/[", None),
]


@pytest.mark.parametrize(("type_", "value", "path", "expected"), PATHS)
def test_paths(type_: str, value: str, path: str, *, expected: bool | None) -> None:
    match = HttpMatch(path=PathMatch(type=type_, value=value))
    assert fits(match, f"'http://a.test{path}'") is expected


HEADERS = [
    # Names are compared without regard to case, values with it.
    ([("X-Canary", "yes", "Exact")], "-H 'x-canary: yes'", True),
    ([("x-canary", "yes", "Exact")], "-H 'X-CANARY: yes'", True),
    ([("x-canary", "yes", "Exact")], "-H 'x-canary: YES'", False),
    ([("x-canary", "yes", "Exact")], "", False),
    ([("x-canary", "yes", "Exact")], "-H 'x-canary: yes please'", False),
    # All headers that are asked for must be there, others may be.
    ([("a", "1", "Exact"), ("b", "2", "Exact")], "-H 'a: 1' -H 'b: 2' -H 'c: 3'", True),
    ([("a", "1", "Exact"), ("b", "2", "Exact")], "-H 'a: 1'", False),
    # Expressions take the whole value.
    ([("a", "v[0-9]", "RegularExpression")], "-H 'a: v1'", True),
    ([("a", "v[0-9]", "RegularExpression")], "-H 'a: xv1'", False),
    # An empty value asks for the header alone.
    ([("a", "", "Exact")], "-H 'a: whatever'", True),
    ([("a", "", "Exact")], "", False),
    # Of two matches for one name the first one counts; a proxy may ask for both.
    ([("a", "1", "Exact"), ("A", "1", "Exact")], "-H 'a: 1'", True),
    ([("a", "1", "Exact"), ("A", "2", "Exact")], "-H 'a: 1'", None),
    ([("a", "2", "Exact"), ("A", "1", "Exact")], "-H 'a: 1'", False),
    # Whether two values are compared as one text depends on the proxy's version.
    ([("a", "1", "Exact")], "-H 'a: 1' -H 'a: 2'", None),
    ([("a", "3", "Exact")], "-H 'a: 1' -H 'a: 2'", False),
    ([("a", "1,2", "Exact")], "-H 'a: 1' -H 'a: 2'", None),
    ([("a", ".*", "RegularExpression")], "-H 'a: 1' -H 'a: 2'", True),
    # What proxies write themselves a client cannot know.
    ([("x-forwarded-proto", "https", "Exact")], "", None),
    ([("x-envoy-external-address", "10.0.0.1", "Exact")], "", None),
    ([("host", "a.test", "Exact")], "", True),
]


@pytest.mark.parametrize(("wanted", "sent", "expected"), HEADERS)
def test_headers(wanted: list[tuple[str, str, str]], sent: str, *, expected: bool | None) -> None:
    match = HttpMatch(headers=tuple(ValueMatch(name=name, value=value, type=kind) for name, value, kind in wanted))
    assert fits(match, f"http://a.test/ {sent}") is expected


QUERIES = [
    ([("a", "1", "Exact")], "?a=1", True),
    ([("a", "1", "Exact")], "?a=2", False),
    ([("a", "1", "Exact")], "?A=1", False),
    ([("a", "1", "Exact")], "", False),
    # The first of several values counts.
    ([("a", "1", "Exact")], "?a=1&a=2", True),
    ([("a", "2", "Exact")], "?a=1&a=2", False),
    ([("a", "1", "Exact"), ("b", "2", "Exact")], "?b=2&a=1&c=3", True),
    ([("a", "[0-9]+", "RegularExpression")], "?a=42", True),
    ([("a", "", "Exact")], "?a", True),
    # Escapes are compared as they are sent.
    ([("a", "x y", "Exact")], "?a=x%20y", False),
]


@pytest.mark.parametrize(("wanted", "query", "expected"), QUERIES)
def test_query_parameters(wanted: list[tuple[str, str, str]], query: str, *, expected: bool) -> None:
    match = HttpMatch(query_params=tuple(ValueMatch(name=name, value=value, type=kind) for name, value, kind in wanted))
    assert fits(match, f"'http://a.test/{query}'") is expected


@pytest.mark.parametrize(
    ("method", "sent", "expected"), [("", "PUT", True), ("GET", "GET", True), ("GET", "HEAD", False)]
)
def test_methods(method: str, sent: str, *, expected: bool) -> None:
    assert fits(HttpMatch(method=method), f"{sent} a.test") is expected


def test_everything_a_match_names_must_fit() -> None:
    match = HttpMatch(
        path=PathMatch(value="/a"),
        method="GET",
        headers=(ValueMatch(name="h", value="1"),),
        query_params=(ValueMatch(name="q", value="2"),),
    )
    assert fits(match, "GET 'http://a.test/a/b?q=2' -H 'h: 1'") is True
    for part, line in (
        (Part.PATH, "GET 'http://a.test/b?q=2' -H 'h: 1'"),
        (Part.METHOD, "POST 'http://a.test/a?q=2' -H 'h: 1'"),
        (Part.HEADER, "GET 'http://a.test/a?q=2'"),
        (Part.QUERY, "GET 'http://a.test/a' -H 'h: 1'"),
    ):
        found = unfit(match, request_of(line))
        assert found is not None
        assert found.part is part


def test_what_is_certain_counts_before_what_cannot_be_told() -> None:
    match = HttpMatch(path=PathMatch(type="RegularExpression", value="/[["), method="POST")
    assert fits(match, "GET a.test") is False


@pytest.mark.parametrize(
    ("match", "line", "words"),
    [
        (HttpMatch(path=PathMatch(value="/a")), "x.test/b", "path /b is not below /a"),
        (HttpMatch(path=PathMatch(type="Exact", value="/a")), "x.test/b", "path /b is not exactly /a"),
        (HttpMatch(path=PathMatch(type="RegularExpression", value="/a")), "x.test/b", "path /b does not fit ~ /a"),
        (HttpMatch(method="POST"), "x.test", "method GET is not POST"),
        (HttpMatch(headers=(ValueMatch(name="X-A", value="1"),)), "x.test", "header X-A is missing"),
        (HttpMatch(headers=(ValueMatch(name="a", value="1"),)), "x.test -H 'a: 2'", "header a is not 1"),
        (HttpMatch(query_params=(ValueMatch(name="q", value="1"),)), "x.test", "query parameter q is missing"),
    ],
)
def test_the_first_reason_is_told(match: HttpMatch, line: str, words: str) -> None:
    request = request_of(line)
    found = unfit(match, request)
    assert found is not None
    assert why_not(match, request, found) == words
