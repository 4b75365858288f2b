"""What is drained, as references name it."""

from __future__ import annotations

from collections.abc import Collection

from gwtui.changes.documents import namespace_of, target_of
from gwtui.changes.drains.leading import Leads, Leaves, delegates
from gwtui.changes.drains.wish import Backend, Moved, OneProxy, Shard, Target
from gwtui.changes.plan import Document
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.kgateway import KGATEWAY
from gwtui.model.snapshot import ClusterView


def gateway_of(view: ClusterView, target: Target) -> GatewayKey | None:
    """Return the gateway that requests are kept from; None where a backend is none, and for one proxy."""
    match target:
        case Shard(gateway=key) | Moved(source=key):
            return key
        case Backend(backend=backend):
            nodes = view.topology.gateways
            return next((node.key for node in nodes if backend in {str(each) for each in node.services}), None)
        case OneProxy():
            return None


def leaves_in(leads: Leads, target: Target, route: Document, relieved: Collection[ObjectKey]) -> Leaves:
    """Return what tells whether a reference of a route leads to what is drained.

    Args:
        leads: Where references lead.
        target: What is drained.
        route: The route.
        relieved: Backends that lead elsewhere once the drain is over: references to them stay.
    """
    kind, namespace = str(route.get("kind")), namespace_of(route)
    match target:
        case Backend(backend=backend):
            return lambda ref: not delegates(ref) and target_of(ref, namespace).label == backend
        case Shard(gateway=gateway) | Moved(source=gateway):
            leaves = leads.to(gateway, kind, namespace)
            kept = {(each.namespace, each.name) for each in relieved}
            return lambda ref: leaves(ref) and not _is_one_of(ref, namespace, kept)
        case OneProxy():
            return lambda _: False


def _is_one_of(ref: Document, namespace: str, backends: Collection[tuple[str, str]]) -> bool:
    target = target_of(ref, namespace)
    return (target.group, target.kind) == (KGATEWAY, "Backend") and (target.namespace, target.name) in backends
