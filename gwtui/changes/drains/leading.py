"""Where a reference of a route or a Backend leads: to which gateways, if to any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gwtui.changes.documents import Backend, filters_of, target_of
from gwtui.changes.plan import Document
from gwtui.model.gateway_api import GATEWAY_API, BackendRef
from gwtui.model.ids import GatewayKey
from gwtui.model.kgateway import DELEGATION
from gwtui.model.relations.backends import Resolver
from gwtui.model.relations.inventory import Inventory
from gwtui.model.snapshot import ClusterView

Leaves = Callable[[Document], bool]
"""Whether a reference, as it is written in one object, leads to what is drained."""


class Leads:
    """Finds the gateways behind references of one cluster, followed through Backends.

    Args:
        view: The cluster.
    """

    def __init__(self, view: ClusterView) -> None:
        self.inventory = Inventory(view.name, view.objects, view.scopes)
        self._resolver = Resolver(
            inventory=self.inventory,
            gateways={
                (service.namespace, service.name): node.key
                for node in view.topology.gateways
                for service in node.services
            },
            addresses={
                address.value: key
                for key, gateway in self.inventory.gateways.items()
                for address in gateway.status.addresses
            },
        )

    def gateways(self, ref: Document, kind: str, namespace: str) -> frozenset[GatewayKey]:
        """Return the gateways a reference leads to, standbys included; usually one or none.

        Args:
            ref: The reference as it is written.
            kind: Of the object it stands in.
            namespace: Of that object.
        """
        found = self._resolver.resolve(kind, namespace, plain(target_of(ref, namespace)))
        return frozenset(each.target for each in found.destinations if isinstance(each.target, GatewayKey))

    def to(self, gateway: GatewayKey, kind: str, namespace: str) -> Leaves:
        """Return what tells whether a reference in an object of that kind and namespace leads to a gateway."""
        return lambda ref: not delegates(ref) and gateway in self.gateways(ref, kind, namespace)


def plain(target: Backend) -> BackendRef:
    """Return what a reference names as the console reads it."""
    return BackendRef(
        name=target.name, group=target.group, kind=target.kind, namespace=target.namespace, port=target.port or 0
    )


def delegates(ref: Document) -> bool:
    """Whether a reference hands the request on to other routes."""
    return (ref.get("group"), ref.get("kind")) in {(GATEWAY_API, "HTTPRoute"), (DELEGATION, "label")}


def mirrors_of(part: Document) -> Iterator[Document]:
    """Yield what the filters of a rule or of a backendRef copy requests to, as it is written."""
    for each in filters_of(part):
        if (ref := mirrored_by(each)) is not None:
            yield ref


def mirrored_by(filter_: Document) -> Document | None:
    """Return what a filter copies requests to; None for other filters."""
    mirror = filter_.get("requestMirror")
    ref = mirror.get("backendRef") if isinstance(mirror, dict) else None
    return ref if isinstance(ref, dict) else None


def any_leaves(refs: Iterable[Document], leaves: Leaves) -> bool:
    """Whether one of these references leads to what is drained."""
    return any(map(leaves, refs))
