"""Draining by keys: the wizard, its review, the window of what is under way, and where it is shown."""

from __future__ import annotations

import asyncio
from dataclasses import replace as replaced
from datetime import timedelta

import pytest

from gwtui.changes.drains.wish import Backend, OneProxy, Shard
from gwtui.changes.journal import Counted, Ended
from gwtui.changes.plan import Verdict
from gwtui.errors import Unreachable
from gwtui.model.ids import ProxyKey
from gwtui.tui.app import GwtuiApp
from gwtui.tui.keymap import KEYS
from tests.tui import drain_story as story
from tests.tui import fleet
from tests.tui.fake_changes import FakeChanges
from tests.tui.looking import seen, until, until_seen

WIDE, NARROW = (140, 45), (80, 24)
SIZES = pytest.mark.parametrize("size", [NARROW, WIDE])


def changes_of(app: GwtuiApp) -> FakeChanges:
    assert isinstance(app._feed, fleet.FakeFeed)
    return app._feed.changes


def drained(snapshot=None):
    """The fleet with nothing sent to shard-a by weight."""
    snapshot = snapshot or fleet.central_ingress()
    cluster = snapshot.clusters[fleet.CLUSTER]
    hops = tuple(
        replaced(hop, shares=tuple(replaced(each, weight=0) for each in hop.shares))
        if hop.target == fleet.SHARD_A
        else hop
        for hop in cluster.topology.hops
    )
    view = replaced(cluster, topology=replaced(cluster.topology, hops=hops))
    return replaced(snapshot, clusters={fleet.CLUSTER: view})


async def under_way(app: GwtuiApp, pilot, told, *, is_over: bool = False) -> None:
    """Confirm a drain of which this is told."""
    fake = changes_of(app)
    fake.planned = story.plan()
    end = Ended(change=story.ID, at=story.after(60), verdict=Verdict.VERIFIED)
    fake.entries = told if is_over else (*told, end)
    if not is_over:
        fake.may_go_on.clear()
    await until_seen(pilot, "infra/edge", "live")
    app.drains.wish([Shard(fleet.SHARD_A)])
    await until_seen(pilot, "make the plan")
    await pilot.press("enter")
    await until_seen(pilot, "type  shard-a  to apply")
    await pilot.press(*"shard-a", "enter")
    await until(pilot, lambda: "to apply" not in seen(pilot) and "esc close" in seen(pilot))


@SIZES
async def test_from_the_map_by_the_keys_shown_on_screen_only(make_app, size) -> None:
    app = make_app(read_only=False)
    changes_of(app).planned = story.plan()
    changes_of(app).entries = story.done()
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "infra/shard-a", "d drain")
        await pilot.press("down" if size == NARROW else "right")
        await until_seen(pilot, "shard-a ·")
        await pilot.press("d")
        await until_seen(pilot, "infra/shard-a", "▸ ✖ infra/shard-b", "12.4k", "r  ramp  50 → 10 → 0 %", "enter make")
        await pilot.press("r", "b", "t", "l")
        await until_seen(pilot, "at once", "bake  15 s", "deadline  5 min", "peak  accepted")
        await pilot.press("enter")
        await until_seen(pilot, "Way", "replacement", "type  shard-a  to apply")
        (wish,) = changes_of(app).wished
        assert (wish.target, wish.to) == (Shard(fleet.SHARD_A), "infra/shard-b")
        assert (wish.ramp, wish.bake_s, wish.deadline_s, wish.accepts_load) == ((0,), 15.0, 300.0, True)
        assert changes_of(app).ran == []
        await pilot.press(*"shard-a", "enter")
        await until_seen(pilot, "✔ 5 wait until empty", "infra/shard-a is empty", "z plan the undrain")
        await pilot.press("escape")
        await until_seen(pilot, "1 Map")


async def test_who_takes_over_is_chosen_with_the_arrows(make_app) -> None:
    app = make_app(read_only=False)
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/shard-a")
        app.drains.wish([Shard(fleet.SHARD_A)])
        await until_seen(pilot, "▸ ✖ infra/shard-b", "it is not well")
        await pilot.press("down")
        await until_seen(pilot, "▸   those that share its load already")
        await pilot.press("enter")
        await until_seen(pilot, "no plan was given")
        assert changes_of(app).wished[0].to == ""
        assert changes_of(app).ran == []


async def test_a_proxy_is_drained_from_its_row(make_app) -> None:
    app = make_app(read_only=False)
    changes_of(app).planned = Unreachable("prod-eu did not answer", "is the VPN up?")
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("2")
        await until_seen(pilot, "d drain", "shard-b-7c9f5-x2x4z")
        await pilot.press("/", *"abc12", "enter", "d")
        await until_seen(pilot, "infra/edge-5f6d8-abc12", "the other 2 proxies of infra/edge", "1/2 answer")
        await pilot.press("enter")
        await until_seen(pilot, "is the VPN up?")
        key = ProxyKey(fleet.CLUSTER, "infra", "edge-5f6d8-abc12")
        assert [each.target for each in changes_of(app).wished] == [OneProxy(key)]


async def test_the_conductor_tells_who_is_still_there(make_app) -> None:
    app = make_app(read_only=False)
    async with app.run_test(size=WIDE) as pilot:
        await under_way(app, pilot, story.waiting())
        await until_seen(
            pilot,
            "stage 5 of 5",
            "✔ 1 attach foo/web",
            "▶ 5 wait until empty",
            "infra/edge → shard-a",
            "2 foo/feed, 1 bar/chat",
            "41 s left",
            "space hold",
            "a abort and restore",
        )


async def test_who_quits_while_it_is_under_way_is_asked_once_more(make_app) -> None:
    app = make_app(read_only=False)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await under_way(app, pilot, story.waiting())
        await pilot.press("escape")
        await until_seen(pilot, "1 Map")
        await pilot.press("Q")
        await until_seen(pilot, "press Q again to quit", "gwtui resume", story.ID)
        assert not app._exit
        await pilot.press("Q")
        await until(pilot, lambda: app._exit)


async def test_keys_steer_and_what_is_dangerous_asks_once_more(make_app) -> None:
    app = make_app(read_only=False)
    async with app.run_test(size=WIDE) as pilot:
        await under_way(app, pilot, story.waiting())
        steering = changes_of(app).steered[0]
        await pilot.press("space")
        await until_seen(pilot, "HELD", "space go on")
        await pilot.press("space")
        await until(pilot, lambda: "HELD" not in seen(pilot))
        await pilot.press("n")
        await until_seen(pilot, "press n again within 3 s")
        assert steering.wishes == []
        await pilot.press("n", "F", "w", "a")
        assert steering.wishes == ["next", "faster"]  # w has no meaning before the deadline
        await until_seen(pilot, "press a again within 3 s to take everything back")
        await pilot.press("a")
        await until_seen(pilot, "ABORTED")
        assert steering.wishes == ["next", "faster", "abort"]
        await pilot.press("a", "a", "n", "F")
        assert steering.wishes == ["next", "faster", "abort"]


async def test_at_the_deadline_it_asks_and_names_who_remains(make_app) -> None:
    app = make_app(read_only=False)
    async with app.run_test(size=NARROW) as pilot:
        await under_way(app, pilot, story.waiting(is_overdue=True))
        await until_seen(pilot, "deadline of 1 min is over: 3 requests", "1 bar/chat", "w waits 60 s longer")
        await pilot.press("w", "n")
        assert changes_of(app).steered[0].wishes == ["extend 60", "next"]


async def test_a_closed_window_stops_nothing_and_is_opened_again(make_app) -> None:
    app = make_app(read_only=False)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await under_way(app, pilot, story.waiting())
        changes_of(app).remembered = (story.change(story.waiting()),)
        await pilot.press("escape", "5")
        await until_seen(pilot, "drain infra/shard-a", "5 of 5", "⇣1 drain")
        await pilot.press("enter")
        await until_seen(pilot, "space hold", "2 foo/feed")
        await pilot.press("escape", "1")
        await until_seen(pilot, "⇣ draining", "5 of 5")
        app.drains.wish([Shard(fleet.SHARD_A)])  # what `d` on its card does
        await until_seen(pilot, "space hold", "2 foo/feed")
        await pilot.press("escape")
        changes_of(app).may_go_on.set()
        await until_seen(pilot, "verified")


async def test_what_fails_is_said_in_the_window(make_app) -> None:
    app = make_app(read_only=False)
    fake = changes_of(app)

    async def broken(*_):
        for each in story.until_writes():
            yield each
        raise Unreachable("the journal cannot be written", "is the disk full?")

    fake.run = broken
    async with app.run_test(size=WIDE) as pilot:
        await under_way(app, pilot, ())
        await until_seen(pilot, "the journal cannot be written", "is the disk full?", "▶ 3 infra/shard-a 10 %")


async def test_what_was_taken_back_says_so(make_app) -> None:
    app = make_app(read_only=False)
    async with app.run_test(size=WIDE) as pilot:
        await under_way(app, pilot, story.aborted(), is_over=True)
        await until_seen(pilot, "rolled back  aborted by the operator", "✖ 3 infra/shard-a 10 %", "✔ taken back 3 of 3")
        assert "z plan" not in seen(pilot)


async def test_undrain_is_one_key_where_the_drain_is_shown(make_app) -> None:
    app = make_app(drained(), read_only=False)
    fake = changes_of(app)
    fake.remembered = (story.change(story.done()),)
    fake.planned = story.plan(id="20260301-150000-00d2", title="undrain infra/shard-a", undoes=story.ID)
    app._feed.moment = fleet.NOW + timedelta(minutes=12)
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "⇣ drained 12 min", "⇣1 drain 13 min")
        await pilot.press("right", "d")
        await until_seen(pilot, "undrain infra/shard-a", "it restores 2 objects", "type  shard-a  to apply")
        assert fake.undone == [story.ID]
        await pilot.press("escape", "colon", *"undrain infra/shard-a", "enter")
        await until_seen(pilot, "type  shard-a  to apply")
        assert fake.undone == [story.ID] * 2


@SIZES
async def test_a_drain_in_the_objects_alone_is_shown_too(make_app, size) -> None:
    app = make_app(drained())
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "⇣ not by gwtui" if size == NARROW else "⇣ drained, not by gwtui")
        assert "⇣1 drain" not in seen(pilot)


async def test_changes_tell_the_stage_who_since_when_and_the_lease(make_app) -> None:
    app = make_app()
    leased = story.plan(lease_s=3600.0, reason="kernel")
    changes_of(app).remembered = (story.change(story.waiting(leased)),)
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("5")
        await until_seen(
            pilot, "drain infra/shard-a → infra/shard-b", "⇣ 5 of 5", "stage 5 of 5 wait until empty", "by sre",
            "since 14:01:50 UTC", "lease 59 min more", "reason: kernel",
        )  # fmt: skip
        await pilot.press("enter")
        await until_seen(pilot, "✔ 1 attach foo/web to infra/shard-b", "▶ 5 wait until empty", "Way")


async def test_commands_name_the_target_and_who_takes_over(make_app) -> None:
    app = make_app(read_only=False)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("colon", *"drain infra/shard-b infra/shard-a", "enter")
        await until_seen(pilot, "infra/shard-b", "▸ ◐ infra/shard-a")
        await pilot.press("enter")
        await until_seen(pilot, "no plan was given")
        assert [(each.target, each.to) for each in changes_of(app).wished] == [(Shard(fleet.SHARD_B), "infra/shard-a")]
        await pilot.press("escape", "colon", *"undrain infra/shard-b", "enter")
        await until_seen(pilot, "no drain of infra/shard-b")
        await pilot.press("colon", *"drain infra/nobody", "enter")
        await until_seen(pilot, "no gateway and no proxy")


async def test_help_lists_the_keys_of_both_windows(make_app) -> None:
    app = make_app(read_only=False)
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        app.drains.wish([Shard(fleet.SHARD_A)])
        await until_seen(pilot, "? keys")
        await pilot.press("question_mark")
        ours = [key.tooltip for key in KEYS if key.id.startswith("drain.") and "backend" not in key.label]
        await until_seen(pilot, *ours)
        await pilot.press("escape", "escape")
        await under_way(app, pilot, story.waiting())
        await pilot.press("question_mark")
        await until_seen(pilot, "A drain under way", "asks once more", "is written to the cluster")


def test_no_two_actions_of_a_window_share_a_key() -> None:
    for window in ("drain", "conductor", "map", "proxies", "routes", "rule"):
        names = [name for key in KEYS if key.id.partition(".")[0] == window for name in key.keys.split(",")]
        assert len(names) == len(set(names)), window


async def test_a_backend_is_chosen_from_those_of_the_rule(make_app) -> None:
    app = make_app(read_only=False)
    two = [Backend(story.EDGE_ROUTES, name) for name in ("infra/shard-a", "infra/shard-b")]
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        app.drains.wish(two)
        await until_seen(pilot, "infra/shard-a  1 of 2", "← → which backend", "route infra/edge-routes")
        await pilot.press("right", "enter")
        await until_seen(pilot, "no plan was given")
        assert changes_of(app).wished[0].target == two[1]


async def test_readings_are_kept_for_a_trend_and_are_no_part_of_the_journal(make_app) -> None:
    app = make_app(read_only=False)
    async with app.run_test(size=WIDE) as pilot:
        await under_way(app, pilot, story.waiting())
        (running,) = app.drains._running.values()
        assert list(running.trail[story.ARRIVING]) == [40, 31, 22, 9, 5, 3]
        assert not any(isinstance(each, Counted) for each in running._entries)
        await asyncio.sleep(0)
