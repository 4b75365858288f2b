"""The cluster as it would be with edited routes: objects exchanged, related anew. The snapshot stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec
from msgspec import structs

from gwtui.changes.defaults import with_defaults
from gwtui.changes.documents import key_of
from gwtui.changes.plan import Document
from gwtui.changes.rule_pairs import rules_of
from gwtui.errors import UsageError
from gwtui.explain.virtual_hosts import hosts_of
from gwtui.model.gateway_api import (
    GATEWAY_API,
    GrpcRoute,
    HttpRoute,
    ParentRef,
    Route,
    RouteParentStatus,
    RouteStatus,
    TcpRoute,
    TlsRoute,
)
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.kubernetes import Condition
from gwtui.model.meta import AuthoredMeta
from gwtui.model.relations.claims import LISTENER_SET_KINDS
from gwtui.model.relations.inventory import Inventory
from gwtui.model.snapshot import ClusterView
from gwtui.model.topology import relate

_TYPES: Mapping[str, type[HttpRoute | GrpcRoute | TlsRoute | TcpRoute]] = {
    "HTTPRoute": HttpRoute,
    "GRPCRoute": GrpcRoute,
    "TLSRoute": TlsRoute,
    "TCPRoute": TcpRoute,
}


def decoded(document: Document) -> Route:
    """Return a route as the console reads it, defaults filled in.

    Raises:
        UsageError: it has no shape a route may have; the text says where.
    """
    try:
        return msgspec.convert(with_defaults(document), _TYPES[str(document.get("kind"))])
    except (msgspec.ValidationError, KeyError) as error:
        raise UsageError(f"this is no route: {error}", "correct the edit") from error


class Outlook(NamedTuple):
    """A cluster before and after an edit. Made once per plan: relating anew is most of what a plan costs."""

    was: ClusterView
    will: ClusterView


def outlook(view: ClusterView, before: Sequence[Document], after: Sequence[Document]) -> Outlook:
    """Return the cluster with these routes as they are, and as they are wished.

    Raises:
        UsageError: a document is no route.
    """
    return Outlook(projected(view, before), projected(view, after))


def projected(view: ClusterView, documents: Sequence[Document]) -> ClusterView:
    """Return the cluster with these routes in place of what it has; the same view when nothing differs.

    What is told of a route by its controller is kept where its parents and hostnames stay as they are. Otherwise it
    counts as accepted by the listeners that take its namespace and hostnames. Relating anew costs as much as reading
    the cluster the first time.

    Raises:
        UsageError: a document is no route.
    """
    inventory = Inventory(view.name, view.objects, view.scopes)
    changed: dict[ObjectKey, Route] = {}
    for document in documents:
        key, route = key_of(document, view.name), decoded(document)
        before: Route | None = view.objects.get(key.resource, {}).get((key.namespace, key.name))
        if before is None or _content(before) != _content(route):
            changed[key] = _with_bookkeeping(inventory, key, before, route)
    if not changed:
        return view
    objects: dict[str, Mapping[tuple[str, str], Any]] = dict(view.objects)
    for key, route in changed.items():
        objects[key.resource] = {**objects.get(key.resource, {}), (key.namespace, key.name): route}
    return replace(view, objects=objects, topology=relate(view.name, objects, view.scopes), relator=None)


def _content(route: Route) -> tuple[Any, ...]:
    return (
        rules_of(route),
        route.spec.parent_refs,
        route.spec.hostnames,
        route.metadata.labels,
        route.metadata.annotations,
    )


def _with_bookkeeping(inventory: Inventory, key: ObjectKey, before: Route | None, route: Route) -> Route:
    """The route with what its draft leaves out: status, age and version."""
    if before is None:
        return structs.replace(route, status=_status(inventory, key, RouteStatus(), route, route.spec.parent_refs))
    metadata: AuthoredMeta = structs.replace(
        route.metadata,
        creation_timestamp=before.metadata.creation_timestamp,
        generation=before.metadata.generation,
        uid=before.metadata.uid,
    )
    status = before.status
    if status.parents and (before.spec.parent_refs, before.spec.hostnames) != (
        route.spec.parent_refs,
        route.spec.hostnames,
    ):
        same_hosts = before.spec.hostnames == route.spec.hostnames
        told = {_named(each.parent_ref, key.namespace) for each in status.parents} if same_hosts else set()
        asked = [ref for ref in route.spec.parent_refs if _named(ref, key.namespace) not in told]
        status = _status(inventory, key, status if same_hosts else RouteStatus(), route, asked)
    return structs.replace(route, metadata=metadata, status=status)


def _status(
    inventory: Inventory, key: ObjectKey, known: RouteStatus, route: Route, asked: Iterable[ParentRef]
) -> RouteStatus:
    """What is known of parents that stay, and what is to be expected of others."""
    wanted = {_named(ref, key.namespace) for ref in route.spec.parent_refs}
    kept = [each for each in known.parents if _named(each.parent_ref, key.namespace) in wanted]
    expected = [
        RouteParentStatus(parent_ref=ref, controller_name=controller, conditions=(_accepted(is_taken=bool(hosts)),))
        for ref in asked
        if (gateway := named_gateway(inventory, ref, key.namespace)) is not None
        and (controller := inventory.controllers.get(gateway, ""))
        for hosts in [hosts_of(inventory, gateway, key.namespace, route, (ref,))]
    ]
    return RouteStatus(parents=(*kept, *expected))


def _accepted(*, is_taken: bool) -> Condition:
    return Condition(
        type="Accepted",
        status="True" if is_taken else "False",
        reason="Accepted" if is_taken else "NoMatchingListenerHostname",
    )


def _named(ref: ParentRef, namespace: str) -> ParentRef:
    return structs.replace(ref, namespace=ref.namespace or namespace)


def named_gateway(inventory: Inventory, ref: ParentRef, namespace: str) -> GatewayKey | None:
    """Return the gateway that a parentRef names, itself or by a ListenerSet; None where it names neither.

    Args:
        inventory: The cluster.
        ref: The reference.
        namespace: Of the route.
    """
    name = (ref.namespace or namespace, ref.name)
    if (ref.group, ref.kind) == (GATEWAY_API, "Gateway"):
        return GatewayKey(inventory.cluster, *name)
    if (ref.group, ref.kind) in LISTENER_SET_KINDS and name in inventory.listener_sets:
        return inventory.listener_sets[name][0]
    return None
