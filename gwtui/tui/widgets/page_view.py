"""One tab on the screen: its head stays, its rows scroll, and only those in the window are made."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gwtui.tui.keymap import bindings
from gwtui.tui.widgets.live_table import MARK
from gwtui.tui.widgets.painted import Painted
from gwtui.views.proxy.page import Page
from gwtui.views.spans import BLANK, Role, Span, crop


class _Place(NamedTuple):
    """Where the operator was in one part."""

    key: Hashable | None
    row: int
    top: int


class PageView(Painted, ScrollView, can_focus=True):
    """Shows a `Page`. Rows with a key can be chosen; where none can, the movements scroll.

    What is shown has parts (a tab, a resource in it); each keeps its own place while others are shown.
    """

    BINDINGS = bindings("page")

    class Moved(Message):
        """The operator moved the cursor."""

    class Opened(Message):
        """The operator pointed at the chosen row again."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - the name Textual uses
        super().__init__(id=id)
        self._page = Page()
        self._part: Hashable = None
        self._places: dict[Hashable, _Place] = {}
        self._index = -1
        self._key: Hashable | None = None

    @property
    def selected(self) -> Hashable | None:
        """Key of the chosen row; None when there is none to choose."""
        return self._key

    def show(self, page: Page, part: Hashable) -> None:
        """Replace what is shown. The cursor stays on its key; when that is gone, on its place.

        Args:
            page: What to show.
            part: What it is a state of. Another part begins where it was left, at first on top.
        """
        if part != self._part:
            self._places[self._part] = _Place(self._key, self._index, self.scroll_offset.y)
            self._part = part
            place = self._places.get(part, _Place(None, -1, 0))
            self._key, self._index = place.key, place.row
            self._take(page)
            self.scroll_to(y=place.top, animate=False, immediate=True)
        else:
            self._take(page)
        self.refresh()

    def select(self, key: Hashable) -> None:
        """Choose a row that is shown and bring it into the window."""
        self._go(list(self._page.keys).index(key))

    def render_line(self, y: int) -> Strip:
        """Paint a line of the head or the row at a line of the window."""
        cells = self.size.width
        head = self._page.head
        if y < len(head):
            return self.strip((Span(" "), *crop(head[y], cells - 1)), cells)
        index = self.scroll_offset.y + y - len(head)
        if index >= len(self._page.keys):
            return self.strip(BLANK, cells)
        is_cursor = index == self._index
        mark = Span(MARK if is_cursor else " ", Role.ACCENT)
        return self.strip((mark, *self._page.line_of(index)), cells, is_cursor=is_cursor)

    def on_click(self, event: events.Click) -> None:
        """Choose the row under the pointer; a second click opens it."""
        index = self.scroll_offset.y + event.y - len(self._page.head)
        if event.y < len(self._page.head) or not 0 <= index < len(self._page.keys) or self._page.keys[index] is None:
            return
        if index == self._index:
            self.post_message(self.Opened())
        self._go(index)

    def action_move(self, by: int) -> None:
        """Choose the next row in a direction, or scroll by a line where none can be chosen."""
        if self._key is None:
            self.scroll_relative(y=by, animate=False)
        else:
            self._go(self._nearest(self._index + by, by))

    def action_page(self, direction: int) -> None:
        """Move by a window."""
        by = direction * max(1, self._window - 1)
        if self._key is None:
            self.scroll_relative(y=by, animate=False)
        else:
            target = min(max(self._index + by, 0), len(self._page.keys) - 1)
            self._go(self._nearest(target, direction))

    def action_edge(self, direction: int) -> None:
        """Move to the first or the last row."""
        last = max(0, len(self._page.keys) - 1)
        if self._key is None:
            self.scroll_to(y=0 if direction < 0 else last, animate=False, immediate=True)
        else:
            self._go(self._nearest(0 if direction < 0 else last, -direction))
            if direction < 0:
                self.scroll_to(y=0, animate=False, immediate=True)

    @property
    def _window(self) -> int:
        """Rows there is room for."""
        return max(1, self.size.height - len(self._page.head))

    def _take(self, page: Page) -> None:
        self._page = page
        keys = page.keys
        if self._key is not None and not (0 <= self._index < len(keys) and keys[self._index] == self._key):
            self._index = next((at for at, key in enumerate(keys) if key == self._key), self._index)
        self._index = self._nearest(min(max(self._index, 0), len(keys) - 1), 1)
        self._key = keys[self._index] if self._index >= 0 else None
        self.virtual_size = Size(self.size.width, len(keys) + len(page.head))

    def _nearest(self, index: int, direction: int) -> int:
        """The row to choose at a place: the first in the direction, else the nearest against it; -1: there is none."""
        keys = self._page.keys
        ahead = range(index, len(keys)) if direction > 0 else range(min(index, len(keys) - 1), -1, -1)
        behind = range(index, -1, -1) if direction > 0 else range(index, len(keys))
        return next(
            (at for way in (ahead, behind) for at in way if 0 <= at < len(keys) and keys[at] is not None),
            -1,
        )

    def _go(self, index: int) -> None:
        if index < 0:
            return
        self._index, self._key = index, self._page.keys[index]
        top = self.scroll_offset.y
        if index < top:
            self.scroll_to(y=index, animate=False, immediate=True)
        elif index >= top + self._window:
            self.scroll_to(y=index - self._window + 1, animate=False, immediate=True)
        self.refresh(Region(0, 0, self.size.width, self.size.height))
        self.post_message(self.Moved())
