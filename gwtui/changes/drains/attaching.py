"""The routes of what is drained that who takes over has to serve first, and how they are attached there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from gwtui.changes.copying import copied
from gwtui.changes.documents import namespace_of, parents_of
from gwtui.changes.drains.senders import Sender
from gwtui.changes.drains.serving import Serving, fits, parents_at
from gwtui.changes.plan import Document
from gwtui.changes.projection import decoded
from gwtui.explain.matching import covers
from gwtui.explain.virtual_hosts import VirtualHosts, hosts_of, places_of
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.relations.inventory import Inventory
from gwtui.model.shape import GatewayNode
from gwtui.model.snapshot import ClusterView


class Needed(NamedTuple):
    """What has to be served before requests are sent there."""

    routes: tuple[ObjectKey, ...]
    """Those to attach, sorted."""
    elsewhere: Mapping[str, tuple[ObjectKey, ...]]
    """Hostnames that other routes serve there already, with the routes of what is drained that serve them now."""


def to_attach(
    view: ClusterView,
    source: GatewayNode,
    taker: GatewayNode,
    senders: Iterable[Sender],
    standbys: Iterable[Sender] = (),
) -> Needed:
    """Return which routes of one gateway another has to serve before it gets what these senders send.

    Args:
        view: The cluster.
        source: The gateway that is left.
        taker: The one that takes over.
        senders: The routes whose requests it is to get.
        standbys: Those that name it already, at weight 0: somebody prepared it, so that hostnames it serves are served.
    """
    here, there = Serving(view, source), Serving(view, taker)
    routes: set[ObjectKey] = set()
    elsewhere: dict[str, set[ObjectKey]] = {}
    for sender, is_standby in (*((each, False) for each in senders), *((each, True) for each in standbys)):
        theirs = there.of(sender.hostnames) if is_standby else {}
        known = {host for hosts in theirs.values() for host in hosts}
        for key, hosts in here.of(sender.hostnames).items():
            if key in taker.routes or not fits(sender.route, key):
                continue
            if hosts - known:
                routes.add(key)
            for host in hosts & known:
                elsewhere.setdefault(host, set()).add(key)
    return Needed(
        tuple(sorted(routes)),
        {host: tuple(sorted(left)) for host, keys in sorted(elsewhere.items()) if (left := keys - routes)},
    )


def attached(inventory: Inventory, document: Document, source: GatewayKey, taker: GatewayKey) -> Document:
    """Return a route that is attached to the one that takes over as it is to what is drained.

    Raises:
        UsageError: the document is no route.
    """
    namespace = namespace_of(document)
    positions = parents_at(inventory, source, namespace, decoded(document).spec.parent_refs)
    own = parents_of(document)
    added: list[Document] = []
    for position in positions:
        ref = _ref_to(inventory, own[position], namespace, taker)
        if ref not in added:
            added.append(ref)
    if not added:
        return document  # it is not attached to what is drained any more
    document = copied(document)
    document["spec"]["parentRefs"] = [*document["spec"]["parentRefs"], *added]
    return document


def is_taken(inventory: Inventory, document: Document, taker: GatewayKey) -> bool:
    """Whether listeners of a gateway take a route that names it: its kind, its namespace and its hostnames."""
    route, namespace = decoded(document), namespace_of(document)
    refs = route.spec.parent_refs
    here = [refs[each] for each in parents_at(inventory, taker, namespace, refs)]
    return bool(hosts_of(inventory, taker, namespace, route, here))


def shadowed(view: ClusterView, taker: GatewayKey, routes: Iterable[ObjectKey]) -> Iterator[tuple[ObjectKey, str]]:
    """Yield the routes that get nothing of a hostname on a gateway, because others take all of it first.

    Args:
        view: The cluster as it will be.
        taker: The gateway.
        routes: The routes that come to it.
    """
    node = view.gateway(taker)
    hosts = VirtualHosts(Inventory(view.name, view.objects, view.scopes), [node] if node is not None else [])
    wanted = frozenset(routes)
    for place in hosts.of(wanted):
        found = hosts.candidates(place)
        served: set[ObjectKey] = set()
        named: set[ObjectKey] = set()
        for position, each in enumerate(found):
            own = wanted.intersection(link.key for link in each.chain)
            named |= own
            if own - served and not any(covers(other.match, each.match) for other in found[:position]):
                served |= own
        for key in sorted(named - served):
            yield key, place.host


def _ref_to(inventory: Inventory, ref: Document, namespace: str, taker: GatewayKey) -> Document:
    """A parentRef that names another gateway; listeners are named where it has one like that."""
    places = [each for each in places_of(inventory, taker) if each.owner_kind == "Gateway"]
    kept = {name: part for name, part in ref.items() if name not in {"name", "namespace", "sectionName", "port"}}
    if kept.get("kind", "Gateway") != "Gateway":
        kept = {}  # a ListenerSet adds to its own gateway alone
    section, port = ref.get("sectionName"), ref.get("port")
    return {
        **kept,
        **({"namespace": taker.namespace} if taker.namespace != namespace else {}),
        "name": taker.name,
        **({"sectionName": section} if any(each.listener.name == section for each in places) else {}),
        **({"port": port} if any(each.listener.port == port for each in places) else {}),
    }
