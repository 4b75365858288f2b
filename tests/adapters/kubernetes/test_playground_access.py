"""The ways to a proxy through the playground's API, to a real HTTP server on loopback."""

from __future__ import annotations

import pytest
from aiohttp import web

from gwtui.adapters.kubernetes.cluster import KubernetesCluster
from gwtui.adapters.kubernetes.kinds import CORE_KINDS
from gwtui.adapters.kubernetes.kubeconfig import load_kubeconfig
from gwtui.adapters.kubernetes.pod_access import PodProxy, PortForward
from gwtui.adapters.kubernetes.portforward import PodBackend
from gwtui.errors import Denied, NotServed
from gwtui.model.ids import ProxyKey

server = pytest.importorskip("gwtui.playground.api.server")
store = pytest.importorskip("gwtui.playground.api.store")

POD = ProxyKey("playground", "infra", "gw-1")


@pytest.fixture
async def listener():
    async def ready(_request):
        return web.Response(text="LIVE\n")

    app = web.Application()
    app.router.add_get("/ready", ready)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield ("127.0.0.1", runner.addresses[0][1])
    await runner.cleanup()


@pytest.fixture
async def running(tmp_path, listener):
    objects = store.Store()
    for name in ("infra", "foo"):
        objects.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "gw-1", "namespace": "infra"},
        "spec": {"containers": [{"name": "envoy", "image": "envoy"}]},
    }
    objects.put(pod)
    ports = {("infra", "gw-1", 19000): listener, ("infra", "gw-1", 9091): listener}
    started = await server.serve(objects, ports, state_dir=tmp_path)
    yield started
    await started.close()


@pytest.fixture
def opened(running, clock):
    async def open_(context=None):
        return await KubernetesCluster.open(load_kubeconfig(running.kubeconfig).select(context), CORE_KINDS, clock)

    return open_


async def get(way, port, pod=POD):
    return await way.get(pod, port, "/ready", deadline_s=5, max_bytes=10_000)


async def test_both_ways_reach_the_pod(opened, clock):
    cluster = await opened()
    forward, proxy = PortForward(cluster.transport, clock), PodProxy(cluster.transport, clock)
    assert (await get(forward, 19000)).body == b"LIVE\n"
    assert (await get(proxy, 9091)).body == b"LIVE\n"
    assert (await cluster.fetch_object(CORE_KINDS[2], "infra", "gw-1"))["kind"] == "Pod"
    with pytest.raises(NotServed):
        await get(forward, 1234)
    with pytest.raises(NotServed):
        await get(proxy, 1234)
    with pytest.raises(NotServed):
        await get(forward, 19000, ProxyKey("playground", "infra", "gone"))
    await forward.close()
    await cluster.close()


async def test_a_reader_learns_which_right_is_missing(opened, clock):
    cluster = await opened("playground-readonly")
    forward = PortForward(cluster.transport, clock)
    with pytest.raises(Denied) as caught:
        await get(forward, 19000)
    assert "pods/portforward" in caught.value.hint
    assert await cluster.can("create", "pods", "portforward", "infra") is False
    assert await cluster.can("list", "services") is True
    await forward.close()
    await cluster.close()


async def test_a_team_without_cluster_wide_rights_sees_its_namespace(opened, read):
    cluster = await opened("playground-team")
    services = next(source for source in cluster.sources() if source.id == "services")
    async with read(services) as reading:
        await reading.until(lambda r: r.state("services@foo") == "ready")
        assert reading.state() == "partial"
        assert reading.health["services"].detail.startswith("namespace foo only")
    await cluster.close()


async def test_a_closed_forward_leaves_no_connection_behind(opened):
    cluster = await opened()
    stream = await PodBackend(cluster.transport, POD.namespace, POD.pod).connect_tcp("pod", 19000)
    raw = stream._raw  # nothing else tells which socket it is
    assert raw.fileno() != -1
    await stream.aclose()
    assert raw.fileno() == -1
    await cluster.close()
