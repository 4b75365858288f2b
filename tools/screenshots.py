"""Screenshots of the console as SVG, made by running it without a terminal on the playground.

Usage: `make screenshots`, or `python tools/screenshots.py [SCENARIO…]`; without a name: `central-ingress`.
The figures in the pictures are those of that run.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from gwtui.engine.clock import SystemClock
from gwtui.playground import launch
from gwtui.playground.scenario import scenario_names
from gwtui.settings import Settings
from gwtui.tui.app import GwtuiApp
from gwtui.tui.feed import Feed
from gwtui.wiring.console import ConsoleFeed
from gwtui.wiring.session import start

FOLDER = Path(__file__).resolve().parent.parent / "screenshots"
SIZES = ((80, 24), (140, 45), (220, 60))
PICTURES = (("map", "dark"), ("map", "light"), ("proxies", "dark"))
"""(screen, theme)."""

SCENARIO = "central-ingress"
"""Its pictures are named without the scenario."""

SETTLE_TICKS = 20
"""How often the application may go round before the picture is taken."""

WATCH_S = 35.0
"""How long the fleet is watched first: long enough for every window to be full."""


async def capture(
    feed: Feed,
    screen: str,
    size: tuple[int, int],
    theme: str,
    path: Path,
    *,
    clusters: tuple[str, ...] = (),
    keys: tuple[str, ...] = (),
) -> None:
    """Run the console on a feed, go to a screen and write what it shows.

    Args:
        feed: Any feed; what it holds when the console starts is what is shown.
        screen: `map` or `proxies`.
        size: Columns and rows of the terminal.
        theme: Name of a theme file.
        path: Where the SVG goes; its folder must exist.
        clusters: Contexts the header names; empty takes those of the snapshot.
        keys: Keys pressed before the picture is taken.
    """
    contexts = clusters or tuple(feed.snapshot.clusters)
    app = GwtuiApp(feed, title_clusters=contexts, theme=theme, read_only=True)
    async with app.run_test(size=size) as pilot:
        app.action_show_mode(screen)
        await pilot.pause()
        await pilot.press(*keys)
        for _ in range(SETTLE_TICKS):
            await asyncio.sleep(0)
        await pilot.pause()
        picture = app.export_screenshot(title="gwtui")
    await asyncio.to_thread(path.write_text, picture, "utf-8")


async def picture_scenario(scenario: str) -> None:
    """Start the playground with a scenario, watch it, and write every picture of it."""
    playground = await launch.launch(scenario, state_dir=None, progress=lambda line: print(line, flush=True))
    clock = SystemClock()
    session = start(Settings(kubeconfig=playground.kubeconfig), clock)
    await session.open()
    engine = asyncio.create_task(session.run())
    feed = ConsoleFeed(clock)
    feed.attach(session)
    lead = "" if scenario == SCENARIO else f"{scenario}-"
    try:
        print(f"watching the fleet for {WATCH_S:.0f} s", flush=True)
        await asyncio.sleep(WATCH_S)
        for screen, theme in PICTURES:
            for columns, rows in SIZES:
                path = FOLDER / f"{lead}{screen}-{theme}-{columns}x{rows}.svg"
                await capture(feed, screen, (columns, rows), theme, path)
                print(path.relative_to(FOLDER.parent), flush=True)
    finally:
        engine.cancel()
        await asyncio.gather(engine, return_exceptions=True)
        await session.close()
        await playground.close()


async def main(scenarios: Sequence[str]) -> int:
    """Write the pictures of each scenario, one after the other; return the exit code."""
    known = [name for name, _ in scenario_names()]
    strange = [name for name in scenarios if name not in known]
    if strange:
        print(f"no scenario {', '.join(strange)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    for name in scenarios or (SCENARIO,):
        await picture_scenario(name)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
