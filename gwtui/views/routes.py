"""The rules of all routes of all clusters, one row each, the worst first."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from gwtui.model.known import Known, Unknown
from gwtui.model.resources import HTTP_ROUTES, ROUTES
from gwtui.views import judge, text
from gwtui.views.judge import Verdict
from gwtui.views.remembered import ByIdentity
from gwtui.views.route_backends import backends_cells, backends_line
from gwtui.views.route_facts import RuleFacts
from gwtui.views.route_figures import RuleFigures
from gwtui.views.route_filter import parse
from gwtui.views.route_survey import RuleRow, Survey
from gwtui.views.route_words import host_words, match_words
from gwtui.views.scene import Scene
from gwtui.views.spans import Line, Role, Span, joined, line
from gwtui.views.tables import GAP, Column, Row

PARENTS_GAP = "  "

LUXURY = 5
"""Columns of a higher rank go before others are cut short."""

_COMFORT = {"route": 20, "host": 20, "match": 14, "backends": 30, "filters": 14, "parents": 18}
"""Cells in which most of what these columns hold can be read."""

_WEIGHTS = {"backends": 2.2, "route": 1.6}
"""How many times as much room as the others these columns may keep."""

_COLUMNS: ByIdentity[tuple[int, int], tuple[Column, ...]] = ByIdentity(most=8)

SortKey = Callable[[RuleRow, Survey], tuple[float, str]]

SORTS: Mapping[str, SortKey] = {
    "route": lambda row, _: (0.0, _name(row.facts)),
    "host": lambda row, _: (0.0, host_words(row.hosts)),
    "state": lambda row, _: (row.verdict.rank, ""),
    "rps": lambda row, survey: (-survey.rate(row), ""),
    "err": lambda row, survey: (-survey.errors(row), ""),
    "p99": lambda row, survey: (-survey.latency(row), ""),
    "age": lambda row, _: (-_born(row.facts.of.created), ""),
    "owner": lambda row, _: (0.0 if row.facts.of.owners else 1.0, _owner(row.facts)),
}
"""What the rows can be sorted by, by column id: worst, highest or newest first, unknown last, equal rows by name."""


def rows(survey: Survey, *, pattern: str = "", sort: str = "state") -> list[RuleRow]:
    """Every rule that matches the filter, in the order wanted.

    Args:
        survey: All rules.
        pattern: Only rules this filter matches.
        sort: Which of `SORTS`.
    """
    wanted = parse(pattern)
    found = [row for row in survey.rows if wanted.takes(row)] if pattern else list(survey.rows)
    by = SORTS[sort]
    found.sort(key=lambda row: by(row, survey))  # stable: equal rows stay in the order of their names
    return found


def columns(survey: Survey, *, clusters: int, cells: int) -> tuple[Column, ...]:
    """The columns, as wide as the names of all rules ask for and `cells` cells allow: a filter changes no width."""
    key = (clusters, cells)
    return _COLUMNS.get(key, survey.bases, lambda: _fitted(_columns(survey.rows, clusters=clusters), cells))


def _fitted(wanted: Sequence[Column], cells: int) -> tuple[Column, ...]:
    """Leave out what there is no room for, then take from the widest, one cell at a time: all stay readable."""
    kept = _roomy(list(wanted), cells, _COMFORT, above=LUXURY)
    kept = _roomy(kept, cells, {}, above=0)
    for _ in range(sum(column.cells for column in kept) + GAP * len(kept) - cells):
        soft = [index for index, column in enumerate(kept) if column.least and column.cells > column.least]
        if not soft:
            break
        widest = max(soft, key=lambda index: kept[index].cells / _WEIGHTS.get(kept[index].id, 1.0))
        kept[widest] = replace(kept[widest], cells=kept[widest].cells - 1)
    return tuple(kept)


def _roomy(kept: list[Column], cells: int, comfort: Mapping[str, int], *, above: int) -> list[Column]:
    """Leave out columns of a rank above some, the highest first, until the others have so much room or their least."""

    def room(column: Column) -> int:
        return min(column.cells, comfort.get(column.id, column.least)) if column.least else column.cells

    while sum(map(room, kept)) + GAP * len(kept) > cells:
        spare = max(kept, key=lambda column: column.rank)
        if spare.rank <= above:
            break
        kept.remove(spare)
    return kept


def _columns(found: Sequence[RuleRow], *, clusters: int) -> tuple[Column, ...]:
    cluster = max((len(row.key.route.cluster) for row in found), default=0)
    route = max((len(_name(row.facts)) for row in found), default=0)
    host = max((len(host_words(row.hosts)) for row in found), default=0)
    match = max((len(match_words(row.facts.matches)) for row in found), default=0)
    filters = max((len(row.facts.filters) for row in found), default=0)
    parents = max((len(_parents_words(row)) for row in found), default=0)
    backends = max((backends_cells(row.facts) for row in found), default=0)
    owner = max((len(_owner(row.facts)) for row in found), default=0)
    named = [Column(id="cluster", title="CLUSTER", cells=max(7, cluster), least=7, middle=True)] if clusters > 1 else []
    return (
        *named,
        Column(id="route", title="ROUTE", cells=max(10, route), least=min(12, max(10, route)), middle=True),
        Column(id="host", title="HOSTNAMES", cells=min(44, max(9, host)), least=min(12, max(9, host))),
        Column(id="match", title="MATCH", cells=min(36, max(5, match)), least=min(7, max(5, match))),
        Column(id="state", title="STATE", cells=12),
        Column(id="rps", title="RPS", cells=6, right=True),
        Column(id="err", title="ERR", cells=6, right=True, rank=1),
        Column(id="p99", title="P99", cells=6, right=True, rank=8),
        Column(id="backends", title="BACKENDS", cells=min(64, max(8, backends)), least=min(17, max(8, backends))),
        *([Column(id="filters", title="FILTERS", cells=min(30, max(7, filters)), least=7, rank=2)] if filters else ()),
        Column(id="parents", title="PARENTS", cells=min(30, max(7, parents)), least=min(14, max(7, parents)), rank=3),
        Column(id="age", title="AGE", cells=6, right=True, rank=5),
        *([Column(id="owner", title="OWNER", cells=max(5, owner), rank=4)] if owner else ()),
    )


def row(rule: RuleRow, survey: Survey, every: Sequence[Column], now: datetime) -> Row:
    """The cells of one row.

    Args:
        rule: What the row is about.
        survey: All rules, with their figures.
        every: The columns of the table.
        now: The moment ages are counted from.
    """
    facts, figures = rule.facts, survey.figures(rule)
    traffic = figures.traffic
    cells_of = {column.id: column.cells for column in every}
    cells: dict[str, Line] = {
        "cluster": line(Span(rule.key.route.cluster, Role.DIM)),
        "route": line(Span(_name(facts), Role.STRONG)),
        "host": line(host_words(rule.hosts, cells_of["host"])),
        "match": line(match_words(facts.matches, cells_of["match"])),
        "state": rule.verdict.line,
        "rps": _figure(traffic.rps, text.rate, _mark(figures)),
        "err": line(judge.error_span(traffic.error_ratio)),
        "p99": _figure(traffic.p99_ms, text.ms),
        "backends": backends_line(facts, rule.place, survey.figures_in(rule.key.route.cluster)),
        "filters": line(Span(facts.filters, Role.DIM)),
        "parents": joined([_parent(words, verdict) for words, verdict in _parents(rule)], PARENTS_GAP),
        "age": line(text.age_of(facts.of.created, now)),
        "owner": line(Span(_owner(facts), Role.ACCENT)),
    }
    return Row(tuple([cells[column.id] for column in every]))


def _mark(figures: RuleFigures) -> str:
    """What a rate is, where it is not counted for the rule by itself."""
    return "~" if figures.is_derived else "Σ" if figures.rules else ""


def none_words(scene: Scene) -> str:
    """Why there is no rule to show."""
    parts = []
    for view in scene.snapshot.clusters.values():
        if any(resource in view.objects for resource in ROUTES):
            spaces = sorted(view.scopes.get(HTTP_ROUTES, ()))
            where = f" in {', '.join(spaces)}, the namespaces that are read" if spaces else ""
            parts.append(f"{view.name} has no route of any kind{where}")
        else:
            health = view.sources.get(HTTP_ROUTES)
            told = ": ".join(filter(None, (health.state.value, health.detail))) if health is not None else "not asked"
            parts.append(f"routes of {view.name} are not known ({told})")
    return "; ".join(parts)


def story(rule: RuleRow, survey: Survey) -> Line:
    """What a row has no room for: the whole name, what is wrong, and why a figure is not known."""
    facts, figures = rule.facts, survey.figures(rule)
    named = f" ({facts.rule.name})" if facts.rule.name else ""
    parts = [
        line(
            Span(f"{rule.key.route.namespace}/{rule.key.route.name}", Role.STRONG),
            Span(f" {facts.of.kind}Route rule {rule.key.number}{named} in {rule.key.route.cluster}", Role.DIM),
        )
    ]
    if rule.verdict.reason:
        parts.append(line(Span(rule.verdict.reason, rule.verdict.role)))
    for observed in (figures.traffic.rps, figures.traffic.error_ratio):
        if isinstance(observed, Unknown):
            parts.append(line(Span(observed.reason, Role.DIM)))
            break
    if figures.rules:
        together = ", ".join(map(str, figures.rules))
        parts.append(line(Span(f"Σ: rules {together} are counted together", Role.DIM)))
    elif figures.is_derived:
        parts.append(line(Span("~: as its upstreams tell, which no other rule uses", Role.DIM)))
    return joined(parts, " · ")


def _parents(row: RuleRow) -> list[tuple[str, Verdict]]:
    """Its parents by name with how each is, the worst first; the gateways it is on where it names no parent."""
    named = [(parent.words, parent.verdict) for parent in row.facts.of.parents]
    found = named or [(str(key), judge.OK) for key in row.place.gateways]
    return sorted(found, key=lambda pair: (pair[1].rank, pair[0]))


def _parents_words(row: RuleRow) -> str:
    return PARENTS_GAP.join(f"{verdict.glyph} {words}" for words, verdict in _parents(row))


def _parent(words: str, verdict: Verdict) -> Line:
    return line(verdict.mark, Span(f" {words}", verdict.role if verdict.rank < judge.OK.rank else Role.TEXT))


def _name(facts: RuleFacts) -> str:
    """`infra/shop`; `infra/shop #2` where the route has several rules."""
    number = f" #{facts.key.number}" if len(facts.of.route.spec.rules) > 1 else ""
    return f"{facts.key.route.namespace}/{facts.key.route.name}{number}"


def _owner(facts: RuleFacts) -> str:
    return facts.of.owners[0].kind.value if facts.of.owners else ""


def _figure(observed: Known[float] | Unknown, words: Callable[[float], str], mark: str = "") -> Line:
    if isinstance(observed, Unknown):
        return (Span(text.UNKNOWN, Role.UNKNOWN),)
    return line(Span(mark, Role.DIM), Span(words(observed.value)))


def _born(created: datetime | None) -> float:
    return -math.inf if created is None else created.timestamp()
