"""GET, and approved POSTs, straight from the address of a proxy, over kept-alive connections."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from gwtui.adapters.direct.connection import Connection, Lost, Received, TooLarge
from gwtui.changes.door import Approval, require_approval
from gwtui.errors import BadPayload, Denied, NotServed, Unreachable
from gwtui.model.ids import ProxyKey
from gwtui.model.read_only import require_read_only
from gwtui.ports import Answer, Clock, ProxyAccess, ProxyActuator, ProxyAddress

CONNECTIONS_PER_PROXY = 2
"""One for the samples, one for what somebody looks at."""
POSTED_BYTES = 100_000
"""Largest answer to a POST; the longest, a list of log levels, has 2 KB."""


class DirectAccess(ProxyAccess, ProxyActuator):
    """One way in for many proxies. Told something are only those whose admin interface it reaches.

    Args:
        name: Name of the way: `pod address`, `static`.
        base: Base URL of the proxy's interface on a port, for example `http://10.0.0.7:9091`; None where the proxy has
            no such address.
        reaches_loopback: Whether the URL is that of the admin interface.
        clock: Measures how long answers take.
    """

    def __init__(
        self, name: str, base: Callable[[ProxyKey, int], str | None], *, reaches_loopback: bool, clock: Clock
    ) -> None:
        self._name = name
        self._base = base
        self._reaches_loopback = reaches_loopback
        self._clock = clock
        self._places: dict[str, _Place] = {}

    @property
    def name(self) -> str:
        """Name of this way in."""
        return self._name

    @property
    def reaches_loopback(self) -> bool:
        """Whether it ends at the admin interface."""
        return self._reaches_loopback

    async def get(self, proxy: ProxyKey, port: int, path: str, *, deadline_s: float, max_bytes: int) -> Answer:
        """Ask the proxy. See `ProxyAccess.get`; a path that is not read-only is `Refused`."""
        require_read_only(path)
        return await self._ask("GET", proxy, port, path, deadline_s=deadline_s, max_bytes=max_bytes)

    async def post(self, approval: Approval, proxy: ProxyAddress, path: str, *, deadline_s: float) -> Answer:
        """Tell the proxy something; see `ProxyActuator.post`. It is sent once, over a connection of its own."""
        require_approval(approval).require_post(proxy.key, path)
        if not self._reaches_loopback:
            raise NotServed(f"{proxy.key}: no admin interface by {self._name}", "allow port-forward to its pod")
        try:
            return await self._ask(
                "POST", proxy.key, proxy.admin_port, path, deadline_s=deadline_s, max_bytes=POSTED_BYTES
            )
        except Unreachable as error:
            raise Unreachable(error.message, "whether it was done is not known: look at the proxy") from error

    async def _ask(
        self, method: str, proxy: ProxyKey, port: int, path: str, *, deadline_s: float, max_bytes: int
    ) -> Answer:
        base = self._base(proxy, port)
        if base is None:
            raise NotServed(f"{proxy} has no address to reach it at", "the pod may not be running yet")
        started = self._clock.mono()
        end = asyncio.get_running_loop().time() + deadline_s
        try:
            status, body = await self._place(base).ask(method, path, max_bytes, end)
        except TimeoutError as error:
            raise Unreachable(
                f"no complete answer from {base} within {deadline_s:.1f} s",
                "no route from here, or the proxy is overloaded",
            ) from error
        except TooLarge as error:
            told = f"{base} sent more than {max_bytes} bytes"
            raise BadPayload(told, "is this Envoy's admin or stats port?") from error
        except (Lost, OSError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise Unreachable(f"{base}: {reason}", "is the proxy running, and can it be reached from here?") from error
        if status == 401:
            raise Denied(f"{base} answered 401", "gwtui sends no credentials to proxies", status=status)
        return Answer(status, body, self._clock.mono() - started)

    def _place(self, base: str) -> _Place:
        place = self._places.get(base)
        if place is None:
            place = self._places[base] = _Place(base, lambda: self._places.pop(base, None))
        return place

    async def close(self) -> None:
        """Close every connection."""
        for place in tuple(self._places.values()):
            place.close()
        await asyncio.sleep(0)  # the loop closes the sockets


class _Place:
    """Where a proxy is asked, with the connections to it.

    Args:
        base: Base URL.
        emptied: Called when the last connection is closed.
    """

    def __init__(self, base: str, emptied: Callable[[], object]) -> None:
        parts = urlsplit(base)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        # Paths are sent as they are: encoded already. No compression: a small answer must not unfold beyond the limit.
        self._path = parts.path
        self._rest = f" HTTP/1.1\r\nhost: {parts.netloc}\r\naccept-encoding: identity\r\nuser-agent: gwtui\r\n"
        self._emptied = emptied
        self._connections: list[Connection] = []
        self._asking = 0
        self._turns = asyncio.Semaphore(CONNECTIONS_PER_PROXY)

    async def ask(self, method: str, path: str, max_bytes: int, end: float) -> Received:
        """Ask over a connection that is free, or over a new one. What acts gets one of its own, and is sent once.

        Args:
            method: `GET`, or `POST` for what acts.
            path: percent-encoded.
            max_bytes: largest body.
            end: when the answer has to be complete, on the clock of the loop.

        Raises:
            Lost: the connection broke.
            TooLarge: the answer is larger than `max_bytes`.
            TimeoutError: no complete answer by `end`.
            OSError: there is no connection to be had.
        """
        is_read = method == "GET"
        last = "\r\n" if is_read else "content-length: 0\r\nconnection: close\r\n\r\n"
        request = f"{method} {self._path}{path}{self._rest}{last}".encode("ascii")
        self._asking += 1
        try:
            if self._turns.locked():
                async with asyncio.timeout_at(end):
                    await self._turns.acquire()
            else:
                await self._turns.acquire()
            try:
                if is_read and (answer := await self._ask_again(request, max_bytes, end)):
                    return answer
                async with asyncio.timeout_at(end):
                    fresh = await self._connect()
                return await fresh.ask(request, max_bytes=max_bytes, end=end)
            finally:
                self._turns.release()
        finally:
            self._asking -= 1
            self._look()

    async def _ask_again(self, request: bytes, max_bytes: int, end: float) -> Received | None:
        """Ask over a connection that is open already; None when there is none, or it was closed meanwhile."""
        free = next((each for each in self._connections if each.is_free), None)
        if free is None:
            return None
        try:
            return await free.ask(request, max_bytes=max_bytes, end=end)
        except Lost as lost:
            if not lost.is_stale:
                raise
            return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(lambda: Connection(self._forget), self._host, self._port, ssl=self._tls)
        self._connections.append(made)
        return made

    def _forget(self, ended: Connection) -> None:
        if ended in self._connections:
            self._connections.remove(ended)
        self._look()

    def _look(self) -> None:
        if not self._connections and not self._asking:
            self._emptied()

    def close(self) -> None:
        """Close every connection."""
        for connection in tuple(self._connections):
            connection.close()
