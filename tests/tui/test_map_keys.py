"""The keys of the Map on fleets that need them: folds, focus, why."""

from __future__ import annotations

from dataclasses import replace

from gwtui.model.health import SourceState
from gwtui.model.snapshot import ClusterView
from gwtui.tui.app import GwtuiApp
from gwtui.tui.widgets.fleet_view import FleetView
from gwtui.views.map_parts import FOLD, GATEWAY, NodeId
from tests.tui import fleet, fleets
from tests.tui.looking import seen, until, until_seen

WIDE, NARROW = (140, 45), (80, 24)


def view(pilot) -> FleetView:
    found = pilot.app.screen.query_one("#body")
    assert isinstance(found, FleetView)
    return found


def selected(pilot) -> NodeId | None:
    card = view(pilot).selected
    return card.id if card else None


def fold(team: str) -> NodeId:
    return NodeId(FOLD, fleet.CLUSTER, team, "TIER 2")


async def test_focus_shows_what_the_card_touches_and_leaves_with_f_or_escape(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge ·")
        for leave in ("f", "escape", "q"):
            await pilot.press("g", "right", "right", "j", "f")
            await until_seen(pilot, "focus infra/shard-b · 4 of 7 cards  f or esc leaves", "extra")
            assert "infra/shard-a" not in seen(pilot)
            await pilot.press(leave)
            await until(pilot, lambda: "infra/shard-a" in seen(pilot) and "focus infra" not in seen(pilot))
            assert selected(pilot) == NodeId(GATEWAY, fleet.CLUSTER, "infra", "shard-b")
        assert not app._exit


async def test_escape_takes_back_the_filter_first_and_the_focus_next(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge ·")
        await pilot.press("right", "f", "slash", *"search", "enter")
        await until_seen(pilot, "focus infra/shard-a", "filter search")
        assert "chat" not in seen(pilot)
        await pilot.press("escape")
        await until_seen(pilot, "focus infra/shard-a", "chat")
        await pilot.press("escape")
        await until_seen(pilot, "infra/shard-b")


async def test_a_focus_whose_card_is_gone_gives_way(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await until_seen(pilot, "infra/edge ·")
        await pilot.press("right", "f")
        await until_seen(pilot, "focus infra/shard-a")
        app._feed.change(fleets.mixed())
        await until_seen(pilot, "infra/shard-a is gone: everything is shown again", "infra/egress")


async def test_enter_opens_a_fold_at_its_worst_card_and_minus_closes_it(make_app) -> None:
    app = make_app(fleets.many())
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "team-07", "+10 gateways")
        view(pilot).select(fold("team-07"))
        await until_seen(pilot, "team-07: 10 gateways", "✖ gw-007 errors, ✖ gw-047 errors")
        await pilot.press("enter")
        await until(pilot, lambda: selected(pilot) == NodeId(GATEWAY, fleet.CLUSTER, "team-07", "gw-007"))
        await until_seen(pilot, "team-07/gw-007")
        await pilot.press("minus")
        await until(pilot, lambda: selected(pilot) == fold("team-07"))
        await until(pilot, lambda: "team-07/gw-007 ·" not in seen(pilot))
        await pilot.press("plus")
        await until(pilot, lambda: selected(pilot) == NodeId(GATEWAY, fleet.CLUSTER, "team-07", "gw-007"))


async def test_y_on_a_fold_says_that_there_is_no_one_object(make_app) -> None:
    app = make_app(fleets.many())
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await until_seen(pilot, "+10 gateways")
        view(pilot).select(fold("team-00"))
        await pilot.press("y")
        await until_seen(pilot, "no object is known behind this card")


async def test_focus_on_a_fold_opens_it_where_its_cards_fit(make_app) -> None:
    app = make_app(fleets.many())
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "+10 gateways")
        view(pilot).select(fold("team-07"))
        await pilot.press("f")
        await until_seen(pilot, "focus team-07 · 32 of 602 cards", "team-07/gw-007", "team-07/gw-047")


async def test_folds_work_in_the_tree_too(make_app) -> None:
    app = make_app(fleets.many())
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "team-00 5%", "10 gateways")
        await pilot.press("down")
        await until(pilot, lambda: selected(pilot) == fold("team-00"))
        await pilot.press("enter")
        await until_seen(pilot, "gw-000", "gw-020")


async def test_minus_folds_any_namespace_of_several_cards(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge ·")
        await pilot.press("minus")
        assert selected(pilot) == NodeId(GATEWAY, fleet.CLUSTER, "infra", "edge")
        await pilot.press("right", "minus")
        await until_seen(pilot, "+2 gateways", "infra: 2 gateways", "✖ shard-b errors")
        assert "100% ✖" in seen(pilot)


async def test_the_selection_survives_new_figures_and_a_fold_stays_shut(make_app) -> None:
    app = make_app(fleets.many(40, 1, 4))
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "+10 gateways")
        view(pilot).select(fold("team-01"))
        app._feed.change(fleets.many(8, 1, 4))
        await until_seen(pilot, "+2 gateways")
        assert selected(pilot) == fold("team-01")


async def test_why_tells_what_proves_the_pattern_or_what_is_missing(make_app) -> None:
    app = make_app(fleets.unrecognised())
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(
            pilot, "pattern not recognised", "infra/lonely", "not asked yet", "nothing is known of the traffic"
        )
        await pilot.press("w")
        await until_seen(pilot, "no Gateway is exposed")
        await pilot.press("escape")
        app._feed.change(fleets.mixed())
        await pilot.press("w")
        await until_seen(pilot, "AI gateway", "says Service infra/edge: loadBalancerClass=")


async def test_hosts_outside_open_as_well(make_app) -> None:
    app = make_app(fleets.mixed())
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "WORKLOADS · OUTSIDE", "api.bank.example")
        view(pilot).select(NodeId("outside", fleet.CLUSTER, "", "api.bank.example"))
        await until_seen(pilot, "api.bank.example outside the cluster", "from infra/egress")
        await pilot.press("enter")
        await until_seen(pilot, "FROM GATEWAY", "2.1%▲", "egress-routes")


async def test_a_dead_cluster_is_a_notice_while_the_rest_is_live() -> None:
    snapshot = fleets.two_clusters()
    silent = {"api": fleet.health(SourceState.FAILED, "10.0.0.1:6443 timed out after 5 s", "is the VPN up?")}
    dead = ClusterView(name="dead-ap", sources=silent)
    snapshot = replace(snapshot, clusters={**snapshot.clusters, "dead-ap": dead})
    app = GwtuiApp(fleet.FakeFeed(snapshot), title_clusters=(fleet.CLUSTER, "lab-us", "dead-ap"))
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "cannot reach dead-ap", "is the VPN up?", "lab-us ────", "12.5k rps", "live")
        assert "prod-eu  PROD  + lab-us + dead-ap" in seen(pilot)


async def test_nothing_is_placed_again_while_the_shape_is_the_same(make_app) -> None:
    app = make_app(fleets.many(20, 1, 4))
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "team-00")
        placed = view(pilot)._arranged.placed
        before = app.scene.fleet
        frames = app.scene
        await until(pilot, lambda: app.scene is not frames)
        assert app.scene.fleet is before
        app._feed.change(fleets.many(20, 1, 4))
        await until(pilot, lambda: app.scene.fleet is not before)
        assert view(pilot)._arranged.placed == placed


async def test_lines_painted_one_by_one_are_those_of_the_whole_map(make_app) -> None:
    app = make_app(fleets.many(40, 1, 4))
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "+10 gateways")
        await pilot.press("right", "down", "down", "up")
        before = app.scene.fleet
        app._feed.change(replace(app._feed.snapshot, proxies=fleets.many(40, 2, 4).proxies))
        await until(pilot, lambda: app.scene.fleet is not before)
        await pilot.pause()
        one_by_one = seen(pilot)
        view(pilot)._window = None
        view(pilot).refresh()
        await pilot.pause()
        assert seen(pilot) == one_by_one


async def test_the_legend_stands_where_there_is_room(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge ·", "● ok  ◐ degraded  ✖ failing", "intended≠seen")
        await pilot.resize_terminal(140, 20)
        await until(pilot, lambda: "◐ degraded" not in seen(pilot))
