"""How often the console repaints."""

from __future__ import annotations

import pytest

from gwtui.tui.bridge import TICK_S, TICKS_AT_REST, Bridge
from tests.tui import fleet


class Painter:
    """Counts repaints, each of which takes a while of its own clock."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s
        self.now = 0.0
        self.count = 0

    def paint(self) -> None:
        self.count += 1
        self.now += self.takes_s

    def run(self, bridge: Bridge, seconds: float, feed: fleet.FakeFeed, *, change: bool) -> None:
        end = self.now + seconds
        while self.now < end:
            if change:
                feed.change(feed.snapshot)
            due = self.now + TICK_S
            bridge.tick()
            self.now = max(self.now, due)


@pytest.mark.parametrize(
    ("takes_s", "change", "most", "least"),
    [(0.005, True, 41, 39), (0.005, False, 11, 10), (0.13, True, 20, 12), (1.0, True, 3, 2)],
)
def test_four_a_second_and_never_more_than_a_quarter_of_the_time(
    *, takes_s: float, change: bool, most: int, least: int
) -> None:
    feed, painter = fleet.FakeFeed(fleet.LOADING), Painter(takes_s)
    bridge = Bridge(feed, painter.paint, clock=lambda: painter.now)
    painter.run(bridge, 10, feed, change=change)
    assert least <= painter.count <= most
    assert painter.count * takes_s <= 0.25 * 10 + takes_s


def test_paused_nothing_is_painted_and_the_change_is_not_forgotten() -> None:
    feed, painter = fleet.FakeFeed(fleet.LOADING), Painter(0)
    bridge = Bridge(feed, painter.paint, clock=lambda: painter.now)
    bridge.is_paused = True
    for _ in range(2 * TICKS_AT_REST):
        bridge.tick()
    assert painter.count == 0
    bridge.is_paused = False
    bridge.tick()
    assert painter.count == 1
