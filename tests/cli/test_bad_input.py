"""Every bad input: one line on stderr with what to try, the exit code of the contract, no traceback.

The commands run as a user runs them, in a process of their own, against real servers on loopback.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme
import yaml
from aiohttp import web

from gwtui.errors import Exit
from gwtui.playground.api.server import PodPorts, serve
from gwtui.playground.api.store import Store

GATEWAY_API = "gateway.networking.k8s.io/v1"


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    def complains(self, code: int, *words: str) -> None:
        """Claim: this exit code, and each word in some single line of stderr that carries a hint."""
        assert self.code == code, self
        assert "Traceback" not in self.err
        lines = self.err.strip().splitlines()
        assert any(all(word in line for word in words) and ";" in line for line in lines), self.err
        assert all(line.startswith("gwtui: ") for line in lines), self.err


async def gwtui(*arguments: str, kubeconfig: Path | None = None) -> Ended:
    given = ("--kubeconfig", str(kubeconfig)) if kubeconfig else ()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gwtui",
        *arguments,
        *given,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(90):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


def kubeconfig_for(path: Path, server: str, *, token: str = "t", ca: bytes | None = None) -> Path:
    cluster = {"server": server}
    if ca is not None:
        (path / "ca.pem").write_bytes(ca)
        cluster["certificate-authority"] = str(path / "ca.pem")
    file = path / "kubeconfig"
    file.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "clusters": [{"name": "here", "cluster": cluster}],
                "users": [{"name": "me", "user": {"token": token}}],
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            }
        )
    )
    return file


@pytest.fixture
async def api(tmp_path):
    """The playground's API with a gateway that has no proxies, and what a test adds."""
    store, ports = Store(), PodPorts()
    store.put(
        {
            "apiVersion": GATEWAY_API,
            "kind": "GatewayClass",
            "metadata": {"name": "kgateway"},
            "spec": {"controllerName": "kgateway.dev/kgateway"},
        }
    )
    for namespace in ("infra", "foo", "bar"):
        store.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    server = await serve(store, ports, state_dir=tmp_path)
    yield store, ports, server
    await server.close()


def put_gateway(store: Store, *, namespace: str = "infra", pod: str = "") -> None:
    store.put(
        {
            "apiVersion": GATEWAY_API,
            "kind": "Gateway",
            "metadata": {"name": "edge", "namespace": namespace},
            "spec": {
                "gatewayClassName": "kgateway",
                "listeners": [{"name": "http", "port": 8080, "protocol": "HTTP"}],
            },
        }
    )
    if pod:
        store.put(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": pod,
                    "namespace": namespace,
                    "labels": {"gateway.networking.k8s.io/gateway-name": "edge", "kgateway": "kube-gateway"},
                },
                "spec": {"containers": [{"name": "kgateway-proxy", "image": "envoy"}]},
                "status": {"phase": "Running"},
            }
        )


async def test_a_missing_kubeconfig(tmp_path):
    ended = await gwtui("snapshot", kubeconfig=tmp_path / "absent")
    ended.complains(Exit.USAGE, str(tmp_path / "absent"))


async def test_an_unknown_context_names_the_known_ones(tmp_path):
    file = kubeconfig_for(tmp_path, "https://127.0.0.1:1")
    ended = await gwtui("snapshot", "--context", "nowhere", kubeconfig=file)
    ended.complains(Exit.USAGE, "nowhere", "here")


@pytest.mark.parametrize("command", ["snapshot", "map", "triage", "doctor"])
async def test_a_refused_connection(tmp_path, command):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ended = await gwtui(command, kubeconfig=kubeconfig_for(tmp_path, f"https://127.0.0.1:{port}"))
    ended.complains(Exit.UNREACHABLE, "refused", "here")


async def test_a_certificate_nobody_vouches_for(tmp_path, api):
    _, _, server = api
    other = trustme.CA().cert_pem.bytes()
    (tmp_path / "elsewhere").mkdir()
    ended = await gwtui("snapshot", kubeconfig=kubeconfig_for(tmp_path / "elsewhere", server.url, ca=other))
    ended.complains(Exit.UNREACHABLE, "certificate")


async def test_a_wrong_token_is_401(tmp_path, api):
    _, _, server = api
    document = yaml.safe_load(server.kubeconfig.read_text())
    for user in document["users"]:
        user["user"]["token"] = "wrong"
    file = tmp_path / "wrong"
    file.write_text(yaml.safe_dump(document))
    ended = await gwtui("snapshot", "--settle", "0", kubeconfig=file)
    ended.complains(Exit.REFUSED, "401")


async def test_rights_in_a_few_namespaces_are_enough_to_start(api):
    store, _, server = api
    put_gateway(store, namespace="foo")
    ended = await gwtui(
        "snapshot",
        "-o",
        "json",
        "--settle",
        "0",
        "--context",
        "playground-team",
        "-n",
        "foo",
        kubeconfig=server.kubeconfig,
    )
    assert "Traceback" not in ended.err
    document = json.loads(ended.out)
    assert [(g["namespace"], g["name"]) for g in document["gateways"]] == [("foo", "edge")]


async def test_no_rights_at_all_names_what_to_grant(api):
    store, _, server = api
    put_gateway(store)
    ended = await gwtui(
        "snapshot", "--settle", "0", "--context", "playground-team", "-n", "infra", kubeconfig=server.kubeconfig
    )
    assert ended.code in (Exit.FINDINGS, Exit.REFUSED)
    assert "forbidden" in ended.err
    assert "gateways" in ended.err


async def test_a_cluster_without_gateway_api(tmp_path):
    names = (("services", "Service"), ("pods", "Pod"), ("namespaces", "Namespace"))
    kinds = [
        {"name": n, "kind": k, "namespaced": k != "Namespace", "singularName": "", "verbs": ["list", "watch"]}
        for n, k in names
    ]
    empty = {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": []}
    answers = {
        "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
        "/api/v1": {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": kinds},
        **{f"/api/v1/{name}": empty for name, _ in names},
    }

    async def answer(request: web.Request) -> web.StreamResponse:
        if "watch" in request.query:
            stream = web.StreamResponse()
            await stream.prepare(request)
            await asyncio.sleep(30)
            return stream
        if request.path in answers:
            return web.json_response(answers[request.path])
        return web.json_response({"kind": "Status", "status": "Failure", "code": 404, "message": "no"}, status=404)

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    file = kubeconfig_for(tmp_path, f"https://127.0.0.1:{port}", ca=authority.cert_pem.bytes())
    try:
        ended = await gwtui("snapshot", "--settle", "0", kubeconfig=file)
        told = await gwtui("triage", "--settle", "0", kubeconfig=file)
    finally:
        await runner.cleanup()
    ended.complains(Exit.FINDINGS, "Gateway API", "CRDs")
    assert told.code == Exit.FINDINGS
    assert "does not serve the Gateway API; what is wrong there is not known" in told.out


@pytest.mark.parametrize(
    "command",
    [("snapshot",), ("map",), ("map", "-o", "json"), ("map", "-o", "svg"), ("map", "-o", "mermaid")],
    ids=" ".join,
)
async def test_a_gateway_without_proxies(api, command):
    store, _, server = api
    put_gateway(store)
    ended = await gwtui(*command, "--settle", "0", kubeconfig=server.kubeconfig)
    ended.complains(Exit.FINDINGS, "infra/edge", "no running proxy")
    assert "edge" in ended.out


async def test_triage_prints_a_document(api):
    store, _, server = api
    put_gateway(store, pod="edge-1")
    ended = await gwtui("triage", "-o", "json", "--settle", "0", kubeconfig=server.kubeconfig)
    document = json.loads(ended.out)
    assert (ended.code, ended.err, document["why"], document["findings"]) == (Exit.OK, "", "", [])
    assert document["counts"] == {"critical": 0, "warning": 0, "info": 0}


async def test_the_map_of_a_cluster_with_nothing_in_it_says_so(api):
    _, _, server = api
    ended = await gwtui("map", "--settle", "0", kubeconfig=server.kubeconfig)
    assert (ended.code, ended.err) == (Exit.OK, "")
    assert "no Gateways in playground" in ended.out


async def truncated(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{"stats":[{"na')


async def not_json(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    body = b"<html>It works!</html>"
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))


async def huge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500000000\r\n\r\n")
    for _ in range(500):
        writer.write(b"x" * 1_000_000)
        await writer.drain()


async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(60):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(1)


@pytest.mark.parametrize("behaviour", [truncated, not_json, huge, slow])
async def test_an_admin_that_answers_rubbish(api, behaviour):
    store, ports, server = api
    put_gateway(store, pod="edge-1")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behaviour(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    hostile = await asyncio.start_server(handle, "127.0.0.1", 0)
    address = hostile.sockets[0].getsockname()
    for port in (9091, 19000):
        ports["infra", "edge-1", port] = address
    try:
        ended = await gwtui("snapshot", "-o", "json", "--settle", "1", kubeconfig=server.kubeconfig)
    finally:
        hostile.close()
    ended.complains(Exit.FINDINGS, "infra/edge-1")
    proxy = json.loads(ended.out)["proxies"][0]
    assert proxy["state"] == "failing"
    assert proxy["rps"] is None
    assert proxy["reason"]


async def test_the_console_without_a_terminal_says_what_to_use(api):
    _, _, server = api
    ended = await gwtui(kubeconfig=server.kubeconfig)
    ended.complains(Exit.USAGE, "terminal", "gwtui snapshot")


async def test_an_unknown_scenario_names_the_known_ones():
    ended = await gwtui("demo", "--headless", "--scenario", "nonsense")
    ended.complains(Exit.USAGE, "nonsense", "central-ingress")
