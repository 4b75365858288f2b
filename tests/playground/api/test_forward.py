"""Ports of pods: WebSocket channels, and the proxy paths."""

from __future__ import annotations

import asyncio
import hashlib
import zlib

import aiohttp
import pytest

from gwtui.playground.api.spdy import DICTIONARY, ProtocolError, Session

POD = "/api/v1/namespaces/foo/pods/proxy"
CHANNELS = "v4.channel.k8s.io"


async def opened(client, port: int, protocols=(CHANNELS,)):
    url = f"{client.url}{POD}/portforward?ports={port}"
    return await client.session.ws_connect(url, protocols=protocols)


async def http_over(socket, request: bytes) -> bytes:
    """Send a request on channel 0 and read until the server closes."""
    await socket.send_bytes(b"\x00" + request)
    answer = b""
    async with asyncio.timeout(10):
        async for message in socket:
            assert message.data[0] == 0, message.data
            answer += message.data[1:]
    return answer


@pytest.mark.usefixtures("backend")
async def test_a_forward_announces_its_channels_and_carries_http(api) -> None:
    socket = await opened(api, 19000)
    assert socket.protocol == CHANNELS
    assert await socket.receive_bytes() == b"\x00" + (19000).to_bytes(2, "little")
    assert await socket.receive_bytes() == b"\x01" + (19000).to_bytes(2, "little")
    answer = await http_over(socket, b"GET /stats?a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"path": "/stats?a=b"' in answer


@pytest.mark.usefixtures("backend")
async def test_large_bodies_arrive_whole_in_both_directions(api) -> None:
    body = bytes(range(65, 91)) * 40_000
    socket = await opened(api, 19000)
    for _ in range(2):
        await socket.receive_bytes()
    await socket.send_bytes(
        b"\x00POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    for start in range(0, len(body), 60_000):
        await socket.send_bytes(b"\x00" + body[start : start + 60_000])
    answer = b""
    async with asyncio.timeout(10):
        async for message in socket:
            answer += message.data[1:]
    received = answer.partition(b'"body": "')[2].partition(b'"')[0]
    assert hashlib.sha256(received).digest() == hashlib.sha256(body).digest()


async def test_a_port_nobody_listens_on_fails_on_the_error_channel(api) -> None:
    socket = await opened(api, 19001)
    async with asyncio.timeout(10):
        frames = [message.data async for message in socket]
    assert frames[2][0] == 1
    assert b"connection refused" in frames[2]


@pytest.mark.usefixtures("backend")
async def test_forward_refusals(api, as_user) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await opened(as_user("playground-viewer"), 19000)
    assert refused.value.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await api.session.ws_connect(f"{api.url}/api/v1/namespaces/foo/pods/none/portforward?ports=1")
    assert refused.value.status == 404
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await api.session.ws_connect(f"{api.url}{POD}/portforward", protocols=(CHANNELS,))
    assert refused.value.status == 400
    code, body, _ = await api.call("GET", f"{POD}/portforward?ports=1")
    assert (code, body["reason"]) == (400, "BadRequest")


@pytest.mark.usefixtures("backend")
async def test_the_pod_proxy_reaches_ports_of_the_pod_address(api, as_user) -> None:
    answer = await as_user("playground-viewer").get(f"{POD}:9091/proxy/stats?filter=a%20b&usedonly")
    assert answer["path"] == "/stats?filter=a%20b&usedonly"
    assert answer["authorized"] is False
    assert (await api.get(f"{POD}/proxy/ready"))["path"] == "/ready"
    assert (await api.get("/api/v1/namespaces/foo/pods/http:proxy:stats/proxy/x"))["path"] == "/x"
    code, body, _ = await api.call("POST", f"{POD}:9091/proxy/x", b"hello")
    assert (code, body["method"], body["body"]) == (200, "POST", "hello")


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("port", [19000, 1234])
async def test_the_pod_proxy_does_not_reach_the_loopback_of_the_pod(api, port: int) -> None:
    code, body, _ = await api.call("GET", f"{POD}:{port}/proxy/")
    assert (code, body["reason"]) == (503, "ServiceUnavailable")
    assert "connection refused" in body["message"]


@pytest.mark.usefixtures("backend")
async def test_the_service_proxy_finds_a_ready_pod(api, store) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "edge", "namespace": "foo"},
        "spec": {"ports": [{"name": "stats", "port": 80, "targetPort": 9091}]},
    }
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "edge-1", "namespace": "foo", "labels": {"kubernetes.io/service-name": "edge"}},
        "ports": [{"name": "stats", "port": 9091}],
        "endpoints": [{"addresses": ["10.1.0.7"], "targetRef": {"kind": "Pod", "name": "proxy"}}],
    }
    store.put(service)
    store.put(endpoints)
    assert (await api.get("/api/v1/namespaces/foo/services/edge:80/proxy/a"))["path"] == "/a"
    assert (await api.get("/api/v1/namespaces/foo/services/edge/proxy/b"))["path"] == "/b"
    store.delete("endpointslices.discovery.k8s.io", "foo", "edge-1")
    code, _, _ = await api.call("GET", "/api/v1/namespaces/foo/services/edge/proxy/b")
    assert code == 503


def test_the_header_dictionary_is_the_one_of_the_protocol() -> None:
    assert len(DICTIONARY) == 1423
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2


def opening() -> bytes:
    """The frame that opens stream 1 to port 80."""
    pairs = [(b"streamtype", b"data"), (b"Port", b"80")]
    plain = len(pairs).to_bytes(4) + b"".join(len(w).to_bytes(4) + w for pair in pairs for w in pair)
    deflate = zlib.compressobj(zdict=DICTIONARY)
    block = deflate.compress(plain) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return b"\x80\x03\x00\x01" + (10 + len(block)).to_bytes(4) + (1).to_bytes(4) + bytes(6) + block


async def test_frames_are_understood_however_they_are_cut() -> None:
    sent, streams = [], []

    async def send(data: bytes) -> None:
        sent.append(data)

    session = Session(send, streams.append)
    data = (1).to_bytes(4) + (1 << 24 | 5).to_bytes(4) + b"hello"
    for byte in opening() + data:
        await session.feed(bytes([byte]))
    assert streams[0].headers == {"streamtype": "data", "port": "80"}
    assert sent[0][:4] == b"\x80\x03\x00\x02"
    assert [await streams[0].receive(), await streams[0].receive()] == [b"hello", None]
    with pytest.raises(ProtocolError):
        await session.feed(b"\x80\x03\x00\x01\x00\xff\xff\xff")


async def test_a_connection_that_ended_does_not_hold_up_the_others() -> None:
    streams = []

    async def send(_: bytes) -> None:
        """The client reads everything."""

    session = Session(send, streams.append)
    await session.feed(opening())
    chunk = (1).to_bytes(4) + (3).to_bytes(4) + b"abc"
    feeding = asyncio.create_task(session.feed(chunk * 200))
    await asyncio.sleep(0)
    assert not feeding.done()
    await streams[0].finish()
    async with asyncio.timeout(5):
        await feeding
