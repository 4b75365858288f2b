"""Two listeners of a Gateway want the same: neither, or only one of them, is in force."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gwtui.explain.virtual_hosts import places_of
from gwtui.model.kubernetes import Condition
from gwtui.model.relations.conditions import BAD_WHEN_TRUE
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_gateway, subject
from gwtui.triage.look import Look, few, named
from gwtui.triage.objects import claimed, is_settled, served, since_of
from gwtui.views.fleet import GatewayFigures

ID = "listener-conflict"

CONFLICTS = frozenset({"Conflicted", "kgateway.dev/Conflicted"}) & BAD_WHEN_TRUE

GRACE_S = 3.0


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the listeners whose controller says that they conflict, and those that do by their own words."""
    for entry in look.entries:
        yield from _of(look, entry)
        yield None


def _of(look: Look, entry: GatewayFigures) -> Iterator[Finding]:
    gateway = look.gateway(entry.node.key)
    if gateway is None or not is_settled(look, gateway.metadata):
        return
    said: dict[str, list[Condition]] = {}
    for status in gateway.status.listeners:
        bad = [each for each in status.conditions if each.type in CONFLICTS and each.status == "True"]
        if bad:
            said[status.name] = bad
    if said:
        conditions = [each for bad in said.values() for each in bad]
        reasons = few(list(dict.fromkeys(each.reason for each in conditions)))
        evidence = [claimed(f"listener {name}", each) for name, bad in said.items() for each in bad]
        yield _finding(entry, list(said), f"conflict ({reasons})", evidence, since_of(conditions))
        return
    wanted: dict[tuple[int, str, str], list[str]] = {}
    for place in places_of(look.inventory(look.view(entry.node.key.cluster)), entry.node.key):
        each = place.listener
        wanted.setdefault((each.port, each.protocol, each.hostname), []).append(each.name)
    for (port, protocol, host), names in wanted.items():
        if len(names) > 1 and port:
            told = [
                Evidence(Truth.INTENDED, f"listeners {few(names)} ask for port {port} {protocol} {host or 'any host'}"),
                Evidence(Truth.CLAIMED, "no status says that they conflict"),
            ]
            what = f"ask for the same port {port}, protocol and hostname"
            yield _finding(entry, names, what, told, None)


def _finding(
    entry: GatewayFigures, names: list[str], what: str, evidence: list[Evidence], since: datetime | None
) -> Finding:
    key = entry.node.key
    listeners = f"listener {names[0]} is in" if len(names) == 1 else f"listeners {few(names)}"
    them = "it" if len(names) == 1 else "them"
    return Finding(
        rule=ID,
        severity=Severity.CRITICAL,
        sentence=f"{named(entry.node)}: {listeners} {what}: requests meant for {them} get no answer, or another's",
        place=at_gateway(key),
        detail=" ".join(sorted(names)),
        evidence=(
            *evidence,
            Evidence(Truth.LOADED, "which of them the proxies listen for: see their listeners", is_unknown=True),
            served(entry.traffic.rps, "the gateway"),
        ),
        at_stake=entry.traffic.rps,
        actions=(Action("enter", "go to its proxies"), Action("y", "show the Gateway")),
        about=frozenset({subject(key)}),
        affects=frozenset({subject(key), *entry.node.routes}),
        concerned=(subject(key),),
        since=since,
        grace_s=GRACE_S,
    )
