"""A gateway has no proxy that answers: whatever comes to it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from gwtui.model import resources
from gwtui.model.health import ProxyState
from gwtui.model.known import Known
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_gateway, subject
from gwtui.triage.look import STARTING_S, Look, named
from gwtui.triage.rules.proxy_silent import SILENT_S, is_starting, left_of_silence
from gwtui.views import text
from gwtui.views.fleet import GatewayFigures

ID = "no-healthy-front"

_UNASKED = frozenset({ProxyState.UNKNOWN, ProxyState.FORBIDDEN})
"""States of which silence says nothing."""


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the gateways none of whose proxies answers, and those that have routes and no proxy at all."""
    for entry in look.entries:
        if not entry.answering and _is_dead(look, entry):
            yield _finding(look, entry)
        yield None


def _is_dead(look: Look, entry: GatewayFigures) -> bool:
    key = entry.node.key
    if entry.proxies:
        asked = [view for view in entry.proxies if view.state not in _UNASKED]
        return bool(asked) and not all(is_starting(look, view) for view in entry.proxies)
    gateway = look.gateway(key)
    was_read = look.inventory(look.view(key.cluster)).was_read_in(resources.PODS, key.namespace)
    born = text.moment(gateway.metadata.creation_timestamp) if gateway is not None else None
    is_young = born is not None and look.now - born < timedelta(seconds=STARTING_S)
    return was_read and bool(entry.node.routes) and not is_young


def _finding(look: Look, entry: GatewayFigures) -> Finding:
    key, whole = entry.node.key, len(entry.proxies)
    reasons = list(dict.fromkeys(view.reason for view in entry.proxies if view.reason))
    who = f"none of its {text.plural(whole, 'proxy', 'proxies')} answers" if whole > 1 else "its proxy does not answer"
    what = f"{who}{f': {reasons[0]}' if reasons else ''}" if whole else "no proxy runs"
    into = look.flows_into(key)
    sent = look.rate_into(key)
    told = f"other gateways send {text.figure(sent, text.rps)}" if into else "what clients send to it nobody counts"
    served = Evidence(
        Truth.SERVED, told, sent.observed_at if isinstance(sent, Known) else None, not isinstance(sent, Known)
    )
    gateway = look.gateway(key)
    programmed = gateway is not None and any(
        each.type == "Programmed" and each.status == "True" for each in gateway.status.conditions
    )
    claims = "its status says Programmed all the same" if programmed else "its status does not say Programmed"
    hosts = f" ({', '.join(entry.node.hostnames[:2])})" if entry.node.hostnames else ""
    starts = [view.failing_since for view in entry.proxies if view.failing_since is not None]
    return Finding(
        rule=ID,
        severity=Severity.CRITICAL,
        sentence=f"{named(entry.node)}{hosts}: {what}",
        place=at_gateway(key),
        evidence=(
            Evidence(Truth.CLAIMED, claims),
            Evidence(Truth.LOADED, "what its proxies hold is not known", is_unknown=True),
            served,
        ),
        at_stake=sent,
        actions=(
            Action("enter", "go to its proxies", f"kubectl -n {key.namespace} get pods"),
            Action("d", "send its traffic elsewhere", f"gwtui drain {key}"),
        ),
        about=frozenset({subject(key)}),
        affects=frozenset({subject(key), *map(subject, look.above(key)), *map(subject, entry.node.proxies)}),
        concerned=(subject(key), *map(subject, entry.node.proxies)),
        since=min(starts, default=None),
        grace_s=min(map(left_of_silence, entry.proxies), default=SILENT_S),
    )
