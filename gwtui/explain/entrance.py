"""Which listener of a gateway takes a request, and which virtual host looks at it.

*Source:* kgateway 2.0 to 2.4: one filter chain for all plain HTTP listeners of a port, one for each other listener,
chosen by the server name of the TLS handshake. Envoy looks into the most specific virtual host alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gwtui.explain.course import Listening
from gwtui.explain.precedence import takes_host
from gwtui.explain.request import Request
from gwtui.explain.terrain import Terrain
from gwtui.explain.virtual_hosts import UNKNOWN_LISTENER, Place, VirtualHost
from gwtui.model.gateway_api import Gateway
from gwtui.model.ids import GatewayKey
from gwtui.model.kubernetes import Condition
from gwtui.model.names import ANY_HOST, listener, listener_set_route_config

_PLAIN, _SECURE, _THROUGH, _BARE = "HTTP", "HTTPS", "TLS", "TCP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """Where a request enters a gateway."""

    listeners: tuple[Listening, ...] = ()
    """Those whose hostname takes it, the most specific first."""
    route_config: str = ""
    host: VirtualHost | None = None
    """None where no virtual host takes it."""
    refusal: str = ""
    """Why there is no connection at all; empty where there is one."""
    is_passed_through: bool = False
    """Whether only the connection is forwarded: nobody looks at the request."""
    is_unseen: bool = False
    """Whether a route is attached in a way that is not read, so that listener and host are a guess."""
    notes: tuple[str, ...] = ()
    is_exact: bool = True
    """Whether the listener has the port that the request names."""

    def rank(self, *, is_port_named: bool) -> int:
        """How well it takes the request; less is better.

        Where the URL names no port, a route for the very host tells more than the port that its scheme implies.
        """
        if self.refusal or self.host is None:
            return 6 if self.refusal else 4 if self.is_exact else 5
        is_own, is_exact = self.host.host not in {ANY_HOST, ""}, self.is_exact
        if is_port_named:
            return 2 * (not is_exact) + (not is_own)
        return 2 * (not is_own) + (not is_exact)


def entrance(
    terrain: Terrain, gateway: GatewayKey, request: Request, *, port: int | None, is_outside: bool
) -> Entrance:
    """Return where a request enters a gateway.

    Args:
        terrain: The cluster.
        gateway: The gateway.
        request: As it arrives.
        port: The port it is sent to; None where nothing tells.
        is_outside: Whether a client sends it, so that something before the gateway may map ports or end TLS. Between
            gateways a port is a port.
    """
    places, notes = _usable(terrain, gateway)
    kinds = (_SECURE, _THROUGH) if request.is_encrypted else (_PLAIN,)
    kinds = (*kinds, _BARE) if request.scheme != "tcp" else (_BARE, _THROUGH)
    on_port = [each for each in places if each.listener.port == port]
    found = _best(terrain, gateway, request, [each for each in on_port if each.listener.protocol in kinds])
    if found is not None:
        return _with(found, notes)
    if not is_outside:
        return _between(terrain, gateway, request, on_port, _Sent(port, tuple(notes)))
    speaking = [each for each in places if each.listener.protocol in kinds and each.listener.protocol != _BARE]
    if not speaking and request.is_encrypted:
        speaking = [each for each in places if each.listener.protocol == _PLAIN]
        notes = [*notes, "it has no TLS listener: TLS must end before it"] if speaking else notes
    found = _best(terrain, gateway, request, speaking)
    if found is not None:
        ports = ", ".join(dict.fromkeys(str(each.port) for each in found.listeners)) or "?"
        if not request.is_encrypted or (found.listeners[:1] and found.listeners[0].protocol != _PLAIN):
            named = f"port {port}" if port is not None else "that port"
            notes = [*notes, f"nothing listens on {named}: what stands before it must lead to {ports}"]
        return _with(found, notes, is_exact=False)
    unseen = VirtualHost(gateway, UNKNOWN_LISTENER, request.host)
    serving = terrain.hosts.serving(unseen)
    if serving is not None:
        return Entrance(host=serving, is_unseen=True, notes=tuple(notes))
    spoken = ", ".join(dict.fromkeys(f"{each.listener.protocol} {each.listener.port}" for each in places)) or "nothing"
    what = f"{request.scheme} on port {port}" if port is not None else request.scheme
    return Entrance(refusal=f"no listener takes {what}: it listens for {spoken}", notes=tuple(notes))


def service_entrance(terrain: Terrain, gateway: GatewayKey, service: str) -> VirtualHost | None:
    """Return the virtual host of a waypoint for a Service that routes steer; None where no route does."""
    return terrain.hosts.serving(VirtualHost(gateway, f"Service {service}", ANY_HOST))


class _Sent(NamedTuple):
    """Where a proxy sends to, and what there is to say of the listeners there."""

    port: int | None
    notes: tuple[str, ...]


def _between(
    terrain: Terrain, gateway: GatewayKey, request: Request, on_port: Sequence[Place], sent: _Sent
) -> Entrance:
    """Where a proxy's request enters the next gateway on a port that has no listener for it."""
    if not on_port:
        serving = terrain.hosts.serving(VirtualHost(gateway, UNKNOWN_LISTENER, request.host))
        if serving is not None:
            return Entrance(host=serving, is_unseen=True, notes=sent.notes)
        return Entrance(refusal=f"it has no listener on port {sent.port}", notes=sent.notes)
    spoken = ", ".join(dict.fromkeys(each.listener.protocol for each in on_port))
    what = "TLS" if request.is_encrypted else "plain HTTP"
    return Entrance(refusal=f"{what} is sent to port {sent.port}, which takes {spoken}", notes=sent.notes)


def _with(found: Entrance, notes: Iterable[str], *, is_exact: bool = True) -> Entrance:
    return Entrance(
        listeners=found.listeners,
        route_config=found.route_config,
        host=found.host,
        refusal=found.refusal,
        is_passed_through=found.is_passed_through,
        notes=(*notes, *found.notes),
        is_exact=is_exact,
    )


def _best(terrain: Terrain, gateway: GatewayKey, request: Request, places: Sequence[Place]) -> Entrance | None:
    """The entrance by some listeners, that with a virtual host first; None where there is no listener."""
    found = list(_entrances(terrain, gateway, request, places))
    return min(found, key=lambda each: (bool(each.refusal), each.host is None), default=None)


def _entrances(terrain: Terrain, gateway: GatewayKey, request: Request, places: Sequence[Place]) -> Iterator[Entrance]:
    by_port: dict[int, list[Place]] = {}
    for each in places:
        by_port.setdefault(each.listener.port, []).append(each)
    for port in sorted(by_port):
        plain = [each for each in by_port[port] if each.listener.protocol == _PLAIN]
        if plain:
            host = terrain.hosts.serving(VirtualHost(gateway, plain[0].name, request.host))
            yield Entrance(listeners=_taking(plain, request.host), route_config=listener(port), host=host)
        secure = [each for each in by_port[port] if each.listener.protocol in {_SECURE, _THROUGH}]
        if secure:
            yield _secure(terrain, gateway, request, secure)
        for each in by_port[port]:
            if each.listener.protocol == _BARE:
                yield Entrance(
                    listeners=(_listening(each),),
                    host=terrain.hosts.serving(VirtualHost(gateway, each.name, ANY_HOST)),
                    is_passed_through=True,
                )


def _secure(terrain: Terrain, gateway: GatewayKey, request: Request, places: Sequence[Place]) -> Entrance:
    """The entrance by TLS: the listener is chosen by the server name, the most specific hostname first."""
    able = [each for each in places if takes_host(each.listener.hostname, request.sni)]
    if not able:
        names = ", ".join(each.listener.hostname for each in places)
        return Entrance(refusal=f"no TLS listener is for {request.sni}: the handshake fails (there are {names})")
    place = min(able, key=lambda each: _specificity(each.listener.hostname))
    is_through = place.listener.protocol == _THROUGH
    notes = (f"the handshake asks for {request.sni}, the request for {request.host}",) if request.server_name else ()
    return Entrance(
        listeners=(_listening(place),),
        route_config="" if is_through else _secure_config(place),
        host=terrain.hosts.serving(VirtualHost(gateway, place.name, request.sni if is_through else request.host)),
        is_passed_through=is_through,
        notes=notes,
    )


def _secure_config(place: Place) -> str:
    if place.owner_kind == "Gateway":
        return place.listener.name
    return listener_set_route_config(*place.owner, place.listener.name)


def _taking(places: Iterable[Place], host: str) -> tuple[Listening, ...]:
    able = [each for each in places if takes_host(each.listener.hostname, host)]
    return tuple(_listening(each) for each in sorted(able, key=lambda each: _specificity(each.listener.hostname)))


def _specificity(pattern: str) -> tuple[int, int]:
    """An exact name before the longest wildcard, any host last."""
    if pattern in {"", ANY_HOST}:
        return 2, 0
    return (1 if pattern.startswith("*.") else 0), -len(pattern)


def _listening(place: Place) -> Listening:
    own = place.listener
    name = own.name if place.owner_kind == "Gateway" else f"{place.owner[0]}/{place.owner[1]}/{own.name}"
    return Listening(name=name, port=own.port, protocol=own.protocol, hostname=own.hostname)


def _usable(terrain: Terrain, gateway: GatewayKey) -> tuple[list[Place], list[str]]:
    """The listeners that their controller did not refuse, and what is to be said of the others."""
    notes, kept = [], []
    for place in terrain.places(gateway):
        why = _refused(_status(terrain, gateway, place))
        if why:
            notes.append(f"listener {place.listener.name} is not in force: {why}")
        else:
            kept.append(place)
    return kept, notes


def _status(terrain: Terrain, gateway: GatewayKey, place: Place) -> Iterator[Condition]:
    """What its controller says of a listener, and of the ListenerSet it is of."""
    if place.owner_kind == "Gateway":
        found: Gateway | None = terrain.inventory.gateways.get(gateway)
        told = found.status.listeners if found is not None else ()
    else:
        _, listener_set = terrain.inventory.listener_sets[place.owner]
        yield from (each for each in listener_set.status.conditions if each.type == "Accepted")
        told = listener_set.status.listeners
    yield from (condition for each in told if each.name == place.listener.name for condition in each.conditions)


def _refused(conditions: Iterable[Condition]) -> str:
    for each in conditions:
        if _is_fatal(each):
            return f"{each.type}={each.status} ({each.reason or 'no reason given'})"
    return ""


def _is_fatal(condition: Condition) -> bool:
    if condition.type == "Programmed":
        return condition.status == "False" and condition.reason == "Invalid"
    return (condition.type, condition.status) in {("Conflicted", "True"), ("Accepted", "False")}
