"""Another log level by keys: asked for on the page of a proxy, reviewed, confirmed, followed."""

from __future__ import annotations

from gwtui.changes.journal import Ended, Opened, Seen, Writing, Written, changes
from gwtui.changes.log_levels import log_level_plan, wanted_level
from gwtui.changes.plan import Plan, Verdict
from gwtui.errors import UsageError
from gwtui.tui.screens.proxy import ProxyScreen
from tests.tui import fleet, inspected
from tests.tui.looking import seen, until, until_seen
from tests.tui.test_proxy_detail import WIDE, feed_of, open_detail, opened


def plan(**more: bool) -> Plan:
    return log_level_plan(
        inspected.EDGE_1,
        fleet.EDGE,
        inspected.BUILD,
        wanted_level("http=debug"),
        id_="20260101-120000-0001",
        made_at=fleet.NOW,
        **more,
    )


async def test_a_level_is_asked_for_reviewed_confirmed_and_told():
    made = plan()
    feed_entries = (
        Opened(change=made.id, at=fleet.NOW, plan=made, who="sre"),
        Writing(change=made.id, at=fleet.NOW, step=0),
        Written(change=made.id, at=fleet.NOW, step=0),
        Seen(change=made.id, at=fleet.NOW, step=0, truth="loaded", is_met=True, text="it says http debug"),
        Ended(change=made.id, at=fleet.NOW, verdict=Verdict.VERIFIED),
    )
    async with opened().run_test(size=WIDE) as pilot:
        fake = feed_of(pilot).changes
        fake.planned, fake.entries = made, feed_entries
        await open_detail(pilot, inspected.EDGE_1)
        await pilot.press("b")
        await until_seen(pilot, "info, connection warning at start", "L gives a logger another one")
        await pilot.press("L")
        await until_seen(pilot, "a level alone is for all loggers")
        await pilot.press(*"htt", "right")
        await until_seen(pilot, "http=debug")
        await pilot.press("enter")
        await until_seen(pilot, "POST /logging?http=debug", "type  edge  to apply", "lease 15 min")
        assert fake.levels == [(inspected.EDGE_1, "http=debug")]
        await pilot.press("ctrl+t")
        await until_seen(pilot, "logger http to debug for 1 h", "lease 1 h")
        await pilot.press("ctrl+s")
        await until_seen(pilot, "there is no patch to write")
        await pilot.press(*"debug", "enter")
        await until_seen(pilot, "that is not edge: nothing was written")
        assert fake.ran == []
        for _ in "debug":
            await pilot.press("backspace")
        await pilot.press(*"edge", "enter")
        await until_seen(pilot, "✔ loaded", "it says http debug", "verified")
        assert [each.lease_s for each in fake.ran] == [3600.0]
        fake.remembered = changes(feed_entries)
        await pilot.press("escape")
        await until_seen(pilot, "▲ logger http at debug until")


async def test_leaving_the_prompt_plans_nothing_and_the_help_lists_the_key():
    async with opened().run_test(size=WIDE) as pilot:
        await open_detail(pilot, inspected.EDGE_1)
        for leave in (("escape",), ("enter",), (*"http=debugL", "escape")):
            await pilot.press("L")
            await until_seen(pilot, "a level alone is for all loggers")
            await pilot.press(*leave)
            await until(pilot, lambda: not pilot.app.screen.query("#prompt"))
            assert isinstance(pilot.app.screen, ProxyScreen)
        assert feed_of(pilot).changes.levels == []
        await pilot.press("question_mark")
        await until_seen(pilot, "Plan another log level for a while")


async def test_what_cannot_be_planned_says_what_to_write():
    async with opened().run_test(size=WIDE) as pilot:
        feed_of(pilot).changes.planned = UsageError("'http=' names no log level", "write LOGGER=LEVEL")
        await open_detail(pilot, inspected.EDGE_1)
        await pilot.press("L", *"http=", "enter")
        await until_seen(pilot, "✖ 'http=' names no log level", "write LOGGER=LEVEL")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, ProxyScreen))


async def test_a_console_that_may_not_write_shows_the_plan_and_no_field():
    async with opened().run_test(size=WIDE) as pilot:
        feed_of(pilot).changes.planned = plan(read_only=True)
        await open_detail(pilot, inspected.EDGE_1)
        await pilot.press("L", *"http=debug", "enter")
        await until_seen(pilot, "✖ this console is read-only")
        await pilot.press(*"edge", "enter")
        assert "to apply" not in seen(pilot)
        assert feed_of(pilot).changes.ran == []
