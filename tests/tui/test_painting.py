"""What happens between two parts of a repaint."""

from __future__ import annotations

from gwtui.tui.screens.proxies import ProxiesScreen
from gwtui.tui.widgets.live_table import LiveTable
from tests.tui import fleet
from tests.tui.looking import until_seen

WIDE = (140, 45)


async def test_what_was_asked_for_in_the_meantime_stays(make_app) -> None:
    app = make_app(fleet.central_ingress())
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "edge-5f6d8-abc12", "shard-b")
        screen = app.screen
        assert isinstance(screen, ProxiesScreen)
        app._bridge.is_paused = True
        table = screen.query_one("#body", LiveTable)
        every = len(table.keys)
        for before, after in (("", "shard-b"), ("shard-b", "")):
            screen.pattern = before
            screen.repaint()
            parts = screen.paint_parts(app.scene)
            for _ in range(3):
                next(parts)
            screen.pattern = after
            screen.repaint()
            for _ in parts:
                pass
            assert len(table.keys) == (1 if after else every)


async def test_the_cursor_is_told_of_in_the_frame_that_moves_it(make_app) -> None:
    app = make_app(fleet.central_ingress())
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "edge-5f6d8-abc12", "shard-b")
        table = app.screen.query_one("#body", LiveTable)
        foot = app.screen.query_one("#foot")
        for key in table.keys:
            table.select(key)
            told = "".join(segment.text for segment in foot.render_line(0))
            assert str(key) in told


async def test_rows_scroll_with_the_cursor_however_small_the_window(make_app) -> None:
    app = make_app(fleet.central_ingress())
    async with app.run_test(size=(140, 10)) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "pod infra/")
        table = app.screen.query_one("#body", LiveTable)
        for key in table.keys:
            table.select(key)
            painted = ["".join(segment.text for segment in table.render_line(y)) for y in range(table.size.height)]
            assert [line for line in painted if line.startswith("▌") and key.pod in line]
