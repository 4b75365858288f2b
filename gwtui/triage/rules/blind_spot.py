"""Something is not read, so that what is wrong with it cannot be told."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.model.health import SourceHealth, SourceState
from gwtui.model.snapshot import ClusterView
from gwtui.triage.finding import Action, Evidence, Finding, Severity, Truth, at_cluster
from gwtui.triage.look import Look, few
from gwtui.views import text
from gwtui.views.complaints import ESSENTIAL
from gwtui.views.stage import silent_api

ID = "blind-spot"

GRACE_S = 10.0
"""Seconds a source that was read may be broken: streams end and begin again."""

_WORDS = {
    SourceState.FORBIDDEN: "may not be read",
    SourceState.FAILED: "could not be read",
    SourceState.STALE: "are as they were when the stream broke",
}


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the clusters that do not answer, and the kinds of which nothing, or only the past, is known."""
    for view in look.clusters:
        api = silent_api(view)
        if api is not None:
            what = f"the API server does not answer: {api.detail or 'no answer yet'}"
            yield _finding(look, view, "api", what, {"api": api})
        else:
            unserved = {
                name: each
                for name, each in view.sources.items()
                if name in ESSENTIAL and each.state is SourceState.NOT_SERVED
            }
            if unserved:
                yield _finding(look, view, "not served", "the cluster does not serve the Gateway API", unserved)
            for state, words in _WORDS.items():
                found = {name: each for name, each in view.sources.items() if each.state is state}
                if found:
                    what = f"{few(sorted(name.partition('.')[0] for name in found))} {words}"
                    yield _finding(look, view, state.value, what, found)
        yield None


def _finding(look: Look, view: ClusterView, detail: str, what: str, sources: dict[str, SourceHealth]) -> Finding:
    is_stable = all(each.state in (SourceState.FORBIDDEN, SourceState.NOT_SERVED) for each in sources.values())
    is_a_right = all(each.state is SourceState.FORBIDDEN for each in sources.values())
    since = min(each.since for each in sources.values())
    return Finding(
        rule=ID,
        # A right that is missing is no incident: it was so yesterday.
        severity=Severity.INFO if is_a_right else Severity.WARNING,
        sentence=f"cluster {view.name}: {what}; what is wrong there is not known",
        place=at_cluster(view.name),
        detail=detail,
        evidence=(
            *(
                Evidence(Truth.CLAIMED, f"{name}: {each.detail or each.state.value}", each.since, is_unknown=True)
                for name, each in sorted(sources.items())[:4]
            ),
            Evidence(Truth.LOADED, f"what proxies say of themselves is read apart ({_asked(look, view)})", look.now),
        ),
        actions=(Action("enter", "see every source and what to grant", "gwtui doctor"),),
        since=since,
        grace_s=0.0 if is_stable else GRACE_S,
    )


def _asked(look: Look, view: ClusterView) -> str:
    own = [entry for entry in look.entries if entry.node.key.cluster == view.name]
    answering, whole = sum(each.answering for each in own), sum(len(each.proxies) for each in own)
    return f"{text.part_of(answering, whole)} answer"
