"""Whether pods are there: what is not seen is gone only where everything was listed."""

from __future__ import annotations

from gwtui.model.health import SourceState
from gwtui.model.ids import ProxyKey
from gwtui.model.resources import PODS
from gwtui.model.snapshot import ClusterView, Snapshot


def are_listed(view: ClusterView, namespace: str) -> bool:
    """Whether the pods of a namespace were listed, and are followed."""
    listed = (view.sources.get(name) for name in (PODS, f"{PODS}@{namespace}"))
    return any(health is not None and health.state is SourceState.READY for health in listed)


def is_gone(snapshot: Snapshot, proxy: ProxyKey) -> bool:
    """Whether the pods of its namespace were listed, and it is not among them."""
    view = snapshot.clusters.get(proxy.cluster)
    if view is None or (proxy.namespace, proxy.pod) in view.objects.get(PODS, {}):
        return False
    return are_listed(view, proxy.namespace)
