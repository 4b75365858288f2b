"""The map as it is shown in a window: reduced to fit, placed in columns or as a tree, kept until it changes."""

from __future__ import annotations

from gwtui.views.map_fold import Fitting, Folds, fitting, fold_id
from gwtui.views.map_layout import Layout, layout, least_width, shape
from gwtui.views.map_parts import FOLD, Card, FleetMap, NodeId
from gwtui.views.map_tree import TreeRow, tree

COLUMNS_FROM = 110
"""Cells of width from which the map is drawn in columns."""

_EMPTY = FleetMap(titles=(), cards=(), links=())


class Arrangement:
    """What is shown of a map. Placing cards is the dear part: it is done again only when the shape changes."""

    def __init__(self) -> None:
        self.map = _EMPTY
        """What is shown: some of its cards stand for many."""
        self.layout: Layout | None = None
        """Where cards stand, while they are drawn in columns."""
        self.tree: list[TreeRow] = []
        """The rows, while there is no room for columns."""
        self.placed = 0
        """How often cards had to be placed."""
        self._whole = _EMPTY
        self._part: object = None
        self._size = (0, 0)
        self._folds = Folds()
        self._fitted: dict[bool, tuple[object, Fitting, Folds]] = {}
        self._known: tuple[object, int, Layout | None] | None = None

    @property
    def height(self) -> int:
        """Rows it takes, without the titles of the columns."""
        return self.layout.height if self.layout else len(self.tree)

    def show(self, whole: FleetMap, part: object, size: tuple[int, int]) -> bool:
        """Arrange a map; returns whether anything had to be done.

        Args:
            whole: All cards that may be shown.
            part: Which part of the fleet that is; when it is another one, what was folded for want of room may open.
            size: Cells and rows of the window, the row for the titles not counted.
        """
        if part != self._part or size != self._size:
            self._folds = self._folds.afresh()
        elif whole is self._whole:
            return False
        self._whole, self._part, self._size = whole, part, size
        self._arrange()
        return True

    def shown(self, node: NodeId | None) -> NodeId | None:
        """The card to look at for a card: itself, the fold it is in, or None when it is gone."""
        if node is None or node in self.map.by_id:
            return node
        return self.map.within.get(node)

    def open(self, node: NodeId) -> NodeId | None:
        """Open a fold; returns the worst of its cards. None when the card is no fold."""
        if node.kind != FOLD or node not in self.map.by_id:
            return None
        members = [self._whole.by_id[member] for member, fold in self.map.within.items() if fold == node]
        self._folds = self._folds.open(node)
        self._arrange()
        return min(members, key=_attention).id

    def close(self, node: NodeId) -> NodeId | None:
        """Fold a card away with the others of its namespace; returns the fold. None when it stands alone."""
        fold = fold_id(self._whole, node)
        if fold is not None:
            self._folds = self._folds.close(fold)
            self._arrange()
        return fold

    def members(self, node: NodeId) -> tuple[NodeId, ...]:
        """The card itself; for a fold all of its cards."""
        return tuple(member for member, fold in self.map.within.items() if fold == node) or (node,)

    def _arrange(self) -> None:
        cells, rows = self._size
        self.layout, self.tree = None, []
        if rows < 1:
            self.map = self._whole
            return
        wanted, folds = shape(self._whole), self._folds
        if cells >= COLUMNS_FROM:
            self._fit(wanted, folds, boxes=True)
            self.layout = self._placed(cells)
        if self.layout is None:
            self._fit(wanted, folds, boxes=False)
            self.tree = tree(self.map)

    def _fit(self, wanted: object, folds: Folds, *, boxes: bool) -> None:
        """Reduce the map. How is decided anew only for another shape, another window or other folds."""
        asked = (wanted, folds, self._size[1])
        known = self._fitted.get(boxes)
        if known is None or known[0] != asked:
            known = (asked, *fitting(self._whole, folds, self._size[1], boxes=boxes))
            self._fitted[boxes] = known
        _, found, self._folds = known
        self.map = found.of(self._whole)

    def _placed(self, cells: int) -> Layout | None:
        """Where the cards stand; None where they do not fit beside each other."""
        wanted = shape(self.map)
        if self._known is not None and self._known[:2] == (wanted, cells):
            known = self._known[2]
            return known.carrying(self.map.links) if known is not None else None
        found = None
        if cells >= least_width(self.map):
            self.placed += 1
            found = layout(self.map, cells)
        self._known = (wanted, cells, found)
        return found


def _attention(card: Card) -> tuple[int, NodeId]:
    return (card.verdict.rank if card.verdict else 9, card.id)
