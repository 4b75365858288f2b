"""Plain asynchronous HTTP to an API server, as one user of a kubeconfig; nothing of the console."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml


@dataclass
class Client:
    """HTTP as one user; every call returns status, body and headers."""

    session: aiohttp.ClientSession
    url: str

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any, Any]:
        headers = options.pop("headers", {})
        if body is not None and not isinstance(body, bytes):
            options["json"] = body
            if "content_type" in options:
                headers["Content-Type"] = options.pop("content_type")
        elif body is not None:
            options["data"] = body
        async with self.session.request(method, self.url + path, headers=headers, **options) as answer:
            text = await answer.read()
            is_json = "json" in answer.headers.get("Content-Type", "")
            return answer.status, (await answer.json(content_type=None) if is_json and text else text), answer.headers

    async def get(self, path: str, **options: Any) -> Any:
        code, body, _ = await self.call("GET", path, **options)
        assert code == 200, body
        return body

    @asynccontextmanager
    async def watch(self, path: str, headers: dict[str, str] | None = None, **params: Any) -> AsyncIterator[Events]:
        """An open watch."""
        query = {"watch": "1", "timeoutSeconds": "10"} | params
        async with self.session.get(self.url + path, params=query, headers=headers or {}) as answer:
            assert answer.status == 200, await answer.text()
            yield Events(answer)

    async def events(self, path: str, count: int, **params: Any) -> list[dict[str, Any]]:
        """The first events of a watch."""
        async with self.watch(path, **params) as events:
            return await events.take(count)


@dataclass
class Events:
    """The events of one watch, in order."""

    answer: aiohttp.ClientResponse

    async def next(self) -> dict[str, Any] | None:
        """The next event; None when the server ended the stream."""
        line = await self.answer.content.readline()
        return json.loads(line) if line else None

    async def take(self, count: int, within_s: float = 15) -> list[dict[str, Any]]:
        """The next events; fewer when the server ended the stream."""
        found: list[dict[str, Any]] = []
        async with asyncio.timeout(within_s):
            while len(found) < count and (event := await self.next()) is not None:
                found.append(event)
        return found


def connect(kubeconfig: Path, user: str) -> Client:
    """A client that is one of the users of a kubeconfig of one cluster; its session is to be closed."""
    config = yaml.safe_load(kubeconfig.read_text())
    authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    token = next(entry["user"]["token"] for entry in config["users"] if entry["name"] == user)
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cadata=authority))
    session = aiohttp.ClientSession(
        connector=connector,
        headers={"Authorization": f"Bearer {token}"},
        timeout=aiohttp.ClientTimeout(total=20),
        read_bufsize=2**20,
    )
    return Client(session, config["clusters"][0]["cluster"]["server"])


@asynccontextmanager
async def connecting(kubeconfig: Path) -> AsyncIterator[Callable[[str], Client]]:
    """Connects as any user of a kubeconfig; every session is closed when the block is left."""
    async with AsyncExitStack() as stack:

        def client(user: str) -> Client:
            connected = connect(kubeconfig, user)
            stack.push_async_callback(connected.session.close)
            return connected

        yield client
