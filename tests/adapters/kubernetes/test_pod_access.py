"""The ways to a proxy's admin interface, in front of a real Envoy."""

from __future__ import annotations

import asyncio
import json
import shutil
import struct
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from approved import approved, posting
from gwtui.adapters.kubernetes.pod_access import PodProxy, PortForward
from gwtui.errors import BadPayload, Denied, NotServed, Refused, Unreachable
from gwtui.model.ids import ProxyKey
from gwtui.ports import ProxyAddress

POD = ProxyKey("lab", "infra", "gw-1")
ADMIN = 19000
MANY = 50_000_000


@pytest.fixture(scope="module")
def envoy(tmp_path_factory):
    """A real Envoy; yields the port of its admin interface."""
    program = shutil.which("envoy", path=str(Path(sys.executable).parent)) or shutil.which("envoy")
    if program is None:
        pytest.skip("no envoy program")
    folder = tmp_path_factory.mktemp("envoy")
    address = folder / "admin"
    config = {"admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}}}
    command = [program, "--config-yaml", json.dumps(config), "--admin-address-path", str(address)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--disable-hot-restart", "--concurrency", "1"], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 20
        while not (address.exists() and address.read_text()):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield int(address.read_text().rpartition(":")[2])
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
async def forward(api, envoy, open_cluster, clock):
    """Port-forward to a pod whose admin port is the real Envoy."""
    api.pod_ports["gw-1", ADMIN] = envoy
    async with open_cluster(api.url, ()) as cluster:
        way = PortForward(cluster.transport, clock)
        yield way
        await way.close()


@pytest.fixture
async def pod_proxy(api, open_cluster, clock):
    async with open_cluster(api.url, ()) as cluster:
        yield PodProxy(cluster.transport, clock)


def get(way, path="/ready", *, port=ADMIN, deadline_s=5.0, max_bytes=MANY, pod=POD):
    return way.get(pod, port, path, deadline_s=deadline_s, max_bytes=max_bytes)


def websockets(api):
    return api.asked(path="/api/v1/namespaces/infra/pods/gw-1/portforward")


async def test_port_forward_reads_a_real_admin_interface(forward, api):
    answer = await get(forward)
    assert (answer.status, answer.body) == (200, b"LIVE\n")
    assert answer.took_s > 0
    version = json.loads((await get(forward, "/server_info")).body)["version"]
    assert "/" in version
    unknown = await get(forward, "/stats?format=nonsense")
    assert unknown.status == 400
    assert len(websockets(api)) == 1, "the connection is kept"
    assert websockets(api)[0].query["ports"] == str(ADMIN)
    assert websockets(api)[0].headers["Sec-WebSocket-Protocol"] == "v4.channel.k8s.io"


async def test_a_large_answer_is_whole(forward, envoy):
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{envoy}/config_dump") as direct:
        expected = await direct.read()
    answers = await asyncio.gather(*(get(forward, "/config_dump") for _ in range(6)))
    assert len(expected) > 60_000
    assert {len(answer.body) for answer in answers} == {len(expected)}


async def test_few_connections_serve_many_requests(forward, api):
    await asyncio.gather(*(get(forward, "/stats?usedonly") for _ in range(20)))
    assert len(websockets(api)) <= 2


async def test_an_answer_over_the_limit_is_cut_off_and_the_next_request_works(forward):
    with pytest.raises(BadPayload, match="larger than 10000 bytes"):
        await get(forward, "/config_dump", max_bytes=10_000)
    assert (await get(forward)).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/quitquitquit",
        "/healthcheck/fail",
        "/drain_listeners?graceful",
        "/reset_counters",
        "/logging?level=trace",
        "/tap",
        "/heap_dump",
        "/memory/tcmalloc",
        "/cpuprofiler?enable=y",
        "/runtime_modify?a=b",
        "/stats/../quitquitquit",
        "//quitquitquit",
        "/%71uitquitquit",
        "/stats#/quitquitquit",
        "/quitquitquit?/stats",
        "quitquitquit",
        "http://127.0.0.1/quitquitquit",
        "/ready HTTP/1.1\r\n\r\nPOST /quitquitquit",
        "/ready?\tx",
        "/réady",
        "",
    ],
)
async def test_what_is_not_read_only_never_leaves(forward, pod_proxy, api, path):
    for way in (forward, pod_proxy):
        with pytest.raises(Refused):
            await get(way, path)
    assert not api.requests


async def test_a_port_nobody_listens_on(forward):
    with pytest.raises(NotServed) as caught:
        await get(forward, port=19999)
    assert "refused" in caught.value.message
    assert "\n" not in caught.value.line()


async def test_a_pod_that_does_not_exist(forward, api, refuse):
    async def missing(_request):
        return refuse(404, 'pods "gw-1" not found', "NotFound")

    api.fault(missing)
    with pytest.raises(NotServed, match="does not exist"):
        await get(forward)


async def test_a_refused_port_forward_names_both_rights(forward, api, refuse):
    async def forbidden(_request):
        return refuse(403, "no", "Forbidden")

    api.fault(forbidden)
    with pytest.raises(Denied) as caught:
        await get(forward)
    assert caught.value.hint == "grant get and create on pods/portforward in namespace infra"


async def test_a_pod_that_vanishes_is_noticed_and_found_again(forward, api):
    await get(forward)
    await api.stop()
    with pytest.raises(Unreachable):
        await get(forward)
    await api.start()
    assert (await get(forward)).body == b"LIVE\n"


@asynccontextmanager
async def raw_forward(api, behave):
    """Answer the next port-forward with a WebSocket under the control of `behave(socket)`."""

    async def respond(request):
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        await behave(socket)
        return socket

    api.fault(respond)
    yield


async def greet(socket, port=ADMIN):
    for channel in (0, 1):
        await socket.send_bytes(bytes([channel]) + struct.pack("<H", port))


async def test_silence_ends_with_the_deadline(forward, api):
    async def hang(socket):
        await greet(socket)
        await asyncio.sleep(30)

    async with raw_forward(api, hang):
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"within 0\.3 s"):
            await get(forward, deadline_s=0.3)
        assert time.monotonic() - began < 2
    assert (await get(forward)).status == 200


async def test_an_end_in_the_middle_of_an_answer_is_not_an_answer(forward, api):
    async def cut(socket):
        await greet(socket)
        await socket.receive()
        await socket.send_bytes(b"\x00HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        await socket.close()

    async with raw_forward(api, cut):
        with pytest.raises(Unreachable):
            await get(forward)


async def test_the_error_channel_is_quoted(forward, api):
    async def fail(socket):
        await greet(socket)
        await socket.receive()
        await socket.send_bytes(b"\x01an error occurred forwarding 19000: network\nnamespace is closed")

    async with raw_forward(api, fail):
        with pytest.raises(Unreachable, match="network namespace is closed"):
            await get(forward)


@pytest.mark.parametrize("frames", [[b"\x00\x01\x02\x03"], [b"\x07\x38\x4a"], [b"\x00\x01\x00"]])
async def test_frames_of_another_protocol_are_bad(forward, api, frames):
    async def odd(socket):
        for frame in frames:
            await socket.send_bytes(frame)
        await socket.receive()

    async with raw_forward(api, odd):
        with pytest.raises(BadPayload):
            await get(forward)


async def test_an_answer_in_tiny_frames_is_joined(forward, api):
    async def trickle(socket):
        await greet(socket)
        await socket.receive()
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nLIVE":
            await socket.send_bytes(bytes([0, byte]))
        await socket.receive()

    async with raw_forward(api, trickle):
        assert (await get(forward)).body == b"LIVE"


async def test_idle_connections_are_closed(api, envoy, open_cluster, clock, monkeypatch):
    monkeypatch.setattr("gwtui.adapters.kubernetes.portforward.IDLE_S", 0.2)
    api.pod_ports["gw-1", ADMIN] = envoy
    async with open_cluster(api.url, ()) as cluster:
        way = PortForward(cluster.transport, clock)
        await get(way)
        async with asyncio.timeout(5):
            while any(task.get_name().startswith("port-forward:") for task in asyncio.all_tasks()):
                await asyncio.sleep(0.02)
        assert (await get(way)).status == 200
        assert len(websockets(api)) == 2
        await way.close()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("port-forward:")]


# What a proxy is told.

FAIL, OK = "/healthcheck/fail", "/healthcheck/ok"
ADDRESS = ProxyAddress(POD, stats_port=9091, admin_port=ADMIN)


def post(way, path, *, approval=None, deadline_s=5.0):
    return way.post(approval or approved(posting(POD, FAIL, OK)), ADDRESS, path, deadline_s=deadline_s)


async def test_an_approved_post_reaches_the_proxy_and_its_reverse_takes_it_back(forward, api):
    answer = await post(forward, FAIL)
    assert (answer.status, answer.body) == (200, b"OK\n")
    assert (await get(forward)).body == b"DRAINING\n"
    assert (await post(forward, OK)).status == 200
    assert (await get(forward)).body == b"LIVE\n"
    assert len(websockets(api)) == 1


@pytest.mark.parametrize("approval", [None, True, object(), "approved"])
async def test_without_an_approval_nothing_leaves(forward, api, approval):
    with pytest.raises(Refused, match="without an approved plan"):
        await forward.post(approval, ADDRESS, FAIL, deadline_s=5)
    assert api.requests == []


@pytest.mark.parametrize(
    ("step", "path"),
    [
        (posting(POD, FAIL, OK), "/quitquitquit"),
        (posting(POD, "/quitquitquit", "/reset_counters"), "/quitquitquit"),
        (posting(POD, FAIL), OK),
        (posting(POD, FAIL), ""),
        (posting(POD._replace(pod="gw-2"), FAIL, OK), FAIL),
        (posting(POD._replace(cluster="other"), FAIL, OK), FAIL),
    ],
)
async def test_an_approval_covers_what_its_plan_says_alone(forward, api, step, path):
    with pytest.raises(Refused):
        await post(forward, path, approval=approved(step))
    assert api.requests == []


async def test_a_post_is_sent_once_when_the_way_breaks(forward, api):
    sent = []

    async def cut(socket):
        await greet(socket)
        sent.append((await socket.receive()).data[1:])
        await socket.close()

    async with raw_forward(api, cut):
        with pytest.raises(Unreachable) as caught:
            await post(forward, FAIL)
    assert "not known" in caught.value.hint
    assert len(sent) == 1
    head = sent[0].decode()
    assert head.startswith("POST /healthcheck/fail HTTP/1.1\r\n")
    assert "content-length: 0\r\n" in head
    assert (await get(forward)).body == b"LIVE\n", "the way is open again, and nothing was sent behind our back"


async def test_a_post_has_a_deadline(forward, api):
    async def hang(socket):
        await greet(socket)
        await socket.receive()
        await asyncio.sleep(30)

    async with raw_forward(api, hang):
        with pytest.raises(Unreachable, match=r"within 0\.3 s") as caught:
            await post(forward, FAIL, deadline_s=0.3)
    assert "not known" in caught.value.hint


async def test_pod_proxy_passes_on_what_the_proxy_says(pod_proxy, api):
    async def draining(request):
        assert request.path == "/api/v1/namespaces/infra/pods/gw-1:9091/proxy/stats"
        assert request.query["filter"] == "^(http|cluster)\\."
        return web.Response(status=503, text="DRAINING\n")

    api.fault(draining)
    answer = await get(pod_proxy, "/stats?filter=^(http|cluster)\\.", port=9091)
    assert (answer.status, answer.body) == (503, b"DRAINING\n")


@pytest.mark.parametrize("code", [403, 404])
async def test_pod_proxy_takes_a_plain_refusal_for_the_proxys_own(pod_proxy, api, code):
    async def refused(_request):
        return web.Response(status=code, text="request to path /stats not allowed")

    api.fault(refused)
    assert (await get(pod_proxy, "/stats", port=9091)).status == code


@pytest.mark.parametrize(
    ("code", "reason", "message", "expected", "part"),
    [
        (403, "Forbidden", "no", Denied, "grant get on pods/proxy in namespace infra"),
        (
            503,
            "ServiceUnavailable",
            "error trying to reach service: dial tcp: connect: connection refused",
            NotServed,
            "9091",
        ),
        (503, "ServiceUnavailable", "error trying to reach service: i/o timeout", Unreachable, "i/o timeout"),
        (404, "NotFound", 'pods "gw-1" not found', NotServed, "not found"),
    ],
)
async def test_pod_proxy_tells_the_api_server_from_the_proxy(
    pod_proxy, api, refuse, *, code, reason, message, expected, part
):
    async def refused(_request):
        return refuse(code, message, reason, details={"name": "gw-1", "kind": "pods"})

    api.fault(refused)
    with pytest.raises(expected) as caught:
        await get(pod_proxy, "/stats", port=9091)
    assert part in caught.value.line()


async def test_pod_proxy_has_a_deadline_and_a_limit(pod_proxy, api):
    async def hang(_request):
        await asyncio.sleep(30)

    async def large(_request):
        return web.Response(body=b"x" * 100_000)

    api.fault(hang)
    with pytest.raises(Unreachable, match="in time"):
        await get(pod_proxy, "/stats", port=9091, deadline_s=0.2)
    api.fault(large)
    with pytest.raises(BadPayload):
        await get(pod_proxy, "/stats", port=9091, max_bytes=1000)
