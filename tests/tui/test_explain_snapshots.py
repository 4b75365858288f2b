"""What an explanation looks like. Look at a changed picture before accepting it."""

from __future__ import annotations

import pytest

from tests.tui.looking import until_seen
from tests.tui.test_explain import NARROW, WIDE, console


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_explain(snap_compare, size: tuple[int, int]) -> None:
    async def ready(pilot) -> None:
        await until_seen(pilot, "1 Map", "infra/edge", "live")
        await pilot.press("x")
        await until_seen(pilot, "10% of these requests get 404", "enter explains", "2a infra/shard-a")
        await pilot.press("tab")  # a line without the focus has no cursor that blinks
        await pilot.pause()

    assert snap_compare(console(), terminal_size=size, run_before=ready)
