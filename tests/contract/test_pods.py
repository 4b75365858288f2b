"""The ways into pods: who may take them, and what is said where they lead nowhere.

Without a kubelet a real server reaches no pod; that a way leads somewhere is tested on the embedded one alone.
"""

from __future__ import annotations

import aiohttp
import pytest

CHANNELS = "v4.channel.k8s.io"


@pytest.fixture
async def idle(core, put, make) -> str:
    """Path of a pod that no node runs."""
    await put(f"{core}/pods", make.pod("idle"))
    return f"{core}/pods/idle"


async def shaken(client, path) -> int:
    """The code that a WebSocket is refused with."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.session.ws_connect(client.url + path, protocols=(CHANNELS,))
    return refused.value.status


@pytest.mark.parametrize(
    ("way", "plural"),
    [("none/portforward?ports=80", "pods"), ("none:80/proxy/x", "pods"), ("none:80/proxy/x", "services")],
)
async def test_what_is_not_there_is_404(api, core, way, plural) -> None:
    code, body, _ = await api.call("GET", f"{core}/{plural}/{way}")
    assert (code, body["reason"], body["message"]) == (404, "NotFound", f'{plural} "none" not found')
    assert body["details"] == {"name": "none", "kind": plural}


async def test_a_forward_to_a_pod_that_is_not_there_is_refused(api, core) -> None:
    assert await shaken(api, f"{core}/pods/none/portforward?ports=80") == 404


async def test_a_forward_takes_a_right_of_its_own(as_user, server, idle) -> None:
    assert await shaken(as_user(server.viewer), f"{idle}/portforward?ports=80") == 403
    assert await shaken(as_user(server.team), f"{idle}/portforward?ports=80") == 403


async def test_a_pod_that_no_node_runs_cannot_be_forwarded_to(api, idle) -> None:
    assert await shaken(api, f"{idle}/portforward?ports=80") == 400
    code, body, _ = await api.call("GET", f"{idle}/portforward?ports=80")
    assert (code, body["reason"], body["message"]) == (400, "BadRequest", "pod idle does not have a host assigned")


@pytest.mark.parametrize("port", ["", ":80", ":stats"])
async def test_a_pod_without_an_address_cannot_be_asked(api, idle, port) -> None:
    code, body, _ = await api.call("GET", f"{idle}{port}/proxy/ready")
    assert (code, body["reason"], body["message"]) == (400, "BadRequest", "address not allowed")


async def test_a_reader_may_ask_and_no_more(as_user, server, idle) -> None:
    viewer = as_user(server.viewer)
    code, body, _ = await viewer.call("GET", f"{idle}:80/proxy/ready")
    assert (code, body["reason"]) == (400, "BadRequest")
    for method, verb in (("POST", "create"), ("PUT", "update"), ("DELETE", "delete"), ("PATCH", "patch")):
        code, body, _ = await viewer.call(method, f"{idle}:80/proxy/ready")
        assert (code, body["reason"]) == (403, "Forbidden")
        assert f'cannot {verb} resource "pods/proxy"' in body["message"]
        assert body["details"]["name"] == "idle:80"


@pytest.mark.parametrize("port", ["", ":80", ":http"])
async def test_a_service_without_endpoints_cannot_be_asked(api, core, put, make, port) -> None:
    await put(f"{core}/services", make.service())
    code, body, _ = await api.call("GET", f"{core}/services/shop{port}/proxy/x")
    assert (code, body["reason"]) == (503, "ServiceUnavailable")
    assert body["message"] == 'no endpoints available for service "shop"'


async def test_a_port_that_a_service_does_not_have_cannot_be_asked(api, core, put, make) -> None:
    await put(f"{core}/services", make.service())
    code, body, _ = await api.call("GET", f"{core}/services/shop:81/proxy/x")
    assert (code, body["reason"]) == (503, "ServiceUnavailable")
    assert body["message"] == 'no service port 81 found for service "shop"'
