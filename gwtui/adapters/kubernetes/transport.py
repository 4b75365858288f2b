"""The connection to one API server. The only module that knows the Kubernetes client library.

The library's REST client gives the session: TLS, client certificates, proxy. Requests go to it directly, since its API
client allows one value per header (impersonated groups need several) and decodes answers into slow models.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import tempfile
import weakref
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from multidict import CIMultiDict

from gwtui.adapters.kubernetes.credentials import Credentials, fetch_credentials, sign_in_hint
from gwtui.adapters.kubernetes.failures import Call, Query, breakdown, refusal
from gwtui.adapters.kubernetes.kubeconfig import Access
from gwtui.adapters.kubernetes.lines import LineStream
from gwtui.adapters.kubernetes.permission import require_permission
from gwtui.changes.door import Approval
from gwtui.errors import BadPayload, GwtuiError, UsageError
from gwtui.ports import Clock

REQUEST_DEADLINE_S = 15.0
MAX_ANSWER_BYTES = 64 * 2**20
ERROR_BODY_BYTES = 64 * 2**10
"""How much of an error's body is read; a Status is far smaller."""
RENEW_BEFORE = timedelta(seconds=30)
"""Credentials that expire this soon are renewed before they are used."""
SIGN_IN_PAUSE_S = 20.0
"""After a failed sign-in the same failure is reported this long, and refused credentials are renewed at most this
often: a dozen sources must not start a dozen plugins."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the API server, whatever its status."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class ApiTransport:
    """Requests, streams and WebSockets to one API server, with credentials renewed when they expire or are refused.

    Every failure leaves as one of `gwtui.errors`, naming the context and the host. What would write is sent with an
    approval alone (`permission`): this is where every write passes.
    """

    def __init__(self, access: Access, clock: Clock, client: ModuleType) -> None:
        self.access = access
        self._clock = clock
        self._client = client
        self._rest: Any = None
        self._credentials: Credentials | None = None
        self._signed_in = 0
        self._signing_in = asyncio.Lock()
        self._sign_in_failure: tuple[float, GwtuiError] | None = None
        self._renewed_mono = -math.inf
        self._streams: weakref.WeakSet[LineStream] = weakref.WeakSet()

    @classmethod
    async def open(cls, access: Access, clock: Clock) -> ApiTransport:
        """Load the client library off the event loop. Sends nothing: the first request signs in."""
        return cls(access, clock, await asyncio.to_thread(_load_client))

    async def get_json_bytes(
        self,
        path: str,
        query: Query = (),
        *,
        accept: str = "application/json",
        deadline_s: float = REQUEST_DEADLINE_S,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> bytes:
        """GET a path and return the undecoded body of the 200 answer.

        Raises:
            Unreachable: no complete answer within `deadline_s` seconds; `Throttled` for 429 and 503.
            Denied: 401 after the credentials were renewed once, or 403.
            NotServed: 404.
            Expired: 410.
            BadPayload: larger than `max_bytes`, or cut off.
        """
        reply = await self.request("GET", path, query=query, accept=accept, deadline_s=deadline_s, max_bytes=max_bytes)
        return reply.body

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        deadline_s: float = REQUEST_DEADLINE_S,
        max_bytes: int = MAX_ANSWER_BYTES,
        approval: Approval | None = None,
    ) -> Reply:
        """Send a request and return the answer if its status is below 400; else raise as `get_json_bytes` does.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: Absolute path, each segment already percent-encoded.
            query: Name and value pairs, not encoded.
            body: Plain data for JSON content types and for `application/apply-patch+yaml`; a JSON Patch is a list.
            content_type: Of the body; a PATCH names its kind of patch.
            accept: Accept header.
            deadline_s: Seconds for all of it, sign-in excepted.
            max_bytes: Limit of the decompressed answer.
            approval: Of the plan that is carried out; None where nothing is written.

        Raises:
            Refused: it would write, and nobody approved it.
        """
        reply = await self.exchange(
            method,
            path,
            query=query,
            body=body,
            content_type=content_type,
            accept=accept,
            deadline_s=deadline_s,
            max_bytes=max_bytes,
            approval=approval,
        )
        if reply.status >= 400:
            raise self.refusal(method, path, reply, query)
        return reply

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        deadline_s: float = REQUEST_DEADLINE_S,
        max_bytes: int = MAX_ANSWER_BYTES,
        approval: Approval | None = None,
    ) -> Reply:
        """Send a request and return the answer whatever its status; 401 renews the credentials and asks once more."""
        require_permission(method, path, query, approval)
        call = self._call(method, path, query)
        timeout = aiohttp.ClientTimeout(total=deadline_s)
        for is_last in (False, True):
            signed_in = await self._sign_in()
            headers = self._headers(accept)
            headers["Content-Type"] = content_type
            try:
                async with asyncio.timeout(deadline_s):
                    answer = await self._rest.request(
                        method, self._url(path, query), headers=headers, body=body, _request_timeout=timeout
                    )
                    async with answer.response as response:
                        limit = max_bytes if response.status < 400 else max(max_bytes, ERROR_BODY_BYTES)
                        content = await _read_limited(response, limit, call)
            except (aiohttp.ClientError, OSError) as error:
                raise breakdown(call, error) from error
            if response.status != 401 or is_last:
                break
            await self._sign_in(refused=signed_in)
        return Reply(response.status, content, response.headers)

    @asynccontextmanager
    async def stream_lines(self, path: str, query: Query, *, silence_s: float) -> AsyncIterator[LineStream]:
        """Open a watch; the stream inside the block yields complete lines and ends when the server ends it.

        Args:
            path: Absolute path.
            query: Name and value pairs.
            silence_s: Seconds without a byte after which the connection counts as dead.

        Raises:
            GwtuiError: as `get_json_bytes`, on opening.
        """
        call = self._call("GET", path, query)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=REQUEST_DEADLINE_S, sock_read=silence_s)
        for is_last in (False, True):
            signed_in = await self._sign_in()
            try:
                answer = await self._rest.request(
                    "GET",
                    self._url(path, query),
                    headers=self._headers("application/json"),
                    _request_timeout=timeout,
                )
            except (aiohttp.ClientError, OSError) as error:
                raise breakdown(call, error) from error
            response: aiohttp.ClientResponse = answer.response
            try:
                if response.status == 401 and not is_last:
                    await self._sign_in(refused=signed_in)
                    continue
                if response.status >= 400:
                    raise self.refusal("GET", path, await _read_error(response, call), query)
                stream = LineStream(response, call)
                self._streams.add(stream)
                yield stream
                return
            finally:
                # A watch is never read to its end here; releasing the connection to the pool would wait for that.
                response.close()

    async def websocket(
        self, path: str, protocols: tuple[str, ...], query: Query = (), *, deadline_s: float, heartbeat_s: float
    ) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket, with the same credentials, TLS and proxy as every request.

        Raises:
            GwtuiError: as `get_json_bytes`. A refused handshake carries no reason from the server, only its status.
        """
        call = self._call("GET", path, query)
        for is_last in (False, True):
            signed_in = await self._sign_in()
            session: aiohttp.ClientSession = self._rest.pool_manager
            try:
                async with asyncio.timeout(deadline_s):
                    return await session.ws_connect(
                        self._url(path, query),
                        protocols=protocols,
                        headers=self._headers("*/*"),
                        heartbeat=heartbeat_s,
                        timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
                        proxy=self._rest.proxy,
                        server_hostname=self.access.tls_server_name,
                    )
            except aiohttp.WSServerHandshakeError as error:
                if error.status == 401 and not is_last:
                    await self._sign_in(refused=signed_in)
                    continue
                reply = Reply(error.status, b"", error.headers or {})
                raise self.refusal("GET", path, reply, query) from error
            except (aiohttp.ClientError, OSError) as error:
                raise breakdown(call, error) from error
        raise AssertionError("the second handshake returns or raises")

    def refusal(self, method: str, path: str, reply: Reply, query: Query = ()) -> GwtuiError:
        """Return the error that an answer of the API server with a status of 400 or more means."""
        call = self._call(method, path, query)
        return refusal(call, reply.status, reply.body, reply.headers, sign_in=sign_in_hint(self.access))

    def drop_streams(self) -> None:
        """Break every open watch, so that each resumes on a new connection. For when the server is known to be gone."""
        for stream in tuple(self._streams):
            stream.drop()

    async def close(self) -> None:
        """Close every connection."""
        if self._rest is not None:
            await self._rest.close()

    def _call(self, method: str, path: str, query: Query) -> Call:
        return Call(self.access.context, self.access.host, method, path, tuple(query))

    def _url(self, path: str, query: Query) -> str:
        return f"{self.access.server}{path}?{urlencode(query)}" if query else f"{self.access.server}{path}"

    def _headers(self, accept: str) -> CIMultiDict[str]:
        headers = CIMultiDict({"Accept": accept, "User-Agent": "gwtui"})
        # As kubectl does: over plain http anyone on the way could read and reuse them.
        if self._credentials and self._credentials.authorization and self.access.server.startswith("https://"):
            headers["Authorization"] = self._credentials.authorization
        acting_as = self.access.impersonation
        if acting_as.user:
            headers["Impersonate-User"] = acting_as.user
        if acting_as.uid:
            headers["Impersonate-Uid"] = acting_as.uid
        for group in acting_as.groups:
            headers.add("Impersonate-Group", group)
        for key, values in acting_as.extra.items():
            for value in values:
                headers.add(f"Impersonate-Extra-{quote(key.lower(), safe='')}", value)
        return headers

    async def _sign_in(self, *, refused: int = 0) -> int:
        """Make sure there are credentials that are not expired, nor those refused; return their number.

        Args:
            refused: The number of the credentials the server refused; 0 when none were.
        """
        async with self._signing_in:
            current = self._credentials
            if current is not None and self._signed_in != refused and not self._expires_soon(current):
                return self._signed_in
            now = self._clock.mono()
            if self._sign_in_failure and now - self._sign_in_failure[0] < SIGN_IN_PAUSE_S:
                raise self._sign_in_failure[1]
            if current is not None and refused:
                # A pod behind the proxy path may answer 401 for ever; that must not run a plugin each time.
                if now - self._renewed_mono < SIGN_IN_PAUSE_S:
                    return self._signed_in
                self._renewed_mono = now
            try:
                fresh = await fetch_credentials(self.access, self._clock)
                await self._use(fresh)
            except GwtuiError as error:
                self._sign_in_failure = (now, error)
                raise
            self._sign_in_failure = None
            self._signed_in += 1
            return self._signed_in

    def _expires_soon(self, credentials: Credentials) -> bool:
        return credentials.expires_at is not None and self._clock.now() >= credentials.expires_at - RENEW_BEFORE

    async def _use(self, fresh: Credentials) -> None:
        old, before = self._rest, self._credentials
        same = before and (before.certificate_pem, before.key_pem) == (fresh.certificate_pem, fresh.key_pem)
        if old is None or not same:
            self._rest = self._open_session(fresh)
            if old is not None:
                await old.close()
        self._credentials = fresh

    def _open_session(self, credentials: Credentials) -> Any:
        access = self.access
        configuration = self._client.Configuration(host=access.server, ca_cert_data=access.ca_pem, ssl_ca_cert=None)
        configuration.verify_ssl = access.verify_tls
        # Clusters older than Python's strict checks have authorities without key identifiers; kubectl accepts them.
        configuration.disable_strict_ssl_verification = True
        configuration.tls_server_name = access.tls_server_name
        configuration.proxy = access.proxy_url
        # A proxy from the environment must not get requests to this very machine.
        configuration.client_session_kwargs = {"trust_env": not _is_loopback(access.server)}
        try:
            with tempfile.TemporaryDirectory(prefix="gwtui-") as folder:
                if credentials.certificate_pem and credentials.key_pem:
                    configuration.cert_file = _write(Path(folder) / "client.crt", credentials.certificate_pem)
                    configuration.key_file = _write(Path(folder) / "client.key", credentials.key_pem)
                rest = self._client.rest.RESTClientObject(configuration)
        except OSError as error:  # ssl.SSLError is one
            raise UsageError(
                f"context {access.context!r}: the certificates cannot be used: {error}",
                "check certificate-authority, client-certificate and client-key",
            ) from error
        rest.pool_manager = rest._create_pool_manager()  # noqa: SLF001 - WebSockets need the session before a request
        return rest


def _load_client() -> ModuleType:
    from kubernetes.aio import client  # noqa: PLC0415 - half a second: only when a cluster is opened, in a thread
    from kubernetes.aio.client import rest  # noqa: F401, PLC0415 - makes `client.rest` exist

    return client  # type: ignore[no-any-return]  # the library ships no types


def _write(path: Path, text: str) -> str:
    path.write_text(text, encoding="ascii")
    return str(path)


def _is_loopback(server: str) -> bool:
    host = urlsplit(server).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _read_limited(response: aiohttp.ClientResponse, max_bytes: int, call: Call) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > max_bytes:
            response.close()
            raise BadPayload(
                f"{call.where}: the answer of {call.path} is larger than {max_bytes} bytes", "ask for less of it"
            )
        parts.append(part)
    return b"".join(parts)


async def _read_error(response: aiohttp.ClientResponse, call: Call) -> Reply:
    try:
        async with asyncio.timeout(REQUEST_DEADLINE_S):
            body = await _read_limited(response, ERROR_BODY_BYTES, call)
    except (aiohttp.ClientError, OSError, BadPayload):
        body = b""
    return Reply(response.status, body, response.headers)
