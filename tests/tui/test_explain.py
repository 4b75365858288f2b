"""The question where a request goes, asked from every screen it can be asked from, with keys alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual import events

from gwtui.model.health import SourceHealth, SourceState
from gwtui.model.snapshot import Snapshot
from gwtui.tui.app import GwtuiApp
from gwtui.tui.screens import explain as screen
from gwtui.tui.screens.explain import ExplainScreen
from gwtui.tui.screens.map import MapScreen
from gwtui.tui.widgets.painted import LinesView
from gwtui.tui.widgets.request_line import RequestLine
from tests.explain.clusters import CLUSTER, GA, Json, app, gateway, path, route, rule, to, view
from tests.explain.test_agreement import pod
from tests.tui import fleet
from tests.tui.looking import seen, until, until_seen

WIDE, NARROW = (140, 45), (80, 24)


def snapshot(*more: Json) -> Snapshot:
    """A central ingress that splits a host over two shards, of which one does not know it."""
    made = view(
        gateway("edge"),
        gateway("shard-a"),
        gateway("shard-b"),
        app("foo", "cart", 3),
        route(
            "infra",
            "front",
            ["edge"],
            rule(path("/"), to=[to("shard-a", 90), to("shard-b", 10)], name="split"),
            hosts=["shop.example.com"],
        ),
        route(
            "foo",
            "cart",
            ["shard-a"],
            rule({**path("/cart"), "headers": [{"name": "x-canary", "value": "1"}]}, to=[to("cart")]),
            rule(path("/"), to=[to("cart")]),
            hosts=["shop.example.com"],
        ),
        *more,
    )
    ready = SourceHealth(state=SourceState.READY, since=fleet.NOW - timedelta(seconds=95))
    cluster = replace(made, sources={f"gateways.{GA}": ready, "api": ready})
    return Snapshot(revision=1, clusters={CLUSTER: cluster})


def console(found: Snapshot | None = None) -> GwtuiApp:
    feed = fleet.FakeFeed(found or snapshot())
    return GwtuiApp(feed, title_clusters=(CLUSTER,), theme="dark", read_only=True)


def line(pilot) -> RequestLine:
    return pilot.app.screen.query_one(RequestLine)


async def opened(pilot, *keys: str) -> None:
    await until_seen(pilot, "1 Map", "infra/edge")
    await pilot.press(*keys)
    await until(pilot, lambda: isinstance(pilot.app.screen, ExplainScreen))


async def test_x_on_the_map_explains_what_the_gateway_takes() -> None:
    async with console().run_test(size=WIDE) as pilot:
        await opened(pilot, "x")
        await until_seen(pilot, "10% of these requests get 404", "attach foo/cart to infra/shard-b")
        assert line(pilot).value == "GET http://shop.example.com/"
        assert line(pilot).has_focus
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, MapScreen))


async def test_x_on_a_namespace_explains_a_request_that_ends_there() -> None:
    async with console().run_test(size=WIDE) as pilot:
        await opened(pilot, "G", "x")
        await until_seen(pilot, "→ 100% Service foo/cart:80")
        assert line(pilot).value == "GET http://shop.example.com/cart -H 'x-canary: 1'"


async def test_x_on_a_rule_asks_for_what_its_match_needs() -> None:
    async with console().run_test(size=WIDE) as pilot:
        await until_seen(pilot, "1 Map", "infra/edge")
        await pilot.press("3")
        await until_seen(pilot, "STATE▾", "foo/cart")
        await pilot.press("slash", *"canary", "enter", "x")
        await until_seen(pilot, "rule 0 of foo/cart", "/cart + header x-canary")
        assert line(pilot).value == "GET http://shop.example.com/cart -H 'x-canary: 1'"
        await pilot.press("escape", "enter")
        await until_seen(pilot, "foo/cart rule 0")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExplainScreen))
        await until_seen(pilot, "rule 0 of foo/cart", "beats")


async def test_x_on_a_proxy_explains_what_its_gateway_takes() -> None:
    async with console(snapshot(pod("shard-a", 0))).run_test(size=WIDE) as pilot:
        await until_seen(pilot, "1 Map", "infra/edge")
        await pilot.press("2")
        await until_seen(pilot, "shard-a-0")
        await pilot.press("x")
        await until_seen(pilot, "2a infra/shard-a", "rule 1 of foo/cart")
        # Its admin interface lets nobody in, and that is said where its answer would stand.
        await until_seen(pilot, "shard-a-0:", "no way in to read config")


async def test_a_command_with_a_line_and_one_without() -> None:
    async with console().run_test(size=WIDE) as pilot:
        await until_seen(pilot, "1 Map", "infra/edge")
        await pilot.press("colon", *"explain", "space", *"a.test", "enter")
        await until_seen(pilot, "get 404: no route of infra/edge is for a.test")
        await pilot.press("escape", "colon", "x", "enter")
        await until_seen(pilot, "type a URL, or paste")


async def test_a_pasted_command_takes_the_place_of_the_line() -> None:
    async with console().run_test(size=WIDE) as pilot:
        await opened(pilot, "x")
        await until_seen(pilot, "10% of these requests")
        pasted = "curl 'http://shop.example.com/cart' \\\r  -H 'x-canary: 1' \\\r\n  --compressed\n"
        line(pilot).post_message(events.Paste(pasted))
        await until(pilot, lambda: line(pilot).value.startswith("curl"))
        assert line(pilot).value == "curl 'http://shop.example.com/cart' -H 'x-canary: 1' --compressed"
        await pilot.press("enter")
        await until_seen(pilot, "/cart + header x-canary", "GET http://shop.example.com/cart -H 'x-canary: 1'")


async def test_a_mistake_is_told_and_the_line_stays() -> None:
    async with console().run_test(size=NARROW) as pilot:
        await opened(pilot, "x")
        await until_seen(pilot, "10% of these requests")
        line(pilot).value = "ftp://shop.example.com/"
        await pilot.press("enter")
        await until_seen(pilot, "ftp:// is not what gateways route", "→")
        assert line(pilot).value == "ftp://shop.example.com/"
        line(pilot).value = "shop.example.com --entry infra/nowhere"
        await pilot.press("enter")
        await until_seen(pilot, "there is no Gateway infra/nowhere")


async def test_keys_move_between_the_line_and_the_answer() -> None:
    async with console().run_test(size=NARROW) as pilot:
        await opened(pilot, "x")
        await until_seen(pilot, "10% of these requests")
        # The key and what is typed after it arrive in this order.
        await pilot.press("tab", "G")
        view_of = pilot.app.screen.query_one("#lines", LinesView)
        assert view_of.has_focus
        assert line(pilot).value == "GET http://shop.example.com/"
        await until(pilot, lambda: view_of.scroll_offset.y > 0)
        await pilot.press("e", "end", "x")
        assert line(pilot).value == "GET http://shop.example.com/x"
        await pilot.press("tab", "q")
        await until(pilot, lambda: isinstance(pilot.app.screen, MapScreen))


async def test_a_redirect_is_followed_with_a_key() -> None:
    redirect = {"type": "RequestRedirect", "requestRedirect": {"hostname": "shop.example.com"}}
    old = route("infra", "old", ["edge"], rule(path("/"), filters=[redirect]), hosts=["old.example.com"])
    async with console(snapshot(old)).run_test(size=WIDE) as pilot:
        await until_seen(pilot, "1 Map", "infra/edge")
        await pilot.app.push_screen(ExplainScreen("old.example.com/cart"))
        await until_seen(pilot, "get 302: redirects to http://shop.example.com/cart")
        await pilot.press("tab", "f")
        await until_seen(pilot, "10% of these requests get 404")
        assert line(pilot).value == "GET http://shop.example.com/cart"
        await pilot.press("f")
        told = [each.message for each in pilot.app._notifications]
        assert told == ["this request is not redirected"]


async def test_the_answer_is_of_the_moment_and_asked_again_with_a_key() -> None:
    app_ = console()
    async with app_.run_test(size=WIDE) as pilot:
        await opened(pilot, "x")
        await until_seen(pilot, "10% of these requests")
        app_._feed.change(Snapshot(revision=2, clusters=snapshot(
            route("foo", "b", ["shard-b"], rule(path("/"), to=[to("cart")]), hosts=["shop.example.com"])
        ).clusters))  # fmt: skip
        await until(pilot, lambda: app_.scene.snapshot.revision == 2)
        assert "10% of these requests" in seen(pilot)
        await pilot.press("tab", "r")
        await until_seen(pilot, "all of these requests reach foo/cart, 3 of 3 endpoints ready")


async def test_what_is_typed_right_after_the_key_belongs_to_where_it_leads() -> None:
    async with console().run_test(size=NARROW) as pilot:
        await opened(pilot, "x")
        await until_seen(pilot, "10% of these requests")
        # All at once, as fast fingers and terminals send them: nobody waits between two keys.
        for key in ("tab", "G"):
            pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: pilot.app.screen.query_one("#lines", LinesView).scroll_offset.y > 0)
        assert line(pilot).value == "GET http://shop.example.com/"


async def test_a_defect_is_told_and_the_console_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("out of range")

    monkeypatch.setattr(screen, "explained", broken)
    async with console().run_test(size=WIDE) as pilot:
        await opened(pilot, "x")
        await until_seen(pilot, "a defect of ours: ValueError('out of range')", "enter explains")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, MapScreen))
