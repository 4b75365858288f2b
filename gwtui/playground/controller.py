"""The control loop: whenever an object changes, everything that follows from the objects is made true again.

A pass is level-triggered and writes only differences, so it may run as often as it likes and always ends in rest.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from gwtui.playground import deployer, mesh, status, workloads
from gwtui.playground.api.server import PodPorts
from gwtui.playground.api.store import Lagged, Store
from gwtui.playground.faults import PAUSED, WEIGHTS, Fault, Faults, route_key, shifted
from gwtui.playground.fleet.cloud import Cloud, Entry
from gwtui.playground.fleet.ports import LOOPBACK
from gwtui.playground.fleet.proxies import PodKey, Proxies
from gwtui.playground.fleet.tunnels import Tunnels
from gwtui.playground.pod_status import pod_status, stamp
from gwtui.playground.translation.attachment import Attachment, attachments
from gwtui.playground.translation.clusters import ready_addresses
from gwtui.playground.translation.gateway import translate
from gwtui.playground.translation.references import Target
from gwtui.playground.translation.waypoints import inbound, services_of
from gwtui.playground.world import (
    CONTROLLER,
    DEPLOYMENTS,
    GATEWAY_CLASSES,
    GATEWAYS,
    GRPC_ROUTES,
    HTTP_ROUTES,
    LISTENER_POLICIES,
    PODS,
    REPLICASETS,
    SERVICES,
    TRAFFIC_POLICIES,
    WATCHED,
    Json,
    World,
    is_owned,
    key_of,
)

MANAGER = "kgateway"
"""Field manager of everything the controller writes."""

POD_NETWORK = "198.18.0.0/16"
"""Addresses of pods: a range set aside for benchmarks (RFC 2544), so that nothing real answers there."""


class Controller:
    """Plays kgateway, the Deployment and endpoint controllers, the kubelet's status reports and the cloud.

    Args:
        store: the objects.
        pod_ports: where the ports of pods really listen.
        proxies: the proxy pods.
        cloud: the entry points.
        tunnels: the ways to waypoints.
        faults: what goes wrong on purpose.
        report: takes a line about a pass that failed.
    """

    def __init__(
        self,
        store: Store,
        pod_ports: PodPorts,
        *,
        proxies: Proxies,
        cloud: Cloud,
        tunnels: Tunnels,
        faults: Sequence[Fault] = (),
        report: Callable[[str], None],
    ) -> None:
        self._store = store
        self._pod_ports = pod_ports
        self._proxies = proxies
        self._cloud = cloud
        self._tunnels = tunnels
        self._faults = Faults(faults, self._begin)
        self._report = report
        self._serials = itertools.count(1)
        self._addresses = ipaddress.ip_network(POD_NETWORK).hosts()
        self._ips: dict[PodKey, str] = {}
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Something changed that is not an object: a proxy came up or went down."""
        self._news.set()

    async def run(self) -> None:
        """Follow the objects until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow())
                self._news.set()
                while True:
                    await self._news.wait()
                    self._news.clear()
                    self._proxies.check()
                    self._cloud.check()
                    self._tunnels.check()
                    try:
                        self.reconcile()
                    except Exception as error:  # noqa: BLE001 - one odd object must not end the control loop
                        self._report(f"controller: a pass failed: {error!r}")
        finally:
            self._faults.stop()

    def start_faults(self) -> None:
        """Let the time of the faults run: everything they are to break works now."""
        self._faults.start()

    def _begin(self, fault: Fault) -> None:
        """A fault begins: change what it changes, and look at everything again."""
        if fault.kind == WEIGHTS and (route := self._store.find(*route_key(fault))) is not None:
            self._store.put(shifted(route, fault.weights), manager="somebody")
        self.wake()

    def reconcile(self) -> None:
        """One pass: objects, pods, endpoints, entry points, Envoy configuration, claims."""
        now = datetime.now(UTC)
        self._deploy(World.read(self._store))
        for pod in mesh.recaptured(World.read(self._store)):
            self._store.put(pod, manager="istio-cni")
        self._run_pods(World.read(self._store), now)
        world = World.read(self._store)
        for service in world.all(SERVICES):
            found = workloads.endpoint_slice(service, world.within(PODS, service["metadata"]["namespace"]))
            if found is not None:
                self._store.put(found, manager="endpointslice-controller")
        world = World.read(self._store)
        attached = attachments(world)
        self._balance(world)
        if any(_is_paused(each) for each in world.all(GATEWAY_CLASSES)):
            return
        self._configure(world, attached)
        self._claim(world, attached, stamp(now))

    def pod_address(self, key: PodKey) -> str:
        """The address of a pod, the same for as long as the pod lives."""
        if key not in self._ips:
            self._ips[key] = str(next(self._addresses))
        return self._ips[key]

    async def _follow(self) -> None:
        while True:
            subscription = self._store.subscribe()
            self._news.set()
            try:
                async for change in subscription:
                    if change.resource in WATCHED:
                        self._news.set()
            except Lagged:
                continue
            finally:
                subscription.close()

    def _put(self, obj: Json) -> Json:
        return self._store.put(obj, manager=MANAGER)

    def _deploy(self, world: World) -> None:
        """Write what belongs to each Gateway, down to its pods."""
        for gateway in world.gateways():
            for obj in deployer.objects_for(world, gateway):
                self._put(obj)
        world = World.read(self._store)
        for gateway in world.gateways():
            deployment = world.get(DEPLOYMENTS, *self._object_key(gateway))
            if deployment is not None:
                self._scale(world, deployment)

    def _scale(self, world: World, deployment: Json) -> None:
        namespace, replicas = deployment["metadata"]["namespace"], deployment["spec"]["replicas"]
        present = self._put(workloads.replica_set(deployment))
        current = workloads.pods_of(world, present)
        outdated: list[Json] = []
        for other in world.within(REPLICASETS, namespace):
            if is_owned(other, deployment) and key_of(other) != key_of(present):
                pods = workloads.pods_of(world, other)
                outdated += pods
                if not pods:
                    self._store.delete(REPLICASETS, *key_of(other))
        for _ in range(replicas - len(current)):
            self._put(workloads.new_pod(present, next(self._serials)))
        for pod in workloads.excess_pods(current, outdated, replicas):
            self._store.delete(PODS, *key_of(pod))

    def _run_pods(self, world: World, now: datetime) -> None:
        """Match the running proxies to the pods, and the pods' status to the running proxies."""
        wanted: set[PodKey] = set()
        for gateway in world.gateways():
            for pod in self._pods(world, gateway):
                key = key_of(pod)
                wanted.add(key)
                self._proxies.start(key, self._object_key(gateway)[1], deployer.proxy_role(gateway))
                self._proxies.lease(key, deployer.listener_ports(gateway))
                if (state := self._proxies.state(key)) is not None:
                    self._store.put_status(PODS, *key, pod_status(pod, self.pod_address(key), state, now))
        for key in self._proxies.pods():
            if key not in wanted:
                self._proxies.retire(key)
                self._ips.pop(key, None)
        world = World.read(self._store)
        for deployment in world.all(DEPLOYMENTS):
            self._count_pods(world, deployment, stamp(now))

    def _count_pods(self, world: World, deployment: Json, now: str) -> None:
        pods = []
        for each in world.within(REPLICASETS, deployment["metadata"]["namespace"]):
            if is_owned(each, deployment):
                mine = workloads.pods_of(world, each)
                self._store.put_status(REPLICASETS, *key_of(each), workloads.replica_set_status(each, mine))
                pods += mine
        self._store.put_status(DEPLOYMENTS, *key_of(deployment), workloads.deployment_status(deployment, pods, now))

    def _balance(self, world: World) -> None:
        """Give every listener an entry point over its ready proxies, and every Service of a waypoint a way to it."""
        backends = {}
        tunnels = {}
        for gateway in world.gateways():
            namespace, name = self._object_key(gateway)
            entrance = inbound(gateway)
            for listener in gateway["spec"].get("listeners", ()):
                target = Target(namespace, name, listener["port"])
                proxies = ready_addresses(world, target, self._pod_ports)
                if listener is not entrance:
                    backends[Entry(namespace, gateway["metadata"]["name"], listener["name"])] = proxies
                    continue
                for service in services_of(world, gateway):
                    for port in service["spec"].get("ports", ()):
                        tunnels[service["spec"]["clusterIP"], port["port"]] = proxies
        self._cloud.balance(backends)
        self._tunnels.follow(tunnels)

    def _configure(self, world: World, attached: list[Attachment]) -> None:
        self._faults.wished(world.gateways())
        for gateway in world.gateways():
            config = translate(world, gateway, attached, self._pod_ports)
            namespace, _ = key_of(gateway)
            pods = sorted(pod["metadata"]["name"] for pod in self._pods(world, gateway))
            hung = self._faults.hung("/".join(key_of(gateway)), pods)
            for pod in pods:
                self._proxies.hang((namespace, pod), hangs=pod in hung)
            for pod, reached in self._faults.sent("/".join(key_of(gateway)), pods, config).items():
                self._proxies.configure((namespace, pod), reached)

    def _claim(self, world: World, attached: list[Attachment], now: str) -> None:
        """Write the status of everything that has one."""
        for gateway_class in world.all(GATEWAY_CLASSES):
            if gateway_class["spec"].get("controllerName") == CONTROLLER:
                self._say(GATEWAY_CLASSES, gateway_class, status.class_status(gateway_class, now))
        for gateway in world.gateways():
            addresses = self._expose(world, gateway)
            self._say(GATEWAYS, gateway, status.gateway_status(world, gateway, attached, addresses, now))
        for resource in (HTTP_ROUTES, GRPC_ROUTES):
            for route in world.all(resource):
                self._say(resource, route, status.route_status(world, route, attached, now))
        for resource in (TRAFFIC_POLICIES, LISTENER_POLICIES):
            for policy in world.all(resource):
                self._say(resource, policy, status.policy_status(world, policy, attached, now))

    def _say(self, resource: str, item: Json, claim: Json) -> None:
        if item.get("status") != claim:
            self._store.put_status(resource, *key_of(item), claim, manager=MANAGER)

    def _expose(self, world: World, gateway: Json) -> list[str]:
        """The addresses of a Gateway; a load balancer's address is written to the Service as well."""
        service = world.get(SERVICES, *self._object_key(gateway))
        if service is None:
            return []
        if service["spec"]["type"] != "LoadBalancer":
            return [service["spec"]["clusterIP"]]
        if service["metadata"].get("finalizers"):
            # Another controller has made a load balancer for it: the address is what that one says.
            held = service["status"]["loadBalancer"].get("ingress", ())
            return [each.get("hostname") or each["ip"] for each in held]
        ports = [{"port": each["port"], "protocol": each["protocol"]} for each in service["spec"]["ports"]]
        ingress = [{"ip": LOOPBACK, "ports": ports}]
        self._store.put_status(SERVICES, *key_of(service), {"loadBalancer": {"ingress": ingress}}, manager="cloud")
        return [LOOPBACK]

    def _pods(self, world: World, gateway: Json) -> list[Json]:
        """The proxy pods of a Gateway, by way of its Deployment's ReplicaSets."""
        namespace, name = self._object_key(gateway)
        deployment = world.get(DEPLOYMENTS, namespace, name)
        if deployment is None:
            return []
        sets = [each for each in world.within(REPLICASETS, namespace) if is_owned(each, deployment)]
        return [pod for each in sets for pod in workloads.pods_of(world, each)]

    @staticmethod
    def _object_key(gateway: Json) -> tuple[str, str]:
        namespace, name = key_of(gateway)
        return namespace, deployer.safe_name(name)


def _is_paused(gateway_class: Json) -> bool:
    metadata = gateway_class["metadata"]
    is_ours = gateway_class["spec"].get("controllerName") == CONTROLLER
    return is_ours and (metadata.get("annotations") or {}).get(PAUSED) == "true"
