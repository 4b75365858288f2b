"""The map on the screen: columns where there is room, a tree where there is not, one selection for both."""

from __future__ import annotations

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gwtui.tui.keymap import bindings
from gwtui.tui.widgets.painted import Painted
from gwtui.views.map_arrangement import Arrangement
from gwtui.views.map_drawing import draw, titles
from gwtui.views.map_legend import legend
from gwtui.views.map_parts import FOLD, GATEWAY, Card, FleetMap, NodeId
from gwtui.views.map_walk import walk, walk_tree
from gwtui.views.spans import Line, Role, Span, crop


class FleetView(Painted, ScrollView, can_focus=True):
    """Shows a `FleetMap`. The selection belongs to a card's identity and survives every change of the map."""

    BINDINGS = bindings("map")

    class Moved(Message):
        """The selection changed."""

    class Opened(Message):
        """The operator goes into the selected card."""

    class YamlWanted(Message):
        """The operator wants to see the object behind the selected card."""

    class FocusWanted(Message):
        """The operator wants to see only what the selected card touches, or everything again."""

    class DrainWanted(Message):
        """The operator wants to empty the gateway of the selected card, or to fill it again."""

    class ExplainWanted(Message):
        """The operator wants to know where a request goes that the selected card takes."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - the name Textual uses
        super().__init__(id=id)
        self._whole: FleetMap | None = None
        self._part: object = None
        self._arranged = Arrangement()
        self._wanted: NodeId | None = None
        self._window: tuple[int, list[Line]] | None = None
        self._placed: object = None
        """What the place of every card on the screen depends on."""

    @property
    def selected(self) -> Card | None:
        """The selected card, or the fold it is in; None when the map is empty."""
        return self._arranged.map.card(self._selected)

    @property
    def in_window(self) -> frozenset[NodeId]:
        """The cards in the window. What is folded is not among them: a fold shows no figures of a single card."""
        top = self.scroll_offset.y
        bottom = top + self.size.height
        layout = self._arranged.layout
        if layout is None:
            return frozenset(row.node for row in self._arranged.tree[top:bottom])
        places = layout.places.items()
        return frozenset(node for node, place in places if place.y < bottom and place.y + place.height > top)

    @property
    def selected_ids(self) -> tuple[NodeId, ...]:
        """The selected card; for a fold all cards in it."""
        node = self._selected
        return self._arranged.members(node) if node is not None else ()

    @property
    def _selected(self) -> NodeId | None:
        return self._arranged.shown(self._wanted)

    def show(self, fleet_map: FleetMap, part: object = None) -> None:
        """Replace the map.

        Args:
            fleet_map: The cards.
            part: Which part of the fleet they are: what folded for want of room stays so while it is the same.
        """
        self._whole, self._part = fleet_map, part
        self._arrange()

    def select(self, node: NodeId) -> None:
        """Select a card and bring it into view."""
        self._wanted = node
        self._scroll_to_selected()
        self._repaint()
        self.post_message(self.Moved())

    def on_resize(self, event: events.Resize) -> None:
        """Another width may ask for the other form."""
        self._arrange()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Another window of rows is drawn."""
        self._window = None
        super().watch_scroll_y(old_value, new_value)

    def render_line(self, y: int) -> Strip:
        """Paint the column titles, which do not scroll, or one row of the map; the legend where there is room."""
        if y == self.size.height - 1 and self._arranged.height + 2 < self.size.height:
            return self.strip(legend(self.size.width), self.size.width)
        layout = self._arranged.layout
        if layout is None:
            return self._tree_line(y)
        cells = max(self.size.width, layout.width)
        x_offset, y_offset = self.scroll_offset
        line = titles(self._arranged.map, layout) if y == 0 else self._drawn(y_offset)[y - 1]
        return self.strip(line, cells).crop(x_offset, x_offset + self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Select the card under the pointer; a second click goes in."""
        node = self._at(event.x + self.scroll_offset.x, event.y + self.scroll_offset.y)
        if node is None:
            return
        if node == self._selected:
            self.action_open()
        else:
            self.select(node)

    def action_move(self, direction: str) -> None:
        """Walk to a neighbour: `up`, `down`, `left`, `right`, `first`, `last`."""
        shown = self._arranged
        if shown.layout is None:
            target = walk_tree(shown.tree, self._selected, direction)
        else:
            target = walk(shown.map, shown.layout, self._selected, direction)
        if target is not None:
            self.select(target)

    def action_open(self) -> None:
        """Go into the selected card: open it when it is a fold."""
        card = self.selected
        if card is not None and card.id.kind == FOLD:
            self.action_unfold()
        elif card is not None:
            self.post_message(self.Opened())

    def action_unfold(self) -> None:
        """Open the selected fold; the worst of its cards is selected."""
        card = self.selected
        self._rearranged(self._arranged.open(card.id) if card else None)

    def action_fold(self) -> None:
        """Fold the selected card away with the others of its namespace."""
        card = self.selected
        self._rearranged(self._arranged.close(card.id) if card and card.id.kind != FOLD else None)

    def action_only(self) -> None:
        """Ask for what the selected card touches."""
        if self.selected is not None:
            self.post_message(self.FocusWanted())

    def action_yaml(self) -> None:
        """Ask for the object behind the selected card."""
        if self.selected is not None:
            self.post_message(self.YamlWanted())

    def action_drain(self) -> None:
        """Ask for a drain of the selected card."""
        if self.selected is not None:
            self.post_message(self.DrainWanted())

    def action_explain(self) -> None:
        """Ask where a request goes."""
        if self._selected is not None:
            self.post_message(self.ExplainWanted())

    def _arrange(self) -> None:
        if self._whole is None:
            return
        size = (self.size.width, self.size.height - 1)
        before = self.selected
        if not self._arranged.show(self._whole, self._part, size):
            return
        if self._selected is None:
            cards = self._arranged.map.cards
            first = next((card.id for card in cards if card.id.kind == GATEWAY), None)
            self._wanted = first or next((card.id for card in cards if not card.id.is_end), None)
            self._wanted = self._wanted or next((card.id for card in cards), None)
        self._resize_content()
        selected = self.selected
        if selected is not None and (before is None or before.id != selected.id):
            self.call_after_refresh(self._scroll_to_selected)

    def _rearranged(self, selected: NodeId | None) -> None:
        if selected is not None:
            self._wanted = selected
            self._resize_content()
            # The new height counts from the next refresh on, so that is when there is something to scroll to.
            self.call_after_refresh(self.select, selected)

    def _resize_content(self) -> None:
        layout = self._arranged.layout
        height = self._arranged.height + (1 if layout else 0)
        size = Size(layout.width if layout else self.size.width, height)
        placed = (self._arranged.placed, size, self.size)
        if placed != self._placed:
            self._placed = placed
            self._window = None
        self.virtual_size = size
        self._repaint()

    def _repaint(self) -> None:
        """Paint again what differs from what is on the screen: while the cards stay where they are, single lines."""
        before, top = self._window, self.scroll_offset.y
        self._window = None
        if before is None or before[0] != top or self._arranged.layout is None:
            self.refresh()
            return
        drawn = enumerate(zip(before[1], self._drawn(top), strict=True), start=1)
        changed = [Region(0, y, self.size.width, 1) for y, (old, new) in drawn if old != new]
        if changed:
            self.refresh(*changed)

    def _drawn(self, top: int) -> list[Line]:
        if self._window is None or self._window[0] != top:
            shown = self._arranged
            assert shown.layout is not None  # noqa: S101 - only called while the map is drawn in columns
            lines = draw(shown.map, shown.layout, self._selected, top=top, rows=self.size.height)
            self._window = (top, lines)
        return self._window[1]

    def _tree_line(self, y: int) -> Strip:
        row = self.scroll_offset.y + y
        if row >= len(self._arranged.tree):
            return self.strip((), self.size.width)
        is_cursor = self._arranged.tree[row].node == self._selected
        mark = Span("▌" if is_cursor else " ", Role.ACCENT)
        cells = self.size.width
        return self.strip(crop((mark, *self._arranged.tree[row].line), cells), cells, is_cursor=is_cursor)

    def _at(self, x: int, y: int) -> NodeId | None:
        layout, tree = self._arranged.layout, self._arranged.tree
        if layout is None:
            return tree[y].node if y < len(tree) else None
        for node, place in layout.places.items():
            if place.x <= x < place.x + place.width and place.y <= y - 1 < place.y + place.height:
                return node
        return None

    def _scroll_to_selected(self) -> None:
        node, layout = self._selected, self._arranged.layout
        if node is None or node not in self._arranged.map.by_id:
            return
        if layout is not None:
            place = layout.places[node]
            first, last = place.y, place.y + place.height
        else:
            first = next((index for index, row in enumerate(self._arranged.tree) if row.node == node), 0)
            last = first
        top, rows = self.scroll_offset.y, self.size.height - 1
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True)
        elif last > top + rows:
            self.scroll_to(y=last - rows, animate=False, immediate=True)
