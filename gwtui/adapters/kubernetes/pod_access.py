"""The ways to a proxy's HTTP interface through the API server: pod proxy and port-forward."""

from __future__ import annotations

import asyncio

import httpcore

from gwtui.adapters.kubernetes.failures import decode_status
from gwtui.adapters.kubernetes.portforward import IDLE_S, PodBackend, forward_failure
from gwtui.adapters.kubernetes.transport import ApiTransport, Reply
from gwtui.changes.door import Approval, require_approval
from gwtui.errors import BadPayload, Denied, NotServed, SourceError, Unreachable
from gwtui.model.ids import ProxyKey
from gwtui.model.read_only import require_read_only
from gwtui.ports import Answer, Clock, ProxyAccess, ProxyActuator, ProxyAddress

CONNECTIONS_PER_PROXY = 2
POSTED_BYTES = 100_000
"""Largest answer to a POST; the longest, a list of log levels, has 2 KB."""


class PodProxy(ProxyAccess):
    """GET through `pods/proxy`. Reaches what listens on the pod's address, not what listens on its loopback."""

    def __init__(self, transport: ApiTransport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    @property
    def name(self) -> str:
        """Name of this way in."""
        return "pod proxy"

    @property
    def reaches_loopback(self) -> bool:
        """Whether it ends inside the pod."""
        return False

    async def get(self, proxy: ProxyKey, port: int, path: str, *, deadline_s: float, max_bytes: int) -> Answer:
        """Ask the proxy. See `ProxyAccess.get`; a path that is not read-only is `Refused`."""
        require_read_only(path)
        started = self._clock.mono()
        full = f"/api/v1/namespaces/{proxy.namespace}/pods/{proxy.pod}:{port}/proxy{path}"
        reply = await self._transport.exchange("GET", full, accept="*/*", deadline_s=deadline_s, max_bytes=max_bytes)
        if reply.status >= 400:
            self._raise_if_api_server(reply, proxy, port)
        return Answer(reply.status, reply.body, self._clock.mono() - started)

    def _raise_if_api_server(self, reply: Reply, proxy: ProxyKey, port: int) -> None:
        """Tell the API server's own refusals, which are Status objects, from answers of the proxy."""
        said = reply.body[:500].decode(errors="replace")
        status = decode_status(reply.body)
        where = f"{proxy.cluster}: {proxy} port {port}"
        # Servers before 1.20 wrote this sentence as plain text.
        if "error trying to reach service" in ((status.message or "") if status else said).lower():
            raise forward_failure(where, (status.message or "") if status else said)
        if status is None:
            return
        # Without the port, so that the right to grant is read off the path.
        path = f"/api/v1/namespaces/{proxy.namespace}/pods/{proxy.pod}/proxy"
        raise self._transport.refusal("GET", path, reply)

    async def close(self) -> None:
        """Nothing is held open here: the transport owns the connections."""


class PortForward(ProxyAccess, ProxyActuator):
    """GET, and approved POSTs, through `pods/portforward`, the way to an admin interface on the pod's loopback."""

    def __init__(self, transport: ApiTransport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self._pools: dict[ProxyKey, httpcore.AsyncConnectionPool] = {}
        self._used_mono: dict[ProxyKey, float] = {}

    @property
    def name(self) -> str:
        """Name of this way in."""
        return "port-forward"

    @property
    def reaches_loopback(self) -> bool:
        """Whether it ends inside the pod."""
        return True

    async def get(self, proxy: ProxyKey, port: int, path: str, *, deadline_s: float, max_bytes: int) -> Answer:
        """Ask the proxy. See `ProxyAccess.get`; a path that is not read-only is `Refused`."""
        require_read_only(path)
        return await self._ask("GET", proxy, port, path, deadline_s=deadline_s, max_bytes=max_bytes)

    async def post(self, approval: Approval, proxy: ProxyAddress, path: str, *, deadline_s: float) -> Answer:
        """Tell the proxy something; see `ProxyActuator.post`."""
        require_approval(approval).require_post(proxy.key, path)
        try:
            return await self._ask(
                "POST", proxy.key, proxy.admin_port, path, deadline_s=deadline_s, max_bytes=POSTED_BYTES
            )
        except Unreachable as error:
            raise Unreachable(error.message, "whether it was done is not known: look at the proxy") from error

    async def _ask(
        self, method: str, proxy: ProxyKey, port: int, path: str, *, deadline_s: float, max_bytes: int
    ) -> Answer:
        started = self._clock.mono()
        where = f"{proxy.cluster}: {proxy} port {port}"
        try:
            async with asyncio.timeout(deadline_s):
                pool = await self._pool(proxy)
                status, body = await _fetch(pool, method, port, path, max_bytes=max_bytes, where=where)
        except TimeoutError as error:
            raise Unreachable(
                f"{where}: no complete answer within {deadline_s:g} s", "the proxy may be busy"
            ) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise Unreachable(f"{where}: the port-forward broke: {error}", "we connect again") from error
        except (Denied, NotServed) as error:
            raise _with_rights(error, proxy) from error
        return Answer(status, body, self._clock.mono() - started)

    async def close(self) -> None:
        """Close every connection."""
        pools = list(self._pools.values())
        self._pools.clear()
        self._used_mono.clear()
        for pool in pools:
            await pool.aclose()

    async def _pool(self, proxy: ProxyKey) -> httpcore.AsyncConnectionPool:
        now = self._clock.mono()
        self._used_mono[proxy] = now
        # Pods come and go; the pool of one that is gone must not stay.
        for other in [key for key, used in self._used_mono.items() if now - used > 2 * IDLE_S]:
            self._used_mono.pop(other, None)  # another call may have done so while this one waited
            if idle := self._pools.pop(other, None):
                await idle.aclose()
        if proxy not in self._pools:
            self._pools[proxy] = httpcore.AsyncConnectionPool(
                max_connections=CONNECTIONS_PER_PROXY,
                keepalive_expiry=IDLE_S,
                network_backend=PodBackend(self._transport, proxy.namespace, proxy.pod),
            )
        return self._pools[proxy]


async def _fetch(
    pool: httpcore.AsyncConnectionPool, method: str, port: int, path: str, *, max_bytes: int, where: str
) -> tuple[int, bytes]:
    url = httpcore.URL(scheme=b"http", host=b"127.0.0.1", port=port, target=path.encode("ascii"))
    headers = [(b"host", f"127.0.0.1:{port}".encode()), (b"accept", b"*/*"), (b"user-agent", b"gwtui")]
    if method != "GET":
        headers.append((b"content-length", b"0"))
    body = bytearray()
    async with pool.stream(method, url, headers=headers) as response:
        async for part in response.aiter_stream():
            body += part
            if len(body) > max_bytes:
                raise BadPayload(f"{where}: the answer is larger than {max_bytes} bytes", "ask for less of it")
    return response.status, bytes(body)


def _with_rights(error: SourceError, proxy: ProxyKey) -> SourceError:
    """Say what the WebSocket handshake cannot: it carries a status code and no text."""
    where = f"{proxy.cluster}: {proxy}"
    if isinstance(error, Denied) and error.status == 403:
        hint = f"grant get and create on pods/portforward in namespace {proxy.namespace}"
        return Denied(f"{where}: port-forward is refused (403)", hint, status=403)
    if isinstance(error, NotServed) and "not served" in error.message:
        return NotServed(f"{where}: the pod does not exist", "it was replaced; look at the list again")
    return error
