"""What the editor, a plan under review and under way, and the list of changes look like. Look before accepting."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gwtui.changes.plan import Plan, Refusal, Verdict
from gwtui.tui.app import GwtuiApp
from gwtui.tui.screens.route_editor import RouteEditorScreen
from tests.tui import fleet
from tests.tui.looking import until_seen
from tests.tui.test_changes import KEY, change, document, feed_of, plan, story
from tests.tui.test_route_editor import route

SIZES = pytest.mark.parametrize("size", [(140, 45), (80, 24)], ids=["wide", "narrow"])


def console(planned: Plan) -> GwtuiApp:
    app = GwtuiApp(fleet.FakeFeed(fleet.central_ingress()), title_clusters=(fleet.CLUSTER,), read_only=False)
    feed = feed_of(app)
    feed.changes.documents[KEY] = route()
    feed.changes.planned = planned
    feed.changes.entries = story(Verdict.UNVERIFIED)
    return app


async def edited(pilot) -> None:
    await until_seen(pilot, "infra/edge", "live")
    pilot.app.push_screen(RouteEditorScreen(KEY, 0))
    await until_seen(pilot, "nothing changed yet")
    await pilot.press("minus", "minus", "n", "end", "ctrl+u", *"Not_A_Host", "enter")
    await until_seen(pilot, "fields changed", "✖")


async def reviewed(pilot) -> None:
    await until_seen(pilot, "infra/edge", "live")
    app = pilot.app
    app.open_plan(" Edit ", lambda: feed_of(app).changes.plan(KEY, document(90, 10), document(50, 50)))
    await until_seen(pilot, "dry run")


@SIZES
def test_editor(snap_compare, size: tuple[int, int]) -> None:
    assert snap_compare(console(plan()), terminal_size=size, run_before=edited)


@SIZES
def test_review(snap_compare, size: tuple[int, int]) -> None:
    assert snap_compare(console(plan(lease_s=900.0)), terminal_size=size, run_before=reviewed)


def test_refused(snap_compare) -> None:
    against = Refusal(
        code="lone-weight-zero",
        text="rule 0: shard-a is the only backend, and one alone gets everything whatever its weight",
        safe_way="add the backend that takes over, see it ready, then set shard-a to 0",
    )
    assert snap_compare(console(plan(refusals=(against,))), terminal_size=(80, 24), run_before=reviewed)


@SIZES
def test_under_way(snap_compare, size: tuple[int, int]) -> None:
    async def confirmed(pilot) -> None:
        await reviewed(pilot)
        await until_seen(pilot, "to apply")
        await pilot.press(*"edge-routes", "enter")
        await until_seen(pilot, "unverified")

    assert snap_compare(console(plan()), terminal_size=size, run_before=confirmed)


@SIZES
def test_changes(snap_compare, size: tuple[int, int]) -> None:
    app = console(plan())
    leased = plan(id="20260101-120001-0002", title="second", lease_s=3600.0)
    cut = plan(id="20260101-115900-0003", title="third", reason="because")
    feed_of(app).changes.remembered = (change(None, made=cut), change(), change(made=leased))
    feed_of(app).moment = fleet.NOW + timedelta(seconds=4)

    async def listed(pilot) -> None:
        await until_seen(pilot, "infra/edge", "live")
        await pilot.press("5")
        await until_seen(pilot, "VERDICT", "second")

    assert snap_compare(app, terminal_size=size, run_before=listed)
