"""What is wrong with objects: what is missing, not in force, late, in conflict, or without effect."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from gwtui.model.snapshot import Snapshot
from tests.triage.lab import (
    CLUSTER,
    NOW,
    Fleet,
    Json,
    central,
    changed,
    found,
    of,
    report,
    route_changed,
    rules,
    with_cluster,
    wrong,
)

GA = "gateway.networking.k8s.io"
SECONDS_AGO = f"{NOW - timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"


def backends(*refs: Json) -> Callable[[Json], object]:
    return lambda route: route["spec"]["rules"][0].update(backendRefs=list(refs))


def ref(name: str, **more: Any) -> Json:
    return {"name": name, "port": 8080, **more}


def judged(kind: str, status: str, reason: str, message: str = "", generation: int = 1) -> Callable[[Json], object]:
    """A condition of the first parent of a route, the others as they are."""

    def change(route: Json) -> None:
        conditions = route["status"]["parents"][0]["conditions"]
        kept = [each for each in conditions if each["type"] != kind]
        new = {"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": generation}
        route["status"]["parents"][0]["conditions"] = [*kept, new]

    return change


def both(*changes: Callable[[Json], object]) -> Callable[[Json], object]:
    return lambda object_: [each(object_) for each in changes]


def test_a_backend_that_does_not_exist_costs_its_share() -> None:
    told = report(route_changed(backends(ref("batch", weight=3), ref("gone", weight=1))))
    first = of(told, "missing-backend")
    assert first.severity == "critical"
    assert first.sentence == (
        "tier 2 infra/shard-b: route extra/batch rule 0: Service extra/gone does not exist: 25% of its requests get 500"
    )
    assert {each.truth for each in first.evidence} == {"intended", "claimed", "loaded", "served"}
    assert (first.place.name, first.place.rule) == ("batch", 0)


def test_a_port_that_a_service_does_not_have() -> None:
    told = report(route_changed(backends(ref("batch", port=9))))
    assert "has no port 9" in of(told, "missing-backend").sentence


def test_a_missing_backend_with_weight_0_costs_nothing() -> None:
    told = report(route_changed(backends(ref("batch", weight=1), ref("gone", weight=0))))
    assert of(told, "missing-backend").severity == "info"


def test_a_backend_of_another_namespace_without_a_grant() -> None:
    to_cart = backends(ref("cart", namespace="foo"))
    found_ = of(report(route_changed(to_cart)), "missing-grant")
    assert "no ReferenceGrant in foo lets HTTPRoute of extra use Service cart" in found_.sentence
    grant = {
        "apiVersion": f"{GA}/v1beta1",
        "kind": "ReferenceGrant",
        "metadata": {"name": "batch", "namespace": "foo"},
        "spec": {
            "from": [{"group": GA, "kind": "HTTPRoute", "namespace": "extra"}],
            "to": [{"group": "", "kind": "Service"}],
        },
    }
    granted = [*route_changed(to_cart).manifests, grant]
    assert rules(report(Fleet(granted))) == set()


def test_what_was_not_read_is_not_missing() -> None:
    def narrow(snapshot: Snapshot) -> Snapshot:
        view = snapshot.clusters[CLUSTER]
        return with_cluster(snapshot, objects={name: each for name, each in view.objects.items() if name != "services"})

    told = report(route_changed(backends(ref("batch"), ref("gone"))), alter=narrow)
    assert "missing-backend" not in rules(told)


def test_a_parent_gateway_that_does_not_exist() -> None:
    def elsewhere(route: Json) -> None:
        route["spec"]["parentRefs"][0]["name"] = "nowhere"
        route["status"]["parents"] = []

    found_ = of(report(route_changed(elsewhere)), "missing-gateway")
    assert "its parent Gateway infra/nowhere does not exist: it takes nothing at all" in found_.sentence


def test_a_listener_the_parent_does_not_have() -> None:
    def named(section: str) -> Callable[[Json], object]:
        def change(route: Json) -> None:
            route["spec"]["parentRefs"][0]["sectionName"] = section
            route["status"]["parents"][0]["parentRef"]["sectionName"] = section
            judged("Accepted", "False" if section == "https" else "True", "NoMatchingParent")(route)

        return change

    told = report(route_changed(named("https")))
    assert "Gateway infra/shard-b has no listener https" in of(told, "missing-gateway").sentence
    assert "not-programmed" not in rules(told)
    assert wrong(report(route_changed(named("http")))) == []


def test_a_rule_that_was_replaced() -> None:
    told = report(route_changed(judged("kgateway.dev/Programmed", "False", "RouteRuleReplaced", "invalid regex")))
    first = of(told, "not-programmed")
    assert first.severity == "critical"
    assert (
        "is accepted and not in force as written: requests get 500 (RouteRuleReplaced: invalid regex)" in first.sentence
    )
    assert any(each.is_unknown and each.truth == "loaded" for each in first.evidence)


def test_a_route_that_is_refused() -> None:
    told = report(route_changed(judged("Accepted", "False", "NotAllowedByListeners")))
    assert "is refused: none of its requests get there (NotAllowedByListeners)" in of(told, "not-programmed").sentence


def test_a_route_that_was_changed_a_second_ago_is_not_judged_yet() -> None:
    fresh = both(
        judged("kgateway.dev/Programmed", "False", "RouteRuleReplaced"),
        lambda route: route["metadata"].update(
            managedFields=[{"manager": "kubectl", "operation": "Update", "time": SECONDS_AGO}]
        ),
    )
    assert wrong(report(route_changed(fresh))) == []


def gateway_judged(kind: str, reason: str) -> Callable[[Json], object]:
    def change(gateway: Json) -> None:
        for each in gateway["status"]["conditions"]:
            if each["type"] == kind:
                each.update(status="False", reason=reason)

    return change


@pytest.mark.parametrize(
    ("kind", "reason", "severity", "words"),
    [
        ("Programmed", "Invalid", "critical", "is not programmed (Invalid)"),
        ("Accepted", "InvalidParameters", "critical", "is not accepted (InvalidParameters)"),
        ("Programmed", "AddressNotAssigned", "warning", "is not programmed (AddressNotAssigned)"),
    ],
)
def test_a_gateway_that_is_not_programmed(kind: str, reason: str, severity: str, words: str) -> None:
    manifests = changed(central(), "Gateway", "shard-b", gateway_judged(kind, reason))
    found_ = of(report(Fleet(manifests, steps=16)), "not-programmed")
    assert found_.severity == severity
    assert words in found_.sentence
    assert any(each.truth == "loaded" and "1/1 proxies answer" in each.text for each in found_.evidence)


def listener_judged(kind: str, status: str, reason: str) -> Callable[[Json], object]:
    def change(gateway: Json) -> None:
        conditions = gateway["status"]["listeners"][0]["conditions"]
        kept = [each for each in conditions if each["type"] != kind]
        gateway["status"]["listeners"][0]["conditions"] = [*kept, {"type": kind, "status": status, "reason": reason}]

    return change


def test_a_listener_without_its_certificate() -> None:
    bad = listener_judged("ResolvedRefs", "False", "InvalidCertificateRef")
    found_ = of(report(Fleet(changed(central(), "Gateway", "edge", bad))), "not-programmed")
    assert "listener http is without what it refers to (InvalidCertificateRef)" in found_.sentence


def test_listeners_in_conflict_by_their_status() -> None:
    told = report(
        Fleet(changed(central(), "Gateway", "edge", listener_judged("Conflicted", "True", "HostnameConflict")))
    )
    assert "listener http is in conflict (HostnameConflict)" in of(told, "listener-conflict").sentence
    assert "not-programmed" not in rules(told)


def test_listeners_in_conflict_by_their_own_words() -> None:
    def twice(port: int) -> Callable[[Json], object]:
        return lambda gateway: gateway["spec"]["listeners"].append(
            {"name": "other", "port": port, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}
        )

    told = report(Fleet(changed(central(), "Gateway", "shard-b", twice(8080))))
    found_ = of(told, "listener-conflict")
    assert "ask for the same port 8080" in found_.sentence
    assert any(each.text == "no status says that they conflict" for each in found_.evidence)
    assert "listener-conflict" not in rules(report(Fleet(changed(central(), "Gateway", "shard-b", twice(8081)))))


def test_a_status_about_an_older_generation() -> None:
    late = lambda route: route["metadata"].update(generation=2)  # noqa: E731
    assert "status is of generation 1 of 2" in of(report(Fleet(route_changed(late).manifests)), "status-lag").sentence
    assert wrong(report(Fleet(route_changed(late).manifests, steps=2))) == [], "the controller is given its time"


def test_statuses_of_many_routes_that_lag_are_told_of_the_gateway() -> None:
    manifests = central()
    route = found(manifests, "HTTPRoute", "batch")
    for number in range(4):
        copy = deepcopy(route)
        copy["metadata"].update(name=f"late-{number}", generation=2)
        copy["spec"]["hostnames"] = [f"late-{number}.example.com"]
        manifests.append(copy)
    assert "the statuses of 4 routes are about older generations" in of(report(Fleet(manifests)), "status-lag").sentence


def test_weights_that_are_all_0() -> None:
    found_ = of(report(route_changed(backends(ref("batch", weight=0), ref("feed", weight=0)))), "weight-trap")
    assert found_.severity == "critical"
    assert "all 2 weights are 0" in found_.sentence


def test_a_lone_weight_0_drains_nothing() -> None:
    found_ = of(report(route_changed(backends(ref("batch", weight=0)))), "weight-trap")
    assert found_.severity == "warning"
    assert "kgateway sends everything there" in found_.sentence
    assert wrong(report(route_changed(backends(ref("batch", weight=0), ref("feed", weight=1))))) == []


def test_a_rule_that_another_route_shadows() -> None:
    def added(namespace: str, path: str) -> Fleet:
        manifests = central()
        older = deepcopy(found(manifests, "HTTPRoute", "batch"))
        older["metadata"].update(name="older", namespace=namespace, creationTimestamp="2026-01-01T00:00:00Z")
        older["spec"]["rules"][0]["matches"][0]["path"]["value"] = path
        return Fleet([*manifests, older])

    found_ = of(report(added("extra", "/")), "shadowed-rule")
    assert found_.severity == "warning"
    assert (
        "route extra/batch rule 0 (/ on shop.example.com) never matches: extra/older rule 0 takes it" in found_.sentence
    )
    assert "it is older" in found_.sentence
    assert "shadowed-rule" not in rules(report(added("extra", "/other")))


def test_limits_that_are_near_are_worth_knowing() -> None:
    def hosts(number: int) -> Callable[[Json], object]:
        return lambda route: route["spec"].update(hostnames=[f"h{each}.example.com" for each in range(number)])

    found_ = of(report(route_changed(hosts(15))), "limit-near")
    assert found_.severity == "info"
    assert "has 15 of at most 16 hostnames" in found_.sentence
    assert rules(report(route_changed(hosts(14)))) == set()


@pytest.mark.parametrize(("listeners", "near"), [(58, 1), (57, 0)])
def test_listeners_near_their_limit(listeners: int, near: int) -> None:
    def many(gateway: Json) -> None:
        gateway["spec"]["listeners"] += [
            {"name": f"l{each}", "port": 9000 + each, "protocol": "HTTP"} for each in range(1, listeners)
        ]

    told = report(Fleet(changed(central(), "Gateway", "edge", many)))
    assert len([each for each in told.findings if each.rule == "limit-near"]) == near
