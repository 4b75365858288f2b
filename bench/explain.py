"""X2: explaining one request in a cluster of 10,000 routes, again and again.

One front Gateway splits the requests of a host over two shards, of which each has 5,000 routes: half of them rules of
that one host, so that thousands compete in one virtual host, half of them hosts of their own.

Prints one JSON line. CPU is process time, the median over repetitions with other paths, garbage collection held off.
The floor is looking at every path of that virtual host once, and nothing else. `first_ms` is the very first question,
`after_change_ms` the first one after a change of endpoints, as they come all the time. Run with
`python -m bench.explain`.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from gwtui.explain.entries import Question, explained
from gwtui.explain.request import request_of
from gwtui.explain.terrain import ENDPOINT_SLICES, Terrain
from gwtui.model import resources
from gwtui.model.controllers import KGATEWAY_CONTROLLER
from gwtui.model.gateway_api import (
    AllowedRoutes,
    FromNamespaces,
    Gateway,
    GatewayClass,
    GatewayClassSpec,
    GatewaySpec,
    HttpBackendRef,
    HttpMatch,
    HttpRoute,
    HttpRouteSpec,
    HttpRule,
    Listener,
    ParentRef,
    PathMatch,
    RouteParentStatus,
    RouteStatus,
    ValueMatch,
)
from gwtui.model.ids import NamespacedName, ObjectKey
from gwtui.model.kubernetes import Condition, Endpoint, EndpointSlice, Service, ServicePort, ServiceSpec
from gwtui.model.meta import AuthoredMeta, Meta
from gwtui.model.relations.controllers import GATEWAY_NAME_LABEL
from gwtui.model.snapshot import ClusterView
from gwtui.model.topology import relate
from gwtui.views.explain import explanation_lines

CLUSTER, SPACE, HOST = "bench", "infra", "shop.example.com"
SHARDS = 2
ROUTES = 10_000
SERVICES = 500
REPETITIONS = 30
GOAL_MS = 50.0

Objects = dict[str, dict[NamespacedName, Any]]


def fleet() -> Objects:
    """Every object of the cluster, by resource and name."""
    found: Objects = {kind: {} for kind in (*resources.TOPOLOGY, ENDPOINT_SLICES, resources.TRAFFIC_POLICIES)}
    for kind, made in (*_gateways(), *_services(), *_routes()):
        found[kind][(made.metadata.namespace, made.metadata.name)] = made
    return found


def _gateways() -> Iterator[tuple[str, Any]]:
    spec = GatewayClassSpec(controller_name=KGATEWAY_CONTROLLER)
    yield resources.GATEWAY_CLASSES, GatewayClass(metadata=Meta(name="kgateway"), spec=spec)
    for name in ("front", *(f"shard-{number}" for number in range(SHARDS))):
        allowed = AllowedRoutes(namespaces=FromNamespaces(from_="All"))
        listener = Listener(name="http", port=8080, allowed_routes=allowed)
        gateway = GatewaySpec(gateway_class_name="kgateway", listeners=(listener,))
        yield resources.GATEWAYS, Gateway(metadata=Meta(name=name, namespace=SPACE, uid=name), spec=gateway)
        yield resources.SERVICES, _service(SPACE, name, {GATEWAY_NAME_LABEL: name})


def _services() -> Iterator[tuple[str, Any]]:
    for number in range(SERVICES):
        name = f"app-{number}"
        yield resources.SERVICES, _service("apps", name, {})
        slice_ = EndpointSlice(
            metadata=Meta(name=name, namespace="apps", labels={"kubernetes.io/service-name": name}),
            served_endpoints=tuple(Endpoint(addresses=(f"10.0.{number % 250}.{each}",)) for each in range(3)),
        )
        yield ENDPOINT_SLICES, slice_


def _service(namespace: str, name: str, labels: dict[str, str]) -> Service:
    meta = Meta(name=name, namespace=namespace, labels=labels)
    return Service(metadata=meta, spec=ServiceSpec(ports=(ServicePort(port=8080),)))


def _routes() -> Iterator[tuple[str, Any]]:
    split = tuple(HttpBackendRef(name=f"shard-{number}", port=8080) for number in range(SHARDS))
    yield resources.HTTP_ROUTES, _route(SPACE, "split", "front", HOST, HttpRule(backend_refs=split))
    for number in range(ROUTES):
        shard = number % SHARDS
        is_shared = number // SHARDS % 2 == 0
        headers = (ValueMatch(name="x-tenant", value=str(number)),) if number % 7 == 0 else ()
        match = HttpMatch(path=PathMatch(value=f"/team-{number}/api"), headers=headers)
        rule = HttpRule(matches=(match,), backend_refs=(HttpBackendRef(name=f"app-{number % SERVICES}", port=8080),))
        host = HOST if is_shared else f"host-{number}.example.com"
        yield resources.HTTP_ROUTES, _route("apps", f"route-{number}", f"shard-{shard}", host, rule)


def _route(namespace: str, name: str, gateway: str, host: str, rule: HttpRule) -> HttpRoute:
    parent = ParentRef(name=gateway, namespace=SPACE)
    condition = Condition(type="Accepted", status="True", reason="Accepted")
    status = RouteParentStatus(parent_ref=parent, controller_name=KGATEWAY_CONTROLLER, conditions=(condition,))
    return HttpRoute(
        metadata=AuthoredMeta(name=name, namespace=namespace, creation_timestamp="2026-01-01T00:00:00Z"),
        spec=HttpRouteSpec(parent_refs=(parent,), hostnames=(host,), rules=(rule,)),
        status=RouteStatus(parents=(status,)),
    )


def _cpu_ms(act: Callable[[], object]) -> float:
    begin = time.process_time()
    act()
    return (time.process_time() - begin) * 1000


def main() -> int:
    """Return the exit code."""
    objects = fleet()
    view = ClusterView(name=CLUSTER, objects=objects, topology=relate(CLUSTER, objects))
    numbers = [(each * 397) // 4 * 4 % ROUTES for each in range(REPETITIONS)]

    def ask(terrain: Terrain, number: int) -> None:
        found = explained((terrain,), Question(request=request_of(f"http://{HOST}:8080/team-{number}/api/x")))
        lines = explanation_lines(found, 120)
        assert found.courses[0].first.contest is not None
        assert lines

    terrain = Terrain(view)
    first_ms = _cpu_ms(lambda: ask(terrain, 0))
    changed = {**objects, ENDPOINT_SLICES: dict(objects[ENDPOINT_SLICES])}
    later = Terrain(ClusterView(name=CLUSTER, objects=changed, topology=view.topology), before=terrain)
    after_change_ms = _cpu_ms(lambda: ask(later, 4))
    places = [place for place in later.hosts.of(frozenset(_all(objects))) if place.host == HOST]
    paths = [each.match.path.value for place in places for each in later.hosts.candidates(place)]
    gc.disable()
    warm = statistics.median(_cpu_ms(lambda number=number: ask(later, number)) for number in numbers)  # type: ignore[misc]
    floor = statistics.median(_cpu_ms(lambda: [path for path in paths if path == "/"]) for _ in numbers)
    gc.enable()
    print(
        json.dumps(
            {
                "id": "X2",
                "routes": ROUTES + 1,
                "competing": len(paths),
                "cpu_ms": round(warm, 2),
                "floor_ms": round(floor, 2),
                "first_ms": round(first_ms),
                "after_change_ms": round(after_change_ms, 1),
                "goal_ms": GOAL_MS,
                "met": warm < GOAL_MS,
            }
        )
    )
    return 0 if warm < GOAL_MS else 1


def _all(objects: Objects) -> Iterator[Any]:

    for namespace, name in objects[resources.HTTP_ROUTES]:
        yield ObjectKey(CLUSTER, resources.HTTP_ROUTES, namespace, name)


if __name__ == "__main__":
    sys.exit(main())
