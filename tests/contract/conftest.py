"""One set of cases, two servers: the playground's API, and a real kube-apiserver where there is one.

`make test-apiserver` starts the latter, and says where it is: `GWTUI_CONTRACT_KUBECONFIG` names a kubeconfig with the
users of the playground, `GWTUI_CONTRACT_ETCD` the URL of its etcd, for the cases that need a compaction.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import yaml

import manifests
from api_client import Client, connecting
from gwtui.playground.api.server import PodPorts, serve
from gwtui.playground.api.store import Store

EMBEDDED, REAL = "embedded", "kube-apiserver"
KUBECONFIG, ETCD = "GWTUI_CONTRACT_KUBECONFIG", "GWTUI_CONTRACT_ETCD"
GROUP = "/apis/gateway.networking.k8s.io/v1"


@dataclass(frozen=True)
class Server:
    """A server under test."""

    name: str
    kubeconfig: Path
    compact: Callable[[], Awaitable[None]]
    """Make it forget every version but the newest."""
    admin: str
    """The users: all rights, rights to look, rights in the namespaces foo and bar."""
    viewer: str
    team: str

    @property
    def context(self) -> str:
        """The context of all rights; the others are called after it."""
        return yaml.safe_load(self.kubeconfig.read_text())["current-context"]


@pytest.fixture(params=[EMBEDDED, *([REAL] if KUBECONFIG in os.environ else [])])
async def server(request, tmp_path) -> AsyncIterator[Server]:
    users = {"admin": "playground-admin", "viewer": "playground-viewer", "team": "playground-team"}
    if request.param == REAL:
        yield Server(REAL, Path(os.environ[KUBECONFIG]), _compact_etcd, **users)
        return
    store = Store()
    for name in ("foo", "bar"):
        store.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    async def compact() -> None:
        store.compact()

    running = await serve(store, PodPorts(), state_dir=tmp_path)
    try:
        yield Server(EMBEDDED, running.kubeconfig, compact, **users)
    finally:
        await running.close()


async def _compact_etcd() -> None:
    if not (url := os.environ.get(ETCD)):
        pytest.skip(f"{ETCD} is not set: the store behind the server cannot be compacted")
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client:
        # Any answer carries the newest revision.
        head = await client.post("/v3/kv/range", json={"key": "AA=="})
        revision = head.json()["header"]["revision"]
        done = await client.post("/v3/kv/compaction", json={"revision": revision, "physical": True})
        assert done.status_code == 200, done.text


@pytest.fixture
async def as_user(server: Server) -> AsyncIterator[Callable[[str], Client]]:
    """A client by the name of a user."""
    async with connecting(server.kubeconfig) as as_any:
        yield as_any


@pytest.fixture
async def api(server: Server, as_user) -> Client:
    """A client that may do everything."""
    return as_user(server.admin)


@pytest.fixture
async def ns(api: Client) -> AsyncIterator[str]:
    """A namespace of this case's own."""
    name = f"contract-{uuid.uuid4().hex[:10]}"
    code, body, _ = await api.call(
        "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    )
    assert code == 201, body
    yield name
    await api.call("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def core(ns: str) -> str:
    """Base path of the core kinds in the namespace."""
    return f"/api/v1/namespaces/{ns}"


@pytest.fixture
async def gateways(api: Client, ns: str) -> str:
    """Base path of Gateway API in the namespace; skips where it is not installed."""
    code, _, _ = await api.call("GET", GROUP)
    if code != 200:
        pytest.skip("Gateway API is not installed: its published definitions are not at hand (GWTUI_CRDS)")
    return f"{GROUP}/namespaces/{ns}"


@pytest.fixture
def make() -> SimpleNamespace:
    """Manifests as an author writes them."""
    return manifests


class Put:
    """Writes that are beside the point of a case."""

    def __init__(self, api: Client) -> None:
        self._api = api

    async def __call__(self, path: str, body: dict[str, Any], **params: str) -> dict[str, Any]:
        """Create an object in a collection."""
        code, made, _ = await self._api.call("POST", path, body, params=params)
        assert code == 201, made
        return made

    async def merge(self, path: str, body: Any, **params: str) -> dict[str, Any]:
        """Merge something into an object."""
        return await self._patch(path, body, "application/merge-patch+json", params)

    async def apply(self, path: str, body: Any, manager: str, **params: str) -> dict[str, Any]:
        """Apply a configuration."""
        return await self._patch(path, body, "application/apply-patch+yaml", {"fieldManager": manager} | params)

    async def _patch(self, path: str, body: Any, content_type: str, params: dict[str, str]) -> dict[str, Any]:
        code, made, _ = await self._api.call("PATCH", path, body, content_type=content_type, params=params)
        assert code in {200, 201}, made
        return made


@pytest.fixture
def put(api: Client) -> Put:
    return Put(api)
