"""Draws up a drain: by which way, in which stages, until what is silent, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from gwtui.changes.drains.outline import Outline
from gwtui.changes.drains.peering import draw_cluster
from gwtui.changes.drains.proxied import draw_proxy
from gwtui.changes.drains.weighted import WeightedDrain
from gwtui.changes.drains.wish import Backend, DrainWish, Moved, OneProxy, Shard, Target, cluster_of
from gwtui.changes.journal import Change
from gwtui.changes.plan import Document, Drain, DrainKind, Owner, Refusal
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.snapshot import ClusterView, Snapshot

_NOBODY: Mapping[ObjectKey, tuple[Owner, ...]] = {}


def draw_up(
    snapshot: Snapshot,
    wish: DrainWish,
    documents: Mapping[ObjectKey, Document],
    changes: Sequence[Change] = (),
    *,
    now: datetime,
    owners: Mapping[ObjectKey, tuple[Owner, ...]] = _NOBODY,
) -> Outline:
    """Return what a drain comes to. What speaks against it is told in the outline, never raised.

    Args:
        snapshot: Everything known.
        wish: What is asked for.
        documents: The present objects of `needs.objects_needed`, as `documents.draft_of` makes them.
        changes: What our journal tells, oldest first.
        now: The time.
        owners: Who else writes the objects, from their whole content.
    """
    view = snapshot.clusters.get(cluster_of(wish.target))
    if view is None:
        way = "`gwtui doctor` tells why"
        return _refused(
            wish, Refusal(code="stale", text=f"nothing is known of cluster {cluster_of(wish.target)}", safe_way=way)
        )
    node = view.gateway(key) if (key := _gateway(view, wish.target)) is not None else None
    if node is None and not isinstance(wish.target, Backend):
        text = f"{wish.target} is not there any more, or belongs to no gateway"
        return _refused(wish, Refusal(code="gone", text=text, safe_way="`gwtui snapshot` lists what there is"))
    if isinstance(wish.target, OneProxy) and node is not None:
        return draw_proxy(snapshot, view, node, wish, changes=changes, now=now)
    if isinstance(wish.target, Shard) and node is not None and node.is_peering:
        return draw_cluster(node, wish, documents, changes, now=now, owners=owners)
    return WeightedDrain(snapshot, view, wish, documents).outline(changes, owners, now)


def _gateway(view: ClusterView, target: Target) -> GatewayKey | None:
    """The gateway that has to be there for a target."""
    match target:
        case Shard(gateway=key) | Moved(source=key):
            return key
        case OneProxy(proxy=proxy):
            return next((node.key for node in view.topology.gateways if proxy in node.proxies), None)
        case Backend():
            return None


def _refused(wish: DrainWish, refusal: Refusal) -> Outline:
    match wish.target:
        case Shard(gateway=gateway) | Moved(source=gateway):
            kind = DrainKind.SHARD
        case OneProxy(proxy=proxy):
            kind, gateway = DrainKind.PROXY, GatewayKey(proxy.cluster, proxy.namespace, "")
        case Backend(route=route):
            kind, gateway = DrainKind.BACKEND, GatewayKey(route.cluster, route.namespace, "")
    drain = Drain(kind=kind, target=str(wish.target), gateway=gateway, to=wish.to)
    return Outline(title=f"drain {wish.target}", drain=drain, refusals=(refusal,))
