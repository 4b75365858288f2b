"""The rows of the Routes screen and the page of a rule, from objects and counters."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

import routed
from gwtui.model.health import SourceHealth, SourceState
from gwtui.model.ids import ObjectKey
from gwtui.model.known import Known, Unknown
from gwtui.model.resources import HTTP_ROUTES, ROUTES
from gwtui.model.snapshot import ClusterView, Snapshot
from gwtui.views.route_backends import backends_of
from gwtui.views.route_detail import look_at, rule_detail
from gwtui.views.route_facts import RuleKey, rules_of
from gwtui.views.route_filter import parse
from gwtui.views.route_survey import RuleRow, Survey, survey_of
from gwtui.views.routes import SORTS, columns, none_words, row, rows, story
from gwtui.views.scene import Scene
from gwtui.views.spans import plain
from gwtui.views.tables import row_line, title_line
from objects import Objects

RESOURCES = {kind: resource for resource, kind in ROUTES.items()}
SNAPSHOT = routed.snapshot()


def scene_of(snapshot: Snapshot = SNAPSHOT, now=routed.NOW) -> Scene:
    return Scene(snapshot, tuple(snapshot.clusters), now)


SURVEY = survey_of(scene_of())


def rule(namespace: str, name: str, number: int = 0, kind: str = "HTTPRoute") -> RuleKey:
    return RuleKey(ObjectKey(routed.CLUSTER, RESOURCES[kind], namespace, name), number)


def found(namespace: str, name: str, number: int = 0, kind: str = "HTTPRoute", survey: Survey = SURVEY) -> RuleRow:
    each = survey.find(rule(namespace, name, number, kind))
    assert each is not None
    return each


def line_of(each: RuleRow, cells: int = 200, survey: Survey = SURVEY) -> str:
    every = columns(survey, clusters=1, cells=cells)
    return plain(row_line(every, every, row(each, survey, every, routed.NOW), cells))


def page(key: RuleKey, scene: Scene | None = None, cells: int = 120) -> str:
    return "\n".join(plain(each) for each in rule_detail(scene or scene_of(), key, cells=cells))


def names(pattern: str = "", sort: str = "state") -> list[str]:
    return [str(each.key) for each in rows(SURVEY, pattern=pattern, sort=sort)]


def test_there_is_a_row_per_rule_of_every_kind() -> None:
    assert {each.key.route.resource for each in SURVEY.rows} == set(ROUTES)
    assert sum(each.key.route.name == "cart" for each in SURVEY.rows) == 3
    assert len(SURVEY.rows) == 16


def test_the_worst_first_and_equal_rows_by_name() -> None:
    ranks = [each.verdict.rank for each in rows(SURVEY)]
    assert ranks == sorted(ranks)
    assert names()[:4] == ["bar/lost rule 0", "foo/cart rule 2", "foo/drained rule 0", "foo/search rule 0"]


def test_accepted_and_not_programmed_is_broken_with_its_reason() -> None:
    each = found("foo", "search")
    assert (each.verdict.word, each.verdict.glyph) == ("broken", "✖")
    told = "infra/shard-a: kgateway.dev/Programmed is False (RouteRuleReplaced): Replaced Rule (0): invalid regex"
    assert told in plain(story(each, SURVEY))
    assert "✖ kgateway.dev/Programmed is False" in page(each.key)


def test_a_replaced_rule_of_earlier_releases_is_broken_too() -> None:
    refused = routed.condition("Accepted", "False", "RouteRuleReplaced", "Replaced Rule (0)")
    assert judged(refused).word == "broken"
    assert judged(routed.condition("Accepted", "False", "NotAllowedByListeners")).word == "refused"


@pytest.mark.parametrize(
    ("condition", "word", "glyph"),
    [
        (routed.condition("Accepted", "Unknown", "Pending"), "pending", "○"),
        (routed.condition("PartiallyInvalid", "True", "UnsupportedValue"), "partly", "◐"),
        (routed.condition("kgateway.dev/Conflicted", "True"), "conflict", "◐"),
        (routed.condition("PartiallyInvalid", "False"), "ok", "●"),
        (routed.condition("SomethingElse", "False"), "ok", "●"),
    ],
)
def test_conditions_of_every_polarity(condition: dict[str, Any], word: str, glyph: str) -> None:
    verdict = judged(condition)
    assert (verdict.word, verdict.glyph) == (word, glyph)


def judged(*conditions: dict[str, Any]):
    """The verdict on a route with these conditions from its controller."""
    told = routed.said("edge", *conditions)
    survey = Survey(scene_of(routed.snapshot(changed("foo", "foreign", status={"parents": [told]}))))
    each = found("foo", "foreign", survey=survey)
    return each.facts.of.parents[0].verdict


def changed(namespace: str, name: str, **fields: Any) -> Objects:
    """The objects with other fields of one HTTPRoute."""
    objects = routed.objects()
    known = objects[HTTP_ROUTES][(namespace, name)]
    raw = {**msgspec.to_builtins(known), **fields}
    objects[HTTP_ROUTES][(namespace, name)] = msgspec.convert(raw, type(known))
    return objects


def test_a_status_of_an_older_generation_says_of_which() -> None:
    each = found("foo", "late")
    assert each.verdict.word == "behind"
    assert "status is of generation 3 of 4" in plain(story(each, SURVEY))
    assert "▲ status is of generation 3 of 4" in page(each.key)


def test_only_who_runs_the_gateway_is_believed() -> None:
    (parent,) = found("foo", "foreign").facts.of.parents
    assert (parent.controller, parent.verdict.word) == ("kgateway.dev/kgateway", "ok")
    assert "left out: what example.com/other says, who does not run it" in page(rule("foo", "foreign"))


def test_a_bad_reference_fails_the_rule_that_has_it_and_marks_the_others() -> None:
    assert [found("foo", "cart", number).verdict.glyph for number in range(3)] == ["◐", "◐", "✖"]
    assert "nothing is wrong with the references of this rule" in " ".join(page(rule("foo", "cart", 1)).split())
    assert "nothing is wrong" not in page(rule("foo", "cart", 2))


def test_a_parent_that_does_not_exist_and_one_that_cannot_be_seen() -> None:
    assert found("bar", "lost").verdict.reason == "its parent Gateway infra/nowhere does not exist"
    view = SNAPSHOT.clusters[routed.CLUSTER]
    scopes = {f"gateways.{routed.GA}": frozenset({"foo"})}
    limited = replace(SNAPSHOT, clusters={routed.CLUSTER: replace(view, scopes=scopes)})
    verdict = found("bar", "lost", survey=Survey(scene_of(limited))).facts.of.parents[0].verdict
    assert (verdict.word, verdict.glyph) == ("unseen", "○")


def test_weights_that_do_not_do_what_they_seem_to() -> None:
    assert found("foo", "drained").verdict.word == "all 0"
    assert any(each.word == "weight 0" for each in SURVEY.verdicts(found("bar", "lost")))


def test_shares_intended_and_observed_with_endpoints() -> None:
    figures = SURVEY.figures_in(routed.CLUSTER)
    shop = found("infra", "shop")
    to_a, to_b = backends_of(shop.facts, shop.place, figures)
    assert (to_a.intended, to_b.intended) == (0.9, 0.1)
    assert isinstance(to_a.observed, Known)
    assert round(to_a.observed.value, 3) == 0.705
    assert to_a.members == (1, 1)
    assert "shard-a 90≠70% 1/1  shard-b 10≠30% 1/1" in line_of(shop)
    assert "cart w3 75≠50% 1/3  cart-next w1 25≠50% 2/2" in line_of(found("foo", "cart"))


def test_route_counters_add_up_over_the_proxies_of_the_gateway() -> None:
    traffic = SURVEY.figures(found("infra", "shop")).traffic
    assert isinstance(traffic.rps, Known)
    assert isinstance(traffic.error_ratio, Known)
    assert (traffic.rps.value, traffic.error_ratio.value) == (200.0, 0.01)
    assert found("infra", "shop").verdict.word == "errors"


def test_upstreams_that_no_other_rule_uses_tell_the_rate_of_an_unexposed_rule() -> None:
    figures = SURVEY.figures(found("foo", "cart"))
    assert figures.is_derived
    assert isinstance(figures.traffic.rps, Known)
    assert figures.traffic.rps.value == 80.0
    assert " ~80 " in line_of(found("foo", "cart"))
    assert isinstance(figures.traffic.p99_ms, Unknown)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (rule("foo", "late"), "not exposed: set statPrefix by a TrafficPolicy on httproutes/foo/late"),
        (rule("foo", "orders", kind="GRPCRoute"), "none of its proxies answers"),
        (rule("foo", "prompt"), "not read by gwtui yet"),
        (rule("bar", "lost"), "it is on no gateway"),
        (rule("foo", "queue", kind="TCPRoute"), "not exposed: Envoy counts requests per route for HTTPRoute"),
    ],
)
def test_what_nobody_counts_is_unknown_with_the_reason_and_never_zero(key: RuleKey, reason: str) -> None:
    each = SURVEY.find(key)
    assert each is not None
    rps = SURVEY.figures(each).traffic.rps
    assert isinstance(rps, Unknown)
    assert rps.reason.startswith(reason)
    assert SURVEY.rate(each) < 0
    assert reason in " ".join(page(key).split())


def test_children_have_the_hostnames_of_who_delegates_to_them() -> None:
    child = found("foo", "child")
    assert child.hosts == ("team.example.com",)
    assert child.verdict.word == "ok"
    assert "of the routes that delegate" in page(child.key)


def test_owners_in_a_word_and_with_their_evidence() -> None:
    assert line_of(found("infra", "shop")).rstrip().endswith("Argo CD")
    assert "Argo CD app edge (annotation argocd.argoproj.io/tracking-id); puts back" in page(rule("infra", "shop"))


def test_the_page_holds_everything_in_full() -> None:
    text = page(rule("foo", "cart"))
    for words in (
        "spec.rules[0] of this HTTPRoute, one of 3, named canary",
        "GET /cart x-canary=1",
        "=/basket",
        "rewrite prefix to /v2",
        "request header set x-tier: 2",
        "request header remove via",
        "mirror bar/search 10% (port 80)",
        "request 10s, each try 2s",
        "cart: 1/3 endpoints ready",
        "the proxies see another share than the weights intend",
        "generation 4",
    ):
        assert words in text
    assert all(len(each) <= 60 for each in page(rule("foo", "cart"), cells=60).splitlines())


def test_the_page_tells_when_a_rule_is_tried_and_what_takes_its_requests_before() -> None:
    assert "Order      shop.example.com on infra/shard-a port 8080: match 1 of 6" in page(rule("foo", "cart"))
    assert "never reached" not in page(rule("foo", "late"))
    late = msgspec.to_builtins(routed.objects()[HTTP_ROUTES][("foo", "late")].spec)
    scene = scene_of(routed.snapshot(changed("foo", "search", spec=late)))
    told = "/ is never reached: foo/late rule 0 takes it, "
    assert told in " ".join(page(rule("foo", "search"), scene).split())
    assert "never reached" not in page(rule("foo", "late"), scene)


def test_the_page_of_a_rule_that_is_gone_says_so() -> None:
    assert "this rule is gone" in page(rule("foo", "cart", 7))
    assert look_at(scene_of(), rule("foo", "cart", 7)) is None


def test_which_proxy_is_asked_for_latencies() -> None:
    proxy = look_at(scene_of(), rule("infra", "shop"))
    assert proxy is not None
    assert proxy.pod == "edge-0"
    assert look_at(scene_of(), rule("foo", "prompt")) is None


FILTERS = [
    ("host:team", {"foo/child", "foo/parent"}),
    ("host:x.example.com ns:foo kind", set()),
    ("ns:bar", {"bar/lost"}),
    ("gw:infra/models", {"foo/prompt"}),
    ("backend:infra/shard-b", {"infra/shop"}),
    ("backend:cart-next", {"foo/cart"}),
    ("state:unknown", {"foo/prompt", "foo/orders"}),
    ("state:behind", {"foo/late"}),
    ("state:degraded !state:behind", {"foo/cart"}),
    ("x-canary", {"foo/cart"}),
    ("argo", {"infra/shop"}),
    ("tcproute", {"foo/queue"}),
    ("redirect !rewrite", {"foo/cart"}),
    ("invalid regex", {"foo/search"}),
    ("HOST:TEAM", {"foo/child", "foo/parent"}),
]


@pytest.mark.parametrize(("pattern", "expected"), FILTERS)
def test_filters(pattern: str, expected: set[str]) -> None:
    assert {f"{each.key.route.namespace}/{each.key.route.name}" for each in rows(SURVEY, pattern=pattern)} == expected


def test_broken_means_every_state_that_fails_requests() -> None:
    shown = rows(SURVEY, pattern="state:broken")
    assert shown
    assert {each.verdict.glyph for each in shown} == {"✖"}
    assert len(shown) == sum(each.verdict.glyph == "✖" for each in SURVEY.rows)


def test_a_whole_hostname_finds_wildcards_and_rules_without_hostnames() -> None:
    shown = {each.key.route.name for each in rows(SURVEY, pattern="host:shop.example.com")}
    assert {"shop", "foreign", "queue"} <= shown
    assert "drained" not in shown


def test_a_term_without_its_value_asks_for_nothing_and_a_port_is_no_term() -> None:
    assert len(rows(SURVEY, pattern="host: !ns:")) == len(SURVEY.rows)
    assert parse("a:b host:x !y") == ("a:b !y", (("host", "x", False),))


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_holds_every_rule(sort: str) -> None:
    assert sorted(names(sort=sort)) == sorted(names())


def test_orders_put_the_highest_first_and_unknown_last() -> None:
    assert names(sort="rps")[:2] == ["infra/shop rule 0", "foo/cart rule 0"]
    assert names(sort="err")[0] == "infra/shop rule 0"
    assert names(sort="owner")[0] == "infra/shop rule 0"
    assert names(sort="route") == sorted(names())


def test_the_rate_to_sort_by_is_the_one_that_is_shown() -> None:
    for each in SURVEY.rows:
        shown = SURVEY.figures(each).traffic.rps
        assert SURVEY.rate(each) == pytest.approx(shown.value if isinstance(shown, Known) else -1.0), each.key


@pytest.mark.parametrize("cells", [59, 79, 99, 139, 219])
def test_columns_fit_and_those_that_matter_stay(cells: int) -> None:
    every = columns(SURVEY, clusters=1, cells=cells)
    assert {"route", "host", "match", "state", "rps", "backends"} <= {each.id for each in every}
    if cells >= 79:
        assert len(plain(title_line(every, "state"))) <= cells
    assert all(each.cells >= each.least for each in every)


def test_the_cluster_is_a_column_when_there_are_several() -> None:
    assert "cluster" in {each.id for each in columns(SURVEY, clusters=2, cells=139)}
    assert "cluster" not in {each.id for each in columns(SURVEY, clusters=1, cells=139)}


def test_facts_are_made_again_for_the_object_that_changed_alone() -> None:
    objects = changed("foo", "late")
    before = {each.key: each for each in rules_of(SNAPSHOT.clusters[routed.CLUSTER])}
    view = SNAPSHOT.clusters[routed.CLUSTER]
    held = {
        **view.objects,
        HTTP_ROUTES: {**view.objects[HTTP_ROUTES], ("foo", "late"): objects[HTTP_ROUTES][("foo", "late")]},
    }
    after = rules_of(replace(view, objects=held))
    assert [each.key for each in after if each is not before[each.key]] == [rule("foo", "late")]


def test_a_survey_serves_every_screen_until_something_is_known_anew() -> None:
    scene = scene_of()
    assert survey_of(scene) is survey_of(scene.later(SNAPSHOT, (routed.CLUSTER,), routed.NOW + timedelta(seconds=1)))
    assert survey_of(scene) is not survey_of(scene_of(replace(SNAPSHOT, revision=9)))


def test_no_route_at_all_and_routes_that_are_not_read() -> None:
    view = SNAPSHOT.clusters[routed.CLUSTER]
    none = replace(view, objects={**view.objects, **{resource: {} for resource in ROUTES}})
    assert (
        none_words(scene_of(replace(SNAPSHOT, clusters={routed.CLUSTER: none}))) == "prod-eu has no route of any kind"
    )
    scoped = replace(none, scopes={HTTP_ROUTES: frozenset({"foo"})})
    told = none_words(scene_of(replace(SNAPSHOT, clusters={routed.CLUSTER: scoped})))
    assert told == "prod-eu has no route of any kind in foo, the namespaces that are read"
    health = SourceHealth(state=SourceState.FORBIDDEN, since=routed.NOW, detail="403: httproutes is forbidden")
    unread = ClusterView(name=routed.CLUSTER, sources={HTTP_ROUTES: health})
    told = none_words(scene_of(replace(SNAPSHOT, clusters={routed.CLUSTER: unread})))
    assert told == "routes of prod-eu are not known (forbidden: 403: httproutes is forbidden)"
