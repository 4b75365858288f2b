"""Where a request comes in: the front doors that may take it, and its course from each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from gwtui.errors import UsageError
from gwtui.explain.course import Course, Explanation
from gwtui.explain.entrance import Entrance, entrance
from gwtui.explain.request import Request
from gwtui.explain.terrain import Terrain
from gwtui.explain.walk import Arrival, Walk, normal
from gwtui.model.ids import GatewayKey
from gwtui.model.relations.backends import service_of_host
from gwtui.model.relations.waypoints import Subject
from gwtui.model.shape import GatewayNode, GatewayRole

MOST_COURSES = 4
"""Front doors from which a request is followed; more are named."""


class _Entry(NamedTuple):
    """A gateway that a request may come in by."""

    rank: int
    tier: int
    gateway: GatewayKey
    entrance: Entrance


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be explained."""

    request: Request
    entry: tuple[str, str] | None = None
    """(namespace, name) of the gateway it comes in by; None finds the front doors."""
    cluster: str = ""
    """Kubeconfig context of that gateway; empty is any."""


def explained(terrains: Iterable[Terrain], question: Question) -> Explanation:
    """Return what becomes of a request.

    Args:
        terrains: The clusters.
        question: The request, and where it comes in.

    Raises:
        UsageError: the gateway it is to come in by does not exist.
    """
    by_cluster = {each.cluster: each for each in terrains if question.cluster in {"", each.cluster}}
    notes: tuple[str, ...]
    if question.entry is not None:
        chosen, notes = _named(by_cluster.values(), question.entry), ()
    else:
        chosen, notes = _found(by_cluster.values(), question.request)
    arrivals = [_arrival(key, question.request) for key in chosen]
    if question.entry is None and (inside := list(_in_mesh(by_cluster.values(), question.request))):
        arrivals, notes = inside, (f"clients in the mesh reach Service {inside[0].service} through its waypoint",)
    if len(arrivals) > MOST_COURSES:
        names = ", ".join(str(each.gateway) for each in arrivals[MOST_COURSES:][:MOST_COURSES])
        notes = (*notes, f"{len(arrivals) - MOST_COURSES} more may take it ({names}): name one with --entry")
    notes = (*notes, *(note for each in by_cluster.values() for note in each.unread))
    courses = tuple(_course(by_cluster[each.gateway.cluster], each) for each in arrivals[:MOST_COURSES])
    return Explanation(request=question.request, courses=courses, notes=notes)


def addressed(terrains: Sequence[Terrain], request: Request) -> Request:
    """Return a request with the scheme and port of the front door that takes it best; as it is where none does."""
    best: tuple[int, Request] | None = None
    for scheme in ("http", "https"):
        asked = replace(request, scheme=scheme, port=None)
        for entry in (each for terrain in terrains for each in _entries(terrain, asked)):
            listeners = entry.entrance.listeners
            if entry.entrance.host is None or not listeners or (listeners[0].protocol == "HTTP") != (scheme == "http"):
                continue
            is_default = listeners[0].port == asked.wanted_port
            found = asked if is_default else replace(asked, port=listeners[0].port)
            if best is None or entry.rank < best[0]:
                best = entry.rank, found
    return best[1] if best is not None else request


def _arrival(gateway: GatewayKey, request: Request) -> Arrival:
    return Arrival(gateway=gateway, request=request, share=1.0, port=request.wanted_port)


def _course(terrain: Terrain, arrival: Arrival) -> Course:
    doors = () if arrival.service else terrain.doors.get(arrival.gateway, ())
    return Course(request=arrival.request, doors=doors, first=Walk(terrain).hop(arrival))


def _in_mesh(terrains: Iterable[Terrain], request: Request) -> Iterator[Arrival]:
    """The waypoint of the Service that a request names by its name in the cluster."""
    name = service_of_host(request.host)
    for terrain in terrains if name is not None else ():
        if name is not None and name in terrain.inventory.services:
            waypoint = terrain.bindings.waypoint_of.get(Subject("Service", *name))
            if waypoint is not None and waypoint in terrain.nodes:
                yield replace(_arrival(waypoint, request), service=f"{name[0]}/{name[1]}")


def _named(terrains: Iterable[Terrain], name: tuple[str, str]) -> list[GatewayKey]:
    keys = [key for terrain in terrains for key in terrain.nodes]
    found = [key for key in keys if (key.namespace, key.name) == name]
    if not found:
        known = ", ".join(str(key) for key in keys[:5]) or "none"
        raise UsageError(f"there is no Gateway {name[0]}/{name[1]}", f"there are: {known}")
    return found


def _found(terrains: Iterable[Terrain], request: Request) -> tuple[list[GatewayKey], tuple[str, ...]]:
    """The gateways that may take a request, the likeliest first, and how they were chosen."""
    entries = sorted(
        (each for terrain in terrains for each in _entries(terrain, request)),
        key=lambda each: (each.rank, each.gateway),
    )
    if not entries:
        return [], ("there is no gateway that clients can enter by",)
    best = entries[0]
    alike = [each for each in entries if each.rank == best.rank]
    if best.entrance.host is None:
        first = min(alike, key=lambda each: (each.tier, each.gateway))
        others = len(entries) - 1
        notes = (f"no gateway has a route for {request.host}; told is what {first.gateway} does",) if others else ()
        return [first.gateway], notes
    if len(alike) == 1:
        return [best.gateway], ()
    names = _listed([str(each.gateway) for each in alike])
    return [each.gateway for each in alike], (f"{names} may take it: which one does is for DNS to say",)


def _entries(terrain: Terrain, request: Request) -> Iterator[_Entry]:
    plain = normal(request)
    for key, node in terrain.nodes.items():
        if node.tier != 1 or node.role is GatewayRole.WAYPOINT:
            continue
        found = entrance(terrain, key, plain, port=request.wanted_port, is_outside=True)
        rank = -1 if _is_called(terrain, node, request) else found.rank(is_port_named=request.port is not None)
        yield _Entry(rank, node.tier, key, found)


def _is_called(terrain: Terrain, node: GatewayNode, request: Request) -> bool:
    """Whether the URL names an address of the gateway or of what stands before it."""
    gateway = terrain.inventory.gateways.get(node.key)
    addresses = {each.value for each in gateway.status.addresses} if gateway is not None else set()
    return request.sni in addresses | {door.name for door in terrain.doors.get(node.key, ())}


def _listed(names: Sequence[str]) -> str:
    """`a, b and c`; of more than four the first three."""
    shown = [*names[:3], f"{len(names) - 3} more"] if len(names) > MOST_COURSES else list(names)
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]
