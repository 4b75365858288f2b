"""What is refused while somebody types, one limit at a time, and that nothing else is."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwtui.changes.limits import milliseconds, problems
from gwtui.playground.api.admission import admit
from gwtui.playground.api.kinds import KINDS
from gwtui.playground.api.status import ApiError
from random_routes import EDITS, ROUTES, edited

QUICK = settings(max_examples=60, deadline=None)
API_KINDS = {kind.kind: kind for kind in KINDS if kind.custom}


def route(kind="HTTPRoute", **spec):
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": "edge", "namespace": "infra"},
        "spec": spec,
    }


def http(**rule):
    return route(rules=[rule])


def match(**parts):
    return http(matches=[parts])


def path(value, type_="PathPrefix"):
    return match(path={"type": type_, "value": value})


def filtered(*filters, **rule):
    return http(filters=list(filters), **rule)


def prefixes(count):
    return [{"path": {"type": "PathPrefix", "value": f"/{number}"}} for number in range(count)]


def backend(**parts):
    return http(backendRefs=[{"name": "s", "port": 80, **parts}])


def headers(count):
    return [{"name": f"x-{number}", "value": "1"} for number in range(count)]


def modifier(**parts):
    return {"type": "RequestHeaderModifier", "requestHeaderModifier": parts}


def redirect(**parts):
    return {"type": "RequestRedirect", "requestRedirect": parts}


def rewrite(**parts):
    return {"type": "URLRewrite", "urlRewrite": parts}


def mirror(**parts):
    return {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "m", "port": 80}, **parts}}


def cors(**parts):
    return {"type": "CORS", "cors": parts}


def grpc(**rule):
    return route("GRPCRoute", rules=[rule])


def stream(kind, count=1, **more):
    refs = [{"name": f"s{number}", "port": 80} for number in range(count)]
    return route(kind, rules=[{"backendRefs": refs}], **more)


PREFIX = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/x"}
R = "spec.rules[0]"
FORBIDDEN = [
    # parents and hostnames
    (route(parentRefs=[{"name": f"g{n}"} for n in range(33)]), "spec.parentRefs", "33 parents, at most 32"),
    (route(parentRefs=[{"name": "g"}] * 2), "spec.parentRefs[1]", "needs distinct sectionNames"),
    (
        route(parentRefs=[{"name": "g"}, {"name": "g", "sectionName": "a"}]),
        "spec.parentRefs[1]",
        "needs distinct sectionNames",
    ),
    (route(hostnames=[f"h{n}.test" for n in range(17)]), "spec.hostnames", "17 hostnames, at most 16"),
    (route(hostnames=["Shop.test"]), "spec.hostnames[0]", "hostname Shop.test, it must be lower-case letters"),
    (route(hostnames=["a.*.test"]), "spec.hostnames[0]", "with *. at most at its beginning"),
    (route(hostnames=["10.0.0.1"]), "spec.hostnames[0]", "an address is no hostname"),
    (route(hostnames=["a" * 254]), "spec.hostnames[0]", "hostname of 254 characters, at most 253"),
    (route(hostnames=[""]), "spec.hostnames[0]", "hostname is empty, at least 1 character"),
    (route(hostnames="a.test"), "spec.hostnames", "a list is needed"),
    # rules
    (route(rules=[]), "spec.rules", "0 rules, at least 1"),
    (route(rules=[{}] * 17), "spec.rules", "17 rules, at most 16"),
    (route(rules=[{"name": "a"}, {"name": "a"}]), "spec.rules[1].name", "2 rules named a, at most 1"),
    (http(name="A_b"), f"{R}.name", "name A_b, it must be lower-case letters"),
    (http(matches=prefixes(65)), f"{R}.matches", "65 matches, at most 64"),
    (route(rules=[{"matches": prefixes(43)}] * 3), "spec.rules", "129 matches in all rules together, at most 128"),
    # matches
    (path("a"), f"{R}.matches[0].path.value", "path a, it must begin with /"),
    (path("/" + "a" * 1024), f"{R}.matches[0].path.value", "value of 1025 characters, at most 1024"),
    (path("/a//b", "Exact"), f"{R}.matches[0].path.value", "it must not contain //"),
    (path("/a/./b"), f"{R}.matches[0].path.value", "it must not contain /./"),
    (path("/a/../b"), f"{R}.matches[0].path.value", "it must not contain /../"),
    (path("/a%2fb"), f"{R}.matches[0].path.value", "it must not contain %2f"),
    (path("/a%2Fb"), f"{R}.matches[0].path.value", "it must not contain %2F"),
    (path("/a#b"), f"{R}.matches[0].path.value", "it must not contain #"),
    (path("/a/.."), f"{R}.matches[0].path.value", "it must not end with /.."),
    (path("/a/."), f"{R}.matches[0].path.value", "it must not end with /."),
    (path("/a b"), f"{R}.matches[0].path.value", "it may hold letters, digits"),
    (path("/a%2"), f"{R}.matches[0].path.value", "it may hold letters, digits"),
    (path("/a\n"), f"{R}.matches[0].path.value", "it may hold letters, digits"),
    (path("/a", "Prefix"), f"{R}.matches[0].path.type", "one of Exact, PathPrefix, RegularExpression"),
    (match(headers=headers(17)), f"{R}.matches[0].headers", "17 header matches, at most 16"),
    (match(headers=[{"name": "a b", "value": "1"}]), f"{R}.matches[0].headers[0].name", "it must be letters, digits"),
    (match(headers=[{"name": "a", "value": ""}]), f"{R}.matches[0].headers[0].value", "value is empty"),
    (match(headers=[{"name": "a"}]), f"{R}.matches[0].headers[0]", "header match without value, it is required"),
    (match(headers=headers(1) * 2), f"{R}.matches[0].headers[1]", "header match x-0 twice, each at most once"),
    (
        match(headers=[{"name": "a", "value": "b" * 4097}]),
        f"{R}.matches[0].headers[0].value",
        "value of 4097 characters, at most 4096",
    ),
    (match(queryParams=headers(17)), f"{R}.matches[0].queryParams", "17 query matches, at most 16"),
    (
        match(queryParams=[{"name": "a", "value": "b" * 1025}]),
        f"{R}.matches[0].queryParams[0].value",
        "value of 1025 characters, at most 1024",
    ),
    (match(method="FETCH"), f"{R}.matches[0].method", "method FETCH, one of GET, HEAD"),
    # filters
    (filtered(*[mirror()] * 17), f"{R}.filters", "17 filters, at most 16"),
    (filtered(modifier(), modifier()), f"{R}.filters", "2 RequestHeaderModifier filters, at most 1"),
    (filtered(redirect(), rewrite()), f"{R}.filters", "RequestRedirect and URLRewrite together"),
    (filtered(cors(), cors()), f"{R}.filters", "2 CORS filters, at most 1"),
    (
        filtered(redirect(), backendRefs=[{"name": "s", "port": 80}]),
        f"{R}.backendRefs",
        "1 backend beside RequestRedirect, none are allowed",
    ),
    (filtered(rewrite(path=PREFIX), matches=prefixes(2)), f"{R}.matches", "ReplacePrefixMatch needs exactly one match"),
    (
        filtered(redirect(path=PREFIX), matches=[{"path": {"type": "Exact", "value": "/a"}}]),
        f"{R}.matches",
        "ReplacePrefixMatch needs exactly one match, of type PathPrefix",
    ),
    (
        http(matches=prefixes(2), backendRefs=[{"name": "s", "port": 80, "filters": [rewrite(path=PREFIX)]}]),
        f"{R}.matches",
        "ReplacePrefixMatch needs exactly one match",
    ),
    (filtered({"type": "CORS"}), f"{R}.filters[0]", "a filter of type CORS without cors, it is required"),
    (
        filtered({**cors(), "urlRewrite": {}}),
        f"{R}.filters[0].urlRewrite",
        "urlRewrite in a filter of type CORS, only with type URLRewrite",
    ),
    (filtered({"type": "Nothing"}), f"{R}.filters[0].type", "type Nothing, one of RequestHeaderModifier"),
    (filtered(modifier(set=headers(17))), f"{R}.filters[0].requestHeaderModifier.set", "17 headers to set, at most 16"),
    (filtered(modifier(add=headers(17))), f"{R}.filters[0].requestHeaderModifier.add", "17 headers to add, at most 16"),
    (
        filtered(modifier(remove=[f"x{n}" for n in range(17)])),
        f"{R}.filters[0].requestHeaderModifier.remove",
        "17 headers to remove, at most 16",
    ),
    (
        filtered(modifier(set=[{"name": "a", "value": "b" * 4097}])),
        f"{R}.filters[0].requestHeaderModifier.set[0].value",
        "at most 4096",
    ),
    (filtered(redirect(scheme="ftp")), f"{R}.filters[0].requestRedirect.scheme", "scheme ftp, one of http, https"),
    (
        filtered(redirect(statusCode=304)),
        f"{R}.filters[0].requestRedirect.statusCode",
        "one of 301, 302, 303, 307, 308",
    ),
    (filtered(redirect(port=65536)), f"{R}.filters[0].requestRedirect.port", "port 65536, at most 65535"),
    (filtered(redirect(hostname="*.a.test")), f"{R}.filters[0].requestRedirect.hostname", "it must be lower-case"),
    (
        filtered(rewrite(path={"type": "ReplaceFullPath", "replaceFullPath": "/" * 1025})),
        f"{R}.filters[0].urlRewrite.path.replaceFullPath",
        "replaceFullPath of 1025 characters, at most 1024",
    ),
    (
        filtered(rewrite(path={"type": "ReplaceFullPath", "replacePrefixMatch": "/a"})),
        f"{R}.filters[0].urlRewrite.path",
        "a path of type ReplaceFullPath without replaceFullPath, it is required",
    ),
    (
        filtered(rewrite(path={"type": "ReplaceFullPath", "replaceFullPath": "/a/../b"})),
        f"{R}.filters[0].urlRewrite.path.replaceFullPath",
        "it must not contain /../",
    ),
    (filtered(mirror(percent=101)), f"{R}.filters[0].requestMirror.percent", "percent 101, at most 100"),
    (
        filtered(mirror(percent=1, fraction={"numerator": 1})),
        f"{R}.filters[0].requestMirror",
        "percent and fraction together",
    ),
    (
        filtered(mirror(fraction={"numerator": 101})),
        f"{R}.filters[0].requestMirror.fraction.numerator",
        "numerator 101, at most the denominator, 100",
    ),
    (
        filtered({"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "m"}}}),
        f"{R}.filters[0].requestMirror.backendRef",
        "Service m without port, it is required",
    ),
    (
        filtered(cors(allowOrigins=["*", "https://a.test"])),
        f"{R}.filters[0].cors.allowOrigins",
        "* among 2 values, it must stand alone",
    ),
    (
        filtered(cors(allowOrigins=[f"https://a{n}.test" for n in range(65)])),
        f"{R}.filters[0].cors.allowOrigins",
        "65 allowed origins, at most 64",
    ),
    (filtered(cors(allowOrigins=["a.test"])), f"{R}.filters[0].cors.allowOrigins[0]", "* or an origin such as"),
    (
        filtered(cors(allowMethods=["GET"] * 10)),
        f"{R}.filters[0].cors.allowMethods",
        "10 allowed methods, at most 9",
    ),
    (filtered(cors(allowHeaders=[f"x{n}" for n in range(65)])), f"{R}.filters[0].cors.allowHeaders", "at most 64"),
    (filtered(cors(exposeHeaders=[f"x{n}" for n in range(65)])), f"{R}.filters[0].cors.exposeHeaders", "at most 64"),
    (filtered(cors(maxAge=0)), f"{R}.filters[0].cors.maxAge", "maxAge 0, at least 1"),
    # backends
    (
        http(backendRefs=[{"name": f"s{n}", "port": 80} for n in range(17)]),
        f"{R}.backendRefs",
        "17 backends, at most 16",
    ),
    (backend(weight=1_000_001), f"{R}.backendRefs[0].weight", "weight 1000001, at most 1000000"),
    (backend(weight=-1), f"{R}.backendRefs[0].weight", "weight -1, at least 0"),
    (backend(weight=True), f"{R}.backendRefs[0].weight", "weight true, a whole number is needed"),
    (backend(weight=1.5), f"{R}.backendRefs[0].weight", "weight 1.5, a whole number is needed"),
    (backend(weight=None), f"{R}.backendRefs[0].weight", "weight null, a whole number is needed"),
    (http(backendRefs=[{"name": "s"}]), f"{R}.backendRefs[0]", "Service s without port, it is required"),
    (http(backendRefs=[{"port": 80}]), f"{R}.backendRefs[0]", "backend without name, it is required"),
    (backend(port=0), f"{R}.backendRefs[0].port", "port 0, at least 1"),
    (backend(namespace="a.b"), f"{R}.backendRefs[0].namespace", "namespace a.b, it must be"),
    (
        backend(filters=[redirect(), rewrite()]),
        f"{R}.backendRefs[0].filters",
        "RequestRedirect and URLRewrite together",
    ),
    # timeouts and retries
    (http(timeouts={"request": "10"}), f"{R}.timeouts.request", "request 10, it must be a duration such as 10s"),
    (http(timeouts={"request": "1.5s"}), f"{R}.timeouts.request", "a duration such as"),
    (
        http(timeouts={"request": "1s", "backendRequest": "1001ms"}),
        f"{R}.timeouts.backendRequest",
        "backendRequest 1001ms, at most request, 1s",
    ),
    (http(retry={"codes": [399]}), f"{R}.retry.codes[0]", "status code 399, at least 400"),
    (http(retry={"attempts": 0}), f"{R}.retry.attempts", "attempts 0, at least 1"),
    (http(retry={"backoff": "fast"}), f"{R}.retry.backoff", "a duration such as"),
    # the other kinds
    (route("GRPCRoute", hostnames=[f"h{n}.test" for n in range(17)]), "spec.hostnames", "17 hostnames, at most 16"),
    (route("GRPCRoute", rules=[{}] * 17), "spec.rules", "17 rules, at most 16"),
    (grpc(matches=[{}] * 65), f"{R}.matches", "65 matches, at most 64"),
    (route("GRPCRoute", rules=[{"matches": [{}] * 43}] * 3), "spec.rules", "129 matches in all rules together"),
    (grpc(matches=[{"method": {"type": "Exact"}}]), f"{R}.matches[0].method", "it needs service, method or both"),
    (
        grpc(matches=[{"method": {"service": "a-b"}}]),
        f"{R}.matches[0].method.service",
        "service a-b, it must be letters",
    ),
    (grpc(matches=[{"method": {"method": "Get.It"}}]), f"{R}.matches[0].method.method", "method Get.It, it must be"),
    (grpc(filters=[rewrite()]), f"{R}.filters[0].type", "one of RequestHeaderModifier"),
    (grpc(filters=[modifier(), modifier()]), f"{R}.filters", "2 RequestHeaderModifier filters, at most 1"),
    (route("TCPRoute"), "spec", "spec without rules, it is required"),
    (stream("TCPRoute", 17), f"{R}.backendRefs", "17 backends, at most 16"),
    (stream("TCPRoute", 0), f"{R}.backendRefs", "0 backends, at least 1"),
    (route("TCPRoute", rules=[{"backendRefs": [{"name": "s", "port": 1}]}] * 2), "spec.rules", "2 rules, at most 1"),
    (stream("TLSRoute"), "spec", "spec without hostnames, it is required"),
    (stream("TLSRoute", hostnames=[]), "spec.hostnames", "0 hostnames, at least 1"),
    (stream("TLSRoute", hostnames=["a.test"] * 1025), "spec.hostnames", "1025 hostnames, at most 1024"),
]


@pytest.mark.parametrize(
    ("document", "where", "text"), FORBIDDEN, ids=[f"{each[1]}: {each[2]}"[:70] for each in FORBIDDEN]
)
def test_each_limit_is_named(document, where, text):
    found = problems(document)
    named = [each for each in found if each.path == where and text in each.text]
    assert named, found
    assert all(each.limit for each in found)


ALLOWED = [
    route(),
    {"kind": "HTTPRoute", "metadata": {}},
    {"kind": "Gateway", "spec": {"listeners": []}},
    {"metadata": {}},
    route(rules=[{"matches": prefixes(64)}] * 2),
    route(parentRefs=[{"name": "g", "sectionName": "a"}, {"name": "g", "sectionName": "b"}]),
    route(parentRefs=[{"name": "g", "port": 80}, {"name": "g", "port": 81}]),
    route(parentRefs=[{"name": "g"}, {"name": "g", "namespace": "other"}]),
    route(hostnames=["*.a.test", "1-2.a.test", "a1"]),
    path("/../a//b", "RegularExpression"),
    backend(weight=1_000_000),
    backend(weight=0),
    http(backendRefs=[{"name": "e", "group": "gateway.kgateway.dev", "kind": "Backend"}]),
    http(timeouts={"request": "0s", "backendRequest": "1h"}),
    http(timeouts={"request": "1s", "backendRequest": "1000ms"}),
    filtered(rewrite(path=PREFIX)),
    filtered(rewrite(path=PREFIX), matches=[{"path": {"value": "/a"}}]),
    filtered(mirror(percent=0), mirror(fraction={"numerator": 1, "denominator": 3})),
    filtered(redirect(path={"type": "ReplaceFullPath", "replaceFullPath": "/new"}), backendRefs=[]),
    filtered({"type": "ExtensionRef", "extensionRef": {"group": "", "kind": "X", "name": "x"}}),
    grpc(matches=[{"method": {"type": "RegularExpression", "service": "a-b"}}]),
    stream("TCPRoute", 16),
    stream("TLSRoute", hostnames=["a.test"]),
]


@pytest.mark.parametrize("document", ALLOWED)
def test_what_is_allowed_is_left_alone(document):
    assert problems(document) == ()


@QUICK
@given(ROUTES)
def test_a_route_that_the_api_takes_has_no_problems(document):
    admit(API_KINDS[document["kind"]], document, None)
    assert problems(document) == ()


def places(value, path=()):
    """Every place in a document, as a path of keys."""
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*path, key))


ODD = st.sampled_from(
    [
        None,
        "",
        "x",
        "/a//b",
        "A_b",
        "a" * 300,
        "1s",
        "10x",
        -1,
        0,
        1,
        302,
        65536,
        2_000_000,
        1.5,
        True,
        [],
        {},
        ["*", "a"],
    ]
)


def spoiled(document, place, how, odd):
    """The document with one place replaced, taken out, or said several times."""
    document = deepcopy(document)
    *way, last = ("spec", *place)
    holder = document
    for key in way:
        holder = holder[key]
    if how == "replace":
        holder[last] = odd
    elif how == "remove":
        del holder[last]
    elif isinstance(holder[last], list):
        holder[last] = deepcopy(holder[last]) * 9
    elif isinstance(holder, list):
        holder.append(deepcopy(holder[last]))
    return document


@settings(max_examples=200, deadline=None)
@given(ROUTES, st.data())
def test_what_the_api_refuses_is_a_problem(document, data):
    for _ in range(data.draw(st.integers(1, 2))):
        if not document["spec"]:
            break
        place = data.draw(st.sampled_from([*places(document["spec"])][1:]))
        document = spoiled(document, place, data.draw(st.sampled_from(["replace", "remove", "repeat"])), data.draw(ODD))
    assert problems(document) or not is_refused(document)


def is_refused(document):
    try:
        admit(API_KINDS[document["kind"]], document, None)
    except ApiError:
        return True
    return False


@QUICK
@given(ROUTES, EDITS)
def test_what_an_editor_makes_is_a_problem_before_the_api_refuses_it(document, chosen):
    document = edited(document, chosen)
    assert problems(document) or not is_refused(document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["rules", "matches", "path", "filters", "backendRefs", "hostnames", "type", "cors", "timeouts"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@QUICK
@given(JSON, st.sampled_from(["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"]))
def test_anything_may_be_typed(spec, kind):
    problems({"kind": kind, "spec": spec, "metadata": {}})


def test_durations():
    assert milliseconds("1h2m3s4ms") == 3_723_004
