"""What an edit takes from other rules, leaves to them, and which rules can never match."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changing import CLUSTER, GA, NEW, OLD, Document, edited, fleet, key_of, ref, route, rule, snapshot_of, weights
from gwtui.changes.projection import projected
from gwtui.changes.shadowing import shadowing

CART = route("cart", rule("shard-b", path="/cart"), created=OLD)
WEB = route("web", rule("shard-a"), created=NEW)


def told(before: Document, after: Document, *others: Document) -> list[tuple[str, str]]:
    view = snapshot_of(fleet(before, *others)).clusters[CLUSTER]
    found = shadowing(view, projected(view, [after]), {key_of(before)})
    return [(each.code, each.text) for each in found]


def adding(document: Document, *rules: Document) -> Document:
    return edited(document, lambda spec: spec["rules"].extend(rules))


def test_weights_shadow_nothing():
    web = route("web", rule("shard-a", "shard-b"))
    assert told(web, weights(web, 1, 2), CART) == []


def test_a_more_specific_rule_takes_requests_from_another_route():
    after = adding(WEB, rule("shard-a", path="/cart/checkout"))
    assert told(WEB, after, CART) == [
        ("takes", "rule 1 takes /cart/checkout of shop.example.com from rule 0 of infra/cart")
    ]


def test_what_the_rule_before_took_is_not_taken_anew():
    before = adding(WEB, rule("shard-a", path="/cart/checkout"))
    after = adding(before, rule("shard-a", path="/cart/checkout/pay"))
    assert told(before, after, CART) == []


def test_it_takes_from_the_rule_that_had_them_and_not_from_wider_ones():
    wide = route("wide", rule("shard-a"), created=OLD)
    after = adding(WEB, rule("shard-a", path="/cart/checkout"))
    assert [code for code, _ in told(WEB, after, CART, wide)].count("takes") == 1


def test_a_regular_expression_may_take():
    after = adding(WEB, rule("shard-a", path="~/cart/[0-9]+"))
    assert told(WEB, after, CART) == [
        ("takes", "rule 1 takes ~ /cart/[0-9]+ of shop.example.com from rule 0 of infra/cart")
    ]
    doubtful = route("cart", rule("shard-b", path="/cart/7"), created=OLD)
    assert told(WEB, after, doubtful)[0][1].startswith("rule 1 may take")


def test_the_same_match_in_an_older_route_wins_for_ever():
    after = adding(WEB, rule("shard-a", path="/cart"))
    assert told(WEB, after, CART) == [
        (
            "shadowed",
            "rule 1 can never match on shop.example.com: rule 0 of infra/cart has the same match and it is older",
        )
    ]


def test_the_same_match_in_a_younger_route_loses_for_ever():
    young = route("cart", rule("shard-b", path="/cart"), created="2026-07-30T00:00:00Z")
    after = adding(WEB, rule("shard-a", path="/cart"))
    found = dict(told(WEB, after, young))
    assert found["shadows"].startswith("rule 0 of infra/cart will never match on shop.example.com: rule 1 has the same")
    assert found["shadows"].endswith("it is older")


def test_of_equal_age_the_name_decides():
    twin = route("aaa", rule("shard-b", path="/cart"), created=NEW)
    assert "its name comes first" in told(WEB, adding(WEB, rule("shard-a", path="/cart")), twin)[0][1]


def test_a_rule_of_the_same_route_that_stands_before_it():
    found = told(WEB, adding(WEB, rule("shard-b", path="/")))
    assert found == [
        ("shadowed", "rule 1 can never match on shop.example.com: rule 0 has the same match and it stands before it")
    ]


def test_one_match_that_is_left_keeps_a_rule_alive():
    two = {"matches": [{"path": {"value": "/cart"}}, {"path": {"value": "/basket"}}], "backendRefs": [ref("shard-a")]}
    assert told(WEB, adding(WEB, two), CART) == []


def test_a_rule_that_was_shadowed_before_is_no_news_unless_it_is_edited():
    before = adding(WEB, rule("shard-a", path="/cart"))
    assert told(before, adding(before, rule("shard-a", path="/other")), CART) == []
    assert told(before, weights(before, 5, at=1), CART)[0][0] == "shadowed"


def test_requests_that_a_rule_asks_for_no_more_go_to_the_next_or_to_none():
    before = adding(WEB, rule("shard-a", path="/cart/checkout"))
    left = ("releases", "/cart/checkout of shop.example.com is left by rule 1 to rule 0 of infra/cart")
    assert told(before, WEB, CART) == [left]
    narrower = edited(WEB, lambda spec: spec["rules"][0].update(matches=[{"path": {"value": "/a"}}]))
    assert told(WEB, narrower) == [
        ("releases", "/ of shop.example.com is left by rule 0 to rule 0, else nothing (404)")
    ]
    gone = edited(before, lambda spec: spec["rules"].pop(0))
    assert told(before, gone)[0][1].endswith("left by rule 0 to rule 0, else nothing (404)")


def test_a_hostname_of_its_own_is_taken_from_the_wildcard():
    wild = route("wild", rule("shard-b"), hosts=["*.example.com"])
    after = edited(WEB, lambda spec: spec["hostnames"].append("api.example.com"))
    won = (
        "api.example.com gets rules of its own on infra/edge: those of *.example.com take none of its requests any more"
    )
    assert told(WEB, after, wild) == [("host-taken", won)]
    assert told(WEB, after) == []


def test_a_hostname_that_nobody_takes_any_more():
    before = edited(WEB, lambda spec: spec["hostnames"].append("api.example.com"))
    assert told(before, WEB) == [("host-lost", "nothing takes api.example.com on infra/edge any more: 404")]
    wild = route("wild", rule("shard-b"), hosts=["*.example.com"])
    assert told(before, WEB, wild) == [
        ("host-lost", "api.example.com is left to the rules of *.example.com on infra/edge")
    ]


def test_a_hostname_that_others_have_already():
    other = route("other", rule("shard-b", path="/cart"), hosts=["api.example.com"], created=OLD)
    after = edited(
        adding(WEB, rule("shard-a", path="/cart/x")), lambda spec: spec["hostnames"].append("api.example.com")
    )
    assert told(WEB, after, other) == [("takes", "rule 1 takes /cart/x of api.example.com from rule 0 of infra/other")]


def test_an_edit_on_another_gateway_is_judged_there():
    there = route("there", rule("shard-b", path="/cart"), gateways=["shard-a"], created=OLD)
    after = edited(
        adding(WEB, rule("shard-b", path="/cart")),
        lambda spec: spec["parentRefs"].append({"name": "shard-a", "namespace": "infra"}),
    )
    assert [code for code, _ in told(WEB, after, there)] == ["shadowed"]


def test_route_weights_are_told_with_a_reservation():
    heavy = route("heavy", rule("shard-b"), created=NEW, annotations={"kgateway.dev/route-weight": "10"})
    found = told(WEB, adding(WEB, rule("shard-a", path="/cart")), heavy)
    assert [code for code, _ in found] == ["shadowed"]
    assert "(where the control plane heeds route weights)" in found[0][1]


def test_a_child_that_shadows_what_others_have():
    child = {"group": GA, "kind": "HTTPRoute", "name": "child", "namespace": "foo"}
    parent = route("parent", {"matches": [{"path": {"value": "/cart"}}], "backendRefs": [child]}, created=OLD)
    below = route("child", rule("cart", path="/cart/a"), namespace="foo", parents=[], hosts=[], created=NEW)
    rival = route("rival", rule("shard-b", path="/cart/b"), created=NEW)
    after = adding(below, rule("cart", path="/cart/b"))
    assert sorted(code for code, _ in told(below, after, parent, rival)) == ["shadows", "takes"]


def test_hostnames_are_named_once_and_counted():
    hosts = [f"h{at}.example.com" for at in range(5)]
    before = route("web", rule("shard-a"), hosts=hosts, created=NEW)
    cart = route("cart", rule("shard-b", path="/cart"), hosts=hosts, created=OLD)
    found = told(before, adding(before, rule("shard-a", path="/cart/x")), cart)
    assert len(found) == 1
    assert "h0.example.com, h1.example.com, h2.example.com and 2 more" in found[0][1]


def test_many_cautions_are_counted():
    others = [route(f"r{at}", rule("shard-b", path=f"/cart/{at}"), created=NEW) for at in range(12)]
    after = adding(WEB, {"matches": [{"path": {"value": "/"}, "method": "GET"}], "backendRefs": [ref("shard-a")]})
    assert told(WEB, after, *others) == []  # a longer path wins, whatever else is asked
    heavy = {**WEB, "metadata": {**WEB["metadata"], "annotations": {"kgateway.dev/route-weight": "1"}}}
    found = told(WEB, heavy, *others)
    assert [code for code, _ in found].count("shadows") == 9
    assert ("shadows", "4 more like that") in found


PATHS = st.sampled_from(["/", "/a", "/a/b", "/c", "=/a", "=/c", "~/a.*"])
RULES = st.lists(PATHS.map(lambda path: rule("shard-a", path=path)), min_size=1, max_size=3)


@settings(max_examples=50, deadline=None)
@given(RULES, RULES)
def test_no_edit_is_no_caution_and_every_edit_can_be_told(own, others):
    web, other = route("web", *own, created=NEW), route("other", *others, created=OLD)
    assert told(web, web, other) == []
    for code, text in told(web, route("web", *others, created=NEW), other):
        assert code
        assert "{" not in text


@pytest.mark.parametrize("created", [OLD, "2026-12-01T00:00:00Z"])
def test_who_is_older_decides_between_equal_matches(created):
    other = route("other", rule("shard-b", path="/x"), created=created)
    codes = {code for code, _ in told(WEB, adding(WEB, rule("shard-a", path="/x")), other)}
    assert codes == ({"shadowed"} if created < NEW else {"shadows", "takes"})
