"""A proxy differs from its siblings, although they should be equal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gwtui.model.comparison import Aspect, Oddity
from gwtui.model.ids import ProxyKey
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_proxy, subject
from gwtui.triage.look import Look, named
from gwtui.triage.objects import at
from gwtui.triage.taking import is_pending
from gwtui.views import text
from gwtui.views.fleet import GatewayFigures
from gwtui.views.replicas import odd_words

ID = "odd-replica"

GRACE_S = 5.0
"""Seconds replicas may differ: they take a change one after the other, and are inspected one after the other."""

ERRING_S = 10.0
"""Seconds for which one proxy must err more than the others: a restart behind it hits one at first."""

ROLLING_S = 60.0
"""Seconds for which versions may differ after the last replica came: a rolling update takes its time."""


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the proxies that differ in version, configuration, certificates or errors."""
    for entry in look.entries:
        if entry.noted and not look.is_settling(entry.node.key) and not any(map(is_pending, entry.heard)):
            for key, noted in entry.noted.items():
                odd = [each for each in noted.odd if _is_told(entry, key, each)]
                if odd:
                    yield _finding(look, entry, key, odd)
        yield None


def _is_told(entry: GatewayFigures, key: ProxyKey, oddity: Oddity) -> bool:
    """Where nobody can tell which is right, all are odd: it is told of the first."""
    return oddity.is_minority or key == min(
        each for each, noted in entry.noted.items() if oddity.aspect in _of(noted.odd)
    )


def _of(odd: tuple[Oddity, ...]) -> set[Aspect]:
    return {each.aspect for each in odd}


def _finding(look: Look, entry: GatewayFigures, key: ProxyKey, odd: list[Oddity]) -> Finding:
    view = next(each for each in entry.proxies if each.key == key)
    words = odd_words(odd)
    is_rolling = all(each.aspect is Aspect.VERSION for each in odd)
    errs = any(each.aspect is Aspect.ERRORS for each in odd)
    inspected = view.inspection.taken_at if view.inspection is not None else None
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        sentence=f"{named(entry.node)}: proxy {key.pod} differs from its siblings: {words}",
        place=at_proxy(key),
        evidence=(
            Evidence(Truth.LOADED, words, view.answered_at if errs else inspected),
            Evidence(Truth.SERVED, f"it serves {text.figure(view.traffic.rps, text.rps)}", view.answered_at),
        ),
        at_stake=view.current.rps,
        actions=(
            Action("enter", "go to the proxy"),
            Action("d", "take everything away from it", f"gwtui drain {key.namespace}/{key.pod}"),
        ),
        confidence=0.9 if all(each.is_minority for each in odd) else 0.6,
        about=frozenset({subject(key), subject(entry.node.key)}),
        affects=frozenset({subject(key), subject(entry.node.key)}),
        concerned=(subject(key), subject(entry.node.key), *entry.node.routes[:40]),
        since=_youngest(look, entry) if is_rolling else None,
        grace_s=ROLLING_S if is_rolling else ERRING_S if all(each.aspect is Aspect.ERRORS for each in odd) else GRACE_S,
    )


def _youngest(look: Look, entry: GatewayFigures) -> datetime | None:
    """When the newest of its pods was made."""
    pods = [pod for view in entry.proxies if (pod := look.pod(view.key)) is not None]
    return max((born for pod in pods if (born := at(pod.metadata.creation_timestamp)) is not None), default=None)
