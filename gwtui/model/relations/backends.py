"""Where a backendRef leads: to another Gateway, to a workload Service, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from gwtui.model import resources
from gwtui.model.gateway_api import BackendRef
from gwtui.model.ids import GatewayKey, ServiceKey
from gwtui.model.kgateway import KGATEWAY
from gwtui.model.names import backend_cluster, service_cluster
from gwtui.model.observations import NamespacedName
from gwtui.model.relations.inventory import Inventory

BY_SERVICE, BY_BACKEND, BY_MIRROR, WORKLOAD = "D1", "D2", "D3", "backend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One end of a backendRef."""

    target: GatewayKey | ServiceKey
    rule: str
    cluster: str
    """Envoy cluster a kgateway proxy uses for it; empty when the reference has no port."""
    is_standby: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Every end of a backendRef and what is wrong with it. Both may be empty: external hosts, mesh kinds."""

    destinations: tuple[Destination, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Resolves backendRefs against one cluster's objects, each distinct reference once."""

    inventory: Inventory
    gateways: Mapping[NamespacedName, GatewayKey]
    """The Gateway behind each Service that leads to one."""
    addresses: Mapping[str, GatewayKey]
    """The Gateway that claims each address in its status."""
    _known: dict[tuple[str, ...], Resolved] = field(default_factory=dict)

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
        else:
            return Resolved()
        if self.inventory.is_granted(
            kind=kind, namespace=namespace, group=ref.group, target_kind=ref.kind, target=name
        ):
            return found
        missing = f"no ReferenceGrant in {name[0]} lets {kind} of {namespace} use {ref.kind} {name[1]}"
        return replace(found, problems=(*found.problems, missing))

    def _service(self, name: NamespacedName, port: int) -> Resolved:
        gateway = self.gateways.get(name)
        destination = Destination(
            target=gateway or ServiceKey(self.inventory.cluster, *name),
            rule=BY_SERVICE if gateway is not None else WORKLOAD,
            cluster=service_cluster(*name, port) if port else "",
        )
        problem = self._service_problem(name, port)
        problems = (f"backend Service {name[0]}/{name[1]} {problem}",) if problem else ()
        return Resolved(destinations=(destination,), problems=problems)

    def _service_problem(self, name: NamespacedName, port: int) -> str:
        service = self.inventory.services.get(name)
        if service is None:
            return "is not among the Services read" if self.inventory.was_read(resources.SERVICES) else ""
        if not port:
            return "is referred to without a port"
        return "" if any(port == offered.port for offered in service.spec.ports) else f"has no port {port}"

    def _backend(self, name: NamespacedName, above: frozenset[NamespacedName]) -> Resolved:
        if name in above:
            return Resolved(problems=(f"Backend {name[0]}/{name[1]} leads back to itself",))
        backend = self.inventory.backends.get(name)
        if backend is None:
            if not self.inventory.was_read(resources.BACKENDS):
                return Resolved()
            return Resolved(problems=(f"Backend {name[0]}/{name[1]} does not exist",))
        destinations: list[Destination] = []
        problems: list[str] = []
        for host in backend.spec.static.hosts if backend.spec.static is not None else ():
            destinations.extend(self._host(host.host, backend_cluster(*name)))
        for position, group in enumerate(backend.spec.priority_groups):
            for ref in group.backend_refs:
                found = self._resolve("Backend", name[0], ref, above | {name})
                problems.extend(found.problems)
                destinations.extend(
                    replace(end, is_standby=end.is_standby or position > 0) for end in found.destinations
                )
        return Resolved(destinations=tuple(dict.fromkeys(destinations)), problems=tuple(dict.fromkeys(problems)))

    def _host(self, host: str, cluster: str) -> Iterator[Destination]:
        """The Gateway or Service a static host stands for; nothing for a host outside the cluster."""
        by_address = self.addresses.get(host)
        if by_address is not None:
            yield Destination(target=by_address, rule=BY_BACKEND, cluster=cluster)
            return
        name = service_of_host(host)
        if name is not None and name in self.inventory.services:
            gateway = self.gateways.get(name)
            target = gateway or ServiceKey(self.inventory.cluster, *name)
            yield Destination(target=target, rule=BY_BACKEND if gateway is not None else WORKLOAD, cluster=cluster)


def service_of_host(host: str) -> NamespacedName | None:
    """Return (namespace, name) of the Service a DNS name may stand for: `s.ns`, `s.ns.svc` or `s.ns.svc.<domain>`."""
    labels = host.rstrip(".").split(".")
    if len(labels) < 2 or not all(labels) or (len(labels) > 2 and labels[2] != "svc"):
        return None
    return labels[1], labels[0]
