"""Objects in, Envoy resources out."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from copy import deepcopy
from pathlib import Path

import pytest
import trustme
import yaml

from gwtui.playground.fleet.binary import envoy_binary
from gwtui.playground.translation.attachment import attachments
from gwtui.playground.translation.gateway import ProxyConfig, translate
from gwtui.playground.translation.precedence import candidates, precedence
from gwtui.playground.world import GATEWAYS, HTTP_ROUTES, SECRETS, WATCHED, World

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.name.removesuffix(".in.yaml") for path in GOLDEN.glob("*.in.yaml"))
ADDRESSES = {
    ("app", "web-ready", 8080): ("127.0.0.1", 20001),
    ("app", "web-starting", 8080): ("127.0.0.1", 20002),
}


def translated(world) -> ProxyConfig:
    return translate(world, world.get(GATEWAYS, "infra", "edge"), attachments(world), ADDRESSES)


def document(config: ProxyConfig) -> dict:
    return {
        "listeners": list(config.listeners.values()),
        "routes": list(config.routes.values()),
        "clusters": list(config.clusters.values()),
        "endpoints": list(config.endpoints.values()),
    }


@pytest.mark.parametrize("case", CASES)
def test_translation_is_the_golden_one(golden_world, case):
    found = document(translated(golden_world(case)))
    golden = GOLDEN / f"{case}.out.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(yaml.safe_dump(json.loads(json.dumps(found)), sort_keys=False, width=120))
    assert found == yaml.safe_load(golden.read_text())


def refused_by_envoy(config: ProxyConfig, tmp_path: Path) -> str:
    """What a real Envoy has to say against a configuration; empty when it accepts it."""
    bootstrap = {"staticResources": {"listeners": [], "clusters": []}}
    for listener in config.listeners.values():
        static = deepcopy(listener)
        del static["@type"]
        for chain in static["filterChains"]:
            manager = chain["filters"][0]["typedConfig"]
            routes = dict(config.routes[manager.pop("rds")["routeConfigName"]])
            del routes["@type"]
            # Clusters are allowed to be missing only in routes that come by xDS.
            manager["routeConfig"] = {**routes, "validateClusters": False}
        bootstrap["staticResources"]["listeners"].append(static)
    for cluster in config.clusters:
        static = {"name": cluster, "type": "STATIC", "loadAssignment": {"clusterName": cluster}}
        bootstrap["staticResources"]["clusters"].append(static)
    file = tmp_path / "bootstrap.json"
    file.write_text(json.dumps(bootstrap))
    checked = subprocess.run(
        [envoy_binary(), "--mode", "validate", "-c", file, "-l", "error"], capture_output=True, timeout=30, check=False
    )
    return checked.stderr.decode() if checked.returncode or b"unknown field" in checked.stderr else ""


@pytest.mark.parametrize("case", CASES)
def test_envoy_accepts_the_translation(golden_world, case, tmp_path):
    assert refused_by_envoy(translated(golden_world(case)), tmp_path) == ""


def test_the_check_by_envoy_can_fail(golden_world, tmp_path):
    config = translated(golden_world("precedence"))
    config.routes["listener~8080"]["virtualHosts"][0]["routes"][0]["match"] = {"safeRegex": {"regex": "("}}
    assert "missing )" in refused_by_envoy(config, tmp_path)


def test_https_listeners_become_chains_chosen_by_server_name(golden_world, tmp_path):
    certificate = trustme.CA().issue_cert("secure.example.com")
    world = golden_world("precedence")
    gateway = world.get(GATEWAYS, "infra", "edge")
    listener = {
        "name": "secure",
        "port": 8443,
        "protocol": "HTTPS",
        "hostname": "*.example.com",
        "tls": {"certificateRefs": [{"name": "certificate"}]},
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    gateway["spec"]["listeners"].append(listener)
    assert "listener~8443" not in translated(world).listeners
    data = {
        "tls.crt": certificate.cert_chain_pems[0].bytes(),
        "tls.key": certificate.private_key_pem.bytes(),
    }
    secret = {
        "metadata": {"name": "certificate", "namespace": "infra"},
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }
    objects = {resource: world.all(resource) for resource in WATCHED}
    config = translated(World({**objects, SECRETS: [secret]}))
    (chain,) = config.listeners["listener~8443"]["filterChains"]
    assert (chain["name"], chain["filterChainMatch"]) == ("secure", {"serverNames": ["*.example.com"]})
    assert [each["name"] for each in config.routes["secure"]["virtualHosts"]] == ["secure~shop_example_com"]
    assert refused_by_envoy(config, tmp_path) == ""


def test_every_candidate_of_every_route_has_its_own_place(golden_world):
    world = golden_world("precedence")
    keys = [precedence(each) for route in world.all(HTTP_ROUTES) for each in candidates(route)]
    assert len(set(keys)) == len(keys) == 10


def test_more_specific_matches_come_first(golden_world):
    config = translated(golden_world("precedence"))
    (host,) = config.routes["listener~8080"]["virtualHosts"]
    order = [route["name"].rpartition("-httproute-")[2] for route in host["routes"]]
    assert order == [
        "older-app-1-1-long-matcher-1",  # exact
        "older-app-2-0-matcher-0",  # regular expression
        "older-app-1-0-long-matcher-0",  # longest prefix
        "younger-app-0-1-matcher-1",  # has a method
        "younger-app-0-3-matcher-3",  # two headers
        "younger-app-0-2-matcher-2",  # one header
        "younger-app-0-4-matcher-4",  # one query parameter
        "younger-app-0-0-matcher-0",  # nothing but the prefix
        "older-app-0-0-matcher-0",  # the older of two equal ones
        "younger-app-0-5-matcher-5",
    ]


def test_a_lone_backend_keeps_its_traffic_at_weight_zero(golden_world):
    config = translated(golden_world("backends"))
    assert by_rule(config)["lone-zero"]["route"]["cluster"] == "kube_app_web_80"


def test_only_ready_pods_that_listen_somewhere_are_endpoints(golden_world):
    config = translated(golden_world("backends"))
    (locality,) = config.endpoints["kube_app_web_80"]["endpoints"]
    ports = [each["endpoint"]["address"]["socketAddress"]["portValue"] for each in locality["lbEndpoints"]]
    assert ports == [20001]
    assert config.endpoints["kube_app_shadow_80"]["endpoints"] == []


def test_unresolved_backends_become_a_cluster_that_does_not_exist(golden_world):
    config = translated(golden_world("backends"))
    rules = by_rule(config)
    for name in ("missing", "wrong-port", "gateway"):
        assert rules[name]["route"]["cluster"] == "blackhole-cluster"
        assert rules[name]["route"]["clusterNotFoundResponseCode"] == "INTERNAL_SERVER_ERROR"
    assert "blackhole-cluster" not in config.clusters


def by_rule(config: ProxyConfig) -> dict:
    (host,) = config.routes["listener~8080"]["virtualHosts"]
    named = re.compile(r"-app-\d+-0-(.+)-matcher-0$")
    return {found[1]: route for route in host["routes"] if (found := named.search(route["name"]))}
