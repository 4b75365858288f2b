"""Objects from YAML files, and a running playground to talk to."""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from gwtui.playground.api.kinds import BY_TYPE
from gwtui.playground.launch import Playground, launch
from gwtui.playground.world import World

Json = dict[str, Any]
GOLDEN = Path(__file__).parent / "golden"


def world_of(*files: Path) -> World:
    """The world of some YAML files; later objects replace earlier ones of the same name."""
    objects: dict[str, dict[tuple[str, str], Json]] = {}
    for file in files:
        for item in yaml.safe_load_all(file.read_text()):
            resource = BY_TYPE[item["apiVersion"], item["kind"]].resource
            metadata = item["metadata"]
            objects.setdefault(resource, {})[metadata.get("namespace", ""), metadata["name"]] = item
    return World({resource: items.values() for resource, items in objects.items()})


@pytest.fixture
def golden_world() -> Callable[[str], World]:
    return lambda case: world_of(GOLDEN / "base.yaml", GOLDEN / f"{case}.in.yaml")


class Running:
    """A playground, its API and its ways in."""

    def __init__(self, playground: Playground, progress: list[str]) -> None:
        self.playground = playground
        self.progress = progress
        config = yaml.safe_load(playground.kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.api = httpx.AsyncClient(
            base_url=cluster["server"], verify=_tls(cluster), headers={"authorization": f"Bearer {user['token']}"}
        )
        self.http = httpx.AsyncClient(timeout=10)

    def entry(self, gateway: str = "edge", listener: str = "http") -> str:
        return self.playground.ready["entrypoints"][f"playground/infra/{gateway}/{listener}"]

    async def ask(self, host: str, path: str = "/", gateway: str = "edge") -> httpx.Response:
        return await self.http.get(self.entry(gateway) + path, headers={"host": host})

    async def ask_anew(self, host: str, path: str = "/", gateway: str = "edge") -> httpx.Response:
        """Ask over a connection of its own, so that the load balancer chooses a proxy anew."""
        async with httpx.AsyncClient(timeout=10) as client:
            return await client.get(self.entry(gateway) + path, headers={"host": host})

    async def get(self, path: str) -> Json:
        answer = await self.api.get(path)
        answer.raise_for_status()
        return answer.json()

    async def patch(self, path: str, patch: Any, kind: str = "merge") -> Json:
        answer = await self.api.patch(path, json=patch, headers={"content-type": f"application/{kind}-patch+json"})
        answer.raise_for_status()
        return answer.json()

    async def pods(self, gateway: str) -> list[Json]:
        selector = f"gateway.networking.k8s.io/gateway-name={gateway}"
        return (await self.get(f"/api/v1/namespaces/infra/pods?labelSelector={selector}"))["items"]

    def envoys(self) -> dict[str, psutil.Process]:
        """The Envoy processes, by the last two folders of their configuration: `infra/<pod>`."""
        found = {}
        for process in psutil.Process(self.playground.pid).children():
            try:
                command = process.cmdline()
            except psutil.NoSuchProcess:
                continue
            if command and command[0].endswith("envoy"):
                found["/".join(Path(command[2]).parts[-3:-1])] = process
        return found

    async def close(self) -> None:
        await self.api.aclose()
        await self.http.aclose()
        await self.playground.close()


def _tls(cluster: Json) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())


async def _eventually(check: Callable[[], Awaitable[Any]], *, within_s: float) -> float:
    """Seconds until `check` returned something true; fails when it takes longer than `within_s`."""
    started = time.monotonic()
    while True:
        result = await check()
        taken = time.monotonic() - started
        if result:
            return taken
        assert taken < within_s, f"not within {within_s} s: {check}"
        await asyncio.sleep(0.01)


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Awaitable[float]]:
    return _eventually


async def _start(scenario: str, *, traffic: bool) -> Running:
    progress: list[str] = []
    playground = await launch(scenario, state_dir=None, traffic=traffic, progress=progress.append)
    return Running(playground, progress)


@pytest.fixture(scope="session")
def start_playground() -> Callable[..., Awaitable[Running]]:
    return _start
