"""kgateway Backends with groups by priority that lead to what is drained: what is left of them without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gwtui.changes.copying import copied
from gwtui.changes.documents import backends_of, namespace_of
from gwtui.changes.drains.leading import Leads, Leaves, any_leaves
from gwtui.changes.drains.senders import Sender
from gwtui.changes.plan import Document
from gwtui.model.gateway_api import BackendRef, Route, Rule
from gwtui.model.ids import GatewayKey, NamespacedName, ObjectKey
from gwtui.model.kgateway import KGATEWAY, Backend
from gwtui.model.resources import BACKENDS
from gwtui.model.snapshot import ClusterView


def grouped(view: ClusterView, gateway: GatewayKey, senders: Iterable[Sender]) -> tuple[ObjectKey, ...]:
    """Return the Backends by whose groups these routes lead to a gateway.

    Args:
        view: The cluster.
        gateway: The gateway.
        senders: The routes.
    """
    leads = Leads(view)
    pending = [
        name
        for sender in senders
        for rule in _rules(view, sender.route)
        for name in _named(rule.backend_refs, sender.route.namespace)
    ]
    found: dict[NamespacedName, None] = {}
    seen: set[NamespacedName] = set()
    while pending:
        name = pending.pop(0)
        backend: Backend | None = leads.inventory.backends.get(name)
        if backend is None or name in seen:
            continue
        seen.add(name)
        for group in backend.spec.priority_groups:
            leaves = leads.to(gateway, "Backend", name[0])
            if any(leaves(_written(ref)) for ref in group.backend_refs):
                found[name] = None
            pending.extend(_named(group.backend_refs, name[0]))
    return tuple(ObjectKey(view.name, BACKENDS, *name) for name in sorted(found))


def relieved(leads: Leads, gateway: GatewayKey, documents: Mapping[ObjectKey, Document]) -> dict[ObjectKey, Document]:
    """Return the Backends among these objects without what leads to a gateway, where something else is left of them.

    Args:
        leads: Where references lead.
        gateway: What is drained.
        documents: The present objects.
    """
    found = {}
    for key, document in documents.items():
        if key.resource != BACKENDS:
            continue
        leaves = leads.to(gateway, "Backend", namespace_of(document))
        groups = _groups(document)
        kept = [_without(group, leaves) for group in groups]
        if any_leaves([ref for group in groups for ref in backends_of(group)], leaves) and any(map(backends_of, kept)):
            found[key] = copied(document)
            found[key]["spec"]["priorityGroups"] = [group for group in kept if backends_of(group)]
    return found


def _without(group: Document, leaves: Leaves) -> Document:
    return {**group, "backendRefs": [ref for ref in backends_of(group) if not leaves(ref)]}


def _groups(document: Document) -> list[Document]:
    groups: Any = (document.get("spec") or {}).get("priorityGroups")
    return [each for each in groups if isinstance(each, dict)] if isinstance(groups, list) else []


def _rules(view: ClusterView, key: ObjectKey) -> tuple[Rule, ...]:
    route: Route | None = view.objects.get(key.resource, {}).get((key.namespace, key.name))
    return route.spec.rules if route is not None else ()


def _named(refs: Iterable[BackendRef], namespace: str) -> list[NamespacedName]:
    return [(ref.namespace or namespace, ref.name) for ref in refs if (ref.group, ref.kind) == (KGATEWAY, "Backend")]


def _written(ref: BackendRef) -> Document:
    return {"group": ref.group, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name, "port": ref.port}
