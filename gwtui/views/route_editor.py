"""A draft of a route as an editor shows it: one row per thing, what is forbidden beside it, what differs on top."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from gwtui.changes.differences import differences
from gwtui.changes.documents import backends_of, rules_of, weight_of
from gwtui.changes.drafting import TIMEOUTS, Part, Spot, spots, typed_form, value_at
from gwtui.changes.limit_shapes import Problem
from gwtui.changes.limits import problems
from gwtui.changes.plan import Document
from gwtui.views import text
from gwtui.views.proxy.page import Page
from gwtui.views.spans import BLANK, Line, Role, Span, crop, line

BAR_CELLS = 20
"""Width of the bar that shows a backend's share."""

FIELDS = {Part.MATCH: "matches", Part.FILTER: "filters", Part.BACKEND: "backendRefs"}


def editor_page(base: Document, wanted: Document, cells: int, *, keeps_sum: bool) -> Page:
    """Return the editor's page: rows are keyed by their `Spot`."""
    rows = list(spots(wanted))
    found = problems(wanted)
    beside = _beside(rows, found)
    fields = len(differences(base, wanted))
    changed = text.plural(fields, "field") + " changed" if fields else "nothing changed yet"
    sums = "weights keep their sum" if keeps_sum else "weights are free"
    head = [
        line(Span(changed, Role.ACCENT if fields else Role.DIM), Span(f" · {sums}", Role.DIM)),
        *_alarms(found, beside),
    ]

    def line_of(index: int) -> Line:
        spot = rows[index]
        return crop((*_row(wanted, spot), *_marks(beside.get(spot, ()))), cells)

    return Page(head=(*head, BLANK), keys=rows, line_of=line_of, story_of=partial(_story, wanted, beside))


def _alarms(found: Sequence[Problem], beside: Mapping[Spot, Sequence[Problem]]) -> list[Line]:
    """What is forbidden and belongs to no row."""
    shown = {problem for several in beside.values() for problem in several}
    return [
        line(Span(f"{text.FAILING_GLYPH} {each.path}: {each.text}", Role.BAD)) for each in found if each not in shown
    ]


def _beside(rows: Sequence[Spot], found: Sequence[Problem]) -> dict[Spot, list[Problem]]:
    """The problems of each row: those whose path begins with the row's, the longest path first."""
    by_path = sorted(((_path(spot), spot) for spot in rows), key=lambda pair: -len(pair[0]))
    beside: dict[Spot, list[Problem]] = defaultdict(list)
    for problem in found:
        for path, spot in by_path:
            if problem.path == path or problem.path.startswith((f"{path}.", f"{path}[")):
                beside[spot].append(problem)
                break
    return beside


def _path(spot: Spot) -> str:
    if spot.part is Part.HOSTNAME:
        return f"spec.hostnames[{spot.position}]"
    rule = f"spec.rules[{spot.rule}]"
    if spot.part is Part.BACKEND_FILTER:
        return f"{rule}.backendRefs[{spot.position}].filters[{spot.inner}]"
    if spot.part is Part.TIMEOUT:
        return f"{rule}.timeouts.{TIMEOUTS[spot.position]}"
    return f"{rule}.{FIELDS[spot.part]}[{spot.position}]" if spot.part in FIELDS else rule


def _row(document: Document, spot: Spot) -> Line:
    value = value_at(document, spot)
    match spot.part:
        case Part.HOSTNAME:
            return line(Span("hostname  ", Role.DIM), Span(str(value), Role.STRONG))
        case Part.RULE:
            name = f" {value['name']}" if value.get("name") else ""
            return line(Span(f"rule {spot.rule}{name}", Role.ACCENT))
        case Part.TIMEOUT:
            return line(Span(f"  timeout {TIMEOUTS[spot.position]}  ", Role.DIM), str(value))
        case Part.BACKEND:
            return _backend(document, spot)
        case Part.BACKEND_FILTER:
            return line(Span("      filter  ", Role.DIM), typed_form(value))
        case _:
            return line(Span(f"  {spot.part:<8}  ", Role.DIM), typed_form(value))


def _backend(document: Document, spot: Spot) -> Line:
    refs = backends_of(rules_of(document)[spot.rule])
    ref = refs[spot.position]
    total = sum(map(weight_of, refs))
    weight = weight_of(ref)
    # One backend alone gets everything, whatever its weight.
    share = 1.0 if len(refs) == 1 else weight / total if total else 0.0
    filled = round(share * BAR_CELLS)
    name = f"{ref['namespace']}/{ref.get('name', '?')}" if ref.get("namespace") else str(ref.get("name", "?"))
    port = f":{ref['port']}" if ref.get("port") else ""
    return line(
        Span("  backend   ", Role.DIM),
        Span(f"{text.shorten(name + port, 30):<31}", Role.STRONG),
        Span(f"{weight:>7}", Role.TEXT),
        f"  {text.percent(share):>5} ",
        Span("█" * filled, Role.SPARK),
        Span("░" * (BAR_CELLS - filled), Role.DIM),
    )


def _marks(found: Sequence[Problem]) -> Line:
    return line(Span(f"  {text.FAILING_GLYPH} {found[0].text}", Role.BAD)) if found else BLANK


def _story(document: Document, beside: Mapping[Spot, Sequence[Problem]], spot: object) -> Line:
    assert isinstance(spot, Spot)  # noqa: S101 - the keys of this page are spots
    found = beside.get(spot, ())
    if found:
        return line(Span(f"{found[0].text}", Role.BAD), Span(f"  limit: {found[0].limit}", Role.DIM))
    return line(Span(f"{spot.part}  ", Role.DIM), typed_form(value_at(document, spot)))
