"""A listener is for hostnames that no certificate of its proxies covers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from gwtui.explain.precedence import takes_host
from gwtui.explain.virtual_hosts import places_of
from gwtui.model.gateway_api import Listener
from gwtui.model.known import Known
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_gateway, subject
from gwtui.triage.look import Look, few, named
from gwtui.triage.objects import changed_at, is_settled, served
from gwtui.triage.taking import is_pending
from gwtui.views.fleet import GatewayFigures

ID = "certificate-mismatch"

LISTED_S = 1.0
"""Seconds after a change of the Gateway from which on a list of certificates shows what it led to."""

GRACE_S = 2.0


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the TLS listeners with a hostname that is in none of the certificates their proxies hold."""
    for entry in look.entries:
        if any(protocol in ("HTTPS", "TLS") for _, _, protocol in entry.node.listeners):
            yield from _of(look, entry)
        yield None


def _of(look: Look, entry: GatewayFigures) -> Iterator[Finding]:
    gateway = look.gateway(entry.node.key)
    if gateway is None or not is_settled(look, gateway.metadata) or any(map(is_pending, entry.heard)):
        return
    names = _held(entry, changed_at(gateway.metadata))
    if not names:
        return
    for place in places_of(look.inventory(look.view(entry.node.key.cluster)), entry.node.key):
        each = place.listener
        if each.tls is None or each.tls.mode != "Terminate" or not each.tls.certificate_refs or not each.hostname:
            continue
        if not any(_covers(name, each.hostname) for name in names):
            yield _finding(entry, each, names)


def _held(entry: GatewayFigures, changed: datetime | None) -> tuple[str, ...]:
    """Every name in the certificates that its proxies hold; none where some of them did not list theirs since."""
    found: dict[str, None] = {}
    for view in entry.heard:
        held = view.inspection.certificates if view.inspection is not None else None
        if not isinstance(held, Known):
            return ()
        if changed is not None and (held.observed_at - changed).total_seconds() < LISTED_S:
            return ()
        found.update(dict.fromkeys(name for one in held.value if not one.is_authority for name in one.names))
    return tuple(found)


def _covers(name: str, host: str) -> bool:
    """Whether a name of a certificate is good for a hostname of a listener: a wildcard stands for one label."""
    if name == host:
        return True
    if not name.startswith("*."):
        return host.startswith("*.") and takes_host(host, name)
    return host.partition(".")[2] == name[2:]


def _finding(entry: GatewayFigures, listener: Listener, names: Iterable[str]) -> Finding:
    assert listener.tls is not None  # noqa: S101 - how it was chosen
    key = entry.node.key
    refs = few([f"{ref.namespace or key.namespace}/{ref.name}" for ref in listener.tls.certificate_refs])
    taken = [view.inspection.taken_at for view in entry.heard if view.inspection is not None]
    held = few(list(names))
    return Finding(
        rule=ID,
        severity=Severity.CRITICAL,
        sentence=(
            f"{named(entry.node)}: listener {listener.name} is for {listener.hostname}, "
            f"which no certificate of its proxies covers ({held})"
        ),
        place=at_gateway(key),
        detail=listener.name,
        evidence=(
            Evidence(Truth.INTENDED, f"listener {listener.name}: hostname {listener.hostname}, certificates {refs}"),
            Evidence(Truth.LOADED, f"the proxies hold certificates for {held}", min(taken, default=None)),
            served(entry.traffic.rps, "the gateway, all listeners together,"),
        ),
        at_stake=entry.traffic.rps,
        actions=(Action("enter", "go to its proxies and their certificates"), Action("y", "show the Gateway")),
        confidence=0.7,
        about=frozenset({subject(key)}),
        affects=frozenset({subject(key)}),
        concerned=(subject(key),),
        grace_s=GRACE_S,
    )
