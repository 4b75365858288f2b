"""Which proxies to ask, from the snapshot alone."""

from __future__ import annotations

from gwtui.model.ids import ProxyKey
from gwtui.model.kubernetes import Pod
from gwtui.model.snapshot import ClusterView
from gwtui.ports import ProxyAddress

STATS_PORT = 9091
"""Where kgateway's proxies serve statistics when the pod does not say otherwise."""

ENDED = frozenset({"Succeeded", "Failed"})


def proxy_addresses(view: ClusterView | None) -> frozenset[ProxyAddress]:
    """Return the address of every proxy of the cluster's gateways whose pod has not ended.

    Only gateways of kgateway are asked: their proxies are Envoys that are set up the way we know.
    """
    if view is None:
        return frozenset()
    pods = view.objects.get("pods", {})
    found = set()
    for node in (node for node in view.topology.gateways if node.is_managed):
        for key in node.proxies:
            pod = pods.get((key.namespace, key.pod))
            if pod is not None and pod.status.phase not in ENDED:
                found.add(_address(key, pod))
    return frozenset(found)


def _address(key: ProxyKey, pod: Pod) -> ProxyAddress:
    port = pod.metadata.annotations.get("prometheus.io/port", "")
    return ProxyAddress(key=key, stats_port=int(port) if port.isdecimal() else STATS_PORT)
