"""A drain is taken back from wherever it was cut off; and drained gateways are found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changing import CLUSTER, EDGE, NOW, SHARD_A, SHARD_B, proxy, ref, route, rule
from draining import (
    SENDING,
    SERVING,
    all_live,
    carried_out,
    change_of,
    codes,
    copied_all,
    documents_of,
    drawn,
    ingress,
    key,
    posts,
    titles,
    told,
    weights_of,
    written,
)
from gwtui.changes.documents import rules_of
from gwtui.changes.drains.drawing import draw_up
from gwtui.changes.drains.found import DrainedGateway, drained
from gwtui.changes.drains.needs import objects_needed
from gwtui.changes.drains.undrawing import draw_back
from gwtui.changes.drains.wish import DrainWish, OneProxy, Shard
from gwtui.changes.plan import Plan, StageKind, Verdict
from gwtui.errors import Refused
from gwtui.model.ids import ProxyKey

TAKER = "infra/shard-b"
FOO = key("HTTPRoute", "infra", "foo")


def begun(given=None, **more):
    snapshot, manifests = given or ingress()
    wish = DrainWish(target=Shard(SHARD_A), to=TAKER, **more)
    documents = documents_of(manifests, objects_needed(snapshot, wish))
    return snapshot, documents, draw_up(snapshot, wish, documents, now=NOW)


def test_ready_first_then_weights_then_what_was_attached():
    snapshot, documents, found = begun()
    change = change_of(found)
    back = draw_back(snapshot, change, carried_out(found, documents), now=NOW)
    assert not codes(back)
    assert titles(back) == [
        "wait until infra/shard-a is ready",
        "give infra/shard-a its weights again",
        "detach what was attached to infra/shard-b",
    ]
    assert [stage.kind for stage in back.stages] == [StageKind.READY, StageKind.WRITE, StageKind.WRITE]
    assert back.stages[0].gateways == (SHARD_A,)
    assert all(stage.truths == ("stored", "programmed", "loaded") for stage in back.stages[1:])
    assert weights_of(written(back, 1)["infra/foo"]) == [1]
    assert [step.gateways for step in back.steps] == [(EDGE,)] * 3 + [(SHARD_B,)] * 2
    assert back.drain == found.drain
    assert back.title == "undrain infra/shard-a"


def restored(snapshot, documents, change, now):
    back = draw_back(snapshot, change, now, now=NOW)
    assert not codes(back)
    return carried_out(back, now) == documents


def test_cut_off_at_any_step_whether_the_last_write_arrived_or_not():
    snapshot, documents, found = begun()
    for done in range(len(found.steps)):
        for arrived in (done, done + 1):
            change = change_of(found, applied=range(done), uncertain=[done], verdict=Verdict.OPEN)
            assert restored(snapshot, documents, change, carried_out(found, documents, arrived))


def test_a_reverse_that_got_no_answer():
    snapshot, documents, found = begun()
    last = len(found.steps) - 1
    change = change_of(found, uncertain=[last])
    assert restored(snapshot, documents, change, carried_out(found, documents, last))
    assert restored(snapshot, documents, change, carried_out(found, documents))


def test_what_others_changed_stays_and_the_same_place_is_named():
    snapshot, documents, found = begun()
    now = carried_out(found, documents)
    now[FOO]["spec"]["hostnames"].append("more.example.com")
    back = draw_back(snapshot, change_of(found), now, now=NOW)
    assert written(back, 1)["infra/foo"]["spec"]["hostnames"] == ["foo.example.com", "more.example.com"]
    now[FOO]["spec"]["rules"][0]["backendRefs"][0]["weight"] = 7
    conflict = draw_back(snapshot, change_of(found), now, now=NOW)
    assert codes(conflict) == {"foreign-edit"}
    assert "backendRefs[0]" in conflict.refusals[0].text


def test_what_is_gone_is_said():
    snapshot, documents, found = begun()
    now = carried_out(found, documents)
    del now[FOO]
    assert "gone" in told(draw_back(snapshot, change_of(found), now, now=NOW))


def test_nothing_in_force_and_no_drain_at_all():
    snapshot, documents, found = begun()
    none = change_of(found, applied=[], verdict=Verdict.UNDONE)
    assert codes(draw_back(snapshot, none, documents, now=NOW)) == {"not-in-force"}
    plain = change_of(found)
    plan = Plan(id="x", title="", made_at=NOW, cluster=CLUSTER, steps=())
    with pytest.raises(Refused):
        draw_back(
            snapshot,
            type(plain)(**{**{f: getattr(plain, f) for f in plain.__struct_fields__}, "plan": plan}),
            {},
            now=NOW,
        )


def test_a_proxy_passes_its_health_check_and_is_waited_for():
    given_ = ingress()
    found = drawn(given_, OneProxy(ProxyKey(CLUSTER, "infra", "edge-x1")), closes_listeners=True)
    back = draw_back(given_[0], change_of(found), {}, now=NOW)
    assert posts(back) == ["/healthcheck/ok"]
    assert [stage.kind for stage in back.stages] == [StageKind.WRITE, StageKind.READY]
    assert told(back) == {"not-undoable"}


def test_a_shard_that_is_not_ready_is_waited_for():
    snapshot, documents, found = begun()
    down, _ = ingress(proxies=all_live(proxy("shard-a-y1", None)))
    now = carried_out(found, documents)
    assert told(draw_back(down, change_of(found), now, now=NOW)) == {"not-ready"}
    assert not told(draw_back(snapshot, change_of(found), now, now=NOW))


WEIGHTS = st.lists(st.integers(0, 200), min_size=1, max_size=4)
NAMES = ("shard-a", "shard-b", "cart", "next")


@st.composite
def fleets(draw):
    routes = []
    for at, rules in enumerate(draw(st.lists(st.lists(WEIGHTS, min_size=1, max_size=2), min_size=1, max_size=2))):
        refs = [
            rule(*(ref(name, weight) for name, weight in zip(NAMES, weights, strict=False)), path=f"/{position}")
            for position, weights in enumerate(rules)
        ]
        routes.append(route(f"r{at}", *refs, hosts=[f"{'foo' if at else 'shop'}.example.com"]))
    ramp = (*sorted(draw(st.sets(st.integers(1, 99), max_size=3)), reverse=True), 0)
    return routes, ramp, draw(st.sampled_from(["", TAKER]))


@settings(max_examples=60, deadline=None)
@given(fleets(), st.data())
def test_sums_stay_no_rule_loses_all_and_everything_goes_back(fleet_, data):
    routes, ramp, to = fleet_
    snapshot, manifests = ingress(sending=routes)
    wish = DrainWish(target=Shard(SHARD_A), to=to, ramp=ramp)
    documents = documents_of(manifests, objects_needed(snapshot, wish))
    found = draw_up(snapshot, wish, documents, now=NOW)
    originally = copied_all(documents)
    sums = {}
    for stage in found.stages:
        for step in (found.steps[at] for at in stage.steps):
            for position, rule_ in enumerate(rules_of(step.after) if step.key.namespace == "infra" else ()):
                weights = weights_of(step.after, position)
                was = weights_of(originally[step.key], position)
                # What had no weight before is nobody's loss.
                assert any(weights) or not any(was)
                ramping = stage.title.endswith("%")
                if ramping and (step.key, position) in sums:
                    assert sum(weights) == sums[step.key, position]
                sums[step.key, position] = sum(weights)
                assert all(weight >= 0 for weight in weights)
                assert len(rule_["backendRefs"]) <= len(was) + 1
    done = data.draw(st.integers(0, len(found.steps)))
    now = carried_out(found, documents, done)
    back = draw_back(snapshot, change_of(found, applied=range(done)), now, now=NOW)
    assert codes(back) <= {"not-in-force"}
    assert carried_out(back, now) == originally


def test_drained_gateways_are_found_with_what_did_it():
    empty = [route("shop", rule(ref("shard-a", 0), ref("shard-b", 100)))]
    view = ingress(sending=empty)[0].clusters[CLUSTER]
    assert drained(view, ()) == (DrainedGateway(gateway=SHARD_A, change=None, is_done=True),)
    done = change_of(drawn(ingress(), to=TAKER))
    assert drained(view, (done,)) == (DrainedGateway(gateway=SHARD_A, change=done, is_done=True),)


def test_a_drain_under_way_is_found_and_one_that_was_taken_back_is_not():
    view = ingress()[0].clusters[CLUSTER]
    found = drawn(ingress(), to=TAKER)
    under_way = change_of(found, applied=[0], verdict=Verdict.OPEN)
    assert drained(view, (under_way,)) == (DrainedGateway(gateway=SHARD_A, change=under_way, is_done=False),)
    assert not drained(view, (change_of(found, applied=[], verdict=Verdict.UNDONE),))
    assert not drained(view, (change_of(found),))  # somebody gave it weights again


@pytest.mark.parametrize(
    "refs", [[ref("shard-a", 0)], [ref("shard-a", 1), ref("shard-b", 99)], [ref("shard-a", 0), ref("shard-b", 0)]]
)
def test_what_gets_something_is_not_drained(refs):
    others = [route("also", rule(ref("shard-a", 0), ref("shard-b", 1)), hosts=["also.example.com"])]
    view = ingress(sending=[*others, route("shop", rule(*refs))], serving=SERVING)[0].clusters[CLUSTER]
    assert not drained(view, ())
    assert SENDING


def test_failover_groups_come_back_before_the_weights():
    failover = {
        "apiVersion": "gateway.kgateway.dev/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": "both", "namespace": "infra", "uid": "both", "generation": 1},
        "spec": {"priorityGroups": [{"backendRefs": [ref("shard-a")]}, {"backendRefs": [ref("shard-b")]}]},
    }
    over = route("over", {"backendRefs": [{"group": "gateway.kgateway.dev", "kind": "Backend", "name": "both"}]})
    given_ = ingress(failover, sending=[*SENDING, over])
    snapshot, documents, found = begun(given_)
    now = carried_out(found, documents)
    back = draw_back(snapshot, change_of(found), now, now=NOW)
    assert titles(back)[1] == "put infra/shard-a back into its Backends"
    assert back.stages[1].truths == ("stored",)
    assert carried_out(back, now) == documents
