"""The map of large and strange fleets: what it says, what it folds, and that nothing jumps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gwtui.model.ids import GatewayKey
from gwtui.model.known import Known
from gwtui.model.shape import GatewayNode, GatewayRole, MeshMembership, MeshMode
from gwtui.model.snapshot import Snapshot
from gwtui.views import judge
from gwtui.views.fleet_map import fleet_map
from gwtui.views.header import pattern_words
from gwtui.views.map_arrangement import Arrangement
from gwtui.views.map_drawing import draw
from gwtui.views.map_fold import Folds, Room, fit
from gwtui.views.map_lanes import MOST_LANES, Span, entries, lanes
from gwtui.views.map_layout import layout, least_width
from gwtui.views.map_legend import legend
from gwtui.views.map_parts import FOLD, Card, FleetMap, NodeId
from gwtui.views.map_reach import touching
from gwtui.views.map_tags import tags
from gwtui.views.map_tree import tree
from gwtui.views.pattern_detail import pattern_detail
from gwtui.views.scene import Scene
from gwtui.views.spans import Role, plain, width
from tests.tui import fleet as made
from tests.tui import fleets


def scene(snapshot: Snapshot, *clusters: str) -> Scene:
    return Scene(snapshot, clusters or (made.CLUSTER,), made.NOW)


def whole(snapshot: Snapshot, *clusters: str) -> FleetMap:
    return fleet_map(scene(snapshot, *clusters))


def titled(shape: FleetMap) -> dict[str, Card]:
    return {card.title: card for card in shape.cards}


def body(card: Card) -> str:
    return "\n".join(f"{plain(left)} {plain(right)}" for left, right in card.lines)


def ambient(captured: int, *, configured: bool = True, mode: MeshMode = MeshMode.AMBIENT) -> MeshMembership:
    return MeshMembership(mode=mode, configured=configured, captured=captured, pods=2)


def node(**changes: object) -> GatewayNode:
    return replace(fleets.gateway(GatewayKey(made.CLUSTER, "infra", "edge")), **changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"role": GatewayRole.EGRESS}, "egress"),
        ({"role": GatewayRole.MIXED}, "in + out"),
        ({"role": GatewayRole.WAYPOINT, "controller": "istio.io/mesh-controller"}, "waypoint · istio"),
        ({"controller": "agentgateway.dev/agentgateway"}, "AI · agentgateway"),
        ({"controller": "example.com/own"}, "other controller"),
        ({"controller": ""}, "other controller"),
        ({"mesh": ambient(2)}, "ambient 2/2"),
        ({"mesh": ambient(0)}, "ambient wished 0/2"),
        ({"mesh": ambient(2, configured=False)}, "ambient 2/2 unasked"),
        ({"mesh": ambient(2, mode=MeshMode.SIDECAR)}, "sidecar 2/2"),
    ],
)
def test_tags_say_what_is_not_a_matter_of_course(changes: dict[str, object], words: str) -> None:
    assert plain(tags(node(**changes))) == words


def test_a_wish_that_is_not_met_is_a_warning() -> None:
    assert {span.role for span in tags(node(mesh=ambient(1)))} == {Role.WARN}
    assert {span.role for span in tags(node(mesh=ambient(2)))} == {Role.OK}


def test_a_data_plane_that_is_not_read_is_unknown_and_never_zero() -> None:
    card = titled(whole(fleets.mixed()))["ml/llm"]
    assert card.verdict.role is Role.UNKNOWN
    assert judge.UNREAD in body(card)
    assert "rps" not in body(card)
    assert "0" not in body(card)
    assert card.badge == ""


def test_hosts_outside_stand_in_the_last_column_with_what_is_sent_to_them() -> None:
    shape = whole(fleets.mixed())
    assert shape.titles[-1] == "WORKLOADS · OUTSIDE"
    bank = titled(shape)["api.bank.example"]
    assert bank.column == len(shape.titles) - 1
    assert body(bank) == "external 80 2.1%▲"
    assert bank.verdict.role is Role.BAD


def test_front_doors_say_what_proves_them() -> None:
    doors = {card.title: plain(card.words) for card in whole(fleets.mixed()).cards if card.column == 0}
    assert "says Service infra/edge: loadBalancerClass=service.k8s.aws/nlb" in doors["NLB"]
    assert "Ingress old/web of class haproxy" in doors["Ingress"]


def test_no_pattern_is_said_and_why_lists_what_is_missing() -> None:
    snapshot = fleets.unrecognised()
    assert pattern_words(snapshot, wide=True) == "pattern not recognised"
    assert "no Gateway is exposed" in "\n".join(plain(each) for each in pattern_detail(scene(snapshot)))
    assert pattern_words(made.EMPTY, wide=True) == ""


def test_one_cluster_without_a_pattern_beside_one_that_has() -> None:
    other = replace(fleets.unrecognised().clusters[made.CLUSTER], name="lab")
    both = replace(made.central_ingress(), clusters={**made.central_ingress().clusters, "lab": other})
    assert pattern_words(both, wide=True) == "sharded behind central ingress + pattern not recognised"


def test_what_fits_is_shown_in_full() -> None:
    shape = whole(made.central_ingress())
    fitted, folds = fit(shape, Folds(), 39, boxes=True)
    assert fitted == shape
    assert set(folds.columns.values()) == {Room.FULL}


def test_cards_get_brief_before_they_fold() -> None:
    fitted, folds = fit(whole(fleets.many(10, 1, 2)), Folds(), 39, boxes=True)
    assert folds.columns[2] is Room.BRIEF
    assert {len(card.lines) for card in fitted.cards if card.column == 2} == {1}
    assert not any(node.kind == "gateway" for node in fitted.within)


def test_a_fold_counts_sums_and_shows_the_worst() -> None:
    fitted, _ = fit(whole(fleets.many()), Folds(), 39, boxes=True)
    card = fitted.by_id[NodeId(FOLD, made.CLUSTER, "team-07", "TIER 2")]
    assert card.badge == "+10 gateways"
    assert card.verdict.role is Role.BAD
    assert "✖ gw-007" in body(card)
    assert "✖ gw-007 errors, ✖ gw-047 errors" in plain(card.words)
    assert isinstance(card.load.rps, Known)
    assert card.load.rps.value == pytest.approx(sum(40 + 2 * index for index in range(200) if index % 20 == 7))


def test_every_sick_card_is_seen_or_its_fold_is_sick() -> None:
    shape = whole(fleets.many())
    for rows in (5, 18, 39, 400):
        fitted, _ = fit(shape, Folds(), rows, boxes=True)
        for card in shape.cards:
            if card.is_sick and card.verdict:
                shown = fitted.by_id[fitted.within.get(card.id, card.id)]
                assert shown.verdict is not None
                assert shown.verdict.rank <= card.verdict.rank


def test_shares_of_links_to_folds_add_up() -> None:
    fitted, _ = fit(whole(fleets.many()), Folds(), 39, boxes=True)
    edge = NodeId("gateway", made.CLUSTER, "infra", "edge")
    shares = [link.share.value for link in fitted.links if link.source == edge and isinstance(link.share, Known)]
    assert len(shares) == 20
    assert sum(shares) == pytest.approx(1)
    ends = {link.source for link in fitted.links} | {link.target for link in fitted.links}
    assert ends <= set(fitted.by_id)


def test_a_fold_does_not_open_by_itself_when_cards_go() -> None:
    arranged = Arrangement()
    arranged.show(whole(fleets.many(40, 1, 4)), "", (140, 39))
    assert NodeId(FOLD, made.CLUSTER, "team-01", "TIER 2") in arranged.map.by_id
    arranged.show(whole(fleets.many(8, 1, 4)), "", (140, 39))
    assert NodeId(FOLD, made.CLUSTER, "team-01", "TIER 2") in arranged.map.by_id
    arranged.show(whole(fleets.many(8, 1, 4)), "another part", (140, 39))
    assert NodeId(FOLD, made.CLUSTER, "team-01", "TIER 2") not in arranged.map.by_id


def test_what_the_operator_opened_stays_open_and_can_be_closed() -> None:
    arranged = Arrangement()
    fold = NodeId(FOLD, made.CLUSTER, "team-07", "TIER 2")
    arranged.show(whole(fleets.many()), "", (140, 39))
    assert arranged.open(fold) == NodeId("gateway", made.CLUSTER, "team-07", "gw-007")
    arranged.show(whole(fleets.many()), "", (140, 39))
    assert fold not in arranged.map.by_id
    assert arranged.close(NodeId("gateway", made.CLUSTER, "team-07", "gw-047")) == fold
    assert arranged.shown(NodeId("gateway", made.CLUSTER, "team-07", "gw-047")) == fold


def test_an_open_fold_does_not_change_how_far_the_others_are_reduced() -> None:
    arranged = Arrangement()
    arranged.show(whole(fleets.many()), "", (140, 39))
    before = {node for node in arranged.map.by_id if node.kind == FOLD}
    fold = NodeId(FOLD, made.CLUSTER, "team-03", "TIER 2")
    arranged.open(fold)
    assert {node for node in arranged.map.by_id if node.kind == FOLD} == before - {fold}
    assert arranged.layout is not None


def test_a_card_that_appears_does_not_change_the_order_of_the_others() -> None:
    few, more = whole(fleets.many(30, 1, 6)), whole(fleets.many(60, 1, 6))
    before, after = layout(few, 220).places, layout(more, 220).places
    for column in {place.x for place in before.values()}:
        stack = sorted((node for node in before if before[node].x == column), key=lambda node: before[node].y)
        assert sorted(stack, key=lambda node: after[node].y) == stack


def test_figures_never_move_a_card() -> None:
    snapshot = made.central_ingress()
    silent = replace(snapshot, proxies={})
    before, after = (layout(whole(each), 140).places for each in (snapshot, silent))
    assert before == after


def test_clusters_stand_in_bands_of_their_own() -> None:
    shape = whole(fleets.two_clusters(), made.CLUSTER, "lab-us")
    placed = layout(shape, 140)
    assert [name for name, _ in placed.bands] == ["lab-us", made.CLUSTER]
    border = placed.bands[1][1]
    assert all((place.y > border) == (node.cluster == made.CLUSTER) for node, place in placed.places.items())
    drawn = [plain(each) for each in draw(shape, placed, None, top=0, rows=placed.height)]
    assert drawn[border].startswith(" prod-eu  PROD  ──")


@pytest.mark.parametrize("cells", [110, 140, 220])
@pytest.mark.parametrize("rows", [18, 39, 54])
def test_the_drawing_of_a_large_fleet_stays_inside_its_width(cells: int, rows: int) -> None:
    fitted, _ = fit(whole(fleets.many()), Folds(), rows, boxes=True)
    assert least_width(fitted) <= 110
    placed = layout(fitted, cells)
    assert placed.width <= cells
    for top in (0, placed.height // 2):
        lines = draw(fitted, placed, None, top=top, rows=rows)
        assert len(lines) == rows
        assert max(width(each) for each in lines) <= cells


def test_lanes_are_bounded_and_shared_where_links_do_not_meet() -> None:
    rows = {("s", index): Span(index * 4, 3) for index in range(40)}
    rows |= {("t", index): Span((39 - index) * 4, 3) for index in range(40)}
    apart = [(("s", index), ("t", 39 - index + (1 if index % 2 == 0 else -1))) for index in range(1, 39)]
    assert max(lanes(apart, rows, entries(apart, rows)).values()) == 1
    crossing = [(("s", index), ("t", index)) for index in range(40)]
    assert max(lanes(crossing, rows, entries(crossing, rows)).values()) == MOST_LANES - 1


def test_only_what_a_card_touches() -> None:
    shape = touching(whole(made.central_ingress()), [NodeId("workload", made.CLUSTER, "extra", "")])
    assert [card.title for card in shape.cards] == ["NLB", "infra/edge", "infra/shard-b", "extra"]
    assert touching(shape, [NodeId("workload", made.CLUSTER, "gone", "")]).cards == ()


def test_the_tree_tells_folds_tags_and_hosts() -> None:
    rows = "\n".join(plain(row.line) for row in tree(whole(fleets.mixed())))
    for fact in (
        "not read by gwtui yet            AI · agentgateway",
        "external 80 2.1%▲",
        "egress · ambient wished 0/2",
    ):
        assert fact in rows
    fitted, _ = fit(whole(fleets.many()), Folds(), 18, boxes=False)
    folded = [plain(row.line) for row in tree(fitted)]
    assert any("team-07 5% ✖" in row and "+10 " in row and "✖ gw-007 errors" in row for row in folded)


def test_the_legend_leaves_out_what_does_not_fit() -> None:
    assert "above its limit" in plain(legend(220))
    assert plain(legend(60)).strip() == "● ok  ◐ degraded  ✖ failing  ○ unknown"
    assert all(width(legend(cells)) <= cells for cells in range(10, 240, 7))


def test_figures_are_taken_over_until_a_proxy_may_be_stale() -> None:
    first = scene(made.healthy())
    known = first.fleet
    soon, late = made.NOW.replace(second=55), made.NOW.replace(minute=59)
    assert first.later(first.snapshot, first.clusters, soon).fleet is known
    assert first.later(first.snapshot, first.clusters, late).fleet is not known
    assert first.later(made.healthy(), first.clusters, soon).fleet is not known


def test_only_cards_in_the_window_are_written() -> None:
    shape = whole(fleets.many())
    fitted, _ = fit(shape, Folds(), 39, boxes=True)
    placed = layout(fitted, 140)
    draw(fitted, placed, None, top=0, rows=9)
    written = {card.id for card in fitted.cards if "wording" in card.__dict__}
    assert written == {node for node, place in placed.places.items() if place.y < 9}
    assert not any("wording" in card.__dict__ for card in shape.cards if card.id in fitted.within)


def test_how_a_map_is_reduced_is_kept_while_its_shape_is_the_same() -> None:
    arranged = Arrangement()
    snapshot = fleets.many()
    arranged.show(whole(snapshot), "", (140, 39))
    silent = replace(snapshot, proxies={})
    arranged.show(whole(silent), "", (140, 39))
    shown = {card.id: plain(card.words) for card in arranged.map.cards}
    anew = Arrangement()
    anew.show(whole(silent), "", (140, 39))
    assert shown == {card.id: plain(card.words) for card in anew.map.cards}
    assert arranged.placed == 1
