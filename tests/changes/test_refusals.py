"""What forbids a change, each with the safe way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from changing import (
    CLUSTER,
    EDGE,
    ENDPOINT_SLICES,
    GA,
    HTTP_ROUTES,
    NOW,
    TO_A,
    TO_B,
    Document,
    edited,
    endpoints,
    fleet,
    key_of,
    proxy,
    ref,
    route,
    rule,
    snapshot_of,
    traffic,
    weights,
    without_kind,
)
from gwtui.changes.plan import Refusal
from gwtui.changes.refusals import refusals
from gwtui.changes.rights import Rule, allows
from gwtui.model.health import SourceHealth, SourceState
from gwtui.model.snapshot import Snapshot

SHOP = route("shop", rule(ref("shard-a", 90), ref("shard-b", 10)))
LONE = route("shop", rule(ref("shard-a")))
MAY = (Rule(("get", "patch"), (GA,), ("httproutes",)),)


def refused(before: Document, after: Document, snapshot: Snapshot | None = None, **more: Any) -> dict[str, Refusal]:
    look = snapshot_of(fleet(before)) if snapshot is None else snapshot
    given = {"rules": MAY, "now": NOW, **more}
    found = refusals(look, key_of(before), before, after, **given)
    assert all(each.safe_way and each.text for each in found)
    return {each.code: each for each in found}


def test_an_ordinary_edit_is_not_refused():
    assert not refused(SHOP, weights(SHOP, 50, 50))
    assert not refused(SHOP, weights(SHOP, 100, 0))


def test_weight_0_on_the_only_backend_is_refused():
    found = refused(LONE, weights(LONE, 0))
    assert found.keys() == {"lone-weight-zero"}
    assert "shard-a" in found["lone-weight-zero"].text


def test_the_only_one_left_may_not_have_weight_0_either():
    left = edited(weights(SHOP, 90, 0), lambda spec: spec["rules"][0]["backendRefs"].pop(0))
    assert "lone-weight-zero" in refused(SHOP, left)


def test_a_trap_that_was_there_before_does_not_forbid_another_edit():
    trapped = weights(LONE, 0)
    after = edited(trapped, lambda spec: spec["rules"][0].update(timeouts={"request": "5s"}))
    assert not refused(trapped, after)
    none = weights(SHOP, 0, 0)
    assert not refused(none, edited(none, lambda spec: spec["rules"].append(rule("shard-a", path="/x"))))


def test_no_weight_at_all_is_refused():
    assert refused(SHOP, weights(SHOP, 0, 0)).keys() == {"all-zero"}


def test_weights_of_streams_fall_into_the_same_traps():
    stream = route("tcp", rule(ref("shard-a", 1), ref("shard-b", 1)), kind="TCPRoute")
    rights = (Rule(("*",), ("*",), ("*",)),)
    assert refused(stream, weights(stream, 0, 0), rules=rights).keys() == {"all-zero"}


def test_delegation_has_no_weights_to_fall_over():
    child = {"group": GA, "kind": "HTTPRoute", "name": "child", "namespace": "infra"}
    parent = route("shop", {"backendRefs": [child]})
    below = route("child", rule("shard-a"), parents=[], hosts=[])
    after = edited(parent, lambda spec: spec["rules"][0]["backendRefs"][0].update(weight=0))
    assert not refused(parent, after, snapshot_of(fleet(parent, below)))


def test_a_redirect_with_backends_is_refused():
    redirect = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}
    after = edited(SHOP, lambda spec: spec["rules"][0].update(filters=[redirect]))
    assert refused(SHOP, after).keys() == {"redirect-with-backends"}


def test_limits_of_the_api_are_named_and_older_ones_are_left_alone():
    crowded = edited(SHOP, lambda spec: spec.update(hostnames=[f"h{at}.example.com" for at in range(17)]))
    found = refused(SHOP, crowded)
    assert found.keys() == {"limit"}
    assert "16" in found["limit"].text
    assert not refused(crowded, weights(crowded, 1, 1))


def test_what_is_no_route_is_refused_by_its_limit():
    broken = edited(SHOP, lambda spec: spec["rules"][0]["backendRefs"][0].update(weight="much"))
    assert refused(SHOP, broken).keys() == {"limit"}


def add(name: str, **more: Any):
    return lambda spec: spec["rules"][0]["backendRefs"].append(ref(name, 1, **more))


def grant(namespace: str, to: str = "") -> Document:
    target = {"group": "", "kind": "Service", **({"name": to} if to else {})}
    who = {"group": GA, "kind": "HTTPRoute", "namespace": "infra"}
    spec = {"from": [who], "to": [target]}
    meta = {"name": "g", "namespace": namespace}
    return {"apiVersion": f"{GA}/v1beta1", "kind": "ReferenceGrant", "metadata": meta, "spec": spec}


def test_a_backend_of_another_namespace_needs_a_grant():
    after = edited(SHOP, add("cart", namespace="foo"))
    assert refused(SHOP, after).keys() == {"no-grant"}
    assert not refused(SHOP, after, snapshot_of(fleet(SHOP, grant("foo"))))
    assert refused(SHOP, after, snapshot_of(fleet(SHOP, grant("foo", "other")))).keys() == {"no-grant"}
    grants = f"referencegrants.{GA}"
    assert not refused(SHOP, after, without_kind(snapshot_of(fleet(SHOP)), grants))


def test_a_mirror_needs_a_grant_as_well():
    copied = {
        "type": "RequestMirror",
        "requestMirror": {"backendRef": {"name": "cart", "namespace": "foo", "port": 8080}},
    }
    after = edited(SHOP, lambda spec: spec["rules"][0].update(filters=[copied]))
    assert refused(SHOP, after).keys() == {"no-grant"}


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ({"name": "nowhere"}, "does not exist"),
        ({"name": "shard-b", "port": 9999}, "no port 9999"),
        ({"name": "gone", "kind": "Backend", "group": "gateway.kgateway.dev", "port": None}, "does not exist"),
    ],
)
def test_a_backend_that_is_known_not_to_exist_is_refused(added, told):
    found = refused(LONE, edited(LONE, add(**added)))
    assert found.keys() == {"no-backend"}
    assert told in found["no-backend"].text


def test_a_backend_that_cannot_be_seen_is_not_missing():
    after = edited(LONE, add("nowhere"))
    assert "no-backend" not in refused(LONE, after, without_kind(snapshot_of(fleet(LONE)), "services"))
    look = snapshot_of(fleet(LONE))
    view = replace(look.clusters[CLUSTER], scopes={"services": frozenset({"foo"})})
    assert "no-backend" not in refused(LONE, after, replace(look, clusters={CLUSTER: view}))


def test_a_backend_that_was_missing_before_does_not_forbid_the_edit():
    broken = edited(SHOP, add("nowhere"))
    assert not refused(broken, weights(broken, 1, 2, 3))


READY_A = endpoints("shard-a", "infra", 2)


def test_shifting_everything_to_what_has_no_ready_endpoint_is_refused():
    look = snapshot_of(fleet(SHOP, READY_A, endpoints("shard-b", "infra", 0, 1)))
    found = refused(SHOP, weights(SHOP, 0, 100), look)
    assert found.keys() == {"last-ready-backend"}
    assert "infra/shard-b" in found["last-ready-backend"].text
    assert not refused(SHOP, weights(SHOP, 1, 99), look)
    removed = edited(SHOP, lambda spec: spec["rules"][0]["backendRefs"].pop(0))
    assert "last-ready-backend" in refused(SHOP, removed, look)


@pytest.mark.parametrize(("selector", "is_refused"), [({"app": "x"}, True), ({}, False)])
def test_a_service_that_selects_nothing_is_not_ready(selector, is_refused):
    manifests = fleet(SHOP, READY_A)
    for each in manifests:
        if each["kind"] == "Service":
            each["spec"]["selector"] = selector
    assert ("last-ready-backend" in refused(SHOP, weights(SHOP, 0, 1), snapshot_of(manifests))) is is_refused


def test_where_endpoints_are_not_read_nothing_is_claimed():
    look = without_kind(snapshot_of(fleet(SHOP)), ENDPOINT_SLICES)
    assert not refused(SHOP, weights(SHOP, 0, 1), look)


@pytest.mark.parametrize(("healthy", "is_refused"), [(0, True), (1, False)])
def test_proxies_may_see_what_endpoints_do_not_tell(healthy, is_refused):
    figures = traffic(100.0, {TO_A: 90.0, TO_B: 10.0}, members={TO_A: (2, 2), TO_B: (healthy, 2)})
    objects = fleet(SHOP, READY_A, endpoints("shard-b", "infra", 2))
    look = snapshot_of(objects, proxy("edge-x1", figures), proxy("edge-x2", figures))
    assert EDGE in {node.key for node in look.clusters[CLUSTER].topology.gateways}
    assert ("last-ready-backend" in refused(SHOP, weights(SHOP, 0, 1), look)) is is_refused


def test_what_was_down_before_may_be_edited_to_what_is_down_too():
    look = snapshot_of(fleet(SHOP, endpoints("shard-a", "infra", 0, 1), endpoints("shard-b", "infra", 0, 1)))
    assert not refused(SHOP, weights(SHOP, 0, 1), look)


def with_source(snapshot: Snapshot, name: str, state: SourceState | None) -> Snapshot:
    view = snapshot.clusters[CLUSTER]
    sources = dict(view.sources)
    if state is None:
        del sources[name]
    else:
        since = NOW - timedelta(seconds=42)
        sources[name] = SourceHealth(state=state, since=since, detail="connection reset", hint="is the server up?")
    return replace(snapshot, clusters={CLUSTER: replace(view, sources=sources)})


@pytest.mark.parametrize(
    ("source", "state", "is_refused"),
    [
        ("api", SourceState.FAILED, True),
        (HTTP_ROUTES, SourceState.STALE, True),
        (HTTP_ROUTES, SourceState.LOADING, True),
        (HTTP_ROUTES, None, True),
        (f"gateways.{GA}", SourceState.STALE, True),
        (f"tlsroutes.{GA}", SourceState.NOT_SERVED, False),
        ("ingresses.networking.k8s.io", SourceState.STALE, False),
    ],
)
def test_a_view_that_is_not_current_is_refused(source, state, is_refused):
    found = refused(SHOP, weights(SHOP, 1, 1), with_source(snapshot_of(fleet(SHOP)), source, state))
    assert ("stale" in found) is is_refused
    if is_refused and state not in {None, SourceState.LOADING}:
        assert "42 s" in found["stale"].text
        assert found["stale"].safe_way == "is the server up?"


def test_a_part_that_is_read_namespace_by_namespace_is_current():
    look = with_source(snapshot_of(fleet(SHOP)), HTTP_ROUTES, SourceState.PARTIAL)
    assert not refused(SHOP, weights(SHOP, 1, 1), look)
    own = with_source(with_source(look, HTTP_ROUTES, None), f"{HTTP_ROUTES}@infra", SourceState.READY)
    assert not refused(SHOP, weights(SHOP, 1, 1), own)
    other = with_source(with_source(look, HTTP_ROUTES, None), f"{HTTP_ROUTES}@foo", SourceState.READY)
    assert "stale" in refused(SHOP, weights(SHOP, 1, 1), other)


def test_an_unknown_cluster_is_refused():
    assert "stale" in refused(SHOP, weights(SHOP, 1, 1), Snapshot())


@pytest.mark.parametrize(
    ("field", "value", "is_refused"), [("generation", 2, True), ("generation", 1, False), ("uid", "another", True)]
)
def test_an_object_that_is_another_by_now_is_refused(field, value, is_refused):
    newer = {**SHOP, "metadata": {**SHOP["metadata"], field: value}}
    found = refused(SHOP, weights(SHOP, 1, 1), snapshot_of(fleet(newer)))
    assert ("stale" in found) is is_refused


def test_a_watch_that_is_behind_what_was_read_does_not_forbid():
    newer = {**SHOP, "metadata": {**SHOP["metadata"], "generation": 5}}
    assert not refused(newer, weights(newer, 1, 1), snapshot_of(fleet(SHOP)))


def test_without_the_right_and_read_only_nothing_may_be_written():
    after = weights(SHOP, 1, 1)
    assert refused(SHOP, after, rules=()).keys() == {"no-right"}
    assert refused(SHOP, after, read_only=True).keys() == {"read-only"}
    assert not refused(SHOP, after, rules=None)


@pytest.mark.parametrize(
    ("given", "is_allowed"),
    [
        (Rule(("patch",), (GA,), ("httproutes",)), True),
        (Rule(("*",), ("*",), ("*",)), True),
        (Rule(("get",), (GA,), ("httproutes",)), False),
        (Rule(("update",), (GA,), ("httproutes",)), False),
        (Rule(("patch",), ("",), ("httproutes",)), False),
        (Rule(("patch",), (GA,), ("grpcroutes",)), False),
        (Rule(("patch",), (GA,), ("httproutes/status",)), False),
        (Rule(("patch",), (GA,), ("httproutes",), ("other",)), False),
        (Rule(("patch",), (GA,), ("httproutes",), ("other", "shop")), True),
    ],
)
def test_which_rules_allow_a_patch(given, is_allowed):
    assert allows([given], verb="patch", group=GA, plural="httproutes", name="shop") is is_allowed


@pytest.mark.parametrize(
    ("held", "is_allowed"), [("pods/proxy", True), ("*/proxy", True), ("*", True), ("pods", False), ("*/exec", False)]
)
def test_subresources_are_rights_of_their_own(held, is_allowed):
    given = Rule(("get",), ("",), (held,))
    assert allows([given], verb="get", group="", plural="pods/proxy", name="x") is is_allowed
