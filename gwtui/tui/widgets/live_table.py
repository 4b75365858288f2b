"""A table that stays quick with thousands of rows and restless figures: it paints what is visible, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

from textual import events
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gwtui.tui.keymap import bindings
from gwtui.tui.widgets.painted import Painted
from gwtui.views.spans import BLANK, Line, Role, Span
from gwtui.views.tables import Column, Row, layout, row_line, title_line

K = TypeVar("K", bound=Hashable)

MARK = "▌"
"""Stands before the selected row, for terminals without colours."""


JUMP = 4
"""At the edge the rows move by this part of the window."""

STRIPS = 500
"""How many lines may be remembered as they look; more than a window has, so that scrolling paints one new line."""


class _Place(NamedTuple, Generic[K]):
    """A line of the window."""

    line: Line
    key: K | None = None
    """Of the row; None for the titles and below the last row."""
    is_cursor: bool = False


class LiveTable(Painted, ScrollView, Generic[K], can_focus=True):
    """Rows are keys in an order; the cells of a row are made when it is painted. The selection belongs to a key."""

    BINDINGS = bindings("table")

    class Opened(Message):
        """The operator chose the selected row."""

    def __init__(self, *, id: str, moved: Callable[[], None]) -> None:  # noqa: A002 - the name Textual uses
        """Prepare an empty table.

        Args:
            id: Of the widget.
            moved: Called when the operator moved the cursor, at once: what a message tells is painted a frame later.
        """
        super().__init__(id=id)
        self._tell_moved = moved
        self._columns: Sequence[Column] = ()
        self._keys: Sequence[K] = ()
        self._row_of: Callable[[K], Row] | None = None
        self._sorted_by = ""
        self._selected: K | None = None
        self._cursor = 0
        self._lines: dict[K, Line] = {}
        """Rows that were painted since they were given."""
        self._made: dict[K, tuple[Row, Line]] = {}
        """Rows as they were made into lines last, for the columns in `_made_for`."""
        self._made_for: Sequence[Column] = ()
        self._window: list[_Place[K]] = []
        self._window_of: tuple[int, Size] | None = None
        """Scroll position and size the window was made for."""
        self._strips: dict[tuple[K | None, bool], tuple[Line, Strip]] = {}
        """How lines looked when they were painted last, in the theme and width of `_strips_of`."""
        self._painted: list[tuple[_Place[K], Strip]] = []
        """The lines of the window as they are on the screen."""
        self._strips_of: tuple[object, ...] = ()

    @property
    def selected(self) -> K | None:
        """Key of the selected row; None when there are no rows."""
        return self._selected

    @property
    def keys(self) -> Sequence[K]:
        """All rows in their order."""
        return self._keys

    @property
    def in_window(self) -> Sequence[K]:
        """The rows in the window."""
        return self.window_of(self._keys)

    def window_of(self, keys: Sequence[K]) -> Sequence[K]:
        """Which of these rows the window would show."""
        top = self.scroll_offset.y
        return keys[top : top + max(0, self.size.height - 1)]

    def show(self, columns: Sequence[Column], keys: Sequence[K], row_of: Callable[[K], Row], *, sorted_by: str) -> None:
        """Replace the rows. The selection stays on its key; when that is gone, on its place."""
        self._columns, self._row_of, self._sorted_by = columns, row_of, sorted_by
        if keys != self._keys:
            self._keys = keys
            self._keep_selection()
        self._lines = {}
        self.virtual_size = Size(self.size.width, len(keys) + 1)
        self._repaint()

    def select(self, key: K) -> None:
        """Move the cursor to a key that is shown."""
        self._go(self._keys.index(key))

    def on_resize(self) -> None:
        """Another width shares itself out anew."""
        self._lines = {}
        self._repaint()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Paint lines of the window. Nothing stands around them: one that was painted before is there as it was."""
        base, ground, filters = self.rich_style, self.background_colors[1], tuple(self.get_line_filters())
        looks = (base, ground, filters, self.app.theme, self.size.width)
        if looks != self._strips_of or len(self._strips) > STRIPS:
            self._strips, self._strips_of, self._painted = {}, looks, []
        window = self._drawn()
        before = self._painted
        # The toolkit asks for all lines where one has changed: those that are the same are not looked at closer.
        self._painted = [
            before[y] if y < len(before) and before[y][0] is place else (place, self._filtered(place, filters, ground))
            for y, place in enumerate(window)
        ]
        strips = [self._painted[y][1] if y < len(window) else self.strip((), self.size.width) for y in crop.line_range]
        if crop.column_span == (0, self.size.width):
            return strips
        return [strip.crop_extend(*crop.column_span, base) for strip in strips]

    def render_line(self, y: int) -> Strip:
        """Paint the titles, which do not scroll, or the row at a line of the window."""
        return self._strip(self._drawn()[y])

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
        before = self._cursor
        self._cursor = min(max(index, 0), len(self._keys) - 1)
        self._selected = self._keys[self._cursor]
        top = self.scroll_offset.y
        visible = max(1, self.size.height - 1)
        # Further than needed: else every key at the edge moves every row, and sends a whole window down a slow line.
        ahead = visible // JUMP
        if self._cursor < top:
            self.scroll_to(y=max(0, self._cursor - ahead), animate=False, immediate=True)
        elif self._cursor >= top + visible:
            self.scroll_to(y=self._cursor - visible + 1 + ahead, animate=False, immediate=True)
        if self._window_of == (self.scroll_offset.y, self.size):
            self._mark(before - top + 1, is_cursor=False)
            self._mark(self._cursor - top + 1, is_cursor=True)
        else:
            self._repaint()
        self._tell_moved()

    def _mark(self, y: int, *, is_cursor: bool) -> None:
        """Move the cursor to a line of the window, or away from it: no other line changes."""
        if 0 < y < len(self._window) and self._window[y].is_cursor is not is_cursor:
            self._window[y] = self._window[y]._replace(is_cursor=is_cursor)
            self.refresh(Region(0, y, self.size.width, 1))

    def _repaint(self) -> None:
        """Paint again the lines that differ from those on the screen."""
        before, made_for = self._window, self._window_of
        self._window_of = None
        window = self._drawn()
        if made_for != self._window_of:
            self.refresh()
            return
        lines = enumerate(zip(before, window, strict=True))
        changed = [Region(0, y, self.size.width, 1) for y, (old, new) in lines if old != new]
        if changed:
            self.refresh(*changed)

    def _filtered(self, place: _Place[K], filters: Sequence[LineFilter], ground: Color) -> Strip:
        strip = self._strip(place)
        for each in filters:
            strip = strip.apply_filter(each, ground)
        return strip

    def _strip(self, place: _Place[K]) -> Strip:
        line, key, is_cursor = place
        before = self._strips.get((key, is_cursor))
        if before is not None and before[0] == line:
            return before[1]
        mark = (Span(MARK if is_cursor else " ", Role.ACCENT),) if key is not None else ()
        strip = self.strip((*mark, *line), self.size.width, is_cursor=is_cursor)
        self._strips[key, is_cursor] = (line, strip)
        return strip

    def _drawn(self) -> list[_Place[K]]:
        """Every line of the window."""
        made_for = (self.scroll_offset.y, self.size)
        if made_for != self._window_of:
            self._window_of = made_for
            shown = layout(self._columns, self.size.width - 1)
            if shown != self._made_for or len(self._made) > STRIPS:
                self._made, self._made_for = {}, shown
            cursor = self._cursor - self.scroll_offset.y
            rows = [_Place(self._line(key, shown), key, at == cursor) for at, key in enumerate(self.in_window)]
            blanks = [_Place[K](BLANK)] * (self.size.height - 1 - len(rows))
            titles = _Place[K]((Span(" "), *title_line(shown, self._sorted_by)))
            self._window = [titles, *rows, *blanks]
        return self._window

    def _line(self, key: K, shown: Sequence[Column]) -> Line:
        line = self._lines.get(key)
        if line is None:
            row = self._row_of(key) if self._row_of is not None else Row(())
            before = self._made.get(key)
            line = before[1] if before is not None and before[0] == row else self._laid_out(row, shown)
            self._lines[key] = line
            self._made[key] = (row, line)
        return line

    def _laid_out(self, row: Row, shown: Sequence[Column]) -> Line:
        return row_line(self._columns, shown, row, self.size.width - 1)

    def _keep_selection(self) -> None:
        if not self._keys:
            self._selected, self._cursor = None, 0
            return
        if self._selected in self._keys:
            self._cursor = self._keys.index(self._selected)
        else:
            self._cursor = min(self._cursor, len(self._keys) - 1)
        self._selected = self._keys[self._cursor]
