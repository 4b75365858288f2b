"""What a person would see: the text of the screen, and waiting for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from textual.pilot import Pilot

DEADLINE_S = 5.0


def seen(pilot: Pilot[None]) -> str:
    """The text of the whole terminal, row by row."""
    screen = pilot.app.screen
    lines = screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in lines)


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Wait until the condition holds, or fail with what is on the screen."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, seen(pilot)
        await pilot.pause()
        await asyncio.sleep(0.01)


async def until_seen(pilot: Pilot[None], *texts: str) -> None:
    """Wait until all texts are on the screen."""
    await until(pilot, lambda: all(text in seen(pilot) for text in texts))
