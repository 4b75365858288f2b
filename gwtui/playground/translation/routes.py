"""Route configurations: virtual hosts and their routes, in the order Envoy tries them."""

from __future__ import annotations

from dataclasses import dataclass, field

from gwtui.playground.translation.attachment import Attachment
from gwtui.playground.translation.delegation import expand
from gwtui.playground.translation.matches import envoy_match
from gwtui.playground.translation.policies import stat_prefix
from gwtui.playground.translation.precedence import Candidate, kind_of, precedence
from gwtui.playground.translation.references import Target
from gwtui.playground.translation.rules import replacement, translate_rule
from gwtui.playground.world import Json, World, key_of

ROUTE_CONFIGURATION = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"


@dataclass(slots=True)
class Hosts:
    """The routes of one route configuration, collected by hostname."""

    name: str
    """Name of the route configuration (and of its filter chain)."""
    routes: dict[str, dict[tuple[str, str, str], Json]] = field(default_factory=dict)
    """By hostname, then by (kind, namespace, name) of the route."""
    only: str = ""
    """Name of the virtual host where there is but one, for every host; empty names each after its host."""

    def add(self, attachment: Attachment, hostnames: tuple[str, ...]) -> None:
        """Take in a route under its hostnames; twice is once."""
        for host in hostnames:
            self.routes.setdefault(host, {})[kind_of(attachment.route), *key_of(attachment.route)] = attachment.route


def route_configuration(world: World, hosts: Hosts) -> tuple[Json, set[Target]]:
    """The RouteConfiguration resource, and the Services its routes need clusters for."""
    targets: set[Target] = set()
    virtual_hosts = []
    for host, routes in sorted(hosts.routes.items()):
        name = hosts.only or f"{hosts.name}~{host}".replace(".", "_")
        ordered = sorted((each for route in routes.values() for each in expand(world, route)), key=precedence)
        translated = [_route(world, name, position, each, targets) for position, each in enumerate(ordered)]
        virtual_hosts.append({"name": name, "domains": [host], "routes": translated})
    resource: Json = {
        "@type": ROUTE_CONFIGURATION,
        "name": hosts.name,
        "virtualHosts": virtual_hosts,
        "ignorePortInHostMatching": True,
    }
    return resource, targets


def _route(world: World, virtual_host: str, position: int, candidate: Candidate, targets: set[Target]) -> Json:
    namespace = candidate.route["metadata"]["namespace"]
    outcome = translate_rule(world, namespace, candidate.rule, candidate.match, kind=kind_of(candidate.route))
    targets.update(outcome.targets)
    found: Json = {
        "name": _name(virtual_host, position, candidate),
        "match": envoy_match(candidate.match),
        **(replacement() if candidate.is_replaced else outcome.fields),
    }
    if prefix := stat_prefix(world, candidate.route, candidate.rule):
        found["statPrefix"], provenance = prefix
        found["metadata"] = {
            "filterMetadata": {"merge.TrafficPolicy.gateway.kgateway.dev": {"statPrefix": [provenance]}}
        }
    return found


def _name(virtual_host: str, position: int, candidate: Candidate) -> str:
    metadata = candidate.route["metadata"]
    rule_name = candidate.rule.get("name")
    suffix = f"-{rule_name}" if rule_name else ""
    return (
        f"{virtual_host}-route-{position}-{kind_of(candidate.route).lower()}-{metadata['name']}"
        f"-{metadata['namespace']}-{candidate.rule_index}-{candidate.match_index}{suffix}-matcher-{candidate.match_index}"
    )
