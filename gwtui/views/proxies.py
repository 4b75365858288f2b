"""The proxies of all clusters, one row each, the worst first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.known import Known, Unknown
from gwtui.model.snapshot import ProxyView, Snapshot
from gwtui.views import config_state, judge, text
from gwtui.views.cost import share, share_span
from gwtui.views.expiry import expiry_cell, first_expiry
from gwtui.views.fleet import Fleet
from gwtui.views.judge import NOTHING_NOTED, Noted, Verdict
from gwtui.views.matching import matches
from gwtui.views.replicas import MARK, odd_mark, odd_words
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line
from gwtui.views.tables import Column, Row

PODS = "pods"
"""Group resource of the objects proxies are."""


class ProxyRow(NamedTuple):
    """One proxy with what its row is sorted and filtered by."""

    view: ProxyView
    gateway: GatewayKey | None
    verdict: Verdict
    noted: Noted = NOTHING_NOTED
    """What is told about it by more than its newest answer."""
    days: float = math.inf
    """Days to the end of its first certificate; infinity when that is not known."""

    @property
    def key(self) -> ProxyKey:
        """Identity of the row."""
        return self.view.key


SortKey = Callable[[ProxyRow], float]

SORTS: Mapping[str, SortKey] = {
    "state": lambda row: row.verdict.rank,
    "rps": lambda row: -_number(row.view.traffic.rps),
    "err": lambda row: -_number(row.view.traffic.error_ratio),
    "p50": lambda row: -_number(row.view.traffic.p50_ms),
    "p99": lambda row: -_number(row.view.traffic.p99_ms),
    "active": lambda row: -_number(row.view.traffic.active),
    "cost": lambda row: -(share(row.view) or -1.0),
    "cert": lambda row: row.days,
}
"""What the rows can be sorted by, by column id: worst or highest first, unknown last, equal rows by name."""


def rows(
    snapshot: Snapshot,
    now: datetime,
    *,
    scope: GatewayKey | None = None,
    pattern: str = "",
    sort: str = "state",
    figures: Fleet | None = None,
) -> list[ProxyRow]:
    """Every proxy of the scope that matches the filter, in the order wanted.

    Args:
        snapshot: What is known.
        now: The moment ages are counted from.
        scope: Only the proxies of this gateway.
        pattern: Only proxies this filter matches.
        sort: Which of `SORTS`.
        figures: The figures of the snapshot, when they are known already: what is noted about proxies is theirs.
    """
    found = list(_listed(snapshot, scope, figures, now))
    if pattern:
        found = [row for row in found if matches(pattern, _haystack(row))]
    by = SORTS[sort]
    found.sort(key=lambda row: (by(row), row.gateway or ("",), row.key))
    return found


def columns(found: Sequence[ProxyRow], *, clusters: int) -> tuple[Column, ...]:
    """The columns, as wide as the names of these rows ask for."""
    gateway = max((len(str(row.gateway)) for row in found), default=0)
    pod = max((len(row.key.pod) for row in found), default=0)
    cluster = max((len(row.key.cluster) for row in found), default=0)
    is_odd = any(row.noted.odd for row in found)
    named = [Column(id="cluster", title="CLUSTER", cells=max(7, cluster), least=7, middle=True)] if clusters > 1 else []
    return (
        *named,
        Column(id="gateway", title="GATEWAY", cells=max(10, gateway), least=10, middle=True),
        Column(id="proxy", title="PROXY", cells=max(12, pod), least=15, middle=True),
        Column(id="state", title="STATE", cells=12),
        Column(id="rps", title="RPS", cells=6, right=True),
        Column(id="err", title="ERR", cells=6, right=True),
        Column(id="p50", title="P50", cells=6, right=True, rank=4),
        Column(id="p99", title="P99", cells=6, right=True),
        Column(id="active", title="ACTIVE", cells=7, right=True, rank=3),
        Column(id="cost", title="COST*", cells=6, right=True, rank=5),
        Column(id="config", title="CONFIG", cells=14, least=10, rank=2),
        Column(id="cert", title="CERT", cells=9, right=True, rank=1),
        Column(id="version", title="VERSION", cells=7, rank=7),
        Column(id="age", title="AGE", cells=5, right=True, rank=6),
        *([Column(id="odd", title="ODD", cells=8, rank=8)] if is_odd else []),
    )


def row(proxy: ProxyRow, snapshot: Snapshot, now: datetime, *, clusters: int, is_odd: bool = False) -> Row:
    """The cells of one row, for `columns`.

    Args:
        proxy: What the row is about.
        snapshot: What is known.
        now: The moment ages are counted from.
        clusters: How many clusters the rows are of.
        is_odd: Whether any row has something odd: then there is a column for it.
    """
    view, gateway, verdict = proxy.view, proxy.gateway, proxy.verdict
    traffic = view.traffic
    spent = share(view)
    mark = f" {MARK}" if proxy.noted.odd and verdict.word != judge.ODD else ""
    cells: list[Line] = [(Span(view.key.cluster, Role.DIM),)] if clusters > 1 else []
    cells += [
        line(str(gateway)) if gateway else line(Span(text.UNKNOWN, Role.DIM)),
        line(Span(view.key.pod, Role.STRONG)),
        (*verdict.line, *line(Span(mark, Role.WARN))),
        _figure(traffic.rps, text.rate),
        line(judge.error_span(traffic.error_ratio)),
        _figure(traffic.p50_ms, text.ms),
        _figure(traffic.p99_ms, text.ms),
        _figure(traffic.active, text.count),
        line(share_span(spent) if spent is not None else Span(text.UNKNOWN, Role.UNKNOWN)),
        config_state.cell(view, now),
        expiry_cell(view, now),
        config_state.version_cell(view),
        line(text.age_of(pod_created(snapshot, view.key), now)),
    ]
    if is_odd:
        cells.append(line(Span(odd_mark(proxy.noted.odd), Role.WARN)))
    if judge.is_answering(view, now):
        return Row(tuple(cells))
    return Row(tuple(cells), _message(view, verdict, now), "rps")


def story(proxy: ProxyRow) -> Line:
    """What a row has no room for: the whole name, and everything that is noted."""
    parts: list[Line] = [line(Span(str(proxy.key), Role.STRONG), Span(f" in {proxy.key.cluster}", Role.DIM))]
    if proxy.verdict.reason:
        parts.append(line(Span(proxy.verdict.reason, proxy.verdict.role)))
    if proxy.noted.odd and proxy.verdict.word != judge.ODD:
        parts.append(line(Span(odd_words(proxy.noted.odd), Role.WARN)))
    return joined(parts, " · ")


def pod_created(snapshot: Snapshot, key: ProxyKey) -> datetime | None:
    """When the pod of a proxy was created, or None when the pod is not known."""
    cluster = snapshot.clusters.get(key.cluster)
    pod = cluster.objects.get(PODS, {}).get((key.namespace, key.pod)) if cluster else None
    return text.moment(pod.metadata.creation_timestamp) if pod is not None else None


def _listed(snapshot: Snapshot, scope: GatewayKey | None, figures: Fleet | None, now: datetime) -> Iterator[ProxyRow]:
    """Every proxy of the scope; those of no gateway come last."""
    owned: set[ProxyKey] = set()
    for cluster in snapshot.clusters.values():
        for node in cluster.topology.gateways:
            owned.update(node.proxies)
            if scope is not None and node.key != scope:
                continue
            known = figures.gateways.get(node.key) if figures is not None else None
            if known is not None:
                for view, verdict in zip(known.proxies, known.verdicts, strict=True):
                    yield _row(view, node.key, verdict, known.noted.get(view.key, NOTHING_NOTED), now)
                continue
            views = [snapshot.proxies.get(key) or ProxyView(key=key) for key in node.proxies]
            noted = judge.noted(node, views)
            for view in views:
                about = noted.get(view.key, NOTHING_NOTED)
                yield _row(view, node.key, judge.proxy(view, now, about), about, now)
    if scope is None:
        for key, view in snapshot.proxies.items():
            if key not in owned:
                yield _row(view, None, judge.proxy(view, now), NOTHING_NOTED, now)


def _row(view: ProxyView, gateway: GatewayKey | None, verdict: Verdict, noted: Noted, now: datetime) -> ProxyRow:
    first = first_expiry(view, now)
    return ProxyRow(view, gateway, verdict, noted, math.inf if first is None else first.days)


def _message(view: ProxyView, verdict: Verdict, now: datetime) -> Line:
    since = f"for {text.age_of(view.failing_since, now)}: " if view.failing_since else ""
    lead = since + (verdict.reason or "no reason given")
    hint = line(Span(f"  → {view.hint}", Role.DIM)) if view.hint else BLANK
    return (*line(Span(lead, verdict.role if verdict.role is not Role.UNKNOWN else Role.TEXT)), *hint)


def _figure(observed: Known[float] | Known[int] | Unknown, words: Callable[[float], str]) -> Line:
    if isinstance(observed, Unknown):
        return (Span(text.UNKNOWN, Role.UNKNOWN),)
    return (Span(words(observed.value)),)


def _number(observed: Known[float] | Known[int] | Unknown) -> float:
    return -1.0 if isinstance(observed, Unknown) else float(observed.value)


def _haystack(proxy: ProxyRow) -> str:
    return " ".join((proxy.key.cluster, str(proxy.gateway or ""), str(proxy.key), proxy.verdict.word, proxy.view.way))
