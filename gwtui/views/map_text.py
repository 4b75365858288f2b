"""The map as plain text: the drawing where there is room, the tree where there is not; for pagers and tickets."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from gwtui.views import map_caption as caption
from gwtui.views import text
from gwtui.views.fleet_map import FleetMap, fleet_map
from gwtui.views.header import WIDE, header
from gwtui.views.map_drawing import draw, titles
from gwtui.views.map_layout import layout, least_width
from gwtui.views.map_tree import tree
from gwtui.views.scene import Scene
from gwtui.views.spans import Line, plain

LEAST_CELLS = 40
"""Width in cells below which nothing can be written."""


def map_text(scene: Scene, *, cells: int) -> str:
    """Return the map of all clusters as lines of at most `cells` characters, without colour.

    A map that needs more columns than there are becomes a tree, whose rows may be cut.
    """
    shape = fleet_map(scene)
    in_columns = cells >= max(WIDE, least_width(shape))
    head = header(scene.snapshot, scene.fleet, scene.clusters, scene.now, cells=cells)
    drawn = _drawn(shape, cells) if in_columns else [row.line for row in tree(shape)]
    blocks = (
        _plain([head], cells),
        _wrapped(map(plain, caption.problems(scene)), cells),
        _plain(drawn, cells),
        _wrapped(map(plain, caption.hurts(scene)), cells),
        _wrapped((*caption.evidence(scene), *_legend(scene, drawn=in_columns)), cells),
    )
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _drawn(shape: FleetMap, cells: int) -> list[Line]:
    if not shape.cards:
        return []
    placed = layout(shape, cells)
    return [titles(shape, placed), *draw(shape, placed, None, top=0, rows=placed.height)]


def _legend(scene: Scene, *, drawn: bool) -> list[str]:
    lines = [f"{plain(caption.states())}  {text.UNKNOWN} not observed  {text.RAISED} above what is usual"]
    if drawn:
        lines.append("━ half or more of what the source sends  ─ less, or not observed  ╌ none  ═ failing requests")
    lines.append("71% observed share  90% intended by weight  90≠71% they differ")
    return [*lines, " · ".join((caption.taken(scene), plain(caption.covered(scene))))]


def _plain(lines: Iterable[Line], cells: int) -> list[str]:
    return [caption.printable(plain(each))[:cells].rstrip() for each in lines]


def _wrapped(lines: Iterable[str], cells: int) -> list[str]:
    return [part for each in lines for part in textwrap.wrap(caption.printable(each), cells, subsequent_indent="  ")]
