"""A running playground as benchmarks use it: its API, what its clients counted, and what the console makes of it."""

from __future__ import annotations

import base64
import json
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from gwtui.engine.clock import SystemClock
from gwtui.engine.store import Store
from gwtui.playground.launch import launch
from gwtui.settings import Settings
from gwtui.wiring.session import Session
from gwtui.wiring.triaging import Watch

MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"
SETTLED_S = 6.0
"""Seconds after which a pod that became ready is one like the others."""


class Api:
    """The playground's API server, written to by a stranger.

    Args:
        kubeconfig: leads to it.
    """

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._client = httpx.AsyncClient(
            base_url=cluster["server"],
            headers={"authorization": f"Bearer {user['token']}"},
            verify=ssl.create_default_context(cadata=authority),
            trust_env=False,
        )

    async def get(self, path: str) -> dict[str, Any]:
        """Return an object or a list."""
        return await self._asked("GET", path)

    async def create(self, path: str, obj: Mapping[str, Any]) -> dict[str, Any]:
        """Create an object and return it."""
        return await self._asked("POST", path, content=json.dumps(obj), headers={"content-type": "application/json"})

    async def patch(self, path: str, patch: Any, *, kind: str = MERGE) -> dict[str, Any]:
        """Patch an object and return it."""
        return await self._asked("PATCH", path, content=json.dumps(patch), headers={"content-type": kind})

    async def delete(self, path: str) -> dict[str, Any]:
        """Delete an object."""
        return await self._asked("DELETE", path)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _asked(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        answer = await self._client.request(method, path, **more)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


class Fleet:
    """A running playground, and a console's engine that watches it.

    Args:
        ready: what the playground printed when it was ready.
        api: its API.
        watch: what is found wrong.
    """

    def __init__(self, ready: Mapping[str, Any], api: Api, watch: Watch) -> None:
        self.api = api
        self.watch = watch
        self._report = Path(ready["state"], "traffic.json")

    def unwell(self) -> int:
        """How many requests the clients saw fail so far: no answer, or a status of 400 or more."""
        hosts = json.loads(self._report.read_text())["hosts"].values()
        return sum(_unwell(each) for each in hosts)

    async def is_whole(self) -> bool:
        """Whether every pod is ready and has been for a while: none is being replaced or has just come back."""
        pods = (await self.api.get("/api/v1/pods"))["items"]
        return all(any(_is_settled(each) for each in pod["status"].get("conditions", ())) for pod in pods)


def _is_settled(condition: Mapping[str, Any]) -> bool:
    since = datetime.fromisoformat(condition["lastTransitionTime"])
    is_ready = condition["type"] == "Ready" and condition["status"] == "True"
    return is_ready and (datetime.now(UTC) - since).total_seconds() > SETTLED_S


def _unwell(host: Mapping[str, Any]) -> int:
    answered = sum(count for status, count in host["status"].items() if int(status) >= 400)
    return int(answered + host["failed"])


@asynccontextmanager
async def watched(scenario: str) -> AsyncIterator[Fleet]:
    """Run a playground and watch it until the block is left."""
    playground = await launch(scenario, state_dir=None, progress=lambda line: print(line, file=sys.stderr, flush=True))
    try:
        async with watching(playground.ready) as fleet:
            yield fleet
    finally:
        await playground.close()


@asynccontextmanager
async def watching(ready: Mapping[str, Any]) -> AsyncIterator[Fleet]:
    """Watch a running playground until the block is left."""
    kubeconfig = Path(ready["kubeconfig"])
    clock = SystemClock()
    session = Session(Settings(kubeconfig=kubeconfig), Store(clock), clock)
    api = Api(kubeconfig)
    try:
        async with session.running():
            yield Fleet(ready, api, Watch(session))
    finally:
        await api.close()
