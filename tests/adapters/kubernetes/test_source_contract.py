"""What every source of a kind promises, whatever serves it.

Runs against the small server of these tests, against the playground's API, and with the contract of the API (see
`tests/contract`) against a real kube-apiserver.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from approved import approved
from gwtui.adapters.kubernetes.cluster import KubernetesCluster
from gwtui.adapters.kubernetes.kinds import SERVICES
from gwtui.adapters.kubernetes.kubeconfig import load_kubeconfig
from gwtui.errors import NotServed
from gwtui.model.observations import KindListed, SourceReported


class Gate:
    """A TCP relay that can be shut and opened again on the same port."""

    def __init__(self, server):
        target = urlsplit(server)
        self._target = (target.hostname, target.port or 443)
        self._writers = set()
        self._listener = None
        self.port = 0

    async def open(self):
        self._listener = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def shut(self):
        self._listener.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _relay(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))
        finally:
            self._writers -= {writer, far_writer}

    async def _copy(self, reader, writer):
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


class Arena:
    """A server to test against, reached through a gate, with one namespace of its own."""

    def __init__(self, cluster, gate, put, delete):
        self.cluster, self.gate = cluster, gate
        self.namespace = f"contract-{uuid.uuid4().hex[:8]}"
        self._put, self._delete = put, delete

    def source(self, namespaces=()):
        return next(source for source in self.cluster.sources(namespaces) if source.id == "services")

    async def put(self, name, note="first"):
        """Create or change a service; the note is its annotation `note`."""
        await self._put(self.namespace, name, note)

    async def delete(self, name):
        await self._delete(self.namespace, name)

    def names(self, reading):
        return sorted(name for namespace, name in reading.objects if namespace == self.namespace)


@asynccontextmanager
async def gated(access, clock):
    gate = Gate(access.server)
    await gate.open()
    scheme = urlsplit(access.server).scheme
    name = access.tls_server_name or urlsplit(access.server).hostname
    access = replace(
        access, server=f"{scheme}://127.0.0.1:{gate.port}", tls_server_name=name if scheme == "https" else None
    )
    cluster = await KubernetesCluster.open(access, (SERVICES,), clock)
    try:
        yield cluster, gate
    finally:
        await cluster.close()
        await gate.shut()


@asynccontextmanager
async def small_server(api, kubeconfig, tmp_path, clock):
    async def put(namespace, name, note):
        metadata = {"annotations": {"note": note}}
        api.put("/api/v1/services", namespace, name, metadata=metadata, spec={"ports": [{"port": 80}]})

    async def delete(namespace, name):
        api.delete("/api/v1/services", namespace, name)

    access = load_kubeconfig(kubeconfig(tmp_path / "config", api.url)).select()
    async with gated(access, clock) as (cluster, gate):
        yield Arena(cluster, gate, put, delete)


@asynccontextmanager
async def served_from(path, clock):
    """Any API server: objects are written by requests."""
    access = load_kubeconfig(Path(path)).select()
    writer = await KubernetesCluster.open(access, (SERVICES,), clock)

    async def put(namespace, name, note):
        body = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": namespace, "annotations": {"note": note}},
            "spec": {"ports": [{"port": 80}]},
        }
        await writer.transport.request(
            "PATCH",
            f"/api/v1/namespaces/{namespace}/services/{name}",
            query=[("fieldManager", "gwtui-contract"), ("force", "true")],
            body=body,
            content_type="application/apply-patch+yaml",
            approval=approved(),
        )

    async def delete(namespace, name):
        path = f"/api/v1/namespaces/{namespace}/services/{name}"
        await writer.transport.request("DELETE", path, approval=approved())

    try:
        async with gated(access, clock) as (cluster, gate):
            arena = Arena(cluster, gate, put, delete)
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": arena.namespace}}
            await writer.transport.request("POST", "/api/v1/namespaces", body=body, approval=approved())
            try:
                yield arena
            finally:
                path = f"/api/v1/namespaces/{arena.namespace}"
                await writer.transport.request("DELETE", path, approval=approved())
    finally:
        await writer.close()


@asynccontextmanager
async def playground(tmp_path, clock):
    server = pytest.importorskip("gwtui.playground.api.server")
    store = pytest.importorskip("gwtui.playground.api.store")
    running = await server.serve(store.Store(), {}, state_dir=tmp_path)
    try:
        async with served_from(running.kubeconfig, clock) as arena:
            yield arena
    finally:
        await running.close()


REAL_SERVER = "GWTUI_CONTRACT_KUBECONFIG"


@pytest.fixture(params=["small server", "playground", *(["kube-apiserver"] if REAL_SERVER in os.environ else [])])
async def arena(request, api, kubeconfig, tmp_path, clock):
    if request.param == "small server":
        opened = small_server(api, kubeconfig, tmp_path, clock)
    elif request.param == "playground":
        opened = playground(tmp_path, clock)
    else:
        opened = served_from(os.environ[REAL_SERVER], clock)
    async with opened as arena:
        yield arena


def ready(reading):
    return reading.state() == "ready"


def states(reading):
    return [seen.health.state.value for seen in reading.seen if isinstance(seen, SourceReported)]


async def test_it_says_loading_then_lists_then_says_ready(arena, read):
    await arena.put("cart")
    async with read(arena.source()) as reading:
        await reading.until(ready)
    first, second, third = reading.seen[:3]
    assert first.health.state.value == "loading"
    assert isinstance(second, KindListed)
    assert (second.cluster, second.resource, second.namespace) == (arena.cluster.context, "services", None)
    assert third.health.state.value == "ready"
    assert third.health.detail == "v1"
    assert second.objects[arena.namespace, "cart"].spec.ports[0].port == 80


async def test_no_objects_is_ready_and_empty_not_unknown(arena, read):
    async with read(arena.source(namespaces=(arena.namespace,))) as reading:
        await reading.until(lambda r: r.state(f"services@{arena.namespace}") == "ready")
    listed = [seen for seen in reading.seen if isinstance(seen, KindListed)]
    assert [(seen.namespace, dict(seen.objects)) for seen in listed] == [(arena.namespace, {})]


async def test_it_follows_creation_change_and_deletion(arena, read):
    async with read(arena.source()) as reading:
        await reading.until(ready)
        await arena.put("cart")
        await reading.until(lambda r: arena.names(r) == ["cart"])
        await arena.put("cart", note="second")
        key = (arena.namespace, "cart")
        await reading.until(lambda r: r.objects[key].metadata.annotations["note"] == "second")
        await arena.delete("cart")
        await reading.until(lambda r: arena.names(r) == [])
    assert states(reading) == ["loading", "ready"]


async def test_a_lost_server_is_stale_keeps_its_objects_and_catches_up(arena, read):
    await arena.put("cart")
    await arena.put("search")
    async with read(arena.source()) as reading:
        await reading.until(ready)
        await arena.gate.shut()
        await reading.until(lambda r: r.state() == "stale")
        health = reading.health["services"]
        assert arena.names(reading) == ["cart", "search"]
        assert health.detail
        assert health.hint
        assert "\n" not in health.detail + health.hint
        await arena.delete("search")
        await arena.put("checkout")
        await arena.gate.open()
        await reading.until(ready, deadline_s=10)
        await reading.until(lambda r: arena.names(r) == ["cart", "checkout"])


async def test_since_moves_with_the_state_and_not_with_the_text(arena, read):
    async with read(arena.source()) as reading:
        await reading.until(ready)
        await arena.gate.shut()
        await reading.until(lambda r: r.state() == "stale")
        await asyncio.sleep(0.1)
        await arena.gate.open()
        await reading.until(ready, deadline_s=10)
    reports = [seen.health for seen in reading.seen if isinstance(seen, SourceReported)]
    for before, after in pairwise(reports):
        assert before != after, "a report says something new"
        assert (before.since == after.since) == (before.state is after.state)


async def test_a_server_that_is_down_at_first_is_failed_and_not_stale(arena, read):
    await arena.gate.shut()
    async with read(arena.source()) as reading:
        await reading.until(lambda r: r.state() == "failed")
        assert "stale" not in states(reading)
        await arena.gate.open()
        await reading.until(ready, deadline_s=10)


async def test_cancelling_it_leaves_nothing_behind(arena, read):
    before = asyncio.all_tasks()
    async with read(arena.source()) as reading:
        await reading.until(ready)
    async with asyncio.timeout(5):
        while leftover := {task for task in asyncio.all_tasks() - before if task.get_name().startswith("source:")}:
            await asyncio.wait(leftover)
    assert reading.task.cancelled()


async def test_identity_and_rights_can_be_asked(arena):
    identity = await arena.cluster.identity()
    allowed = await arena.cluster.can("list", "services", namespace=arena.namespace)
    assert identity is None or identity.username
    assert allowed in (True, None)


async def test_a_missing_object_is_not_served(arena):
    with pytest.raises(NotServed):
        await arena.cluster.fetch_object(SERVICES, arena.namespace, "nowhere")
