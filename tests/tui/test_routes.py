"""Every key of the Routes screen and of the page of a rule, pressed on a running application."""

from __future__ import annotations

from dataclasses import replace

import msgspec

import routed
from gwtui.model.ids import ObjectKey
from gwtui.model.resources import HTTP_ROUTES, ROUTES
from gwtui.model.snapshot import Snapshot
from gwtui.tui.screens import routes as screen
from gwtui.tui.screens.routes import RoutesScreen
from gwtui.views.routes import row
from tests.tui import fleet
from tests.tui.looking import seen, until, until_seen
from tests.tui.test_app import feed_of

WIDE, NARROW = (140, 45), (80, 24)
LOST = ObjectKey(routed.CLUSTER, HTTP_ROUTES, "bar", "lost")


def rows_of(pilot) -> list[str]:
    """The names of the rows on the screen, from the top."""
    table = seen(pilot).split("ROUTE")[-1].split("\n───")[0]
    lines = [line.replace("▌", " ") for line in table.splitlines()]
    return [line.split("/")[1].split()[0] for line in lines if line[1:5] in ("foo/", "bar/") or line[1:7] == "infra/"]


async def open_routes(pilot) -> None:
    await until_seen(pilot, "1 Map", "3 Routes")
    await pilot.press("3")
    await until_seen(pilot, "STATE▾", "BACKENDS", "live")


async def test_the_worst_rule_is_on_top_and_says_why(make_app) -> None:
    app = make_app(routed.snapshot())
    async with app.run_test(size=WIDE) as pilot:
        await open_routes(pilot)
        assert rows_of(pilot)[:2] == ["lost", "cart"]
        await until_seen(
            pilot, "bar/lost HTTPRoute rule 0 in prod-eu · its parent Gateway infra/nowhere does not exist"
        )
        await pilot.press("j", "j", "j")
        await until_seen(pilot, "kgateway.dev/Programmed is False (RouteRuleReplaced)")


async def test_filter_terms_words_and_nothing(make_app) -> None:
    app = make_app(routed.snapshot())
    async with app.run_test(size=WIDE) as pilot:
        await open_routes(pilot)
        await pilot.press("slash", *"state", "colon", *"broken")
        await until(pilot, lambda: "late" not in rows_of(pilot))
        assert {"lost", "search", "shop"} <= set(rows_of(pilot))
        await pilot.press("space", *"backend", "colon", *"infra/shard")
        await until(pilot, lambda: rows_of(pilot) == ["shop"])
        await pilot.press("enter", "escape")
        await until(pilot, lambda: "late" in rows_of(pilot))
        await pilot.press("slash", *"nothing-like-it", "enter")
        await until_seen(pilot, "nothing matches nothing-like-it")


async def test_the_order_follows_the_columns_both_ways(make_app) -> None:
    app = make_app(routed.snapshot())
    async with app.run_test(size=WIDE) as pilot:
        await open_routes(pilot)
        await pilot.press("greater_than_sign")
        await until_seen(pilot, "RPS▾")
        assert rows_of(pilot)[0] == "shop"
        await pilot.press("less_than_sign", "less_than_sign")
        await until_seen(pilot, "HOSTNAMES▾")
        await pilot.press("less_than_sign")
        await until_seen(pilot, "ROUTE▾")
        assert rows_of(pilot)[:3] == ["lost", "cart", "cart"]


async def test_a_rule_opens_and_closes_and_its_proxy_is_asked_for_latencies(make_app) -> None:
    app = make_app(routed.snapshot())
    async with app.run_test(size=WIDE) as pilot:
        await open_routes(pilot)
        await pilot.press("slash", *"infra/shop", "enter", "enter")
        await until_seen(pilot, "infra/shop rule 0 · prod-eu", "SEEN", "Argo CD app edge", "GATEWAY")
        visible, opened = feed_of(app).attended[-1]
        assert opened is not None
        assert (opened.pod, visible) == ("edge-0", {opened})
        await pilot.press("y")
        await until(pilot, lambda: feed_of(app).asked == [ObjectKey(routed.CLUSTER, HTTP_ROUTES, "infra", "shop")])
        await pilot.press("escape", "escape")
        await until(pilot, lambda: "SEEN" not in seen(pilot))
        await until(pilot, lambda: feed_of(app).attended[-1][1] is None)


async def test_yaml_of_the_route_from_the_table(make_app) -> None:
    app = make_app(routed.snapshot())
    feed_of(app).documents[LOST] = "kind: HTTPRoute\n"
    async with app.run_test(size=NARROW) as pilot:
        await open_routes(pilot)
        await pilot.press("y")
        await until_seen(pilot, "kind: HTTPRoute")


async def test_a_deleted_route_closes_no_page_and_says_so(make_app) -> None:
    app = make_app(routed.snapshot())
    async with app.run_test(size=WIDE) as pilot:
        await open_routes(pilot)
        await pilot.press("enter")
        await until_seen(pilot, "bar/lost rule 0 · prod-eu")
        objects = routed.objects()
        del objects[HTTP_ROUTES][("bar", "lost")]
        feed_of(app).change(routed.snapshot(objects))
        await until_seen(pilot, "this rule is gone")
        await pilot.press("q")
        await until(pilot, lambda: rows_of(pilot)[:1] == ["cart"])


async def test_by_name_with_a_filter(make_app) -> None:
    app = make_app(routed.snapshot())
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "1 Map")
        await pilot.press("colon", *"routes gw", "colon", *"models", "enter")
        await until(pilot, lambda: rows_of(pilot) == ["prompt"])


async def test_help_lists_the_keys_of_the_screen(make_app) -> None:
    app = make_app(routed.snapshot())
    async with app.run_test(size=WIDE) as pilot:
        await open_routes(pilot)
        await pilot.press("question_mark")
        await until_seen(pilot, "Show the route of the selected rule", "Show every rule of every route")


async def test_rows_keep_their_places_under_a_moving_cursor(make_app) -> None:
    app = make_app(routed.snapshot())
    async with app.run_test(size=WIDE) as pilot:
        await open_routes(pilot)
        await pilot.press("j")
        before = rows_of(pilot)
        objects = routed.objects()
        late = objects[HTTP_ROUTES][("foo", "late")]
        objects[HTTP_ROUTES][("foo", "late")] = msgspec.structs.replace(
            late, status=objects[HTTP_ROUTES][("foo", "search")].status
        )
        feed_of(app).change(routed.snapshot(objects))
        await until_seen(pilot, "✖ broken", "foo/late")
        await until(pilot, lambda: seen(pilot).count("✖ broken") == 2)
        assert rows_of(pilot) == before
        feed_of(app).change(routed.snapshot(objects), later_s=10.0)
        await until(pilot, lambda: rows_of(pilot) != before)


async def test_a_fleet_without_routes_says_so(make_app) -> None:
    found = routed.snapshot()
    view = found.clusters[routed.CLUSTER]
    none = replace(view, objects={**view.objects, **{resource: {} for resource in ROUTES}})
    app = make_app(replace(found, clusters={routed.CLUSTER: none}))
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "1 Map")
        await pilot.press("3")
        await until_seen(pilot, "prod-eu has no route of any kind")


def many(rules: int) -> Snapshot:
    """The same fleet with so many rules of one gateway beside its own."""
    objects = routed.objects()
    late = objects[HTTP_ROUTES][("foo", "late")]
    for number in range(rules):
        name = f"r{number:05}"
        meta = msgspec.structs.replace(late.metadata, name=name)
        objects[HTTP_ROUTES][("foo", name)] = msgspec.structs.replace(late, metadata=meta)
    return routed.snapshot(objects)


async def test_only_rows_on_the_screen_are_put_into_words_and_each_once(make_app, monkeypatch) -> None:
    made: list[str] = []

    def counting(rule, *rest):
        made.append(str(rule.key))
        return row(rule, *rest)

    monkeypatch.setattr(screen, "row", counting)
    app = make_app(many(2000))
    async with app.run_test(size=WIDE) as pilot:
        await open_routes(pilot)
        assert isinstance(app.screen, RoutesScreen)
        table = app.screen._table
        assert len(table.keys) == 2016
        made.clear()
        await pilot.press(*["j"] * 5)
        assert len(set(made)) <= 2 * table.size.height
        await pilot.press("G")
        await until_seen(pilot, "▌foo/queue", "foo/r01999")
        assert len(set(made)) <= 4 * table.size.height
        held = list(made)
        app.screen.refresh(repaint=True)
        await pilot.pause()
        assert made == held or len(made) - len(held) <= table.size.height


async def test_a_page_longer_than_the_window_scrolls_to_its_end_and_back(make_app) -> None:
    app = make_app(routed.snapshot())
    async with app.run_test(size=NARROW) as pilot:
        await open_routes(pilot)
        await pilot.press("enter")
        await until_seen(pilot, "State ")
        await pilot.press("G")
        await until_seen(pilot, "Not known")
        await pilot.press("k", "g")
        await until_seen(pilot, "State ")


async def test_two_clusters_are_told_apart_by_a_column(make_app) -> None:
    found = routed.snapshot()
    both = replace(found, clusters={**found.clusters, "lab": fleet.central_ingress().clusters[fleet.CLUSTER]})
    app = make_app(both)
    async with app.run_test(size=WIDE) as pilot:
        await open_routes(pilot)
        await until_seen(pilot, "CLUSTER")
