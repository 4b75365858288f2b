"""What proxies count of upstreams: the class of failure, the cause before its symptoms, and what is too little."""

from __future__ import annotations

import pytest

from tests.triage.lab import BATCH, CART, TO_B, Fleet, Trouble, every, of, report, rules, wrong


def test_a_fleet_that_is_well_gives_nothing() -> None:
    assert wrong(report(Fleet())) == []


def test_a_backend_that_answers_5xx_is_the_cause_of_errors_one_tier_above() -> None:
    told = report(
        Fleet(
            troubles=[
                Trouble("shard-b", BATCH, each={"errors_5xx": 20}),
                Trouble("edge", TO_B, each={"errors_5xx": 10}),
            ]
        )
    )
    (first,) = told.findings
    assert first.rule == "backend-errors"
    assert first.sentence == ("tier 2 infra/shard-b: extra/batch answers 5xx to 20% of 50 rps for route extra/batch")
    assert first.severity == "critical"
    assert [each.rule for each in first.folded] == ["backend-errors"]
    assert "gateway infra/shard-b" in first.folded[0].sentence
    assert first.at_stake.value == pytest.approx(50, abs=1)
    assert {each.truth for each in first.evidence} == {"served", "loaded"}


@pytest.mark.parametrize(
    ("each", "levels", "rule", "words"),
    [
        ({"errors_5xx": 20, "connect_failures": 20}, {}, "connect-failures", "(connect failures)"),
        (
            {"errors_5xx": 20, "connect_failures": 20},
            {"members_healthy": 1},
            "connect-failures",
            "1 of 2 endpoints ready",
        ),
        ({"errors_5xx": 20, "timeouts": 20}, {}, "timeouts", "within the default of 15 s"),
        ({"errors_5xx": 20, "overflows": 20}, {}, "breaker-trip", "circuit breaker allows"),
        ({"errors_5xx": 20}, {"members_healthy": 0, "members_total": 0}, "no-ready-endpoints", "get 503"),
        ({"ejections": 1}, {"ejected": 1}, "ejection", "1 of 2 endpoints ejected"),
        ({}, {"members_healthy": 1, "members_total": 4}, "panic-mode", "Envoy panics"),
    ],
)
def test_the_class_of_failure_is_told(each: dict[str, int], levels: dict[str, int], rule: str, words: str) -> None:
    told = report(Fleet(troubles=[Trouble("shard-b", BATCH, each=each, levels=levels)]))
    assert told.findings[0].rule == rule
    assert words in told.findings[0].sentence
    assert "extra/batch" in told.findings[0].sentence


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble("shard-b", BATCH, since=7, each={"errors_5xx": 30}),
        Trouble("shard-b", BATCH, since=3, until=3, each={"errors_5xx": 30}),
        Trouble("shard-b", BATCH, since=5, each={"errors_5xx": 1}),
        Trouble("shard-b", BATCH, since=5, each={"connect_failures": 9}),
        Trouble("shard-b", BATCH, levels={"members_healthy": 1, "members_total": 2}),
    ],
    ids=["one interval", "over", "too few", "tried again for a moment", "half is healthy"],
)
def test_what_a_restart_does_is_no_finding(trouble: Trouble) -> None:
    assert wrong(report(Fleet(troubles=[trouble]))) == []


def test_connections_that_are_tried_again_are_told_when_they_go_on() -> None:
    told = report(Fleet(troubles=[Trouble("shard-b", BATCH, since=1, each={"connect_failures": 9})], steps=12))
    assert of(told, "connect-failures").severity == "warning"


def test_the_same_backend_behind_two_gateways_is_told_once() -> None:
    both = [Trouble(name, BATCH, each={"errors_5xx": 20}) for name in ("shard-a", "shard-b")]
    told = report(Fleet(troubles=both))
    assert len([each for each in told.findings if each.rule == "backend-errors"]) == 1


def test_the_findings_of_two_backends_stay_apart_and_the_busier_comes_first() -> None:
    told = report(
        Fleet(
            troubles=[
                Trouble("shard-b", BATCH, each={"errors_5xx": 20}),
                Trouble("shard-a", CART, each={"errors_5xx": 20}),
            ],
            rates={("shard-a", CART): 90, ("edge", "kube_infra_shard-a_8080"): 45},
        )
    )
    assert [each.place.name for each in told.findings] == ["cart", "batch"]


def test_timeouts_tell_what_each_tier_waits_for() -> None:
    told = report(Fleet(troubles=[Trouble("shard-b", BATCH, each={"errors_5xx": 20, "timeouts": 20})]))
    said = [each.text for each in of(told, "timeouts").evidence if each.truth == "intended"]
    assert said[0].startswith("tier 2 infra/shard-b: extra/batch rule 0: no timeout of its own: 15 s at this tier")
    assert any(words.startswith("tier 1 infra/edge") for words in said)


def test_no_endpoint_that_nobody_asks_for_is_worth_knowing_alone() -> None:
    trouble = Trouble("shard-b", BATCH, levels={"members_healthy": 0, "members_total": 0})
    told = report(Fleet(troubles=[trouble]))
    assert of(told, "no-ready-endpoints").severity == "info"
    assert wrong(told) == []


def test_errors_of_the_proxies_themselves_are_flow_that_is_lost() -> None:
    told = report(Fleet(own={"shard-b": {"errors_5xx": 20, "requests": 20}}))
    found = of(told, "flow-lost")
    assert found.severity == "critical"
    assert "get 5xx from its proxies themselves" in found.sentence
    assert "flow-lost" not in rules(report(Fleet(own={"shard-b": {"errors_5xx": 1, "requests": 1}})))


def test_less_arrives_than_is_sent() -> None:
    told = report(Fleet(rates={("edge", TO_B): 120}, steps=12))
    assert "240 rps are sent to it and 100 rps arrive" in of(told, "flow-lost").sentence
    assert "flow-lost" not in rules(report(Fleet(rates={("edge", TO_B): 60}, steps=12)))


def test_requests_without_a_route() -> None:
    lost = {"no_route": 60, "requests": 60, "errors_4xx": 60}
    found = of(report(Fleet(own={"edge": lost})), "no-route")
    assert "find no route and get 404" in found.sentence
    assert found.severity == "critical"
    few = {"no_route": 3, "requests": 3, "errors_4xx": 3}
    assert "no-route" not in rules(report(Fleet(own={"edge": few})))


def test_a_share_without_route_that_is_usual_is_no_finding() -> None:
    lost = {"no_route": 60, "requests": 60, "errors_4xx": 60}
    assert "no-route" not in rules(report(Fleet(own={"edge": lost}, steps=40)))


def test_every_finding_says_what_is_loaded_or_served_or_that_it_is_not_known() -> None:
    told = report(Fleet(troubles=[Trouble("shard-b", BATCH, each={"errors_5xx": 20})], silent=["edge-x1"]))
    for each in every(told):
        truths = {evidence.truth for evidence in each.evidence}
        assert truths & {"loaded", "served"}, each.sentence
