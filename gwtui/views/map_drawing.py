"""The map as lines of characters: boxes, and links whose thickness is their share of traffic.

Only the rows asked for are drawn, so a fleet many screens tall costs no more than one screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from gwtui.model.known import Known
from gwtui.views import text
from gwtui.views.map_layout import SPLIT_CELLS, Layout, Place, Segment, is_labelled
from gwtui.views.map_parts import FOLD, Card, FleetMap, Link, NodeId
from gwtui.views.place import is_production
from gwtui.views.spans import BLANK, Line, Role, Span, crop, pad, spread, width

NORTH, EAST, SOUTH, WEST = 1, 2, 4, 8

DASHED, LIGHT, HEAVY, DOUBLE = range(4)
_STROKES = {
    #          ╵ ╶ ╰ ╷ │ ╭ ├ ╴ ╯ ─ ┴ ╮ ┤ ┬ ┼
    DASHED: " ╎╌╰╎╎╭├╌╯╌┴╮┤┬┼",
    LIGHT: " │─╰││╭├─╯─┴╮┤┬┼",
    HEAVY: " ┃━┗┃┃┏┣━┛━┻┓┫┳╋",
    DOUBLE: " ║═╚║║╔╠═╝═╩╗╣╦╬",
}
"""Line characters by stroke; the index is the sum of the directions a cell connects."""

HEAVY_SHARE = 0.5
"""Share of its source's traffic from which a link is drawn thick."""


class _Pen(NamedTuple):
    """Whose line it is and how it looks."""

    owner: NodeId
    weight: int
    role: Role


class _Canvas:
    """A window of rows `[top, bottom)` that is drawn into; what falls outside is dropped."""

    def __init__(self, cells: int, top: int, bottom: int) -> None:
        self.cells = cells
        self.top = top
        self.bottom = bottom
        self._rows: dict[int, tuple[list[str], list[Role]]] = {}
        """Characters and roles of the rows that are not blank."""
        self._strokes: dict[tuple[int, int], tuple[int, _Pen]] = {}

    def write(self, x: int, y: int, spans: Line) -> None:
        if not self.top <= y < self.bottom:
            return
        if y not in self._rows:
            self._rows[y] = ([" "] * self.cells, [Role.TEXT] * self.cells)
        characters, roles = self._rows[y]
        for words, role in spans:
            first, x = x, x + len(words)
            start, end = max(first, 0), min(x, self.cells)
            if start < end:
                characters[start:end] = words[start - first : end - first]
                roles[start:end] = [role] * (end - start)

    def stroke(self, x: int, y: int, directions: int, pen: _Pen) -> None:
        """Add line directions to a cell. Lines of different owners do not join: the upright one passes over."""
        if not self.top <= y < self.bottom:
            return
        present, other = self._strokes.get((x, y), (0, pen))
        if other.owner == pen.owner:
            self._strokes[x, y] = (present | directions, max(pen, other, key=lambda each: each.weight))
        elif directions & (NORTH | SOUTH) and not present & (NORTH | SOUTH):
            self._strokes[x, y] = (directions, pen)

    def shows(self, first: int, last: int) -> bool:
        """Whether any of the rows from `first` to `last` is in the window."""
        return first < self.bottom and last >= self.top

    def is_free(self, x: int, y: int, cells: int) -> bool:
        return all((column, y) not in self._strokes for column in range(x, x + cells))

    def ink(self) -> None:
        """Turn the collected directions into characters."""
        for (x, y), (directions, pen) in self._strokes.items():
            self.write(x, y, (Span(_STROKES[pen.weight][directions], pen.role),))

    def lines(self) -> list[Line]:
        return [_line(*self._rows[y]) if y in self._rows else BLANK for y in range(self.top, self.bottom)]


def draw(fleet_map: FleetMap, layout: Layout, selected: NodeId | None, *, top: int, rows: int) -> list[Line]:
    """Draw `rows` rows from row `top` on."""
    canvas = _Canvas(layout.width, top, top + rows)
    for cluster, row in layout.bands:
        alarm = (Span(" PROD ", Role.ALARM), Span(" ")) if is_production(cluster) else ()
        name: Line = (Span(" "), Span(f"{cluster} ", Role.ACCENT), *alarm)
        canvas.write(0, row, (*name, Span("─" * (layout.width - width(name)), Role.DIM)))
    visible = [each for each in layout.segments if canvas.shows(*sorted((each.start[1], each.end[1])))]
    for segment in visible:
        _run(canvas, segment)
    for place, link in layout.passes:
        if not canvas.shows(place.y, place.y):
            continue
        for x in range(place.x - 1, place.x + place.width + 1):
            canvas.stroke(x, place.y, EAST | WEST, _pen(link))
    canvas.ink()
    for segment in visible:
        _arrive(canvas, segment)
    for card in fleet_map.cards:
        place = layout.places[card.id]
        if place.y < canvas.bottom and place.y + place.height > canvas.top:
            _box(canvas, card, place, is_selected=card.id == selected)
    return canvas.lines()


def titles(fleet_map: FleetMap, layout: Layout) -> Line:
    """The names of the columns, above them."""
    spans: Line = ()
    for title, (x, cells) in zip(fleet_map.titles, layout.columns, strict=True):
        spans = (*pad(spans, x + 1), *crop((Span(title, Role.DIM),), cells))
    return spans


def _pen(link: Link) -> _Pen:
    return _Pen(link.source, _weight(link), link.role)


def _weight(link: Link) -> int:
    if link.role is Role.BAD:
        return DOUBLE
    if not isinstance(link.share, Known):
        return LIGHT
    if link.share.value <= 0:
        return DASHED
    return HEAVY if link.share.value >= HEAVY_SHARE else LIGHT


def _run(canvas: _Canvas, segment: Segment) -> None:
    (x, y), (end_x, end_y), lane = segment.start, segment.end, segment.lane
    pen = _pen(segment.link)
    for column in range(x, lane):
        canvas.stroke(column, y, EAST | WEST, pen)
    if y == end_y:
        canvas.stroke(lane, y, EAST | WEST, pen)
    else:
        up = end_y < y
        canvas.stroke(lane, y, WEST | (NORTH if up else SOUTH), pen)
        for row in range(max(min(y, end_y) + 1, canvas.top), min(max(y, end_y), canvas.bottom)):
            canvas.stroke(lane, row, NORTH | SOUTH, pen)
        canvas.stroke(lane, end_y, EAST | (SOUTH if up else NORTH), pen)
    for column in range(lane + 1, end_x + 1):
        canvas.stroke(column, end_y, EAST | WEST, pen)


def _arrive(canvas: _Canvas, segment: Segment) -> None:
    if not segment.arrives:
        return
    x, y = segment.end
    canvas.write(x, y, (Span("▶", segment.link.role),))
    if not is_labelled(segment.link):
        return
    role = segment.link.role if segment.link.role is Role.BAD else Role.STRONG
    canvas.write(segment.label_x, y, (Span(f" {segment.link.label} ", role),))
    room = x - segment.label_x
    if room < SPLIT_CELLS - 4:
        return
    for offset, split in enumerate(segment.link.splits[:2], start=1):
        words = f"{text.shorten(split.route, room - len(split.label) - 2)} {split.label}"
        if canvas.is_free(segment.label_x, y + offset, room):
            canvas.write(segment.label_x, y + offset, (Span(f" {words}", Role.DIM),))


def _box(canvas: _Canvas, card: Card, place: Place, *, is_selected: bool) -> None:
    corners, flat, upright = ("╭╮╰╯", "─", "│") if card.id.kind != FOLD else ("┌┐└┘", "─", "│")
    if is_selected:
        corners, flat, upright = "┏┓┗┛", "━", "┃"
    border = Role.ACCENT if is_selected else card.verdict.role if card.verdict and card.is_sick else Role.DIM
    inner = place.width - 2
    badge: Line = (Span(f" {card.badge} ", Role.TEXT),) if card.badge else ()
    mark: Line = (card.verdict.mark, Span(" ")) if card.verdict else ()
    room = inner - 3 - width(badge) - width(mark)
    title: Line = (Span(" "), *mark, Span(_title(card, room) + " ", Role.STRONG))
    fill = Span(flat * (inner - width(title) - width(badge)), border)
    canvas.write(place.x, place.y, (Span(corners[0], border), *title, fill, *badge, Span(corners[1], border)))
    for offset, (left, right) in enumerate(card.lines, start=1):
        body = spread(left, right, inner - 2)
        canvas.write(place.x, place.y + offset, (Span(f"{upright} ", border), *body, Span(f" {upright}", border)))
    bottom = Span(corners[2] + flat * inner + corners[3], border)
    canvas.write(place.x, place.y + place.height - 1, (bottom,))


def _title(card: Card, cells: int) -> str:
    """The title; without its cluster, then without its namespace, where there is no room for all."""
    short = card.title.removeprefix(f"{card.id.cluster} ")
    for title in (card.title, short):
        if len(title) <= cells:
            return title
    return text.shorten(f"…/{short.rpartition('/')[2]}" if "/" in short else short, cells)


def _line(characters: Sequence[str], roles: Sequence[Role]) -> Line:
    """The cells of one row as spans, each as long as its role lasts."""
    spans: list[Span] = []
    start = 0
    for role, cells in groupby(roles):
        end = start + len(list(cells))
        spans.append(Span("".join(characters[start:end]), role))
        start = end
    return tuple(spans)
