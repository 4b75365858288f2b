"""What is not forbidden but unwise, and who else writes the object."""

from __future__ import annotations

from typing import Any

import pytest

from changing import (
    CLUSTER,
    TO_A,
    TO_B,
    Document,
    edited,
    endpoints,
    exposing,
    fleet,
    key_of,
    proxy,
    ref,
    route,
    rule,
    service,
    snapshot_of,
    traffic,
    weights,
)
from gwtui.changes.blast import blast_radius
from gwtui.changes.plan import Caution
from gwtui.changes.weighing import cautions, owners
from gwtui.model.snapshot import ProxyView, Snapshot

SHOP = route("shop", rule(ref("shard-a", 90), ref("shard-b", 10)))
READY = (endpoints("shard-a", "infra", 2), endpoints("shard-b", "infra", 2), endpoints("cart", "foo", 1))


def weighed(before: Document, after: Document, snapshot: Snapshot) -> dict[str, Caution]:
    blast = blast_radius(snapshot, CLUSTER, [before], [after])
    return {each.code: each for each in cautions(snapshot, key_of(before), before, after, blast)}


def loaded(*more: Document, series: list[float], every_s: float = 2.0) -> Snapshot:
    figures = traffic(50.0, {TO_A: 45.0, TO_B: 5.0}, {"infra/shop/": 50.0})
    proxies: list[ProxyView] = [proxy("edge-x1", figures), proxy("edge-x2", figures)]
    proxies += [proxy("shard-a-y1", traffic(90.0), [91.0, 90.0]), proxy("shard-b-z1", traffic(10.0), series, every_s)]
    return snapshot_of(fleet(SHOP, exposing("shop"), *READY, *more), *proxies)


@pytest.mark.parametrize(
    ("peak", "every_s", "is_near"), [(80.0, 60.0, False), (60.0, 60.0, True), (20.0, 60.0, True), (20.0, 2.0, False)]
)
def test_a_load_near_or_over_the_peak_that_was_observed_for_a_while(peak, every_s, is_near):
    found = weighed(SHOP, weights(SHOP, 50, 50), loaded(series=[peak, 10.0], every_s=every_s))
    assert ("near-peak" in found) is is_near


def test_a_short_window_is_told_and_a_long_one_is_not_doubted():
    short = weighed(SHOP, weights(SHOP, 50, 50), loaded(series=[55.0, 10.0, 10.0], every_s=60.0))
    assert "infra/shard-b would take 50 requests/s: 91% of the most it was seen to take" in short["near-peak"].text
    assert "in the 2 min it was watched, which is a short time" in short["near-peak"].text
    long = weighed(SHOP, weights(SHOP, 50, 50), loaded(series=[55.0, 10.0, 10.0], every_s=3600.0))
    assert "short" not in long["near-peak"].text


def test_what_gets_less_is_not_near_its_peak():
    found = weighed(SHOP, weights(SHOP, 85, 15), loaded(series=[100.0, 10.0]))
    assert not found  # shard-a comes down from 99 % of its peak to 94 %


def test_more_for_a_backend_that_is_not_wholly_ready():
    half = [*fleet(SHOP), endpoints("shard-a", "infra", 2), endpoints("shard-b", "infra", 1, 2)]
    found = weighed(SHOP, weights(SHOP, 50, 50), snapshot_of(half))
    assert found.keys() == {"unhealthy-target"}
    assert (
        "infra/shard-b, of which 1 of 3 endpoints are ready (told by its endpoints)" in found["unhealthy-target"].text
    )
    assert not weighed(SHOP, weights(SHOP, 100, 0), snapshot_of(half))


def test_proxies_see_what_is_not_ready():
    figures = traffic(100.0, members={TO_A: (2, 2), TO_B: (0, 2)})
    look = snapshot_of(fleet(SHOP, *READY), proxy("edge-x1", figures), proxy("edge-x2", figures))
    assert "(told by the proxies of infra/edge)" in weighed(SHOP, weights(SHOP, 1, 1), look)["unhealthy-target"].text


def test_backends_of_two_protocols():
    calls = service("calls", "infra", appProtocol="kubernetes.io/h2c")
    look = snapshot_of(fleet(SHOP, calls, endpoints("calls", "infra", 1), *READY))
    after = edited(SHOP, lambda spec: spec["rules"][0]["backendRefs"].append(ref("calls")))
    found = weighed(SHOP, after, look)
    assert "calls kubernetes.io/h2c" in found["two-protocols"].text
    assert not weighed(SHOP, weights(SHOP, 1, 1), look)


def test_what_it_shadows_is_among_the_cautions():
    older = route("older", rule("shard-a"), created="2020-01-01T00:00:00Z")
    look = snapshot_of(fleet(SHOP, older, *READY))
    assert "shadowed" in weighed(SHOP, weights(SHOP, 1, 1), look)


def test_a_broken_draft_and_an_unknown_cluster_have_no_cautions():
    broken = edited(SHOP, lambda spec: spec["rules"][0]["backendRefs"][0].update(weight="much"))
    assert not weighed(SHOP, broken, snapshot_of(fleet(SHOP)))
    assert not weighed(SHOP, SHOP, Snapshot())


def managed(manager: str, *fields: str, **more: Any) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": "Apply",
        "fieldsV1": {"f:spec": {f"f:{each}": {} for each in fields}},
        **more,
    }


def owned(*entries: dict[str, Any], **metadata: Any) -> list[tuple[str, str, bool]]:
    stored = {**SHOP, "metadata": {**SHOP["metadata"], "managedFields": list(entries), **metadata}}
    return [(each.name, each.evidence, each.reverts) for each in owners(stored)]


def test_a_gitops_controller_reverts_and_what_it_manages_is_told():
    tracking = {"argocd.argoproj.io/tracking-id": "edge:gateway.networking.k8s.io/HTTPRoute:infra/shop"}
    found = owned(managed("argocd-controller", "rules", "hostnames"), annotations=tracking)
    evidence = "annotation argocd.argoproj.io/tracking-id, manages spec.hostnames, spec.rules as argocd-controller"
    assert found == [("Argo CD app edge", evidence, True)]


@pytest.mark.parametrize(
    ("manager", "name", "reverts"),
    [
        ("kustomize-controller", "Flux", True),
        ("helm-controller", "Flux", True),
        ("rollouts-controller", "Argo Rollouts", True),
        ("flagger", "Flagger", True),
        ("helm", "Helm", False),
        ("kubectl-client-side-apply", "kubectl-client-side-apply", False),
        ("some-operator", "some-operator", False),
    ],
)
def test_who_manages_the_spec_is_an_owner(manager, name, reverts):
    found = owned(managed(manager, "rules"))
    assert [(each[0], each[2]) for each in found] == [(name, reverts)]
    assert "manages spec.rules" in found[0][1]


def test_who_writes_the_status_alone_and_we_ourselves_are_no_owners():
    status = {"manager": "kgateway", "subresource": "status", "fieldsV1": {"f:status": {}}}
    labels = {"manager": "labeller", "fieldsV1": {"f:metadata": {"f:labels": {}}}}
    assert owned(status, labels, managed("gwtui", "rules")) == []


def test_those_that_revert_come_first():
    found = owned(managed("kubectl-edit", "rules"), managed("helm", "rules"), managed("argocd-controller", "rules"))
    assert found[0][0] == "Argo CD"
    assert {each[0] for each in found} == {"Argo CD", "Helm", "kubectl-edit"}
