"""One of the two states of a cluster, before or after a change, as its rules and what they lead to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from gwtui.changes.rule_pairs import delegations_of
from gwtui.explain.virtual_hosts import VirtualHosts
from gwtui.model.gateway_api import Route, Rule
from gwtui.model.ids import ExternalKey, GatewayKey, ObjectKey, ServiceKey
from gwtui.model.relations.inventory import Inventory
from gwtui.model.shape import Hop, RouteShare, ShareRole
from gwtui.model.snapshot import ClusterView

Target = tuple[str, GatewayKey | ServiceKey | ExternalKey]
"""Name of the type and key of what a hop leads to: keys of different types may be equal."""


class PlacedRule(NamedTuple):
    """One rule on one gateway."""

    gateway: GatewayKey
    route: ObjectKey
    position: int


class Side:
    """One of the two states of the cluster."""

    def __init__(self, view: ClusterView) -> None:
        self.view = view
        self.nodes = {node.key: node for node in view.topology.gateways}
        self._branches: dict[PlacedRule, list[tuple[Hop, RouteShare]]] = {}
        for hop in view.topology.hops:
            for share in hop.shares:
                rule = PlacedRule(hop.source, share.route, share.rule_index)
                self._branches.setdefault(rule, []).append((hop, share))
        self._hosts: dict[ObjectKey, dict[PlacedRule, set[str]]] = {}
        self._virtual_hosts: dict[frozenset[GatewayKey], VirtualHosts] = {}

    def route(self, key: ObjectKey) -> Route | None:
        """A route of this state."""
        found: Route | None = self.view.objects.get(key.resource, {}).get((key.namespace, key.name))
        return found

    def gateways(self, key: ObjectKey) -> set[GatewayKey]:
        """The gateways a route has a place on, be it as a child."""
        return {gateway for gateway, node in self.nodes.items() if key in node.routes}

    def hosts(self, key: ObjectKey) -> Mapping[PlacedRule, set[str]]:
        """The rules of a route that are in force, each with the hostnames it has."""
        if key not in self._hosts:
            found: dict[PlacedRule, set[str]] = {}
            hosts = self._on(frozenset(self.gateways(key)))
            route = self.route(key)
            rules: tuple[Rule, ...] = route.spec.rules if route is not None else ()
            # Rules that delegate have no match of their own in a virtual host.
            handing_on = [position for position, rule in enumerate(rules) if delegations_of(rule)]
            for place in hosts.of({key}):
                own = [each.rule_index for each in hosts.candidates(place) if each.route == key]
                for position in (*own, *handing_on):
                    found.setdefault(PlacedRule(place.gateway, key, position), set()).add(place.host)
            self._hosts[key] = found
        return self._hosts[key]

    def _on(self, gateways: frozenset[GatewayKey]) -> VirtualHosts:
        """The virtual hosts of these gateways: most routes of a change have their places on the same ones."""
        if gateways not in self._virtual_hosts:
            inventory = Inventory(self.view.name, self.view.objects, self.view.scopes)
            nodes = [self.nodes[gateway] for gateway in sorted(gateways)]
            self._virtual_hosts[gateways] = VirtualHosts(inventory, nodes)
        return self._virtual_hosts[gateways]

    def rules(self, gateway: GatewayKey) -> Mapping[PlacedRule, object]:
        """Every rule that sends something from a gateway, with what decides how much: equal while nothing differs."""
        return {
            rule: sorted((share.hostnames, *map(str, hop.target), share.intended) for hop, share in branches)
            for rule, branches in self._branches.items()
            if rule.gateway == gateway
        }

    def parts(self, rule: PlacedRule | None) -> dict[Target, float]:
        """What each target gets of a rule's requests, copies included."""
        groups: dict[tuple[str, ...], dict[Target, float]] = {}
        for hop, share in self._branches.get(rule, ()) if rule is not None else ():
            if share.role is not ShareRole.STANDBY:
                group = groups.setdefault(share.hostnames, {})
                target = (type(hop.target).__name__, hop.target)
                group[target] = group.get(target, 0.0) + share.intended
        # A child has the same parts under each of its parents.
        return next(iter(groups.values()), {})
