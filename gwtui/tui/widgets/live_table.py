"""A table that stays quick with thousands of rows and restless figures: it paints what is visible, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gwtui.tui.keymap import bindings
from gwtui.tui.widgets.painted import Painted
from gwtui.views.spans import Role, Span
from gwtui.views.tables import Column, Row, layout, row_line, title_line

K = TypeVar("K", bound=Hashable)

MARK = "▌"
"""Stands before the selected row, for terminals without colours."""


class LiveTable(Painted, ScrollView, Generic[K], can_focus=True):
    """Rows are keys in an order; the cells of a row are made when it is painted. The selection belongs to a key."""

    BINDINGS = bindings("table")

    class Moved(Message):
        """The operator moved the cursor."""

    class Opened(Message):
        """The operator chose the selected row."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - the name Textual uses
        super().__init__(id=id)
        self._columns: Sequence[Column] = ()
        self._keys: Sequence[K] = ()
        self._row_of: Callable[[K], Row] | None = None
        self._sorted_by = ""
        self._selected: K | None = None
        self._cursor = 0

    @property
    def selected(self) -> K | None:
        """Key of the selected row; None when there are no rows."""
        return self._selected

    @property
    def keys(self) -> Sequence[K]:
        """All rows in their order."""
        return self._keys

    def show(self, columns: Sequence[Column], keys: Sequence[K], row_of: Callable[[K], Row], *, sorted_by: str) -> None:
        """Replace the rows. The selection stays on its key; when that is gone, on its place."""
        self._columns, self._row_of, self._sorted_by = columns, row_of, sorted_by
        if keys != self._keys:
            self._keys = keys
            self._keep_selection()
        self.virtual_size = Size(self.size.width, len(keys) + 1)
        self.refresh()

    def select(self, key: K) -> None:
        """Move the cursor to a key that is shown."""
        self._go(self._keys.index(key))

    def render_line(self, y: int) -> Strip:
        """Paint the titles, which do not scroll, or the row at a line of the window."""
        cells = self.size.width
        shown = layout(self._columns, cells - 1)
        if y == 0:
            return self.strip((Span(" "), *title_line(shown, self._sorted_by)), cells)
        index = self.scroll_offset.y + y - 1
        if index >= len(self._keys) or self._row_of is None:
            return self.strip((), cells)
        is_cursor = index == self._cursor
        mark = Span(MARK if is_cursor else " ", Role.ACCENT)
        row = row_line(self._columns, shown, self._row_of(self._keys[index]), cells - 1)
        return self.strip((mark, *row), cells, is_cursor=is_cursor)

    def on_click(self, event: events.Click) -> None:
        """Select the row under the pointer; a second click opens it."""
        index = self.scroll_offset.y + event.y - 1
        if event.y == 0 or not 0 <= index < len(self._keys):
            return
        if index == self._cursor:
            self.post_message(self.Opened())
        self._go(index)

    def action_move(self, by: int) -> None:
        """Move the cursor by some rows."""
        self._go(self._cursor + by)

    def action_page(self, direction: int) -> None:
        """Move the cursor by a window."""
        self._go(self._cursor + direction * max(1, self.size.height - 2))

    def action_edge(self, direction: int) -> None:
        """Move the cursor to the first or the last row."""
        self._go(0 if direction < 0 else len(self._keys) - 1)

    def action_open(self) -> None:
        """Choose the selected row."""
        if self._selected is not None:
            self.post_message(self.Opened())

    def _go(self, index: int) -> None:
        if not self._keys:
            return
        self._cursor = min(max(index, 0), len(self._keys) - 1)
        self._selected = self._keys[self._cursor]
        top = self.scroll_offset.y
        visible = max(1, self.size.height - 1)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
        elif self._cursor >= top + visible:
            self.scroll_to(y=self._cursor - visible + 1, animate=False, immediate=True)
        self.refresh(Region(0, 0, self.size.width, self.size.height))
        self.post_message(self.Moved())

    def _keep_selection(self) -> None:
        if not self._keys:
            self._selected, self._cursor = None, 0
            return
        if self._selected in self._keys:
            self._cursor = self._keys.index(self._selected)
        else:
            self._cursor = min(self._cursor, len(self._keys) - 1)
        self._selected = self._keys[self._cursor]
