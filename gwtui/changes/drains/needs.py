"""The objects a drain is drawn from: their newest content is read before."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.changes.drains.attaching import to_attach
from gwtui.changes.drains.leaving import gateway_of
from gwtui.changes.drains.peering import gateway_object
from gwtui.changes.drains.relief import grouped
from gwtui.changes.drains.senders import senders_of
from gwtui.changes.drains.taking import taker_of
from gwtui.changes.drains.wish import DrainWish, Shard, cluster_of
from gwtui.model.ids import ObjectKey
from gwtui.model.snapshot import ClusterView, Snapshot


def objects_needed(snapshot: Snapshot, wish: DrainWish) -> tuple[ObjectKey, ...]:
    """Return every object whose newest content is needed to draw up a drain, sorted.

    Args:
        snapshot: Everything known.
        wish: The drain.
    """
    view = snapshot.clusters.get(cluster_of(wish.target))
    return tuple(sorted(set(_needed(view, wish)))) if view is not None else ()


def _needed(view: ClusterView, wish: DrainWish) -> Iterator[ObjectKey]:
    node = view.gateway(wish.target.gateway) if isinstance(wish.target, Shard) else None
    if node is not None and node.is_peering:
        yield gateway_object(node.key)
        return
    senders = senders_of(view, wish.target)
    for sender in senders:
        yield sender.route
    if isinstance(wish.target, Shard):
        yield from grouped(view, wish.target.gateway, senders)
    gateway = gateway_of(view, wish.target)
    source = view.gateway(gateway) if gateway is not None else None
    taker = taker_of(view, wish)
    if source is not None and taker is not None and taker.node is not None:
        yield from to_attach(view, source, taker.node, senders).routes
