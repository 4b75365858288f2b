"""What the HTTP filters before the router may do to a request: they are not run here, only named.

A filter that is disabled counts where the route, its virtual host or its route configuration switches it on, as
kgateway does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gwtui.explain.loaded.answers import Body

_NOTHING = frozenset(
    {
        "alternate_protocols_cache", "bandwidth_limit", "buffer", "compressor", "decompressor", "dynamic_forward_proxy",
        "grpc_http1_bridge", "grpc_stats", "grpc_web", "kill_request", "on_demand", "peer_metadata", "router",
        "stateful_session", "tap", "upstream_codec",
    }
)  # fmt: skip
"""Filters that neither answer nor change what routes look at."""

_DOES = {
    "adaptive_concurrency": "may refuse it when there are too many",
    "admission_control": "may refuse it when many fail",
    "api_key_auth": "may refuse it",
    "basic_auth": "may refuse it",
    "cache": "may answer it",
    "cors": "may answer it when it is a preflight",
    "credential_injector": "may change it",
    "csrf": "may refuse it",
    "dynamic_modules": "may change or answer it",
    "ext_authz": "may refuse or change it",
    "ext_proc": "may change or answer it",
    "fault": "may delay or refuse it",
    "geoip": "may change its headers",
    "grpc_http1_reverse_bridge": "may change it",
    "grpc_json_transcoder": "may change its path",
    "header_mutation": "may change its headers",
    "header_to_metadata": "may change its headers",
    "health_check": "may answer it",
    "jwt_authn": "may refuse it",
    "local_ratelimit": "may refuse it when there are too many",
    "lua": "may change or answer it",
    "oauth2": "may redirect it",
    "ratelimit": "may refuse it when there are too many",
    "rbac": "may refuse it",
    "transformation": "may change it",
    "wasm": "may change or answer it",
}
_ELSE = "is not known here and may change or answer it"
_PREFIXES = ("envoy.filters.http.", "io.solo.", "envoy.")


def caveats_of(manager: Body, *scopes: Body) -> Iterator[str]:
    """Yield what may come before a route has its way, as sentences: `ext_authz may refuse or change it`.

    Args:
        manager: The connection manager.
        scopes: The route, its virtual host and its route configuration, as far as there are any, the narrowest first.
    """
    for each in manager.get("http_filters", ()):
        name = each.get("name", "")
        kind = _kind(each)
        if kind in _NOTHING or not _is_on(each, name, scopes):
            continue
        called = kind if kind == _short(name) or not name else f"{kind} ({name})"
        yield f"{called} {_DOES.get(kind, _ELSE)}"


def _is_on(each: Body, name: str, scopes: tuple[Body, ...]) -> bool:
    for scope in scopes:
        own: Mapping[str, Any] | None = (scope.get("typed_per_filter_config") or {}).get(name)
        if own is not None:
            return not own.get("disabled")
    return not each.get("disabled")


def _kind(each: Body) -> str:
    """What it is, by the type of its configuration: names are free."""
    config: Mapping[str, Any] = each.get("typed_config") or {}
    kind = config.get("type_url") or config.get("@type") or ""
    for part in kind.split("/")[-1].split("."):
        if part in _DOES or part in _NOTHING:
            return str(part)
    return _short(each.get("name", "")) or "a filter without a name"


def _short(name: str) -> str:
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name
