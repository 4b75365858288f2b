"""What the rules and the page of one look like. Look at a changed picture before accepting it."""

from __future__ import annotations

import pytest

import routed
from gwtui.tui.app import GwtuiApp
from tests.tui import fleet
from tests.tui.looking import until_seen

SIZES = pytest.mark.parametrize("size", [(140, 45), (80, 24)], ids=["wide", "narrow"])


def console() -> GwtuiApp:
    return GwtuiApp(fleet.FakeFeed(routed.snapshot()), title_clusters=(fleet.CLUSTER,), theme="dark", read_only=True)


async def open_routes(pilot) -> None:
    await until_seen(pilot, "1 Map", "live")
    await pilot.press("3")
    await until_seen(pilot, "STATE▾", "live")


@SIZES
def test_routes(snap_compare, size: tuple[int, int]) -> None:
    assert snap_compare(console(), terminal_size=size, run_before=open_routes)


@SIZES
def test_rule(snap_compare, size: tuple[int, int]) -> None:
    async def opened(pilot) -> None:
        await open_routes(pilot)
        await pilot.press("slash", *"x-canary", "enter", "enter")
        await until_seen(pilot, "foo/cart rule 0 · prod-eu", "rewrite prefix to /v2")
        pilot.app.screen_stack[0].repaint()  # the screen below as it is after every later tick
        await pilot.pause()

    assert snap_compare(console(), terminal_size=size, run_before=opened)


def test_routes_without_colour(snap_compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(console(), terminal_size=(140, 45), run_before=open_routes)
