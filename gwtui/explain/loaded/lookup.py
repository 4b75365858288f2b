"""The way of a request through what a proxy has loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from gwtui.explain.loaded.actions import action_of, shares_of
from gwtui.explain.loaded.answers import MISSHAPEN, Answer, Body, CannotTell, Forward, Loaded, Unrouted, misshapen
from gwtui.explain.loaded.domains import Hosted, hosted
from gwtui.explain.loaded.entrance import Entrance, entrance_of
from gwtui.explain.loaded.filters import caveats_of
from gwtui.explain.loaded.matches import overridable, takes
from gwtui.explain.loaded.seen import Seen, seen, without_parameters, without_port
from gwtui.explain.request import Request
from gwtui.model.inspection import ConfigResource

_VERSION = re.compile(r"(\d+)\.(\d+)")
_SINGLE_SINCE = (1, 39)
"""Since this version several values of a header are compared one by one."""


def in_force(resources: Iterable[ConfigResource]) -> tuple[Body, ...]:
    """Return the bodies of what is in force: without what is warming and what was refused."""
    return tuple(each.body for each in resources if each.body and not each.digest.is_warming)


def loaded_route(
    listeners: Iterable[Body],
    routes: Iterable[Body],
    request: Request,
    *,
    listener: str = "",
    port: int = 0,
    version: str = "",
) -> Answer:
    """Return what a proxy would do with a request.

    Args:
        listeners: Its listeners, see `in_force`.
        routes: Its route configurations.
        request: As it arrives there.
        listener: Name of the listener it comes in by: `listener~8080`.
        port: Where that listens, for when there is none of that name; 0 when it is not known.
        version: `1.38.1`, as the proxy tells it; empty when it is not known.
    """
    entrance = entrance_of(listeners, request, listener=listener, port=port)
    if not isinstance(entrance, Entrance):
        return entrance
    try:
        return _through(entrance, routes, request, version)
    except MISSHAPEN:
        return misshapen()


def _through(entrance: Entrance, routes: Iterable[Body], request: Request, version: str) -> Answer:
    """What becomes of a request that came in."""
    if entrance.manager is None:
        return _passed_on(entrance)
    if request.method == "CONNECT":
        return CannotTell("a CONNECT has no path, and is taken by other rules")
    prepared = seen(request, entrance.manager, port=entrance.port, is_encrypted=entrance.is_encrypted)
    if isinstance(prepared, CannotTell):
        return prepared
    table = table_of(entrance.manager, routes)
    if isinstance(table, CannotTell | Unrouted):
        return table
    return route_in(table, prepared, entrance.manager, version=version)


def table_of(manager: Body, routes: Iterable[Body]) -> Body | Unrouted | CannotTell:
    """Return the route configuration of a connection manager."""
    try:
        return _table_of(manager, routes)
    except MISSHAPEN:
        return misshapen()


def _table_of(manager: Body, routes: Iterable[Body]) -> Body | Unrouted | CannotTell:
    if "route_config" in manager:
        inline: Body = manager["route_config"]
        return inline
    if "rds" not in manager:
        return CannotTell("the route configuration depends on the request")
    name = manager["rds"].get("route_config_name", "")
    found = next((each for each in routes if each.get("name") == name), None)
    return found or Unrouted(reason=f"the proxy has not loaded the route configuration {name}", routes=name)


def route_in(table: Body, prepared: Seen, manager: Body, *, version: str = "") -> Answer:
    """Return what a route configuration makes of a request.

    Args:
        table: The route configuration.
        prepared: The request.
        manager: The connection manager, for the filters.
        version: Of the proxy; empty when it is not known.
    """
    place = host_in(table, prepared)
    unrouted = Unrouted(
        reason=f"no virtual host takes {prepared.authority}",
        routes=table.get("name", ""),
        caveats=tuple(caveats_of(manager, table)),
    )
    if place is None:
        return unrouted
    if isinstance(place, CannotTell):
        return place
    return _within(place, table, prepared, unrouted, manager=manager, version=version)


def _within(place: Hosted, table: Body, prepared: Seen, unrouted: Unrouted, *, manager: Body, version: str) -> Answer:
    """What a virtual host makes of a request it takes."""
    virtual_host = place.virtual_host
    unrouted = replace(
        unrouted,
        reason="no route of the virtual host takes it",
        virtual_host=virtual_host.get("name", ""),
        domain=place.domain,
        caveats=tuple(caveats_of(manager, virtual_host, table)),
    )
    if "matcher" in virtual_host:
        return CannotTell("the virtual host picks its route by a matcher tree, which is not read here")
    if virtual_host.get("require_tls", "NONE") != "NONE" and prepared.scheme != "https":
        if prepared.scheme == "http" and virtual_host["require_tls"] == "ALL":
            return replace(unrouted, reason="the virtual host asks for TLS", status=301)
        return CannotTell("the virtual host asks some clients for TLS")
    found = _winner(table, virtual_host, replace(prepared, touched=touched_in(table, prepared)), version)
    if found is None or isinstance(found, CannotTell):
        return found or unrouted
    index, route = found
    return Loaded(
        routes=unrouted.routes,
        virtual_host=unrouted.virtual_host,
        domain=place.domain,
        index=index,
        route=route.get("name", ""),
        action=action_of(route),
        caveats=(*caveats_of(manager, route, virtual_host, table), *_overrides(virtual_host, route, index)),
    )


def host_in(table: Body, prepared: Seen) -> Hosted | CannotTell | None:
    """Return the virtual host that takes a request; None when none does."""
    if "vhost_header" in table:
        return CannotTell(f"the virtual host is named by the header {table['vhost_header']}")
    host = without_port(prepared.authority) if table.get("ignore_port_in_host_matching") else prepared.authority
    found = hosted(table.get("virtual_hosts", ()), host)
    if found is None and "vhds" in table:
        return CannotTell("the proxy asks its control plane for virtual hosts it does not know")
    return found


def touched_in(table: Body, prepared: Seen) -> frozenset[str]:
    """Return the headers of which it is not known what the proxy makes of them."""
    return prepared.touched | {each.lower() for each in table.get("internal_only_headers", ())}


def _winner(table: Body, virtual_host: Body, prepared: Seen, version: str) -> tuple[int, Body] | CannotTell | None:
    """The first route that takes a request."""
    ignores = table.get("ignore_path_parameters_in_path_matching")
    path = without_parameters(prepared.path) if ignores else prepared.path
    is_joined = _is_joined(version)
    for index, route in enumerate(virtual_host.get("routes", ())):
        verdict = takes(route.get("match") or {}, prepared, path=path, is_joined=is_joined)
        if isinstance(verdict, CannotTell):
            return CannotTell(f"of route {route.get('name') or index}: {verdict.reason}")
        if verdict:
            return index, route
    return None


def _is_joined(version: str) -> bool | None:
    """Whether several values of a header are compared as one text; None when it is not known.

    Older versions may have got the newer way as a fix, so of them it is not known either.
    """
    found = _VERSION.match(version)
    return False if found and (int(found[1]), int(found[2])) >= _SINGLE_SINCE else None


def _overrides(virtual_host: Body, route: Body, index: int) -> Iterator[str]:
    """What somebody may have changed at run time, as sentences."""
    for each in virtual_host.get("routes", ())[: index + 1]:
        if key := overridable(each.get("match") or {}):
            yield f"the runtime key {key} may change which requests are taken"
    if prefix := ((route.get("route") or {}).get("weighted_clusters") or {}).get("runtime_key_prefix"):
        yield f"runtime keys that begin with {prefix} may change the weights"


def _passed_on(entrance: Entrance) -> Answer:
    shares = shares_of(entrance.tcp_proxy or {})
    action = shares if isinstance(shares, CannotTell) else Forward(shares=shares)
    return Loaded(routes="", virtual_host="", domain="", index=0, route=entrance.chain, action=action)
