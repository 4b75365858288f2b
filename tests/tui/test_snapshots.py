"""What the screens look like. Look at a changed picture before accepting it: `pytest tests/tui --snapshot-update`."""

from __future__ import annotations

import pytest

from gwtui.tui.app import GwtuiApp
from tests.tui import fleet
from tests.tui.looking import until_seen

WIDE, NARROW = (140, 45), (80, 24)
STATES = {
    "loading": (fleet.LOADING, "connecting"),
    "empty": (fleet.EMPTY, "no Gateways in prod-eu"),
    "no-gateway-api": (fleet.NO_GATEWAY_API, "has no Gateway API"),
    "forbidden": (fleet.FORBIDDEN, "not allowed to read Gateways"),
    "failed": (fleet.FAILED, "cannot reach prod-eu"),
    "stale": (fleet.stale(), "is stale"),
}


def app_on(snapshot, theme: str = "dark") -> GwtuiApp:
    return GwtuiApp(fleet.FakeFeed(snapshot), title_clusters=(fleet.CLUSTER,), theme=theme, read_only=True)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_map(snap_compare, size: tuple[int, int], theme: str) -> None:
    async def ready(pilot) -> None:
        await until_seen(pilot, "infra/edge", "live")

    assert snap_compare(app_on(fleet.central_ingress(), theme), terminal_size=size, run_before=ready)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_proxies(snap_compare, size: tuple[int, int]) -> None:
    async def ready(pilot) -> None:
        await pilot.press("2")
        await until_seen(pilot, "STATE▾", "live")

    assert snap_compare(app_on(fleet.central_ingress()), terminal_size=size, run_before=ready)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_states(snap_compare, size: tuple[int, int], state: str) -> None:
    snapshot, words = STATES[state]

    async def ready(pilot) -> None:
        await until_seen(pilot, "1 Map", words)

    assert snap_compare(app_on(snapshot), terminal_size=size, run_before=ready)
