"""More requests than usual find no route on a gateway: 404 from the proxies themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from gwtui.model.known import Known
from gwtui.triage.counts import window_of
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_gateway, subject
from gwtui.triage.look import Look, named
from gwtui.views import text
from gwtui.views.fleet import GatewayFigures

ID = "no-route"

LEAST = 5
"""Requests without a route within a window below which nothing is said: scanners are everywhere."""

RISE = 0.05
"""Share of all requests that must be without a route beyond what is usual."""

STARK = 0.2
"""Share from which it is said although nobody watched long enough to know what is usual."""

SETTLED_POINTS = 8
"""Points of time before the newest ones that tell what is usual."""

NEWEST_POINTS = 6
"""Points of time that the present window is made of, at most."""


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the gateways with more 404 for want of a route than before."""
    for entry in look.entries:
        lost, requests, seconds = _counted(entry)
        if lost >= LEAST and requests:
            ratio, before = lost / requests, _usual(entry)
            is_rise = ratio - before >= RISE if before is not None else ratio >= STARK
            if is_rise:
                yield _finding(look, entry, lost / seconds, ratio, before)
        yield None


def _counted(entry: GatewayFigures) -> tuple[float, float, float]:
    """Requests without a route and all requests in the window, and its length in seconds."""
    lost = requests = 0.0
    seconds = 0.0
    for view in entry.heard:
        window = window_of(view)
        if len(window) > 1:
            lost += max(0, window[-1].no_route - window[0].no_route)
            requests += max(0, window[-1].requests - window[0].requests)
            seconds = max(seconds, window[-1].taken_mono - window[0].taken_mono)
    return lost, requests, seconds or 1.0


def _usual(entry: GatewayFigures) -> float | None:
    """The usual share of 4xx, of which those without a route are a part; None while too little was seen."""
    earlier: Sequence[float] = [
        point.client_error_ratio
        for view in entry.heard
        for point in view.series[:-NEWEST_POINTS]
        if point.client_error_ratio is not None
    ]
    return median(earlier) if len(earlier) >= SETTLED_POINTS else None


def _finding(look: Look, entry: GatewayFigures, rps: float, ratio: float, before: float | None) -> Finding:
    key = entry.node.key
    usual = f"; {text.ratio(before)} were 4xx before" if before is not None else ""
    at = entry.traffic.rps.observed_at if isinstance(entry.traffic.rps, Known) else look.now
    return Finding(
        rule=ID,
        severity=Severity.CRITICAL if ratio >= STARK else Severity.WARNING,
        sentence=f"{named(entry.node)}: {text.rps(rps)} ({text.ratio(ratio)}) find no route and get 404{usual}",
        place=at_gateway(key),
        evidence=(
            Evidence(Truth.SERVED, f"{text.rps(rps)} without a route, {text.ratio(ratio)} of all", at),
            Evidence(Truth.LOADED, "which hostnames and paths are asked for is not counted", is_unknown=True),
            Evidence(Truth.INTENDED, f"{text.plural(len(entry.node.routes), 'route')} attached"),
        ),
        at_stake=Known(rps, at),
        actions=(Action("enter", "go to its proxies"),),
        confidence=0.8,
        about=frozenset({subject(key)}),
        affects=frozenset({subject(key)}),
        concerned=(subject(key), *entry.node.routes[:40]),
        grace_s=1.0,
    )
