"""Where backends beside Services lead: the hosts that ServiceEntries, Backends and AI backends stand for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gwtui.model.agentgateway import AgentgatewayBackend
from gwtui.model.ai import Mcp, McpSelector, ProviderGroup
from gwtui.model.ids import NamespacedName, ServiceKey
from gwtui.model.kgateway import Backend
from gwtui.model.names import ANY_HOST
from gwtui.model.relations.inventory import Inventory

EXTERNAL = "external"
"""Rule of a hop that leaves the cluster."""


class End(NamedTuple):
    """One host a backend stands for. Whether it is in the cluster is for the reader of names to say."""

    host: str
    is_standby: bool = False


def entries_of_host(inventory: Inventory, host: str) -> tuple[NamespacedName, ...]:
    """Return the ServiceEntries that define a host name, sorted."""
    return tuple(sorted(name for name, entry in inventory.service_entries.items() if host in entry.spec.hosts))


def ends_of_backend(backend: Backend) -> Iterator[End]:
    """Yield the hosts a kgateway Backend names, apart from those of its priority groups."""
    spec = backend.spec
    for host in spec.static.hosts if spec.static is not None else ():
        yield End(host.host)
    if spec.gcp is not None and spec.gcp.host:
        yield End(spec.gcp.host)
    if spec.aws is not None:
        yield End(f"lambda.{spec.aws.region}.amazonaws.com")
    if spec.dynamic_forward_proxy is not None:
        yield End(ANY_HOST)
    if spec.ai is not None:
        alone = (ProviderGroup(providers=(spec.ai.llm,)),) if spec.ai.llm is not None else ()
        yield from _providers((*alone, *spec.ai.priority_groups))
    if spec.mcp is not None:
        yield from _static_servers(spec.mcp)


def ends_of_agent_backend(backend: AgentgatewayBackend) -> Iterator[End]:
    """Yield the hosts an AgentgatewayBackend names."""
    spec = backend.spec
    if spec.ai is not None:
        alone = (ProviderGroup(providers=(spec.ai.provider,)),) if spec.ai.provider is not None else ()
        yield from _providers((*alone, *spec.ai.groups))
    if spec.mcp is not None:
        yield from _static_servers(spec.mcp)
    for place in (spec.a2a, spec.static):
        if place is not None and place.host:
            yield End(place.host)
    if spec.dynamic_forward_proxy is not None:
        yield End(ANY_HOST)


def _providers(groups: Iterable[ProviderGroup]) -> Iterator[End]:
    for position, group in enumerate(groups):
        for provider in group.providers:
            address = provider.address()
            if address:
                yield End(address, is_standby=position > 0)


def _static_servers(mcp: Mcp) -> Iterator[End]:
    for target in mcp.targets:
        if target.static is not None and target.static.host:
            yield End(target.static.host)


def services_of_mcp(inventory: Inventory, namespace: str, mcp: Mcp) -> tuple[ServiceKey, ...]:
    """Return the Services that tool servers of a backend in `namespace` are named by or selected by, sorted."""
    found: set[NamespacedName] = set()
    for target in mcp.targets:
        if target.static is not None and target.static.backend_ref is not None:
            found.add((namespace, target.static.backend_ref.name))
        if target.selector is not None:
            found.update(_selected(inventory, namespace, target.selector))
    return tuple(ServiceKey(inventory.cluster, *name) for name in sorted(found))


def _selected(inventory: Inventory, own: str, selector: McpSelector) -> Iterator[NamespacedName]:
    for name, service in inventory.services.items():
        spaces = selector.of_namespaces
        is_searched = name[0] == own if spaces is None else spaces.selects(inventory.labels_of_namespace(name[0]))
        if is_searched and selector.of_services.selects(service.metadata.labels):
            yield name
