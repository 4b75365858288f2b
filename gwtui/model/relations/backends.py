"""Where a backendRef leads: to another Gateway, to a workload Service, out of the cluster, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from gwtui.model import resources
from gwtui.model.agentgateway import AGENTGATEWAY, AgentgatewayBackend
from gwtui.model.ai import Mcp
from gwtui.model.gateway_api import BackendRef
from gwtui.model.ids import ExternalKey, GatewayKey, NamespacedName, ServiceKey
from gwtui.model.istio import ISTIO_NETWORKING, MESH_EXTERNAL
from gwtui.model.kgateway import KGATEWAY
from gwtui.model.names import backend_cluster, service_cluster, service_entry_cluster
from gwtui.model.relations.conditions import condition_problems
from gwtui.model.relations.inventory import Inventory
from gwtui.model.relations.outside import (
    EXTERNAL,
    End,
    ends_of_agent_backend,
    ends_of_backend,
    entries_of_host,
    services_of_mcp,
)
from gwtui.model.relations.remarks import Remark, Unseen, absence, unknown_kind, unseen_in

BY_SERVICE, BY_BACKEND, BY_MIRROR, WORKLOAD = "D1", "D2", "D3", "backend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One end of a backendRef."""

    target: GatewayKey | ServiceKey | ExternalKey
    rule: str
    cluster: str
    """Envoy cluster a kgateway proxy uses for it; empty when the reference has no port."""
    is_standby: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Every end of a backendRef and what there is to say of it."""

    destinations: tuple[Destination, ...] = ()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Resolves backendRefs against one cluster's objects, each distinct reference once."""

    inventory: Inventory
    gateways: Mapping[NamespacedName, GatewayKey]
    """The Gateway behind each Service that leads to one."""
    addresses: Mapping[str, GatewayKey]
    """The Gateway that claims each address in its status."""
    _known: dict[tuple[str, ...], Resolved] = field(default_factory=dict)

    def over(self, inventory: Inventory) -> Resolver:
        """Return the same resolver over a later inventory in which nothing differs that references may lead to."""
        return replace(self, inventory=inventory)

    def resolve(self, kind: str, namespace: str, ref: BackendRef) -> Resolved:
        """Resolve a backendRef of an object of `kind` in `namespace`. The weight plays no part."""
        key = (kind, namespace, ref.group, ref.kind, ref.namespace, ref.name, str(ref.port))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._resolve(kind, namespace, ref, frozenset())
        return found

    def _resolve(self, kind: str, namespace: str, ref: BackendRef, above: frozenset[NamespacedName]) -> Resolved:
        name = (ref.namespace or namespace, ref.name)
        if not ref.group and ref.kind == "Service":
            found = self._service(name, ref.port)
        elif ref.group == KGATEWAY and ref.kind == "Backend":
            found = self._backend(name, above)
        elif (ref.group, ref.kind) == (AGENTGATEWAY, "AgentgatewayBackend"):
            found = self._agent_backend(name)
        elif (ref.group, ref.kind) == (ISTIO_NETWORKING, "ServiceEntry"):
            found = self._entry(name, ref.port)
        elif (ref.group, ref.kind) == (ISTIO_NETWORKING, "Hostname"):
            return self._hostname(ref)
        else:
            return Resolved(remarks=(unknown_kind(f"backend {ref.kind} {name[0]}/{name[1]}", ref.group),))
        if self.inventory.is_granted(
            kind=kind, namespace=namespace, group=ref.group, target_kind=ref.kind, target=name
        ):
            return found
        use = f"lets {kind} of {namespace} use {ref.kind} {name[1]}"
        if self.inventory.was_read_in(resources.REFERENCE_GRANTS, name[0]):
            return replace(found, remarks=(*found.remarks, f"no ReferenceGrant in {name[0]} {use}"))
        if self.inventory.was_read(resources.REFERENCE_GRANTS):
            unseen = Unseen(f"whether a ReferenceGrant {use} {unseen_in(resources.REFERENCE_GRANTS, name[0])}")
            return replace(found, remarks=(*found.remarks, unseen))
        return found

    def _service(self, name: NamespacedName, port: int) -> Resolved:
        gateway = self.gateways.get(name)
        destination = Destination(
            target=gateway or ServiceKey(self.inventory.cluster, *name),
            rule=BY_SERVICE if gateway is not None else WORKLOAD,
            cluster=service_cluster(*name, port) if port else "",
        )
        remark = self._service_remark(name, port)
        return Resolved(destinations=(destination,), remarks=(remark,) if remark is not None else ())

    def _service_remark(self, name: NamespacedName, port: int) -> Remark | None:
        what = f"backend Service {name[0]}/{name[1]}"
        service = self.inventory.services.get(name)
        if service is None:
            return absence(self.inventory, resources.SERVICES, name[0], what)
        if not port:
            return f"{what} is referred to without a port"
        return None if any(port == offered.port for offered in service.spec.ports) else f"{what} has no port {port}"

    def _nowhere(self, resource: str, kind: str, name: NamespacedName) -> Resolved:
        """What a reference to an object that was not found comes to."""
        remark = absence(self.inventory, resource, name[0], f"{kind} {name[0]}/{name[1]}")
        return Resolved(remarks=(remark,) if remark is not None else ())

    def _backend(self, name: NamespacedName, above: frozenset[NamespacedName]) -> Resolved:
        if name in above:
            return Resolved(remarks=(f"Backend {name[0]}/{name[1]} leads back to itself",))
        backend = self.inventory.backends.get(name)
        if backend is None:
            return self._nowhere(resources.BACKENDS, "Backend", name)
        destinations: list[Destination] = []
        found_wrong = condition_problems(backend.status.conditions, backend.metadata.generation)
        remarks: list[Remark] = [f"Backend {name[0]}/{name[1]}: {problem}" for problem in found_wrong]
        cluster = backend_cluster(*name)
        destinations.extend(self._host(end, cluster) for end in ends_of_backend(backend))
        destinations.extend(self._tools(name[0], backend.spec.mcp, cluster))
        for position, group in enumerate(backend.spec.priority_groups):
            for ref in group.backend_refs:
                found = self._resolve("Backend", name[0], ref, above | {name})
                remarks.extend(found.remarks)
                destinations.extend(
                    replace(end, is_standby=end.is_standby or position > 0) for end in found.destinations
                )
        return Resolved(destinations=tuple(dict.fromkeys(destinations)), remarks=tuple(dict.fromkeys(remarks)))

    def _agent_backend(self, name: NamespacedName) -> Resolved:
        backend: AgentgatewayBackend | None = self.inventory.of(resources.AGENTGATEWAY_BACKENDS).get(name)
        if backend is None:
            return self._nowhere(resources.AGENTGATEWAY_BACKENDS, "AgentgatewayBackend", name)
        destinations = [self._host(end, "") for end in ends_of_agent_backend(backend)]
        destinations.extend(self._tools(name[0], backend.spec.mcp, ""))
        found = condition_problems(backend.status.conditions, backend.metadata.generation)
        remarks = tuple(f"AgentgatewayBackend {name[0]}/{name[1]}: {problem}" for problem in found)
        return Resolved(destinations=tuple(dict.fromkeys(destinations)), remarks=remarks)

    def _tools(self, namespace: str, mcp: Mcp | None, cluster: str) -> Iterator[Destination]:
        """The Services of tool servers."""
        for key in services_of_mcp(self.inventory, namespace, mcp) if mcp is not None else ():
            gateway = self.gateways.get((key.namespace, key.name))
            yield Destination(
                target=gateway or key, rule=BY_BACKEND if gateway is not None else WORKLOAD, cluster=cluster
            )

    def _entry(self, name: NamespacedName, port: int) -> Resolved:
        entry = self.inventory.service_entries.get(name)
        if entry is None:
            return self._nowhere(resources.SERVICE_ENTRIES, "ServiceEntry", name)
        leaves = entry.spec.location == MESH_EXTERNAL
        destinations = []
        for host in sorted(set(entry.spec.hosts)):
            found = self._host(End(host), service_entry_cluster(*name, host, port) if port else "")
            is_outside = isinstance(found.target, ExternalKey)
            destinations.append(replace(found, rule=WORKLOAD) if is_outside and not leaves else found)
        return Resolved(destinations=tuple(destinations))

    def _hostname(self, ref: BackendRef) -> Resolved:
        """A host some ServiceEntry or Service of the mesh stands for, whatever its namespace."""
        for name in entries_of_host(self.inventory, ref.name):
            found = self._entry(name, ref.port).destinations
            return Resolved(destinations=tuple(end for end in found if str(end.target) == ref.name) or found)
        return Resolved(destinations=(self._host(End(ref.name), ""),))

    def _host(self, end: End, cluster: str) -> Destination:
        """The Gateway or Service a host stands for; else it is outside the cluster."""
        target: GatewayKey | ServiceKey | ExternalKey | None = self.addresses.get(end.host)
        name = service_of_host(end.host)
        if target is None and name is not None and (name in self.inventory.services or _names_cluster(end.host)):
            target = self.gateways.get(name) or ServiceKey(self.inventory.cluster, *name)
        if target is None:
            target = ExternalKey(self.inventory.cluster, end.host)
        rules = {GatewayKey: BY_BACKEND, ServiceKey: WORKLOAD, ExternalKey: EXTERNAL}
        return Destination(target=target, rule=rules[type(target)], cluster=cluster, is_standby=end.is_standby)


def _names_cluster(host: str) -> bool:
    """Whether a DNS name says itself that it is a Service: `s.ns.svc`, `s.ns.svc.<domain>`."""
    return host.split(".")[2:3] == ["svc"]


def service_of_host(host: str) -> NamespacedName | None:
    """Return (namespace, name) of the Service a DNS name may stand for: `s.ns`, `s.ns.svc` or `s.ns.svc.<domain>`."""
    labels = host.rstrip(".").split(".")
    if len(labels) < 2 or not all(labels) or (len(labels) > 2 and labels[2] != "svc"):
        return None
    return labels[1], labels[0]
