"""What is wrong with what we see or with how we see it, one line each: for stderr and exit codes."""

from __future__ import annotations

from typing import NamedTuple

from gwtui.model.health import ProxyState, SourceState
from gwtui.model.known import Unknown
from gwtui.model.resources import GATEWAY_CLASSES, GATEWAYS
from gwtui.model.snapshot import ClusterView, ProxyView, Snapshot
from gwtui.views.refusals import refused_resources, refused_words
from gwtui.views.stage import silent_api

ESSENTIAL = (GATEWAYS, GATEWAY_CLASSES)
"""Kinds without which there is nothing to show."""

TOLD_APART = 3
"""More refused kinds than this are one complaint."""

REFUSED_HINT = "the proxy's log tells why; correct what was changed last"

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
    """Return everything wrong, clusters in order; within one: sources, gateways, proxies, control plane."""
    found: list[Complaint] = []
    for name in sorted(snapshot.clusters):
        view = snapshot.clusters[name]
        found += _of_sources(view)
        found += _of_gateways(view)
        found += _of_proxies(view, snapshot)
        found += _of_controller(view, snapshot)
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
            if proxy is None:
                continue
            if proxy.state in (ProxyState.FAILING, ProxyState.FORBIDDEN):
                found.append(Complaint(view.name, f"proxy {key}", proxy.reason or proxy.state.value, proxy.hint))
            elif refused := _refused(proxy):
                found.append(Complaint(view.name, f"proxy {key}", refused, REFUSED_HINT))
    return found


def _refused(proxy: ProxyView) -> str:
    """What an answering proxy refuses, with its own words where it has any; empty when nothing tells that it does."""
    words = refused_words(proxy)
    if not words:
        return ""
    errors = "; ".join(f"{one.name}: {one.error}" for one in refused_resources(proxy))
    return f"refuses {words}: {errors}" if errors else f"refuses {words} and keeps what it had"


def _of_controller(view: ClusterView, snapshot: Snapshot) -> list[Complaint]:
    """What the control plane counts as refused, where no proxy was seen to refuse it."""
    if isinstance(view.refusals, Unknown):
        return []
    found = []
    for node in view.topology.gateways:
        kinds = view.refusals.value.get(node.key, ())
        proxies = [proxy for key in node.proxies if (proxy := snapshot.proxies.get(key))]
        if kinds and not any(map(refused_words, proxies)):
            told = f"its proxies refuse {', '.join(kinds)}, says the control plane"
            found.append(Complaint(view.name, f"gateway {node.key}", told, REFUSED_HINT))
    return found
