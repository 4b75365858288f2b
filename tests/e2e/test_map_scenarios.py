"""One map for every deployment pattern: `gwtui map -o json` on each scenario of the playground, against a recorded one.

The recorded documents are `tests/golden/map/scenarios/<scenario>.json`. Read a difference as an operator of that fleet
would before recording it anew.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import golden
from gwtui.errors import Exit
from gwtui.playground.scenario import pattern_names
from running import Demo, start_demo, stop_demo

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("alone")]

PATTERNS = {
    "ai-gateway": {"ai-gateway"},
    "alb-front": {"external-front-door", "simple-ingress"},
    "ambient-egress": {"ambient-egress"},
    "ambient-ingress": {"ambient-ingress", "simple-ingress"},
    "ambient-waypoint": {"ambient-ingress", "ambient-waypoint", "simple-ingress"},
    "central-ingress": {"sharded-central-ingress"},
    "haproxy-front": {"external-front-door", "simple-ingress"},
    "mixed": {"ai-gateway", "sharded"},
    "nlb-front": {"external-front-door", "simple-ingress"},
    "sharded": {"sharded"},
    "sidecar": {"sidecar-ingress", "simple-ingress"},
    "simple-ingress": {"simple-ingress"},
}
"""What each scenario must be recognised as."""

PERIOD_S = 0.5
"""Seconds between two samples of a proxy: a rate needs two of them."""

SETTLE_S = 1.5
SEEN_WITHIN_S = 45.0

FIGURE = re.compile(r"rps|observed_share|\w+_ratio|\w+_ms")
"""Keys of what is measured: they carry the unit."""

VOLATILE = frozenset({"observed_at", "unknown"})
GENERATED = re.compile(r"(-[0-9a-f]+-)[a-z0-9]{5}$")
"""The end of the name of a Deployment's pod: the part that is drawn anew for every pod comes last."""

PAGE = Path(__file__).parents[2] / "docs" / "patterns.md"
NAME = re.compile(r"`([a-z-]+)`")

Json = dict[str, Any]


def stable(value: Any) -> Any:
    """What of a document is the same in every run.

    Figures, the reasons why there is none, and the time are left out; the drawn end of a pod's name becomes `*`.
    """
    if isinstance(value, Mapping):
        return {key: stable(inner) for key, inner in value.items() if key not in VOLATILE and not FIGURE.fullmatch(key)}
    if isinstance(value, list):
        return [stable(inner) for inner in value]
    return GENERATED.sub(r"\1*", value) if isinstance(value, str) else value


@pytest.fixture(scope="module", params=pattern_names())
def scenario(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def cluster(scenario, tmp_path_factory) -> Iterator[Json]:
    """The one cluster of the map of a scenario that runs for real."""
    config = tmp_path_factory.mktemp("map") / "config.toml"
    config.write_text(f"scrape_period_s = {PERIOD_S}\n")
    demo = start_demo("--scenario", scenario, "--duration", "120")
    try:
        yield watched(demo, config)
    finally:
        stop_demo(demo)


def watched(demo: Demo, config: Path) -> Json:
    """Its map once every Envoy of it has shown traffic, or the last one there was time for."""
    deadline = time.monotonic() + SEEN_WITHIN_S
    while True:
        done = demo.gwtui("map", "-o", "json", "--settle", str(SETTLE_S), "--config", str(config))
        assert done.returncode == Exit.OK, done.stderr
        (cluster,) = json.loads(done.stdout)["clusters"]
        if all(map(carries, filter(runs_here, gateways(cluster)))) or time.monotonic() > deadline:
            return cluster


def gateways(cluster: Json) -> list[Json]:
    return [gateway for tier in cluster["tiers"] for gateway in tier["gateways"]]


def named(gateway: Json) -> str:
    return f"{gateway['namespace']}/{gateway['name']}"


def runs_here(gateway: Json) -> bool:
    """Whether its proxies are Envoys of kgateway, which the playground runs; others are there as objects only."""
    return gateway["data_plane"] == "kgateway"


def carries(gateway: Json) -> bool:
    return gateway["state"] == "ok" and gateway["answering"] == len(gateway["proxies"]) and bool(gateway["rps"])


def figures(value: Any) -> Iterator[tuple[Json, Json]]:
    """The figures of everything in a document that has some, with the reasons of those that are not known."""
    if isinstance(value, Mapping) and any(map(FIGURE.fullmatch, value)):
        yield {key: inner for key, inner in value.items() if FIGURE.fullmatch(key)}, value.get("unknown", {})
    parts = [inner for key, inner in value.items() if key != "unknown"] if isinstance(value, Mapping) else value
    for inner in parts if isinstance(parts, list) else ():
        yield from figures(inner)


def test_the_map_is_the_recorded_one(scenario, cluster):
    golden.check(f"map/scenarios/{scenario}.json", stable(cluster))


def test_the_pattern_is_named_with_its_evidence(scenario, cluster):
    assert {found["id"] for found in cluster["patterns"]} == PATTERNS[scenario]
    assert all(found["evidence"] for found in cluster["patterns"])
    assert cluster["missing"] == []


def test_every_end_of_the_map_leads_somewhere(cluster):
    tiers = {named(gateway): tier["tier"] for tier in cluster["tiers"] for gateway in tier["gateways"]}
    assert {door["gateway"] for door in cluster["front_doors"]} <= tiers.keys()
    for edge in cluster["edges"]:
        assert edge["from"] in tiers
        if edge["to_kind"] == "gateway":
            assert tiers[edge["to"]] > tiers[edge["from"]]
    assert {edge["from"] for edge in cluster["edges"]} | {
        edge["to"] for edge in cluster["edges"] if edge["to_kind"] == "gateway"
    } == tiers.keys()


def test_what_has_no_figure_says_why(cluster):
    for found, reasons in figures(cluster):
        assert {key for key, value in found.items() if value is None} == reasons.keys()
        assert all(reasons.values())


def test_an_envoy_has_figures(cluster):
    own = {named(gateway): gateway for gateway in filter(runs_here, gateways(cluster))}
    assert all(map(carries, own.values())), own
    assert all(gateway["error_ratio"] is not None for gateway in own.values())
    for name, gateway in own.items():
        edges = [edge for edge in cluster["edges"] if edge["from"] == name]
        assert None not in {edge["rps"] for edge in edges}, edges
        assert sum(edge["rps"] for edge in edges) == pytest.approx(gateway["rps"], rel=0.1)
        assert sum(edge["observed_share"] for edge in edges) == pytest.approx(1, abs=1e-4)  # six digits are written


def test_what_cannot_run_here_has_none(cluster):
    others = {named(gateway): gateway for gateway in gateways(cluster) if not runs_here(gateway)}
    assert {gateway["answering"] for gateway in others.values()} <= {0}
    for entry in (*others.values(), *(edge for edge in cluster["edges"] if edge["from"] in others)):
        measured = [value for found, _ in figures(entry) for value in found.values()]
        assert measured
        assert set(measured) == {None}


def test_the_documentation_shows_every_pattern_with_scenarios_that_are_recognised_as_it():
    table, _, _ = PAGE.read_text(encoding="utf-8").partition("## Rules")
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    shown = {NAME.findall(pattern)[0]: NAME.findall(scenarios) for _, pattern, scenarios, *_ in rows}
    assert shown.keys() == set().union(*PATTERNS.values())
    for pattern, scenarios in shown.items():
        assert scenarios
        assert all(pattern in PATTERNS[name] for name in scenarios), pattern
    assert {name for scenarios in shown.values() for name in scenarios} == PATTERNS.keys()
