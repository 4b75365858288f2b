"""The status says that a change is in force, and a proxy does not hold it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gwtui.model.comparison import Oddity
from gwtui.model.ids import ProxyKey
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_proxy, subject
from gwtui.triage.look import Look, few, named
from gwtui.triage.objects import claimed
from gwtui.triage.taking import LeftOut, is_pending, left_out
from gwtui.views import text
from gwtui.views.fleet import GatewayFigures
from gwtui.views.refusals import refused_words, service_words
from gwtui.views.replicas import WARMING, config_oddity

ID = "claimed-not-loaded"

GRACE_S = 2.0
"""Seconds for which what replicas hold must differ."""

LINGERS_S = 12.0
"""Seconds that a missed update is told after it left the window: by then what they hold was read and compared."""


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the proxies that missed an update, or whose configuration is not that of most of their siblings."""
    for entry in look.entries:
        if len(entry.heard) > 1 and not look.is_settling(entry.node.key):
            missing = left_out(entry)
            for key, missed in missing.items():
                if not any(view.key == key and refused_words(view) for view in entry.heard):
                    yield _missed(look, entry, key, missed)
            if not any(map(is_pending, entry.heard)):
                yield from _differing(look, entry, frozenset(missing))
        yield None


def _differing(look: Look, entry: GatewayFigures, told: frozenset[ProxyKey]) -> Iterator[Finding]:
    found = {key: oddity for key, noted in entry.noted.items() if (oddity := config_oddity(noted.odd)) is not None}
    if not told.isdisjoint(found):
        return
    for key, oddity in found.items():
        if oddity.is_minority or key == _doubtful(entry, found):
            yield _held(look, entry, key, oddity)


def _doubtful(entry: GatewayFigures, found: dict[ProxyKey, Oddity]) -> ProxyKey:
    """The proxy it is told of where nobody can tell which is right: one that refuses, else that took least."""
    odd = [view for view in entry.heard if view.key in found]
    taken = {view.key: sum(each.accepted or 0 for each in view.services.values()) for view in odd}
    return min(odd, key=lambda view: (not refused_words(view), taken[view.key], view.key)).key


def _missed(look: Look, entry: GatewayFigures, key: ProxyKey, missed: LeftOut) -> Finding:
    others = f"{missed.takers} of {len(entry.heard)} replicas"
    what = f"did not take the {service_words(missed.service)} that {others} took"
    evidence = Evidence(Truth.LOADED, f"{key.pod} counts no update since; others do since then", missed.at)
    # Its window is short: what the proxies hold is compared later, under the same name.
    return replace(_finding(look, entry, key, what, evidence), since=missed.at, grace_s=0.0, lingers_s=LINGERS_S)


def _held(look: Look, entry: GatewayFigures, key: ProxyKey, oddity: Oddity) -> Finding:
    view = next(each for each in entry.proxies if each.key == key)
    differing = few(oddity.differing)
    warming = f", {few(oddity.warming)} {WARMING}" if oddity.warming else ""
    doubt = "" if oddity.is_minority else "; nobody can tell which of them is right"
    inspected = view.inspection.taken_at if view.inspection is not None else None
    than = f"{oddity.siblings - oddity.alike} of {oddity.siblings} replicas"
    evidence = Evidence(Truth.LOADED, f"{key.pod} differs in {differing}{warming}", inspected)
    return _finding(look, entry, key, f"holds other configuration ({differing}{warming}) than {than}{doubt}", evidence)


def _finding(look: Look, entry: GatewayFigures, key: ProxyKey, what: str, held: Evidence) -> Finding:
    view = next(each for each in entry.proxies if each.key == key)
    gateway = look.gateway(entry.node.key)
    conditions = gateway.status.conditions if gateway is not None else ()
    said = [claimed(str(entry.node.key), each) for each in conditions if each.type == "Programmed"]
    silent = Evidence(Truth.CLAIMED, "the status of the Gateway was not read", is_unknown=True)
    return Finding(
        rule=ID,
        severity=Severity.CRITICAL,
        sentence=f"{named(entry.node)}: proxy {key.pod} {what}",
        place=at_proxy(key),
        evidence=(
            *(said or [silent]),
            held,
            Evidence(
                Truth.SERVED,
                f"it serves {text.figure(view.traffic.rps, text.rps)} by what it holds",
                view.answered_at,
            ),
        ),
        at_stake=view.current.rps,
        actions=(
            Action("enter", "go to the proxy and compare"),
            Action("d", "take everything away from it", f"gwtui drain {key.namespace}/{key.pod}"),
        ),
        confidence=0.9,
        about=frozenset({subject(key), subject(entry.node.key)}),
        affects=frozenset({subject(key), subject(entry.node.key)}),
        concerned=(*entry.node.routes[:40], subject(entry.node.key), subject(key)),
        grace_s=GRACE_S,
    )
