"""Support of `bench/keys.py`: the three programs it types into. Not run by itself.

`python -m bench.screens gwtui|table|empty PORT FILE` runs one of them and, on SIGTERM, ends it and writes how late a
task in its loop woke each time: a list of [monotonic seconds, seconds late].
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Never

from textual.app import App, ComposeResult
from textual.events import Key
from textual.widgets import DataTable, Static

from bench.fanout import TICK_S, Fleet
from bench.replay import CLUSTER, PROXIES, key, raise_open_files
from gwtui.errors import Unreachable
from gwtui.model.ids import ObjectKey, ProxyKey
from gwtui.model.known import value_or
from gwtui.model.snapshot import ProxyView, Snapshot
from gwtui.tui.app import GwtuiApp
from gwtui.tui.feed import ConsoleChanges, ProxyPages

COLUMNS = (
    *("GATEWAY", "PROXY", "STATE", "RPS", "ERR", "P50", "P99"),
    *("ACTIVE", "COST", "CONFIG", "CERT", "VERSION"),
)
REST = ("0.4%", "in sync", "89 d", "1.38.0")
"""Cells that stay as they are."""


class FleetFeed:
    """What the console shows: the store of the polled fleet.

    Args:
        fleet: the polling.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    @property
    def snapshot(self) -> Snapshot:
        """What was read of the fleet."""
        return self._fleet.store.snapshot

    @property
    def pages(self) -> ProxyPages:
        """There are none."""
        raise Unreachable("recorded answers hold no pages")

    @property
    def changes(self) -> ConsoleChanges:
        """There are none."""
        raise Unreachable("recorded answers cannot be changed")

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` after each change."""
        return self._fleet.store.subscribe(wake)

    def attend(self, visible: Collection[ProxyKey], opened: ProxyKey | None = None) -> None:
        """Ask these first, as the console's own feed does."""
        self._fleet.governor.attend(visible, opened)

    async def fetch_yaml(self, key: ObjectKey) -> Never:
        """There is no cluster to read it from."""
        raise Unreachable(f"recorded answers hold no {key}")

    def now(self) -> datetime:
        """The current time, aware UTC."""
        return datetime.now(UTC)

    def painted(self) -> None:
        """Nothing waits for the first frame."""


class TableApp(App[None]):
    """The rows in a stock `DataTable`, and a line that names the selected one.

    Args:
        fleet: the polling.
    """

    CSS = "DataTable { height: 1fr; } Static { height: 1; }"
    BINDINGS = (("j", "down", "down"),)

    def __init__(self, fleet: Fleet) -> None:
        super().__init__()
        self._fleet = fleet
        self._shown: dict[str, ProxyView] = {}

    def compose(self) -> ComposeResult:
        """The table and the line."""
        yield DataTable[str](cursor_type="row")
        yield Static("")

    def on_mount(self) -> None:
        """Fill the table and begin to follow the fleet."""
        table = self.query_one(DataTable)
        for name in COLUMNS:
            table.add_column(name, key=name, width=12)
        for number in range(PROXIES):
            pod = key(number).pod
            table.add_row(f"infra/{pod[:6]}", pod, "● ok", *["–"] * 5, *REST, key=pod)
        table.focus()
        self.set_interval(1.0, self._take_over)

    def action_down(self) -> None:
        """Select the next row."""
        self.query_one(DataTable).action_cursor_down()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Name the selected row."""
        self.query_one(Static).update(f"pod infra/{event.row_key.value} in {CLUSTER}", layout=False)

    def _take_over(self) -> None:
        """Bring the cells of every proxy that was sampled since."""
        table = self.query_one(DataTable)
        for proxy, view in self._fleet.store.snapshot.proxies.items():
            if self._shown.get(proxy.pod) is view:
                continue
            self._shown[proxy.pod] = view
            traffic = view.traffic
            for column, observed in (
                ("RPS", traffic.rps),
                ("ERR", traffic.error_ratio),
                ("P50", traffic.p50_ms),
                ("P99", traffic.p99_ms),
                ("ACTIVE", traffic.active),
            ):
                value = value_or(observed, None)
                table.update_cell(proxy.pod, column, "–" if value is None else f"{value:.1f}")


class EmptyApp(App[None]):
    """One line that follows the key."""

    def __init__(self) -> None:
        super().__init__()
        self._row = 0

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static(f"pod infra/{key(0).pod}")

    def on_key(self, event: Key) -> None:
        """Name the next row."""
        self._row += 1
        self.query_one(Static).update(f"pod infra/{key(self._row % PROXIES).pod}", layout=False)


async def late(notes: list[tuple[float, float]]) -> None:
    """Note when a short sleep ended and how many seconds too late, until cancelled."""
    while True:
        due = time.perf_counter() + TICK_S
        await asyncio.sleep(TICK_S)
        now = time.perf_counter()
        notes.append((now, max(now - due, 0.0)))


async def main(program: str, port: int) -> list[tuple[float, float]]:
    """Run the program until it is told to end; what `late` noted."""
    raise_open_files()
    fleet = None if program == "empty" else Fleet(port)
    app = program_on(program, fleet)
    notes: list[tuple[float, float]] = []
    ticker = asyncio.create_task(late(notes))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, app.exit)
    await app.run_async()
    ticker.cancel()
    if fleet is not None:
        await fleet.end()
    if isinstance(app, GwtuiApp) and app.defect is not None:
        raise app.defect
    return notes


def program_on(program: str, fleet: Fleet | None) -> App[None]:
    """The program of this name over the polled fleet, if it needs one."""
    if fleet is None:
        return EmptyApp()
    return GwtuiApp(FleetFeed(fleet), title_clusters=(CLUSTER,)) if program == "gwtui" else TableApp(fleet)


if __name__ == "__main__":
    Path(sys.argv[3]).write_text(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2])))))
