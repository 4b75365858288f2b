"""A gateway is drained, and nobody is at it any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gwtui.changes.drains.found import DrainedGateway, drained
from gwtui.model.ids import ObjectKey
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_gateway, subject
from gwtui.triage.look import Look, named
from gwtui.triage.objects import changed_at, served
from gwtui.views import text

ID = "forgotten-drain"

FORGOTTEN_S = 3600.0
"""Seconds after which a drain that is done and has no lease is taken for forgotten."""


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the gateways that get nothing by weight; for an hour that is worth knowing, no more."""
    for view in look.clusters:
        for found in drained(view, look.changes):
            if found.is_done and found.gateway in look.fleet.gateways:
                change = found.change
                if change is None or change.lease_ends_at is None:
                    yield _finding(look, found)
        yield None


def _finding(look: Look, found: DrainedGateway) -> Finding:
    key, change = found.gateway, found.change
    entry = look.fleet.gateways[key]
    routes = tuple(dict.fromkeys(share.route for flow in look.flows_into(key) for share in flow.hop.shares))
    since = change.ended_at or change.opened_at if change is not None else _weighted_at(look, routes)
    idle_s = (look.now - since).total_seconds() if since is not None else None
    is_forgotten = idle_s is not None and idle_s >= FORGOTTEN_S
    who = f"by {change.who} with change {change.id}" if change is not None else "by weights, not by this console"
    fill = Action("z", "fill it again", f"gwtui undrain {key}", change=change.id if change is not None else "")
    reason = f": {change.plan.reason}" if change is not None and change.plan.reason else ""
    return Finding(
        rule=ID,
        severity=Severity.WARNING if is_forgotten else Severity.INFO,
        sentence=f"{named(entry.node)}: drained {who}{reason}, and no lease ends it",
        place=at_gateway(key),
        evidence=(
            Evidence(
                Truth.INTENDED, "every rule that names it gives it weight 0" if change is None else change.plan.title
            ),
            Evidence(Truth.LOADED, f"{text.part_of(entry.answering, len(entry.proxies))} proxies answer", look.now),
            served(entry.traffic.rps, "it"),
        ),
        at_stake=entry.traffic.rps,
        actions=(Action("enter", "go to its proxies"), fill),
        confidence=0.9 if change is not None else 0.6,
        about=frozenset({subject(key)}),
        affects=frozenset({subject(key)}),
        concerned=(*routes, subject(key)),
        since=since,
    )


def _weighted_at(look: Look, routes: tuple[ObjectKey, ...]) -> datetime | None:
    metas = [getattr(look.find(route), "metadata", None) for route in routes]
    return max((at for meta in metas if meta is not None and (at := changed_at(meta)) is not None), default=None)
