"""The real kubectl against the served API."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

import aiohttp
import pytest

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")

MANIFEST = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: foo}
spec:
  parentRefs: [{name: edge}]
  rules:
  - backendRefs:
    - {name: blue, port: 80, weight: WEIGHT}
    - {name: green, port: 80, weight: 10}
---
apiVersion: v1
kind: Service
metadata: {name: blue, namespace: foo}
spec: {ports: [{port: 80, name: http}], selector: {app: blue}}
"""


@pytest.fixture
def kubectl(server, tmp_path: Path):
    """Run kubectl; returns exit code, stdout and stderr."""

    async def run(*arguments: str, text: str = "", **variables: str) -> tuple[int, str, str]:
        process = await start(server, tmp_path, *arguments, **variables)
        async with asyncio.timeout(30):
            out, err = await process.communicate(text.encode())
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    return run


async def start(server, home: Path, *arguments: str, **variables: str) -> asyncio.subprocess.Process:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "KUBECONFIG": str(server.kubeconfig),
        **variables,
    }
    return await asyncio.create_subprocess_exec(
        "kubectl",
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.strip()]


async def test_get_and_describe(kubectl) -> None:
    code, out, err = await kubectl("get", "gateways,httproutes", "-A")
    assert code == 0, err
    assert rows(out)[1][:4] == ["foo", "gateway.gateway.networking.k8s.io/edge", "kgateway", "Unknown"]
    assert rows(out)[3][:3] == ["foo", "httproute.gateway.networking.k8s.io/shop", '["shop.example"]']
    code, out, _ = await kubectl("get", "pods", "-n", "foo")
    assert rows(out)[1][:4] == ["proxy", "1/1", "Running", "2"]
    code, out, _ = await kubectl("get", "gtw", "-n", "foo", "-o", "name")
    assert out.strip() == "gateway.gateway.networking.k8s.io/edge"
    code, out, err = await kubectl("describe", "gateway", "-n", "foo", "edge")
    assert code == 0, err
    assert re.search(r"Gateway Class Name:\s+kgateway", out)
    code, out, err = await kubectl("describe", "pod", "-n", "foo", "proxy")
    assert code == 0, err
    assert re.search(r"Image:\s+envoy", out)


async def test_apply_changes_and_deletes(kubectl) -> None:
    code, out, err = await kubectl("apply", "-f", "-", text=MANIFEST.replace("WEIGHT", "90"))
    assert (code, out.count("created")) == (0, 2), err
    code, out, err = await kubectl("apply", "-f", "-", text=MANIFEST.replace("WEIGHT", "50"))
    assert code == 0, err
    assert out.splitlines() == ["httproute.gateway.networking.k8s.io/web configured", "service/blue unchanged"]
    code, out, _ = await kubectl(
        "get", "httproute", "web", "-n", "foo", "-o", "jsonpath={.spec.rules[0].backendRefs[*].weight}"
    )
    assert out == "50 10"
    code, out, err = await kubectl("delete", "-f", "-", text=MANIFEST.replace("WEIGHT", "50"))
    assert (code, out.count("deleted")) == (0, 2), err


async def test_a_mistyped_field_is_refused(kubectl) -> None:
    code, _, err = await kubectl("apply", "-f", "-", text=MANIFEST.replace("weight: WEIGHT", "wait: 1"))
    assert code == 1
    assert 'unknown field "spec.rules[0].backendRefs[0].wait"' in err
    code, _, err = await kubectl("apply", "-f", "-", text=MANIFEST.replace("WEIGHT", "-1"))
    assert code == 1
    assert "spec.rules[0].backendRefs[0].weight" in err


async def test_patch_and_edit(kubectl, store) -> None:
    target = ("httproute", "shop", "-n", "foo")
    operation = '[{"op":"replace","path":"/spec/rules/0/backendRefs/0/weight","value":7}]'
    code, _, err = await kubectl("patch", *target, "--type=merge", "-p", '{"spec":{"hostnames":["a.example"]}}')
    assert code == 0, err
    code, _, err = await kubectl("patch", *target, "--type=json", "-p", operation)
    assert code == 0, err
    code, out, err = await kubectl("edit", *target, EDITOR="sed -i 's/weight: 7/weight: 8/'")
    assert code == 0, err
    assert "edited" in out
    route = store.get("httproutes.gateway.networking.k8s.io", "foo", "shop")
    assert route["spec"]["hostnames"] == ["a.example"]
    assert route["spec"]["rules"][0]["backendRefs"][0]["weight"] == 8
    assert {item["manager"] for item in route["metadata"]["managedFields"]} >= {"kubectl-patch", "kubectl-edit"}


async def test_server_side_apply_conflicts_until_forced(kubectl) -> None:
    manifest = MANIFEST.partition("---")[0].replace("WEIGHT", "1").replace("name: web", "name: shop")
    code, _, err = await kubectl("apply", "--server-side", "-f", "-", text=manifest)
    assert code == 1
    assert 'conflicts with "playground"' in err
    assert ".spec.rules" in err
    code, _, err = await kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", text=manifest)
    assert code == 0, err
    code, _, err = await kubectl("apply", "--server-side", "-f", "-", text=manifest)
    assert code == 0, err


async def test_watch_prints_changes_as_they_happen(server, store, tmp_path, make) -> None:
    process = await start(server, tmp_path, "get", "gateways", "-n", "foo", "-w", "--no-headers")
    try:
        async with asyncio.timeout(20):
            assert (await process.stdout.readline()).split()[0] == b"edge"
            while not store._subscriptions:
                await asyncio.sleep(0.02)
            store.put(make.gateway("second"))
            assert (await process.stdout.readline()).split()[0] == b"second"
    finally:
        process.kill()
        await process.communicate()


@pytest.mark.parametrize(
    ("context", "question", "answer"),
    [
        ("playground", ["create", "pods", "--subresource=portforward"], "yes"),
        ("playground-readonly", ["create", "pods", "--subresource=portforward"], "no"),
        ("playground-readonly", ["list", "httproutes", "-A"], "yes"),
        ("playground-team", ["delete", "gateways", "-n", "bar"], "yes"),
        ("playground-team", ["list", "gateways", "-A"], "no"),
    ],
)
async def test_rights_can_be_asked(kubectl, context: str, question: list[str], answer: str) -> None:
    _, out, err = await kubectl("--context", context, "auth", "can-i", *question)
    assert out.strip() == answer, err


async def test_namespaces_come_and_go_with_their_contents(kubectl, store) -> None:
    assert (await kubectl("create", "namespace", "zoo"))[0] == 0
    assert (await kubectl("create", "configmap", "c", "-n", "zoo", "--from-literal=a=b"))[0] == 0
    assert store.get("configmaps", "zoo", "c")["data"] == {"a": "b"}
    code, _, err = await kubectl("delete", "namespace", "zoo")
    assert code == 0, err
    assert store.list("configmaps", "zoo") == []


async def test_the_readonly_context_is_refused(kubectl) -> None:
    for arguments in (
        ("delete", "httproute", "shop", "-n", "foo"),
        ("port-forward", "-n", "foo", "pod/proxy", ":19000"),
    ):
        code, _, err = await kubectl("--context", "playground-readonly", *arguments)
        assert code == 1
        assert 'is forbidden: User "playground-viewer" cannot' in err


@pytest.mark.usefixtures("backend")
async def test_port_forward_carries_requests(server, tmp_path) -> None:
    process = await start(server, tmp_path, "port-forward", "-n", "foo", "pod/proxy", ":19000")
    try:
        async with asyncio.timeout(20):
            line = (await process.stdout.readline()).decode()
            local = int(re.search(r"127\.0\.0\.1:(\d+) -> 19000", line)[1])
            async with aiohttp.ClientSession() as session:

                async def ask(number: int) -> str:
                    body = str(number) * 200_000
                    async with session.post(f"http://127.0.0.1:{local}/{number}", data=body) as answer:
                        echoed = await answer.json()
                        assert echoed["body"] == body
                        return echoed["path"]

                paths = await asyncio.gather(*(ask(number) for number in range(8)))
        assert paths == [f"/{number}" for number in range(8)]
    finally:
        process.kill()
        await process.communicate()


@pytest.mark.usefixtures("backend")
async def test_raw_paths_reach_the_stats_port(kubectl) -> None:
    code, out, err = await kubectl("get", "--raw", "/api/v1/namespaces/foo/pods/proxy:9091/proxy/stats")
    assert code == 0, err
    assert '"path": "/stats"' in out
