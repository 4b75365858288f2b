"""Which deployment patterns a cluster's gateways form, each with the objects that prove it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gwtui.model import resources
from gwtui.model.ids import GatewayKey
from gwtui.model.kgateway import HttpListenerPolicy, ListenerPolicy
from gwtui.model.relations.evidence import Evidence
from gwtui.model.relations.front_doors import FOREIGN
from gwtui.model.relations.inventory import Inventory
from gwtui.model.relations.mesh_patterns import (
    ai_gateway,
    ambient_egress,
    ambient_ingress,
    ambient_waypoint,
    sidecar_ingress,
)
from gwtui.model.shape import DataPlane, GatewayNode, PatternFound


def simple_ingress(evidence: Evidence) -> list[str]:
    """One exposed Gateway and no hop between Gateways (D5)."""
    exposed = evidence.exposed()
    if len(exposed) != 1 or evidence.managed_edges():
        return []
    extent = evidence.inventory.extent(resources.GATEWAYS)
    return [f"{exposed[0].key} is the only exposed gateway{extent} ({evidence.door_text(exposed[0].key)})"]


def sharded(evidence: Evidence) -> list[str]:
    """Several exposed Gateways and no hop between Gateways (D6)."""
    exposed = evidence.exposed()
    if len(exposed) < 2 or evidence.managed_edges():
        return []
    return [f"{node.key} serves {_slice(node)}, exposed by {evidence.door_text(node.key)}" for node in exposed]


def _slice(node: GatewayNode) -> str:
    namespaces = f"namespaces {', '.join(node.namespaces)}" if node.namespaces else "no namespace"
    return f"{namespaces} ({', '.join(node.hostnames)})" if node.hostnames else namespaces


def sharded_central_ingress(evidence: Evidence) -> list[str]:
    """A Gateway that leads to two or more others (D7)."""
    targets: dict[GatewayKey, set[GatewayKey]] = {}
    for source, target in evidence.managed_edges():
        targets.setdefault(source, set()).add(target)
    return [
        f"{source} routes to {', '.join(str(target) for target in sorted(found))}"
        for source, found in sorted(targets.items())
        if len(found) >= 2
    ]


def external_front_door(evidence: Evidence) -> list[str]:
    """Another proxy before a Gateway that no Gateway of ours leads to (D8). Lines starting with `hint` prove little."""
    nodes = evidence.nodes
    entered = {target for _, target in evidence.managed_edges()}
    entries = [node for node in nodes.values() if node.is_managed and node.key not in entered]
    lines = [
        f"{node.key}: {door.kind} {door.name}, by {door.evidence}"
        for node in entries
        for door in evidence.doors.get(node.key, ())
        if door.kind in FOREIGN or "loadBalancerClass=" in door.evidence
    ]
    for source, target in sorted(set(evidence.edges())):
        if nodes[target].is_managed and nodes[source].data_plane in {DataPlane.OTHER, DataPlane.ISTIO_ENVOY}:
            lines.append(f"{target}: gateway {source} of {nodes[source].controller or 'no controller'} routes to it")
    by_key = {node.key for node in entries}
    lines.extend(f"hint: {key}: {text}" for key, text in _trusting_policies(evidence.inventory) if key in by_key)
    return lines


def _trusting_policies(inventory: Inventory) -> Iterator[tuple[GatewayKey, str]]:
    """Gateways whose listeners are told to believe a proxy before them."""
    for (namespace, name), found in sorted(inventory.of(resources.LISTENER_POLICIES).items()):
        policy: ListenerPolicy = found
        settings = [policy.spec.default, *(port.listener for port in policy.spec.per_port)]
        trusts = set()
        for setting in (setting for setting in settings if setting is not None):
            if setting.proxy_protocol is not None:
                trusts.add("proxyProtocol")
            if setting.http_settings.xff_num_trusted_hops:
                trusts.add("xffNumTrustedHops")
            if setting.http_settings.xff_trusted_cidrs:
                trusts.add("xffTrustedCIDRs")
        text = f"ListenerPolicy {namespace}/{name} sets {', '.join(sorted(trusts))}"
        yield from _targets(inventory, namespace, policy, text) if trusts else ()
    for (namespace, name), found in sorted(inventory.of(resources.HTTP_LISTENER_POLICIES).items()):
        legacy: HttpListenerPolicy = found
        if legacy.spec.xff_num_trusted_hops or legacy.spec.xff_trusted_cidrs:
            text = f"HTTPListenerPolicy {namespace}/{name} trusts X-Forwarded-For"
            yield from _targets(inventory, namespace, legacy, text)


def _targets(
    inventory: Inventory, namespace: str, policy: ListenerPolicy | HttpListenerPolicy, text: str
) -> Iterator[tuple[GatewayKey, str]]:
    for ref in policy.spec.target_refs:
        if ref.kind == "Gateway":
            yield GatewayKey(inventory.cluster, namespace, ref.name), text


EXPOSING = (resources.INGRESSES, resources.SERVICES)
"""Kinds that may expose a Gateway, from its own namespace."""

PATTERNS: tuple[tuple[str, Callable[[Evidence], list[str]]], ...] = (
    ("ai-gateway", ai_gateway),
    ("ambient-egress", ambient_egress),
    ("ambient-ingress", ambient_ingress),
    ("ambient-waypoint", ambient_waypoint),
    ("external-front-door", external_front_door),
    ("sharded", sharded),
    ("sharded-central-ingress", sharded_central_ingress),
    ("sidecar-ingress", sidecar_ingress),
    ("simple-ingress", simple_ingress),
)
"""Every pattern that is recognised, sorted by id."""


def patterns_of(evidence: Evidence) -> tuple[PatternFound, ...]:
    """Return every pattern there is evidence for, sorted by id."""
    found = ((pattern, tuple(recognise(evidence))) for pattern, recognise in PATTERNS)
    return tuple(PatternFound(id=pattern, evidence=lines) for pattern, lines in found if lines)


def missing_for_patterns(evidence: Evidence) -> tuple[str, ...]:
    """Return what would be needed to recognise a pattern where there is none, one line each, sorted."""
    inventory, nodes = evidence.inventory, evidence.nodes
    if not inventory.was_read(resources.GATEWAYS):
        return ("Gateways were not read",)
    if not nodes:
        return (f"no Gateway{inventory.extent(resources.GATEWAYS)}",)
    lines = set()
    for node in nodes.values():
        if not node.controller:
            name = node.class_name or "(none)"
            lines.add(
                f"GatewayClass {name} does not exist"
                if inventory.was_read(resources.GATEWAY_CLASSES)
                and ("", node.class_name) not in inventory.of(resources.GATEWAY_CLASSES)
                else f"nothing says which controller runs Gateways of class {name}"
            )
        elif node.data_plane is DataPlane.OTHER:
            lines.add(f"{node.key} is run by {node.controller}, a controller this console does not know")
    if not any(node.is_managed for node in nodes.values()):
        lines.add(f"no Gateway{inventory.extent(resources.GATEWAYS)} is run by kgateway or agentgateway")
    elif not evidence.exposed():
        parts = [kind for kind in EXPOSING if not all(inventory.was_read_in(kind, key.namespace) for key in nodes)]
        names = " and ".join(kind.partition(".")[0] for kind in parts)
        seen = f", as far as {names} are read" if parts else ""
        lines.add(f"no Gateway is exposed{seen}: no LoadBalancer, NodePort or Ingress names its Service")
    for source in sorted({source for source, _ in evidence.managed_edges()}):
        elsewhere = evidence.reach[source].namespaces
        unread = [name for name in sorted(elsewhere) if not inventory.was_read_in(resources.SERVICES, name)]
        seen = f", as far as services of {', '.join(unread)} are read" if unread else ""
        lines.add(f"{source} leads to one Gateway alone{seen}: a central ingress leads to two or more")
    return tuple(sorted(lines))
