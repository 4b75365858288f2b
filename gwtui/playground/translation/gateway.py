"""The whole configuration of one Gateway's proxies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gwtui.playground.translation.attachment import Attachment
from gwtui.playground.translation.clusters import (
    assignment,
    cluster,
    ready_addresses,
    speaks_http2,
    static_cluster,
)
from gwtui.playground.translation.inbound import NAME, translate_inbound
from gwtui.playground.translation.listeners import (
    certificates,
    conflicting,
    filter_chain,
    listener_name,
    listener_resource,
    secured,
)
from gwtui.playground.translation.policies import protection, upgrades
from gwtui.playground.translation.references import Target
from gwtui.playground.translation.routes import Hosts, route_configuration
from gwtui.playground.translation.waypoints import inbound, sends_to_waypoint
from gwtui.playground.world import SERVICES, Addresses, Json, World, key_of


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """Envoy resources of every proxy of a Gateway, as a control plane would send them."""

    listeners: Mapping[str, Json]
    routes: Mapping[str, Json]
    clusters: Mapping[str, Json]
    endpoints: Mapping[str, Json]
    """By cluster name, those of type EDS alone."""


def translate(world: World, gateway: Json, attached: Iterable[Attachment], addresses: Addresses) -> ProxyConfig:
    """Translate one Gateway.

    Args:
        world: every object.
        gateway: a Gateway of ours.
        attached: the attachments of all Gateways.
        addresses: where the ports of pods really listen.
    """
    key = key_of(gateway)
    mine = [each for each in attached if key_of(each.gateway) == key]
    listeners: dict[str, Json] = {}
    routes: dict[str, Json] = {}
    targets: set[Target] = set()
    for port in sorted({each["port"] for each in gateway["spec"].get("listeners", ())}):
        chains = []
        for hosts, chain in _chains(world, gateway, port, mine):
            resource, needed = route_configuration(world, hosts)
            routes[hosts.name] = resource
            targets |= needed
            chains.append(chain)
        if chains:
            listeners[listener_name(port)] = listener_resource(port, chains)
    if (entrance := inbound(gateway)) is not None:
        taken = translate_inbound(world, gateway, mine)
        listeners[NAME] = taken.listener(entrance["port"])
        routes |= taken.routes
        targets |= taken.targets
    clusters: dict[str, Json] = {}
    endpoints: dict[str, Json] = {}
    for target in sorted(targets):
        service = world.get(SERVICES, target.namespace, target.name)
        if service is not None and not target.host and sends_to_waypoint(world, gateway, service):
            address = addresses.get(("", service["spec"]["clusterIP"], target.port))
            clusters[target.cluster] = static_cluster(target.cluster, address)
        else:
            own = {} if target.host else protection(world, target.namespace, target.name)
            clusters[target.cluster] = {**cluster(target.cluster, is_http2=speaks_http2(world, target)), **own}
            endpoints[target.cluster] = assignment(target.cluster, ready_addresses(world, target, addresses))
    return ProxyConfig(listeners=listeners, routes=routes, clusters=clusters, endpoints=endpoints)


def _chains(world: World, gateway: Json, port: int, mine: list[Attachment]) -> list[tuple[Hosts, Json]]:
    """The route configurations of a port with their filter chains: one for plain HTTP, one per HTTPS listener."""
    found: list[tuple[Hosts, Json]] = []
    enabled = upgrades(world, gateway, port)
    plain = Hosts(listener_name(port))
    has_plain = False
    unserved = conflicting(gateway)
    for listener in gateway["spec"].get("listeners", ()):
        if listener["port"] != port or listener["name"] in unserved:
            continue
        if listener["protocol"] == "HTTP":
            has_plain = True
            _collect(plain, listener, mine)
        elif listener["protocol"] == "HTTPS":
            usable = certificates(world, gateway["metadata"]["namespace"], listener)
            if usable:
                hosts = Hosts(listener["name"])
                _collect(hosts, listener, mine)
                found.append((hosts, secured(filter_chain(hosts.name, enabled), listener, usable)))
    return [(plain, filter_chain(plain.name, enabled)), *found] if has_plain else found


def _collect(hosts: Hosts, listener: Json, mine: list[Attachment]) -> None:
    for attachment in mine:
        for own, hostnames in attachment.listeners:
            if own["name"] == listener["name"]:
                hosts.add(attachment, hostnames)
