"""The map as a picture that stands alone: an SVG to paste into an incident document.

Columns, rows and lanes are those of the drawing in the console; one cell is `CELL` pixels.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from gwtui.model.known import Known
from gwtui.views import map_caption as caption
from gwtui.views import text
from gwtui.views.fleet_map import Card, FleetMap, Link, fleet_map
from gwtui.views.map_layout import Layout, Place, Segment, is_labelled, layout, least_width
from gwtui.views.place import is_production
from gwtui.views.scene import Scene
from gwtui.views.spans import Line, Role, Span, crop, joined, line, plain, width

CELL = (8.0, 18.0)
"""Width and height of a cell in pixels."""
MARGIN = 16.0
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
FONT_SIZE = 13
TITLE_SIZE = 19
LEAST_CELLS, SPARE_CELLS = 136, 40
"""Cells of width the picture has at least, and those beyond what the columns need."""
THINNEST, THICKEST = 1.4, 7.0
"""Width in pixels of an edge that carries nothing, and of one that carries everything its source sends."""
BEND = 6.0
"""Radius of the corners of an edge."""

_BOLD = frozenset({Role.STRONG, Role.ACCENT, Role.BAD, Role.ALARM})
_XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inks:
    """The colours of a theme, as `#rrggbb`."""

    paper: str
    """Behind everything."""
    card: str
    """Inside a box."""
    roles: Mapping[Role, str]
    """The colour of every role."""


def map_svg(scene: Scene, inks: Inks) -> str:
    """Return the map of all clusters as an SVG document."""
    shape = fleet_map(scene)
    placed = layout(shape, max(LEAST_CELLS, least_width(shape) + SPARE_CELLS))
    return _Picture(scene, shape, placed, inks).document()


class _Picture:
    """One SVG while it is being drawn; `_y` is where the next block begins."""

    def __init__(self, scene: Scene, shape: FleetMap, placed: Layout, inks: Inks) -> None:
        self._scene = scene
        self._map = shape
        self._layout = placed
        self._inks = inks
        self._cells = max(placed.width, LEAST_CELLS)
        self._y = MARGIN
        self._svg = Element(
            "svg",
            {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "font-family": FONT, "font-size": _n(FONT_SIZE)},
        )

    def document(self) -> str:
        """Draw everything and return the text."""
        SubElement(self._svg, "title").text = caption.printable(caption.sentence(self._scene))
        paper = SubElement(self._svg, "rect", {"width": "100%", "height": "100%", "fill": self._inks.paper})
        self._captions()
        self._columns()
        self._legend()
        self._size(paper)
        for element in self._svg:
            element.tail = "\n"
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(self._svg, encoding="unicode") + "\n"

    def _size(self, paper: Element) -> None:
        wide, high = self._cells * CELL[0] + 2 * MARGIN, self._y + MARGIN
        self._svg.attrib |= {"width": _n(wide), "height": _n(high), "viewBox": f"0 0 {_n(wide)} {_n(high)}"}
        paper.attrib |= {"width": _n(wide), "height": _n(high)}

    def _captions(self) -> None:
        self._y += TITLE_SIZE
        room = int(self._cells * FONT_SIZE / TITLE_SIZE)
        self._write(MARGIN, self._y, caption.headline(self._scene, cells=room), size=TITLE_SIZE)
        self._y += 6
        when = line(Span(caption.taken(self._scene), Role.STRONG))
        self._row(joined([when, caption.covered(self._scene), *caption.figures(self._scene)], "   "))
        self._paragraphs(tuple(line(Span(words, Role.DIM)) for words in caption.evidence(self._scene)))
        self._paragraphs(caption.problems(self._scene))
        self._y += 1.5 * CELL[1]

    def _paragraphs(self, lines: tuple[Line, ...]) -> None:
        for each in lines:
            role = each[0].role if each else Role.TEXT
            for part in textwrap.wrap(plain(each).strip(), self._cells, subsequent_indent="  "):
                self._row(line(Span(part, role)))

    def _columns(self) -> None:
        if not self._map.cards:
            return
        for title, (x, cells) in zip(self._map.titles, self._layout.columns, strict=True):
            self._write(MARGIN + x * CELL[0], self._y, crop(line(Span(title, Role.DIM)), cells))
        self._y += CELL[1] / 2
        for cluster, row in self._layout.bands:
            self._band(cluster, row)
        # What carries most lies below, so that thin edges and failing ones stay visible where they meet.
        for segment in sorted(self._layout.segments, key=lambda each: -_thickness(each.link)):
            self._edge(segment)
        for place, link in self._layout.passes:
            left, right = self._x(place.x) - CELL[0], self._x(place.x + place.width) + CELL[0] / 2
            self._stroke(f"M{_n(left)} {_n(self._row_of(place.y))}H{_n(right)}", link)
        for segment in self._layout.segments:
            if segment.arrives:
                self._arrival(segment)
        for card in self._map.cards:
            self._card(card, self._layout.places[card.id])
        self._y += self._layout.height * CELL[1] + CELL[1]

    def _band(self, cluster: str, row: int) -> None:
        """The name of a cluster over its part of the picture, with a rule to the right edge."""
        alarm = (Span("  "), Span("PROD", Role.ALARM)) if is_production(cluster) else ()
        name = crop((Span(cluster, Role.ACCENT), *alarm), self._cells)
        y = self._row_of(row)
        rule = f"M{_n(MARGIN + (width(name) + 1) * CELL[0])} {_n(y)}H{_n(MARGIN + self._cells * CELL[0])}"
        SubElement(self._svg, "path", {"d": rule, "stroke": self._inks.roles[Role.DIM], "stroke-width": "1"})
        self._write(MARGIN, y + 4.5, name)

    def _legend(self) -> None:
        self._paragraphs(caption.hurts(self._scene))
        self._y += CELL[1] / 2
        self._row(
            joined([caption.states(), line(f"{text.UNKNOWN} not observed  {text.RAISED} above what is usual")], "   ")
        )
        words = [
            "thickness: share of what the source sends",
            "dashed: no requests",
            "dotted: not observed",
            f"{text.FAILING_GLYPH} requests fail",
            "90≠71%: intended, observed",
        ]
        self._paragraphs((line(Span("  ·  ".join(words), Role.DIM)),))

    def _card(self, card: Card, place: Place) -> None:
        group = SubElement(self._svg, "g")
        SubElement(group, "title").text = caption.printable(plain(card.words))
        is_sick = card.verdict is not None and card.verdict.rank < 9
        role = card.verdict.role if card.verdict and is_sick else Role.DIM
        x, y = self._x(place.x), self._top(place.y) + 2
        box = {
            "x": _n(x),
            "y": _n(y),
            "width": _n(place.width * CELL[0]),
            "height": _n(place.height * CELL[1] - 4),
            "rx": "5",
            "fill": self._inks.card,
            "stroke": self._inks.roles[role],
            "stroke-width": "2.5" if role is Role.BAD else "1.5" if is_sick else "1",
        }
        SubElement(group, "rect", box)
        inner = place.width - 2
        mark = (card.verdict.mark, Span(" ")) if card.verdict else ()
        badge = line(Span(card.badge, Role.TEXT))
        if card.verdict and is_sick:
            worded = joined([line(Span(card.verdict.word, role)), badge], "  ")
            badge = worded if width(worded) + width(mark) + len(card.title) < inner else badge
        room = inner - width(badge) - width(mark) - 1
        title = (*mark, Span(_fitting(card.title, room), Role.STRONG))
        for row, (left, right) in enumerate(((title, badge), *card.lines)):
            baseline = self._row_of(place.y + row) + CELL[1] / 2
            fitting = crop(left, inner - width(right) - (1 if right else 0))
            self._write(x + CELL[0], baseline, fitting, parent=group)
            self._write(x + (place.width - 1) * CELL[0], baseline, right, parent=group, anchor="end")

    def _edge(self, segment: Segment) -> None:
        (x, y), (end_x, end_y) = segment.start, segment.end
        left, lane, right = self._x(x), self._x(segment.lane) + CELL[0] / 2, self._x(end_x + 1)
        if segment.arrives:
            right -= CELL[0]
        top, bottom = self._row_of(y), self._row_of(end_y)
        if y == end_y:
            self._stroke(f"M{_n(left)} {_n(top)}H{_n(right)}", segment.link)
            return
        turn = BEND if bottom > top else -BEND
        path = (
            f"M{_n(left)} {_n(top)}H{_n(lane - BEND)}Q{_n(lane)} {_n(top)} {_n(lane)} {_n(top + turn)}"
            f"V{_n(bottom - turn)}Q{_n(lane)} {_n(bottom)} {_n(lane + BEND)} {_n(bottom)}H{_n(right)}"
        )
        self._stroke(path, segment.link)

    def _arrival(self, segment: Segment) -> None:
        x, y = self._x(segment.end[0] + 1), self._row_of(segment.end[1])
        half = 4 + _thickness(segment.link) / 3
        head = f"M{_n(x)} {_n(y)}L{_n(x - 11)} {_n(y - half)}V{_n(y + half)}Z"
        SubElement(self._svg, "path", {"d": head, "fill": self._inks.roles[segment.link.role]})
        label_x = self._x(segment.label_x) + CELL[0]
        if is_labelled(segment.link):
            role = segment.link.role if segment.link.role is Role.BAD else Role.STRONG
            self._label(label_x, y, line(Span(segment.link.label, role)))
        elif segment.link.role is Role.BAD:
            self._label(x - 11 - 2 * CELL[0], y, line(Span(text.FAILING_GLYPH, Role.BAD)))
        else:
            return
        room = segment.end[0] - segment.label_x
        entered = {each.end[1] for each in self._layout.segments if each.end[0] == segment.end[0]}
        for row, split in enumerate(segment.link.splits[:2], start=segment.end[1] + 1):
            if is_labelled(segment.link) and row not in entered and len(split.label) + 6 < room:
                words = f"{text.shorten(split.route, room - len(split.label) - 2)} {split.label}"
                self._write(
                    label_x, self._row_of(row) + 4, line(Span(words, Role.WARN if split.disagrees else Role.DIM))
                )

    def _label(self, x: float, y: float, words: Line) -> None:
        """Words on an edge, with paper behind them."""
        behind = {"x": _n(x - 3), "y": _n(y - 9), "width": _n(width(words) * CELL[0] + 6), "height": "18"}
        SubElement(self._svg, "rect", {**behind, "fill": self._inks.paper})
        self._write(x, y + 4.5, words)

    def _stroke(self, path: str, link: Link) -> None:
        attributes = {
            "d": path,
            "fill": "none",
            "stroke": self._inks.roles[link.role],
            "stroke-width": _n(_thickness(link)),
        }
        if not isinstance(link.share, Known):
            attributes |= {"stroke-dasharray": "0.1 4.5", "stroke-linecap": "round", "stroke-width": "2"}
        elif link.share.value <= 0:
            attributes["stroke-dasharray"] = "7 5"
        SubElement(self._svg, "path", attributes)

    def _row(self, words: Line) -> None:
        self._y += CELL[1]
        self._write(MARGIN, self._y, crop(words, self._cells))

    def _write(
        self,
        x: float,
        y: float,
        words: Line,
        *,
        parent: Element | None = None,
        anchor: str = "start",
        size: int = FONT_SIZE,
    ) -> None:
        """Write a line whose baseline is at `y`."""
        if not plain(words).strip():
            return
        place = {"x": _n(x), "y": _n(y), _XML_SPACE: "preserve"}
        if anchor != "start":
            place["text-anchor"] = anchor
        if size != FONT_SIZE:
            place["font-size"] = _n(size)
        written = SubElement(self._svg if parent is None else parent, "text", place)
        for span in words:
            look = {"fill": self._inks.roles[span.role]}
            if span.role in _BOLD:
                look["font-weight"] = "bold"
            SubElement(written, "tspan", look).text = caption.printable(span.text)

    def _x(self, cell: int) -> float:
        return MARGIN + cell * CELL[0]

    def _top(self, row: int) -> float:
        return self._y + row * CELL[1]

    def _row_of(self, row: int) -> float:
        """The middle of a row."""
        return self._top(row) + CELL[1] / 2


def _thickness(link: Link) -> float:
    """How thick an edge is, in pixels."""
    share = min(1.0, link.share.value) if isinstance(link.share, Known) else 0.0
    return THINNEST + (THICKEST - THINNEST) * share


def _fitting(title: str, cells: int) -> str:
    """The title; where there is no room for all of it, the namespace goes first and the cluster next."""
    qualifier, _, name = title.rpartition("/")
    cluster = qualifier.rpartition(" ")[0]
    shorter = [f"{cluster} …/{name}", f"…/{name}"] if qualifier else []
    fitting = next((each for each in (title, *shorter) if len(each) <= cells), (shorter or [title])[-1])
    return text.shorten(fitting.lstrip(), cells)


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
