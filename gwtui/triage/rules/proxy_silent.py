"""A proxy does not answer, does not become ready, or is restarted again and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gwtui.model.health import ProxyState
from gwtui.model.snapshot import ProxyView
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_proxy, subject
from gwtui.triage.look import Look, named
from gwtui.views import judge, text
from gwtui.views.fleet import GatewayFigures

ID = "proxy-silent"

SILENT_S = 4.0
"""Seconds since its last answer that a proxy must be silent: one lost answer is none."""

NOT_READY_S = 5.0
"""Seconds that a pod may be unready which was ready before, or was started long ago."""


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the proxies that are silent or not ready, but for those that have just come or are told to end."""
    for entry in look.entries:
        for view in entry.proxies:
            if look.is_leaving(view.key) or is_starting(look, view):
                continue
            silence = _of(look, view)
            if silence is not None:
                yield _finding(look, entry, view, silence)
        yield None


class _Silence(NamedTuple):
    what: str
    severity: Severity = Severity.WARNING
    grace_s: float = NOT_READY_S


def _of(look: Look, view: ProxyView) -> _Silence | None:
    pod = look.pod(view.key)
    restarts = sum(each.restart_count for each in pod.status.container_statuses) if pod is not None else 0
    again = f", restarted {text.plural(restarts, 'time')}" if restarts else ""
    if view.state is ProxyState.FORBIDDEN:
        return _Silence(f"may not be asked: {view.reason}", Severity.INFO, 0.0)
    if view.state is ProxyState.FAILING:
        # One that hangs is asked for some seconds before that is known: they count.
        return _Silence(f"does not answer: {view.reason}{again}", grace_s=left_of_silence(view))
    if view.state is ProxyState.INITIALIZING:
        return _Silence(f"waits for its first configuration{again}")
    if view.answered_at is not None and not judge.is_answering(view, look.now):
        return _Silence(f"did not answer for {text.age_of(view.answered_at, look.now)}", grace_s=0.0)
    if pod is not None and pod.status.conditions and not pod.is_ready:
        return _Silence(f"is not ready{again}")
    return None


def is_starting(look: Look, view: ProxyView) -> bool:
    """Whether a proxy has just come and is not there yet. One that answered as it should before is silent."""
    is_lost = view.state is ProxyState.FAILING and view.answered_at is not None
    return look.is_new(view.key) and not is_lost


def left_of_silence(view: ProxyView) -> float:
    """How long after it began to fail a proxy is silent for long enough, in seconds."""
    if view.failing_since is None or view.answered_at is None:
        return SILENT_S
    return max(0.0, SILENT_S - (view.failing_since - view.answered_at).total_seconds())


def _finding(look: Look, entry: GatewayFigures, view: ProxyView, silence: _Silence) -> Finding:
    pod = look.pod(view.key)
    key = entry.node.key
    others = f"{text.part_of(entry.answering, len(entry.proxies))} proxies answer"
    if pod is None:
        claimed = Evidence(Truth.CLAIMED, "its pod was not read", is_unknown=True)
    else:
        ready = "ready" if pod.is_ready else "not ready"
        claimed = Evidence(Truth.CLAIMED, f"its pod is {pod.status.phase} and {ready}, says the kubelet", look.now)
    last = text.age_of(view.answered_at, look.now)
    loaded = f"what it holds is not known: last answer {last} ago" if view.answered_at else "it never answered"
    return Finding(
        rule=ID,
        severity=silence.severity,
        sentence=f"{named(entry.node)}: proxy {view.key.pod} {silence.what} ({others})",
        place=at_proxy(view.key),
        evidence=(
            claimed,
            Evidence(Truth.LOADED, loaded, is_unknown=True),
            Evidence(Truth.SERVED, "what it serves is not known while it is silent", is_unknown=True)
            if not view.is_answering
            else Evidence(Truth.SERVED, f"it serves {text.figure(view.traffic.rps, text.rps)}", view.answered_at),
        ),
        at_stake=view.current.rps,
        actions=(
            Action("enter", "go to the proxy", f"kubectl -n {view.key.namespace} describe pod {view.key.pod}"),
            Action("d", "take everything away from it", f"gwtui drain {view.key.namespace}/{view.key.pod}"),
        ),
        about=frozenset({subject(view.key), subject(key)}),
        affects=frozenset({subject(view.key), subject(key), *map(subject, look.above(key))}),
        concerned=(subject(view.key), subject(key)),
        since=view.failing_since,
        grace_s=silence.grace_s,
    )
