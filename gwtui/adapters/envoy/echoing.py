"""Routes of a proxy made harmless: each answers with its own place instead of doing anything.

What decides about a request stays as it is: domains and their order, matches and their order. What is done with it
goes: clusters, redirects, retries, header edits, filters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gwtui.errors import NotServed
from gwtui.explain.loaded.answers import Body
from gwtui.explain.loaded.entrance import Entrance

PLACE = "x-gwtui-place"
"""Header of the answers: positions of the virtual host and of the route, `3/7`."""

_TABLE_MEMBERS = (
    "name", "ignore_port_in_host_matching", "ignore_path_parameters_in_path_matching", "vhost_header",
)  # fmt: skip
_HOST_MEMBERS = ("name", "domains", "require_tls")
_MANAGER_MEMBERS = (
    "normalize_path", "merge_slashes", "path_with_escaped_slashes_action", "strip_any_host_port",
    "strip_trailing_host_dot",
)  # fmt: skip


def echoing(table: Body) -> dict[str, Any]:
    """Return a route configuration whose routes answer with their place.

    Args:
        table: A route configuration, as a proxy writes it.

    Raises:
        NotServed: a virtual host picks its route by a matcher tree, whose actions are not replaced here.
    """
    if any("matcher" in each for each in table.get("virtual_hosts", ())):
        raise NotServed("a virtual host picks its route by a matcher tree, which cannot be tried", "send the request")
    hosts = [_host(position, each) for position, each in enumerate(table.get("virtual_hosts", ()))]
    return {**_some(table, _TABLE_MEMBERS), "virtual_hosts": hosts}


def preparing(entrance: Entrance, *, drops_port: bool) -> dict[str, Any]:
    """Return the members of a connection manager that prepare a request before routes see it.

    Args:
        entrance: Where requests come in at the proxy.
        drops_port: Whether the proxy drops the port from the host since it is its own. Ours listens on none.
    """
    manager = entrance.manager or {}
    found = _some(manager, _MANAGER_MEMBERS)
    if drops_port:
        found["strip_any_host_port"] = True
    options: Mapping[str, Any] = manager.get("common_http_protocol_options") or {}
    if action := options.get("headers_with_underscores_action"):
        found["common_http_protocol_options"] = {"headers_with_underscores_action": action}
    scheme = (manager.get("scheme_header_transformation") or {}).get("scheme_to_overwrite")
    scheme = scheme or ("https" if entrance.is_encrypted else "http")
    return {**found, "scheme_header_transformation": {"scheme_to_overwrite": scheme}}


def _host(position: int, virtual_host: Body) -> dict[str, Any]:
    routes = [_route(f"{position}/{index}", each) for index, each in enumerate(virtual_host.get("routes", ()))]
    return {**_some(virtual_host, _HOST_MEMBERS), "routes": routes}


def _route(place: str, route: Body) -> dict[str, Any]:
    return {
        **_some(route, ("name",)),
        "match": route.get("match") or {},
        "direct_response": {"status": 200},
        "response_headers_to_add": [{"header": {"key": PLACE, "value": place}}],
    }


def _some(body: Body, members: tuple[str, ...]) -> dict[str, Any]:
    return {each: body[each] for each in members if each in body}
