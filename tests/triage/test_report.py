"""Ranking, folding, documents and lines, and that what is well stays quiet."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import golden
from gwtui.model.ids import GatewayKey, ObjectKey, ProxyKey
from gwtui.model.inspection import Inspection
from gwtui.model.known import Known, Unknown
from gwtui.model.topology import relate
from gwtui.triage.detail import detail
from gwtui.triage.document import triage_document
from gwtui.triage.evaluation import Report, evaluate, evaluation
from gwtui.triage.finding import Finding, Severity, Truth, at_gateway
from gwtui.triage.line import triage_line
from gwtui.triage.ranking import EXPLAINS, order, ranked
from gwtui.triage.registry import RULES
from gwtui.triage.table import columns, counters, row, triage_table
from gwtui.views.scene import Scene
from gwtui.views.spans import plain, width
from object_sets import CLUSTERS
from objects import GOLDEN, load
from tests.triage.lab import BATCH, CLUSTER, EDGE, NOW, SHARD_B, TO_B, Fleet, Trouble, report, watch, wrong
from tests.tui import fleet as made
from tests.tui import fleets, inspected

DOCS = Path(__file__).parents[2] / "docs" / "triage.md"
THING, OTHER = (ObjectKey(CLUSTER, "services", "a", name) for name in ("x", "y"))
WELL = [
    name
    for path in sorted((GOLDEN / "topology").glob("*.in.yaml"))
    if (name := path.name.removesuffix(".in.yaml")) not in {"oddities", "central-ingress"}
]
"""Installations without anything wrong: `oddities` is full of it, and `central-ingress` has a lone weight 0."""


def finding(rule: str, severity: Severity = Severity.WARNING, rps: float | None = None, **fields: object) -> Finding:
    at_stake = Unknown("nobody counts") if rps is None else Known(rps, NOW)
    return Finding(
        rule=rule, severity=severity, sentence=rule, place=at_gateway(EDGE), at_stake=at_stake, since=NOW, **fields
    )


def test_rule_ids_are_unique_and_documented() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids)) == 29
    text = DOCS.read_text(encoding="utf-8")
    assert [each for each in ids if f"| `{each}` |" not in text] == []
    known = {*ids}
    assert {*EXPLAINS} <= known
    assert {each for symptoms in EXPLAINS.values() for each in symptoms} <= known


def test_severity_comes_first_then_what_is_at_stake_then_how_sure_it_is() -> None:
    found = [
        finding("a", Severity.INFO, 900.0),
        finding("b", Severity.WARNING, 0.0),
        finding("c", Severity.WARNING),
        finding("d", Severity.WARNING, 10.0),
        finding("e", Severity.WARNING, 10.0, confidence=0.5),
        finding("f", Severity.CRITICAL, 1.0),
    ]
    assert [each.rule for each in ranked(found)] == ["f", "d", "e", "c", "b", "a"]


def test_a_symptom_is_folded_under_its_cause_and_lends_it_its_severity() -> None:
    cause = finding("missing-backend", affects=frozenset({THING}), about=frozenset({THING}))
    symptom = finding("backend-errors", Severity.CRITICAL, 50.0, about=frozenset({THING}))
    elsewhere = finding("timeouts", Severity.CRITICAL, 5.0, about=frozenset({OTHER}))
    first, second = ranked([symptom, cause, elsewhere])
    assert (first.rule, first.severity, first.at_stake) == ("missing-backend", Severity.CRITICAL, Known(50.0, NOW))
    assert [each.rule for each in first.folded] == ["backend-errors"]
    assert second.rule == "timeouts"


def test_what_has_a_cause_that_has_a_cause_is_folded_under_the_first() -> None:
    root = finding("no-healthy-front", affects=frozenset({THING}))
    middle = finding("proxy-silent", about=frozenset({THING}), affects=frozenset({OTHER}))
    last = finding("connect-failures", about=frozenset({OTHER}))
    (first,) = ranked([last, middle, root])
    assert sorted(each.rule for each in first.folded) == ["connect-failures", "proxy-silent"]


def test_two_that_explain_each_other_do_not_vanish() -> None:
    both = frozenset({THING})
    one = finding("ejection", rps=2.0, about=both, affects=both)
    other = finding("panic-mode", rps=1.0, about=both, affects=both)
    (first,) = ranked([one, other])
    assert (first.rule, [each.rule for each in first.folded]) == ("ejection", ["panic-mode"])


FINDINGS = st.builds(
    lambda rule, severity, rps, about, affects, detail: finding(
        rule, severity, rps, about=frozenset(about), affects=frozenset(affects), detail=detail
    ),
    st.sampled_from([rule.id for rule in RULES]),
    st.sampled_from(list(Severity)),
    st.one_of(st.none(), st.floats(0, 1e6)),
    st.sets(st.sampled_from([THING, OTHER])),
    st.sets(st.sampled_from([THING, OTHER])),
    st.text("abc", max_size=3),
)


@given(st.lists(FINDINGS, max_size=12, unique_by=lambda each: each.id))
def test_ranking_loses_nothing_and_orders_everything(found: list[Finding]) -> None:
    told = ranked(found)
    assert sorted(each.id for top in told for each in (top, *top.folded)) == sorted(each.id for each in found)
    assert all(order(one) <= order(other) for one, other in pairwise(told))
    assert ranked(list(reversed(found))) == told


@pytest.mark.parametrize("name", WELL)
def test_installations_that_are_well_give_nothing_above_info(name: str) -> None:
    # Requests between gateways are left out: how they divide is not what this is about.
    hops = relate(CLUSTER, load(name)).hops
    between = {
        (hop.source.name, each): 0 for hop in hops if isinstance(hop.target, GatewayKey) for each in hop.envoy_clusters
    }
    assert wrong(report(Fleet(manifests_of(name), rates=between))) == []


@given(CLUSTERS)
@settings(max_examples=60, deadline=None)
def test_whatever_a_cluster_holds_the_rules_say_something_of_it(manifests: list[dict[str, object]]) -> None:
    told = report(Fleet(manifests, steps=2))
    assert triage_table(told)
    json.dumps(triage_document(told))
    for each in told.findings:
        truths = {one.truth for one in each.evidence}
        assert truths, each.sentence
        assert Truth.CLAIMED not in truths or truths == set(Truth), "a status stands alone"


def manifests_of(name: str) -> list[dict[str, object]]:
    text = (GOLDEN / "topology" / f"{name}.in.yaml").read_text(encoding="utf-8")
    assert load(name)
    return [each for each in yaml.safe_load_all(text) if each]


def incident() -> Report:
    return report(
        Fleet(
            troubles=[
                Trouble(
                    "shard-b", BATCH, each={"errors_5xx": 20, "connect_failures": 20}, levels={"members_healthy": 1}
                ),
                Trouble("edge", TO_B, each={"errors_5xx": 10}),
            ],
            silent=["edge-x2"],
        )
    )


def test_the_document() -> None:
    golden.check("triage/incident.json", triage_document(incident()))


def test_the_table() -> None:
    golden.check("triage/incident.txt", triage_table(incident()))
    assert triage_table(report(Fleet())) == "nothing is wrong as far as is known\n"


def test_the_lines_of_a_finding_fit_and_tell_every_truth() -> None:
    told = incident()
    for each in told.findings:
        lines = [plain(line) for line in detail(each, told.at, 78)]
        assert all(len(line) <= 78 for line in lines), lines
        assert any(line.startswith(("loaded", "served")) for line in lines)


@pytest.mark.parametrize("cells", [79, 139])
def test_a_row_fills_its_columns(cells: int) -> None:
    told = incident()
    every = columns(told.findings, clusters=1, cells=cells)
    assert sum(column.cells + 1 for column in every) <= cells + 1
    cells_of = row(told.findings[0], every, told.at)
    assert plain(cells_of.cells[0]) == "✖ critical"
    assert width(cells_of.cells[0]) <= every[0].cells
    assert counters(told) == " ✖1 ◐1"


def scene(snapshot: object) -> Scene:
    return Scene(snapshot, (made.CLUSTER,), made.NOW)


def line_of(snapshot: object) -> str:
    found = scene(snapshot)
    return plain(triage_line(found, evaluate(found).report))


def test_the_why_line() -> None:
    assert line_of(made.central_ingress()).startswith(
        " ✖ tier 2 infra/shard-b: extra/batch answers 5xx to 1.08% of 3.5k rps, 1 of 3 endpoints ready"
    )
    assert "nothing stands out" in line_of(made.healthy())
    assert line_of(made.LOADING) == ""


def test_what_is_not_read_is_told_but_no_incident() -> None:
    snapshot = fleets.mixed()
    well = replace(snapshot, proxies={key: view for key, view in snapshot.proxies.items() if "egress" not in key.pod})
    cluster = snapshot.clusters[made.CLUSTER]
    gateways = tuple(each for each in cluster.topology.gateways if each.key.name != "egress")
    hops = tuple(each for each in cluster.topology.hops if each.source.name != "egress")
    topology = replace(cluster.topology, gateways=gateways, hops=hops)
    well = replace(well, clusters={made.CLUSTER: replace(cluster, topology=topology)})
    assert line_of(well) == " ● nothing stands out  2 proxies answering  ○ 3 gateways not read by gwtui yet"


def test_a_host_outside_that_errs_is_the_first_thing() -> None:
    assert line_of(fleets.mixed()).startswith(" ✖ tier 1 infra/egress: api.bank.example answers 5xx to 2.1% of 80 rps")


def test_what_a_proxy_holds_is_the_first_thing_when_nothing_else_is_wrong() -> None:
    def told(changed: dict[ProxyKey, Inspection]) -> str:
        found = made.healthy()
        proxies = {key: replace(each, inspection=changed.get(key)) for key, each in found.proxies.items()}
        return line_of(replace(found, proxies=proxies))

    assert "nothing stands out" in told({})
    expired = told({inspected.SHARD_B: inspected.inspection(inspected.SHARD_B)})
    assert expired.startswith(" ✖ tier 2 infra/shard-b: the certificate of")


def test_an_evaluation_gives_way_often() -> None:
    snapshot = watch(Fleet())[-1]
    parts = sum(1 for _ in evaluation(Scene(snapshot, (CLUSTER,), NOW)))
    assert parts >= len(RULES)


def test_a_finding_keeps_its_identity() -> None:
    ids = [
        {each.id for each in report(Fleet(troubles=[Trouble("shard-b", BATCH, each={"errors_5xx": n})])).findings}
        for n in (10, 20)
    ]
    assert ids[0] == ids[1] != set()
    assert str(SHARD_B) in next(iter(ids[0]))
    assert timedelta(0) <= NOW - incident().at
