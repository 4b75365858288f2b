"""A request as the routes of a proxy see it: after the connection manager has prepared it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gwtui.explain.loaded.answers import Body, CannotTell
from gwtui.explain.paths import is_unsure, merged, normalized
from gwtui.explain.request import Request

_DEFAULT_PORTS = {"http": 80, "https": 443}

TOUCHED = frozenset(
    {
        "connection", "content-length", "expect", "keep-alive", "proxy-connection", "te", "transfer-encoding",
        "upgrade", "x-forwarded-client-cert", "x-forwarded-for", "x-forwarded-proto", "x-request-id",
    }
)  # fmt: skip
"""Headers that the connection manager adds, changes or removes before it looks for a route."""
TOUCHED_PREFIX = "x-envoy-"

_ESCAPED_SLASH = re.compile(r"%(2[fF]|5[cC])")
_PARAMETERS = re.compile(r";[^/]*")
_PORT = re.compile(r":\d*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is matched."""

    method: str
    scheme: str
    """Empty when it is not known."""
    authority: str
    """Host, and port where it is sent."""
    path: str
    """Without the query."""
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, tuple[str, ...]]
    """Values in order, by lower-case name."""
    touched: frozenset[str] = TOUCHED
    """Headers of which it is not known what the proxy makes of them."""

    @property
    def target(self) -> str:
        """Path and query."""
        query = "&".join(f"{name}={value}" if value else name for name, value in self.query)
        return f"{self.path}?{query}" if query else self.path


def authority_of(request: Request) -> str:
    """Return the host as a client sends it: with the port unless the scheme implies it."""
    host = f"[{request.host}]" if ":" in request.host else request.host
    is_implied = request.port is None or request.port == _DEFAULT_PORTS.get(request.scheme)
    return host if is_implied else f"{host}:{request.port}"


def seen(request: Request, manager: Body, *, port: int | None, is_encrypted: bool) -> Seen | CannotTell:
    """Return what a connection manager makes of a request.

    Args:
        request: As it arrives.
        manager: The connection manager.
        port: The port it listens on; None when it is not known.
        is_encrypted: Whether the connection is TLS up to here.
    """
    try:
        authority = _host(authority_of(request), manager, port)
        path = _path(request.path, manager)
        headers = _headers(request, manager)
    except _Untold as untold:
        return CannotTell(str(untold))
    scheme = "https" if is_encrypted else "http" if request.scheme == "http" else ""
    if "x-forwarded-proto" in headers:
        scheme = ""
    if overwritten := (manager.get("scheme_header_transformation") or {}).get("scheme_to_overwrite"):
        scheme = overwritten
    touched = {"x-forwarded-port"} if manager.get("append_x_forwarded_port") else set()
    return Seen(
        method=request.method,
        scheme=scheme,
        authority=authority,
        path=path,
        query=request.query,
        headers=headers,
        touched=TOUCHED | touched,
    )


def without_port(host: str) -> str:
    """Return a host without its port; one in brackets keeps its colons."""
    return _PORT.sub("", host) if not host.endswith("]") else host


def without_parameters(path: str) -> str:
    """Return a path without what follows a `;` in each of its segments."""
    return _PARAMETERS.sub("", path)


class _Untold(Exception):
    """What the proxy makes of a request is not known, for this reason."""


def _host(host: str, manager: Body, port: int | None) -> str:
    if manager.get("strip_trailing_host_dot"):
        name = without_port(host)
        host = name.removesuffix(".") + host[len(name) :]
    if manager.get("strip_any_host_port"):
        return without_port(host)
    if manager.get("strip_matching_host_port"):
        sent = _PORT.search(host)
        if sent is not None and port is None:
            raise _Untold("the port of the host is dropped where it is that of the listener, which is not known")
        if sent is not None and sent[0] == f":{port}":
            return without_port(host)
    return host


def _path(path: str, manager: Body) -> str:
    if not path.startswith("/") or not path.isascii() or not path.isprintable() or any(each in path for each in " #?"):
        raise _Untold("this path cannot be sent as it is")
    action = manager.get("path_with_escaped_slashes_action", "")
    if action in {"UNESCAPE_AND_FORWARD", "UNESCAPE_AND_REDIRECT", "REJECT_REQUEST"} and _ESCAPED_SLASH.search(path):
        if action != "UNESCAPE_AND_FORWARD":
            raise _Untold("the proxy does not route paths with escaped slashes, it answers them")
        path = _ESCAPED_SLASH.sub(lambda found: "/" if found[1] in {"2f", "2F"} else "\\", path)
    if manager.get("normalize_path"):
        if is_unsure(path):
            raise _Untold("what the proxy makes of this path is not known here")
        path = normalized(path)
    return merged(path) if manager.get("merge_slashes") else path


def _headers(request: Request, manager: Body) -> dict[str, tuple[str, ...]]:
    options: Mapping[str, Any] = manager.get("common_http_protocol_options") or {}
    action = options.get("headers_with_underscores_action", "ALLOW")
    found: dict[str, tuple[str, ...]] = {}
    for name, value in request.headers:
        if "_" in name and action == "REJECT_REQUEST":
            raise _Untold("the proxy refuses requests with an underscore in the name of a header")
        if "_" not in name or action == "ALLOW":
            found[name] = (*found.get(name, ()), value)
    return found
