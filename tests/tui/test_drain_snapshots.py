"""What the wizard of a drain, its review and its conductor look like. Look at a changed picture before accepting it."""

from __future__ import annotations

import pytest

from gwtui.changes.drains.wish import Shard
from gwtui.changes.journal import Ended, Told
from gwtui.changes.plan import Verdict
from gwtui.tui.app import GwtuiApp
from tests.tui import drain_story as story
from tests.tui import fleet
from tests.tui.fake_changes import FakeChanges
from tests.tui.looking import seen, until, until_seen
from tests.tui.test_drains import drained

SIZES = pytest.mark.parametrize("size", [(140, 45), (80, 24)], ids=["wide", "narrow"])


def console(told: tuple[Told, ...] = (), snapshot=None) -> GwtuiApp:
    feed = fleet.FakeFeed(snapshot or fleet.central_ingress())
    feed.changes.planned = story.plan(lease_s=3600.0, reason="kernel update")
    feed.changes.entries = told
    return GwtuiApp(feed, title_clusters=(fleet.CLUSTER,), read_only=False)


def changes_of(app: GwtuiApp) -> FakeChanges:
    assert isinstance(app._feed, fleet.FakeFeed)
    return app._feed.changes


async def asked(pilot) -> None:
    await until_seen(pilot, "infra/edge", "live")
    pilot.app.drains.wish([Shard(fleet.SHARD_A)])
    await until_seen(pilot, "enter make the plan")


async def reviewed(pilot) -> None:
    await asked(pilot)
    await pilot.press("enter")
    await until_seen(pilot, "type  shard-a  to apply")


async def confirmed(pilot) -> None:
    await reviewed(pilot)
    await pilot.press(*"shard-a", "enter")
    await until(pilot, lambda: "to apply" not in seen(pilot) and "esc close" in seen(pilot))


@SIZES
def test_wizard(snap_compare, size) -> None:
    assert snap_compare(console(), terminal_size=size, run_before=asked)


@SIZES
def test_review(snap_compare, size) -> None:
    assert snap_compare(console(), terminal_size=size, run_before=reviewed)


@SIZES
@pytest.mark.parametrize(
    "told",
    [
        pytest.param(story.until_writes(), id="writing"),
        pytest.param(story.waiting(), id="waiting"),
        pytest.param(story.waiting(is_overdue=True), id="overdue"),
        pytest.param((*story.until_empty(), story.counted(None)), id="unknown"),
        pytest.param(story.done(), id="done"),
        pytest.param(story.aborted(), id="aborted"),
    ],
)
def test_conductor(snap_compare, size, told: tuple[Told, ...]) -> None:
    end = Ended(change=story.ID, at=story.after(60), verdict=Verdict.VERIFIED)
    is_over = isinstance(told[-1], Ended)
    app = console(told if is_over else (*told, end))
    if not is_over:
        changes_of(app).may_go_on.clear()
    assert snap_compare(app, terminal_size=size, run_before=confirmed)


@SIZES
@pytest.mark.parametrize(
    "told",
    [
        pytest.param(story.done(), id="done"),
        pytest.param(story.until_writes(), id="under-way"),
        pytest.param((), id="by-others"),
    ],
)
def test_in_place_on_the_map(snap_compare, size, told: tuple[Told, ...]) -> None:
    async def shown(pilot) -> None:
        await until_seen(pilot, "infra/edge", "live", "⇣ ")
        await pilot.press("down" if size[0] < 110 else "right")
        await until_seen(pilot, "shard-a ·")

    app = console(snapshot=drained())
    changes_of(app).remembered = (story.change(told),) if told else ()
    assert snap_compare(app, terminal_size=size, run_before=shown)


@SIZES
def test_changes(snap_compare, size) -> None:
    app = console()
    changes_of(app).remembered = (story.change(story.until_writes()),)

    async def listed(pilot) -> None:
        await until_seen(pilot, "infra/edge", "live")
        await pilot.press("5")
        await until_seen(pilot, "VERDICT", "⇣ 3 of 5")

    assert snap_compare(app, terminal_size=size, run_before=listed)
