"""The map on the screen: columns where there is room, a tree where there is not, one selection for both."""

from __future__ import annotations

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gwtui.tui.keymap import bindings
from gwtui.tui.widgets.painted import Painted
from gwtui.views.fleet_map import GATEWAY, Card, FleetMap, NodeId
from gwtui.views.map_drawing import draw, titles
from gwtui.views.map_layout import Layout, layout, least_width
from gwtui.views.map_tree import TreeRow, tree
from gwtui.views.map_walk import walk, walk_tree
from gwtui.views.spans import Line, Role, Span

COLUMNS_FROM = 110
"""Cells of width from which the map is drawn in columns."""

_EMPTY = FleetMap(titles=(), cards=(), links=())


class FleetView(Painted, ScrollView, can_focus=True):
    """Shows a `FleetMap`. The selection belongs to a card's identity and survives every change of the map."""

    BINDINGS = bindings("map")

    class Moved(Message):
        """The selection changed."""

    class Opened(Message):
        """The operator goes into the selected card."""

    class YamlWanted(Message):
        """The operator wants to see the object behind the selected card."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - the name Textual uses
        super().__init__(id=id)
        self._map = _EMPTY
        self._layout: Layout | None = None
        self._tree: list[TreeRow] = []
        self._selected: NodeId | None = None
        self._window: tuple[int, list[Line]] | None = None

    @property
    def selected(self) -> Card | None:
        """The selected card; None when the map is empty."""
        return self._map.card(self._selected)

    def show(self, fleet_map: FleetMap) -> None:
        """Replace the map."""
        self._map = fleet_map
        self._arrange()

    def select(self, node: NodeId) -> None:
        """Select a card and bring it into view."""
        self._selected = node
        self._window = None
        self._scroll_to_selected()
        self.refresh()
        self.post_message(self.Moved())

    def on_resize(self, event: events.Resize) -> None:
        """Another width may ask for the other form."""
        self._arrange()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Another window of rows is drawn."""
        self._window = None
        super().watch_scroll_y(old_value, new_value)

    def render_line(self, y: int) -> Strip:
        """Paint the column titles, which do not scroll, or one row of the map."""
        if self._layout is None:
            return self._tree_line(y)
        cells = max(self.size.width, self._layout.width)
        x_offset, y_offset = self.scroll_offset
        line = titles(self._map, self._layout) if y == 0 else self._drawn(y_offset)[y - 1]
        return self.strip(line, cells).crop_extend(x_offset, x_offset + self.size.width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Select the card under the pointer; a second click goes in."""
        node = self._at(event.x + self.scroll_offset.x, event.y + self.scroll_offset.y)
        if node is None:
            return
        if node == self._selected:
            self.post_message(self.Opened())
        self.select(node)

    def action_move(self, direction: str) -> None:
        """Walk to a neighbour: `up`, `down`, `left`, `right`, `first`, `last`."""
        if self._layout is None:
            target = walk_tree(self._tree, self._selected, direction)
        else:
            target = walk(self._map, self._layout, self._selected, direction)
        if target is not None:
            self.select(target)

    def action_open(self) -> None:
        """Go into the selected card."""
        if self.selected is not None:
            self.post_message(self.Opened())

    def action_yaml(self) -> None:
        """Ask for the object behind the selected card."""
        if self.selected is not None:
            self.post_message(self.YamlWanted())

    def _arrange(self) -> None:
        cells = self.size.width
        in_columns = cells >= max(COLUMNS_FROM, least_width(self._map))
        self._layout = layout(self._map, cells) if in_columns else None
        self._tree = [] if in_columns else tree(self._map)
        if self._map.card(self._selected) is None:
            first = next((card.id for card in self._map.cards if card.id.kind == GATEWAY), None)
            self._selected = first or next((card.id for card in self._map.cards), None)
        height = self._layout.height + 1 if self._layout else len(self._tree)
        self.virtual_size = Size(self._layout.width if self._layout else cells, height)
        self._window = None
        self.refresh()

    def _drawn(self, top: int) -> list[Line]:
        if self._window is None or self._window[0] != top:
            assert self._layout is not None  # noqa: S101 - only called while the map is drawn in columns
            self._window = (top, draw(self._map, self._layout, self._selected, top=top, rows=self.size.height))
        return self._window[1]

    def _tree_line(self, y: int) -> Strip:
        row = self.scroll_offset.y + y
        if row >= len(self._tree):
            return self.strip((), self.size.width)
        is_cursor = self._tree[row].node == self._selected
        mark = Span("▌" if is_cursor else " ", Role.ACCENT)
        return self.strip((mark, *self._tree[row].line), self.size.width, is_cursor=is_cursor)

    def _at(self, x: int, y: int) -> NodeId | None:
        if self._layout is None:
            return self._tree[y].node if y < len(self._tree) else None
        for node, place in self._layout.places.items():
            if place.x <= x < place.x + place.width and place.y <= y - 1 < place.y + place.height:
                return node
        return None

    def _scroll_to_selected(self) -> None:
        if self._selected is None:
            return
        if self._layout is not None:
            place = self._layout.places[self._selected]
            first, last = place.y, place.y + place.height
        else:
            first = next(index for index, row in enumerate(self._tree) if row.node == self._selected)
            last = first
        top, rows = self.scroll_offset.y, self.size.height - 1
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True)
        elif last > top + rows:
            self.scroll_to(y=last - rows, animate=False, immediate=True)
