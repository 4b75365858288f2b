"""The objects of one cluster, typed and indexed once for all relations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from gwtui.model import resources
from gwtui.model.aws import TargetGroupBinding
from gwtui.model.gateway_api import Gateway, GrantTo, HttpRoute, ListenerSet, Route
from gwtui.model.ids import GatewayKey, NamespacedName, ObjectKey
from gwtui.model.ingress import Ingress
from gwtui.model.istio import ServiceEntry
from gwtui.model.kgateway import Backend
from gwtui.model.kubernetes import Namespace, Pod, Service
from gwtui.model.names import safe
from gwtui.model.relations.controllers import by_class, by_traces

Objects = Mapping[str, Mapping[NamespacedName, Any]]
"""Objects of one cluster: by group resource, then by (namespace, name)."""

Scopes = Mapping[str, frozenset[str]]
"""The namespaces that were read of a kind, for every kind of which not all were."""

EVERYWHERE: Scopes = MappingProxyType({})
"""Of every kind that was read, all namespaces were."""


class Inventory:
    """Typed views over a cluster's objects.

    What was not read is empty. `was_read_in` tells the difference: only where it says yes does a missing object mean
    that it does not exist.

    Args:
        cluster: Kubeconfig context.
        objects: What was read.
        scopes: Where, for kinds that were not read in all namespaces.
    """

    def __init__(self, cluster: str, objects: Objects, scopes: Scopes = EVERYWHERE) -> None:
        self.cluster = cluster
        self._objects = objects
        self.scopes = scopes

    def was_read(self, resource: str) -> bool:
        """Whether the kind was listed at all, if only in some namespaces."""
        return resource in self._objects

    def was_read_in(self, resource: str, namespace: str) -> bool:
        """Whether every object of the kind in a namespace is here; for kinds without namespaces it is empty."""
        return resource in self._objects and (resource not in self.scopes or namespace in self.scopes[resource])

    def was_read_everywhere(self, resource: str) -> bool:
        """Whether every object of the kind is here."""
        return resource in self._objects and resource not in self.scopes

    def extent(self, resource: str) -> str:
        """Return ` in namespaces a, b` for a kind that was read there alone; empty when it was read everywhere.

        To be put behind a statement about all objects of the kind.
        """
        spaces = sorted(self.scopes.get(resource, ()))
        return f" in namespace{'s' if len(spaces) > 1 else ''} {', '.join(spaces)}" if spaces else ""

    def of(self, resource: str) -> Mapping[NamespacedName, Any]:
        """Every object of one kind; the decoder's `KindSpec` says which type they have."""
        return self._objects.get(resource, {})

    @cached_property
    def gateways(self) -> dict[GatewayKey, Gateway]:
        """Every Gateway, sorted by key."""
        found: Mapping[NamespacedName, Gateway] = self.of(resources.GATEWAYS)
        return {GatewayKey(self.cluster, *name): found[name] for name in sorted(found)}

    @cached_property
    def gateways_by_label(self) -> dict[NamespacedName, GatewayKey]:
        """Every Gateway by namespace and the value of the gateway-name label on what was made for it."""
        return {(key.namespace, safe(key.name)): key for key in self.gateways}

    @cached_property
    def controllers(self) -> dict[GatewayKey, str]:
        """Name of the controller of each Gateway; empty when unknown."""
        if self.was_read(resources.GATEWAY_CLASSES):
            return by_class(self.gateways, self.of(resources.GATEWAY_CLASSES))
        return by_traces(self.cluster, self.gateways, (route for _, route in self.routes()), self.pods)

    def labels_of_namespace(self, name: str) -> Mapping[str, str]:
        """Labels of one namespace; none when namespaces were not read."""
        namespace: Namespace | None = self.of(resources.NAMESPACES).get(("", name))
        return {} if namespace is None else namespace.metadata.labels

    @cached_property
    def services(self) -> Mapping[NamespacedName, Service]:
        """Every Service."""
        return self.of(resources.SERVICES)

    @cached_property
    def pods(self) -> Mapping[NamespacedName, Pod]:
        """Every Pod that was read."""
        return self.of(resources.PODS)

    @cached_property
    def backends(self) -> Mapping[NamespacedName, Backend]:
        """Every kgateway Backend."""
        return self.of(resources.BACKENDS)

    @cached_property
    def service_entries(self) -> Mapping[NamespacedName, ServiceEntry]:
        """Every ServiceEntry."""
        return self.of(resources.SERVICE_ENTRIES)

    @cached_property
    def ingresses_of_services(self) -> dict[NamespacedName, list[NamespacedName]]:
        """Names of the Ingresses that send requests to each Service, sorted."""
        found: dict[NamespacedName, list[NamespacedName]] = {}
        ingresses: Mapping[NamespacedName, Ingress] = self.of(resources.INGRESSES)
        for name in sorted(ingresses):
            for service in ingresses[name].services:
                found.setdefault((name[0], service), []).append(name)
        return found

    @cached_property
    def bindings_of_services(self) -> dict[NamespacedName, list[NamespacedName]]:
        """Names of the TargetGroupBindings that are filled by each Service, sorted."""
        found: dict[NamespacedName, list[NamespacedName]] = {}
        bindings: Mapping[NamespacedName, TargetGroupBinding] = self.of(resources.TARGET_GROUP_BINDINGS)
        for name in sorted(bindings):
            found.setdefault((name[0], bindings[name].spec.service_ref.name), []).append(name)
        return found

    @cached_property
    def http_routes(self) -> Mapping[NamespacedName, HttpRoute]:
        """Every HTTPRoute."""
        return self.of(resources.HTTP_ROUTES)

    @cached_property
    def http_route_names(self) -> dict[str, list[str]]:
        """Names of the HTTPRoutes of each namespace, sorted."""
        names: dict[str, list[str]] = {}
        for namespace, name in sorted(self.http_routes):
            names.setdefault(namespace, []).append(name)
        return names

    def routes(self) -> Iterator[tuple[ObjectKey, Route]]:
        """Every route of every kind, in no particular order."""
        for resource in resources.ROUTES:
            for (namespace, name), route in self.of(resource).items():
                yield ObjectKey(self.cluster, resource, namespace, name), route

    @cached_property
    def listener_sets(self) -> dict[NamespacedName, tuple[GatewayKey, ListenerSet]]:
        """Every ListenerSet with the Gateway it adds listeners to, which may not exist; sorted by name."""
        sets: dict[NamespacedName, ListenerSet] = {}
        for resource in reversed(resources.LISTENER_SETS):
            sets.update(self.of(resource))
        parents = {name: sets[name].spec.parent_ref for name in sorted(sets)}
        return {
            name: (GatewayKey(self.cluster, parent.namespace or name[0], parent.name), sets[name])
            for name, parent in parents.items()
            if parent.kind == "Gateway"
        }

    @cached_property
    def _grants(self) -> dict[tuple[str, str, str], list[GrantTo]]:
        """What may be referred to, by (namespace of the target, namespace and kind of who refers)."""
        grants: dict[tuple[str, str, str], list[GrantTo]] = {}
        for (namespace, _), grant in self.of(resources.REFERENCE_GRANTS).items():
            for permitted in grant.spec.from_:
                key = (namespace, permitted.namespace, permitted.kind)
                grants.setdefault(key, []).extend(grant.spec.to)
        return grants

    def is_granted(self, *, kind: str, namespace: str, group: str, target_kind: str, target: NamespacedName) -> bool:
        """Whether an object of `kind` in `namespace` may refer to the target across namespaces.

        Where ReferenceGrants were not read it may, whatever this says.
        """
        if namespace == target[0]:
            return True
        granted = self._grants.get((target[0], namespace, kind), ())
        return any(to.group == group and to.kind == target_kind and to.name in {"", target[1]} for to in granted)
