"""A certificate that proxies hold has expired, or soon will."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gwtui.model.inspection import Certificate
from gwtui.model.known import Known
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_gateway, subject
from gwtui.triage.look import Look, few, named
from gwtui.views.expiry import SOON_DAYS, Expiry, expiry, first_expiry
from gwtui.views.fleet import GatewayFigures

ID = "certificate-expiry"

INSPECTED_S = 1.0
"""Seconds within which a proxy that has just been found lists its certificates: until then days are counted alone."""


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the certificates whose time is over, or is within 7 days, or (as information) within 30."""
    for entry in look.entries:
        counted: list[tuple[Expiry, str]] = []
        listed: dict[str, tuple[Certificate, list[str]]] = {}
        for view in entry.heard:
            first = first_expiry(view, look.now)
            if first is None or first.days > SOON_DAYS:
                continue
            held = view.inspection.certificates if view.inspection is not None else None
            if isinstance(held, Known):
                for one in held.value:
                    if one.expires_at is not None and expiry(one.expires_at, look.now).days <= SOON_DAYS:
                        listed.setdefault(one.serial, (one, []))[1].append(view.key.pod)
            else:
                counted.append((first, view.key.pod))
        if counted and not listed:
            first, pod = min(counted)
            yield _counted(look, entry, pod, first)
        for one, pods in listed.values():
            yield _listed(look, entry, one, pods)
        yield None


def _severity(left: Expiry) -> Severity:
    if left.is_expired:
        return Severity.CRITICAL
    return Severity.WARNING if left.is_urgent else Severity.INFO


def _listed(look: Look, entry: GatewayFigures, one: Certificate, pods: list[str]) -> Finding:
    assert one.expires_at is not None  # noqa: S101 - how they were chosen
    left = expiry(one.expires_at, look.now)
    names = few(one.names, 2) or f"serial {one.serial}"
    day = f"{one.expires_at:%Y-%m-%d}"
    word = f"expired on {day}" if left.is_expired else f"expires on {day} ({left.words})"
    taken = [view.inspection.taken_at for view in entry.heard if view.inspection is not None]
    held = Evidence(Truth.LOADED, f"held by {few(pods)}: serial {one.serial}, {one.path}", min(taken, default=None))
    return _finding(
        entry,
        left,
        f"the certificate of {names} {word}",
        detail=one.serial,
        held=held,
        since=one.expires_at if left.is_expired else None,
    )


def _counted(look: Look, entry: GatewayFigures, pod: str, left: Expiry) -> Finding:
    held = Evidence(
        Truth.LOADED, f"{pod} counts {left.days} days to its first expiry; which one was not read", look.now
    )
    word = "has expired or does so today" if left.days <= 0 else f"has {left.words}"
    return _finding(entry, left, f"a certificate {word}", detail="counted", held=held, grace_s=INSPECTED_S)


def _finding(
    entry: GatewayFigures,
    left: Expiry,
    what: str,
    *,
    detail: str,
    held: Evidence,
    since: datetime | None = None,
    grace_s: float = 0.0,
) -> Finding:
    key = entry.node.key
    served = Evidence(
        Truth.SERVED,
        "how many handshakes fail is not counted: a client that checks certificates does not get to send a request",
        is_unknown=True,
    )
    return Finding(
        rule=ID,
        severity=_severity(left),
        sentence=f"{named(entry.node)}: {what}",
        place=at_gateway(key),
        detail=detail,
        evidence=(held, served),
        at_stake=entry.traffic.rps,
        actions=(Action("enter", "go to its proxies and their certificates"),),
        confidence=0.8,
        about=frozenset({subject(key)}),
        affects=frozenset({subject(key)}),
        concerned=(subject(key),),
        since=since,
        grace_s=grace_s,
    )
