"""Proxies refuse the configuration they are sent, and run on what they had before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from gwtui.model.ids import ObjectKey
from gwtui.model.known import Known, Unknown
from gwtui.model.snapshot import ProxyView
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_gateway, subject
from gwtui.triage.look import Look, few, named
from gwtui.views import text
from gwtui.views.fleet import GatewayFigures
from gwtui.views.refusals import refused_resources, refused_since, refused_words

ID = "refused-config"

NAMED_ROUTES = 40
"""Routes of a gateway whose changes are looked through for what came before."""


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the gateways some of whose proxies refuse an update, by their own counters or the control plane's."""
    for entry in look.entries:
        refusing = [view for view in entry.heard if refused_words(view)]
        if refusing:
            yield _seen(look, entry, refusing)
        elif entry.refused:
            yield _told(look, entry)
        yield None


def _seen(look: Look, entry: GatewayFigures, refusing: Sequence[ProxyView]) -> Finding:
    whole = len(entry.proxies)
    who = (
        f"{text.part_of(len(refusing), whole)} proxies refuse" if whole > 1 else f"proxy {refusing[0].key.pod} refuses"
    )
    since = min((at for view in refusing if (at := refused_since(view)) is not None), default=None)
    said = [Evidence(Truth.LOADED, _words(view), view.answered_at) for view in refusing]
    taken = len(entry.heard) - len(refusing)
    if taken:
        said.append(Evidence(Truth.LOADED, f"{text.plural(taken, 'other proxy', 'other proxies')} took it", look.now))
    sentence = f"{named(entry.node)}: {who} {refused_words(refusing[0])} and runs on the configuration before"
    if len(refusing) > 1 or whole > 1:
        sentence = f"{named(entry.node)}: {who} {refused_words(refusing[0])} ({few([v.key.pod for v in refusing], 2)})"
    return _finding(entry, sentence, (*said, _controller(look, entry)), since=since)


def _told(look: Look, entry: GatewayFigures) -> Finding:
    """What the control plane counts alone: the proxies refused it before they were watched, or are not read."""
    kinds = ", ".join(entry.refused)
    counted = {view.key.pod: sum(each.rejected for each in view.services.values()) for view in entry.heard}
    suspects = [pod for pod, number in counted.items() if number]
    who = f" (most likely {few(suspects, 2)})" if suspects else ""
    sentence = f"{named(entry.node)}: its proxies refuse {kinds}, as the control plane counts{who}"
    if suspects:
        each = few([f"{pod} {counted[pod]}" for pod in suspects])
        words = f"refused since they started: {each}; whether they took a later one is not told"
    else:
        words = "no proxy that is read was seen to refuse anything since it is watched"
    held = Evidence(Truth.LOADED, words, is_unknown=True)
    return _finding(entry, sentence, (_controller(look, entry), held), since=None, confidence=0.7)


def _finding(
    entry: GatewayFigures,
    sentence: str,
    evidence: Sequence[Evidence],
    *,
    since: datetime | None,
    confidence: float = 1.0,
) -> Finding:
    key = entry.node.key
    rps = entry.traffic.rps
    at = rps.observed_at if isinstance(rps, Known) else None
    served = Evidence(Truth.SERVED, f"it serves {text.figure(rps, text.rps)} by older configuration", at, at is None)
    routes: tuple[ObjectKey, ...] = entry.node.routes[:NAMED_ROUTES]
    return Finding(
        rule=ID,
        severity=Severity.CRITICAL,
        sentence=sentence,
        place=at_gateway(key),
        evidence=(*evidence, served),
        at_stake=rps,
        actions=(Action("enter", "go to its proxies"),),
        confidence=confidence,
        about=frozenset({subject(key)}),
        affects=frozenset({subject(key), *map(subject, entry.node.proxies), *entry.node.routes}),
        concerned=(subject(key), *routes),
        since=since,
    )


def _words(view: ProxyView) -> str:
    errors = "; ".join(f"{one.name}: {one.error}" for one in refused_resources(view))
    since = refused_since(view)
    when = f" since {text.clock(since)}" if since is not None else ""
    return f"{view.key.pod} refuses {refused_words(view)}{when}{': ' if errors else ', it does not say why'}{errors}"


def _controller(look: Look, entry: GatewayFigures) -> Evidence:
    told = look.view(entry.node.key.cluster).refusals
    if isinstance(told, Unknown):
        return Evidence(Truth.CLAIMED, f"what the control plane counts is not known: {told.reason}", is_unknown=True)
    kinds = ", ".join(entry.refused)
    words = f"the control plane counts refusals of {kinds}" if kinds else "the control plane counts no refusal"
    return Evidence(Truth.CLAIMED, words, told.observed_at)
