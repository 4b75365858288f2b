"""The proxies of all clusters, one row each, the worst first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.known import Known, Unknown
from gwtui.model.snapshot import ProxyView, Snapshot
from gwtui.views import judge, text
from gwtui.views.judge import Verdict
from gwtui.views.matching import matches
from gwtui.views.spans import BLANK, Line, Role, Span, line
from gwtui.views.tables import Column, Row

PODS = "pods"
"""Group resource of the objects proxies are."""


class ProxyRow(NamedTuple):
    """One proxy with what its row is sorted and filtered by."""

    view: ProxyView
    gateway: GatewayKey | None
    verdict: Verdict

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
    "cost": lambda row: -(cost_ms(row.view) or -1.0),
}
"""What the rows can be sorted by, by column id: worst or highest first, unknown last, equal rows by name."""


def rows(
    snapshot: Snapshot, now: datetime, *, scope: GatewayKey | None = None, pattern: str = "", sort: str = "state"
) -> list[ProxyRow]:
    """Every proxy of the scope that matches the filter, in the order wanted."""
    owners = {
        proxy: node.key
        for cluster in snapshot.clusters.values()
        for node in cluster.topology.gateways
        for proxy in node.proxies
    }
    found: list[ProxyRow] = []
    for key in {**snapshot.proxies, **owners}:
        gateway = owners.get(key)
        if scope is not None and gateway != scope:
            continue
        view = snapshot.proxies.get(key) or ProxyView(key=key)
        row = ProxyRow(view, gateway, judge.proxy(view, now))
        if not pattern or matches(pattern, _haystack(row)):
            found.append(row)
    by = SORTS[sort]
    found.sort(key=lambda row: (by(row), row.gateway or ("",), row.key))
    return found


def columns(found: Sequence[ProxyRow], *, clusters: int) -> tuple[Column, ...]:
    """The columns, as wide as the names of these rows ask for."""
    gateway = max((len(str(row.gateway)) for row in found), default=0)
    pod = max((len(row.key.pod) for row in found), default=0)
    cluster = max((len(row.key.cluster) for row in found), default=0)
    named = [Column(id="cluster", title="CLUSTER", cells=max(7, cluster), least=8, middle=True)] if clusters > 1 else []
    return (
        *named,
        Column(id="gateway", title="GATEWAY", cells=max(10, gateway), least=10, middle=True),
        Column(id="proxy", title="PROXY", cells=max(12, pod), least=20, middle=True),
        Column(id="state", title="STATE", cells=11),
        Column(id="rps", title="RPS", cells=6, right=True),
        Column(id="err", title="ERR", cells=7, right=True),
        Column(id="p50", title="P50", cells=7, right=True, rank=3),
        Column(id="p99", title="P99", cells=7, right=True),
        Column(id="active", title="ACTIVE", cells=7, right=True, rank=2),
        Column(id="cost", title="COST", cells=7, right=True, rank=4),
        Column(id="way", title="WAY", cells=12, rank=5),
        Column(id="age", title="AGE", cells=6, right=True, rank=1),
    )


def row(proxy: ProxyRow, snapshot: Snapshot, now: datetime, *, clusters: int) -> Row:
    """The cells of one row, for `columns`."""
    view, gateway, verdict = proxy
    traffic = view.traffic
    known = judge.is_answering(view, now)
    cost = cost_ms(view)
    cells: list[Line] = [(Span(view.key.cluster, Role.DIM),)] if clusters > 1 else []
    cells += [
        line(str(gateway)) if gateway else line(Span(text.UNKNOWN, Role.DIM)),
        line(Span(view.key.pod, Role.STRONG)),
        verdict.line,
        _figure(traffic.rps, text.rate),
        line(judge.error_span(traffic.error_ratio)),
        _figure(traffic.p50_ms, text.ms),
        _figure(traffic.p99_ms, text.ms),
        _figure(traffic.active, text.count),
        line(Span(text.ms(cost), Role.DIM)) if cost is not None else line(Span(text.UNKNOWN, Role.UNKNOWN)),
        line(Span(view.way, Role.DIM)),
        line(text.age_of(pod_created(snapshot, view.key), now)),
    ]
    if known:
        return Row(tuple(cells))
    return Row(tuple(cells), _message(view, verdict, now), "rps")


def pod_created(snapshot: Snapshot, key: ProxyKey) -> datetime | None:
    """When the pod of a proxy was created, or None when the pod is not known."""
    cluster = snapshot.clusters.get(key.cluster)
    pod = cluster.objects.get(PODS, {}).get((key.namespace, key.pod)) if cluster else None
    return text.moment(pod.metadata.creation_timestamp) if pod is not None else None


def cost_ms(view: ProxyView) -> float | None:
    """How long the last question to the proxy took, in ms, or None when it never answered."""
    return view.samples[-1].answer_ms if view.samples else None


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
