"""The blocking half: one connection to a Prometheus API, bounded in bytes here and in time from outside.

`PrometheusConnect` builds the questions. What it leaves open is closed by the session it is given: it has no limit of
bytes, its timeout begins anew with every byte that arrives, and it follows redirects with the token in hand.
"""

from __future__ import annotations

import contextlib
import socket
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import urllib3
from prometheus_api_client import PrometheusConnect
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from gwtui.adapters.prometheus.decode import TooMuch
from gwtui.adapters.prometheus.failures import breakdown, refusal
from gwtui.errors import SourceError, Unreachable

_CHUNK = 65_536
_ERROR_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where and how to ask."""

    url: str
    """Without user and password, and without a slash at its end."""
    shown: str
    """What messages call it."""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token_file: Path | None = None
    """Read anew for every question: tokens of service accounts are renewed every hour."""
    ca_file: Path | None = None
    insecure: bool = False
    timeout_s: float
    """Longest silence of the server, in seconds."""
    max_bytes: int
    """Largest answer, unpacked."""


class Lane:
    """One kept-alive connection, used by one thread at a time."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._watched: list[socket.socket] = []
        self._is_given_up = False
        session = _BoundedSession(endpoint)
        basic = (endpoint.user, endpoint.password) if endpoint.user or endpoint.password else None
        self._connect = PrometheusConnect(
            endpoint.url,
            auth=basic,
            session=session,
            timeout=endpoint.timeout_s,
            retry=urllib3.Retry(0, read=False),
            # Of the environment only the proxies: requests would send a password from ~/.netrc in place of our token.
            proxy=requests.utils.get_environ_proxies(endpoint.url),
        )
        # In place of the adapter that the library mounted for the same address.
        session.mount(endpoint.url, _WatchedAdapter(self))

    def ask(self, promql: str, at: float | None) -> bytes:
        """Return the answer to one instant query, undecoded. Blocks.

        Args:
            promql: The question.
            at: Moment of the evaluation, in seconds of the server's clock; None means now.

        Raises:
            SourceError: Refused, unreachable, too large, or given up from outside.
        """
        self._connect.headers = self._headers()
        try:
            body: bytes = self._connect.custom_query(promql, params=None if at is None else {"time": f"{at:.3f}"})
        except SourceError:
            raise
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise breakdown(self._endpoint.shown, error) from None
        return body

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        if self._endpoint.token_file is not None:
            try:
                token = self._endpoint.token_file.read_text(encoding="ascii").strip()
            except (OSError, UnicodeDecodeError):
                raise Unreachable(
                    f"{self._endpoint.shown}: token_file {self._endpoint.token_file} cannot be read",
                    "name a file that you may read and that holds the token alone",
                ) from None
            headers["Authorization"] = f"Bearer {token}"
        return headers

    def watch(self, opened: socket.socket) -> socket.socket:
        """Take note of a new connection; the handle that is returned must be closed with it."""
        # A second handle on the same connection: TLS takes the first one away from its object.
        handle = opened.dup()
        self._watched.append(handle)
        if self._is_given_up:
            _shut(handle)
        return handle

    def forget(self, handle: socket.socket) -> None:
        """Close the handle of a connection that has ended."""
        if handle in self._watched:
            self._watched.remove(handle)
        handle.close()

    def give_up(self) -> None:
        """End the question under way, from another thread, and every later one.

        A server that sends a byte now and then holds its thread for as long as it likes: no timeout of a socket ends
        that, a connection that is shut does.
        """
        self._is_given_up = True
        for handle in self._watched.copy():
            _shut(handle)

    def close(self) -> None:
        """Close the connection."""
        self._connect.close()


def _shut(handle: socket.socket) -> None:
    with contextlib.suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


class _Whole:
    """As much of an answer as `PrometheusConnect.custom_query` looks at; its result is the body, undecoded.

    The library would make a dictionary of every label of every series, and drop the warnings.
    """

    status_code = 200

    def __init__(self, body: bytes) -> None:
        self._body = body

    def json(self) -> dict[str, dict[str, bytes]]:
        """Return what the library takes the result from."""
        return {"data": {"result": self._body}}


class _BoundedSession(requests.Session):
    """Reads whole answers within a limit, and raises our own errors for all others."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__()
        self._endpoint = endpoint
        self.trust_env = False
        self.verify = str(endpoint.ca_file) if endpoint.ca_file else not endpoint.insecure
        if endpoint.insecure:
            # The user asked for it; the warning would be written across the screen.
            warnings.filterwarnings("ignore", category=urllib3.exceptions.InsecureRequestWarning)

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Send one request and read its answer.

        Raises:
            SourceError: It was not 200, or too large.
        """
        with super().request(*args, **{**kwargs, "stream": True, "allow_redirects": False}) as response:
            if response.status_code != 200:
                body = next(response.iter_content(_ERROR_BYTES), b"")
                to = response.headers.get("Location", "")
                raise refusal(self._endpoint.shown, response.status_code, body, location=to)
            chunks: list[bytes] = []
            size = 0
            for chunk in response.iter_content(_CHUNK):
                size += len(chunk)
                if size > self._endpoint.max_bytes:
                    raise TooMuch(
                        f"{self._endpoint.shown} sent more than {self._endpoint.max_bytes:,} bytes",
                        "narrow `match` of the [[prometheus]] table, or check that url is the API's own address",
                    )
                chunks.append(chunk)
        return _Whole(b"".join(chunks))


class _WatchedAdapter(HTTPAdapter):
    """Connections that the lane can end from another thread, also those through a proxy."""

    def __init__(self, lane: Lane) -> None:
        self._pools = _pools(lane)
        super().__init__(max_retries=urllib3.Retry(0, read=False), pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the manager of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Return the manager of connections through one proxy."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pools(lane: Lane) -> dict[str, type[urllib3.HTTPConnectionPool]]:
    class Watched:
        """What both kinds of connection do when they open and close."""

        _handle: socket.socket | None = None

        def _new_conn(self) -> socket.socket:
            opened: socket.socket = super()._new_conn()  # type: ignore[misc]  # of the connection it is mixed into
            self._handle = lane.watch(opened)
            return opened

        def close(self) -> None:
            super().close()  # type: ignore[misc]  # the same
            if self._handle is not None:
                lane.forget(self._handle)
                self._handle = None

    class Plain(Watched, HTTPConnection):
        """Without TLS."""

    class Tls(Watched, HTTPSConnection):
        """With TLS."""

    class PlainPool(urllib3.HTTPConnectionPool):
        """Without TLS."""

        ConnectionCls = Plain

    class TlsPool(urllib3.HTTPSConnectionPool):
        """With TLS."""

        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}
