"""The asynchronous half: questions to one Prometheus-compatible server, few at a time and each within its time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from gwtui.errors import SourceError, Unreachable, UsageError

if TYPE_CHECKING:
    from gwtui.adapters.prometheus.transport import Lane

DEADLINE_S = 15.0
"""Seconds one question may take, waiting for its turn included."""

MAX_BYTES = 64_000_000
"""Largest answer, unpacked: about 100,000 series with the labels a pod usually brings along."""

AT_ONCE = 2
"""Questions under way at one server. A question that hangs keeps its place until its thread has ended."""


class QueryClient:
    """Asks one server. May be shared by several sources.

    Args:
        url: base of the API, for example `https://prometheus.example/prometheus`. User and password in it are sent as
            basic authentication and never shown.
        token_file: holds a bearer token; read anew for every question.
        ca_file: PEM file with the authority to trust; None: the usual ones.
        insecure: do not check the server's certificate.
        deadline_s: seconds one question may take.
        max_bytes: largest answer, unpacked.

    Raises:
        UsageError: the URL is not http or https, or names no host.
    """

    def __init__(
        self,
        url: str,
        *,
        token_file: Path | None = None,
        ca_file: Path | None = None,
        insecure: bool = False,
        deadline_s: float = DEADLINE_S,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._url, self._user, self._password = _apart(url)
        self.shown = self._url.partition("//")[2]
        """The server as messages name it: no user, no password."""
        self._token_file = token_file
        self._ca_file = ca_file
        self._insecure = insecure
        self._deadline_s = deadline_s
        self._max_bytes = max_bytes
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._idle: list[Lane] = []
        self._threads: set[asyncio.Task[bytes]] = set()
        self._transport: ModuleType | None = None

    async def ask(self, promql: str, *, at: float | None = None) -> bytes:
        """Return the answer to one instant query, undecoded.

        Args:
            promql: the question.
            at: moment of the evaluation, in seconds of the server's clock; None means now.

        Raises:
            Denied: 401 or 403.
            NotServed: there is no such API.
            Unreachable: no complete answer within the deadline, or the server failed.
            BadPayload: too large, a redirect, or a question it cannot answer.
        """
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._slots.acquire()
                return await self._in_thread(promql, at)
        except TimeoutError:
            raise Unreachable(
                f"{self.shown}: no complete answer within {self._deadline_s:g} s",
                "is it overloaded, or the way to it slow?",
            ) from None

    async def _in_thread(self, promql: str, at: float | None) -> bytes:
        """Ask with a free lane. The slot is given back when the thread has ended, however long that takes."""
        try:
            lane = self._idle.pop() if self._idle else await self._open()
        except BaseException:
            self._slots.release()
            raise
        work = asyncio.create_task(asyncio.to_thread(lane.ask, promql, at))
        self._threads.add(work)
        work.add_done_callback(self._ended)
        try:
            return await asyncio.shield(work)
        finally:
            if work.done():
                self._idle.append(lane)
            else:
                lane.give_up()
                work.add_done_callback(lambda _: lane.close())

    async def _open(self) -> Lane:
        if self._transport is None:
            self._transport = await asyncio.to_thread(_load)
        endpoint = self._transport.Endpoint(
            url=self._url,
            shown=self.shown,
            user=self._user,
            password=self._password,
            token_file=self._token_file,
            ca_file=self._ca_file,
            insecure=self._insecure,
            timeout_s=self._deadline_s,
            max_bytes=self._max_bytes,
        )
        lane: Lane = self._transport.Lane(endpoint)
        return lane

    def _ended(self, work: asyncio.Task[bytes]) -> None:
        self._threads.discard(work)
        self._slots.release()
        if not work.cancelled() and not isinstance(work.exception(), SourceError | None):
            work.result()  # a defect of ours goes to the loop's handler, even where nobody waits any more

    async def close(self) -> None:
        """Close every idle connection; one in use ends with its question."""
        while self._idle:
            self._idle.pop().close()


def _load() -> ModuleType:
    from gwtui.adapters.prometheus import transport  # noqa: PLC0415 - 90 ms that a run without Prometheus need not pay

    return transport


def _apart(url: str) -> tuple[str, str, str]:
    """Return the URL without user and password, and those two."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment:
        raise UsageError("the url of a Prometheus is not a base URL", "write it as http://HOST:PORT")
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
    return bare, unquote(parts.username or ""), unquote(parts.password or "")
