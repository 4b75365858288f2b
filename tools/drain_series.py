"""A drain and its undrain on the playground by keys that the screen shows, a picture at each turn.

The keys are those an operator reads off the bottom line and the windows: arrows to the shard, `d`, `enter`, its name.
`python -m tools.drain_series` writes `screenshots/drain-1-….svg` and on, in two sizes.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from textual.pilot import Pilot

from gwtui.errors import GwtuiError
from gwtui.tui.app import GwtuiApp
from tools.screenshots import FOLDER, NARROW, SCENARIO, USUAL, WATCH_S, app_on, shown, watched

SHARD = "shard-a"
CHOSEN = "shop intends 90%"
"""What the bottom line tells of the shard alone once it is chosen."""


class Turn(NamedTuple):
    """Keys, what they lead to, and how the picture of it is called."""

    keys: tuple[str, ...]
    wanted: str
    name: str


TURNS = (
    Turn((), CHOSEN, "map"),
    Turn(("d",), "who takes over", "wizard"),
    Turn(("l", "enter"), f"type  {SHARD}", "review"),
    Turn((*SHARD, "enter"), "before the next stage", "conductor"),
    Turn(("escape",), "draining", "on-the-map"),
    Turn(("5",), "⇣ drained", "changes"),
    Turn(("1", "d"), f"type  {SHARD}", "undrain-review"),
    Turn((*SHARD, "enter"), "verified", "undrained"),
    Turn(("escape",), "nothing stands out", "as-before"),
)


async def series(size: tuple[int, int], folder: Path) -> None:
    """Take the pictures of one size."""
    async with watched(SCENARIO, WATCH_S) as feed:
        app = app_on(feed, tuple(feed.snapshot.clusters), "dark")
        async with app.run_test(size=size) as pilot:
            app.action_show_mode("map")
            await pilot.pause()
            for number, turn in enumerate(TURNS, start=1):
                keys = turn.keys if turn.name != "map" else await _way_to_the_shard(app, pilot)
                await pilot.press(*keys)
                await shown(app, turn.wanted)
                path = folder / f"drain-{number}-{turn.name}-dark-{size[0]}x{size[1]}.svg"
                await asyncio.to_thread(path.write_text, app.export_screenshot(title="gwtui"), "utf-8")
                print(path, flush=True)


async def _way_to_the_shard(app: GwtuiApp, pilot: Pilot[None]) -> tuple[str, ...]:
    """Go through the cards with the arrows, down a list or over to the next column, until the shard is chosen."""
    for key in ("down", "right", "down", "down", "up", "up"):
        await pilot.press(key)
        await asyncio.sleep(0.3)
        if CHOSEN in app.export_screenshot(simplify=True).replace("&#160;", " "):
            break
    return ()


def main() -> int:
    """Take the pictures; return the exit code."""
    with tempfile.TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state  # a journal of these pictures alone
        try:
            for size in (NARROW, USUAL):
                asyncio.run(series(size, FOLDER))
        except GwtuiError as error:
            print(f"drain_series: {error.line()}", file=sys.stderr)
            return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
