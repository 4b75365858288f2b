"""What screens with a sorted live table share: the order, which rests while the cursor moves, and its keys."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

from gwtui.tui.screens.console import ConsoleScreen
from gwtui.tui.widgets.live_table import LiveTable
from gwtui.views.tables import settle

K = TypeVar("K", bound=Hashable)

FREEZE_S = 4.0
"""Seconds after the last movement of the cursor in which rows keep their places."""


class SortedTableScreen(ConsoleScreen, Generic[K]):
    """A main screen whose body is a live table, sorted by one of its columns."""

    SORTS: ClassVar[Sequence[str]]
    """Ids of the columns rows can be sorted by, in the order of the columns."""

    def __init__(self) -> None:
        super().__init__()
        self._sort = "state"
        self._moved_at: datetime | None = None

    def body(self) -> LiveTable[K]:
        """The table."""
        return LiveTable[K](id="body", moved=self._moved)

    def nothing_matches(self) -> bool:
        """Whether the filter leaves no row."""
        return bool(self.pattern) and not self._table.keys

    def action_sort(self, direction: int) -> None:
        """Sort by the column beside the one the rows are sorted by now."""
        names = list(self.SORTS)
        self._sort = names[(names.index(self._sort) + direction) % len(names)]
        self._moved_at = None
        self.repaint()

    def _ordered(self, wanted: Iterable[K], now: datetime) -> list[K]:
        """The rows in their order, or where they were while the cursor moves."""
        if self._moved_at and (now - self._moved_at).total_seconds() < FREEZE_S:
            return settle(wanted, self._table.keys)
        return list(wanted)

    def _moved(self) -> None:
        self._moved_at = self.console_app.scene.now
        self.paint_selection()

    @property
    def _table(self) -> LiveTable[K]:
        return self.query_one("#body", LiveTable)
