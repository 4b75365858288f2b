"""What is wrong with what we see or with how we see it, one line each: for stderr and exit codes."""

from __future__ import annotations

from typing import NamedTuple

from gwtui.model.health import ProxyState, SourceState
from gwtui.model.resources import GATEWAY_CLASSES, GATEWAYS
from gwtui.model.snapshot import ClusterView, Snapshot
from gwtui.views.stage import silent_api

ESSENTIAL = (GATEWAYS, GATEWAY_CLASSES)
"""Kinds without which there is nothing to show."""

TOLD_APART = 3
"""More refused kinds than this are one complaint."""

BROKEN = frozenset({SourceState.FORBIDDEN, SourceState.FAILED, SourceState.STALE})


class Complaint(NamedTuple):
    """One thing that is not as it should be."""

    cluster: str
    subject: str
    message: str
    hint: str

    def line(self) -> str:
        """The complaint as one line."""
        text = f"{self.cluster}: {self.subject}: {self.message}"
        return " ".join(f"{text}; {self.hint}".split()) if self.hint else " ".join(text.split())


def complaints(snapshot: Snapshot) -> tuple[Complaint, ...]:
    """Return everything wrong, clusters in order; within one: sources, then gateways, then proxies."""
    found: list[Complaint] = []
    for name in sorted(snapshot.clusters):
        view = snapshot.clusters[name]
        found += _of_sources(view)
        found += _of_gateways(view)
        found += _of_proxies(view, snapshot)
    return tuple(found)


def _of_sources(view: ClusterView) -> list[Complaint]:
    silent = silent_api(view)
    if silent is not None:
        return [Complaint(view.name, "api", silent.detail or "no answer yet", silent.hint)]
    missing = [kind for kind in ESSENTIAL if (h := view.sources.get(kind)) and h.state is SourceState.NOT_SERVED]
    found = []
    if missing:
        hint = "install the Gateway API CRDs, or choose another cluster with --context"
        found.append(Complaint(view.name, "Gateway API", f"the cluster does not serve {' and '.join(missing)}", hint))
    refused = [name for name, health in sorted(view.sources.items()) if health.state is SourceState.FORBIDDEN]
    if len(refused) > TOLD_APART:
        hint = "grant list and watch on them, or name the namespaces you may read with -n"
        found.append(Complaint(view.name, "rights", f"not allowed to read {', '.join(refused)}", hint))
    for source, health in sorted(view.sources.items()):
        if health.state in BROKEN and not (source in refused and len(refused) > TOLD_APART):
            found.append(Complaint(view.name, source, health.detail or health.state.value, health.hint))
        found += [
            Complaint(view.name, source, f"cannot be read: {each}", "see the object's YAML; the rest is unaffected")
            for each in health.undecodable
        ]
    return found


def _of_gateways(view: ClusterView) -> list[Complaint]:
    found = []
    for node in view.topology.gateways:
        subject = f"gateway {node.key}"
        hint = f"look at it: kubectl -n {node.key.namespace} describe gateway {node.key.name}"
        found += [Complaint(view.name, subject, problem, hint) for problem in node.problems]
    return found


def _of_proxies(view: ClusterView, snapshot: Snapshot) -> list[Complaint]:
    found = []
    for node in view.topology.gateways:
        for key in node.proxies:
            proxy = snapshot.proxies.get(key)
            if proxy is not None and proxy.state in (ProxyState.FAILING, ProxyState.FORBIDDEN):
                found.append(Complaint(view.name, f"proxy {key}", proxy.reason or proxy.state.value, proxy.hint))
    return found
