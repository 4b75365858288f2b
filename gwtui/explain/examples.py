"""A request that fits a rule, a gateway or a namespace: something to begin with, for who asks where requests go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from gwtui.explain.entries import addressed
from gwtui.explain.expression_syntax import Cannot, Flags, Move, Node, Repeat, Step, parse
from gwtui.explain.expressions import full_match
from gwtui.explain.fitting import is_set_on_the_way
from gwtui.explain.matching import REGEX
from gwtui.explain.precedence import Candidate
from gwtui.explain.request import GRPC_METHOD, Request
from gwtui.explain.terrain import Terrain
from gwtui.explain.virtual_hosts import VirtualHost
from gwtui.model.gateway_api import HttpMatch, ValueMatch
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.names import ANY_HOST

NO_HOST = "any.test"
"""Host of a request to what takes any."""

_LIKED = "abcdefghijklmnopqrstuvwxyz0123456789"
_LONGEST = 200
_SERVICE = "Service "
"""What names of listeners begin with that are Services of a waypoint."""


def of_rule(terrains: Sequence[Terrain], route: ObjectKey, position: int) -> Request | None:
    """Return a request that fits a rule, as a client would send it; None where it is in force nowhere."""
    terrain = next((each for each in terrains if each.cluster == route.cluster), None)
    if terrain is None:
        return None
    for place in terrain.hosts.of({route}):
        for each in terrain.hosts.candidates(place):
            if each.rule == (route, position):
                return _addressed(terrains, place, each)
    return None


def of_gateway(terrains: Sequence[Terrain], gateway: GatewayKey) -> Request | None:
    """Return a request that some rule of a gateway takes; None where it has none."""
    terrain = next((each for each in terrains if each.cluster == gateway.cluster), None)
    node = terrain.nodes.get(gateway) if terrain is not None else None
    if terrain is None or node is None:
        return None
    routes = frozenset(node.routes[:1])
    for place in terrain.hosts.of(routes):
        if place.gateway == gateway and (found := terrain.hosts.candidates(place)):
            # The last one is the broadest: what most requests take.
            return _addressed(terrains, place, found[-1])
    return None


def of_namespace(terrains: Sequence[Terrain], cluster: str, namespace: str) -> Request | None:
    """Return a request that some rule sends to a Service of a namespace; None where no rule does."""
    terrain = next((each for each in terrains if each.cluster == cluster), None)
    for hop in terrain.view.topology.hops if terrain is not None else ():
        if getattr(hop.target, "namespace", None) == namespace and not isinstance(hop.target, GatewayKey):
            for share in hop.shares:
                found = of_rule(terrains, share.route, share.rule_index)
                if found is not None:
                    return found
    return None


def _request(place: VirtualHost, candidate: Candidate) -> Request:
    match = candidate.match
    return Request(
        method=match.method or (GRPC_METHOD if candidate.route.resource.startswith("grpcroutes") else "GET"),
        scheme="http",
        host=_host(place.host),
        port=None,
        path=_path(match),
        query=tuple((each.name, _value(each)) for each in match.query_params),
        headers=tuple((each.name.lower(), _value(each)) for each in match.headers if not is_set_on_the_way(each.name)),
    )


def _addressed(terrains: Sequence[Terrain], place: VirtualHost, candidate: Candidate) -> Request:
    """The request as a client sends it: to a front door, or in the mesh to the Service a waypoint stands before."""
    found = _request(place, candidate)
    if not place.listener.startswith(_SERVICE):
        return addressed(terrains, found)
    namespace, _, name = place.listener.removeprefix(_SERVICE).partition("/")
    return replace(found, host=f"{name}.{namespace}")


def _host(pattern: str) -> str:
    if pattern in {"", ANY_HOST}:
        return NO_HOST
    return f"www{pattern[1:]}" if pattern.startswith("*.") else pattern


def _path(match: HttpMatch) -> str:
    if match.path.type != REGEX:
        return match.path.value or "/"
    found = example_of(match.path.value)
    return found if found.startswith("/") else "/"


def _value(wanted: ValueMatch) -> str:
    if wanted.type == REGEX:
        return example_of(wanted.value) or "1"
    return wanted.value or "1"


def example_of(pattern: str) -> str:
    """Return a short text that fits an expression; empty where none is found."""
    try:
        found = "".join(_letters(parse(pattern, Flags())))
    except Cannot:
        return ""
    return found if len(found) <= _LONGEST and full_match(pattern, found) else ""


def _letters(node: Node) -> Iterator[str]:
    match node:
        case Step():
            if node.move is Move.LETTER:
                yield _letter(node.letters)
        case Repeat():
            # One of what may be left out reads better: `/api/.*` becomes `/api/a`.
            times = node.least or (1 if node.most is None or node.most > 0 else 0)
            yield from (letter for _ in range(min(times, _LONGEST)) for letter in _letters(node.node))
        case tuple():
            yield from (letter for each in node for letter in _letters(each))
        case frozenset():
            yield from min(map(_text, node), key=lambda each: (len(each), each), default="")


def _text(node: Node) -> str:
    return "".join(_letters(node))


def _letter(letters: int) -> str:
    candidates: Iterable[str] = (*_LIKED, *(chr(code) for code in range(33, 127)), " ")
    found = next((each for each in candidates if letters >> ord(each) & 1), None)
    if found is None:
        raise Cannot
    return found
