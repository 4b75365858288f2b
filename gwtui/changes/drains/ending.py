"""What has to fall silent before something counts as empty: both ends of every edge that leads to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from gwtui.changes.drains.senders import hops_to, is_moved
from gwtui.changes.drains.wish import Backend, Moved, OneProxy, Shard, Target
from gwtui.changes.plan import Caution, End
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.names import backend_cluster
from gwtui.model.observed import is_backend
from gwtui.model.shape import Hop, RouteShare
from gwtui.model.snapshot import ClusterView


class Ends(NamedTuple):
    """What counts, and what is to be said of that."""

    ends: tuple[End, ...]
    cautions: tuple[Caution, ...] = ()


def ends_of(view: ClusterView, target: Target, gateway: GatewayKey) -> Ends:
    """Return the ends that must be silent.

    Args:
        view: The cluster.
        target: What is drained.
        gateway: The gateway it belongs to.
    """
    match target:
        case OneProxy(proxy=proxy):
            return Ends((End(gateway=gateway, pod=proxy.pod),))
        case Shard(gateway=shard):
            return _of_shard(view, shard)
        case Backend():
            hops = [hop for hop in view.topology.hops if any(share.route == target.route for share in hop.shares)]
            return _apart(
                view,
                {hop.source for hop in hops},
                lambda hop, share: share.route == target.route and _is_backend(view, hop, share, target.backend),
            )
        case Moved(source=source):
            return _apart(view, {source}, lambda _, share: _is_of_moved(target, share))


def _of_shard(view: ClusterView, shard: GatewayKey) -> Ends:
    clusters: dict[GatewayKey, set[str]] = {}
    for hop in hops_to(view, shard):
        clusters.setdefault(hop.source, set()).update(hop.envoy_clusters)
    ends = [End(gateway=source, clusters=tuple(sorted(names))) for source, names in sorted(clusters.items()) if names]
    silent = [source for source, names in sorted(clusters.items()) if not names]
    cautions = [
        Caution(code="unseen-end", text=f"what {source} sends to {shard} is not counted there: it is no Envoy we read")
        for source in silent
    ]
    return Ends((*ends, End(gateway=shard)), tuple(cautions))


def _apart(view: ClusterView, sources: Iterable[GatewayKey], is_left: Callable[[Hop, RouteShare], bool]) -> Ends:
    """The Envoy clusters of some gateways that are used by what is left alone."""
    ends: list[End] = []
    cautions: list[Caution] = []
    for source in sorted(set(sources)):
        own: set[str] = set()
        others: dict[str, ObjectKey] = {}
        for hop in view.topology.hops:
            for share in hop.shares if hop.source == source else ():
                if is_left(hop, share):
                    own.add(share.cluster)
                else:
                    others.setdefault(share.cluster, share.route)
        alone = sorted(own - others.keys() - {""})
        if alone:
            ends.append(End(gateway=source, clusters=tuple(alone)))
        for cluster in sorted(own & others.keys() - {""}):
            user = others[cluster]
            text = f"{source} sends to {cluster} for {user.namespace}/{user.name} too: it does not get empty"
            cautions.append(Caution(code="shared-upstream", text=text))
    return Ends(tuple(ends), tuple(cautions))


def _is_backend(view: ClusterView, hop: Hop, share: RouteShare, backend: str) -> bool:
    namespace, _, name = backend.partition("/")
    return is_backend(view, hop, backend) or share.cluster == backend_cluster(namespace, name)


def _is_of_moved(target: Moved, share: RouteShare) -> bool:
    return all(is_moved(target, share.route, host) for host in share.hostnames or ("",))
