"""How often the console repaints."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gwtui.tui.bridge import ANSWER_S, PART_S, PATIENCE_S, PAUSE_S, TICK_S, TICKS_AT_REST, Bridge
from tests.tui import fleet

PARTS = 5
"""Parts of one repaint."""


class Painter:
    """Counts repaints, each of which takes a while of its own clock."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s
        self.now = 0.0
        self.count = 0
        self.parts_at: list[float] = []

    def paint(self) -> Iterator[None]:
        for _ in range(PARTS):
            self.now += self.takes_s / PARTS
            self.parts_at.append(self.now)
            yield
        self.count += 1

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def bridge(self, feed: fleet.FakeFeed) -> Bridge:
        return Bridge(feed, self.paint, clock=lambda: self.now, sleep=self.sleep)

    async def run(self, bridge: Bridge, seconds: float, feed: fleet.FakeFeed, *, change: bool) -> None:
        end = self.now + seconds
        while self.now < end:
            if change:
                feed.change(feed.snapshot)
            due = self.now + TICK_S
            await bridge.tick()
            self.now = max(self.now, due)


@pytest.mark.parametrize(
    ("takes_s", "change", "most", "least"),
    [(0.005, True, 41, 39), (0.005, False, 11, 10), (0.13, True, 20, 12), (1.0, True, 3, 2)],
)
async def test_four_a_second_and_never_more_than_a_quarter_of_the_time(
    *, takes_s: float, change: bool, most: int, least: int
) -> None:
    feed, painter = fleet.FakeFeed(fleet.LOADING), Painter(takes_s)
    bridge = painter.bridge(feed)
    await painter.run(bridge, 10, feed, change=change)
    assert least <= painter.count <= most
    assert painter.count * takes_s <= 0.25 * 10 + takes_s


async def test_paused_nothing_is_painted_and_the_change_is_not_forgotten() -> None:
    feed, painter = fleet.FakeFeed(fleet.LOADING), Painter(0)
    bridge = painter.bridge(feed)
    bridge.is_paused = True
    for _ in range(2 * TICKS_AT_REST):
        await bridge.tick()
    assert painter.count == 0
    bridge.is_paused = False
    await bridge.tick()
    assert painter.count == 1


async def test_between_parts_others_have_their_turn_and_a_key_is_answered_first() -> None:
    feed, painter = fleet.FakeFeed(fleet.LOADING), Painter(PARTS * PART_S)
    bridge = painter.bridge(feed)
    pressed_at: list[float] = []

    async def sleep(seconds: float) -> None:
        await painter.sleep(seconds)
        if painter.parts_at and not pressed_at:
            pressed_at.append(painter.now)
            bridge.key_pressed()

    bridge._sleep = sleep
    await bridge.tick()
    assert painter.count == 1
    assert painter.parts_at[0] < pressed_at[0]
    assert painter.parts_at[1] >= pressed_at[0] + ANSWER_S
    assert not bridge.is_answering


async def test_a_key_that_is_held_down_stops_no_repaint_for_long() -> None:
    feed, painter = fleet.FakeFeed(fleet.LOADING), Painter(PARTS * PART_S)
    bridge = painter.bridge(feed)

    async def sleep(seconds: float) -> None:
        await painter.sleep(seconds)
        bridge.key_pressed()

    bridge._sleep = sleep
    await bridge.tick()
    assert painter.count == 1
    assert painter.now <= PATIENCE_S + ANSWER_S + PARTS * (PART_S + PAUSE_S)


async def test_pausing_ends_a_repaint_that_has_begun() -> None:
    feed, painter = fleet.FakeFeed(fleet.LOADING), Painter(PARTS * PART_S)
    bridge = painter.bridge(feed)

    async def sleep(seconds: float) -> None:
        await painter.sleep(seconds)
        bridge.is_paused = len(painter.parts_at) == 2

    bridge._sleep = sleep
    await bridge.tick()
    assert (painter.count, len(painter.parts_at)) == (0, 2)
    bridge.is_paused = False
    bridge._sleep = painter.sleep
    painter.now += 1
    await bridge.tick()
    assert painter.count == 1
