"""What operators type and paste becomes the request they mean, or one line that says why not."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.errors import UsageError
from gwtui.explain.asking import question_of
from gwtui.explain.request import Request, line_of, request_of

READ = {
    "shop.example.com": ("GET", "http", "shop.example.com", None, "/"),
    "https://Shop.Example.COM/Cart": ("GET", "https", "shop.example.com", None, "/Cart"),
    "POST https://shop.example.com:8443/cart?x=1": ("POST", "https", "shop.example.com", 8443, "/cart"),
    "curl -X delete http://a.test/x": ("DELETE", "http", "a.test", None, "/x"),
    "curl -sSkvL --compressed 'https://a.test/x'": ("GET", "https", "a.test", None, "/x"),
    "curl -I a.test": ("HEAD", "http", "a.test", None, "/"),
    "curl a.test -d x=1": ("POST", "http", "a.test", None, "/"),
    "curl a.test --data-raw '{}' -X PUT": ("PUT", "http", "a.test", None, "/"),
    "curl -T file a.test/up": ("PUT", "http", "a.test", None, "/up"),
    "curl --resolve a.test:80:10.0.0.1 -o /dev/null --url a.test": ("GET", "http", "a.test", None, "/"),
    "curl --request=PATCH http://a.test": ("PATCH", "http", "a.test", None, "/"),
    "$ curl http://a.test \\\n  -XPOST": ("POST", "http", "a.test", None, "/"),
    "grpc://a.test/shop.Cart/Get": ("POST", "http", "a.test", None, "/shop.Cart/Get"),
    "wss://a.test/chat": ("GET", "https", "a.test", None, "/chat"),
    "http://[2001:db8::1]:8080/x": ("GET", "http", "2001:db8::1", 8080, "/x"),
    "/usr/bin/curl a.test#top": ("GET", "http", "a.test", None, "/"),
}


@pytest.mark.parametrize("line", READ)
def test_a_line_becomes_a_request(line: str) -> None:
    found = request_of(line)
    assert (found.method, found.scheme, found.host, found.port, found.path) == READ[line]


HEADERS = {
    "a.test -H 'X-Canary: 1'": (("x-canary", "1"),),
    "a.test -H 'x: a' -H 'x: b'": (("x", "a"), ("x", "b")),
    "curl a.test -A ua -e http://r -b k=v": (("user-agent", "ua"), ("referer", "http://r"), ("cookie", "k=v")),
    "curl a.test -H 'empty;' -H 'gone:'": (("empty", ""),),
    "curl a.test --json '{}'": (("content-type", "application/json"), ("accept", "application/json")),
    "curl -u me:secret a.test": (("authorization", "Basic …"),),
    "curl --oauth2-bearer secret a.test": (("authorization", "Bearer …"),),
}


@pytest.mark.parametrize("line", HEADERS)
def test_headers_are_those_that_are_sent(line: str) -> None:
    assert request_of(line).headers == HEADERS[line]


def test_the_host_header_decides_about_routes_and_the_url_about_the_handshake() -> None:
    found = request_of("curl https://10.0.0.1:8443/ -H 'Host: Shop.test:443'")
    assert (found.host, found.sni, found.headers) == ("shop.test", "10.0.0.1", ())


@pytest.mark.parametrize(
    ("host", "read"),
    [
        ("a.test", "a.test"),
        ("a.test:80", "a.test"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("[::1]", "::1"),
        ("x:1", "x"),
    ],
)
def test_a_host_header_may_have_a_port_and_brackets(host: str, read: str) -> None:
    found = request_of(f"http://10.0.0.1/ -H 'Host: {host}'")
    assert found.host == read
    assert request_of(line_of(found)) == found


def test_the_query_stays_in_order_and_as_it_is_sent() -> None:
    assert request_of("a.test/?b=%20&a&b=2").query == (("b", "%20"), ("a", ""), ("b", "2"))
    assert request_of("curl -G a.test/?q=0 -d q=1 --url-query r=2").query == (("q", "0"), ("r", "2"), ("q", "1"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "no URL"),
        ("GET", "no URL"),
        ("curl -X", "-X needs a value"),
        ("curl 'http://a.test", "a quote is not closed"),
        ("curl a.test b.test", "two URLs"),
        ("ftp://a.test/", "ftp://"),
        ("http://a.test:99999/", "port"),
        ("http:///x", "names no host"),
        ("http://a..b c/", "two URLs"),
        ("a.test -H novalue", "no header"),
        ("x" * 70_000, "too long"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line_with_what_to_try(line: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        request_of(line)
    assert words in caught.value.line()
    assert caught.value.hint
    assert "\n" not in caught.value.line()


def test_entry_is_taken_out_of_the_line() -> None:
    found = question_of("GET a.test --entry infra/edge -H 'x: 1'")
    assert (found.entry, found.request.host) == (("infra", "edge"), "a.test")
    assert question_of("a.test --entry=infra/edge").entry == ("infra", "edge")
    for bad in ("a.test --entry", "a.test --entry edge", "a.test --entry a/b/c"):
        with pytest.raises(UsageError, match="does not name a gateway"):
            question_of(bad)


NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
PATHS = st.from_regex(r"/[A-Za-z0-9/._~'%-]{0,12}", fullmatch=True)
REQUESTS = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST", "OPTIONS"]),
    scheme=st.sampled_from(["http", "https"]),
    host=st.from_regex(r"[a-z]([a-z0-9-]{0,5}\.[a-z]{2,3})?", fullmatch=True),
    port=st.none() | st.integers(1, 65535),
    path=PATHS,
    query=st.lists(st.tuples(NAMES, st.from_regex(r"[a-z0-9%]{0,4}", fullmatch=True)), max_size=3).map(tuple),
    headers=st.lists(st.tuples(NAMES.filter(lambda name: name != "host"), VALUES), max_size=3).map(tuple),
)


@given(REQUESTS)
def test_the_line_of_a_request_is_read_as_that_request(request: Request) -> None:
    assert request_of(line_of(request)) == request


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_request_or_a_usage_error(line: str) -> None:
    with suppress(UsageError):
        assert request_of(line).path.startswith("/")
