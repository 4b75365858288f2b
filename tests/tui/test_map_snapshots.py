"""What the Map looks like on large and strange fleets. Look at a changed picture before accepting it."""

from __future__ import annotations

import pytest

from gwtui.tui.app import GwtuiApp
from tests.tui import fleet, fleets
from tests.tui.looking import until_seen

SIZES = [(80, 24), (140, 45), (220, 60)]


def size_id(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def app_on(snapshot, theme: str = "dark", clusters: tuple[str, ...] = (fleet.CLUSTER,)) -> GwtuiApp:
    return GwtuiApp(fleet.FakeFeed(snapshot), title_clusters=clusters, theme=theme, read_only=True)


async def ready(pilot) -> None:
    await until_seen(pilot, "1 Map", "infra/edge", "live")


@pytest.mark.parametrize("size", SIZES, ids=size_id)
def test_mixed_fleet(snap_compare, size: tuple[int, int]) -> None:
    assert snap_compare(app_on(fleets.mixed()), terminal_size=size, run_before=ready)


@pytest.mark.parametrize("theme", ["light", "high-contrast"])
def test_mixed_fleet_in_other_themes(snap_compare, theme: str) -> None:
    assert snap_compare(app_on(fleets.mixed(), theme), terminal_size=(140, 45), run_before=ready)


def test_mixed_fleet_without_colour(snap_compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(app_on(fleets.mixed()), terminal_size=(140, 45), run_before=ready)


@pytest.mark.parametrize("size", SIZES, ids=size_id)
def test_two_hundred_gateways_folded(snap_compare, size: tuple[int, int]) -> None:
    assert snap_compare(app_on(fleets.many()), terminal_size=size, run_before=ready)


@pytest.mark.parametrize("size", SIZES, ids=size_id)
def test_focus(snap_compare, size: tuple[int, int]) -> None:
    async def focused(pilot) -> None:
        await ready(pilot)
        await pilot.press("down" if size[0] < 110 else "right", "down", "f")
        await until_seen(pilot, "focus ", "f or esc leaves")

    assert snap_compare(app_on(fleet.central_ingress()), terminal_size=size, run_before=focused)


def test_several_clusters(snap_compare) -> None:
    app = app_on(fleets.two_clusters(), clusters=(fleet.CLUSTER, "lab-us", "dead-ap"))
    assert snap_compare(app, terminal_size=(140, 45), run_before=ready)
