"""A small Kubernetes-like server with faults, and what tests need to open it.

No real kube-apiserver can be had as a package, so `Api` stands in for one: lists with paging, watches and discovery
over real sockets, and whatever misbehaviour a test asks for. The contract suite also runs against the playground.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
import yaml
from aiohttp import WSMsgType, web

from gwtui.adapters.kubernetes.cluster import KubernetesCluster
from gwtui.adapters.kubernetes.kinds import CORE_KINDS, PODS, SERVICES
from gwtui.adapters.kubernetes.kubeconfig import load_kubeconfig
from gwtui.model.observations import KindChanged, KindListed, SourceReported


class QuickClock:
    """Real time that runs `pace` times faster, so that pauses of half a minute can be tested."""

    def __init__(self, pace=50.0):
        self.pace = pace
        self._start = time.monotonic()

    def mono(self):
        return (time.monotonic() - self._start) * self.pace

    def now(self):
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.mono())

    async def sleep(self, seconds):
        await asyncio.sleep(seconds / self.pace)


def status(code, message="", reason="", **more):
    return web.json_response(
        {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason, "code": code}
        | more,
        status=code,
    )


@dataclass
class Fault:
    """What happens to the next requests that match."""

    matches: Callable[[web.Request], bool]
    respond: Callable[[web.Request], Awaitable[web.StreamResponse]]
    times: int


@dataclass
class Api:
    """The server: put objects in, break it, look at what was asked."""

    aggregated: bool = True
    certificate: object = None
    objects: dict = field(default_factory=dict)
    log: list = field(default_factory=list)
    oldest: int = 0
    version: int = 100
    requests: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    served: dict = field(
        default_factory=lambda: {
            "/api/v1": ["namespaces", "services", "pods"],
            "/apis/discovery.k8s.io/v1": ["endpointslices"],
            "/apis/gateway.networking.k8s.io/v1": ["gateways", "httproutes"],
        }
    )
    pod_ports: dict = field(default_factory=dict)
    url: str = ""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None
    _port: int = 0
    _epoch: int = 0

    async def start(self):
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        context = None
        if self.certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self.certificate.configure_cert(context)
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=context)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self._port}"

    async def stop(self):
        self.drop_watches()
        await self._runner.cleanup()

    def put(self, path, namespace, name, **body):
        """Store an object; `path` is the collection, for example `/api/v1/services`."""
        self.version += 1
        key = (path, namespace, name)
        metadata = {"name": name, "resourceVersion": str(self.version), **body.pop("metadata", {})}
        if namespace:
            metadata["namespace"] = namespace
        kind = "MODIFIED" if key in self.objects else "ADDED"
        self.objects[key] = {"metadata": metadata, **body}
        self._record(kind, key, self.objects[key])

    def delete(self, path, namespace, name):
        self.version += 1
        gone = self.objects.pop((path, namespace, name))
        gone["metadata"]["resourceVersion"] = str(self.version)
        self._record("DELETED", (path, namespace, name), gone)

    def compact(self):
        """Forget all history: every older version is 410 from now on."""
        self.oldest = self.version
        self.log.clear()

    def drop_watches(self):
        """End every open watch in good order."""
        self._epoch += 1
        self._wake()

    def fault(self, respond, *, path="", watch=None, times=1, method=None):
        """Answer the next `times` requests below `path` with `respond(request)`."""

        def matches(request):
            is_watch = request.query.get("watch") == "true"
            return (
                request.path.startswith(path)
                and (watch is None or watch == is_watch)
                and (method is None or request.method == method)
            )

        self.faults.append(Fault(matches, respond, times))

    def asked(self, *, path="", watch=None):
        return [
            request
            for request in self.requests
            if request.path.startswith(path) and (watch is None or (request.query.get("watch") == "true") == watch)
        ]

    def _record(self, kind, key, body):
        self.log.append((self.version, kind, key, json.dumps(body)))
        self._wake()

    def _wake(self):
        event, self._changed = self._changed, asyncio.Event()
        event.set()

    async def _handle(self, request):
        self.requests.append(request)
        for fault in list(self.faults):
            if fault.matches(request):
                fault.times -= 1
                if not fault.times:
                    self.faults.remove(fault)
                return await fault.respond(request)
        if request.path.endswith("/portforward"):
            return await self._forward(request)
        if request.path == "/version":
            return web.json_response({"gitVersion": "v1.32.0-test"})
        if request.path in ("/api", "/apis"):
            return self._discovery(request)
        if request.path in self.served:
            return web.json_response({"resources": [{"name": name} for name in self.served[request.path]]})
        return await self._collection(request)

    def _discovery(self, request):
        if not self.aggregated or "g=apidiscovery" not in request.headers["Accept"]:
            return web.json_response({"kind": "APIGroupList" if request.path == "/apis" else "APIVersions"})
        items = []
        for path, plurals in self.served.items():
            parts = path.split("/")
            if (parts[1] == "api") == (request.path == "/api"):
                group = parts[2] if parts[1] == "apis" else ""
                resources = [{"resource": plural} for plural in plurals]
                items.append(
                    {"metadata": {"name": group}, "versions": [{"version": parts[-1], "resources": resources}]}
                )
        return web.json_response({"kind": "APIGroupDiscoveryList", "items": items})

    async def _collection(self, request):
        head, _, rest = request.path.partition("/namespaces/")
        base, plural = request.path.rsplit("/", 1)
        namespace = None
        if rest and "/" in rest:
            namespace, plural = rest.split("/", 1)
            base = head
        if plural not in self.served.get(base, ()):
            return web.Response(status=404, text="404 page not found\n")
        if request.query.get("watch") == "true":
            return await self._watch(request, f"{base}/{plural}", namespace)
        wanted = [
            body
            for (path, ns, _name), body in self.objects.items()
            if path == f"{base}/{plural}" and namespace in (None, ns)
        ]
        start = int(request.query.get("continue", "0").partition("-")[0])
        end = start + int(request.query.get("limit", "500"))
        metadata = {"resourceVersion": str(self.version)}
        if end < len(wanted):
            metadata["continue"] = f"{end}-token"
        return web.json_response({"kind": "List", "metadata": metadata, "items": wanted[start:end]})

    async def _watch(self, request, collection, namespace):
        since = int(request.query["resourceVersion"])
        if since < self.oldest:
            return status(410, "too old resource version", "Expired")
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        epoch = self._epoch
        try:
            while True:
                changed = self._changed
                for version, kind, (path, ns, _name), body in list(self.log):
                    if version > since and path == collection and namespace in (None, ns):
                        await response.write(f'{{"type":"{kind}","object":{body}}}\n'.encode())
                since = self.version
                if self._epoch != epoch:
                    return response
                await changed.wait()
        except ConnectionResetError:
            return response

    async def _forward(self, request):
        port = int(request.query["ports"])
        pod = request.path.split("/")[-2]
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        for channel in (0, 1):
            await socket.send_bytes(bytes([channel]) + struct.pack("<H", port))
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.pod_ports[pod, port])
        except (KeyError, OSError):
            await socket.send_bytes(b"\x01" + f"error forwarding port {port} to pod {pod}: connection refused".encode())
            await socket.close()
            return socket

        async def upward():
            while data := await reader.read(65536):
                await socket.send_bytes(b"\x00" + data)
            await socket.close()

        task = asyncio.create_task(upward())
        try:
            async for message in socket:
                if message.type is WSMsgType.BINARY and message.data[0] == 0:
                    writer.write(message.data[1:])
                    await writer.drain()
        finally:
            task.cancel()
            writer.close()
        return socket


def write_kubeconfig(path: Path, server, *, user=None, namespace="", name="lab", **cluster):
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u", "namespace": namespace}}],
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": user or {}}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


class Reading:
    """Runs a source and keeps what it says, applied as the reducer would."""

    def __init__(self, source):
        self.source = source
        self.seen = []
        self.objects = {}
        self.health = {}
        self._grown = asyncio.Event()
        self.task = asyncio.create_task(self._read())

    async def _read(self):
        async with aclosing(self.source.observe()) as observations:
            async for observation in observations:
                self.seen.append(observation)
                match observation:
                    case SourceReported():
                        self.health[observation.source] = observation.health
                    case KindListed(namespace=None):
                        self.objects = dict(observation.objects)
                    case KindListed():
                        kept = {key: body for key, body in self.objects.items() if key[0] != observation.namespace}
                        self.objects = kept | dict(observation.objects)
                    case KindChanged():
                        for key, body in observation.changes.items():
                            self.objects.pop(key, None)
                            if body is not None:
                                self.objects[key] = body
                self._grown.set()

    def state(self, name=None):
        health = self.health.get(name or self.source.id)
        return health.state.value if health else None

    async def until(self, condition, deadline_s=5.0):
        """Wait until `condition(self)`; fail with what was seen."""
        try:
            async with asyncio.timeout(deadline_s):
                while not condition(self):
                    if self.task.done():
                        self.task.result()
                        raise AssertionError("the source ended")
                    self._grown.clear()
                    await self._grown.wait()
        except TimeoutError:
            raise AssertionError(f"health {self.health}, objects {sorted(self.objects)}") from None
        return self

    async def stop(self):
        self.task.cancel()
        await asyncio.wait([self.task])


@pytest.fixture
def clock():
    return QuickClock()


@pytest.fixture
def refuse():
    return status


@pytest.fixture
def kubeconfig():
    return write_kubeconfig


@pytest.fixture
async def api():
    server = Api()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture
async def tls_api(authority):
    server = Api(certificate=authority.issue_cert("127.0.0.1"))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def ca_file(authority, tmp_path):
    path = tmp_path / "ca.crt"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def open_cluster(tmp_path, clock):
    """Open a context on a server; yields an async context manager."""

    @asynccontextmanager
    async def opened(server, kinds=CORE_KINDS, *, user=None, namespace="", acting_as=("", ()), **cluster):
        path = write_kubeconfig(tmp_path / "config", server, user=user, namespace=namespace, **cluster)
        access = load_kubeconfig(path).select().acting_as(*acting_as)
        opened_cluster = await KubernetesCluster.open(access, kinds, clock)
        try:
            yield opened_cluster
        finally:
            await opened_cluster.close()

    return opened


@pytest.fixture
def read():
    """Read a source; yields an async context manager that stops it."""

    @asynccontextmanager
    async def reading(source):
        running = Reading(source)
        try:
            yield running
        finally:
            await running.stop()

    return reading


@pytest.fixture
def services_of(open_cluster, read):
    """Read the services of a server."""

    @asynccontextmanager
    async def reading(server, *, namespaces=(), kind=SERVICES, **options):
        async with open_cluster(server, (kind,), **options) as cluster:
            source = next(source for source in cluster.sources(namespaces) if source.id == kind.resource)
            async with read(source) as running:
                yield running

    return reading


@pytest.fixture
def pods_kind():
    return PODS
