"""The dialogs there are, by what they show. Loaded when the first of them is opened."""

from __future__ import annotations

from gwtui.model.ids import ExternalKey, ObjectKey, ProxyKey
from gwtui.tui.screens.reading import DetailScreen, LiveReadingScreen
from gwtui.views import pattern_detail as patterns
from gwtui.views import proxy_detail as proxies
from gwtui.views import sources as known
from gwtui.views import workload_detail as workloads
from gwtui.views.map_ends import host_words
from gwtui.views.proxies import PODS


def sources() -> LiveReadingScreen:
    """How do we know."""
    return LiveReadingScreen(" Sources: how do we know ", lambda scene, _: known.sources(scene))


def proxy(key: ProxyKey) -> DetailScreen:
    """Every figure of one proxy."""
    pod = ObjectKey(key.cluster, PODS, key.namespace, key.pod)
    return DetailScreen(f" {key} ", lambda scene, cells: proxies.proxy_detail(scene, key, cells=cells), pod)


def workload(cluster: str, namespace: str) -> LiveReadingScreen:
    """The Services of one namespace."""
    return LiveReadingScreen(
        f" namespace {namespace} · {cluster} ",
        lambda scene, cells: workloads.workload_detail(scene, cluster, namespace, cells=cells),
    )


def outside(key: ExternalKey) -> LiveReadingScreen:
    """Who sends to a host outside the cluster."""
    return LiveReadingScreen(
        f" {host_words(key.host)} · outside {key.cluster} ",
        lambda scene, cells: workloads.outside_detail(scene, key, cells=cells),
    )


def pattern() -> LiveReadingScreen:
    """What proves the pattern, and what is missing."""
    return LiveReadingScreen(" Pattern: why the map says so ", lambda scene, _: patterns.pattern_detail(scene))
