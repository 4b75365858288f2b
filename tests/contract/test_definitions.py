"""Objects of Gateway API and kgateway against their published definitions: defaults, pruning, refusals."""

from __future__ import annotations

import pytest

KGATEWAY = "gateway.kgateway.dev/v1alpha1"
UNCHECKED = "<nil>"
"""Field of the remark that rules were left out because of the other causes."""


async def create(api, gateways, plural, kind, spec, version="v1"):
    manifest = {"apiVersion": f"gateway.networking.k8s.io/{version}", "kind": kind, "metadata": {"name": "x"}}
    return await api.call("POST", f"{gateways.replace('/v1/', f'/{version}/')}/{plural}", manifest | {"spec": spec})


async def create_kgateway(api, ns, plural, kind, spec):
    manifest = {"apiVersion": KGATEWAY, "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    code, body, headers = await api.call("POST", f"/apis/{KGATEWAY}/namespaces/{ns}/{plural}", manifest)
    if code == 404:
        pytest.skip(f"{plural} of kgateway are not installed: the published definition is not at hand (GWTUI_CRDS)")
    return code, body, headers


def route(**rule):
    return {"parentRefs": [{"name": "edge"}], "rules": [rule]}


def backend(**more):
    return {"name": "shop", "port": 80} | more


def listener(**more):
    return {"name": "http", "port": 80, "protocol": "HTTP"} | more


def gateway(*listeners):
    return {"gatewayClassName": "k", "listeners": list(listeners) or [listener()]}


# Defaults

ROOT = {"path": {"type": "PathPrefix", "value": "/"}}
PARENT = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge"}
BACKEND = {"group": "", "kind": "Service", "name": "shop", "port": 80, "weight": 1}
SAME = {"namespaces": {"from": "Same"}}


@pytest.mark.parametrize(
    ("plural", "kind", "spec", "stored"),
    [
        (
            "httproutes",
            "HTTPRoute",
            route(backendRefs=[backend()]),
            {"parentRefs": [PARENT], "rules": [{"backendRefs": [BACKEND], "matches": [ROOT]}]},
        ),
        ("httproutes", "HTTPRoute", {}, {"rules": [{"matches": [ROOT]}]}),
        (
            "httproutes",
            "HTTPRoute",
            route(
                matches=[{"headers": [{"name": "a", "value": "b"}], "queryParams": [{"name": "c", "value": "d"}]}],
                filters=[
                    {"type": "RequestMirror", "requestMirror": {"backendRef": backend(), "fraction": {"numerator": 1}}}
                ],
            ),
            {
                "parentRefs": [PARENT],
                "rules": [
                    {
                        "filters": [
                            {
                                "type": "RequestMirror",
                                "requestMirror": {
                                    "backendRef": {"group": "", "kind": "Service", "name": "shop", "port": 80},
                                    "fraction": {"denominator": 100, "numerator": 1},
                                },
                            }
                        ],
                        "matches": [
                            ROOT
                            | {
                                "headers": [{"name": "a", "type": "Exact", "value": "b"}],
                                "queryParams": [{"name": "c", "type": "Exact", "value": "d"}],
                            }
                        ],
                    }
                ],
            },
        ),
        (
            "httproutes",
            "HTTPRoute",
            route(filters=[{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]),
            {
                "parentRefs": [PARENT],
                "rules": [
                    {
                        "filters": [
                            {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 302}}
                        ],
                        "matches": [ROOT],
                    }
                ],
            },
        ),
        (
            "grpcroutes",
            "GRPCRoute",
            route(matches=[{"method": {"service": "a.B"}}], backendRefs=[backend()]),
            {
                "parentRefs": [PARENT],
                "rules": [{"backendRefs": [BACKEND], "matches": [{"method": {"service": "a.B", "type": "Exact"}}]}],
            },
        ),
        (
            "tcproutes",
            "TCPRoute",
            route(backendRefs=[backend()]),
            {"parentRefs": [PARENT], "rules": [{"backendRefs": [BACKEND]}]},
        ),
        (
            "tlsroutes",
            "TLSRoute",
            route(backendRefs=[backend()]) | {"hostnames": ["a.example"]},
            {"hostnames": ["a.example"], "parentRefs": [PARENT], "rules": [{"backendRefs": [BACKEND]}]},
        ),
        (
            "gateways",
            "Gateway",
            gateway(listener(name="https", port=443, protocol="HTTPS", tls={"certificateRefs": [{"name": "c"}]})),
            {
                "gatewayClassName": "k",
                "listeners": [
                    {
                        "allowedRoutes": SAME,
                        "name": "https",
                        "port": 443,
                        "protocol": "HTTPS",
                        "tls": {"certificateRefs": [{"group": "", "kind": "Secret", "name": "c"}], "mode": "Terminate"},
                    }
                ],
            },
        ),
        (
            "listenersets",
            "ListenerSet",
            {"parentRef": {"name": "edge"}, "listeners": [listener()]},
            {"listeners": [listener() | {"allowedRoutes": SAME}], "parentRef": PARENT},
        ),
        (
            "referencegrants",
            "ReferenceGrant",
            {
                "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "a"}],
                "to": [{"group": "", "kind": "Service"}],
            },
            {
                "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "a"}],
                "to": [{"group": "", "kind": "Service"}],
            },
        ),
        (
            "backendtlspolicies",
            "BackendTLSPolicy",
            {
                "targetRefs": [{"group": "", "kind": "Service", "name": "a"}],
                "validation": {"hostname": "a.example", "wellKnownCACertificates": "System"},
            },
            {
                "targetRefs": [{"group": "", "kind": "Service", "name": "a"}],
                "validation": {"hostname": "a.example", "wellKnownCACertificates": "System"},
            },
        ),
    ],
)
async def test_defaults_are_filled_in(api, gateways, plural, kind, spec, stored) -> None:
    code, made, _ = await create(api, gateways, plural, kind, spec, "v1beta1" if kind == "ReferenceGrant" else "v1")
    assert (code, made.get("spec")) == (201, stored)
    assert made["metadata"]["generation"] == 1


async def test_what_the_definition_does_not_know_is_dropped_at_every_depth(api, gateways) -> None:
    spec = route(backendRefs=[backend(mood="good")], matches=[ROOT | {"shape": "round"}]) | {"colour": "red"}
    code, made, headers = await create(api, gateways, "httproutes", "HTTPRoute", spec)
    assert (code, made["spec"]["rules"]) == (201, [{"backendRefs": [BACKEND], "matches": [ROOT]}])
    assert "colour" not in made["spec"]
    assert {warning.split('\\"')[1] for warning in headers.getall("Warning")} == {
        "spec.colour",
        "spec.rules[0].backendRefs[0].mood",
        "spec.rules[0].matches[0].shape",
    }


# Refusals: each with the reason and field of every cause

REFUSED_BY_SHAPE = [
    ("weight", route(backendRefs=[backend(weight=-1)]), {("FieldValueInvalid", "spec.rules[0].backendRefs[0].weight")}),
    (
        "heavy",
        route(backendRefs=[backend(weight=1_000_001)]),
        {("FieldValueInvalid", "spec.rules[0].backendRefs[0].weight")},
    ),
    ("port", route(backendRefs=[backend(port=0)]), {("FieldValueInvalid", "spec.rules[0].backendRefs[0].port")}),
    (
        "no name",
        route(backendRefs=[{"port": 80}]),
        {("FieldValueRequired", "spec.rules[0].backendRefs[0].name")},
    ),
    (
        "type",
        route(backendRefs=[backend(weight="1")]),
        {("FieldValueTypeInvalid", "spec.rules[0].backendRefs[0].weight")},
    ),
    ("no list", {"rules": {}}, {("FieldValueTypeInvalid", "spec.rules")}),
    ("no object", {"rules": [None]}, {("FieldValueTypeInvalid", "spec.rules[0]")}),
    ("no rule", {"rules": []}, {("FieldValueInvalid", "spec.rules")}),
    ("host", {"hostnames": ["BAD"]}, {("FieldValueInvalid", "spec.hostnames[0]")}),
    ("hosts", {"hostnames": [f"h{n}.example" for n in range(17)]}, {("FieldValueTooMany", "spec.hostnames")}),
    (
        "method",
        route(matches=[{"method": "FETCH"}]),
        {("FieldValueNotSupported", "spec.rules[0].matches[0].method")},
    ),
    (
        "match type",
        route(matches=[{"path": {"type": "Fuzzy", "value": "/"}}]),
        {("FieldValueNotSupported", "spec.rules[0].matches[0].path.type")},
    ),
    (
        "header",
        route(matches=[{"headers": [{"name": "a b", "value": "x"}]}]),
        {("FieldValueInvalid", "spec.rules[0].matches[0].headers[0].name")},
    ),
    (
        "header twice",
        route(matches=[{"headers": [{"name": "a", "value": "x"}, {"name": "a", "value": "y"}]}]),
        {("FieldValueDuplicate", "spec.rules[0].matches[0].headers[1]")},
    ),
    (
        "long path",
        route(matches=[{"path": {"value": "/" + "a" * 1024}}]),
        {("FieldValueTooLong", "spec.rules[0].matches[0].path.value")},
    ),
    (
        "duration",
        route(timeouts={"request": "soon"}),
        {("FieldValueInvalid", "spec.rules[0].timeouts.request")},
    ),
    (
        "code",
        route(filters=[{"type": "RequestRedirect", "requestRedirect": {"statusCode": 200}}]),
        {("FieldValueNotSupported", "spec.rules[0].filters[0].requestRedirect.statusCode")},
    ),
    (
        "two",
        {"hostnames": ["BAD"]} | route(backendRefs=[backend(weight=-1)]),
        {("FieldValueInvalid", "spec.hostnames[0]"), ("FieldValueInvalid", "spec.rules[0].backendRefs[0].weight")},
    ),
]


@pytest.mark.parametrize(
    ("spec", "wanted"), [case[1:] for case in REFUSED_BY_SHAPE], ids=[c[0] for c in REFUSED_BY_SHAPE]
)
async def test_a_route_that_breaks_its_schema_is_422(api, gateways, spec, wanted) -> None:
    code, body, _ = await create(api, gateways, "httproutes", "HTTPRoute", spec)
    assert (code, body["reason"]) == (422, "Invalid"), body
    details = body["details"]
    assert (details["name"], details["group"], details["kind"]) == ("x", "gateway.networking.k8s.io", "HTTPRoute")
    found = {(cause["reason"], cause["field"]) for cause in details["causes"]}
    assert {each for each in found if each[1] != UNCHECKED} == wanted
    # Where the shape itself is wrong, rules that cross fields are not tried, and that is said.
    is_blocked = {reason for reason, _ in wanted}.isdisjoint({"FieldValueInvalid", "FieldValueDuplicate"})
    assert (("FieldValueInvalid", UNCHECKED) in found) is is_blocked


REFUSED_BY_RULE = [
    ("port", route(backendRefs=[{"name": "shop"}]), "spec.rules[0].backendRefs[0]"),
    ("relative", route(matches=[{"path": {"value": "a"}}]), "spec.rules[0].matches[0].path"),
    ("double", route(matches=[{"path": {"value": "/a//b"}}]), "spec.rules[0].matches[0].path"),
    ("end", route(matches=[{"path": {"value": "/a/.."}}]), "spec.rules[0].matches[0].path"),
    ("escaped", route(matches=[{"path": {"value": "/a%2fb"}}]), "spec.rules[0].matches[0].path"),
    (
        "redirect",
        route(filters=[{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}], backendRefs=[backend()]),
        "spec.rules[0]",
    ),
    ("timeouts", route(timeouts={"request": "1s", "backendRequest": "2s"}), "spec.rules[0].timeouts"),
    ("empty filter", route(filters=[{"type": "URLRewrite"}]), "spec.rules[0].filters[0]"),
    (
        "other filter",
        route(filters=[{"type": "RequestRedirect", "requestRedirect": {}, "urlRewrite": {"hostname": "a.example"}}]),
        "spec.rules[0].filters[0]",
    ),
    (
        "twice",
        route(filters=[{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["a"]}}] * 2),
        "spec.rules[0].filters",
    ),
    (
        "redirect and rewrite",
        route(
            filters=[
                {"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}},
                {"type": "URLRewrite", "urlRewrite": {"hostname": "a.example"}},
            ]
        ),
        "spec.rules[0].filters",
    ),
    (
        "prefix",
        route(
            matches=[{"path": {"type": "Exact", "value": "/a"}}],
            filters=[
                {
                    "type": "URLRewrite",
                    "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/b"}},
                }
            ],
        ),
        "spec.rules[0]",
    ),
    ("parents", {"parentRefs": [{"name": "edge"}, {"name": "edge"}]}, "spec.parentRefs"),
    ("matches", {"rules": [{"matches": [ROOT] * 64}] * 3}, "spec.rules"),
]


@pytest.mark.parametrize(("spec", "field"), [case[1:] for case in REFUSED_BY_RULE], ids=[c[0] for c in REFUSED_BY_RULE])
async def test_a_route_that_breaks_a_rule_is_422(api, gateways, spec, field) -> None:
    code, body, _ = await create(api, gateways, "httproutes", "HTTPRoute", spec)
    assert (code, body["reason"]) == (422, "Invalid"), body
    assert {(cause["reason"], cause["field"]) for cause in body["details"]["causes"]} == {("FieldValueInvalid", field)}


GATEWAY_RULES = [
    ("class", {"listeners": [listener()]}, {("FieldValueRequired", "spec.gatewayClassName")}),
    ("none", {"gatewayClassName": "k", "listeners": []}, {("FieldValueInvalid", "spec.listeners")}),
    ("port", gateway(listener(port=70_000)), {("FieldValueInvalid", "spec.listeners[0].port")}),
    ("name", gateway(listener(name="A")), {("FieldValueInvalid", "spec.listeners[0].name")}),
    (
        "twice",
        gateway(listener(), listener(port=81)),
        {("FieldValueDuplicate", "spec.listeners[1]"), ("FieldValueInvalid", "spec.listeners")},
    ),
    ("same", gateway(listener(), listener(name="b")), {("FieldValueInvalid", "spec.listeners")}),
    ("tls", gateway(listener(tls={"certificateRefs": [{"name": "c"}]})), {("FieldValueInvalid", "spec.listeners")}),
    ("host", gateway(listener(protocol="TCP", hostname="a.example")), {("FieldValueInvalid", "spec.listeners")}),
    (
        "mode",
        gateway(listener(protocol="HTTPS", tls={"mode": "Passthrough"})),
        {("FieldValueInvalid", "spec.listeners")},
    ),
]


@pytest.mark.parametrize(("spec", "wanted"), [case[1:] for case in GATEWAY_RULES], ids=[c[0] for c in GATEWAY_RULES])
async def test_a_gateway_that_breaks_its_definition_is_422(api, gateways, spec, wanted) -> None:
    code, body, _ = await create(api, gateways, "gateways", "Gateway", spec)
    assert (code, body["reason"]) == (422, "Invalid"), body
    found = {(cause["reason"], cause["field"]) for cause in body["details"]["causes"]}
    assert {each for each in found if each[1] != UNCHECKED} == wanted


async def test_a_patch_is_held_against_the_definition_too(api, gateways, put, make) -> None:
    await put(f"{gateways}/httproutes", make.route())
    operation = {"op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": -1}
    code, body, _ = await api.call(
        "PATCH", f"{gateways}/httproutes/shop", [operation], content_type="application/json-patch+json"
    )
    assert (code, body["reason"]) == (422, "Invalid")
    (cause,) = body["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("FieldValueInvalid", "spec.rules[0].backendRefs[0].weight")
    wanted = "Invalid value: -1: spec.rules[0].backendRefs[0].weight in body should be greater than or equal to 0"
    assert cause["message"] == wanted


# kgateway: the top level of its kinds

TARGET = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "shop"}


@pytest.mark.parametrize(
    ("plural", "kind", "spec"),
    [
        ("trafficpolicies", "TrafficPolicy", {"targetRefs": [TARGET], "timeouts": {"request": "5s"}}),
        ("directresponses", "DirectResponse", {"status": 503, "body": "closed"}),
        ("backends", "Backend", {"type": "Static", "static": {"hosts": [{"host": "a.example", "port": 443}]}}),
        ("gatewayparameters", "GatewayParameters", {"kube": {"deployment": {"replicas": 2}}}),
        ("listenerpolicies", "ListenerPolicy", {"targetRefs": [TARGET | {"kind": "Gateway"}], "default": {}}),
        (
            "backendconfigpolicies",
            "BackendConfigPolicy",
            {"targetRefs": [{"group": "", "kind": "Service", "name": "shop"}], "connectTimeout": "5s"},
        ),
    ],
)
async def test_an_object_of_kgateway_is_stored_as_it_was_written(api, ns, plural, kind, spec) -> None:
    code, made, headers = await create_kgateway(api, ns, plural, kind, spec)
    assert (code, headers.getall("Warning", [])) == (201, []), made
    kept = {key: value for key, value in made["spec"].items() if key in spec}
    assert kept == spec


async def test_an_object_of_kgateway_loses_what_its_definition_does_not_know(api, ns) -> None:
    code, made, headers = await create_kgateway(
        api, ns, "trafficpolicies", "TrafficPolicy", {"targetRefs": [TARGET], "colour": "red"}
    )
    assert (code, made["spec"]) == (201, {"targetRefs": [TARGET]})
    assert headers["Warning"] == '299 - "unknown field \\"spec.colour\\""'


@pytest.mark.parametrize(
    ("plural", "kind", "spec", "wanted"),
    [
        ("directresponses", "DirectResponse", {"status": 99}, {("FieldValueInvalid", "spec.status")}),
        ("directresponses", "DirectResponse", {"body": "x"}, {("FieldValueRequired", "spec.status")}),
        ("trafficpolicies", "TrafficPolicy", {"targetRefs": []}, {("FieldValueInvalid", "spec.targetRefs")}),
        ("trafficpolicies", "TrafficPolicy", {"targetRefs": "x"}, {("FieldValueTypeInvalid", "spec.targetRefs")}),
        ("backends", "Backend", {"type": "Unknown"}, {("FieldValueNotSupported", "spec.type")}),
    ],
)
async def test_an_object_of_kgateway_that_breaks_its_definition_is_422(api, ns, plural, kind, spec, wanted) -> None:
    code, body, _ = await create_kgateway(api, ns, plural, kind, spec)
    assert (code, body["reason"]) == (422, "Invalid"), body
    found = {(cause["reason"], cause["field"]) for cause in body["details"]["causes"]}
    assert wanted <= found
