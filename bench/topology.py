"""T1: following one change in the topology of a large cluster against relating all of it.

The cluster has 200 Gateways, 5,000 HTTPRoutes, 5,000 Services and 20,000 endpoints with their pods and EndpointSlices.
Twenty front Gateways lead to nine shards each; a shard serves a namespace of its own, where every tenth route delegates
to the next one and every twentieth copies its requests.

Prints one JSON line. CPU is process time of a whole fold (`reduce`) of one change, the median over interleaved
repetitions in one process, garbage collection held off as the store holds it off. Memory is what allocations of a first
topology leave behind. Run with `python -m bench.topology`.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from msgspec.structs import replace

from gwtui.model import resources
from gwtui.model.controllers import KGATEWAY_CONTROLLER
from gwtui.model.gateway_api import (
    GATEWAY_API,
    Gateway,
    GatewayClass,
    GatewayClassSpec,
    GatewaySpec,
    GatewayStatus,
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
)
from gwtui.model.ids import NamespacedName
from gwtui.model.kubernetes import (
    Condition,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    IngressPoint,
    LoadBalancerStatus,
    Namespace,
    Pod,
    PodStatus,
    Service,
    ServicePort,
    ServiceSpec,
    ServiceStatus,
)
from gwtui.model.meta import Meta
from gwtui.model.observations import KindChanged, KindListed
from gwtui.model.reduction import reduce
from gwtui.model.relations.controllers import GATEWAY_NAME_LABEL
from gwtui.model.route_filters import Filter, MirrorTarget, RequestMirror
from gwtui.model.snapshot import Snapshot
from gwtui.model.topology import relate

CLUSTER = "bench"
SPACE = "infra"
FRONTS = 20
SHARDS = 180
ROUTES = 5_000
SERVICES = 5_000
ROUTED = ROUTES - SHARDS
PODS_PER_SERVICE = 4
PROXIES_PER_GATEWAY = 2
REPETITIONS = 15
GOAL = 0.02
ENDPOINT_SLICES = "endpointslices.discovery.k8s.io"

Objects = dict[str, dict[NamespacedName, Any]]
Change = Callable[[int], KindChanged]


def fleet() -> Objects:
    """Every object of the cluster, by resource and name."""
    found: Objects = {kind: {} for kind in (*resources.TOPOLOGY, ENDPOINT_SLICES)}
    for kind, made in (*_gateways(), *_workloads(), *_routes()):
        found[kind][(made.metadata.namespace, made.metadata.name)] = made
    return found


def _gateways() -> Iterator[tuple[str, Any]]:
    spec = GatewayClassSpec(controller_name=KGATEWAY_CONTROLLER)
    yield resources.GATEWAY_CLASSES, GatewayClass(metadata=Meta(name="kgateway"), spec=spec)
    for name in (*map(_front, range(FRONTS)), *map(_shard, range(SHARDS))):
        labels = {GATEWAY_NAME_LABEL: name, "kgateway": "kube-gateway"}
        listener = Listener(name="http", port=8080, protocol="HTTP")
        yield (
            resources.GATEWAYS,
            Gateway(
                metadata=Meta(name=name, namespace=SPACE, uid=f"uid-{name}", generation=1),
                spec=GatewaySpec(gateway_class_name="kgateway", listeners=(listener,)),
                status=GatewayStatus(conditions=_conditions(1)),
            ),
        )
        is_front = name.startswith("front")
        status = LoadBalancerStatus(ingress=(IngressPoint(hostname=f"{name}.example.net"),) if is_front else ())
        kind = "LoadBalancer" if is_front else "ClusterIP"
        yield (
            resources.SERVICES,
            Service(
                metadata=Meta(name=name, namespace=SPACE, labels=labels),
                spec=ServiceSpec(type=kind, ports=(ServicePort(port=8080),), selector=labels),
                status=ServiceStatus(load_balancer=status),
            ),
        )
        for number in range(PROXIES_PER_GATEWAY):
            yield resources.PODS, _pod(f"{name}-{number}", SPACE, labels)


def _workloads() -> Iterator[tuple[str, Any]]:
    for number in range(SHARDS):
        yield resources.NAMESPACES, Namespace(metadata=Meta(name=_space(number)))
    for number in range(SERVICES):
        name, space, labels = _app(number), _space(number), {"app": _app(number)}
        spec = ServiceSpec(ports=(ServicePort(port=8080),), selector=labels)
        yield resources.SERVICES, Service(metadata=Meta(name=name, namespace=space), spec=spec)
        pods = [_pod(f"{name}-{replica}", space, labels) for replica in range(PODS_PER_SERVICE)]
        yield from ((resources.PODS, pod) for pod in pods)
        yield (
            ENDPOINT_SLICES,
            EndpointSlice(
                metadata=Meta(name=name, namespace=space, labels={"kubernetes.io/service-name": name}),
                served_endpoints=tuple(Endpoint(addresses=(pod.status.pod_ip,)) for pod in pods),
                served_ports=(EndpointPort(port=8080),),
            ),
        )


def _routes() -> Iterator[tuple[str, Any]]:
    for number in range(SHARDS):
        name = f"to-{_shard(number)}"
        rule = HttpRule(backend_refs=(HttpBackendRef(name=_shard(number), port=8080),))
        yield resources.HTTP_ROUTES, _route(name, SPACE, _front(number % FRONTS), number, (rule,))
    for number in range(ROUTES - SHARDS):
        gateway = "" if number % 10 == 9 else _shard(number % SHARDS)
        yield resources.HTTP_ROUTES, _route(_app(number), _space(number), gateway, number, tuple(_rules(number)))


def _rules(number: int) -> Iterator[HttpRule]:
    """Two backends by weight; sometimes a copy of the requests, sometimes a part that another route takes."""
    copies = RequestMirror(backend_ref=MirrorTarget(name=_app(number), port=8080), percent=5)
    yield HttpRule(
        matches=(HttpMatch(path=PathMatch(value="/part" if number % 10 == 9 else "/")),),
        filters=(Filter(type="RequestMirror", request_mirror=copies),) if number % 20 == 0 else (),
        backend_refs=(
            HttpBackendRef(name=_app(number), port=8080, weight=90),
            HttpBackendRef(name=_app((number + SHARDS) % ROUTED), port=8080, weight=10),
        ),
    )
    if number % 10 == 0:
        child = HttpBackendRef(group=GATEWAY_API, kind="HTTPRoute", name=_app(number + 9), namespace=_space(number + 9))
        yield HttpRule(matches=(HttpMatch(path=PathMatch(value="/part")),), backend_refs=(child,))


def _route(name: str, space: str, gateway: str, number: int, rules: tuple[HttpRule, ...]) -> HttpRoute:
    """A route of a Gateway; without one, the child of another route."""
    parents = (ParentRef(name=gateway, namespace=SPACE),) if gateway else ()
    return HttpRoute(
        metadata=Meta(name=name, namespace=space, generation=1, resource_version=str(number)),
        spec=HttpRouteSpec(parent_refs=parents, hostnames=(f"{name}.example.com",) if gateway else (), rules=rules),
        status=RouteStatus(
            parents=tuple(
                RouteParentStatus(parent_ref=parent, controller_name=KGATEWAY_CONTROLLER, conditions=_conditions(1))
                for parent in parents
            )
        ),
    )


def _pod(name: str, space: str, labels: dict[str, str]) -> Pod:
    ready = (Condition(type="Ready", status="True"),)
    status = PodStatus(phase="Running", pod_ip="10.0.0.1", conditions=ready)
    return Pod(metadata=Meta(name=name, namespace=space, labels=labels), status=status)


def _conditions(generation: int) -> tuple[Condition, ...]:
    return tuple(
        Condition(type=kind, status="True", reason=kind, observed_generation=generation)
        for kind in ("Accepted", "ResolvedRefs", "Programmed")
    )


def _front(number: int) -> str:
    return f"front-{number:02}"


def _shard(number: int) -> str:
    return f"shard-{number:03}"


def _space(number: int) -> str:
    return f"team-{number % SHARDS:03}"


def _app(number: int) -> str:
    return f"app-{number:04}"


def changes(objects: Objects) -> dict[str, Change]:
    """One change of every kind that is measured, by name; each takes a number that makes it differ from the last."""
    routes, pods, gateways = (objects[kind] for kind in (resources.HTTP_ROUTES, resources.PODS, resources.GATEWAYS))
    name = (_space(1001), _app(1001))
    route: HttpRoute = routes[name]
    workload = (_space(7), f"{_app(7)}-0")
    proxy = (SPACE, f"{_shard(5)}-0")
    gateway = (SPACE, _shard(5))

    def one(kind: str, key: NamespacedName, made: Any) -> KindChanged:
        return KindChanged(CLUSTER, kind, {key: made})

    def weight(number: int) -> KindChanged:
        (rule,) = route.spec.rules
        light, heavy = rule.backend_refs
        shifted = (replace(light, weight=number), replace(heavy, weight=100 - number))
        spec = replace(route.spec, rules=(replace(rule, backend_refs=shifted),))
        return one(resources.HTTP_ROUTES, name, replace(route, spec=spec))

    def backend(number: int) -> KindChanged:
        (rule,) = route.spec.rules
        moved = (replace(rule.backend_refs[0], name=_app(1001 + SHARDS * (number % 9))),)
        spec = replace(route.spec, rules=(replace(rule, backend_refs=moved),))
        return one(resources.HTTP_ROUTES, name, replace(route, spec=spec))

    def status(number: int) -> KindChanged:
        (parent,) = route.status.parents
        claimed = (replace(parent, conditions=_conditions(number)),)
        return one(resources.HTTP_ROUTES, name, replace(route, status=replace(route.status, parents=claimed)))

    def pod(key: NamespacedName, number: int) -> KindChanged:
        status = replace(pods[key].status, phase="Running" if number % 2 else "Pending")
        return one(resources.PODS, key, replace(pods[key], status=status))

    def gateway_status(number: int) -> KindChanged:
        claimed = replace(gateways[gateway].status, conditions=_conditions(number))
        return one(resources.GATEWAYS, gateway, replace(gateways[gateway], status=claimed))

    return {
        "weight": weight,
        "backend": backend,
        "status": status,
        "proxy_pod": partial(pod, proxy),
        "workload_pod": partial(pod, workload),
        "gateway_status": gateway_status,
    }


def cpu_seconds(run: Callable[[], Any]) -> tuple[float, Any]:
    """CPU of a call, with garbage collected before it and not during it, and what it returns."""
    gc.collect()
    gc.disable()
    started = time.process_time()
    result = run()
    took = time.process_time() - started
    gc.enable()
    return took, result


def held_bytes(objects: Objects) -> int:
    """What a topology and the memory that follows its changes hold beside the objects."""
    listed = [KindListed(CLUSTER, kind, found) for kind, found in objects.items()]
    gc.collect()
    tracemalloc.start()
    snapshot = reduce(Snapshot(), listed)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The mappings that hold the objects are the snapshot's, not the topology's.
    return held - sum(map(sys.getsizeof, snapshot.clusters[CLUSTER].objects.values()))


def main() -> None:
    objects = fleet()
    listed = [KindListed(CLUSTER, kind, found) for kind, found in objects.items()]
    snapshot = reduce(Snapshot(), listed)
    made = changes(objects)
    full: list[float] = []
    cpu: dict[str, list[float]] = {name: [] for name in made}
    is_equal = True
    for number in range(REPETITIONS):
        took, _ = cpu_seconds(partial(relate, CLUSTER, objects))
        full.append(took)
        for name, change in made.items():
            took, snapshot = cpu_seconds(partial(reduce, snapshot, (change(number + 1),)))
            cpu[name].append(took)
        view = snapshot.clusters[CLUSTER]
        is_equal = is_equal and view.topology == relate(CLUSTER, view.objects)
    ratios = {
        name: statistics.median(one / whole for one, whole in zip(times, full, strict=True))
        for name, times in cpu.items()
    }
    topology = snapshot.clusters[CLUSTER].topology
    print(
        json.dumps(
            {
                "id": "T1",
                "cpu_ratio": {name: round(ratio, 4) for name, ratio in ratios.items()},
                "goal": GOAL,
                "equal": is_equal,
                "met": is_equal and max(ratios.values()) <= GOAL,
                "full_ms": round(1000 * statistics.median(full), 1),
                "change_ms": {name: round(1000 * statistics.median(times), 2) for name, times in cpu.items()},
                "memory_held_bytes": held_bytes(objects),
                "gateways": len(topology.gateways),
                "routes": len(objects[resources.HTTP_ROUTES]),
                "pods": len(objects[resources.PODS]),
                "hops": len(topology.hops),
                "repetitions": REPETITIONS,
                "load_average": round(os.getloadavg()[0], 2),
            }
        )
    )


if __name__ == "__main__":
    main()
