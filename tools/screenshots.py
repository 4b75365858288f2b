"""Screenshots of the console as SVG, made by running it without a terminal."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gwtui.tui.app import GwtuiApp
from gwtui.tui.feed import Feed

SETTLE_TICKS = 20
"""How often the application may go round before the picture is taken."""


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
