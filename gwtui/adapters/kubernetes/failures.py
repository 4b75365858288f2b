"""What an API server's refusals and a broken connection mean to an operator: one line, and what to try."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec

from gwtui.errors import BadPayload, Denied, GwtuiError, NotServed, SourceError, Unreachable

Query = Sequence[tuple[str, str]]

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Expired(SourceError):
    """410: the version or the continue token is too old; list again. Never reaches an operator."""


class Throttled(Unreachable):
    """429 or 503 with a wait the server asked for."""

    def __init__(self, message: str, hint: str = "", *, retry_after_s: float = 0.0) -> None:
        super().__init__(message, hint)
        self.retry_after_s = retry_after_s
        """Seconds to wait before the next request; 0 when the server named none."""


class Status(msgspec.Struct, rename="camel"):
    """The API server's own error body. *Source:* `v1 Status`."""

    kind: str
    api_version: str = ""
    status: str | None = None
    message: str | None = None
    reason: str | None = None
    code: int | None = None
    details: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as far as messages need it."""

    context: str
    host: str
    method: str
    path: str
    query: Query = ()

    @property
    def where(self) -> str:
        """Cluster and host, the start of every message."""
        return f"{self.context} ({self.host})"

    def right(self) -> str:
        """The right this request needs, as one would grant it."""
        parts = [part for part in self.path.split("/") if part]
        group, rest = ("", parts[2:]) if parts[:1] == ["api"] else (parts[1] if len(parts) > 1 else "", parts[3:])
        scope = "cluster-wide"
        if rest[:1] == ["namespaces"] and len(rest) > 2:
            scope, rest = f"in namespace {rest[1]}", rest[2:]
        if parts[:1] not in (["api"], ["apis"]) or not rest:
            return f"{self.method.lower()} on the path {self.path}"
        resource = f"{rest[0]}.{group}" if group else rest[0]
        if len(rest) > 2:
            resource = f"{resource}/{rest[2]}"
        return f"{self._verb(named=len(rest) > 1)} on {resource} {scope}"

    def _verb(self, *, named: bool) -> str:
        if self.method != "GET":
            return _VERBS.get(self.method, self.method.lower())
        if named:
            return "get"
        return "watch" if ("watch", "true") in self.query else "list"


def decode_status(body: bytes) -> Status | None:
    """Return the API server's Status, or None when the body is something else, for example a load balancer's page."""
    try:
        status = msgspec.json.decode(body, type=Status)
    except msgspec.DecodeError:
        return None
    return status if status.kind == "Status" else None


def refusal(call: Call, code: int, body: bytes, headers: Mapping[str, str], *, sign_in: str = "") -> GwtuiError:
    """Return the error that an answer of status `code` (>= 400) means.

    Args:
        call: The request that was refused.
        code: HTTP status, or the code of a watch's ERROR event.
        body: Status JSON, or anything else.
        headers: Headers of the answer; only Retry-After is read.
        sign_in: What to try when the credentials are not accepted.
    """
    status = decode_status(body)
    said = (status.message if status else None) or _phrase(code)
    text = f"{call.where}: {' '.join(said.split())[:500]}"
    error: GwtuiError
    match code:
        case 401:
            error = Denied(f"{call.where}: the credentials were not accepted (401)", sign_in, status=401)
        case 403 if "impersonate" in said:
            error = Denied(
                text, "grant impersonate on that user or group, or leave out --as and --as-group", status=403
            )
        case 403:
            error = Denied(text, f"grant {call.right()}", status=403)
        case 404 if status is not None and (status.details or {}).get("name"):
            error = NotServed(text, "it is gone; look at the list again")
        case 404:
            error = NotServed(f"{call.where}: {call.path} is not served (404)", "is its CRD installed in this cluster?")
        case 410:
            error = Expired(text)
        case 429 | 503:
            wait_s = _retry_after_s(headers, status)
            hint = f"the server asks to wait {wait_s:g} s" if wait_s else "the server is busy or starting; we retry"
            error = Throttled(f"{text} ({code})", hint, retry_after_s=wait_s)
        case _ if status is None:
            error = Unreachable(
                f"{call.where}: answered {code} {_phrase(code)}, and not as a Kubernetes API",
                "a proxy or load balancer answers in its place; check the server address",
            )
        case _:
            error = Unreachable(f"{text} ({code})", "the API server refused the request; see its logs")
    return error


def _phrase(code: int) -> str:
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return "unknown status"


def _retry_after_s(headers: Mapping[str, str], status: Status | None) -> float:
    named = headers.get("Retry-After") or ((status.details or {}).get("retryAfterSeconds") if status else None)
    try:
        # An HTTP date is legal too, but no API server sends one.
        return min(max(float(named or 0), 0.0), 300.0)
    except (TypeError, ValueError):
        return 0.0


def breakdown(call: Call, error: Exception) -> SourceError:
    """Return the error that a failed or timed-out connection means."""
    if isinstance(error, aiohttp.ClientPayloadError):
        return BadPayload(f"{call.where}: the answer was cut off", "the connection broke in the middle; we retry")
    match error:
        case aiohttp.ClientConnectorCertificateError():
            said, hint = _tls(error.certificate_error)
        case aiohttp.ClientConnectorSSLError() | ssl.SSLError():
            said, hint = _tls(error)
        case aiohttp.ClientConnectorDNSError():
            said = f"the name {error.host} cannot be resolved"
            hint = "check the server address, DNS and the VPN"
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            said, hint = f"the proxy failed: {error}", "check proxy-url and HTTPS_PROXY"
        case aiohttp.ClientConnectorError():
            said = f"cannot connect: {_os_reason(error.os_error)}"
            hint = "is the API server up, and is the VPN connected?"
        case TimeoutError():
            said, hint = "no answer in time", "the API server or the way to it is slow; we retry"
        case _:
            said, hint = f"the connection broke: {str(error) or type(error).__name__}", "we retry"
    return Unreachable(f"{call.where}: {said}", hint)


def _os_reason(error: OSError) -> str:
    """What the system says, without the address: asyncio writes its own text over the system's."""
    return (os.strerror(error.errno) if error.errno else str(error)).lower()


def _tls(error: Exception) -> tuple[str, str]:
    reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error)
    return (
        f"the server's certificate or TLS is not accepted: {reason}",
        "check certificate-authority(-data) and tls-server-name of the cluster entry",
    )
