"""A way in for tests: a plain URL, no Kubernetes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gwtui.errors import BadPayload, Denied, NotServed, Unreachable, UsageError
from gwtui.model.ids import ProxyKey
from gwtui.ports import Answer

if TYPE_CHECKING:
    import httpx


class StaticAccess:
    """GETs from fixed base URLs; a `ProxyAccess`. The port of the URL is used, whatever port is asked for.

    Args:
        bases: base URL of the admin or stats interface per proxy, for example `http://10.0.0.7:19000`.

    Raises:
        UsageError: a URL is not http or https, or names no host.
    """

    name = "static"
    reaches_loopback = True

    def __init__(self, bases: Mapping[ProxyKey, str]) -> None:
        for key, base in bases.items():
            if not _is_base(base):
                raise UsageError(f"proxy {key}: `{base}` is not a base URL", "write it as http://HOST:PORT")
        self._bases = {key: base.rstrip("/") for key, base in bases.items()}
        self._client: httpx.AsyncClient | None = None

    async def get(self, proxy: ProxyKey, port: int, path: str, *, deadline_s: float, max_bytes: int) -> Answer:
        """GET `path` from the proxy's base URL; see `ProxyAccess.get`."""
        import httpx  # noqa: PLC0415 -- 100 ms of imports that only static inventories need

        base = self._bases.get(proxy)
        if base is None:
            raise NotServed(f"no URL is configured for {proxy}", "add a [[proxy]] entry")
        if self._client is None:
            # Environment proxies would send loopback requests away; the deadline below bounds every phase.
            self._client = httpx.AsyncClient(timeout=None, trust_env=False, headers={"accept-encoding": "identity"})
        try:
            async with asyncio.timeout(max(deadline_s, 0.0)):
                return await _read(self._client, base, path, max_bytes)
        except TimeoutError as error:
            raise Unreachable(
                f"no complete answer from {base} within {deadline_s:.1f} s", "is it overloaded?"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise Unreachable(f"{base}: {error or type(error).__name__}", "is the proxy running?") from error

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


async def _read(client: httpx.AsyncClient, base: str, path: str, max_bytes: int) -> Answer:
    started = time.perf_counter()
    async with client.stream("GET", base + path) as response:
        if response.status_code in {401, 403}:
            raise Denied(
                f"{base} answered {response.status_code}", "allow this path there", status=response.status_code
            )
        chunks: list[bytes] = []
        size = 0
        # Raw, so that a small compressed answer cannot unfold beyond the limit; we asked for none.
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > max_bytes:
                raise BadPayload(f"{base} sent more than {max_bytes} bytes", "is this Envoy's admin port?")
            chunks.append(chunk)
    return Answer(response.status_code, b"".join(chunks), time.perf_counter() - started)


def _is_base(base: str) -> bool:
    try:
        parts = urlsplit(base)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and not parts.query
    except ValueError:
        return False
