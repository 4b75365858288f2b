"""One namespace drives a shard that others share, and the shard suffers."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

from gwtui.model.known import Known, value_or
from gwtui.model.snapshot import Point
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_gateway, subject
from gwtui.triage.look import Look, named
from gwtui.triage.namespaces import by_namespace
from gwtui.views import judge, text
from gwtui.views.fleet import GatewayFigures

ID = "noisy-neighbour"

DRIVES = 0.5
"""Share of a gateway's requests from which one namespace drives it."""

LEAST_RPS = 20.0
"""Requests/s of that namespace below which nobody is loud."""

GROWN = 2.0
"""How many times what is usual it takes."""

SLOW_MS = 100.0
"""99th percentile from which a gateway suffers although nobody watched long enough to know what is usual."""

SLOWER = 2.0
"""How many times the usual 99th percentile makes a gateway that suffers."""

NEWEST_POINTS = 6
"""Points of time that belong to the present and do not tell what is usual."""

SETTLED_POINTS = 4

GRACE_S = 2.0


class _Suffering(NamedTuple):
    words: str
    is_measured: bool
    """Whether it is against what is usual."""


class _Driver(NamedTuple):
    namespace: str
    rps: float
    share: float
    usual: float | None
    """What it usually takes, where it takes far more now; None where that is not known."""


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the shared gateways that one namespace drives while they are slow, err, or refuse requests."""
    for entry in look.entries:
        if len(entry.node.namespaces) > 1 and entry.answering:
            finding = _of(look, entry)
            if finding is not None:
                yield finding
        yield None


def _of(look: Look, entry: GatewayFigures) -> Finding | None:
    rates = by_namespace(entry)
    whole = sum(rates.values())
    if len(rates) < 2 or not whole:
        return None
    loudest = max(rates, key=lambda name: rates[name])
    share, rps = rates[loudest] / whole, rates[loudest]
    if share < DRIVES or rps < LEAST_RPS:
        return None
    usual = _usual_rps(look, entry, loudest)
    has_grown = usual is not None and rps >= GROWN * max(usual, 1.0)
    suffering = _suffering(look, entry, loudest)
    if not has_grown and (suffering is None or usual is not None):
        # Slow as ever, with as many requests as ever: then it is not the neighbour.
        return None
    return _finding(look, entry, _Driver(loudest, rps, share, usual if has_grown else None), suffering)


def _usual_rps(look: Look, entry: GatewayFigures, namespace: str) -> float | None:
    """What the namespace usually takes, by what was seen of it, else by its share of what the gateway took before."""
    earlier = _earlier(entry)
    before = [point.rps for point in earlier if point.rps is not None]
    if len(before) < SETTLED_POINTS:
        return None
    now = value_or(entry.traffic.rps, 0.0)
    others = sum(rate for name, rate in by_namespace(entry).items() if name != namespace)
    past = median(before) * len(entry.heard)
    slow = look.usual.get((entry.node.key, namespace))
    derived = max(0.0, past - others) if now > past else past * by_namespace(entry)[namespace] / (now or 1.0)
    return min(derived, slow) if slow is not None else derived


def _earlier(entry: GatewayFigures) -> list[Point]:
    return [point for view in entry.heard for point in view.series[:-NEWEST_POINTS]]


def _suffering(look: Look, entry: GatewayFigures, loudest: str) -> _Suffering | None:
    p99 = value_or(entry.traffic.p99_ms, 0.0)
    before = [point.p99_ms for point in _earlier(entry) if point.p99_ms is not None]
    if len(before) >= SETTLED_POINTS and p99 >= SLOWER * max(median(before), 1.0) and p99 >= SLOW_MS / 2:
        return _Suffering(f"p99 {text.ms(p99)} instead of {text.ms(median(before))}", is_measured=True)
    overflows = sum(count.per_second(count.overflows) for count in look.counts(entry))
    if overflows >= 1:
        return _Suffering(f"circuit breakers refuse {text.rps(overflows)}", is_measured=True)
    ratio = value_or(entry.traffic.error_ratio, 0.0)
    others = [
        c for c in look.counts(entry) if c.error_ratio >= judge.ERROR_FAILING and _space(c.flow.hop.target) != loudest
    ]
    if ratio >= judge.ERROR_FAILING and others:
        return _Suffering(
            f"{text.ratio(ratio)} of its answers are 5xx, those of its neighbours as well", is_measured=True
        )
    return _Suffering(f"p99 {text.ms(p99)}", is_measured=False) if p99 >= SLOW_MS else None


def _space(target: object) -> str:
    return getattr(target, "namespace", "")


def _finding(look: Look, entry: GatewayFigures, driver: _Driver, suffering: _Suffering | None) -> Finding:
    namespace, rps, share, usual = driver
    key = entry.node.key
    whole = sum(by_namespace(entry).values())
    grown = f", usually {text.rate(usual)}" if usual is not None else ""
    hurt = suffering.words if suffering is not None else "the others do not suffer yet"
    is_sure = usual is not None and suffering is not None
    severity = Severity.WARNING if is_sure else Severity.INFO
    others = len(entry.node.namespaces) - 1
    rest = f"{text.plural(others, 'namespace')} with {text.rps(whole - rps)}"
    at = entry.traffic.rps.observed_at if isinstance(entry.traffic.rps, Known) else look.now
    return Finding(
        rule=ID,
        severity=severity,
        sentence=(
            f"{named(entry.node)}: namespace {namespace} drives {text.percent(share)} of it ({text.rps(rps)}{grown}), "
            f"{hurt}; a shard of its own for {namespace} leaves {rest} here"
        ),
        place=at_gateway(key),
        detail=namespace,
        evidence=(
            Evidence(Truth.SERVED, f"{namespace}: {text.rps(rps)} of {text.rps(whole)}{grown}", at),
            Evidence(Truth.SERVED, hurt, at),
            Evidence(Truth.INTENDED, f"it serves {', '.join(entry.node.namespaces[:6])}"),
        ),
        at_stake=Known(whole - rps, at),
        actions=(
            Action("enter", "go to its proxies"),
            Action(
                "d",
                f"move {namespace} to another shard",
                f"gwtui drain namespace/{namespace} --from {key} --to NS/NAME",
            ),
        ),
        confidence=0.9 if is_sure else 0.5,
        about=frozenset({subject(key)}),
        affects=frozenset({subject(key), *(subject(flow.hop.target) for flow in entry.flows)}),
        concerned=(subject(key), *(route for route in entry.node.routes if route.namespace == namespace)),
        grace_s=GRACE_S,
    )
