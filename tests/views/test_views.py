"""The views over handmade fleets: what they say, and what they refuse to say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gwtui.model.health import ProxyState, SourceState
from gwtui.model.ids import ServiceKey
from gwtui.model.known import Known, Unknown
from gwtui.model.shape import ShareRole, Topology
from gwtui.model.snapshot import Snapshot
from gwtui.views import judge, map_caption, proxies, stage
from gwtui.views.fleet import fleet, merged_history
from gwtui.views.fleet_map import WORKLOAD, fleet_map
from gwtui.views.header import coverage, header
from gwtui.views.map_drawing import draw
from gwtui.views.map_layout import layout, least_width
from gwtui.views.map_tree import tree
from gwtui.views.matching import matches
from gwtui.views.place import is_production
from gwtui.views.scene import Scene
from gwtui.views.spans import Role, crop, line, pad, plain, spread, width
from gwtui.views.stage import Stage
from gwtui.views.tables import Column, settle
from gwtui.views.tables import layout as column_layout
from gwtui.views.yaml_lines import yaml_lines
from tests.tui import fleet as made
from tests.tui import fleets


def scene(snapshot: Snapshot) -> Scene:
    return Scene(snapshot, (made.CLUSTER,), made.NOW)


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (made.LOADING, Stage.CONNECTING),
        (made.EMPTY, Stage.EMPTY),
        (made.NO_GATEWAY_API, Stage.NO_GATEWAY_API),
        (made.FORBIDDEN, Stage.FORBIDDEN),
        (made.FAILED, Stage.FAILED),
        (made.stale(), Stage.STALE),
    ],
)
def test_every_state_is_said_differently(snapshot: Snapshot, expected: Stage) -> None:
    (notice,) = stage.notices(snapshot, (made.CLUSTER,), made.NOW)
    assert notice.stage is expected
    assert made.CLUSTER in notice.title


def test_a_fleet_that_is_ready_needs_no_notice() -> None:
    assert stage.notices(made.central_ingress(), (made.CLUSTER,), made.NOW) == ()


def test_one_forbidden_namespace_is_told_above_the_others_figures() -> None:
    snapshot = made.central_ingress()
    cluster = snapshot.clusters[made.CLUSTER]
    sources = {
        f"{made.GATEWAYS}@infra": made.health(SourceState.READY),
        f"{made.GATEWAYS}@team": made.health(SourceState.FORBIDDEN, "403"),
    }
    snapshot = replace(snapshot, clusters={made.CLUSTER: replace(cluster, sources=sources)})
    (notice,) = stage.notices(snapshot, (made.CLUSTER,), made.NOW)
    assert notice.stage is Stage.FORBIDDEN
    assert stage.has_gateways(snapshot)


def test_tier_one_alone_is_what_comes_in() -> None:
    found = fleet(made.central_ingress(), made.NOW)
    assert found.entry_traffic().rps == Known(12_400, made.NOW - timedelta(seconds=2))
    assert coverage(found, made.NOW).answering == 4
    assert coverage(found, made.NOW).asked == 6


def test_old_answers_do_not_count_as_the_present() -> None:
    later = made.NOW + timedelta(seconds=judge.STALE_AFTER_S + 1)
    found = fleet(made.central_ingress(), later)
    assert coverage(found, later).answering == 0
    assert isinstance(found.entry_traffic().rps, Unknown)
    live = next(view for view in made.PROXIES if view.state is ProxyState.LIVE)
    assert judge.proxy(live, later).word == "stale"


def test_observed_shares_of_hops() -> None:
    flows = {flow.hop.target: flow for flow in fleet(made.central_ingress(), made.NOW).flows}
    share_a, share_b = flows[made.SHARD_A].share, flows[made.SHARD_B].share
    assert isinstance(share_a, Known)
    assert isinstance(share_b, Known)
    assert share_a.value == pytest.approx(8800 / 12400)
    assert share_a.value + share_b.value == pytest.approx(1)


def test_intended_and_seen_shares_of_a_rule_stand_side_by_side_when_they_disagree() -> None:
    links = {link.target: link for link in fleet_map(scene(made.central_ingress())).links}
    (split,) = next(link.splits for target, link in links.items() if target.name == "shard-a")
    assert (split.route, split.label) == ("shop", "90≠71%")
    assert split._replace(seen=Known(0.88, made.NOW)).label == "90%"
    assert split._replace(seen=Unknown("not counted apart")).label == "90%"


def test_copies_have_no_share() -> None:
    snapshot = made.central_ingress()
    cluster = snapshot.clusters[made.CLUSTER]
    hops = tuple(
        replace(hop, shares=tuple(replace(share, role=ShareRole.MIRROR) for share in hop.shares))
        if hop.target == made.SHARD_B
        else hop
        for hop in cluster.topology.hops
    )
    topology = replace(cluster.topology, hops=hops)
    snapshot = replace(snapshot, clusters={made.CLUSTER: replace(cluster, topology=topology)})
    flows = {flow.hop.target: flow for flow in fleet(snapshot, made.NOW).flows}
    assert isinstance(flows[made.SHARD_B].share, Unknown)
    assert flows[made.SHARD_A].share == Known(1.0, made.NOW - timedelta(seconds=2))


def test_history_of_a_gateway_has_a_gap_where_one_proxy_was_silent() -> None:
    assert merged_history([(1.0, 2.0, 3.0), (None, 10.0)]) == (1.0, None, 13.0)
    assert merged_history([]) == ()


def test_the_map_names_what_is_sick_and_where_traffic_goes() -> None:
    drawn = fleet_map(scene(made.central_ingress()))
    assert drawn.titles == ("FRONT DOOR", "TIER 1", "TIER 2 · SHARDS", "WORKLOADS")
    by_title = {card.title: card for card in drawn.cards}
    assert by_title["infra/shard-b"].verdict.role is Role.BAD
    assert by_title["infra/shard-a"].badge == "1/2"
    assert by_title["extra"].id == (WORKLOAD, made.CLUSTER, "extra", "")
    labels = {(link.source.name, link.target.name or link.target.namespace): link.label for link in drawn.links}
    assert labels["edge", "shard-a"] == "71%"
    assert labels["edge", "shard-b"] == "29% ✖"


def test_nothing_on_the_map_moves_while_figures_do() -> None:
    before, after = (layout(fleet_map(scene(each)), 140) for each in (made.central_ingress(), made.stale()))
    assert before.places == after.places


@pytest.mark.parametrize("cells", [110, 140, 200])
def test_the_drawing_stays_inside_its_width_and_no_cards_overlap(cells: int) -> None:
    whole = fleet_map(scene(made.central_ingress()))
    assert least_width(whole) <= 110
    placed = layout(whole, cells)
    assert placed.width <= cells
    taken: set[tuple[int, int]] = set()
    for place in placed.places.values():
        cellset = {
            (x, y) for x in range(place.x, place.x + place.width) for y in range(place.y, place.y + place.height)
        }
        assert not taken & cellset
        taken |= cellset
    for drawn in draw(whole, placed, None, top=0, rows=placed.height):
        assert width(drawn) <= cells


def test_a_window_of_the_drawing_is_the_same_as_that_part_of_the_whole() -> None:
    whole = fleet_map(scene(made.central_ingress()))
    placed = layout(whole, 140)
    everything = draw(whole, placed, None, top=0, rows=placed.height)
    assert [plain(each) for each in draw(whole, placed, None, top=4, rows=3)] == [
        plain(each) for each in everything[4:7]
    ]


def test_a_link_that_skips_a_tier_passes_it_on_a_row_of_its_own() -> None:
    snapshot = made.central_ingress()
    cluster = snapshot.clusters[made.CLUSTER]
    direct = made.hop(made.EDGE, ServiceKey(made.CLUSTER, "status", "page"), "status")
    topology = replace(cluster.topology, hops=(*cluster.topology.hops, direct))
    snapshot = replace(snapshot, clusters={made.CLUSTER: replace(cluster, topology=topology)})
    placed = layout(fleet_map(scene(snapshot)), 140)
    ((place, link),) = placed.passes
    assert link.target.namespace == "status"
    assert all(not card.y <= place.y < card.y + card.height for card in placed.places.values() if card.x == place.x)


def test_the_tree_has_the_same_facts() -> None:
    rows = [plain(row.line) for row in tree(fleet_map(scene(made.central_ingress())))]
    text = "\n".join(rows)
    for fact in (
        "NLB",
        "infra/shard-a 71%",
        "1/2",
        "8.8k rps",
        "0.02%",
        "1.04%▲",
        "✖ batch 3.5k 1.08%▲",
        "cart 5.1k",
        "shop 90≠71%",
    ):
        assert fact in text, fact
    assert rows[0].lstrip("▷ ").startswith("NLB")


def test_filter_words() -> None:
    assert matches("edge ok", "infra/edge OK")
    assert not matches("edge !ok", "infra/edge OK")
    assert matches("!", "anything!")


def test_sorting_puts_unknown_last() -> None:
    by_rps = proxies.rows(made.central_ingress(), made.NOW, sort="rps")
    assert by_rps[0].key.pod == "shard-a-66d4c-j9k8l"
    assert {row.key.pod for row in by_rps[-2:]} == {made.FAILING_PROXY.key.pod, made.FORBIDDEN_PROXY.key.pod}


def test_proxies_seen_but_never_asked_have_a_row() -> None:
    snapshot = replace(made.central_ingress(), proxies={})
    found = proxies.rows(snapshot, made.NOW)
    assert len(found) == len(made.PROXIES)
    assert {row.verdict.word for row in found} == {"not asked yet"}


def test_columns_give_way_before_names_do() -> None:
    columns = (Column(id="a", title="A", cells=30, least=20), Column(id="b", title="B", cells=10, rank=1))
    assert [column.id for column in column_layout(columns, 42)] == ["a", "b"]
    assert [(column.id, column.cells) for column in column_layout(columns, 33)] == [("a", 21), ("b", 10)]
    assert [(column.id, column.cells) for column in column_layout(columns, 25)] == [("a", 24)]


def test_rows_keep_their_places() -> None:
    assert settle(["c", "a", "new", "b"], ["a", "b", "gone", "c"]) == ["a", "b", "c", "new"]


def test_the_header_says_where_how_and_how_much_of_it_is_known() -> None:
    seen = scene(made.central_ingress())
    top = plain(header(seen.snapshot, seen.fleet, seen.clusters, seen.now, cells=140))
    for part in ("prod-eu  PROD ", "sharded behind central ingress", "12.4k rps", "0.31% err▲", "4/6 proxies answer"):
        assert part in top
    narrow = plain(header(seen.snapshot, seen.fleet, seen.clusters, seen.now, cells=80))
    assert len(narrow) == 80
    assert "4/6 · 2 s" in narrow


def test_proxies_that_nobody_asks_are_counted_apart() -> None:
    seen = Scene(fleets.mixed(), (made.CLUSTER,), made.NOW)
    known = coverage(seen.fleet, made.NOW)
    unread = [
        proxy for entry in seen.fleet.gateways.values() for proxy in entry.node.proxies if not entry.node.is_managed
    ]
    assert known.answering == known.asked == len(seen.fleet.proxies) - len(unread)
    assert known.unread == len(unread) > 0
    top = header(seen.snapshot, seen.fleet, seen.clusters, seen.now, cells=180)
    assert f"{known.asked}/{known.asked} proxies · " in plain(top)
    assert f" · {known.unread} not read" in plain(top)
    assert not any(span.role is Role.WARN and "proxies" in span.text for span in top)
    told = plain(map_caption.covered(seen))
    assert told.startswith(f"{known.asked}/{known.asked} proxies answered, oldest ")
    assert told.endswith(f" · {known.unread} not read")
    narrow = plain(header(seen.snapshot, seen.fleet, seen.clusters, seen.now, cells=80))
    assert f"{known.asked}/{known.asked} · " in narrow
    assert len(narrow) == 80


def test_a_fleet_of_which_no_proxy_can_be_asked_says_so() -> None:
    node = fleets.gateway(made.EDGE, controller="agentgateway.dev/agentgateway")
    view = fleets.cluster_view(Topology(gateways=(node,)), made.CLUSTER)
    seen = Scene(Snapshot(clusters={made.CLUSTER: view}), (made.CLUSTER,), made.NOW)
    assert "2 proxies not read" in plain(header(seen.snapshot, seen.fleet, seen.clusters, seen.now, cells=140))
    assert plain(map_caption.covered(seen)) == "2 proxies not read"


def test_shards_are_counted_within_a_cluster() -> None:
    both = Scene(fleets.two_clusters(), (made.CLUSTER, "lab-us"), made.NOW)
    assert fleet_map(both).titles == ("FRONT DOOR", "TIER 1", "TIER 2 · SHARDS", "WORKLOADS")


def test_what_lies_where_nothing_is_read_is_told_of_its_gateway() -> None:
    whole = made.central_ingress()
    cluster = whole.clusters[made.CLUSTER]
    lines = tuple(f"backend Service team/{name} cannot be seen" for name in "abc")
    gateways = tuple(replace(node, unseen=lines if node.key == made.EDGE else ()) for node in cluster.topology.gateways)
    partly = replace(cluster, topology=replace(cluster.topology, gateways=gateways))
    seen = scene(replace(whole, clusters={made.CLUSTER: partly}))
    before = {card.id: card for card in fleet_map(scene(whole)).cards}
    cards = [card for card in fleet_map(seen).cards if "cannot be seen" in plain(card.words)]
    assert [card.id.name for card in cards] == ["edge"]
    assert plain(cards[0].words).endswith("backend Service team/a cannot be seen, and 2 more")
    assert cards[0].verdict == before[cards[0].id].verdict


def test_production_is_a_word() -> None:
    assert is_production("prod-eu")
    assert is_production("eks/PRODUCTION")
    assert not is_production("reproduction-lab")


def test_lines_are_cut_and_filled_to_the_cell() -> None:
    words = line("abc", "defgh")
    assert plain(crop(words, 6)) == "abcde…"
    assert plain(pad(words, 10)) == "abcdefgh  "
    assert plain(spread(line("left side"), line("right"), 12)) == "left … right"


def test_yaml_lines_lose_nothing() -> None:
    document = "a: 1\nlist:\n  - name: x\n    url: http://h:80\n# note\n\ntext: |\n  free: form\n"
    assert "\n".join(plain(each) for each in yaml_lines(document)) == document.rstrip("\n")
