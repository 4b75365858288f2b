from __future__ import annotations

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.model import names

# As an operator's own tooling would match them in a config dump.
ROUTE = re.compile(
    r"^(?P<vhost>.+)-route-(?P<pos>\d+)-(?P<kind>httproute|grpcroute)-(?P<name_ns>.+)-(?P<rule>\d+)-(?P<match>\d+)"
    r"(?:-(?P<rule_name>.+))?-matcher-(?P=match)$"
)
CLUSTER = re.compile(r"^(?P<prefix>[a-z0-9.-]+)_(?P<ns>[a-z0-9-]+)_(?P<name>[^_]+)(?:_(?P<extra>.+))?_(?P<port>\d+)$")
LABEL = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize("length", [1, 62, 63])
def test_a_name_that_fits_a_label_stays_as_it_is(length):
    assert names.safe("g" * length) == "g" * length


def test_a_longer_name_keeps_fifty_characters_and_the_start_of_its_hash():
    name = "g" * 64
    assert names.safe(name) == "g" * 50 + "-" + sha256(name.encode()).hexdigest()[:12]


def test_dashes_at_the_cut_are_trimmed():
    name = "g" * 48 + "--" + "x" * 20
    assert names.safe(name) == "g" * 48 + "-" + sha256(name.encode()).hexdigest()[:12]


@given(st.from_regex(r"[a-z][-a-z0-9]{0,250}[a-z0-9]", fullmatch=True))
def test_safe_names_are_always_labels(name):
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", names.safe(name))


def test_cluster_names():
    assert names.service_cluster("httpbin", "httpbin", 8000) == "kube_httpbin_httpbin_8000"
    assert names.backend_cluster("default", "http2") == "backend_default_http2_0"


@given(LABEL, LABEL, st.integers(1, 65535))
def test_a_cluster_name_gives_its_parts_back(namespace, service, port):
    found = CLUSTER.match(names.service_cluster(namespace, service, port))
    assert found is not None
    assert (found["prefix"], found["ns"], found["name"], found["port"]) == ("kube", namespace, service, str(port))


def test_listener_and_filter_chain_names():
    assert names.listener(8080) == "listener~8080"
    assert names.listener_set_route_config("ls-1-ns", "ls-1", "tls-ls1") == "ls-1-ns/ls-1/tls-ls1"
    assert names.l4_filter_chain(8080, "default", "example-tcp-route") == (
        "listener~8080-default.example-tcp-route-rule-0"
    )


@pytest.mark.parametrize(
    ("route_config", "hostname", "expected"),
    [
        ("listener~80", "bar.example.com", "listener~80~bar_example_com"),
        ("listener~8090", "", "listener~8090~*"),
        ("listener~8090", "*", "listener~8090~*"),
        ("listener~80", "*.a.com", "listener~80~*_a_com"),
        ("infra/sets.v1/https", "a.com", "infra/sets_v1/https~a_com"),
    ],
)
def test_virtual_host_names(route_config, hostname, expected):
    assert names.virtual_host(route_config, hostname) == expected


def test_route_core_is_found_in_the_full_name():
    core = names.route_core(kind="HTTPRoute", namespace="default", name="bar-route", rule=0, match=0)
    full = "listener~80~bar_example_com-route-0-httproute-bar-route-default-0-0-matcher-0"
    assert core == "httproute-bar-route-default-0-0"
    assert core in full
    found = ROUTE.match(full)
    assert found is not None
    assert found["vhost"] == names.virtual_host(names.listener(80), "bar.example.com")


def test_route_core_carries_the_rule_name():
    core = names.route_core(kind="GRPCRoute", namespace="ns", name="r", rule=2, match=1, rule_name="slow")
    assert core == "grpcroute-r-ns-2-1-slow"


@pytest.mark.parametrize(
    ("template", "rule_name", "expected"),
    [
        ("{{route_namespace}}.{{route_name}}.{{rule_name}}", "pay", "shop.cart.pay"),
        ("{{route_namespace}}.{{route_name}}.{{rule_name}}", "", "shop.cart"),
        ("{{ route_name }}.{{rule_name}}.all", "", "cart.all"),
        ("{{route_name}}-{{rule_name}}", "", "cart-"),
        ("fixed", "pay", "fixed"),
        ("", "pay", ""),
    ],
)
def test_stat_prefix_expansion(template, rule_name, expected):
    assert names.stat_prefix(template, namespace="shop", name="cart", rule_name=rule_name) == expected
