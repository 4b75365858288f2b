"""The detail of one proxy, by keys alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from gwtui.errors import NotServed, UsageError
from gwtui.model.ids import ObjectKey, ProxyKey
from gwtui.tui.app import GwtuiApp
from gwtui.tui.screens.proxy import ProxyScreen
from tests.tui import fleet, inspected
from tests.tui.looking import seen, until, until_seen

WIDE, NARROW = (140, 45), (80, 24)
TABS = {
    "t": ("requests", "long-lived", "our cost", "given up by clients"),
    "l": ("listener~443", "[::]:443", "OF THE GATEWAY"),
    "r": ("infra/cart", "infra/feed", "not exposed"),
    "u": ("batch", "report", "TRIPS/S", "1/3"),
    "c": ("shard-b.infra.svc", "expired", "0badcafe04"),
    "o": ("listener~80", "shard_a", "DIGEST"),
    "a": ("nothing is asked for without a pattern",),
    "b": ("1.38.1", "How we know", "by pod proxy"),
}


def opened() -> GwtuiApp:
    """The console on a fleet whose proxies tell everything."""
    feed = fleet.FakeFeed(inspected.snapshot())
    feed.pages = inspected.FakePages()
    return GwtuiApp(feed, title_clusters=(fleet.CLUSTER,), read_only=True)


async def open_detail(pilot: Pilot[None], key: ProxyKey = inspected.SHARD_B) -> None:
    """Type what an operator would: the name of the proxy in command mode."""
    await until_seen(pilot, "1 Map")
    await pilot.press("colon", *"proxy", "space", *key.pod, "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, ProxyScreen))
    await until_seen(pilot, key.pod)


def feed_of(pilot: Pilot[None]) -> fleet.FakeFeed:
    feed = pilot.app._feed
    assert isinstance(feed, fleet.FakeFeed)
    return feed


def pages_of(pilot: Pilot[None]) -> inspected.FakePages:
    pages = feed_of(pilot).pages
    assert isinstance(pages, inspected.FakePages)
    return pages


@pytest.mark.parametrize("key", TABS)
async def test_every_tab_has_its_letter(key: str):
    async with opened().run_test(size=WIDE) as pilot:
        await open_detail(pilot, inspected.EDGE_1 if key == "r" else inspected.SHARD_B)
        await pilot.press("b" if key == "t" else "t", key)
        await until_seen(pilot, *TABS[key])


async def test_tabs_are_walked_in_both_directions():
    async with opened().run_test(size=WIDE) as pilot:
        await open_detail(pilot)
        for key, mark in (
            ("right_square_bracket", "▸ Listeners"),
            ("tab", "▸ Routes"),
            ("left_square_bracket", "▸ Listeners"),
            ("shift+tab", "▸ Traffic"),
            ("shift+tab", "▸ About"),
        ):
            await pilot.press(key)
            await until_seen(pilot, mark)


async def test_escape_and_q_lead_back_to_the_table():
    async with opened().run_test(size=WIDE) as pilot:
        for leave in ("escape", "q"):
            await open_detail(pilot)
            await pilot.press(leave)
            await until(pilot, lambda: not isinstance(pilot.app.screen, ProxyScreen))


async def test_enter_in_the_table_opens_the_proxy_and_y_its_pod():
    async with opened().run_test(size=WIDE) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "STATE▾")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ProxyScreen))
        shown = pilot.app.screen
        assert isinstance(shown, ProxyScreen)
        await pilot.press("y")
        pod = ObjectKey(fleet.CLUSTER, "pods", shown.key.namespace, shown.key.pod)
        await until(pilot, lambda: feed_of(pilot).asked == [pod])


async def test_an_upstream_unfolds_to_its_endpoints_and_says_why_one_gets_no_traffic():
    async with opened().run_test(size=WIDE) as pilot:
        await open_detail(pilot)
        await pilot.press("u")
        await until_seen(pilot, "batch")
        for unfold, fold in (("enter", "enter"), ("plus", "minus"), ("right", "left")):
            await pilot.press(unfold)
            await until_seen(pilot, "10.0.3.7:8080", "10.0.3.8:8080", "ejected", "eu-1b")
            await pilot.press(fold)
            await until(pilot, lambda: "10.0.3.7:8080" not in seen(pilot))


async def test_rows_are_walked_and_the_story_follows():
    async with opened().run_test(size=NARROW) as pilot:
        await open_detail(pilot, inspected.EDGE_1)
        await pilot.press("o")
        await until_seen(pilot, "listener~80")
        before = seen(pilot)
        await pilot.press("j")
        await until(pilot, lambda: seen(pilot) != before)
        await pilot.press("k")
        await until(pilot, lambda: seen(pilot) == before)
        for there, back in (("G", "g"), ("end", "home"), ("pagedown", "pageup"), ("ctrl+d", "ctrl+u"), ("space", "g")):
            await pilot.press(there)
            await until(pilot, lambda: seen(pilot) != before)
            await pilot.press(back)
            await until(pilot, lambda: seen(pilot) == before)


async def test_a_resource_is_a_tree_that_is_searched():
    async with opened().run_test(size=WIDE) as pilot:
        await open_detail(pilot, inspected.EDGE_1)
        await pilot.press("o")
        await until_seen(pilot, "routes", inspected.ROUTES_80)
        while "routes" not in pilot.app.screen._view.selected.kind.value:
            await pilot.press("down")
        await pilot.press("enter")
        await until_seen(pilot, "virtual_hosts", "RouteConfiguration")
        await pilot.press("slash", *"shard_b", "enter")
        await until_seen(pilot, "shard_b", "matches")
        chosen = pilot.app.screen._view.selected
        await pilot.press("n")
        await until(pilot, lambda: pilot.app.screen._view.selected != chosen)
        await pilot.press("N")
        await until(pilot, lambda: pilot.app.screen._view.selected == chosen)
        await pilot.press("escape")
        await until(pilot, lambda: "matches" not in seen(pilot))
        await pilot.press("escape")
        await until_seen(pilot, "DIGEST")


async def test_what_differs_from_a_sibling_is_marked_and_compared():
    async with opened().run_test(size=WIDE, notifications=True) as pilot:
        await open_detail(pilot, inspected.EDGE_1)
        await pilot.press("o")
        await until_seen(pilot, "≠ routes")
        await pilot.press("equals_sign")
        await until_seen(pilot, "30s", "15s", inspected.EDGE_2.pod)
        await pilot.press("escape")
        await until_seen(pilot, "DIGEST")
        await pilot.press("G", "equals_sign")
        await until_seen(pilot, "this resource is equal")


async def test_statistics_are_asked_for_once_typing_pauses_and_never_without_a_pattern():
    async with opened().run_test(size=WIDE) as pilot:
        await open_detail(pilot)
        await pilot.press("a", "slash", *"connect_fail")
        await until_seen(pilot, "cluster.batch.upstream_cx_connect_fail", "37")
        patterns = [asked[1] for asked in pages_of(pilot).asked if asked[0] == "statistics"]
        assert patterns[-1] == "connect_fail"
        assert len(patterns) < len("connect_fail")
        assert "" not in patterns
        await pilot.press("escape")
        await until_seen(pilot, "nothing is asked for without a pattern")


async def test_a_pattern_the_proxy_refuses_is_told_in_its_own_words():
    async with opened().run_test(size=WIDE) as pilot:
        pages_of(pilot).failing["statistics"] = UsageError("missing ): (", "RE2 has no look-ahead")
        await open_detail(pilot)
        await pilot.press("a", "slash", *"(x", "enter")
        await until_seen(pilot, "missing ): (", "RE2 has no look-ahead")


async def test_a_page_that_is_not_offered_says_why_and_the_other_tabs_go_on():
    async with opened().run_test(size=WIDE) as pilot:
        pages_of(pilot).failing["certificates"] = NotServed("/certs is not offered (403)", "allow it in allow_paths")
        await open_detail(pilot)
        await pilot.press("c")
        await until_seen(pilot, "/certs is not offered (403)", "allow it in allow_paths")
        await pilot.press("u")
        await until_seen(pilot, "batch")


async def test_keys_never_wait_for_an_answer():
    async with opened().run_test(size=WIDE) as pilot:
        pages_of(pilot).is_slow.clear()
        await open_detail(pilot)
        await pilot.press("o")
        await until_seen(pilot, "reading")
        await pilot.press("t")
        await until_seen(pilot, "long-lived")
        pages_of(pilot).is_slow.set()
        await pilot.press("o")
        await until_seen(pilot, "DIGEST")


async def test_the_last_answer_stays_with_its_age_when_a_refresh_fails():
    async with opened().run_test(size=WIDE) as pilot:
        await open_detail(pilot)
        await pilot.press("u")
        await until_seen(pilot, "batch")
        await pilot.press("enter")
        await until_seen(pilot, "10.0.3.7:8080")
        pages_of(pilot).failing["upstreams"] = NotServed("/clusters is gone", "look again")
        feed = feed_of(pilot)
        feed.change(replace(feed.snapshot, revision=99), later_s=20)
        await until_seen(pilot, "/clusters is gone", "10.0.3.7:8080")


async def test_the_feed_is_told_what_is_looked_at():
    async with opened().run_test(size=WIDE) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "STATE▾")
        await until(pilot, lambda: len(feed_of(pilot).attended[-1][0]) == len(inspected.snapshot().proxies))
        told = len(feed_of(pilot).attended)
        await asyncio.sleep(0)
        await open_detail(pilot)
        await until(pilot, lambda: feed_of(pilot).attended[-1] == ({inspected.SHARD_B}, inspected.SHARD_B))
        assert len(feed_of(pilot).attended) <= told + 2
        await pilot.press("escape")
        await until(pilot, lambda: feed_of(pilot).attended[-1][1] is None)


async def test_an_unknown_proxy_is_said():
    async with opened().run_test(size=WIDE, notifications=True) as pilot:
        await until_seen(pilot, "1 Map")
        await pilot.press("colon", *"proxy", "space", *"nothing-like-it", "enter")
        await until_seen(pilot, "no proxy is called")
        assert not isinstance(pilot.app.screen, ProxyScreen)


async def test_the_worst_are_first_and_say_what_is_wrong_with_what_they_hold():
    async with opened().run_test(size=WIDE) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "✖ expired", "✖ rejected", "≠ 1 of 2", "6 d ▲", "1.38.1")


async def test_a_tab_and_a_pattern_typed_at_once_arrive_in_this_order():
    async with opened().run_test(size=WIDE) as pilot:
        await open_detail(pilot)
        await pilot.press("o")
        await until_seen(pilot, "DIGEST")
        for key in ("a", "slash", *"batch"):
            pilot.app.simulate_key(key)
        await until_seen(pilot, "▸ Stats", "filter batch", "4 statistics match batch")


async def test_a_filter_that_nothing_matches_says_so():
    async with opened().run_test(size=WIDE) as pilot:
        await open_detail(pilot)
        for tab in ("l", "r", "u", "c", "o"):
            await pilot.press(tab, "slash", *"zzz", "enter")
            await until_seen(pilot, "nothing matches zzz")
