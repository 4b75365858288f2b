"""Names kgateway generates, for Kubernetes objects and inside Envoy.

Names are generated and compared, never taken apart: `-` is legal inside namespaces and names, so the parts of a route
name cannot be told from each other. *Source:* kgateway 2.0 to 2.4, whose generated names agree.
"""

from __future__ import annotations

import re
from hashlib import sha256

LABEL_LIMIT = 63
"""Longest Kubernetes label value and Service name."""

ANY_HOST = "*"

_VARIABLE = re.compile(r"\{\{\s*(route_namespace|route_name|rule_name)\s*\}\}")


def safe(name: str) -> str:
    """Return the name of the objects made for a Gateway: its own, or a cut one with a hash when over 63 characters."""
    if len(name) <= LABEL_LIMIT:
        return name
    return f"{name[:50].rstrip('-')}-{sha256(name.encode()).hexdigest()[:12]}"


def service_cluster(namespace: str, service: str, port: int) -> str:
    """Return the Envoy cluster of a Service; `port` is the Service port, not its target port."""
    return f"kube_{namespace}_{service}_{port}"


def backend_cluster(namespace: str, backend: str) -> str:
    """Return the Envoy cluster of a kgateway Backend."""
    return f"backend_{namespace}_{backend}_0"


def service_entry_cluster(namespace: str, entry: str, host: str, port: int) -> str:
    """Return the Envoy cluster of one host of a ServiceEntry."""
    return f"istio-se_{namespace}_{entry}_{host}_{port}"


def listener(port: int) -> str:
    """Return the Envoy listener of a port, which is also the route configuration of its plain HTTP listeners."""
    return f"listener~{port}"


def listener_set_route_config(namespace: str, listener_set: str, section: str) -> str:
    """Return the route configuration of an HTTPS listener in a ListenerSet.

    An HTTPS listener of the Gateway itself has its own name as route configuration.
    """
    return f"{namespace}/{listener_set}/{section}"


def l4_filter_chain(port: int, namespace: str, route: str) -> str:
    """Return the filter chain and stat prefix of a TCPRoute or TLSRoute."""
    return f"{listener(port)}-{namespace}.{route}-rule-0"


def host_part(hostname: str) -> str:
    """Return how a hostname appears in a virtual host name; no hostname is `*`."""
    return (hostname or ANY_HOST).replace(".", "_")


def virtual_host(route_config: str, hostname: str) -> str:
    """Return the virtual host of a hostname (`*` or empty: every host) within a route configuration."""
    return f"{route_config.replace('.', '_')}~{host_part(hostname)}"


def route_core(*, kind: str, namespace: str, name: str, rule: int, match: int, rule_name: str = "") -> str:
    """Return the part of an Envoy route name that identifies one match of one rule.

    The whole name is `<virtual host>-route-<position>-<core>-matcher-<match>`; the position moves with every edit.

    Args:
        kind: `HTTPRoute` or `GRPCRoute`.
        namespace: Namespace of the route.
        name: Name of the route.
        rule: Position in `spec.rules`, from 0.
        match: Position in the rule's matches, from 0.
        rule_name: The rule's name, when it has one.
    """
    core = f"{kind.lower()}-{name}-{namespace}-{rule}-{match}"
    return f"{core}-{rule_name}" if rule_name else core


def stat_prefix(template: str, *, namespace: str, name: str, rule_name: str = "") -> str:
    """Return a TrafficPolicy's `statPrefix` for one rule of one route.

    Dot-separated segments that come out empty (a rule without a name) are dropped.
    """
    values = {"route_namespace": namespace, "route_name": name, "rule_name": rule_name}
    expanded = _VARIABLE.sub(lambda found: values[found[1]], template)
    return ".".join(segment for segment in expanded.split(".") if segment)
