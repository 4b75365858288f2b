"""Requests come to a tier and do not leave it, or arrive less at the next one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gwtui.model.known import Known, value_or
from gwtui.model.samples import ClusterSample
from gwtui.model.totals import summed
from gwtui.triage.counts import window_of
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_gateway, subject
from gwtui.triage.hops import LEAST_ERRORS, SETTLING_S
from gwtui.triage.look import Look, named
from gwtui.views import judge, text
from gwtui.views.fleet import GatewayFigures

ID = "flow-lost"

LEAST_RPS = 5.0
"""Requests/s below which differences of two counts mean nothing."""

ARRIVES = 0.75
"""Share of what is sent to a gateway below which it is said that less arrives."""

STUCK = 0.5
"""Share of what comes to a gateway that neither goes on nor is answered."""

GRACE_S = 8.0
"""Seconds for which two counts of different proxies must disagree: their windows are not the same."""

_NOTHING = ClusterSample()


class _Balance(NamedTuple):
    """What the proxies of a gateway counted within their window, in requests."""

    taken: float
    own_errors: float
    """5xx answers that no upstream counts."""
    stuck: float
    """Requests that no upstream got and nothing else accounts for."""
    no_cluster: float
    seconds: float


def find(look: Look) -> Iterator[Finding | None]:
    """Yield gateways that answer errors of their own, keep requests, or get less than is sent to them."""
    for entry in look.entries:
        if value_or(entry.traffic.rps, 0.0):
            balance = _balance(entry)
            if balance is not None:
                yield from _of(look, entry, balance)
        if entry.node.tier > 1:
            less = _less(look, entry)
            if less is not None:
                yield less
        yield None


def _balance(entry: GatewayFigures) -> _Balance | None:
    taken = own = stuck = no_cluster = 0.0
    seconds = 0.0
    for view in entry.heard:
        window = window_of(view)
        if len(window) < 2 or not window[-1].clusters or not window[0].clusters:
            continue
        first, newest = window[0], window[-1]
        sent = errors = 0
        for name, each in newest.clusters.items():
            before = first.clusters.get(name, _NOTHING)
            if each.requests >= before.requests:
                sent += each.requests - before.requests - max(0, each.retries - before.retries)
                errors += max(0, each.errors_5xx - before.errors_5xx)
        failed = newest.errors_5xx - first.errors_5xx
        came = newest.requests - first.requests
        answered = (newest.direct_answers - first.direct_answers) + (newest.errors_4xx - first.errors_4xx)
        taken += came
        own += max(0, failed - errors)
        stuck += max(0, came - sent - answered - failed)
        no_cluster += max(0, newest.no_cluster - first.no_cluster)
        seconds = max(seconds, newest.taken_mono - first.taken_mono)
    return _Balance(taken, own, stuck, no_cluster, seconds) if seconds else None


def _of(look: Look, entry: GatewayFigures, balance: _Balance) -> Iterator[Finding]:
    ratio = balance.own_errors / balance.taken if balance.taken else 0.0
    if balance.own_errors >= LEAST_ERRORS and ratio >= judge.ERROR_FAILING:
        rps = balance.own_errors / balance.seconds
        why = " (to clusters that do not exist)" if balance.no_cluster >= balance.own_errors / 2 else ""
        what = f"{text.rps(rps)} ({text.ratio(ratio)}) get 5xx from its proxies themselves and reach no backend{why}"
        yield _finding(look, entry, what, rps, detail="own errors", severity=Severity.CRITICAL)
    elif balance.stuck / balance.seconds >= LEAST_RPS and balance.stuck >= STUCK * balance.taken:
        rps = balance.stuck / balance.seconds
        what = f"{text.rps(rps)} of {text.rps(balance.taken / balance.seconds)} come in and do not go on to any backend"
        yield _finding(look, entry, what, rps, detail="stuck", grace_s=GRACE_S)


def _less(look: Look, entry: GatewayFigures) -> Finding | None:
    key = entry.node.key
    flows = look.flows_into(key)
    sources = [look.fleet.gateways[flow.hop.source] for flow in flows if flow.hop.source in look.fleet.gateways]
    is_whole = all(each.answering == len(each.proxies) for each in (entry, *sources))
    sent, taken = summed([flow.rps for flow in flows]), entry.traffic.rps
    if not flows or not is_whole or not isinstance(sent, Known) or not isinstance(taken, Known):
        return None
    if sent.value < LEAST_RPS or taken.value >= ARRIVES * sent.value:
        return None
    what = f"{text.rps(sent.value)} are sent to it and {text.rps(taken.value)} arrive"
    return _finding(look, entry, what, sent.value - taken.value, detail="arrives less", grace_s=SETTLING_S)


def _finding(
    look: Look,
    entry: GatewayFigures,
    what: str,
    rps: float,
    *,
    detail: str,
    severity: Severity = Severity.WARNING,
    grace_s: float = 0.0,
) -> Finding:
    key = entry.node.key
    at = entry.traffic.rps.observed_at if isinstance(entry.traffic.rps, Known) else look.now
    return Finding(
        rule=ID,
        severity=severity,
        sentence=f"{named(entry.node)}: {what}",
        place=at_gateway(key),
        detail=detail,
        evidence=(
            Evidence(Truth.SERVED, what, at),
            Evidence(Truth.LOADED, "which route does it is not counted: see the routes its proxies hold", None, True),
        ),
        at_stake=Known(rps, at),
        actions=(Action("enter", "go to its proxies"),),
        confidence=0.8,
        about=frozenset({subject(key)}),
        affects=frozenset(map(subject, (key, *look.above(key)))),
        concerned=(subject(key), *entry.node.routes[:40]),
        grace_s=grace_s,
    )
