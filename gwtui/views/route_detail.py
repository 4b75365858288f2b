"""One rule on a page of its own: everything about it, with who says so, and what is not known and why."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain

from gwtui.model.gateway_api import HttpRule
from gwtui.model.ids import ProxyKey
from gwtui.model.known import Unknown
from gwtui.model.snapshot import ClusterView
from gwtui.model.traffic import Rate
from gwtui.views import judge, text
from gwtui.views.route_backends import BackendFigures, Seen, backends_of
from gwtui.views.route_facts import RuleKey
from gwtui.views.route_order import order_remarks
from gwtui.views.route_parents import Parent, condition_words, is_wrong, lag, lag_words
from gwtui.views.route_survey import RuleRow, Survey, survey_of
from gwtui.views.route_words import ANY_HOST, filters_in_full
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, line
from gwtui.views.tables import Column, Row, layout, row_line, title_line

LABEL_CELLS = 11
ROUTE_WEIGHT = "kgateway.dev/route-weight"
"""Annotation by which a route asks kgateway to be looked at before others."""

_BACKENDS = (
    Column(id="backend", title="BACKEND", cells=26, least=10, middle=True),
    Column(id="weight", title="WEIGHT", cells=7, right=True),
    Column(id="share", title="SHARE", cells=6, right=True),
    Column(id="seen", title="SEEN", cells=6, right=True),
    Column(id="ready", title="READY", cells=6, right=True),
    Column(id="rps", title="RPS*", cells=7, right=True),
    Column(id="err", title="5XX*", cells=7, right=True),
    Column(id="from", title="FROM GATEWAY", cells=24, least=12, middle=True, rank=1),
)
_TRAFFIC = (
    Column(id="gateway", title="GATEWAY", cells=26, least=12, middle=True),
    Column(id="rps", title="RPS", cells=7, right=True),
    Column(id="client", title="4XX", cells=7, right=True),
    Column(id="err", title="5XX", cells=8, right=True),
    Column(id="p50", title="P50", cells=7, right=True, rank=1),
    Column(id="p99", title="P99", cells=7, right=True),
)


def look_at(scene: Scene, key: RuleKey) -> ProxyKey | None:
    """The proxy to read latencies of for a rule: the first that answers; None when none does."""
    row = survey_of(scene).find(key)
    gateways = (scene.fleet.gateways[each] for each in row.place.gateways) if row is not None else ()
    return next((view.key for entry in gateways if entry.node.is_managed for view in entry.heard), None)


def rule_title(key: RuleKey) -> str:
    """The rule by its whole name."""
    return f" {key} · {key.route.cluster} "


def rule_detail(scene: Scene, key: RuleKey, *, cells: int) -> tuple[Line, ...]:
    """The page of a rule, `cells` wide."""
    survey = survey_of(scene)
    row = survey.find(key)
    if row is None:
        return (line(Span("this rule is gone: the route was deleted, or has fewer rules now", Role.WARN)),)
    sections = (
        _state(row, survey, cells),
        _asked(row, scene.snapshot.clusters[key.route.cluster], cells),
        _backends(row, survey, cells),
        _parents(row, cells),
        _traffic(row, survey, cells),
        _owner(row, scene.now, cells),
        _unknown(row, survey, cells),
    )
    pages = [tuple(section) for section in sections]
    return tuple(chain.from_iterable((*page, BLANK) for page in pages if page))[:-1]


def _labelled(label: str, words: str, cells: int, role: Role = Role.TEXT) -> Iterator[Line]:
    """One fact, on as many lines as it needs."""
    lines = textwrap.wrap(words, max(12, cells - LABEL_CELLS), subsequent_indent="  ") or [""]
    for number, part in enumerate(lines):
        yield line(Span(f"{'' if number else label:<{LABEL_CELLS}}", Role.DIM), Span(part, role))


def _listed(label: str, words: Iterable[str], cells: int, role: Role = Role.TEXT) -> Iterator[Line]:
    """Facts of one kind, each on a line of its own."""
    for number, each in enumerate(words):
        yield from _labelled("" if number else label, each, cells, role)


def _state(row: RuleRow, survey: Survey, cells: int) -> Iterator[Line]:
    found = survey.verdicts(row)
    if not found:
        yield from _labelled("State", f"{judge.OK.glyph} {judge.OK.word}", cells, Role.OK)
    for number, verdict in enumerate(found):
        words = f"{verdict.glyph} {verdict.word}{f': {verdict.reason}' if verdict.reason else ''}"
        yield from _labelled("" if number else "State", words, cells, verdict.role)


def _asked(row: RuleRow, view: ClusterView, cells: int) -> Iterator[Line]:
    facts = row.facts
    rules = len(facts.of.route.spec.rules)
    named = f", named {facts.rule.name}" if facts.rule.name else ""
    among = f"one of {rules}" if rules > 1 else "the only one"
    yield from _labelled("Rule", f"spec.rules[{row.key.number}] of this {facts.of.kind}Route, {among}{named}", cells)
    own = facts.of.route.spec.hostnames
    hosts = ", ".join(row.hosts) or f"{ANY_HOST} (every hostname of its listeners)"
    yield from _labelled("Hosts", hosts if own or not row.hosts else f"{hosts} (of the routes that delegate)", cells)
    yield from _listed("Matches", facts.matches, cells)
    yield from _listed("Filters", filters_in_full(facts.rule, row.key.route.namespace) or ("none",), cells)
    if isinstance(facts.rule, HttpRule):
        limits = facts.rule.timeouts
        parts = [
            f"{what} {value}"
            for what, value in (("request", limits.request), ("each try", limits.backend_request))
            if value
        ]
        yield from _labelled("Timeouts", ", ".join(parts) or "not set: those of the proxy hold", cells)
    weight = facts.of.route.metadata.annotations.get(ROUTE_WEIGHT)
    if weight is not None:
        told = f"asks to be looked at with weight {weight}, where the control plane goes by that ({ROUTE_WEIGHT})"
        yield from _labelled("Weight", told, cells)
    for number, remark in enumerate(order_remarks(view, row)):
        role = Role.WARN if " never reached" in remark else Role.TEXT
        yield from _labelled("" if number else "Order", remark, cells, role)


def _backends(row: RuleRow, survey: Survey, cells: int) -> Iterator[Line]:
    if not row.facts.rule.backend_refs:
        return
    shown = layout(_BACKENDS, cells)
    found = backends_of(row.facts, row.place, survey.figures_in(row.key.route.cluster))
    yield title_line(shown, "")
    reasons: dict[str, None] = {}
    for backend in found:
        for seen in backend.seen or (None,):
            yield row_line(_BACKENDS, shown, Row(_backend_cells(backend, seen)), cells)
        reasons.update(dict.fromkeys(_remarks(backend)))
    for reason in reasons:
        yield from _labelled("", reason, cells, Role.DIM)
    if any(backend.seen for backend in found):
        yield from _labelled("", "* everything the gateway sends there, for other rules too", cells, Role.DIM)


def _backend_cells(backend: BackendFigures, seen: Seen | None) -> tuple[Line, ...]:
    share = seen.share if seen is not None else backend.observed
    flow = seen.flow if seen is not None else None
    healthy, total = (flow.members_healthy, flow.members_total) if flow is not None else (None, None)
    verdict = judge.members(healthy, total)
    ready = text.part_of(healthy, total) if healthy is not None and total is not None else text.UNKNOWN
    return (
        line(Span(f"{backend.words}{f':{backend.ref.port}' if backend.ref.port else ''}", Role.STRONG)),
        line(str(backend.ref.weight)),
        line(Span("standby" if backend.is_standby else _percent(backend.intended))),
        _figure(share, text.percent, Role.WARN if backend.differs else Role.TEXT),
        line(Span(ready, verdict.role if verdict is not None else Role.UNKNOWN)),
        _figure(flow.rps if flow is not None else None, text.rate),
        line(judge.error_span(flow.error_ratio)) if flow is not None else line(Span(text.UNKNOWN, Role.UNKNOWN)),
        line(str(seen.gateway) if seen is not None else ""),
    )


def _remarks(backend: BackendFigures) -> Iterator[str]:
    if backend.intended is None:
        yield f"{backend.words}: its requests go where the rules of these routes say"
        return
    healthy, total = backend.members
    verdict = judge.members(healthy, total)
    if verdict is not None and verdict.reason:
        yield f"{backend.words}: {verdict.reason}"
    if backend.differs:
        yield f"{backend.words}: the proxies see another share than the weights intend"


def _parents(row: RuleRow, cells: int) -> Iterator[Line]:
    generation = row.facts.of.route.metadata.generation
    if not row.facts.of.parents:
        on = ", ".join(map(str, row.place.gateways))
        yield from _labelled("Parents", f"none named; delegated to on {on}" if on else "none", cells, Role.DIM)
    for number, parent in enumerate(row.facts.of.parents):
        told = f"as {parent.controller} says" if parent.controller else parent.verdict.reason
        words = f"{parent.verdict.glyph} {parent.words}: {parent.verdict.word}, {told}"
        yield from _labelled("" if number else "Parents", words, cells, parent.verdict.role)
        for condition in parent.conditions:
            wrong = is_wrong(condition)
            mark = text.FAILING_GLYPH if wrong else " "
            role = Role.BAD if wrong else Role.DIM
            yield from _labelled("", f"{mark} {condition_words(condition)}", cells, role)
        yield from _testimony(parent, generation, cells)


def _testimony(parent: Parent, generation: int, cells: int) -> Iterator[Line]:
    """What keeps the conditions of a parent from being the last word."""
    observed = lag(parent.conditions, generation)
    if observed:
        yield from _labelled("", f"{text.RAISED} {lag_words(observed, generation)}", cells, Role.WARN)
    for controller in parent.unheard:
        yield from _labelled("", f"left out: what {controller} says, who does not run it", cells, Role.DIM)


def _traffic(row: RuleRow, survey: Survey, cells: int) -> Iterator[Line]:
    if not row.place.gateways:
        return
    shown = layout(_TRAFFIC, cells)
    yield title_line(shown, "")
    figures = survey.figures_in(row.key.route.cluster)
    for key in row.place.gateways:
        found = figures.on(row.facts, key)
        traffic = found.traffic
        made = (
            line(Span(str(key), Role.STRONG)),
            _figure(traffic.rps, text.rate),
            _figure(traffic.client_error_ratio, text.ratio),
            line(judge.error_span(traffic.error_ratio)),
            _figure(traffic.p50_ms, text.ms),
            _figure(traffic.p99_ms, text.ms),
        )
        yield row_line(_TRAFFIC, shown, Row(made), cells)
        if found.rules:
            together = ", ".join(map(str, found.rules))
            told = f"rules {together} are counted together: put {{{{rule_name}}}} into statPrefix and name the rules"
            yield from _labelled("", told, cells, Role.DIM)
    every = survey.figures(row)
    if every.is_derived:
        words = f"~{text.figure(every.traffic.rps, text.rps)} by its upstreams, which no other rule uses"
        yield from _labelled("", words, cells)


def _owner(row: RuleRow, now: datetime, cells: int) -> Iterator[Line]:
    of = row.facts.of
    for number, owner in enumerate(of.owners):
        reverts = "; puts back what it wants by itself" if owner.kind.reverts else ""
        words = f"{owner.name} ({', '.join(owner.evidence)}){reverts}"
        yield from _labelled("" if number else "Owner", words, cells)
    managers = of.route.metadata.managers
    if not of.owners:
        yield from _labelled("Owner", "nobody we know: no label, annotation or field manager of one", cells, Role.DIM)
    if managers:
        yield from _labelled("Written by", ", ".join(managers), cells)
    made = f"{text.age_of(of.created, now)} ago" if of.created is not None else "not told"
    yield from _labelled("Made", f"{made}, generation {of.route.metadata.generation or text.UNKNOWN}", cells)


def _unknown(row: RuleRow, survey: Survey, cells: int) -> Iterator[Line]:
    """What is not known, and why."""
    traffic = survey.figures(row).traffic
    said: dict[str, list[str]] = {}
    asked: list[tuple[str, Rate]] = [
        ("requests/s", traffic.rps),
        ("5xx", traffic.error_ratio),
        ("p99", traffic.p99_ms),
    ]
    backends = backends_of(row.facts, row.place, survey.figures_in(row.key.route.cluster))
    asked += [(f"share of {each.words}", each.observed) for each in backends if each.intended is not None]
    for what, observed in asked:
        if isinstance(observed, Unknown):
            said.setdefault(observed.reason, []).append(what)
    yield from _listed("Not known", (f"{', '.join(whats)}: {why}" for why, whats in said.items()), cells, Role.DIM)


def _figure(observed: Rate | None, words: Callable[[float], str], role: Role = Role.TEXT) -> Line:
    if observed is None or isinstance(observed, Unknown):
        return line(Span(text.UNKNOWN, Role.UNKNOWN))
    return line(Span(words(observed.value), role))


def _percent(share: float | None) -> str:
    return text.UNKNOWN if share is None else text.percent(share)
