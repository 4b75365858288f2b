"""Which Services and Pods belong to which Gateway."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping

from gwtui.model import resources
from gwtui.model.gateway_api import Gateway, ParametersRef
from gwtui.model.ids import GatewayKey, NamespacedName, ProxyKey
from gwtui.model.kgateway import KGATEWAY, GatewayParameters
from gwtui.model.kubernetes import Pod, Service
from gwtui.model.meta import Meta
from gwtui.model.relations.controllers import GATEWAY_NAME_LABEL
from gwtui.model.relations.differences import differing
from gwtui.model.relations.inventory import Inventory

FULL_NAME_ANNOTATIONS = (f"{KGATEWAY}/gateway-full-name", f"{KGATEWAY}/gateway-name")
"""Pod annotations with the uncut Gateway name; releases differ in which one they write."""

ENDED = frozenset({"Succeeded", "Failed"})
"""Phases of a pod that runs no process any more."""


def services_by_reference(inventory: Inventory) -> dict[NamespacedName, GatewayKey]:
    """Return the Gateway behind each Service that names one: by owner reference, else by label."""
    by_uid = {gateway.metadata.uid: key for key, gateway in inventory.gateways.items() if gateway.metadata.uid}
    by_label = inventory.gateways_by_label
    found: dict[NamespacedName, GatewayKey] = {}
    for name, service in inventory.services.items():
        key = _owner(service.metadata, by_uid) or by_label.get(
            (name[0], service.metadata.labels.get(GATEWAY_NAME_LABEL, ""))
        )
        if key is not None and key.namespace == name[0]:
            found[name] = key
    return found


def gateways_of_services(
    inventory: Inventory, pods: Mapping[GatewayKey, list[ProxyKey]]
) -> dict[NamespacedName, GatewayKey]:
    """Return the Gateway behind each Service that leads to one.

    By owner reference, else by label; for Gateways that have no Service by either (self-managed), by selector.
    """
    found = services_by_reference(inventory)
    served = set(found.values())
    without = {key: pods[key] for key in inventory.gateways if key not in served and pods.get(key)}
    for name, service in inventory.services.items() if without else ():
        if name not in found and service.spec.selector:
            selected = next((key for key, proxies in without.items() if _selects(inventory, service, proxies)), None)
            if selected is not None and selected.namespace == name[0]:
                found[name] = selected
    return found


def _owner(meta: Meta, by_uid: Mapping[str, GatewayKey]) -> GatewayKey | None:
    owners = (by_uid.get(owner.uid) for owner in meta.owner_references if owner.kind == "Gateway")
    return next((key for key in owners if key is not None), None)


def _selects(inventory: Inventory, service: Service, proxies: list[ProxyKey]) -> bool:
    labels = (inventory.pods[(proxy.namespace, proxy.pod)].metadata.labels for proxy in proxies)
    return any(service.spec.selector.items() <= pod_labels.items() for pod_labels in labels)


class Proxies:
    """The running pods of each Gateway, followed pod by pod."""

    def __init__(self) -> None:
        self._pods: Mapping[NamespacedName, Pod] = {}
        self._gateways: frozenset[GatewayKey] = frozenset()
        self._owners: dict[ProxyKey, GatewayKey] = {}
        self.found: dict[GatewayKey, list[ProxyKey]] = {}
        """By Gateway, those that have any; sorted."""

    def follow(self, inventory: Inventory) -> set[GatewayKey]:
        """Bring `found` up to date; return the Gateways of which a pod changed, came or went."""
        before, self._pods = self._pods, inventory.pods
        gateways, self._gateways = self._gateways, frozenset(inventory.gateways)
        if gateways != self._gateways:
            before, self._owners, self.found = {}, {}, {}
        touched: set[GatewayKey] = set()
        for name in differing(before, self._pods):
            proxy = ProxyKey(inventory.cluster, *name)
            known, now = self._owners.pop(proxy, None), self._owner(inventory, name)
            if known is not None:
                touched.add(known)
                self.found[known].remove(proxy)
                if not self.found[known]:
                    del self.found[known]
            if now is not None:
                touched.add(now)
                self._owners[proxy] = now
                insort(self.found.setdefault(now, []), proxy)
        return touched

    def _owner(self, inventory: Inventory, name: NamespacedName) -> GatewayKey | None:
        """The Gateway that a running pod serves: by the uncut name in an annotation, else by the gateway-name label."""
        pod = self._pods.get(name)
        label = pod.metadata.labels.get(GATEWAY_NAME_LABEL) if pod is not None else None
        if pod is None or label is None or pod.status.phase in ENDED:
            return None
        annotations = pod.metadata.annotations
        full = next((annotations[key] for key in FULL_NAME_ANNOTATIONS if key in annotations), "")
        named = GatewayKey(inventory.cluster, name[0], full)
        return named if named in self._gateways else inventory.gateways_by_label.get((name[0], label))


def is_self_managed(inventory: Inventory, key: GatewayKey, gateway: Gateway) -> bool:
    """Whether the Gateway's parameters tell kgateway to create no Deployment and no Service for it."""
    parameters: Mapping[NamespacedName, GatewayParameters] = inventory.of(resources.GATEWAY_PARAMETERS)
    named = _parameters_of(inventory, key, gateway)
    return any(name in parameters and parameters[name].spec.self_managed is not None for name in named)


def unseen_parameters(inventory: Inventory, key: GatewayKey, gateway: Gateway) -> list[NamespacedName]:
    """Return the parameters the Gateway names that lie where none are read."""
    kind = resources.GATEWAY_PARAMETERS
    named = _parameters_of(inventory, key, gateway)
    return [name for name in named if name not in inventory.of(kind) and not inventory.was_read_in(kind, name[0])]


def _parameters_of(inventory: Inventory, key: GatewayKey, gateway: Gateway) -> list[NamespacedName]:
    """The GatewayParameters of a Gateway, then those of its class, as far as classes are read."""
    gateway_class = inventory.of(resources.GATEWAY_CLASSES).get(("", gateway.spec.gateway_class_name))
    of_class: ParametersRef | None = gateway_class.spec.parameters_ref if gateway_class is not None else None
    own = gateway.spec.infrastructure.parameters_ref if gateway.spec.infrastructure is not None else None
    named = []
    if own is not None and own.kind == "GatewayParameters":
        named.append((key.namespace, own.name))
    if of_class is not None and of_class.kind == "GatewayParameters":
        named.append((of_class.namespace, of_class.name))
    return named
