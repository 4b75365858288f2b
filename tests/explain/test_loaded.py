"""What a proxy has loaded decides: filter chain, virtual host, route, action; or it is said what else does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gwtui.adapters.envoy import redaction
from gwtui.explain.loaded.answers import CannotTell, Forward, Loaded, Redirect, Reply, Share, Unrouted, every
from gwtui.explain.loaded.lookup import in_force, loaded_route
from gwtui.explain.loaded.values import REDACTED
from gwtui.explain.request import Request
from gwtui.model.inspection import ConfigDigest, ConfigKind, ConfigResource

HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
TCP = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
HTTP = "type.googleapis.com/envoy.extensions.filters.http."
ANY = Request(method="GET", scheme="http", host="a.test", port=8080, path="/")


def chain(name="listener~8080", filters=(), *, tls=False, match=None, **manager):
    typed = {"@type": HCM, "rds": {"route_config_name": name}, "http_filters": list(filters), **manager}
    found = {"name": name, "filters": [{"name": "hcm", "typed_config": typed}]}
    if tls:
        found["transport_socket"] = {"name": "envoy.transport_sockets.tls"}
    return {**found, **({"filter_chain_match": match} if match else {})}


def listener(*chains, port=8080, **more):
    address = {"socket_address": {"address": "0.0.0.0", "port_value": port}}
    return {"name": f"listener~{port}", "address": address, "filter_chains": list(chains) or [chain()], **more}


def table(*hosts, name="listener~8080", **more):
    return {"name": name, "virtual_hosts": list(hosts), **more}


def host(*routes, domains=("*",), name="v", **more):
    return {"name": name, "domains": list(domains), "routes": list(routes), **more}


def route(match=None, cluster="c", name="", **more):
    return {"name": name, "match": match or {"prefix": "/"}, "route": {"cluster": cluster}, **more}


def ask(*routes, request=ANY, version="", **changes):
    """The answer of one virtual host for all."""
    asked = replace(request, **changes)
    return loaded_route([listener()], [table(host(*routes))], asked, listener="listener~8080", version=version)


def taken(match, **changes):
    """Whether a match takes a request: True, False, or the reason why it cannot be told."""
    answer = ask(route(match), **changes)
    return answer.reason if isinstance(answer, CannotTell) else isinstance(answer, Loaded)


def test_the_first_route_that_fits_takes_it():
    answer = ask(route({"prefix": "/b"}), route({"path": "/a"}, "one", "r1"), route({"prefix": "/"}, "two"), path="/a")
    assert answer == Loaded(
        routes="listener~8080",
        virtual_host="v",
        domain="*",
        index=1,
        route="r1",
        action=Forward(shares=(Share(cluster="one", ratio=1.0),), timeout_s=15.0),
    )


def test_no_route_is_a_404_that_names_the_virtual_host():
    answer = ask(route({"path": "/b"}), path="/a")
    assert isinstance(answer, Unrouted)
    assert (answer.status, answer.virtual_host, answer.domain) == (404, "v", "*")


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("a.test", "a.test"), ("A.TEST", "a.test"), ("x.a.test", "*.a.test"), ("y.x.a.test", "*.a.test"),
        ("q-x.a.test", "*-x.a.test"), ("b.test", "*.test"), ("b.org", "b.*"), ("b.c.org", "b.c.*"), ("zz", "*"),
        (".a.test", "*.test"), ("ba.test", "*.test"),
    ],
)  # fmt: skip
def test_the_most_specific_domain_takes_the_host(name, domain):
    domains = ["*", "b.*", "*.test", "a.test", "*.a.test", "*-x.a.test", "b.c.*"]
    hosts = [host(route(), domains=[each], name=each) for each in domains]
    answer = loaded_route([listener()], [table(*hosts)], replace(ANY, host=name, port=None), listener="listener~8080")
    assert isinstance(answer, Loaded)
    assert answer.domain == answer.virtual_host == domain


def test_there_is_no_way_back_to_a_less_specific_virtual_host():
    hosts = [host(route({"path": "/no"}), domains=["a.test"], name="narrow"), host(route())]
    answer = loaded_route([listener()], [table(*hosts)], ANY, port=8080)
    assert isinstance(answer, Loaded)  # the port makes it another host
    ignoring = table(*hosts, ignore_port_in_host_matching=True)
    answer = loaded_route([listener()], [ignoring], ANY, port=8080)
    assert isinstance(answer, Unrouted)
    assert answer.virtual_host == "narrow"


def test_a_host_that_nobody_takes_is_a_404():
    answer = loaded_route([listener()], [table(host(route(), domains=["b.test"]))], ANY, port=8080)
    assert isinstance(answer, Unrouted)
    assert (answer.status, answer.virtual_host) == (404, "")


@pytest.mark.parametrize(
    ("manager", "port", "domain"),
    [
        ({}, 8080, "*"),
        ({}, 80, "a.test"),  # a client leaves the port of the scheme out
        ({"strip_any_host_port": True}, 9090, "a.test"),
        ({"strip_matching_host_port": True}, 8080, "a.test"),
        ({"strip_matching_host_port": True}, 9090, "*"),
    ],
)
def test_ports_of_hosts_are_dropped_where_the_proxy_does(manager, port, domain):
    hosts = [host(route(), domains=["a.test"]), host(route(), domains=["*"], name="other")]
    answer = loaded_route([listener(chain(**manager))], [table(*hosts)], replace(ANY, port=port), port=8080)
    assert isinstance(answer, Loaded)
    assert answer.domain == domain


PATHS = [
    ({"prefix": "/a"}, "/ab", True),
    ({"path": "/a"}, "/a/", False),
    ({"path_separated_prefix": "/a"}, "/a/b", True),
    ({"path_separated_prefix": "/a"}, "/ab", False),
    ({"path_separated_prefix": "/A", "case_sensitive": False}, "/a", True),
    ({"path": "/A", "case_sensitive": False}, "/a", True),
    ({"safe_regex": {"regex": "/a.+"}}, "/ab", True),
    ({"safe_regex": {"regex": "/a"}}, "/ab", False),
    ({"connect_matcher": {}}, "/a", False),
]


@pytest.mark.parametrize(("match", "path", "expected"), PATHS)
def test_paths_are_compared_as_envoy_does(match, path, expected):
    assert taken(match, path=path) is expected


HEADERS = [
    ({"string_match": {"exact": "1"}}, ["1"], True),
    ({"string_match": {"exact": "1"}}, [], False),
    ({"string_match": {"exact": "1"}, "invert_match": True}, [], False),
    ({"string_match": {"exact": "1"}, "invert_match": True}, ["2"], True),
    ({"string_match": {"exact": ""}, "treat_missing_header_as_empty": True}, [], True),
    ({"string_match": {"prefix": "Ab", "ignore_case": True}}, ["aBc"], True),
    ({"string_match": {"suffix": "c"}}, ["abc"], True),
    ({"string_match": {"contains": "b"}}, ["abc"], True),
    ({"string_match": {"safe_regex": {"regex": "a|b"}}}, ["b"], True),
    ({"exact_match": "1"}, ["1"], True),
    ({"safe_regex_match": {"regex": "[0-9]+"}}, ["x"], False),
    ({"present_match": True}, [""], True),
    ({"present_match": True, "invert_match": True}, [], True),
    ({"present_match": False}, [], True),
    ({"present_match": False, "treat_missing_header_as_empty": True}, [], False),
    ({}, ["1"], True),
    ({"range_match": {"start": "1", "end": "10"}}, ["9"], True),
    ({"range_match": {"start": "1", "end": "10"}}, ["10"], False),
    ({"range_match": {"end": "10"}}, ["+0"], True),
    ({"range_match": {"start": "1", "end": "10"}}, ["5.0"], False),
    ({"range_match": {"start": "1", "end": "10"}, "invert_match": True}, ["x"], True),
]


@pytest.mark.parametrize(("matcher", "values", "expected"), HEADERS)
def test_headers_are_compared_as_envoy_does(matcher, values, expected):
    match = {"prefix": "/", "headers": [{"name": "X-A", **matcher}]}
    assert taken(match, headers=tuple(("x-a", value) for value in values)) is expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (":method", "GET"), (":authority", "a.test:8080"), ("host", "a.test:8080"), (":path", "/?p=1"),
        (":scheme", "http"),
    ],
)  # fmt: skip
def test_pseudo_headers_are_those_of_the_request(name, value):
    match = {"prefix": "/", "headers": [{"name": name, "string_match": {"exact": value}}]}
    assert taken(match, query=(("p", "1"),)) is True


def test_several_values_of_a_header_are_compared_as_the_version_does():
    both = (("x-a", "1"), ("x-a", "2"))
    single = route({"prefix": "/", "headers": [{"name": "x-a", "string_match": {"exact": "2"}}]})
    assert isinstance(ask(single, headers=both, version="1.40.0"), Loaded)
    assert isinstance(ask(single, headers=both, version="1.38.1"), CannotTell)
    assert isinstance(ask(single, headers=both), CannotTell)
    neither = route({"prefix": "/", "headers": [{"name": "x-a", "string_match": {"exact": "3"}}]})
    assert isinstance(ask(neither, headers=both), Unrouted)
    inverted = {"name": "x-a", "string_match": {"exact": "1"}, "invert_match": True}
    assert isinstance(ask(route({"prefix": "/", "headers": [inverted]}), headers=both, version="1.39.0"), Unrouted)


PARAMETERS = [
    ({"string_match": {"exact": "1"}}, (("p", "1"), ("p", "2")), True),
    ({"string_match": {"exact": "2"}}, (("p", "1"), ("p", "2")), False),
    ({"string_match": {"exact": "a b"}}, (("p", "a%20b"),), False),
    ({"present_match": True}, (("P", ""),), False),
    ({"present_match": False}, (), True),
    ({}, (("p", ""),), True),
]


@pytest.mark.parametrize(("matcher", "query", "expected"), PARAMETERS)
def test_query_parameters_are_compared_as_they_were_sent(matcher, query, expected):
    assert taken({"prefix": "/", "query_parameters": [{"name": "p", **matcher}]}, query=query) is expected


def test_grpc_is_told_by_the_content_type():
    match = {"prefix": "/", "grpc": {}}
    assert taken(match, headers=(("content-type", "application/grpc+proto"),)) is True
    assert taken(match, headers=(("content-type", "application/grpc-web"),)) is False


UNTOLD = [
    {"prefix": "/", "runtime_fraction": {"default_value": {"numerator": 10}}},
    {"prefix": "/", "dynamic_metadata": [{"filter": "f"}]},
    {"prefix": "/", "filter_state": [{"key": "k"}]},
    {"prefix": "/", "tls_context": {"presented": True}},
    {"prefix": "/", "cookies": [{"name": "c"}]},
    {"path_match_policy": {"name": "envoy.path.match.uri_template.uri_template_matcher"}},
    {"safe_regex": {"regex": "\\pL+"}},
    {"prefix": "/", "headers": [{"name": "x-request-id", "present_match": True}]},
    {"prefix": "/", "headers": [{"name": "x-envoy-internal", "present_match": True}]},
    {"prefix": "/", "headers": [{"name": "x-a", "string_match": {"custom": {}}}]},
    {"prefix": "/", "headers": [{"name": "authorization", "string_match": {"exact": REDACTED}}]},
    {"prefix": "/", "headers": [{"name": "authorization", "range_match": {"start": REDACTED}}]},
]


@pytest.mark.parametrize("match", UNTOLD)
def test_what_the_configuration_does_not_decide_is_not_guessed(match):
    headers = (("x-a", "1"), ("authorization", "Bearer …"))
    assert isinstance(taken(match, headers=headers), str)


@pytest.mark.parametrize("match", UNTOLD)
def test_what_does_not_fit_anyway_needs_no_guess(match):
    never = {"name": ":method", "string_match": {"exact": "DELETE"}}
    assert taken({**match, "headers": [*match.get("headers", []), never]}) is False


def test_a_route_that_cannot_be_told_hides_those_below_it_but_not_those_above():
    unsure = route({"prefix": "/", "runtime_fraction": {"default_value": {"numerator": 1}}}, name="canary")
    assert isinstance(ask(route(), unsure), Loaded)
    below = ask(unsure, route())
    assert isinstance(below, CannotTell)
    assert "canary" in below.reason


@pytest.mark.parametrize(("fraction", "expected"), [({"numerator": 100}, True), ({}, False)])
def test_all_or_none_by_chance_is_no_chance(fraction, expected):
    assert taken({"prefix": "/", "runtime_fraction": {"default_value": fraction}}) is expected


def test_the_placeholder_of_credentials_is_that_of_the_reader():
    assert REDACTED == redaction.REDACTED


@pytest.mark.parametrize(
    ("manager", "path", "seen"),
    [
        ({}, "/b/../a//x", "/b/../a//x"),
        ({"normalize_path": True}, "/b/../a//x", "/a//x"),
        ({"normalize_path": True}, "/%61%2F\\c/.", "/a%2F/c/"),
        ({"merge_slashes": True}, "//a///b", "/a/b"),
        ({"merge_slashes": True}, "///", "//"),
        ({"normalize_path": True, "merge_slashes": True}, "/../%7ex|", "/~x%7C"),
        ({"path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD", "merge_slashes": True}, "/a%2F%2fb", "/a/b"),
    ],
)
def test_paths_are_prepared_as_the_manager_does(manager, path, seen):
    answer = loaded_route(
        [listener(chain(**manager))], [table(host(route({"path": seen})))], replace(ANY, path=path), port=8080
    )
    assert isinstance(answer, Loaded), answer


@pytest.mark.parametrize(
    ("manager", "changes"),
    [
        ({}, {"path": "/ä"}),
        ({}, {"path": "/a b"}),
        ({}, {"method": "CONNECT"}),
        ({"normalize_path": True}, {"path": "/%00"}),
        ({"normalize_path": True}, {"path": "/a/%2e.;/b"}),
        ({"normalize_path": True}, {"path": "/%4%61"}),
        ({"path_with_escaped_slashes_action": "REJECT_REQUEST"}, {"path": "/%2F"}),
        ({"rds": None, "scoped_routes": {}}, {}),
        (
            {"common_http_protocol_options": {"headers_with_underscores_action": "REJECT_REQUEST"}},
            {"headers": (("a_b", "1"),)},
        ),
    ],
)
def test_requests_that_are_not_routed_by_the_table_are_not_guessed(manager, changes):
    one = chain(**manager)
    config = one["filters"][0]["typed_config"]
    if config["rds"] is None:
        del config["rds"]
    answer = loaded_route([listener(one)], [table(host(route()))], replace(ANY, **changes), port=8080)
    assert isinstance(answer, CannotTell)


def test_virtual_hosts_that_decide_otherwise_are_not_guessed():
    for more in ({"matcher": {}}, {"require_tls": "EXTERNAL_ONLY"}):
        answer = loaded_route([listener()], [table(host(route(), **more))], ANY, port=8080)
        assert isinstance(answer, CannotTell)
    answer = loaded_route([listener()], [table(host(route()), vhost_header="x-host")], ANY, port=8080)
    assert isinstance(answer, CannotTell)
    answer = loaded_route([listener()], [table(host(route(), require_tls="ALL"))], ANY, port=8080)
    assert isinstance(answer, Unrouted)
    assert answer.status == 301


ACTIONS = [
    (
        {
            "weighted_clusters": {
                "clusters": [{"name": "a", "weight": 90}, {"name": "b", "weight": 10}, {"name": "z"}]
            },
            "timeout": "2.5s",
            "prefix_rewrite": "/v2",
            "host_rewrite_literal": "in.test",
            "request_mirror_policies": [{"cluster": "m"}],
        },
        Forward(
            shares=(
                Share(cluster="a", ratio=0.9, weight=90),
                Share(cluster="b", ratio=0.1, weight=10),
                Share(cluster="z", ratio=0.0, weight=0),
            ),
            timeout_s=2.5,
            prefix_rewrite="/v2",
            host_rewrite="in.test",
            mirrors=("m",),
        ),
    ),
    (
        {"cluster": "a", "timeout": "0s", "regex_rewrite": {"pattern": {"regex": "^/x/*"}, "substitution": "/"}},
        Forward(shares=(Share(cluster="a", ratio=1.0),), timeout_s=None, regex_rewrite=("^/x/*", "/")),
    ),
]


@pytest.mark.parametrize(("action", "expected"), ACTIONS)
def test_where_requests_are_sent(action, expected):
    assert ask({"match": {"prefix": "/"}, "route": action}).action == expected


@pytest.mark.parametrize(
    "action",
    [
        {"route": {"cluster_header": "x-to"}},
        {"route": {"cluster_specifier_plugin": "p"}},
        {"route": {"weighted_clusters": {"clusters": [{"cluster_header": "x-to", "weight": 1}]}}},
        {"filter_action": {}},
    ],
)
def test_a_cluster_that_is_picked_at_run_time_is_not_guessed(action):
    answer = ask({"name": "r", "match": {"prefix": "/"}, **action})
    assert isinstance(answer, Loaded)
    assert isinstance(answer.action, CannotTell)


def test_redirects_and_fixed_answers():
    redirect = {"https_redirect": True, "response_code": "FOUND", "host_redirect": "b.test", "port_redirect": 443}
    assert ask({"match": {"prefix": "/"}, "redirect": redirect}).action == Redirect(
        status=302, scheme="https", host="b.test", port=443
    )
    answer = {"status": 500, "body": {"inline_string": "no"}}
    assert ask({"match": {"prefix": "/"}, "direct_response": answer}).action == Reply(status=500, body="no")


def http_filter(name, kind="", **more):
    return {"name": name, "typed_config": {"@type": f"{HTTP}{kind}.v3.X" if kind else ""}, **more}


@pytest.mark.parametrize(
    ("filters", "own", "caveats"),
    [
        ([http_filter("envoy.filters.http.router", "router")], {}, 0),
        ([http_filter("envoy.filters.http.ext_authz", "ext_authz")], {}, 1),
        ([http_filter("anything", "lua"), http_filter("envoy.filters.http.rbac")], {}, 2),
        ([http_filter("who.knows")], {}, 1),
        ([http_filter("az", "ext_authz", disabled=True)], {}, 0),
        ([http_filter("az", "ext_authz", disabled=True)], {"az": {"@type": "x"}}, 1),
        ([http_filter("az", "ext_authz")], {"az": {"disabled": True}}, 0),
    ],
)
def test_filters_before_the_router_are_named(filters, own, caveats):
    answer = loaded_route(
        [listener(chain(filters=filters))], [table(host(route(typed_per_filter_config=own)))], ANY, port=8080
    )
    assert isinstance(answer, Loaded)
    assert len(answer.caveats) == caveats


def test_what_may_be_changed_at_run_time_is_named():
    clusters = {"clusters": [{"name": "a", "weight": 1}], "runtime_key_prefix": "split"}
    first = route({"path": "/no", "runtime_fraction": {"default_value": {"numerator": 100}, "runtime_key": "canary"}})
    answer = ask(first, {"match": {"prefix": "/"}, "route": {"weighted_clusters": clusters}})
    assert [word in text for word, text in zip(("canary", "split"), answer.caveats, strict=True)] == [True, True]


SECURE = replace(ANY, scheme="https", port=443)


@pytest.mark.parametrize(
    ("name", "expected"), [("a.test", "exact"), ("x.a.test", "narrow"), ("b.test", "wide"), ("x.org", "any")]
)
def test_the_server_name_picks_the_filter_chain(name, expected):
    names = {"exact": ["a.test"], "narrow": ["*.a.test"], "wide": ["*.test", "z.org"], "any": None}
    chains = [chain(key, tls=True, match={"server_names": each} if each else None) for key, each in names.items()]
    tables = [table(host(route(), name=key), name=key) for key in names]
    answer = loaded_route([listener(*chains, port=443)], tables, replace(SECURE, host=name), port=443)
    assert isinstance(answer, Loaded)
    assert answer.routes == expected


@pytest.mark.parametrize(
    ("one", "request_", "kind"),
    [
        (listener(chain(tls=True)), ANY, Unrouted),
        (listener(chain(tls=True, match={"server_names": ["b.test"]})), SECURE, Unrouted),
        (listener(chain(match={"destination_port": 81}), default_filter_chain=chain()), ANY, Loaded),
        (listener(chain(match={"destination_port": 8080}), chain("no")), ANY, Loaded),
        (listener(chain(match={"transport_protocol": "tls"}), chain()), ANY, Loaded),
        (listener(chain(match={"source_type": "EXTERNAL"}), chain()), ANY, CannotTell),
        (listener(chain(match={"application_protocols": ["h2"]}), chain()), SECURE, CannotTell),
        (listener(filter_chain_matcher={}), ANY, CannotTell),
        (listener({"filters": []}), ANY, CannotTell),
        (listener(port=9999), ANY, Unrouted),
        (listener(chain("not there")), ANY, Unrouted),
    ],
)
def test_how_a_request_comes_in(one, request_, kind):
    assert isinstance(loaded_route([one], [table(host(route()))], request_, listener="?", port=8080), kind)


def test_a_connection_that_is_passed_on_goes_to_its_cluster():
    one = {"name": "l4", "filters": [{"typed_config": {"@type": TCP, "cluster": "db"}}]}
    answer = loaded_route([listener(one)], [], replace(ANY, scheme="tcp"), port=8080)
    assert isinstance(answer, Loaded)
    assert (answer.route, answer.action) == ("l4", Forward(shares=(Share(cluster="db", ratio=1.0),)))


def test_what_is_warming_or_refused_is_not_in_force():
    def resource(body, **more):
        digest = ConfigDigest(kind=ConfigKind.ROUTES, name="r", digest="", **more)
        return ConfigResource(digest=digest, body=body)

    resources = [resource({"name": "r"}), resource({"name": "s"}, is_warming=True), resource({}, error="no")]
    assert in_force(resources) == ({"name": "r"},)


def test_what_does_not_fit_counts_before_what_cannot_be_told():
    doubt = CannotTell("why")
    assert every(doubt, False) is False
    assert every(True, doubt, CannotTell("other")) is doubt
    assert every(True, True) is True


def parts(body, path=()):
    """Every place in a document."""
    yield path
    if isinstance(body, dict | list):
        for key, each in body.items() if isinstance(body, dict) else enumerate(body):
            yield from parts(each, (*path, key))


def with_junk(body, path, junk):
    if not path:
        return junk
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[path[0]] = with_junk(body[path[0]], path[1:], junk)
    return copy


@pytest.mark.parametrize("junk", [None, 7, "x", [], {}, [[]], {"regex": 1}])
def test_a_configuration_of_another_shape_is_no_defect_of_ours(junk):
    match = {"prefix": "/", "headers": [{"name": "x-a", "string_match": {"exact": "1"}}], "grpc": {}}
    full = [
        listener(chain(filters=[http_filter("f", "lua")], match={"server_names": ["a.test"]}), chain()),
        table(
            host(
                route(match), {"match": {"prefix": "/"}, "route": {"weighted_clusters": {"clusters": [{"name": "a"}]}}}
            )
        ),
    ]
    asked = replace(ANY, headers=(("x-a", "1"), ("content-type", "application/grpc")))
    for path in parts(full):
        listeners, routes = with_junk(full, path, junk) if path else ([], [])
        answer = loaded_route([listeners], [routes], asked, listener="listener~8080", port=8080)
        assert isinstance(answer, CannotTell | Loaded | Unrouted)
