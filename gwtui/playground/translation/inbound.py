"""The listener of a waypoint: one filter chain per port of every Service whose traffic it takes.

*Source:* names and shapes of kgateway's waypoint. A chain is chosen by the address the client asked for, which the
PROXY protocol header restores.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gwtui.playground.translation.attachment import Attachment
from gwtui.playground.translation.listeners import LISTENER, filter_chain
from gwtui.playground.translation.references import Target
from gwtui.playground.translation.routes import ROUTE_CONFIGURATION, Hosts, route_configuration
from gwtui.playground.translation.waypoints import services_of
from gwtui.playground.world import Json, World, key_of

NAME = "proxy_protocol_inbound"
_PROXY_PROTOCOL = "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"


@dataclass(slots=True)
class Inbound:
    """What a waypoint's listener consists of."""

    chains: list[Json] = field(default_factory=list)
    routes: dict[str, Json] = field(default_factory=dict)
    targets: set[Target] = field(default_factory=set)

    def listener(self, port: int) -> Json:
        """The Listener resource, on a port of the pod."""
        return {
            "@type": LISTENER,
            "name": NAME,
            "address": {"socketAddress": {"address": "0.0.0.0", "portValue": port}},  # noqa: S104
            "listenerFilters": [
                {"name": "envoy.filters.listener.proxy_protocol", "typedConfig": {"@type": _PROXY_PROTOCOL}}
            ],
            "filterChains": self.chains,
        }


def translate_inbound(world: World, waypoint: Json, attached: Iterable[Attachment]) -> Inbound:
    """Translate the Services of a waypoint; `attached` are the attachments of its own routes."""
    found = Inbound()
    routes = list(attached)
    for service in services_of(world, waypoint):
        for port in service["spec"].get("ports", ()):
            namespace, name = key_of(service)
            target = Target(namespace, name, port["port"])
            chain = f"fc_http_{target.port}_{name}_{namespace}"
            mine = [each for each in routes if _is_for(each, target)]
            resource, needed = _route_configuration(world, chain, target, mine)
            found.routes[chain] = resource
            found.targets |= needed
            found.chains.append(
                {
                    **filter_chain(chain, ()),
                    "filterChainMatch": {
                        "destinationPort": target.port,
                        "prefixRanges": [{"addressPrefix": service["spec"]["clusterIP"], "prefixLen": 32}],
                    },
                }
            )
    return found


def _is_for(attachment: Attachment, target: Target) -> bool:
    parent = attachment.parent
    namespace = parent.get("namespace") or attachment.route["metadata"]["namespace"]
    return (namespace, parent["name"], parent.get("port", target.port)) == (target.namespace, target.name, target.port)


def _route_configuration(
    world: World, name: str, target: Target, attached: list[Attachment]
) -> tuple[Json, set[Target]]:
    if attached:
        hosts = Hosts(name, only=f"http_routes_{target.name}_{target.namespace}")
        for each in attached:
            hosts.add(each, ("*",))
        return route_configuration(world, hosts)
    virtual_host = f"vh_http_{target.port}_{target.name}_{target.namespace}"
    route = {
        "name": f"{virtual_host}-route-0-matcher-0",
        "match": {"prefix": "/"},
        "route": {"cluster": target.cluster, "clusterNotFoundResponseCode": "INTERNAL_SERVER_ERROR"},
    }
    resource: Json = {
        "@type": ROUTE_CONFIGURATION,
        "name": name,
        "virtualHosts": [{"name": virtual_host, "domains": ["*"], "routes": [route]}],
        "ignorePortInHostMatching": True,
    }
    return resource, {target}
