"""Who takes over what is drained, and the reference by which a rule sends to it."""

from __future__ import annotations

from dataclasses import dataclass

from gwtui.changes.documents import target_of
from gwtui.changes.drains.leading import Leads
from gwtui.changes.drains.wish import Backend, DrainWish, Moved, Shard
from gwtui.changes.plan import Document
from gwtui.model.ids import GatewayKey, NamespacedName
from gwtui.model.shape import GatewayNode
from gwtui.model.snapshot import ClusterView

_PLACE = frozenset({"group", "kind", "namespace", "name", "port", "weight"})
"""Fields of a backendRef that say where it sends to, and how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taker:
    """Who takes over."""

    label: str
    """`<namespace>/<name>` as it was asked for."""
    node: GatewayNode | None
    """None where it is no gateway."""
    services: tuple[NamespacedName, ...]

    @property
    def gateways(self) -> tuple[GatewayKey, ...]:
        """The gateway it is, if it is one."""
        return (self.node.key,) if self.node is not None else ()


def taker_of(view: ClusterView, wish: DrainWish) -> Taker | None:
    """Return who takes over; None when nobody of that name is known, or nobody was asked for."""
    label = full_name(wish.to, wish)
    if not label:
        return None
    is_backend = isinstance(wish.target, Backend)
    for node in view.topology.gateways:
        services = tuple((each.namespace, each.name) for each in node.services)
        if str(node.key) == label or (is_backend and label in {"/".join(each) for each in services}):
            return Taker(label=label, node=node, services=services)
    namespace, _, name = label.partition("/")
    if is_backend and (namespace, name) in Leads(view).inventory.services:
        return Taker(label=label, node=None, services=((namespace, name),))
    return None


def full_name(to: str, wish: DrainWish) -> str:
    """Return `<namespace>/<name>` of who is to take over; a bare name is one beside what is drained."""
    if not to or "/" in to:
        return to
    match wish.target:
        case Shard(gateway=key) | Moved(source=key):
            return f"{key.namespace}/{to}"
        case Backend(backend=backend):
            return f"{backend.partition('/')[0]}/{to}"
        case _:
            return to


def is_taker(leads: Leads, taker: Taker, ref: Document, kind: str, namespace: str) -> bool:
    """Whether a reference leads to who takes over.

    Args:
        leads: Where references lead.
        taker: Who takes over.
        ref: The reference as it is written.
        kind: Of the route.
        namespace: Of the route.
    """
    if taker.node is not None:
        return taker.node.key in leads.gateways(ref, kind, namespace)
    target = target_of(ref, namespace)
    return (target.group, target.kind, target.label) == ("", "Service", taker.label)


def ref_to(leads: Leads, taker: Taker, leaving: Document, namespace: str) -> Document | None:
    """Return the backendRef of who takes over, without a weight; None where it is not clear which port that would be.

    What is done to requests on their way to what is drained is done on the way to the other as well.

    Args:
        leads: Where references lead.
        taker: Who takes over.
        leaving: The backendRef that it stands in for.
        namespace: Of the route.
    """
    wanted = target_of(leaving, namespace).port
    ports = {
        name: [each.port for each in service.spec.ports]
        for name in taker.services
        if (service := leads.inventory.services.get(name)) is not None
    }
    found = next(((name, wanted) for name, offered in ports.items() if wanted in offered), None)
    found = found or next(((name, offered[0]) for name, offered in ports.items() if len(offered) == 1), None)
    if found is None:
        return None
    (space, name), port = found
    place: Document = {"name": name, **({"namespace": space} if space != namespace else {}), "port": port}
    return {**place, **{field: part for field, part in leaving.items() if field not in _PLACE}}
