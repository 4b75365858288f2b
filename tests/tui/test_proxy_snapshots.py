"""What the proxies and the detail of one look like when they tell everything. Look before accepting a change."""

from __future__ import annotations

import pytest

from gwtui.tui.app import GwtuiApp
from tests.tui import fleet, inspected
from tests.tui.looking import until_seen

WIDE, NARROW = (140, 45), (80, 24)
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
TABS = {
    "traffic": (inspected.SHARD_B, "t", "our cost"),
    "listeners": (inspected.EDGE_1, "l", "[::]:443"),
    "routes": (inspected.EDGE_1, "r", "infra/cart"),
    "upstreams": (inspected.SHARD_B, "u", "batch"),
    "certificates": (inspected.SHARD_B, "c", "shard-b.infra.svc"),
    "config": (inspected.EDGE_1, "o", "≠ routes"),
    "stats": (inspected.SHARD_B, "a", "without a pattern"),
    "about": (inspected.EDGE_1, "b", "controller"),
}


def console(theme: str = "dark") -> GwtuiApp:
    feed = fleet.FakeFeed(inspected.snapshot())
    feed.pages = inspected.FakePages()
    return GwtuiApp(feed, title_clusters=(fleet.CLUSTER,), theme=theme, read_only=True)


@SIZES
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_proxies(snap_compare, size: tuple[int, int], theme: str) -> None:
    async def ready(pilot) -> None:
        await until_seen(pilot, "1 Map")
        await pilot.press("2")
        await until_seen(pilot, "STATE▾", "live")

    assert snap_compare(console(theme), terminal_size=size, run_before=ready)


@SIZES
@pytest.mark.parametrize("tab", TABS)
def test_tab(snap_compare, size: tuple[int, int], tab: str) -> None:
    proxy, key, words = TABS[tab]

    async def ready(pilot) -> None:
        await until_seen(pilot, "1 Map")
        await pilot.press("colon", *"proxy", "space", *proxy.pod, "enter")
        await until_seen(pilot, proxy.pod, "Traffic")
        await pilot.press("o", key)
        await until_seen(pilot, words)
        if tab == "upstreams":
            await pilot.press("enter")
            await until_seen(pilot, "10.0.3.8")

    assert snap_compare(console(), terminal_size=size, run_before=ready)


@SIZES
def test_difference(snap_compare, size: tuple[int, int]) -> None:
    async def ready(pilot) -> None:
        await until_seen(pilot, "1 Map")
        await pilot.press("colon", *"proxy", "space", *inspected.EDGE_1.pod, "enter")
        await until_seen(pilot, inspected.EDGE_1.pod, "Traffic")
        await pilot.press("o")
        await until_seen(pilot, "≠ routes")
        await pilot.press("equals_sign")
        await until_seen(pilot, "15s")

    assert snap_compare(console(), terminal_size=size, run_before=ready)


@SIZES
def test_without_colour(snap_compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def ready(pilot) -> None:
        await until_seen(pilot, "1 Map")
        await pilot.press("2")
        await until_seen(pilot, "STATE▾", "live")

    assert snap_compare(console(), terminal_size=size, run_before=ready)
