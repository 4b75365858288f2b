"""Which paths of a proxy may be asked for: those that only read, and cost little."""

from __future__ import annotations

import re

from gwtui.errors import Refused

READ_ONLY_PATHS = frozenset(
    {
        "/",
        "/certs",
        "/clusters",
        "/config_dump",
        "/contention",
        "/healthz/ready",
        "/help",
        "/hot_restart_version",
        "/init_dump",
        "/listeners",
        "/memory",
        "/metrics",
        "/ready",
        "/runtime",
        "/server_info",
        "/stats",
        "/stats/prometheus",
        "/stats/recentlookups",
    }
)
"""Exact paths of Envoy's and agentgateway's interfaces. Left out although they answer GET: `/tap` (request headers),
`/heap_dump` and `/memory/tcmalloc` (large, stall the proxy), and everything that acts."""


_PRINTABLE = re.compile(r"[!-~]*").fullmatch
"""Only ASCII that may stand in a request line."""


def require_read_only(path: str) -> None:
    """Let a path pass that is on the list; its query is free.

    Raises:
        Refused: it is not, or it holds characters that have no place in a request line.
    """
    if not _PRINTABLE(path):
        raise Refused(f"the proxy path {path!r} is not percent-encoded", "encode spaces and non-ASCII characters")
    bare = path.partition("?")[0]
    if bare not in READ_ONLY_PATHS:
        raise Refused(f"the proxy path {bare} is not on the read-only list", "this console only reads from proxies")
