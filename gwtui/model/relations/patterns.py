"""Which deployment patterns a cluster's gateways form, each with the objects that prove it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gwtui.model import resources
from gwtui.model.ids import GatewayKey
from gwtui.model.kgateway import HttpListenerPolicy, ListenerPolicy
from gwtui.model.relations.backends import BY_MIRROR
from gwtui.model.relations.front_doors import nlb_evidence
from gwtui.model.relations.inventory import Inventory
from gwtui.model.shape import FrontDoor, GatewayNode, Hop, PatternFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What patterns are recognised from."""

    inventory: Inventory
    nodes: Mapping[GatewayKey, GatewayNode]
    hops: tuple[Hop, ...]
    doors: Mapping[GatewayKey, tuple[FrontDoor, ...]]
    """Ways in from outside, for every Gateway that has any, of whatever tier."""

    def edges(self) -> Iterator[tuple[GatewayKey, GatewayKey]]:
        """Gateway to Gateway hops that carry real requests, not copies."""
        for hop in self.hops:
            if isinstance(hop.target, GatewayKey) and hop.rule != BY_MIRROR:
                yield hop.source, hop.target

    def managed_edges(self) -> list[tuple[GatewayKey, GatewayKey]]:
        """The same between Gateways of kgateway."""
        nodes = self.nodes
        return [edge for edge in self.edges() if nodes[edge[0]].is_managed and nodes[edge[1]].is_managed]

    def exposed(self) -> list[GatewayNode]:
        """Gateways of kgateway that can be reached from outside the cluster."""
        return [node for key, node in self.nodes.items() if node.is_managed and self.doors.get(key)]

    def door_text(self, key: GatewayKey) -> str:
        """How a Gateway is exposed."""
        return ", ".join(f"{door.kind} {door.name}" for door in self.doors[key])


def simple_ingress(evidence: Evidence) -> list[str]:
    """One exposed Gateway and no hop between Gateways (D5)."""
    exposed = evidence.exposed()
    if len(exposed) != 1 or evidence.managed_edges():
        return []
    return [f"{exposed[0].key} is the only exposed gateway ({evidence.door_text(exposed[0].key)})"]


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
    """Another proxy before a Gateway that no Gateway of ours leads to (D8). Lines that start with `hint` prove little.

    Ingress objects are not read, so an Ingress before a Gateway is not seen.
    """
    nodes = evidence.nodes
    entered = {target for _, target in evidence.managed_edges()}
    entries = [node for node in nodes.values() if node.is_managed and node.key not in entered]
    lines = []
    for node in entries:
        for key in node.services:
            service = evidence.inventory.services[(key.namespace, key.name)]
            found = nlb_evidence(service)
            if found:
                lines.append(f"{node.key}: Service {key} has {found}")
            elif service.spec.load_balancer_class:
                lines.append(f"{node.key}: Service {key} has loadBalancerClass={service.spec.load_balancer_class}")
    for source, target in sorted(set(evidence.edges())):
        if nodes[target].is_managed and not nodes[source].is_managed:
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


PATTERNS: tuple[tuple[str, Callable[[Evidence], list[str]]], ...] = (
    ("external-front-door", external_front_door),
    ("sharded", sharded),
    ("sharded-central-ingress", sharded_central_ingress),
    ("simple-ingress", simple_ingress),
)
"""Every pattern that is recognised, sorted by id."""


def patterns_of(evidence: Evidence) -> tuple[PatternFound, ...]:
    """Return every pattern there is evidence for, sorted by id."""
    found = ((pattern, tuple(recognise(evidence))) for pattern, recognise in PATTERNS)
    return tuple(PatternFound(id=pattern, evidence=lines) for pattern, lines in found if lines)
